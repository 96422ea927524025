/* SPDX-License-Identifier: Apache-2.0 */
#include "core/note.h"

#include <string.h>

#define CUT "..."

/* Of a long path the end says more than the front. */
static void put_path(char to[NOTE_PATH_MAX], const char *path)
{
	const size_t size = strlen(path);
	struct text text;

	text_init(&text, to, NOTE_PATH_MAX);
	if (size + 1 < NOTE_PATH_MAX) {
		text_char(&text, '/');
		text_str(&text, path);
	} else {
		text_str(&text, CUT);
		text_str(&text, path + size + sizeof(CUT) - NOTE_PATH_MAX);
	}
}

static void put_name(char to[VEXT_NAME_MAX + 1], const char *name)
{
	struct text text;

	text_init(&text, to, VEXT_NAME_MAX + 1);
	text_str(&text, name);
}

static bool is_same(const struct note *a, const struct note *b)
{
	return a->kind == b->kind && strcmp(a->path, b->path) == 0 &&
	       strcmp(a->hides, b->hides) == 0;
}

static bool has_note(const struct notes *notes, const struct note *note)
{
	for (uint32_t i = 0; i < notes->count; i++)
		if (is_same(&notes->list[i], note))
			return true;
	return false;
}

void notes_add(struct notes *notes, enum note_kind kind, const char *path, const char *hides)
{
	struct note note = { .kind = kind };

	put_path(note.path, path);
	put_name(note.hides, hides);
	if (has_note(notes, &note))
		return;
	if (notes->count < NOTES_MAX)
		notes->list[notes->count++] = note;
	else
		notes->left_out++;
}

const char *note_kind_name(enum note_kind kind)
{
	switch (kind) {
	case NOTE_BELOW_MOUNT:
		return "below-mount";
	case NOTE_HIDDEN_FILE:
		return "hidden-file";
	case NOTE_UNLABELLED:
		return "unlabelled";
	}
	return "none";
}

enum note_kind note_kind_of(const char *name)
{
	for (enum note_kind kind = NOTE_BELOW_MOUNT; kind <= NOTE_UNLABELLED; kind++)
		if (strcmp(note_kind_name(kind), name) == 0)
			return kind;
	return (enum note_kind)0;
}

static void explain_hidden_file(const char *hides, struct text *text)
{
	text_str(text, "the extension's generated file hides that of ");
	if (hides[0] == '\0') {
		text_str(text, "the root");
	} else {
		text_str(text, "the extension ");
		text_escaped(text, hides, strlen(hides));
	}
	text_str(text, "; what only that one lists will not be found");
}

void note_explain(enum note_kind kind, const char *hides, struct text *text)
{
	switch (kind) {
	case NOTE_BELOW_MOUNT:
		text_str(
			text,
			"something is mounted here, and hides what the extension has at this place");
		return;
	case NOTE_HIDDEN_FILE:
		explain_hidden_file(hides, text);
		return;
	case NOTE_UNLABELLED:
		text_str(text, "the root has SELinux labels here and the extension has none; "
			       "build it with build-sysext --file-contexts");
		return;
	}
}

void note_describe(const struct note *note, struct text *text)
{
	text_escaped(text, note->path, strlen(note->path));
	text_str(text, ": ");
	note_explain(note->kind, note->hides, text);
}
