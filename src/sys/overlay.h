/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The merged hierarchy: an overlay of the root's directory, the images', the metadata by which systemd-sysext, or
 * systemd-confext, knows the mount as its own kind (.systemd-sysext/dev, extensions, backing, origin) and, on top, the
 * directories that root and images share (sys/shared.h). Those of confexts are mounted nosuid and noexec, as
 * systemd-confext has them.
 *
 * The layers get their names from vext: plain numbers below the stage. So nothing needs escaping, and
 * as many layers as the kernel takes (OVL_MAX_STACK is 500) fit into the one page of mount(2), which
 * works alike on all kernels that have overlayfs.
 */
#ifndef VEXT_SYS_OVERLAY_H
#define VEXT_SYS_OVERLAY_H

#include <sys/types.h>

#include "core/merges.h"
#include "core/mountinfo.h"
#include "core/plan.h"
#include "core/text.h"
#include "sys/nodes.h"
#include "sys/stage.h"
#include "vext.h"

/* Images in one overlay: the kernel's limit less the root, the metadata and the shared directories. */
#define OVERLAY_LAYERS_MAX 497u

/* Digits of a layer's number with NUL. */
#define OVERLAY_LAYER_NAME 12u

struct overlay_layer {
	const char *name; /* of the extension */
	enum extension_class class;
	bool has[HIERARCHIES]; /* which hierarchies it takes part in; none: it was given up */
	/* Of the image, for core/origin.h; "" where the path is not known or not plain. */
	const char *path;
	const uint8_t *root_hash;
};

/* Layer `index` is mounted on the directory of this name below the stage; "0", "1" … */
void overlay_layer_name(size_t index, char out[OVERLAY_LAYER_NAME]);

/*
 * Mounts of an overlay: read-only and nodev, as systemd-sysext's. Not nosuid, for programs of an extension
 * may need it and its bytes are as trusted as those of the host's /usr.
 */

/*
 * The root's hierarchy, without what is mounted below it, for looking things up: the lowest layer. merge.hierarchy when
 * the root has no such directory, merge.overlay for the rest. The caller closes it.
 */
struct verdict overlay_root(const struct stage *stage, enum hierarchy hierarchy, int *fd);

struct overlay {
	const struct stage *stage;
	enum hierarchy hierarchy;
	const struct overlay_layer *layers; /* class by class, topmost first */
	size_t count;
	struct node *
		top; /* the hierarchy as it was compared (sys/fit.h); NULL only without such a layer */
	unsigned round; /* another one each time that this hierarchy is made */
	const uint8_t
		*token; /* of MERGES_TOKEN_SIZE; NULL: the merge will not be known as vext's */
};

/*
 * Makes the overlay of the mounted layers that have the hierarchy: detached. What is mounted below the root's
 * directory is mounted in it too (sys/submounts.h). Without such a layer `overlay_fd` becomes -1. merge.hierarchy,
 * merge.overlay, merge.submount; merge.attributes as shared_mount() has it, and then `at` is the directory. `detail` has the
 * kernel's words, if it gave any.
 */
struct verdict overlay_make(const struct overlay *overlay, struct text *detail,
			    const struct node **at, int *overlay_fd);

/* The directory below the stage on which overlay_make() has mounted the overlay. */
#define OVERLAY_PLACE_SIZE 64u
void overlay_place(enum hierarchy hierarchy, unsigned round, char out[OVERLAY_PLACE_SIZE]);

/* Unmounts what overlay_make() has mounted in that round, if it has. The working directory is the stage. */
void overlay_drop(enum hierarchy hierarchy, unsigned round);

/*
 * Is something merged there already, by vext or systemd? merge.present if an overlay is mounted there that is marked
 * as such, or named so in mountinfo; a mark alone, which any image and whoever writes the disk could have left, says nothing.
 * system.read if it cannot be looked at, or does not answer.
 */
struct verdict overlay_absent(int root_fd, enum hierarchy hierarchy);

enum overlay_owner {
	OVERLAY_NOBODY = 1, /* nothing is merged there */
	OVERLAY_VEXT,	    /* with this token */
	OVERLAY_OTHER,	    /* merged by somebody else; by systemd, most likely */
};

/* Who has merged what is there? Without a token nothing is vext's. system.read; `owner` is written on success only. */
struct verdict overlay_owner(int root_fd, enum hierarchy hierarchy, const uint8_t *token,
			     enum overlay_owner *owner);

/*
 * Would taking it off lose what was written to it? True for an upper layer below /run, which systemd's ephemeral modes
 * have (systemd 262, src/sysext/sysext.c), and where that cannot be told. Only for what is merged.
 */
bool overlay_is_ephemeral(int root_fd, enum hierarchy hierarchy);

/*
 * Takes what is merged there off again, by whomever, and whatever lies merged below that: then `*removed` is
 * true, and the devices of the images go with their last user. What was mounted below it since is mounted below
 * the root's own directory then; if that can't be, merge.mounted: it is all as it was, and `in_the_way` becomes what
 * is mounted, as /proc/self/mountinfo has it. merge.detach where the rest is not possible;
 * system.read as above. `*left` is written when a process is left behind, since the disk of an
 * image does not answer.
 */
struct verdict overlay_remove(int root_fd, enum hierarchy hierarchy, bool *removed,
			      char in_the_way[MOUNTINFO_PATH_MAX], pid_t *left);

/* Puts the overlay over the root's hierarchy: from here on everybody sees it. merge.attach. */
struct verdict overlay_attach(int overlay_fd, int root_fd, enum hierarchy hierarchy);

/* Takes an attached overlay away again. */
void overlay_detach(int overlay_fd);

#endif
