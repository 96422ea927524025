# SPDX-License-Identifier: Apache-2.0
"""What ./run does. One line a test, as tests/run wants it."""

import json
import os
import re
import shutil
import subprocess
import tempfile

import cases_certificate
import discovery
import keys
import table
from world import ANCHORS, TOP, World, make_filesystems

VEXT = os.path.join(os.environ.get("VEXT_BUILD", os.path.join(TOP, "build")), "vext")
SECONDS = 120  # for one run of vext, on a busy machine
GROUPS = "image gpt envelope signature superblock policy".split()


class Results:
    def __init__(self):
        self.passed = self.failed = 0
        self.reasons = {}  # reason → rows that end with it

    def note(self, name, wrong, reasons=()):
        for reason in reasons:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
        if wrong:
            self.failed += 1
            print(f"not ok {name}: {'; '.join(wrong)}", flush=True)
        else:
            self.passed += 1
            print(f"ok {name}", flush=True)


def run_vext(*arguments, vext=VEXT, stdin=subprocess.DEVNULL):
    return subprocess.run([vext, *arguments], capture_output=True, timeout=SECONDS, check=False, stdin=stdin,
                          env={"LC_ALL": "C"})


def is_clean(output):
    """Printable ASCII and ends of lines: nothing of an image's reaches a terminal as it is."""
    return all(0x20 <= c <= 0x7E or c == 0x0A for c in output)


