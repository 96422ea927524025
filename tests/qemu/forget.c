/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes files and devices out of memory, so that they are read again, for the guests; the sysctl
 * for that waits for every file system, also for one whose disk does not answer.
 *
 *   forget FILE...
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int failures = 0;

	for (int i = 1; i < argc; i++) {
		const int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
		const int error = fd < 0 ? -1 : posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);

		if (error != 0) {
			fprintf(stderr, "forget: %s: %s\n", argv[i],
				error < 0 ? "not opened" : strerror(error));
			failures++;
		}
		if (fd >= 0)
			close(fd);
	}
	return failures != 0;
}
