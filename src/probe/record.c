/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/record.h"

#include <yyjson.h>

#define VERSION 1u
#define DEPTH_MAX 8u

static yyjson_val *member(const struct record *record, const char *key)
{
	return yyjson_obj_get(yyjson_doc_get_root(record->document), key);
}

static const char *text_of(yyjson_val *object, const char *key)
{
	return yyjson_get_str(yyjson_obj_get(object, key));
}

static uint64_t number_of(yyjson_val *object, const char *key)
{
	return yyjson_get_uint(yyjson_obj_get(object, key));
}

bool record_open(const char *bytes, size_t size, struct record *record)
{
	record->document = yyjson_read(bytes, size, YYJSON_READ_NOFLAG);
	if (record->document && yyjson_get_uint(member(record, "version")) == VERSION)
		return true;
	record_close(record);
	return false;
}

void record_close(struct record *record)
{
	yyjson_doc_free(record->document);
	record->document = NULL;
}

const char *record_root(const struct record *record)
{
	return yyjson_get_str(member(record, "root"));
}

bool record_is_systems(const struct record *record)
{
	return yyjson_get_bool(member(record, "system"));
}

uint64_t record_time(const struct record *record)
{
	return yyjson_get_uint(member(record, "time"));
}

uint64_t record_microseconds(const struct record *record)
{
	return yyjson_get_uint(member(record, "microseconds"));
}

uint64_t record_merge(const struct record *record)
{
	return yyjson_get_uint(member(record, "microsecondsOfMerge"));
}

size_t record_images(const struct record *record)
{
	return yyjson_arr_size(member(record, "images"));
}

static yyjson_val *image_at(const struct record *record, size_t i)
{
	return yyjson_arr_get(member(record, "images"), i);
}

void record_image(const struct record *record, size_t i, struct record_image *image)
{
	yyjson_val *entry = image_at(record, i);
	yyjson_val *signer = yyjson_obj_get(entry, "signer");
	yyjson_val *took = yyjson_obj_get(entry, "microsecondsOf");
	yyjson_val *left = yyjson_obj_get(entry, "left");

	*image = (struct record_image){
		.image = text_of(entry, "image"),
		.name = text_of(entry, "name"),
		.release_name = text_of(entry, "releaseName"),
		.class = text_of(entry, "class"),
		.verdict = text_of(entry, "verdict"),
		.reason = text_of(entry, "reason"),
		.detail = text_of(entry, "detail"),
		.root_hash = text_of(entry, "rootHash"),
		.subject = text_of(signer, "subject"),
		.fingerprint = text_of(signer, "fingerprint"),
		.source = text_of(signer, "source"),
		.has_steps = yyjson_is_obj(took),
		.kernel_checked = yyjson_get_bool(yyjson_obj_get(entry, "kernelChecked")),
		.judge = number_of(took, "judge"),
		.attach = number_of(took, "attach"),
		.mount = number_of(took, "mount"),
		.notes = yyjson_arr_size(yyjson_obj_get(entry, "notes")),
		.notes_left_out = number_of(entry, "notesLeftOut"),
		.left_process = number_of(left, "process"),
		.left_step = text_of(left, "step"),
		.left_device = text_of(left, "device"),
	};
}

void record_note(const struct record *record, size_t i, size_t n, struct record_note *note)
{
	yyjson_val *notes = yyjson_obj_get(image_at(record, i), "notes");
	yyjson_val *entry = yyjson_arr_get(notes, n);

	*note = (struct record_note){
		.kind = text_of(entry, "kind"),
		.path = text_of(entry, "path"),
		.hides = text_of(entry, "hides"),
	};
}

/* ---- as it is ------------------------------------------------------------------------------ */

static void walk(yyjson_val *value, const char *key, const struct record_walker *walker,
		 unsigned depth);

static void walk_array(yyjson_val *array, const struct record_walker *walker, unsigned depth)
{
	yyjson_val *element;
	size_t i, count;

	yyjson_arr_foreach(array, i, count, element) walk(element, NULL, walker, depth);
}

static void walk_object(yyjson_val *object, const struct record_walker *walker, unsigned depth)
{
	yyjson_val *key, *value;
	size_t i, count;

	yyjson_obj_foreach(object, i, count, key, value)
		walk(value, yyjson_get_str(key), walker, depth);
}

/* What is deeper than vext writes is left out. */
static void walk(yyjson_val *value, const char *key, const struct record_walker *walker,
		 unsigned depth)
{
	const bool is_object = yyjson_is_obj(value);

	if (is_object || yyjson_is_arr(value)) {
		walker->open(walker->ctx, key, is_object ? '{' : '[');
		if (is_object && depth < DEPTH_MAX)
			walk_object(value, walker, depth + 1);
		else if (depth < DEPTH_MAX)
			walk_array(value, walker, depth + 1);
		walker->close(walker->ctx, is_object ? '}' : ']');
	} else if (yyjson_is_uint(value)) {
		walker->number(walker->ctx, key, yyjson_get_uint(value));
	} else if (yyjson_is_bool(value)) {
		walker->flag(walker->ctx, key, yyjson_get_bool(value));
	} else {
		walker->text(walker->ctx, key, yyjson_get_str(value));
	}
}

void record_walk_image(const struct record *record, size_t i, const struct record_walker *walker)
{
	walk(image_at(record, i), NULL, walker, 0);
}

void record_walk_foreign(const struct record *record, const struct record_walker *walker)
{
	walk_array(member(record, "foreign"), walker, 0);
}

/* ---- merges of others ---------------------------------------------------------------------- */

size_t record_foreigns(const struct record *record)
{
	return yyjson_arr_size(member(record, "foreign"));
}

static yyjson_val *foreign_at(const struct record *record, size_t i)
{
	return yyjson_arr_get(member(record, "foreign"), i);
}

void record_foreign(const struct record *record, size_t i, struct record_foreign *foreign)
{
	yyjson_val *entry = foreign_at(record, i);

	*foreign = (struct record_foreign){
		.hierarchy = text_of(entry, "hierarchy"),
		.action = text_of(entry, "action"),
		.extensions = yyjson_arr_size(yyjson_obj_get(entry, "extensions")),
	};
}

const char *record_foreign_extension(const struct record *record, size_t i, size_t n)
{
	yyjson_val *extensions = yyjson_obj_get(foreign_at(record, i), "extensions");

	return yyjson_get_str(yyjson_arr_get(extensions, n));
}
