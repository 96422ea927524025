/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/certificate, crypto/anchors: who issued a certificate, and both of its fingerprints. */
#include "crypto/anchors.h"

#include "certificates.h"
#include "core/der.h"
#include "test.h"

struct example {
	const uint8_t *ca;
	size_t ca_size;
	const uint8_t *leaf;
	size_t leaf_size;
	const uint8_t *twin;
};

#define EXAMPLE(curve, half)                                                            \
	{                                                                               \
		ca_##curve, sizeof(ca_##curve), half##_##curve, sizeof(half##_##curve), \
			half##_##curve##_twin                                           \
	}

static const struct example examples[] = {
	EXAMPLE(p256, low),
	EXAMPLE(p256, high),
	EXAMPLE(p384, low),
	EXAMPLE(p384, high),
};

static struct anchors anchors;

static int set_up(void **state)
{
	(void)state;
	anchors_init(&anchors);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	anchors_free(&anchors);
	return 0;
}

static struct verdict add(const uint8_t *bytes, size_t size, enum anchor_source source)
{
	uint8_t *copy = exact_copy(bytes, size);
	const struct verdict v = anchors_add(&anchors, copy, size, source);

	free(copy);
	return v;
}

static void add_both(const struct example *example)
{
	assert_reason(add(example->ca, example->ca_size, ANCHOR_USR), ACCEPTED);
	assert_reason(add(example->leaf, example->leaf_size, ANCHOR_ISSUED), ACCEPTED);
}

static void knows_both_fingerprints(void **state)
{
	for (size_t i = 0; i < COUNT(examples); i++) {
		const struct anchor *leaf = &anchors.list[1];

		set_up(state);
		add_both(&examples[i]);
		assert_ptr_equal(leaf->issuer, &anchors.list[0]);
		assert_true(leaf->twin.exists);
		assert_memory_equal(leaf->twin.fingerprint, examples[i].twin, VEXT_HASH_SIZE);
		assert_memory_not_equal(leaf->signer.fingerprint, examples[i].twin, VEXT_HASH_SIZE);
		assert_false(anchors.list[0].twin.exists);
		tear_down(state);
	}
}

static void is_revoked_by_each_of_three(void **state)
{
	for (size_t i = 0; i < 3; i++) {
		const uint8_t *hash;

		set_up(state);
		add_both(&examples[0]);
		hash = i == 0 ? anchors.list[0].signer.fingerprint :
		       i == 1 ? anchors.list[1].signer.fingerprint :
				examples[0].twin;
		assert_false(anchor_is_revoked(&anchors, &anchors.list[1]));
		assert_reason(
			revocations_add(&anchors.revoked, REVOKED_CERTIFICATE, hash, ANCHOR_USR),
			ACCEPTED);
		assert_true(anchor_is_revoked(&anchors, &anchors.list[1]));
		assert_int_equal(anchor_is_revoked(&anchors, &anchors.list[0]), i == 0);
		tear_down(state);
	}
}

static void refuses_the_revoked_at_once(void **state)
{
	const struct example *e = &examples[0];

	(void)state;
	assert_reason(add(e->ca, e->ca_size, ANCHOR_USR), ACCEPTED);
	assert_reason(revocations_add(&anchors.revoked, REVOKED_CERTIFICATE, e->twin, ANCHOR_USR),
		      ACCEPTED);
	assert_reason(add(e->leaf, e->leaf_size, ANCHOR_ISSUED), ANCHOR_REVOKED);
	assert_int_equal(anchors.count, 1);
}

/* Only what is baked or in the verified /usr issues. */
static void refuses_other_issuers(void **state)
{
	static const enum anchor_source sources[] = { ANCHOR_ARGUMENT, ANCHOR_USER };
	const struct example *e = &examples[0];

	for (size_t i = 0; i < COUNT(sources); i++) {
		set_up(state);
		assert_reason(add(e->ca, e->ca_size, sources[i]), ACCEPTED);
		assert_reason(add(e->leaf, e->leaf_size, ANCHOR_ISSUED), ANCHOR_ISSUER);
		tear_down(state);
	}
	assert_reason(add(ca_p384, sizeof(ca_p384), ANCHOR_USR), ACCEPTED);
	assert_reason(add(e->leaf, e->leaf_size, ANCHOR_ISSUED), ANCHOR_ISSUER);
}

/* Listed as often as its issuer is, which may have as many scopes; and never half. */
static void is_let_in_by_each_listing(void **state)
{
	const struct example *e = &examples[0];

	(void)state;
	assert_reason(add(e->ca, e->ca_size, ANCHOR_BAKED), ACCEPTED);
	assert_reason(add(ca_p384, sizeof(ca_p384), ANCHOR_BAKED), ACCEPTED);
	assert_reason(add(e->ca, e->ca_size, ANCHOR_BAKED), ACCEPTED);
	assert_reason(add(e->leaf, e->leaf_size, ANCHOR_ISSUED), ACCEPTED);
	assert_int_equal(anchors.count, 5);
	assert_ptr_equal(anchors.list[3].issuer, &anchors.list[0]);
	assert_ptr_equal(anchors.list[4].issuer, &anchors.list[2]);
	assert_memory_equal(&anchors.list[4].signer, &anchors.list[3].signer,
			    sizeof(struct signer));
	assert_true(anchors.list[4].twin.exists);
	assert_reason(add(e->leaf, e->leaf_size, ANCHOR_ISSUED), ANCHOR_DUPLICATE);
	while (anchors.count < VEXT_ANCHORS_MAX - 1)
		assert_reason(add(e->ca, e->ca_size, ANCHOR_ARGUMENT), ACCEPTED);
	assert_reason(add(examples[1].leaf, examples[1].leaf_size, ANCHOR_ISSUED), ANCHOR_LIMIT);
	assert_int_equal(anchors.count, VEXT_ANCHORS_MAX - 1);
}

