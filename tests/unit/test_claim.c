/* SPDX-License-Identifier: Apache-2.0 */
/* core/claim: the parent believes no field of what came out of the jail. */
#include "core/claim.h"
#include "ddi.h"

#define OTHER_ARCH (VEXT_ARCH == ARCH_X86_64 ? ARCH_ARM64 : ARCH_X86_64)

static const char *const type_uuid[] = {
#if defined(__x86_64__)
	"\x4f\x68\xbc\xe3\xe8\xcd\x4d\xb1\x96\xe7\xfb\xca\xf9\x84\xb7\x09",
	"\x2c\x73\x57\xed\xeb\xd2\x46\xd9\xae\xc1\x23\xd4\x37\xec\x2b\xf5",
	"\x41\x09\x2b\x05\x9f\xc8\x45\x23\x99\x4f\x2d\xef\x04\x08\xb1\x76",
#else
	"\xb9\x21\xb0\x45\x1d\xf0\x41\xc3\xaf\x44\x4c\x6f\x28\x0d\x3f\xae",
	"\xdf\x33\x00\xce\xd6\x9f\x4c\x92\x97\x8c\x9b\xfb\x0f\x38\xd8\x20",
	"\x6d\xb6\x9d\xe6\x29\xf4\x47\x58\xa7\xa5\x96\x21\x90\xf0\x0c\xe3",
#endif
};

/* A claim as an honest parser fills it. Large, hence not on the stack. */
static struct claim *honest(void)
{
	struct claim *claim = calloc(1, sizeof(*claim));

	assert_non_null(claim);
	claim->stage = CLAIM_COMPLETE;
	claim->sector_size = 512;
	claim->partition_count = 3;
	for (size_t i = 0; i < 3; i++) {
		memcpy(claim->partitions[i].type, type_uuid[i], 16);
		claim->partitions[i].extent = (struct extent){ (64u << 10) * (i + 1), 65536 };
	}
	for (size_t i = 0; i < VEXT_HASH_SIZE; i++)
		claim->root_hash[i] = (uint8_t)(i + 1);
	memcpy(claim->partitions[0].uuid, claim->root_hash, 16);
	memcpy(claim->partitions[1].uuid, claim->root_hash + 16, 16);
	claim->signature_size = 1;
	claim->verity.data_blocks = 16;
	return claim;
}

static struct verdict check(struct claim *claim)
{
	return claim_check(claim, DDI_SIZE, VEXT_ARCH);
}

/* Checks and frees. */
#define assert_claim(claim, symbol)                   \
	do {                                          \
		struct claim *claim_ = (claim);       \
		assert_reason(check(claim_), symbol); \
		free(claim_);                         \
	} while (0)

static void takes_an_honest_claim(void **state)
{
	static const enum claim_stage stages[] = { CLAIM_EMPTY, CLAIM_TABLE, CLAIM_LAYOUT,
						   CLAIM_ENVELOPE, CLAIM_COMPLETE };

	(void)state;
	for (size_t i = 0; i < COUNT(stages); i++) {
		struct claim *claim = honest();

		claim->stage = stages[i];
		assert_claim(claim, ACCEPTED);
	}
}

static void does_not_look_behind_the_last_partition(void **state)
{
	struct claim *claim = honest();

	(void)state;
	memset(&claim->partitions[3], 0xff, sizeof(claim->partitions[3]));
	assert_claim(claim, ACCEPTED);
}

static void makes_the_layout_anew(void **state)
{
	struct claim *claim = honest();

	(void)state;
	memset(&claim->layout, 0xff, sizeof(claim->layout)); /* a lie about where things are */
	assert_reason(check(claim), ACCEPTED);
	assert_int_equal(claim->layout.role, ROLE_ROOT);
	assert_int_equal(claim->layout.data.offset, 65536);
	assert_int_equal(claim->layout.tree.offset, 131072);
	assert_int_equal(claim->layout.signature.offset, 196608);
	assert_memory_equal(claim->layout.data_uuid, claim->root_hash, 16);
	free(claim);
}

