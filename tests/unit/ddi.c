/* SPDX-License-Identifier: Apache-2.0 */
#include "ddi.h"

#include "core/verity.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define ENTRIES 128u
#define ENTRY_SIZE 128u
#define HEADER_SIZE 92u

/* UEFI 2.10, 5.3.2 has the CRC of IEEE 802.3. */
static uint32_t crc32(const uint8_t *bytes, size_t size)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

uint8_t *ddi_header(struct ddi *ddi)
{
	return ddi->bytes + ddi->sector;
}

uint8_t *ddi_entry(struct ddi *ddi, size_t index)
{
	return ddi->bytes + 2 * (size_t)ddi->sector + index * ENTRY_SIZE;
}

uint8_t *ddi_superblock(struct ddi *ddi)
{
	return ddi->bytes + ddi->extent[DDI_TREE].offset;
}

static void seal_at(uint8_t *header, const uint8_t *entries)
{
	put_le(header + 88, crc32(entries, ENTRIES * ENTRY_SIZE), 4);
	put_le(header + 16, 0, 4);
	put_le(header + 16, crc32(header, HEADER_SIZE), 4);
}

void ddi_seal(struct ddi *ddi)
{
	seal_at(ddi_header(ddi), ddi_entry(ddi, 0));
}

void ddi_put_guid(uint8_t *to, const uint8_t uuid[16])
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

	for (size_t i = 0; i < 16; i++)
		to[i] = uuid[order[i]];
}

void ddi_put_range(struct ddi *ddi, size_t index, uint64_t first_lba, uint64_t last_lba)
{
	put_le(ddi_entry(ddi, index) + 32, first_lba, 8);
	put_le(ddi_entry(ddi, index) + 40, last_lba, 8);
}

/* The type UUIDs again, from the text of the Discoverable Partitions Specification. */
static const char *const type_uuids[3][3][3] = {
	[ARCH_X86_64] = {
		[ROLE_ROOT] = { "4f68bce3e8cd4db196e7fbcaf984b709", "2c7357edebd246d9aec123d437ec2bf5",
				"41092b059fc84523994f2def0408b176" },
		[ROLE_USR] = { "8484680c952148c69c11b0720656f69e", "77ff5f63e7b64633acf41565b864c0e6",
			       "e7bb33fb06cf4e818273e543b413e2e2" },
	},
	[ARCH_ARM64] = {
		[ROLE_ROOT] = { "b921b0451df041c3af444c6f280d3fae", "df3300ced69f4c92978c9bfb0f38d820",
				"6db69de629f44758a7a5962190f00ce3" },
		[ROLE_USR] = { "b0e01050ee5f4390949a9101b17104e9", "6e11a4e7fbca4dedb9e9e1a512bb664e",
			       "c23ce4ff44bd4b00b2d4b41b3419e02a" },
	},
};

static void parse_hex(const char *text, uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned byte = 0;

		assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
		bytes[i] = (uint8_t)byte;
	}
}

void ddi_put_type(struct ddi *ddi, size_t index, enum arch arch, enum role role,
		  enum ddi_partition kind)
{
	uint8_t uuid[16];

	parse_hex(type_uuids[arch][role][kind], uuid, sizeof(uuid));
	ddi_put_guid(ddi_entry(ddi, index), uuid);
}

/* UTF-16, from text that is ASCII. */
static void put_name(struct ddi *ddi, size_t index, const char *name)
{
	for (size_t i = 0; name[i] != 0; i++)
		put_le(ddi_entry(ddi, index) + 56 + 2 * i, (uint8_t)name[i], 2);
}

static void put_partition(struct ddi *ddi, size_t index, struct extent extent)
{
	ddi_put_range(ddi, index, extent.offset / ddi->sector,
		      (extent.offset + extent.size) / ddi->sector - 1);
}

void ddi_add(struct ddi *ddi, size_t index, enum arch arch, enum role role, enum ddi_partition kind)
{
	const struct extent extent = { .offset = (256u << 10) + index * 16384, .size = 16384 };

	ddi_put_type(ddi, index, arch, role, kind);
	put_partition(ddi, index, extent);
	put_le(ddi_entry(ddi, index) + 16, index + 1, 8);
}

static void put_boot_sector(struct ddi *ddi)
{
	uint8_t *record = ddi->bytes + 446;

	record[2] = 2; /* CHS of LBA 1 */
	record[4] = 0xee;
	memset(record + 5, 0xff, 3);
	put_le(record + 8, 1, 4);
	put_le(record + 12, DDI_SIZE / ddi->sector - 1, 4);
	ddi->bytes[510] = 0x55;
	ddi->bytes[511] = 0xaa;
}

