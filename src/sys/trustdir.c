/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/trustdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "core/text.h"
#include "sys/dm.h"
#include "sys/fd.h"
#include "sys/listing.h"
#include "sys/syscalls.h"
#include "sys/worker.h"

#ifndef EROFS_SUPER_MAGIC_V1
#define EROFS_SUPER_MAGIC_V1 0xe0f5e1e2
#endif
#define XFS_MAGIC 0x58465342 /* "XFSB" */

#define PATH_SIZE 320u /* bytes: a directory and a file name of 255 */
#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
#define IN_MOUNT (RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS)

/* A directory that was listed. */
struct place {
	int base_fd;	  /* the root, or its /usr; -1: none */
	const char *path; /* below that */
	uint64_t resolve;
	struct listing listing;
};

/* ---- listing and reading ------------------------------------------------------------------- */

static bool counts(const char *name)
{
	(void)name;
	return true;
}

static struct verdict list_place(struct place *place, size_t *left_out)
{
	FD_CLEANUP int fd = place->base_fd < 0 ? -1 :
						 sys_openat2(place->base_fd, place->path,
							     DIRECTORY_FLAGS, place->resolve);

	if (fd < 0 && errno == ENOENT)
		return verdict(REASON_ACCEPTED);
	if (fd < 0)
		return verdict_errno(REASON_SYSTEM_READ, errno);
	return listing_read(fd, TRUSTDIR_NAMES_MAX, counts, &place->listing, left_out);
}

/* First without opening the object itself, which might be a device or a FIFO. */
static struct verdict check_type(const struct place *place, const char *path)
{
	FD_CLEANUP int handle = sys_openat2(place->base_fd, path, O_PATH | O_CLOEXEC,
					    place->resolve);
	struct stat st;

	if (handle < 0 || fstat(handle, &st) < 0)
		return verdict_errno(REASON_ANCHOR_FILE, errno);
	if (!S_ISREG(st.st_mode) || st.st_size > TRUSTDIR_FILE_MAX)
		return verdict(REASON_ANCHOR_FILE);
	return verdict(REASON_ACCEPTED);
}

static struct verdict read_file(const struct place *place, const char *name, uint8_t *bytes,
				size_t room, uint32_t *size)
{
	FD_CLEANUP int fd = -1;
	char path[PATH_SIZE];
	struct text text;
	struct verdict v;
	ssize_t got;

	text_init(&text, path, sizeof(path));
	text_str(&text, place->path);
	text_char(&text, '/');
	text_str(&text, name);
	if (!text_ok(&text))
		return verdict(REASON_ANCHOR_FILE);
	v = check_type(place, path);
	if (!is_accepted(v))
		return v;
	fd = sys_openat2(place->base_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			 place->resolve);
	if (fd < 0)
		return verdict_errno(REASON_ANCHOR_FILE, errno);
	got = fd_read_whole(fd, bytes, room);
	if (got < 0)
		return verdict_errno(REASON_SYSTEM_READ, errno);
	*size = (uint32_t)got;
	return verdict(REASON_ACCEPTED);
}

/* ---- is it on dm-verity? ------------------------------------------------------------------- */

/* "254:0\n" in a file of sysfs. */
static bool read_number(int dir_fd, const char *path, struct table_device *number)
{
	FD_CLEANUP int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	char line[32] = { 0 };
	struct table_device parsed = { 0 };
	uint32_t *part = &parsed.major;

	if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
		return false;
	for (const char *c = line; *c != '\n'; c++) {
		if (*c == ':' && part == &parsed.major)
			part = &parsed.minor;
		else if (*c >= '0' && *c <= '9' && *part < 1000000)
			*part = *part * 10 + (uint32_t)(*c - '0');
		else
			return false;
	}
	*number = parsed;
	return part == &parsed.minor;
}

static void format_uuid(const uint8_t uuid[16], char path[64])
{
	struct text text;

	text_init(&text, path, 64);
	text_str(&text, "/sys/fs/btrfs/");
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text_char(&text, '-');
		text_hex(&text, &uuid[i], 1);
	}
	text_str(&text, "/devices");
}

/*
 * The st_dev of btrfs is of no device. The kernel links the devices it really uses in sysfs, by the file
 * system's id; a path, as in mountinfo, would be a name that somebody chose.
 */
static bool find_btrfs_device(int fd, struct table_device *number)
{
	struct btrfs_ioctl_fs_info_args info = { 0 };
	LISTING_CLEANUP struct listing listing = { 0 };
	FD_CLEANUP int devices = -1;
	char path[PATH_SIZE];
	size_t left_out = 0;
	struct text text;

	if (sys_ioctl(fd, BTRFS_IOC_FS_INFO, &info) < 0 || info.num_devices != 1)
		return false;
	format_uuid(info.fsid, path);
	devices = open(path, DIRECTORY_FLAGS);
	if (devices < 0 ||
	    !is_accepted(listing_read(devices, TRUSTDIR_NAMES_MAX, counts, &listing, &left_out)) ||
	    listing.count != 1)
		return false;
	text_init(&text, path, sizeof(path));
	text_str(&text, listing.names[0]);
	text_str(&text, "/dev");
	return text_ok(&text) && read_number(devices, path, number);
}

/*
 * A file system that reads blocks of one block device and of nothing else. Not FUSE, which has a block
 * device's number too and answers what its server likes; not overlayfs, which has none.
 */
