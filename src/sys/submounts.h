/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted below a hierarchy of the root, such as /usr/share/oem, stays visible through the overlay. */
#ifndef VEXT_SYS_SUBMOUNTS_H
#define VEXT_SYS_SUBMOUNTS_H

#include "core/plan.h"
#include "sys/stage.h"
#include "vext.h"

/*
 * Mounts copies of all that is mounted below the hierarchy at the same places below `over`, a directory
 * of the stage. merge.submount where a copy can't be made or has no place there any more.
 */
struct verdict submounts_keep(const struct stage *stage, enum hierarchy hierarchy,
			      const char *over);

#endif
