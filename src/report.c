/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <string.h>

#include "crypto/anchors.h"
#include "log.h"

static const char unsigned_sentence[] =
	"not signed: taken for its dm-verity alone, as the policy has it";

enum exit_status report_status(struct verdict verdict)
{
	if (is_accepted(verdict))
		return EXIT_GOOD;
	return strncmp(reason_name(verdict.reason), "system.", 7) == 0 ? EXIT_SYSTEM : EXIT_REFUSED;
}

enum exit_status report_worse(enum exit_status a, enum exit_status b)
{
	return a > b ? a : b;
}

enum exit_status report_trouble(const char *what, struct verdict v)
{
	log_line(LOG_LEVEL_ERROR, "%s: %s: %s%s%s", what, reason_name(v.reason),
		 reason_sentence(v.reason), v.sys_errno ? ": " : "",
		 v.sys_errno ? log_error_text(v.sys_errno) : "");
	return EXIT_SYSTEM;
}

enum exit_status report_any_trouble(const char *what, struct verdict verdict)
{
	return is_accepted(verdict) ? EXIT_GOOD : report_trouble(what, verdict);
}

const struct signer *report_signer(const struct facts *facts)
{
	return facts->is_signed ? &facts->signer : NULL;
}

static const char *subject(const struct report *report)
{
	return report->name && report->name[0] ? report->name : report->image;
}

/* A subject may be empty, or too long. */
static void name_signer(const struct signer *signer, struct text *text)
{
	if (signer->subject[0]) {
		text_escaped(text, signer->subject, strlen(signer->subject));
	} else {
		text_str(text, "certificate ");
		text_hex(text, signer->fingerprint, VEXT_HASH_SIZE);
	}
	text_str(text, " (");
	text_str(text, anchor_source_name(signer->source));
	text_str(text, ")");
}

static void describe_signer(const struct report *report, struct text *text)
{
	if (report->root_hash) {
		text_str(text, "root hash ");
		text_hex(text, report->root_hash, VEXT_HASH_SIZE);
		text_str(text, ", ");
	}
	if (report->signer) {
		text_str(text, "signed by ");
		name_signer(report->signer, text);
	} else {
		text_str(text, unsigned_sentence);
	}
}

/* errno's text and the byte, as far as there are any. */
static void describe_errno(struct verdict v, struct text *text)
{
	if (v.sys_errno != 0) {
		text_str(text, " (");
		text_str(text, log_error_text(v.sys_errno));
		text_str(text, ")");
	}
	if (v.at != VERDICT_NOWHERE) {
		text_str(text, " (at byte ");
		text_u64(text, v.at);
		text_str(text, ")");
	}
}

/* Who is left behind, and ends when the disk answers or its server is gone. */
static void describe_left(const struct report *report, struct text *text)
{
	if (report->left == NULL)
		return;
	text_str(text, "; process ");
	text_u64(text, (uint64_t)report->left->holds.process);
	text_str(text, " still waits for it");
}

static bool has_detail(const struct report *report)
{
	return !is_accepted(report->verdict) && report->detail && report->detail[0];
}

static bool is_renamed(const struct report *report)
{
	return is_accepted(report->verdict) && report->release_name && report->release_name[0] &&
	       strcmp(report->release_name, subject(report)) != 0;
}

void report_line(const struct report *report, char line[REPORT_LINE_MAX])
{
	struct text text;

	text_init(&text, line, REPORT_LINE_MAX);
	text_str(&text, is_accepted(report->verdict) ? "accepted " : "refused ");
	text_escaped(&text, subject(report), strlen(subject(report)));
	text_str(&text, ": ");
	if (is_accepted(report->verdict)) {
		describe_signer(report, &text);
		if (report->kernel_checked)
			text_str(&text, ", checked by the kernel too");
		if (is_renamed(report)) {
			text_str(&text, ", counts as ");
			text_str(&text, report->release_name);
		}
		describe_left(report, &text);
		return;
	}
	text_str(&text, reason_name(report->verdict.reason));
	text_str(&text, ": ");
	text_str(&text, reason_sentence(report->verdict.reason));
	if (has_detail(report)) {
		text_str(&text, ": ");
		text_escaped(&text, report->detail, strlen(report->detail));
	}
	describe_errno(report->verdict, &text);
	describe_left(report, &text);
}

static void begin_note(const struct report *report, char line[REPORT_LINE_MAX], struct text *text)
{
	text_init(text, line, REPORT_LINE_MAX);
	text_escaped(text, subject(report), strlen(subject(report)));
	text_str(text, ": ");
}

