/* SPDX-License-Identifier: Apache-2.0 */
/* The extensions of a root, from where they lie to their reports: what boot, merge and list have in common. */
#ifndef VEXT_EXTENSIONS_H
#define VEXT_EXTENSIONS_H

#include "assess.h"
#include "core/config.h"
#include "core/plan.h"
#include "report.h"
#include "sys/discover.h"
#include "sys/execute.h"

#define EXTENSIONS_PATH_MAX 400u /* bytes of directory and file name of an image */

/* `assessments`, `images` and `items` go by the index of the candidate. */
struct extensions {
	int root_fd;   /* -1: not open */
	int initrd_fd; /* -1: vext runs in the root itself */
	struct anchors anchors;
	struct discovery discovery;
	struct assessment *assessments;
	struct plan_image *images;
	struct merge_item *items;
};

/* Without any yet; extensions_close() is due. */
void extensions_init(struct extensions *extensions);
void extensions_close(struct extensions *extensions);

/*
 * Opens the root, loads the certificates, finds the images and judges them as configured. False when it did not
 * come to that, and `status` says so; that there was trouble is told, and in `status` too.
 */
bool extensions_find(struct extensions *extensions, const char *root, const struct config *config,
		     enum exit_status *status);

/* Not a failure: an earlier one of its name, or a mask, stands in its place. */
bool extensions_is_passed_over(const struct extensions *extensions, size_t i);

/* `path` gets the image's path, as it was found. The report is good as long as both. */
void extensions_report(const struct extensions *extensions, size_t i,
		       char path[EXTENSIONS_PATH_MAX], struct report *report);

/* A line of the log for each; the worst of their statuses. */
enum exit_status extensions_tell(const struct extensions *extensions);

/* "images": [...] */
void extensions_json(const struct extensions *extensions, struct json *json);

#endif
