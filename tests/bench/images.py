#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Usage: images.py DIR PLACE

Images that ask the jail for as much as a file can: DIR/full.raw has 128 partitions and 64 KiB of the JSON
that takes the most memory, DIR/entries.raw says that it has 2^20 entries and has room for them,
PLACE/longest.raw is as long as a file can be there, at most 2^63 - 4096 bytes, with a partition at its end; how
long is printed. Only their form matters, so nobody has signed them.
"""

import os
import platform
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "images"))
import ddi  # noqa: E402
import gpt  # noqa: E402

ARCH = {"x86_64": "x86-64", "aarch64": "arm64"}[platform.machine()]


def image(**more):
    return ddi.Image(bytes(40960), lambda root: b"0" * 100, fingerprint="0" * 64, arch=ARCH, **more)


def full():
    i = image(envelope=65536)
    for slot in range(3, 128):
        i.add("data", slot, 512, type=gpt.LINUX, uuid=f"11111111-2222-3333-4444-{slot:012x}",
              name=("\u20ac" * 36).encode("utf-16-le"))
    members = ddi.json.dumps(i.members(), separators=(",", ":")).encode()
    values = b",".join([b"{}"] * ((65500 - len(members)) // 3))
    i.text = members[:-1] + b',"x":[' + values + b"]}"
    return i


def entries():
    i = image(start=2**28)
    i.primary.count = 2**20
    return i


def longest(path):
    """ext4 ends at 16 TiB, tmpfs at 2^63."""
    for bits in range(63, 30, -1):
        size = 2**bits - 4096
        with open(path, "wb") as file:
            try:
                os.truncate(file.fileno(), size)
            except OSError:
                continue
        i = image()
        i.grow(size - i.size - 4096)
        i.add("data", 3, 4096, type=gpt.LINUX, uuid=f"11111111-2222-3333-4444-{3:012x}")
        i.write(path)
        print(i.size)
        return
    sys.exit(f"{path}: not even 2 GiB")


def main():
    full().write(os.path.join(sys.argv[1], "full.raw"))
    entries().write(os.path.join(sys.argv[1], "entries.raw"))
    longest(os.path.join(sys.argv[2], "longest.raw"))


if __name__ == "__main__":
    main()
