/* SPDX-License-Identifier: Apache-2.0 */
#include "hierarchies.h"

#include <stdio.h>
#include <string.h>

#include "columns.h"

static const char *class_name(unsigned hierarchy)
{
	return class_traits(hierarchy_class((enum hierarchy)hierarchy))->name;
}

enum exit_status hierarchies_read(int root_fd, struct hierarchies *hierarchies)
{
	enum exit_status status = EXIT_GOOD;

	memset(hierarchies, 0, sizeof(*hierarchies));
	for (unsigned i = 0; i < HIERARCHIES; i++) {
		const struct verdict v = merged_read(root_fd, (enum hierarchy)i,
						     &hierarchies->merged[i]);

		if (!is_accepted(v))
			status = report_trouble(hierarchy_name((enum hierarchy)i), v);
	}
	return status;
}

void hierarchies_free(struct hierarchies *hierarchies)
{
	for (unsigned i = 0; i < HIERARCHIES; i++)
		merged_free(&hierarchies->merged[i]);
}

bool hierarchies_have(const struct hierarchies *hierarchies, const char *class, const char *name)
{
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (strcmp(class_name(i), class) == 0 && merged_has(&hierarchies->merged[i], name))
			return true;
	return false;
}

static void put_row(const void *ctx, size_t row, struct text cells[COLUMNS_MAX])
{
	const struct hierarchies *hierarchies = ctx;
	const struct merged *merged = &hierarchies->merged[row];

	text_char(&cells[0], '/');
	text_str(&cells[0], hierarchy_name((enum hierarchy)row));
	text_str(&cells[1], class_name((unsigned)row));
	if (merged->is_merged)
		text_time(&cells[2], merged->since);
	for (size_t i = 0; i < merged->names.count; i++) {
		if (i > 0)
			text_char(&cells[3], ' ');
		text_str(&cells[3], merged->names.names[i]);
	}
}

void hierarchies_print(const struct hierarchies *hierarchies)
{
	const struct columns columns = {
		.heads = { "HIERARCHY", "CLASS", "MERGED SINCE", "EXTENSIONS" },
		.rows = HIERARCHIES,
		.row = put_row,
		.ctx = hierarchies,
	};

	columns_print(&columns);
}

void hierarchies_json(const struct hierarchies *hierarchies, struct json *json)
{
	char path[8];

	json_open(json, "hierarchies", '[');
	for (unsigned i = 0; i < HIERARCHIES; i++) {
		const struct merged *merged = &hierarchies->merged[i];

		snprintf(path, sizeof(path), "/%s", hierarchy_name((enum hierarchy)i));
		json_open(json, NULL, '{');
		json_string(json, "hierarchy", path);
		json_string(json, "class", class_name(i));
		json_bool(json, "merged", merged->is_merged);
		if (merged->is_merged)
			json_u64(json, "since", merged->since);
		else
			json_null(json, "since");
		json_open(json, "extensions", '[');
		for (size_t k = 0; k < merged->names.count; k++)
			json_string(json, NULL, merged->names.names[k]);
		json_close(json, ']');
		json_close(json, '}');
	}
	json_close(json, ']');
}
