/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/mounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "sys/fd.h"
#include "sys/syscalls.h"

#define MOUNTINFO "/proc/self/mountinfo"
#define FDINFO "/proc/self/fdinfo/"
#define FDINFO_PATH_SIZE (sizeof(FDINFO) + 20)
#define FDINFO_LINE_SIZE 128u
#define LINK "/proc/self/fd/"
#define LINK_SIZE (sizeof(LINK) + 20)
#define FDINFO_ID "mnt_id:\t" /* proc_pid_fdinfo(5) */

struct mounts *mounts_open(void)
{
	struct mounts *mounts = calloc(1, sizeof(*mounts));

	if (mounts == NULL)
		return NULL;
	mounts->file = fopen(MOUNTINFO, "re");
	if (mounts->file == NULL) {
		mounts_close(mounts);
		return NULL;
	}
	return mounts;
}

void mounts_close(struct mounts *mounts)
{
	const int saved = errno;

	if (mounts != NULL) {
		if (mounts->file != NULL)
			(void)fclose(mounts->file);
		free(mounts->line);
	}
	free(mounts);
	errno = saved;
}

enum mounts_state mounts_next(struct mounts *mounts)
{
	errno = 0;
	if (getline(&mounts->line, &mounts->room, mounts->file) < 0)
		return feof(mounts->file) ? MOUNTS_END : MOUNTS_FAILED;
	if (mountinfo_parse(mounts->line, &mounts->mount))
		return MOUNTS_FOUND;
	errno = EBADMSG;
	return MOUNTS_FAILED;
}

/* The digits behind "mnt_id:", up to the end of the line. */
static bool parse_id(const char *line, uint64_t *id)
{
	const char *at = line + strlen(FDINFO_ID);
	uint64_t sum = 0;

	if (strncmp(line, FDINFO_ID, strlen(FDINFO_ID)) != 0 || *at == '\n')
		return false;
	for (; *at >= '0' && *at <= '9'; at++) {
		const uint64_t digit = (uint64_t)(*at - '0');

		if (sum > (UINT64_MAX - digit) / 10)
			return false;
		sum = 10 * sum + digit;
	}
	*id = sum;
	return *at == '\n';
}

bool mounts_id(int fd, uint64_t *id)
{
	char path[FDINFO_PATH_SIZE];
	char line[FDINFO_LINE_SIZE];
	struct text text;
	bool found = false;
	FILE *file;

	text_init(&text, path, sizeof(path));
	text_str(&text, FDINFO);
	text_u64(&text, (uint64_t)fd);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL)
		found = parse_id(line, id);
	(void)fclose(file);
	if (!found)
		errno = EBADMSG;
	return found;
}

/* The file's own name in /proc, which leads to it whatever its path is. */
static void put_link(char link[LINK_SIZE], int fd)
{
	struct text text;

	text_init(&text, link, LINK_SIZE);
	text_str(&text, LINK);
	text_u64(&text, (uint64_t)fd);
}

bool mounts_path(int fd, char path[MOUNTINFO_PATH_MAX])
{
	char link[LINK_SIZE];
	ssize_t size;

	put_link(link, fd);
	size = readlink(link, path, MOUNTINFO_PATH_MAX);
	if (size <= 0 || size == (ssize_t)MOUNTINFO_PATH_MAX)
		return false;
	path[size] = '\0';
	return true;
}

/* umount takes a path only. */
int mounts_detach(int mount_fd)
{
	char link[LINK_SIZE];

	put_link(link, mount_fd);
	return sys_umount(link, SYS_UMOUNT_DETACH);
}
