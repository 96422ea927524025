/* SPDX-License-Identifier: Apache-2.0 */
/* The options of commands that show what there is, and of those that change it. */
#ifndef VEXT_OPTIONS_H
#define VEXT_OPTIONS_H

#include <stdbool.h>

#include "class_choice.h"

struct show_options {
	bool json;
	const char *root;
};

/*
 * --json and --root DIR. What is given replaces what `options` has. False, and told, for anything
 * else, an argument too.
 */
bool show_options_parse(int argc, char **argv, struct show_options *options);

struct change_options {
	const char *root;
	struct class_choice choice;
	bool json, no_reload;
	bool dry_run;	   /* of merge alone */
	bool if_mergeable; /* of unmerge alone */
};

/* Likewise those of merge and unmerge. */
bool change_options_parse(int argc, char **argv, struct change_options *options);

#endif
