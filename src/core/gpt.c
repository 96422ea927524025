/* SPDX-License-Identifier: Apache-2.0 */
#include "core/gpt.h"

#include "core/cursor.h"

/* Master boot record, UEFI 2.10 table 5.1 and 5.2; offsets in bytes. */
#define MBR_SIZE 512u
#define MBR_RECORDS_OFFSET 446u
#define MBR_RECORDS 4u
#define MBR_RECORD_SIZE 16u
#define MBR_RECORD_TYPE 4u /* offset of OSType in a record */
#define MBR_TYPE_PROTECTIVE 0xeeu

/* GPT header, UEFI 2.10 table 5.5. */
#define GPT_SIGNATURE "EFI PART"
#define GPT_SIGNATURE_SIZE 8u
#define GPT_HEADER_SIZE 92u
#define GPT_REVISION 0x00010000u
#define GPT_HEADER_LBA 1u
#define GPT_ENTRIES_LBA 2u
#define GPT_ENTRY_SIZE 128u

static const uint32_t sector_sizes[] = { 512, 4096 };

static bool has_boot_signature(const uint8_t mbr[MBR_SIZE])
{
	return mbr[510] == 0x55 && mbr[511] == 0xaa;
}

/* Exactly one record is in use, and it is the protective one. */
static bool is_protective(const uint8_t mbr[MBR_SIZE])
{
	unsigned protective = 0, used = 0;

	for (size_t i = 0; i < MBR_RECORDS; i++) {
		const uint8_t *record = mbr + MBR_RECORDS_OFFSET + i * MBR_RECORD_SIZE;

		used += !cursor_is_zero(cursor_over(record, MBR_RECORD_SIZE));
		protective += record[MBR_RECORD_TYPE] == MBR_TYPE_PROTECTIVE;
	}
	return has_boot_signature(mbr) && used == 1 && protective == 1;
}

static bool has_gpt_signature(const uint8_t header[GPT_HEADER_SIZE])
{
	return memcmp(header, GPT_SIGNATURE, GPT_SIGNATURE_SIZE) == 0;
}

static struct verdict check_header(const uint8_t raw[GPT_HEADER_SIZE], uint64_t size,
				   struct gpt *gpt)
{
	struct cursor c = cursor_over(raw, GPT_HEADER_SIZE);
	uint32_t revision, header_size, reserved, entries, entry_size;
	uint64_t own_lba, first, last, entries_lba;

	if (!cursor_skip(&c, GPT_SIGNATURE_SIZE) || !cursor_le32(&c, &revision) || /* 8 */
	    !cursor_le32(&c, &header_size) ||					   /* 12 */
	    !cursor_skip(&c, 4) ||						   /* 16: CRC32 */
	    !cursor_le32(&c, &reserved) ||					   /* 20 */
	    !cursor_le64(&c, &own_lba) ||					   /* 24 */
	    !cursor_skip(&c, 8) ||				      /* 32: alternate */
	    !cursor_le64(&c, &first) || !cursor_le64(&c, &last) ||    /* 40, 48: usable */
	    !cursor_skip(&c, 16) || !cursor_le64(&c, &entries_lba) || /* 56: disk GUID; 72 */
	    !cursor_le32(&c, &entries) ||			      /* 80 */
	    !cursor_le32(&c, &entry_size))			      /* 84 */
		return verdict_at(REASON_GPT_HEADER, gpt->sector_size);
	if (revision != GPT_REVISION || header_size < GPT_HEADER_SIZE ||
	    header_size > gpt->sector_size || reserved != 0 || own_lba != GPT_HEADER_LBA ||
	    entries_lba != GPT_ENTRIES_LBA || first <= GPT_HEADER_LBA || first > last)
		return verdict_at(REASON_GPT_HEADER, gpt->sector_size);
	if (last >= size / gpt->sector_size)
		return verdict_at(REASON_GPT_RANGE, gpt->sector_size + 48);
	if (entries == 0 || entries > VEXT_GPT_ENTRIES_MAX || entry_size != GPT_ENTRY_SIZE)
		return verdict_at(REASON_GPT_ENTRIES, gpt->sector_size + 80);
	gpt->entries = entries;
	gpt->table_end = (uint64_t)GPT_ENTRIES_LBA * gpt->sector_size + entries * GPT_ENTRY_SIZE;
	return verdict(REASON_ACCEPTED);
}

/* Reads the header that a sector size puts at its sector 1; one beyond the image is all zeros. */
static struct verdict read_header(const struct reader *reader, uint64_t size, uint32_t sector_size,
				  uint8_t header[GPT_HEADER_SIZE])
{
	if (size < 2 * (uint64_t)sector_size) {
		memset(header, 0, GPT_HEADER_SIZE);
		return verdict(REASON_ACCEPTED);
	}
	return reader->read(reader->ctx, sector_size, header, GPT_HEADER_SIZE);
}

static struct verdict without_gpt(const uint8_t mbr[MBR_SIZE])
{
	return has_boot_signature(mbr) ? verdict_at(REASON_GPT_MISSING, 512) :
					 verdict_at(REASON_IMAGE_FORMAT, 0);
}

struct verdict gpt_find(const struct reader *reader, uint64_t size, struct gpt *gpt)
{
	uint8_t mbr[MBR_SIZE], header[GPT_HEADER_SIZE], found_header[GPT_HEADER_SIZE] = { 0 };
	struct gpt found = { 0 };
	struct verdict v;

	if (size < MBR_SIZE)
		return verdict_at(REASON_IMAGE_FORMAT, 0);
	v = reader->read(reader->ctx, 0, mbr, sizeof(mbr));
	if (!is_accepted(v))
		return v;
	for (size_t i = 0; i < sizeof(sector_sizes) / sizeof(sector_sizes[0]); i++) {
		v = read_header(reader, size, sector_sizes[i], header);
		if (!is_accepted(v))
			return v;
		if (!has_gpt_signature(header))
			continue;
		if (found.sector_size != 0)
			return verdict_at(REASON_GPT_AMBIGUOUS, sector_sizes[i]);
		found.sector_size = sector_sizes[i];
		memcpy(found_header, header, sizeof(found_header));
	}
	if (found.sector_size == 0)
		return without_gpt(mbr);
	if (!is_protective(mbr))
		return verdict_at(REASON_GPT_PMBR, MBR_RECORDS_OFFSET);
	v = check_header(found_header, size, &found);
	if (is_accepted(v))
		*gpt = found;
	return v;
}

struct verdict gpt_count_used(const struct reader *reader, const struct gpt *gpt, uint32_t *used)
{
	uint64_t start = (uint64_t)GPT_ENTRIES_LBA * gpt->sector_size;
	uint8_t type[16]; /* the entry's first 16 bytes, UEFI 2.10 table 5.6 */
	uint32_t count = 0;

	for (uint32_t i = 0; i < gpt->entries; i++) {
		struct verdict v = reader->read(reader->ctx, start + (uint64_t)i * GPT_ENTRY_SIZE,
						type, sizeof(type));

		if (!is_accepted(v))
			return v;
		count += !cursor_is_zero(cursor_over(type, sizeof(type)));
	}
	*used = count;
	return verdict(REASON_ACCEPTED);
}
