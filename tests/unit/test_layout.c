/* SPDX-License-Identifier: Apache-2.0 */
/* core/layout: from any list of partitions to the one triple, or a refusal. */
#include "core/layout.h"
#include "test.h"

#define MIB (1u << 20)
#define IMAGE_SIZE (64u * MIB)
#define TABLE_END (17u << 10)

/* The Discoverable Partitions Specification's UUIDs, as text, to compare the table with. */
static const struct {
	const char *uuid;
	enum arch arch;
	enum role role;
	enum partition_kind kind;
	const char *label;
} known[] = {
	{ "4f68bce3e8cd4db196e7fbcaf984b709", ARCH_X86_64, ROLE_ROOT, KIND_DATA, "root" },
	{ "2c7357edebd246d9aec123d437ec2bf5", ARCH_X86_64, ROLE_ROOT, KIND_TREE, "root-verity" },
	{ "41092b059fc84523994f2def0408b176", ARCH_X86_64, ROLE_ROOT, KIND_SIGNATURE,
	  "root-verity-sig" },
	{ "8484680c952148c69c11b0720656f69e", ARCH_X86_64, ROLE_USR, KIND_DATA, "usr" },
	{ "77ff5f63e7b64633acf41565b864c0e6", ARCH_X86_64, ROLE_USR, KIND_TREE, "usr-verity" },
	{ "e7bb33fb06cf4e818273e543b413e2e2", ARCH_X86_64, ROLE_USR, KIND_SIGNATURE,
	  "usr-verity-sig" },
	{ "b921b0451df041c3af444c6f280d3fae", ARCH_ARM64, ROLE_ROOT, KIND_DATA, "root" },
	{ "df3300ced69f4c92978c9bfb0f38d820", ARCH_ARM64, ROLE_ROOT, KIND_TREE, "root-verity" },
	{ "6db69de629f44758a7a5962190f00ce3", ARCH_ARM64, ROLE_ROOT, KIND_SIGNATURE,
	  "root-verity-sig" },
	{ "b0e01050ee5f4390949a9101b17104e9", ARCH_ARM64, ROLE_USR, KIND_DATA, "usr" },
	{ "6e11a4e7fbca4dedb9e9e1a512bb664e", ARCH_ARM64, ROLE_USR, KIND_TREE, "usr-verity" },
	{ "c23ce4ff44bd4b00b2d4b41b3419e02a", ARCH_ARM64, ROLE_USR, KIND_SIGNATURE,
	  "usr-verity-sig" },
};

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void parse_uuid(const char *text, uint8_t uuid[16])
{
	for (size_t i = 0; i < 16; i++)
		uuid[i] = (uint8_t)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
}

static struct partition make(enum arch arch, enum role role, enum partition_kind kind,
			     uint64_t at_mib, uint64_t size)
{
	struct partition p = { .extent = { at_mib * MIB, size } };

	for (size_t i = 0; i < COUNT(known); i++)
		if (known[i].arch == arch && known[i].role == role && known[i].kind == kind)
			parse_uuid(known[i].uuid, p.type);
	memset(p.uuid, (int)at_mib, sizeof(p.uuid));
	return p;
}

/* The ordinary image. */
struct list {
	struct partition p[8];
	uint32_t count;
};

static struct list triple(enum role role)
{
	return (struct list){ .p = { make(ARCH_X86_64, role, KIND_DATA, 1, 2 * MIB),
				     make(ARCH_X86_64, role, KIND_TREE, 4, MIB),
				     make(ARCH_X86_64, role, KIND_SIGNATURE, 6, 16384) },
			      .count = 3 };
}

static struct verdict select_for(const struct list *list, enum arch arch, struct layout *layout)
{
	struct partition *exact = exact_copy(list->p, list->count * sizeof(list->p[0]));
	struct verdict v = layout_select(exact, list->count, TABLE_END, IMAGE_SIZE, arch, layout);

	free(exact);
	return v;
}

/* For x86-64, and with a look at the output: nothing is written on failure. */
static struct verdict chosen(const struct list *list)
{
	struct layout layout, untouched;
	struct verdict v;

	memset(&layout, 0x5a, sizeof(layout));
	memset(&untouched, 0x5a, sizeof(untouched));
	v = select_for(list, ARCH_X86_64, &layout);
	if (!is_accepted(v))
		assert_memory_equal(&layout, &untouched, sizeof(layout));
	return v;
}

static struct list with(struct list list, struct partition one_more)
{
	list.p[list.count++] = one_more;
	return list;
}

static struct list without(struct list list, size_t index)
{
	list.p[index] = list.p[--list.count];
	return list;
}

