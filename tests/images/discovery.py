# SPDX-License-Identifier: Apache-2.0
"""
What lies in the directories of a root, and what vext boot --dry-run makes of it. Each row furnishes a root
of its own, and says which lines are told: (name or path, reason), as many as there are and in this order.
"""

import os
import re
import shutil
import socket
import stat
import subprocess
from dataclasses import dataclass, field

ETC, RUN, VAR = "etc/extensions", "run/extensions", "var/lib/extensions"
GOOD = "accepted"


@dataclass
class Place:
    """A root to be furnished."""
    root: str
    good: str   # an ordinary image, outside of it
    wrong: list = field(default_factory=list)  # what is not as it should be, before vext runs

    def path(self, name, directory=ETC):
        return os.path.join(self.root, directory, name)

    def image(self, name, directory=ETC):
        shutil.copy(self.good, self.path(name, directory))
        return self.path(name, directory)

    def link(self, name, target, directory=ETC, exists=None):
        """exists: is something there, as the host's own paths go?"""
        os.symlink(target, self.path(name, directory))
        if exists is not None and os.path.exists(self.path(name, directory)) != exists:
            self.wrong.append(f"{name} {'leads nowhere' if exists else 'leads somewhere'} on the host")

    def is_kind(self, name, test, directory=ETC):
        if not test(os.lstat(self.path(name, directory)).st_mode):
            self.wrong.append(f"{name} is of another kind")


@dataclass
class RootRow:
    name: str
    cases: tuple
    told: object       # list of (name, reason), or a function of the Place
    status: int
    furnish: object
    tells: str = None  # a pattern that is in the messages, too
    wrap: object = None  # command in which vext runs
    stdin: bool = False  # an ordinary image on standard input

    @property
    def reason(self):
        reasons = dict.fromkeys(r for _, r in self.told)
        return ", ".join(reasons) if reasons else "nothing"


ROWS = []


def root(name, cases, told, status=None, **more):
    if status is None:
        status = 0 if all(r in (GOOD, "merge.duplicate", "merge.masked") for _, r in told) else 1

    def add(furnish):
        ROWS.append(RootRow(f"root-{name}", cases if isinstance(cases, tuple) else (cases,), told, status, furnish, **more))
        return furnish
    return add


# ---- links -------------------------------------------------------------------------------------

@root("link-out-absolute", 1, [("x", "image.open"), ("y", GOOD)])
def _(p):
    p.link("x.raw", p.good, exists=True)
    p.image("y.raw")


@root("link-out-relative", 1, [("x", "image.open"), ("y", GOOD)])
def _(p):
    p.link("x.raw", "../" * 20 + p.good.lstrip("/"), exists=True)
    p.image("y.raw")


@root("link-out-by-directory", 1, [])
def _(p):
    os.rmdir(os.path.join(p.root, ETC))
    p.link("extensions", os.path.dirname(p.good), "etc", exists=True)


@root("link-inside", 1, [("x", GOOD), ("y", GOOD)])
def _(p):
    os.makedirs(os.path.join(p.root, "usr/share/sysexts"))
    p.image("one-1.2.raw", "usr/share/sysexts")
    p.link("x.raw", "/usr/share/sysexts/one-1.2.raw", exists=False)
    p.link("y.raw", "../../../../../../usr/share/sysexts/one-1.2.raw")


@root("link-dangling", 1, [("x", "image.open")])
def _(p):
    p.link("x.raw", "/nowhere", exists=False)


@root("link-loop", 5, [("x", "image.open"), ("y", "image.open"), ("z", GOOD)])
def _(p):
    p.link("x.raw", "x.raw")
    p.link("y.raw", "y1")
    p.link("y1", "y.raw")
    p.image("z.raw")


@root("link-41-times", 5, [("x", "image.open"), ("y", GOOD)])
def _(p):
    p.image("0")
    for n in range(1, 45):
        p.link(str(n), str(n - 1))
    p.link("x.raw", "44")
    p.link("y.raw", "10", exists=True)


@root("link-to-directory", 14, [("x", "image.type")])
def _(p):
    p.link("x.raw", "/usr")


# With /proc inside the root, and an ordinary image on standard input.
WITH_PROC = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
             'mount --rbind /proc "$1/proc"; mount --rbind /dev "$1/dev"; shift; exec "$@"', "sh"]


@root("link-to-standard-input", 2, [("v", "image.open"), ("w", "image.open"), ("x", "image.open"), ("y", GOOD)],
      wrap=WITH_PROC, stdin=True)
