/* SPDX-License-Identifier: Apache-2.0 */
/*
 * os-release and extension-release: reading them, and whether an extension fits a host. The order
 * and the exceptions are those of systemd-sysext 257 (extension_release_validate), so that vext and
 * the booted system never disagree: scope, ARCHITECTURE, ID with ID_LIKE and "_any", then
 * SYSEXT_LEVEL, or VERSION_ID where one of the two has no level; for a confext CONFEXT_SCOPE and CONFEXT_LEVEL.
 */
#ifndef VEXT_CORE_RELEASE_H
#define VEXT_CORE_RELEASE_H

#include "core/class.h"
#include "vext.h"

#define RELEASE_FILE_MAX 65536u /* bytes of an os-release or extension-release */
#define RELEASE_VALUE_MAX 256u	/* bytes with NUL of a value that is looked at */

/* Where an extension is merged, as SYSEXT_SCOPE names it. */
#define RELEASE_SCOPE_SYSTEM "system"

/* What matters of such a file. A value that is absent is "". */
struct release {
	char id[RELEASE_VALUE_MAX];
	char id_like[RELEASE_VALUE_MAX];
	char version_id[RELEASE_VALUE_MAX];
	char architecture[RELEASE_VALUE_MAX];
	char reload_manager[RELEASE_VALUE_MAX];
	char level[CLASSES][RELEASE_VALUE_MAX];
	char scope[CLASSES][RELEASE_VALUE_MAX];
	bool has_scope[CLASSES]; /* an empty scope fits nowhere, an absent one has a default */
};

/*
 * Reads the lines KEY=VALUE of os-release(5): comments, quotes, backslashes; the last assignment of a
 * key wins. release.malformed for anything else, for a NUL byte and for a looked-at value that is
 * too long. `release` is written on success only.
 */
struct verdict release_parse(const char *bytes, size_t size, struct release *release);

/* Does the extension, of this class, fit the host, for merging at `scope` on a machine of `arch`? */
struct verdict release_match(const struct release *host, const struct release *extension,
			     enum extension_class class, enum arch arch, const char *scope);

/* EXTENSION_RELOAD_MANAGER: is systemd to read its units anew when this was merged? */
bool release_wants_reload(const struct release *extension);

#endif
