/* SPDX-License-Identifier: Apache-2.0 */
#include "core/origin.h"

#include <string.h>

static bool is_plain(char c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

bool origin_is_plain(const char *path)
{
	const char *at = path;

	while (is_plain(*at))
		at++;
	return path[0] == '/' && *at == '\0' && (size_t)(at - path) < ORIGIN_PATH_MAX;
}

void origin_put(struct text *text, const char *name, const char *path,
		const uint8_t root_hash[VEXT_HASH_SIZE])
{
	text_char(text, '"');
	text_str(text, name);
	text_str(text, "\":{\"path\":\"");
	text_str(text, path);
	text_str(text, "\",\"verityHash\":\"");
	text_hex(text, root_hash, VEXT_HASH_SIZE);
	text_str(text, "\"}");
}
