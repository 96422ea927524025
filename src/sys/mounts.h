/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of this process's namespace, as /proc/self/mountinfo lists them. */
#ifndef VEXT_SYS_MOUNTS_H
#define VEXT_SYS_MOUNTS_H

#include <stdio.h>

#include "core/mountinfo.h"
#include "vext.h"

/* About 8 KB: on the heap. The caller releases it with mounts_close(). */
struct mounts {
	FILE *file;
	char *line; /* an overlay of many layers has a long one */
	size_t room;
	struct mountinfo mount; /* the one that mounts_next() has found */
};

/* NULL and errno on failure, such as without /proc. */
struct mounts *mounts_open(void);
void mounts_close(struct mounts *mounts);

enum mounts_state {
	MOUNTS_FOUND = 1, /* in mounts->mount */
	MOUNTS_END,
	MOUNTS_FAILED, /* errno; EBADMSG for a line of another form */
};

enum mounts_state mounts_next(struct mounts *mounts);

/* The id of the mount that an open file is on, as mountinfo has it; false and errno without /proc. */
bool mounts_id(int fd, uint64_t *id);

/* The path of an open file or directory, without any link, as mountinfo has it; false without /proc. */
bool mounts_path(int fd, char path[MOUNTINFO_PATH_MAX]);

/* Detaches a mount, wherever it is, with all that is mounted below it; -1 and errno, also without /proc. */
int mounts_detach(int mount_fd);

#endif
