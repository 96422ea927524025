/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which file system, and how large by its own account. The block given must be authenticated already:
 * the answer is used to bound what verity covers, not to parse the file system.
 *
 * What is accepted is narrower than the magic numbers, so that no block of a hash tree passes for the
 * start of a file system (crypto/merkle.h): an erofs has zeros in the 1024 bytes before its
 * superblock, as mkfs.erofs writes them; a squashfs has the version, a compression and a block size that
 * Linux mounts. No block is both.
 *
 * Formats: Linux fs/erofs/erofs_fs.h (struct erofs_super_block, at byte 1024; with the 48-bit layout of
 * Linux 6.15), fs/squashfs/squashfs_fs.h (struct squashfs_super_block, at byte 0).
 */
#ifndef VEXT_CORE_FILESYSTEM_H
#define VEXT_CORE_FILESYSTEM_H

#include "vext.h"

/*
 * policy.filesystem for anything else, a superblock whose size makes no sense, or an erofs with blocks on other devices; superblock.block for an erofs that the
 * kernel cannot mount on a verity device, as its blocks are smaller than that device's or larger than a page
 * (which is 4096 bytes on x86-64, and on arm64 at most 65536). Size in bytes.
 */
struct verdict filesystem_identify(const uint8_t block[VEXT_BLOCK], enum filesystem *type,
				   uint64_t *size);

/* "erofs", "squashfs": the kernel's name of the type. */
const char *filesystem_name(enum filesystem type);

#endif
