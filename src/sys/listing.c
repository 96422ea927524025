/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/fd.h"

#define FILES_MAX 65536u /* of a directory that is tidied up */

void listing_free(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		free(listing->names[i]);
	free(listing->names);
	*listing = (struct listing){ 0 };
}

static bool listing_grow(struct listing *listing)
{
	const size_t room = listing->room == 0 ? 64 : listing->room * 2;
	char **names = realloc(listing->names, room * sizeof(*names));

	if (names == NULL)
		return false;
	listing->names = names;
	listing->room = room;
	return true;
}

struct verdict listing_add(struct listing *listing, const char *name)
{
	char *copy;

	if (listing->count == listing->room && !listing_grow(listing))
		return verdict_errno(REASON_SYSTEM_MEMORY, ENOMEM);
	copy = strdup(name);
	if (copy == NULL)
		return verdict_errno(REASON_SYSTEM_MEMORY, ENOMEM);
	listing->names[listing->count++] = copy;
	return verdict(REASON_ACCEPTED);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static struct verdict read_entries(DIR *dir, size_t max, bool (*counts)(const char *name),
				   struct listing *listing, size_t *left_out)
{
	const struct dirent *entry;
	struct verdict v = verdict(REASON_ACCEPTED);

	errno = 0;
	while (is_accepted(v) && (entry = readdir(dir)) != NULL) {
		if (is_dot(entry->d_name))
			continue;
		if (listing->count >= max) {
			*left_out += counts(entry->d_name);
			continue;
		}
		v = listing_add(listing, entry->d_name);
		errno = 0;
	}
	if (is_accepted(v) && errno != 0)
		return verdict_errno(REASON_SYSTEM_READ, errno);
	return v;
}

struct verdict listing_read(int dir_fd, size_t max, bool (*counts)(const char *name),
			    struct listing *listing, size_t *left_out)
{
	const int copy = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct verdict v;

	if (dir == NULL) {
		v = verdict_errno(REASON_SYSTEM_READ, errno);
		if (copy >= 0)
			(void)close(copy);
		return v;
	}
	v = read_entries(dir, max, counts, listing, left_out);
	(void)closedir(dir);
	if (is_accepted(v) && listing->count > 0)
		qsort(listing->names, listing->count, sizeof(*listing->names), compare_names);
	return v;
}

static bool none_counts(const char *name)
{
	(void)name;
	return false;
}

void listing_unlink(const char *directory, bool (*goes)(void *ctx, const char *name), void *ctx)
{
	FD_CLEANUP int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct listing listing LISTING_CLEANUP = { 0 };
	size_t left_out = 0;

	if (fd < 0 || !is_accepted(listing_read(fd, FILES_MAX, none_counts, &listing, &left_out)))
		return;
	for (size_t i = 0; i < listing.count; i++)
		if (goes(ctx, listing.names[i]))
			(void)unlinkat(fd, listing.names[i], 0);
}
