/* SPDX-License-Identifier: Apache-2.0 */
/* core/origin: which paths stand in the file as they are, and that the longest entry fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/origin.h"

static void takes_plain_paths_only(void **state)
{
	static const char *const others[] = {
		"", "x", "etc/x.raw", "/a\"b", "/a\\b", "/a\nb", "/a\x7f", "/\xc3\xa4",
	};

	(void)state;
	assert_true(origin_is_plain("/"));
	assert_true(origin_is_plain("/var/lib/extensions/a b_+@{}~!.raw"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(origin_is_plain(others[i]));
}

static void has_room_for_the_longest(void **state)
{
	static const uint8_t hash[VEXT_HASH_SIZE] = { 1 };
	char name[VEXT_NAME_MAX + 1] = { 0 }, path[ORIGIN_PATH_MAX + 1] = { 0 };
	char entry[ORIGIN_ENTRY_MAX];
	struct text text;

	(void)state;
	memset(name, 'n', VEXT_NAME_MAX);
	memset(path, '/', ORIGIN_PATH_MAX);
	assert_false(origin_is_plain(path));
	path[ORIGIN_PATH_MAX - 1] = '\0';
	assert_true(origin_is_plain(path));
	text_init(&text, entry, sizeof(entry));
	origin_put(&text, name, path, hash);
	assert_true(text_ok(&text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_plain_paths_only),
		cmocka_unit_test(has_room_for_the_longest),
	};

	return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}
