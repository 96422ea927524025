/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto/merkle: of all numbers of data blocks only the one that the tree was made for is accepted, with
 * the two edges alone as with every block; at sizes where the number of levels changes and levels are full.
 */
#include "crypto/merkle.h"

#include <mbedtls/sha256.h>

#include "core/filesystem.h"
#include "core/verity.h"
#include "test.h"

#define BLOCKS_MAX 16640u /* 130 * 128: more than two full levels */
#define TREE_BLOCKS_MAX 140u
#define DATA_START 0u
#define TREE_START ((uint64_t)BLOCKS_MAX * VEXT_BLOCK)

/* Data blocks that are zeros but for the first and the number in each: hashing them is what takes long. */
static struct {
	uint8_t *bytes;
	struct claim claim;
	struct verity_tree tree;
} made;

static uint8_t data_hashes[BLOCKS_MAX]
			  [VEXT_HASH_SIZE]; /* of the data, which is the same for all sizes */
static const uint8_t salt[] = "four and twenty";

static void hash_block(const uint8_t block[VEXT_BLOCK], uint8_t hash[VEXT_HASH_SIZE])
{
	mbedtls_sha256_context context;

	mbedtls_sha256_init(&context);
	assert_int_equal(mbedtls_sha256_starts(&context, 0), 0);
	assert_int_equal(mbedtls_sha256_update(&context, salt, sizeof(salt)), 0);
	assert_int_equal(mbedtls_sha256_update(&context, block, VEXT_BLOCK), 0);
	assert_int_equal(mbedtls_sha256_finish(&context, hash), 0);
	mbedtls_sha256_free(&context);
}

static uint8_t *tree_block(uint32_t level, uint64_t index)
{
	return made.bytes + TREE_START + (made.tree.start[level] + index) * VEXT_BLOCK;
}

static void hash_level(uint32_t level)
{
	uint64_t below = level == 0 ? made.claim.verity.data_blocks : made.tree.blocks[level - 1];

	for (uint64_t i = 0; i < below; i++) {
		uint8_t *hash = tree_block(level, 0) + i * VEXT_HASH_SIZE;

		if (level == 0)
			memcpy(hash, data_hashes[i], VEXT_HASH_SIZE);
		else
			hash_block(tree_block(level - 1, i), hash);
	}
}

static void hash_root(void)
{
	if (made.tree.levels == 0)
		memcpy(made.claim.root_hash, data_hashes[0], VEXT_HASH_SIZE);
	else
		hash_block(tree_block(made.tree.levels - 1, 0), made.claim.root_hash);
}

static void make(uint64_t data_blocks)
{
	assert_true(data_blocks <= BLOCKS_MAX && verity_tree(data_blocks, &made.tree));
	memset(made.bytes + TREE_START, 0, TREE_BLOCKS_MAX * VEXT_BLOCK);
	memset(&made.claim, 0, sizeof(made.claim));
	made.claim.layout.data = (struct extent){ DATA_START, (uint64_t)BLOCKS_MAX * VEXT_BLOCK };
	made.claim.layout.tree = (struct extent){ TREE_START, TREE_BLOCKS_MAX * VEXT_BLOCK };
	made.claim.verity.data_blocks = data_blocks;
	made.claim.verity.salt_size = sizeof(salt);
	memcpy(made.claim.verity.salt, salt, sizeof(salt));
	for (uint32_t level = 0; level < made.tree.levels; level++)
		hash_level(level);
	hash_root();
}

/* The hashes of what was damaged, up to the root: as one who has the key could. */
static void rehash_from(uint32_t level)
{
	while (++level < made.tree.levels)
		hash_level(level);
	hash_root();
}

