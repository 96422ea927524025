/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/place.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mountinfo.h"
#include "core/text.h"
#include "sys/content.h"
#include "sys/fd.h"
#include "sys/mounts.h"

struct place {
	struct stat st;
	char path[MOUNTINFO_PATH_MAX]; /* without links */
};

static struct verdict failed(void)
{
	return verdict_errno(REASON_MERGE_HIERARCHY, errno);
}

static bool find(int fd, struct place *place)
{
	return fstat(fd, &place->st) == 0 && mounts_path(fd, place->path);
}

static bool is_apart(const struct place *a, const struct place *b)
{
	return (a->st.st_dev != b->st.st_dev || a->st.st_ino != b->st.st_ino) &&
	       mountinfo_below(a->path, b->path) == NULL &&
	       mountinfo_below(b->path, a->path) == NULL;
}

static struct verdict check_apart(int root_fd, enum hierarchy hierarchy, const struct place *place)
{
	for (unsigned i = 0; i < HIERARCHIES; i++) {
		FD_CLEANUP int fd = content_open_directory(root_fd,
							   hierarchy_name((enum hierarchy)i));
		struct place other;

		if (i == (unsigned)hierarchy || fd < 0)
			continue;
		if (!find(fd, &other))
			return failed();
		if (!is_apart(place, &other))
			return verdict(REASON_MERGE_NESTED);
	}
	return verdict(REASON_ACCEPTED);
}

/* `path`, without slashes at its end, is the caller's to be written to. The directory above is looked for in the root. */
static bool create_at(int root_fd, char *path)
{
	char *slash = strrchr(path, '/');
	char *name = slash == NULL ? path : slash + 1;
	FD_CLEANUP int above = -1;
	const char first = *name;

	*name = '\0';
	above = content_open_directory(root_fd, *path == '\0' ? "." : path);
	*name = first;
	return above >= 0 && mkdirat(above, name, 0755) == 0;
}

/* Of links one is followed, such as that of /opt to var/opt. */
static bool create(int root_fd, enum hierarchy hierarchy)
{
	char path[MOUNTINFO_PATH_MAX];
	struct text text;
	ssize_t size;

	text_init(&text, path, sizeof(path));
	text_str(&text, hierarchy_name(hierarchy));
	if (create_at(root_fd, path))
		return true;
	if (errno != EEXIST)
		return false;
	size = readlinkat(root_fd, hierarchy_name(hierarchy), path, sizeof(path));
	if (size <= 0 || size == (ssize_t)sizeof(path))
		return false;
	while (size > 1 && path[size - 1] == '/')
		size--;
	path[size] = '\0';
	return create_at(root_fd, path);
}

struct verdict place_need(int root_fd, enum hierarchy hierarchy, bool *created)
{
	FD_CLEANUP int fd = content_open_directory(root_fd, hierarchy_name(hierarchy));
	struct place place;

	if (fd < 0) {
		if (errno != ENOENT)
			return failed();
		if (!create(root_fd, hierarchy))
			return verdict_errno(REASON_MERGE_NO_DIRECTORY, errno);
		*created = true;
		fd = content_open_directory(root_fd, hierarchy_name(hierarchy));
	}
	if (fd < 0 || !find(fd, &place))
		return failed();
	/* Where the others lead is for their own extensions to mind. */
	return hierarchy == HIERARCHY_USR ? verdict(REASON_ACCEPTED) :
					    check_apart(root_fd, hierarchy, &place);
}

void place_remove(int root_fd, enum hierarchy hierarchy)
{
	FD_CLEANUP int fd = content_open_directory(root_fd, hierarchy_name(hierarchy));
	char path[MOUNTINFO_PATH_MAX];

	if (fd >= 0 && mounts_path(fd, path))
		(void)rmdir(path);
}
