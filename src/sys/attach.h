/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second worker of an image (sys/worker.h): it takes the image's descriptor out of its channel,
 * makes the loop devices and the verity device, reads the first block through it, and mounts it.
 * What it says of that is looked at by the parent, with questions to the device mapper that no disk
 * has to answer: a worker that lies can do what a disk that lies can do.
 */
#ifndef VEXT_SYS_ATTACH_H
#define VEXT_SYS_ATTACH_H

#include "core/plan.h"
#include "sys/image.h"
#include "sys/worker.h"
#include "vext.h"

#define ATTACH_DETAIL_MAX 512u /* bytes with NUL */

/* How devices are made. */
struct attach_options {
	enum kernel_signature kernel_signature;
	enum corruption corruption; /* of what stays; another device gets it by attach_reload() */
	bool stays; /* the device is there until somebody removes it, and it is not mounted */
};

/* In shared memory: the worker's word. */
struct attaching {
	struct verdict verdict;
	struct table_device data; /* the loop devices */
	struct table_device tree;
	bool kernel_checked;
	uint64_t attach_microseconds; /* up to STEP_CHECK_DEVICE */
	uint64_t mount_microseconds;
	char detail[ATTACH_DETAIL_MAX]; /* the kernel's own words, escaped, or "" */
};

struct attach_order {
	const struct trusted *trusted;
	const struct image *image; /* with the channel in which its descriptor waits */
	const struct attach_options *options;
	const char *device; /* its name, of dm_name() */
	struct attaching *attaching;
};

/*
 * When the worker is heard, its answer is in order->attaching, and with it comes a descriptor of
 * the mount, which holds the devices. Its worker_holds.at is the last enum step_op that it has
 * tried.
 */
struct verdict attach_start(struct worker *worker, const struct attach_order *order);

/* What came of it, and what is sure. */
struct attached {
	struct table_device device;
	struct table_device data; /* in the table of the device */
	struct table_device tree;
	bool kernel_checked;
};

/*
 * Gives the device the table that it is to have in the end: dm_verity_reload(). The kernel checks
 * the signature again where it has before. This may wait for the disk.
 */
struct verdict attach_reload(const struct attach_order *order, const struct attached *attached);

/*
 * Is the device there that was meant? Its table is that of the image, it calls itself verified, and
 * `mount_fd` is of the mount of it, unless it is to stay. Else kernel.table, kernel.corrupt,
 * kernel.mount, or what the worker says.
 */
struct verdict attach_take(const struct attach_order *order, int mount_fd,
			   struct attached *attached);

/* The clock by which steps are timed: microseconds. */
uint64_t attach_now(void);

#endif
