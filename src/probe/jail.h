/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child process that can read one file, write one reply and nothing else.
 */
#ifndef VEXT_PROBE_JAIL_H
#define VEXT_PROBE_JAIL_H

#include <sys/types.h>

#include "vext.h"

/* The file and the pipe inside the jail. */
#define JAIL_FILE_FD 0
#define JAIL_REPLY_FD 1

/* Limits of the child. */
#define JAIL_WALL_MS 30000u    /* milliseconds for the whole job; slow disks count here */
#define JAIL_FAREWELL_MS 1000u /* and then, for a child that was killed, to end */
#define JAIL_CPU_SECONDS 2u    /* seconds of CPU time */
#define JAIL_ADDRESS_SPACE \
	(32u << 20) /* bytes; vext with all its images holds two thirds of it at the fork */

struct jail_job {
	/*
	 * Both run in the child. prepare() still has all system calls but no other file than
	 * JAIL_FILE_FD, and must not look at it; false gives system.jail. work() runs under the filter and
	 * fills the zeroed `reply`.
	 */
	bool (*prepare)(void *ctx);
	void (*work)(void *ctx, void *reply);
	void *ctx;
	size_t reply_size; /* bytes, exactly; no pointers in it */
	uint32_t wall_ms;  /* milliseconds, JAIL_WALL_MS but for tests */
	pid_t *process; /* NULL, or where the child stands while there is one, and 0 afterwards */
};

/*
 * Runs the job in a child with no_new_privs, a seccomp filter that kills on anything but reading the
 * file, writing the reply, memory and exit, resource limits, and all other files closed. Does not need
 * /proc. The child is gone when this returns, but for one that sleeps in the kernel: it was killed,
 * and is left behind.
 *
 * Accepted: `reply` holds exactly reply_size bytes that the child chose; they are as hostile as the
 * file. Otherwise system.jail, system.jail-killed, system.jail-time or system.jail-reply, and `reply` is
 * undefined.
 */
struct verdict jail_run(int fd, const struct jail_job *job, void *reply);

#endif
