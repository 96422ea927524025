/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "vext.h"

#define UNDECIDED "undecided\0not judged; this is an error in vext, please report it"

/* All texts behind each other, as "NAME\0SENTENCE": two pointers each would be two relocations each. */
static const struct texts {
	char undecided[sizeof(UNDECIDED)];
#define REASON(code, symbol, name, sentence) char symbol[sizeof(name "\0" sentence)];
#include "reason.def"
#undef REASON
} texts = {
	UNDECIDED,
#define REASON(code, symbol, name, sentence) name "\0" sentence,
#include "reason.def"
#undef REASON
};

_Static_assert(sizeof(texts) <= UINT16_MAX, "an entry can say where its text is");

static const struct entry {
	uint16_t code;
	uint16_t at; /* in `texts` */
} entries[] = {
#define REASON(code, symbol, name, sentence) { (code), offsetof(struct texts, symbol) },
#include "reason.def"
#undef REASON
};

static const struct entry *find(uint32_t code)
{
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		if (entries[i].code == code)
			return &entries[i];
	return NULL;
}

const char *reason_name(enum reason reason)
{
	const struct entry *entry = find((uint32_t)reason);

	return entry ? (const char *)&texts + entry->at : texts.undecided;
}

const char *reason_sentence(enum reason reason)
{
	const char *name = reason_name(reason);

	return name + strlen(name) + 1;
}

bool reason_is_known(uint32_t code)
{
	return find(code) != NULL;
}
