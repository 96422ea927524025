/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/submounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

static int open_place(int dir_fd, const char *below)
{
	return sys_openat2(dir_fd, below, O_PATH | O_CLOEXEC,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/*
 * With all that is mounted below it, so only mounts on the hierarchy's own mount are to be copied. The
 * place must be there in the merged hierarchy, and no link of an extension leads elsewhere.
 */
static struct verdict copy_mount(const char *point, int over, const char *below)
{
	FD_CLEANUP int copy = sys_clone_mounts(AT_FDCWD, point);
	FD_CLEANUP int place = open_place(over, below);

	if (copy < 0 || place < 0 || sys_move_mount(copy, place, "") < 0)
		return failed();
	return verdict(REASON_ACCEPTED);
}

/* The next mount whose path lies below the place, and what of it does. */
static enum mounts_state next_below(struct mounts *mounts, const struct hierarchy_place *place,
				    const char **below)
{
	enum mounts_state state;

	do {
		state = mounts_next(mounts);
		if (state != MOUNTS_FOUND)
			return state;
		*below = mountinfo_below(mounts->mount.point, place->path);
	} while (*below == NULL);
	return state;
}

static struct verdict copy_all(const struct hierarchy_place *place, struct mounts *mounts, int over)
{
	struct verdict v = verdict(REASON_ACCEPTED);
	enum mounts_state state = MOUNTS_FOUND;
	const char *below;

	while (is_accepted(v) && (state = next_below(mounts, place, &below)) == MOUNTS_FOUND)
		if (mounts->mount.parent == place->mount_id)
			v = copy_mount(mounts->mount.point, over, below);
	return state == MOUNTS_FAILED ? failed() : v;
}

static struct verdict list_all(const struct hierarchy_place *place, struct mounts *mounts,
			       struct listing *points)
{
	struct verdict v = verdict(REASON_ACCEPTED);
	enum mounts_state state = MOUNTS_FOUND;
	const char *below;

	while (is_accepted(v) && (state = next_below(mounts, place, &below)) == MOUNTS_FOUND)
		if (mounts->mount.parent == place->mount_id)
			v = listing_add(points, below);
	return state == MOUNTS_FAILED ? failed() : v;
}

struct verdict submounts_list(const struct stage *stage, enum hierarchy hierarchy,
			      struct listing *points)
{
	struct hierarchy_place place;
	struct mounts *mounts;
	struct verdict v;

	if (!find_place(stage, hierarchy, &place))
		return failed();
	mounts = mounts_open();
	if (mounts == NULL)
		return failed();
	v = list_all(&place, mounts, points);
	mounts_close(mounts);
	return v;
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

/* ---- without the overlay ------------------------------------------------------------------- */

static struct verdict not_taken(void)
{
	return verdict_errno(REASON_MERGE_DETACH, errno);
}

static struct verdict stands_in_the_way(const struct submounts *submounts, const char *point)
{
	const struct verdict v = verdict_errno(REASON_MERGE_MOUNTED, errno);

	(void)strcpy(submounts->in_the_way, point);
	return v;
}

static bool has(const struct submounts *submounts, uint64_t id)
{
	for (size_t i = 0; i < submounts->count; i++)
		if (submounts->mounts[i].id == id)
			return true;
	return false;
}

/* One by one, for a copy with what is mounted below leaves out silently what may not be copied. */
static struct verdict take_one(int over, const struct mountinfo *mount, const char *below,
			       struct submounts *submounts)
{
	struct submount *taken = &submounts->mounts[submounts->count];
	FD_CLEANUP int fd = open_place(over, below);
	uint64_t id;

	if (submounts->count == SUBMOUNTS_MAX)
		return verdict_errno(REASON_MERGE_DETACH, E2BIG);
	if (fd < 0)
		return stands_in_the_way(submounts, mount->point);
	if (!mounts_id(fd, &id))
		return not_taken();
	errno = EBUSY;
	taken->copy = id == mount->id ? sys_clone_mount(fd, "") : -1;
	if (taken->copy < 0)
		return stands_in_the_way(submounts, mount->point);
	taken->id = id;
	taken->below = (size_t)(below - mount->point);
	taken->point = strdup(mount->point);
	submounts->count++;
	return taken->point == NULL ? not_taken() : verdict(REASON_ACCEPTED);
}

/*
 * systemd mounts the directory of marks of a mutable merge onto itself, read-only: a part of the overlay, which goes with it (systemd
 * 262, src/sysext/sysext.c).
 */
static bool is_mark(const char *below)
{
	for (unsigned i = 0; i < CLASSES; i++)
		if (strcmp(below, class_traits((enum extension_class)i)->mark) == 0)
			return true;
	return false;
}

/* Those on the overlay's mount and on the ones that are known already. */
static struct verdict take_known(int over, const struct hierarchy_place *place,
				 struct mounts *mounts, struct submounts *submounts)
{
	const struct mountinfo *mount = &mounts->mount;
	struct verdict v = verdict(REASON_ACCEPTED);
	enum mounts_state state = MOUNTS_FOUND;
	const char *below;

	while (is_accepted(v) && (state = next_below(mounts, place, &below)) == MOUNTS_FOUND)
		if (!has(submounts, mount->id) && !is_mark(below) &&
		    (mount->parent == place->mount_id || has(submounts, mount->parent)))
			v = take_one(over, mount, below, submounts);
	return state == MOUNTS_FAILED ? not_taken() : v;
}

/* Until there are no more: one that was moved may stand before the one that it is on. */
struct verdict submounts_take(int over, struct submounts *submounts)
{
	struct hierarchy_place place;
	struct verdict v = verdict(REASON_ACCEPTED);
	size_t before;

	if (!mounts_id(over, &place.mount_id) || !mounts_path(over, place.path))
		return not_taken();
	do {
		struct mounts *mounts = mounts_open();

		if (mounts == NULL)
			return not_taken();
		before = submounts->count;
		v = take_known(over, &place, mounts, submounts);
		mounts_close(mounts);
	} while (is_accepted(v) && submounts->count > before);
	return v;
}

static bool is_same(int a, int b)
{
	struct stat of_a, of_b;

	return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
	       of_a.st_ino == of_b.st_ino;
}

/* What the merge had copied up is there already. */
static bool put_one(int below, struct submount *submount)
{
	FD_CLEANUP int place = open_place(below, submount->point + submount->below);

	if (place >= 0 && is_same(place, submount->copy))
		return true;
	submount->is_placed = place >= 0 && sys_move_mount(submount->copy, place, "") == 0;
	return submount->is_placed;
}

struct verdict submounts_put_back(int below, struct submounts *submounts)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	for (size_t i = 0; i < submounts->count && is_accepted(v); i++)
		if (!put_one(below, &submounts->mounts[i]))
			v = stands_in_the_way(submounts, submounts->mounts[i].point);
	for (size_t i = submounts->count; i > 0 && !is_accepted(v); i--)
		if (submounts->mounts[i - 1].is_placed)
			(void)mounts_detach(submounts->mounts[i - 1].copy);
	return v;
}

void submounts_free(struct submounts *submounts)
{
	for (size_t i = 0; i < submounts->count; i++) {
		fd_close(&submounts->mounts[i].copy);
		free(submounts->mounts[i].point);
	}
	submounts->count = 0;
}
