/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of /run/vext, for whoever asks after switch-root: status.json, what the last boot or merge found (doc/status.md);
 * merged, the record of vext's own merges (core/merges.h); overlays, what each has made (former.h);
 * vext.conf, what tightened the configuration at boot.
 */
#ifndef VEXT_STATUS_H
#define VEXT_STATUS_H

#include <stdio.h>

#include "vext.h"

#define STATUS_DIRECTORY "/run/vext"
#define STATUS_VERSION 1u
#define STATUS_FILE STATUS_DIRECTORY "/status.json"
#define STATUS_MERGED STATUS_DIRECTORY "/merged"
#define STATUS_OVERLAYS STATUS_DIRECTORY "/overlays"
#define STATUS_CONFIGURATION STATUS_DIRECTORY "/vext.conf"

struct status_file {
	const char *path;
	FILE *to;
	char aside[64]; /* where it is until then; no two have the same */
};

/*
 * Opens a new file that is to be `path`, one of those above. Every begin needs a commit.
 * system.status where not.
 */
struct verdict status_begin(const char *path, struct status_file *file);

/* Puts it in place whole, or not at all. */
struct verdict status_commit(struct status_file *file);

/* Both at once. */
struct verdict status_write(const char *path, const char *bytes, size_t size);

/* Removes what one that was killed between begin and commit has left. The caller holds the lock. */
void status_sweep(void);

#endif
