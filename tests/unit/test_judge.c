/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/judge: from a claim to trust, for an image of one block that a key in judged.h signed. */
#include "crypto/judge.h"

#include <errno.h>

#include "core/hex.h"
#include "crypto/section.h"
#include "judged.h"
#include "test.h"

#define SECTION_ROOM 1024u

static struct anchors anchors;
static struct claim claim;
static struct trusted_space space;
static struct demands demands;
static struct origin origin;
static uint8_t image[3 * VEXT_BLOCK]; /* data, superblock, and no tree: one block has none */
static struct memory memory;
static struct reader reader;

/* ---- an image ------------------------------------------------------------------------------ */

static void put_policy(const char *text)
{
	struct policy policy;

	assert_reason(policy_parse(text, strlen(text), &policy), ACCEPTED);
	demands = policy_demands(&policy);
}

/* The first partition's type; the other two's are the next of the table. */
static void put_types(void)
{
	static const struct {
		enum arch arch;
		const char *types;
	} usr[] = {
		{ ARCH_X86_64, "8484680c952148c69c11b0720656f69e77ff5f63e7b64633acf41565b864c0e6"
			       "e7bb33fb06cf4e818273e543b413e2e2" },
		{ ARCH_ARM64, "b0e01050ee5f4390949a9101b17104e96e11a4e7fbca4dedb9e9e1a512bb664e"
			      "c23ce4ff44bd4b00b2d4b41b3419e02a" },
	};
	const char *types = usr[usr[0].arch == VEXT_ARCH ? 0 : 1].types;

	for (size_t i = 0; i < 3; i++)
		assert_true(hex_decode(types + 32 * i, 32, claim.partitions[i].type, 16));
}

static void put_partitions(void)
{
	static const struct extent extents[] = { { 0, VEXT_BLOCK },
						 { VEXT_BLOCK, VEXT_BLOCK },
						 { 2 * VEXT_BLOCK, VEXT_BLOCK } };

	claim.sector_size = 512;
	claim.partition_count = 3;
	for (size_t i = 0; i < 3; i++)
		claim.partitions[i].extent = extents[i];
	put_types();
	claim.layout.role = ROLE_USR;
	claim.layout.data = extents[0];
	claim.layout.tree = extents[1];
	claim.layout.signature = extents[2];
}

/* An erofs of one block, by its own account. */
static void put_filesystem(void)
{
	put_le(image + 1024, 0xe0f5e1e2, 4);
	image[1024 + 12] = 12;
	image[1024 + 14] = 36;
	image[1024 + 36] = 1;
}

