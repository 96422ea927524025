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
#include "reading.h"
#include "trust.h"

#define READERS 4u /* workers at a time that read images: what a small machine has processors for */

static size_t room_for(const struct extensions *extensions)
{
	return extensions->discovery.count > 0 ? extensions->discovery.count : 1;
}

static size_t items_size(const struct extensions *extensions)
{
	return room_for(extensions) * sizeof(*extensions->items);
}

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
	worker_memory_free(extensions->items, items_size(extensions));
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
	const size_t count = room_for(extensions);

	extensions->assessments = calloc(count, sizeof(*extensions->assessments));
	extensions->images = calloc(count, sizeof(*extensions->images));
	extensions->items = worker_memory(count * sizeof(*extensions->items));
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
	if (d->left > 0)
		log_line(LOG_LEVEL_WARNING,
			 "%s: process %ld still waits for it, and is left behind", d->trouble_at,
			 (long)d->left);
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
enum exit_status extensions_list(struct extensions *extensions, const struct config *config)
{
	const struct discover_roots roots = { .root = extensions->root_fd,
					      .initrd = extensions->initrd_fd };
	const char *paths[CONFIG_PATHS_MAX];
	struct verdict v;

	for (uint32_t i = 0; i < config->paths; i++)
		paths[i] = config->path[i];
	v = discover(&roots, paths, config->paths, config_live_classes(config),
		     &extensions->discovery);
	if (is_accepted(v) && !allocate(extensions))
		v = verdict(REASON_SYSTEM_MEMORY);
	if (is_accepted(v))
		return tell_discovery(&extensions->discovery);
	discovery_free(&extensions->discovery);
	return report_trouble("extensions", v);
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

/* The images that are being read, each by a worker. */
struct gathering {
	struct extensions *extensions;
	const struct config *config;
	uint32_t blocked;
	struct reading **readings; /* by the index of the candidate, while there is one */
	uint64_t *started;	   /* likewise, microseconds */
};

static bool start_reading(void *ctx, size_t i, struct worker *worker)
{
	struct gathering *gathering = ctx;
	struct extensions *extensions = gathering->extensions;
	const struct candidate *candidate = &extensions->discovery.candidates[i];
	char path[DISCOVER_PATH_MAX];
	struct reading_order order = { .root_fd = candidate_is_extra(candidate) ?
							  extensions->initrd_fd :
							  extensions->root_fd,
				       .path = path,
				       .name = candidate->name };
	struct verdict *v = &extensions->items[i].verdict;

	if (candidate->state != CANDIDATE_FOUND)
		return false;
	candidate_path(candidate, path);
	order.reading = worker_memory(sizeof(*order.reading));
	gathering->readings[i] = order.reading;
	gathering->started[i] = now_microseconds();
	*v = order.reading != NULL ? reading_start(worker, &order) : verdict(REASON_SYSTEM_MEMORY);
	if (!is_accepted(*v)) {
		worker_memory_free(order.reading, sizeof(*order.reading));
		gathering->readings[i] = NULL;
	}
	return is_accepted(*v);
}

static void judge_one(const struct gathering *gathering, size_t i)
{
	static struct claim claim;
	struct extensions *extensions = gathering->extensions;
	const struct candidate *candidate = &extensions->discovery.candidates[i];
	struct assessment *assessment = &extensions->assessments[i];
	struct merge_item *item = &extensions->items[i];
	const struct demands demands = demands_on(gathering->config, candidate);
	struct reading_source source = { .reading = gathering->readings[i], .claim = &claim };
	const struct reader reader = reading_reader(&source);

	item->verdict = config_check(gathering->config, candidate->class, candidate->name);
	if (is_accepted(item->verdict) && (gathering->blocked & 1u << candidate->class) != 0)
		item->verdict = verdict(REASON_MERGE_FOREIGN);
	if (!is_accepted(item->verdict))
		return;
	assess(&candidate->image, source.reading, &reader, &extensions->anchors, &demands,
	       JUDGE_FIRST_BLOCK, gathering->started[i], &claim, assessment);
	item->verdict = assessment->verdict;
	item->trusted = assessment->trusted;
	if (item->trusted)
		extensions->images[i].facts = trusted_facts(item->trusted);
}

static void refuse(struct extensions *extensions, size_t i, enum reason reason)
{
	extensions->items[i].verdict = verdict(reason);
	extensions->items[i].trusted = NULL;
	extensions->images[i].facts = NULL;
}

/* The image's descriptor waits in the channel for the worker that attaches it. */
static void finish_reading(void *ctx, size_t i, struct worker *worker, enum worker_state state)
{
	struct gathering *gathering = ctx;
	struct candidate *candidate = &gathering->extensions->discovery.candidates[i];
	struct image *image = &candidate->image;
	struct merge_item *item = &gathering->extensions->items[i];

	if (candidate->state != CANDIDATE_FOUND)
		return;
	if (state == WORKER_HEARD)
		item->verdict = reading_take(gathering->readings[i], image);
	else
		item->verdict = worker_silence(state);
	if (is_accepted(item->verdict))
		judge_one(gathering, i);
	if (is_accepted(item->verdict) && gathering->extensions->keeps_images) {
		image->channel = worker_park(worker);
		if (image->channel < 0)
			refuse(gathering->extensions, i, REASON_SYSTEM_WORKER);
	}
	worker_memory_free(gathering->readings[i], sizeof(*gathering->readings[i]));
	gathering->readings[i] = NULL;
}

static void leave_reading(void *ctx, size_t i, const struct worker_holds *holds)
{
	const struct gathering *gathering = ctx;

	gathering->extensions->items[i].left =
		(struct left){ .holds = *holds, .step = reading_step_name(holds->at) };
}

static void prepare_item(struct extensions *extensions, const struct config *config, size_t i)
{
	struct candidate *candidate = &extensions->discovery.candidates[i];

	extensions->images[i].name = candidate->name;
	extensions->images[i].class = candidate->class;
	extensions->images[i].is_required = config_requires(config, candidate->class,
							    candidate->name);
	extensions->items[i].image = &candidate->image;
	extensions->items[i].verdict = candidate->verdict;
}

static struct verdict judge_all(struct extensions *extensions, const struct config *config,
				uint32_t blocked)
{
	const size_t count = extensions->discovery.count, room = count > 0 ? count : 1;
	struct gathering gathering = { .extensions = extensions,
				       .config = config,
				       .blocked = blocked,
				       .readings = calloc(room, sizeof(*gathering.readings)),
				       .started = calloc(room, sizeof(*gathering.started)) };
	const struct crew crew = { .start = start_reading,
				   .finish = finish_reading,
				   .leave = leave_reading,
				   .ctx = &gathering,
				   .at_a_time = READERS };
	struct verdict v = verdict(REASON_SYSTEM_MEMORY);

	for (size_t i = 0; i < count; i++)
		prepare_item(extensions, config, i);
	if (gathering.readings != NULL && gathering.started != NULL)
		v = crew_run(&crew, count);
	free(gathering.readings);
	free(gathering.started);
	return v;
}

void extensions_deny(struct extensions *extensions, struct verdict v)
{
	for (size_t i = 0; i < extensions->discovery.count; i++) {
		struct merge_item *item = &extensions->items[i];

		if (is_accepted(item->verdict) || item->verdict.reason == REASON_UNDECIDED)
			item->verdict = v;
	}
}

bool extensions_find(struct extensions *extensions, const struct config *config, uint32_t blocked,
		     enum exit_status *status)
{
	struct verdict v;

	*status = EXIT_SYSTEM;
	if (report_status(trust_load_baked(&extensions->anchors)) == EXIT_SYSTEM)
		return false;
	trust_load_root(&extensions->anchors, extensions->root_fd, config->user_certificates);
	tell_killed(config);
	*status = extensions_list(extensions, config);
	v = verdict(REASON_SYSTEM_MEMORY);
	if (worker_memory_hide(extensions->items, items_size(extensions)))
		v = judge_all(extensions, config, blocked);
	if (!worker_memory_show(extensions->items, items_size(extensions)))
		v = verdict(REASON_SYSTEM_MEMORY);
	if (!is_accepted(v)) {
		extensions_deny(extensions, v);
		*status = report_trouble("extensions", v);
	}
	return is_accepted(v);
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
		.release_name = item->release_name,
		.detail = item->detail,
		.notes = is_accepted(item->verdict) ? &item->notes : NULL,
		.root_hash = assessment->has_root_hash ? assessment->root_hash : NULL,
		.signer = facts ? report_signer(facts) : NULL,
		.step = item->step ? step_name(item->step) : NULL,
		.kernel_checked = item->kernel_checked,
		.left = item->left.holds.process != 0 ? &item->left : NULL,
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
