/* SPDX-License-Identifier: Apache-2.0 */
/* core/gpt: which tables libblkid is let at. */
#include "core/gpt.h"
#include "ddi.h"

static struct verdict find(const struct ddi *ddi, uint64_t size, struct gpt *gpt)
{
	struct memory memory = { .bytes = ddi->bytes, .size = size };
	const struct reader reader = memory_reader(&memory);

	return gpt_find(&reader, size, gpt);
}

/* The verdict for the image as it is now; on failure nothing is written. */
static struct verdict find_all(const struct ddi *ddi)
{
	struct gpt gpt = { .sector_size = 42, .entries = 42, .table_end = 42 };
	struct verdict v = find(ddi, DDI_SIZE, &gpt);

	if (!is_accepted(v)) {
		assert_int_equal(gpt.sector_size, 42);
		assert_int_equal(gpt.entries, 42);
		assert_int_equal(gpt.table_end, 42);
	}
	return v;
}

static int setup(void **state)
{
	static struct ddi ddi;

	ddi_make(&ddi, 512, ROLE_ROOT, VEXT_ARCH);
	*state = &ddi;
	return 0;
}

static int teardown(void **state)
{
	ddi_free(*state);
	return 0;
}

static void finds_both_sector_sizes(void **state)
{
	static const uint32_t sizes[] = { 512, 4096 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct ddi ddi;
		struct gpt gpt;

		ddi_make(&ddi, sizes[i], ROLE_USR, VEXT_ARCH);
		assert_reason(find(&ddi, DDI_SIZE, &gpt), ACCEPTED);
		assert_int_equal(gpt.sector_size, sizes[i]);
		assert_int_equal(gpt.entries, 128);
		assert_int_equal(gpt.table_end, 2 * sizes[i] + 128 * 128);
		ddi_free(&ddi);
	}
}

static void refuses_what_is_no_disk(void **state)
{
	struct ddi *ddi = *state;
	struct gpt gpt;

	memset(ddi->bytes, 0, DDI_SIZE);
	assert_refused_at(find_all(ddi), IMAGE_FORMAT, 0);
	memcpy(ddi->bytes, "hsqs", 4); /* squashfs without a table: the old format */
	assert_refused_at(find_all(ddi), IMAGE_FORMAT, 0);
	assert_refused_at(find(ddi, 511, &gpt), IMAGE_FORMAT, 0);
	assert_refused_at(find(ddi, 0, &gpt), IMAGE_FORMAT, 0);
}

static void refuses_a_boot_sector_alone(void **state)
{
	struct ddi *ddi = *state;
	struct gpt gpt;

	memset(ddi_header(ddi), 0, 512);
	assert_reason(find_all(ddi), GPT_MISSING);
	assert_reason(find(ddi, 512, &gpt), GPT_MISSING);
	assert_reason(find(ddi, 1023, &gpt), GPT_MISSING);
}

/* Two sectors hold a header, which then has no room for what it says; so do two large ones. */
static void reads_a_header_at_the_end(void **state)
{
	struct ddi *ddi = *state;
	struct gpt gpt;
	struct verdict v = find(ddi, 1024, &gpt);

	assert_false(is_accepted(v));
	assert_string_not_equal(reason_name(v.reason), reason_name(REASON_GPT_MISSING));
	memmove(ddi->bytes + 4096, ddi->bytes + 512, 512);
	memset(ddi->bytes + 512, 0, 512);
	v = find(ddi, 8192, &gpt);
	assert_false(is_accepted(v));
	assert_string_not_equal(reason_name(v.reason), reason_name(REASON_GPT_MISSING));
	assert_reason(find(ddi, 8191, &gpt), GPT_MISSING);
}

static void refuses_boot_sectors_that_protect_badly(void **state)
{
	struct ddi *ddi = *state;
	uint8_t *records = ddi->bytes + 446;

	records[16] = 1; /* hybrid: a second record */
	assert_reason(find_all(ddi), GPT_PMBR);
	records[16] = 0;
	records[48 + 15] = 1; /* the fourth one, its last byte */
	assert_reason(find_all(ddi), GPT_PMBR);
	records[48 + 15] = 0;
	records[4] = 0xef;
	assert_reason(find_all(ddi), GPT_PMBR);
	memset(records, 0, 16);
	assert_reason(find_all(ddi), GPT_PMBR);
	records[16 + 4] = 0xee; /* in another place it protects as well */
	assert_reason(find_all(ddi), ACCEPTED);
	records[4] = 0xee; /* twice it is not plain */
	assert_reason(find_all(ddi), GPT_PMBR);
	memset(records, 0, 32);
	records[4] = 0xee;
	ddi->bytes[511] = 0;
	assert_reason(find_all(ddi), GPT_PMBR);
}

static void refuses_a_table_at_both_sector_sizes(void **state)
{
	struct ddi *ddi = *state;

	memcpy(ddi->bytes + 4096, "EFI PART", 8);
	assert_reason(find_all(ddi), GPT_AMBIGUOUS);
	memset(ddi_header(ddi), 0, 8);
	assert_reason(find_all(ddi), GPT_HEADER); /* the other one alone, and it holds nothing */
}

struct field {
	size_t offset, size;
	uint64_t value;
};

