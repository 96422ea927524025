/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the kernel's log. Asserted: what is taken out is printable, within the record, and said by the kernel. */
#include "core/kmsg.h"
#include "fuzz.h"

static void check_text(const struct piece *text, const char *record, size_t size)
{
	holds(text->bytes >= record && text->size < size);
	holds(text->bytes + text->size < record + size);
	for (size_t i = 0; i < text->size; i++)
		holds(text->bytes[i] >= 0x20 && text->bytes[i] <= 0x7e);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *record = (char *)fuzz_copy(bytes, size);
	struct kmsg kmsg = { .level = 42 };
	struct piece words;

	if (kmsg_parse(record, size, &kmsg)) {
		holds(kmsg.level < 8 && fuzz_le(bytes, 1) >= '0' && fuzz_le(bytes, 1) <= '7');
		check_text(&kmsg.text, record, size);
		holds(kmsg.text.bytes[kmsg.text.size] == '\n' && kmsg.text.bytes[-1] == ';');
		if (kmsg_words(&kmsg, "overlayfs", &words)) {
			check_text(&words, record, size);
			holds(memcmp(kmsg.text.bytes, "overlayfs: ", 11) == 0);
			holds(words.bytes == kmsg.text.bytes + 11);
		}
	} else {
		holds(kmsg.level == 42);
	}
	free(record);
	return 0;
}
