/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strtod(3) for yyjson, which has checked how the number is written: a sign, digits, a fraction, an
 * exponent.
 *
 * vext has no use for numbers that are not whole, but they may be there. Hence only two things
 * matter: where the number ends, and whether it is too large for a double. The last digits may be
 * wrong. musl's own rounds right, with 10 KiB of tables and of arithmetic that arm64 does in
 * software.
 */
#include <limits.h>
#include <stdbool.h>

#define ENOUGH 1e17	     /* digits beyond it do not change the value, but its size */
#define EXPONENT_MAX 1000000 /* more than any text of vext has digits */

double yyjson_strtod(const char *at, char **end);

static bool take_digit(const char **at, int *digit)
{
	*digit = **at - '0';
	if (*digit < 0 || *digit > 9)
		return false;
	(*at)++;
	return true;
}

static void take_digits(const char **at, double *value, int *exponent, int step)
{
	int digit;

	while (take_digit(at, &digit)) {
		if (*value < ENOUGH)
			*value = *value * 10 + digit;
		else
			*exponent += 1;
		*exponent += step;
	}
}

static int take_exponent(const char **at)
{
	bool is_negative;
	int sum = 0, digit;

	if (**at != 'e' && **at != 'E')
		return 0;
	(*at)++;
	is_negative = **at == '-';
	if (**at == '-' || **at == '+')
		(*at)++;
	while (take_digit(at, &digit))
		if (sum < EXPONENT_MAX)
			sum = sum * 10 + digit;
	return is_negative ? -sum : sum;
}

/* Ends early where nothing changes any more: at 0 and at infinity. */
static double scale(double value, int exponent)
{
	for (; exponent > 0 && value < value * 10; exponent--)
		value *= 10;
	for (; exponent < 0 && value > 0; exponent++)
		value /= 10;
	return value;
}

double yyjson_strtod(const char *at, char **end)
{
	const bool is_negative = *at == '-';
	double value = 0;
	int exponent = 0;

	at += is_negative;
	take_digits(&at, &value, &exponent, 0);
	if (*at == '.') {
		at++;
		take_digits(&at, &value, &exponent, -1);
	}
	value = scale(value, exponent + take_exponent(&at));
	*end = (char *)at;
	return is_negative ? -value : value;
}
