/* SPDX-License-Identifier: Apache-2.0 */
#include "judging.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "configuration.h"
#include "core/name.h"
#include "log.h"
#include "trust.h"

enum {
	OPTION_JSON = 'j',
	OPTION_DEEP = 'd',
	OPTION_ANCHOR = 'a',
	OPTION_NAME = 'n',
	OPTION_ROOT = 'r',
	OPTION_POLICY = 'p',
};

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "deep", no_argument, NULL, OPTION_DEEP },
	{ "anchor", required_argument, NULL, OPTION_ANCHOR },
	{ "name", required_argument, NULL, OPTION_NAME },
	{ "root", required_argument, NULL, OPTION_ROOT },
	{ "policy", required_argument, NULL, OPTION_POLICY },
	{ 0 },
};

static enum exit_status take_policy(const char *bytes, struct judging *judging)
{
	struct demands demands;
	struct policy policy;
	struct verdict v = policy_parse(bytes, strlen(bytes), &policy);

	if (!is_accepted(v)) {
		log_line(LOG_LEVEL_ERROR, "--policy, at byte %llu: %s: %s",
			 (unsigned long long)v.at, reason_name(v.reason),
			 reason_sentence(v.reason));
		return EXIT_USAGE;
	}
	demands = policy_demands(&policy);
	memcpy(judging->config.demands.flags, demands.flags, sizeof(demands.flags));
	return EXIT_GOOD;
}

static enum exit_status take_option(int option, struct judging *judging)
{
	switch (option) {
	case OPTION_JSON:
		judging->json = true;
		return EXIT_GOOD;
	case OPTION_DEEP:
		judging->depth = JUDGE_EVERY_BLOCK;
		return EXIT_GOOD;
	case OPTION_ANCHOR:
		judging->anchors_given = true;
		return trust_load_file(&judging->anchors, optarg);
	case OPTION_NAME:
		judging->name = optarg;
		return EXIT_GOOD;
	case OPTION_ROOT:
		judging->root = optarg;
		return EXIT_GOOD;
	case OPTION_POLICY:
		return take_policy(optarg, judging);
	default:
		return EXIT_USAGE;
	}
}

static enum exit_status load_trust(struct judging *judging)
{
	if (judging->anchors_given && judging->root) {
		log_line(LOG_LEVEL_ERROR, "--anchor and --root exclude each other");
		return EXIT_USAGE;
	}
	if (judging->anchors_given)
		return EXIT_GOOD;
	if (report_status(trust_load_baked(&judging->anchors)) == EXIT_SYSTEM)
		return EXIT_SYSTEM;
	if (!judging->root)
		return EXIT_GOOD;
	return trust_load_root_at(&judging->anchors, judging->root,
				  judging->config.user_certificates);
}

static enum exit_status take_options(struct judging *judging, int argc, char **argv)
{
	enum exit_status status = EXIT_GOOD;
	int option;

