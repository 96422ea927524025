/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device mapper by its ioctls: one read-only verity device per image. A device that exists is never
 * taken over; the table is read back and compared.
 *
 * A device has a table in force only while it is marked to be removed with its last user. dm_keep()
 * takes the mark off, as the last thing that is done to a device that is to stay. So whoever is
 * killed leaves nothing but a device without a table in force, which nobody has open: that is what
 * dm_sweep() (sys/dm_found.h) knows it by.
 */
#ifndef VEXT_SYS_DM_H
#define VEXT_SYS_DM_H

#include "core/table.h"
#include "vext.h"

struct dm_device {
	int control; /* the device mapper; -1: none */
	int fd;	     /* the block device, read-only; -1: none */
	struct table_device number;
	char uuid[TABLE_UUID_MAX];
};

#define DM_DEVICE_NONE ((struct dm_device){ .control = -1, .fd = -1 })

/* What the kernel is asked for. The strings live as long as the call. */
struct dm_verity {
	const char *name;
	const char *uuid;
	uint64_t sectors;
	const char *line;
	/* One of that name and UUID that nobody has open, where names are not dm_name()'s. */
	bool replaces;
};

/* A name of table_name() that no device has had in this boot. system.random. */
struct verdict dm_name(enum extension_class class, const char *name, char out[TABLE_NAME_MAX]);

/*
 * Makes the device, opens it, marks it for removal with its last user (which is device->fd until
 * somebody mounts it) and checks that its active table is the one given, and that this is the
 * device that was opened. A device in the way, by its name or its UUID, is kernel.device-exists. On
 * failure nothing is left, as with dm_remove(); `device` is written on success only and then
 * released by the caller.
 */
struct verdict dm_verity_make(const struct dm_verity *verity, struct dm_device *device);

/*
 * Has the device, which is open, stay when nobody uses it any more, under a link /dev/mapper/NAME.
 * kernel.node, kernel.device-mapper; then there is no link, and the device goes with its last user
 * as before.
 */
struct verdict dm_keep(const char *name, const struct dm_device *device);

/*
 * Reads block 0 through the device and then asks for its status: it must still call itself verified.
 * kernel.corrupt if either fails: a wrong root hash loads without complaint and shows up here. `block` is
 * aligned to VEXT_BLOCK, since nothing but the device itself is to answer.
 */
struct verdict dm_verity_check(const struct dm_device *device, uint8_t block[VEXT_BLOCK]);

/*
 * Of a device that another process says that dm_verity_make() has made: is its active table the one
 * given, and does it still call itself verified? No disk is asked. `*number` becomes the device's.
 * kernel.table, kernel.corrupt, kernel.device-mapper.
 */
struct verdict dm_verity_confirm(const struct dm_verity *verity, struct table_device *number);

/*
 * Gives a device that dm_verity_make() made, and that may be mounted, another table: one that differs from the active
 * one in its options only, such as what is to be done when a block does not verify. The device is found by its
 * UUID; `name` is not looked at. What is read meanwhile waits.
 *
 * kernel.table if the device is not there, or is another one than `verity` says; kernel.corrupt if a block was read
 * that does not verify; kernel.verity, or kernel.signature, if the kernel does not take the table (with a
 * signature_key in it the key must be lent again): then all is as it was, and no other table is loaded. Then
 * kernel.table if the table read back is another one and kernel.corrupt if a block does not verify already: the
 * new table is in force by then, and what is read is verified by the old or by the new one at any time.
 */
struct verdict dm_verity_reload(const struct dm_verity *verity);

/*
 * Of a device that somebody else made: is it an active, read-only dm-verity device whose status is verified?
 * Then `line` is its table line. kernel.device-mapper, kernel.verity.
 */
struct verdict dm_verity_read(struct table_device number, char line[TABLE_LINE_MAX]);

/*
 * What dm_keep() does first: makes the link /dev/mapper/NAME to the device, which is open; in place
 * of one that leads elsewhere or that udev makes at the same time. kernel.node.
 */
struct verdict dm_link(const char *name, const struct dm_device *device);

/* Closes the device: it lives on for as long as somebody else uses it. */
void dm_release(struct dm_device *device);

/* Closes and removes it: the kernel does so right after, or with the last of those who have it open besides. */
void dm_remove(struct dm_device *device);

#endif
