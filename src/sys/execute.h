/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries out a plan: loop devices, dm-verity, mounts, the comparison with the root, the overlays, and their move
 * onto the root.
 *
 * Guaranteed:
 *  - What is merged comes from a `struct trusted`; there is no other way in. The steps of an image are
 *    carried out in the order of enum step_op, all of them, or the image is not merged: a plan that
 *    leaves out a check merges nothing.
 *  - A step that fails undoes the steps of its image, in reverse, and the image gets its verdict; the
 *    others go on.
 *  - The images are mounted first. Then they are admitted one after the other, in the order of the plan (core/plan.h):
 *    the required ones before the others, the lower before the upper. Each is compared with the root and with those
 *    admitted before it (sys/fit.h), so of two that do not go together the later one is refused.
 *    Likewise of two files that are one image: of one class and root hash.
 *  - If the overlay of a hierarchy cannot be made, the images that have this hierarchy get the verdict, and the
 *    others are merged without them. If the attributes of one directory are the trouble, only the images that have
 *    this directory. If a link leads where it must not (sys/assembled.h), one image. After each of these all overlays
 *    are made anew, so that nothing is left of an image that was given up.
 *  - If the whole cannot be assembled and checked, or the move fails, everything is undone: the root stays as it was.
 *  - Nothing appears on the root before the last step, with one exception: if an image has /opt or /etc and the root
 *    does not, the empty directory is made there, or where the root's link leads.
 *  - Nothing here waits for a disk. Each image has a worker for its devices (sys/attach.h). What
 *    then looks into the mounted images, up to the finished overlays, is done by one process more,
 *    the assembler. When it is stuck it is left behind, with the image that it was at, and so are
 *    images that are found not to answer either; another one begins anew without them.
 *  - All before the last step happens in a private mount namespace of the assembler's; loop devices
 *    clear themselves and verity devices remove themselves with their last user. So being killed
 *    leaves nothing behind, save a verity device that was made in that very moment and is not yet
 *    open: the next run that holds the lock removes it (sys/dm_found.h).
 *
 * Not guaranteed: that every block of an image is intact; dm-verity answers EIO for one that is not.
 */
#ifndef VEXT_SYS_EXECUTE_H
#define VEXT_SYS_EXECUTE_H

#include "core/note.h"
#include "core/origin.h"
#include "core/plan.h"
#include "core/table.h"
#include "sys/image.h"
#include "sys/worker.h"
#include "vext.h"

#define MERGE_DETAIL_MAX 320u /* bytes with NUL */

/*
 * One image of the plan; the same index as in the plan_images it was made of. In worker_memory(),
 * for the assembler writes to it.
 */
struct merge_item {
	const struct trusted *trusted; /* NULL: refused before; such an item stays as it is */
	struct image
		*image; /* its channel is closed when its devices are there, or cannot be made */
	struct verdict verdict;	      /* out: accepted means merged */
	enum step_op step;	      /* out: the last step tried; 0 if none */
	uint64_t attach_microseconds; /* out: spent on this image's steps up to STEP_CHECK_DEVICE */
	uint64_t mount_microseconds;  /* out: and on the others */
	char device[TABLE_NAME_MAX];  /* out: the device's name; "": none was made */
	bool kernel_checked;	      /* out: the kernel has checked the signature as well */
	struct left left;	      /* out: a worker of this image that was left behind */
	/*
	 * out: the name by which a merged image counts, that of its release file (sys/content.h);
	 * "": not known
	 */
	char release_name[VEXT_NAME_MAX + 1];
	struct notes notes; /* out: what is worth telling although it was merged */
	/*
	 * out: where and what of a refusal, such as "usr/sbin is a directory in the image and a link in the root".
	 * It has text of others: escape before printing. "" if the reason says it all.
	 */
	char detail[MERGE_DETAIL_MAX];
};

/* How devices are made. */
struct merge_options {
	enum kernel_signature kernel_signature;
	enum corruption corruption;
	const uint8_t *token; /* for struct overlay */
	/*
	 * May the image be merged by the name of its release file, which is not its own? What was
	 * decided by name before was by the file's. Not called by execute_attach().
	 */
	struct verdict (*check_name)(const void *ctx, const struct merge_item *item);
	const void *ctx;
};

/* Told of every step that failed. `detail` is the kernel's own word, escaped, or "". */
struct merge_observer {
	void (*step)(void *ctx, const struct step *step, struct verdict verdict,
		     const char *detail);
	void *ctx;
};

struct merge_result {
	size_t merged;		     /* images that are in place now */
	bool hierarchy[HIERARCHIES]; /* which hierarchies were merged */
	uint64_t microseconds;	     /* spent on the steps of the whole */
	struct left left;	     /* who was left behind at no image of its own */
};

/*
 * Runs the plan against the root. Refused with merge.present when a hierarchy of the root that the plan
 * is about is merged already, by vext or by systemd, with release.host when the root's os-release can't be read, with
 * system.namespace without the privileges. The verdict is about the whole: accepted also when every
 * image was refused (result->merged is 0 then). An image whose disk does not answer is refused with
 * image.unresponsive, and `left` of its item tells who still waits for it; system.read with
 * ETIMEDOUT where something else does not answer. When it is not accepted, nothing is merged,
 * whatever an item says, and `result` is all zero but for `left`. `observer` may be NULL. The
 * process must have one thread only.
 */
struct verdict execute_plan(const struct plan *plan, const struct merge_options *options,
			    int root_fd, struct merge_item items[], size_t count,
			    const struct merge_observer *observer, struct merge_result *result);

/*
 * Of the steps of one image just those up to STEP_CHECK_DEVICE and its reload, and no more: the
 * device stays, under a link /dev/mapper/NAME (sys/dm.h). `item` gets what execute_plan() gives it.
 * On failure nothing is left.
 */
struct verdict execute_attach(struct merge_item *item, const struct merge_options *options);

#endif
