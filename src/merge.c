/* SPDX-License-Identifier: Apache-2.0 */
/* vext merge, on a running system: the same as at boot, if nothing of it is merged yet. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "class_choice.h"
#include "commands.h"
#include "due.h"
#include "lock.h"
#include "log.h"
#include "merging.h"
#include "reload.h"
#include "status.h"
#include "sys/merged.h"

struct options {
	const char *root;
	struct class_choice choice;
	bool dry_run, json, no_reload;
};

static bool parse_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "no-reload", no_argument, NULL, 'l' },
		CLASS_CHOICE_OPTIONS,
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == 'r')
			options->root = optarg;
		else if (option == 'n')
			options->dry_run = true;
		else if (option == 'j')
			options->json = true;
		else if (option == 'l')
			options->no_reload = true;
		else if (!class_choice_take(&options->choice, option, optarg))
			return false;
	}
	return optind == argc &&
	       class_choice_fits(&options->choice,
				 own_is_systems(options->root) && !options->dry_run);
}

static enum exit_status merge_classes(struct merging *merging)
{
	enum exit_status status = EXIT_GOOD;

	if (merging->config.classes == 0)
		return EXIT_GOOD;
	status = merging_run(merging, false);
	status = report_worse(status, merging_leave(merging));
	return required_end(&merging->config, merging->missing, status);
}

static enum exit_status reload(const struct merging *merging)
{
	if (merging->result.merged == 0 ||
	    !merged_wants_reload(merging->extensions.root_fd, merging->config.classes))
		return EXIT_GOOD;
	return reload_units(merging->root);
}

/* If not, that is told. */
static bool may_change(struct merging *merging)
{
	struct verdict v;

	if (!lock_take())
		return false;
	v = own_load(&merging->own);
	if (is_accepted(v) && merging->is_the_systems)
		v = own_check_same(&merging->own);
	if (!is_accepted(v))
		(void)report_trouble("merge", v);
	return is_accepted(v);
}

/* There is no boot to be stopped: what is required and missing is told, and no more. */
static enum exit_status merge_for_real(struct merging *merging)
{
	enum exit_status status;

	merging->config.on_failure = ON_FAILURE_CONTINUE;
	if (!may_change(merging)) {
		due_leave(merging, 0);
		return EXIT_SYSTEM;
	}
	status = is_accepted(merging->config.denied) ? EXIT_GOOD : EXIT_SYSTEM;
	status = report_worse(status, due_find(merging));
	return report_worse(status, merge_classes(merging));
}

static enum exit_status merge_root(struct merging *merging, const struct options *options)
{
	struct json json = { .to = stdout };
	enum exit_status status;

	if (!extensions_open(&merging->extensions, options->root))
		return EXIT_SYSTEM;
	if (options->dry_run) {
		status = merging_run(merging, true);
		merging_print_plan(merging, options->json);
		return status;
	}
	status = merge_for_real(merging);
	if (options->json) {
		if (merging->config.classes == 0)
			status = report_worse(status, merging_recall(merging));
		merging_describe(merging, &json);
		putchar('\n');
	}
	return options->no_reload ? status : report_worse(status, reload(merging));
}

enum exit_status command_merge(int argc, char **argv)
{
	static struct merging merging; /* as in boot.c */
	struct options options = { .root = "/" };
	enum exit_status status;
	uint32_t all;

	if (!parse_options(argc, argv, &options))
		return usage_error(argv[0]);
	merging_begin(&merging, options.root);
	all = merging.config.classes;
	merging.is_the_systems = own_is_systems(options.root);
	if (class_choice_apply(&options.choice, "refresh", &merging.config, &status)) {
		merging.besides = all & ~merging.config.classes;
		status = merge_root(&merging, &options);
	}
	merging_end(&merging);
	return status;
}
