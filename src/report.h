/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of an image: one line, or one JSON object. */
#ifndef VEXT_REPORT_H
#define VEXT_REPORT_H

#include "core/class.h"
#include "core/note.h"
#include "core/text.h"
#include "json.h"
#include "sys/worker.h"
#include "vext.h"

#define REPORT_LINE_MAX 1024u

/* Exit statuses of all commands. */
enum exit_status {
	EXIT_GOOD = 0,	  /* all accepted, or nothing to do */
	EXIT_REFUSED = 1, /* an image was refused */
	EXIT_USAGE = 2,
	EXIT_SYSTEM = 3,   /* the system failed */
	EXIT_REQUIRED = 4, /* a required extension is missing, and the boot must not go on */
};

struct report {
	const char *image;	    /* path as given or found; attacker's text */
	const char *name;	    /* NULL or "": the file name is no name */
	enum extension_class class; /* CLASS_UNKNOWN: not told */
	struct verdict verdict;
	const char *release_name; /* NULL, "", or of a merged image the name by which it counts */
	const char *detail; /* NULL, or where and what of a refusal; text of others, "": nothing */
	const struct notes *notes;   /* NULL, or what is worth telling of a merged image */
	const uint8_t *root_hash;    /* NULL: not known */
	const struct signer *signer; /* NULL unless a trusted certificate signed it */
	const char *step;	     /* NULL, or the last step of merging tried */
	const char *device;	     /* NULL, or the device that was attached and stays */
	bool kernel_checked;	     /* the kernel has checked the signature as well */
	const struct left *left;     /* NULL, or the worker that was left behind */
	struct {
		uint64_t judge, attach, mount;
	} took; /* microseconds; 0: not measured */
};

/* NULL for an image without a signature. */
const struct signer *report_signer(const struct facts *facts);

/* Accepted 0, system.* 3, all else 1. */
enum exit_status report_status(struct verdict verdict);

/* The worse of two statuses: 4 over 3 over 2 over 1 over 0. */
enum exit_status report_worse(enum exit_status a, enum exit_status b);

/* Tells of trouble that is not about one image, in the log; EXIT_SYSTEM. */
enum exit_status report_trouble(const char *what, struct verdict verdict);

/* The same unless it is accepted; then EXIT_GOOD. */
enum exit_status report_any_trouble(const char *what, struct verdict verdict);

/* "accepted NAME: …" or "refused NAME: group.name: sentence: detail (errno) (at byte N)". No newline. */
void report_line(const struct report *report, char line[REPORT_LINE_MAX]);

/* Tells the notes in the log, a line each. */
void report_notes(const struct report *report);

/* One member of "images", as DESIGN and vext(8) describe it. */
void report_json(const struct report *report, struct json *json);

#endif
