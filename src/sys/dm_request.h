/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the device mapper: for sys/dm*.c, which know what it asks for. */
#ifndef VEXT_SYS_DM_REQUEST_H
#define VEXT_SYS_DM_REQUEST_H

#include <linux/dm-ioctl.h>
#include <linux/ioctl.h>

#include "core/table.h"
#include "vext.h"

#define DM_CONTROL "/dev/" DM_DIR "/" DM_CONTROL_NODE
#define DM_LINKS "/dev/" DM_DIR "/"
#define DM_LINK_ASIDE ".vext-" /* before NAME, of a link on its way to there */
#define DM_LINK_SIZE (sizeof(DM_LINKS DM_LINK_ASIDE) + DM_NAME_LEN)

_Static_assert(TABLE_NAME_MAX <= DM_NAME_LEN, "every name fits");
_Static_assert(TABLE_UUID_MAX == DM_UUID_LEN, "a UUID is as long as the kernel has it");

/* One buffer for question and answer, as the kernel lays both out: header, one target, its text. */
struct request {
	struct dm_ioctl io;
	struct dm_target_spec target;
	char text[TABLE_LINE_MAX];
};

_Static_assert(offsetof(struct request, target) == sizeof(struct dm_ioctl), "no gap");
_Static_assert(offsetof(struct request, text) ==
		       sizeof(struct dm_ioctl) + sizeof(struct dm_target_spec),
	       "no gap");

/* About no device yet. */
struct request request_for(uint32_t flags);

/*
 * About a device that vext has made, by its UUID: whoever removes it meanwhile may make another one
 * of its number, or of its name, and that one is not meant.
 */
struct request request_by_uuid(const char *uuid, uint32_t flags);

/* Where nobody knows the UUID yet. */
struct request request_by_name(const char *name);

/* `failure`, with the errno, if the kernel refuses. */
struct verdict request_send(int control, unsigned long command, struct request *request,
			    enum reason failure);

/* Takes the link /dev/mapper/NAME away; where there is udev, it may be gone already. */
void dm_unlink(const char *name);

#endif
