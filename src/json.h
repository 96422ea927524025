/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON writer: commas, quotes and nothing else. Errors stay with the stream; see ferror(3). */
#ifndef VEXT_JSON_H
#define VEXT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *to;
	bool comma; /* something stands before in the same object or array */
};

/* `key` is NULL inside an array and at the top. Keys are literals that need no escaping. */
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);

/*
 * Text of any origin: what is not printable ASCII, and the backslash, is written as \xNN first and that
 * is then quoted, so that any bytes survive and the output is ASCII. NULL gives null.
 */
void json_string(struct json *json, const char *key, const char *value);
/* The same for text that is printable ASCII: its backslashes stand for themselves. */
void json_plain(struct json *json, const char *key, const char *value);
void json_u64(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
/* What is JSON already, a newline at its end aside. */
void json_raw(struct json *json, const char *key, const char *bytes, size_t size);
/* Lowercase hexadecimal in quotes. */
void json_hex(struct json *json, const char *key, const uint8_t *bytes, size_t size);

#endif
