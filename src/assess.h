/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a worker has read of an image to its verdict. What verify, inspect and boot have in
 * common.
 */
#ifndef VEXT_ASSESS_H
#define VEXT_ASSESS_H

#include "crypto/anchors.h"
#include "crypto/judge.h"
#include "reading.h"
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
 * `reader` is one of `reading`, or around one. `claim` is written as far as its stage says.
 * `started`, of now_microseconds(), is when the worker was.
 */
void assess(const struct image *image, const struct reading *reading, const struct reader *reader,
	    const struct anchors *anchors, const struct demands *demands, enum judge_depth depth,
	    uint64_t started, struct claim *claim, struct assessment *assessment);

/* Microseconds of CLOCK_BOOTTIME. */
uint64_t now_microseconds(void);

#endif