def once(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a member stands twice")
    return dict(pairs)


def judged(command, wanted, *arguments):
    """What is wrong with the verdict of one run with --json."""
    done = run_vext(*command, "--json", *arguments)
    if not is_clean(done.stdout + done.stderr):
        return [f"{command[0]}: unprintable output"]
    try:
        image = json.loads(done.stdout, object_pairs_hook=once)["images"][0]
        reason = image["reason"]
    except (ValueError, KeyError, IndexError) as e:
        return [f"{command[0]}: status {done.returncode}, no JSON: {e}; {done.stderr.decode()[:300]}"]
    wrong = []
    if reason != wanted:
        wrong.append(f"{' '.join(command)}: {reason}, not {wanted}")
    if reason == "accepted" and (image["signer"] is None) != ("not signed" in image["detail"]):
        wrong.append(f"{' '.join(command)}: signer {image['signer']} with '{image['detail']}'")
    if done.returncode != (reason != "accepted"):
        wrong.append(f"{' '.join(command)}: status {done.returncode} with {reason}")
    return wrong


def drawn(wanted, *arguments):
    """The same of inspect's drawing."""
    done = run_vext("inspect", *arguments)
    last = done.stdout.decode(errors="replace").splitlines()[-1:] or [""]
    if not is_clean(done.stdout + done.stderr):
        return ["inspect: unprintable output"]
    word = r"accepted \S+: root hash" if wanted == "accepted" else rf"refused \S+: {re.escape(wanted)}: "
    if not re.match(f"verdict: {word}", last[0]):
        return [f"inspect: {last[0][:200]}"]
    return []


def verdicts(item, path, certificates):
    options = [word for path_ in certificates for word in ("--anchor", path_)]
    if item.policy is not None:
        options += ["--policy", item.policy]
    deep = item.deep or item.reason
    return (judged(["verify"], item.reason, *options, path) + judged(["verify", "--deep"], deep, *options, path) +
            judged(["inspect"], item.reason, *options, path) + drawn(item.reason, *options, path))


def check_row(item, checker, results):
    path = os.path.join(checker.directory, f"{item.name}.raw")
    name = title(item)
    if item.deep:
        name += f", --deep {item.deep}"
    try:
        image = checker.write(item, path)
        wrong = [f"the image: {w}" for w in checker.defects(item, path, image)]
        certificates = [checker.world.write_certificate(checker.directory, n) for n in item.anchors]
        wrong += verdicts(item, path, certificates)
    finally:
        if os.path.lexists(path):
            os.unlink(path)
    results.note(name, wrong, [item.reason] + ([item.deep] if item.deep else []))


# ---- certificates ------------------------------------------------------------------------------

def offered(item, made, path, checker):
    """What vext does with the file at `path` as --anchor, and an image that its key has signed."""
    checker.world.made[item.name] = made
    image = os.path.join(checker.directory, "signed.raw")
    try:
        checker.world.image(item.name).write(image)
        if item.reason == "accepted":
            return judged(["verify"], "accepted", "--anchor", path, image)
        done = run_vext("verify", "--anchor", path, image)
        if done.returncode == 2 and not done.stdout and f": {item.reason}: ".encode() in done.stderr:
            return [] if is_clean(done.stderr) else ["unprintable output"]
        return [f"status {done.returncode}: {(done.stdout + done.stderr).decode()[:300]}"]
    finally:
        os.unlink(image)


def check_certificate(item, checker, results):
    path = os.path.join(checker.directory, f"{item.name}.crt")
    raw, made = item.make()
    with open(path, "wb") as file:
        file.write(raw)
    ordinary = cases_certificate.file_facts(cases_certificate.ordinary().der)
    wrong = [f"the certificate: {w}" for w in
             table.compare(ordinary, cases_certificate.file_facts(raw), item.differs)]
    wrong += offered(item, made, path, checker)
    os.unlink(path)
    results.note(title(item), wrong, [item.reason])


def check_many_certificates(checker, results):
    """As many as there may be, and one more."""
    path = checker.world.write_certificate(checker.directory, "p256")
    image = os.path.join(checker.directory, "signed.raw")
    checker.world.image("p256").write(image)
    anchors = ["--anchor", path] * 64
    wrong = judged(["verify"], "accepted", *anchors, image)
    done = run_vext("verify", *anchors, "--anchor", path, image)
    if done.returncode != 2 or b"signature.anchor-limit" not in done.stderr:
        wrong.append(f"65: status {done.returncode}, {done.stderr.decode()[:200]}")
    os.unlink(image)
    results.note("certificates-65 → signature.anchor-limit", wrong, ["signature.anchor-limit"])


# ---- roots -------------------------------------------------------------------------------------

def check_roots(rows, checker, results):
    baked, good = (os.path.join(checker.directory, name) for name in ("vext", "good.raw"))
    keys.run(os.path.join(TOP, "crypto", "bake"), VEXT, baked,
             *(checker.world.write_certificate(checker.directory, name) for name in ANCHORS))
    checker.world.image().write(good)
    os.chmod(checker.directory, 0o755)
    for item in rows:
        wrong = discovery.run(item, baked, good, checker.directory, SECONDS)
        results.note(title(item), wrong, {reason for _, reason in item.told})


def check_shorter_than_said(results):
    """sysfs says 4096 bytes of its files and gives fewer: what a file that shrinks while it is read does."""
    path = "/sys/kernel/uevent_seqnum"
    wrong = [] if os.stat(path).st_size == 4096 else [f"{path} has another size"]
    results.note("shorter-than-said → image.truncated", wrong + judged(["verify"], "image.truncated", "--name", "x", path),
                 ["image.truncated"])


# ---- all of it ---------------------------------------------------------------------------------

def title(item):
    numbers = ", ".join(map(str, item.cases))
    return f"{item.name} ({numbers}) → {item.reason}" if numbers else f"{item.name} → {item.reason}"


# What has tables of its own: whose certificate counts (tests/trust), and the language of policies and of the
# configuration, whose reasons are those of a text and not of an image. tests/rules sees to it that they are tested.
ELSEWHERE = re.compile(r"policy\.(syntax|designator|flag|duplicate|unlisted|configuration|line|value|twice|limit|"
                       r"unreadable|required|off|baked-only|class|renamed)$|image\.unresponsive$|signature\.(list-|revo|scope$|usage$|section$|test-key$|"
                       r"anchor-(?!format$|key$|usage$|limit$))")


def reasons_of_files():
    """Those in reason.def that an image, a certificate or a name can cause by itself."""
    with open(os.path.join(TOP, "src", "reason.def"), encoding="ascii") as file:
        names = re.findall(r'^REASON\(\d+, \w+, "([a-z.0-9-]+)"', file.read(), re.M)
    return [n for n in names if n.split(".")[0] in GROUPS and not ELSEWHERE.match(n)]


def show_facts(rows, checker):
    """In what each row's image differs from the ordinary one."""
    for item in rows:
        path = os.path.join(checker.directory, f"{item.name}.raw")
        found = checker.read(item, path, checker.write(item, path))
        ordinary = {} if item.has is not None else checker.ordinary(item)
        print(item.name)
        for key in sorted(ordinary.keys() | found.keys()):
            if ordinary.get(key) != found.get(key):
                print(f"    {key!r}: {found.get(key, 'GONE')!r}, # {ordinary.get(key)!r}")


def main(arguments):
    facts_only = arguments[:1] == ["--facts"]
    only = arguments[facts_only:]
    rows = table.rows()
    world = World(*make_filesystems([r.name for r in rows]))
    results = Results()
    directory = tempfile.mkdtemp(prefix="vext-images.", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    try:
        checker = table.Checker(world, directory)
        chosen = [r for r in rows if not only or any(word in r.name for word in only)]
        if facts_only:
            return show_facts(chosen, checker)
        for item in chosen:
            check_row(item, checker, results)
        for item in cases_certificate.ROWS:
            if not only or any(word in item.name for word in only):
                check_certificate(item, checker, results)
        check_roots([r for r in discovery.ROWS if not only or any(word in r.name for word in only)], checker, results)
        if not only:
            check_many_certificates(checker, results)
            check_shorter_than_said(results)
    finally:
        shutil.rmtree(directory)
    if not only:
        missing = [r for r in reasons_of_files() if r not in results.reasons]
        results.note("every reason that a file can cause has a row",
                     [f"{r} has none" for r in missing])
    size = len(rows) + len(cases_certificate.ROWS) + len(discovery.ROWS)
    print(f"= the table: {size} rows, {len(results.reasons)} reasons")
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed or not results.passed else 0
