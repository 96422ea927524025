/* SPDX-License-Identifier: Apache-2.0 */
/* /run/vext/status.json: what the last boot or merge found, for whoever asks after switch-root; see doc/status.md. */
#ifndef VEXT_STATUS_H
#define VEXT_STATUS_H

#include "json.h"
#include "vext.h"

#define STATUS_DIRECTORY "/run/vext"
#define STATUS_VERSION 1u
#define STATUS_FILE STATUS_DIRECTORY "/status.json"

struct status_file {
	struct json json; /* at the top */
};

/* Opens a new file beside the real one. Every begin needs a commit. system.status where not. */
struct verdict status_begin(struct status_file *file);

/* Puts it in place whole, or not at all. */
struct verdict status_commit(struct status_file *file);

#endif
