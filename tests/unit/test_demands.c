/* SPDX-License-Identifier: Apache-2.0 */
/* core/demands: which images a policy takes. */
#include "core/demands.h"
#include "core/layout.h"
#include "test.h"

#define OTHER_ARCH (VEXT_ARCH == ARCH_X86_64 ? ARCH_ARM64 : ARCH_X86_64)

/* The type UUID of a designator, found by what the specification's table calls it. */
static void put_type(struct partition *partition, enum designator designator, enum arch arch)
{
	static const struct {
		enum designator designator;
		enum arch arch;
		const char *uuid;
	} types[] = {
		{ DESIGNATOR_USR, ARCH_X86_64,
		  "\x84\x84\x68\x0c\x95\x21\x48\xc6\x9c\x11\xb0\x72\x06\x56\xf6\x9e" },
		{ DESIGNATOR_USR_VERITY, ARCH_X86_64,
		  "\x77\xff\x5f\x63\xe7\xb6\x46\x33\xac\xf4\x15\x65\xb8\x64\xc0\xe6" },
		{ DESIGNATOR_USR_VERITY_SIG, ARCH_X86_64,
		  "\xe7\xbb\x33\xfb\x06\xcf\x4e\x81\x82\x73\xe5\x43\xb4\x13\xe2\xe2" },
		{ DESIGNATOR_USR, ARCH_ARM64,
		  "\xb0\xe0\x10\x50\xee\x5f\x43\x90\x94\x9a\x91\x01\xb1\x71\x04\xe9" },
		{ DESIGNATOR_USR_VERITY, ARCH_ARM64,
		  "\x6e\x11\xa4\xe7\xfb\xca\x4d\xed\xb9\xe9\xe1\xa5\x12\xbb\x66\x4e" },
		{ DESIGNATOR_USR_VERITY_SIG, ARCH_ARM64,
		  "\xc2\x3c\xe4\xff\x44\xbd\x4b\x00\xb2\xd4\xb4\x1b\x34\x19\xe0\x2a" },
		{ DESIGNATOR_HOME, 0,
		  "\x93\x3a\xc7\xe1\x2e\xb4\x4f\x13\xb8\x44\x0e\x14\xe2\xae\xf9\x15" },
	};

	for (size_t i = 0; i < COUNT(types); i++)
		if (types[i].designator == designator &&
		    (types[i].arch == arch || types[i].arch == 0))
			memcpy(partition->type, types[i].uuid, 16);
	assert_non_null(partition_type(partition->type));
}

/* A usr image, signed; the fourth partition is the test's. */
static struct claim *image(void)
{
	static struct claim claim;

	memset(&claim, 0, sizeof(claim));
	claim.stage = CLAIM_COMPLETE;
	claim.partition_count = 3;
	for (uint32_t i = 0; i < 4; i++)
		claim.partitions[i].extent = (struct extent){ 4096 * (i + 1), 4096 };
	put_type(&claim.partitions[0], DESIGNATOR_USR, VEXT_ARCH);
	put_type(&claim.partitions[1], DESIGNATOR_USR_VERITY, VEXT_ARCH);
	put_type(&claim.partitions[2], DESIGNATOR_USR_VERITY_SIG, VEXT_ARCH);
	claim.layout.signature = claim.partitions[2].extent;
	return &claim;
}

static struct claim *unsigned_image(void)
{
	struct claim *claim = image();

	claim->partition_count = 2;
	claim->layout.signature = (struct extent){ 0 };
	return claim;
}

static struct claim *with_home(struct claim *claim)
{
	put_type(&claim->partitions[claim->partition_count], DESIGNATOR_HOME, VEXT_ARCH);
	claim->partition_count++;
	return claim;
}

static struct demands demands_of(const char *bytes)
{
	struct policy policy;

	assert_reason(policy_parse(bytes, strlen(bytes), &policy), ACCEPTED);
	return policy_demands(&policy);
}

static struct verdict check(const char *policy, const struct claim *claim)
{
	const struct demands demands = demands_of(policy);

	return demands_check(&demands, claim, VEXT_ARCH);
}

static void takes_signed_images_by_default(void **state)
{
	const struct demands demands = policy_default_demands();
	const struct demands same = demands_of(POLICY_DEFAULT);

	(void)state;
	assert_memory_equal(&demands, &same, sizeof(demands));
	assert_reason(check(POLICY_DEFAULT, image()), ACCEPTED);
	assert_refused_at(check(POLICY_DEFAULT, unsigned_image()), POLICY_UNSIGNED, 4096);
}

static void takes_verity_alone_where_it_may(void **state)
{
	(void)state;
	assert_reason(check("usr=verity+signed+absent:root=absent", unsigned_image()), ACCEPTED);
	assert_reason(check("usr=verity+absent:root=absent", unsigned_image()), ACCEPTED);
	assert_reason(check("usr=verity:root=absent", unsigned_image()), ACCEPTED);
	assert_reason(check("usr=verity:root=absent", image()), ACCEPTED);
	assert_reason(check("*", unsigned_image()), ACCEPTED);
	/* as systemd has it: a signature that may be used and may not be absent must be there */
	assert_reason(check("usr=verity+signed:root=absent", unsigned_image()), POLICY_MISSING);
}

