/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is worth telling of an image that was merged all the same: something of it, or something that it lies
 * over, cannot be seen, or has no SELinux label.
 */
#ifndef VEXT_CORE_NOTE_H
#define VEXT_CORE_NOTE_H

#include "core/text.h"
#include "vext.h"

enum note_kind {
	NOTE_BELOW_MOUNT = 1, /* the image has content at, or below, what stays mounted at `path` */
	NOTE_HIDDEN_FILE, /* the image's generated file `path` hides that of `hides` (the root's: "") */
	NOTE_UNLABELLED, /* the root's hierarchy `path` has an SELinux label, the image's has none */
};

#define NOTE_PATH_MAX 256u /* bytes with NUL; of a longer path three dots and the end */
#define NOTES_MAX 8u	   /* of one image; the others are counted */

struct note {
	enum note_kind kind;
	char path
		[NOTE_PATH_MAX]; /* absolute, in the root; text of others: escape before printing */
	char hides[VEXT_NAME_MAX + 1]; /* the name of an extension, or "" */
};

struct notes {
	uint32_t count;	   /* of `list` */
	uint32_t left_out; /* for which there was no room */
	struct note list[NOTES_MAX];
};

/* One more, unless it is there already. `path` is below the root, without a slash before it. */
void notes_add(struct notes *notes, enum note_kind kind, const char *path, const char *hides);

/* "below-mount", "hidden-file", "unlabelled": of status.json. */
const char *note_kind_name(enum note_kind kind);

/* The other way round; 0 for a word that is none of these. */
enum note_kind note_kind_of(const char *name);

#define NOTE_SENTENCE_MAX 512u /* bytes with NUL, for any that note_explain() puts */

/* What it means for the merged system; nothing for a kind that is none. `hides` as above, and is escaped. */
void note_explain(enum note_kind kind, const char *hides, struct text *text);

/* The note as a sentence, "PATH: what it means", escaped, without full stop and newline. */
void note_describe(const struct note *note, struct text *text);

#endif
