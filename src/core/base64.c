/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base64.h"

#define DIGITS_MAX 4u /* in a group, which is three bytes */

static bool read_digit(uint8_t c, uint32_t *digit)
{
	if (c >= 'A' && c <= 'Z')
		*digit = c - 'A';
	else if (c >= 'a' && c <= 'z')
		*digit = c - 'a' + 26u;
	else if (c >= '0' && c <= '9')
		*digit = c - '0' + 52u;
	else if (c == '+' || c == '/')
		*digit = c == '+' ? 62 : 63;
	else
		return false;
	return true;
}

struct group {
	uint32_t bits; /* the last digit is the lowest */
	size_t digits, padding;
};

/* Of four digits three bytes, of three with "=" two, of two with "==" one; what is over is zero. */
static bool put_group(const struct group *group, uint8_t *to, size_t room, size_t *size)
{
	const size_t count = group->digits - 1;
	const uint32_t bits = group->bits << 6 * group->padding;

	if (group->digits < 2 || room - *size < count || bits & ((1u << 8 * (3 - count)) - 1))
		return false;
	for (size_t i = 0; i < count; i++)
		to[(*size)++] = (uint8_t)(bits >> (16 - 8 * i));
	return true;
}

static bool add_character(struct group *group, uint8_t c)
{
	uint32_t digit = 0;

	if (c == '=') {
		group->padding++;
		return true;
	}
	if (group->padding > 0 || !read_digit(c, &digit))
		return false;
	group->bits = group->bits << 6 | digit;
	group->digits++;
	return true;
}

bool base64_decode(struct cursor text, const char *ignored, uint8_t *to, size_t room, size_t *size)
{
	struct group group = { 0 };
	bool is_last = false;
	size_t used = 0;

	for (; text.left > 0; cursor_skip(&text, 1)) {
		if (*text.at != 0 && strchr(ignored, *text.at))
			continue;
		if (is_last || !add_character(&group, *text.at))
			return false;
		if (group.digits + group.padding < DIGITS_MAX)
			continue;
		if (!put_group(&group, to, room, &used))
			return false;
		is_last = group.padding > 0;
		group = (struct group){ 0 };
	}
	if (group.digits + group.padding != 0)
		return false;
	*size = used;
	return true;
}
