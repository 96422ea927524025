/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold of a GPT before libblkid is let at it. libblkid reads as many entries as a header asks
 * for, falls back to the backup table and tolerates hybrid boot sectors; vext does none of these.
 *
 * Formats: UEFI Specification 2.10, 5.2.3 (protective MBR) and 5.3.2 (GPT header).
 */
#ifndef VEXT_CORE_GPT_H
#define VEXT_CORE_GPT_H

#include "vext.h"

struct gpt {
	uint32_t sector_size; /* bytes, 512 or 4096 */
	uint32_t entries;     /* in the array, used or not */
	uint64_t table_end;   /* first byte behind the primary entry array */
};

/*
 * Finds the one primary GPT of an image of `size` bytes. Accepted: exactly one of the two sector sizes
 * has a header in its sector 1, which is consistent in itself, fits into the image and asks for at most
 * 128 entries of 128 bytes right behind it, and the boot sector is a plain protective MBR. Not checked:
 * checksums, entries.
 */
struct verdict gpt_find(const struct reader *reader, uint64_t size, struct gpt *gpt);

/*
 * How many entries have a type. libblkid passes over those that it finds out of range without a word,
 * so its count is compared with this one.
 */
struct verdict gpt_count_used(const struct reader *reader, const struct gpt *gpt, uint32_t *used);

#endif
