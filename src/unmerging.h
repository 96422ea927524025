/* SPDX-License-Identifier: Apache-2.0 */
/* Takes what is merged off a root, hierarchy by hierarchy. */
#ifndef VEXT_UNMERGING_H
#define VEXT_UNMERGING_H

#include "core/class.h"
#include "report.h"

/*
 * Takes off what is merged in the hierarchies (bits of enum hierarchy), by whomever; `removed` gets
 * true for each hierarchy that was. First all of it in a private copy, where nobody sees it: with
 * what is mounted below it a merge cannot be put back as it was, so what cannot be done is told
 * before anything is. `look`, if not NULL, is called there, with the bare root: unless it returns
 * EXIT_GOOD, nothing is taken off. EXIT_SYSTEM, and told with what is in the way, if that cannot
 * be.
 */
enum exit_status unmerging_run(int root_fd, uint32_t hierarchies,
			       enum exit_status (*look)(void *ctx, int bare_fd), void *ctx,
			       bool removed[HIERARCHIES]);

#endif
