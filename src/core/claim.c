/* SPDX-License-Identifier: Apache-2.0 */
#include "core/claim.h"

#include <string.h>

#include "core/layout.h"
#include "core/verity.h"

bool claim_uuids_fit(const struct claim *claim)
{
	return memcmp(claim->layout.data_uuid, claim->root_hash, 16) == 0 &&
	       memcmp(claim->layout.tree_uuid, claim->root_hash + 16, 16) == 0;
}

void claim_take_uuids(struct claim *claim)
{
	memcpy(claim->root_hash, claim->layout.data_uuid, 16);
	memcpy(claim->root_hash + 16, claim->layout.tree_uuid, 16);
}

static bool is_stage(enum claim_stage stage)
{
	return stage >= CLAIM_EMPTY && stage <= CLAIM_COMPLETE;
}

/* A table counts in sectors, and a name ends. */
static bool is_partition(const struct partition *partition, uint32_t sector_size)
{
	return partition->extent.offset % sector_size == 0 &&
	       partition->extent.size % sector_size == 0 &&
	       memchr(partition->name, 0, sizeof(partition->name)) != NULL;
}

static bool is_table(const struct claim *claim)
{
	if (claim->sector_size != 512 && claim->sector_size != 4096)
		return false;
	if (claim->partition_count > VEXT_GPT_ENTRIES_MAX)
		return false;
	for (uint32_t i = 0; i < claim->partition_count; i++)
		if (!is_partition(&claim->partitions[i], claim->sector_size))
			return false;
	return true;
}

static bool is_envelope(const struct claim *claim)
{
	return claim_is_signed(claim) == (claim->signature_size >= 1) &&
	       claim->signature_size <= VEXT_PKCS7_MAX && claim->has_fingerprint <= 1;
}

static struct verdict reply_if(bool good)
{
	return verdict(good ? REASON_ACCEPTED : REASON_SYSTEM_JAIL_REPLY);
}

/* What a stage adds; those before it have passed. */
static struct verdict check_stage(struct claim *claim, enum claim_stage stage, uint64_t image_size,
				  enum arch arch)
{
	switch (stage) {
	case CLAIM_EMPTY:
		return reply_if(true);
	case CLAIM_TABLE:
		return reply_if(is_table(claim));
	case CLAIM_LAYOUT:
		/* The shortest table there is: two sectors and one entry array sector. */
		return layout_select(claim->partitions, claim->partition_count,
				     3 * (uint64_t)claim->sector_size, image_size, arch,
				     &claim->layout);
	case CLAIM_ENVELOPE:
		if (is_envelope(claim) && !claim_uuids_fit(claim))
			return verdict(REASON_GPT_UUID);
		return reply_if(is_envelope(claim));
	case CLAIM_COMPLETE:
		return verity_check(&claim->verity, claim->layout.data.size,
				    claim->layout.tree.size);
	}
	return reply_if(false);
}

struct verdict claim_check(struct claim *claim, uint64_t image_size, enum arch arch)
{
	const enum claim_stage said = claim->stage;

	claim->stage = CLAIM_EMPTY;
	if (!is_stage(said))
		return verdict(REASON_SYSTEM_JAIL_REPLY);
	for (enum claim_stage next = CLAIM_EMPTY; next <= said; next++) {
		struct verdict v = check_stage(claim, next, image_size, arch);

		if (!is_accepted(v))
			return v;
		claim->stage = next;
	}
	return verdict(REASON_ACCEPTED);
}
