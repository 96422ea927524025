/* SPDX-License-Identifier: Apache-2.0 */
/* core/kmsg: records as the kernel writes them, and records as it does not. */
#include "core/kmsg.h"
#include "test.h"

static bool parse(const char *record, size_t size, struct kmsg *kmsg)
{
	char *exact = exact_copy(record, size);
	bool good;

	*kmsg = (struct kmsg){ .level = 42 };
	good = kmsg_parse(exact, size, kmsg);
	if (!good)
		assert_int_equal(kmsg->level, 42);
	free(exact);
	return good;
}

static void expect(const char *record, uint32_t level, const char *text)
{
	struct kmsg kmsg = { 0 };

	assert_true(kmsg_parse(record, strlen(record), &kmsg));
	assert_int_equal(kmsg.level, level);
	assert_int_equal(kmsg.text.size, strlen(text));
	assert_memory_equal(kmsg.text.bytes, text, strlen(text));
}

static void takes_records(void **state)
{
	(void)state;
	expect("3,393,2005483317,-;overlayfs: maximum fs stacking depth exceeded\n", 3,
	       "overlayfs: maximum fs stacking depth exceeded");
	expect("6,1,0,-,caller=T1;Linux version 6.12\n SUBSYSTEM=acpi\n DEVICE=+acpi:PNP0A03:00\n",
	       6, "Linux version 6.12");
	expect("0,1,0,c;a;b,c \\x5c ~\n", 0, "a;b,c \\x5c ~");
	expect("7,;\n", 7, "");
}

static void refuses_what_is_none(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		";\n",
		"3;text\n",
		",1,2,-;text\n",
		"x,1,2,-;text\n",
		"-3,1,2,-;text\n",
		"8,1,2,-;text of a program\n",
		"11,1,2,-;overlayfs: said by a program\n",
		"4294967299,1,2,-;text\n",
		"18446744073709551619,1,2,-;text\n",
		"3,1,2,- text\n",
		"3,1,2,-;text",
		"3,1,2,-;te\x1bxt\n",
		"3,1,2,-;te\x7fxt\n",
		"3,1,2,-;te\xc3\xa9xt\n",
		"3,1,2,-;te\txt\n",
	};
	static const char nul[] = "3,1,2,-;te\0xt\n";
	struct kmsg kmsg;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (parse(bad[i], strlen(bad[i]), &kmsg))
			fail_msg("taken: %s", bad[i]);
	assert_false(parse(nul, sizeof(nul) - 1, &kmsg));
	assert_true(parse("3,1;a\n", 6, &kmsg));
}

static void knows_who_speaks(void **state)
{
	static const char *const others[] = { "overlay: a",   "overlayfs",    "overlayfs:",
					      "overlayfs:a ", "overlayfs :",  "xoverlayfs: a",
					      "Overlayfs: a", "overlayfs; a", "" };
	struct kmsg kmsg = { 0 };
	struct piece words = { .size = 42 };

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		char *exact = exact_copy(others[i], strlen(others[i]));

		kmsg.text = (struct piece){ .bytes = exact, .size = strlen(others[i]) };
		assert_false(kmsg_words(&kmsg, "overlayfs", &words));
		assert_int_equal(words.size, 42);
		free(exact);
	}
	kmsg.text = (struct piece){ .bytes = "overlayfs: a: b", .size = 15 };
	assert_true(kmsg_words(&kmsg, "overlayfs", &words));
	assert_true(piece_is(words, "a: b"));
	kmsg.text.size = 11;
	assert_true(kmsg_words(&kmsg, "overlayfs", &words));
	assert_int_equal(words.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_records),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(knows_who_speaks),
	};

	return cmocka_run_group_tests_name("kmsg", tests, NULL, NULL);
}
