/* SPDX-License-Identifier: Apache-2.0 */
/* core/mountinfo: lines as the kernel writes them, and lines as it does not. */
#include "test.h"

#include "core/mountinfo.h"

static struct mountinfo mount;

static void takes_a_line(void **state)
{
	(void)state;
	assert_true(
		mountinfo_parse("36 35 98:4294967295 /mnt1 /usr/share rw,noatime master:1 shared:2 "
				"- ext4 /dev/root rw,errors=continue\n",
				&mount));
	assert_int_equal(mount.id, 36);
	assert_int_equal(mount.parent, 35);
	assert_int_equal(mount.major, 98);
	assert_int_equal(mount.minor, UINT32_MAX);
	assert_false(mount.is_whole);
	assert_string_equal(mount.point, "/usr/share");
	assert_string_equal(mount.type, "ext4");
	assert_string_equal(mount.source, "/dev/root");
}

static void takes_a_line_without_optional_fields(void **state)
{
	(void)state;
	assert_true(mountinfo_parse("18446744073709551615 0 0:0 / / rw - tmpfs none rw", &mount));
	assert_true(mount.id == UINT64_MAX);
	assert_true(mount.is_whole);
	assert_string_equal(mount.point, "/");
	assert_string_equal(mount.source, "none");
}

/* As of mount -t tmpfs "" /p; what an overlay says of its layers may be as long as it likes. */
static void takes_an_empty_source(void **state)
{
	(void)state;
	assert_true(mountinfo_parse("1 2 3:4 / /p rw - tmpfs  rw,size=1024k\n", &mount));
	assert_string_equal(mount.type, "tmpfs");
	assert_string_equal(mount.source, "");
	assert_true(mountinfo_parse("1 2 3:4 / /p rw shared:1 - t s ", &mount));
	assert_string_equal(mount.source, "s");
}

static void undoes_escapes(void **state)
{
	(void)state;
	assert_true(mountinfo_parse(
		"1 2 3:4 / /a\\040b\\012\\134c\\08x\\1x0\\12x\\9 rw - t s\\04 rw", &mount));
	assert_string_equal(mount.point, "/a b\n\\c\\08x\\1x0\\12x\\9");
	assert_string_equal(mount.source, "s\\04");
	assert_true(mountinfo_parse("1 2 3:4 / /\\070\\107\\377\\087 rw - t s rw", &mount));
	assert_string_equal(mount.point, "/8G\377\\087");
	assert_true(mountinfo_parse("1 2 3:4 / /a\\040 rw - t s\\011 rw", &mount));
	assert_string_equal(mount.point, "/a ");
	assert_string_equal(mount.source, "s\t");
	assert_true(
		mountinfo_parse("1 2 3:4 / /\\x41\\-12\\1-2\\12-\\1/2\\128 rw - t s rw", &mount));
	assert_string_equal(mount.point, "/\\x41\\-12\\1-2\\12-\\1/2\\128");
}

static void refuses_other_forms(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		"x 2 3:4 / /p rw - t s rw",
		"1",
		"1x2 3:4 / /p rw - t s rw",
		"1 x 3:4 / /p rw - t s rw",
		"18446744073709551616 2 3:4 / /p rw - t s rw",
		"1 2 4294967296:4 / /p rw - t s rw",
		"1 2 3:4294967296 / /p rw - t s rw",
		"1 2 3 / /p rw - t s rw",
		" 2 3:4 / /p rw - t s rw",
		"1 2 :4 / /p rw - t s rw",
		"1 2 3: / /p rw - t s rw",
		"1 2 3:4",
		"1 2 3:4 ",
		"1 2 3:4 /",
		"1 2 3:4 / ",
		"1 2 3:4 / /p",
		"1 2 3:4 / /p rw",
		"1 2 3:4 / /p rw master:1",
		"1 2 3:4 / /p rw -x t s rw",
		"1 2 3:4 / /p rw -",
		"1 2 3:4 / /p rw - t",
		"1 2 3:4 / /p rw - t s\n",
		"1 2 3:4 / /p rw - 0123456789012345678901234567890123456789012345678901234567890123 s rw",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		if (mountinfo_parse(lines[i], &mount))
			fail_msg("accepted: %s", lines[i]);
}

static void refuses_a_path_that_is_too_long(void **state)
{
	static char line[2 * MOUNTINFO_PATH_MAX];
	const size_t before = strlen("1 2 3:4 / ");

	(void)state;
	strcpy(line, "1 2 3:4 / ");
	memset(line + before, 'p', MOUNTINFO_PATH_MAX - 1);
	strcpy(line + before + MOUNTINFO_PATH_MAX - 1, " rw - t s rw");
	assert_true(mountinfo_parse(line, &mount));
	assert_int_equal(strlen(mount.point), MOUNTINFO_PATH_MAX - 1);
	strcpy(line + before + MOUNTINFO_PATH_MAX - 1, "p rw - t s rw");
	assert_false(mountinfo_parse(line, &mount));
}

static void tells_what_is_below(void **state)
{
	(void)state;
	assert_string_equal(mountinfo_below("/usr/a/b", "/usr"), "a/b");
	assert_string_equal(mountinfo_below("/usr", "/"), "usr");
	assert_null(mountinfo_below("/usr", "/usr"));
	assert_null(mountinfo_below("/usr/", "/usr"));
	assert_null(mountinfo_below("/usrlocal", "/usr"));
	assert_null(mountinfo_below("/us", "/usr"));
	assert_null(mountinfo_below("/", "/"));
}

static void finds_options_of_the_file_system(void **state)
{
	static const char line[] =
		"229 148 0:59 / /usr rw,nodev,upperdir=/run/a shared:31 - overlay sysext "
		"rw,lowerdir=/a:/b\\054upperdir=/run/x,upperdir=/var/u,workdir=/run/w\n";

	(void)state;
	assert_true(mountinfo_has_option(line, "rw"));
	assert_true(mountinfo_has_option(line, "upperdir=/var/"));
	assert_true(mountinfo_has_option(line, "workdir=/run/w"));
	assert_false(mountinfo_has_option(line, "upperdir=/run/"));
	assert_false(mountinfo_has_option(line, "dir="));
	assert_false(mountinfo_has_option(line, "nodev"));
	assert_true(mountinfo_has_option("1 2 3:4 / / rw - overlay  ro,upperdir=/run/x",
					 "upperdir=/run/"));
	assert_false(mountinfo_has_option("1 2 3:4 / / rw overlay x ro", "ro"));
	assert_false(mountinfo_has_option("1 2 3:4 / / rw - overlay", "ro"));
	assert_false(mountinfo_has_option("1 2 3:4 / / rw - overlay x", "x"));
	assert_false(mountinfo_has_option("", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_line),
		cmocka_unit_test(takes_a_line_without_optional_fields),
		cmocka_unit_test(takes_an_empty_source),
		cmocka_unit_test(undoes_escapes),
		cmocka_unit_test(refuses_other_forms),
		cmocka_unit_test(refuses_a_path_that_is_too_long),
		cmocka_unit_test(tells_what_is_below),
		cmocka_unit_test(finds_options_of_the_file_system),
	};

	return cmocka_run_group_tests_name("mountinfo", tests, NULL, NULL);
}
