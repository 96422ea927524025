/* SPDX-License-Identifier: Apache-2.0 */
#include "class_choice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "sys/worker.h"

#define PROGRAM_SIZE 32u

bool class_choice_take(struct class_choice *choice, int option, const char *argument)
{
	if (option == 'c')
		choice->class = argument;
	else if (option == 'y')
		choice->yields = true;
	else
		return false;
	return true;
}

void class_choice_unknown(const char *name)
{
	fprintf(stderr, "vext: there is no class '%s', but sysext and confext\n", name);
}

bool class_choice_fits(const struct class_choice *choice, bool is_for_real)
{
	if (choice->yields && choice->class == NULL)
		fputs("vext: --yield goes with --class\n", stderr);
	else if (choice->yields && !is_for_real)
		fputs("vext: --yield does not go with --root or --dry-run\n", stderr);
	else if (choice->class != NULL &&
		 class_named(choice->class, strlen(choice->class)) == CLASS_UNKNOWN)
		class_choice_unknown(choice->class);
	else
		return true;
	return false;
}

static enum exit_status become_systemds(const char *class, const char *verb)
{
	char program[PROGRAM_SIZE];

	snprintf(program, sizeof(program), "systemd-%s", class);
	worker_may_wait();
	execlp(program, program, verb, (char *)NULL);
	log_line(LOG_LEVEL_ERROR, "%s: %s", program, strerror(errno));
	return EXIT_SYSTEM;
}

bool class_choice_apply(const struct class_choice *choice, const char *verb, struct config *config,
			enum exit_status *status)
{
	uint32_t asked;

	if (choice->class == NULL)
		return true;
	asked = 1u << class_named(choice->class, strlen(choice->class));
	if ((config->classes & asked) != 0) {
		config->classes &= asked;
		return true;
	}
	if (choice->yields) {
		*status = become_systemds(choice->class, verb);
		return false;
	}
	log_line(LOG_LEVEL_WARNING,
		 "%s is not vext's by its baked configuration (classes); 'systemd-%s %s' is for it",
		 choice->class, choice->class, verb);
	*status = EXIT_REFUSED;
	return false;
}
