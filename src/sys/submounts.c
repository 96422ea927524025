/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/submounts.h"

#include <errno.h>
#include <fcntl.h>

#include "sys/content.h"
#include "sys/fd.h"
#include "sys/mounts.h"
#include "sys/syscalls.h"

/* The root's hierarchy, in the mount namespace of the stage. */
struct hierarchy_place {
	uint64_t mount_id;
	char path[MOUNTINFO_PATH_MAX];
};

static struct verdict failed(void)
{
	return verdict_errno(REASON_MERGE_SUBMOUNT, errno);
}

static bool find_place(const struct stage *stage, enum hierarchy hierarchy,
		       struct hierarchy_place *place)
{
	FD_CLEANUP int fd = content_open_directory(stage->root, hierarchy_name(hierarchy));

	return fd >= 0 && mounts_id(fd, &place->mount_id) && mounts_path(fd, place->path);
}

/*
 * With all that is mounted below it, so only mounts on the hierarchy's own mount are to be copied. The
 * place must be there in the merged hierarchy, and no link of an extension leads elsewhere.
 */
static struct verdict copy_mount(const char *point, int over, const char *below)
{
	FD_CLEANUP int copy = sys_clone_mounts(AT_FDCWD, point);
	FD_CLEANUP int place = sys_openat2(over, below, O_PATH | O_CLOEXEC,
					   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

	if (copy < 0 || place < 0 || sys_move_mount(copy, place, "") < 0)
		return failed();
	return verdict(REASON_ACCEPTED);
}

static struct verdict copy_all(const struct hierarchy_place *place, struct mounts *mounts, int over)
{
	struct verdict v = verdict(REASON_ACCEPTED);
	enum mounts_state state = MOUNTS_FOUND;

	while (is_accepted(v)) {
		const char *below;

		state = mounts_next(mounts);
		if (state != MOUNTS_FOUND)
			break;
		below = mountinfo_below(mounts->mount.point, place->path);
		if (below != NULL && mounts->mount.parent == place->mount_id)
			v = copy_mount(mounts->mount.point, over, below);
	}
	return state == MOUNTS_FAILED ? failed() : v;
}

struct verdict submounts_keep(const struct stage *stage, enum hierarchy hierarchy, const char *over)
{
	FD_CLEANUP int top = openat(stage->tree, over, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct hierarchy_place place;
	struct mounts *mounts;
	struct verdict v;

	if (top < 0 || !find_place(stage, hierarchy, &place))
		return failed();
	mounts = mounts_open();
	if (mounts == NULL)
		return failed();
	v = copy_all(&place, mounts, top);
	mounts_close(mounts);
	return v;
}
