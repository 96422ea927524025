/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys/syscalls: paths with ".." are opened while others copy mount namespaces all the time. For
 * root only, on two processors.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/syscalls.h"

#define COPIERS 2
#define MOUNTS 400
#define SECONDS 4

static pid_t copiers[COPIERS];

/* As a machine does on which services start that have a namespace of their own. */
static _Noreturn void copy_namespaces(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < MOUNTS; i++)
		(void)sys_mount("/", "/mnt", NULL, MS_BIND, NULL);
	for (;;) {
		const pid_t pid = fork();

		if (pid == 0)
			_exit(unshare(CLONE_NEWNS));
		(void)waitpid(pid, NULL, 0);
	}
}

static int set_up(void **state)
{
	static bool is_root;

	is_root = unshare(CLONE_NEWNS) == 0 &&
		  sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	*state = is_root ? &is_root : NULL;
	for (int i = 0; i < COPIERS && is_root; i++) {
		copiers[i] = fork();
		if (copiers[i] == 0 && unshare(CLONE_NEWNS) == 0)
			copy_namespaces();
	}
	return 0;
}

static int tear_down(void **state)
{
	for (int i = 0; i < COPIERS && *state; i++) {
		kill(copiers[i], SIGKILL);
		(void)waitpid(copiers[i], NULL, 0);
	}
	return 0;
}

static void opens_beside_mounts(void **state)
{
	const int root = open("/", O_PATH | O_CLOEXEC);
	const time_t end = time(NULL) + SECONDS;

	if (!*state)
		skip();
	while (time(NULL) < end) {
		const int fd = sys_openat2(root, "usr/lib/../bin/../../etc/../usr/bin/../../etc",
					   O_PATH | O_CLOEXEC, RESOLVE_IN_ROOT);

		if (fd < 0)
			fail_msg("errno %d", errno);
		(void)close(fd);
	}
	(void)close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opens_beside_mounts, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
