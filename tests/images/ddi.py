# SPDX-License-Identifier: Apache-2.0
"""
Discoverable disk images, built from parts with control over each of them.

An Image starts as an ordinary one. Whoever wants a defect changes fields of it; what depends on them
(checksums, lengths) follows when it is written, unless it is set as well.
"""

import base64
import json
import os

import gpt
from verity import BLOCK, Superblock, Tree

START = 32768       # of the first partition: behind the table, whatever the sector size
SPARE_DATA = 6      # blocks of the data partition that verity does not cover, as systemd-repart leaves some
SPARE_TREE = 3
ENVELOPE = 16384    # bytes of the signature partition: what systemd-repart makes
SALT = bytes(range(0xA0, 0xC0))


def uuid(data):
    text = data.hex()
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


def utf16(text):
    return text.encode("utf-16-le", "surrogatepass")


class Image:
    """
    data: the file system, without which there is nothing to sign; blocks: how many verity covers, when
    these are more than the data. sign: root hash (64 ASCII characters) → PKCS#7, DER.
    """

    def __init__(self, data, sign, *, fingerprint, arch, sector=512, role="root", blocks=None, salt=SALT,
                 start=START, spare=SPARE_DATA, spare_tree=SPARE_TREE, envelope=ENVELOPE, tail=0):
        self.sector, self.arch, self.role, self.salt = sector, arch, role, salt
        self.data = data
        tree = Tree(data, salt, blocks)
        blocks = blocks or -(-len(data) // BLOCK)
        self.tree = tree.encode()
        self.root = tree.root.hex()
        self.superblock = Superblock(blocks, salt)
        self.signature = sign(self.root)
        self.fingerprint = fingerprint
        self.text = None  # of the envelope, if not the ordinary one
        sizes = {"data": (blocks + spare) * BLOCK, "tree": BLOCK + len(self.tree) + spare_tree * BLOCK,
                 "envelope": envelope}
        self.at, place = {}, start
        for part, size in sizes.items():
            self.at[part], place = place, place + size
        place += -place % sector
        array = -(-gpt.ENTRIES * gpt.ENTRY_SIZE // sector)
        self.size = place + tail + (array + 1) * sector
        last = self.size // sector - 1
        self.primary = gpt.Header(1, last, gpt.ARRAY_LBA + array, last - array - 1)
        self.backup = gpt.Header(last, 1, gpt.ARRAY_LBA + array, last - array - 1, array=last - array)
        self.mbr = gpt.mbr(gpt.record(0xEE, 1, last))
        self.entries = {slot: self.entry(part, sizes[part]) for slot, part in enumerate(sizes)}
        self.backup_entries = None  # None: as the primary ones
        self.array_entries = gpt.ENTRIES
        self.blobs = []    # further (offset, bytes), written last but for the table
        self.patches = []  # (offset, bytes) of what is written at the very end, behind every checksum
        self.flips = []    # (offset, mask)
        self.cut = None    # the length of the file in the end, if another one
        self.plain = None  # the bytes of the file, if they are no disk image

    def entry(self, part, size):
        suffix = {"data": "", "tree": "-verity", "envelope": "-verity-sig"}[part]
        root = bytes.fromhex(self.root)
        uuids = {"data": root[:16], "tree": root[16:], "envelope": bytes(range(16))}
        first = self.at[part] // self.sector
        return gpt.Entry(gpt.TYPES[self.arch, self.role + suffix], uuid(uuids[part]), first,
                         first + size // self.sector - 1, attributes=0 if suffix == "-verity-sig" else 1 << 60,
                         name=utf16(f"{self.role}-{self.arch}{suffix}"))

    # The entries of the ordinary image, whatever slots they are in.
    def slot(self, part):
        suffix = {"data": "", "tree": "-verity", "envelope": "-verity-sig"}[part]
        return next(s for s, e in self.entries.items() if e.type == gpt.TYPES[self.arch, self.role + suffix])

    def partition(self, part):
        return self.entries[self.slot(part)]

    def headers(self, **fields):
        """Changes both headers alike."""
        for header in (self.primary, self.backup):
            for key, value in fields.items():
                setattr(header, key, value)

    def add(self, part, slot, size, **changes):
        """One more partition, behind the others in the file, like one of those that are there."""
        entry = self.entry(part, size)
        entry.first = (self.size - self.table_size()) // self.sector
        entry.last = entry.first + size // self.sector - 1
        for key, value in changes.items():
            setattr(entry, key, value)
        self.entries[slot] = entry
        self.grow(size)
        return entry

    def table_size(self):
        return (self.backup.own - self.backup.array + 1) * self.sector

    def grow(self, size):
        """Makes room before the backup table."""
        self.size += size
        sectors = size // self.sector
        self.headers(last=self.primary.last + sectors)
        self.primary.alternate += sectors
        self.backup.own += sectors
        self.backup.array += sectors
        self.mbr = gpt.mbr(gpt.record(0xEE, 1, self.size // self.sector - 1))

    def flip(self, offset, mask=1):
        """A bit of the finished file, no checksum follows."""
        self.flips.append((offset, mask))

    def members(self):
        return {"rootHash": self.root, "certificateFingerprint": self.fingerprint,
                "signature": base64_of(self.signature)}

    def envelope(self):
        if self.text is not None:
            return self.text
        return json.dumps(self.members(), separators=(",", ":")).encode()

    def pieces(self):
        """All that is written, in this order."""
        yield self.at["data"], self.data
        yield self.at["tree"], self.superblock.encode()
        yield self.at["tree"] + BLOCK, self.tree
        yield self.at["envelope"], self.envelope()
        yield from self.blobs
        array = gpt.array(self.entries, self.array_entries)
        backup = array if self.backup_entries is None else gpt.array(self.backup_entries, self.array_entries)
        yield 0, self.mbr
        yield self.sector, self.primary.encode(self.sector, array)
        yield gpt.ARRAY_LBA * self.sector, array
        end = self.size - self.size % self.sector
        yield end - self.sector - len(backup), backup
        yield end - self.sector, self.backup.encode(self.sector, backup)
        yield from self.patches

    def write(self, path):
        with open(path, "wb") as file:
            if self.plain is not None:
                file.write(self.plain)
                return
            os.truncate(file.fileno(), self.size)
            for offset, data in self.pieces():
                write_sparse(file, offset, data)
        with open(path, "r+b") as file:
            for offset, mask in self.flips:
                byte = os.pread(file.fileno(), 1, offset)[0]
                os.pwrite(file.fileno(), bytes([byte ^ mask]), offset)
            if self.cut is not None:
                os.truncate(file.fileno(), self.cut)


def write_sparse(file, offset, data):
    """Leaves holes where 64 KiB are zero, so that large images cost nothing."""
    step = 65536
    zeros = bytes(step)
    if len(data) <= step:
        os.pwrite(file.fileno(), data, offset)
        return
    for i in range(0, len(data), step):
        piece = data[i:i + step]
        if piece != zeros[:len(piece)]:
            os.pwrite(file.fileno(), piece, offset + i)


def base64_of(data):
    return base64.b64encode(data).decode()
