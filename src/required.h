/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a boot whose required extensions are not all merged. */
#ifndef VEXT_REQUIRED_H
#define VEXT_REQUIRED_H

#include "core/config.h"
#include "json.h"
#include "report.h"

/*
 * Holds a word, "emergency" or "poweroff", from before the first image is judged until all that is required is
 * merged; with foreign-merge, from before the root is looked at until nothing of others is merged there. So whoever
 * starts vext knows that the boot must not go on, even if vext was killed.
 */
#define REQUIRED_MARK "/run/vext/required"

/* One required extension, and why it is not merged. */
struct missing {
	const struct config_name *name;
	struct verdict verdict; /* accepted: it is merged */
};

/* Writes the mark, where the configuration asks for one. system.status where that cannot be. */
struct verdict required_begin(const struct config *config);

/*
 * Tells which required extensions are missing, and does what the configuration says: with "continue", or
 * with nothing missing, `status` is returned; with "emergency" EXIT_REQUIRED, for whoever started vext to stop
 * the boot; with "poweroff" the machine is powered off after a bounded countdown, in an initramfs; elsewhere,
 * and if that fails, it is like "emergency".
 */
enum exit_status required_end(const struct config *config, const struct missing missing[],
			      enum exit_status status);

/*
 * The same where the configuration wants the boot to stop for a merge of another program (foreign-merge): then nothing that is
 * required is there either, and the stricter of both counts. EXIT_REQUIRED.
 */
enum exit_status required_stop_for_foreign(const struct config *config,
					   const struct missing missing[]);

/*
 * "required": [{name, verdict, reason, code, detail, class}…], "onFailure", and "action", null if
 * all are there and nothing else `stops` the boot.
 */
void required_json(const struct config *config, const struct missing missing[], bool stops,
		   struct json *json);

#endif
