/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verity superblocks, and what the kernel is told of them. Input: sizes of the data and verity partitions (u64
 * each), 512 bytes of superblock. Asserted of an accepted one: every pinned byte has its one value, the tree fits, and
 * the table line is exactly the integers and hex that belong there.
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/table.h"
#include "core/text.h"
#include "core/verity.h"
#include "fuzz.h"

#define PREFIX 16u

/* Levels of at most 128 hashes a block, counted from the data upwards. */
static uint64_t tree_blocks(uint64_t data_blocks)
{
	uint64_t sum = 0;

	for (uint64_t below = data_blocks; below > 1;) {
		below = (below + 127) / 128;
		sum += below;
	}
	return sum;
}

static void check_pinned(const uint8_t *superblock)
{
	static const uint8_t algorithm[32] = "sha256";

	holds(memcmp(superblock, "verity\0\0", 8) == 0);
	holds(fuzz_le(superblock + 8, 4) == 1 && fuzz_le(superblock + 12, 4) == 1);
	holds(memcmp(superblock + 32, algorithm, sizeof(algorithm)) == 0);
	holds(fuzz_le(superblock + 64, 4) == 4096 && fuzz_le(superblock + 68, 4) == 4096);
}

static void check_verity(const uint8_t *superblock, uint64_t data_size, uint64_t tree_size,
			 const struct verity *verity)
{
	holds(verity->data_blocks == fuzz_le(superblock + 72, 8));
	holds(verity->data_blocks > 0 && verity->data_blocks <= data_size / VEXT_BLOCK);
	holds(verity->salt_size == fuzz_le(superblock + 80, 2) &&
	      verity->salt_size <= VEXT_SALT_MAX);
	holds(memcmp(verity->salt, superblock + 88, verity->salt_size) == 0);
	for (size_t i = verity->salt_size; i < VEXT_SALT_MAX; i++)
		holds(verity->salt[i] == 0);
	holds(memcmp(verity->uuid, superblock + 16, 16) == 0);
	holds(1 + tree_blocks(verity->data_blocks) <= tree_size / VEXT_BLOCK);
	holds(is_accepted(verity_check(verity, data_size, tree_size)));
}

static void check_tree(uint64_t data_blocks)
{
	struct verity_tree tree;
	uint64_t at = VERITY_TREE_START;

	holds(verity_tree(data_blocks, &tree));
	holds(tree.levels <= VERITY_LEVELS_MAX && tree.end == 1 + tree_blocks(data_blocks));
	for (uint32_t level = tree.levels; level > 0; level--) {
		holds(tree.start[level - 1] == at);
		at += tree.blocks[level - 1];
	}
	holds(at == tree.end && (tree.levels == 0 || tree.blocks[tree.levels - 1] == 1));
}

static void check_line(const struct facts *facts, const char *key, const char *more)
{
	const struct table_device data = { 7, UINT32_MAX }, tree = { UINT32_MAX, 0 };
	const struct table_options options = { .signature_key = key };
	char line[TABLE_LINE_MAX], expected[TABLE_LINE_MAX * 2], root[2 * VEXT_HASH_SIZE + 1];
	char salt[2 * VEXT_SALT_MAX + 2] = "-";

	for (size_t i = 0; i < VEXT_HASH_SIZE; i++)
		sprintf(root + 2 * i, "%02x", facts->root_hash[i]);
	for (uint32_t i = 0; i < facts->verity.salt_size; i++)
		sprintf(salt + 2 * (size_t)i, "%02x", facts->verity.salt[i]);
	snprintf(expected, sizeof(expected),
		 "1 7:4294967295 4294967295:0 4096 4096 %" PRIu64 " 1 sha256 %s %s%s",
		 facts->verity.data_blocks, root, salt, more);
	memset(line, 0x7f, sizeof(line));
	table_verity(facts, data, tree, &options, line);
	holds(memchr(line, 0, sizeof(line)) && strcmp(line, expected) == 0);
}

static void check_table(const struct verity *verity)
{
	static struct facts facts;

	facts.verity = *verity;
	memset(facts.root_hash, 0xa5, sizeof(facts.root_hash));
	check_line(&facts, NULL, "");
	check_line(&facts, "vext:name", " 2 root_hash_sig_key_desc vext:name");
	holds(table_sectors(verity) == verity->data_blocks * 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint64_t data_size, tree_size;
	struct verity verity, before;
	uint8_t *superblock;
	struct verdict v;

	if (size != PREFIX + VERITY_SUPERBLOCK_SIZE)
		return 0;
	data_size = fuzz_le(bytes, 8) & INT64_MAX;
	tree_size = fuzz_le(bytes + 8, 8) & INT64_MAX;
	superblock = fuzz_copy(bytes + PREFIX, VERITY_SUPERBLOCK_SIZE);
	memset(&verity, 0x5a, sizeof(verity));
	before = verity;
	v = verity_parse(superblock, data_size, tree_size, &verity);
	if (is_accepted(v)) {
		check_pinned(superblock);
		check_verity(superblock, data_size, tree_size, &verity);
		check_tree(verity.data_blocks);
		check_table(&verity);
	} else {
		holds(fuzz_group(v) == 5 && v.at < VERITY_SUPERBLOCK_SIZE);
		holds(memcmp(&verity, &before, sizeof(verity)) == 0);
	}
	free(superblock);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed)
{
	const size_t whole = PREFIX + VERITY_SUPERBLOCK_SIZE;

	if (max_size < whole)
		return LLVMFuzzerMutate(bytes, size, max_size);
	if (size < whole)
		memset(bytes + size, 0, whole - size);
	/* Now and then only what is not pinned: sizes, UUID, numbers of blocks, salt. */
	if (seed % 4 == 0)
		LLVMFuzzerMutate(bytes + PREFIX + 72, 272, 272);
	else if (seed % 4 == 1)
		LLVMFuzzerMutate(bytes, PREFIX, PREFIX);
	else
		LLVMFuzzerMutate(bytes, whole, whole);
	return whole;
}
