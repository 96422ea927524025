/* SPDX-License-Identifier: Apache-2.0 */
/* core/filesystem: two types, by their own account of themselves. */
#include "core/filesystem.h"
#include "test.h"

static struct verdict identify(const uint8_t block[VEXT_BLOCK], enum filesystem *type,
			       uint64_t *size)
{
	uint8_t *exact = exact_copy(block, VEXT_BLOCK);
	struct verdict v;

	*type = 0;
	*size = 42;
	v = filesystem_identify(exact, type, size);
	if (!is_accepted(v)) {
		assert_int_equal(*type, 0);
		assert_int_equal(*size, 42);
	}
	free(exact);
	return v;
}

static void put_erofs(uint8_t block[VEXT_BLOCK], uint8_t bits, uint32_t blocks)
{
	memset(block, 0, VEXT_BLOCK);
	put_le(block + 1024, 0xe0f5e1e2, 4);
	block[1024 + 12] = bits;
	put_le(block + 1024 + 14, 36, 2); /* root_nid */
	put_le(block + 1024 + 36, blocks, 4);
}

static void put_squashfs(uint8_t block[VEXT_BLOCK], uint16_t major, uint64_t size)
{
	memset(block, 0, VEXT_BLOCK);
	memcpy(block, "hsqs", 4);
	put_le(block + 4, 7, 4); /* inodes */
	put_le(block + 12, 131072, 4);
	put_le(block + 20, 6, 2); /* zstd */
	put_le(block + 22, 17, 2);
	put_le(block + 28, major, 2);
	put_le(block + 40, size, 8);
}

static void knows_erofs(void **state)
{
	uint8_t block[VEXT_BLOCK];
	enum filesystem type;
	uint64_t size;

	(void)state;
	put_erofs(block, 12, 10);
	assert_reason(identify(block, &type, &size), ACCEPTED);
	assert_int_equal(type, FILESYSTEM_EROFS);
	assert_int_equal(size, 40960);
	put_erofs(block, 12, UINT32_MAX);
	assert_reason(identify(block, &type, &size), ACCEPTED);
	assert_int_equal(size, (uint64_t)UINT32_MAX << 12);
}

/* What is there is not what was signed. */
static void takes_no_erofs_with_other_devices(void **state)
{
	uint8_t block[VEXT_BLOCK];
	enum filesystem type;
	uint64_t size;

	(void)state;
	for (unsigned bit = 0; bit < 32; bit++) {
		put_erofs(block, 12, 10);
		put_le(block + 1024 + 80, 1ull << bit, 4);
		if (bit == 3)
			assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
		else
			assert_reason(identify(block, &type, &size), ACCEPTED);
	}
}

/* On dm-verity's blocks of 4096 bytes, in pages of that size; arm64 has larger ones, too. */
static void wants_erofs_to_be_mountable(void **state)
{
	uint8_t block[VEXT_BLOCK];
	enum filesystem type;
	uint64_t size;

	(void)state;
	for (uint8_t bits = 9; bits <= 16; bits++) {
		put_erofs(block, bits, UINT32_MAX);
		if (bits < 12 || (bits > 12 && VEXT_ARCH == ARCH_X86_64)) {
			assert_reason(identify(block, &type, &size), SUPERBLOCK_BLOCK);
			continue;
		}
		assert_reason(identify(block, &type, &size), ACCEPTED);
		assert_int_equal(size, (uint64_t)UINT32_MAX << bits);
	}
	put_erofs(block, 10, 0); /* without any, the rest does not matter */
	assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
}

/* With the 48-bit feature the high part stands where the root's number was, if that is elsewhere. */
static void knows_erofs_of_48_bits(void **state)
{
	uint8_t block[VEXT_BLOCK];
	enum filesystem type;
	uint64_t size;

	(void)state;
	put_erofs(block, 12, 1);
	put_le(block + 1024 + 14, 2, 2);
	assert_reason(identify(block, &type, &size), ACCEPTED);
	assert_int_equal(size, 4096);
	put_le(block + 1024 + 80, 0x80, 4);
	assert_reason(identify(block, &type, &size), ACCEPTED);
	assert_int_equal(size, 4096);
	put_le(block + 1024 + 112, 36, 8);
	assert_reason(identify(block, &type, &size), ACCEPTED);
	assert_int_equal(size, (2ull << 32 | 1) << 12);
	put_le(block + 1024 + 80, 0x77, 4); /* all but other devices */
	assert_reason(identify(block, &type, &size), ACCEPTED);
	assert_int_equal(size, 4096);
	put_erofs(block, 12, UINT32_MAX);
	put_le(block + 1024 + 14, UINT16_MAX, 2);
	put_le(block + 1024 + 80, 0x80, 4);
	put_le(block + 1024 + 112, 1ull << 63, 8);
	assert_reason(identify(block, &type, &size), ACCEPTED);
	assert_int_equal(size, UINT64_MAX >> 16 << 12);
}

