/* SPDX-License-Identifier: Apache-2.0 */
/* vext boot, which the initramfs runs, and vext merge on a running system. Discover, judge, plan, execute, report. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "configuration.h"
#include "core/plan.h"
#include "extensions.h"
#include "log.h"
#include "reload.h"
#include "required.h"
#include "status.h"
#include "sys/execute.h"
#include "sys/merged.h"

struct options {
	const char *root;
	bool dry_run, json, no_reload;
};

/* All that one boot knows. */
struct boot {
	struct options options;
	struct config config;
	struct extensions extensions;
	struct plan plan;
	struct verdict merged; /* of the merge as a whole */
	struct merge_result result;
	struct missing missing[CONFIG_NAMES_MAX]; /* by the index of what is required */
	uint64_t started;			  /* microseconds */
};

static bool parse_options(int argc, char **argv, const struct option long_options[],
			  struct options *options)
{
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
		else
			return false;
	}
	return optind == argc;
}

static const char *describe_configuration(const struct config *config)
{
	static char buffer[CONFIG_DESCRIBED_MAX];
	struct text text;

	text_init(&text, buffer, sizeof(buffer));
	config_describe(config, &text);
	return buffer;
}

static uint64_t wall_clock(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec;
}

/* As doc/status.md has it. */
static void describe(const struct boot *boot, struct json *json)
{
	json_open(json, NULL, '{');
	json_u64(json, "version", STATUS_VERSION);
	json_string(json, "root", boot->options.root);
	json_u64(json, "time", wall_clock());
	json_u64(json, "microseconds", now_microseconds() - boot->started);
	json_u64(json, "microsecondsOfMerge", boot->result.microseconds);
	json_string(json, "configuration", describe_configuration(&boot->config));
	extensions_json(&boot->extensions, json);
	required_json(&boot->config, boot->missing, json);
	json_close(json, '}');
}

static struct verdict write_status(const struct boot *boot)
{
	struct status_file file;
	struct verdict v = status_begin(&file);

	if (!is_accepted(v))
		return v;
	describe(boot, &file.json);
	return status_commit(&file);
}

/* As doc/status.md has it. */
static void describe_step(const struct boot *boot, const struct step *step, struct json *json)
{
	const struct plan_image *images = boot->extensions.images;
	char line[REPORT_LINE_MAX];
	struct text text;

	text_init(&text, line, sizeof(line));
	plan_describe(step, images, &text);
	json_open(json, NULL, '{');
	json_string(json, "step", step_name(step->op));
	json_string(json, "name", step->op < STEP_OVERLAY ? images[step->subject].name : NULL);
	json_string(json, "detail", line);
	json_close(json, '}');
}

static void describe_plan(const struct boot *boot)
{
	struct json json = { .to = stdout };

	json_open(&json, NULL, '{');
	json_u64(&json, "version", STATUS_VERSION);
	json_open(&json, "steps", '[');
	for (size_t i = 0; i < boot->plan.count; i++)
		describe_step(boot, &boot->plan.steps[i], &json);
	json_close(&json, ']');
	extensions_json(&boot->extensions, &json);
	json_close(&json, '}');
	putchar('\n');
}

static void print_plan(const struct boot *boot)
{
	char line[REPORT_LINE_MAX];
	struct text text;

	for (size_t i = 0; i < boot->plan.count; i++) {
		text_init(&text, line, sizeof(line));
		plan_describe(&boot->plan.steps[i], boot->extensions.images, &text);
		puts(line);
	}
}

static void tell_step(void *ctx, const struct step *step, struct verdict v, const char *detail)
{
	const struct boot *boot = ctx;
	char line[REPORT_LINE_MAX];
	struct text text;

	if (is_accepted(v))
		return;
	text_init(&text, line, sizeof(line));
	plan_describe(step, boot->extensions.images, &text);
	text_str(&text, ": ");
	text_str(&text, v.sys_errno ? log_error_text(v.sys_errno) : reason_name(v.reason));
	if (detail[0] != '\0') {
		text_str(&text, ": ");
		text_escaped(&text, detail, strlen(detail));
	}
	/* The image's own line says it louder, once. */
	log_line(step->op < STEP_OVERLAY ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "%s", line);
}

static struct verdict merge(struct boot *boot)
{
	const struct merge_observer observer = { .step = tell_step, .ctx = boot };
	const struct merge_options options = { .kernel_signature = boot->config.kernel_signature,
					       .corruption = boot->config.corruption };
	struct verdict v = plan_make(boot->extensions.images, boot->extensions.discovery.count,
				     boot->config.corruption, &boot->plan);

	if (!is_accepted(v) || boot->plan.count == 0)
		return v;
	if (boot->options.dry_run)
		return v;
	return execute_plan(&boot->plan, &options, boot->extensions.root_fd, boot->extensions.items,
			    boot->extensions.discovery.count, &observer, &boot->result);
}

