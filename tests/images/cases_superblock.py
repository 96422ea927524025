# SPDX-License-Identifier: Apache-2.0
"""
Verity superblock, hash tree, and the file system that starts behind them. Formats: cryptsetup
lib/verity/verity.c; Linux fs/erofs/erofs_fs.h, fs/squashfs/squashfs_fs.h.
"""

import re
import struct

from ddi import SALT
from table import ANY, GONE, row
from verity import BLOCK
from world import ARCH

UNFOLLOWED = {"verity.*": GONE}  # what these values say is not followed
SIZES = {"file.size": ANY, "gpt-512.*": ANY, "gpt-512-backup.*": ANY}


def superblock(name, reason, case, differs, deep=None, **fields):
    def generate(i, w):
        for key, value in fields.items():
            setattr(i.superblock, key, value)
    row(f"superblock-{name}", reason, case, differs, deep=deep)(generate)


superblock("magic", "superblock.magic", (), {"superblock.signature": ANY}, signature=b"verity\0\1")
superblock("magic-zeros", "superblock.magic", (), {"superblock.signature": "00" * 8}, signature=bytes(8))
superblock("magic-luks", "superblock.magic", (), {"superblock.signature": ANY}, signature=b"LUKS\xba\xbe\0\2")
for n in (0, 2, 2**24, 2**32 - 1):
    superblock(f"version-{n}", "superblock.version", 70, {"superblock.version": n}, version=n)
    superblock(f"hash-type-{n}", "superblock.hash-type", 70, {"superblock.hash-type": n, **UNFOLLOWED}, hash_type=n)
superblock("uuid", "accepted", (), {"superblock.uuid": "00" * 16}, uuid=bytes(16))
superblock("padding", "accepted", (), {"superblock.padding": ANY}, padding=b"\1\2\3\4\5\6")

for name, algorithm in (
        ("32-bytes", b"sha256" + b"x" * 26), ("32-bytes-sha256", b"sha256".ljust(32, b" ")), ("uppercase", b"SHA256"),
        ("hmac", b"hmac(sha256)"), ("generic", b"sha256-generic"), ("space", b"sha256 "), ("prefix", b"sha25"),
        ("injects-words", b"crc32c a117f60d - 0"), ("injects-newline", b"sha256\n0 8 linear /dev/sda 0"),
        ("empty", b""), ("behind-nul", b"sha256\0x"), ("last-byte", b"sha256".ljust(31, b"\0") + b"\1")):
    superblock(f"algorithm-{name}", "superblock.algorithm", 67, {"superblock.algorithm": ANY, **UNFOLLOWED},
               algorithm=algorithm)
for algorithm in (b"sha1", b"sha512", b"md5", b"sha384", b"crc32c"):
    followed = {"verity.*": ANY} if algorithm in (b"sha1", b"sha512") else UNFOLLOWED
    superblock(f"algorithm-{algorithm.decode()}", "superblock.algorithm", 67,
               {"superblock.algorithm": algorithm.decode(), **followed}, algorithm=algorithm)

for size in (0, 1, 512, 513, 1024, 2048, 8192, 65536, 2**31, 2**32 - 1):
    known = {"verity.*": ANY} if size in (512, 1024) else UNFOLLOWED
    superblock(f"data-block-{size}", "superblock.block-size", 69, {"superblock.data-block": size, **known},
               data_block_size=size)
    superblock(f"hash-block-{size}", "superblock.block-size", 69, {"superblock.hash-block": size, **known},
               hash_block_size=size)
superblock("both-blocks-512", "superblock.block-size", 69,
           {"superblock.data-block": 512, "superblock.hash-block": 512, "verity.*": ANY},
           data_block_size=512, hash_block_size=512)

for size in (257, 512, 32768, 65535):
    superblock(f"salt-size-{size}", "superblock.salt", 68, {"superblock.salt-size": size, **UNFOLLOWED}, salt_size=size)
