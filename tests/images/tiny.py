# SPDX-License-Identifier: Apache-2.0
"""File systems by their superblocks alone: as small as an image can be, for tests that never mount it."""

import struct

from verity import BLOCK


def erofs(blocks, fill=0, bits=12):
    """`fill` tells one from another; `blocks` are of BLOCK bytes, its own of 2^bits."""
    data = bytearray(blocks * BLOCK)
    struct.pack_into("<IIIBBH", data, 1024, 0xE0F5E1E2, 0, 0, bits, 0, 36)
    struct.pack_into("<I", data, 1024 + 36, blocks * BLOCK >> bits)
    struct.pack_into("<Q", data, BLOCK - 8, fill)
    for i in range(1, blocks):
        struct.pack_into("<Q", data, i * BLOCK, i)
    return bytes(data)


def squashfs(size):
    data = bytearray(size)
    struct.pack_into("<IIIIIHHHHHHQQ", data, 0, 0x73717368, 1, 0, 1 << 17, 0, 1, 17, 0, 1, 4, 0, 0, size - 100)
    return bytes(data)
