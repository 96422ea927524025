/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate files that anybody may have put into /etc/verity.d, judged by a CA that is baked.
 * Asserted: mbedTLS's parser is only ever called with bytes that the CA's key signed; an accepted
 * one is issued by the CA, for all of whose keys there is just one signature, and issues nothing
 * itself; a refused one leaves the anchors as they were.
 */
#include "core/der.h"
#include "crypto/anchors.h"
#include "fuzz.h"

#define INPUT_MAX 16384u
#define PEM_BEGIN "-----BEGIN CERTIFICATE-----\n"
#define PEM_END "\n-----END CERTIFICATE-----\n"

/*
 * Certificate ::= SEQUENCE { TBSCertificate, AlgorithmIdentifier, BIT STRING }, the last with all
 * of the signature.
 */
static bool is_the_cas(const uint8_t *bytes, size_t size)
{
	static const mbedtls_md_type_t types[] = { MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384,
						   MBEDTLS_MD_SHA512 };
	struct cursor c = cursor_over(bytes, size), fields;
	uint8_t signature[FUZZ_RSA_SIZE];
	struct der tbs;

	if (!der_is_strict(c) || !der_take(&c, DER_SEQUENCE, &fields) || c.left != 0 ||
	    !der_next(&fields, &tbs) || fields.left <= FUZZ_RSA_SIZE)
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		fuzz_sign_bytes(types[i], tbs.whole.at, tbs.whole.left, signature);
		if (memcmp(bytes + size - FUZZ_RSA_SIZE, signature, FUZZ_RSA_SIZE) == 0)
			return true;
	}
	return false;
}

static struct anchors *the_ca(void)
{
	static struct anchors anchors;

	if (anchors.count > 0)
		return &anchors;
	anchors_init(&anchors);
	holds(is_accepted(anchors_add(&anchors, fuzz_ca().bytes, fuzz_ca().size, ANCHOR_BAKED)));
	(void)fuzz_anchors(); /* are parsed, too, when they are first asked for */
	fuzz_guard_parser(is_the_cas);
	return &anchors;
}

static void check_accepted(struct anchors *anchors)
{
	struct anchor *issued = &anchors->list[1];

	holds(anchors->count == 2);
	holds(issued->issuer == &anchors->list[0] && issued->signer.source == ANCHOR_ISSUED);
	holds(anchor_may_sign(issued) && !anchor_may_issue(issued));
	holds(memchr(issued->signer.subject, 0, sizeof(issued->signer.subject)));
	holds(issued->signer.key_id_size <= sizeof(issued->signer.key_id));
	mbedtls_x509_crt_free(&issued->certificate);
	anchors->count = 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct anchors *anchors = the_ca();
	uint8_t *copy;
	struct verdict v;

	if (size > INPUT_MAX)
		return 0;
	copy = fuzz_copy(bytes, size);
	v = anchors_add(anchors, copy, size, ANCHOR_ISSUED);
	if (is_accepted(v)) {
		check_accepted(anchors);
	} else {
		holds(fuzz_group(v) == 4);
		holds(anchors->count == 1);
	}
	free(copy);
	return 0;
}

/* ---- the mutator --------------------------------------------------------------------------- */

/* As a text, if that has room. */
static size_t to_pem(uint8_t *bytes, size_t size, size_t max_size)
{
	static char text[2 * INPUT_MAX];
	size_t length = strlen(PEM_BEGIN);

	if (strlen(PEM_BEGIN) + (size + 2) / 3 * 4 + strlen(PEM_END) > max_size)
		return size;
	memcpy(text, PEM_BEGIN, length);
	length += fuzz_base64(bytes, size, text + length);
	memcpy(text + length, PEM_END, strlen(PEM_END));
	length += strlen(PEM_END);
	memcpy(bytes, text, length);
	return length;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed)
{
	size = fuzz_der_mutate(bytes, size, max_size, seed);
	if (seed / 64 % 16 == 0)
		fuzz_sign_again(bytes, size);
	if (seed / 1024 % 16 == 0)
		size = to_pem(bytes, size, max_size);
	return size;
}
