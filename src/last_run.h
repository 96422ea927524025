/* SPDX-License-Identifier: Apache-2.0 */
/* status.json as the last run has left it, in memory. */
#ifndef VEXT_LAST_RUN_H
#define VEXT_LAST_RUN_H

#include "core/class.h"
#include "json.h"
#include "probe/record.h"
#include "report.h"

struct last_run {
	char *bytes; /* of the file; NULL: there is none */
	size_t size;
	struct record record;
};

/* EXIT_SYSTEM, and told, if it cannot be read; without a file there is no record. last_run_free() is due. */
enum exit_status last_run_load(struct last_run *run);
void last_run_free(struct last_run *run);

/* Has it images of the classes (bits of enum extension_class)? */
bool last_run_has_images(const struct last_run *run, uint32_t classes);

/* Has it an image that was found at this path, escaped as in the file? */
bool last_run_has_image(const struct last_run *run, const char *path);

/* Puts its images of the classes (bits of enum extension_class) into an array that is open, as they stand. */
void last_run_put_images(const struct last_run *run, uint32_t classes, struct json *json);

/* Likewise all that it has of merges of other programs. */
void last_run_put_foreign(const struct last_run *run, struct json *json);

/*
 * The name by which a merged extension counts, by the last run: that of its release file. `name`,
 * that of its file, if nothing else is known.
 */
const char *last_run_release_name(const struct last_run *run, enum extension_class class,
				  const char *name);

#endif
