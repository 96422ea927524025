/* SPDX-License-Identifier: Apache-2.0 */
/* core/name: which names an extension may have, and which a file gives it. */
#include "core/name.h"

#include "test.h"

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

static enum reason check(const char *name)
{
	return name_check(name).reason;
}

static void accepts_names_in_use(void **state)
{
	(void)state;
	assert_int_equal(check("docker-flatcar"), REASON_ACCEPTED);
	assert_int_equal(check("a"), REASON_ACCEPTED);
	assert_int_equal(check("_x"), REASON_ACCEPTED);
	assert_int_equal(check("0"), REASON_ACCEPTED);
	assert_int_equal(check("azAZ09"), REASON_ACCEPTED);
	assert_int_equal(check("Z"), REASON_ACCEPTED);
	assert_int_equal(check("oem-qemu_1.2+3@x86-64"), REASON_ACCEPTED);
	assert_int_equal(check(SIXTY "12345678"), REASON_ACCEPTED);
}

static void refuses_special_characters(void **state)
{
	static const char bad[] = "/ :,\\\n\t\x1b\x7f~%#'\"$`;|&<>*?[](){}!=^";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) - 1; i++) {
		const char name[] = { 'a', bad[i], 'b', '\0' };

		assert_int_equal(check(name), REASON_IMAGE_NAME);
	}
	assert_int_equal(check("na\xc3\xafve"), REASON_IMAGE_NAME);
}

static void refuses_bad_first_characters(void **state)
{
	(void)state;
	assert_int_equal(check(""), REASON_IMAGE_NAME);
	assert_int_equal(check("."), REASON_IMAGE_NAME);
	assert_int_equal(check(".."), REASON_IMAGE_NAME);
	assert_int_equal(check(".hidden"), REASON_IMAGE_NAME);
	assert_int_equal(check("-option"), REASON_IMAGE_NAME);
	assert_int_equal(check("+x"), REASON_IMAGE_NAME);
	assert_int_equal(check("@x"), REASON_IMAGE_NAME);
}

static void refuses_the_78th_character(void **state)
{
	(void)state;
	assert_int_equal(check(SIXTY "123456789"), REASON_IMAGE_NAME);
}

static void knows_image_files(void **state)
{
	(void)state;
	assert_true(name_is_image_file("a.raw"));
	assert_true(name_is_image_file("..raw"));
	assert_false(name_is_image_file(".raw"));
	assert_false(name_is_image_file(""));
	assert_false(name_is_image_file("raw"));
	assert_false(name_is_image_file("a.raw.old"));
	assert_false(name_is_image_file("a.RAW"));
}

static void takes_names_from_files(void **state)
{
	char name[VEXT_NAME_MAX + 1];

	(void)state;
	assert_int_equal(name_from_file("docker.raw", CLASS_SYSEXT, name).reason, REASON_ACCEPTED);
	assert_string_equal(name, "docker");
	assert_int_equal(name_from_file("docker.sysext.raw", CLASS_SYSEXT, name).reason,
			 REASON_ACCEPTED);
	assert_string_equal(name, "docker");
	assert_int_equal(name_from_file("docker.img", CLASS_SYSEXT, name).reason, REASON_ACCEPTED);
	assert_string_equal(name, "docker.img");
	assert_int_equal(name_from_file("a.raw.raw", CLASS_SYSEXT, name).reason, REASON_ACCEPTED);
	assert_string_equal(name, "a.raw");
	assert_int_equal(name_from_file(SIXTY "12345678.sysext.raw", CLASS_SYSEXT, name).reason,
			 REASON_ACCEPTED);
	assert_string_equal(name, SIXTY "12345678");
}

