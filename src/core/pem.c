/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pem.h"

#include "core/base64.h"

#define BEGIN "-----BEGIN "
#define HEADER "-----BEGIN CERTIFICATE-----"
#define FOOTER "-----END CERTIFICATE-----"
#define SPACE " \t\r\n"

static bool starts_with(struct cursor c, const char *text)
{
	return c.left >= strlen(text) && memcmp(c.at, text, strlen(text)) == 0;
}

/* Moves to where the text is next; to the end when it is not there. */
static bool find(struct cursor *c, const char *text)
{
	const uint8_t *at;

	while ((at = memchr(c->at, text[0], c->left)) != NULL) {
		cursor_skip(c, (size_t)(at - c->at));
		if (starts_with(*c, text))
			return true;
		cursor_skip(c, 1);
	}
	cursor_skip(c, c->left);
	return false;
}

bool pem_decode(struct cursor text, uint8_t *to, size_t room, size_t *size)
{
	struct cursor body;

	if (!find(&text, BEGIN) || !starts_with(text, HEADER))
		return false;
	cursor_skip(&text, strlen(HEADER));
	body = text;
	if (!find(&text, FOOTER))
		return false;
	body.left -= text.left;
	return !find(&text, BEGIN) && base64_decode(body, SPACE, to, room, size);
}
