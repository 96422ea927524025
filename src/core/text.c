/* SPDX-License-Identifier: Apache-2.0 */
#include "core/text.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

void text_init(struct text *text, char *buffer, size_t size)
{
	*text = (struct text){ .start = buffer, .size = size, .used = 0, .overflow = false };
	buffer[0] = '\0';
}

void text_bytes(struct text *text, const char *bytes, size_t size)
{
	/* One byte is the NUL's; used < size always holds. */
	if (text->overflow || size > text->size - text->used - 1) {
		text->overflow = true;
		return;
	}
	if (size > 0)
		memcpy(text->start + text->used, bytes, size);
	text->used += size;
	text->start[text->used] = '\0';
}

void text_char(struct text *text, char c)
{
	text_bytes(text, &c, 1);
}

void text_str(struct text *text, const char *str)
{
	text_bytes(text, str, strlen(str));
}

void text_u64(struct text *text, uint64_t number)
{
	char decimal[20]; /* 18446744073709551615 */
	size_t at = sizeof(decimal);

	do {
		decimal[--at] = digits[number % 10];
		number /= 10;
	} while (number > 0);
	text_bytes(text, decimal + at, sizeof(decimal) - at);
}

static void put_digits(struct text *text, unsigned number, unsigned count, char behind)
{
	char bytes[5] = { 0 };

	for (unsigned i = count; i > 0; i--) {
		bytes[i - 1] = (char)('0' + number % 10);
		number /= 10;
	}
	bytes[count] = behind;
	text_bytes(text, bytes, count + 1);
}

/* Years that begin in March have their leap day last, so each month begins a fixed number of days into its year. */
void text_time(struct text *text, uint64_t seconds)
{
	const uint64_t era_days = 146097;		/* 400 years */
	const uint64_t days = seconds / 86400 + 719468; /* since March 1st of the year 0 */
	const unsigned second = (unsigned)(seconds % 86400);
	const unsigned of_era = (unsigned)(days % era_days);
	const unsigned years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) /
			       365; /* of the era */
	const unsigned of_year = of_era - (365 * years + years / 4 - years / 100);
	const unsigned month = (5 * of_year + 2) / 153; /* from March on */
	const uint64_t year = years + days / era_days * 400 + (month >= 10);

	if (year > 9999) {
		text_u64(text, seconds);
		return;
	}
	put_digits(text, (unsigned)year, 4, '-');
	put_digits(text, month < 10 ? month + 3 : month - 9, 2, '-');
	put_digits(text, of_year - (153 * month + 2) / 5 + 1, 2, ' ');
	put_digits(text, second / 3600, 2, ':');
	put_digits(text, second / 60 % 60, 2, ':');
	put_digits(text, second % 60, 2, ' ');
	text_str(text, "UTC");
}

void text_hex(struct text *text, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const char pair[2] = { digits[bytes[i] >> 4], digits[bytes[i] & 0xf] };

		text_bytes(text, pair, sizeof(pair));
	}
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c <= 0x7e && c != '\\';
}

void text_escaped(struct text *text, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const unsigned char c = (unsigned char)bytes[i];
		const char escape[4] = { '\\', 'x', digits[c >> 4], digits[c & 0xf] };

		if (is_plain(c))
			text_char(text, bytes[i]);
		else
			text_bytes(text, escape, sizeof(escape));
	}
}

bool text_ok(const struct text *text)
{
	return !text->overflow;
}
