/* SPDX-License-Identifier: Apache-2.0 */
/* core/verity: the superblock has one accepted form, and the tree the shape that the kernel gives it. */
#include "core/verity.h"
#include "ddi.h"

#define DATA_SIZE (1000ull * VEXT_BLOCK)
#define TREE_SIZE (64ull * VEXT_BLOCK)

/* From a buffer of just that size; on failure the output stays as it was. */
static struct verdict parse(const uint8_t superblock[VERITY_SUPERBLOCK_SIZE], struct verity *verity)
{
	uint8_t *exact = exact_copy(superblock, VERITY_SUPERBLOCK_SIZE);
	struct verity untouched;
	struct verdict v;

	memset(verity, 0x5a, sizeof(*verity));
	memset(&untouched, 0x5a, sizeof(untouched));
	v = verity_parse(exact, DATA_SIZE, TREE_SIZE, verity);
	if (!is_accepted(v))
		assert_memory_equal(verity, &untouched, sizeof(untouched));
	free(exact);
	return v;
}

static void takes_the_one_form(void **state)
{
	static const uint16_t salts[] = { 0, 1, 32, 255, 256 };
	uint8_t superblock[VERITY_SUPERBLOCK_SIZE];
	struct verity verity;

	(void)state;
	for (size_t i = 0; i < COUNT(salts); i++) {
		ddi_put_superblock(superblock, 1000, salts[i]);
		assert_reason(parse(superblock, &verity), ACCEPTED);
		assert_int_equal(verity.data_blocks, 1000);
		assert_int_equal(verity.salt_size, salts[i]);
		assert_memory_equal(verity.salt, superblock + 88, salts[i]);
		assert_memory_equal(verity.uuid, superblock + 16, 16);
		for (size_t j = salts[i]; j < VEXT_SALT_MAX; j++)
			assert_int_equal(verity.salt[j], 0);
	}
}

static void pins_every_other_field(void **state)
{
	static const struct {
		size_t offset, size;
		uint64_t value;
		enum reason reason;
		uint64_t at;
	} odd[] = {
		{ 0, 1, 'V', REASON_SUPERBLOCK_MAGIC, 0 },
		{ 6, 1, 1, REASON_SUPERBLOCK_MAGIC, 0 },
		{ 7, 1, 1, REASON_SUPERBLOCK_MAGIC, 0 },
		{ 8, 4, 0, REASON_SUPERBLOCK_VERSION, 8 },
		{ 8, 4, 2, REASON_SUPERBLOCK_VERSION, 8 },
		{ 8, 4, 0x01000000, REASON_SUPERBLOCK_VERSION, 8 },
		{ 12, 4, 0, REASON_SUPERBLOCK_HASH_TYPE, 12 },
		{ 12, 4, 2, REASON_SUPERBLOCK_HASH_TYPE, 12 },
		{ 64, 4, 0, REASON_SUPERBLOCK_BLOCK_SIZE, 64 },
		{ 64, 4, 512, REASON_SUPERBLOCK_BLOCK_SIZE, 64 },
		{ 64, 4, 513, REASON_SUPERBLOCK_BLOCK_SIZE, 64 },
		{ 64, 4, 8192, REASON_SUPERBLOCK_BLOCK_SIZE, 64 },
		{ 64, 4, 1u << 31, REASON_SUPERBLOCK_BLOCK_SIZE, 64 },
		{ 68, 4, 0, REASON_SUPERBLOCK_BLOCK_SIZE, 68 },
		{ 68, 4, 1024, REASON_SUPERBLOCK_BLOCK_SIZE, 68 },
		{ 72, 8, 0, REASON_SUPERBLOCK_DATA_BLOCKS, 72 },
		{ 72, 8, 1001, REASON_SUPERBLOCK_DATA_BLOCKS, 72 },
		{ 72, 8, 1ull << 52, REASON_SUPERBLOCK_DATA_BLOCKS, 72 },
		{ 72, 8, UINT64_MAX, REASON_SUPERBLOCK_DATA_BLOCKS, 72 },
		{ 80, 2, 257, REASON_SUPERBLOCK_SALT, 80 },
		{ 80, 2, 65535, REASON_SUPERBLOCK_SALT, 80 },
	};
	uint8_t superblock[VERITY_SUPERBLOCK_SIZE];
	struct verity verity;

	(void)state;
	for (size_t i = 0; i < COUNT(odd); i++) {
		struct verdict v;

		ddi_put_superblock(superblock, 1000, 32);
		put_le(superblock + odd[i].offset, odd[i].value, odd[i].size);
		v = parse(superblock, &verity);
		assert_string_equal(reason_name(v.reason), reason_name(odd[i].reason));
		assert_int_equal(v.at, odd[i].at);
	}
}

