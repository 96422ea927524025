/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A partition by its UUID, label or path, waited for. The kernel's own words in /sys/class/block/NAME/uevent are
 * gone by (PARTUUID, which Linux 6.12 has not yet; PARTNAME, DEVNAME); neither udev nor its links are needed. Where
 * the kernel tells no UUIDs, whoever can read partition tables is asked.
 */
#ifndef VEXT_SYS_DISK_H
#define VEXT_SYS_DISK_H

#include "core/open.h"
#include "core/table.h"
#include "sys/image.h"
#include "vext.h"

struct disk {
	struct image image;
	struct table_device device;
};

#define DISK_NONE ((struct disk){ .image = IMAGE_NONE })

/*
 * Reads the partition table of a whole disk: how many partitions have this UUID (in lower case), and in which byte
 * of the disk the last of these starts. A table that can't be read has none.
 */
typedef uint32_t disk_table_reader(const struct image *disk, const char *uuid, uint64_t *start);

/*
 * Looks for the partition, and again whenever the kernel tells of a device (a netlink socket for uevents) and at
 * least once a second, for at most `seconds`; 0: looks once. `name` is to be the image's. `disk` is written on
 * success only and its image then closed by the caller. kernel.open-missing, kernel.open-ambiguous,
 * image.*, system.read, system.memory.
 */
struct verdict disk_find(const struct open_place *place, const char *name, uint32_t seconds,
			 disk_table_reader *read_table, struct disk *disk);

#endif
