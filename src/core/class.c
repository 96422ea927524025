/* SPDX-License-Identifier: Apache-2.0 */
#include "core/class.h"

#include <string.h>

#define GLOBAL "global_" /* what systemd-stub gives to every kernel, not to its own alone */

static const struct class_traits all[CLASSES] = {
	[CLASS_SYSEXT] = {
		.name = "sysext",
		.plural = "extensions",
		.mark = ".systemd-sysext",
		.releases = "usr/lib/extension-release.d",
		.device = "vext-",
		.level_key = "SYSEXT_LEVEL",
		.scope_key = "SYSEXT_SCOPE",
	},
	[CLASS_CONFEXT] = {
		.name = "confext",
		.plural = "confexts",
		.mark = ".systemd-confext",
		.releases = "etc/extension-release.d",
		.device = "vext.",
		.level_key = "CONFEXT_LEVEL",
		.scope_key = "CONFEXT_SCOPE",
		.is_without_programs = true,
	},
};

static const struct {
	const char *name;
	enum extension_class class;
} hierarchies[HIERARCHIES] = {
	[HIERARCHY_USR] = { "usr", CLASS_SYSEXT },
	[HIERARCHY_OPT] = { "opt", CLASS_SYSEXT },
	[HIERARCHY_ETC] = { "etc", CLASS_CONFEXT },
};

const struct class_traits *class_traits(enum extension_class class)
{
	return &all[class];
}

enum extension_class class_named(const char *name, size_t size)
{
	for (unsigned i = 0; i < CLASSES; i++)
		if (strlen(all[i].name) == size && memcmp(all[i].name, name, size) == 0)
			return (enum extension_class)i;
	return CLASS_UNKNOWN;
}

const char *hierarchy_name(enum hierarchy hierarchy)
{
	return hierarchies[hierarchy].name;
}

enum extension_class hierarchy_class(enum hierarchy hierarchy)
{
	return hierarchies[hierarchy].class;
}

uint32_t hierarchies_of(uint32_t classes)
{
	uint32_t found = 0;

	for (unsigned i = 0; i < HIERARCHIES; i++)
		if ((classes & 1u << hierarchies[i].class) != 0)
			found |= 1u << i;
	return found;
}

enum extension_class class_of_directory(const char *path)
{
	const char *last = path;

	for (const char *at = path; *at != '\0'; at++)
		if (*at == '/')
			last = at + 1;
	if (strlen(last) > strlen(GLOBAL) && memcmp(last, GLOBAL, strlen(GLOBAL)) == 0)
		last += strlen(GLOBAL);
	for (unsigned i = 0; i < CLASSES; i++)
		if (strcmp(last, all[i].plural) == 0 || strcmp(last, all[i].name) == 0)
			return (enum extension_class)i;
	return CLASS_SYSEXT;
}
