/* SPDX-License-Identifier: Apache-2.0 */
/* The directories of the root that are merged onto. Anybody who has written to the root may have made links of them. */
#ifndef VEXT_SYS_PLACE_H
#define VEXT_SYS_PLACE_H

#include <stdbool.h>

#include "core/class.h"
#include "vext.h"

/*
 * The hierarchy is a directory of the root and, but for /usr, neither the same as another of them nor within it, nor
 * another within it: merge.nested. An overlay would hide the one below it, and show what belongs into the one in the other. A missing
 * one is made, also where a link leads to, but not the directory above: `*created` becomes true, or it is
 * merge.no-directory. merge.hierarchy for the rest, also without /proc.
 */
struct verdict place_need(int root_fd, enum hierarchy hierarchy, bool *created);

/* Takes a directory that was made away again, if it is still empty. */
void place_remove(int root_fd, enum hierarchy hierarchy);

#endif
