/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/revocation.h"

#include "core/hex.h"

#define FIRST_LINE "vext-revoked 1"
#define CERTIFICATE "certificate "
#define ROOT_HASH "root-hash "

bool is_revoked(const struct revocations *revocations, enum revoked_kind kind,
		const uint8_t hash[VEXT_HASH_SIZE])
{
	for (uint32_t i = 0; i < revocations->count; i++)
		if (revocations->list[i].kind == kind &&
		    memcmp(revocations->list[i].hash, hash, VEXT_HASH_SIZE) == 0)
			return true;
	return false;
}

struct verdict revocations_add(struct revocations *revocations, enum revoked_kind kind,
			       const uint8_t hash[VEXT_HASH_SIZE], enum anchor_source source)
{
	struct revocation *revocation;

	if (is_revoked(revocations, kind, hash))
		return verdict(REASON_ACCEPTED);
	if (revocations->count == VEXT_REVOKED_MAX)
		return verdict(REASON_LIST_LIMIT);
	revocation = &revocations->list[revocations->count++];
	revocation->kind = kind;
	revocation->source = source;
	memcpy(revocation->hash, hash, VEXT_HASH_SIZE);
	return verdict(REASON_ACCEPTED);
}

/* A line without its newline. A text that does not end with one was cut. */
static bool take_line(struct cursor *c, struct cursor *line)
{
	const uint8_t *end = memchr(c->at, '\n', c->left);
	const uint8_t *start;
	size_t size;

	if (!end)
		return false;
	size = (size_t)(end - c->at);
	if (!cursor_take(c, size, &start) || !cursor_skip(c, 1))
		return false;
	*line = cursor_over(start, size);
	return true;
}

static bool take_word(struct cursor *line, const char *word)
{
	const size_t size = strlen(word);

	return line->left >= size && memcmp(line->at, word, size) == 0 && cursor_skip(line, size);
}

static struct verdict read_line(struct revocations *revocations, struct cursor line,
				enum anchor_source source)
{
	uint8_t hash[VEXT_HASH_SIZE];
	enum revoked_kind kind;

	if (line.left == 0 || line.at[0] == '#')
		return verdict(REASON_ACCEPTED);
	if (take_word(&line, CERTIFICATE))
		kind = REVOKED_CERTIFICATE;
	else if (take_word(&line, ROOT_HASH))
		kind = REVOKED_IMAGE;
	else
		return verdict(REASON_LIST_FORMAT);
	if (!hex_decode((const char *)line.at, line.left, hash, sizeof(hash)))
		return verdict(REASON_LIST_FORMAT);
	return revocations_add(revocations, kind, hash, source);
}

struct verdict revocations_read(struct revocations *revocations, struct cursor list,
				enum anchor_source source)
{
	const uint32_t before = revocations->count;
	struct verdict v = verdict(REASON_ACCEPTED);
	struct cursor rest = list, line;

	if (!take_line(&rest, &line) || !cursor_equals(line, FIRST_LINE, strlen(FIRST_LINE)))
		return verdict_at(REASON_LIST_FORMAT, 0);
	while (rest.left > 0 && is_accepted(v)) {
		const uint64_t at = (uint64_t)(rest.at - list.at);

		v = take_line(&rest, &line) ? read_line(revocations, line, source) :
					      verdict(REASON_LIST_FORMAT);
		if (!is_accepted(v))
			v.at = at;
	}
	if (!is_accepted(v))
		revocations->count = before;
	return v;
}
