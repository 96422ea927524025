/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private mount namespace with an empty tmpfs in it. What is mounted there is seen by nobody else,
 * and goes when the namespace goes: when it is left, or when the process dies.
 */
#ifndef VEXT_SYS_STAGE_H
#define VEXT_SYS_STAGE_H

#include "vext.h"

struct stage {
	int home;	    /* the namespace that vext came from; -1: not on the stage */
	int home_root;	    /* root and working directory there */
	int home_directory; /* of the process */
	int root;	    /* the directory given to stage_enter(), in the private namespace */
	int tree;	    /* the tmpfs, and the working directory while on the stage */
};

#define STAGE_NONE       \
	((struct stage){ \
		.home = -1, .home_root = -1, .home_directory = -1, .root = -1, .tree = -1 })

/*
 * Needs CAP_SYS_ADMIN, /proc and a directory /run, on which the tmpfs is mounted in the new namespace
 * alone. system.namespace on failure, and the process is where it was. `stage` is written on success
 * only and then ended by stage_leave().
 */
struct verdict stage_enter(int root_fd, struct stage *stage);

/*
 * Back to where vext came from. Descriptors of mounts made on the stage stay valid; all mounts that
 * nothing holds are gone when this returns. Called again it does nothing.
 */
struct verdict stage_leave(struct stage *stage);

#endif
