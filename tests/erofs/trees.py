# SPDX-License-Identifier: Apache-2.0
"""
Trees of directories, made up, and trees that were unpacked.

trees.py make KIND SEED     for write.c, to standard output; KIND is mixed, wide or deep
trees.py expected KIND SEED what `list` says of that tree once it is unpacked
trees.py list DIRECTORY     each directory with mode, owner, time and attributes, one a line
"""

import os
import random
import stat
import struct
import sys

PATH_MAX = 3000  # for the unpacking side

ACL_USER_OBJ, ACL_USER, ACL_GROUP_OBJ, ACL_GROUP, ACL_MASK, ACL_OTHER = 1, 2, 4, 8, 16, 32
NOBODY = 0xffffffff


def acl(rng, mode):
    """As getxattr(2) has it: version 2; the mask is what the mode calls the group's."""
    entries = [(ACL_USER_OBJ, mode >> 6 & 7, NOBODY), (ACL_USER, rng.randrange(8), 1000),
               (ACL_GROUP_OBJ, rng.randrange(8), NOBODY), (ACL_GROUP, rng.randrange(8), 27),
               (ACL_MASK, mode >> 3 & 7, NOBODY), (ACL_OTHER, mode & 7, NOBODY)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def attributes(rng, mode, has_to):
    """A directory below one with a default ACL is unpacked with that, unless it has its own: `has_to`."""
    made = {}
    if rng.random() < 0.5:
        made["security.selinux"] = rng.choice([b"system_u:object_r:usr_t:s0\0", b"system_u:object_r:lib_t:s0\0"])
    if rng.random() < 0.2:
        made["user." + "n" * rng.choice([1, 2, 3, 200])] = rng.randbytes(rng.choice([1, 2, 3, 4, 500, 3000]))
    if rng.random() < 0.1:
        made["trusted.vext"] = rng.randbytes(9)
    if has_to or rng.random() < 0.1:
        made["system.posix_acl_access"] = acl(rng, mode)
    if has_to or rng.random() < 0.1:
        made["system.posix_acl_default"] = acl(rng, rng.randrange(0o1000))
    return made


def name(rng, length):
    while True:
        made = bytes(rng.choice(range(1, 256)) for _ in range(length)).replace(b"/", b"+")
        if made not in (b".", b".."):
            return made


class Tree:
    def __init__(self, kind, seed):
        self.rng, self.directories, self.paths = random.Random(f"{kind} {seed}"), [], {b""}
        self.add(0, b"")
        for i in range(1, {"mixed": 200, "wide": 5000, "deep": 1000}[kind]):
            while not self.add(*getattr(self, kind)(i)):
                pass

    def mixed(self, i):
        return self.rng.randrange(i), name(self.rng, self.rng.choice([1, 1, 2, 3, 8, 20, 255]))

    def wide(self, i):
        return self.rng.choice([0, min(i - 1, 1)]), b"%08d" % i + b"w" * (i % 240)

    def deep(self, i):
        return i - 1, b"d"

    def add(self, parent, last):
        rng = self.rng
        above = self.directories[parent] if self.directories else (b"", {})
        path = b"/".join(filter(None, (above[0], last)))
        if path in self.paths and last or len(path) > PATH_MAX:
            return False
        self.paths.add(path)
        mode = rng.choice([0o755, 0o755, 0o700, 0o1777, 0o2750, rng.randrange(0o10000)])
        owner = [rng.choice([0, 0, 1000, 65534, 2**32 - 2]) for _ in range(2)]
        time = rng.choice([0, rng.randrange(2**31), rng.randrange(2**33), -rng.randrange(2**31)])
        self.directories.append((path, last, parent, mode, *owner, time, rng.choice([0, rng.randrange(10**9)]),
                                 attributes(rng, mode, "system.posix_acl_default" in above[-1])))
        return True

    def make(self):
        for _, last, parent, mode, uid, gid, seconds, nanoseconds, attrs in self.directories:
            words = [parent, mode, uid, gid, seconds, nanoseconds, "x" + last.hex()]
            for key, value in attrs.items():
                words += ["x" + key.encode().hex(), "x" + value.hex()]
            yield " ".join(map(str, words))

    def expected(self):
        for path, _, _, mode, uid, gid, seconds, nanoseconds, attrs in self.directories:
            yield shown(path, mode, uid, gid, seconds * 10**9 + nanoseconds, attrs)


def shown(path, mode, uid, gid, time, attrs):
    return f"{path!r} {mode:o} {uid}:{gid} {time} " + " ".join(f"{key}={attrs[key].hex()}" for key in sorted(attrs))


def listed(top):
    left = [os.fsencode(top)]
    while left:
        path = left.pop()
        st = os.lstat(path)
        attrs = {key: os.getxattr(path, key) for key in os.listxattr(path)}
        yield shown(path[len(top) + 1:], stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid, st.st_mtime_ns, attrs)
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                left.append(entry.path)
            else:
                yield f"not a directory: {entry.path!r}"


def main(action, *arguments):
    lines = listed(*arguments) if action == "list" else getattr(Tree(*arguments), action)()
    lines = list(lines) if action == "make" else sorted(lines)
    print("\n".join(lines))


main(*sys.argv[1:])
