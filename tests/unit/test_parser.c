/* SPDX-License-Identifier: Apache-2.0 */
/* probe/parse: whole images, through libblkid, outside of the jail so that the sanitizers can watch. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "ddi.h"
#include "probe/parse.h"

#define OTHER_ARCH (VEXT_ARCH == ARCH_X86_64 ? ARCH_ARM64 : ARCH_X86_64)

static struct claim *claim; /* of the last run */

/* Takes over `fd`. */
static struct verdict parse_fd(int fd, uint64_t size)
{
	struct parser parser = { .fd = fd, .size = size, .arch = VEXT_ARCH };
	struct verdict v;

	memset(claim, 0, sizeof(*claim));
	assert_true(parser_open(&parser));
	v = parser_run(&parser, claim);
	parser_close(&parser);
	close(fd);
	assert_int_equal(is_accepted(v), claim->stage == CLAIM_COMPLETE);
	return v;
}

/* The image cut to `stored` bytes, for a parser that is told `size`. */
static struct verdict parse_cut(const struct ddi *ddi, uint64_t stored, uint64_t size)
{
	return parse_fd(ddi_open(ddi, stored), size);
}

static struct verdict parse(const struct ddi *ddi)
{
	return parse_cut(ddi, DDI_SIZE, DDI_SIZE);
}

static struct verdict sealed(struct ddi *ddi)
{
	ddi_seal(ddi);
	return parse(ddi);
}

static int setup(void **state)
{
	static struct ddi ddi;

	claim = malloc(sizeof(*claim));
	ddi_make(&ddi, 512, ROLE_ROOT, VEXT_ARCH);
	*state = &ddi;
	return claim ? 0 : -1;
}

static int teardown(void **state)
{
	free(claim);
	ddi_free(*state);
	return 0;
}

static void assert_claim_is(const struct ddi *ddi, enum role role)
{
	assert_int_equal(claim->sector_size, ddi->sector);
	assert_int_equal(claim->partition_count, 3);
	assert_string_equal(claim->partitions[0].name, "data");
	assert_string_equal(claim->partitions[2].name, "signature");
	assert_int_equal(claim->layout.role, role);
	assert_memory_equal(&claim->layout.data, &ddi->extent[DDI_DATA], sizeof(struct extent));
	assert_memory_equal(&claim->layout.tree, &ddi->extent[DDI_TREE], sizeof(struct extent));
	assert_memory_equal(&claim->layout.signature, &ddi->extent[DDI_SIGNATURE],
			    sizeof(struct extent));
	assert_memory_equal(claim->root_hash, ddi->root_hash, VEXT_HASH_SIZE);
	assert_int_equal(claim->signature_size, 4);
	assert_int_equal(claim->verity.data_blocks, DDI_DATA_BLOCKS);
	assert_int_equal(claim->verity.salt_size, DDI_SALT_SIZE);
}

static void takes_images_of_both_sector_sizes_and_roles(void **state)
{
	static const uint32_t sectors[] = { 512, 4096 };
	static const enum role roles[] = { ROLE_ROOT, ROLE_USR };

	(void)state;
	for (size_t i = 0; i < COUNT(sectors); i++)
		for (size_t j = 0; j < COUNT(roles); j++) {
			struct ddi ddi;

			ddi_make(&ddi, sectors[i], roles[j], VEXT_ARCH);
			assert_reason(parse(&ddi), ACCEPTED);
			assert_claim_is(&ddi, roles[j]);
			ddi_put_backup(&ddi);
			assert_reason(parse(&ddi), ACCEPTED);
			assert_claim_is(&ddi, roles[j]);
			ddi_free(&ddi);
		}
}

static void wants_both_checksums(void **state)
{
	struct ddi *ddi = *state;

	ddi_header(ddi)[16] ^= 1;
	assert_refused_at(parse(ddi), GPT_CHECKSUM, 512);
	ddi_header(ddi)[16] ^= 1;
	ddi_entry(ddi, 100)[56] ^= 1;
	assert_refused_at(parse(ddi), GPT_CHECKSUM, 512);
}

