/* SPDX-License-Identifier: Apache-2.0 */
#include "core/layout.h"

#include <string.h>

/* clang-format off */
static const struct partition_type types[] = {
	{ { 0x4f, 0x68, 0xbc, 0xe3, 0xe8, 0xcd, 0x4d, 0xb1, 0x96, 0xe7, 0xfb, 0xca, 0xf9, 0x84, 0xb7, 0x09 },
	  ARCH_X86_64, ROLE_ROOT, KIND_DATA, DESIGNATOR_ROOT },
	{ { 0x2c, 0x73, 0x57, 0xed, 0xeb, 0xd2, 0x46, 0xd9, 0xae, 0xc1, 0x23, 0xd4, 0x37, 0xec, 0x2b, 0xf5 },
	  ARCH_X86_64, ROLE_ROOT, KIND_TREE, DESIGNATOR_ROOT_VERITY },
	{ { 0x41, 0x09, 0x2b, 0x05, 0x9f, 0xc8, 0x45, 0x23, 0x99, 0x4f, 0x2d, 0xef, 0x04, 0x08, 0xb1, 0x76 },
	  ARCH_X86_64, ROLE_ROOT, KIND_SIGNATURE, DESIGNATOR_ROOT_VERITY_SIG },
	{ { 0x84, 0x84, 0x68, 0x0c, 0x95, 0x21, 0x48, 0xc6, 0x9c, 0x11, 0xb0, 0x72, 0x06, 0x56, 0xf6, 0x9e },
	  ARCH_X86_64, ROLE_USR, KIND_DATA, DESIGNATOR_USR },
	{ { 0x77, 0xff, 0x5f, 0x63, 0xe7, 0xb6, 0x46, 0x33, 0xac, 0xf4, 0x15, 0x65, 0xb8, 0x64, 0xc0, 0xe6 },
	  ARCH_X86_64, ROLE_USR, KIND_TREE, DESIGNATOR_USR_VERITY },
	{ { 0xe7, 0xbb, 0x33, 0xfb, 0x06, 0xcf, 0x4e, 0x81, 0x82, 0x73, 0xe5, 0x43, 0xb4, 0x13, 0xe2, 0xe2 },
	  ARCH_X86_64, ROLE_USR, KIND_SIGNATURE, DESIGNATOR_USR_VERITY_SIG },
	{ { 0xb9, 0x21, 0xb0, 0x45, 0x1d, 0xf0, 0x41, 0xc3, 0xaf, 0x44, 0x4c, 0x6f, 0x28, 0x0d, 0x3f, 0xae },
	  ARCH_ARM64, ROLE_ROOT, KIND_DATA, DESIGNATOR_ROOT },
	{ { 0xdf, 0x33, 0x00, 0xce, 0xd6, 0x9f, 0x4c, 0x92, 0x97, 0x8c, 0x9b, 0xfb, 0x0f, 0x38, 0xd8, 0x20 },
	  ARCH_ARM64, ROLE_ROOT, KIND_TREE, DESIGNATOR_ROOT_VERITY },
	{ { 0x6d, 0xb6, 0x9d, 0xe6, 0x29, 0xf4, 0x47, 0x58, 0xa7, 0xa5, 0x96, 0x21, 0x90, 0xf0, 0x0c, 0xe3 },
	  ARCH_ARM64, ROLE_ROOT, KIND_SIGNATURE, DESIGNATOR_ROOT_VERITY_SIG },
	{ { 0xb0, 0xe0, 0x10, 0x50, 0xee, 0x5f, 0x43, 0x90, 0x94, 0x9a, 0x91, 0x01, 0xb1, 0x71, 0x04, 0xe9 },
	  ARCH_ARM64, ROLE_USR, KIND_DATA, DESIGNATOR_USR },
	{ { 0x6e, 0x11, 0xa4, 0xe7, 0xfb, 0xca, 0x4d, 0xed, 0xb9, 0xe9, 0xe1, 0xa5, 0x12, 0xbb, 0x66, 0x4e },
	  ARCH_ARM64, ROLE_USR, KIND_TREE, DESIGNATOR_USR_VERITY },
	{ { 0xc2, 0x3c, 0xe4, 0xff, 0x44, 0xbd, 0x4b, 0x00, 0xb2, 0xd4, 0xb4, 0x1b, 0x34, 0x19, 0xe0, 0x2a },
	  ARCH_ARM64, ROLE_USR, KIND_SIGNATURE, DESIGNATOR_USR_VERITY_SIG },
	{ { 0x93, 0x3a, 0xc7, 0xe1, 0x2e, 0xb4, 0x4f, 0x13, 0xb8, 0x44, 0x0e, 0x14, 0xe2, 0xae, 0xf9, 0x15 },
	  0, 0, KIND_OTHER, DESIGNATOR_HOME },
	{ { 0x3b, 0x8f, 0x84, 0x25, 0x20, 0xe0, 0x4f, 0x3b, 0x90, 0x7f, 0x1a, 0x25, 0xa7, 0x6f, 0x98, 0xe8 },
	  0, 0, KIND_OTHER, DESIGNATOR_SRV },
	{ { 0xc1, 0x2a, 0x73, 0x28, 0xf8, 0x1f, 0x11, 0xd2, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b },
	  0, 0, KIND_OTHER, DESIGNATOR_ESP },
	{ { 0xbc, 0x13, 0xc2, 0xff, 0x59, 0xe6, 0x42, 0x62, 0xa3, 0x52, 0xb2, 0x75, 0xfd, 0x6f, 0x71, 0x72 },
	  0, 0, KIND_OTHER, DESIGNATOR_XBOOTLDR },
	{ { 0x06, 0x57, 0xfd, 0x6d, 0xa4, 0xab, 0x43, 0xc4, 0x84, 0xe5, 0x09, 0x33, 0xc8, 0x4b, 0x4f, 0x4f },
	  0, 0, KIND_OTHER, DESIGNATOR_SWAP },
	{ { 0x7e, 0xc6, 0xf5, 0x57, 0x3b, 0xc5, 0x4a, 0xca, 0xb2, 0x93, 0x16, 0xef, 0x5d, 0xf6, 0x39, 0xd1 },
	  0, 0, KIND_OTHER, DESIGNATOR_TMP },
	{ { 0x4d, 0x21, 0xb0, 0x16, 0xb5, 0x34, 0x45, 0xc2, 0xa9, 0xfb, 0x5c, 0x16, 0xe0, 0x91, 0xfd, 0x2d },
	  0, 0, KIND_OTHER, DESIGNATOR_VAR },
};
/* clang-format on */

