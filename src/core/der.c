/* SPDX-License-Identifier: Apache-2.0 */
#include "core/der.h"

#define TAG_CONSTRUCTED 0x20u
#define TAG_NUMBER 0x1fu /* all ones: the number follows in further bytes, never needed here */

/* X.690 10.1: the short form up to 127, otherwise the fewest bytes. At most four are read. */
static bool take_length(struct cursor *c, size_t *length)
{
	const uint8_t *first, *bytes;
	size_t count, sum = 0;

	if (!cursor_take(c, 1, &first))
		return false;
	if (*first < 0x80) {
		*length = *first;
		return true;
	}
	count = *first & 0x7fu;
	if (count == 0 || count > 4 || !cursor_take(c, count, &bytes) || bytes[0] == 0)
		return false;
	for (size_t i = 0; i < count; i++)
		sum = sum << 8 | bytes[i];
	*length = sum;
	return sum >= 0x80;
}

bool der_next(struct cursor *c, struct der *value)
{
	struct cursor rest = *c;
	struct der found;
	const uint8_t *tag, *body;
	size_t length;

	if (!cursor_take(&rest, 1, &tag) || (*tag & TAG_NUMBER) == TAG_NUMBER)
		return false;
	if (!take_length(&rest, &length) || !cursor_take(&rest, length, &body))
		return false;
	found.tag = *tag;
	found.body = cursor_over(body, length);
	found.whole = cursor_over(c->at, c->left - rest.left);
	*value = found;
	*c = rest;
	return true;
}

bool der_is_next(struct cursor c, uint8_t tag)
{
	return c.left > 0 && c.at[0] == tag;
}

bool der_take(struct cursor *c, uint8_t tag, struct cursor *body)
{
	struct der value;

	if (!der_is_next(*c, tag) || !der_next(c, &value))
		return false;
	*body = value.body;
	return true;
}

/* X.690 8.3.2: the first nine bits are neither all zeros nor all ones. */
static bool is_shortest_integer(struct cursor body)
{
	if (body.left == 0)
		return false;
	if (body.left == 1)
		return true;
	return !(body.at[0] == 0x00 && body.at[1] < 0x80) &&
	       !(body.at[0] == 0xff && body.at[1] >= 0x80);
}

static bool is_strict_primitive(const struct der *value)
{
	switch (value->tag) {
	case DER_BOOLEAN:
		return value->body.left == 1 &&
		       (value->body.at[0] == 0x00 || value->body.at[0] == 0xff);
	case DER_INTEGER:
		return is_shortest_integer(value->body);
	case DER_NULL:
		return value->body.left == 0;
	case DER_OID:
		return value->body.left > 0;
	default:
		return true;
	}
}

/* Walks all values at one go; `open[depth]` is what remains of each constructed value around. */
bool der_is_strict(struct cursor c)
{
	struct cursor open[DER_DEPTH_MAX + 1];
	size_t depth = 0;
	struct der value;

	open[0] = c;
	for (;;) {
		while (open[depth].left == 0) {
			if (depth == 0)
				return true;
			depth--;
		}
		if (!der_next(&open[depth], &value) || !is_strict_primitive(&value))
			return false;
		if (!(value.tag & TAG_CONSTRUCTED))
			continue;
		if (depth == DER_DEPTH_MAX)
			return false;
		open[++depth] = value.body;
	}
}
