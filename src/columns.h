/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people, on standard output. */
#ifndef VEXT_COLUMNS_H
#define VEXT_COLUMNS_H

#include "core/text.h"

#define COLUMNS_MAX 6u
#define COLUMNS_CELL_MAX 512u /* bytes with NUL; a longer cell is cut */

struct columns {
	const char *heads[COLUMNS_MAX]; /* NULL after the last */
	size_t rows;
	/* Puts the cells of one row: text_str(&cells[0], …). Asked twice for each. Somebody else's text is escaped. */
	void (*row)(const void *ctx, size_t row, struct text cells[COLUMNS_MAX]);
	const void *ctx;
};

/* Each column as wide as its widest cell; an empty cell is a dash. */
void columns_print(const struct columns *columns);

#endif
