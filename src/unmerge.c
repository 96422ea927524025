/* SPDX-License-Identifier: Apache-2.0 */
/* vext unmerge: take what is merged off a root again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "configuration.h"
#include "former.h"
#include "json.h"
#include "lock.h"
#include "log.h"
#include "mergeable.h"
#include "options.h"
#include "own.h"
#include "reload.h"
#include "status.h"
#include "sys/merged.h"
#include "unmerging.h"

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
	formers_tell(&json, false);
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
	formers_tell(NULL, false);
}

/* Of a class that was unmerged nothing is left, whoever took it off before. */
static bool is_off(enum hierarchy hierarchy, const bool removed[HIERARCHIES],
		   const struct config *config, enum exit_status unmerged)
{
	return removed[hierarchy] ||
	       (unmerged == EXIT_GOOD && config_has_class(config, hierarchy_class(hierarchy)));
}

/* Only what is vext's and on the root of the system is in the record. */
static enum exit_status record(struct own *own, const struct change_options *options,
			       const struct config *config, const bool removed[HIERARCHIES],
			       enum exit_status unmerged)
{
	bool changed = false;
	struct verdict v;

	for (unsigned i = 0; i < HIERARCHIES; i++) {
		if (!own->record.merged[i] || !is_off((enum hierarchy)i, removed, config, unmerged))
			continue;
		own->record.merged[i] = false;
		changed = true;
	}
	if (!changed || !own_is_systems(options->root))
		return EXIT_GOOD;
	v = own_save(own);
	return is_accepted(v) ? EXIT_GOOD : report_trouble(STATUS_MERGED, v);
}

static enum exit_status unmerge_root(int root_fd, const struct change_options *options,
				     const struct config *config, struct own *own)
{
	static struct mergeable mergeable;
	/* Before, for then the extensions are there to be read. */
	const bool wants_reload = !options->no_reload &&
				  merged_wants_reload(root_fd, config->classes);
	bool removed[HIERARCHIES], any = false;
	enum exit_status status;

	mergeable_note(&mergeable, config, root_fd);
	status = unmerging_run(root_fd, hierarchies_of(config->classes),
			       options->if_mergeable ? mergeable_look : NULL, &mergeable, removed);
	for (unsigned i = 0; i < HIERARCHIES; i++)
		any |= removed[i];
	status = report_worse(status, record(own, options, config, removed, status));
	if (options->json)
		print_json(removed);
	else
		print_lines(removed, any, status);
	if (any && wants_reload)
		status = report_worse(status, reload_units(options->root));
	return status;
}

/* Whose it is must be known before it is taken off, on the system's own root. */
static enum exit_status unmerge_as_configured(const struct change_options *options,
					      const struct config *config)
{
	enum exit_status status;
	struct own own;
	struct verdict v;
	int root_fd;

	if (!lock_take(LOCK_STOPS))
		return EXIT_SYSTEM;
	v = own_load(&own);
	if (is_accepted(v) && own_is_systems(options->root))
		v = own_check_same(&own);
	if (!is_accepted(v))
		return report_trouble("unmerge", v);
	root_fd = open(options->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0) {
		log_line(LOG_LEVEL_ERROR, "%s: %s", options->root, strerror(errno));
		return EXIT_SYSTEM;
	}
	status = unmerge_root(root_fd, options, config, &own);
	(void)close(root_fd);
	return status;
}

enum exit_status command_unmerge(int argc, char **argv)
{
	static struct config config; /* 23 KB */
	struct change_options options = { .root = "/" };
	enum exit_status status;

	if (!change_options_parse(argc, argv, &options))
		return usage_error(argv[0]);
	configuration_load(&config);
	if (class_choice_apply(&options.choice, "unmerge", &config, &status))
		status = unmerge_as_configured(&options, &config);
	return status;
}
