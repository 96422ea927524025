/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device mapper by its ioctls: one read-only verity device per image. A device that exists is never
 * taken over; the table is read back and compared; a device in use is set to remove itself with its
 * last user.
 */
#ifndef VEXT_SYS_DM_H
#define VEXT_SYS_DM_H

#include "core/table.h"
#include "vext.h"

struct dm_device {
	int control; /* the device mapper; -1: none */
	int fd;	     /* the block device, read-only; -1: none */
	struct table_device number;
};

#define DM_DEVICE_NONE ((struct dm_device){ .control = -1, .fd = -1 })

/* What the kernel is asked for. The strings live as long as the call. */
struct dm_verity {
	const char *name;
	const char *uuid;
	uint64_t sectors;
	const char *line;
	bool stays; /* until somebody removes it, though nobody uses it */
};

/*
 * Makes the device, checks that its active table is the one given, opens it and, unless it is to stay, marks it for
 * removal with its last user (which is device->fd until somebody mounts it). A device of that name *and* UUID
 * that nobody has open was left by a vext that was killed at this point, or is one that stays and nobody uses: it is removed
 * first, and its link. Any other device in the way is kernel.device-exists. On failure nothing is left, as with
 * dm_remove(); `device` is written on success only and then released by the caller.
 */
struct verdict dm_verity_make(const struct dm_verity *verity, struct dm_device *device);

/* Is there a device of this name, with a UUID as vext gives it? It may be one that only its last users keep. */
bool dm_is_named_by_vext(const char *name);

/*
 * Reads block 0 through the device and then asks for its status: it must still call itself verified.
 * kernel.corrupt if either fails: a wrong root hash loads without complaint and shows up here. `block` is
 * aligned to VEXT_BLOCK, since nothing but the device itself is to answer.
 */
struct verdict dm_verity_check(const struct dm_device *device, uint8_t block[VEXT_BLOCK]);

/*
 * Gives a device that dm_verity_make() made, and that may be mounted, another table: one that differs from the active
 * one in its options only, such as what is to be done when a block does not verify. The device is found by its
 * UUID; `name` and `stays` are not looked at. What is read meanwhile waits.
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
 * Removes a device that is to stay, by its name, and its link, when nobody uses it; udev, which looks at every new
 * device, is waited for, within bounds. kernel.not-attached for one that is not there or has no UUID of table_uuid(), kernel.in-use,
 * kernel.device-mapper.
 */
struct verdict dm_verity_detach(const char *name);

/*
 * Makes the link /dev/mapper/NAME to the device, which is open; in place of one that leads elsewhere or that udev makes
 * at the same time. kernel.node.
 */
struct verdict dm_link(const char *name, const struct dm_device *device);

/* Closes the device: it lives on for as long as somebody else uses it. */
void dm_release(struct dm_device *device);

/* Closes and removes it: the kernel does so right after, or with the last of those who have it open besides. */
void dm_remove(struct dm_device *device);

#endif
