/* SPDX-License-Identifier: Apache-2.0 */
/* core/der: what X.690 calls distinguished, and nothing else. */
#include "core/der.h"
#include "test.h"

#define BYTES(...) ((const uint8_t[]){ __VA_ARGS__ })
#define IS_STRICT(...) is_strict(BYTES(__VA_ARGS__), sizeof(BYTES(__VA_ARGS__)))
#define IS_VALUE(...) is_value(BYTES(__VA_ARGS__), sizeof(BYTES(__VA_ARGS__)))

static bool is_strict(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = exact_copy(bytes, size);
	bool strict = der_is_strict(cursor_over(copy, size));

	free(copy);
	return strict;
}

/* One value that takes up all of the bytes? A refused one must not move the cursor. */
static bool is_value(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = exact_copy(bytes, size);
	struct cursor c = cursor_over(copy, size);
	struct der value;
	bool good = der_next(&c, &value);

	if (good) {
		assert_ptr_equal(value.whole.at, copy);
		assert_ptr_equal(value.body.at + value.body.left,
				 value.whole.at + value.whole.left);
		good = c.left == 0;
	} else {
		assert_ptr_equal(c.at, copy);
		assert_int_equal(c.left, size);
	}
	free(copy);
	return good;
}

static void takes_short_lengths(void **state)
{
	uint8_t bytes[2 + 127] = { DER_OCTET_STRING, 127 };

	(void)state;
	assert_true(IS_VALUE(DER_OCTET_STRING, 0));
	assert_true(IS_VALUE(DER_OCTET_STRING, 1, 42));
	assert_true(is_value(bytes, sizeof(bytes)));
	assert_false(is_value(bytes, sizeof(bytes) - 1));
}

static void takes_long_lengths(void **state)
{
	static uint8_t bytes[5 + 65536] = { DER_OCTET_STRING, 0x81, 0x80 };

	(void)state;
	assert_true(is_value(bytes, 3 + 0x80));
	memcpy(bytes + 1, BYTES(0x82, 0x01, 0x00), 3);
	assert_true(is_value(bytes, 4 + 0x100));
	memcpy(bytes + 1, BYTES(0x83, 0x01, 0x00, 0x00), 4);
	assert_true(is_value(bytes, sizeof(bytes)));
	assert_false(is_value(bytes, sizeof(bytes) - 1));
}

static void refuses_longer_lengths_than_needed(void **state)
{
	static uint8_t bytes[6 + 0x80] = { DER_OCTET_STRING };

	(void)state;
	assert_false(IS_VALUE(DER_OCTET_STRING, 0x81, 1, 42));
	assert_false(IS_VALUE(DER_OCTET_STRING, 0x81, 0));
	memcpy(bytes + 1, BYTES(0x81, 0x7f), 2);
	assert_false(is_value(bytes, 3 + 0x7f));
	memcpy(bytes + 1, BYTES(0x82, 0x00, 0x80), 3);
	assert_false(is_value(bytes, 4 + 0x80));
	memcpy(bytes + 1, BYTES(0x84, 0x00, 0x00, 0x00, 0x80), 5);
	assert_false(is_value(bytes, 6 + 0x80));
}

