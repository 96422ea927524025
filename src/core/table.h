/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the device mapper is told, as text: the name, the UUID and the dm-verity table line.
 *
 * The line is made of integers, constants and hex that vext encoded itself. No byte of an image is
 * copied into it: a verity superblock may call its algorithm "crc32c a117f60d - 0", and a kernel that
 * reads that as words of the line ignores the signed root hash.
 */
#ifndef VEXT_CORE_TABLE_H
#define VEXT_CORE_TABLE_H

#include "core/class.h"
#include "vext.h"

#define TABLE_SECTOR 512u /* bytes; what the device mapper counts in, whatever the disk has */
#define TABLE_TARGET "verity"

/*
 * Bytes with NUL: "1 M:M M:M 4096 4096 N 1 sha256 ROOT SALT 2 root_hash_sig_key_desc KEY", M of 10 digits,
 * N of 20, KEY as long as a device's name at most.
 */
#define TABLE_LINE_MAX 1024u
#define TABLE_NAME_MAX (sizeof("vext--01234567") + VEXT_NAME_MAX)
#define TABLE_UUID_MAX 129u /* DM_UUID_LEN */

struct table_device {
	uint32_t major;
	uint32_t minor;
};

/*
 * "vext-NAME-SERIAL", or "vext.NAME-SERIAL" of a confext, the serial in 8 hex digits. `name` has
 * passed name_check(). No two devices of one boot have the same name: what is left of an earlier
 * one is neither taken for a later one nor in its way.
 */
void table_name(enum extension_class class, const char *name, uint32_t serial,
		char out[TABLE_NAME_MAX]);

/*
 * Is this the name of a device of that extension, in whatever class? With NULL for `name`: of any
 * extension.
 */
bool table_is_name_of(const char *device, const char *name);

/* Is this the UUID that table_uuid() makes for that device, whatever the root hash? */
bool table_is_uuid_of(const char *uuid, const char *device);

/*
 * "CRYPT-VERITY-<first 32 hex digits of the root hash>-DEVICE", as veritysetup and udev know it. `device` is the
 * device's name, shorter than TABLE_NAME_MAX.
 */
void table_uuid(const uint8_t root_hash[VEXT_HASH_SIZE], const char *device,
		char out[TABLE_UUID_MAX]);

/* What dm-verity is asked for besides. */
struct table_options {
	const char *signature_key; /* description of the key with the PKCS#7; NULL: none */
	uint64_t superblock; /* its block of the tree's device; 0: the tree has one of its own */
	enum corruption corruption;
};

/*
 * The line for data and tree, in the canonical form that the kernel prints back: so what was loaded
 * can be compared with what is active, byte by byte.
 */
void table_verity(const struct facts *facts, struct table_device data, struct table_device tree,
		  const struct table_options *options, char line[TABLE_LINE_MAX]);

/*
 * Is this a dm-verity line that lets nothing unverified through? Version 1, SHA-256, SHA-384 or SHA-512, and
 * of the options none but those that keep every block checked at every time it is read from the disk: not
 * ignore_corruption, not check_at_most_once, none that is not known.
 */
bool table_is_strict(const char *line);

/* Are all the words the same up to the salt, so that the same is read, verified by the same tree? */
bool table_differs_in_options_only(const char *a, const char *b);

/* Length of the device in sectors of TABLE_SECTOR bytes. */
uint64_t table_sectors(const struct verity *verity);

#endif
