/* SPDX-License-Identifier: Apache-2.0 */
#include "core/filesystem.h"

#include "core/cursor.h"

#define EROFS_OFFSET 1024u
#define EROFS_MAGIC 0xe0f5e1e2u
#define EROFS_INCOMPAT_DEVICES 8u /* device_table */
#define EROFS_INCOMPAT_48BIT 0x80u
#define EROFS_BLOCK_BITS_MIN 9u
#define EROFS_BLOCK_BITS_MAX 16u
/* The kernel reads no smaller blocks than the device has, which are VEXT_BLOCK, and no larger ones than a page. */
#define MOUNTABLE_BITS_MIN 12u
#define MOUNTABLE_BITS_MAX (VEXT_ARCH == ARCH_ARM64 ? EROFS_BLOCK_BITS_MAX : 12u)

_Static_assert(1u << MOUNTABLE_BITS_MIN == VEXT_BLOCK, "dm-verity's blocks");

#define SQUASHFS_MAGIC 0x73717368u
#define SQUASHFS_MAJOR 4u
#define SQUASHFS_MINOR 0u
#define SQUASHFS_BLOCK_LOG_MIN 12u
#define SQUASHFS_BLOCK_LOG_MAX 20u
#define SQUASHFS_COMPRESSION_MAX 6u /* 1 zlib, 2 lzma, 3 lzo, 4 xz, 5 lz4, 6 zstd */

static bool erofs(const uint8_t block[VEXT_BLOCK], uint64_t *block_bits, uint64_t *size)
{
	struct cursor c = cursor_over(block + EROFS_OFFSET, VEXT_BLOCK - EROFS_OFFSET);
	uint32_t magic, blocks_low, incompat;
	uint64_t bits, wide_root;
	uint16_t blocks_high;

	if (!cursor_is_zero(cursor_over(block, EROFS_OFFSET)))
		return false;
	if (!cursor_le32(&c, &magic) || magic != EROFS_MAGIC || /* 0 */
	    !cursor_skip(&c, 8) ||				/* 4: checksum, 8: feature_compat */
	    !cursor_le(&c, 1, &bits) || !cursor_skip(&c, 1) ||	/* 12: blkszbits, 13: sb_extslots */
	    !cursor_le16(&c, &blocks_high) ||			/* 14: rootnid_2b, or blocks_hi */
	    !cursor_skip(&c, 20) ||	     /* 16: inos, 24: epoch, 32: fixed_nsec */
	    !cursor_le32(&c, &blocks_low) || /* 36: blocks_lo */
	    !cursor_skip(&c, 40) || !cursor_le32(&c, &incompat) || /* 80: feature_incompat */
	    !cursor_skip(&c, 28) || !cursor_le64(&c, &wide_root))  /* 112: rootnid_8b */
		return false;
	/* Linux 5.19 to 6.3 open the other devices by the path that is in the image: their blocks nobody signed. */
	if (incompat & EROFS_INCOMPAT_DEVICES)
		return false;
	if (bits < EROFS_BLOCK_BITS_MIN || bits > EROFS_BLOCK_BITS_MAX)
		return false;
	*size = blocks_low;
	/* Only with the root's number at 112 are two bytes at 14 free for it. */
	if ((incompat & EROFS_INCOMPAT_48BIT) && wide_root != 0)
		*size |= (uint64_t)blocks_high << 32;
	*size <<= bits; /* at most 2^48 << 16, so nothing is lost */
	*block_bits = bits;
	return *size != 0;
}

/* Just what the kernel wants too: it is much of what tells a superblock from hashes (crypto/merkle.h). */
static bool squashfs(const uint8_t block[VEXT_BLOCK], uint64_t *size)
{
	struct cursor c = cursor_over(block, VEXT_BLOCK);
	uint32_t magic, block_size;
	uint16_t compression, block_log, major, minor;

	if (!cursor_le32(&c, &magic) || magic != SQUASHFS_MAGIC ||  /* 0 */
	    !cursor_skip(&c, 8) ||				    /* 4: inodes, 8: mkfs_time */
	    !cursor_le32(&c, &block_size) ||			    /* 12 */
	    !cursor_skip(&c, 4) ||				    /* 16: fragments */
	    !cursor_le16(&c, &compression) ||			    /* 20 */
	    !cursor_le16(&c, &block_log) ||			    /* 22 */
	    !cursor_skip(&c, 4) ||				    /* 24: flags, 26: no_ids */
	    !cursor_le16(&c, &major) || !cursor_le16(&c, &minor) || /* 28, 30 */
	    !cursor_skip(&c, 8) ||				    /* 32: root_inode */
	    !cursor_le64(&c, size))				    /* 40: bytes_used */
		return false;
	return block_log >= SQUASHFS_BLOCK_LOG_MIN && block_log <= SQUASHFS_BLOCK_LOG_MAX &&
	       block_size == 1u << block_log && compression >= 1 &&
	       compression <= SQUASHFS_COMPRESSION_MAX && major == SQUASHFS_MAJOR &&
	       minor == SQUASHFS_MINOR && *size != 0;
}

struct verdict filesystem_identify(const uint8_t block[VEXT_BLOCK], enum filesystem *type,
				   uint64_t *size)
{
	uint64_t found, bits;

	if (erofs(block, &bits, &found)) {
		if (bits < MOUNTABLE_BITS_MIN || bits > MOUNTABLE_BITS_MAX)
			return verdict(REASON_SUPERBLOCK_BLOCK);
		*type = FILESYSTEM_EROFS;
	} else if (squashfs(block, &found)) {
		*type = FILESYSTEM_SQUASHFS;
	} else {
		return verdict(REASON_POLICY_FILESYSTEM);
	}
	*size = found;
	return verdict(REASON_ACCEPTED);
}

const char *filesystem_name(enum filesystem type)
{
	switch (type) {
	case FILESYSTEM_EROFS:
		return "erofs";
	case FILESYSTEM_SQUASHFS:
		return "squashfs";
	}
	return "none";
}
