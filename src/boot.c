/* SPDX-License-Identifier: Apache-2.0 */
/* vext boot, which the initramfs runs. */
#include <getopt.h>

#include "commands.h"
#include "configuration.h"
#include "due.h"
#include "lock.h"
#include "log.h"
#include "merging.h"
#include "status.h"
#include "sys/manager.h"

struct options {
	const char *root;
	bool dry_run;
};

static bool parse_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == 'r')
			options->root = optarg;
		else if (option == 'n')
			options->dry_run = true;
		else
			return false;
	}
	return optind == argc;
}

/*
 * What another program has merged hides the root's certificates and images, so that comes first, whatever is merged then. Without a
 * record vext has not merged anything in this boot.
 */
static enum exit_status settle_and_merge(struct merging *merging, bool dry_run)
{
	const struct own *own = &merging->own;
	enum exit_status status = EXIT_GOOD;

	if (!extensions_open(&merging->extensions, merging->root))
		return EXIT_SYSTEM;
	if (!dry_run)
		status = foreigns_settle(merging->extensions.root_fd, &merging->config,
					 own->is_there ? own->record.token : NULL,
					 &merging->foreigns);
	if (merging->foreigns.stops)
		return report_worse(status, EXIT_REFUSED);
	if (!dry_run && own->is_there &&
	    merging->foreigns.refused == 0) /* this is not the first run */
		status = report_worse(status, due_find(merging));
	return report_worse(status, merging->config.classes == 0 ? EXIT_GOOD :
								   merging_run(merging, dry_run));
}

static enum exit_status boot_as_configured(struct merging *merging, bool dry_run)
{
	return report_worse(is_accepted(merging->config.denied) ? EXIT_GOOD : EXIT_SYSTEM,
			    settle_and_merge(merging, dry_run));
}

static enum exit_status boot_for_real(struct merging *merging)
{
	enum exit_status status = report_any_trouble(REQUIRED_MARK,
						     required_begin(&merging->config));

	if (!lock_take(LOCK_GOES_ON))
		return EXIT_SYSTEM;
	status = report_worse(status, report_any_trouble(STATUS_MERGED, own_load(&merging->own)));
	status = report_worse(status, boot_as_configured(merging, false));
	/* So that late runs are no laxer than the boot was. */
	if (merging->is_the_systems)
		status = report_worse(
			status, report_any_trouble(STATUS_CONFIGURATION, configuration_leave()));
	status = report_worse(status, merging_leave(merging));
	if (merging->foreigns.stops)
		return required_stop_for_foreign(&merging->config, merging->missing);
	return required_end(&merging->config, merging->missing, status);
}

static enum exit_status rehearse(struct merging *merging)
{
	const enum exit_status status = boot_as_configured(merging, true);

	merging_print_plan(merging, false);
	return status;
}

enum exit_status command_boot(int argc, char **argv)
{
	static struct merging
		merging; /* zeroed, not initialised: 100 KB that the file need not hold */
	struct options options = { .root = "/sysroot" };
	enum exit_status status;

	if (!parse_options(argc, argv, &options))
		return usage_error(argv[0]);
	if (!options.dry_run)
		log_to_kernel();
	merging_begin(&merging, options.root);
	merging.is_the_systems = manager_is_in_initrd();
	status = options.dry_run ? rehearse(&merging) : boot_for_real(&merging);
	merging_end(&merging);
	return status;
}