static void never_uses_the_backup(void **state)
{
	struct ddi *ddi = *state;

	ddi_put_backup(ddi);
	ddi_entry(ddi, 100)[56] ^= 1;
	assert_reason(parse(ddi), GPT_CHECKSUM);
	ddi_entry(ddi, 100)[56] ^= 1;
	ddi_header(ddi)[16] ^= 1;
	assert_reason(parse(ddi), GPT_CHECKSUM);
	memset(ddi_header(ddi), 0, 512);
	assert_reason(parse(ddi), GPT_MISSING);
}

/* No bit of the header or of the array can change unseen. */
static void covers_the_table_by_checksums(void **state)
{
	struct ddi *ddi = *state;
	uint8_t *const parts[] = { ddi_header(ddi), ddi_entry(ddi, 0), ddi_entry(ddi, 127) };
	const size_t sizes[] = { 92, 3 * 128, 128 };

	for (size_t i = 0; i < COUNT(parts); i++)
		for (size_t byte = 0; byte < sizes[i]; byte++) {
			parts[i][byte] ^= (uint8_t)(1u << byte % 8);
			assert_false(is_accepted(parse(ddi)));
			parts[i][byte] ^= (uint8_t)(1u << byte % 8);
		}
	assert_reason(parse(ddi), ACCEPTED);
}

static void refuses_partitions_out_of_range(void **state)
{
	static const struct {
		uint64_t first, last;
	} odd[] = {
		{ 200, 199 }, /* ends before it starts: empty */
		{ 200, 100 },
		{ 0, 10 }, /* the table itself */
		{ 1, 1 },
		{ 33, 40 },
		{ 1000, 5000 }, /* beyond the file */
		{ 1u << 30, (1u << 30) + 8 },
		{ 1ull << 60, (1ull << 60) + 8 },
		{ (1ull << 63) + 40, (1ull << 63) + 48 },
		{ 128, UINT64_MAX },
		{ UINT64_MAX, UINT64_MAX },
		{ 0, UINT64_MAX },
	};
	struct ddi *ddi = *state;
	uint8_t entry[128];

	for (size_t i = 0; i < COUNT(odd); i++)
		for (size_t j = 0; j < 3; j++) {
			memcpy(entry, ddi_entry(ddi, j), sizeof(entry));
			ddi_put_range(ddi, j, odd[i].first, odd[i].last);
			assert_reason(sealed(ddi), GPT_RANGE);
			memcpy(ddi_entry(ddi, j), entry, sizeof(entry));
		}
}

/* libblkid passes over what is outside of the usable sectors without a word. */
static void refuses_partitions_outside_the_usable_sectors(void **state)
{
	struct ddi *ddi = *state;

	put_le(ddi_header(ddi) + 40, 300, 8); /* first usable: behind all three */
	assert_false(is_accepted(sealed(ddi)));
	put_le(ddi_header(ddi) + 40, 200, 8); /* behind the data */
	assert_false(is_accepted(sealed(ddi)));
	put_le(ddi_header(ddi) + 40, 34, 8);
	put_le(ddi_header(ddi) + 48, 200, 8); /* last usable: before tree and signature */
	assert_false(is_accepted(sealed(ddi)));
	put_le(ddi_header(ddi) + 48, UINT64_MAX, 8);
	assert_false(is_accepted(sealed(ddi)) && claim->partition_count != 3);
}

static void refuses_overlaps_and_second_ones(void **state)
{
	struct ddi *ddi = *state;

	ddi_put_range(ddi, DDI_TREE, 200, 300);
	assert_reason(sealed(ddi), GPT_OVERLAP);
	ddi_free(ddi);
	ddi_make(ddi, 512, ROLE_ROOT, VEXT_ARCH);
	ddi_add(ddi, 3, VEXT_ARCH, ROLE_ROOT, DDI_DATA);
	assert_reason(sealed(ddi), GPT_DUPLICATE);
	ddi_put_type(ddi, 3, VEXT_ARCH, ROLE_ROOT, DDI_SIGNATURE);
	assert_reason(sealed(ddi), GPT_DUPLICATE);
	ddi_put_type(ddi, 3, VEXT_ARCH, ROLE_USR, DDI_DATA);
	assert_reason(sealed(ddi), GPT_MIXED);
	ddi_put_type(ddi, 3, OTHER_ARCH, ROLE_USR, DDI_DATA);
	assert_reason(sealed(ddi), ACCEPTED);
}

