/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image must not have where it becomes a layer: what overlayfs takes for an order to hide or to
 * replace something of the layers below. Sources: Linux Documentation/filesystems/overlayfs.rst,
 * fs/overlayfs/util.c.
 */
#ifndef VEXT_SYS_LAYER_H
#define VEXT_SYS_LAYER_H

#include <sys/stat.h>

#include "vext.h"

/*
 * One entry of a directory of the image, or "." for the directory itself: merge.whiteout for a whiteout (a character
 * device 0:0) and for an attribute of overlayfs's own (trusted.overlay.*, user.overlay.*: opaque, redirect,
 * metacopy …). Does not follow links. Needs /proc, and CAP_SYS_ADMIN to see trusted attributes.
 */
struct verdict layer_check(int dir_fd, const char *name, const struct stat *st);

/* What an error while an image is read means: kernel.corrupt for EIO, dm-verity's answer for a block that is not what was signed; else merge.tree. */
struct verdict layer_failed(void);

#endif