static void refuses_odd_headers(void **state)
{
	static const struct field odd[] = {
		{ 8, 4, 0x00010001 },  { 8, 4, 0 },	      { 8, 4, 0x00020000 },  { 12, 4, 91 },
		{ 12, 4, 513 },	       { 12, 4, UINT32_MAX }, { 12, 4, 0 },	     { 20, 4, 1 },
		{ 24, 8, 0 },	       { 24, 8, 2 },	      { 24, 8, UINT64_MAX }, { 72, 8, 1 },
		{ 72, 8, 3 },	       { 72, 8, UINT64_MAX }, { 40, 8, 0 },	     { 40, 8, 1 },
		{ 40, 8, UINT64_MAX }, { 48, 8, 0 },	      { 48, 8, 33 },
	};
	struct ddi *ddi = *state;

	for (size_t i = 0; i < COUNT(odd); i++) {
		uint8_t *field = ddi_header(ddi) + odd[i].offset, saved[8];

		memcpy(saved, field, odd[i].size);
		put_le(field, odd[i].value, odd[i].size);
		assert_refused_at(find_all(ddi), GPT_HEADER, 512);
		memcpy(field, saved, odd[i].size);
	}
	assert_reason(find_all(ddi), ACCEPTED);
	put_le(ddi_header(ddi) + 12, 512, 4); /* a header may be as long as its sector */
	assert_reason(find_all(ddi), ACCEPTED);
}

static void wants_room_for_what_it_calls_usable(void **state)
{
	struct ddi *ddi = *state;
	const uint64_t sectors = DDI_SIZE / 512;

	put_le(ddi_header(ddi) + 48, sectors - 1, 8);
	assert_reason(find_all(ddi), ACCEPTED);
	put_le(ddi_header(ddi) + 48, sectors, 8);
	assert_refused_at(find_all(ddi), GPT_RANGE, 512 + 48);
	put_le(ddi_header(ddi) + 48, UINT64_MAX, 8);
	assert_refused_at(find_all(ddi), GPT_RANGE, 512 + 48);
}

static void bounds_the_entries(void **state)
{
	static const struct field odd[] = {
		{ 80, 4, 0 }, { 80, 4, 129 }, { 80, 4, 1u << 20 }, { 80, 4, UINT32_MAX },
		{ 84, 4, 0 }, { 84, 4, 256 }, { 84, 4, 127 },	   { 84, 4, UINT32_MAX },
	};
	struct ddi *ddi = *state;
	struct gpt gpt;

	for (size_t i = 0; i < COUNT(odd); i++) {
		uint8_t *field = ddi_header(ddi) + odd[i].offset, saved[4];

		memcpy(saved, field, odd[i].size);
		put_le(field, odd[i].value, odd[i].size);
		assert_refused_at(find_all(ddi), GPT_ENTRIES, 512 + 80);
		memcpy(field, saved, odd[i].size);
	}
	put_le(ddi_header(ddi) + 80, 3, 4);
	assert_reason(find(ddi, DDI_SIZE, &gpt), ACCEPTED);
	assert_int_equal(gpt.entries, 3);
	assert_int_equal(gpt.table_end, 1024 + 3 * 128);
}

static void counts_used_entries(void **state)
{
	struct ddi *ddi = *state;
	struct memory memory = { .bytes = ddi->bytes, .size = DDI_SIZE };
	const struct reader reader = memory_reader(&memory);
	struct gpt gpt;
	uint32_t used = 0;

	assert_reason(find(ddi, DDI_SIZE, &gpt), ACCEPTED);
	assert_reason(gpt_count_used(&reader, &gpt, &used), ACCEPTED);
	assert_int_equal(used, 3);
	ddi_entry(ddi, 127)[15] = 1;
	assert_reason(gpt_count_used(&reader, &gpt, &used), ACCEPTED);
	assert_int_equal(used, 4);
	ddi_entry(ddi, 50)[16] = 1; /* without a type it is not in use, whatever else it says */
	assert_reason(gpt_count_used(&reader, &gpt, &used), ACCEPTED);
	assert_int_equal(used, 4);
	memory.size = 2 * 512 + 127 * 128;
	used = 42;
	assert_reason(gpt_count_used(&reader, &gpt, &used), IMAGE_TRUNCATED);
	assert_int_equal(used, 42);
}

static void passes_on_what_reading_says(void **state)
{
	struct ddi *ddi = *state;
	struct memory memory = { .bytes = ddi->bytes, .size = DDI_SIZE };
	const struct reader reader = memory_reader(&memory);
	struct gpt gpt;

	assert_reason(gpt_find(&reader, DDI_SIZE, &gpt), ACCEPTED);
	for (uint64_t last = memory.reads, n = 1; n <= last; n++) {
		memory.reads = 0;
		memory.fail_from = n;
		memory.fail_to = 0;
		assert_reason(gpt_find(&reader, DDI_SIZE, &gpt), SYSTEM_READ);
		memory.reads = 0;
		memory.fail_to = n;
		assert_reason(gpt_find(&reader, DDI_SIZE, &gpt), SYSTEM_READ);
	}
}

#define with_image(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_both_sector_sizes),
		with_image(refuses_what_is_no_disk),
		with_image(refuses_a_boot_sector_alone),
		with_image(reads_a_header_at_the_end),
		with_image(refuses_boot_sectors_that_protect_badly),
		with_image(refuses_a_table_at_both_sector_sizes),
		with_image(refuses_odd_headers),
		with_image(wants_room_for_what_it_calls_usable),
		with_image(bounds_the_entries),
		with_image(counts_used_entries),
		with_image(passes_on_what_reading_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
