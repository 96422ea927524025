/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a small erofs that holds directories and nothing else. It is the uppermost layer of an overlay (sys/shared.h
 * says why), and gives the directories that root and images share their mode, owner, time, SELinux label and ACL.
 *
 * In two steps, because the memory is the caller's:
 *
 *	size = erofs_layout(directories, count);	0: it can't be written
 *	bytes = ...					`size` bytes of zeros
 *	erofs_write(directories, count, bytes, size);
 *
 * Blocks of 4096 bytes, inodes of 64, no feature that a kernel would have to know, no checksum, and a UUID of zeros, which
 * an overlay without an upper layer does not look at. The same directories give the same bytes.
 *
 * Format: Linux fs/erofs/erofs_fs.h, Documentation/filesystems/erofs.rst.
 */
#ifndef VEXT_CORE_EROFS_H
#define VEXT_CORE_EROFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EROFS_BLOCK 4096u    /* bytes */
#define EROFS_INODE_SIZE 64u /* bytes */
#define EROFS_NAME_MAX 255u  /* bytes without NUL */
#define EROFS_DIRECTORIES_MAX (1u << 17)
/* Bytes, with their headers; an inode and its attributes are in one block. A value can have 4016 at most. */
#define EROFS_XATTRS_MAX (EROFS_BLOCK - EROFS_INODE_SIZE)

/* The extended attributes of one directory, as they stand behind its inode. Starts out as { .used = 0 }. */
struct erofs_xattrs {
	size_t used; /* bytes; 0: no attributes */
	uint8_t bytes[EROFS_XATTRS_MAX];
};

/*
 * Adds one attribute, with the value that getxattr(2) gives: user.*, trusted.*, security.*, system.posix_acl_access,
 * system.posix_acl_default. False, and nothing added, for another name, or if there is no room. The caller must not
 * add a name twice: that is not looked at.
 */
bool erofs_xattr_put(struct erofs_xattrs *xattrs, const char *name, const void *value, size_t size);

/*
 * A directory. In the array a parent stands before its children, and the root first; apart from that any order will
 * do. Names and attributes live as long as the calls.
 */
struct erofs_directory {
	const char *name; /* of the root: not looked at */
	uint32_t parent;  /* its place in the array; of the root: 0 */
	uint16_t mode;	  /* permissions; the type is known */
	uint32_t uid;
	uint32_t gid;
	int64_t mtime; /* seconds since 1970 */
	uint32_t mtime_nsec;
	const uint8_t *xattrs; /* of erofs_xattr_put() */
	uint32_t xattrs_size;

	/* Where it goes: erofs_layout() writes this for erofs_write(). */
	struct {
		uint32_t
			sorted; /* by parent and name, the directory that comes at this place of the array */
		uint32_t first; /* place of the first child in that order */
		uint32_t children;
		uint64_t inode; /* offset in the image, bytes */
		uint64_t
			entries; /* the same; right behind inode and attributes where all fit into the block */
		uint64_t size; /* of the entries, bytes */
	} place;
};

/*
 * The size of the image in bytes, a multiple of EROFS_BLOCK. 0 if there is none: no directory or too many, a parent
 * that does not stand before, a name that is empty, too long, ".", ".." or has a slash, a name twice, too many
 * attributes.
 */
uint64_t erofs_layout(struct erofs_directory directories[], size_t count);

/* `size` and `directories` are as erofs_layout() left them, `image` is zeros. */
void erofs_write(const struct erofs_directory directories[], size_t count, uint8_t *image,
		 uint64_t size);

#endif
