/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/syscalls.h"

#include <errno.h>

#include "vext.h"

int sys_openat2(int dir_fd, const char *path, int flags, uint64_t resolve)
{
	const struct open_how how = { .flags = (uint64_t)(unsigned)flags, .resolve = resolve };
	int tries = 0;
	int fd;

	do
		fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR) && ++tries < VEXT_TRIES_MAX);
	return fd;
}
