/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/section: the format of what is baked, and its scopes. */
#include "crypto/section.h"

#include "test.h"

#define ROOM 512u

/* A section that is written record by record. */
struct writer {
	uint8_t bytes[ROOM];
	size_t used;
};

static void begin(struct writer *w, uint32_t flags)
{
	memset(w, 0, sizeof(*w));
	memcpy(w->bytes, VEXT_SECTION_MAGIC, VEXT_SECTION_MAGIC_SIZE);
	put_le(w->bytes + VEXT_SECTION_MAGIC_SIZE, flags, 4);
	w->used = VEXT_SECTION_MAGIC_SIZE + 4;
}

/* A record with a body of this size; returns where it starts. */
static size_t put(struct writer *w, const char *tag, const void *body, size_t size)
{
	const size_t at = w->used;

	memcpy(w->bytes + at, tag, 4);
	put_le(w->bytes + at + 4, size, 4);
	memcpy(w->bytes + at + 8, body, size);
	w->used += 8 + size;
	return at;
}

static size_t put_text(struct writer *w, const char *tag, const char *text)
{
	return put(w, tag, text, strlen(text));
}

/* In a buffer of just the size, with `zeros` behind the records. */
static struct verdict open_with(const struct writer *w, size_t zeros, struct section *section)
{
	static uint8_t *copy;

	free(copy);
	copy = exact_copy(w->bytes, w->used + zeros);
	return section_open(cursor_over(copy, w->used + zeros), section);
}

static void takes_all_kinds(void **state)
{
	static const uint8_t hash[VEXT_HASH_SIZE] = { 1, 2, 3 };
	static const char *const tags[] = { "CERT", "NAME", "FROM", "NAME",
					    "CERT", "RCRT", "RHSH", "CONF" };
	struct section section;
	struct section_record record;
	struct writer w;
	size_t n = 0;

	(void)state;
	begin(&w, VEXT_SECTION_RELEASE);
	put_text(&w, "CERT", "0");
	put_text(&w, "NAME", "docker-*");
	put_text(&w, "FROM", "/etc/extensions");
	put_text(&w, "NAME", "x");
	put_text(&w, "CERT", "another");
	put(&w, "RCRT", hash, sizeof(hash));
	put(&w, "RHSH", hash, sizeof(hash));
	put_text(&w, "CONF", "");
	for (size_t zeros = 0; zeros < 12; zeros++)
		assert_reason(open_with(&w, zeros, &section), ACCEPTED);
	assert_int_equal(section.flags, VEXT_SECTION_RELEASE);
	for (; section_next(&section, &record); n++)
		assert_memory_equal(&record.tag, tags[n], 4);
	assert_int_equal(n, COUNT(tags));
}

static void takes_nothing_at_all(void **state)
{
	struct section section;
	struct section_record record;
	struct writer w;

	(void)state;
	begin(&w, 0);
	assert_reason(open_with(&w, 0, &section), ACCEPTED);
	assert_int_equal(section.flags, 0);
	assert_false(section_next(&section, &record));
}

static void refuses_another_head(void **state)
{
	struct section section = { .flags = 7 };
	struct writer w;

	(void)state;
	begin(&w, 0);
	w.bytes[14] ^= 1;
	assert_refused_at(open_with(&w, 0, &section), SIGNATURE_SECTION, 0);
	begin(&w, 2);
	assert_refused_at(open_with(&w, 0, &section), SIGNATURE_SECTION, 16);
	begin(&w, 0);
	w.used = 15;
	assert_refused_at(open_with(&w, 0, &section), SIGNATURE_SECTION, 0);
	w.used = 19;
	assert_refused_at(open_with(&w, 0, &section), SIGNATURE_SECTION, 16);
	assert_int_equal(section.flags, 7);
}

/* One record behind a certificate, or the only one. */
static void refuses(bool behind_certificate, const char *tag, const void *body, size_t size)
{
	struct section section;
	struct writer w;
	size_t at;

	begin(&w, 0);
	if (behind_certificate)
		put_text(&w, "CERT", "0");
	at = put(&w, tag, body, size);
	assert_refused_at(open_with(&w, 20, &section), SIGNATURE_SECTION, at);
}

