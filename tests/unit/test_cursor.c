/* SPDX-License-Identifier: Apache-2.0 */
/* core/cursor: nothing is handed out that is not there, and a failed take changes nothing. */
#include "core/cursor.h"
#include "test.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void assert_unmoved(struct cursor c, size_t left)
{
	assert_int_equal(c.left, left);
	assert_ptr_equal(c.at, bytes + sizeof(bytes) - left);
}

static void takes_all_and_no_more(void **state)
{
	struct cursor c = cursor_over(bytes, sizeof(bytes));
	const uint8_t *taken = NULL;

	(void)state;
	assert_true(cursor_take(&c, 4, &taken));
	assert_ptr_equal(taken, bytes);
	assert_false(cursor_take(&c, 6, &taken));
	assert_false(cursor_take(&c, SIZE_MAX, &taken));
	assert_ptr_equal(taken, bytes);
	assert_unmoved(c, 5);
	assert_true(cursor_take(&c, 5, &taken));
	assert_true(cursor_take(&c, 0, &taken));
	assert_false(cursor_take(&c, 1, &taken));
	assert_unmoved(c, 0);
}

static void copies_only_on_success(void **state)
{
	struct cursor c = cursor_over(bytes, 3);
	uint8_t to[4] = { 0xff, 0xff, 0xff, 0xff };

	(void)state;
	assert_false(cursor_copy(&c, to, 4));
	assert_int_equal(to[0], 0xff);
	assert_int_equal(c.left, 3);
	assert_true(cursor_copy(&c, to, 3));
	assert_int_equal(to[2], 3);
	assert_int_equal(to[3], 0xff);
}

static void skips_within_bounds(void **state)
{
	struct cursor c = cursor_over(bytes, sizeof(bytes));

	(void)state;
	assert_false(cursor_skip(&c, sizeof(bytes) + 1));
	assert_unmoved(c, sizeof(bytes));
	assert_true(cursor_skip(&c, sizeof(bytes)));
	assert_int_equal(c.left, 0);
}

static void reads_little_endian(void **state)
{
	struct cursor c = cursor_over(bytes, sizeof(bytes));
	uint64_t wide = 0;
	uint32_t u32 = 0;
	uint16_t u16 = 0;

	(void)state;
	assert_true(cursor_le16(&c, &u16));
	assert_int_equal(u16, 0x0201);
	assert_true(cursor_le32(&c, &u32));
	assert_int_equal(u32, 0x06050403);
	assert_true(cursor_le(&c, 3, &wide));
	assert_int_equal(wide, 0x090807);
	c = cursor_over(bytes, sizeof(bytes));
	assert_true(cursor_le64(&c, &wide));
	assert_int_equal(wide, 0x0807060504030201);
}

static void reads_no_partial_integer(void **state)
{
	struct cursor c = cursor_over(bytes + sizeof(bytes) - 1, 1);
	uint64_t u64 = 42;
	uint32_t u32 = 42;
	uint16_t u16 = 42;

	(void)state;
	assert_false(cursor_le16(&c, &u16));
	assert_false(cursor_le32(&c, &u32));
	assert_false(cursor_le64(&c, &u64));
	assert_int_equal(u16, 42);
	assert_int_equal(u32, 42);
	assert_int_equal(u64, 42);
	assert_unmoved(c, 1);
}

static void reads_no_integer_wider_than_64_bits(void **state)
{
	struct cursor c = cursor_over(bytes, sizeof(bytes));
	uint64_t wide = 42;

	(void)state;
	assert_false(cursor_le(&c, 9, &wide));
	assert_int_equal(wide, 42);
	assert_unmoved(c, sizeof(bytes));
}

static void compares_whole_ranges(void **state)
{
	struct cursor c = cursor_over(bytes, 3);

	(void)state;
	assert_true(cursor_equals(c, "\1\2\3", 3));
	assert_false(cursor_equals(c, "\1\2", 2));
	assert_false(cursor_equals(c, "\1\2\3\4", 4));
	assert_false(cursor_equals(c, "\1\2\4", 3));
	assert_true(cursor_equals(cursor_over(bytes, 0), "", 0));
}

static void knows_zeros(void **state)
{
	static const uint8_t zeros[5] = { 0 }, last[5] = { 0, 0, 0, 0, 1 };

	(void)state;
	assert_true(cursor_is_zero(cursor_over(zeros, 5)));
	assert_true(cursor_is_zero(cursor_over(bytes, 0)));
	assert_false(cursor_is_zero(cursor_over(last, 5)));
	assert_true(cursor_is_zero(cursor_over(last, 4)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_all_and_no_more),
		cmocka_unit_test(copies_only_on_success),
		cmocka_unit_test(skips_within_bounds),
		cmocka_unit_test(reads_little_endian),
		cmocka_unit_test(reads_no_partial_integer),
		cmocka_unit_test(reads_no_integer_wider_than_64_bits),
		cmocka_unit_test(compares_whole_ranges),
		cmocka_unit_test(knows_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