for size in (0, 31, 33, 256):
    superblock(f"salt-size-wrong-{size}", "superblock.path", 68, {"superblock.salt-size": size, "verity.bad": ANY},
               salt_size=size)
superblock("salt-wrong", "superblock.path", 68, {"superblock.salt": ANY, "verity.bad": ANY}, salt=SALT[:-1] + b"\1")
for size in (0, 1, 64, 255, 256):
    row(f"salt-of-{size}", "accepted", 68, has={"superblock.salt-size": size, "verity.bad": (), "verity.tree": "inside"})(
        lambda i, w, n=size: w.image(salt=bytes(n * [0xA5])))

for name, blocks in (("0", 0), ("2e51", 2**51), ("2e52", 2**52), ("2e63", 2**63), ("2e64-1", 2**64 - 1)):
    superblock(f"blocks-{name}", "superblock.data-blocks", 71, {"superblock.blocks": blocks, **UNFOLLOWED},
               data_blocks=blocks)


@row("blocks-all-and-one", "superblock.data-blocks", 71, {"superblock.blocks": ANY, "verity.*": GONE})
def _(i, w):
    i.superblock.data_blocks = w.blocks() + 6 + 1


# ---- the tree ----------------------------------------------------------------------------------

for blocks in (127, 128, 129, 16383, 16384, 16385):
    row(f"{blocks}-blocks", "accepted", 66, has={"superblock.blocks": blocks, "verity.bad": (), "verity.tree": "inside"})(
        lambda i, w, n=blocks: w.image(blocks=n))
row("one-block", "accepted", 66, has={"superblock.blocks": 1, "verity.bad": (), "verity.tree": "inside"})(
    lambda i, w: w.image(data=small_erofs(w)))

row("tree-cut-by-a-block", "superblock.tree", 64, {**SIZES, "verity.tree": "4096 bytes too long", "verity.bad": ANY},
    build={"spare_tree": -1})(lambda i, w: None)
row("tree-cut-by-a-sector", "superblock.tree", 64, {"gpt-512.entry-1.last": ANY, "verity.tree": "512 bytes too long"})(
    lambda i, w: resize_tree(i, -512))
row("tree-exact", "accepted", 64, SIZES, build={"spare_tree": 0})(lambda i, w: None)
row("data-exact", "accepted", (), SIZES, build={"spare": 0})(lambda i, w: None)


def resize_tree(i, to):
    """The tree's partition ends `to` bytes before or behind where the tree does."""
    entry = i.partition("tree")
    entry.last = entry.first + (BLOCK + len(i.tree) + to) // 512 - 1


@row("data-cut-by-a-block", "superblock.data-blocks", 71, {"gpt-512.entry-0.last": ANY, "verity.*": GONE})
def _(i, w):
    i.partition("data").last -= 7 * 8


@row("tree-of-a-sector", "superblock.tree", 64, {"gpt-512.entry-1.last": ANY, "verity.tree": ANY})
def _(i, w):
    i.partition("tree").last = i.partition("tree").first


@row("data-not-of-whole-blocks", "accepted", (), {"gpt-512.entry-0.last": ANY})
def _(i, w):
    i.partition("data").last -= 1


def flipped(name, reason, case, where, bad, deep=None, **base):
    row(f"flip-{name}", reason, case, {"verity.bad": bad, **({"filesystem": ANY} if where == 1024 else {})}, deep=deep, base=base)(
        lambda i, w: i.flip(where(i, w) if callable(where) else i.at["data"] + where))


