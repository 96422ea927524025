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
#include "sys/worker.h"
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

/* What is read of a merged hierarchy. */
struct reading {
	uint64_t since;
	char list[MERGED_LIST_MAX + 1];
};

struct reading_place {
	int root_fd;
	enum hierarchy hierarchy;
};

/* Where the mark is hidden there are no names, and a merge all the same. */
static struct verdict read_list(int dir_fd, enum extension_class class, char *list)
{
	char path[PATH_SIZE];
	FD_CLEANUP int fd = -1;
	struct text text;
	ssize_t size;

	text_init(&text, path, sizeof(path));
	text_str(&text, class_traits(class)->mark);
	text_char(&text, '/');
	text_str(&text, class_traits(class)->plural);
	fd = sys_openat2(dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
	size = fd < 0 ? -1 : fd_read_whole(fd, list, MERGED_LIST_MAX);
	if (fd < 0 && errno == ENOENT)
		size = 0;
	list[size > 0 ? size : 0] = '\0';
	return size < 0 ? unreadable() : verdict(REASON_ACCEPTED);
}

/* The merge gives the directory the time at which it was made. */
static struct verdict read_hierarchy(const void *ctx, void *answer)
{
	const struct reading_place *place = ctx;
	struct reading *reading = answer;
	FD_CLEANUP int dir_fd = content_open_directory(place->root_fd,
						       hierarchy_name(place->hierarchy));
	struct stat st;

	if (dir_fd < 0 || fstat(dir_fd, &st) < 0)
		return unreadable();
	reading->since = st.st_mtime < 0 ? 0 : (uint64_t)st.st_mtime;
	return read_list(dir_fd, hierarchy_class(place->hierarchy), reading->list);
}

/* By a worker, for the list is looked for in all of the images, too. */
static struct verdict read_merged(int root_fd, enum hierarchy hierarchy, struct merged *found)
{
	const struct reading_place place = { .root_fd = root_fd, .hierarchy = hierarchy };
	struct reading *reading = malloc(sizeof(*reading));
	struct verdict v;

	if (reading == NULL)
		return verdict_errno(REASON_SYSTEM_MEMORY, ENOMEM);
	v = worker_do(read_hierarchy, &place, reading, sizeof(*reading));
	if (is_accepted(v)) {
		found->is_merged = true;
		found->since = reading->since;
		reading->list[MERGED_LIST_MAX] = '\0';
		v = take_names(reading->list, &found->names);
	}
	free(reading);
	return v;
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

struct reload_question {
	int root_fd;
	uint32_t classes;
};

static struct verdict ask_for_reload(const void *ctx, void *answer)
{
	const struct reload_question *question = ctx;
	const int root_fd = question->root_fd;
	bool *wants = answer;

	for (unsigned i = 0; i < HIERARCHIES && !*wants; i++) {
		const enum hierarchy hierarchy = (enum hierarchy)i;
		struct merged merged;

		if ((question->classes & 1u << hierarchy_class(hierarchy)) == 0 ||
		    !is_accepted(merged_read(root_fd, hierarchy, NULL, &merged)))
			continue;
		for (size_t k = 0; k < merged.names.count && !*wants; k++)
			*wants = content_wants_reload(root_fd, hierarchy_class(hierarchy),
						      merged.names.names[k]);
		merged_free(&merged);
	}
	return verdict(REASON_ACCEPTED);
}

/* The files lie in the images; what does not answer may want it. */
bool merged_wants_reload(int root_fd, uint32_t classes)
{
	const struct reload_question question = { .root_fd = root_fd, .classes = classes };
	bool wants = false;

	return !is_accepted(worker_do(ask_for_reload, &question, &wants, sizeof(wants))) || wants;
}
