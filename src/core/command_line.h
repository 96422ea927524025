/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a kernel command line: lib/cmdline.c of Linux, next_arg(). */
#ifndef VEXT_CORE_COMMAND_LINE_H
#define VEXT_CORE_COMMAND_LINE_H

#include "core/piece.h"

struct command_word {
	struct piece whole;
	struct piece key;   /* of a word without "=": all of it */
	struct piece value; /* without double quotes around it, or around the word */
	bool has_value;
};

/* The next word; blanks in double quotes do not end it. False at the end. */
bool command_line_next(struct piece *rest, struct command_word *word);

#endif