flipped("first-bit", "superblock.path", 65, 0, ("data block 0",))
flipped("first-block-end", "superblock.path", 65, 4095, ("data block 0",))
flipped("second-block", "accepted", 65, 4096, ("data block 1",), "superblock.data")
flipped("last-block", "accepted", 65, lambda i, w: i.at["data"] + w.blocks() * BLOCK - 1, ANY, "superblock.data")
flipped("tree", "superblock.path", (), lambda i, w: i.at["tree"] + BLOCK, ANY)
flipped("tree-of-another-block", "superblock.path", (), lambda i, w: i.at["tree"] + BLOCK + 64, ANY)
# Of three levels' worth of blocks, one that is not on the way to the first data block nor the last.
flipped("tree-elsewhere", "accepted", (), lambda i, w: i.at["tree"] + BLOCK + BLOCK + 3 * BLOCK, ANY, "superblock.data",
        blocks=1000)
flipped("tree-last-block", "superblock.path", 71, lambda i, w: i.at["tree"] + BLOCK + len(i.tree) - BLOCK, ANY, blocks=1000)


@row("flip-behind-the-data", "accepted", (), {})
def _(i, w):
    i.flip(i.at["data"] + (w.blocks() + 5) * BLOCK)


@row("flip-behind-the-tree", "accepted", (), {})
def _(i, w):
    i.flip(i.at["tree"] + BLOCK + len(i.tree) + BLOCK)


@row("tree-zeros", "superblock.path", (), {"verity.bad": ANY})
def _(i, w):
    i.tree = bytes(len(i.tree))


@row("data-zeros", "superblock.path", (), {"verity.bad": ANY, "filesystem": "none"})
def _(i, w):
    i.data = bytes(len(i.data))


# ---- the file system ---------------------------------------------------------------------------

def patched(data, *changes):
    data = bytearray(data)
    for offset, raw in changes:
        data[offset:offset + len(raw)] = raw
    return bytes(data)


def small_erofs(w):
    """One block that calls itself an erofs of one block."""
    return patched(w.erofs, (1060, struct.pack("<I", 1)))[:BLOCK]


def filesystem(name, reason, case, shown, make):
    """Signed, and verified: only what it is, or says of its size, is no good."""
    row(f"filesystem-{name}", reason, case, has={
        "filesystem": shown, "verity.bad": (), "signer-0.made": "by ours over the root hash"})(
            lambda i, w: w.image(data=make(w)))


def ext4(w):
    return patched(bytes(16 * BLOCK), (1080, b"\x53\xef"), (1024, struct.pack("<II", 16, 16)))


def vfat(w):
    return patched(bytes(16 * BLOCK), (0, b"\xeb\x3c\x90mkfs.fat"), (510, b"\x55\xaa"), (54, b"FAT16   "))


filesystem("zeros", "policy.filesystem", 76, "none", lambda w: bytes(16 * BLOCK))
filesystem("vfat", "policy.filesystem", 76, "boot sector", vfat)
filesystem("ext4", "policy.filesystem", 76, "ext", ext4)
filesystem("xfs", "policy.filesystem", 76, "none", lambda w: patched(bytes(16 * BLOCK), (0, b"XFSB")))
filesystem("btrfs", "policy.filesystem", 76, "none", lambda w: patched(bytes(32 * BLOCK), (65600, b"_BHRfS_M")))
filesystem("luks", "policy.filesystem", 76, "none", lambda w: patched(bytes(16 * BLOCK), (0, b"LUKS\xba\xbe\0\2")))
filesystem("text", "policy.filesystem", 76, "none", lambda w: b"#!/bin/sh\n".ljust(2 * BLOCK, b"#"))
for bits in (8, 17, 63, 255):
    filesystem(f"erofs-bits-{bits}", "policy.filesystem", 77, ANY, lambda w, n=bits: patched(w.erofs, (1036, bytes([n]))))
filesystem("erofs-no-blocks", "policy.filesystem", 77, ANY, lambda w: patched(w.erofs, (1060, bytes(4))))
filesystem("erofs-a-block-more", "superblock.filesystem", (), ANY,
           lambda w: patched(w.erofs, (1060, struct.pack("<I", w.blocks() + 1))))
