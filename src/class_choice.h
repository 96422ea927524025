/* SPDX-License-Identifier: Apache-2.0 */
/* Which classes a run of merge or unmerge is about: --class=CLASS and --yield. */
#ifndef VEXT_CLASS_CHOICE_H
#define VEXT_CLASS_CHOICE_H

#include "core/config.h"
#include "report.h"

struct class_choice {
	const char *class; /* NULL: all that are vext's */
	bool yields;	   /* to systemd, if the class is not vext's */
};

/* For an array of struct option. */
#define CLASS_CHOICE_OPTIONS                       \
	{ "class", required_argument, NULL, 'c' }, \
	{                                          \
		"yield", no_argument, NULL, 'y'    \
	}

/* Takes one of these options; false for another. */
bool class_choice_take(struct class_choice *choice, int option, const char *argument);

/* Says that there is no class of this name. */
void class_choice_unknown(const char *name);

/*
 * False, and told, for a class that there is not, for --yield without a class, and for --yield if the run is not one that changes the
 * system's root: systemd's program would.
 */
bool class_choice_fits(const struct class_choice *choice, bool is_for_real);

/*
 * Leaves in config->classes those of the choice. If the one that was asked for is not vext's: with --yield this process becomes
 * systemd-CLASS VERB and the call does not return; else it is told, and false.
 */
bool class_choice_apply(const struct class_choice *choice, const char *verb, struct config *config,
			enum exit_status *status);

#endif