static void refuses_stages_that_there_are_not(void **state)
{
	static const uint32_t stages[] = { 0, 6, 255, 65536, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < COUNT(stages); i++) {
		struct claim *claim = honest();

		memcpy(&claim->stage, &stages[i], sizeof(claim->stage));
		assert_claim(claim, SYSTEM_JAIL_REPLY);
	}
}

static void bounds_the_table(void **state)
{
	static const uint32_t sectors[] = { 0, 1, 511, 513, 1024, 8192, UINT32_MAX };
	static const uint32_t counts[] = { VEXT_GPT_ENTRIES_MAX + 1, 65536, UINT32_MAX };
	struct claim *claim;

	(void)state;
	for (size_t i = 0; i < COUNT(sectors); i++) {
		claim = honest();
		claim->sector_size = sectors[i];
		assert_claim(claim, SYSTEM_JAIL_REPLY);
	}
	for (size_t i = 0; i < COUNT(counts); i++) {
		claim = honest();
		claim->partition_count = counts[i];
		assert_claim(claim, SYSTEM_JAIL_REPLY);
	}
}

static void wants_names_that_end(void **state)
{
	struct claim *claim = honest();

	(void)state;
	memset(claim->partitions[2].name, 'x', VEXT_PARTITION_NAME_MAX);
	assert_claim(claim, SYSTEM_JAIL_REPLY);
	claim = honest();
	memset(claim->partitions[2].name, 'x', VEXT_PARTITION_NAME_MAX - 1);
	assert_claim(claim, ACCEPTED);
}

static void wants_whole_sectors(void **state)
{
	static const uint32_t sectors[] = { 512, 4096 };

	(void)state;
	for (size_t i = 0; i < COUNT(sectors); i++) {
		struct claim *claim = honest();

		claim->sector_size = sectors[i];
		claim->partitions[1].extent.offset += sectors[i] / 2;
		claim->partitions[1].extent.size -= sectors[i] / 2;
		assert_claim(claim, SYSTEM_JAIL_REPLY);
		claim = honest();
		claim->sector_size = sectors[i];
		claim->partitions[2].extent.size -= 1;
		assert_claim(claim, SYSTEM_JAIL_REPLY);
		claim = honest();
		claim->sector_size = sectors[i];
		claim->partitions[2].extent.size -= sectors[i];
		assert_claim(claim, ACCEPTED);
	}
}

/* Whoever shows a refused claim goes by its stage: nothing beyond it was checked. */
static void ends_at_the_last_stage_that_holds(void **state)
{
	struct claim *claim = honest();

	(void)state;
	memset(&claim->stage, 0xff, sizeof(claim->stage));
	assert_reason(check(claim), SYSTEM_JAIL_REPLY);
	assert_int_equal(claim->stage, CLAIM_EMPTY);
	claim->stage = CLAIM_COMPLETE;
	claim->partition_count = VEXT_GPT_ENTRIES_MAX + 1;
	assert_reason(check(claim), SYSTEM_JAIL_REPLY);
	assert_int_equal(claim->stage, CLAIM_EMPTY);
	claim->stage = CLAIM_COMPLETE;
	claim->partition_count = 1;
	assert_reason(check(claim), GPT_TREE);
	assert_int_equal(claim->stage, CLAIM_TABLE);
	claim->stage = CLAIM_COMPLETE;
	claim->partition_count = 3;
	claim->signature_size = UINT32_MAX;
	assert_reason(check(claim), SYSTEM_JAIL_REPLY);
	assert_int_equal(claim->stage, CLAIM_LAYOUT);
	claim->stage = CLAIM_COMPLETE;
	claim->signature_size = 1;
	claim->verity.salt_size = UINT32_MAX;
	assert_reason(check(claim), SUPERBLOCK_SALT);
	assert_int_equal(claim->stage, CLAIM_ENVELOPE);
	free(claim);
}

