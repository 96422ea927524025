/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of extensions. A name ends up in a device-mapper name, in paths, in log lines and in the
 * list of merged extensions, one a line: hence an allow-list of characters that are special nowhere.
 */
#ifndef VEXT_CORE_NAME_H
#define VEXT_CORE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "core/class.h"
#include "vext.h"

#define NAME_SUFFIX ".raw"

/*
 * 1 to VEXT_NAME_MAX of A-Z a-z 0-9 . _ + @ -, the first a letter, digit or _. So "." and ".." are
 * out, as is everything that a shell or a command line would read as an option.
 */
struct verdict name_check(const char *name);

/* Does a file of this name offer an image: something before ".raw"? */
bool name_is_image_file(const char *file);

/*
 * The name that the file name (no slashes) gives: without ".raw" and then ".sysext", for a confext ".confext", for an
 * unknown class the one of them that is there, as systemd takes names, and checked.
 * `name` has room for VEXT_NAME_MAX + 1 and is written on success only.
 */
struct verdict name_from_file(const char *file, enum extension_class class,
			      char name[VEXT_NAME_MAX + 1]);

/*
 * A pattern for names: their characters, '*' for any number of them, '?' for just one; 1 to VEXT_NAME_MAX
 * of these, not NUL-terminated. name_matches() wants a pattern, and one that name_is_pattern() refuses
 * matches nothing.
 */
bool name_is_pattern(const char *pattern, size_t size);
bool name_matches(const char *name, const char *pattern, size_t size);

#endif
