/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of the file "origin" in a merged hierarchy. By it "systemd-sysext refresh", from version 260 on, sees
 * that what it would merge is merged already, and leaves it alone. It compares all of it, as JSON. Source: systemd
 * 262, src/sysext/sysext.c, merge_subprocess().
 *
 *	{"mutable":{"mode":"no"},"extensions":{NAME:{"path":PATH,"verityHash":HEX},...}}
 */
#ifndef VEXT_CORE_ORIGIN_H
#define VEXT_CORE_ORIGIN_H

#include "core/text.h"
#include "vext.h"

#define ORIGIN_PATH_MAX 256u /* bytes of an image's path, with NUL */

/* Bytes of one entry, with NUL: the name, the path, the hash, and what is around them. */
#define ORIGIN_ENTRY_MAX (VEXT_NAME_MAX + ORIGIN_PATH_MAX + 2u * VEXT_HASH_SIZE + 64u)

/*
 * Can the path stand in the file as it is? It is absolute, fits into ORIGIN_PATH_MAX, and is printable ASCII without
 * quote and backslash. Others are not worth an encoder: without the file systemd merges once more.
 */
bool origin_is_plain(const char *path);

/* What comes before the first entry, between the others, and at the end. */
#define ORIGIN_START "{\"mutable\":{\"mode\":\"no\"},\"extensions\":{"
#define ORIGIN_NEXT ","
#define ORIGIN_END "}}\n"

/* `name` has passed name_check(), `path` origin_is_plain(). It fits into ORIGIN_ENTRY_MAX. */
void origin_put(struct text *text, const char *name, const char *path,
		const uint8_t root_hash[VEXT_HASH_SIZE]);

#endif
