/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VEXT_CORE_CLAIM_H
#define VEXT_CORE_CLAIM_H

#include "vext.h"

/* The partition UUIDs are the first and the last 128 bits of the root hash (Discoverable Partitions). */
bool claim_uuids_fit(const struct claim *claim);

/* The root hash that they make, for an image that says nothing else about it. */
void claim_take_uuids(struct claim *claim);

/*
 * The parent's look at what came out of the jail, field by field, as far as claim->stage says that
 * there is something; the child may have been taken over. The layout is not looked at but made anew from
 * the partitions. system.jail-reply, or the reason of the rule that does not hold; claim->stage is then
 * the last one that does hold, so that whoever shows what was found meets no number that is out of range.
 * `image_size` in bytes. Not checked: where the table itself ends, as three sectors are the least, for
 * nothing depends on it; and whether the claim is true.
 */
struct verdict claim_check(struct claim *claim, uint64_t image_size, enum arch arch);

#endif
