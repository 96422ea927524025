/* SPDX-License-Identifier: Apache-2.0 */
/* report: where and what of a refusal, and what is told of a merged image, in the line and in JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "report.h"
#include "sys/execute.h"

static const char detail[] = "usr/s\nbin is a directory in the image and a link in the root";

static struct report refused(void)
{
	return (struct report){ .image = "/var/lib/extensions/oem.raw",
				.name = "oem",
				.class = CLASS_SYSEXT,
				.verdict = verdict(REASON_MERGE_TYPE),
				.detail = detail };
}

static void line_has_the_detail(void **state)
{
	struct report report = refused();
	char line[REPORT_LINE_MAX], expected[REPORT_LINE_MAX];

	(void)state;
	snprintf(expected, sizeof(expected),
		 "refused oem: merge.type: %s: usr/s\\x0abin is a directory in the image and a "
		 "link in the root",
		 reason_sentence(REASON_MERGE_TYPE));
	report_line(&report, line);
	assert_string_equal(line, expected);
}

/* With errno and byte behind it; and without any. */
static void line_has_the_rest_in_order(void **state)
{
	struct report report = refused();
	char line[REPORT_LINE_MAX];
	const char *behind = line;

	(void)state;
	report.verdict.sys_errno = 5;
	report.verdict.at = 7;
	report_line(&report, line);
	assert_non_null(strstr(line, "a link in the root (Input/output error) (at byte 7)"));
	report = refused();
	report.detail = "";
	report_line(&report, line);
	behind = strstr(line, reason_sentence(REASON_MERGE_TYPE));
	assert_string_equal(behind, reason_sentence(REASON_MERGE_TYPE));
	report.detail = NULL;
	report_line(&report, line);
	behind = strstr(line, reason_sentence(REASON_MERGE_TYPE));
	assert_string_equal(behind, reason_sentence(REASON_MERGE_TYPE));
}

/* The sentence of any reason, and of the detail what was left room for. */
static void line_takes_the_longest(void **state)
{
	struct report report = refused();
	char long_detail[MERGE_DETAIL_MAX] = { 0 }, line[REPORT_LINE_MAX];
	size_t size;

	(void)state;
	memset(long_detail, 'd', sizeof(long_detail) - 1);
	report.detail = long_detail;
	report_line(&report, line);
	size = strlen(line);
	assert_string_equal(line + size - strlen(long_detail), long_detail);
	memset(long_detail, '\n', sizeof(long_detail) - 1);
	report_line(&report, line);
	size = strlen(line);
	assert_string_equal(line + size - strlen("\\x0a"), "\\x0a");
}

static char *json_of(const struct report *report)
{
	char *bytes = NULL;
	size_t size = 0;
	struct json json = { .to = open_memstream(&bytes, &size) };

	assert_non_null(json.to);
	report_json(report, &json);
	fclose(json.to);
	return bytes;
}

static void json_has_the_detail(void **state)
{
	const struct report report = refused();
	char expected[REPORT_LINE_MAX];
	char *json = json_of(&report);

	(void)state;
	/* json_string() writes \xNN, and quotes the backslash of that. */
	snprintf(expected, sizeof(expected), "\"detail\":\"%s: usr/s\\\\x0abin is a directory",
		 reason_sentence(REASON_MERGE_TYPE));
	assert_non_null(strstr(json, expected));
	assert_null(strstr(json, "notes"));
	free(json);
}

static struct report accepted(const struct notes *notes)
{
	struct report report = refused();

	report.verdict = verdict(REASON_ACCEPTED);
	report.notes = notes;
	return report;
}

static void accepted_has_no_detail(void **state)
{
	const struct report report = accepted(NULL);
	char line[REPORT_LINE_MAX];
	char *json = json_of(&report);

	(void)state;
	report_line(&report, line);
	assert_null(strstr(line, "is a directory"));
	assert_null(strstr(json, "is a directory"));
	free(json);
}

static void json_has_the_notes(void **state)
{
	struct notes notes = { 0 };
	const struct report report = accepted(&notes);
	char *json = json_of(&report);

	(void)state;
	assert_null(strstr(json, "notes"));
	free(json);
	notes_add(&notes, NOTE_BELOW_MOUNT, "usr/local", "");
	notes_add(&notes, NOTE_HIDDEN_FILE, "usr/lib/\xff", "nvidia");
	json = json_of(&report);
	assert_non_null(strstr(
		json,
		"\"notes\":[{\"kind\":\"below-mount\",\"path\":\"/usr/local\",\"hides\":null},"
		"{\"kind\":\"hidden-file\",\"path\":\"/usr/lib/\\\\xff\",\"hides\":\"nvidia\"}]"));
	assert_null(strstr(json, "notesLeftOut"));
	free(json);
	notes.left_out = 4;
	json = json_of(&report);
	assert_non_null(strstr(json, "],\"notesLeftOut\":4"));
	free(json);
}

/* What report_notes() has written to standard error, which is the log. */
static void logged(const struct report *report, char *bytes, size_t size)
{
	FILE *file = tmpfile();
	const int kept = dup(STDERR_FILENO);
	size_t used;

	assert_non_null(file);
	assert_true(kept >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
	report_notes(report);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	close(kept);
	rewind(file);
	used = fread(bytes, 1, size - 1, file);
	bytes[used] = '\0';
	fclose(file);
}

static void log_has_a_line_for_each_note(void **state)
{
	struct notes notes = { 0 };
	const struct report none = accepted(NULL), report = accepted(&notes);
	char bytes[4096];

	(void)state;
	logged(&none, bytes, sizeof(bytes));
	assert_string_equal(bytes, "");
	logged(&report, bytes, sizeof(bytes));
	assert_string_equal(bytes, "");
	notes_add(&notes, NOTE_BELOW_MOUNT, "usr/local", "");
	notes_add(&notes, NOTE_UNLABELLED, "usr", "");
	notes.left_out = 4;
	logged(&report, bytes, sizeof(bytes));
	assert_string_equal(
		bytes,
		"vext: oem: /usr/local: something is mounted here, and hides what the extension has at "
		"this place\n"
		"vext: oem: /usr: the root has SELinux labels here and the extension has none; build it "
		"with build-sysext --file-contexts\n"
		"vext: oem: 4 more of such notes\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_has_the_detail),
		cmocka_unit_test(line_has_the_rest_in_order),
		cmocka_unit_test(line_takes_the_longest),
		cmocka_unit_test(json_has_the_detail),
		cmocka_unit_test(accepted_has_no_detail),
		cmocka_unit_test(json_has_the_notes),
		cmocka_unit_test(log_has_a_line_for_each_note),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
