/* SPDX-License-Identifier: Apache-2.0 */
/* One run that merges, at boot or later: find, judge, plan, execute, and leave word of it. */
#ifndef VEXT_MERGING_H
#define VEXT_MERGING_H

#include "core/config.h"
#include "core/plan.h"
#include "extensions.h"
#include "foreign.h"
#include "last_run.h"
#include "own.h"
#include "required.h"
#include "sys/execute.h"

/* About 100 KB: static, and all zero to begin with. */
struct merging {
	const char *root;
	struct config config; /* its classes are those that this run is about */
	uint32_t besides;     /* vext's other classes, bits of enum extension_class */
	bool is_the_systems;  /* the root is the one that the system has, or is going to have */
	struct own own;
	struct foreigns foreigns;
	struct extensions extensions;
	struct plan plan;
	struct merge_result result;
	struct missing missing[CONFIG_NAMES_MAX]; /* by the index of what is required */
	struct last_run last_run;		  /* before this one, on the system's root */
	bool keeps_status; /* as it is: nothing was due, or it is the system's and not this run's */
	uint64_t started;  /* microseconds */
};

/* Loads the configuration and tells it. merging_end() is due. */
void merging_begin(struct merging *merging, const char *root);
void merging_end(struct merging *merging);

/* Judges and merges on the root, which is open. In a dry run the plan is made and not carried out. */
enum exit_status merging_run(struct merging *merging, bool dry_run);

/* Leaves the record and status.json in /run/vext, and fills in `missing`. */
enum exit_status merging_leave(struct merging *merging);

/*
 * Fills in `missing`, and what the last run on the system's root says of other classes and of what
 * was found at boot, if it still holds: all that merging_describe() needs without a run.
 */
enum exit_status merging_recall(struct merging *merging);

/* As doc/status.md has status.json. */
void merging_describe(const struct merging *merging, struct json *json);

/* Of a dry run, to standard output. */
void merging_print_plan(const struct merging *merging, bool json);

#endif