static void refuses_bad_records(void **state)
{
	char large[VEXT_NAME_MAX + 200];

	(void)state;
	memset(large, 'a', sizeof(large));
	large[0] = '/';
	refuses(false, "CERT", "", 0);
	refuses(false, "cert", "0", 1);
	refuses(true, "RCRT", large, 31);
	refuses(true, "RCRT", large, 33);
	refuses(true, "RHSH", large, 0);
	refuses(true, "NAME", "", 0);
	refuses(true, "NAME", "a/b", 3);
	refuses(true, "NAME", "a\0b", 3);
	refuses(true, "NAME", large + 1, VEXT_NAME_MAX + 1);
	refuses(true, "FROM", "/", 1);
	refuses(true, "FROM", "etc", 3);
	refuses(true, "FROM", "/etc/", 5);
	refuses(true, "FROM", "/e\0c", 4);
	refuses(true, "FROM", large, 256);
	refuses(false, "NAME", "a", 1);
	refuses(false, "FROM", "/a", 2);
}

static void refuses_bad_order(void **state)
{
	static const uint8_t hash[VEXT_HASH_SIZE] = { 1 };
	struct section section;
	struct writer w;
	size_t at;

	(void)state;
	begin(&w, 0);
	put_text(&w, "CERT", "0");
	put(&w, "RCRT", hash, sizeof(hash));
	at = put_text(&w, "NAME", "a");
	assert_refused_at(open_with(&w, 4, &section), SIGNATURE_SECTION, at);
	begin(&w, 0);
	put_text(&w, "CONF", "a");
	at = put_text(&w, "CONF", "a");
	assert_refused_at(open_with(&w, 4, &section), SIGNATURE_SECTION, at);
}

/* Cut anywhere but between two records, it is refused; and a byte behind the zeros is no padding. */
static void refuses_what_is_cut(void **state)
{
	struct section section;
	struct writer w;
	size_t first, end;

	(void)state;
	begin(&w, 0);
	first = w.used;
	put_text(&w, "CERT", "certificate");
	end = w.used;
	for (w.used = first + 1; w.used < end; w.used++)
		assert_refused_at(open_with(&w, 0, &section), SIGNATURE_SECTION, first);
	w.bytes[end + 9] = 1;
	assert_refused_at(open_with(&w, 10, &section), SIGNATURE_SECTION, end);
	put_le(w.bytes + first + 4, UINT32_MAX, 4);
	assert_refused_at(open_with(&w, 0, &section), SIGNATURE_SECTION, first);
}

static void has_a_sound_section_of_its_own(void **state)
{
	struct section section;
	const char *config = NULL;
	size_t size = 1;

	(void)state;
	assert_reason(section_open(section_own(), &section), ACCEPTED);
	assert_int_equal(section.records.left, 0);
	assert_reason(section_config(&config, &size), ACCEPTED);
	assert_non_null(config);
	assert_int_equal(size, 0);
}

/* The scope is what follows the certificate. */
static bool admits(const struct writer *w, const char *name, const char *directory)
{
	struct section section;
	struct section_record record;

	assert_reason(open_with(w, 0, &section), ACCEPTED);
	assert_true(section_next(&section, &record));
	return section_admits(section.records, name, directory);
}

static void narrows_by_names(void **state)
{
	struct writer w;

	(void)state;
	begin(&w, 0);
	put_text(&w, "CERT", "0");
	assert_true(admits(&w, NULL, NULL));
	put_text(&w, "NAME", "a");
	put_text(&w, "NAME", "b*");
	assert_true(admits(&w, "a", NULL));
	assert_true(admits(&w, "bcd", "/etc"));
	assert_false(admits(&w, "c", "/etc"));
	assert_false(admits(&w, NULL, "/etc"));
}

static void narrows_by_directories(void **state)
{
	struct writer w;

	(void)state;
	begin(&w, 0);
	put_text(&w, "CERT", "0");
	put_text(&w, "FROM", "/etc/extensions");
	put_text(&w, "FROM", "/run");
	assert_true(admits(&w, NULL, "/run"));
	assert_true(admits(&w, "x", "/etc/extensions"));
	assert_false(admits(&w, "x", "/etc"));
	assert_false(admits(&w, "x", "/etc/extensions/x"));
	assert_false(admits(&w, "x", NULL));
	put_text(&w, "NAME", "y");
	assert_false(admits(&w, "x", "/run"));
	assert_true(admits(&w, "y", "/run"));
	assert_false(admits(&w, "y", "/opt"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_all_kinds),
		cmocka_unit_test(takes_nothing_at_all),
		cmocka_unit_test(refuses_another_head),
		cmocka_unit_test(refuses_bad_records),
		cmocka_unit_test(refuses_bad_order),
		cmocka_unit_test(refuses_what_is_cut),
		cmocka_unit_test(has_a_sound_section_of_its_own),
		cmocka_unit_test(narrows_by_names),
		cmocka_unit_test(narrows_by_directories),
	};

	return cmocka_run_group_tests_name("section", tests, NULL, NULL);
}
