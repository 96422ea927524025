/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verity superblock and the shape of the hash tree.
 *
 * Formats: cryptsetup lib/verity/verity.c (superblock), Linux Documentation/admin-guide/
 * device-mapper/verity.rst and drivers/md/dm-verity-target.c (tree). Superblock, little-endian:
 *
 *   0  signature "verity\0\0"    64  data block size, u32, bytes
 *   8  version, u32              68  hash block size, u32, bytes
 *  12  hash type, u32            72  data blocks, u64
 *  16  UUID, 16 bytes            80  salt size, u16, bytes
 *  32  algorithm, 32 bytes       88  salt, 256 bytes (82 and 344: padding)
 */
#ifndef VEXT_CORE_VERITY_H
#define VEXT_CORE_VERITY_H

#include "vext.h"

#define VERITY_SUPERBLOCK_SIZE 512u /* bytes at the start of the verity partition */
#define VERITY_TREE_START 1u	    /* first block of the tree, in blocks of the verity partition */
#define VERITY_FANOUT (VEXT_BLOCK / VEXT_HASH_SIZE)
#define VERITY_LEVELS_MAX 8u /* 128^8 blocks of 4096 bytes are 2^68 bytes */

/* Levels are counted from the leaves: level 0 holds the hashes of data blocks. */
struct verity_tree {
	uint32_t levels;		    /* 0 when there is one data block, hashed by the root */
	uint64_t start[VERITY_LEVELS_MAX];  /* first block of a level, in blocks of the partition */
	uint64_t blocks[VERITY_LEVELS_MAX]; /* blocks of a level */
	uint64_t end;			    /* first block behind the tree */
};

/* The shape for 1 to INT64_MAX / VEXT_BLOCK data blocks; false outside of that. */
bool verity_tree(uint64_t data_blocks, struct verity_tree *tree);

/*
 * Are these parameters within every limit, and do data and tree fit into partitions of these sizes
 * (bytes)? superblock.data-blocks, superblock.salt or superblock.tree where not.
 */
struct verdict verity_check(const struct verity *verity, uint64_t data_size, uint64_t tree_size);

/*
 * Takes a superblock apart and checks it as verity_check() does. The superblock is not signed, so what
 * is not listed in struct verity has exactly one accepted value. `at` of the verdict counts from the
 * start of the superblock.
 */
struct verdict verity_parse(const uint8_t superblock[VERITY_SUPERBLOCK_SIZE], uint64_t data_size,
			    uint64_t tree_size, struct verity *verity);

#endif