filesystem("erofs-2e32-blocks", "superblock.filesystem", (), ANY, lambda w: patched(w.erofs, (1060, b"\xff" * 4)))
# Only when the root's number stands elsewhere are there more bits of the size.
filesystem("erofs-48-bit", "superblock.filesystem", (), ANY,
           lambda w: patched(w.erofs, (1104, struct.pack("<I", 0x80)), (1038, b"\xff\xff"), (1136, b"\1")))
filesystem("erofs-48-bit-small", "accepted", (), ANY,
           lambda w: patched(w.erofs, (1104, struct.pack("<I", 0x80)), (1038, b"\xff\xff")))
filesystem("erofs-not-zeros-before", "policy.filesystem", 71, ANY, lambda w: patched(w.erofs, (1023, b"\1")))
# The kernel can't mount it: a block of the verity device, and a page, has 4096 bytes. arm64 has larger pages, too.
filesystem("erofs-of-1024", "superblock.block", (), re.compile(r"^erofs, [0-9]+ blocks of 2\^10,"), lambda w: w.erofs_1024)
for bits in (9, 10, 11):
    filesystem(f"erofs-bits-{bits}", "superblock.block", (), ANY, lambda w, n=bits: patched(w.erofs, (1036, bytes([n]))))
for bits in (13, 14, 15, 16):
    filesystem(f"erofs-bits-{bits}", "superblock.block" if ARCH == "x86-64" else "superblock.filesystem", (), ANY,
               lambda w, n=bits: patched(w.erofs, (1036, bytes([n]))))
filesystem("erofs-a-block-less", "accepted", (), ANY,
           lambda w: patched(w.erofs, (1060, struct.pack("<I", w.blocks() - 1))))
for major in (0, 3, 5):
    filesystem(f"squashfs-{major}", "policy.filesystem", 77, ANY,
               lambda w, n=major: patched(w.squashfs, (28, struct.pack("<H", n))))
for what, offset, values in (("minor", 30, (1, 65535)), ("compression", 20, (0, 7)), ("block-log", 22, (11, 21, 16)),
                             ("block-size", 12, (1, 4097))):
    for value in values:
        filesystem(f"squashfs-{what}-{value}", "policy.filesystem", 77, ANY,
                   lambda w, o=offset, v=value: patched(w.squashfs, (o, struct.pack("<H", v))))
filesystem("squashfs-big-endian", "policy.filesystem", 77, "none", lambda w: patched(w.squashfs, (0, b"sqsh")))
filesystem("squashfs-no-bytes", "policy.filesystem", 77, ANY, lambda w: patched(w.squashfs, (40, bytes(8))))
filesystem("squashfs-too-large", "superblock.filesystem", (), ANY,
           lambda w: patched(w.squashfs, (40, struct.pack("<Q", (-(-len(w.squashfs) // BLOCK)) * BLOCK + 1))))
filesystem("squashfs-2e64-1", "superblock.filesystem", (), ANY, lambda w: patched(w.squashfs, (40, b"\xff" * 8)))


# ---- the number of data blocks, which is not signed --------------------------------------------

def other_blocks(blocks, now):
    """A tree over `blocks`, and a superblock that says `now`."""
    # One block is no tree: the root hash would be that of the block itself.
    reason = "superblock.path" if now == 1 else "superblock.tree-end"
    row(f"blocks-{now}-of-{blocks}", reason, 71, {"superblock.blocks": now, "?verity.*": ANY},
        base={"blocks": blocks, "spare": 20000, "spare_tree": 200})(
            lambda i, w: setattr(i.superblock, "data_blocks", now))


for blocks, others in ((100, (99, 101, 128, 129)), (127, (126, 128)), (128, (127, 129)), (129, (128, 130, 255)),
                       (1000, (999, 1001, 1024, 100)), (16384, (16383, 16385)), (16385, (16384, 16386, 100, 1))):
    for now in others:
        other_blocks(blocks, now)
