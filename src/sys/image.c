/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/image.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>

#include "core/name.h"
#include "core/text.h"
#include "sys/fd.h"
#include "sys/mounts.h"
#include "sys/syscalls.h"

#define SECTOR 512u /* bytes; the smallest of any disk */

/* From where a path is opened, and how far it may lead. */
struct place {
	int dir_fd;
	const char *path;
	uint64_t resolve;
};

static int open_place(const struct place *place, int flags)
{
	return sys_openat2(place->dir_fd, place->path, flags | O_CLOEXEC, place->resolve);
}

static bool is_acceptable(const struct stat *st, enum image_types types)
{
	return S_ISREG(st->st_mode) || (types == IMAGE_FILES_AND_DEVICES && S_ISBLK(st->st_mode));
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_mode == b->st_mode &&
	       a->st_rdev == b->st_rdev;
}

/*
 * First without opening the object itself: opening a FIFO may wait and opening a device may do
 * anything. The second open may meet another file, if somebody swaps it; that one is not taken.
 */
static struct verdict open_checked(const struct place *place, enum image_types types, int *opened)
{
	FD_CLEANUP int handle = -1;
	FD_CLEANUP int fd = -1;
	struct stat seen;
	struct stat st;

	handle = open_place(place, O_PATH);
	if (handle < 0 || fstat(handle, &seen) < 0)
		return verdict_errno(REASON_IMAGE_OPEN, errno);
	if (!is_acceptable(&seen, types))
		return verdict(REASON_IMAGE_TYPE);
	fd = open_place(place, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return verdict_errno(REASON_IMAGE_OPEN, errno);
	if (!is_same_file(&seen, &st))
		return verdict(REASON_IMAGE_OPEN);
	*opened = fd_take(&fd);
	return verdict(REASON_ACCEPTED);
}

static struct verdict measure(int fd, uint64_t *size)
{
	struct stat st;
	uint64_t bytes;

	if (fstat(fd, &st) < 0)
		return verdict_errno(REASON_IMAGE_OPEN, errno);
	bytes = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && sys_ioctl(fd, BLKGETSIZE64, &bytes) < 0)
		return verdict_errno(REASON_IMAGE_OPEN, errno);
	if (bytes == 0)
		return verdict(REASON_IMAGE_EMPTY);
	if (bytes % SECTOR != 0 || bytes > VEXT_IMAGE_SIZE_MAX)
		return verdict(REASON_IMAGE_SIZE);
	*size = bytes;
	return verdict(REASON_ACCEPTED);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

struct verdict image_name(const char *path, const char *name, char out[VEXT_NAME_MAX + 1])
{
	struct verdict v;

	if (name == NULL)
		return name_from_file(last_part(path), CLASS_UNKNOWN, out);
	v = name_check(name);
	if (is_accepted(v))
		memcpy(out, name, strlen(name) + 1);
	return v;
}

static struct verdict open_image(const struct place *place, const char *name,
				 enum image_types types, struct image *image)
{
	FD_CLEANUP int fd = -1;
	struct image found = IMAGE_NONE;
	struct verdict v = image_name(place->path, name, found.name);

	if (is_accepted(v))
		v = open_checked(place, types, &fd);
	if (is_accepted(v))
		v = measure(fd, &found.size);
	if (!is_accepted(v))
		return v;
	found.fd = fd_take(&fd);
	*image = found;
	return v;
}

struct verdict image_open_in_root(int root_fd, const char *path, const char *name,
				  enum image_types types, struct image *image)
{
	const struct place place = { .dir_fd = root_fd,
				     .path = path,
				     .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	return open_image(&place, name, types, image);
}

struct verdict image_open_path(const char *path, const char *name, struct image *image)
{
	const struct place place = { .dir_fd = AT_FDCWD, .path = path, .resolve = 0 };

	return open_image(&place, name, IMAGE_FILES_AND_DEVICES, image);
}

void image_path_in_root(struct image *image, int root_fd)
{
	char root[MOUNTINFO_PATH_MAX];
	char whole[MOUNTINFO_PATH_MAX];
	const char *below = NULL;
	struct text text;

	if (mounts_path(root_fd, root) && mounts_path(image->fd, whole))
		below = mountinfo_below(whole, root);
	text_init(&text, image->path, sizeof(image->path));
	if (below != NULL && origin_is_plain(below - 1))
		text_str(&text, below - 1);
}

void image_close(struct image *image)
{
	fd_close(&image->fd);
	fd_close(&image->channel);
}

size_t image_read(const struct image *image, uint64_t offset, void *buf, size_t size,
		  struct verdict *why)
{
	uint8_t *to = buf;
	size_t have = 0;
	int tries = 0;

	*why = verdict_at(REASON_IMAGE_TRUNCATED, offset);
	if (offset > image->size || size > image->size - offset)
		return 0;
	while (have < size) {
		const uint64_t at = offset + have;
		const ssize_t got = pread(image->fd, to + have, size - have, (off_t)at);

		if (got < 0 && fd_interrupted(&tries))
			continue;
		*why = got < 0 ? (struct verdict){ REASON_SYSTEM_READ, errno, at } :
				 verdict_at(REASON_IMAGE_TRUNCATED, at);
		if (got <= 0)
			return have;
		have += (size_t)got;
	}
	*why = verdict(REASON_ACCEPTED);
	return have;
}

static struct verdict read_image(void *ctx, uint64_t offset, void *buf, size_t size)
{
	struct verdict v;

	(void)image_read(ctx, offset, buf, size, &v);
	return v;
}

struct reader image_reader(struct image *image)
{
	return (struct reader){ .read = read_image, .ctx = image };
}