static void refuses_odd_erofs(void **state)
{
	uint8_t block[VEXT_BLOCK];
	enum filesystem type;
	uint64_t size;

	(void)state;
	put_erofs(block, 12, 0);
	assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
	put_erofs(block, 8, 10);
	assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
	put_erofs(block, 17, 10);
	assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
	put_erofs(block, 255, 10);
	assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
	put_erofs(block, 12, 10);
	block[1024] ^= 1;
	assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
}

static void knows_squashfs_4(void **state)
{
	uint8_t block[VEXT_BLOCK];
	enum filesystem type;
	uint64_t size;

	(void)state;
	put_squashfs(block, 4, 123456);
	assert_reason(identify(block, &type, &size), ACCEPTED);
	assert_int_equal(type, FILESYSTEM_SQUASHFS);
	assert_int_equal(size, 123456);
	put_squashfs(block, 4, UINT64_MAX);
	assert_reason(identify(block, &type, &size), ACCEPTED); /* the caller compares */
	assert_int_equal(size, UINT64_MAX);
}

static void refuses_odd_squashfs(void **state)
{
	uint8_t block[VEXT_BLOCK];
	enum filesystem type;
	uint64_t size;

	(void)state;
	put_squashfs(block, 3, 123456);
	assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
	put_squashfs(block, 4, 0);
	assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
	put_squashfs(block, 4, 123456);
	memcpy(block, "sqsh", 4); /* big-endian */
	assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
}

static void refuses_all_else(void **state)
{
	uint8_t block[VEXT_BLOCK] = { 0 };
	enum filesystem type;
	uint64_t size;

	(void)state;
	assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
	memset(block, 0xff, sizeof(block));
	assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
	memset(block, 0, sizeof(block));
	memcpy(block + 3, "mkfs.fat", 8);
	memcpy(block + 54, "FAT16   ", 8);
	block[510] = 0x55;
	block[511] = 0xaa;
	assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
	memset(block, 0, sizeof(block));
	put_le(block + 1024 + 56, 0xef53, 2); /* ext */
	assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
}

/* Where the first hash of a block of hashes would be, and hence where no erofs has anything. */
static void wants_zeros_before_erofs(void **state)
{
	static const size_t places[] = { 0, 31, 32, 510, 1023 };
	uint8_t block[VEXT_BLOCK];
	enum filesystem type;
	uint64_t size;

	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		put_erofs(block, 12, 10);
		block[places[i]] = 1;
		assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
	}
}

/* Each field of its first 32 bytes that Linux looks at: a hash has them right by chance 2^-122 times. */
static void wants_squashfs_to_be_consistent(void **state)
{
	static const struct {
		size_t offset, size;
		uint64_t good, low, high; /* low and high: just out of range */
	} fields[] = {
		{ 20, 2, 1, 0, 7 },
		{ 28, 2, 4, 3, 5 },
		{ 30, 2, 0, 1, UINT16_MAX },
	};
	uint8_t block[VEXT_BLOCK];
	enum filesystem type;
	uint64_t size;

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		put_squashfs(block, 4, 123456);
		put_le(block + fields[i].offset, fields[i].good, fields[i].size);
		assert_reason(identify(block, &type, &size), ACCEPTED);
		put_le(block + fields[i].offset, fields[i].low, fields[i].size);
		assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
		put_le(block + fields[i].offset, fields[i].high, fields[i].size);
		assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
	}
	for (uint32_t log = 0; log < 64; log++) {
		put_squashfs(block, 4, 123456);
		put_le(block + 12, log < 32 ? 1u << log : 0, 4);
		put_le(block + 22, log, 2);
		assert_true(is_accepted(identify(block, &type, &size)) == (log >= 12 && log <= 20));
		put_le(block + 22, log ^ 1, 2);
		assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
	}
	put_squashfs(block, 4, 123456);
	put_le(block + 12, 131072 | 1, 4);
	assert_reason(identify(block, &type, &size), POLICY_FILESYSTEM);
}

static void names_types_as_the_kernel_does(void **state)
{
	(void)state;
	assert_string_equal(filesystem_name(FILESYSTEM_EROFS), "erofs");
	assert_string_equal(filesystem_name(FILESYSTEM_SQUASHFS), "squashfs");
	assert_string_equal(filesystem_name((enum filesystem)0), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_erofs),
		cmocka_unit_test(takes_no_erofs_with_other_devices),
		cmocka_unit_test(wants_erofs_to_be_mountable),
		cmocka_unit_test(knows_erofs_of_48_bits),
		cmocka_unit_test(refuses_odd_erofs),
		cmocka_unit_test(knows_squashfs_4),
		cmocka_unit_test(refuses_odd_squashfs),
		cmocka_unit_test(refuses_all_else),
		cmocka_unit_test(wants_zeros_before_erofs),
		cmocka_unit_test(wants_squashfs_to_be_consistent),
		cmocka_unit_test(names_types_as_the_kernel_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
