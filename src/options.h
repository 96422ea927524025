/* SPDX-License-Identifier: Apache-2.0 */
/* The options of commands that only show something: --json and --root DIR. */
#ifndef VEXT_OPTIONS_H
#define VEXT_OPTIONS_H

#include <stdbool.h>

struct show_options {
	bool json;
	const char *root;
};

/* What is given replaces what `options` has. False, and told, for anything else, an argument too. */
bool show_options_parse(int argc, char **argv, struct show_options *options);

#endif
