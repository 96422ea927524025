/* SPDX-License-Identifier: Apache-2.0 */
/* vext merge, on a running system: the same as at boot, if nothing of it is merged yet. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "due.h"
#include "lock.h"
#include "log.h"
#include "merging.h"
#include "options.h"
#include "reload.h"
#include "status.h"
#include "sys/merged.h"

static enum exit_status merge_classes(struct merging *merging)
{
	enum exit_status status;

	if (merging->config.classes == 0) {
		status = merging_recall(merging);
	} else {
		status = merging_run(merging, false);
		status = report_worse(status, merging_leave(merging));
	}
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

	if (!lock_take(LOCK_STOPS))
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
		return report_worse(EXIT_SYSTEM, merging_recall(merging));
	}
	status = is_accepted(merging->config.denied) ? EXIT_GOOD : EXIT_SYSTEM;
	status = report_worse(status, due_find(merging));
	return report_worse(status, merge_classes(merging));
}

static enum exit_status merge_root(struct merging *merging, const struct change_options *options)
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
		worker_may_wait();
		merging_describe(merging, &json);
		putchar('\n');
	}
	return options->no_reload ? status : report_worse(status, reload(merging));
}

enum exit_status command_merge(int argc, char **argv)
{
	static struct merging merging; /* as in boot.c */
	struct change_options options = { .root = "/" };
	enum exit_status status;
	uint32_t all;

	if (!change_options_parse(argc, argv, &options))
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
