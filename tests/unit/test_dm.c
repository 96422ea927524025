/* SPDX-License-Identifier: Apache-2.0 */
/* The link to a device, in a /dev of its own: for root only. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/dm.h"
#include "sys/syscalls.h"

#define LINK "/dev/mapper/vext-test"
#define ASIDE "/dev/mapper/.vext-vext-test"

static const struct dm_device device = { .control = -1, .fd = -1, .number = { 253, 7 } };
static bool is_root, has_udev;

/* Stands in for that of the library: udev comes first. */
int symlink(const char *target, const char *path)
{
	if (has_udev)
		assert_int_equal(symlinkat(target, AT_FDCWD, LINK), 0);
	return symlinkat(target, AT_FDCWD, path);
}

static int set_up(void **state)
{
	(void)state;
	has_udev = false;
	is_root = unshare(CLONE_NEWNS) == 0 &&
		  sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	if (!is_root)
		return 0;
	assert_int_equal(sys_mount("dev", "/dev", "tmpfs", 0, "mode=0755"), 0);
	return mkdir("/dev/mapper", 0755);
}

static void expect_linked(void)
{
	char target[64] = "";

	assert_int_equal(dm_link("vext-test", &device).reason, REASON_ACCEPTED);
	assert_true(readlink(LINK, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "../dm-7");
	assert_int_equal(access(ASIDE, F_OK), -1);
	assert_int_equal(unlink(ASIDE), -1);
}

static void test_link(void **state)
{
	(void)state;
	if (!is_root)
		skip();
	expect_linked();
	expect_linked(); /* again */
}

static void test_link_elsewhere(void **state)
{
	(void)state;
	if (!is_root)
		skip();
	assert_int_equal(symlink("../dm-1", LINK), 0);
	assert_int_equal(symlink("../dm-1", ASIDE), 0); /* left by one that was killed */
	expect_linked();
}

static void test_link_beside_udev(void **state)
{
	(void)state;
	if (!is_root)
		skip();
	has_udev = true;
	expect_linked();
}

static void test_no_link(void **state)
{
	struct verdict v;

	(void)state;
	if (!is_root)
		skip();
	assert_int_equal(mkdir(LINK, 0755), 0);
	v = dm_link("vext-test", &device);
	assert_int_equal(v.reason, REASON_KERNEL_NODE);
	assert_int_equal(v.sys_errno, EISDIR);
	assert_int_equal(unlink(ASIDE), -1); /* nothing is left of it */
	assert_int_equal(errno, ENOENT);
}

/* What needs a device mapper is for the guest (qemu/scenarios/reload). */
static void test_no_device_mapper(void **state)
{
	const struct dm_verity verity = {
		.name = "vext-test", .uuid = "CRYPT-VERITY-00-vext-test", .sectors = 8, .line = "1"
	};
	struct verdict v;

	(void)state;
	if (!is_root)
		skip();
	v = dm_verity_reload(&verity);
	assert_int_equal(v.reason, REASON_KERNEL_DEVICE_MAPPER);
	assert_int_equal(v.sys_errno, ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_link, set_up),
		cmocka_unit_test_setup(test_link_elsewhere, set_up),
		cmocka_unit_test_setup(test_link_beside_udev, set_up),
		cmocka_unit_test_setup(test_no_link, set_up),
		cmocka_unit_test_setup(test_no_device_mapper, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
