/* SPDX-License-Identifier: Apache-2.0 */
/* vext list: which extensions there are, and what vext thinks of each. */
#include <stdio.h>
#include <string.h>

#include "columns.h"
#include "commands.h"
#include "configuration.h"
#include "extensions.h"
#include "hierarchies.h"
#include "options.h"

struct list {
	struct config config;
	struct extensions extensions;
	struct hierarchies hierarchies;
};

static void put_why(const struct report *report, struct text *text)
{
	if (!is_accepted(report->verdict)) {
		text_str(text, reason_name(report->verdict.reason));
		return;
	}
	if (!report->signer) {
		text_str(text, "not signed");
		return;
	}
	text_escaped(text, report->signer->subject, strlen(report->signer->subject));
	text_str(text, " (");
	text_str(text, anchor_source_name(report->signer->source));
	text_char(text, ')');
}

static void put_row(const void *ctx, size_t row, struct text cells[COLUMNS_MAX])
{
	const struct list *list = ctx;
	char path[EXTENSIONS_PATH_MAX];
	struct report report;
	bool is_merged;

	extensions_report(&list->extensions, row, path, &report);
	is_merged = !extensions_is_passed_over(&list->extensions, row) &&
		    hierarchies_have(&list->hierarchies, class_traits(report.class)->name,
				     report.name);
	text_str(&cells[0], report.name);
	text_str(&cells[1], class_traits(report.class)->name);
	text_str(&cells[2], extensions_is_passed_over(&list->extensions, row) ? "passed over" :
			    is_accepted(report.verdict)			      ? "accepted" :
										"refused");
	text_str(&cells[3], is_merged ? "yes" : "no");
	text_escaped(&cells[4], path, strlen(path));
	put_why(&report, &cells[5]);
}

static void print_table(const struct list *list)
{
	const struct columns columns = {
		.heads = { "NAME", "CLASS", "VERDICT", "MERGED", "IMAGE", "WHY" },
		.rows = list->extensions.discovery.count,
		.row = put_row,
		.ctx = list,
	};

	if (columns.rows > 0)
		columns_print(&columns);
	else
		puts("no extensions");
}

static void print_json(const struct list *list)
{
	struct json json = { .to = stdout };

	json_open(&json, NULL, '{');
	json_u64(&json, "version", 1);
	hierarchies_json(&list->hierarchies, &json);
	json_open(&json, "images", '[');
	extensions_json(&list->extensions, &json);
	json_close(&json, ']');
	json_close(&json, '}');
	putchar('\n');
}

/* The worst of what is said of the images that count. */
static enum exit_status worst(const struct extensions *extensions)
{
	enum exit_status status = EXIT_GOOD;

	for (size_t i = 0; i < extensions->discovery.count; i++)
		if (!extensions_is_passed_over(extensions, i))
			status = report_worse(status, report_status(extensions->items[i].verdict));
	return status;
}

static enum exit_status list_root(struct list *list, const char *root, bool json)
{
	enum exit_status status;
	struct own own;

	if (!extensions_open(&list->extensions, root))
		return EXIT_SYSTEM;
	if (!extensions_find(&list->extensions, &list->config, 0, &status))
		return status;
	status = report_worse(status, hierarchies_read(list->extensions.root_fd, own_of(root, &own),
						       &list->hierarchies));
	if (json)
		print_json(list);
	else
		print_table(list);
	hierarchies_free(&list->hierarchies);
	return report_worse(status, worst(&list->extensions));
}

enum exit_status command_list(int argc, char **argv)
{
	static struct list list;
	enum exit_status status;
	struct show_options options = { .root = "/" };

	if (!show_options_parse(argc, argv, &options))
		return usage_error(argv[0]);
	extensions_init(&list.extensions);
	configuration_load(&list.config);
	status = list_root(&list, options.root, options.json);
	extensions_close(&list.extensions);
	return status;
}
