# SPDX-License-Identifier: Apache-2.0
"""
dm-verity superblocks and hash trees. Formats: cryptsetup lib/verity/verity.c, Linux
Documentation/admin-guide/device-mapper/verity.rst.
"""

import hashlib
import struct
from dataclasses import dataclass

BLOCK = 4096


@dataclass
class Superblock:
    data_blocks: int
    salt: bytes
    signature: bytes = b"verity\0\0"
    version: int = 1
    hash_type: int = 1
    uuid: bytes = bytes.fromhex("c31a1f02b7a54de1a5a4b4a0a8a2f6d1")
    algorithm: bytes = b"sha256"
    data_block_size: int = BLOCK
    hash_block_size: int = BLOCK
    salt_size: int = None  # if not that of the salt
    padding: bytes = bytes(6)

    def encode(self):
        size = len(self.salt) if self.salt_size is None else self.salt_size
        return struct.pack("<8sII16s32sIIQH6s256s168x", self.signature, self.version, self.hash_type, self.uuid,
                           self.algorithm, self.data_block_size, self.hash_block_size, self.data_blocks, size,
                           self.padding, self.salt)


class Tree:
    """
    The tree over `data`, continued with zeros to `blocks` blocks. root: bytes; levels: the blocks of each
    level as one bytes, the one nearest to the data first; encode(): as on disk, without superblock.
    """

    def __init__(self, data, salt, blocks=None, block=BLOCK, digest="sha256"):
        self.block, self.salted, self.known = block, hashlib.new(digest, salt), {}
        width = 1 << (self.salted.digest_size - 1).bit_length()
        given = -(-len(data) // block)
        blocks = blocks or given
        hashes = [self.hash(data[i:i + block].ljust(block, b"\0")).ljust(width, b"\0")
                  for i in range(0, len(data), block)]
        if blocks > given:
            hashes += [self.hash(bytes(block)).ljust(width, b"\0")] * (blocks - given)
        self.levels = []
        while len(hashes) > 1:
            level = b"".join(hashes)
            level += bytes(-len(level) % block)
            self.levels.append(level)
            hashes = [self.hash(level[i:i + block]).ljust(width, b"\0") for i in range(0, len(level), block)]
        self.root = hashes[0][:self.salted.digest_size]

    def hash(self, block):
        if block not in self.known:
            state = self.salted.copy()
            state.update(block)
            self.known[block] = state.digest()
        return self.known[block]

    def encode(self):
        return b"".join(reversed(self.levels))
