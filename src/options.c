/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <getopt.h>
#include <stddef.h>

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
