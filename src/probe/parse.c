/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/parse.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/claim.h"
#include "core/gpt.h"
#include "core/hex.h"
#include "core/layout.h"
#include "core/verity.h"

#define BLKID_SECTOR 512u /* libblkid counts in these, whatever the sector size */

/*
 * libblkid asks the environment, which a kernel command line can fill, in a constructor of its own, and
 * would then talk in the jail and be killed for it. This one runs before.
 */
static void __attribute__((constructor(101))) deafen_blkid(void)
{
	unsetenv("LIBBLKID_DEBUG");
}

bool parser_open(struct parser *parser)
{
	char gpt[] = "gpt";
	char *types[] = { gpt, NULL };
	blkid_probe probe = blkid_new_probe();

	parser->blkid = probe;
	/* 0: the length that the file has now. It refuses a longer one, and parser_run() tells better. */
	return probe && blkid_probe_set_device(probe, parser->fd, 0, 0) == 0 &&
	       blkid_probe_enable_superblocks(probe, 0) == 0 &&
	       blkid_probe_enable_partitions(probe, 1) == 0 &&
	       blkid_probe_filter_partitions_type(probe, BLKID_FLTR_ONLYIN, types) == 0;
}

void parser_close(struct parser *parser)
{
	blkid_free_probe(parser->blkid);
	parser->blkid = NULL;
}

static struct verdict read_exactly(void *ctx, uint64_t offset, void *buf, size_t size)
{
	const struct parser *parser = ctx;
	uint8_t *to = buf;
	int tries = 0;

	for (size_t done = 0; done < size;) {
		ssize_t n = pread(parser->fd, to + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR && ++tries < VEXT_TRIES_MAX)
			continue;
		if (n < 0)
			return verdict_errno(REASON_SYSTEM_READ, errno);
		if (n == 0)
			return verdict_at(REASON_IMAGE_TRUNCATED, offset + done);
		done += (size_t)n;
	}
	return verdict(REASON_ACCEPTED);
}

/* Whoever writes the disk may shorten the file once it was opened: say that, not what libblkid makes of it. */
static struct verdict check_length(const struct parser *parser, const struct reader *reader)
{
	uint8_t last;

	if (parser->size == 0)
		return verdict(REASON_IMAGE_EMPTY);
	return reader->read(reader->ctx, parser->size - 1, &last, sizeof(last));
}

static bool parse_uuid(const char *text, uint8_t uuid[16])
{
	static const uint8_t hyphens[] = { 8, 13, 18, 23 };
	char digits[33];
	size_t used = 0;

	if (!text || strlen(text) != 36)
		return false;
	for (size_t i = 0; i < 36; i++)
		if (!memchr(hyphens, (int)i, sizeof(hyphens)))
			digits[used++] = text[i];
	return hex_decode(digits, used, uuid, 16);
}

/* libblkid's numbers are signed and its strings may be missing: take nothing on faith. */
static bool copy_partition(blkid_partition from, struct partition *to)
{
	blkid_loff_t start = blkid_partition_get_start(from), size = blkid_partition_get_size(from);
	const char *name = blkid_partition_get_name(from);

	if (start < 0 || size < 0 || start > INT64_MAX / BLKID_SECTOR ||
	    size > INT64_MAX / BLKID_SECTOR)
		return false;
	to->extent.offset = (uint64_t)start * BLKID_SECTOR;
	to->extent.size = (uint64_t)size * BLKID_SECTOR;
	to->attributes = blkid_partition_get_flags(from);
	if (name && strlen(name) < sizeof(to->name))
		strcpy(to->name, name);
	return parse_uuid(blkid_partition_get_type_string(from), to->type) &&
	       parse_uuid(blkid_partition_get_uuid(from), to->uuid);
}

static struct verdict copy_partitions(blkid_partlist list, uint32_t used, struct claim *claim)
{
	int count = blkid_partlist_numof_partitions(list);

	if (count < 0 || (uint32_t)count != used || used > VEXT_GPT_ENTRIES_MAX)
		return verdict(REASON_GPT_RANGE);
	for (uint32_t i = 0; i < used; i++) {
		blkid_partition partition = blkid_partlist_get_partition(list, (int)i);

		if (!partition || !copy_partition(partition, &claim->partitions[i]))
			return verdict(REASON_GPT_RANGE);
	}
	claim->partition_count = used;
	return verdict(REASON_ACCEPTED);
}

