/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image must not have where it becomes a layer: what overlayfs takes for an order to hide or to
 * replace something of the layers below. Sources: Linux Documentation/filesystems/overlayfs.rst,
 * fs/overlayfs/util.c.
 */
#ifndef VEXT_SYS_LAYER_H
#define VEXT_SYS_LAYER_H

#include "vext.h"

/* What is looked at of one image before it is refused as too large to be looked through (merge.tree). */
#define LAYER_ENTRIES_MAX 500000u
#define LAYER_DEPTH_MAX 128u	  /* directories in each other; each is open while it is read */
#define LAYER_MILLISECONDS 30000u /* of wall time */

/*
 * Reads all of the tree below the directory: merge.whiteout for a whiteout (a character device 0:0) and
 * for an attribute of overlayfs's own (trusted.overlay.*, user.overlay.*: opaque, redirect, metacopy …);
 * merge.tree for one beyond the limits; kernel.corrupt for a block that does not verify. Does not
 * follow links. Needs /proc, and CAP_SYS_ADMIN to see trusted attributes.
 */
struct verdict layer_check(int dir_fd);

#endif
