/* SPDX-License-Identifier: Apache-2.0 */
/* core/text: whole or known to be cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/text.h"

static void starts_empty(void **state)
{
	char buffer[1] = { 'x' };
	struct text text;

	(void)state;
	text_init(&text, buffer, sizeof(buffer));
	assert_string_equal(buffer, "");
	assert_true(text_ok(&text));
	text_str(&text, "");
	assert_true(text_ok(&text));
	text_char(&text, 'a');
	assert_false(text_ok(&text));
	assert_string_equal(buffer, "");
}

static void puts_pieces_together(void **state)
{
	const uint8_t bytes[] = { 0x00, 0x9f, 0xff };
	char buffer[64];
	struct text text;

	(void)state;
	text_init(&text, buffer, sizeof(buffer));
	text_str(&text, "a=");
	text_u64(&text, 0);
	text_char(&text, ' ');
	text_u64(&text, 1000);
	text_char(&text, ' ');
	text_u64(&text, UINT64_MAX);
	text_char(&text, ' ');
	text_hex(&text, bytes, sizeof(bytes));
	text_bytes(&text, "xyz", 2);
	assert_true(text_ok(&text));
	assert_string_equal(buffer, "a=0 1000 18446744073709551615 009fffxy");
	assert_int_equal(text.used, strlen(buffer));
}

static void fits_to_the_byte(void **state)
{
	char buffer[5];
	struct text text;

	(void)state;
	text_init(&text, buffer, sizeof(buffer));
	text_str(&text, "abcd");
	assert_true(text_ok(&text));
	assert_string_equal(buffer, "abcd");
}

static void leaves_out_what_does_not_fit(void **state)
{
	char buffer[6];
	struct text text;

	(void)state;
	text_init(&text, buffer, sizeof(buffer));
	text_str(&text, "ab");
	text_u64(&text, 1234);
	assert_false(text_ok(&text));
	text_char(&text, 'c'); /* would fit, but follows what is missing */
	assert_string_equal(buffer, "ab");
	assert_false(text_ok(&text));
}

static void never_cuts_an_escape(void **state)
{
	char buffer[7];
	struct text text;

	(void)state;
	memset(buffer, 'z', sizeof(buffer));
	text_init(&text, buffer, 6);
	text_escaped(&text, "a\n\n", 3);
	assert_false(text_ok(&text));
	assert_string_equal(buffer, "a\\x0a");
	assert_int_equal(buffer[6], 'z');
}

static void escapes_all_but_plain_ascii(void **state)
{
	static const char plain[] = " !\"#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~";
	static const char bad[] = "\x1b[31m\\\x7f\xe2\x80\xae";
	char buffer[128];
	struct text text;

	(void)state;
	text_init(&text, buffer, sizeof(buffer));
	text_escaped(&text, plain, sizeof(plain) - 1);
	assert_string_equal(buffer, plain);
	text_init(&text, buffer, sizeof(buffer));
	text_escaped(&text, bad, sizeof(bad)); /* with its NUL */
	assert_string_equal(buffer, "\\x1b[31m\\x5c\\x7f\\xe2\\x80\\xae\\x00");
}

static void assert_time(uint64_t seconds, const char *expected)
{
	char buffer[32];
	struct text text;

	text_init(&text, buffer, sizeof(buffer));
	text_time(&text, seconds);
	assert_string_equal(buffer, expected);
}

/* As date -u -d @N has them. */
static void tells_the_time(void **state)
{
	(void)state;
	assert_time(0, "1970-01-01 00:00:00 UTC");
	assert_time(951782399, "2000-02-28 23:59:59 UTC");
	assert_time(951782400, "2000-02-29 00:00:00 UTC");
	assert_time(951868800, "2000-03-01 00:00:00 UTC");
	assert_time(1764042818, "2025-11-25 03:53:38 UTC");
	assert_time(1735689599, "2024-12-31 23:59:59 UTC");
	assert_time(1735689600, "2025-01-01 00:00:00 UTC");
	assert_time(4107542400, "2100-03-01 00:00:00 UTC");
	assert_time(253402300799, "9999-12-31 23:59:59 UTC");
	assert_time(253402300800, "253402300800");
	assert_time(UINT64_MAX, "18446744073709551615");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_empty),
		cmocka_unit_test(puts_pieces_together),
		cmocka_unit_test(fits_to_the_byte),
		cmocka_unit_test(leaves_out_what_does_not_fit),
		cmocka_unit_test(never_cuts_an_escape),
		cmocka_unit_test(escapes_all_but_plain_ascii),
		cmocka_unit_test(tells_the_time),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
