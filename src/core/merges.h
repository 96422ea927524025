/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of vext's own merges, /run/vext/merged: by it vext tells them from those of systemd-sysext, whose marks it
 * imitates (core/origin.h), and a late run whether it is the vext of the boot. A text of four lines:
 *
 *	vext-merged 1
 *	baked HEX64		SHA-256 of what is baked into the vext of this boot; zeros: any vext
 *	token HEX32		random; each hierarchy that vext merges has it in a file (MERGES_MARK)
 *	merged usr opt etc	the hierarchies that are in place on the system's root
 */
#ifndef VEXT_CORE_MERGES_H
#define VEXT_CORE_MERGES_H

#include "core/class.h"
#include "core/text.h"
#include "vext.h"

#define MERGES_TOKEN_SIZE 16u
#define MERGES_SIZE_MAX 256u /* bytes of the text with NUL */

/* Beside systemd's own files in the directory that marks a merged hierarchy: "TOKEN MAJOR:MINOR", of the overlay's device. */
#define MERGES_MARK "vext"

struct merges {
	uint8_t baked[VEXT_HASH_SIZE];
	uint8_t token[MERGES_TOKEN_SIZE];
	bool merged[HIERARCHIES];
};

/* False for anything but the whole text, as it is above; `merges` is undefined then. */
bool merges_parse(const char *bytes, size_t size, struct merges *merges);

/* It fits into MERGES_SIZE_MAX. */
void merges_put(const struct merges *merges, struct text *text);

#endif