static void knows_the_types_of_the_specification(void **state)
{
	uint8_t uuid[16];

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		const struct partition_type *type;

		parse_uuid(known[i].uuid, uuid);
		type = partition_type(uuid);
		assert_non_null(type);
		assert_int_equal(type->arch, known[i].arch);
		assert_int_equal(type->role, known[i].role);
		assert_int_equal(type->kind, known[i].kind);
		assert_string_equal(designator_name(type->designator), known[i].label);
		uuid[15] ^= 1;
		assert_null(partition_type(uuid));
	}
}

/* These are for policies alone. */
static void knows_other_types_of_the_specification(void **state)
{
	static const struct {
		const char *uuid, *label;
	} others[] = {
		{ "933ac7e12eb44f13b8440e14e2aef915", "home" },
		{ "3b8f842520e04f3b907f1a25a76f98e8", "srv" },
		{ "c12a7328f81f11d2ba4b00a0c93ec93b", "esp" },
		{ "bc13c2ff59e64262a352b275fd6f7172", "xbootldr" },
		{ "0657fd6da4ab43c484e50933c84b4f4f", "swap" },
		{ "7ec6f5573bc54acab29316ef5df639d1", "tmp" },
		{ "4d21b016b53445c2a9fb5c16e091fd2d", "var" },
	};
	struct list list = triple(ROLE_USR);
	struct partition other = { .extent = { 16 * MIB, MIB } };

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		const struct partition_type *type;

		parse_uuid(others[i].uuid, other.type);
		type = partition_type(other.type);
		assert_non_null(type);
		assert_int_equal(type->kind, KIND_OTHER);
		assert_string_equal(designator_name(type->designator), others[i].label);
		other.extent.offset += MIB;
		list = i < 4 ? with(list, other) : list;
	}
	assert_reason(chosen(&list), ACCEPTED);
	list = with(list, list.p[3]); /* twice is as well */
	list.p[7].extent.offset += 16 * MIB;
	assert_reason(chosen(&list), ACCEPTED);
}

static void chooses_the_triple_in_any_order(void **state)
{
	static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT(orders); i++) {
		struct list list = triple(ROLE_USR), shuffled = { .count = 3 };
		struct layout layout;

		for (size_t j = 0; j < 3; j++)
			shuffled.p[j] = list.p[orders[i][j]];
		assert_reason(select_for(&shuffled, ARCH_X86_64, &layout), ACCEPTED);
		assert_int_equal(layout.role, ROLE_USR);
		assert_memory_equal(&layout.data, &list.p[0].extent, sizeof(layout.data));
		assert_memory_equal(&layout.tree, &list.p[1].extent, sizeof(layout.tree));
		assert_memory_equal(&layout.signature, &list.p[2].extent, sizeof(layout.signature));
		assert_memory_equal(layout.data_uuid, list.p[0].uuid, 16);
		assert_memory_equal(layout.tree_uuid, list.p[1].uuid, 16);
	}
}

static void leaves_other_types_alone(void **state)
{
	struct list list = triple(ROLE_ROOT);
	struct partition other = { .type = { 1 }, .extent = { 10u * MIB, MIB } };

	(void)state;
	list = with(with(list, other), make(ARCH_ARM64, ROLE_USR, KIND_DATA, 20, MIB));
	assert_reason(chosen(&list), ACCEPTED);
	list.p[3].extent.offset = MIB; /* but not out of the rules */
	assert_reason(chosen(&list), GPT_OVERLAP);
}

static void refuses_a_second_of_a_kind(void **state)
{
	static const enum partition_kind kinds[] = { KIND_DATA, KIND_TREE, KIND_SIGNATURE };

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct list list = with(triple(ROLE_ROOT),
					make(ARCH_X86_64, ROLE_ROOT, kinds[i], 20, MIB));

		assert_refused_at(chosen(&list), GPT_DUPLICATE, 20u * MIB);
		list.p[3] = list.p[0];
		list.p[0] = make(ARCH_X86_64, ROLE_ROOT, kinds[i], 20, MIB);
		assert_reason(chosen(&list), GPT_DUPLICATE);
	}
}

static void refuses_both_roles(void **state)
{
	static const enum partition_kind kinds[] = { KIND_DATA, KIND_TREE, KIND_SIGNATURE };

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct list list = with(triple(ROLE_ROOT),
					make(ARCH_X86_64, ROLE_USR, kinds[i], 20, MIB));

		assert_reason(chosen(&list), GPT_MIXED);
		list = with(triple(ROLE_USR), make(ARCH_X86_64, ROLE_ROOT, kinds[i], 20, MIB));
		assert_reason(chosen(&list), GPT_MIXED);
	}
}

static void refuses_an_incomplete_triple(void **state)
{
	struct list list = triple(ROLE_ROOT), none = { .count = 0 }, part;

	(void)state;
	part = without(list, 0);
	assert_reason(chosen(&part), GPT_DATA);
	part = without(list, 1);
	assert_reason(chosen(&part), GPT_TREE);
	assert_reason(chosen(&none), GPT_DATA);
}

