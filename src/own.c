/* SPDX-License-Identifier: Apache-2.0 */
#include "own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "configuration.h"
#include "crypto/section.h"
#include "report.h"
#include "status.h"
#include "sys/fresh.h"
#include "sys/overlay.h"

/* It need not be a secret, but must not be known before the boot. */
static struct verdict begin(struct merges *record)
{
	return fresh_bytes(record->token, sizeof(record->token));
}

bool own_is_systems(const char *root)
{
	char *real = realpath(root, NULL);
	const bool is_systems = real != NULL && strcmp(real, "/") == 0;

	free(real);
	return is_systems;
}

struct verdict own_load(struct own *own)
{
	static char bytes[CONFIG_SIZE_MAX + 1];
	size_t size = 0;
	int error = configuration_read(STATUS_MERGED, bytes, &size);

	*own = (struct own){ .is_there = false };
	if (error == ENOENT)
		return begin(&own->record);
	if (error)
		return verdict_errno(REASON_SYSTEM_RECORD, error);
	if (!merges_parse(bytes, size, &own->record)) {
		*own = (struct own){ .is_there = false };
		(void)begin(&own->record);
		return verdict(REASON_SYSTEM_RECORD);
	}
	own->is_there = true;
	return verdict(REASON_ACCEPTED);
}

const struct merges *own_of(const char *root, struct own *own)
{
	const struct verdict v = own_load(own);

	if (!is_accepted(v))
		(void)report_trouble(STATUS_MERGED, v);
	if (!own_is_systems(root))
		memset(own->record.merged, 0, sizeof(own->record.merged));
	return own->is_there ? &own->record : NULL;
}

void own_bind(struct own *own)
{
	if (!section_digest(own->record.baked))
		memset(own->record.baked, 0, sizeof(own->record.baked));
}

struct verdict own_save(const struct own *own)
{
	char bytes[MERGES_SIZE_MAX];
	struct text text;

	text_init(&text, bytes, sizeof(bytes));
	merges_put(&own->record, &text);
	return status_write(STATUS_MERGED, bytes, text.used);
}

struct verdict own_check_same(const struct own *own)
{
	static const uint8_t unbound[VEXT_HASH_SIZE];
	uint8_t digest[VEXT_HASH_SIZE];

	if (memcmp(own->record.baked, unbound, sizeof(unbound)) == 0)
		return verdict(REASON_ACCEPTED);
	if (!section_digest(digest) || memcmp(digest, own->record.baked, sizeof(digest)) != 0)
		return verdict(REASON_SYSTEM_OTHER_VEXT);
	return verdict(REASON_ACCEPTED);
}

/* One hierarchy more: what it makes of the class's state so far. */
static enum own_state add(enum own_state state, enum overlay_owner owner, bool is_recorded)
{
	if (state == OWN_OTHERS || owner == OVERLAY_OTHER)
		return OWN_OTHERS;
	if (is_recorded && owner == OVERLAY_NOBODY)
		return OWN_PARTLY;
	if (owner == OVERLAY_VEXT && state == OWN_NONE)
		return OWN_WHOLE;
	return state;
}

struct verdict own_state(const struct own *own, bool is_the_systems, int root_fd,
			 enum extension_class class, enum own_state *state)
{
	enum own_state found = OWN_NONE;
	enum overlay_owner owner;
	struct verdict v = verdict(REASON_ACCEPTED);

	for (unsigned i = 0; i < HIERARCHIES && is_accepted(v); i++) {
		if (hierarchy_class((enum hierarchy)i) != class)
			continue;
		v = overlay_owner(root_fd, (enum hierarchy)i, own->record.token, &owner);
		if (is_accepted(v))
			found = add(found, owner, is_the_systems && own->record.merged[i]);
	}
	if (is_accepted(v))
		*state = found;
	return v;
}
