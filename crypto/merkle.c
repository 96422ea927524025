/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/merkle.h"

#include <mbedtls/sha256.h>
#include <string.h>

#include "core/cursor.h"
#include "core/verity.h"

struct walk {
	const struct claim *claim;
	const struct reader *reader;
	struct verity_tree tree;
	enum reason reason;	       /* for a block that does not verify */
	mbedtls_sha256_context salted; /* the salt already hashed */
};

static bool hash_block(const struct walk *walk, const uint8_t block[VEXT_BLOCK],
		       uint8_t hash[VEXT_HASH_SIZE])
{
	mbedtls_sha256_context context;
	bool good;

	mbedtls_sha256_init(&context);
	mbedtls_sha256_clone(&context, &walk->salted);
	good = mbedtls_sha256_update(&context, block, VEXT_BLOCK) == 0 &&
	       mbedtls_sha256_finish(&context, hash) == 0;
	mbedtls_sha256_free(&context);
	return good;
}

static struct verdict read_verified(const struct walk *walk, uint64_t offset,
				    const uint8_t expected[VEXT_HASH_SIZE],
				    uint8_t block[VEXT_BLOCK])
{
	uint8_t hash[VEXT_HASH_SIZE];
	struct verdict v = walk->reader->read(walk->reader->ctx, offset, block, VEXT_BLOCK);

	if (!is_accepted(v))
		return v;
	if (!hash_block(walk, block, hash) || memcmp(hash, expected, sizeof(hash)) != 0)
		return verdict_at(walk->reason, offset);
	return verdict(REASON_ACCEPTED);
}

static uint64_t tree_offset(const struct walk *walk, uint32_t level, uint64_t index)
{
	return walk->claim->layout.tree.offset + (walk->tree.start[level] + index) * VEXT_BLOCK;
}

static uint64_t data_offset(const struct walk *walk, uint64_t index)
{
	return walk->claim->layout.data.offset + index * VEXT_BLOCK;
}

/* The claim was checked before, but this is where its numbers start to matter. */
static struct verdict start_walk(struct walk *walk)
{
	const struct claim *claim = walk->claim;
	const struct verity *verity = &claim->verity;
	struct verdict v = verity_check(verity, claim->layout.data.size, claim->layout.tree.size);

	mbedtls_sha256_init(&walk->salted);
	if (!is_accepted(v))
		return v;
	if (!verity_tree(verity->data_blocks, &walk->tree))
		return verdict(REASON_SUPERBLOCK_DATA_BLOCKS);
	if (mbedtls_sha256_starts(&walk->salted, 0) != 0 ||
	    mbedtls_sha256_update(&walk->salted, verity->salt, verity->salt_size) != 0)
		return verdict(REASON_SYSTEM_MEMORY);
	return verdict(REASON_ACCEPTED);
}

/* How many hashes the last block of a level holds: of what is below, the others hold VERITY_FANOUT each. */
static uint64_t last_count(const struct walk *walk, uint32_t level)
{
	uint64_t below = level == 0 ? walk->claim->verity.data_blocks :
				      walk->tree.blocks[level - 1];

	return (below - 1) % VERITY_FANOUT + 1;
}

/* `count` hashes, the last of which is one, and zeros behind it. */
static bool ends_at(const uint8_t hashes[VEXT_BLOCK], uint64_t count)
{
	size_t size = (size_t)count * VEXT_HASH_SIZE;

	return !cursor_is_zero(cursor_over(hashes + size - VEXT_HASH_SIZE, VEXT_HASH_SIZE)) &&
	       cursor_is_zero(cursor_over(hashes + size, VEXT_BLOCK - size));
}

/* A block of the tree. The last one of a level must end where the number of data blocks says. */
static struct verdict read_hashes(const struct walk *walk, uint32_t level, uint64_t index,
				  const uint8_t expected[VEXT_HASH_SIZE],
				  uint8_t hashes[VEXT_BLOCK])
{
	uint64_t offset = tree_offset(walk, level, index);
	struct verdict v = read_verified(walk, offset, expected, hashes);

	if (is_accepted(v) && index == walk->tree.blocks[level] - 1 &&
	    !ends_at(hashes, last_count(walk, level)))
		return verdict_at(REASON_SUPERBLOCK_TREE_END, offset);
	return v;
}

