/* SPDX-License-Identifier: Apache-2.0 */
#include "core/demands.h"

#include "core/layout.h"

/* What a partition that is there counts as. A signature that is there is used: it is checked. */
static uint32_t ways_of_being(enum partition_kind kind, bool is_signed)
{
	switch (kind) {
	case KIND_DATA:
		return is_signed ? POLICY_SIGNED | POLICY_VERITY : POLICY_VERITY;
	case KIND_TREE:
	case KIND_SIGNATURE:
		return POLICY_UNPROTECTED;
	case KIND_OTHER:
		break;
	}
	return POLICY_OPEN & ~POLICY_ABSENT;
}

/* Why there is no way for this partition to be there. */
static enum reason reason_against(uint32_t flags, enum partition_kind kind)
{
	if (kind == KIND_DATA && flags & POLICY_SIGNED)
		return REASON_POLICY_UNSIGNED;
	return kind == KIND_DATA || kind == KIND_TREE ? REASON_POLICY_USE : REASON_POLICY_FORBIDDEN;
}

static bool has_allowed_attributes(uint32_t flags, uint64_t attributes)
{
	uint32_t read_only = attributes & ATTRIBUTE_READ_ONLY ? POLICY_READ_ONLY_ON :
								POLICY_READ_ONLY_OFF;
	uint32_t growfs = attributes & ATTRIBUTE_GROWFS ? POLICY_GROWFS_ON : POLICY_GROWFS_OFF;

	return flags & read_only && flags & growfs;
}

static struct verdict check_present(uint32_t flags, const struct partition *partition,
				    enum partition_kind kind, bool is_signed)
{
	if (!(flags & ways_of_being(kind, is_signed)))
		return verdict_at(reason_against(flags, kind), partition->extent.offset);
	/* of what is to be left alone, attributes don't matter */
	if (flags & POLICY_OPEN & ~POLICY_IGNORE &&
	    !has_allowed_attributes(flags, partition->attributes))
		return verdict_at(REASON_POLICY_ATTRIBUTES, partition->extent.offset);
	return verdict(REASON_ACCEPTED);
}

static struct verdict check_absent(const struct demands *demands, uint32_t present)
{
	for (uint32_t i = 0; i < DESIGNATORS; i++)
		if (!(present & 1u << i) && !(demands->flags[i] & POLICY_ABSENT))
			return verdict(REASON_POLICY_MISSING);
	return verdict(REASON_ACCEPTED);
}

struct verdict demands_check(const struct demands *demands, const struct claim *claim,
			     enum arch arch)
{
	uint32_t present = 0;
	struct verdict v;

	for (uint32_t i = 0; i < claim->partition_count; i++) {
		const struct partition *partition = &claim->partitions[i];
		const struct partition_type *type = partition_type(partition->type);

		if (!type || (type->kind != KIND_OTHER && type->arch != arch))
			continue;
		present |= 1u << type->designator;
		v = check_present(demands->flags[type->designator], partition, type->kind,
				  claim_is_signed(claim));
		if (!is_accepted(v))
			return v;
	}
	return check_absent(demands, present);
}
