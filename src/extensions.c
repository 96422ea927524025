/* SPDX-License-Identifier: Apache-2.0 */
#include "extensions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log.h"
#include "trust.h"

void extensions_init(struct extensions *extensions)
{
	memset(extensions, 0, sizeof(*extensions));
	extensions->root_fd = -1;
	extensions->initrd_fd = -1;
	anchors_init(&extensions->anchors);
}

void extensions_close(struct extensions *extensions)
{
	free(extensions->assessments);
	free(extensions->images);
	free(extensions->items);
	discovery_free(&extensions->discovery);
	anchors_free(&extensions->anchors);
	if (extensions->root_fd >= 0)
		close(extensions->root_fd);
	if (extensions->initrd_fd >= 0)
		close(extensions->initrd_fd);
}

/* ---- finding ------------------------------------------------------------------------------- */

static bool allocate(struct extensions *extensions)
{
	size_t count = extensions->discovery.count ? extensions->discovery.count : 1;

	extensions->assessments = calloc(count, sizeof(*extensions->assessments));
	extensions->images = calloc(count, sizeof(*extensions->images));
	extensions->items = calloc(count, sizeof(*extensions->items));
	return extensions->assessments && extensions->images && extensions->items;
}

static enum exit_status tell_discovery(const struct discovery *d)
{
	enum exit_status status = EXIT_GOOD;

	if (!is_accepted(d->trouble))
		status = report_trouble(d->trouble_at, d->trouble);
	if (d->left_out > 0) {
		log_line(LOG_LEVEL_ERROR, "%zu images left out: %s", d->left_out,
			 reason_sentence(REASON_SYSTEM_LIMIT));
		status = EXIT_SYSTEM;
	}
	if (d->versioned_at != NULL)
		log_line(
			LOG_LEVEL_WARNING,
			"%s: versioned directories (NAME.raw.v) are not supported: link the image itself, as NAME.raw",
			d->versioned_at);
	return status;
}

/* Else nobody could tell why not one of these images is told of. */
static void tell_killed(const struct config *config)
{
	for (unsigned i = 0; i < CLASSES; i++) {
		const char *name = class_traits((enum extension_class)i)->name;

		if (config->killed & 1u << i)
			log_line(LOG_LEVEL_INFO,
				 "systemd.%s=0 on the kernel command line: no %s is merged", name,
				 name);
	}
}

/* Those for which there is no room are forgotten, so that nothing is said of them. */
static enum exit_status find_images(struct extensions *extensions, const struct config *config)
{
	const struct discover_roots roots = { .root = extensions->root_fd,
					      .initrd = extensions->initrd_fd };
	const char *paths[CONFIG_PATHS_MAX];
	struct verdict v;

	for (uint32_t i = 0; i < config->paths; i++)
		paths[i] = config->path[i];
	v = discover(&roots, paths, config->paths, config_live_classes(config),
		     &extensions->discovery);
	if (is_accepted(v) && allocate(extensions))
		return tell_discovery(&extensions->discovery);
	discovery_free(&extensions->discovery);
	return report_trouble("extensions", verdict(REASON_SYSTEM_MEMORY));
}

/* One for each image that is a candidate: more than a process gets unasked. Where it can't have them, images say so. */
static void need_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

bool extensions_open(struct extensions *extensions, const char *root)
{
	need_descriptors();
	if (strcmp(root, "/") != 0)
		extensions->initrd_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	extensions->root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (extensions->root_fd < 0)
		log_line(LOG_LEVEL_ERROR, "%s: %s; is the root mounted there?", root,
			 strerror(errno));
	return extensions->root_fd >= 0;
}

/* ---- judging ------------------------------------------------------------------------------- */

/* What lay beside the kernel, where anybody can put it, must be signed whatever else may be merged without. */
static struct demands demands_on(const struct config *config, const struct candidate *candidate)
{
	const struct demands strict = policy_default_demands();

	return candidate_is_extra(candidate) ? demands_intersect(&config->demands, &strict) :
					       config->demands;
}

