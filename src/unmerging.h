/* SPDX-License-Identifier: Apache-2.0 */
/* Takes what is merged off a root, hierarchy by hierarchy. */
#ifndef VEXT_UNMERGING_H
#define VEXT_UNMERGING_H

#include "core/class.h"
#include "core/mountinfo.h"
#include "report.h"

/*
 * Takes off what is merged in the classes (bits of enum extension_class), by whomever; `removed` gets true for each hierarchy
 * that was. First all of it in a private copy, where nobody sees it, so that what cannot be done is told before anything is.
 * `look`, if not NULL, is called there, with the bare root: unless it returns EXIT_GOOD, nothing is taken off.
 */
enum exit_status unmerging_run(int root_fd, uint32_t classes,
			       enum exit_status (*look)(void *ctx, int bare_fd), void *ctx,
			       bool removed[HIERARCHIES]);

/* Tells why overlay_remove() could not take a hierarchy off, with what is in the way, if that is not "". EXIT_SYSTEM. */
enum exit_status unmerging_trouble(enum hierarchy hierarchy, const char *in_the_way,
				   struct verdict v);

/*
 * Takes one hierarchy off, likewise first where nobody sees it: with what is mounted below it a merge cannot be put back as it was.
 * As overlay_remove().
 */
struct verdict unmerging_hierarchy(int root_fd, enum hierarchy hierarchy,
				   char in_the_way[MOUNTINFO_PATH_MAX]);

#endif
