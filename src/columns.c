/* SPDX-License-Identifier: Apache-2.0 */
#include "columns.h"

#include <stdio.h>
#include <string.h>

#define GAP 2

struct row {
	char bytes[COLUMNS_MAX][COLUMNS_CELL_MAX];
};

static void fill(const struct columns *columns, size_t row, struct row *filled)
{
	struct text cells[COLUMNS_MAX];

	for (size_t i = 0; i < COLUMNS_MAX; i++)
		text_init(&cells[i], filled->bytes[i], COLUMNS_CELL_MAX);
	columns->row(columns->ctx, row, cells);
	for (size_t i = 0; i < COLUMNS_MAX; i++)
		if (cells[i].used == 0)
			text_char(&cells[i], '-');
}

static bool is_last(const struct columns *columns, size_t i)
{
	return i + 1 == COLUMNS_MAX || columns->heads[i + 1] == NULL;
}

static void print_cell(const struct columns *columns, size_t i, const char *cell, size_t width)
{
	if (is_last(columns, i))
		puts(cell);
	else
		printf("%-*s", (int)width + GAP, cell);
}

static void widen(size_t *width, const char *cell)
{
	if (strlen(cell) > *width)
		*width = strlen(cell);
}

void columns_print(const struct columns *columns)
{
	size_t widths[COLUMNS_MAX] = { 0 }, count = 0;
	struct row row;

	for (; count < COLUMNS_MAX && columns->heads[count] != NULL; count++)
		widen(&widths[count], columns->heads[count]);
	for (size_t r = 0; r < columns->rows; r++) {
		fill(columns, r, &row);
		for (size_t i = 0; i < count; i++)
			widen(&widths[i], row.bytes[i]);
	}
	for (size_t i = 0; i < count; i++)
		print_cell(columns, i, columns->heads[i], widths[i]);
	for (size_t r = 0; r < columns->rows; r++) {
		fill(columns, r, &row);
		for (size_t i = 0; i < count; i++)
			print_cell(columns, i, row.bytes[i], widths[i]);
	}
}