static void tell_sum(const struct boot *boot)
{
	log_line(LOG_LEVEL_INFO, "%zu of %zu extensions merged in %llu ms", boot->result.merged,
		 boot->extensions.discovery.count,
		 (unsigned long long)(now_microseconds() - boot->started) / 1000);
}

static enum exit_status boot_root(struct boot *boot)
{
	enum exit_status status;

	if (boot->config.off) {
		log_line(LOG_LEVEL_INFO, "%s", reason_sentence(REASON_POLICY_OFF));
		return EXIT_GOOD;
	}
	if (!extensions_find(&boot->extensions, boot->options.root, &boot->config, &status))
		return status;
	boot->merged = merge(boot);
	if (!is_accepted(boot->merged))
		status = report_worse(status, report_trouble("merge", boot->merged));
	status = report_worse(status, extensions_tell(&boot->extensions));
	if (!boot->options.dry_run)
		tell_sum(boot);
	return status;
}

static struct verdict verdict_of(const struct boot *boot, size_t i)
{
	const struct verdict v = boot->extensions.items[i].verdict;

	return is_accepted(v) ? boot->merged : v;
}

/*
 * What became of an extension by this name. Of each class the first one is the one that counts; there may be a
 * sysext and a confext, and then both must be merged.
 */
static struct verdict look_up(const struct boot *boot, const char *name)
{
	struct verdict found = verdict(REASON_POLICY_REQUIRED);

	if (boot->config.off)
		return verdict(REASON_POLICY_OFF);
	for (size_t i = 0; i < boot->extensions.discovery.count; i++) {
		const bool counts = !extensions_is_passed_over(&boot->extensions, i);

		if (strcmp(boot->extensions.discovery.candidates[i].name, name) != 0)
			continue;
		if (counts || found.reason == REASON_POLICY_REQUIRED)
			found = verdict_of(boot, i);
		if (counts && !is_accepted(found))
			return found;
	}
	return found;
}

static void look_for_required(struct boot *boot)
{
	for (uint32_t i = 0; i < boot->config.required.count; i++) {
		boot->missing[i].name = boot->config.required.list[i];
		boot->missing[i].verdict = look_up(boot, boot->missing[i].name);
	}
}

static enum exit_status boot_as_configured(struct boot *boot)
{
	return report_worse(is_accepted(boot->config.denied) ? EXIT_GOOD : EXIT_SYSTEM,
			    boot_root(boot));
}

static enum exit_status boot_for_real(struct boot *boot)
{
	enum exit_status status = EXIT_GOOD;
	struct verdict v = required_begin(&boot->config);

	if (!is_accepted(v))
		status = report_trouble(REQUIRED_MARK, v);
	status = report_worse(status, boot_as_configured(boot));
	look_for_required(boot);
	v = write_status(boot);
	if (!is_accepted(v))
		status = report_worse(status, report_trouble(STATUS_FILE, v));
	return required_end(&boot->config, boot->missing, status);
}

/* There is no boot to be stopped: what is required and missing is told, and no more. */
static enum exit_status merge_for_real(struct boot *boot)
{
	struct json json = { .to = stdout };
	enum exit_status status;

	boot->config.on_failure = ON_FAILURE_CONTINUE;
	status = boot_for_real(boot);
	if (boot->options.json) {
		describe(boot, &json);
		putchar('\n');
	}
	if (boot->result.merged > 0 && !boot->options.no_reload &&
	    merged_wants_reload(boot->extensions.root_fd))
		status = report_worse(status, reload_units(boot->options.root));
	return status;
}

static enum exit_status rehearse(struct boot *boot)
{
	const enum exit_status status = boot_as_configured(boot);

	if (boot->options.json)
		describe_plan(boot);
	else
		print_plan(boot);
	return status;
}

static enum exit_status run(struct boot *boot, enum exit_status (*run_it)(struct boot *))
{
	enum exit_status status;

	boot->started = now_microseconds();
	extensions_init(&boot->extensions);
	configuration_load(&boot->config);
	log_line(LOG_LEVEL_INFO, "configuration: %s", describe_configuration(&boot->config));
	status = boot->options.dry_run ? rehearse(boot) : run_it(boot);
	extensions_close(&boot->extensions);
	return status;
}

static struct boot the_boot; /* zeroed, not initialised: 100 KB that the file need not hold */

enum exit_status command_boot(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ 0 },
	};

	the_boot.options.root = "/sysroot";
	if (!parse_options(argc, argv, long_options, &the_boot.options))
		return usage_error(argv[0]);
	if (!the_boot.options.dry_run)
		log_to_kernel();
	return run(&the_boot, boot_for_real);
}

enum exit_status command_merge(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "no-reload", no_argument, NULL, 'l' },
		{ 0 },
	};

	the_boot.options.root = "/";
	if (!parse_options(argc, argv, long_options, &the_boot.options))
		return usage_error(argv[0]);
	return run(&the_boot, merge_for_real);
}
