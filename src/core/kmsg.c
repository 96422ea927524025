/* SPDX-License-Identifier: Apache-2.0 */
#include "core/kmsg.h"

#define LEVELS 8u /* a priority is a level and 8 for each facility, of which the kernel's is 0 */
#define BEHIND_NAME ": "

/* As the kernel writes it: it escapes all else. */
static bool is_printable(struct piece text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.bytes[i] < 0x20 || text.bytes[i] > 0x7e)
			return false;
	return true;
}

bool kmsg_parse(const char *record, size_t size, struct kmsg *kmsg)
{
	struct piece rest = { .bytes = record, .size = size };
	struct piece head, priority, text;
	uint64_t level;

	if (!piece_cut(&rest, ';', &head) || !piece_cut(&head, ',', &priority) ||
	    !piece_number(priority, LEVELS - 1, &level) || !piece_cut(&rest, '\n', &text) ||
	    !is_printable(text))
		return false;
	kmsg->level = (uint32_t)level;
	kmsg->text = text;
	return true;
}

bool kmsg_words(const struct kmsg *kmsg, const char *name, struct piece *words)
{
	const size_t length = strlen(name), behind = strlen(BEHIND_NAME);

	if (kmsg->text.size < length + behind || memcmp(kmsg->text.bytes, name, length) != 0 ||
	    memcmp(kmsg->text.bytes + length, BEHIND_NAME, behind) != 0)
		return false;
	*words = piece_skip(kmsg->text, length + behind);
	return true;
}
