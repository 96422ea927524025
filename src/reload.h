/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of EXTENSION_RELOAD_MANAGER=1, by which an extension says that it has units. */
#ifndef VEXT_RELOAD_H
#define VEXT_RELOAD_H

#include "report.h"

/*
 * Some extension that was merged onto, or taken off, the root wants systemd to read its units anew. On a running system
 * systemd is asked to; elsewhere a line says what is to be done. EXIT_SYSTEM, and told, when it can't be asked.
 */
enum exit_status reload_units(const char *root);

#endif
