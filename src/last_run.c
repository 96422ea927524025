/* SPDX-License-Identifier: Apache-2.0 */
#include "last_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "status.h"

static bool read_file(FILE *file, struct last_run *run)
{
	run->bytes = malloc(RECORD_SIZE_MAX);
	if (!run->bytes)
		return false;
	run->size = fread(run->bytes, 1, RECORD_SIZE_MAX, file);
	return record_open(run->bytes, run->size, &run->record);
}

enum exit_status last_run_load(struct last_run *run)
{
	FILE *file = fopen(STATUS_FILE, "re");
	bool good;

	*run = (struct last_run){ .bytes = NULL };
	if (!file && errno == ENOENT)
		return EXIT_GOOD;
	good = file && read_file(file, run);
	if (file)
		fclose(file);
	if (good)
		return EXIT_GOOD;
	log_line(LOG_LEVEL_ERROR, STATUS_FILE ": can't be read, or is not of version %u",
		 STATUS_VERSION);
	return EXIT_SYSTEM;
}

void last_run_free(struct last_run *run)
{
	record_close(&run->record);
	free(run->bytes);
	*run = (struct last_run){ .bytes = NULL };
}

/* ---- as it stands -------------------------------------------------------------------------- */

static void put_open(void *json, const char *key, char bracket)
{
	json_open(json, key, bracket);
}

static void put_close(void *json, char bracket)
{
	json_close(json, bracket);
}

/* It is escaped in the file already. */
static void put_text(void *json, const char *key, const char *text)
{
	json_plain(json, key, text);
}

static void put_number(void *json, const char *key, uint64_t number)
{
	json_u64(json, key, number);
}

static void put_flag(void *json, const char *key, bool flag)
{
	json_bool(json, key, flag);
}

static struct record_walker put_into(struct json *json)
{
	return (struct record_walker){ .open = put_open,
				       .close = put_close,
				       .text = put_text,
				       .number = put_number,
				       .flag = put_flag,
				       .ctx = json };
}

static bool is_of(const struct last_run *run, size_t i, uint32_t classes)
{
	enum extension_class class = CLASS_UNKNOWN;
	struct record_image image;

	record_image(&run->record, i, &image);
	if (image.class)
		class = class_named(image.class, strlen(image.class));
	return (classes & 1u << class) != 0;
}

bool last_run_has_images(const struct last_run *run, uint32_t classes)
{
	for (size_t i = 0; i < record_images(&run->record); i++)
		if (is_of(run, i, classes))
			return true;
	return false;
}

bool last_run_has_image(const struct last_run *run, const char *path)
{
	struct record_image image;

	for (size_t i = 0; i < record_images(&run->record); i++) {
		record_image(&run->record, i, &image);
		if (image.image != NULL && strcmp(image.image, path) == 0)
			return true;
	}
	return false;
}

void last_run_put_images(const struct last_run *run, uint32_t classes, struct json *json)
{
	const struct record_walker walker = put_into(json);

	for (size_t i = 0; i < record_images(&run->record); i++)
		if (is_of(run, i, classes))
			record_walk_image(&run->record, i, &walker);
}

void last_run_put_foreign(const struct last_run *run, struct json *json)
{
	const struct record_walker walker = put_into(json);

	record_walk_foreign(&run->record, &walker);
}

const char *last_run_release_name(const struct last_run *run, enum extension_class class,
				  const char *name)
{
	struct record_image image;

	for (size_t i = 0; i < record_images(&run->record); i++) {
		record_image(&run->record, i, &image);
		if (image.release_name && is_of(run, i, 1u << class) && image.name &&
		    strcmp(image.name, name) == 0)
			return image.release_name;
	}
	return name;
}
