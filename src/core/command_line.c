/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command_line.h"

static bool ends_quoted(struct piece text)
{
	return text.size > 0 && text.bytes[text.size - 1] == '"';
}

/* GRUB quotes a word as a whole where it has a blank: "key=a b". */
static struct piece unquote_word(struct piece word)
{
	if (word.size == 0 || word.bytes[0] != '"')
		return word;
	word = piece_skip(word, 1);
	if (ends_quoted(word))
		word.size--;
	return word;
}

/* A quote without its other one stays: it is no part of any value that there is. */
static struct piece unquote_value(struct piece value)
{
	if (value.size < 2 || value.bytes[0] != '"' || !ends_quoted(value))
		return value;
	value = piece_skip(value, 1);
	value.size--;
	return value;
}

bool command_line_next(struct piece *rest, struct command_word *word)
{
	struct piece whole;
	bool is_quoted = false;

	*rest = piece_strip(*rest);
	whole = *rest;
	for (whole.size = 0; whole.size < rest->size; whole.size++) {
		if (rest->bytes[whole.size] == '"')
			is_quoted = !is_quoted;
		else if (is_space(rest->bytes[whole.size]) && !is_quoted)
			break;
	}
	*rest = piece_skip(*rest, whole.size);
	word->whole = whole;
	word->value = unquote_word(whole);
	word->has_value = piece_cut(&word->value, '=', &word->key);
	word->value = unquote_value(word->value);
	return whole.size > 0;
}
