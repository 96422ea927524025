/* SPDX-License-Identifier: Apache-2.0 */
#include "vext.h"

struct entry {
	uint32_t code;
	const char *name;
	const char *sentence;
};

static const struct entry entries[] = {
	{ REASON_UNDECIDED, "undecided", "not judged; this is an error in vext, please report it" },
#define REASON(code, symbol, name, sentence) { (code), (name), (sentence) },
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

	return entry ? entry->name : entries[0].name;
}

const char *reason_sentence(enum reason reason)
{
	const struct entry *entry = find((uint32_t)reason);

	return entry ? entry->sentence : entries[0].sentence;
}

bool reason_is_known(uint32_t code)
{
	return code != REASON_UNDECIDED && find(code) != NULL;
}
