/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit tests share: cmocka with what it needs before it, and a few assertions about verdicts. */
#ifndef VEXT_TEST_H
#define VEXT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vext.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Names, so that a failure says more than two numbers. */
#define assert_reason(found, symbol) \
	assert_string_equal(reason_name((found).reason), reason_name(REASON_##symbol))

#define assert_refused_at(found, symbol, offset)   \
	do {                                       \
		const struct verdict v_ = (found); \
		assert_reason(v_, symbol);         \
		assert_int_equal(v_.at, (offset)); \
	} while (0)

/* A copy in a buffer of just that size, so that the sanitizer sees a read beyond it. */
static inline void *exact_copy(const void *bytes, size_t size)
{
	void *copy = malloc(size > 0 ? size : 1);

	assert_non_null(copy);
	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

static inline void put_le(uint8_t *to, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

/* An image in memory. It counts how often it is read, and fails at some reads when asked to. */
struct memory {
	const uint8_t *bytes;
	uint64_t size;
	uint64_t reads;
	uint64_t fail_from; /* number of the read, from 1; 0: never */
	uint64_t fail_to;   /* the last one that fails; 0: all from there on */
};

static inline struct verdict memory_read(void *ctx, uint64_t offset, void *buf, size_t size)
{
	struct memory *memory = ctx;

	memory->reads++;
	if (memory->fail_from != 0 && memory->reads >= memory->fail_from &&
	    (memory->fail_to == 0 || memory->reads <= memory->fail_to))
		return verdict_errno(REASON_SYSTEM_READ, 5);
	if (offset > memory->size || size > memory->size - offset)
		return verdict_at(REASON_IMAGE_TRUNCATED, offset);
	memcpy(buf, memory->bytes + offset, size);
	return verdict(REASON_ACCEPTED);
}

static inline struct reader memory_reader(struct memory *memory)
{
	return (struct reader){ .read = memory_read, .ctx = memory };
}

#endif
