/* SPDX-License-Identifier: Apache-2.0 */
/* vext status: what is merged now, and what the last boot or merge said of each image. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "core/note.h"
#include "former.h"
#include "hierarchies.h"
#include "last_run.h"
#include "log.h"
#include "options.h"
#include "status.h"

/* ---- for people ---------------------------------------------------------------------------- */

/* It is escaped in the file already. */
static void print_text(const char *text)
{
	for (; text && *text; text++)
		putchar(*text >= ' ' && *text <= '~' ? *text : '?');
}

static void print_field(const char *name, const char *text)
{
	printf("    %-11s", name);
	print_text(text ? text : "not known");
}

static void print_milliseconds(uint64_t microseconds, const char *behind)
{
	printf("%llu.%llu ms%s", (unsigned long long)microseconds / 1000,
	       (unsigned long long)microseconds / 100 % 10, behind);
}

static void print_signer(const struct record_image *image)
{
	if (!image->subject) {
		print_field("signed", "by nobody");
		putchar('\n');
		return;
	}
	print_field("signed by", image->subject);
	fputs(" (", stdout);
	print_text(image->source);
	fputs(")\n", stdout);
	print_field("cert", image->fingerprint);
	putchar('\n');
	if (image->has_steps)
		printf("    %-11s%s\n", "checked by",
		       image->kernel_checked ? "vext and the kernel" : "vext");
}

static void print_times(const struct record_image *image)
{
	printf("    %-11s", "took");
	print_milliseconds(image->judge, " to judge, ");
	print_milliseconds(image->attach, " to attach, ");
	print_milliseconds(image->mount, " to mount\n");
}

static void print_left(const struct record_image *image)
{
	if (image->left_process == 0)
		return;
	printf("    %-11sprocess %llu, since step ", "left",
	       (unsigned long long)image->left_process);
	print_text(image->left_step);
	if (image->left_device) {
		fputs(", with ", stdout);
		print_text(image->left_device);
	}
	puts(": it ends when the disk answers");
}

static void print_image(const struct record_image *image, const struct hierarchies *hierarchies)
{
	const bool accepted = image->verdict && strcmp(image->verdict, "accepted") == 0;

	print_text(image->name ? image->name : image->image);
	fputs(" (", stdout);
	print_text(image->class);
	fputs("): ", stdout);
	print_text(image->verdict);
	if (accepted && image->class && image->name)
		fputs(hierarchies_have(hierarchies, image->class, image->name) ? ", merged now" :
										 ", not merged now",
		      stdout);
	putchar('\n');
	print_field("image", image->image);
	putchar('\n');
	if (image->release_name) {
		print_field("counts as", image->release_name);
		putchar('\n');
	}
	if (!accepted) {
		print_field("why", image->reason);
		fputs(": ", stdout);
		print_text(image->detail);
		putchar('\n');
	}
	if (image->root_hash) {
		print_field("root hash", image->root_hash);
		puts(accepted ? "" : " (as it claims)");
	}
	if (accepted)
		print_signer(image);
	if (image->has_steps)
		print_times(image);
	print_left(image);
}

/* A later vext may have left kinds that this one has no sentence for: then the word of the file must do. */
static void print_note(const struct record_note *note)
{
	const enum note_kind kind = note_kind_of(note->kind ? note->kind : "");
	char sentence[NOTE_SENTENCE_MAX];
	struct text text;

	text_init(&text, sentence, sizeof(sentence));
	note_explain(kind, note->hides ? note->hides : "", &text);
	print_field("note", note->path);
	fputs(": ", stdout);
	print_text(kind ? sentence : note->kind);
	putchar('\n');
}

static void print_notes(const struct record *record, size_t i, const struct record_image *image)
{
	struct record_note note;

	for (size_t n = 0; n < image->notes; n++) {
		record_note(record, i, n, &note);
		print_note(&note);
	}
	if (image->notes_left_out > 0)
		printf("    %-11s%llu more of such\n", "notes",
		       (unsigned long long)image->notes_left_out);
}

static void print_foreign(const struct record *record)
{
	struct record_foreign foreign;

	for (size_t i = 0; i < record_foreigns(record); i++) {
		record_foreign(record, i, &foreign);
		printf("\nAt boot another program had merged onto ");
		print_text(foreign.hierarchy);
		printf(" before vext (");
		print_text(foreign.action);
		puts("). Unsigned content may have run:");
		for (size_t n = 0; n < foreign.extensions; n++) {
			print_field("extension", record_foreign_extension(record, i, n));
			putchar('\n');
		}
	}
}

static void print_run(const struct record *record, const struct hierarchies *hierarchies)
{
	struct record_image image;
	char when[32];
	struct text text;

	text_init(&text, when, sizeof(when));
	text_time(&text, record_time(record));
	printf("\nThe last run, on ");
	print_text(record_root(record));
	printf(", ended %s and took ", when);
	print_milliseconds(record_microseconds(record), ", of that ");
	print_milliseconds(record_merge(record), " for the overlays.\n");
	print_foreign(record);
	for (size_t i = 0; i < record_images(record); i++) {
		putchar('\n');
		record_image(record, i, &image);
		print_image(&image, hierarchies);
		print_notes(record, i, &image);
	}
}

/* ---- for programs -------------------------------------------------------------------------- */

static void print_json(const struct last_run *run, const struct hierarchies *hierarchies)
{
	struct json json = { .to = stdout };

	json_open(&json, NULL, '{');
	json_u64(&json, "version", STATUS_VERSION);
	hierarchies_json(hierarchies, &json);
	formers_tell(&json, true);
	if (run->record.document)
		json_raw(&json, "lastRun", run->bytes, run->size);
	else
		json_null(&json, "lastRun");
	json_close(&json, '}');
	putchar('\n');
}

static void print_all(const struct last_run *run, const struct hierarchies *hierarchies, bool json)
{
	if (json) {
		print_json(run, hierarchies);
		return;
	}
	hierarchies_print(hierarchies);
	formers_tell(NULL, true);
	if (run->record.document)
		print_run(&run->record, hierarchies);
}

/* By whatever path; the root of a boot is the system's by now. */
static bool is_about(const struct record *record, const char *root)
{
	char *asked = realpath(root, NULL), *has = realpath(record_root(record), NULL);
	const bool is_same = asked != NULL && has != NULL && strcmp(asked, has) == 0;

	free(asked);
	free(has);
	return is_same || (record_is_systems(record) && own_is_systems(root));
}

static enum exit_status show(const char *root, bool json)
{
	const int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct hierarchies hierarchies;
	struct last_run run = { 0 };
	enum exit_status status;
	struct own own;

	if (root_fd < 0) {
		log_line(LOG_LEVEL_ERROR, "%s: %s", root, strerror(errno));
		return EXIT_SYSTEM;
	}
	status = hierarchies_read(root_fd, own_of(root, &own), &hierarchies);
	close(root_fd);
	status = report_worse(status, hierarchies_check(&hierarchies));
	status = report_worse(status, last_run_load(&run));
	if (run.record.document != NULL && !is_about(&run.record, root))
		last_run_free(&run);
	print_all(&run, &hierarchies, json);
	last_run_free(&run);
	hierarchies_free(&hierarchies);
	return status;
}

enum exit_status command_status(int argc, char **argv)
{
	struct show_options options = { .root = "/" };

	if (!show_options_parse(argc, argv, &options))
		return usage_error(argv[0]);
	return show(options.root, options.json);
}
