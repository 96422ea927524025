/* SPDX-License-Identifier: Apache-2.0 */
/* Before something is taken off in order to be merged again: would what is required come back? */
#ifndef VEXT_MERGEABLE_H
#define VEXT_MERGEABLE_H

#include "core/config.h"
#include "report.h"

struct mergeable {
	const struct config *config;	  /* its classes are those that are taken off */
	bool is_merged[CONFIG_NAMES_MAX]; /* by the index of what is required */
	struct verdict verdict;		  /* accepted if that is known */
};

/* Notes which of the required extensions are merged on the root now. */
void mergeable_note(struct mergeable *mergeable, const struct config *config, int root_fd);

/*
 * For unmerging_run(): judges what is found on the bare root. EXIT_SYSTEM, and told, if a required extension that is merged would
 * not be accepted any more, or if it is not known which are merged.
 */
enum exit_status mergeable_look(void *mergeable, int bare_fd);

#endif
