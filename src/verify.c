/* SPDX-License-Identifier: Apache-2.0 */
/* vext verify: judge images as the boot would, without privileges. */
#include <getopt.h>
#include <stdio.h>

#include "commands.h"
#include "judging.h"

static void print(const struct report *report, struct json *json)
{
	char line[REPORT_LINE_MAX];

	if (json) {
		report_json(report, json);
		return;
	}
	report_line(report, line);
	puts(line);
}

static enum exit_status verify_all(struct judging *judging, char **paths, struct json *json)
{
	static struct subject subject;
	enum exit_status status = EXIT_GOOD;

	for (; *paths; paths++) {
		subject_open(&subject, judging, *paths);
		print(&subject.report, json);
		status = report_worse(status, report_status(subject.report.verdict));
		subject_close(&subject);
	}
	return status;
}

static enum exit_status verify_json(struct judging *judging, char **paths)
{
	struct json json = { .to = stdout };
	enum exit_status status;

	json_open(&json, NULL, '{');
	json_u64(&json, "version", 1);
	json_open(&json, "images", '[');
	status = verify_all(judging, paths, &json);
	json_close(&json, ']');
	json_close(&json, '}');
	putchar('\n');
	return status;
}

enum exit_status command_verify(int argc, char **argv)
{
	static struct judging judging;
	enum exit_status status = judging_begin(&judging, argc, argv);

	if (status == EXIT_USAGE)
		usage_error(argv[0]);
	else if (status == EXIT_GOOD && judging.json)
		status = verify_json(&judging, argv + optind);
	else if (status == EXIT_GOOD)
		status = verify_all(&judging, argv + optind, NULL);
	judging_end(&judging);
	return status;
}
