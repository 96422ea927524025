/* SPDX-License-Identifier: Apache-2.0 */
/* vext attach and detach: an image as a verity device, and no more; close, for what open made. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "configuration.h"
#include "core/name.h"
#include "judging.h"
#include "lock.h"
#include "log.h"
#include "sys/dm_found.h"
#include "sys/execute.h"
#include "sys/worker.h"
#include "trust.h"

struct attaching {
	struct judging judging;
	const char *root; /* whose certificates count */
	const char *name;
	struct json *json; /* NULL: for people */
};

/* By its suffix, or by where it lies. */
static enum extension_class class_of(const struct image *image, const char *path)
{
	static const char suffix[] = ".confext" NAME_SUFFIX;
	const size_t size = strlen(path);

	if (size > strlen(suffix) && strcmp(path + size - strlen(suffix), suffix) == 0)
		return CLASS_CONFEXT;
	return image->directory ? class_of_directory(image->directory) : CLASS_SYSEXT;
}

static void tell(const struct attaching *attaching, const struct report *report, const char *device)
{
	char line[REPORT_LINE_MAX];

	if (attaching->json) {
		report_json(report, attaching->json);
		return;
	}
	report_line(report, line);
	log_line(is_accepted(report->verdict) ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "%s", line);
	if (is_accepted(report->verdict))
		printf("%s\n", device);
}

static void make_device(struct subject *subject, const struct config *config,
			char device[TABLE_NAME_MAX])
{
	const struct merge_options options = {
		.kernel_signature = config->kernel_signature,
		.corruption = config->corruption,
	};
	struct merge_item item = { .trusted = subject->assessment.trusted,
				   .image = &subject->image };
	struct report *report = &subject->report;

	report->verdict = execute_attach(&item, &options);
	memcpy(device, item.device, sizeof(item.device));
	report->step = step_name(item.step);
	report->kernel_checked = item.kernel_checked;
	if (item.left.holds.process != 0) {
		subject->left = item.left;
		report->left = &subject->left;
	}
	report->took.attach = item.attach_microseconds;
	report->device = device[0] ? device : NULL;
}

static struct verdict check_class(const struct config *config, const struct image *image)
{
	return config_has_class(config, image->class) ?
		       config_check(config, image->class, image->name) :
		       verdict(REASON_POLICY_CLASS);
}

static enum exit_status attach(struct attaching *attaching, const char *path)
{
	const struct config *config = &attaching->judging.config;
	static struct subject subject;
	struct report *report = &subject.report;
	char device[TABLE_NAME_MAX] = "";

	subject_open(&subject, &attaching->judging, path);
	if (is_accepted(report->verdict)) {
		subject.image.class = class_of(&subject.image, path);
		report->class = subject.image.class;
		report->verdict = check_class(config, &subject.image);
	}
	if (is_accepted(report->verdict))
		make_device(&subject, config, device);
	tell(attaching, report, device);
	subject_close(&subject);
	return report_status(report->verdict);
}

static bool parse_options(int argc, char **argv, struct attaching *attaching, struct json *json)
{
	static const struct option long_options[] = { { "json", no_argument, NULL, 'j' },
						      { "root", required_argument, NULL, 'r' },
						      { "name", required_argument, NULL, 'n' },
						      { 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == 'j')
			attaching->json = json;
		else if (option == 'r')
			attaching->root = optarg;
		else if (option == 'n')
			attaching->judging.name = optarg;
		else
			return false;
	}
	return optind < argc;
}

static enum exit_status attach_all(struct attaching *attaching, char *const paths[])
{
	enum exit_status status = EXIT_GOOD;

	if (attaching->json) {
		json_open(attaching->json, NULL, '{');
		json_u64(attaching->json, "version", 1);
		json_open(attaching->json, "images", '[');
	}
	for (size_t i = 0; paths[i]; i++)
		status = report_worse(status, attach(attaching, paths[i]));
	if (attaching->json) {
		json_close(attaching->json, ']');
		json_close(attaching->json, '}');
		putchar('\n');
	}
	return status;
}

