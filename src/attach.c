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
#include "log.h"
#include "sys/dm.h"
#include "sys/execute.h"
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
		.stays = true,
	};
	struct merge_item item = { .trusted = subject->assessment.trusted,
				   .image = &subject->image };
	struct report *report = &subject->report;

	report->verdict = execute_attach(&item, &options, device);
	report->step = step_name(item.step);
	report->kernel_checked = item.kernel_checked;
	report->took.attach = item.attach_microseconds;
	report->device = device[0] ? device : NULL;
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
		if (config_has_class(config, report->class))
			make_device(&subject, config, device);
		else
			report->verdict = verdict(REASON_POLICY_CLASS);
	}
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
	if (!parse_options(argc, argv, &attaching, &json))
		return usage_error(argv[0]);
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

/* Not so one of veritysetup, though its UUID may be of the same form. */
static bool is_attached_name(const char *name)
{
	for (unsigned i = 0; i < CLASSES; i++) {
		const char *device = class_traits((enum extension_class)i)->device;

		if (strncmp(name, device, strlen(device)) == 0)
			return true;
	}
	return false;
}

static bool is_opened_name(const char *name)
{
	return strcmp(name, "usr") == 0 || strcmp(name, "root") == 0;
}

/* Of a device that open made, by its name. */
static struct verdict close_opened(const char *name)
{
	return is_opened_name(name) ? dm_verity_detach(name) : verdict(REASON_KERNEL_NOT_ATTACHED);
}

/* By the name of the extension, of whatever class, or by that of the device. */
static struct verdict detach(const char *name)
{
	char device[TABLE_NAME_MAX];
	struct verdict v = verdict(REASON_KERNEL_NOT_ATTACHED);

	if (!is_accepted(name_check(name)))
		return verdict(REASON_IMAGE_NAME);
	for (unsigned i = 0; i < CLASSES && v.reason == REASON_KERNEL_NOT_ATTACHED; i++) {
		table_name((enum extension_class)i, name, device);
		v = dm_verity_detach(device);
	}
	if (v.reason == REASON_KERNEL_NOT_ATTACHED && is_attached_name(name))
		v = dm_verity_detach(name);
	return v.reason == REASON_KERNEL_NOT_ATTACHED ? close_opened(name) : v;
}

static enum exit_status remove_each(int argc, char **argv,
				    struct verdict (*remove_it)(const char *name), const char *done)
{
	static const struct option none[] = { { 0 } };
	enum exit_status status = EXIT_GOOD;

	if (getopt_long(argc, argv, "", none, NULL) != -1 || optind >= argc)
		return usage_error(argv[0]);
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
