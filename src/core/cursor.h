/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded cursor: the only way vext takes untrusted bytes apart. Every take checks what is left,
 * hands out, advances; no caller does pointer arithmetic. A failed take changes nothing.
 */
#ifndef VEXT_CORE_CURSOR_H
#define VEXT_CORE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *at;
	size_t left; /* bytes */
};

static inline struct cursor cursor_over(const void *bytes, size_t size)
{
	return (struct cursor){ .at = bytes, .left = size };
}

/* The next `size` bytes, without copying; *taken lives as long as the buffer below the cursor. */
static inline bool cursor_take(struct cursor *c, size_t size, const uint8_t **taken)
{
	if (size > c->left)
		return false;
	*taken = c->at;
	c->at += size;
	c->left -= size;
	return true;
}

static inline bool cursor_skip(struct cursor *c, size_t size)
{
	const uint8_t *skipped;

	return cursor_take(c, size, &skipped);
}

static inline bool cursor_copy(struct cursor *c, void *to, size_t size)
{
	const uint8_t *from;

	if (!cursor_take(c, size, &from))
		return false;
	memcpy(to, from, size);
	return true;
}

/* Little-endian integer of 1 to 8 bytes. */
static inline bool cursor_le(struct cursor *c, size_t size, uint64_t *value)
{
	const uint8_t *from;
	uint64_t sum = 0;

	if (size > sizeof(sum) || !cursor_take(c, size, &from))
		return false;
	for (size_t i = size; i > 0; i--)
		sum = sum << 8 | from[i - 1];
	*value = sum;
	return true;
}

static inline bool cursor_le16(struct cursor *c, uint16_t *value)
{
	uint64_t wide;

	if (!cursor_le(c, sizeof(*value), &wide))
		return false;
	*value = (uint16_t)wide;
	return true;
}

static inline bool cursor_le32(struct cursor *c, uint32_t *value)
{
	uint64_t wide;

	if (!cursor_le(c, sizeof(*value), &wide))
		return false;
	*value = (uint32_t)wide;
	return true;
}

static inline bool cursor_le64(struct cursor *c, uint64_t *value)
{
	return cursor_le(c, sizeof(*value), value);
}

/* Are the two ranges of bytes the same? */
static inline bool cursor_equals(struct cursor c, const void *bytes, size_t size)
{
	return c.left == size && memcmp(c.at, bytes, size) == 0;
}

/* Is every byte left NUL? True of an empty cursor. */
static inline bool cursor_is_zero(struct cursor c)
{
	for (size_t i = 0; i < c.left; i++)
		if (c.at[i] != 0)
			return false;
	return true;
}

#endif