static void put_header(struct ddi *ddi)
{
	const uint64_t array = ENTRIES * ENTRY_SIZE / ddi->sector, sectors = DDI_SIZE / ddi->sector;
	uint8_t *header = ddi_header(ddi);

	memcpy(header, "EFI PART", 8);
	put_le(header + 8, 0x00010000, 4);
	put_le(header + 12, HEADER_SIZE, 4);
	put_le(header + 24, 1, 8);		     /* own LBA */
	put_le(header + 32, sectors - 1, 8);	     /* the backup's */
	put_le(header + 40, 2 + array, 8);	     /* first usable */
	put_le(header + 48, sectors - array - 2, 8); /* last usable */
	memset(header + 56, 0x5a, 16);		     /* disk GUID */
	put_le(header + 72, 2, 8);
	put_le(header + 80, ENTRIES, 4);
	put_le(header + 84, ENTRY_SIZE, 4);
}

void ddi_put_backup(struct ddi *ddi)
{
	const uint64_t array = ENTRIES * ENTRY_SIZE / ddi->sector, sectors = DDI_SIZE / ddi->sector;
	uint8_t *header = ddi->bytes + (sectors - 1) * ddi->sector;
	uint8_t *entries = ddi->bytes + (sectors - 1 - array) * ddi->sector;

	memcpy(header, ddi_header(ddi), HEADER_SIZE);
	memcpy(entries, ddi_entry(ddi, 0), ENTRIES * ENTRY_SIZE);
	put_le(header + 24, sectors - 1, 8);
	put_le(header + 32, 1, 8);
	put_le(header + 72, sectors - 1 - array, 8);
	seal_at(header, entries);
}

void ddi_put_superblock(uint8_t *superblock, uint64_t data_blocks, uint16_t salt_size)
{
	memset(superblock, 0, VERITY_SUPERBLOCK_SIZE);
	memcpy(superblock, "verity", 6);
	put_le(superblock + 8, 1, 4);
	put_le(superblock + 12, 1, 4);
	memset(superblock + 16, 0x77, 16);
	memcpy(superblock + 32, "sha256", 6);
	put_le(superblock + 64, VEXT_BLOCK, 4);
	put_le(superblock + 68, VEXT_BLOCK, 4);
	put_le(superblock + 72, data_blocks, 8);
	put_le(superblock + 80, salt_size, 2);
	memset(superblock + 88, 0xab, salt_size <= VEXT_SALT_MAX ? salt_size : VEXT_SALT_MAX);
}

void ddi_put_envelope(struct ddi *ddi, const char *text, size_t size)
{
	const struct extent where = ddi->extent[DDI_SIGNATURE];

	assert_true(size <= where.size);
	memset(ddi->bytes + where.offset, 0, where.size);
	memcpy(ddi->bytes + where.offset, text, size);
}

static void put_usual_envelope(struct ddi *ddi)
{
	char text[512], hash[2 * VEXT_HASH_SIZE + 1];

	for (size_t i = 0; i < VEXT_HASH_SIZE; i++)
		sprintf(hash + 2 * i, "%02x", ddi->root_hash[i]);
	sprintf(text,
		"{\"rootHash\":\"%s\",\"certificateFingerprint\":\"%s\",\"signature\":\"AQIDBA==\"}",
		hash, hash);
	ddi_put_envelope(ddi, text, strlen(text));
}

void ddi_make(struct ddi *ddi, uint32_t sector_size, enum role role, enum arch arch)
{
	static const char *const names[] = { "data", "tree", "signature" };

	ddi->sector = sector_size;
	ddi->bytes = calloc(1, DDI_SIZE);
	assert_non_null(ddi->bytes);
	for (size_t i = 0; i < VEXT_HASH_SIZE; i++)
		ddi->root_hash[i] = (uint8_t)(0x10 + i);
	ddi->extent[DDI_DATA] = (struct extent){ 64u << 10, DDI_DATA_BLOCKS * VEXT_BLOCK };
	ddi->extent[DDI_TREE] = (struct extent){ 128u << 10, 4 * VEXT_BLOCK };
	ddi->extent[DDI_SIGNATURE] = (struct extent){ 192u << 10, 16384 };
	put_boot_sector(ddi);
	put_header(ddi);
	for (size_t i = 0; i < 3; i++) {
		ddi_put_type(ddi, i, arch, role, (enum ddi_partition)i);
		put_partition(ddi, i, ddi->extent[i]);
		put_name(ddi, i, names[i]);
	}
	ddi_put_guid(ddi_entry(ddi, DDI_DATA) + 16, ddi->root_hash);
	ddi_put_guid(ddi_entry(ddi, DDI_TREE) + 16, ddi->root_hash + 16);
	memset(ddi_entry(ddi, DDI_SIGNATURE) + 16, 0x33, 16);
	ddi_put_superblock(ddi_superblock(ddi), DDI_DATA_BLOCKS, DDI_SALT_SIZE);
	put_usual_envelope(ddi);
	ddi_seal(ddi);
}

void ddi_free(struct ddi *ddi)
{
	free(ddi->bytes);
	ddi->bytes = NULL;
}

int ddi_open(const struct ddi *ddi, uint64_t size)
{
	int fd = memfd_create("ddi", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(size <= DDI_SIZE);
	assert_int_equal(write(fd, ddi->bytes, size), (ssize_t)size);
	return fd;
}
