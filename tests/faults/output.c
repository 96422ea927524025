/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <stdio.h>
#include <string.h>
#include <yyjson.h>

#define LINE_MAX_BYTES 4096u

/* ---- reasons ------------------------------------------------------------------------------- */

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* `reason` ends where its word does. */
static bool is_allowed(const char *reason, const char *reasons)
{
	const size_t length = strcspn(reason, ": ");

	for (const char *at = reasons; *at != '\0'; at += strcspn(at, ",")) {
		size_t size;

		at += *at == ',';
		size = strcspn(at, ",");
		if (size <= length && strncmp(reason, at, size) == 0 &&
		    (size == length || at[size - 1] == '.'))
			return true;
	}
	return false;
}

/* ---- lines --------------------------------------------------------------------------------- */

/* Copies the line at `*at` without what says how long something took, and steps over it. */
static bool next_line(const char **at, char line[LINE_MAX_BYTES])
{
	const size_t length = strcspn(*at, "\n");
	char *time;

	if (**at == '\0')
		return false;
	snprintf(line, LINE_MAX_BYTES, "%.*s", (int)length, *at);
	*at += length + ((*at)[length] == '\n');
	time = strstr(line, " merged in ");
	if (time != NULL)
		time[strlen(" merged")] = '\0';
	return true;
}

static bool has_line(const char *text, const char *wanted, bool as_start)
{
	char line[LINE_MAX_BYTES];

	while (next_line(&text, line))
		if (as_start ? starts_with(line, wanted) : strcmp(line, wanted) == 0)
			return true;
	return false;
}

/* Behind "vext: " and "verdict: ". */
static const char *verdict_in(const char *line)
{
	if (starts_with(line, "vext: "))
		line += strlen("vext: ");
	if (starts_with(line, "verdict: "))
		line += strlen("verdict: ");
	return starts_with(line, "accepted ") || starts_with(line, "refused ") ? line : NULL;
}

static unsigned count_verdicts(const char *text)
{
	char line[LINE_MAX_BYTES];
	unsigned count = 0;

	while (next_line(&text, line))
		count += verdict_in(line) != NULL;
	return count;
}

/*
 * "refused NAME: REASON: …", and an image of that name is judged without a fault, too. An image that was
 * not even opened goes by its path.
 */
static const char *reason_in(const char *verdict, const char *usual)
{
	const char *name = verdict + strlen("refused ");
	const char *end = strchr(name, ':');
	char line[LINE_MAX_BYTES];

	if (!starts_with(verdict, "refused ") || end == NULL || !starts_with(end, ": "))
		return NULL;
	for (const char *slash = name; slash < end; slash++)
		if (*slash == '/')
			name = slash + 1;
	while (next_line(&usual, line)) {
		const char *known = verdict_in(line);

		if (known == NULL)
			continue;
		known = strchr(known, ' ') + 1;
		if (strncmp(known, name, strcspn(name, ".:")) == 0)
			return end + 2;
	}
	return NULL;
}

/* Of a line that is not there without the fault. */
static bool examine_verdict(const char *line, const char *usual, const char *reasons,
			    struct output *output, char why[SWEEP_WHY_MAX])
{
	const char *verdict = verdict_in(line);
	const char *reason = verdict == NULL ? NULL : reason_in(verdict, usual);

	if (reason == NULL || !is_allowed(reason, reasons)) {
		snprintf(why, SWEEP_WHY_MAX, "it says '%.300s'", line);
		return false;
	}
	output->refused = true;
	output->refused_system |= starts_with(reason, "system.");
	return true;
}

