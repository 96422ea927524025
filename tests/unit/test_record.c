/* SPDX-License-Identifier: Apache-2.0 */
/* probe/record: what status.json says, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "probe/record.h"

static bool opens(const char *json)
{
	struct record record = { .document = NULL };
	const bool opened = record_open(json, strlen(json), &record);

	record_close(&record);
	return opened;
}

static void reads_an_image(void **state)
{
	static const char json[] =
		"{\"version\":1,\"root\":\"/sysroot\",\"time\":7,\"microseconds\":90,"
		"\"microsecondsOfMerge\":5,\"more\":[],\"images\":[{},{\"image\":\"/a.raw\","
		"\"name\":\"a\",\"verdict\":\"accepted\",\"reason\":\"accepted\",\"detail\":\"d\","
		"\"rootHash\":\"00\",\"signer\":{\"fingerprint\":\"ff\",\"subject\":\"CN=x\","
		"\"source\":\"baked\"},\"class\":\"sysext\","
		"\"releaseName\":\"r\",\"step\":\"check-content\","
		"\"kernelChecked\":true,\"notes\":[{\"kind\":\"below-mount\",\"path\":\"/usr/local\","
		"\"hides\":null},{\"kind\":\"hidden-file\",\"path\":\"/usr/a\",\"hides\":\"b\"}],"
		"\"notesLeftOut\":3,\"microsecondsOf\":{\"judge\":1,\"attach\":2,\"mount\":3},"
		"\"microseconds\":6}]}\n";
	struct record record;
	struct record_image image;
	struct record_note note;

	(void)state;
	assert_true(record_open(json, sizeof(json) - 1, &record));
	assert_string_equal(record_root(&record), "/sysroot");
	assert_int_equal(record_time(&record), 7);
	assert_int_equal(record_microseconds(&record), 90);
	assert_int_equal(record_merge(&record), 5);
	assert_int_equal(record_images(&record), 2);
	record_image(&record, 0, &image);
	assert_null(image.name);
	assert_null(image.subject);
	assert_false(image.has_steps);
	assert_int_equal(image.notes + image.notes_left_out, 0);
	record_image(&record, 1, &image);
	assert_string_equal(image.name, "a");
	assert_string_equal(image.class, "sysext");
	assert_string_equal(image.release_name, "r");
	assert_string_equal(image.subject, "CN=x");
	assert_string_equal(image.source, "baked");
	assert_true(image.has_steps && image.kernel_checked);
	assert_int_equal(image.judge + 10 * image.attach + 100 * image.mount, 321);
	assert_int_equal(image.notes, 2);
	assert_int_equal(image.notes_left_out, 3);
	record_note(&record, 1, 0, &note);
	assert_string_equal(note.kind, "below-mount");
	assert_string_equal(note.path, "/usr/local");
	assert_null(note.hides);
	record_note(&record, 1, 1, &note);
	assert_string_equal(note.kind, "hidden-file");
	assert_string_equal(note.hides, "b");
	record_close(&record);
}

static void refuses_what_it_does_not_know(void **state)
{
	(void)state;
	assert_true(opens("{\"version\":1}"));
	assert_false(opens("{\"version\":2}"));
	assert_false(opens("{\"version\":\"1\"}"));
	assert_false(opens("{}"));
	assert_false(opens("[1]"));
	assert_false(opens("1"));
	assert_false(opens("{\"version\":1"));
	assert_false(opens(""));
}

static void survives_other_types(void **state)
{
	static const char json[] =
		"{\"version\":1,\"root\":7,\"time\":\"x\",\"images\":[7,"
		"{\"name\":[],\"signer\":\"x\",\"microsecondsOf\":[],\"notes\":\"x\"},"
		"{\"notes\":[7,{\"kind\":1}],\"notesLeftOut\":\"x\"}]}";
	struct record record;
	struct record_image image;
	struct record_note note;

	(void)state;
	assert_true(record_open(json, sizeof(json) - 1, &record));
	assert_null(record_root(&record));
	assert_int_equal(record_time(&record), 0);
	for (size_t i = 0; i < record_images(&record); i++) {
		record_image(&record, i, &image);
		assert_null(image.name);
		assert_null(image.source);
		assert_false(image.has_steps);
		assert_int_equal(image.notes_left_out, 0);
		assert_int_equal(image.notes, i == 2 ? 2 : 0);
		for (size_t n = 0; n < image.notes; n++) {
			record_note(&record, i, n, &note);
			assert_true(!note.kind && !note.path && !note.hides);
		}
	}
	record_close(&record);
}

/* The walk written down: what opens, closes and stands in the record. */
static char walked[512];

