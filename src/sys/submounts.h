/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is mounted below a hierarchy of the root, such as /usr/share/oem, stays visible through the overlay; and
 * what is mounted below the overlay, as fstab does it after a merge in the initramfs, is there without it too.
 */
#ifndef VEXT_SYS_SUBMOUNTS_H
#define VEXT_SYS_SUBMOUNTS_H

#include "core/plan.h"
#include "sys/listing.h"
#include "sys/stage.h"
#include "vext.h"

/*
 * Adds the path, below the hierarchy, of each mount that stands on the hierarchy's own mount. merge.submount without
 * /proc, system.memory. `points` is freed by the caller in any case.
 */
struct verdict submounts_list(const struct stage *stage, enum hierarchy hierarchy,
			      struct listing *points);

/*
 * Mounts copies of all that is mounted below the hierarchy at the same places below `over`, a directory
 * of the stage. merge.submount where a copy can't be made or has no place there any more.
 */
struct verdict submounts_keep(const struct stage *stage, enum hierarchy hierarchy,
			      const char *over);

#define SUBMOUNTS_MAX 512u

struct submounts {
	char *in_the_way; /* of the caller, MOUNTINFO_PATH_MAX bytes */
	size_t count;	  /* each behind the one that it is mounted on */
	struct submount {
		uint64_t id;
		int copy;     /* a mount, detached or, if `is_placed`, put back */
		char *point;  /* as /proc/self/mountinfo has it */
		size_t below; /* where in `point` the path below the hierarchy starts */
		bool is_placed;
	} mounts[SUBMOUNTS_MAX];
};

/*
 * Takes detached copies of all that is mounted below the overlay, whose top directory `over` is. merge.detach where
 * that is not possible; merge.mounted when one is hidden by another, or may not be copied. submounts_free() is due
 * in any case.
 */
struct verdict submounts_take(int over, struct submounts *submounts);

/*
 * Mounts them at the same places below the directory `below`, but what is there already. merge.mounted, and none of
 * them is mounted, if one has no place there.
 */
struct verdict submounts_put_back(int below, struct submounts *submounts);

void submounts_free(struct submounts *submounts);

#endif