static void takes_the_uuids_where_there_is_no_envelope(void **state)
{
	struct ddi *ddi = *state;

	memset(ddi_entry(ddi, DDI_SIGNATURE), 0, 128);
	assert_reason(sealed(ddi), ACCEPTED);
	assert_int_equal(claim->stage, CLAIM_COMPLETE);
	assert_false(claim_is_signed(claim));
	assert_int_equal(claim->signature_size, 0);
	assert_memory_equal(claim->root_hash, ddi->root_hash, VEXT_HASH_SIZE);
}

static void hands_on_attributes(void **state)
{
	struct ddi *ddi = *state;

	put_le(ddi_entry(ddi, DDI_DATA) + 48, UINT64_C(1) << 60 | 1, 8);
	assert_reason(sealed(ddi), ACCEPTED);
	assert_true(claim->partitions[DDI_DATA].attributes == (UINT64_C(1) << 60 | 1));
	assert_true(claim->partitions[DDI_TREE].attributes == 0);
}

static void wants_the_whole_triple(void **state)
{
	struct ddi *ddi = *state;

	memset(ddi_entry(ddi, DDI_SIGNATURE), 0, 128);
	memset(ddi_entry(ddi, DDI_TREE), 0, 128);
	assert_reason(sealed(ddi), GPT_TREE);
	memset(ddi_entry(ddi, DDI_DATA), 0, 128);
	assert_false(is_accepted(sealed(ddi)));
}

static void wants_its_own_architecture(void **state)
{
	struct ddi ddi;

	(void)state;
	ddi_make(&ddi, 512, ROLE_ROOT, OTHER_ARCH);
	assert_reason(parse(&ddi), GPT_ARCHITECTURE);
	ddi_free(&ddi);
}

static void takes_a_full_table(void **state)
{
	struct ddi *ddi = *state;

	for (size_t i = 3; i < 128; i++) {
		uint8_t *entry = ddi_entry(ddi, i);

		memset(entry, (int)i, 32);
		ddi_put_range(ddi, i, 512 + i, 512 + i); /* one sector each */
	}
	assert_reason(sealed(ddi), ACCEPTED);
	assert_int_equal(claim->partition_count, 128);
}

/* UTF-16 of any kind, up to all 36 units, becomes UTF-8 that fits, or nothing. */
static void copies_partition_names(void **state)
{
	struct ddi *ddi = *state;
	uint8_t *name = ddi_entry(ddi, DDI_DATA) + 56;

	for (size_t i = 0; i < 36; i++)
		put_le(name + 2 * i, 0x202e, 2); /* right-to-left override: three bytes of UTF-8 */
	assert_reason(sealed(ddi), ACCEPTED);
	assert_int_equal(strlen(claim->partitions[0].name), 108);
	memset(name, 0, 72);
	put_le(name, 0x1b, 2);
	put_le(name + 2, '\n', 2);
	put_le(name + 4, '|', 2);
	put_le(name + 6, ' ', 2); /* libblkid takes white space off the end */
	assert_reason(sealed(ddi), ACCEPTED);
	assert_string_equal(claim->partitions[0].name, "\x1b\n|");
	memset(name, 0xff, 72);
	assert_reason(sealed(ddi), ACCEPTED);
	for (size_t i = 0; i < 36; i++)
		put_le(name + 2 * i, 0xd800, 2); /* half surrogates */
	assert_reason(sealed(ddi), ACCEPTED);
}

static void wants_the_uuids_of_the_root_hash(void **state)
{
	struct ddi *ddi = *state;

	ddi_entry(ddi, DDI_DATA)[16] ^= 1;
	assert_reason(sealed(ddi), GPT_UUID);
	assert_int_equal(claim->stage, CLAIM_LAYOUT);
	ddi_entry(ddi, DDI_DATA)[16] ^= 1;
	ddi_entry(ddi, DDI_TREE)[31] ^= 1;
	assert_reason(sealed(ddi), GPT_UUID);
}

static void says_where_the_envelope_is_bad(void **state)
{
	struct ddi *ddi = *state;

	ddi_put_envelope(ddi, "{", 1);
	assert_refused_at(parse(ddi), ENVELOPE_JSON, ddi->extent[DDI_SIGNATURE].offset + 1);
	ddi_put_envelope(ddi, "{}\0x", 4);
	assert_refused_at(parse(ddi), ENVELOPE_PADDING, ddi->extent[DDI_SIGNATURE].offset + 2);
	ddi_put_range(ddi, DDI_SIGNATURE, 384, 384 + 128); /* a sector more than 64 KiB */
	assert_refused_at(sealed(ddi), ENVELOPE_SIZE, ddi->extent[DDI_SIGNATURE].offset);
}

