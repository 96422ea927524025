/* SPDX-License-Identifier: Apache-2.0 */
#include "core/verity.h"

#include "core/cursor.h"

#define SIGNATURE_SIZE 8u
#define ALGORITHM_SIZE 32u
#define VERSION 1u
#define HASH_TYPE 1u

static const uint8_t signature[SIGNATURE_SIZE] = { 'v', 'e', 'r', 'i', 't', 'y' };
static const uint8_t algorithm_sha256[ALGORITHM_SIZE] = { 's', 'h', 'a', '2', '5', '6' };

bool verity_tree(uint64_t data_blocks, struct verity_tree *tree)
{
	struct verity_tree t = { 0 };
	uint64_t below = data_blocks;

	if (data_blocks == 0 || data_blocks > INT64_MAX / VEXT_BLOCK)
		return false;
	while (below > 1) {
		below = below / VERITY_FANOUT + (below % VERITY_FANOUT != 0);
		t.blocks[t.levels++] = below;
	}
	/* On disk the root's level comes first. */
	t.end = VERITY_TREE_START;
	for (uint32_t level = t.levels; level > 0; level--) {
		t.start[level - 1] = t.end;
		t.end += t.blocks[level - 1];
	}
	*tree = t;
	return true;
}

struct verdict verity_check(const struct verity *verity, uint64_t data_size, uint64_t tree_size)
{
	struct verity_tree tree;

	if (!verity_tree(verity->data_blocks, &tree) ||
	    verity->data_blocks > data_size / VEXT_BLOCK)
		return verdict_at(REASON_SUPERBLOCK_DATA_BLOCKS, 72);
	if (verity->salt_size > VEXT_SALT_MAX)
		return verdict_at(REASON_SUPERBLOCK_SALT, 80);
	if (tree.end > tree_size / VEXT_BLOCK)
		return verdict_at(REASON_SUPERBLOCK_TREE, 72);
	return verdict(REASON_ACCEPTED);
}

/* What stands between the hash type and the number of data blocks has one accepted value each. */
static struct verdict parse_pinned(struct cursor *c, uint8_t uuid[16])
{
	const uint8_t *magic, *algorithm;
	uint32_t version, hash_type, data_block, hash_block;

	if (!cursor_take(c, SIGNATURE_SIZE, &magic) ||
	    memcmp(magic, signature, SIGNATURE_SIZE) != 0)
		return verdict_at(REASON_SUPERBLOCK_MAGIC, 0);
	if (!cursor_le32(c, &version) || version != VERSION)
		return verdict_at(REASON_SUPERBLOCK_VERSION, 8);
	if (!cursor_le32(c, &hash_type) || hash_type != HASH_TYPE)
		return verdict_at(REASON_SUPERBLOCK_HASH_TYPE, 12);
	if (!cursor_copy(c, uuid, 16) || !cursor_take(c, ALGORITHM_SIZE, &algorithm) ||
	    memcmp(algorithm, algorithm_sha256, ALGORITHM_SIZE) != 0)
		return verdict_at(REASON_SUPERBLOCK_ALGORITHM, 32);
	if (!cursor_le32(c, &data_block) || data_block != VEXT_BLOCK)
		return verdict_at(REASON_SUPERBLOCK_BLOCK_SIZE, 64);
	if (!cursor_le32(c, &hash_block) || hash_block != VEXT_BLOCK)
		return verdict_at(REASON_SUPERBLOCK_BLOCK_SIZE, 68);
	return verdict(REASON_ACCEPTED);
}

struct verdict verity_parse(const uint8_t superblock[VERITY_SUPERBLOCK_SIZE], uint64_t data_size,
			    uint64_t tree_size, struct verity *verity)
{
	struct cursor c = cursor_over(superblock, VERITY_SUPERBLOCK_SIZE);
	struct verity parsed = { 0 };
	struct verdict v = parse_pinned(&c, parsed.uuid);
	uint16_t salt_size;

	if (!is_accepted(v))
		return v;
	if (!cursor_le64(&c, &parsed.data_blocks))
		return verdict_at(REASON_SUPERBLOCK_DATA_BLOCKS, 72);
	if (!cursor_le16(&c, &salt_size) || salt_size > VEXT_SALT_MAX || !cursor_skip(&c, 6) ||
	    !cursor_copy(&c, parsed.salt, salt_size))
		return verdict_at(REASON_SUPERBLOCK_SALT, 80);
	parsed.salt_size = salt_size;
	v = verity_check(&parsed, data_size, tree_size);
	if (is_accepted(v))
		*verity = parsed;
	return v;
}