static int setup(void **state)
{
	(void)state;
	made.bytes = calloc(BLOCKS_MAX + TREE_BLOCKS_MAX, VEXT_BLOCK);
	if (!made.bytes)
		return -1;
	for (uint32_t i = 0; i < BLOCKS_MAX; i++) {
		uint8_t *block = made.bytes + (uint64_t)i * VEXT_BLOCK;

		put_le(block + VEXT_BLOCK - 4, i, 4);
		if (i == 0) { /* an erofs of one block */
			put_le(block + 1024, 0xe0f5e1e2, 4);
			block[1024 + 12] = 12;
			block[1024 + 36] = 1;
		}
		hash_block(block, data_hashes[i]);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(made.bytes);
	return 0;
}

static struct memory memory(void)
{
	return (struct memory){ .bytes = made.bytes,
				.size = (BLOCKS_MAX + TREE_BLOCKS_MAX) * (uint64_t)VEXT_BLOCK };
}

static struct verdict first(uint8_t block[VEXT_BLOCK])
{
	struct memory m = memory();
	struct reader reader = memory_reader(&m);

	return merkle_first_block(&made.claim, &reader, block);
}

static struct verdict all(void)
{
	struct memory m = memory();
	struct reader reader = memory_reader(&m);

	return merkle_all(&made.claim, &reader);
}

/* As crypto/judge.c goes about it. */
static bool is_taken(void)
{
	uint8_t block[VEXT_BLOCK];
	enum filesystem type;
	uint64_t size;

	return is_accepted(first(block)) && is_accepted(filesystem_identify(block, &type, &size));
}

static const uint64_t sizes[] = { 1,   2,   3,	  127,	 128,	129,   130,   255,
				  256, 257, 1000, 16383, 16384, 16385, 16512, 16513 };

static void takes_trees_of_all_shapes(void **state)
{
	uint8_t block[VEXT_BLOCK];

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		make(sizes[i]);
		assert_reason(first(block), ACCEPTED);
		assert_memory_equal(block, made.bytes, VEXT_BLOCK);
		assert_reason(all(), ACCEPTED);
	}
}

/* Every number up to three blocks of hashes; then those at which a block of some level gets full. */
static uint64_t next_number(uint64_t number)
{
	const uint64_t in_block = number % VERITY_FANOUT;

	if (number < 3ull * VERITY_FANOUT || in_block < 2 || in_block == VERITY_FANOUT - 1)
		return number + 1;
	return number - in_block + VERITY_FANOUT - 1;
}

/* Each size against other numbers: those of as many levels, of fewer, and of more. */
static void takes_no_other_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		uint64_t seen = 0;

		make(sizes[i]);
		for (uint64_t other = 1; other <= BLOCKS_MAX; other = next_number(other)) {
			made.claim.verity.data_blocks = other;
			assert_true(is_taken() == (other == sizes[i]));
			seen += other == sizes[i];
		}
		made.claim.verity.data_blocks = sizes[i];
		assert_true(is_taken());
		assert_true(seen == 1 || sizes[i] == 1000);
	}
}

/* What the right edge alone is for: nothing else tells these apart, and all() not from its hashes. */
static void tells_the_end_of_the_tree(void **state)
{
	static const struct {
		uint64_t real, claimed;
	} cases[] = { { 2, 3 },		{ 3, 2 },	  { 127, 128 },	    { 128, 127 },
		      { 129, 130 },	{ 130, 129 },	  { 129, 257 },	    { 257, 129 },
		      { 256, 255 },	{ 255, 256 },	  { 16383, 16384 }, { 16384, 16383 },
		      { 16384, 16256 }, { 16385, 16386 }, { 16513, 16512 }, { 16512, 16513 } };
	uint8_t block[VEXT_BLOCK];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct verity_tree shape;

		make(cases[i].real);
		assert_true(verity_tree(cases[i].claimed, &shape));
		assert_int_equal(shape.levels, made.tree.levels);
		/* Put where the claimed shape has it, or there would be a difference of that alone. */
		for (uint32_t level = 0; level < shape.levels; level++)
			memmove(made.bytes + TREE_START + shape.start[level] * VEXT_BLOCK,
				tree_block(level, 0), made.tree.blocks[level] * VEXT_BLOCK);
		made.claim.verity.data_blocks = cases[i].claimed;
		assert_reason(first(block), SUPERBLOCK_TREE_END);
		assert_reason(all(), SUPERBLOCK_TREE_END);
	}
}

