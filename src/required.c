/* SPDX-License-Identifier: Apache-2.0 */
#include "required.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "status.h"
#include "sys/manager.h"
#include "sys/power.h"
#include "sys/worker.h"

#define COUNTDOWN 10u /* seconds, so that somebody can read why */

static bool is_complete(const struct config *config, const struct missing missing[])
{
	for (uint32_t i = 0; i < config->required.count; i++)
		if (!is_accepted(missing[i].verdict))
			return false;
	return true;
}

static bool stops_the_boot(const struct config *config)
{
	return config->required.count > 0 && config->on_failure != ON_FAILURE_CONTINUE;
}

static enum on_failure foreign_action(const struct config *config)
{
	switch (config->foreign_merge) {
	case FOREIGN_MERGE_EMERGENCY:
		return ON_FAILURE_EMERGENCY;
	case FOREIGN_MERGE_POWEROFF:
		return ON_FAILURE_POWEROFF;
	case FOREIGN_MERGE_REPLACE:
		break;
	}
	return ON_FAILURE_CONTINUE;
}

/* The stricter of what may be due. */
static enum on_failure worst_action(const struct config *config)
{
	const enum on_failure foreign = foreign_action(config);

	return stops_the_boot(config) && config->on_failure > foreign ? config->on_failure :
									foreign;
}

/* A merge of another program that cannot be taken off stops the boot, whatever is configured. */
static enum on_failure foreign_stop(const struct config *config)
{
	const enum on_failure action = worst_action(config);

	return action == ON_FAILURE_CONTINUE ? ON_FAILURE_EMERGENCY : action;
}

static struct verdict leave_mark(enum on_failure action)
{
	FILE *file;
	bool failed;

	if (mkdir(STATUS_DIRECTORY, 0755) != 0 && errno != EEXIST)
		return verdict_errno(REASON_SYSTEM_STATUS, errno);
	file = fopen(REQUIRED_MARK, "we");
	if (!file)
		return verdict_errno(REASON_SYSTEM_STATUS, errno);
	failed = fprintf(file, "%s\n", on_failure_name(action)) < 0;
	if (fclose(file) != 0 || failed)
		return verdict_errno(REASON_SYSTEM_STATUS, errno);
	return verdict(REASON_ACCEPTED);
}

struct verdict required_begin(const struct config *config)
{
	const enum on_failure action = worst_action(config);

	return action == ON_FAILURE_CONTINUE ? verdict(REASON_ACCEPTED) : leave_mark(action);
}

static void tell(const struct config *config, const struct missing missing[])
{
	char name[CONFIG_NAME_TEXT_MAX];

	for (uint32_t i = 0; i < config->required.count; i++) {
		if (is_accepted(missing[i].verdict))
			continue;
		config_name_text(missing[i].name, name);
		log_line(LOG_LEVEL_ERROR, "required %s is not merged: %s: %s", name,
			 reason_name(missing[i].verdict.reason),
			 reason_sentence(missing[i].verdict.reason));
	}
}

/* Returns only where that is not possible. */
static void power_off_soon(void)
{
	struct verdict v;

	if (!manager_is_in_initrd()) {
		log_line(LOG_LEVEL_ERROR, "not powered off: this is not an initramfs (no "
					  "/etc/initrd-release or /usr/lib/initrd-release)");
		return;
	}
	for (unsigned left = COUNTDOWN; left > 0; left--) {
		if (left == COUNTDOWN || left <= 3)
			log_line(LOG_LEVEL_ERROR, "powering off in %u s, for what is told above",
				 left);
		worker_tick();
		sleep(1);
	}
	v = power_off();
	log_line(LOG_LEVEL_ERROR, "the machine cannot be powered off: %s", strerror(v.sys_errno));
}

static enum exit_status stop(enum on_failure action)
{
	(void)leave_mark(action); /* where it could not be left at the beginning */
	if (action == ON_FAILURE_POWEROFF)
		power_off_soon();
	log_line(LOG_LEVEL_ERROR, "the boot must not go on");
	return EXIT_REQUIRED;
}

enum exit_status required_end(const struct config *config, const struct missing missing[],
			      enum exit_status status)
{
	const bool complete = is_complete(config, missing);

	if (!complete)
		tell(config, missing);
	if (!complete && stops_the_boot(config))
		return stop(config->on_failure);
	unlink(REQUIRED_MARK);
	return complete ? status : report_worse(status, EXIT_REFUSED);
}

enum exit_status required_stop_for_foreign(const struct config *config,
					   const struct missing missing[])
{
	tell(config, missing);
	return stop(foreign_stop(config));
}

static void missing_json(const struct missing *missing, struct json *json)
{
	char name[CONFIG_NAME_TEXT_MAX];

	config_name_text(missing->name, name);
	json_open(json, NULL, '{');
	json_string(json, "name", name);
	json_string(json, "verdict", is_accepted(missing->verdict) ? "merged" : "missing");
	json_string(json, "reason", reason_name(missing->verdict.reason));
	json_u64(json, "code", (uint64_t)missing->verdict.reason);
	json_string(json, "detail",
		    is_accepted(missing->verdict) ? NULL :
						    reason_sentence(missing->verdict.reason));
	json_string(json, "class", class_traits(missing->name->class)->name);
	json_close(json, '}');
}

static const char *due_action(const struct config *config, const struct missing missing[],
			      bool stops)
{
	if (stops)
		return on_failure_name(foreign_stop(config));
	return is_complete(config, missing) ? NULL : on_failure_name(config->on_failure);
}

void required_json(const struct config *config, const struct missing missing[], bool stops,
		   struct json *json)
{
	json_open(json, "required", '[');
	for (uint32_t i = 0; i < config->required.count; i++)
		missing_json(&missing[i], json);
	json_close(json, ']');
	json_string(json, "onFailure", on_failure_name(config->on_failure));
	json_string(json, "action", due_action(config, missing, stops));
}
