/* SPDX-License-Identifier: Apache-2.0 */
#include "assess.h"

#include <string.h>
#include <time.h>

uint64_t now_microseconds(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void assess(const struct image *image, const struct reading *reading, const struct reader *reader,
	    const struct anchors *anchors, const struct demands *demands, enum judge_depth depth,
	    uint64_t started, struct claim *claim, struct assessment *assessment)
{
	const struct origin origin = { .name = image->name, .directory = image->directory };

	memset(assessment, 0, sizeof(*assessment));
	assessment->verdict = probe_take(&reading->probed, image->size, VEXT_ARCH, claim);
	assessment->has_root_hash = claim->stage >= CLAIM_ENVELOPE;
	memcpy(assessment->root_hash, claim->root_hash, sizeof(assessment->root_hash));
	if (is_accepted(assessment->verdict))
		assessment->verdict = judge(anchors, &origin, demands, claim, reader, depth,
					    &assessment->space, &assessment->trusted);
	assessment->microseconds = now_microseconds() - started;
}