static void does_without_a_signature(void **state)
{
	struct list list = triple(ROLE_ROOT);
	struct layout layout;

	(void)state;
	memset(&layout, 0x5a, sizeof(layout));
	list = without(list, 2);
	assert_reason(select_for(&list, ARCH_X86_64, &layout), ACCEPTED);
	assert_int_equal(layout.signature.offset, 0);
	assert_int_equal(layout.signature.size, 0);
	assert_int_equal(layout.tree.offset, 4 * MIB);
}

static void refuses_another_architecture(void **state)
{
	struct list list = triple(ROLE_USR);
	struct layout layout;

	(void)state;
	assert_reason(select_for(&list, ARCH_ARM64, &layout), GPT_ARCHITECTURE);
	list = without(list, 0);
	assert_reason(select_for(&list, ARCH_ARM64, &layout), GPT_DATA);
}

static void refuses_extents_out_of_range(void **state)
{
	static const struct extent bad[] = {
		{ MIB, 0 },		    /* empty: loop would take the rest of the file */
		{ 0, 512 },		    /* the boot sector */
		{ TABLE_END - 512, 512 },   /* the table */
		{ IMAGE_SIZE, 512 },	    /* behind the end */
		{ IMAGE_SIZE - 512, 1024 }, /* beyond the end */
		{ MIB, IMAGE_SIZE },
		{ IMAGE_SIZE, 0 },
		{ 1ull << 60, 512 },
		{ (1ull << 63) + 20480, 512 },
		{ MIB, UINT64_MAX },
		{ UINT64_MAX, 1 },
		{ UINT64_MAX, UINT64_MAX },
		{ MIB, UINT64_MAX - MIB + 1 }, /* a sum of exactly 2^64 */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		for (size_t j = 0; j < 3; j++) {
			struct list list = triple(ROLE_ROOT);

			list.p[j].extent = bad[i];
			assert_refused_at(chosen(&list), GPT_RANGE, bad[i].offset);
		}
}

static void takes_extents_up_to_the_edges(void **state)
{
	struct list list = triple(ROLE_ROOT);

	(void)state;
	list.p[0].extent = (struct extent){ TABLE_END, 4u * MIB - TABLE_END };
	list.p[2].extent = (struct extent){ IMAGE_SIZE - 512, 512 };
	assert_reason(chosen(&list), ACCEPTED);
}

static void refuses_overlaps(void **state)
{
	static const struct extent over_data[] = {
		{ MIB, 2 * MIB },	    { MIB + 512, 512 },	  { 3 * MIB - 512, 512 },
		{ 3 * MIB - 512, 2 * MIB }, { MIB / 2, 4 * MIB }, { MIB - 512, 1024 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(over_data); i++)
		for (size_t j = 1; j < 3; j++) {
			struct list list = triple(ROLE_ROOT);
			struct partition other = { .type = { 1 }, .extent = over_data[i] };

			list.p[j].extent = over_data[i];
			assert_reason(chosen(&list), GPT_OVERLAP);
			/* with a partition of some other type as well, first or last */
			list = with(triple(ROLE_ROOT), other);
			assert_reason(chosen(&list), GPT_OVERLAP);
			list.p[3] = list.p[0];
			list.p[0] = other;
			assert_reason(chosen(&list), GPT_OVERLAP);
		}
}

static void bounds_the_envelope(void **state)
{
	struct list list = triple(ROLE_ROOT);

	(void)state;
	list.p[2].extent.size = VEXT_ENVELOPE_MAX;
	assert_reason(chosen(&list), ACCEPTED);
	list.p[2].extent.size += 512;
	assert_refused_at(chosen(&list), ENVELOPE_SIZE, 6u * MIB);
	list.p[2].extent.size = 5 * MIB;
	assert_refused_at(chosen(&list), ENVELOPE_SIZE, 6u * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_types_of_the_specification),
		cmocka_unit_test(knows_other_types_of_the_specification),
		cmocka_unit_test(chooses_the_triple_in_any_order),
		cmocka_unit_test(leaves_other_types_alone),
		cmocka_unit_test(refuses_a_second_of_a_kind),
		cmocka_unit_test(refuses_both_roles),
		cmocka_unit_test(refuses_an_incomplete_triple),
		cmocka_unit_test(does_without_a_signature),
		cmocka_unit_test(refuses_another_architecture),
		cmocka_unit_test(refuses_extents_out_of_range),
		cmocka_unit_test(takes_extents_up_to_the_edges),
		cmocka_unit_test(refuses_overlaps),
		cmocka_unit_test(bounds_the_envelope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
