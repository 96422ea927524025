/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole images: parser, the parent's look at its claim, judge. Asserted of an accepted one: its extents lie in
 * the image and apart, its partitions' UUIDs are the root hash, the signature is the very one that the key makes,
 * and with every block judged the data gives the root hash by a computation of this file's own.
 *
 * The custom mutator changes what is read, and then makes right again some of: checksums, hash tree, root hash and
 * signature, so that what lies behind those gates is reached too.
 */
#include <stdio.h>

#include <mbedtls/sha256.h>

#include "core/layout.h"
#include "core/text.h"
#include "crypto/judge.h"
#include "fuzz.h"

#define BLOCKS_MAX 64u /* of data, in an image that is small enough for fuzzing */

struct bytes {
	const uint8_t *at;
	size_t size;
};

static struct verdict read_bytes(void *ctx, uint64_t offset, void *buf, size_t size)
{
	const struct bytes *bytes = ctx;

	if (offset > bytes->size || size > bytes->size - offset)
		return verdict_at(REASON_IMAGE_TRUNCATED, offset);
	memcpy(buf, bytes->at + offset, size);
	return verdict(REASON_ACCEPTED);
}

static void salted_hash(const uint8_t *salt, size_t salt_size, const uint8_t *block,
			uint8_t hash[VEXT_HASH_SIZE])
{
	mbedtls_sha256_context c;

	mbedtls_sha256_init(&c);
	holds(mbedtls_sha256_starts(&c, 0) == 0 &&
	      mbedtls_sha256_update(&c, salt, salt_size) == 0 &&
	      mbedtls_sha256_update(&c, block, VEXT_BLOCK) == 0 &&
	      mbedtls_sha256_finish(&c, hash) == 0);
	mbedtls_sha256_free(&c);
}

/*
 * The root hash of 1 to BLOCKS_MAX blocks, which need at most one block of tree. That is written to `tree`, unless
 * it is NULL.
 */
static void root_of(const uint8_t *data, size_t blocks, const uint8_t *salt, size_t salt_size,
		    uint8_t *tree, uint8_t root[VEXT_HASH_SIZE])
{
	uint8_t hashes[VEXT_BLOCK] = { 0 };

	for (size_t i = 0; i < blocks; i++)
		salted_hash(salt, salt_size, data + i * VEXT_BLOCK, hashes + i * VEXT_HASH_SIZE);
	if (blocks == 1)
		memcpy(root, hashes, VEXT_HASH_SIZE);
	else
		salted_hash(salt, salt_size, hashes, root);
	if (tree && blocks > 1)
		memcpy(tree, hashes, VEXT_BLOCK);
}

/* ---- what is asserted ---------------------------------------------------------------------- */

static bool is_inside(struct extent e, size_t size)
{
	return e.size > 0 && e.offset < size && e.size <= size - e.offset;
}

static bool is_apart(struct extent a, struct extent b)
{
	return a.offset + a.size <= b.offset || b.offset + b.size <= a.offset;
}

static void check_layout(const struct facts *facts, size_t size)
{
	const struct layout *l = &facts->layout;

	holds(l->role == ROLE_ROOT || l->role == ROLE_USR);
	holds(is_inside(l->data, size) && is_inside(l->tree, size) &&
	      is_inside(l->signature, size));
	holds(is_apart(l->data, l->tree) && is_apart(l->data, l->signature) &&
	      is_apart(l->tree, l->signature));
	holds(memcmp(l->data_uuid, facts->root_hash, 16) == 0);
	holds(memcmp(l->tree_uuid, facts->root_hash + 16, 16) == 0);
}

/* PKCS#1 v1.5 has one signature for a key, a digest and a content; the others' are random, and left out. */
static void check_signature(const struct facts *facts)
{
	static uint8_t known_root[VEXT_HASH_SIZE], known[3][FUZZ_RSA_SIZE];
	static const mbedtls_md_type_t types[] = { MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384,
						   MBEDTLS_MD_SHA512 };
	const uint8_t *end = facts->signature + facts->signature_size;
	bool found = false;

	if (strcmp(facts->signer.subject, "CN=fuzz rsa") != 0)
		return;
	for (size_t i = 0; i < 3 && memcmp(known_root, facts->root_hash, sizeof(known_root)) != 0;
	     i++)
		fuzz_sign(types[i], facts->root_hash, known[i]);
	memcpy(known_root, facts->root_hash, sizeof(known_root));
	holds(facts->signature_size > FUZZ_RSA_SIZE);
	for (size_t i = 0; i < 3; i++)
		found |= memcmp(end - FUZZ_RSA_SIZE, known[i], FUZZ_RSA_SIZE) == 0;
	holds(found);
}