/* A block of hashes verifies as data block 0 of a lower tree: that it is no file system tells. */
static void leaves_lower_trees_to_the_file_system(void **state)
{
	uint8_t block[VEXT_BLOCK];
	enum filesystem type;
	uint64_t size;

	(void)state;
	make(1000);
	memcpy(made.bytes + 8 * VEXT_BLOCK, made.bytes,
	       VEXT_BLOCK); /* 8: blocks of hashes in the lowest level */
	made.claim.layout.data = (struct extent){ TREE_START + 2 * VEXT_BLOCK, 8 * VEXT_BLOCK };
	made.claim.layout.tree = (struct extent){ TREE_START, 2 * VEXT_BLOCK };
	made.claim.verity.data_blocks = 8;
	assert_reason(first(block), ACCEPTED);
	assert_reason(all(), ACCEPTED);
	assert_memory_equal(block, tree_block(0, 0), VEXT_BLOCK);
	assert_reason(filesystem_identify(block, &type, &size), POLICY_FILESYSTEM);
	memset(made.bytes + 8 * VEXT_BLOCK, 0, VEXT_BLOCK);
	put_le(made.bytes + 9 * VEXT_BLOCK - 4, 8, 4);
}

/* Each byte behind the last hash of each level, signed or not; and a last hash that is none. */
static void wants_zeros_behind_the_last_hash(void **state)
{
	uint8_t block[VEXT_BLOCK];

	(void)state;
	make(16388);
	for (uint32_t level = 0; level < made.tree.levels; level++) {
		const uint64_t below = level == 0 ? made.claim.verity.data_blocks :
						    made.tree.blocks[level - 1];
		const size_t used = ((below - 1) % VERITY_FANOUT + 1) * VEXT_HASH_SIZE;
		uint8_t *last = tree_block(level, made.tree.blocks[level] - 1);

		for (size_t at = used; at < VEXT_BLOCK; at += at + 97 < VEXT_BLOCK ? 97 : 1) {
			last[at] = 1;
			rehash_from(level);
			assert_refused_at(first(block), SUPERBLOCK_TREE_END, last - made.bytes);
			last[at] = 0;
		}
		memset(last + used - VEXT_HASH_SIZE, 0, VEXT_HASH_SIZE);
		rehash_from(level);
		assert_refused_at(first(block), SUPERBLOCK_TREE_END, last - made.bytes);
		assert_refused_at(all(), SUPERBLOCK_TREE_END, last - made.bytes);
		make(16388);
	}
}

/* Nothing is assumed of other hashes: one of zeros in the middle is a hash that no block has. */
static void lets_zeros_be_elsewhere(void **state)
{
	uint8_t block[VEXT_BLOCK];

	(void)state;
	make(1000);
	memset(tree_block(0, 3) + 5 * VEXT_HASH_SIZE, 0, VEXT_HASH_SIZE);
	rehash_from(0);
	assert_reason(first(block), ACCEPTED);
	assert_refused_at(all(), SUPERBLOCK_DATA, (3 * 128 + 5) * VEXT_BLOCK);
}

static void tells_which_block_does_not_verify(void **state)
{
	uint8_t block[VEXT_BLOCK];

	(void)state;
	make(16385);
	for (uint32_t level = 0; level < made.tree.levels; level++) {
		for (unsigned right = 0; right < 2; right++) {
			uint8_t *edge = tree_block(level, right ? made.tree.blocks[level] - 1 : 0);

			edge[7] ^= 1;
			assert_refused_at(first(block), SUPERBLOCK_PATH, edge - made.bytes);
			assert_refused_at(all(), SUPERBLOCK_DATA, edge - made.bytes);
			edge[7] ^= 1;
		}
	}
	made.bytes[0] ^= 1;
	assert_refused_at(first(block), SUPERBLOCK_PATH, 0);
	made.bytes[0] ^= 1;
	made.claim.verity.salt[3] ^= 1;
	assert_refused_at(first(block), SUPERBLOCK_PATH, tree_block(2, 0) - made.bytes);
	made.claim.verity.salt[3] ^= 1;
	made.claim.root_hash[31] ^= 1;
	assert_refused_at(first(block), SUPERBLOCK_PATH, tree_block(2, 0) - made.bytes);
}

