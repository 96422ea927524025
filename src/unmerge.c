/* SPDX-License-Identifier: Apache-2.0 */
/* vext unmerge: take what is merged off a root again. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "log.h"
#include "reload.h"
#include "sys/merged.h"
#include "sys/overlay.h"
#include "sys/stage.h"

#define WHAT_SIZE 512u

struct options {
	const char *root;
	bool json, no_reload;
};

static bool parse_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ "no-reload", no_argument, NULL, 'n' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == 'r')
			options->root = optarg;
		else if (option == 'j')
			options->json = true;
		else if (option == 'n')
			options->no_reload = true;
		else
			return false;
	}
	return optind == argc;
}

static enum exit_status unmerge(int root_fd, enum hierarchy hierarchy, bool *removed)
{
	char in_the_way[MOUNTINFO_PATH_MAX] = "";
	char what[WHAT_SIZE];
	struct text text;
	const struct verdict v = overlay_remove(root_fd, hierarchy, removed, in_the_way);

	if (is_accepted(v))
		return EXIT_GOOD;
	text_init(&text, what, sizeof(what));
	text_str(&text, in_the_way[0] == '\0' ? hierarchy_name(hierarchy) : "");
	text_escaped(&text, in_the_way, strlen(in_the_way));
	return report_trouble(what, v);
}

static enum exit_status unmerge_all(int root_fd, bool removed[HIERARCHIES])
{
	enum exit_status status = EXIT_GOOD;

	for (unsigned i = 0; i < HIERARCHIES; i++)
		status = report_worse(status, unmerge(root_fd, (enum hierarchy)i, &removed[i]));
	return status;
}

static bool any_merged(int root_fd)
{
	bool any = false;

	for (unsigned i = 0; i < HIERARCHIES; i++)
		any |= overlay_absent(root_fd, (enum hierarchy)i).reason == REASON_MERGE_PRESENT;
	return any;
}

/*
 * Where nobody sees it: what can't be done is told before anything is done, and no service is stopped for a mount
 * that was away for a moment.
 */
static enum exit_status rehearse(int root_fd)
{
	bool removed[HIERARCHIES] = { false };
	struct stage stage = STAGE_NONE;
	enum exit_status status;
	struct verdict v = stage_enter(root_fd, &stage);

	if (!is_accepted(v))
		return report_trouble("unmerge", v);
	status = unmerge_all(stage.root, removed);
	v = stage_leave(&stage);
	return is_accepted(v) ? status : report_trouble("unmerge", v);
}

static void print_json(const bool removed[HIERARCHIES])
{
	struct json json = { .to = stdout };
	char path[8];

	json_open(&json, NULL, '{');
	json_u64(&json, "version", 1);
	json_open(&json, "unmerged", '[');
	for (unsigned i = 0; i < HIERARCHIES; i++) {
		snprintf(path, sizeof(path), "/%s", hierarchy_name((enum hierarchy)i));
		if (removed[i])
			json_string(&json, NULL, path);
	}
	json_close(&json, ']');
	json_close(&json, '}');
	putchar('\n');
}

static void print_lines(const bool removed[HIERARCHIES], bool any, enum exit_status status)
{
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (removed[i])
			printf("unmerged /%s\n", hierarchy_name((enum hierarchy)i));
	if (!any && status == EXIT_GOOD)
		puts("nothing is merged");
}

static enum exit_status unmerge_root(int root_fd, const struct options *options)
{
	/* Before, for then the extensions are there to be read. */
	const bool wants_reload = !options->no_reload && merged_wants_reload(root_fd);
	bool removed[HIERARCHIES] = { false }, any = false;
	enum exit_status status = any_merged(root_fd) ? rehearse(root_fd) : EXIT_GOOD;

	if (status == EXIT_GOOD)
		status = unmerge_all(root_fd, removed);
	for (unsigned i = 0; i < HIERARCHIES; i++)
		any |= removed[i];
	if (options->json)
		print_json(removed);
	else
		print_lines(removed, any, status);
	if (any && wants_reload)
		status = report_worse(status, reload_units(options->root));
	return status;
}

enum exit_status command_unmerge(int argc, char **argv)
{
	struct options options = { .root = "/" };
	enum exit_status status;
	int root_fd;

	if (!parse_options(argc, argv, &options))
		return usage_error(argv[0]);
	root_fd = open(options.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0) {
		log_line(LOG_LEVEL_ERROR, "%s: %s", options.root, strerror(errno));
		return EXIT_SYSTEM;
	}
	status = unmerge_root(root_fd, &options);
	(void)close(root_fd);
	return status;
}
