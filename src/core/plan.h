/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be done, as data. The plan is made here, without touching anything; sys/execute.h
 * carries it out, and --dry-run prints it: so what is printed is what would be done.
 *
 * Images come class by class in the order of their layers, topmost first, each with its steps up to
 * STEP_CHECK_CONTENT. Then they are admitted one after the other: of each class the required ones first, and of
 * these, as of the others, the lowest first. So of two images that do not go together the upper one is refused, unless
 * only that one is required. The merge of the whole set comes last.
 */
#ifndef VEXT_CORE_PLAN_H
#define VEXT_CORE_PLAN_H

#include "core/class.h"
#include "core/text.h"
#include "vext.h"

enum step_op {
	/* for one image; the order is that of the plan */
	STEP_LOOP_DATA = 1, /* a read-only loop device for the data partition */
	STEP_LOOP_TREE,	    /* and one for the hash tree */
	STEP_VERITY,	    /* the dm-verity device over both; its table read back */
	STEP_CHECK_DEVICE,  /* block 0 through it, its status, the file system */
	STEP_MOUNT,	    /* in a private mount namespace */
	STEP_CHECK_CONTENT, /* extension-release against the host; what an extension must not carry */
	STEP_FIT,    /* its tree against the root's and those of the images admitted before */
	STEP_RELOAD, /* the verity table again, now strict: only with such a corruption mode */
	/* for the set of all images that were admitted */
	STEP_OVERLAY, /* one hierarchy, still invisible */
	STEP_CHECK_MERGED, /* the root assembled privately: protected paths and links lead where they must */
	STEP_MOVE, /* all overlays onto the root */
};

#define PLAN_STEPS_ALONE 6u /* up to STEP_CHECK_CONTENT: one image after the other */
#define PLAN_STEPS_PER_IMAGE (PLAN_STEPS_ALONE + 2u)

struct step {
	enum step_op op;
	uint32_t subject; /* index of the image; for STEP_OVERLAY an enum hierarchy; else 0 */
};

#define PLAN_STEPS_MAX (VEXT_IMAGES_MAX * PLAN_STEPS_PER_IMAGE + HIERARCHIES + 2)

/* About 66 KB: not for the stack of a deep call. */
struct plan {
	size_t count;
	struct step steps[PLAN_STEPS_MAX];
};

/* One image as the plan sees it. `facts` is NULL for one that was refused: it gets no steps. */
struct plan_image {
	const char *name; /* has passed name_check() */
	enum extension_class class;
	const struct facts *facts;
	bool is_required;
};

/*
 * The plan for `count` images; step.subject counts in `images`. Without a single accepted image the
 * plan is empty. system.limit for more than VEXT_IMAGES_MAX, merge.duplicate when two accepted images
 * of one class have one name. With another corruption mode than CORRUPTION_IO_ERROR each image has a STEP_RELOAD, behind
 * every STEP_FIT: what vext itself reads must not restart the machine. `plan` is written on success only.
 */
struct verdict plan_make(const struct plan_image images[], size_t count, enum corruption corruption,
			 struct plan *plan);

/* One line about a step, without newline. `images` are those the plan was made of. */
void plan_describe(const struct step *step, const struct plan_image images[], struct text *text);

/* "loop-data", "overlay" …: a stable word for logs and status.json. */
const char *step_name(enum step_op op);

/*
 * How systemd orders versions (strverscmp_improved of systemd 257): negative, zero or positive as
 * `a` is older than, the same as or newer than `b`. The newest extension is the topmost layer.
 */
int plan_version_compare(const char *a, const char *b);

#endif