/* The last data block is the kernel's to judge when it is read, and --deep's. */
static void judges_the_last_data_block_only_in_depth(void **state)
{
	uint8_t block[VEXT_BLOCK];

	(void)state;
	make(129);
	made.bytes[128 * VEXT_BLOCK] ^= 1;
	assert_reason(first(block), ACCEPTED);
	assert_refused_at(all(), SUPERBLOCK_DATA, 128 * VEXT_BLOCK);
	made.bytes[128 * VEXT_BLOCK] ^= 1;
}

static void reads_two_blocks_a_level(void **state)
{
	static const struct {
		uint64_t data_blocks, reads;
	} cases[] = { { 1, 1 }, { 128, 3 }, { 129, 5 }, { 16385, 7 } };
	uint8_t block[VEXT_BLOCK];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct memory m = memory();
		struct reader reader = memory_reader(&m);

		make(cases[i].data_blocks);
		assert_reason(merkle_first_block(&made.claim, &reader, block), ACCEPTED);
		assert_int_equal(m.reads, cases[i].reads);
	}
}

static void hands_on_why_reading_failed(void **state)
{
	uint8_t block[VEXT_BLOCK];

	(void)state;
	make(16385);
	for (uint64_t n = 1; n <= 7; n++) {
		struct memory m = memory();
		struct reader reader = memory_reader(&m);

		m.fail_from = n;
		assert_reason(merkle_first_block(&made.claim, &reader, block), SYSTEM_READ);
		m.reads = 0;
		assert_reason(merkle_all(&made.claim, &reader), SYSTEM_READ);
	}
}

/* Whatever the claim says, the walk's numbers are checked before the first read. */
static void reads_nothing_for_a_claim_that_does_not_hold(void **state)
{
	struct claim *claim = calloc(1, sizeof(*claim));
	struct memory memory = { 0 };
	const struct reader reader = memory_reader(&memory);
	uint8_t block[VEXT_BLOCK];

	(void)state;
	assert_non_null(claim);
	claim->layout.data.size = claim->layout.tree.size = 64 * VEXT_BLOCK;
	assert_reason(merkle_first_block(claim, &reader, block), SUPERBLOCK_DATA_BLOCKS);
	assert_reason(merkle_all(claim, &reader), SUPERBLOCK_DATA_BLOCKS);
	claim->verity.data_blocks = 65;
	assert_reason(merkle_first_block(claim, &reader, block), SUPERBLOCK_DATA_BLOCKS);
	assert_reason(merkle_all(claim, &reader), SUPERBLOCK_DATA_BLOCKS);
	assert_int_equal(memory.reads, 0);
	free(claim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_trees_of_all_shapes),
		cmocka_unit_test(takes_no_other_number),
		cmocka_unit_test(tells_the_end_of_the_tree),
		cmocka_unit_test(leaves_lower_trees_to_the_file_system),
		cmocka_unit_test(wants_zeros_behind_the_last_hash),
		cmocka_unit_test(lets_zeros_be_elsewhere),
		cmocka_unit_test(tells_which_block_does_not_verify),
		cmocka_unit_test(judges_the_last_data_block_only_in_depth),
		cmocka_unit_test(reads_two_blocks_a_level),
		cmocka_unit_test(hands_on_why_reading_failed),
		cmocka_unit_test(reads_nothing_for_a_claim_that_does_not_hold),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
