/* SPDX-License-Identifier: Apache-2.0 */
/* The names in a directory, sorted by their bytes, so that what is done with them has one order. */
#ifndef VEXT_SYS_LISTING_H
#define VEXT_SYS_LISTING_H

#include "vext.h"

/* All zero to begin with. */
struct listing {
	char **names;
	size_t count;
	size_t room;
};

void listing_free(struct listing *listing);

#define LISTING_CLEANUP __attribute__((cleanup(listing_free)))

struct verdict listing_add(struct listing *listing, const char *name);

/*
 * Adds the names in the directory but "." and "..", at most `max` of them; of the others, those that
 * `counts` says are of interest are added to `*left_out`. system.read, system.memory.
 */
struct verdict listing_read(int dir_fd, size_t max, bool (*counts)(const char *name),
			    struct listing *listing, size_t *left_out);

/*
 * Unlinks the files of the directory that `goes` says are to go. What cannot be read or unlinked
 * stays.
 */
void listing_unlink(const char *directory, bool (*goes)(void *ctx, const char *name), void *ctx);

#endif
