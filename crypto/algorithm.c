/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/algorithm.h"

#include <errno.h>
#include <mbedtls/md.h>

#include "core/der.h"

#define OID_MAX 9u

struct digest_oid {
	enum digest digest;
	uint8_t oid[OID_MAX]; /* id-sha256 … : 9 bytes */
};

static const struct digest_oid digests[] = {
	{ DIGEST_SHA256, { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 } },
	{ DIGEST_SHA384, { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02 } },
	{ DIGEST_SHA512, { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03 } },
};

struct algorithm_oid {
	struct algorithm algorithm;
	size_t size;
	uint8_t oid[OID_MAX];
};

static const struct algorithm_oid algorithms[] = {
	/* rsaEncryption, which PKCS#7 prescribes, and sha*WithRSAEncryption */
	{ { KEY_RSA, 0 }, 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 } },
	{ { KEY_RSA, DIGEST_SHA256 }, 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b } },
	{ { KEY_RSA, DIGEST_SHA384 }, 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c } },
	{ { KEY_RSA, DIGEST_SHA512 }, 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d } },
	/* ecdsa-with-SHA* */
	{ { KEY_EC, DIGEST_SHA256 }, 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 } },
	{ { KEY_EC, DIGEST_SHA384 }, 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 } },
	{ { KEY_EC, DIGEST_SHA512 }, 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04 } },
};

/* AlgorithmIdentifier, whose parameters are NULL or absent. */
static bool take_algorithm(struct cursor *c, struct cursor *oid)
{
	struct cursor body, null;

	if (!der_take(c, DER_SEQUENCE, &body) || !der_take(&body, DER_OID, oid))
		return false;
	return body.left == 0 || (der_take(&body, DER_NULL, &null) && body.left == 0);
}

bool algorithm_take_digest(struct cursor *c, enum digest *digest)
{
	struct cursor oid;

	if (!take_algorithm(c, &oid))
		return false;
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		if (cursor_equals(oid, digests[i].oid, sizeof(digests[i].oid))) {
			*digest = digests[i].digest;
			return true;
		}
	}
	return false;
}

bool algorithm_take_signature(struct cursor *c, struct algorithm *algorithm)
{
	struct cursor oid;

	if (!take_algorithm(c, &oid))
		return false;
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		if (cursor_equals(oid, algorithms[i].oid, algorithms[i].size)) {
			*algorithm = algorithms[i].algorithm;
			return true;
		}
	}
	return false;
}

static mbedtls_md_type_t md_type(enum digest digest)
{
	switch (digest) {
	case DIGEST_SHA256:
		return MBEDTLS_MD_SHA256;
	case DIGEST_SHA384:
		return MBEDTLS_MD_SHA384;
	case DIGEST_SHA512:
		return MBEDTLS_MD_SHA512;
	}
	return MBEDTLS_MD_NONE;
}

static bool is_key_of(const mbedtls_pk_context *key, enum key_kind kind)
{
	switch (kind) {
	case KEY_RSA:
		return mbedtls_pk_get_type(key) == MBEDTLS_PK_RSA;
	case KEY_EC:
		return mbedtls_pk_get_type(key) == MBEDTLS_PK_ECKEY;
	}
	return false;
}

/* An INTEGER that is not negative; der_is_strict() has seen to its length. */
static bool take_natural(struct cursor *c)
{
	struct cursor body;

	return der_take(c, DER_INTEGER, &body) && !(body.at[0] & 0x80);
}

/*
 * mbedTLS reads Ecdsa-Sig-Value (RFC 3279, 2.2.3) as BER, and the sign of its numbers as a digit. Without this
 * one signature would have many forms, and some that no other tool takes.
 */
bool algorithm_is_strict_value(enum key_kind kind, struct cursor signature)
{
	struct cursor numbers;

	if (kind == KEY_RSA)
		return true;
	return der_is_strict(signature) && der_take(&signature, DER_SEQUENCE, &numbers) &&
	       signature.left == 0 && take_natural(&numbers) && take_natural(&numbers) &&
	       numbers.left == 0;
}

struct verdict algorithm_verify(const mbedtls_pk_context *key, enum key_kind kind,
				enum digest digest, struct cursor content, struct cursor signature)
{
	/* The interface lacks a const; verification does not change the key. */
	mbedtls_pk_context *pk = (mbedtls_pk_context *)(uintptr_t)key;
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(md_type(digest));
	uint8_t hash[MBEDTLS_MD_MAX_SIZE];

	if (!is_key_of(key, kind))
		return verdict(REASON_SIGNATURE_ALGORITHM);
	if (!algorithm_is_strict_value(kind, signature))
		return verdict(REASON_SIGNATURE_DER);
	if (!md || mbedtls_md(md, content.at, content.left, hash) != 0)
		return verdict(REASON_SIGNATURE_DIGEST);
	/* For want of memory nothing was compared. Not every code of mbedTLS says so; errno does. */
	errno = 0;
	if (mbedtls_pk_verify(pk, md_type(digest), hash, mbedtls_md_get_size(md), signature.at,
			      signature.left) != 0)
		return errno != 0 ? verdict_errno(REASON_SYSTEM_MEMORY, errno) :
				    verdict(REASON_SIGNATURE_WRONG);
	return verdict(REASON_ACCEPTED);
}