static bool find_device(int fd, struct table_device *number)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return false;
	switch ((uint32_t)fs.f_type) {
	case BTRFS_SUPER_MAGIC:
		return find_btrfs_device(fd, number);
	case EROFS_SUPER_MAGIC_V1:
	case SQUASHFS_MAGIC:
	case EXT4_SUPER_MAGIC: /* ext2 and ext3 as well */
	case XFS_MAGIC:
		*number = (struct table_device){ major(st.st_dev), minor(st.st_dev) };
		return true;
	default:
		errno = 0;
		return false;
	}
}

static struct verdict check_verity(int usr_fd)
{
	struct table_device number;
	char line[TABLE_LINE_MAX];
	struct verdict v;

	errno = 0;
	if (!find_device(usr_fd, &number))
		return verdict_errno(REASON_ANCHOR_UNVERIFIED, errno);
	v = dm_verity_read(number, line);
	if (!is_accepted(v))
		return verdict_errno(REASON_ANCHOR_UNVERIFIED, v.sys_errno);
	if (!table_is_strict(line))
		return verdict(REASON_ANCHOR_UNVERIFIED);
	return verdict(REASON_ACCEPTED);
}

/* ---- the worker ---------------------------------------------------------------------------- */

struct order {
	int root_fd;
	const char *path;
	bool is_usr;
	struct trustdir *dir;
};

static void take_file(const struct place *place, const char *name, struct trustdir *dir)
{
	const size_t left = sizeof(dir->bytes) - dir->used;
	struct trustdir_file *file = &dir->files[dir->count];
	struct text text;

	if (left < TRUSTDIR_FILE_MAX) {
		dir->left_out++;
		return;
	}
	text_init(&text, file->name, sizeof(file->name));
	text_str(&text, name);
	file->at = dir->used;
	file->verdict = read_file(place, name, dir->bytes + file->at, TRUSTDIR_FILE_MAX,
				  &file->size);
	dir->used += file->size;
	dir->count++;
	worker_tick();
}

static void load(void *ctx, int channel)
{
	const struct order *order = ctx;
	struct place place = { .base_fd = order->root_fd, .path = order->path, .resolve = IN_ROOT };
	struct verdict v;

	if (order->is_usr) {
		place.base_fd = sys_openat2(order->root_fd, "usr", DIRECTORY_FLAGS, IN_ROOT);
		place.resolve = IN_MOUNT;
		order->dir->verified = check_verity(place.base_fd);
	}
	v = list_place(&place, &order->dir->left_out);
	for (size_t i = 0; i < place.listing.count && is_accepted(v); i++)
		take_file(&place, place.listing.names[i], order->dir);
	order->dir->opened = v;
	(void)worker_say(channel, -1);
}

/* ---- the parent ---------------------------------------------------------------------------- */

/* What it has read when it gets stuck is not all, and so it is nothing. */
static struct verdict load_by_worker(struct order *order)
{
	struct worker worker;
	struct worker_holds holds;
	enum worker_state state;
	struct verdict v = worker_start(&worker, load, order, &order->root_fd, 1);

	if (!is_accepted(v))
		return v;
	state = worker_wait(&worker);
	(void)worker_end(&worker, &holds);
	if (state == WORKER_HEARD)
		return order->dir->opened;
	return worker_silence(state);
}

/* The worker's word, which has to stay within its bounds whatever it says. */
static bool is_bounded(struct trustdir *dir)
{
	for (size_t i = 0; i < TRUSTDIR_NAMES_MAX; i++)
		dir->files[i].name[sizeof(dir->files[i].name) - 1] = '\0';
	return dir->count <= TRUSTDIR_NAMES_MAX;
}

struct trustdir *trustdir_load(int root_fd, const char *path, bool is_usr)
{
	struct trustdir *dir = worker_memory(sizeof(*dir));
	struct order order = { .root_fd = root_fd, .path = path, .is_usr = is_usr, .dir = dir };

	if (dir == NULL)
		return NULL;
	dir->opened = load_by_worker(&order);
	if (is_accepted(dir->opened) && !is_bounded(dir))
		dir->opened = verdict(REASON_SYSTEM_WORKER);
	if (!is_accepted(dir->opened))
		dir->count = 0;
	return dir;
}

void trustdir_free(struct trustdir *dir)
{
	worker_memory_free(dir, sizeof(*dir));
}

static struct verdict copy_file(const struct trustdir *dir, const struct trustdir_file *file,
				uint8_t bytes[TRUSTDIR_FILE_MAX], size_t *size)
{
	const uint32_t at = file->at, count = file->size;

	if (count > TRUSTDIR_FILE_MAX || at > sizeof(dir->bytes) || count > sizeof(dir->bytes) - at)
		return verdict(REASON_SYSTEM_WORKER);
	memcpy(bytes, dir->bytes + at, count);
	*size = count;
	return verdict(REASON_ACCEPTED);
}

struct verdict trustdir_read(const struct trustdir *dir, const char *name,
			     uint8_t bytes[TRUSTDIR_FILE_MAX], size_t *size)
{
	for (uint32_t i = 0; i < dir->count; i++) {
		const struct trustdir_file *file = &dir->files[i];

		if (strcmp(file->name, name) != 0)
			continue;
		return is_accepted(file->verdict) ? copy_file(dir, file, bytes, size) :
						    file->verdict;
	}
	return verdict_errno(REASON_ANCHOR_FILE, ENOENT);
}
