/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/section.h"

#include <mbedtls/sha256.h>

#include "core/name.h"

#define DIRECTORY_MAX 255u /* bytes */

struct cursor section_own(void)
{
	return cursor_over(vext_section, sizeof(vext_section));
}

static bool take_record(struct cursor *c, const uint8_t *start, struct section_record *record)
{
	const uint8_t *body;
	uint32_t size;

	record->at = (uint64_t)(c->at - start);
	if (!cursor_le32(c, &record->tag) || !cursor_le32(c, &size) || !cursor_take(c, size, &body))
		return false;
	record->body = cursor_over(body, size);
	return true;
}

static bool is_directory(struct cursor c)
{
	return c.left > 1 && c.left <= DIRECTORY_MAX && c.at[0] == '/' && c.at[c.left - 1] != '/' &&
	       !memchr(c.at, 0, c.left);
}

/* Is the record whole in itself, and where it may be? `before` is the tag of the one before, 0: none. */
static bool is_in_order(const struct section_record *record, uint32_t before, bool *has_config)
{
	const bool narrows = before == SECTION_CERTIFICATE || before == SECTION_NAME ||
			     before == SECTION_FROM;

	switch (record->tag) {
	case SECTION_CERTIFICATE:
		return record->body.left > 0;
	case SECTION_NAME:
		return narrows && name_is_pattern((const char *)record->body.at, record->body.left);
	case SECTION_FROM:
		return narrows && is_directory(record->body);
	case SECTION_REVOKED_CERTIFICATE:
	case SECTION_REVOKED_HASH:
		return record->body.left == VEXT_HASH_SIZE;
	case SECTION_CONFIG:
		if (*has_config)
			return false;
		*has_config = true;
		return true;
	default:
		return false;
	}
}

struct verdict section_open(struct cursor bytes, struct section *section)
{
	struct section found = { .start = bytes.at };
	struct section_record record;
	const uint8_t *magic;
	bool has_config = false;
	uint32_t before = 0;
	struct cursor c = bytes;

	if (!cursor_take(&c, VEXT_SECTION_MAGIC_SIZE, &magic) ||
	    memcmp(magic, VEXT_SECTION_MAGIC, VEXT_SECTION_MAGIC_SIZE) != 0)
		return verdict_at(REASON_SIGNATURE_SECTION, 0);
	if (!cursor_le32(&c, &found.flags) || (found.flags & ~(uint32_t)VEXT_SECTION_RELEASE) != 0)
		return verdict_at(REASON_SIGNATURE_SECTION, VEXT_SECTION_MAGIC_SIZE);
	found.records = c;
	while (!cursor_is_zero(c)) {
		const uint64_t at = (uint64_t)(c.at - bytes.at);

		if (!take_record(&c, bytes.at, &record) ||
		    !is_in_order(&record, before, &has_config))
			return verdict_at(REASON_SIGNATURE_SECTION, at);
		before = record.tag;
	}
	found.records.left -= c.left;
	*section = found;
	return verdict(REASON_ACCEPTED);
}

bool section_next(struct section *section, struct section_record *record)
{
	return section->records.left > 0 && take_record(&section->records, section->start, record);
}

struct verdict section_config(const char **bytes, size_t *size)
{
	struct section section;
	struct section_record record;
	struct verdict v = section_open(section_own(), &section);

	if (!is_accepted(v))
		return v;
	*bytes = "";
	*size = 0;
	while (section_next(&section, &record)) {
		if (record.tag != SECTION_CONFIG)
			continue;
		*bytes = (const char *)record.body.at;
		*size = record.body.left;
	}
	return v;
}

bool section_digest(uint8_t digest[VEXT_HASH_SIZE])
{
	return mbedtls_sha256(vext_section, sizeof(vext_section), digest, 0) == 0;
}

bool section_admits(struct cursor scope, const char *name, const char *directory)
{
	struct section section = { .records = scope, .start = scope.at };
	struct section_record record;
	bool names = false, name_fits = false, directories = false, directory_fits = false;

	while (section_next(&section, &record)) {
		if (record.tag == SECTION_NAME) {
			names = true;
			name_fits |= name && name_matches(name, (const char *)record.body.at,
							  record.body.left);
		} else {
			directories = true;
			directory_fits |= directory &&
					  cursor_equals(record.body, directory, strlen(directory));
		}
	}
	return (!names || name_fits) && (!directories || directory_fits);
}
