/* SPDX-License-Identifier: Apache-2.0 */
/* From an open image to its verdict: probe, then judge. What verify, inspect and boot have in common. */
#ifndef VEXT_ASSESS_H
#define VEXT_ASSESS_H

#include "crypto/anchors.h"
#include "crypto/judge.h"
#include "sys/image.h"
#include "vext.h"

/* About 18 KB. Do not copy: `trusted` points into `space`. */
struct assessment {
	struct verdict verdict;
	bool has_root_hash;
	uint8_t root_hash[VEXT_HASH_SIZE]; /* as claimed; signed only if accepted */
	const struct trusted *trusted;	   /* NULL unless accepted */
	uint64_t microseconds;
	struct trusted_space space;
};

/*
 * `claim` is room for what the image says of itself, and holds that afterwards: also while `reader` reads the image for
 * the check of its blocks.
 */
void assess(const struct image *image, const struct reader *reader, const struct anchors *anchors,
	    const struct demands *demands, enum judge_depth depth, struct claim *claim,
	    struct assessment *assessment);

/* Microseconds of CLOCK_BOOTTIME. */
uint64_t now_microseconds(void);

#endif