/* libblkid falls back to the backup table without a word; where its table lies tells. */
static bool is_primary(blkid_partlist list, uint32_t sector_size)
{
	blkid_parttable table = blkid_partlist_get_table(list);

	return table && blkid_parttable_get_offset(table) == (blkid_loff_t)sector_size;
}

/* No list at all, and errno set: then it is not the table that is wrong. libblkid has no other word for it. */
static struct verdict explain_no_list(void)
{
	return verdict_errno(errno == ENOMEM ? REASON_SYSTEM_MEMORY : REASON_SYSTEM_READ, errno);
}

static struct verdict parse_table(struct parser *parser, const struct reader *reader,
				  struct gpt *gpt, struct claim *claim)
{
	struct verdict v = gpt_find(reader, parser->size, gpt);
	blkid_partlist list;
	uint32_t used;

	if (!is_accepted(v))
		return v;
	v = gpt_count_used(reader, gpt, &used);
	if (!is_accepted(v))
		return v;
	if (blkid_probe_set_sectorsize(parser->blkid, gpt->sector_size) != 0)
		return verdict(REASON_SYSTEM_MEMORY);
	errno = 0;
	list = blkid_probe_get_partitions(parser->blkid);
	if (!list && errno != 0)
		return explain_no_list();
	if (!list || !is_primary(list, gpt->sector_size))
		return verdict_at(REASON_GPT_CHECKSUM, gpt->sector_size);
	v = copy_partitions(list, used, claim);
	if (!is_accepted(v))
		return v;
	claim->sector_size = gpt->sector_size;
	claim->stage = CLAIM_TABLE;
	return v;
}

static struct verdict shifted(struct verdict v, uint64_t by)
{
	if (v.at != VERDICT_NOWHERE)
		v.at += by;
	return v;
}

static struct verdict parse_envelope(const struct reader *reader, struct claim *claim)
{
	struct extent where = claim->layout.signature;
	uint8_t *bytes;
	struct verdict v;

	if (!claim_is_signed(claim)) {
		claim_take_uuids(claim);
		return verdict(REASON_ACCEPTED);
	}
	bytes = malloc(VEXT_ENVELOPE_MAX);
	if (!bytes)
		return verdict(REASON_SYSTEM_MEMORY);
	v = reader->read(reader->ctx, where.offset, bytes, where.size);
	if (is_accepted(v))
		v = shifted(envelope_parse(bytes, where.size, claim), where.offset);
	free(bytes);
	return v;
}

static struct verdict parse_superblock(const struct reader *reader, struct claim *claim)
{
	const struct layout *layout = &claim->layout;
	uint8_t superblock[VERITY_SUPERBLOCK_SIZE];
	struct verdict v;

	if (layout->tree.size < sizeof(superblock))
		return verdict_at(REASON_SUPERBLOCK_TREE, layout->tree.offset);
	v = reader->read(reader->ctx, layout->tree.offset, superblock, sizeof(superblock));
	if (!is_accepted(v))
		return v;
	return shifted(
		verity_parse(superblock, layout->data.size, layout->tree.size, &claim->verity),
		layout->tree.offset);
}

struct reader parser_reader(struct parser *parser)
{
	return (struct reader){ .read = read_exactly, .ctx = parser };
}

struct verdict parser_run(struct parser *parser, struct claim *claim)
{
	const struct reader reader = parser_reader(parser);
	struct gpt gpt;
	struct verdict v;

	claim->stage = CLAIM_EMPTY;
	v = check_length(parser, &reader);
	if (!is_accepted(v))
		return v;
	v = parse_table(parser, &reader, &gpt, claim);
	if (!is_accepted(v))
		return v;
	v = layout_select(claim->partitions, claim->partition_count, gpt.table_end, parser->size,
			  parser->arch, &claim->layout);
	if (!is_accepted(v))
		return v;
	claim->stage = CLAIM_LAYOUT;
	v = parse_envelope(&reader, claim);
	if (!is_accepted(v))
		return v;
	if (!claim_uuids_fit(claim))
		return verdict(REASON_GPT_UUID);
	claim->stage = CLAIM_ENVELOPE;
	v = parse_superblock(&reader, claim);
	if (is_accepted(v))
		claim->stage = CLAIM_COMPLETE;
	return v;
}