	while (status == EXIT_GOOD &&
	       (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		status = take_option(option, judging);
	return status;
}

enum exit_status judging_begin(struct judging *judging, int argc, char **argv)
{
	enum exit_status status;

	*judging = (struct judging){ .depth = JUDGE_FIRST_BLOCK };
	anchors_init(&judging->anchors);
	configuration_load_baked(&judging->config);
	status = take_options(judging, argc, argv);
	if (status != EXIT_GOOD)
		return status;
	if (judging->name && !is_accepted(name_check(judging->name))) {
		log_line(LOG_LEVEL_ERROR, "--name: %s", reason_sentence(REASON_IMAGE_NAME));
		return EXIT_USAGE;
	}
	if (optind >= argc) {
		log_line(LOG_LEVEL_ERROR, "no image given");
		return EXIT_USAGE;
	}
	return load_trust(judging);
}

void judging_end(struct judging *judging)
{
	anchors_free(&judging->anchors);
}

/* The directory part of the path as it was given, as far as that is absolute. */
static const char *directory_of(const char *path, char directory[SUBJECT_DIRECTORY_MAX])
{
	const char *slash = strrchr(path, '/');
	struct text text;

	if (path[0] != '/')
		return NULL;
	text_init(&text, directory, SUBJECT_DIRECTORY_MAX);
	text_bytes(&text, path, (size_t)(slash - path));
	return text_ok(&text) ? directory : NULL;
}

/* What the configuration says of all images and of their names goes before what is in this one. */
static void deny(const struct config *config, const char *name, struct assessment *assessment)
{
	const struct verdict v = config_check(config, CLASS_UNKNOWN, name);

	if (is_accepted(v))
		return;
	assessment->verdict = v;
	assessment->trusted = NULL;
}

/* ---- progress ------------------------------------------------------------------------------ */

#define PROGRESS_MICROSECONDS 250000

/* A line on a terminal, written again and again while the blocks of an image are read. */
struct progress {
	struct subject *subject;
	struct reader reader;
	uint64_t next; /* microseconds of CLOCK_BOOTTIME */
	bool is_shown;
};

static void show_progress(struct progress *progress, uint64_t offset)
{
	const struct claim *claim = &progress->subject->claim;
	const uint64_t start = claim->layout.data.offset;
	const uint64_t size = claim->verity.data_blocks * VEXT_BLOCK;
	const uint64_t now = now_microseconds();

	if (now < progress->next || offset < start || offset - start >= size)
		return;
	fprintf(stderr, "\r%.60s: %u %%", progress->subject->image.name,
		(unsigned)((offset - start) / (size / 100 + 1)));
	progress->next = now + PROGRESS_MICROSECONDS;
	progress->is_shown = true;
}

static struct verdict read_and_show(void *ctx, uint64_t offset, void *buf, size_t size)
{
	struct progress *progress = ctx;

	show_progress(progress, offset);
	return progress->reader.read(progress->reader.ctx, offset, buf, size);
}

static void judge_subject(struct subject *subject, struct judging *judging, struct worker *worker,
			  struct reading *reading, uint64_t started)
{
	struct reading_source source = { .reading = reading,
					 .worker = worker,
					 .claim = &subject->claim };
	struct progress progress = {
		.subject = subject,
		.reader = reading_reader(&source),
		.next = now_microseconds() + PROGRESS_MICROSECONDS,
	};
	const struct reader showing = { .read = read_and_show, .ctx = &progress };
	const bool shows = judging->depth == JUDGE_EVERY_BLOCK && isatty(STDERR_FILENO);

	assess(&subject->image, reading, shows ? &showing : &progress.reader, &judging->anchors,
	       &judging->config.demands, judging->depth, started, &subject->claim,
	       &subject->assessment);
	if (progress.is_shown)
		fputs("\r\033[K", stderr);
}

/* ---- one image ----------------------------------------------------------------------------- */

static struct verdict take_subject(struct subject *subject, struct judging *judging,
				   struct worker *worker, struct reading *reading)
{
	const uint64_t started = now_microseconds();
	const enum worker_state state = worker_wait(worker);
	struct verdict v;

	if (state != WORKER_HEARD)
		return worker_silence(state);
	v = reading_take(reading, &subject->image);
	if (!is_accepted(v))
		return v;
	judge_subject(subject, judging, judging->depth == JUDGE_EVERY_BLOCK ? worker : NULL,
		      reading, started);
	deny(&judging->config, subject->image.name, &subject->assessment);
	if (is_accepted(subject->assessment.verdict) && judging->keeps_image) {
		subject->image.channel = worker_park(worker);
		if (subject->image.channel < 0)
			return verdict(REASON_SYSTEM_WORKER);
	}
	return subject->assessment.verdict;
}

static struct verdict read_subject(struct subject *subject, struct judging *judging,
				   const char *path)
{
	const struct reading_order order = { .root_fd = -1,
					     .path = path,
					     .name = subject->image.name,
					     .stays = judging->depth == JUDGE_EVERY_BLOCK,
					     .reading = worker_memory(sizeof(*order.reading)) };
	struct worker worker;
	struct verdict v;

	if (order.reading == NULL)
		return verdict_errno(REASON_SYSTEM_MEMORY, errno);
	v = reading_start(&worker, &order);
	if (is_accepted(v)) {
		v = take_subject(subject, judging, &worker, order.reading);
		if (!worker_end(&worker, &subject->left.holds))
			subject->left.step = reading_step_name(subject->left.holds.at);
		else
			subject->left.holds.process = 0;
	}
	worker_memory_free(order.reading, sizeof(*order.reading));
	return v;
}

void subject_open(struct subject *subject, struct judging *judging, const char *path)
{
	struct assessment *assessment = &subject->assessment;
	struct report *report = &subject->report;

	memset(subject, 0, sizeof(*subject));
	subject->image = IMAGE_NONE;
	*report = (struct report){ .image = path, .name = judging->name, .class = CLASS_UNKNOWN };
	report->verdict = image_name(path, judging->name, subject->image.name);
	if (!is_accepted(report->verdict))
		return;
	subject->image.directory = directory_of(path, subject->directory);
	report->verdict = read_subject(subject, judging, path);
	if (subject->image.size > 0)
		report->name = subject->image.name;
	report->left = subject->left.holds.process != 0 ? &subject->left : NULL;
	report->root_hash = assessment->has_root_hash ? assessment->root_hash : NULL;
	report->took.judge = assessment->microseconds;
	if (assessment->trusted)
		report->signer = report_signer(trusted_facts(assessment->trusted));
}

void subject_close(struct subject *subject)
{
	image_close(&subject->image);
}
