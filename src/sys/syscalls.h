/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that musl has no function for, by number; each returns -1 and sets errno as a libc
 * function would. mount and umount2 are here too, because <sys/mount.h> of some C libraries and
 * <linux/mount.h>, which has the constants, can't be included together.
 */
#ifndef VEXT_SYS_SYSCALLS_H
#define VEXT_SYS_SYSCALLS_H

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SYS_UMOUNT_DETACH 0x2 /* MNT_DETACH */

/* The request as the kernel takes it; the libcs disagree on its type. */
static inline int sys_ioctl(int fd, unsigned long request, void *argument)
{
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

/*
 * Tried again where anything on the system was renamed or mounted while ".." was followed inside a root (EAGAIN,
 * openat2(2)), or a signal came. A mount namespace that is copied or goes, as with each service
 * that has its own, does that for as many mounts as it has, in a row: so there are pauses, and at
 * most a second of them.
 */
int sys_openat2(int dir_fd, const char *path, int flags, uint64_t resolve);

/* Before another try of a call, the first being 0: sleeps 1, 2, 4 … 64 ms, and then 64 ms each. */
void sys_pause_before(unsigned attempt);

static inline int sys_fsopen(const char *type)
{
	return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

static inline int sys_fsconfig(int fs_fd, unsigned command, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs_fd, command, key, value, 0);
}

static inline int sys_fsmount(int fs_fd, unsigned attributes)
{
	return (int)syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, attributes);
}

/* Attaches the mount behind `mount_fd` to the directory `path` below `dir_fd`; "" is `dir_fd` itself. */
static inline int sys_move_mount(int mount_fd, int dir_fd, const char *path)
{
	return (int)syscall(SYS_move_mount, mount_fd, "", dir_fd, path,
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

/* A detached copy of the mount at `path` below `dir_fd`, without the mounts below it. */
static inline int sys_clone_mount(int dir_fd, const char *path)
{
	return (int)syscall(SYS_open_tree, dir_fd, path,
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

/* The same with the mounts below it. */
static inline int sys_clone_mounts(int dir_fd, const char *path)
{
	return (int)syscall(SYS_open_tree, dir_fd, path,
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
}

static inline int sys_mount(const char *source, const char *target, const char *type,
			    unsigned long flags, const char *options)
{
	return (int)syscall(SYS_mount, source, target, type, flags, options);
}

/*
 * What statx(2) fills in, as far as vext looks at it: Linux include/uapi/linux/stat.h. Only some C libraries have it, and
 * with those that do the kernel's header can't be included.
 */
struct sys_statx {
	uint32_t mask;
	uint32_t block_size;
	uint64_t attributes;
	uint32_t others[10];
	uint64_t attributes_mask; /* those that the file system and the kernel can tell of */
	uint64_t times[8];
	uint32_t special[2];
	uint32_t major, minor; /* of the file system's device */
	uint64_t mount;	       /* the id in mountinfo, since Linux 5.8 */
	uint64_t more[13];
};

_Static_assert(sizeof(struct sys_statx) == 256, "as large as the kernel's");

#define SYS_STATX_MOUNT_ROOT UINT64_C(0x2000) /* STATX_ATTR_MOUNT_ROOT, since Linux 5.8 */

/* Of the attributes alone. */
static inline int sys_statx(int fd, struct sys_statx *found)
{
	return (int)syscall(SYS_statx, fd, "", AT_EMPTY_PATH, 0, found);
}

#define SYS_STATX_MNT_ID 0x1000u /* STATX_MNT_ID */
#define SYS_AT_DONT_SYNC 0x4000	 /* AT_STATX_DONT_SYNC */

/*
 * Device and mount of what `path` below `dir_fd` leads to, as the file system knows it without
 * asking a server.
 */
static inline int sys_statx_at(int dir_fd, const char *path, struct sys_statx *found)
{
	return (int)syscall(SYS_statx, dir_fd, path, SYS_AT_DONT_SYNC, SYS_STATX_MNT_ID, found);
}

static inline int sys_umount(const char *target, int flags)
{
	return (int)syscall(SYS_umount2, target, flags);
}

#endif
