/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/merged.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/name.h"
#include "core/text.h"
#include "sys/content.h"
#include "sys/fd.h"
#include "sys/overlay.h"
#include "sys/syscalls.h"

#define PATH_SIZE 64u

static struct verdict unreadable(void)
{
	return verdict_errno(REASON_SYSTEM_READ, errno);
}

/* One name a line. What is no name is passed over: systemd takes more for names, and they are to be printed. */
static struct verdict take_names(char *list, struct listing *names)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	for (char *line = list; *line != '\0' && is_accepted(v);) {
		char *end = line + strcspn(line, "\n");
		const bool is_last = *end == '\0';

		*end = '\0';
		if (is_accepted(name_check(line)))
			v = listing_add(names, line);
		line = is_last ? end : end + 1;
	}
	return v;
}

/* Where the mark is hidden there are no names, and a merge all the same. */
static struct verdict read_list(int dir_fd, enum extension_class class, struct listing *names)
{
	char *list = malloc(MERGED_LIST_MAX + 1);
	char path[PATH_SIZE];
	FD_CLEANUP int fd = -1;
	struct text text;
	struct verdict v;
	ssize_t size;

	if (list == NULL)
		return verdict_errno(REASON_SYSTEM_MEMORY, ENOMEM);
	text_init(&text, path, sizeof(path));
	text_str(&text, class_traits(class)->mark);
	text_char(&text, '/');
	text_str(&text, class_traits(class)->plural);
	fd = sys_openat2(dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
	size = fd < 0 ? -1 : fd_read_whole(fd, list, MERGED_LIST_MAX);
	if (fd < 0 && errno == ENOENT)
		size = 0;
	if (size < 0) {
		v = unreadable();
	} else {
		list[size] = '\0';
		v = take_names(list, names);
	}
	free(list);
	return v;
}

/* The merge gives the directory the time at which it was made. */
static struct verdict read_merged(int root_fd, enum hierarchy hierarchy, struct merged *found)
{
	FD_CLEANUP int dir_fd = content_open_directory(root_fd, hierarchy_name(hierarchy));
	struct stat st;

	if (dir_fd < 0 || fstat(dir_fd, &st) < 0)
		return unreadable();
	found->is_merged = true;
	found->since = st.st_mtime < 0 ? 0 : (uint64_t)st.st_mtime;
	return read_list(dir_fd, hierarchy_class(hierarchy), &found->names);
}

struct verdict merged_read(int root_fd, enum hierarchy hierarchy, const uint8_t *token,
			   struct merged *merged)
{
	struct merged found = { .is_merged = false };
	enum overlay_owner owner = OVERLAY_NOBODY;
	struct verdict v = overlay_owner(root_fd, hierarchy, token, &owner);

	found.is_vexts = owner == OVERLAY_VEXT;
	if (is_accepted(v) && owner != OVERLAY_NOBODY)
		v = read_merged(root_fd, hierarchy, &found);
	if (is_accepted(v))
		*merged = found;
	else
		merged_free(&found);
	return v;
}

void merged_free(struct merged *merged)
{
	listing_free(&merged->names);
	merged->is_merged = false;
	merged->is_vexts = false;
}

bool merged_has(const struct merged *merged, const char *name)
{
	for (size_t i = 0; i < merged->names.count; i++)
		if (strcmp(merged->names.names[i], name) == 0)
			return true;
	return false;
}

bool merged_wants_reload(int root_fd, uint32_t classes)
{
	bool wants = false;

	for (unsigned i = 0; i < HIERARCHIES && !wants; i++) {
		const enum hierarchy hierarchy = (enum hierarchy)i;
		struct merged merged;

		if ((classes & 1u << hierarchy_class(hierarchy)) == 0 ||
		    !is_accepted(merged_read(root_fd, hierarchy, NULL, &merged)))
			continue;
		for (size_t k = 0; k < merged.names.count && !wants; k++)
			wants = content_wants_reload(root_fd, hierarchy_class(hierarchy),
						     merged.names.names[k]);
		merged_free(&merged);
	}
	return wants;
}