/* Any bit of it: never taken, unless it stays the same certificate for whoever reads it. */
static void refuses_every_flipped_bit(void **state)
{
	const struct example *e = &examples[0];
	uint8_t *copy = exact_copy(e->leaf, e->leaf_size);

	(void)state;
	assert_reason(add(e->ca, e->ca_size, ANCHOR_USR), ACCEPTED);
	for (size_t bit = 0; bit < 8 * e->leaf_size; bit++) {
		struct verdict v;

		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		v = anchors_add(&anchors, copy, e->leaf_size, ANCHOR_ISSUED);
		if (is_accepted(v))
			fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(anchors.count, 1);
	assert_reason(anchors_add(&anchors, copy, e->leaf_size, ANCHOR_ISSUED), ACCEPTED);
	assert_reason(anchors_add(&anchors, copy, e->leaf_size, ANCHOR_ISSUED), ANCHOR_DUPLICATE);
	free(copy);
}

/* Where in the certificate a value of that tag and these bytes is. */
static size_t find_bytes(const struct example *e, const void *bytes, size_t size)
{
	const uint8_t *at = memmem(e->leaf, e->leaf_size, bytes, size);

	assert_non_null(at);
	return (size_t)(at - e->leaf);
}

/*
 * What its issuer did not sign is not parsed: it is refused for its signature, and not for what is
 * wrong with it besides, which only the parser could tell.
 */
static void does_not_parse_what_nobody_signed(void **state)
{
	static const uint8_t key[] = { 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
	static const uint8_t usage[] = { 0x06, 0x03, 0x55, 0x1d, 0x0f };
	const struct example *e = &examples[0];
	const size_t spoilt[] = {
		find_bytes(e, key, sizeof(key)) + 3,	 /* no kind of key that there is */
		find_bytes(e, usage, sizeof(usage)),	 /* no extension's OID, but a text */
		find_bytes(e, usage, sizeof(usage)) + 3, /* of an arc without a name */
		find_bytes(e, key, sizeof(key)) - 2,	 /* a SET where there must be a SEQUENCE */
	};
	static const uint8_t with[] = { 0x00, 0x0c, 0x7f, 0x31 };

	(void)state;
	assert_reason(add(e->ca, e->ca_size, ANCHOR_USR), ACCEPTED);
	for (size_t i = 0; i < COUNT(spoilt); i++) {
		uint8_t *copy = exact_copy(e->leaf, e->leaf_size);

		copy[spoilt[i]] = with[i];
		assert_reason(anchors_add(&anchors, copy, e->leaf_size, ANCHOR_ISSUED),
			      ANCHOR_SIGNATURE);
		assert_reason(anchors_add(&anchors, copy, e->leaf_size, ANCHOR_USER),
			      ANCHOR_FORMAT);
		free(copy);
	}
	/* Nor is what names nobody as its issuer. */
	anchors_free(&anchors);
	assert_reason(add(e->leaf, e->leaf_size, ANCHOR_ISSUED), ANCHOR_ISSUER);
	assert_reason(add(e->leaf, 100, ANCHOR_ISSUED), ANCHOR_FORMAT);
}

static void keeps_the_first_reason(void **state)
{
	(void)state;
	assert_reason(anchors.denied, ACCEPTED);
	anchors_deny(&anchors, REASON_SIGNATURE_TEST_KEY);
	anchors_deny(&anchors, REASON_SIGNATURE_SECTION);
	assert_reason(anchors.denied, SIGNATURE_TEST_KEY);
}

static void names_sources(void **state)
{
	(void)state;
	assert_string_equal(anchor_source_name(ANCHOR_BAKED), "baked");
	assert_string_equal(anchor_source_name(ANCHOR_ARGUMENT), "argument");
	assert_string_equal(anchor_source_name(ANCHOR_USR), "usr");
	assert_string_equal(anchor_source_name(ANCHOR_ISSUED), "issued");
	assert_string_equal(anchor_source_name(ANCHOR_USER), "user");
	assert_string_equal(anchor_source_name((enum anchor_source)0), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_both_fingerprints),
		cmocka_unit_test(is_revoked_by_each_of_three),
		cmocka_unit_test_setup_teardown(refuses_the_revoked_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_other_issuers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(is_let_in_by_each_listing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_every_flipped_bit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(does_not_parse_what_nobody_signed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(keeps_the_first_reason, set_up, tear_down),
		cmocka_unit_test(names_sources),
	};

	return cmocka_run_group_tests_name("issued", tests, NULL, NULL);
}
