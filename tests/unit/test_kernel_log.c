/* SPDX-License-Identifier: Apache-2.0 */
/* sys/kernel_log with a kernel that complains of overlays: for root only, in a mount namespace of its own. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/kernel_log.h"
#include "sys/syscalls.h"

static const char *const names[] = { "overlayfs", "overlay", NULL };
static bool can_ask;

/* Where the kernel's log may be read. */
static int set_up(void **state)
{
	int log;

	(void)state;
	can_ask = unshare(CLONE_NEWNS) == 0 &&
		  sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	log = can_ask ? kernel_log_open() : -1;
	can_ask = log >= 0;
	if (!can_ask)
		return 0;
	close(log);
	assert_int_equal(sys_mount("scratch", "/tmp", "tmpfs", 0, NULL), 0);
	assert_int_equal(chdir("/tmp"), 0);
	for (const char *const *name =
		     (const char *const[]){ "a", "b", "c", "d", "one", "two", "three", NULL };
	     *name; name++)
		assert_int_equal(mkdir(*name, 0755), 0);
	close(open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	assert_int_equal(sys_mount("o", "one", "overlay", 0, "lowerdir=a:b"), 0);
	assert_int_equal(sys_mount("o", "two", "overlay", 0, "lowerdir=one:c"), 0);
	return 0;
}

static void try_mount(const char *options, int error)
{
	assert_int_equal(sys_mount("o", "three", "overlay", 0, options), -1);
	assert_int_equal(errno, error);
}

/* The kernel names the layer that is not there; and nobody else has one of that name. */
static const char *missing(const char *which)
{
	static char name[32];

	snprintf(name, sizeof(name), "%s-%d", which, (int)getpid());
	return name;
}

static void miss(const char *which)
{
	char options[64];

	snprintf(options, sizeof(options), "lowerdir=%s:a", missing(which));
	try_mount(options, ENOENT);
}

/* What others do with overlays at the same time is in the log, too. */
static void passes_the_kernels_words_on(void **state)
{
	char buffer[2048];
	struct text detail;
	int log;

	(void)state;
	if (!can_ask)
		skip();
	miss("before");
	log = kernel_log_open();
	miss("first");
	text_init(&detail, buffer, sizeof(buffer));
	kernel_log_take(log, names, &detail);
	assert_non_null(strstr(buffer, missing("first")));
	assert_null(strstr(buffer, missing("before")));
	assert_null(strstr(buffer, "overlay"));
	miss("second");
	try_mount("lowerdir=two:d", EINVAL);
	try_mount("lowerdir=file:a", EINVAL); /* "overlay: " since Linux 6.8 */
	text_init(&detail, buffer, sizeof(buffer));
	text_str(&detail, "etc: ");
	kernel_log_take(log, names, &detail);
	assert_memory_equal(buffer, "etc: ", 5);
	assert_true(buffer[5] != ';');
	assert_null(strstr(buffer, missing("first")));
	assert_non_null(strstr(buffer, missing("second")));
	assert_non_null(strstr(buffer, "; maximum fs stacking depth exceeded; "));
	assert_non_null(strstr(buffer, "not a directory"));
	assert_true(text_ok(&detail));
	close(log);
}

static void takes_no_programs_word(void **state)
{
	char buffer[2048], forged[64];
	struct text detail;
	int log, writer;

	(void)state;
	if (!can_ask)
		skip();
	log = kernel_log_open();
	writer = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	snprintf(forged, sizeof(forged), "<3>overlayfs: %s\n", missing("forged"));
	assert_int_equal(write(writer, forged, strlen(forged)), strlen(forged));
	close(writer);
	miss("true");
	text_init(&detail, buffer, sizeof(buffer));
	kernel_log_take(log, names, &detail);
	assert_null(strstr(buffer, missing("forged")));
	assert_non_null(strstr(buffer, missing("true")));
	text_init(&detail, buffer, sizeof(buffer));
	miss("other");
	kernel_log_take(log, (const char *const[]){ "another", NULL }, &detail);
	assert_string_equal(buffer, "");
	close(log);
}

static void leaves_out_what_has_no_room(void **state)
{
	char buffer[20];
	struct text detail;
	int log;

	(void)state;
	if (!can_ask)
		skip();
	log = kernel_log_open();
	text_init(&detail, buffer, sizeof(buffer));
	try_mount("lowerdir=two:d", EINVAL);
	kernel_log_take(log, names, &detail);
	assert_string_equal(buffer, "");
	assert_false(text_ok(&detail));
	close(log);
}

static void does_without(void **state)
{
	char buffer[20];
	struct text detail;

	(void)state;
	text_init(&detail, buffer, sizeof(buffer));
	kernel_log_take(-1, names, &detail);
	assert_string_equal(buffer, "");
	if (!can_ask)
		skip();
	assert_int_equal(sys_mount("dev", "/dev", "tmpfs", 0, NULL), 0);
	assert_int_equal(kernel_log_open(), -1);
	close(open("/dev/kmsg", O_WRONLY | O_CREAT | O_CLOEXEC,
		   0644)); /* a file is no log, but no harm either */
	kernel_log_take(kernel_log_open(), names, &detail);
	assert_string_equal(buffer, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(passes_the_kernels_words_on, set_up),
		cmocka_unit_test_setup(takes_no_programs_word, set_up),
		cmocka_unit_test_setup(leaves_out_what_has_no_room, set_up),
		cmocka_unit_test_setup(does_without, set_up),
	};

	return cmocka_run_group_tests_name("kernel_log", tests, NULL, NULL);
}
