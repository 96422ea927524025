/* SPDX-License-Identifier: Apache-2.0 */
#include "required.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "status.h"
#include "sys/power.h"

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

static struct verdict leave_mark(const struct config *config)
{
	FILE *file;
	bool failed;

	if (mkdir(STATUS_DIRECTORY, 0755) != 0 && errno != EEXIST)
		return verdict_errno(REASON_SYSTEM_STATUS, errno);
	file = fopen(REQUIRED_MARK, "we");
	if (!file)
		return verdict_errno(REASON_SYSTEM_STATUS, errno);
	failed = fprintf(file, "%s\n", on_failure_name(config->on_failure)) < 0;
	if (fclose(file) != 0 || failed)
		return verdict_errno(REASON_SYSTEM_STATUS, errno);
	return verdict(REASON_ACCEPTED);
}

struct verdict required_begin(const struct config *config)
{
	return stops_the_boot(config) ? leave_mark(config) : verdict(REASON_ACCEPTED);
}

static void tell(const struct config *config, const struct missing missing[])
{
	for (uint32_t i = 0; i < config->required.count; i++)
		if (!is_accepted(missing[i].verdict))
			log_line(LOG_LEVEL_ERROR, "required %s is not merged: %s: %s",
				 missing[i].name, reason_name(missing[i].verdict.reason),
				 reason_sentence(missing[i].verdict.reason));
}

/* As dracut marks it, with systemd and without. */
static bool is_initramfs(void)
{
	return access("/etc/initrd-release", F_OK) == 0 ||
	       access("/usr/lib/initrd-release", F_OK) == 0;
}

/* Returns only where that is not possible. */
static void power_off_soon(void)
{
	struct verdict v;

	if (!is_initramfs()) {
		log_line(LOG_LEVEL_ERROR, "not powered off: this is not an initramfs (no "
					  "/etc/initrd-release or /usr/lib/initrd-release)");
		return;
	}
	for (unsigned left = COUNTDOWN; left > 0; left--) {
		if (left == COUNTDOWN || left <= 3)
			log_line(LOG_LEVEL_ERROR,
				 "powering off in %u s: a required extension is missing", left);
		sleep(1);
	}
	v = power_off();
	log_line(LOG_LEVEL_ERROR, "the machine cannot be powered off: %s", strerror(v.sys_errno));
}

enum exit_status required_end(const struct config *config, const struct missing missing[],
			      enum exit_status status)
{
	if (is_complete(config, missing)) {
		unlink(REQUIRED_MARK);
		return status;
	}
	tell(config, missing);
	if (!stops_the_boot(config))
		return report_worse(status, EXIT_REFUSED);
	(void)leave_mark(config); /* where it could not be left at the beginning */
	if (config->on_failure == ON_FAILURE_POWEROFF)
		power_off_soon();
	log_line(LOG_LEVEL_ERROR, "the boot must not go on without what is required");
	return EXIT_REQUIRED;
}

static void missing_json(const struct missing *missing, struct json *json)
{
	json_open(json, NULL, '{');
	json_string(json, "name", missing->name);
	json_string(json, "verdict", is_accepted(missing->verdict) ? "merged" : "missing");
	json_string(json, "reason", reason_name(missing->verdict.reason));
	json_u64(json, "code", (uint64_t)missing->verdict.reason);
	json_string(json, "detail",
		    is_accepted(missing->verdict) ? NULL :
						    reason_sentence(missing->verdict.reason));
	json_close(json, '}');
}

void required_json(const struct config *config, const struct missing missing[], struct json *json)
{
	json_open(json, "required", '[');
	for (uint32_t i = 0; i < config->required.count; i++)
		missing_json(&missing[i], json);
	json_close(json, ']');
	json_string(json, "onFailure", on_failure_name(config->on_failure));
	json_string(json, "action",
		    is_complete(config, missing) ? NULL : on_failure_name(config->on_failure));
}
