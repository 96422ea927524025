/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is baked into the binary (section.h), and lists of revocations (revocation.h), whose form the first byte
 * chooses. Asserted: damage denies every image, or changes nothing of the list; records are whole and in order.
 */
#include "core/name.h"
#include "crypto/revocation.h"
#include "crypto/section.h"
#include "fuzz.h"

static void check_records(struct section section, size_t size)
{
	struct section_record record;
	uint32_t config = 0;

	while (section_next(&section, &record)) {
		holds(record.at < size && record.body.left <= size);
		config += record.tag == SECTION_CONFIG;
		if (record.tag == SECTION_NAME)
			holds(name_is_pattern((const char *)record.body.at, record.body.left));
	}
	holds(config <= 1);
}

static void check_section(const uint8_t *bytes, size_t size)
{
	static struct anchors anchors;
	struct section section = { .flags = 77 };
	struct verdict v = section_open(cursor_over(bytes, size), &section), added;

	anchors_init(&anchors);
	holds(is_accepted(anchors.denied));
	added = anchors_add_section(&anchors, cursor_over(bytes, size));
	holds(is_accepted(added) == is_accepted(anchors.denied));
	if (is_accepted(v)) {
		check_records(section, size);
		for (uint32_t i = 0; i < anchors.count; i++)
			section_admits(anchors.list[i].scope, "fuzz", "/etc/extensions");
	} else {
		holds(v.reason == REASON_SIGNATURE_SECTION && v.at <= size && section.flags == 77);
		holds(anchors.count == 0 && anchors.revoked.count == 0 && !is_accepted(added));
	}
	anchors_free(&anchors);
}

static void check_list(const uint8_t *bytes, size_t size)
{
	static const uint8_t known[VEXT_HASH_SIZE] = { 0xa5 };
	static struct revocations revocations;
	struct verdict v;

	revocations.count = 0;
	holds(is_accepted(revocations_add(&revocations, REVOKED_IMAGE, known, ANCHOR_BAKED)));
	v = revocations_read(&revocations, cursor_over(bytes, size), ANCHOR_USR);
	holds(is_revoked(&revocations, REVOKED_IMAGE, known));
	if (is_accepted(v)) {
		holds(revocations.count <= VEXT_REVOKED_MAX && size > 0);
		holds(size < 64 || revocations.count <= 1 + size / 64);
		return;
	}
	holds(fuzz_group(v) == 4 && revocations.count == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t *copy;

	if (size == 0 || size > VEXT_SECTION_SIZE)
		return 0;
	copy = fuzz_copy(bytes + 1, size - 1);
	if (bytes[0] % 2 == 0)
		check_section(copy, size - 1);
	else
		check_list(copy, size - 1);
	free(copy);
	return 0;
}
