/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <inttypes.h>
#include <string.h>

#include "core/text.h"

static void start(struct json *json, const char *key)
{
	if (json->comma)
		fputc(',', json->to);
	json->comma = true;
	if (key)
		fprintf(json->to, "\"%s\":", key);
}

void json_open(struct json *json, const char *key, char bracket)
{
	start(json, key);
	fputc(bracket, json->to);
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	fputc(bracket, json->to);
	json->comma = true;
}

static void write_quoted(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		fputc(*text, to);
	}
}

static void write_escaped(FILE *to, char c)
{
	char buffer[8];
	struct text text;

	text_init(&text, buffer, sizeof(buffer));
	text_escaped(&text, &c, 1);
	write_quoted(to, buffer);
}

void json_plain(struct json *json, const char *key, const char *value)
{
	if (!value) {
		json_null(json, key);
		return;
	}
	start(json, key);
	fputc('"', json->to);
	write_quoted(json->to, value);
	fputc('"', json->to);
}

void json_string(struct json *json, const char *key, const char *value)
{
	if (!value) {
		json_null(json, key);
		return;
	}
	start(json, key);
	fputc('"', json->to);
	for (; *value; value++)
		write_escaped(json->to, *value);
	fputc('"', json->to);
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
	start(json, key);
	fprintf(json->to, "%" PRIu64, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	start(json, key);
	fputs(value ? "true" : "false", json->to);
}

void json_null(struct json *json, const char *key)
{
	start(json, key);
	fputs("null", json->to);
}

void json_hex(struct json *json, const char *key, const uint8_t *bytes, size_t size)
{
	start(json, key);
	fputc('"', json->to);
	for (size_t i = 0; i < size; i++)
		fprintf(json->to, "%02x", bytes[i]);
	fputc('"', json->to);
}

void json_raw(struct json *json, const char *key, const char *bytes, size_t size)
{
	start(json, key);
	while (size > 0 && bytes[size - 1] == '\n')
		size--;
	fwrite(bytes, 1, size, json->to);
}
