/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files offer themselves as extensions: what systemd-sysext and systemd-confext would find under the
 * root, in their order (core/config.h has the directories); the first of a name and class wins, even when it
 * is bad: a worse image never takes the place of a better one by being found later.
 *
 * An entry offers an image when it is called NAME.raw (or NAME.sysext.raw, NAME.confext.raw). A name is masked by an
 * earlier directory NAME (empty as systemd-sysext(8) has it, or not: vext merges images only and must
 * not pull up what systemd-sysext would hide), by a link to /dev/null, or by a versioned directory NAME.v or
 * NAME.raw.v (systemd.v(7)), which vext does not look into. Other entries are none of vext's business.
 */
#ifndef VEXT_SYS_DISCOVER_H
#define VEXT_SYS_DISCOVER_H

#include <sys/types.h>

#include "sys/image.h"
#include "vext.h"

#define DISCOVER_DIRECTORY_MAX 127u /* bytes of a directory's path */
#define DISCOVER_FILE_MAX 255u	    /* bytes of a file name; NAME_MAX */
#define DISCOVER_EXTRA "/.extra/"   /* where systemd-stub puts what lay beside the kernel */
#define DISCOVER_ENTRIES_MAX \
	65536u /* directory entries that are looked at, all directories together */

enum candidate_state {
	CANDIDATE_FOUND = 1,   /* verdict: accepted, so far */
	CANDIDATE_REFUSED,     /* verdict: image.* */
	CANDIDATE_PASSED_OVER, /* not a failure; verdict: merge.duplicate or merge.masked */
};

/* Where is searched. */
struct discover_roots {
	int root;   /* the directories of the system */
	int initrd; /* of vext itself: those below DISCOVER_EXTRA; -1: they are not searched */
};

struct candidate {
	enum candidate_state state;
	struct verdict verdict;
	enum extension_class class;
	const char *directory;		  /* "/etc/extensions"; one of those given */
	char file[DISCOVER_FILE_MAX + 1]; /* the name in it: attacker's text, escape it */
	char name[VEXT_NAME_MAX + 1];	  /* "" if the file's name is bad (image.name) */
	struct image image;		  /* not open; `name`, `class` and `directory` are set */
};

struct discovery {
	struct candidate
		*candidates; /* sorted: by class, directories in their order, then by file name */
	size_t count;	     /* at most VEXT_IMAGES_MAX */
	size_t left_out;     /* further ones, not looked at: system.limit */
	size_t looked_at;    /* entries of all directories */
	/*
	 * system.read, image.unresponsive or system.worker if a directory could not be read, else
	 * accepted.
	 */
	struct verdict trouble;
	const char *trouble_at;	  /* that directory, or NULL; the last one if several */
	const char *versioned_at; /* where a versioned directory is, or NULL; likewise */
	pid_t left;		  /* a process that waits for such a directory still; 0: none */
};

/*
 * Looks for images in the directories `paths`, absolute paths that live as long as `discovery`, and whose
 * class class_of_directory() tells. A directory that is absent offers nothing; a path that is none is told in `trouble` besides. One
 * that is there and cannot be read is told there too, and those after it of the same class are not searched: it may
 * mask what stands in them. Neither are those after one that does not answer: each class is
 * searched by a worker (sys/worker.h). Likewise an entry that cannot be looked at is told and taken
 * for a mask. Fails with system.memory only. Directories of classes that are not among `classes`
 * (1u << enum extension_class) are not looked into. `discovery` is written on success only and then
 * freed by the caller with discovery_free().
 */
struct verdict discover(const struct discover_roots *roots, const char *const paths[], size_t count,
			uint32_t classes, struct discovery *discovery);

/* Did it come with the kernel's files, from where anybody may have put it? */
bool candidate_is_extra(const struct candidate *candidate);

/* The path of a candidate: "/etc/extensions/x.raw". */
#define DISCOVER_PATH_MAX (DISCOVER_DIRECTORY_MAX + 1 + DISCOVER_FILE_MAX + 1)
void candidate_path(const struct candidate *candidate, char path[DISCOVER_PATH_MAX]);

/* Closes the images too. */
void discovery_free(struct discovery *discovery);

#endif
