/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate files, DER and PEM, as an anchor and as one that an anchor issued. Asserted: a refused one leaves the
 * anchors as they were; of an accepted one, that its key and usage are allowed, and that the DER in it is taken as
 * well and gives the same anchor; of an issued one, that its signature is the one that the issuer's key makes.
 */
#include <mbedtls/sha256.h>

#include "core/der.h"
#include "crypto/judge.h"
#include "fuzz.h"

#define INPUT_MAX 16384u

static bool is_key_allowed(const mbedtls_pk_context *key)
{
	const size_t bits = mbedtls_pk_get_bitlen(key);

	if (mbedtls_pk_get_type(key) == MBEDTLS_PK_RSA)
		return bits >= 2048 && bits <= 8192;
	return mbedtls_pk_get_type(key) == MBEDTLS_PK_ECKEY && (bits == 256 || bits == 384);
}

static void check_anchor(const struct anchor *anchor, enum anchor_source source)
{
	const mbedtls_x509_crt *certificate = &anchor->certificate;
	uint8_t hash[VEXT_HASH_SIZE];
	char type[16];

	holds(certificate->raw.len > 0 && certificate->next == NULL);
	holds(mbedtls_sha256(certificate->raw.p, certificate->raw.len, hash, 0) == 0);
	holds(memcmp(hash, anchor->signer.fingerprint, sizeof(hash)) == 0);
	holds(memchr(anchor->signer.subject, 0, sizeof(anchor->signer.subject)));
	holds(anchor->signer.source == source);
	holds(is_key_allowed(&certificate->pk));
	holds(anchor_may_sign(anchor) || anchor_may_issue(anchor));
	memset(type, 0x7f, sizeof(type));
	anchor_key_type(anchor, type);
	holds(memchr(type, 0, sizeof(type)) && strlen(type) >= 5);
}

/* What a PEM file says must be the DER that is in it. */
static void check_der(struct anchors *anchors)
{
	const struct anchor *first = &anchors->list[0];

	holds(is_accepted(anchors_add(anchors, first->certificate.raw.p, first->certificate.raw.len,
				      ANCHOR_ARGUMENT)));
	holds(anchors->count == 2);
	holds(memcmp(&first->signer, &anchors->list[1].signer, sizeof(struct signer)) == 0);
}

/* A signature that may name it, by another: what the key does with it is looked at too. */
static void check_untrusted(const struct anchors *anchors)
{
	static const uint8_t root_hash[VEXT_HASH_SIZE] = { 1 };
	const struct origin origin = { .name = "fuzz" };
	const struct anchor *anchor = NULL;
	uint8_t pkcs7[2048];
	size_t size = fuzz_pkcs7(root_hash, pkcs7, sizeof(pkcs7));
	struct verdict v = judge_signature(anchors, &origin, root_hash, pkcs7, size, &anchor);

	holds(is_accepted(v) == (anchor != NULL));
	holds(is_accepted(v) || fuzz_group(v) == 4);
}

static struct anchors anchors;

static void add_alone(const uint8_t *bytes, size_t size)
{
	struct verdict v;

	anchors_init(&anchors);
	v = anchors_add(&anchors, bytes, size, ANCHOR_ARGUMENT);
	holds(anchors.count == is_accepted(v));
	if (is_accepted(v)) {
		check_anchor(&anchors.list[0], ANCHOR_ARGUMENT);
		check_der(&anchors);
		check_untrusted(&anchors);
	} else {
		holds(v.reason == REASON_ANCHOR_FORMAT || v.reason == REASON_ANCHOR_KEY ||
		      v.reason == REASON_ANCHOR_ALGORITHM || v.reason == REASON_ANCHOR_USAGE);
	}
	anchors_free(&anchors);
}

/* ---- issued by the CA ---------------------------------------------------------------------- */

/* The CA's key is RSA, so there is one signature for each digest. */
static void check_issued(const mbedtls_x509_crt *certificate)
{
	static const mbedtls_md_type_t types[] = { MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384,
						   MBEDTLS_MD_SHA512 };
	struct cursor c = cursor_over(certificate->raw.p, certificate->raw.len), fields;
	uint8_t signature[FUZZ_RSA_SIZE];
	bool found = false;
	struct der tbs;

	holds(der_is_strict(c) && der_take(&c, DER_SEQUENCE, &fields) && der_next(&fields, &tbs));
	holds(certificate->raw.len > FUZZ_RSA_SIZE);
	for (size_t i = 0; i < 3; i++) {
		fuzz_sign_bytes(types[i], tbs.whole.at, tbs.whole.left, signature);
		found |= memcmp(certificate->raw.p + certificate->raw.len - FUZZ_RSA_SIZE,
				signature, FUZZ_RSA_SIZE) == 0;
	}
	holds(found);
}

static void add_issued(const uint8_t *bytes, size_t size)
{
	struct verdict v;

	anchors_init(&anchors);
	holds(is_accepted(anchors_add(&anchors, fuzz_ca().bytes, fuzz_ca().size, ANCHOR_BAKED)));
	v = anchors_add(&anchors, bytes, size, ANCHOR_ISSUED);
	holds(anchors.count == 1u + is_accepted(v));
	if (is_accepted(v)) {
		holds(anchors.list[1].issuer == &anchors.list[0]);
		check_anchor(&anchors.list[1], ANCHOR_ISSUED);
		check_issued(&anchors.list[1].certificate);
		holds(!anchor_may_issue(&anchors.list[1]));
	} else {
		holds(fuzz_group(v) == 4);
	}
	anchors_free(&anchors);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t *copy;

	if (size > INPUT_MAX)
		return 0;
	copy = fuzz_copy(bytes, size);
	add_alone(copy, size);
	add_issued(copy, size);
	free(copy);
	return 0;
}

/* ---- the mutator --------------------------------------------------------------------------- */

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed)
{
	size = fuzz_der_mutate(bytes, size, max_size, seed);
	if (seed / 64 % 4 == 0)
		fuzz_sign_again(bytes, size);
	return size;
}