void report_notes(const struct report *report)
{
	const struct notes *notes = report->notes;
	char line[REPORT_LINE_MAX];
	struct text text;

	for (uint32_t i = 0; notes && i < notes->count; i++) {
		begin_note(report, line, &text);
		note_describe(&notes->list[i], &text);
		log_line(LOG_LEVEL_WARNING, "%s", line);
	}
	if (notes && notes->left_out > 0) {
		begin_note(report, line, &text);
		log_line(LOG_LEVEL_WARNING, "%s%u more of such notes", line, notes->left_out);
	}
}

static void signer_json(const struct signer *signer, struct json *json)
{
	if (!signer) {
		json_null(json, "signer");
		return;
	}
	json_open(json, "signer", '{');
	json_hex(json, "fingerprint", signer->fingerprint, sizeof(signer->fingerprint));
	json_string(json, "subject", signer->subject);
	json_string(json, "source", anchor_source_name(signer->source));
	json_close(json, '}');
}

/* The sum, and of one that is to be merged what it is made of. */
static void took_json(const struct report *report, struct json *json)
{
	const uint64_t sum = report->took.judge + report->took.attach + report->took.mount;

	if (report->step) {
		json_open(json, "microsecondsOf", '{');
		json_u64(json, "judge", report->took.judge);
		json_u64(json, "attach", report->took.attach);
		json_u64(json, "mount", report->took.mount);
		json_close(json, '}');
	}
	if (sum)
		json_u64(json, "microseconds", sum);
}

/* The sentence and what belongs to it. Not escaped here: json_string() does that. */
static void detail_json(const struct report *report, struct json *json)
{
	const struct verdict v = report->verdict;
	char detail[REPORT_LINE_MAX];
	struct text text;

	text_init(&text, detail, sizeof(detail));
	text_str(&text,
		 is_accepted(v) && !report->signer ? unsigned_sentence : reason_sentence(v.reason));
	if (has_detail(report)) {
		text_str(&text, ": ");
		text_str(&text, report->detail);
	}
	describe_errno(v, &text);
	json_string(json, "detail", detail);
}

static void note_json(const struct note *note, struct json *json)
{
	json_open(json, NULL, '{');
	json_string(json, "kind", note_kind_name(note->kind));
	json_string(json, "path", note->path);
	json_string(json, "hides", note->hides[0] ? note->hides : NULL);
	json_close(json, '}');
}

static void notes_json(const struct notes *notes, struct json *json)
{
	if (!notes || notes->count == 0)
		return;
	json_open(json, "notes", '[');
	for (uint32_t i = 0; i < notes->count; i++)
		note_json(&notes->list[i], json);
	json_close(json, ']');
	if (notes->left_out > 0)
		json_u64(json, "notesLeftOut", notes->left_out);
}

static void loop_json(struct table_device loop, struct json *json)
{
	char name[sizeof("/dev/loop") + 20];
	struct text text;

	text_init(&text, name, sizeof(name));
	text_str(&text, "/dev/loop");
	text_u64(&text, loop.minor);
	json_string(json, NULL, name);
}

static void left_json(const struct left *left, struct json *json)
{
	if (left == NULL)
		return;
	json_open(json, "left", '{');
	json_u64(json, "process", (uint64_t)left->holds.process);
	json_string(json, "step", left->step);
	json_open(json, "loops", '[');
	for (uint32_t i = 0; i < left->holds.loops && i < 2; i++)
		loop_json(left->holds.loop[i], json);
	json_close(json, ']');
	if (left->holds.device[0] != '\0')
		json_string(json, "device", left->holds.device);
	json_close(json, '}');
}

void report_json(const struct report *report, struct json *json)
{
	const struct verdict v = report->verdict;

	json_open(json, NULL, '{');
	json_string(json, "image", report->image);
	json_string(json, "name", report->name && report->name[0] ? report->name : NULL);
	json_string(json, "verdict", is_accepted(v) ? "accepted" : "refused");
	json_string(json, "reason", reason_name(v.reason));
	json_u64(json, "code", (uint64_t)v.reason);
	if (v.at == VERDICT_NOWHERE)
		json_null(json, "at");
	else
		json_u64(json, "at", v.at);
	if (v.sys_errno == 0)
		json_null(json, "errno");
	else
		json_u64(json, "errno", (uint64_t)v.sys_errno);
	detail_json(report, json);
	if (report->root_hash)
		json_hex(json, "rootHash", report->root_hash, VEXT_HASH_SIZE);
	else
		json_null(json, "rootHash");
	signer_json(report->signer, json);
	if (report->class < CLASSES)
		json_string(json, "class", class_traits(report->class)->name);
	if (is_renamed(report))
		json_string(json, "releaseName", report->release_name);
	if (report->device)
		json_string(json, "device", report->device);
	if (report->step) {
		json_string(json, "step", report->step);
		json_bool(json, "kernelChecked", report->kernel_checked);
	}
	left_json(report->left, json);
	notes_json(report->notes, json);
	took_json(report, json);
	json_close(json, '}');
}
