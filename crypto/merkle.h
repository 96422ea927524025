/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the tree lead from the root hash to the data? Hash type 1: SHA-256 over salt and block; a block of
 * hashes is filled up with zeros.
 * Sources: Linux Documentation/admin-guide/device-mapper/verity.rst, drivers/md/dm-verity-target.c;
 * cryptsetup lib/verity/verity_hash.c, which writes those zeros and whose verification wants them.
 *
 * The root hash is signed. The superblock is not, nor the table that says where data and tree are. Still
 * nothing but what was signed can come out of the device, and here is why. An attacker chooses the salt,
 * the number of data blocks N, both extents, and every byte of tree and data. Let the signed image have
 * the salt s, N0 data blocks and L0 levels; N makes L levels.
 *
 *  - The salt. The block that the root hash is the hash of was hashed behind s. 4096 bytes behind
 *    another salt are another input, as their sum of lengths tells the length of the salt (at most 256
 *    bytes, less than blocks of any two sizes differ by): the hash would be a collision. So the salt is
 *    s, and by the same argument every block that verifies has the very bytes that were hashed in its
 *    place, wherever in the file it is read from. What is left to the attacker is which place of the
 *    signed tree is taken for which.
 *  - As many levels, L = L0: the places follow from N alone. The top holds as many hashes as the level
 *    below has blocks; there are no more, for zeros follow, and no fewer, for the last is not zero (no
 *    block is known whose hash is zero). So N agrees with N0 about that number, hence about which
 *    block is the last one of the level below, and so on down: N = N0. That is why the right edge is
 *    walked too, and O(levels) reads do.
 *  - Fewer levels, L < L0: data block 0 is then a block of hashes of the signed tree. An accepted data
 *    block 0 starts a file system (core/filesystem.h): an erofs has zeros where the first hash would be,
 *    which is then not zero; a squashfs has there 122 bits that are fixed or follow from each other.
 *  - More levels, L > L0: the signed data block 0 is then taken for hashes, and its first 32 bytes must
 *    be the hash of a block that the attacker made. They are those same zeros or 122 bits.
 *  - N0 = 1 or N = 1 are L0 = 0 and L = 0, no exception. Levels that are exactly full (128, 16384) are
 *    not either: nothing needs to follow the last hash of a block, as the count is by block.
 *
 * The kernel is told N, the salt and the root hash as they were judged, computes the same places from N
 * (verity_ctr()), and verifies each block by them whenever it reads one. So it doesn't matter whether
 * the file still has the bytes that were judged.
 *
 * This takes for granted: SHA-256; that the signed tree was filled up with zeros (veritysetup and
 * systemd-repart do so; others are refused); that what the key signs under this salt and rule are images
 * of those two file systems, for who may choose a signed data block 0 byte by byte may make it a block
 * of hashes. NOT bound, because nothing depends on it: where the extents lie, what else the partitions
 * hold, the superblock's UUID and padding.
 */
#ifndef VEXT_CRYPTO_MERKLE_H
#define VEXT_CRYPTO_MERKLE_H

#include "core/verity.h"
#include "vext.h"

/*
 * Follows the tree's right edge, which binds the number of data blocks, and then the path from the root
 * hash to data block 0, which is what the kernel does when block 0 of a verity device is read. On
 * success `block` is that block, authenticated. superblock.path (at: the block that does not verify),
 * superblock.tree-end (at: the block of hashes that holds more or fewer), or why reading failed.
 *
 * `claim` has passed claim_check(). Whether `block` is a file system's is the caller's to see, and part
 * of the argument above.
 */
struct verdict merkle_first_block(const struct claim *claim, const struct reader *reader,
				  uint8_t block[VEXT_BLOCK]);

/* Both edges of the tree, and data block 0. */
#define MERKLE_PATH_MAX (2u * VERITY_LEVELS_MAX + 1u)

/*
 * The places in the image, in bytes, of all blocks that merkle_first_block() may read; how many
 * there are. 0 for a claim that it would not read for.
 */
uint32_t merkle_path(const struct claim *claim, uint64_t at[MERKLE_PATH_MAX]);

/* Every block of tree and data, the tree's ends with them. superblock.data, superblock.tree-end. */
struct verdict merkle_all(const struct claim *claim, const struct reader *reader);

#endif
