/* SPDX-License-Identifier: Apache-2.0 */
/* core/class: the table of the kinds of extensions, as far as others rely on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/class.h"
#include "core/table.h"

static void has_device_names_that_never_meet(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CLASSES; i++) {
		const char *device = class_traits((enum extension_class)i)->device;

		assert_int_equal(strlen(device) + VEXT_NAME_MAX + sizeof("-01234567"),
				 TABLE_NAME_MAX);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(device,
						class_traits((enum extension_class)k)->device);
	}
}

static void knows_names(void **state)
{
	static const char *const bad[] = { "", "sysex", "sysexts", "Sysext", "extensions", "-" };

	(void)state;
	assert_int_equal(class_named("sysext", 6), CLASS_SYSEXT);
	assert_int_equal(class_named("confext, x", 7), CLASS_CONFEXT);
	assert_int_equal(class_named("sysext", 7), CLASS_UNKNOWN); /* with its NUL */
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(class_named(bad[i], strlen(bad[i])), CLASS_UNKNOWN);
}

static void gives_every_hierarchy_to_one_class(void **state)
{
	(void)state;
	assert_string_equal(hierarchy_name(HIERARCHY_USR), "usr");
	assert_string_equal(hierarchy_name(HIERARCHY_OPT), "opt");
	assert_string_equal(hierarchy_name(HIERARCHY_ETC), "etc");
	assert_int_equal(hierarchy_class(HIERARCHY_USR), CLASS_SYSEXT);
	assert_int_equal(hierarchy_class(HIERARCHY_OPT), CLASS_SYSEXT);
	assert_int_equal(hierarchy_class(HIERARCHY_ETC), CLASS_CONFEXT);
	assert_int_equal(hierarchies_of(0), 0);
	assert_int_equal(hierarchies_of(1u << CLASS_SYSEXT),
			 1u << HIERARCHY_USR | 1u << HIERARCHY_OPT);
	assert_int_equal(hierarchies_of(CLASSES_ALL), (1u << HIERARCHIES) - 1);
	assert_true(class_traits(CLASS_CONFEXT)->is_without_programs);
	assert_false(class_traits(CLASS_SYSEXT)->is_without_programs);
}

static void knows_directories(void **state)
{
	static const struct {
		const char *path;
		enum extension_class class;
	} rows[] = {
		{ "/etc/extensions", CLASS_SYSEXT },
		{ "/.extra/sysext", CLASS_SYSEXT },
		{ "/run/confexts", CLASS_CONFEXT },
		{ "/.extra/confext", CLASS_CONFEXT },
		{ "/.extra/global_confext", CLASS_CONFEXT },
		{ "/.extra/global_sysext", CLASS_SYSEXT },
		{ "/global_", CLASS_SYSEXT },
		{ "/a/global_x/confext", CLASS_CONFEXT },
		{ "/confexts", CLASS_CONFEXT },
		{ "/confexts/more", CLASS_SYSEXT },
		{ "/lib/myconfexts", CLASS_SYSEXT },
		{ "/lib/images", CLASS_SYSEXT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(class_of_directory(rows[i].path), rows[i].class);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_device_names_that_never_meet),
		cmocka_unit_test(knows_names),
		cmocka_unit_test(gives_every_hierarchy_to_one_class),
		cmocka_unit_test(knows_directories),
	};

	return cmocka_run_group_tests_name("class", tests, NULL, NULL);
}
