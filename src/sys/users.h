/* SPDX-License-Identifier: Apache-2.0 */
/* Which processes use an overlay that is mounted nowhere any more, as far as /proc tells. */
#ifndef VEXT_SYS_USERS_H
#define VEXT_SYS_USERS_H

#include <sys/types.h>

#include "vext.h"

/*
 * By which an overlay is known when it is off. Nothing else has the device while somebody uses the
 * overlay, nor the mount while somebody uses that; later something else may.
 */
struct overlay_id {
	uint32_t minor; /* of its st_dev, whose major is 0; 0: none */
	uint64_t mount; /* its id in /proc/self/mountinfo; 0: not known */
};

/* A process may use it in several ways; `uses` has the bits 1u << these. */
enum use {
	USE_MAPPED,  /* a file in its memory: what it runs, a library */
	USE_OPEN,    /* an open file */
	USE_CWD,     /* the working directory */
	USE_ROOT,    /* the root directory */
	USE_MOUNTED, /* mounted, whole or in part, in the mount namespace of the process */
};

#define USES 5u

/* A word for each. */
const char *use_name(enum use use);

#define USERS_MAX 64u
#define USER_NAME_MAX 16u /* bytes with NUL; TASK_COMM_LEN */

struct user {
	pid_t pid;
	uint32_t uses;
	char name[USER_NAME_MAX]; /* anybody's text, escape it */
};

struct users {
	size_t count;
	size_t left_out;  /* further ones, at least */
	bool is_complete; /* not, if a process could not be looked at within bounds */
	struct user list[USERS_MAX];
};

/*
 * `overlays` are of one merge; neither their devices nor their mounts are in this process's
 * mountinfo, but for parts of them that are mounted elsewhere. Looks at all processes but those of
 * vext. Needs privileges to see all of them. Not known are: what the kernel itself holds, such as a
 * loop device; with Linux before 6.8, what a process of another mount namespace has mapped from the
 * root's own part of the overlay; an open file of a process of another mount namespace.
 *
 * Most is read from the texts of /proc, which asks no disk. Only the working directory and the like
 * are looked up, at the end; all of it is done by a worker (sys/worker.h), with a bound, for a file
 * server that is gone may keep it.
 */
void users_find(const struct overlay_id overlays[], size_t count, struct users *users);

#endif
