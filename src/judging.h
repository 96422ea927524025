/* SPDX-License-Identifier: Apache-2.0 */
/* What verify and inspect have in common: their options, and one image from its path to its report. */
#ifndef VEXT_JUDGING_H
#define VEXT_JUDGING_H

#include "assess.h"
#include "core/config.h"
#include "report.h"

#define SUBJECT_DIRECTORY_MAX 256u /* bytes with NUL; what is longer is in no anchor's scope */

struct judging {
	bool json;
	enum judge_depth depth;
	const char *name; /* NULL: from the file's name */
	const char *root; /* NULL, or the root whose certificates count too */
	bool anchors_given;
	bool keeps_image; /* its descriptor, where it is accepted, for its device to be made */
	struct anchors anchors;
	struct config config;
};

/*
 * One image; about 60 KB. `claim` holds something as far as its stage says, if `image` could be
 * opened: then it has a size.
 */
struct subject {
	char directory[SUBJECT_DIRECTORY_MAX];
	struct image image;
	struct claim claim;
	struct assessment assessment;
	struct left left;
	struct report report;
};

/*
 * Reads the options and loads the certificates: those given, or else the baked ones. EXIT_USAGE or
 * EXIT_SYSTEM, and told, when something is wrong; optind is then of no use. judging_end() is due in any case.
 */
enum exit_status judging_begin(struct judging *judging, int argc, char **argv);
void judging_end(struct judging *judging);

/* Judges the image at `path`; subject_close() is due. The report is good as long as both live. */
void subject_open(struct subject *subject, struct judging *judging, const char *path);
void subject_close(struct subject *subject);

#endif
