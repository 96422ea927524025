/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a list of partitions to the one data / verity / verity-signature triple.
 * Type UUIDs: UAPI Group, Discoverable Partitions Specification.
 */
#ifndef VEXT_CORE_LAYOUT_H
#define VEXT_CORE_LAYOUT_H

#include "core/policy.h"
#include "vext.h"

enum partition_kind {
	KIND_DATA = 1,
	KIND_TREE = 2,
	KIND_SIGNATURE = 3,
	KIND_OTHER = 4, /* a type that policies know and vext has no use for */
};

/* What a type UUID means. KIND_OTHER has no architecture and no role. */
struct partition_type {
	uint8_t uuid[16];
	enum arch arch;
	enum role role;
	enum partition_kind kind;
	enum designator designator;
};

/* NULL for a type that image policies don't know. */
const struct partition_type *partition_type(const uint8_t uuid[16]);

/*
 * Chooses the triple for `arch`. `partitions` are as libblkid told them, `image_size` and `table_end`
 * in bytes. Guaranteed on success: all partitions lie behind the table and inside the image, none
 * overlaps another, there is exactly one of data and tree and at most one signature, all of one role, none
 * of the other, and the signature is no larger than VEXT_ENVELOPE_MAX. Partitions of other types are left
 * alone.
 */
struct verdict layout_select(const struct partition *partitions, uint32_t count, uint64_t table_end,
			     uint64_t image_size, enum arch arch, struct layout *layout);

#endif
