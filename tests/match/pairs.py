# SPDX-License-Identifier: Apache-2.0
"""
Hosts and extensions with all that decides whether they go together: pairs.py DIR CLASS HOSTS EXTENSIONS SEED
writes DIR/hostN, each a root with an os-release and that many extensions (CLASS is sysext or confext),
directories below var/lib/extensions or var/lib/confexts. The same seed gives the same tree.
"""

import os
import random
import sys

ABSENT = None
IDS = ["debian", "flatcar", "ubuntu", "a.b_c-1"]
VERSIONS = [ABSENT, "", "13", "13.1", "4500.0.0", "13 ", "013"]
LEVELS = [ABSENT, ABSENT, "", "1", "2.0", "13"]
LIKES = [ABSENT, ABSENT, "", "debian", "coreos debian", "ubuntu\tflatcar", "debianish"]
SCOPES = [ABSENT, ABSENT, ABSENT, "", "system", "initrd", "portable", "system initrd", "initrd  system", "System"]
ARCHITECTURES = [ABSENT, ABSENT, "", "_any", "x86-64", "arm64", "x86_64"]


# Where it is looked for, what it has, where its extension-release is.
CLASSES = {"sysext": ("extensions", "usr/share", "usr/lib/extension-release.d"),
           "confext": ("confexts", "etc", "etc/extension-release.d")}


def quoted(rng, value):
    """The value as os-release(5) lets one write it."""
    styles = ['"{}"', "'{}'"]
    if value and not set(value) & set(" \t"):
        styles += ["{}", "{}"]
    return rng.choice(styles).format(value)


def write_release(rng, path, fields):
    lines = ["# made up", ""] if rng.random() < 0.2 else []
    for key, value in fields.items():
        if value is not ABSENT:
            lines.append(f"{key}={quoted(rng, value)}")
    if rng.random() < 0.1 and fields.get("ID"):
        lines.insert(0, "ID=earlier")  # the last one counts
    if rng.random() < 0.2:
        lines.append("NAME='Something \"else\"'")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write("\n".join(lines) + rng.choice(["\n", "\n\n"]))


def host(rng):
    return {"ID": rng.choice(IDS), "ID_LIKE": rng.choice(LIKES), "VERSION_ID": rng.choice(VERSIONS),
            "SYSEXT_LEVEL": rng.choice(LEVELS), "CONFEXT_LEVEL": rng.choice(LEVELS)}


def extension(rng, own):
    """Half of the fields as the host has them, or nothing would ever match."""
    fields = {"ID": rng.choice([ABSENT, "", "_any"] + IDS), "ID_LIKE": rng.choice(LIKES),
              "VERSION_ID": rng.choice(VERSIONS), "SYSEXT_LEVEL": rng.choice(LEVELS),
              "SYSEXT_SCOPE": rng.choice(SCOPES), "ARCHITECTURE": rng.choice(ARCHITECTURES),
              "CONFEXT_LEVEL": rng.choice(LEVELS), "CONFEXT_SCOPE": rng.choice(SCOPES)}
    for key in ("ID", "VERSION_ID", "SYSEXT_LEVEL", "CONFEXT_LEVEL"):
        if rng.random() < 0.6:
            fields[key] = own[key]
    return fields


def write_extension(rng, root, kind_of, name, own):
    plural, top, releases = CLASSES[kind_of]
    place = os.path.join(root, "var/lib", plural, name)
    releases = os.path.join(place, releases)
    os.makedirs(os.path.join(place, top, name))
    open(os.path.join(place, top, name, "file"), "w").close()
    kind = rng.random()
    if kind < 0.8:
        write_release(rng, os.path.join(releases, "extension-release." + name), extension(rng, own))
    if kind >= 0.75:  # of another name, which counts when it says that it isn't strict
        for other in ("other", "another")[:rng.choice([1, 1, 1, 2])]:
            path = os.path.join(releases, "extension-release." + other)
            write_release(rng, path, extension(rng, own))
            strict = rng.choice([ABSENT, b"0", b"no", b"False", b"f", b"1", b"true", b"maybe", b""])
            if strict is not ABSENT:
                os.setxattr(path, "user.extension-release.strict", strict)
    if rng.random() < 0.03:
        write_release(rng, os.path.join(place, "usr/lib/os-release"), own)


def main():
    directory, kind_of, hosts, extensions, seed = *sys.argv[1:3], *map(int, sys.argv[3:])
    rng = random.Random(seed)
    for h in range(hosts):
        root = os.path.join(directory, f"host{h}")
        own = host(rng)
        write_release(rng, os.path.join(root, "usr/lib/os-release"), own)
        for e in range(extensions):
            write_extension(rng, root, kind_of, f"e{e}", own)


main()
