/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vext yields: may systemd merge extensions of these classes? For ExecCondition= of systemd's own units, which go on
 * after status 0 and stand back after any other. It looks at what is baked and at nothing else, so it needs no
 * privileges, no /proc and no root; and it never fails: in doubt all classes are vext's.
 */
#include <getopt.h>
#include <string.h>

#include "class_choice.h"
#include "commands.h"
#include "configuration.h"
#include "log.h"
#include "trust.h"

/* Those that are named; 0, and told, when one of them is no class. */
static uint32_t parse_classes(char *const names[])
{
	uint32_t classes = 0;

	for (; *names; names++) {
		const enum extension_class class = class_named(*names, strlen(*names));

		if (class == CLASS_UNKNOWN) {
			class_choice_unknown(*names);
			return 0;
		}
		classes |= 1u << class;
	}
	return classes;
}

/* Half a policy is none, so damage anywhere in it leaves no class to anybody; what is wrong is told. */
static uint32_t vexts_classes(void)
{
	static struct config config; /* 23 KB: not for the stack */
	static struct anchors anchors;
	bool is_whole;

	configuration_load_baked(&config);
	anchors_init(&anchors);
	is_whole = is_accepted(trust_load_baked(&anchors)) && is_accepted(config.denied);
	anchors_free(&anchors);
	return is_whole ? config.classes : CLASSES_ALL;
}

enum exit_status command_yields(int argc, char **argv)
{
	static const struct option none[] = { { 0 } };
	uint32_t classes = 0;

	if (getopt_long(argc, argv, "", none, NULL) == -1)
		classes = parse_classes(argv + optind);
	if (classes == 0)
		return usage_error(argv[0]);
	classes &= vexts_classes();
	for (unsigned i = 0; i < CLASSES; i++) {
		if (classes & 1u << i) {
			log_line(LOG_LEVEL_INFO, "%s is vext's to merge, and not systemd's",
				 class_traits((enum extension_class)i)->name);
			return EXIT_REFUSED;
		}
	}
	return EXIT_GOOD;
}