static void merges_nothing_without_verity(void **state)
{
	(void)state;
	assert_refused_at(check("usr=unprotected+absent", image()), POLICY_USE, 4096);
	assert_refused_at(check("usr=unprotected+encrypted+absent", unsigned_image()), POLICY_USE,
			  4096);
	assert_refused_at(check("usr=ignore", image()), POLICY_USE, 4096);
	assert_refused_at(check("-", image()), POLICY_USE, 4096);
	assert_refused_at(check("~", image()), POLICY_USE, 4096);
	assert_refused_at(check("usr=signed:usr-verity=ignore", image()), POLICY_USE, 8192);
}

static void wants_partitions_there_or_not(void **state)
{
	(void)state;
	assert_reason(check("usr=signed:home=absent", image()), ACCEPTED);
	assert_refused_at(check("usr=signed:home=absent", with_home(image())), POLICY_FORBIDDEN,
			  16384);
	assert_reason(check("usr=signed:home=unused", with_home(image())), ACCEPTED);
	assert_reason(check("usr=signed:home=encrypted", with_home(image())), ACCEPTED);
	assert_reason(check("usr=signed", with_home(image())), ACCEPTED);
	assert_reason(check("usr=signed:home=unused", image()), POLICY_MISSING);
	assert_reason(check("usr=signed:root=signed", image()), POLICY_MISSING);
	assert_refused_at(check("usr=verity:usr-verity-sig=absent", image()), POLICY_FORBIDDEN,
			  12288);
	assert_reason(check("usr=verity:usr-verity-sig=absent", unsigned_image()), ACCEPTED);
}

static void leaves_other_types_alone(void **state)
{
	struct claim *claim = image();

	(void)state;
	put_type(&claim->partitions[3], DESIGNATOR_USR, OTHER_ARCH);
	claim->partition_count = 4;
	assert_reason(check("usr=signed:=absent", claim), ACCEPTED);
	memset(claim->partitions[3].type, 7, 16);
	assert_reason(check("usr=signed:=absent", claim), ACCEPTED);
}

static void looks_at_attributes(void **state)
{
	struct claim *claim = with_home(image());

	(void)state;
	assert_reason(check("usr=signed+read-only-off+growfs-off", claim), ACCEPTED);
	assert_refused_at(check("usr=signed+read-only-on", claim), POLICY_ATTRIBUTES, 4096);
	assert_refused_at(check("usr=signed+growfs-on", claim), POLICY_ATTRIBUTES, 4096);
	claim->partitions[0].attributes = ATTRIBUTE_READ_ONLY;
	assert_reason(check("usr=signed+read-only-on:usr-verity=:usr-verity-sig=", claim),
		      ACCEPTED);
	assert_refused_at(check("usr=signed+read-only-on", claim), POLICY_ATTRIBUTES, 8192);
	assert_refused_at(check("usr=signed+read-only-off", claim), POLICY_ATTRIBUTES, 4096);
	claim->partitions[0].attributes = ATTRIBUTE_GROWFS | 1;
	assert_reason(check("usr=signed+growfs-on+growfs-off", claim), ACCEPTED);
	assert_refused_at(check("usr=signed+growfs-off", claim), POLICY_ATTRIBUTES, 4096);
	/* of what is left alone they don't matter */
	assert_reason(check("usr=signed:home=ignore+growfs-on", claim), ACCEPTED);
	assert_refused_at(check("usr=signed:home=unprotected+growfs-on", claim), POLICY_ATTRIBUTES,
			  16384);
}

/* What both take together, each takes; over all pairs of rules for the data, and kinds of images. */
static void takes_no_more_by_two_policies(void **state)
{
	struct policy a = { .listed = 1u << DESIGNATOR_USR, .default_flags = POLICY_IGNORE }, b = a;
	size_t taken = 0;

	(void)state;
	for (uint32_t i = 0; i < 1u << 20; i += 7) {
		const struct claim *claim = i % 2 == 0 ? image() : unsigned_image();
		struct demands of_a, of_b, both;

		a.flags[DESIGNATOR_USR] = i % 1024;
		b.flags[DESIGNATOR_USR] = i / 1024;
		of_a = policy_demands(&a);
		of_b = policy_demands(&b);
		both = demands_intersect(&of_a, &of_b);
		if (!is_accepted(demands_check(&both, claim, VEXT_ARCH)))
			continue;
		taken++;
		assert_reason(demands_check(&of_a, claim, VEXT_ARCH), ACCEPTED);
		assert_reason(demands_check(&of_b, claim, VEXT_ARCH), ACCEPTED);
	}
	assert_true(taken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_signed_images_by_default),
		cmocka_unit_test(takes_verity_alone_where_it_may),
		cmocka_unit_test(merges_nothing_without_verity),
		cmocka_unit_test(wants_partitions_there_or_not),
		cmocka_unit_test(leaves_other_types_alone),
		cmocka_unit_test(looks_at_attributes),
		cmocka_unit_test(takes_no_more_by_two_policies),
	};

	return cmocka_run_group_tests_name("demands", tests, NULL, NULL);
}
