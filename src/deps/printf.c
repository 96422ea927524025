/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printf(3) without floating point, in place of musl's, for vext and its libraries.
 *
 * musl has one function for all conversions. It brings the printing of long doubles with it, which
 * arm64 computes in software: 25 KiB for what nothing here ever prints.
 *
 * Conversions: d u x X c s %, with the flags '-' and '0' and a width; a precision for s; '*' for
 * both; the lengths l ll j z t. A format with anything else is a mistake in the program and ends
 * it.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 256u /* bytes that a stream is given at once */
#define DIGITS 20u /* of 2^64 - 1 */

_Static_assert(sizeof(long) == 8 && sizeof(long long) == 8 && sizeof(size_t) == 8,
	       "all lengths mean the same size");

/* Where the text goes: through the buffer to a stream, or into it as far as there is room. */
struct sink {
	FILE *stream; /* or NULL */
	char *buffer;
	size_t room, used, total;
	bool failed;
};

static void flush(struct sink *sink)
{
	sink->failed |= fwrite(sink->buffer, 1, sink->used, sink->stream) != sink->used;
	sink->used = 0;
}

static void put(struct sink *sink, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (sink->stream && sink->used == sink->room)
			flush(sink);
		if (sink->used < sink->room)
			sink->buffer[sink->used++] = bytes[i];
	}
	sink->total += size;
}

static void fill(struct sink *sink, const char *with, int width, size_t used)
{
	for (; width > 0 && (size_t)width > used; width--)
		put(sink, with, 1);
}

struct conversion {
	bool is_left, has_zeros, is_long;
	int width, precision; /* precision: -1 for none */
};

static void put_text(struct sink *sink, const struct conversion *c, const char *text, size_t size)
{
	if (!c->is_left)
		fill(sink, " ", c->width, size);
	put(sink, text, size);
	if (c->is_left)
		fill(sink, " ", c->width, size);
}

static void put_number(struct sink *sink, struct conversion *c, uint64_t number, bool is_negative,
		       const char *digits, unsigned base)
{
	char text[DIGITS + 1];
	size_t start = sizeof(text);

	do {
		text[--start] = digits[number % base];
		number /= base;
	} while (number > 0);
	if (is_negative && c->has_zeros) {
		put(sink, "-", 1);
		c->width--;
	} else if (is_negative) {
		text[--start] = '-';
	}
	if (c->has_zeros) {
		fill(sink, "0", c->width, sizeof(text) - start);
		c->width = 0;
	}
	put_text(sink, c, text + start, sizeof(text) - start);
}

/* A number, or '*' for the next argument; none is 0. */
static int take_count(const char **at, va_list *arguments)
{
	int count = 0;

	if (**at == '*') {
		(*at)++;
		return va_arg(*arguments, int);
	}
	while (**at >= '0' && **at <= '9' && count < INT_MAX / 10 - 9)
		count = 10 * count + (*(*at)++ - '0');
	return count;
}

/* From behind the '%' to the letter. */
static struct conversion take_conversion(const char **at, va_list *arguments)
{
	struct conversion c = { .precision = -1 };

	for (; **at == '-' || **at == '0'; (*at)++) {
		c.is_left |= **at == '-';
		c.has_zeros |= **at == '0';
	}
	c.width = take_count(at, arguments);
	if (c.width < 0) {
		c.is_left = true;
		c.width = -c.width;
	}
	c.has_zeros &= !c.is_left;
	if (**at == '.') {
		(*at)++;
		c.precision = take_count(at, arguments);
	}
	for (; **at && strchr("ljzt", **at); (*at)++)
		c.is_long = true;
	return c;
}

static void put_signed(struct sink *sink, struct conversion *c, va_list *arguments)
{
	const int64_t number = c->is_long ? va_arg(*arguments, long) : va_arg(*arguments, int);
	const uint64_t bits = (uint64_t)number;

	put_number(sink, c, number < 0 ? -bits : bits, number < 0, "0123456789", 10);
}

static void put_unsigned(struct sink *sink, struct conversion *c, char letter, va_list *arguments)
{
	const uint64_t number = c->is_long ? va_arg(*arguments, unsigned long) :
					     va_arg(*arguments, unsigned);

	put_number(sink, c, number, false, letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef",
		   letter == 'u' ? 10 : 16);
}

static void put_string(struct sink *sink, const struct conversion *c, va_list *arguments)
{
	const char *string = va_arg(*arguments, const char *);

	put_text(sink, c, string,
		 strnlen(string, c->precision < 0 ? INT_MAX : (size_t)c->precision));
}

static void convert(struct sink *sink, const char **at, va_list *arguments)
{
	struct conversion c = take_conversion(at, arguments);
	const char letter = *(*at)++;
	char character;

	switch (letter) {
	case 's':
		put_string(sink, &c, arguments);
		break;
	case 'd':
		put_signed(sink, &c, arguments);
		break;
	case 'u':
	case 'x':
	case 'X':
		put_unsigned(sink, &c, letter, arguments);
		break;
	case 'c':
		character = (char)va_arg(*arguments, int);
		put_text(sink, &c, &character, 1);
		break;
	case '%':
		put(sink, "%", 1);
		break;
	default:
		abort();
	}
}

static int print(struct sink *sink, const char *format, va_list arguments)
{
	va_list left;

	va_copy(left, arguments);
	for (;;) {
		const char *const plain = format;

		format = strchrnul(format, '%');
		put(sink, plain, (size_t)(format - plain));
		if (!*format++)
			break;
		convert(sink, &format, &left);
	}
	va_end(left);
	if (sink->stream)
		flush(sink);
	if (sink->total > INT_MAX)
		errno = EOVERFLOW;
	return sink->failed || sink->total > INT_MAX ? -1 : (int)sink->total;
}

int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct sink sink = { .buffer = buffer, .room = size > 0 ? size - 1 : 0 };
	const int total = print(&sink, format, arguments);

	if (size > 0)
		buffer[sink.used] = '\0';
	return total;
}

int vfprintf(FILE *stream, const char *format, va_list arguments)
{
	char piece[PIECE];
	struct sink sink = { .stream = stream, .buffer = piece, .room = sizeof(piece) };

	return print(&sink, format, arguments);
}
