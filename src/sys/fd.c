/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/fd.h"

ssize_t fd_read_whole(int fd, void *buffer, size_t room)
{
	uint8_t *to = buffer;
	size_t have = 0;
	int tries = 0;

	while (have < room) {
		const ssize_t got = read(fd, to + have, room - have);

		if (got < 0 && fd_interrupted(&tries))
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

bool fd_write_whole(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;
	int tries = 0;

	while (size > 0) {
		const ssize_t done = write(fd, at, size);

		if (done < 0 && fd_interrupted(&tries))
			continue;
		if (done <= 0)
			return false;
		at += done;
		size -= (size_t)done;
	}
	return true;
}
