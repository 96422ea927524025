/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices that vext has made, in this run or an earlier one: those whose name *and* UUID have
 * its form. No other is ever touched.
 */
#ifndef VEXT_SYS_DM_FOUND_H
#define VEXT_SYS_DM_FOUND_H

#include "core/table.h"
#include "vext.h"

struct dm_found {
	char name[TABLE_NAME_MAX];
	char uuid[TABLE_UUID_MAX];
	struct table_device number;
	bool is_active; /* a table is in force */
	bool is_used;	/* somebody has it open, such as a mount */
	bool goes;	/* with its last user: as those of merges do, and not those of dm_keep() */
};

/* Calls `tell` with each device of an extension. kernel.device-mapper. */
struct verdict dm_each(void (*tell)(void *ctx, const struct dm_found *found), void *ctx);

/*
 * Removes what a vext that was killed has left of devices of extensions: those that never had a
 * table in force and that nobody has open, and links in /dev/mapper of vext's names that lead to
 * none, or that were on their way there. The caller holds the lock, so that nobody is about to make
 * one. Without a device mapper in the kernel there is nothing to be done.
 */
void dm_sweep(void);

/*
 * Removes a device that is to stay, by its name, and its link, when nobody uses it; udev, which
 * looks at every new device, is waited for, within bounds. kernel.not-attached for one that is not
 * there or has no UUID of table_uuid(), kernel.in-use, kernel.device-mapper.
 */
struct verdict dm_verity_detach(const char *name);

#endif
