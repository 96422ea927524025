/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A piece of somebody's text, cut smaller and smaller without copying, that knows where in the whole it
 * stood: so what is wrong can be pointed at.
 */
#ifndef VEXT_CORE_PIECE_H
#define VEXT_CORE_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct piece {
	const char *bytes; /* not NUL-terminated */
	size_t size;
	size_t at; /* byte of the whole text */
};

static inline bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Without the first `size` bytes, of which there are as many. */
static inline struct piece piece_skip(struct piece piece, size_t size)
{
	return (struct piece){ piece.bytes + size, piece.size - size, piece.at + size };
}

/* Without blanks on either side. */
static inline struct piece piece_strip(struct piece piece)
{
	while (piece.size > 0 && is_space(piece.bytes[0]))
		piece = piece_skip(piece, 1);
	while (piece.size > 0 && is_space(piece.bytes[piece.size - 1]))
		piece.size--;
	return piece;
}

static inline bool piece_is(struct piece piece, const char *word)
{
	return piece.size == strlen(word) && memcmp(piece.bytes, word, piece.size) == 0;
}

/* A decimal number of at most `most`, and nothing else. Written on success only. */
static inline bool piece_number(struct piece piece, uint64_t most, uint64_t *number)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < piece.size; i++) {
		const uint64_t digit = (uint64_t)(piece.bytes[i] - '0');

		if (piece.bytes[i] < '0' || digit > 9 || digit > most || sum > (most - digit) / 10)
			return false;
		sum = 10 * sum + digit;
	}
	if (piece.size == 0)
		return false;
	*number = sum;
	return true;
}

/* Cuts what stands before the separator off `rest`; false when this is the last one: all of `rest`. */
static inline bool piece_cut(struct piece *rest, char separator, struct piece *first)
{
	const char *end = rest->size > 0 ? memchr(rest->bytes, separator, rest->size) : NULL;

	*first = *rest;
	if (!end)
		return false;
	first->size = (size_t)(end - rest->bytes);
	*rest = piece_skip(*rest, first->size + 1);
	return true;
}

#endif