static void takes_names_by_class(void **state)
{
	static const struct {
		const char *file;
		enum extension_class class;
		const char *name;
	} rows[] = {
		{ "a.confext.raw", CLASS_CONFEXT, "a" },
		{ "a.confext.raw", CLASS_SYSEXT, "a.confext" },
		{ "a.sysext.raw", CLASS_CONFEXT, "a.sysext" },
		{ "a.sysext.raw", CLASS_UNKNOWN, "a" },
		{ "a.confext.raw", CLASS_UNKNOWN, "a" },
		{ "a.confext.sysext.raw", CLASS_UNKNOWN, "a.confext" },
		{ "asysext.raw", CLASS_SYSEXT, "asysext" },
		{ "a..raw", CLASS_SYSEXT, "a." },
		{ "absysext.raw", CLASS_SYSEXT, "absysext" },
		{ "sysext.raw", CLASS_SYSEXT, "sysext" },
		{ "a.raw", CLASS_CONFEXT, "a" },
	};
	char name[VEXT_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(name_from_file(rows[i].file, rows[i].class, name).reason,
				 REASON_ACCEPTED);
		assert_string_equal(name, rows[i].name);
	}
	assert_int_equal(name_from_file(".confext.raw", CLASS_CONFEXT, name).reason,
			 REASON_IMAGE_NAME);
}

static void leaves_the_name_alone_when_it_refuses(void **state)
{
	char name[VEXT_NAME_MAX + 1] = "before";

	(void)state;
	assert_int_equal(name_from_file("a b.raw", CLASS_SYSEXT, name).reason, REASON_IMAGE_NAME);
	assert_int_equal(name_from_file(".raw", CLASS_SYSEXT, name).reason, REASON_IMAGE_NAME);
	assert_int_equal(name_from_file(SIXTY "123456789.raw", CLASS_SYSEXT, name).reason,
			 REASON_IMAGE_NAME);
	assert_int_equal(name_from_file(SIXTY SIXTY SIXTY ".raw", CLASS_SYSEXT, name).reason,
			 REASON_IMAGE_NAME);
	assert_string_equal(name, "before");
}

static bool matches(const char *name, const char *pattern)
{
	const size_t size = strlen(pattern);
	char *copy = exact_copy(pattern, size);
	const bool result = name_matches(name, copy, size);

	free(copy);
	return result;
}

static void matches_patterns(void **state)
{
	(void)state;
	assert_true(matches("docker", "docker"));
	assert_false(matches("docker", "docke"));
	assert_false(matches("docke", "docker"));
	assert_true(matches("docker", "*"));
	assert_true(matches("docker", "******"));
	assert_true(matches("docker", "docker*"));
	assert_true(matches("docker", "d*r"));
	assert_false(matches("docker", "d*c"));
	assert_true(matches("docker", "??????"));
	assert_false(matches("docker", "?????"));
	assert_false(matches("docker", "???????"));
	assert_true(matches("abcabd", "*abd"));
	assert_true(matches("aXbXc", "a*?c"));
	assert_false(matches("ac", "a*?c"));
	assert_true(matches("a-b-c", "*-*-*"));
	assert_false(matches("a-b", "*-*-*"));
	assert_false(matches("", "?"));
	assert_true(matches("", "*"));
	/* Exponential for a matcher that tries everything. */
	assert_false(matches(SIXTY, "*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*x"));
}

static void refuses_what_is_no_pattern(void **state)
{
	(void)state;
	assert_false(matches("a", ""));
	assert_false(matches("a/b", "a/b"));
	assert_false(matches("a", "a\n"));
	assert_false(matches("[a]", "[a]"));
	assert_false(name_is_pattern("a\0", 2));
	assert_true(name_is_pattern(SIXTY "12345678", 68));
	assert_false(name_is_pattern(SIXTY "123456789", 69));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_names_in_use),
		cmocka_unit_test(refuses_special_characters),
		cmocka_unit_test(refuses_bad_first_characters),
		cmocka_unit_test(refuses_the_78th_character),
		cmocka_unit_test(knows_image_files),
		cmocka_unit_test(takes_names_from_files),
		cmocka_unit_test(takes_names_by_class),
		cmocka_unit_test(leaves_the_name_alone_when_it_refuses),
		cmocka_unit_test(matches_patterns),
		cmocka_unit_test(refuses_what_is_no_pattern),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
