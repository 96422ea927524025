/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command_line.h"

static struct piece without_quotes(struct piece value)
{
	if (value.size >= 2 && value.bytes[0] == '"' && value.bytes[value.size - 1] == '"') {
		value = piece_skip(value, 1);
		value.size--;
	}
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
	word->whole = word->value = whole;
	word->has_value = piece_cut(&word->value, '=', &word->key);
	word->value = without_quotes(word->value);
	return whole.size > 0;
}
