/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel command line asks "vext open" for, in Flatcar's words or in systemd's:
 *
 *   verity.usr=PLACE verity.usrhash=HASH
 *	one partition: a file system, and behind it superblock and tree. The device is called usr.
 *	Source: flatcar/bootengine, minimal-init.
 *   usrhash=HASH, roothash=HASH
 *	two partitions, with superblock and tree in the second; their UUIDs are the first and the last 128 bits of
 *	the hash, unless systemd.verity_usr_data= and systemd.verity_usr_hash= (…_root_…) name other places;
 *	systemd.verity_usr_options= is a list of panic-on-corruption, restart-on-corruption, hash-offset=BYTES.
 *	The devices are called usr and root. Source: systemd-veritysetup-generator(8).
 *   rd.earlytimeout=SECONDS
 *	how long a partition is waited for. Source: flatcar/bootengine, minimal-init.
 *
 * A word with an empty value counts as not there; everything else that is not understood is refused, for what it
 * may have meant is to verify.
 */
#ifndef VEXT_CORE_OPEN_H
#define VEXT_CORE_OPEN_H

#include "vext.h"

#define OPEN_REQUESTS_MAX 2u /* usr and root */
#define OPEN_PLACE_MAX 128u  /* bytes with NUL */
#define OPEN_SECONDS 300u /* that a partition is waited for, where nothing is said; Flatcar's too */
#define OPEN_SECONDS_MAX 3600u

enum open_by {
	OPEN_BY_PATH = 1,
	OPEN_BY_PARTUUID,
	OPEN_BY_PARTLABEL,
};

struct open_place {
	enum open_by by;
	char text
		[OPEN_PLACE_MAX]; /* a path that begins with /dev/; a UUID in lower case; a label */
};

struct open_request {
	const char *name; /* of the device */
	uint8_t root_hash[VEXT_HASH_SIZE];
	struct open_place data;
	struct open_place tree; /* may be the same */
	bool is_behind; /* the superblock stands behind the file system, in the one partition */
	uint64_t
		superblock; /* else: where it is in the tree's partition, a multiple of VEXT_BLOCK */
	enum corruption corruption;
};

struct open_asked {
	uint32_t count; /* 0: nothing is asked for */
	struct open_request requests[OPEN_REQUESTS_MAX];
	uint32_t seconds;
};

/*
 * Reads the command line; `asked` is written on success only. kernel.open-value, kernel.open-twice,
 * kernel.open-partial, with `at` a byte of the command line.
 */
struct verdict open_parse(const char *bytes, size_t size, struct open_asked *asked);

/* The place of a partition with this UUID: 36 characters, in lower case. */
void open_place_of_uuid(const uint8_t uuid[16], struct open_place *place);

/* How a place is called: "PARTUUID=…", "/dev/…". `text` has room for OPEN_PLACE_MAX + 10 bytes. */
struct text;
void open_describe(const struct open_place *place, struct text *text);

/*
 * Where the superblock is in a partition that holds file system and tree: behind an ext2, ext3 or ext4, by its
 * own, unverified, word; and where Flatcar has it for any other. `start` is the partition's first
 * OPEN_START_SIZE bytes.
 */
#define OPEN_START_SIZE 2048u
uint64_t open_superblock_behind(const uint8_t start[OPEN_START_SIZE]);

/*
 * Does a verified first block look as that of a file system? Its first 32 bytes, which would be a hash if it
 * were a block of the tree, are zeros (ext4, btrfs, erofs), or begin as those of a squashfs or XFS do. This is what
 * crypto/merkle.h takes for granted.
 */
bool open_is_filesystem(const uint8_t block[VEXT_BLOCK]);

#endif
