/* SPDX-License-Identifier: Apache-2.0 */
#include "core/merges.h"

#include "core/hex.h"
#include "core/piece.h"

#define HEAD "vext-merged 1"
#define BAKED "baked"
#define TOKEN "token"
#define MERGED "merged"

/* The next line, cut into its first word and what follows. False without a newline at its end. */
static bool take_line(struct piece *rest, struct piece *word, struct piece *value)
{
	struct piece line;

	if (!piece_cut(rest, '\n', &line))
		return false;
	*value = line;
	if (!piece_cut(value, ' ', word))
		*value = piece_skip(line, line.size);
	return true;
}

static bool take_hex(struct piece *rest, const char *name, uint8_t *bytes, size_t size)
{
	struct piece word, value;

	return take_line(rest, &word, &value) && piece_is(word, name) &&
	       hex_decode(value.bytes, value.size, bytes, size);
}

static bool take_hierarchy(struct piece word, bool merged[HIERARCHIES])
{
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (piece_is(word, hierarchy_name((enum hierarchy)i)) && !merged[i])
			return merged[i] = true;
	return false;
}

static bool take_merged(struct piece *rest, bool merged[HIERARCHIES])
{
	struct piece word, value;
	bool has_more;

	if (!take_line(rest, &word, &value) || !piece_is(word, MERGED))
		return false;
	do {
		has_more = piece_cut(&value, ' ', &word);
		if (word.size > 0 && !take_hierarchy(word, merged))
			return false;
	} while (has_more);
	return true;
}

bool merges_parse(const char *bytes, size_t size, struct merges *merges)
{
	struct piece rest = { .bytes = bytes, .size = size };
	struct piece head;

	*merges = (struct merges){ .merged = { false } };
	return piece_cut(&rest, '\n', &head) && piece_is(head, HEAD) &&
	       take_hex(&rest, BAKED, merges->baked, sizeof(merges->baked)) &&
	       take_hex(&rest, TOKEN, merges->token, sizeof(merges->token)) &&
	       take_merged(&rest, merges->merged) && rest.size == 0;
}

void merges_put(const struct merges *merges, struct text *text)
{
	text_str(text, HEAD "\n" BAKED " ");
	text_hex(text, merges->baked, sizeof(merges->baked));
	text_str(text, "\n" TOKEN " ");
	text_hex(text, merges->token, sizeof(merges->token));
	text_str(text, "\n" MERGED);
	for (unsigned i = 0; i < HIERARCHIES; i++) {
		if (!merges->merged[i])
			continue;
		text_char(text, ' ');
		text_str(text, hierarchy_name((enum hierarchy)i));
	}
	text_char(text, '\n');
}