static void refuses_indefinite_and_huge_lengths(void **state)
{
	(void)state;
	assert_false(IS_VALUE(DER_SEQUENCE, 0x80, 0, 0));
	assert_false(IS_VALUE(DER_SEQUENCE, 0xff));
	assert_false(IS_VALUE(DER_OCTET_STRING, 0x84, 0xff, 0xff, 0xff, 0xff, 0));
	assert_false(IS_VALUE(DER_OCTET_STRING, 0x85, 1, 0, 0, 0, 0, 0));
	assert_false(
		IS_VALUE(DER_OCTET_STRING, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
}

static void refuses_what_is_cut(void **state)
{
	(void)state;
	assert_false(is_value(NULL, 0));
	assert_false(IS_VALUE(DER_SEQUENCE));
	assert_false(IS_VALUE(DER_SEQUENCE, 1));
	assert_false(IS_VALUE(DER_SEQUENCE, 0x82));
	assert_false(IS_VALUE(DER_SEQUENCE, 0x82, 1));
}

static void refuses_high_tag_numbers(void **state)
{
	(void)state;
	assert_false(IS_VALUE(0x1f, 0x81, 0x01, 0));
	assert_false(IS_VALUE(0xbf, 0x01, 0));
	assert_true(IS_VALUE(0x1e, 0));
}

static void takes_by_tag(void **state)
{
	const uint8_t *bytes = BYTES(DER_INTEGER, 1, 5, DER_NULL, 0);
	struct cursor c = cursor_over(bytes, 5), body;

	(void)state;
	assert_true(der_is_next(c, DER_INTEGER));
	assert_false(der_is_next(c, DER_NULL));
	assert_false(der_take(&c, DER_NULL, &body));
	assert_int_equal(c.left, 5);
	assert_true(der_take(&c, DER_INTEGER, &body));
	assert_true(cursor_equals(body, "\5", 1));
	assert_true(der_take(&c, DER_NULL, &body));
	assert_false(der_is_next(c, DER_NULL));
	assert_false(der_take(&c, DER_NULL, &body));
}

static void knows_strict_integers(void **state)
{
	(void)state;
	assert_true(IS_STRICT(DER_INTEGER, 1, 0));
	assert_true(IS_STRICT(DER_INTEGER, 1, 0x80));
	assert_true(IS_STRICT(DER_INTEGER, 2, 0x00, 0x80));
	assert_true(IS_STRICT(DER_INTEGER, 2, 0xff, 0x7f));
	assert_false(IS_STRICT(DER_INTEGER, 0));
	assert_false(IS_STRICT(DER_INTEGER, 2, 0x00, 0x7f));
	assert_false(IS_STRICT(DER_INTEGER, 2, 0xff, 0x80));
}

static void knows_strict_booleans_nulls_and_oids(void **state)
{
	(void)state;
	assert_true(IS_STRICT(DER_BOOLEAN, 1, 0x00));
	assert_true(IS_STRICT(DER_BOOLEAN, 1, 0xff));
	assert_false(IS_STRICT(DER_BOOLEAN, 1, 0x01));
	assert_false(IS_STRICT(DER_BOOLEAN, 0));
	assert_false(IS_STRICT(DER_BOOLEAN, 2, 0xff, 0xff));
	assert_true(IS_STRICT(DER_NULL, 0));
	assert_false(IS_STRICT(DER_NULL, 1, 0));
	assert_true(IS_STRICT(DER_OID, 1, 0x2a));
	assert_false(IS_STRICT(DER_OID, 0));
}

static void looks_into_constructed_values(void **state)
{
	(void)state;
	assert_true(IS_STRICT(DER_SEQUENCE, 3, DER_INTEGER, 1, 5));
	assert_true(IS_STRICT(DER_SEQUENCE, 5, DER_CONTEXT_0, 3, DER_INTEGER, 1, 5, DER_NULL, 0));
	assert_false(IS_STRICT(DER_SEQUENCE, 4, DER_INTEGER, 2, 0, 5));
	assert_false(IS_STRICT(DER_SEQUENCE, 5, DER_CONTEXT_0, 3, DER_BOOLEAN, 1, 5));
	/* an inner value that is longer than the outer one */
	assert_false(IS_STRICT(DER_SEQUENCE, 3, DER_OCTET_STRING, 2, 5, 5));
	/* left-over bytes in the outer one */
	assert_false(IS_STRICT(DER_SEQUENCE, 3, DER_NULL, 0, 0));
	assert_true(is_strict(NULL, 0));
}

/* `depth` sequences inside each other, the innermost empty. */
static bool is_strict_nesting(size_t depth)
{
	uint8_t bytes[2 * (DER_DEPTH_MAX + 4)];

	assert_true(depth <= DER_DEPTH_MAX + 4);
	for (size_t i = 0; i < depth; i++) {
		bytes[2 * i] = DER_SEQUENCE;
		bytes[2 * i + 1] = (uint8_t)(2 * (depth - i - 1));
	}
	return is_strict(bytes, 2 * depth);
}

static void bounds_the_depth(void **state)
{
	(void)state;
	assert_true(is_strict_nesting(1));
	assert_true(is_strict_nesting(DER_DEPTH_MAX));
	assert_false(is_strict_nesting(DER_DEPTH_MAX + 1));
	assert_false(is_strict_nesting(DER_DEPTH_MAX + 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_short_lengths),
		cmocka_unit_test(takes_long_lengths),
		cmocka_unit_test(refuses_longer_lengths_than_needed),
		cmocka_unit_test(refuses_indefinite_and_huge_lengths),
		cmocka_unit_test(refuses_what_is_cut),
		cmocka_unit_test(refuses_high_tag_numbers),
		cmocka_unit_test(takes_by_tag),
		cmocka_unit_test(knows_strict_integers),
		cmocka_unit_test(knows_strict_booleans_nulls_and_oids),
		cmocka_unit_test(looks_into_constructed_values),
		cmocka_unit_test(bounds_the_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
