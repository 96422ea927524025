/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories with certificates and lists: what lies in them, and whether the /usr they are in is one
 * that dm-verity protects.
 *
 * Links stay inside the root, and for /usr inside the very mount of /usr: what a certificate of a verified
 * /usr points to elsewhere is not what was verified.
 */
#ifndef VEXT_SYS_TRUSTDIR_H
#define VEXT_SYS_TRUSTDIR_H

#include "sys/listing.h"
#include "vext.h"

#define TRUSTDIR_NAMES_MAX 256u	 /* files of a directory that are looked at */
#define TRUSTDIR_FILE_MAX 65536u /* bytes of a file */

/* A directory that was listed. */
struct trustdir {
	int base_fd;	  /* the root, or its /usr; -1: none */
	const char *path; /* below that */
	uint64_t resolve;
	struct listing listing;
	size_t left_out; /* names beyond TRUSTDIR_NAMES_MAX */
};

#define TRUSTDIR_NONE ((struct trustdir){ .base_fd = -1 })

/*
 * Lists `path` (no slash at its start; lives as long as `dir`) below the root, where links do not lead out
 * of the root. An absent directory is an empty one. system.read, system.memory. To be closed by the caller
 * in either case.
 */
struct verdict trustdir_open(int root_fd, const char *path, struct trustdir *dir);

/* The same for `path` below /usr of the root, where nothing leads out of the mount of /usr. */
struct verdict trustdir_open_usr(int root_fd, const char *path, struct trustdir *dir);

void trustdir_close(struct trustdir *dir);

/*
 * Reads one of its files whole: regular, of at most TRUSTDIR_FILE_MAX bytes. signature.anchor-file with the
 * errno, system.read.
 */
struct verdict trustdir_read(const struct trustdir *dir, const char *name,
			     uint8_t bytes[TRUSTDIR_FILE_MAX], size_t *size);

/*
 * Is that directory, opened by trustdir_open_usr(), on a dm-verity device, by the kernel's own word: the
 * device number of the mount and the device's live table, not any name? One device, read-only, verified
 * status, no option that lets a changed block pass (table_is_strict()). signature.anchor-unverified, with
 * the errno if a question could not be asked.
 *
 * Whose root hash it is, is not asked: who boots the machine with another /usr has replaced it.
 */
struct verdict trustdir_check_verity(const struct trustdir *dir);

#endif
