/* SPDX-License-Identifier: Apache-2.0 */
/* File descriptors that close themselves: `FD_CLEANUP int fd = -1;`, keeping errno. */
#ifndef VEXT_SYS_FD_H
#define VEXT_SYS_FD_H

#include <errno.h>
#include <unistd.h>

#include "vext.h"

static inline void fd_close(int *fd)
{
	const int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

#define FD_CLEANUP __attribute__((cleanup(fd_close)))

/* Hands the descriptor over: the caller's variable no longer closes it. */
static inline int fd_take(int *fd)
{
	const int taken = *fd;

	*fd = -1;
	return taken;
}

/*
 * Is a call worth another try, being interrupted? Bounded: a call that is interrupted for ever fails.
 *
 *	int tries = 0;
 *	do
 *		got = read(fd, buf, size);
 *	while (got < 0 && fd_interrupted(&tries));
 */
static inline int fd_interrupted(int *tries)
{
	return errno == EINTR && ++*tries < VEXT_TRIES_MAX;
}

/* Writes all of it; false and errno if that fails. */
bool fd_write_whole(int fd, const void *bytes, size_t size);

/* Reads up to `room` bytes or to the end; their number, or -1 and errno. */
ssize_t fd_read_whole(int fd, void *buffer, size_t room);

#endif
