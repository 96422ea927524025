/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/syscalls.h"

#include <errno.h>
#include <time.h>

#define MILLISECOND 1000000L /* in nanoseconds */
#define PAUSE_DOUBLINGS 6u
#define TRIES_AT_ONCE 16 /* enough for one mount or rename, or a few */
#define TRIES_MAX 1000	 /* with a millisecond between two of the others */

void sys_pause_before(unsigned attempt)
{
	const unsigned doublings = attempt < PAUSE_DOUBLINGS ? attempt : PAUSE_DOUBLINGS;
	const struct timespec pause = { .tv_nsec = MILLISECOND << doublings };

	(void)nanosleep(&pause, NULL);
}

int sys_openat2(int dir_fd, const char *path, int flags, uint64_t resolve)
{
	const struct open_how how = { .flags = (uint64_t)(unsigned)flags, .resolve = resolve };
	static const struct timespec pause = { .tv_nsec = MILLISECOND };
	int fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

	for (int i = 0; fd < 0 && (errno == EAGAIN || errno == EINTR) && i < TRIES_MAX; i++) {
		if (i >= TRIES_AT_ONCE)
			(void)nanosleep(&pause, NULL);
		fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	}
	return fd;
}