static void refuses_geometry_out_of_range(void **state)
{
	struct claim *claim = honest();

	(void)state;
	claim->partitions[0].extent.offset = 0;
	assert_claim(claim, GPT_RANGE);
	claim = honest();
	claim->partitions[1].extent.size = UINT64_MAX - 511;
	assert_claim(claim, GPT_RANGE);
	claim = honest();
	claim->partitions[1].extent = claim->partitions[0].extent;
	assert_claim(claim, GPT_OVERLAP);
	claim = honest();
	claim->partitions[2].extent = (struct extent){ 196608, VEXT_ENVELOPE_MAX + 512 };
	assert_claim(claim, ENVELOPE_SIZE);
	claim = honest();
	assert_reason(claim_check(claim, DDI_SIZE, OTHER_ARCH), GPT_ARCHITECTURE);
	free(claim);
	claim = honest();
	assert_reason(claim_check(claim, 196608, VEXT_ARCH),
		      GPT_RANGE); /* as long as the image is */
	free(claim);
}

static void bounds_the_envelope(void **state)
{
	static const uint32_t sizes[] = { 0, VEXT_PKCS7_MAX + 1, UINT32_MAX };
	struct claim *claim;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		claim = honest();
		claim->signature_size = sizes[i];
		assert_claim(claim, SYSTEM_JAIL_REPLY);
	}
	claim = honest();
	claim->signature_size = VEXT_PKCS7_MAX;
	assert_claim(claim, ACCEPTED);
	claim = honest();
	claim->has_fingerprint = 2;
	assert_claim(claim, SYSTEM_JAIL_REPLY);
}

/* No signature partition, no signature; and the other way round. */
static void takes_a_claim_without_signature(void **state)
{
	struct claim *claim = honest();

	(void)state;
	claim->partitions[2].type[0] ^= 1;
	claim->signature_size = 0;
	memset(&claim->layout, 0xff, sizeof(claim->layout));
	assert_reason(check(claim), ACCEPTED);
	assert_false(claim_is_signed(claim));
	memset(claim->root_hash, 0, sizeof(claim->root_hash));
	claim_take_uuids(claim);
	assert_int_equal(claim->root_hash[0], 1);
	assert_int_equal(claim->root_hash[31], 32);
	assert_claim(claim, ACCEPTED);
	claim = honest();
	claim->partitions[2].type[0] ^= 1;
	assert_claim(claim, SYSTEM_JAIL_REPLY);
}

static void wants_the_uuids_of_the_root_hash(void **state)
{
	(void)state;
	for (size_t i = 0; i < VEXT_HASH_SIZE; i++) {
		struct claim *claim = honest();

		claim->root_hash[i] ^= 1;
		assert_claim(claim, GPT_UUID);
	}
	for (size_t i = 0; i < 2; i++) {
		struct claim *claim = honest();

		claim->partitions[i].uuid[15] ^= 0x80;
		assert_claim(claim, GPT_UUID);
	}
}

static void bounds_verity(void **state)
{
	struct claim *claim = honest();

	(void)state;
	claim->verity.data_blocks = 17;
	assert_claim(claim, SUPERBLOCK_DATA_BLOCKS);
	claim = honest();
	claim->verity.data_blocks = UINT64_MAX;
	assert_claim(claim, SUPERBLOCK_DATA_BLOCKS);
	claim = honest();
	claim->verity.salt_size = VEXT_SALT_MAX + 1;
	assert_claim(claim, SUPERBLOCK_SALT);
	claim = honest();
	claim->partitions[1].extent.size = VEXT_BLOCK;
	assert_claim(claim, SUPERBLOCK_TREE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_an_honest_claim),
		cmocka_unit_test(does_not_look_behind_the_last_partition),
		cmocka_unit_test(makes_the_layout_anew),
		cmocka_unit_test(refuses_stages_that_there_are_not),
		cmocka_unit_test(bounds_the_table),
		cmocka_unit_test(wants_names_that_end),
		cmocka_unit_test(wants_whole_sectors),
		cmocka_unit_test(ends_at_the_last_stage_that_holds),
		cmocka_unit_test(refuses_geometry_out_of_range),
		cmocka_unit_test(bounds_the_envelope),
		cmocka_unit_test(takes_a_claim_without_signature),
		cmocka_unit_test(wants_the_uuids_of_the_root_hash),
		cmocka_unit_test(bounds_verity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
