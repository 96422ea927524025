/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts of devices that vext has made. */
#ifndef VEXT_SYS_MOUNT_H
#define VEXT_SYS_MOUNT_H

#include "core/table.h"
#include "core/text.h"
#include "vext.h"

/*
 * Mounts the device, whose node is `node` and its minor number, read-only and nodev, attached nowhere yet. Not nosuid: systemd-sysext does not
 * set it either, and programs of an extension may need it. The mount is known to be of that device:
 * anything else that comes out, or a failure, is kernel.mount; `detail` then has the kernel's message, if
 * it gave one. `mount_fd` is written on success only.
 */
struct verdict mount_device(const char *type, const char *node, struct table_device device,
			    struct text *detail, int *mount_fd);

#define MOUNT_NODE_DM "/dev/dm-"
#define MOUNT_NODE_LOOP "/dev/loop"

#endif
