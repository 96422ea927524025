/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does an image fit the tree that it is laid over?
 *
 * An overlay decides by type: a link or a file in an upper layer hides a directory below it, with all that is in it.
 * So where one side has a directory, the other must have one. Each image is compared with the root and with the images
 * admitted before it. An image that is refused leaves no trace in the comparison of the next.
 *
 * The cost: each entry of an image takes one fstatat(2) and one llistxattr(2). An entry of a directory that the root
 * has too takes one more look, at the root. In a directory that two images have and the root has not, each entry takes
 * one look at the other image. In directories that only one image has there is none of that. Besides, each protected
 * place takes one look at the image. In squashfs, which finds names that it does not list, each directory of the root
 * that the image does not list beside its own takes one, too.
 */
#ifndef VEXT_SYS_FIT_H
#define VEXT_SYS_FIT_H

#include "core/note.h"
#include "core/text.h"
#include "sys/nodes.h"
#include "sys/overlay.h"
#include "sys/paths.h"
#include "sys/protect.h"
#include "sys/stage.h"

/* What is looked at of one image before it is refused as too large to be looked through (merge.tree). */
#define FIT_ENTRIES_MAX 500000u
#define FIT_DEPTH_MAX 128u	/* directories in each other; each is open while it is read */
#define FIT_MILLISECONDS 30000u /* of wall time */

/* All zero but for `stage` and `layers` to begin with; ended by fit_free(). */
struct fit {
	const struct stage *stage;
	const struct overlay_layer *layers; /* mounted on the stage; index 0 is the topmost */
	struct protect protect;
	struct nodes nodes;
	bool is_begun;
	uint32_t admitted;		/* images, those that were given up since included */
	uint32_t turn[VEXT_IMAGES_MAX]; /* of each layer: its place in the order of admission */
};

/*
 * Compares the mounted layer, and admits it. Of the hierarchies that it has, the reasons are:
 *  - merge.type;
 *  - merge.whiteout, merge.tree, kernel.corrupt (sys/layer.h);
 *  - merge.tree with ENOSPC: more than NODES_SHARED_MAX shared directories;
 *  - kernel.filesystem: a directory has a name twice;
 *  - the reason of a protected path (core/protected.def) that it has, or changes the way to;
 *  - merge.submount: it has a link where something is mounted;
 *  - merge.hierarchy: the root has no such directory;
 *  - system.read, system.memory.
 * `detail` then says where and what. `notes` gets what of the image cannot be seen because of a mount, and its
 * hierarchies without a label. Where links lead is not looked at here, but when all is assembled (sys/assembled.h).
 */
struct verdict fit_admit(struct fit *fit, uint32_t layer, struct notes *notes, struct text *detail);

/* What a layer has there. If that can't be told, a link: that is what is looked at most closely. */
enum node_kind fit_kind(const struct fit *fit, uint32_t layer, enum hierarchy hierarchy,
			const char *path);

/* The text of the layer's link there; "" if there is no link. False: that can't be told. */
bool fit_link_text(const struct fit *fit, uint32_t layer, enum hierarchy hierarchy,
		   const char *path, char target[PATHS_SIZE]);

void fit_free(struct fit *fit);

#endif