def _(p):
    p.link("v.raw", "/dev/stdin")
    p.link("w.raw", "/proc/self/cwd/etc/extensions/y.raw")
    p.link("x.raw", "/proc/self/fd/0")
    p.image("y.raw")


# ---- what is no file ---------------------------------------------------------------------------

@root("fifo", 3, [("x", "image.type"), ("y", GOOD)])
def _(p):
    os.mkfifo(p.path("x.raw"))
    p.is_kind("x.raw", stat.S_ISFIFO)
    p.image("y.raw")


@root("socket", 3, [("x", "image.type")])
def _(p):
    with socket.socket(socket.AF_UNIX) as s:
        before = os.getcwd()
        os.chdir(p.path(""))
        s.bind("x.raw")
        os.chdir(before)
    p.is_kind("x.raw", stat.S_ISSOCK)


@root("devices", 4, [("b", "image.type"), ("c", "image.type"), ("z", "image.type")])
def _(p):
    os.mknod(p.path("b.raw"), 0o600 | stat.S_IFBLK, os.makedev(7, 0))
    os.mknod(p.path("c.raw"), 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(p.path("z.raw"), 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    p.is_kind("b.raw", stat.S_ISBLK)
    p.is_kind("c.raw", stat.S_ISCHR)


@root("directory", 14, [("x", "image.type"), ("y", GOOD)])
def _(p):
    os.mkdir(p.path("x.raw"))
    p.image("y.raw")


# ---- sizes -------------------------------------------------------------------------------------

def sized(path, size):
    with open(path, "ab") as file:
        file.truncate(size)


@root("sizes", (6, 7), [("empty", "image.empty"), ("odd", "image.size"), ("one", "image.size"), ("zeros", "image.format")])
def _(p):
    for name, size in (("empty", 0), ("odd", 5 * 512 + 511), ("one", 1), ("zeros", 1 << 16)):
        sized(p.path(f"{name}.raw"), size)


@root("8-eib", 8, [("all", "image.size"), ("good", GOOD), ("zeros", "image.format")])
def _(p):
    sized(p.path("zeros.raw"), 2**63 - 512)
    sized(p.path("all.raw"), 2**63 - 1)
    sized(p.image("good.raw"), 2**63 - 512)


# ---- names -------------------------------------------------------------------------------------

EVIL = ("-x", "a b", "a:b", "a,b", "a\\b", "a\nvext: accepted b: root hash", "a\x1b[2J", "a%sb", "a'b", "a\"b",
        "aü", b"a\xff".decode("utf-8", "surrogateescape"), "a;b", "a=b", "..", "...", ".hidden")


def escaped(text):
    raw = text.encode("utf-8", "surrogateescape")
    return "".join(chr(c) if 0x20 <= c <= 0x7E and c != 0x5C else f"\\x{c:02x}" for c in raw)


@root("names", 9, [(escaped(f"/{ETC}/{n}.raw"), "image.name") for n in
                   sorted(EVIL, key=lambda n: f"{n}.raw".encode("utf-8", "surrogateescape"))] + [("good+._@-Z9", GOOD)])
def _(p):
    for name in EVIL:
        p.image(f"{name}.raw")
    p.image("good+._@-Z9.raw")


LONG = "n" * 250


@root("names-long", 10, [(f"/{ETC}/{LONG}1.raw", "image.name"), (f"/{ETC}/{LONG}2.raw", "image.name"),
                         (f"/{ETC}/{'o' * 69}.raw", "image.name"), ("p" * 67 + "1", GOOD), ("p" * 67 + "2", GOOD)])
def _(p):
    for name in (f"{LONG}1", f"{LONG}2", "o" * 69, "p" * 67 + "1", "p" * 67 + "2"):
        p.image(f"{name}.raw")


@root("names-of-others", 9, [("x", GOOD)])
def _(p):
    for name in ("README", "x.raw.gz", ".raw", "x.RAW", "xraw", "x.raw~", "x.img"):
        p.image(name)
    p.image("x.raw")


@root("names-with-class", 11, [("x", GOOD), ("x", "merge.duplicate")])
def _(p):
    p.image("x.raw")
    p.image("x.sysext.raw")


# ---- one name more than once, masks ------------------------------------------------------------

@root("same-name", 11, [("x", GOOD), ("x", "merge.duplicate"), ("x", "merge.duplicate")])
def _(p):
    for directory in (ETC, RUN, VAR):
        p.image("x.raw", directory)


@root("same-name-first-is-bad", 11, [("x", "image.empty"), ("x", "merge.duplicate"), ("y", GOOD)])
def _(p):
    sized(p.path("x.raw"), 0)
    p.image("x.raw", VAR)
    p.image("y.raw", VAR)


@root("mask-directory", 15, [("x", "merge.masked"), ("y", GOOD)])
def _(p):
    os.mkdir(p.path("x"))
    p.image("x.raw", VAR)
    p.image("y.raw", VAR)


@root("mask-null", 15, [("x", "merge.masked"), ("x", "merge.masked")])
def _(p):
    p.link("x.raw", "/dev/null")
    p.image("x.raw", RUN)
    p.image("x.raw", VAR)


@root("mask-too-late", 15, [("x", GOOD)])
def _(p):
    p.image("x.raw", RUN)
    p.link("x.raw", "/dev/null", VAR)


# ---- many, and directories that are none -------------------------------------------------------

@root("10000-images", 12, [(f"x{n:05}", GOOD) for n in range(1024)], 3, tells=r"8976 images left out: more than 1024")
def _(p):
    p.image("image")
    for n in range(10000):
        os.link(p.path("image"), p.path(f"x{n:05}.raw"))


@root("directory-is-a-file", (), [("x", GOOD)], 3, tells=r"/etc/extensions: system\.read: .*Not a directory")
def _(p):
    os.rmdir(p.path(""))
    sized(os.path.join(p.root, ETC), 512)
    p.image("x.raw", VAR)


@root("directory-is-a-loop", 5, [("x", GOOD)], 3, tells=r"/etc/extensions: system\.read: ")
def _(p):
    os.rmdir(p.path(""))
    os.symlink("extensions", os.path.join(p.root, ETC))
    p.image("x.raw", VAR)


@root("not-readable", (), [("x", "image.open"), ("y", GOOD)],
      wrap=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", 'shift; exec "$@"', "sh"])
def _(p):
    os.chmod(p.image("x.raw"), 0)
    p.image("y.raw")


@root("nothing", (), [])
def _(p):
    pass


# ---- running -----------------------------------------------------------------------------------

def told_lines(messages):
    """The verdicts in the log: (name, reason)."""
    lines = []
    for line in messages.splitlines():
        found = re.match(r"vext: (?:accepted (.*?): root hash [0-9a-f]{64}, signed by .*|refused (.*?): ([a-z]+\.[a-z0-9-]+): .*)$", line)
        if found:
            lines.append((found[1], GOOD) if found[1] is not None else (found[2], found[3]))
    return lines


def run(item, vext, good, where, seconds):
    """What is wrong with what vext tells of the root that the row furnishes."""
    place = Place(os.path.join(where, "root"), good)
    for directory in (ETC, RUN, VAR, "usr/lib", "proc", "dev"):
        os.makedirs(os.path.join(place.root, directory))
    try:
        item.furnish(place)
        command = [vext, "boot", "--root", place.root, "--dry-run"]
        if item.wrap:
            command = [*item.wrap, place.root, *command]
        with open(good if item.stdin else os.devnull, "rb") as stdin:
            done = subprocess.run(command, stdin=stdin, capture_output=True, timeout=seconds, check=False,
                                  env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
    finally:
        shutil.rmtree(place.root)
    return place.wrong + compare(item, done)


def compare(item, done):
    wrong = []
    if not all(0x20 <= c <= 0x7E or c == 0x0A for c in done.stdout + done.stderr):
        wrong.append("unprintable output")
    messages = done.stderr.decode("ascii", "replace")
    lines = told_lines(messages)
    if lines != item.told:
        others = [f"{a} {b}" for a, b in lines if (a, b) not in item.told] or [f"in another order or number: {lines[:6]}"]
        wrong.append(f"tells {', '.join(others[:5])}; {messages[:300]!r}")
    if done.returncode != item.status:
        wrong.append(f"status {done.returncode}, not {item.status}; {messages[-300:]!r}")
    if item.tells and not re.search(item.tells, messages):
        wrong.append(f"does not tell {item.tells}: {messages[:300]!r}")
    good = {name for name, reason in item.told if reason == GOOD}
    planned = set(re.findall(r": make vext-([A-Za-z0-9._+@-]+)-SERIAL,", done.stdout.decode("ascii", "replace")))
    if planned != good:
        wrong.append(f"plans for {sorted(planned)[:5]}")
    return wrong