static void says_where_the_superblock_is_bad(void **state)
{
	struct ddi *ddi = *state;
	const uint64_t at = ddi->extent[DDI_TREE].offset;

	ddi_superblock(ddi)[32] = 'S';
	assert_refused_at(parse(ddi), SUPERBLOCK_ALGORITHM, at + 32);
	assert_int_equal(claim->stage, CLAIM_ENVELOPE);
	ddi_superblock(ddi)[32] = 's';
	put_le(ddi_superblock(ddi) + 72, 17, 8);
	assert_refused_at(parse(ddi), SUPERBLOCK_DATA_BLOCKS, at + 72);
	put_le(ddi_superblock(ddi) + 72, 16, 8);
	ddi_put_range(ddi, DDI_TREE, 256, 256); /* one sector: a superblock and no tree */
	assert_refused_at(sealed(ddi), SUPERBLOCK_TREE, at + 72);
	memset(ddi_superblock(ddi), 0, 512);
	assert_refused_at(parse(ddi), SUPERBLOCK_MAGIC, at);
}

/* The file is shorter than it was said to be: it was truncated after it was opened. */
static void survives_truncation_anywhere(void **state)
{
	struct ddi *ddi = *state;
	const uint64_t end = ddi->extent[DDI_SIGNATURE].offset + ddi->extent[DDI_SIGNATURE].size;

	for (uint64_t stored = 0; stored < end; stored += 512) {
		assert_refused_at(parse_cut(ddi, stored, DDI_SIZE), IMAGE_TRUNCATED, DDI_SIZE - 1);
		/* And one that was opened at that length. */
		assert_false(is_accepted(parse_cut(ddi, stored, stored)));
	}
	assert_reason(parse_cut(ddi, 0, 0), IMAGE_EMPTY);
	assert_reason(parse_cut(ddi, DDI_SIZE - 1, DDI_SIZE), IMAGE_TRUNCATED);
}

static void survives_a_huge_size(void **state)
{
	const uint64_t huge = VEXT_IMAGE_SIZE_MAX / 512 * 512;
	int fd = ddi_open(*state, DDI_SIZE);

	assert_int_equal(ftruncate(fd, (off_t)huge), 0); /* sparse */
	assert_reason(parse_fd(fd, huge), ACCEPTED);
}

static void tells_a_file_that_cannot_be_read(void **state)
{
	struct parser parser = { .size = DDI_SIZE, .arch = VEXT_ARCH };
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	parser.fd = ends[0];
	memset(claim, 0, sizeof(*claim));
	if (parser_open(&parser))
		assert_reason(parser_run(&parser, claim), SYSTEM_READ);
	parser_close(&parser);
	close(ends[0]);
	close(ends[1]);
}

static void tells_a_descriptor_that_cannot_be_read(void **state)
{
	char path[64];
	int fd = ddi_open(*state, DDI_SIZE);

	sprintf(path, "/proc/self/fd/%d", fd);
	assert_reason(parse_fd(open(path, O_WRONLY), DDI_SIZE), SYSTEM_READ);
	close(fd);
}

#define with_image(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_image(takes_images_of_both_sector_sizes_and_roles),
		with_image(wants_both_checksums),
		with_image(never_uses_the_backup),
		with_image(covers_the_table_by_checksums),
		with_image(refuses_partitions_out_of_range),
		with_image(refuses_partitions_outside_the_usable_sectors),
		with_image(refuses_overlaps_and_second_ones),
		with_image(takes_the_uuids_where_there_is_no_envelope),
		with_image(hands_on_attributes),
		with_image(wants_the_whole_triple),
		with_image(wants_its_own_architecture),
		with_image(takes_a_full_table),
		with_image(copies_partition_names),
		with_image(wants_the_uuids_of_the_root_hash),
		with_image(says_where_the_envelope_is_bad),
		with_image(says_where_the_superblock_is_bad),
		with_image(survives_truncation_anywhere),
		with_image(survives_a_huge_size),
		with_image(tells_a_file_that_cannot_be_read),
		with_image(tells_a_descriptor_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
