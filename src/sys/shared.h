/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The uppermost layer of an overlay: an erofs of those directories that the root and images share, or several images.
 * What a shared directory shows comes from here: mode, owner, label and ACL of the root, or of the lowest image where
 * the root has no such directory, and the newest time. The hierarchy itself has the time of the merge.
 *
 * It is an erofs, and no tmpfs, because of SELinux. An erofs has the labels of its attributes. A tmpfs that is mounted
 * before the policy is loaded has the policy's own label afterwards.
 */
#ifndef VEXT_SYS_SHARED_H
#define VEXT_SYS_SHARED_H

#include "core/text.h"
#include "sys/nodes.h"
#include "sys/overlay.h"
#include "sys/stage.h"

struct shared {
	const struct stage *stage;
	enum hierarchy hierarchy;
	int root; /* the root's hierarchy, without what is mounted below */
	const struct overlay_layer *layers;
	size_t count;
	struct node *top; /* the hierarchy as it was compared (sys/fit.h) */
};

/*
 * Mounts it, attached nowhere. merge.attributes when a label or ACL can't be kept: then `*at` is the directory,
 * `detail` has its path, and all images that have it are concerned. merge.overlay, kernel.loop, kernel.mount for the
 * rest. The loop device goes with the mount.
 */
struct verdict shared_mount(const struct shared *shared, struct text *detail,
			    const struct node **at, int *mount_fd);

#endif
