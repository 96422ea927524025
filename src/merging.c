/* SPDX-License-Identifier: Apache-2.0 */
#include "merging.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "configuration.h"
#include "former.h"
#include "log.h"
#include "status.h"
#include "sys/merged.h"
#include "sys/overlay.h"

/* As it is, whatever classes this run is about. */
static const char *describe_configuration(const struct merging *merging)
{
	static char buffer[CONFIG_DESCRIBED_MAX];
	static struct config config; /* 23 KB */
	struct text text;

	config = merging->config;
	config.classes |= merging->besides;
	text_init(&text, buffer, sizeof(buffer));
	config_describe(&config, &text);
	return buffer;
}

static uint64_t wall_clock(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec;
}

/* "classes": the names of those that this run was about. */
static void describe_classes(const struct merging *merging, struct json *json)
{
	json_open(json, "classes", '[');
	for (unsigned i = 0; i < CLASSES; i++)
		if ((merging->config.classes & 1u << i) != 0)
			json_string(json, NULL, class_traits((enum extension_class)i)->name);
	json_close(json, ']');
}

/* As doc/status.md has it. */
void merging_describe(const struct merging *merging, struct json *json)
{
	json_open(json, NULL, '{');
	json_u64(json, "version", STATUS_VERSION);
	json_string(json, "root", merging->root);
	json_u64(json, "time", wall_clock());
	json_u64(json, "microseconds", now_microseconds() - merging->started);
	json_u64(json, "microsecondsOfMerge", merging->result.microseconds);
	json_string(json, "configuration", describe_configuration(merging));
	describe_classes(merging, json);
	json_bool(json, "system", merging->is_the_systems);
	json_open(json, "images", '[');
	extensions_json(&merging->extensions, json);
	last_run_put_images(&merging->last_run, merging->besides, json);
	json_close(json, ']');
	json_open(json, "foreign", '[');
	foreigns_json(&merging->foreigns, json);
	last_run_put_foreign(&merging->last_run, json);
	json_close(json, ']');
	required_json(&merging->config, merging->missing, merging->foreigns.stops, json);
	json_close(json, '}');
}

static struct verdict write_status(const struct merging *merging)
{
	struct status_file file;
	struct verdict v = status_begin(STATUS_FILE, &file);
	struct json json;

	if (!is_accepted(v))
		return v;
	json = (struct json){ .to = file.to };
	merging_describe(merging, &json);
	putc('\n', file.to);
	return status_commit(&file);
}

