/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/stage.h"

#include <fcntl.h>
#include <sched.h>

#include "sys/fd.h"
#include "sys/syscalls.h"

#define NAMESPACE "/proc/self/ns/mnt"
#define PLACE "/run" /* any directory that is always there would do */
#define DIRECTORY_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)

static struct verdict failed(void)
{
	return verdict_errno(REASON_SYSTEM_NAMESPACE, errno);
}

static struct verdict remember_home(struct stage *stage)
{
	stage->home_root = open("/", DIRECTORY_FLAGS);
	stage->home_directory = open(".", DIRECTORY_FLAGS);
	if (stage->home_root < 0 || stage->home_directory < 0)
		return failed();
	stage->home = open(NAMESPACE, O_RDONLY | O_CLOEXEC);
	return stage->home < 0 ? failed() : verdict(REASON_ACCEPTED);
}

/*
 * The new namespace is a copy; only root and working directory of the process move over to the copied
 * mounts, descriptors do not. So the root is taken along as the working directory.
 */
static struct verdict unshare_with(int root_fd, struct stage *stage)
{
	if (fchdir(root_fd) < 0 || unshare(CLONE_NEWNS) < 0)
		return failed();
	stage->root = open(".", DIRECTORY_FLAGS);
	if (stage->root < 0)
		return failed();
	/* Nothing done here shows outside; what is unmounted outside does not linger here. */
	if (sys_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return failed();
	return verdict(REASON_ACCEPTED);
}

static struct verdict mount_tree(struct stage *stage)
{
	FD_CLEANUP int fs = sys_fsopen("tmpfs");
	FD_CLEANUP int tree = -1;

	if (fs < 0 || sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "vext") < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0700") < 0 ||
	    sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return failed();
	tree = sys_fsmount(fs, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (tree < 0 || sys_move_mount(tree, AT_FDCWD, PLACE) < 0 || fchdir(tree) < 0)
		return failed();
	stage->tree = fd_take(&tree);
	return verdict(REASON_ACCEPTED);
}

struct verdict stage_enter(int root_fd, struct stage *stage)
{
	struct stage entered = STAGE_NONE;
	struct verdict v = remember_home(&entered);

	if (is_accepted(v))
		v = unshare_with(root_fd, &entered);
	if (is_accepted(v))
		v = mount_tree(&entered);
	if (is_accepted(v))
		*stage = entered;
	else
		(void)stage_leave(&entered);
	return v;
}

static void close_all(struct stage *stage)
{
	fd_close(&stage->tree);
	fd_close(&stage->root);
	fd_close(&stage->home);
	fd_close(&stage->home_root);
	fd_close(&stage->home_directory);
}

/* Entering a namespace resets root and working directory to its own; vext may run in a chroot. */
struct verdict stage_leave(struct stage *stage)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	fd_close(&stage->tree);
	fd_close(&stage->root);
	if (stage->home >= 0 &&
	    (setns(stage->home, CLONE_NEWNS) < 0 || fchdir(stage->home_root) < 0 ||
	     chroot(".") < 0 || fchdir(stage->home_directory) < 0))
		v = failed();
	close_all(stage);
	return v;
}
