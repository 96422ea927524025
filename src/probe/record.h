/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what a former run of vext has left in status.json (doc/status.md). Not in the jail: /run/vext is root's own,
 * and nothing is decided by it.
 */
#ifndef VEXT_PROBE_RECORD_H
#define VEXT_PROBE_RECORD_H

#include "vext.h"

#define RECORD_SIZE_MAX (4u << 20) /* bytes of the file */

struct record {
	void *document; /* NULL: none */
};

/* One image of the record. The texts live as long as the record; NULL for one that is not there. */
struct record_image {
	const char *image;
	const char *name;
	const char *release_name; /* where it is another one */
	const char *class;
	const char *verdict;
	const char *reason;
	const char *detail;
	const char *root_hash;
	const char *subject; /* of the signer, with the two below */
	const char *fingerprint;
	const char *source;
	bool has_steps; /* the rest is known */
	bool kernel_checked;
	uint64_t judge, attach, mount; /* microseconds */
	size_t notes;		       /* how many, see record_note() */
	uint64_t notes_left_out;       /* and how many more there were */
	uint64_t left_process;	       /* that waits for the disk; 0: none */
	const char *left_step;	       /* in which it got stuck */
	const char *left_device;       /* that it keeps */
};

/* One note of an image; texts as above, of which `hides` is NULL for the root's file, too. */
struct record_note {
	const char *kind; /* note_kind_name(), or a word of a later vext */
	const char *path;
	const char *hides;
};

/* Is told each value of a part of the record, in order. `key` is NULL in an array, `text` for null. */
struct record_walker {
	void (*open)(void *ctx, const char *key, char bracket);
	void (*close)(void *ctx, char bracket);
	void (*text)(void *ctx, const char *key, const char *text);
	void (*number)(void *ctx, const char *key, uint64_t number);
	void (*flag)(void *ctx, const char *key, bool flag);
	void *ctx;
};

/* False for what is not JSON of a version that is known. Released by record_close(). */
bool record_open(const char *bytes, size_t size, struct record *record);
void record_close(struct record *record);

const char *record_root(const struct record *record);
bool record_is_systems(
	const struct record *record); /* of the root that the system has, or was going to have */
uint64_t record_time(const struct record *record);	   /* seconds since 1970; 0: not known */
uint64_t record_microseconds(const struct record *record); /* of the whole run */
uint64_t record_merge(const struct record *record);	   /* of that, the merge */

size_t record_images(const struct record *record);
/* `i` is below record_images(). */
void record_image(const struct record *record, size_t i, struct record_image *image);
/* `n` is below the image's `notes`. */
void record_note(const struct record *record, size_t i, size_t n, struct record_note *note);

/* All of that image. */
void record_walk_image(const struct record *record, size_t i, const struct record_walker *walker);
/* All elements of "foreign", without the array itself. */
void record_walk_foreign(const struct record *record, const struct record_walker *walker);

size_t record_foreigns(const struct record *record);

/* Of another program's merge: texts as above, and its extensions. */
struct record_foreign {
	const char *hierarchy;
	const char *action;
	size_t extensions;
};
/* `i` is below record_foreigns(), `n` below its `extensions`. */
void record_foreign(const struct record *record, size_t i, struct record_foreign *foreign);
const char *record_foreign_extension(const struct record *record, size_t i, size_t n);

#endif
