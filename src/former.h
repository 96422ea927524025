/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Former merges: what was taken off lives on, with its devices, for as long as a process uses it.
 * Who does is told by what each merge leaves in /run/vext/overlays, a line for each class:
 *
 *	MINOR MOUNT MINOR MOUNT MINOR MOUNT DEVICE...
 *
 * of the overlays on /usr, /opt and /etc (struct overlay_id; 0 0: none), and the names of the
 * verity devices.
 */
#ifndef VEXT_FORMER_H
#define VEXT_FORMER_H

#include "extensions.h"
#include "json.h"
#include "vext.h"

/*
 * Adds the merge that is in place now in these hierarchies, and forgets those whose devices are
 * gone. system.status.
 */
struct verdict formers_note(const struct extensions *extensions, const bool merged[HIERARCHIES]);

/*
 * Tells of each merge that is off, by whomever it was taken off, and whose devices are still there:
 * their names, and the processes that use them; a line of standard output for each, or "stillUsed":
 * [...]. One that nobody is known to use is told too if `all`, and if it is still there after a
 * second, as devices go in their own time.
 */
void formers_tell(struct json *json, bool all);

#endif
