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
	int root_fd;	   /* -1: not open */
	int initrd_fd;	   /* -1: vext runs in the root itself */
	bool keeps_images; /* descriptors of those that are accepted: devices are to be made */
	struct anchors anchors;
	struct discovery discovery;
	struct assessment *assessments;
	struct plan_image *images;
	struct merge_item *items; /* shared with workers */
};

/* Without any yet; extensions_close() is due. */
void extensions_init(struct extensions *extensions);
void extensions_close(struct extensions *extensions);

/* Opens the root: false, and told, if that fails. */
bool extensions_open(struct extensions *extensions, const char *root);

/*
 * Finds the images of the classes that are vext's and not killed, and judges none. That there was
 * trouble is told, and returned.
 */
enum exit_status extensions_list(struct extensions *extensions, const struct config *config);

/* None is accepted any more: what was to be done with all of them was not done, for this reason. */
void extensions_deny(struct extensions *extensions, struct verdict v);

/*
 * Loads the certificates of the open root, finds the images of the classes that are vext's and not killed (these are told), and
 * judges them as configured. Those of a class in `blocked` (bits of enum extension_class) are refused with merge.foreign. False when
 * it did not come to that, and `status` says so; that there was trouble is told, and in `status` too.
 */
bool extensions_find(struct extensions *extensions, const struct config *config, uint32_t blocked,
		     enum exit_status *status);

/* Not a failure: an earlier one of its name, or a mask, stands in its place. */
bool extensions_is_passed_over(const struct extensions *extensions, size_t i);

/* `path` gets the image's path, as it was found. The report is good as long as both. */
void extensions_report(const struct extensions *extensions, size_t i,
		       char path[EXTENSIONS_PATH_MAX], struct report *report);

/* A line of the log for each; the worst of their statuses. */
enum exit_status extensions_tell(const struct extensions *extensions);

/* An object for each, into an array that is open. */
void extensions_json(const struct extensions *extensions, struct json *json);

#endif