static void pins_the_algorithm_to_its_last_byte(void **state)
{
	static const char *const names[] = {
		"SHA256",
		"sha512",
		"sha1",
		"hmac(sha256)",
		"sha256 ",
		" sha256",
		"sha256-generic",
		"sha25",
		"",
		"crc32c a117f60d - 0",
		"sha256sha256sha256sha256sha256xx", /* 32 bytes and no NUL */
	};
	uint8_t superblock[VERITY_SUPERBLOCK_SIZE];
	struct verity verity;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		ddi_put_superblock(superblock, 1000, 32);
		memset(superblock + 32, 0, 32);
		memcpy(superblock + 32, names[i], strlen(names[i]));
		assert_refused_at(parse(superblock, &verity), SUPERBLOCK_ALGORITHM, 32);
	}
	for (size_t i = 38; i < 64; i++) {
		ddi_put_superblock(superblock, 1000, 32);
		superblock[i] = 'x';
		assert_refused_at(parse(superblock, &verity), SUPERBLOCK_ALGORITHM, 32);
	}
}

static void shapes_trees_as_the_kernel_does(void **state)
{
	static const struct {
		uint64_t data_blocks;
		uint32_t levels;
		uint64_t end;
		uint64_t leaf_start, leaf_blocks;
	} shapes[] = {
		{ 1, 0, 1, 0, 0 },	   { 2, 1, 2, 1, 1 },	      { 127, 1, 2, 1, 1 },
		{ 128, 1, 2, 1, 1 },	   { 129, 2, 4, 2, 2 },	      { 16383, 2, 130, 2, 128 },
		{ 16384, 2, 130, 2, 128 }, { 16385, 3, 133, 4, 129 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(shapes); i++) {
		struct verity_tree tree;

		assert_true(verity_tree(shapes[i].data_blocks, &tree));
		assert_int_equal(tree.levels, shapes[i].levels);
		assert_int_equal(tree.end, shapes[i].end);
		assert_int_equal(tree.start[0], shapes[i].leaf_start);
		assert_int_equal(tree.blocks[0], shapes[i].leaf_blocks);
		/* Each level has room for the hashes of the one below, and they lie one behind the other. */
		for (uint32_t level = 1; level < tree.levels; level++) {
			assert_true(tree.blocks[level] * VERITY_FANOUT >= tree.blocks[level - 1]);
			assert_true((tree.blocks[level] - 1) * VERITY_FANOUT <
				    tree.blocks[level - 1]);
			assert_int_equal(tree.start[level] + tree.blocks[level],
					 tree.start[level - 1]);
		}
		if (tree.levels > 0)
			assert_int_equal(tree.blocks[tree.levels - 1], 1);
	}
}

static void bounds_the_tree(void **state)
{
	struct verity_tree tree;

	(void)state;
	assert_false(verity_tree(0, &tree));
	assert_true(verity_tree(INT64_MAX / VEXT_BLOCK, &tree));
	assert_true(tree.levels <= VERITY_LEVELS_MAX);
	assert_true(tree.end < INT64_MAX / VEXT_BLOCK);
	assert_false(verity_tree(INT64_MAX / VEXT_BLOCK + 1, &tree));
	assert_false(verity_tree(UINT64_MAX, &tree));
}

static void wants_the_tree_complete_in_its_partition(void **state)
{
	const struct verity verity = { .data_blocks = 129 };

	(void)state;
	assert_reason(verity_check(&verity, 129 * VEXT_BLOCK, 4 * VEXT_BLOCK), ACCEPTED);
	assert_reason(verity_check(&verity, 129 * VEXT_BLOCK, 4 * VEXT_BLOCK - 1), SUPERBLOCK_TREE);
	assert_reason(verity_check(&verity, 129 * VEXT_BLOCK, 0), SUPERBLOCK_TREE);
}

static void wants_the_data_complete_in_its_partition(void **state)
{
	struct verity verity = { .data_blocks = 129 };

	(void)state;
	assert_reason(verity_check(&verity, 1000 * VEXT_BLOCK, TREE_SIZE),
		      ACCEPTED); /* larger is fine */
	assert_reason(verity_check(&verity, 129 * VEXT_BLOCK - 1, TREE_SIZE),
		      SUPERBLOCK_DATA_BLOCKS);
	verity.data_blocks = 0;
	assert_reason(verity_check(&verity, DATA_SIZE, TREE_SIZE), SUPERBLOCK_DATA_BLOCKS);
	verity = (struct verity){ .data_blocks = 1, .salt_size = VEXT_SALT_MAX + 1 };
	assert_reason(verity_check(&verity, DATA_SIZE, TREE_SIZE), SUPERBLOCK_SALT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_one_form),
		cmocka_unit_test(pins_every_other_field),
		cmocka_unit_test(pins_the_algorithm_to_its_last_byte),
		cmocka_unit_test(shapes_trees_as_the_kernel_does),
		cmocka_unit_test(bounds_the_tree),
		cmocka_unit_test(wants_the_tree_complete_in_its_partition),
		cmocka_unit_test(wants_the_data_complete_in_its_partition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