const struct partition_type *partition_type(const uint8_t uuid[16])
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (memcmp(types[i].uuid, uuid, sizeof(types[i].uuid)) == 0)
			return &types[i];
	return NULL;
}

static bool is_inside(struct extent e, uint64_t table_end, uint64_t image_size)
{
	return e.size > 0 && e.offset >= table_end && e.offset <= image_size &&
	       e.size <= image_size - e.offset;
}

/* Both are inside the image, so the sums cannot overflow. */
static bool is_apart(struct extent a, struct extent b)
{
	return a.offset + a.size <= b.offset || b.offset + b.size <= a.offset;
}

static struct verdict check_extents(const struct partition *partitions, uint32_t count,
				    uint64_t table_end, uint64_t image_size)
{
	for (uint32_t i = 0; i < count; i++) {
		struct extent e = partitions[i].extent;

		if (!is_inside(e, table_end, image_size))
			return verdict_at(REASON_GPT_RANGE, e.offset);
		for (uint32_t j = 0; j < i; j++)
			if (!is_apart(e, partitions[j].extent))
				return verdict_at(REASON_GPT_OVERLAP, e.offset);
	}
	return verdict(REASON_ACCEPTED);
}

/* The partitions found so far, by role and kind. */
struct triples {
	const struct partition *found[ROLE_USR + 1][KIND_SIGNATURE + 1];
	bool foreign; /* data of another architecture */
};

static struct verdict collect(const struct partition *partitions, uint32_t count, enum arch arch,
			      struct triples *triples)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct partition_type *type = partition_type(partitions[i].type);
		const struct partition **place;

		if (!type || type->kind == KIND_OTHER)
			continue;
		if (type->arch != arch) {
			triples->foreign |= type->kind == KIND_DATA;
			continue;
		}
		place = &triples->found[type->role][type->kind];
		if (*place)
			return verdict_at(REASON_GPT_DUPLICATE, partitions[i].extent.offset);
		*place = &partitions[i];
	}
	return verdict(REASON_ACCEPTED);
}

static bool has_role(const struct triples *triples, enum role role)
{
	return triples->found[role][KIND_DATA] || triples->found[role][KIND_TREE] ||
	       triples->found[role][KIND_SIGNATURE];
}

static struct verdict complete(const struct triples *triples, struct layout *layout)
{
	enum role role = has_role(triples, ROLE_USR) ? ROLE_USR : ROLE_ROOT;
	const struct partition *data = triples->found[role][KIND_DATA];
	const struct partition *tree = triples->found[role][KIND_TREE];
	const struct partition *signature = triples->found[role][KIND_SIGNATURE];

	if (role == ROLE_USR && has_role(triples, ROLE_ROOT))
		return verdict(REASON_GPT_MIXED);
	if (!data)
		return verdict(triples->foreign ? REASON_GPT_ARCHITECTURE : REASON_GPT_DATA);
	if (!tree)
		return verdict(REASON_GPT_TREE);
	if (signature && signature->extent.size > VEXT_ENVELOPE_MAX)
		return verdict_at(REASON_ENVELOPE_SIZE, signature->extent.offset);
	layout->role = role;
	layout->data = data->extent;
	layout->tree = tree->extent;
	layout->signature = signature ? signature->extent : (struct extent){ 0 };
	memcpy(layout->data_uuid, data->uuid, sizeof(layout->data_uuid));
	memcpy(layout->tree_uuid, tree->uuid, sizeof(layout->tree_uuid));
	return verdict(REASON_ACCEPTED);
}

struct verdict layout_select(const struct partition *partitions, uint32_t count, uint64_t table_end,
			     uint64_t image_size, enum arch arch, struct layout *layout)
{
	struct triples triples = { 0 };
	struct verdict v = check_extents(partitions, count, table_end, image_size);

	if (is_accepted(v))
		v = collect(partitions, count, arch, &triples);
	return is_accepted(v) ? complete(&triples, layout) : v;
}
