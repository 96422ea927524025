/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/mount.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys/fd.h"
#include "sys/syscalls.h"

#define NODE_SIZE (sizeof(MOUNT_NODE_LOOP) + 20)

/*
 * The kernel's messages about this mount, one a read, each behind "e ", "w " or "i "; the first is the cause
 * of the others.
 */
static struct verdict failed(int fs, struct text *detail)
{
	const struct verdict v = verdict_errno(REASON_KERNEL_MOUNT, errno);
	char message[256];
	ssize_t size = fs < 0 ? -1 : read(fs, message, sizeof(message));
	const ssize_t start = size > 2 && message[1] == ' ' ? 2 : 0;

	while (size > start && message[size - 1] == '\n')
		size--;
	if (size > start)
		text_escaped(detail, message + start, (size_t)(size - start));
	return v;
}

static int configure(int fs, const char *node, struct table_device device)
{
	char source[NODE_SIZE];
	struct text text;

	text_init(&text, source, sizeof(source));
	text_str(&text, node);
	text_u64(&text, device.minor);
	if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", source) < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL) < 0)
		return -1;
	return sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
}

/* Is this a mount of that very device, whatever its node was? */
static bool is_mount_of(int mount_fd, struct table_device device)
{
	struct stat st;

	return fstat(mount_fd, &st) == 0 && st.st_dev == makedev(device.major, device.minor);
}

struct verdict mount_device(const char *type, const char *node, struct table_device device,
			    struct text *detail, int *mount_fd)
{
	FD_CLEANUP int fs = sys_fsopen(type);
	FD_CLEANUP int fd = -1;

	if (fs < 0 || configure(fs, node, device) < 0)
		return failed(fs, detail);
	fd = sys_fsmount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
	if (fd < 0)
		return failed(fs, detail);
	if (!is_mount_of(fd, device))
		return verdict_errno(REASON_KERNEL_MOUNT, EXDEV);
	*mount_fd = fd_take(&fd);
	return verdict(REASON_ACCEPTED);
}
