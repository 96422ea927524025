/* SPDX-License-Identifier: Apache-2.0 */
/* Does an image have the partitions that it must and may have, and are they as they must be? */
#ifndef VEXT_CORE_DEMANDS_H
#define VEXT_CORE_DEMANDS_H

#include "core/policy.h"
#include "vext.h"

/* GPT attributes of the Discoverable Partitions Specification. */
#define ATTRIBUTE_GROWFS (UINT64_C(1) << 59)
#define ATTRIBUTE_READ_ONLY (UINT64_C(1) << 60)

/*
 * What the policy says of the partitions of a complete claim for `arch`, as systemd-dissect would, but
 * that vext merges nothing without verity:
 *  - the data must be allowed with "signed" or "verity" if the image carries a signature, and with
 *    "verity" if it does not (policy.unsigned, policy.use); "unprotected" is no alternative here;
 *  - the tree must be allowed to be used;
 *  - any other partition that is there must be allowed to be there, used or not (policy.forbidden), and one
 *    that is not there must be allowed to be absent (policy.missing);
 *  - the GPT attributes of what is there, and would be used, must be allowed (policy.attributes).
 * Whether a signature is good is not looked at. Every rule asks for one of some flags to be set in the
 * demands, so with fewer flags set no more images are accepted.
 */
struct verdict demands_check(const struct demands *demands, const struct claim *claim,
			     enum arch arch);

#endif
