/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hex.h"

#define NOT_A_DIGIT 16u

static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return NOT_A_DIGIT;
}

bool hex_decode(const char *text, size_t length, uint8_t *bytes, size_t size)
{
	if (length % 2 != 0 || length / 2 != size)
		return false;
	for (size_t i = 0; i < length; i++)
		if (digit_value(text[i]) == NOT_A_DIGIT)
			return false;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(digit_value(text[2 * i]) << 4 | digit_value(text[2 * i + 1]));
	return true;
}