/* From the root down the left edge: the first block of each level, and then of the data. */
static struct verdict walk_first(const struct walk *walk, uint8_t block[VEXT_BLOCK])
{
	uint8_t expected[VEXT_HASH_SIZE];

	memcpy(expected, walk->claim->root_hash, sizeof(expected));
	for (uint32_t level = walk->tree.levels; level > 0; level--) {
		struct verdict v = read_hashes(walk, level - 1, 0, expected, block);

		if (!is_accepted(v))
			return v;
		memcpy(expected, block, sizeof(expected));
	}
	return read_verified(walk, data_offset(walk, 0), expected, block);
}

/* From the root down the right edge: the last block of each level, not of the data. */
static struct verdict walk_last(const struct walk *walk)
{
	uint8_t expected[VEXT_HASH_SIZE], hashes[VEXT_BLOCK];

	memcpy(expected, walk->claim->root_hash, sizeof(expected));
	for (uint32_t level = walk->tree.levels; level > 0; level--) {
		uint64_t last = walk->tree.blocks[level - 1] - 1;
		struct verdict v = read_hashes(walk, level - 1, last, expected, hashes);

		if (!is_accepted(v))
			return v;
		memcpy(expected, hashes + (last_count(walk, level - 1) - 1) * VEXT_HASH_SIZE,
		       sizeof(expected));
	}
	return verdict(REASON_ACCEPTED);
}

/*
 * One block and all that lies below it. `height` is how many levels are below it: 0 for a block of the
 * data. Calls itself once a level, at most VERITY_LEVELS_MAX deep, so that the hashes in hand are of the
 * very block that was verified.
 */
static struct verdict walk_whole(const struct walk *walk, uint32_t height, uint64_t index,
				 const uint8_t expected[VEXT_HASH_SIZE])
{
	uint8_t block[VEXT_BLOCK];
	uint64_t count = VERITY_FANOUT;
	struct verdict v;

	if (height == 0)
		return read_verified(walk, data_offset(walk, index), expected, block);
	v = read_hashes(walk, height - 1, index, expected, block);
	if (index == walk->tree.blocks[height - 1] - 1)
		count = last_count(walk, height - 1);
	for (uint64_t i = 0; is_accepted(v) && i < count; i++)
		v = walk_whole(walk, height - 1, index * VERITY_FANOUT + i,
			       block + i * VEXT_HASH_SIZE);
	return v;
}

struct verdict merkle_first_block(const struct claim *claim, const struct reader *reader,
				  uint8_t block[VEXT_BLOCK])
{
	struct walk walk = { .claim = claim, .reader = reader, .reason = REASON_SUPERBLOCK_PATH };
	struct verdict v = start_walk(&walk);

	if (is_accepted(v))
		v = walk_last(&walk);
	if (is_accepted(v))
		v = walk_first(&walk, block);
	mbedtls_sha256_free(&walk.salted);
	return v;
}

uint32_t merkle_path(const struct claim *claim, uint64_t at[MERKLE_PATH_MAX])
{
	struct walk walk = { .claim = claim };
	uint32_t count = 0;

	if (!is_accepted(verity_check(&claim->verity, claim->layout.data.size,
				      claim->layout.tree.size)) ||
	    !verity_tree(claim->verity.data_blocks, &walk.tree))
		return 0;
	for (uint32_t level = 0; level < walk.tree.levels; level++) {
		at[count++] = tree_offset(&walk, level, 0);
		if (walk.tree.blocks[level] > 1)
			at[count++] = tree_offset(&walk, level, walk.tree.blocks[level] - 1);
	}
	at[count++] = data_offset(&walk, 0);
	return count;
}

struct verdict merkle_all(const struct claim *claim, const struct reader *reader)
{
	struct walk walk = { .claim = claim, .reader = reader, .reason = REASON_SUPERBLOCK_DATA };
	struct verdict v = start_walk(&walk);

	if (is_accepted(v))
		v = walk_whole(&walk, walk.tree.levels, 0, claim->root_hash);
	mbedtls_sha256_free(&walk.salted);
	return v;
}
