/* SPDX-License-Identifier: Apache-2.0 */
/* core/note: what is told of a merged image, each thing once, and how it reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/note.h"

static void adds_each_once(void **state)
{
	struct notes notes = { 0 };

	(void)state;
	notes_add(&notes, NOTE_BELOW_MOUNT, "usr/local", "");
	notes_add(&notes, NOTE_BELOW_MOUNT, "usr/local", "");
	notes_add(&notes, NOTE_UNLABELLED, "usr/local", "");
	notes_add(&notes, NOTE_BELOW_MOUNT, "usr/src", "");
	notes_add(&notes, NOTE_HIDDEN_FILE, "usr/lib/a", "");
	notes_add(&notes, NOTE_HIDDEN_FILE, "usr/lib/a", "nvidia");
	notes_add(&notes, NOTE_HIDDEN_FILE, "usr/lib/a", "nvidia");
	assert_int_equal(notes.count, 5);
	assert_int_equal(notes.left_out, 0);
	assert_int_equal(notes.list[0].kind, NOTE_BELOW_MOUNT);
	assert_string_equal(notes.list[0].path, "/usr/local");
	assert_string_equal(notes.list[0].hides, "");
	assert_int_equal(notes.list[4].kind, NOTE_HIDDEN_FILE);
	assert_string_equal(notes.list[4].hides, "nvidia");
}

static void counts_those_without_room(void **state)
{
	struct notes notes = { 0 };
	char path[] = "usr/0";

	(void)state;
	for (unsigned i = 0; i < NOTES_MAX + 2; i++) {
		path[4] = (char)('a' + i);
		notes_add(&notes, NOTE_BELOW_MOUNT, path, "");
	}
	notes_add(&notes, NOTE_BELOW_MOUNT, "usr/a", ""); /* known already */
	assert_int_equal(notes.count, NOTES_MAX);
	assert_int_equal(notes.left_out, 2);
	assert_string_equal(notes.list[NOTES_MAX - 1].path, "/usr/h");
}

/* A path of `size` bytes that ends in "/end". */
static const char *path_of(size_t size, char buffer[NOTE_PATH_MAX * 2])
{
	memset(buffer, 'a', size);
	memcpy(buffer + size - strlen("/end"), "/end", sizeof("/end"));
	return buffer;
}

static void cuts_a_path_at_its_front(void **state)
{
	char path[NOTE_PATH_MAX * 2];
	struct notes notes = { 0 };

	(void)state;
	notes_add(&notes, NOTE_BELOW_MOUNT, path_of(NOTE_PATH_MAX - 2, path), "");
	assert_int_equal(strlen(notes.list[0].path), NOTE_PATH_MAX - 1);
	assert_string_equal(notes.list[0].path + 1, path);
	for (size_t more = 1; more < 3; more++) {
		const char *long_path = path_of(NOTE_PATH_MAX - 2 + more, path);
		const char *cut;

		notes_add(&notes, NOTE_UNLABELLED, long_path, "");
		cut = notes.list[more].path;
		assert_memory_equal(cut, "...", 3);
		assert_int_equal(strlen(cut), NOTE_PATH_MAX - 1);
		assert_string_equal(cut + 3,
				    long_path + strlen(long_path) - (NOTE_PATH_MAX - 1 - 3));
		notes.list[more].path[0] = (char)more; /* the two read the same */
	}
	assert_int_equal(notes.count, 3);
}

/* Also of a record, where every byte of a name may need its escape. */
static void takes_the_longest_name(void **state)
{
	char name[VEXT_NAME_MAX + 1] = { 0 }, sentence[NOTE_SENTENCE_MAX];
	struct notes notes = { 0 };
	struct text text;

	(void)state;
	memset(name, 'n', VEXT_NAME_MAX);
	notes_add(&notes, NOTE_HIDDEN_FILE, "usr/lib/a", name);
	assert_string_equal(notes.list[0].hides, name);
	memset(name, '\n', VEXT_NAME_MAX);
	text_init(&text, sentence, sizeof(sentence));
	note_explain(NOTE_HIDDEN_FILE, name, &text);
	assert_true(text_ok(&text));
}

static void has_a_word_for_each_kind(void **state)
{
	static const char *const words[] = { "below-mount", "hidden-file", "unlabelled" };

	(void)state;
	for (enum note_kind kind = NOTE_BELOW_MOUNT; kind <= NOTE_UNLABELLED; kind++) {
		assert_string_equal(note_kind_name(kind), words[kind - 1]);
		assert_int_equal(note_kind_of(words[kind - 1]), kind);
	}
	assert_string_equal(note_kind_name((enum note_kind)0), "none");
	assert_int_equal(note_kind_of("none"), 0);
	assert_int_equal(note_kind_of(""), 0);
}

static void assert_described(enum note_kind kind, const char *path, const char *hides,
			     const char *expected)
{
	struct notes notes = { 0 };
	char line[512];
	struct text text;

	notes_add(&notes, kind, path, hides);
	text_init(&text, line, sizeof(line));
	note_describe(&notes.list[0], &text);
	assert_true(text_ok(&text));
	assert_string_equal(line, expected);
}

static void describes_and_escapes(void **state)
{
	(void)state;
	assert_described(NOTE_BELOW_MOUNT, "usr/lo\ncal", "",
			 "/usr/lo\\x0acal: something is mounted here, and hides what the "
			 "extension has at this place");
	assert_described(NOTE_HIDDEN_FILE, "usr/lib/modules/6.1/modules.dep", "",
			 "/usr/lib/modules/6.1/modules.dep: the extension's generated file hides "
			 "that of the root; what only that one lists will not be found");
	assert_described(NOTE_HIDDEN_FILE, "etc/ld.so.cache", "oem\x1b",
			 "/etc/ld.so.cache: the extension's generated file hides that of the "
			 "extension oem\\x1b; what only that one lists will not be found");
	assert_described(NOTE_UNLABELLED, "usr", "",
			 "/usr: the root has SELinux labels here and the extension has none; build "
			 "it with build-sysext --file-contexts");
	assert_described((enum note_kind)0, "usr", "", "/usr: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_each_once),
		cmocka_unit_test(counts_those_without_room),
		cmocka_unit_test(cuts_a_path_at_its_front),
		cmocka_unit_test(takes_the_longest_name),
		cmocka_unit_test(has_a_word_for_each_kind),
		cmocka_unit_test(describes_and_escapes),
	};

	return cmocka_run_group_tests_name("note", tests, NULL, NULL);
}
