# SPDX-License-Identifier: Apache-2.0
"""GUID partition tables, written field by field. Format: UEFI Specification 2.10, 5.2.3 and 5.3."""

import struct
import zlib
from dataclasses import dataclass, field

ARRAY_LBA = 2
ENTRIES = 128
ENTRY_SIZE = 128

# Discoverable Partitions Specification.
TYPES = {
    ("x86-64", "root"): "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
    ("x86-64", "root-verity"): "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5",
    ("x86-64", "root-verity-sig"): "41092b05-9fc8-4523-994f-2def0408b176",
    ("x86-64", "usr"): "8484680c-9521-48c6-9c11-b0720656f69e",
    ("x86-64", "usr-verity"): "77ff5f63-e7b6-4633-acf4-1565b864c0e6",
    ("x86-64", "usr-verity-sig"): "e7bb33fb-06cf-4e81-8273-e543b413e2e2",
    ("arm64", "root"): "b921b045-1df0-41c3-af44-4c6f280d3fae",
    ("arm64", "root-verity"): "df3300ce-d69f-4c92-978c-9bfb0f38d820",
    ("arm64", "root-verity-sig"): "6db69de6-29f4-4758-a7a5-962190f00ce3",
    ("arm64", "usr"): "b0e01050-ee5f-4390-949a-9101b17104e9",
    ("arm64", "usr-verity"): "6e11a4e7-fbca-4ded-b9e9-e1a512bb664e",
    ("arm64", "usr-verity-sig"): "c23ce4ff-44bd-4b00-b2d4-b41b3419e02a",
}
ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"
NO_TYPE = "00000000-0000-0000-0000-000000000000"


def guid(text):
    """As it stands on disk: the first three groups little-endian."""
    b = bytes.fromhex(text.replace("-", ""))
    return b[3::-1] + b[5:3:-1] + b[7:5:-1] + b[8:]


def record(kind, start, sectors):
    return struct.pack("<BBBBBBBBII", 0, 0, 2, 0, kind, 0xFF, 0xFF, 0xFF, start, min(sectors, 0xFFFFFFFF))


def mbr(*records, code=b"", signature=b"\x55\xaa"):
    """512 bytes; a record that is None is left empty."""
    table = b"".join(r if r else bytes(16) for r in records)
    return code.ljust(446, b"\0") + table.ljust(64, b"\0") + signature


@dataclass
class Entry:
    type: str
    uuid: str
    first: int  # sectors, as the last one
    last: int
    attributes: int = 0
    name: bytes = b""  # UTF-16LE

    def encode(self):
        return (guid(self.type) + guid(self.uuid) +
                struct.pack("<QQQ", *(n % 2**64 for n in (self.first, self.last, self.attributes))) +
                self.name.ljust(72, b"\0"))


@dataclass
class Header:
    """What is None is computed, so that it is right."""
    own: int
    alternate: int
    first: int
    last: int
    array: int = ARRAY_LBA
    signature: bytes = b"EFI PART"
    revision: int = 0x00010000
    size: int = 92
    reserved: int = 0
    guid: str = "5bd21a58-7bd5-4d26-a3b1-0a3cd9bd2e1c"
    count: int = ENTRIES
    entry_size: int = ENTRY_SIZE
    crc: int = None
    array_crc: int = None
    flip: int = 0        # of the checksums that are computed, so that these are wrong
    flip_array: int = 0
    tail: bytes = field(default=b"")  # what follows the 92 bytes, in the header's sector

    def encode(self, sector, array):
        crc = self.array_crc
        if crc is None:
            crc = array_checksum(array, self.count * self.entry_size) ^ self.flip_array
        raw = struct.pack("<8sIIIIQQQQ16sQIII", self.signature, self.revision, self.size, 0, self.reserved,
                          self.own, self.alternate, self.first, self.last, guid(self.guid), self.array,
                          self.count, self.entry_size, crc) + self.tail
        raw = raw.ljust(sector, b"\0")
        crc = self.crc
        if crc is None:
            crc = zlib.crc32((raw + array)[:self.size]) ^ self.flip
        return raw[:16] + struct.pack("<I", crc) + raw[20:]


def array_checksum(array, size):
    """Of an array whose end, if it is longer than what is given, is zeros."""
    crc, rest = zlib.crc32(array[:size]), max(0, size - len(array))
    if rest > 2**28:
        return 0  # no use: nobody reads that much, and nobody is to
    while rest > 0:
        step = min(rest, 1 << 20)
        crc, rest = zlib.crc32(bytes(step), crc), rest - step
    return crc


def array(entries, count=ENTRIES):
    """The entry array; entries: slot → Entry, or its bytes."""
    out = bytearray(count * ENTRY_SIZE)
    for slot, entry in entries.items():
        raw = entry if isinstance(entry, bytes) else entry.encode()
        out[slot * ENTRY_SIZE:slot * ENTRY_SIZE + len(raw)] = raw
    return bytes(out)
