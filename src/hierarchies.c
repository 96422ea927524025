/* SPDX-License-Identifier: Apache-2.0 */
#include "hierarchies.h"

#include <stdio.h>
#include <string.h>

#include "columns.h"
#include "log.h"

static const char *class_name(unsigned hierarchy)
{
	return class_traits(hierarchy_class((enum hierarchy)hierarchy))->name;
}

static const char *owner_of(const struct merged *merged)
{
	return !merged->is_merged ? NULL : merged->is_vexts ? "vext" : "other";
}

enum exit_status hierarchies_read(int root_fd, const struct merges *record,
				  struct hierarchies *hierarchies)
{
	const uint8_t *token = record != NULL ? record->token : NULL;
	enum exit_status status = EXIT_GOOD;

	memset(hierarchies, 0, sizeof(*hierarchies));
	for (unsigned i = 0; i < HIERARCHIES; i++) {
		const struct verdict v = merged_read(root_fd, (enum hierarchy)i, token,
						     &hierarchies->merged[i]);

		if (!is_accepted(v))
			status = report_trouble(hierarchy_name((enum hierarchy)i), v);
		else
			hierarchies->is_gone[i] = record != NULL && record->merged[i] &&
						  !hierarchies->merged[i].is_vexts;
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

/* Somebody else's merge is not taken off by a merge, nor by the start of the unit. */
static void tell_gone(enum hierarchy hierarchy, bool is_others)
{
	const char *class = class_name(hierarchy);

	if (is_others)
		log_line(
			LOG_LEVEL_ERROR,
			"partly merged: vext has merged onto /%s, and another program has since; 'vext unmerge --class=%s', and then 'vext merge --class=%s', merges again",
			hierarchy_name(hierarchy), class, class);
	else
		log_line(
			LOG_LEVEL_ERROR,
			"partly merged: vext has merged onto /%s, and its merge is there no longer; 'systemctl restart systemd-%s', or 'vext merge --class=%s', merges again",
			hierarchy_name(hierarchy), class, class);
}

enum exit_status hierarchies_check(const struct hierarchies *hierarchies)
{
	enum exit_status status = EXIT_GOOD;

	for (unsigned i = 0; i < HIERARCHIES; i++) {
		if (!hierarchies->is_gone[i])
			continue;
		tell_gone((enum hierarchy)i, hierarchies->merged[i].is_merged);
		status = EXIT_SYSTEM;
	}
	return status;
}

static void put_row(const void *ctx, size_t row, struct text cells[COLUMNS_MAX])
{
	const struct hierarchies *hierarchies = ctx;
	const struct merged *merged = &hierarchies->merged[row];

	text_char(&cells[0], '/');
	text_str(&cells[0], hierarchy_name((enum hierarchy)row));
	text_str(&cells[1], class_name((unsigned)row));
	if (merged->is_merged) {
		text_str(&cells[2], owner_of(merged));
		text_time(&cells[3], merged->since);
	} else if (hierarchies->is_gone[row]) {
		text_str(&cells[2], "gone");
	}
	for (size_t i = 0; i < merged->names.count; i++) {
		if (i > 0)
			text_char(&cells[4], ' ');
		text_str(&cells[4], merged->names.names[i]);
	}
}

void hierarchies_print(const struct hierarchies *hierarchies)
{
	const struct columns columns = {
		.heads = { "HIERARCHY", "CLASS", "MERGED BY", "SINCE", "EXTENSIONS" },
		.rows = HIERARCHIES,
		.row = put_row,
		.ctx = hierarchies,
	};

	columns_print(&columns);
}

void hierarchies_json(const struct hierarchies *hierarchies, struct json *json)
{
	bool is_partly = false;
	char path[8];

	json_open(json, "hierarchies", '[');
	for (unsigned i = 0; i < HIERARCHIES; i++) {
		const struct merged *merged = &hierarchies->merged[i];

		is_partly |= hierarchies->is_gone[i];
		snprintf(path, sizeof(path), "/%s", hierarchy_name((enum hierarchy)i));
		json_open(json, NULL, '{');
		json_string(json, "hierarchy", path);
		json_string(json, "class", class_name(i));
		json_bool(json, "merged", merged->is_merged);
		json_string(json, "by", owner_of(merged));
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
	json_bool(json, "partlyMerged", is_partly);
}
