/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first station: a file, opened once. The descriptor made here is the one that is parsed, judged
 * and given to the loop device; nothing opens the path again.
 */
#ifndef VEXT_SYS_IMAGE_H
#define VEXT_SYS_IMAGE_H

#include "core/class.h"
#include "core/origin.h"
#include "vext.h"

struct image {
	char name[VEXT_NAME_MAX + 1]; /* has passed name_check() */
	int fd;			      /* read-only, close-on-exec; -1: none in this process */
	int channel;   /* in which the descriptor waits (sys/worker.h) for who needs it; -1: none */
	uint64_t size; /* bytes, a positive multiple of 512, at most VEXT_IMAGE_SIZE_MAX */
	char path[ORIGIN_PATH_MAX]; /* in the root, as image_path_in_root() has it */
	/* Where it was discovered, and as what; NULL: it was not. Whoever opens it sets these. */
	const char *directory;
	enum extension_class class;
};

#define IMAGE_NONE ((struct image){ .fd = -1, .channel = -1, .class = CLASS_UNKNOWN })

enum image_types {
	IMAGE_FILES = 1,	     /* regular files */
	IMAGE_FILES_AND_DEVICES = 2, /* block devices too */
};

/*
 * Opens `path` inside the directory `root_fd`: links, also absolute ones and "..", never lead out of
 * it, magic links of /proc are not followed. A FIFO or device is recognised before it is opened, so
 * nothing hangs and nothing is set off.
 *
 * `name` is the extension's name; NULL takes it from the last part of the path. On failure (image.*)
 * `image` is left as it was; on success the caller closes it.
 */
struct verdict image_open_in_root(int root_fd, const char *path, const char *name,
				  enum image_types types, struct image *image);

/*
 * The name that an image opened by this path gets: `name`, or NULL: by the last part of the path.
 * image.name.
 */
struct verdict image_name(const char *path, const char *name, char out[VEXT_NAME_MAX + 1]);

/* The same for a path that the user named: relative to the working directory, links are followed. */
struct verdict image_open_path(const char *path, const char *name, struct image *image);

/*
 * The path that the open image has in the root, links followed: what "/etc/extensions/x.raw" leads to. "" if that
 * can't be found out, or is nothing that origin_is_plain() takes.
 */
void image_path_in_root(struct image *image, int root_fd);

void image_close(struct image *image);

/*
 * Reads up to `size` bytes from byte `offset` on, and returns how many came. Fewer: `*why` says
 * what was wrong behind them (image.truncated, system.read).
 */
size_t image_read(const struct image *image, uint64_t offset, void *buf, size_t size,
		  struct verdict *why);

/*
 * A reader of the image, for as long as `image` stays open and in place. image.truncated when the file
 * is shorter than it was, or `offset + size` is beyond it; system.read with the errno otherwise.
 */
struct reader image_reader(struct image *image);

#endif
