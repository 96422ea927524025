/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>

#include "own.h"

bool show_options_parse(int argc, char **argv, struct show_options *options)
{
	static const struct option long_options[] = { { "json", no_argument, NULL, 'j' },
						      { "root", required_argument, NULL, 'r' },
						      { 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == 'j')
			options->json = true;
		else if (option == 'r')
			options->root = optarg;
		else
			return false;
	}
	return optind == argc;
}

static bool take(struct change_options *options, int option)
{
	switch (option) {
	case 'r':
		options->root = optarg;
		return true;
	case 'j':
		return options->json = true;
	case 'l':
		return options->no_reload = true;
	case 'n':
		return options->dry_run = true;
	case 'm':
		return options->if_mergeable = true;
	default:
		return class_choice_take(&options->choice, option, optarg);
	}
}

bool change_options_parse(int argc, char **argv, struct change_options *options)
{
	static const struct option long_options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ "no-reload", no_argument, NULL, 'l' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "if-mergeable", no_argument, NULL, 'm' },
		CLASS_CHOICE_OPTIONS,
		{ 0 },
	};
	const bool merges = strcmp(argv[0], "merge") == 0;
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (!take(options, option))
			return false;
	return optind == argc && !(merges ? options->if_mergeable : options->dry_run) &&
	       class_choice_fits(&options->choice,
				 own_is_systems(options->root) && !options->dry_run);
}
