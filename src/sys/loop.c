/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/loop.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/text.h"
#include "sys/fd.h"
#include "sys/syscalls.h"

#define CONTROL "/dev/loop-control"
#define NODE "/dev/loop"
#define NODE_SIZE (sizeof(NODE) + 20)

#define TRIES_MAX 20u /* about a second in all */

/* Blocks of 4096 bytes save work where the part begins and ends on such; the kernel then says so. */
static uint32_t block_size_for(struct extent extent)
{
	return extent.offset % VEXT_BLOCK == 0 && extent.size % VEXT_BLOCK == 0 ? VEXT_BLOCK :
										  TABLE_SECTOR;
}

static struct verdict open_node(int number, int *opened, struct table_device *device)
{
	char path[NODE_SIZE];
	struct text text;
	struct stat st;
	FD_CLEANUP int fd = -1;

	text_init(&text, path, sizeof(path));
	text_str(&text, NODE);
	text_u64(&text, (uint64_t)number);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return verdict_errno(REASON_KERNEL_NODE, errno);
	if (!S_ISBLK(st.st_mode) || major(st.st_rdev) != LOOP_MAJOR)
		return verdict_errno(REASON_KERNEL_NODE, ENODEV);
	*device = (struct table_device){ major(st.st_rdev), minor(st.st_rdev) };
	*opened = fd_take(&fd);
	return verdict(REASON_ACCEPTED);
}

/* Is the device what was asked for? A shorter image would give a shorter device. */
static struct verdict check_loop(int fd, int number, struct extent extent)
{
	struct loop_info64 info = { 0 };
	uint64_t size = 0;

	if (sys_ioctl(fd, LOOP_GET_STATUS64, &info) < 0 || sys_ioctl(fd, BLKGETSIZE64, &size) < 0)
		return verdict_errno(REASON_KERNEL_LOOP, errno);
	if (size != extent.size || info.lo_offset != extent.offset ||
	    info.lo_sizelimit != extent.size)
		return verdict(REASON_KERNEL_LOOP_SIZE);
	if (info.lo_number != (uint32_t)number || (info.lo_flags & LO_FLAGS_READ_ONLY) == 0 ||
	    (info.lo_flags & LO_FLAGS_AUTOCLEAR) == 0)
		return verdict(REASON_KERNEL_LOOP);
	return verdict(REASON_ACCEPTED);
}

/* With the errno EBUSY when another process has taken the device in the meantime. */
static struct verdict try_attach(int control, int image_fd, struct extent extent, struct loop *loop)
{
	struct loop_config config = {
		.fd = (uint32_t)image_fd,
		.block_size = block_size_for(extent),
		.info = { .lo_offset = extent.offset,
			  .lo_sizelimit = extent.size,
			  .lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR },
	};
	const int number = sys_ioctl(control, LOOP_CTL_GET_FREE, NULL);
	FD_CLEANUP int fd = -1;
	struct table_device device;
	struct verdict v;

	if (number < 0)
		return verdict_errno(REASON_KERNEL_LOOP, errno);
	v = open_node(number, &fd, &device);
	if (!is_accepted(v))
		return v;
	if (sys_ioctl(fd, LOOP_CONFIGURE, &config) < 0)
		return verdict_errno(REASON_KERNEL_LOOP, errno);
	v = check_loop(fd, number, extent);
	if (is_accepted(v))
		*loop = (struct loop){ .fd = fd_take(&fd), .device = device };
	return v;
}

/*
 * EBUSY from a device that another process has taken. ENXIO from the node of one that another has
 * taken, and let go of again: the kernel is about to clear it.
 */
static bool is_worth_another_try(struct verdict v)
{
	return !is_accepted(v) && (v.sys_errno == EBUSY || v.sys_errno == ENXIO ||
				   v.sys_errno == EAGAIN || v.sys_errno == EINTR);
}

struct verdict loop_attach(int image_fd, struct extent extent, struct loop *loop)
{
	FD_CLEANUP int control = open(CONTROL, O_RDWR | O_CLOEXEC);
	struct verdict v;

	if (control < 0)
		return verdict_errno(REASON_KERNEL_LOOP, errno);
	v = try_attach(control, image_fd, extent, loop);
	for (unsigned i = 0; i < TRIES_MAX && is_worth_another_try(v); i++) {
		sys_pause_before(i);
		v = try_attach(control, image_fd, extent, loop);
	}
	return v;
}

void loop_release(struct loop *loop)
{
	fd_close(&loop->fd);
}
