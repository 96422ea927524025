/* SPDX-License-Identifier: Apache-2.0 */
/* core/hex: lowercase, the exact length, all or nothing. */
#include "core/hex.h"
#include "test.h"

static bool decode(const char *text, uint8_t *bytes, size_t size)
{
	size_t length = strlen(text);
	char *copy = exact_copy(text, length);
	bool good = hex_decode(copy, length, bytes, size);

	free(copy);
	return good;
}

static void decodes_every_byte(void **state)
{
	static const char digits[] = "0123456789abcdef";

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		const char text[3] = { digits[i >> 4], digits[i & 15], 0 };
		uint8_t byte = (uint8_t)~i;

		assert_true(decode(text, &byte, 1));
		assert_int_equal(byte, i);
	}
}

static void refuses_every_other_character(void **state)
{
	(void)state;
	for (unsigned i = 1; i < 256; i++) {
		const char c = (char)i, first[3] = { c, '0', 0 }, second[3] = { '0', c, 0 };
		const bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
		uint8_t byte;

		assert_int_equal(decode(first, &byte, 1), is_digit);
		assert_int_equal(decode(second, &byte, 1), is_digit);
	}
	assert_false(hex_decode("0\0", 2, (uint8_t[1]){ 0 }, 1));
}

static void refuses_other_lengths(void **state)
{
	uint8_t bytes[4] = { 0 };

	(void)state;
	assert_false(decode("", bytes, 1));
	assert_false(decode("a", bytes, 1));
	assert_false(decode("abc", bytes, 1));
	assert_false(decode("abcd", bytes, 1));
	assert_false(decode("abcd", bytes, 3));
	assert_false(hex_decode("", SIZE_MAX, bytes, SIZE_MAX / 2));
	assert_true(decode("", bytes, 0));
}

static void writes_all_or_nothing(void **state)
{
	uint8_t bytes[3] = { 7, 7, 7 };

	(void)state;
	assert_false(decode("01020G", bytes, 3));
	assert_int_equal(bytes[0], 7);
	assert_int_equal(bytes[1], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_every_byte),
		cmocka_unit_test(refuses_every_other_character),
		cmocka_unit_test(refuses_other_lengths),
		cmocka_unit_test(writes_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