enum exit_status command_attach(int argc, char **argv)
{
	static struct attaching attaching; /* zeroed, not initialised: the file need not hold it */
	struct judging *judging = &attaching.judging;
	struct json json = { .to = stdout };
	enum exit_status status = EXIT_SYSTEM;

	attaching.root = "/";
	judging->depth = JUDGE_FIRST_BLOCK;
	judging->keeps_image = true;
	if (!parse_options(argc, argv, &attaching, &json))
		return usage_error(argv[0]);
	if (!lock_take(LOCK_STOPS))
		return EXIT_SYSTEM;
	anchors_init(&judging->anchors);
	configuration_load(&judging->config);
	if (report_status(trust_load_baked(&judging->anchors)) != EXIT_SYSTEM &&
	    trust_load_root_at(&judging->anchors, attaching.root,
			       judging->config.user_certificates) == EXIT_GOOD)
		status = attach_all(&attaching, argv + optind);
	judging_end(judging);
	return status;
}

/* ---- detach, close ------------------------------------------------------------------------- */

static bool is_opened_name(const char *name)
{
	return strcmp(name, "usr") == 0 || strcmp(name, "root") == 0;
}

static struct verdict remove_now(const void *ctx, void *answer)
{
	(void)answer;
	return dm_verity_detach(ctx);
}

/* By a worker: the kernel waits for what the device was asked to read ahead. */
static struct verdict remove_device(const char *name)
{
	char none; /* it answers nothing */

	return worker_do(remove_now, name, &none, sizeof(none));
}

/* Of a device that open made, by its name. */
static struct verdict close_opened(const char *name)
{
	return is_opened_name(name) ? remove_device(name) : verdict(REASON_KERNEL_NOT_ATTACHED);
}

/* The devices of one extension. */
struct search {
	const char *name;
	size_t count;
	char device[TABLE_NAME_MAX]; /* of the last one */
};

/* One that is merged, or was, and lives on until its last user goes, is not attached. */
static void take_note(void *ctx, const struct dm_found *found)
{
	struct search *search = ctx;

	if (found->goes || !table_is_name_of(found->name, search->name))
		return;
	memcpy(search->device, found->name, sizeof(search->device));
	search->count++;
}

static void name_them(void *ctx, const struct dm_found *found)
{
	const struct search *search = ctx;

	if (!found->goes && table_is_name_of(found->name, search->name))
		log_line(LOG_LEVEL_ERROR, "%s: attached as %s", search->name, found->name);
}

static struct verdict detach_extension(const char *name)
{
	struct search search = { .name = name };
	struct verdict v = dm_each(take_note, &search);

	if (!is_accepted(v))
		return v;
	if (search.count == 0)
		return close_opened(name);
	if (search.count == 1)
		return remove_device(search.device);
	(void)dm_each(name_them, &search);
	return verdict(REASON_KERNEL_ATTACHED_OFTEN);
}

/* By the name of the device, or by that of the extension, of whatever class. */
static struct verdict detach(const char *name)
{
	struct verdict v = verdict(REASON_KERNEL_NOT_ATTACHED);

	if (table_is_name_of(name, NULL))
		v = remove_device(name);
	if (v.reason != REASON_KERNEL_NOT_ATTACHED)
		return v;
	return is_accepted(name_check(name)) ? detach_extension(name) : v;
}

static enum exit_status remove_each(int argc, char **argv,
				    struct verdict (*remove_it)(const char *name), const char *done)
{
	static const struct option none[] = { { 0 } };
	enum exit_status status = EXIT_GOOD;

	if (getopt_long(argc, argv, "", none, NULL) != -1 || optind >= argc)
		return usage_error(argv[0]);
	if (!lock_take(LOCK_STOPS))
		return EXIT_SYSTEM;
	for (int i = optind; i < argc; i++) {
		const struct verdict v = remove_it(argv[i]);

		if (is_accepted(v)) {
			printf("%s %s\n", done, argv[i]);
			continue;
		}
		(void)report_trouble(argv[i], v);
		status = report_worse(status, report_status(v));
	}
	return status;
}

enum exit_status command_detach(int argc, char **argv)
{
	return remove_each(argc, argv, detach, "detached");
}

enum exit_status command_close(int argc, char **argv)
{
	return remove_each(argc, argv, close_opened, "closed");
}
