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

#include "vext.h"

#define TRUSTDIR_NAMES_MAX 256u	    /* files of a directory that are looked at */
#define TRUSTDIR_FILE_MAX 65536u    /* bytes of a file */
#define TRUSTDIR_BYTES_MAX 1048576u /* of all files of a directory */

struct trustdir_file {
	char name[256];		/* with NUL */
	struct verdict verdict; /* accepted: it was read */
	uint32_t at;		/* its bytes in struct trustdir */
	uint32_t size;
};

/*
 * A directory and what is in it, read by a worker (sys/worker.h): a link may lead to a disk that
 * does not answer.
 */
struct trustdir {
	/*
	 * system.read, system.memory, system.worker, or image.unresponsive: then nothing of it was
	 * read. An absent directory is an empty one.
	 */
	struct verdict opened;
	/*
	 * Of a /usr: is it on a dm-verity device, by the kernel's own word: the device number of
	 * the mount and the device's live table, not any name? One device, read-only, verified
	 * status, no option that lets a changed block pass (table_is_strict()).
	 * signature.anchor-unverified, with the errno if a question could not be asked. Whose root
	 * hash it is, is not asked: who boots the machine with another /usr has replaced it.
	 * Undecided where that could not even be asked.
	 */
	struct verdict verified;
	size_t left_out; /* files beyond the limits */
	uint32_t count;
	uint32_t used; /* of `bytes` */
	struct trustdir_file files[TRUSTDIR_NAMES_MAX];
	uint8_t bytes[TRUSTDIR_BYTES_MAX];
};

/*
 * Reads the files of `path` (no slash at its start) below the root, where links do not lead out of
 * the root; with is_usr of `path` below /usr of the root, where nothing leads out of the mount of
 * /usr. NULL and errno without memory. To be freed by trustdir_free().
 */
struct trustdir *trustdir_load(int root_fd, const char *path, bool is_usr);
void trustdir_free(struct trustdir *dir);

/*
 * One of its files whole: regular, of at most TRUSTDIR_FILE_MAX bytes. signature.anchor-file with
 * the errno, system.read, system.worker.
 */
struct verdict trustdir_read(const struct trustdir *dir, const char *name,
			     uint8_t bytes[TRUSTDIR_FILE_MAX], size_t *size);

#endif