bool output_text(const char *text, const char *usual, const char *reasons, struct output *output,
		 char why[SWEEP_WHY_MAX])
{
	const size_t size = strlen(text);
	const char *at = text, *expected = usual;
	char line[LINE_MAX_BYTES], usual_line[LINE_MAX_BYTES];

	*output = (struct output){ .same = true };
	while (next_line(&at, line)) {
		const bool is_cut = *at == '\0' && text[size - 1] != '\n';

		output->same &= next_line(&expected, usual_line) && strcmp(line, usual_line) == 0 &&
				!is_cut;
		if (has_line(usual, line, is_cut))
			continue;
		if (is_cut && starts_with("refused ", line)) /* with no more than a part of that */
			continue;
		if (!examine_verdict(line, usual, reasons, output, why))
			return false;
	}
	output->same &= *expected == '\0';
	/* A plan is empty when nothing is left to be merged. */
	output->whole = count_verdicts(text) == count_verdicts(usual) &&
			(size == 0 || text[size - 1] == '\n');
	return true;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static bool is_time(yyjson_val *key)
{
	return yyjson_equals_str(key, "microseconds");
}

/* Has `b` all members of `a`, the same, times aside? */
static bool includes(yyjson_val *b, yyjson_val *a, const char *except)
{
	yyjson_obj_iter iter = yyjson_obj_iter_with(a);
	yyjson_val *key;

	while ((key = yyjson_obj_iter_next(&iter)) != NULL) {
		yyjson_val *other = yyjson_obj_get(b, yyjson_get_str(key));

		if (is_time(key) || (except != NULL && yyjson_equals_str(key, except)))
			continue;
		if (!yyjson_equals(yyjson_obj_iter_get_val(key), other))
			return false;
	}
	return true;
}

static bool examine_image(yyjson_val *image, yyjson_val *usual, const char *reasons,
			  struct output *output)
{
	const char *reason = yyjson_get_str(yyjson_obj_get(image, "reason"));

	if (includes(usual, image, NULL) && includes(image, usual, NULL))
		return true;
	output->same = false;
	if (!yyjson_equals_str(yyjson_obj_get(image, "verdict"), "refused") || reason == NULL ||
	    !is_allowed(reason, reasons) ||
	    !yyjson_equals(yyjson_obj_get(image, "image"), yyjson_obj_get(usual, "image")))
		return false;
	output->refused = true;
	output->refused_system |= starts_with(reason, "system.");
	return true;
}

static bool examine_document(yyjson_val *document, yyjson_val *usual, const char *reasons,
			     struct output *output, char why[SWEEP_WHY_MAX])
{
	yyjson_val *images = yyjson_obj_get(document, "images");
	yyjson_val *usual_images = yyjson_obj_get(usual, "images");

	/* Beside the images, a part may be missing, where an image was refused before it was known. */
	output->same = includes(document, usual, "images");
	if (!includes(usual, document, "images") ||
	    yyjson_arr_size(images) != yyjson_arr_size(usual_images)) {
		snprintf(why, SWEEP_WHY_MAX, "its JSON has other members");
		return false;
	}
	for (size_t i = 0; i < yyjson_arr_size(images); i++) {
		yyjson_val *image = yyjson_arr_get(images, i);

		if (!examine_image(image, yyjson_arr_get(usual_images, i), reasons, output)) {
			snprintf(why, SWEEP_WHY_MAX, "its JSON says %s, %s",
				 yyjson_get_str(yyjson_obj_get(image, "verdict")),
				 yyjson_get_str(yyjson_obj_get(image, "reason")));
			return false;
		}
	}
	return true;
}

/* An image that is accepted without a fault is named so; nothing else can be said of a part of JSON. */
static bool examine_part(const char *text, const char *usual, struct output *output,
			 char why[SWEEP_WHY_MAX])
{
	static const char accepted[] = "\"verdict\":\"accepted\"";

	output->same = false;
	if (strstr(text, accepted) != NULL && strstr(usual, accepted) == NULL) {
		snprintf(why, SWEEP_WHY_MAX, "broken JSON says that an image is accepted");
		return false;
	}
	return true;
}

bool output_json(const char *text, size_t size, const char *usual, size_t usual_size,
		 const char *reasons, struct output *output, char why[SWEEP_WHY_MAX])
{
	yyjson_doc *document = yyjson_read(text, size, YYJSON_READ_NOFLAG);
	yyjson_doc *wanted = yyjson_read(usual, usual_size, YYJSON_READ_NOFLAG);
	bool good;

	*output = (struct output){ .whole = document != NULL };
	if (document == NULL)
		good = examine_part(text, usual, output, why);
	else
		good = examine_document(yyjson_doc_get_root(document), yyjson_doc_get_root(wanted),
					reasons, output, why);
	yyjson_doc_free(document);
	yyjson_doc_free(wanted);
	return good;
}
