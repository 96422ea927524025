/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text builder over a caller's buffer: no allocation, no format strings.
 *
 *	char line[128];
 *	struct text t;
 *	text_init(&t, line, sizeof(line));
 *	text_str(&t, "vext-");
 *	text_str(&t, name);
 *	if (!text_ok(&t)) ...
 *
 * Guaranteed: the buffer always holds a NUL-terminated string; a piece that does not fit whole is
 * left out, as is every piece after it, and text_ok() then stays false. So a text is complete or
 * known to be cut, and an escape sequence or a number is never cut in two.
 */
#ifndef VEXT_CORE_TEXT_H
#define VEXT_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *start;
	size_t size; /* bytes of the buffer */
	size_t used; /* bytes written, without the NUL */
	bool overflow;
};

/* `size` is at least 1. The text starts out empty. */
void text_init(struct text *text, char *buffer, size_t size);

void text_char(struct text *text, char c);
void text_str(struct text *text, const char *str);
void text_bytes(struct text *text, const char *bytes, size_t size);
void text_u64(struct text *text, uint64_t number);

/* "2026-11-25 03:53:38 UTC" for seconds since 1970; the bare number from the year 10000 on. */
void text_time(struct text *text, uint64_t seconds);

/* Lowercase hexadecimal, two digits a byte. */
void text_hex(struct text *text, const uint8_t *bytes, size_t size);

/* Somebody else's bytes: printable ASCII but the backslash stays, all else becomes \xNN. */
void text_escaped(struct text *text, const char *bytes, size_t size);

/* Is everything that was asked for in the buffer? */
bool text_ok(const struct text *text);

#endif