static void check_accepted(const struct facts *facts, const uint8_t *bytes, size_t size)
{
	const uint64_t covered = facts->verity.data_blocks * VEXT_BLOCK;

	check_layout(facts, size);
	check_signature(facts);
	holds(facts->verity.data_blocks > 0 && covered <= facts->layout.data.size);
	holds(facts->verity.salt_size <= VEXT_SALT_MAX);
	holds(facts->filesystem == FILESYSTEM_EROFS || facts->filesystem == FILESYSTEM_SQUASHFS);
	holds(facts->filesystem_size > 0 && facts->filesystem_size <= covered);
	holds(memchr(facts->signer.subject, 0, sizeof(facts->signer.subject)));
	(void)bytes;
}

static void check_every_block(const struct facts *facts, const uint8_t *bytes)
{
	uint8_t root[VEXT_HASH_SIZE];

	if (facts->verity.data_blocks > BLOCKS_MAX)
		return;
	root_of(bytes + facts->layout.data.offset, (size_t)facts->verity.data_blocks,
		facts->verity.salt, facts->verity.salt_size, NULL, root);
	holds(memcmp(root, facts->root_hash, sizeof(root)) == 0);
}

static bool is_judges_group(struct verdict v)
{
	return fuzz_group(v) == 0 || fuzz_group(v) == 4 || fuzz_group(v) == 5 ||
	       v.reason == REASON_POLICY_FILESYSTEM || v.reason == REASON_POLICY_UNSIGNED;
}

