/* SPDX-License-Identifier: Apache-2.0 */
/* deps/yyjson-real: where a number ends, and whether a double holds it, as strtod(3) says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <yyjson.h>

double yyjson_strtod(const char *at, char **end);

static void check(const char *text)
{
	char *own_end, *end;
	const double own = yyjson_strtod(text, &own_end), value = strtod(text, &end);

	assert_ptr_equal(own_end, end);
	if (isinf(value) || value == 0)
		assert_true(own == value);
	else
		assert_true(fabs(own - value) <= fabs(value) * 1e-12 + 1e-322);
}

static void reads_as_strtod(void **state)
{
	static const char *const texts[] = {
		"0",
		"-0",
		"0.0",
		"0e5",
		"0e99999999999",
		"1.5",
		"-1.5",
		"1e3",
		"1E+3",
		"1e-3",
		"12.50,",
		"1e5]",
		"3.14159",
		"1e308",
		"1e309",
		"-1e309",
		"1e-323",
		"1e-400",
		"1e99999",
		"1e-9999",
		"1e9999999999999999999999",
		"1e-9999999999999999999999",
		"18446744073709551616",
		"123456789012345678901234567890.12345678901234567890e-10",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check(texts[i]);
}

/* Digits that no exponent is as long as, on either side of the point. */
static void reads_long_ones(void **state)
{
	static char text[5000];

	(void)state;
	for (int digits = 300; digits < 320; digits++) {
		snprintf(text, sizeof(text), "1%0*d", digits, 0);
		check(text);
		snprintf(text, sizeof(text), "1%0*d.5e-%d", digits, 0, digits);
		check(text);
		snprintf(text, sizeof(text), "0.%0*d1", digits, 0);
		check(text);
		snprintf(text, sizeof(text), "0.%0*d1e%d", 10 * digits, 0, 10 * digits);
		check(text);
	}
}

static void reads_any(void **state)
{
	char text[64];

	(void)state;
	srand(1);
	for (int i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "%s%d.%de%d", rand() % 2 ? "-" : "", rand(), rand(),
			 rand() % 700 - 350);
		check(text);
	}
}

static void is_what_yyjson_calls(void **state)
{
	static const char number[] = "[1.5e2]", too_large[] = "[1e400]";
	yyjson_doc *document = yyjson_read(number, strlen(number), YYJSON_READ_NOFLAG);

	(void)state;
	assert_non_null(document);
	assert_true(yyjson_get_real(yyjson_arr_get(yyjson_doc_get_root(document), 0)) == 150);
	yyjson_doc_free(document);
	assert_null(yyjson_read(too_large, strlen(too_large), YYJSON_READ_NOFLAG));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_as_strtod),
		cmocka_unit_test(reads_long_ones),
		cmocka_unit_test(reads_any),
		cmocka_unit_test(is_what_yyjson_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
