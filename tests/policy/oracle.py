#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What systemd takes policies for, in the form of tests/policy/policy.c.

Reads policies from standard input, one a line. Runs where systemd 257 is (in the tools root).

    oracle.py analyze     asks systemd-analyze, which takes one policy a call: some 10 ms each
    oracle.py library     asks the library that systemd-analyze is made of: some 20 µs each
    oracle.py intersect   the same; a line is two policies with a tab between them, and what is told are
                          the flags that both together leave of each designator, as numbers
"""
import concurrent.futures
import ctypes
import errno
import glob
import re
import subprocess
import sys

DESIGNATORS = ("root usr home srv esp xbootldr swap root-verity usr-verity root-verity-sig "
               "usr-verity-sig tmp var").split()
REASONS = {
    errno.EINVAL: "policy.syntax",
    errno.ENOTUNIQ: "policy.duplicate",
    errno.EBADSLT: "policy.designator",
    errno.EBADRQC: "policy.flag",
}
MESSAGES = {
    "Invalid argument": errno.EINVAL,
    "Name not unique on network": errno.ENOTUNIQ,
    "Invalid slot": errno.EBADSLT,
    "Invalid request code": errno.EBADRQC,
}
OPEN, READ_ONLY_OFF, READ_ONLY_ON, GROWFS_OFF, GROWFS_ON = 63, 64, 128, 256, 512


def analyze(policy):
    """The record of one policy, from what systemd-analyze prints."""
    done = subprocess.run([b"systemd-analyze", b"image-policy", b"--", policy], check=False,
                          env={"SYSTEMD_COLORS": "0", "PATH": "/usr/bin"}, capture_output=True)
    if done.returncode != 0:
        told = done.stderr.decode("utf-8", "surrogateescape")
        return REASONS[MESSAGES[told.rstrip("\n").rsplit(": ", 1)[1]]]
    head, table = done.stdout.decode().split("\n\n")
    short, long = re.fullmatch(r"Analyzing policy: (.*)(?:\n       Long form: (.*))?", head).groups()
    rows = [line.split() for line in table.strip("\n").split("\n")]
    assert rows[0] == ["PARTITION", "MODE", "READ-ONLY", "GROWFS"]
    return "\t".join([short, long or short] + ["%s=%s,%s,%s" % tuple(row) for row in rows[1:]])


class Library:
    """The functions behind it; src/shared/image-policy.h of systemd 257."""

    def __init__(self):
        (path,) = glob.glob("/usr/lib/*/systemd/libsystemd-shared-257.so")
        self.lib = ctypes.CDLL(path)
        self.libc = ctypes.CDLL(None)

    def parse(self, policy):
        """(error number, policy)"""
        parsed = ctypes.c_void_p()
        error = -self.lib.image_policy_from_string(policy, ctypes.byref(parsed))
        return max(error, 0), parsed

    def text(self, function, *arguments):
        text = ctypes.c_char_p()
        assert function(*arguments, ctypes.byref(text)) >= 0
        value = text.value.decode()
        self.libc.free(text)
        return value

    def row(self, name, flags):
        def attribute(on, off):
            return {on: "yes", off: "no"}.get(flags & (on | off), "-")
        mode = self.text(self.lib.partition_policy_flags_to_string, flags & OPEN, True)
        return "%s=%s,%s,%s" % (name, mode, attribute(READ_ONLY_ON, READ_ONLY_OFF),
                                attribute(GROWFS_ON, GROWFS_OFF))

    def flags(self, parsed):
        return [self.lib.image_policy_get_exhaustively(parsed, i) for i in range(len(DESIGNATORS))]

    def record(self, policy):
        error, parsed = self.parse(policy)
        if error:
            return REASONS[error]
        default = ctypes.cast(parsed, ctypes.POINTER(ctypes.c_int))[0]
        fields = [self.text(self.lib.image_policy_to_string, parsed, short) for short in (True, False)]
        fields += [self.row(name, flags) for name, flags in zip(DESIGNATORS, self.flags(parsed))]
        fields.append(self.row("default", default))
        self.libc.free(parsed)
        return "\t".join(fields)

    def intersection(self, line):
        policies = [self.parse(policy)[1] for policy in line.split(b"\t")]
        both = ctypes.c_void_p()
        error = -self.lib.image_policy_intersect(*policies, ctypes.byref(both))
        assert error in (0, errno.ENAVAIL), error
        record = "impossible" if error else " ".join(map(str, self.flags(both)))
        for policy in policies + [both]:
            self.libc.free(policy)
        return record


def main():
    policies = sys.stdin.buffer.read().split(b"\n")[:-1]
    if sys.argv[1] == "analyze":
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            records = list(pool.map(analyze, policies))
    elif sys.argv[1] == "library":
        records = map(Library().record, policies)
    else:
        records = map(Library().intersection, policies)
    for record in records:
        sys.stdout.buffer.write(record.encode("utf-8", "surrogateescape") + b"\n")


main()