static void judge_claim(const struct claim *claim, const uint8_t *bytes, size_t size)
{
	struct bytes image = { .at = bytes, .size = size };
	const struct reader reader = { .read = read_bytes, .ctx = &image };
	const struct origin origin = { .name = "fuzz" };
	const struct demands demands = policy_default_demands();
	static struct trusted_space first_space, all_space;
	const struct trusted *first = NULL, *all = NULL;
	struct verdict a = judge(fuzz_anchors(), &origin, &demands, claim, &reader,
				 JUDGE_FIRST_BLOCK, &first_space, &first);
	struct verdict b;

	holds(is_judges_group(a));
	holds(is_accepted(a) == (first != NULL));
	if (!is_accepted(a))
		return;
	check_accepted(trusted_facts(first), bytes, size);
	b = judge(fuzz_anchors(), &origin, &demands, claim, &reader, JUDGE_EVERY_BLOCK, &all_space,
		  &all);
	holds(is_accepted(b) || b.reason == REASON_SUPERBLOCK_DATA ||
	      b.reason == REASON_SUPERBLOCK_TREE_END);
	holds(is_accepted(b) == (all != NULL));
	if (!is_accepted(b))
		return;
	holds(memcmp(trusted_facts(first), trusted_facts(all), sizeof(struct facts)) == 0);
	check_every_block(trusted_facts(all), bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct claim claim;

	if (is_accepted(fuzz_probe(bytes, size, size, &claim)))
		judge_claim(&claim, bytes, size);
	return 0;
}

/* ---- the mutator --------------------------------------------------------------------------- */

struct part {
	uint8_t *entry;
	uint8_t *bytes; /* NULL: it does not lie in the image */
	size_t size;
};

struct parts {
	struct part part[KIND_SIGNATURE + 1];
};

static struct part find_part(uint8_t *bytes, size_t size, uint32_t sector, uint8_t *entry)
{
	const uint64_t first = fuzz_le(entry + 32, 8), last = fuzz_le(entry + 40, 8);
	struct part part = { .entry = entry };

	if (first > last || last >= size / sector)
		return part;
	part.bytes = bytes + first * sector;
	part.size = (size_t)(last - first + 1) * sector;
	return part;
}

static struct parts find_parts(uint8_t *bytes, size_t size)
{
	struct fuzz_table table = fuzz_table(bytes, size);
	struct parts parts = { 0 };

	for (uint32_t i = 0; i < table.count; i++) {
		uint8_t *entry = table.entries + i * 128, type[16];
		const struct partition_type *known;

		fuzz_swap_guid(entry, type);
		known = partition_type(type);
		if (known && known->kind != KIND_OTHER)
			parts.part[known->kind] = find_part(bytes, size, table.sector_size, entry);
	}
	return parts;
}

static bool put_envelope(struct part *part, const uint8_t root[VEXT_HASH_SIZE])
{
	uint8_t pkcs7[2048];
	size_t size = fuzz_pkcs7(root, pkcs7, sizeof(pkcs7)), length;
	char text[4096], encoded[4096], hash[2 * VEXT_HASH_SIZE + 1];
	struct text t;

	text_init(&t, hash, sizeof(hash));
	text_hex(&t, root, VEXT_HASH_SIZE);
	fuzz_base64(pkcs7, size, encoded);
	length = (size_t)snprintf(text, sizeof(text), "{\"rootHash\":\"%s\",\"signature\":\"%s\"}",
				  hash, encoded);
	if (length > part->size)
		return false;
	memset(part->bytes, 0, part->size);
	memcpy(part->bytes, text, length);
	return true;
}

/* Makes tree, root hash, UUIDs and signature right for the data that is there. */
static void sign_again(struct parts *parts)
{
	struct part *data = &parts->part[KIND_DATA], *tree = &parts->part[KIND_TREE];
	struct part *envelope = &parts->part[KIND_SIGNATURE];
	uint8_t root[VEXT_HASH_SIZE];
	size_t blocks, salt_size;

	if (!data->bytes || !tree->bytes || !envelope->bytes || tree->size < VEXT_BLOCK)
		return;
	blocks = (size_t)fuzz_le(tree->bytes + 72, 8);
	salt_size = (size_t)fuzz_le(tree->bytes + 80, 2);
	if (blocks == 0 || blocks > BLOCKS_MAX || blocks * VEXT_BLOCK > data->size ||
	    salt_size > VEXT_SALT_MAX)
		return;
	root_of(data->bytes, blocks, tree->bytes + 88, salt_size,
		tree->size >= 2 * VEXT_BLOCK ? tree->bytes + VEXT_BLOCK : NULL, root);
	if (!put_envelope(envelope, root))
		return;
	fuzz_swap_guid(root, data->entry + 16);
	fuzz_swap_guid(root + 16, tree->entry + 16);
}

/* A stretch of bytes that keeps its length. */
static void change(uint8_t *at, size_t size)
{
	uint8_t changed[4096];
	size_t used;

	if (size > sizeof(changed))
		size = sizeof(changed);
	if (size == 0)
		return;
	memcpy(changed, at, size);
	used = LLVMFuzzerMutate(changed, size, size);
	memcpy(at, changed, used);
}

static void change_text(struct part *part)
{
	size_t used = part->bytes ? strnlen((char *)part->bytes, part->size) : 0, grown;

	if (used == 0)
		return;
	grown = LLVMFuzzerMutate(part->bytes, used, part->size);
	if (grown < used)
		memset(part->bytes + grown, 0, used - grown);
}

static void change_part(uint8_t *bytes, size_t size, struct parts *parts, unsigned what)
{
	struct fuzz_table table = fuzz_table(bytes, size);
	struct part *data = &parts->part[KIND_DATA], *tree = &parts->part[KIND_TREE];

	if (what == 0 && size >= 512)
		change(bytes + 440, 72);
	else if (what == 1 && table.sector_size)
		change(table.header + 8, 84);
	else if (what <= 3 && table.count > 0)
		change(table.entries, (table.count < 5 ? table.count : 5) * 128u);
	else if (what <= 5)
		change_text(&parts->part[KIND_SIGNATURE]);
	else if (what <= 7 && tree->bytes && tree->size >= 512)
		change(tree->bytes, 344);
	else if (what == 8 && tree->bytes && tree->size >= 2 * VEXT_BLOCK)
		change(tree->bytes + VEXT_BLOCK, VEXT_HASH_SIZE * 2);
	else if (what <= 10 && data->bytes && data->size >= VEXT_BLOCK)
		change(data->bytes + (what == 9 ? 1024 : 0), 128);
	else if (data->bytes && data->size >= VEXT_BLOCK)
		change(data->bytes + data->size - VEXT_BLOCK, VEXT_BLOCK);
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed)
{
	struct parts parts;

	if (seed % 16 == 0)
		size = LLVMFuzzerMutate(bytes, size, max_size);
	else {
		parts = find_parts(bytes, size);
		change_part(bytes, size, &parts, seed / 16 % 12);
	}
	parts = find_parts(bytes, size);
	if (seed / 256 % 4 == 0)
		sign_again(&parts);
	if (seed / 1024 % 8 != 0)
		fuzz_seal(bytes, size);
	return size;
}