static void put(const char *key, const char *what)
{
	if (key)
		strcat(strcat(walked, key), ":");
	strcat(strcat(walked, what), " ");
}

static void put_open(void *ctx, const char *key, char bracket)
{
	const char text[] = { bracket, '\0' };

	assert_ptr_equal(ctx, walked);
	put(key, text);
}

static void put_close(void *ctx, char bracket)
{
	put_open(ctx, NULL, bracket);
}

static void put_text(void *ctx, const char *key, const char *text)
{
	assert_ptr_equal(ctx, walked);
	put(key, text ? text : "null");
}

static void put_number(void *ctx, const char *key, uint64_t number)
{
	assert_ptr_equal(ctx, walked);
	put(key, number == 7 ? "7" : "?");
}

static void put_flag(void *ctx, const char *key, bool flag)
{
	assert_ptr_equal(ctx, walked);
	put(key, flag ? "yes" : "no");
}

static void walks_over_what_it_has(void **state)
{
	static const struct record_walker walker = { .open = put_open,
						     .close = put_close,
						     .text = put_text,
						     .number = put_number,
						     .flag = put_flag,
						     .ctx = walked };
	static const char json[] =
		"{\"version\":1,\"images\":[{},{\"a\":[7,null,{\"b\":true}],\"c\":\"x\"}],"
		"\"foreign\":[{\"hierarchy\":\"/usr\",\"extensions\":[\"d\",\"e\"],"
		"\"action\":\"replaced\"},7]}";
	struct record_foreign foreign;
	struct record record;

	(void)state;
	assert_true(record_open(json, sizeof(json) - 1, &record));
	walked[0] = '\0';
	record_walk_image(&record, 1, &walker);
	assert_string_equal(walked, "{ a:[ 7 null { b:yes } ] c:x } ");
	walked[0] = '\0';
	record_walk_foreign(&record, &walker);
	assert_string_equal(walked, "{ hierarchy:/usr extensions:[ d e ] action:replaced } 7 ");
	assert_int_equal(record_foreigns(&record), 2);
	record_foreign(&record, 0, &foreign);
	assert_string_equal(foreign.hierarchy, "/usr");
	assert_string_equal(foreign.action, "replaced");
	assert_int_equal(foreign.extensions, 2);
	assert_string_equal(record_foreign_extension(&record, 0, 1), "e");
	record_foreign(&record, 1, &foreign);
	assert_true(!foreign.hierarchy && !foreign.action && foreign.extensions == 0);
	record_close(&record);
}

/* Nobody has written it; it must not lead deeper than the stack. */
static void walks_only_so_deep(void **state)
{
	static const struct record_walker walker = { .open = put_open,
						     .close = put_close,
						     .text = put_text,
						     .number = put_number,
						     .flag = put_flag,
						     .ctx = walked };
	char json[256] = "{\"version\":1,\"images\":[";
	struct record record;

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		strcat(json, "[");
	for (unsigned i = 0; i < 40; i++)
		strcat(json, "]");
	strcat(json, "]}");
	assert_true(record_open(json, strlen(json), &record));
	walked[0] = '\0';
	record_walk_image(&record, 0, &walker);
	assert_int_equal(strlen(walked), 2 * 2 * 9);
	record_close(&record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_an_image),
		cmocka_unit_test(refuses_what_it_does_not_know),
		cmocka_unit_test(survives_other_types),
		cmocka_unit_test(walks_over_what_it_has),
		cmocka_unit_test(walks_only_so_deep),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
