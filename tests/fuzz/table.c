/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partition tables, up to the choice of the triple. Input: length of the file in units of 512 bytes (u32), and how
 * it starts; the rest of it is zeros. Asserted: the partitions are those that a reader of this file's own finds, and
 * the chosen ones are the only ones of their kinds, inside the image and apart from all others.
 */
#include "core/gpt.h"
#include "core/layout.h"
#include "fuzz.h"

#define PREFIX 4u

struct bytes {
	const uint8_t *at;
	size_t size;
	uint64_t file_size;
};

static struct verdict read_sparse(void *ctx, uint64_t offset, void *buf, size_t size)
{
	const struct bytes *bytes = ctx;
	size_t there = 0;

	if (offset > bytes->file_size || size > bytes->file_size - offset)
		return verdict_at(REASON_IMAGE_TRUNCATED, offset);
	memset(buf, 0, size);
	if (offset < bytes->size)
		there = bytes->size - offset < size ? bytes->size - (size_t)offset : size;
	if (there > 0)
		memcpy(buf, bytes->at + offset, there);
	return verdict(REASON_ACCEPTED);
}

/* ---- the header ---------------------------------------------------------------------------- */

static void check_find(struct bytes *bytes)
{
	const struct reader reader = { .read = read_sparse, .ctx = bytes };
	struct gpt gpt = { .sector_size = 7, .entries = 7, .table_end = 7 };
	uint32_t used = 777;
	struct verdict v = gpt_find(&reader, bytes->file_size, &gpt);

	if (!is_accepted(v)) {
		holds(fuzz_group(v) == 2 || v.reason == REASON_IMAGE_FORMAT ||
		      v.reason == REASON_IMAGE_TRUNCATED);
		holds(gpt.sector_size == 7 && gpt.entries == 7 && gpt.table_end == 7);
		return;
	}
	holds(gpt.sector_size == 512 || gpt.sector_size == 4096);
	holds(gpt.entries > 0 && gpt.entries <= VEXT_GPT_ENTRIES_MAX);
	holds(gpt.table_end == 2 * gpt.sector_size + gpt.entries * 128);
	v = gpt_count_used(&reader, &gpt, &used);
	holds(is_accepted(v) ? used <= gpt.entries :
			       used == 777 && v.reason == REASON_IMAGE_TRUNCATED);
}

/* ---- the entries --------------------------------------------------------------------------- */

static void check_partition(const uint8_t entry[128], uint32_t sector,
			    const struct partition *partition)
{
	const uint64_t first = fuzz_le(entry + 32, 8), last = fuzz_le(entry + 40, 8);
	uint8_t uuid[16];

	fuzz_swap_guid(entry, uuid);
	holds(memcmp(uuid, partition->type, 16) == 0);
	fuzz_swap_guid(entry + 16, uuid);
	holds(memcmp(uuid, partition->uuid, 16) == 0);
	holds(partition->extent.offset == first * sector);
	holds(partition->extent.size == (last - first + 1) * sector);
	holds(memchr(partition->name, 0, sizeof(partition->name)));
}

static bool is_used(const uint8_t entry[128])
{
	for (size_t i = 0; i < 16; i++)
		if (entry[i])
			return true;
	return false;
}

static void check_partitions(struct bytes *bytes, const struct claim *claim)
{
	const struct reader reader = { .read = read_sparse, .ctx = bytes };
	uint8_t entry[128], header[92];
	uint32_t found = 0, entries;

	holds(is_accepted(read_sparse(bytes, claim->sector_size, header, sizeof(header))));
	entries = (uint32_t)fuzz_le(header + 80, 4);
	for (uint32_t i = 0; i < entries; i++) {
		const uint64_t at = 2 * (uint64_t)claim->sector_size + i * 128u;

		holds(is_accepted(reader.read(reader.ctx, at, entry, sizeof(entry))));
		if (!is_used(entry))
			continue;
		holds(found < claim->partition_count);
		check_partition(entry, claim->sector_size, &claim->partitions[found++]);
	}
	holds(found == claim->partition_count);
}

/* ---- the choice ---------------------------------------------------------------------------- */

static bool is_same(struct extent a, struct extent b)
{
	return a.offset == b.offset && a.size == b.size;
}

static void check_chosen(const struct claim *claim, struct extent e, enum partition_kind kind,
			 uint64_t file_size)
{
	unsigned of_kind = 0, same = 0;

	holds(e.size > 0 && e.offset < file_size && e.size <= file_size - e.offset);
	for (uint32_t i = 0; i < claim->partition_count; i++) {
		const struct partition *p = &claim->partitions[i];
		const struct partition_type *type = partition_type(p->type);

		if (is_same(p->extent, e))
			same++;
		else
			holds(p->extent.offset + p->extent.size <= e.offset ||
			      e.offset + e.size <= p->extent.offset);
		if (!type || type->arch != VEXT_ARCH)
			continue;
		holds(type->role == claim->layout.role);
		of_kind += type->kind == kind;
		holds((type->kind == kind) == is_same(p->extent, e));
	}
	holds(of_kind == 1 && same == 1);
}

static void check_layout(const struct claim *claim, uint64_t file_size)
{
	check_chosen(claim, claim->layout.data, KIND_DATA, file_size);
	check_chosen(claim, claim->layout.tree, KIND_TREE, file_size);
	if (claim_is_signed(claim))
		check_chosen(claim, claim->layout.signature, KIND_SIGNATURE, file_size);
	holds(claim->layout.signature.size <= VEXT_ENVELOPE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct bytes file;
	static struct claim claim;

	if (size < PREFIX)
		return 0;
	file = (struct bytes){ .at = bytes + PREFIX,
			       .size = size - PREFIX,
			       .file_size = 512 * fuzz_le(bytes, PREFIX) };
	if (file.size > file.file_size)
		file.size = (size_t)file.file_size;
	check_find(&file);
	fuzz_probe(file.at, file.size, file.file_size, &claim);
	if (claim.stage >= CLAIM_TABLE)
		check_partitions(&file, &claim);
	if (claim.stage >= CLAIM_LAYOUT)
		check_layout(&claim, file.file_size);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed)
{
	size = LLVMFuzzerMutate(bytes, size, max_size);
	if (size > PREFIX && seed % 8 != 0)
		fuzz_seal(bytes + PREFIX, size - PREFIX);
	return size;
}
