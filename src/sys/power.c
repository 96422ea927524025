/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/power.h"

#include <errno.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRIES_PER_SECOND 20u

/* In a child: a disk that does not answer makes sync(2) wait for good, and nothing can end that. */
static void sync_for_a_while(void)
{
	const struct timespec pause = { .tv_nsec = 1000000000L / TRIES_PER_SECOND };
	const pid_t child = fork();

	if (child == 0) {
		sync();
		_exit(0);
	}
	for (unsigned i = 0; child > 0 && i < POWER_SYNC_SECONDS * TRIES_PER_SECOND; i++) {
		if (waitpid(child, NULL, WNOHANG) != 0)
			return;
		nanosleep(&pause, NULL);
	}
}

struct verdict power_off(void)
{
	sync_for_a_while();
	reboot(RB_POWER_OFF);
	return verdict_errno(REASON_SYSTEM_POWER, errno);
}
