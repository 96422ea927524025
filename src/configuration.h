/* SPDX-License-Identifier: Apache-2.0 */
/* Loads the configuration from its sources (core/config.h) and says aloud what is wrong with them. */
#ifndef VEXT_CONFIGURATION_H
#define VEXT_CONFIGURATION_H

#include "core/config.h"

#define CONFIGURATION_FILE "/etc/vext.conf"
#define CONFIGURATION_COMMAND_LINE "/proc/cmdline"

/* What is baked, or else built in: the part that is the same everywhere. */
void configuration_load_baked(struct config *config);

/* That, tightened by /etc/vext.conf and the kernel command line, as far as these are there. */
void configuration_load(struct config *config);

/*
 * In an initramfs: leaves a copy of its /etc/vext.conf, if there is one, in /run/vext, by which configuration_load() tightens as well.
 * So a late run is no laxer than the boot was. system.status, policy.unreadable.
 */
struct verdict configuration_leave(void);

/*
 * Reads all of a file; of one that is longer, CONFIG_SIZE_MAX + 1 bytes. 0, or the errno, such as ENOENT where there
 * is none, nor a directory for it.
 */
int configuration_read(const char *path, char bytes[CONFIG_SIZE_MAX + 1], size_t *size);

#endif
