/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places where an image may not have what it likes: those on the way to a protected path (core/protected.def), and
 * those where something is mounted that stays mounted.
 *
 * The way to a path, or its chain, is every link that one meets when one follows it in the bare root, and its end.
 * Example: sbin/modprobe, where sbin is a link to usr/sbin and usr/sbin/modprobe one to ../bin/kmod, has three
 * places: sbin, usr/sbin/modprobe and usr/bin/kmod.
 *
 * Why this holds: following a protected path in the merged root looks at directories and at the places of the chain.
 * A directory of the root stays one (merge.type). At a place of the chain no image has an entry, or it has a link that
 * reads as the root's own. So every look finds what it finds in the bare root, and ends there too. protect_check() asks
 * the kernel whether that came out true.
 */
#ifndef VEXT_SYS_PROTECT_H
#define VEXT_SYS_PROTECT_H

#include "core/class.h"
#include "sys/stage.h"
#include "vext.h"

enum place_kind {
	PLACE_FIXED = 1, /* an image has nothing here, or a link that reads as the root's own */
	PLACE_DIRECTORY, /* … nothing, or a directory */
	PLACE_GUARDED,	 /* … the same, and links in it must stay within the hierarchies */
	PLACE_MOUNT,	 /* … anything but a link; what is at or below it cannot be seen */
};

struct place_rule {
	enum place_kind kind;
	enum hierarchy hierarchy;
	enum reason reason; /* why it is protected; not for PLACE_MOUNT */
	char *path;	    /* below the hierarchy */
	size_t above_size; /* bytes of the path of the directory that it is in, without the slash */
};

struct protect {
	struct place_rule *rules;
	size_t count;
	size_t room;
};

/*
 * Follows the protected paths in the root as it is now, and looks for what is mounted below its hierarchies.
 * system.memory, system.read, merge.submount. `protect` is all zero before, and freed by the caller in any case.
 */
struct verdict protect_read(const struct stage *stage, struct protect *protect);

void protect_free(struct protect *protect);

/* The next rule, from index `*at` on, for entries of this directory ("" for the hierarchy itself); NULL: no more. */
const struct place_rule *protect_next(const struct protect *protect, enum hierarchy hierarchy,
				      const char *directory, size_t *at);

/*
 * Do all protected paths that the bare root has lead to the same place in the merged one? merge.protected if not, and
 * `*path` is the one that does not.
 */
struct verdict protect_check(int bare_fd, int merged_fd, const char **path);

/* Where a path of the root ends, links followed, below the root; false if nothing is there. */
bool protect_end(int root_fd, const char *path, char *end, size_t size);

/*
 * Does a path lead to the same place in both? Also where that is not there yet, as what is below /run in an initramfs.
 */
bool protect_leads_alike(int bare_fd, int merged_fd, const char *path);

/* Is the place `link` on the way that `path` leads? Of both only the last part may be a link. */
bool protect_leads_over(int root_fd, const char *path, const char *link);

/*
 * Is each place on the way of a path in the root itself, in its /bin, /sbin, /lib and /lib64, or in a hierarchy that a link
 * of `from` may lead to, kept mounts left out? By way of a link elsewhere, as below /var, it would lead tomorrow where it does not today. Says nothing
 * about where it ends.
 */
bool protect_stays_within(int merged_fd, enum hierarchy from, const char *path);

#endif