/* As doc/status.md has it. */
static void describe_step(const struct merging *merging, const struct step *step, struct json *json)
{
	const struct plan_image *images = merging->extensions.images;
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

static void describe_plan(const struct merging *merging)
{
	struct json json = { .to = stdout };

	json_open(&json, NULL, '{');
	json_u64(&json, "version", STATUS_VERSION);
	json_open(&json, "steps", '[');
	for (size_t i = 0; i < merging->plan.count; i++)
		describe_step(merging, &merging->plan.steps[i], &json);
	json_close(&json, ']');
	json_open(&json, "images", '[');
	extensions_json(&merging->extensions, &json);
	json_close(&json, ']');
	json_close(&json, '}');
	putchar('\n');
}

static void print_plan(const struct merging *merging)
{
	char line[REPORT_LINE_MAX];
	struct text text;

	for (size_t i = 0; i < merging->plan.count; i++) {
		text_init(&text, line, sizeof(line));
		plan_describe(&merging->plan.steps[i], merging->extensions.images, &text);
		puts(line);
	}
}

static void tell_step(void *ctx, const struct step *step, struct verdict v, const char *detail)
{
	const struct merging *merging = ctx;
	char line[REPORT_LINE_MAX];
	struct text text;

	if (is_accepted(v))
		return;
	text_init(&text, line, sizeof(line));
	plan_describe(step, merging->extensions.images, &text);
	text_str(&text, ": ");
	text_str(&text, v.sys_errno ? log_error_text(v.sys_errno) : reason_name(v.reason));
	if (detail[0] != '\0') {
		text_str(&text, ": ");
		text_escaped(&text, detail, strlen(detail));
	}
	/* The image's own line says it louder, once. */
	log_line(step->op < STEP_OVERLAY ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "%s", line);
}

/*
 * An image that was renamed must not escape what the configuration, or the scope of an anchor, says
 * of its name.
 */
static struct verdict check_release_name(const void *ctx, const struct merge_item *item)
{
	const struct merging *merging = ctx;
	const struct origin origin = { .name = item->release_name,
				       .directory = item->image->directory };
	struct verdict v = config_check(&merging->config, item->image->class, item->release_name);

	if (is_accepted(v) && !trusted_admits(item->trusted, &origin))
		v = verdict(REASON_SIGNATURE_SCOPE);
	return v;
}

static struct verdict merge(struct merging *merging, bool dry_run)
{
	const struct merge_observer observer = { .step = tell_step, .ctx = merging };
	const struct merge_options options = { .kernel_signature = merging->config.kernel_signature,
					       .corruption = merging->config.corruption,
					       .token = merging->own.record.token,
					       .check_name = check_release_name,
					       .ctx = merging };
	struct verdict v = plan_make(merging->extensions.images,
				     merging->extensions.discovery.count,
				     merging->config.corruption, &merging->plan);

	if (!is_accepted(v) || merging->plan.count == 0 || dry_run)
		return v;
	return execute_plan(&merging->plan, &options, merging->extensions.root_fd,
			    merging->extensions.items, merging->extensions.discovery.count,
			    &observer, &merging->result);
}

static void tell_sum(const struct merging *merging)
{
	log_line(LOG_LEVEL_INFO, "%zu of %zu extensions merged in %llu ms", merging->result.merged,
		 merging->extensions.discovery.count,
		 (unsigned long long)(now_microseconds() - merging->started) / 1000);
}

enum exit_status merging_run(struct merging *merging, bool dry_run)
{
	enum exit_status status;
	struct verdict v;

	if (merging->config.off) {
		log_line(LOG_LEVEL_INFO, "vext=off on the kernel command line: nothing is merged");
		return EXIT_GOOD;
	}
	merging->extensions.keeps_images = !dry_run;
	if (!extensions_find(&merging->extensions, &merging->config, merging->foreigns.refused,
			     &status))
		return status;
	if (!dry_run && !merging->own.is_there)
		status = report_worse(status,
				      report_any_trouble(STATUS_MERGED, own_save(&merging->own)));
	v = merge(merging, dry_run);
	if (merging->result.left.holds.process != 0)
		log_line(LOG_LEVEL_WARNING, "merge: process %ld is left behind in step %s",
			 (long)merging->result.left.holds.process, merging->result.left.step);
	if (!is_accepted(v)) {
		extensions_deny(&merging->extensions, v);
		status = report_worse(status, report_trouble("merge", v));
	}
	status = report_worse(status, extensions_tell(&merging->extensions));
	if (!dry_run)
		tell_sum(merging);
	return status;
}

/* ---- what is required ---------------------------------------------------------------------- */

/*
 * Why there is none of the class, if none was found: nobody has looked for what is switched off, or
 * not vext's.
 */
static struct verdict why_absent(const struct merging *merging, enum extension_class class)
{
	const uint32_t bit = 1u << class;

	if (merging->config.killed & bit)
		return verdict(REASON_POLICY_OFF);
	return verdict((merging->config.classes | merging->besides) & bit ? REASON_POLICY_REQUIRED :
									    REASON_POLICY_CLASS);
}

/*
 * What an image says of a required extension: accepted if it is merged and counts by that name, why
 * not if that is the name of its file, or else nothing (UNDECIDED).
 */
static struct verdict found_in(const struct merging *merging, size_t i,
			       const struct config_name *name)
{
	const struct candidate *candidate = &merging->extensions.discovery.candidates[i];
	const struct merge_item *item = &merging->extensions.items[i];
	const struct verdict v = item->verdict;

	if (candidate->class != name->class)
		return verdict(REASON_UNDECIDED);
	if (is_accepted(v) && strcmp(item->release_name, name->name) == 0)
		return v;
	if (strcmp(candidate->name, name->name) != 0)
		return verdict(REASON_UNDECIDED);
	return is_accepted(v) ? verdict(REASON_POLICY_RENAMED) : v;
}

/*
 * What became of a required extension. Of the files of its name the first that is not passed over
 * has the say, if none is it.
 */
static struct verdict look_up(const struct merging *merging, const struct config_name *name)
{
	struct verdict found = verdict(REASON_UNDECIDED);

	if (merging->config.off)
		return verdict(REASON_POLICY_OFF);
	if (merging->foreigns.stops)
		return verdict(REASON_MERGE_FOREIGN);
	for (size_t i = 0; i < merging->extensions.discovery.count && !is_accepted(found); i++) {
		const struct verdict v = found_in(merging, i, name);

		if (v.reason != REASON_UNDECIDED &&
		    (found.reason == REASON_UNDECIDED ||
		     !extensions_is_passed_over(&merging->extensions, i)))
			found = v;
	}
	return found.reason == REASON_UNDECIDED ? why_absent(merging, name->class) : found;
}

/* Is it one of these, by the name by which it counts? */
static bool is_among(const struct merging *merging, const struct merged *merged,
		     const struct config_name *name)
{
	for (size_t i = 0; i < merged->names.count; i++)
		if (strcmp(last_run_release_name(&merging->last_run, name->class,
						 merged->names.names[i]),
			   name->name) == 0)
			return true;
	return false;
}

/* It may be of a class that this run is not about. */
static bool is_merged_besides(const struct merging *merging, const struct config_name *name)
{
	bool has = false;

	for (unsigned i = 0; i < HIERARCHIES && !has; i++) {
		const enum hierarchy hierarchy = (enum hierarchy)i;
		struct merged merged;

		if ((merging->besides & 1u << name->class) == 0 ||
		    hierarchy_class(hierarchy) != name->class ||
		    !is_accepted(merged_read(merging->extensions.root_fd, hierarchy,
					     merging->own.record.token, &merged)))
			continue;
		has = merged.is_vexts && is_among(merging, &merged, name);
		merged_free(&merged);
	}
	return has;
}

static bool is_not_there(struct verdict v)
{
	return v.reason == REASON_POLICY_REQUIRED || v.reason == REASON_POLICY_OFF;
}

static void look_for_required(struct merging *merging)
{
	for (uint32_t i = 0; i < merging->config.required.count; i++) {
		struct missing *missing = &merging->missing[i];

		missing->name = &merging->config.required.list[i];
		missing->verdict = look_up(merging, missing->name);
		if (is_not_there(missing->verdict) && is_merged_besides(merging, missing->name))
			missing->verdict = verdict(REASON_ACCEPTED);
	}
}

/* ---- what is left for later ---------------------------------------------------------------- */

/* Whoever merges what is merged has changed nothing, and neither has who may merge nothing. */
static bool is_as_before(const struct merging *merging, enum extension_class class)
{
	enum overlay_owner owner;

	for (unsigned i = 0; i < HIERARCHIES && merging->result.merged == 0; i++)
		if (hierarchy_class((enum hierarchy)i) == class &&
		    is_accepted(overlay_owner(merging->extensions.root_fd, (enum hierarchy)i,
					      merging->own.record.token, &owner)) &&
		    owner == OVERLAY_VEXT)
			return true;
	return false;
}

/* What this run has merged, in place of what the record has of its classes. */
static enum exit_status record(struct merging *merging)
{
	struct own *own = &merging->own;
	enum exit_status status;

	for (unsigned i = 0; i < HIERARCHIES && merging->is_the_systems; i++) {
		const enum extension_class class = hierarchy_class((enum hierarchy)i);

		if ((merging->config.classes & 1u << class) != 0 && !is_as_before(merging, class))
			own->record.merged[i] = merging->result.hierarchy[i];
	}
	if (merging->is_the_systems)
		own_bind(own);
	status = report_any_trouble(STATUS_MERGED, own_save(own));
	if (merging->result.merged > 0)
		status = report_worse(status,
				      report_any_trouble(STATUS_OVERLAYS,
							 formers_note(&merging->extensions,
								      merging->result.hierarchy)));
	return status;
}

enum exit_status merging_recall(struct merging *merging)
{
	const enum exit_status status = last_run_load(&merging->last_run);
	const bool is_systems = record_is_systems(&merging->last_run.record);
	const char *root = record_root(&merging->last_run.record);

	if (merging->config.classes == 0)
		merging->keeps_status = merging->last_run.bytes != NULL &&
					!foreigns_any(&merging->foreigns);
	else
		merging->keeps_status = is_systems && !merging->is_the_systems &&
					!own_is_systems(merging->root);
	if (is_systems ? !merging->is_the_systems :
			 root == NULL || strcmp(root, merging->root) != 0)
		last_run_free(&merging->last_run); /* it is of another root */
	look_for_required(merging);
	return status;
}

/* Nothing was found where nothing was before: what an earlier run has left says more. */
static bool has_news(const struct merging *merging)
{
	return merging->last_run.bytes == NULL || merging->extensions.discovery.count > 0 ||
	       foreigns_any(&merging->foreigns) ||
	       last_run_has_images(&merging->last_run, merging->config.classes);
}

enum exit_status merging_leave(struct merging *merging)
{
	enum exit_status status = record(merging);

	status = report_worse(status, merging_recall(merging));
	if (merging->keeps_status && merging->config.classes != 0)
		log_line(LOG_LEVEL_INFO, STATUS_FILE " is about the system's root, and is kept");
	if (merging->keeps_status || !has_news(merging))
		return status;
	return report_worse(status, report_any_trouble(STATUS_FILE, write_status(merging)));
}

/* ---- the whole ----------------------------------------------------------------------------- */

void merging_begin(struct merging *merging, const char *root)
{
	merging->root = root;
	merging->started = now_microseconds();
	extensions_init(&merging->extensions);
	configuration_load(&merging->config);
	log_line(LOG_LEVEL_INFO, "configuration: %s", describe_configuration(merging));
}

void merging_end(struct merging *merging)
{
	last_run_free(&merging->last_run);
	foreigns_free(&merging->foreigns);
	extensions_close(&merging->extensions);
}

void merging_print_plan(const struct merging *merging, bool json)
{
	if (json)
		describe_plan(merging);
	else
		print_plan(merging);
}
