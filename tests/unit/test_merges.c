/* SPDX-License-Identifier: Apache-2.0 */
/* core/merges: the record of vext's own merges, and what is none. */
#include "test.h"

#include "core/merges.h"

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddee01"
#define HEX32 "0123456789abcdef0123456789abcdef"
#define HEAD "vext-merged 1\n"
#define BAKED "baked " HEX64 "\n"
#define TOKEN "token " HEX32 "\n"

static bool parses(const char *text, struct merges *merges)
{
	return merges_parse(text, strlen(text), merges);
}

static void reads_what_it_writes(void **state)
{
	static const char whole[] = HEAD BAKED TOKEN "merged usr etc\n";
	char buffer[MERGES_SIZE_MAX];
	struct merges merges;
	struct text text;

	(void)state;
	assert_true(parses(whole, &merges));
	assert_int_equal(merges.baked[1], 0x11);
	assert_int_equal(merges.token[15], 0xef);
	assert_true(merges.merged[HIERARCHY_USR] && merges.merged[HIERARCHY_ETC]);
	assert_false(merges.merged[HIERARCHY_OPT]);
	text_init(&text, buffer, sizeof(buffer));
	merges_put(&merges, &text);
	assert_true(text_ok(&text));
	assert_string_equal(buffer, whole);
}

static void nothing_may_be_merged(void **state)
{
	char buffer[MERGES_SIZE_MAX];
	struct merges merges;
	struct text text;

	(void)state;
	assert_true(parses(HEAD BAKED TOKEN "merged\n", &merges));
	assert_false(merges.merged[HIERARCHY_USR] || merges.merged[HIERARCHY_OPT] ||
		     merges.merged[HIERARCHY_ETC]);
	for (unsigned i = 0; i < HIERARCHIES; i++)
		merges.merged[i] = true;
	text_init(&text, buffer, sizeof(buffer));
	merges_put(&merges, &text);
	assert_true(text_ok(&text));
	assert_true(parses(buffer, &merges));
}

static void refuses_any_other_text(void **state)
{
	static const char *const others[] = {
		"",
		HEAD,
		HEAD BAKED TOKEN,
		HEAD BAKED TOKEN "merged usr",
		HEAD BAKED TOKEN "merged usr\n\n",
		HEAD BAKED TOKEN "merged usr\nmore\n",
		HEAD BAKED TOKEN "merged usr usr\n",
		HEAD BAKED TOKEN "merged var\n",
		HEAD BAKED TOKEN "merge\n",
		HEAD TOKEN BAKED "merged\n",
		"vext-merged 2\n" BAKED TOKEN "merged\n",
		HEAD "baked " HEX32 "\n" TOKEN "merged\n",
		HEAD BAKED "token " HEX64 "\nmerged\n",
		HEAD BAKED "token 0123456789ABCDEF0123456789abcdef\nmerged\n",
		HEAD BAKED "token\nmerged\n",
		" " HEAD BAKED TOKEN "merged\n",
	};
	struct merges merges;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(parses(others[i], &merges));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(nothing_may_be_merged),
		cmocka_unit_test(refuses_any_other_text),
	};

	return cmocka_run_group_tests_name("merges", tests, NULL, NULL);
}