static void judge_one(struct extensions *extensions, const struct config *config, uint32_t blocked,
		      size_t i)
{
	static struct claim claim;
	struct candidate *candidate = &extensions->discovery.candidates[i];
	struct assessment *assessment = &extensions->assessments[i];
	struct merge_item *item = &extensions->items[i];
	const struct demands demands = demands_on(config, candidate);
	const struct reader reader = image_reader(&candidate->image);

	extensions->images[i].name = candidate->name;
	extensions->images[i].class = candidate->class;
	extensions->images[i].is_required = config_requires(config, candidate->name);
	item->image = &candidate->image;
	item->verdict = candidate->verdict;
	if (candidate->state == CANDIDATE_OPENED)
		item->verdict = config_check(config, candidate->name);
	if (is_accepted(item->verdict) && (blocked & 1u << candidate->class) != 0)
		item->verdict = verdict(REASON_MERGE_FOREIGN);
	if (!is_accepted(item->verdict))
		return;
	assess(&candidate->image, &reader, &extensions->anchors, &demands, JUDGE_FIRST_BLOCK,
	       &claim, assessment);
	item->verdict = assessment->verdict;
	item->trusted = assessment->trusted;
	if (item->trusted)
		extensions->images[i].facts = trusted_facts(item->trusted);
}

bool extensions_find(struct extensions *extensions, const struct config *config, uint32_t blocked,
		     enum exit_status *status)
{
	*status = EXIT_SYSTEM;
	if (report_status(trust_load_baked(&extensions->anchors)) == EXIT_SYSTEM)
		return false;
	trust_load_root(&extensions->anchors, extensions->root_fd, config->user_certificates);
	tell_killed(config);
	*status = find_images(extensions, config);
	for (size_t i = 0; i < extensions->discovery.count; i++)
		judge_one(extensions, config, blocked, i);
	return true;
}

/* ---- telling ------------------------------------------------------------------------------- */

bool extensions_is_passed_over(const struct extensions *extensions, size_t i)
{
	return extensions->discovery.candidates[i].state == CANDIDATE_PASSED_OVER;
}

void extensions_report(const struct extensions *extensions, size_t i,
		       char path[EXTENSIONS_PATH_MAX], struct report *report)
{
	const struct candidate *candidate = &extensions->discovery.candidates[i];
	const struct assessment *assessment = &extensions->assessments[i];
	const struct merge_item *item = &extensions->items[i];
	const struct facts *facts = extensions->images[i].facts;

	snprintf(path, EXTENSIONS_PATH_MAX, "%s/%s", candidate->directory, candidate->file);
	*report = (struct report){
		.image = path,
		.name = candidate->name,
		.class = candidate->class,
		.verdict = item->verdict,
		.detail = item->detail,
		.notes = is_accepted(item->verdict) ? &item->notes : NULL,
		.root_hash = assessment->has_root_hash ? assessment->root_hash : NULL,
		.signer = facts ? report_signer(facts) : NULL,
		.step = item->step ? step_name(item->step) : NULL,
		.kernel_checked = item->kernel_checked,
		.took = { .judge = assessment->microseconds,
			  .attach = item->attach_microseconds,
			  .mount = item->mount_microseconds },
	};
}

enum exit_status extensions_tell(const struct extensions *extensions)
{
	enum exit_status status = EXIT_GOOD;
	char path[EXTENSIONS_PATH_MAX], line[REPORT_LINE_MAX];
	struct report report;

	for (size_t i = 0; i < extensions->discovery.count; i++) {
		extensions_report(extensions, i, path, &report);
		report_line(&report, line);
		log_line(is_accepted(report.verdict) ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "%s",
			 line);
		report_notes(&report);
		if (!extensions_is_passed_over(extensions, i))
			status = report_worse(status, report_status(report.verdict));
	}
	return status;
}

void extensions_json(const struct extensions *extensions, struct json *json)
{
	char path[EXTENSIONS_PATH_MAX];
	struct report report;

	for (size_t i = 0; i < extensions->discovery.count; i++) {
		extensions_report(extensions, i, path, &report);
		report_json(&report, json);
	}
}