static int set_up(void **state)
{
	(void)state;
	anchors_init(&anchors);
	memset(&claim, 0, sizeof(claim));
	memset(image, 0, sizeof(image));
	put_policy(POLICY_DEFAULT);
	put_partitions();
	put_filesystem();
	claim.stage = CLAIM_COMPLETE;
	claim.verity.data_blocks = 1;
	claim.signature_size = sizeof(judged_signature);
	memcpy(claim.signature, judged_signature, sizeof(judged_signature));
	assert_true(hex_decode(JUDGED_ROOT_HASH, 64, claim.root_hash, VEXT_HASH_SIZE));
	origin = (struct origin){ .name = "judged", .directory = "/etc/extensions" };
	memory = (struct memory){ .bytes = image, .size = sizeof(image) };
	reader = memory_reader(&memory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	anchors_free(&anchors);
	return 0;
}

static void trust_it(enum anchor_source source)
{
	assert_reason(anchors_add(&anchors, judged_certificate, sizeof(judged_certificate), source),
		      ACCEPTED);
}

/* With the certificate baked, and what narrows it. */
static void bake(const char *tag, const char *scope)
{
	static uint8_t section[SECTION_ROOM];
	size_t used = VEXT_SECTION_MAGIC_SIZE + 4;

	memset(section, 0, sizeof(section));
	memcpy(section, VEXT_SECTION_MAGIC, VEXT_SECTION_MAGIC_SIZE);
	memcpy(section + used, "CERT", 4);
	put_le(section + used + 4, sizeof(judged_certificate), 4);
	memcpy(section + used + 8, judged_certificate, sizeof(judged_certificate));
	used += 8 + sizeof(judged_certificate);
	if (tag) {
		memcpy(section + used, tag, 4);
		put_le(section + used + 4, strlen(scope), 4);
		memcpy(section + used + 8, scope, strlen(scope));
	}
	assert_reason(anchors_add_section(&anchors, cursor_over(section, sizeof(section))),
		      ACCEPTED);
}

/* Without its signature partition. */
static void unsign(void)
{
	claim.partition_count = 2;
	claim.signature_size = 0;
	claim.layout.signature = (struct extent){ 0 };
}

/* What was not accepted gives no trust. */
static struct verdict judged(enum judge_depth depth, const struct trusted **trusted)
{
	struct verdict v;

	*trusted = NULL;
	v = judge(&anchors, &origin, &demands, &claim, &reader, depth, &space, trusted);
	assert_int_equal(*trusted != NULL, is_accepted(v));
	return v;
}

static struct verdict judged_first(void)
{
	const struct trusted *trusted;

	return judged(JUDGE_FIRST_BLOCK, &trusted);
}

/* ---- the tests ----------------------------------------------------------------------------- */

static void trusts_what_was_signed(void **state)
{
	static const enum judge_depth depths[] = { JUDGE_FIRST_BLOCK, JUDGE_EVERY_BLOCK };

	(void)state;
	trust_it(ANCHOR_ARGUMENT);
	for (size_t i = 0; i < COUNT(depths); i++) {
		const struct trusted *trusted;
		const struct facts *facts;

		assert_reason(judged(depths[i], &trusted), ACCEPTED);
		facts = trusted_facts(trusted);
		assert_memory_equal(facts->root_hash, claim.root_hash, VEXT_HASH_SIZE);
		assert_memory_equal(&facts->layout, &claim.layout, sizeof(claim.layout));
		assert_int_equal(facts->verity.data_blocks, 1);
		assert_int_equal(facts->filesystem, FILESYSTEM_EROFS);
		assert_int_equal(facts->filesystem_size, VEXT_BLOCK);
		assert_true(facts->is_signed);
		assert_int_equal(facts->signature_size, sizeof(judged_signature));
		assert_memory_equal(facts->signature, judged_signature, sizeof(judged_signature));
		assert_string_equal(facts->signer.subject, "CN=judged");
	}
}

static void wants_a_complete_claim(void **state)
{
	(void)state;
	trust_it(ANCHOR_ARGUMENT);
	for (int stage = 0; stage < CLAIM_COMPLETE; stage++) {
		claim.stage = (enum claim_stage)stage;
		assert_reason(judged_first(), UNDECIDED);
	}
	claim.stage = CLAIM_COMPLETE;
	claim.signature_size = VEXT_PKCS7_MAX + 1;
	assert_reason(judged_first(), UNDECIDED);
	assert_int_equal(memory.reads, 0);
	claim.signature_size = VEXT_PKCS7_MAX;
	assert_reason(judged_first(), SIGNATURE_TRAILING);
}

static void wants_the_signature_of_an_anchor(void **state)
{
	(void)state;
	assert_reason(judged_first(), SIGNATURE_NO_ANCHORS);
	trust_it(ANCHOR_ARGUMENT);
	anchors.list[0].certificate.serial.p[0] ^= 1;
	assert_reason(judged_first(), SIGNATURE_UNTRUSTED);
	anchors.list[0].certificate.serial.p[0] ^= 1;
	anchors.list[0].certificate.issuer_raw.len--;
	assert_reason(judged_first(), SIGNATURE_UNTRUSTED);
	anchors.list[0].certificate.issuer_raw.len++;
	for (size_t bit = 0; bit < 8 * VEXT_HASH_SIZE; bit++) {
		claim.root_hash[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_reason(judged_first(), SIGNATURE_WRONG);
		claim.root_hash[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(memory.reads, 0);
	assert_reason(judged_first(), ACCEPTED);
}

/* A second one of the same name and number, as when one is baked twice with two scopes. */
static void tries_each_anchor_of_that_name(void **state)
{
	(void)state;
	bake("NAME", "other*");
	assert_reason(judged_first(), SIGNATURE_SCOPE);
	bake("NAME", "judge*");
	assert_reason(judged_first(), ACCEPTED);
}

static void keeps_to_the_scope(void **state)
{
	(void)state;
	bake("FROM", "/usr/share");
	assert_reason(judged_first(), SIGNATURE_SCOPE);
	origin.directory = "/usr/share";
	assert_reason(judged_first(), ACCEPTED);
	origin.directory = NULL;
	assert_reason(judged_first(), SIGNATURE_SCOPE);
}

/* For an image that turns out to have another name than its file. */
static void keeps_to_the_scope_afterwards(void **state)
{
	const struct trusted *trusted;
	struct origin other = origin;

	(void)state;
	bake("NAME", "judge*");
	assert_reason(judged(JUDGE_FIRST_BLOCK, &trusted), ACCEPTED);
	assert_true(trusted_admits(trusted, &origin));
	other.name = "other";
	assert_false(trusted_admits(trusted, &other));
}

static void admits_any_name_without_a_scope(void **state)
{
	const struct trusted *trusted;
	const struct origin other = { .name = "other" };

	(void)state;
	trust_it(ANCHOR_ARGUMENT);
	assert_reason(judged(JUDGE_FIRST_BLOCK, &trusted), ACCEPTED);
	assert_true(trusted_admits(trusted, &other));
}

static void refuses_for_a_revoked_anchor(void **state)
{
	(void)state;
	trust_it(ANCHOR_ARGUMENT);
	assert_reason(revocations_add(&anchors.revoked, REVOKED_CERTIFICATE,
				      anchors.list[0].signer.fingerprint, ANCHOR_USR),
		      ACCEPTED);
	assert_reason(judged_first(), SIGNATURE_REVOKED);
}

static void refuses_a_revoked_image(void **state)
{
	(void)state;
	trust_it(ANCHOR_ARGUMENT);
	assert_reason(revocations_add(&anchors.revoked, REVOKED_IMAGE, claim.root_hash, ANCHOR_USR),
		      ACCEPTED);
	assert_reason(judged_first(), SIGNATURE_REVOKED_IMAGE);
	put_policy("usr=verity");
	unsign();
	assert_reason(judged_first(), SIGNATURE_REVOKED_IMAGE);
}

static void refuses_all_when_denied(void **state)
{
	(void)state;
	trust_it(ANCHOR_ARGUMENT);
	anchors_deny(&anchors, REASON_SIGNATURE_SECTION);
	anchors_deny(&anchors, REASON_SIGNATURE_TEST_KEY);
	assert_reason(judged_first(), SIGNATURE_SECTION);
	put_policy("usr=verity");
	unsign();
	assert_reason(judged_first(), SIGNATURE_SECTION);
}

/* A signature that is there decides, whatever else would do. */
static void takes_verity_alone_only_without_a_signature(void **state)
{
	const struct trusted *trusted;

	(void)state;
	put_policy("usr=verity+signed:usr-verity-sig=unprotected+absent");
	assert_reason(judged_first(), SIGNATURE_NO_ANCHORS);
	unsign();
	assert_reason(judged(JUDGE_FIRST_BLOCK, &trusted), ACCEPTED);
	assert_true(trusted_admits(trusted, &(struct origin){ .name = "other" }));
	assert_false(trusted_facts(trusted)->is_signed);
	assert_int_equal(trusted_facts(trusted)->signature_size, 0);
	assert_int_equal(trusted_facts(trusted)->signer.source, 0);
	put_policy(POLICY_DEFAULT);
	assert_reason(judged_first(), POLICY_UNSIGNED);
}

static void wants_the_file_system_that_is_demanded(void **state)
{
	(void)state;
	trust_it(ANCHOR_ARGUMENT);
	claim.layout.data.offset = 0;
	demands.filesystems = 1u << FILESYSTEM_SQUASHFS;
	assert_reason(judged_first(), POLICY_FILESYSTEM);
	demands.filesystems = 1u << FILESYSTEM_EROFS;
	assert_reason(judged_first(), ACCEPTED);
}

static void hands_on_why_reading_failed(void **state)
{
	(void)state;
	trust_it(ANCHOR_ARGUMENT);
	memory.fail_from = 1;
	assert_reason(judged_first(), SYSTEM_READ);
}

/* ---- lists --------------------------------------------------------------------------------- */

static struct verdict revoke(const char *list)
{
	return judge_revocations(&anchors, (const uint8_t *)list, strlen(list),
				 judged_list_signature, sizeof(judged_list_signature));
}

static void takes_a_list_of_who_may_revoke(void **state)
{
	static const enum anchor_source may[] = { ANCHOR_BAKED, ANCHOR_USR };

	for (size_t i = 0; i < COUNT(may); i++) {
		set_up(state);
		trust_it(may[i]);
		assert_reason(revoke(JUDGED_LIST), ACCEPTED);
		assert_int_equal(anchors.revoked.count, 1);
		assert_int_equal(anchors.revoked.list[0].source, may[i]);
		assert_reason(judged_first(), SIGNATURE_REVOKED_IMAGE);
		tear_down(state);
	}
}

static void takes_no_other_list(void **state)
{
	static const enum anchor_source others[] = { ANCHOR_ARGUMENT, ANCHOR_USER };

	for (size_t i = 0; i < COUNT(others); i++) {
		set_up(state);
		trust_it(others[i]);
		assert_reason(revoke(JUDGED_LIST), LIST_SIGNER);
		assert_int_equal(anchors.revoked.count, 0);
		tear_down(state);
	}
	set_up(state);
	assert_reason(revoke(JUDGED_LIST), SIGNATURE_NO_ANCHORS);
	bake("NAME", "*");
	assert_reason(revoke(JUDGED_LIST), LIST_SIGNER);
	bake(NULL, NULL);
	assert_reason(revoke("vext-revoked 1\n"), SIGNATURE_WRONG);
	assert_int_equal(anchors.revoked.count, 0);
	assert_reason(revoke(JUDGED_LIST), ACCEPTED);
	assert_int_equal(anchors.revoked.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(trusts_what_was_signed),
		TEST(wants_a_complete_claim),
		TEST(wants_the_signature_of_an_anchor),
		TEST(tries_each_anchor_of_that_name),
		TEST(keeps_to_the_scope),
		TEST(keeps_to_the_scope_afterwards),
		TEST(admits_any_name_without_a_scope),
		TEST(refuses_for_a_revoked_anchor),
		TEST(refuses_a_revoked_image),
		TEST(refuses_all_when_denied),
		TEST(takes_verity_alone_only_without_a_signature),
		TEST(wants_the_file_system_that_is_demanded),
		TEST(hands_on_why_reading_failed),
		TEST(takes_a_list_of_who_may_revoke),
		TEST(takes_no_other_list),
	};

	return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
