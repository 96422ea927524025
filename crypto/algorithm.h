/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature algorithms that are accepted, and the one public key operation: RSA PKCS#1 v1.5 and
 * ECDSA, with SHA-256, SHA-384 or SHA-512. For images, lists and certificates alike.
 */
#ifndef VEXT_CRYPTO_ALGORITHM_H
#define VEXT_CRYPTO_ALGORITHM_H

#include <mbedtls/build_info.h>
#include <mbedtls/pk.h>

#include "core/cursor.h"
#include "vext.h"

/* src/deps/fetch has the same minimum for the library that it fetches. */
#if MBEDTLS_VERSION_NUMBER < 0x03060700
#error "mbedTLS must be 3.6.7 or later: vext calls code with CVE-2026-49300 and CVE-2026-50583"
#endif

enum digest {
	DIGEST_SHA256 = 1,
	DIGEST_SHA384,
	DIGEST_SHA512,
};

enum key_kind {
	KEY_RSA = 1, /* PKCS#1 v1.5 */
	KEY_EC,	     /* ECDSA */
};

/* What an OID of a signature algorithm says. */
struct algorithm {
	enum key_kind key;
	enum digest digest; /* 0: the OID does not say (rsaEncryption, which PKCS#7 prescribes) */
};

/*
 * An AlgorithmIdentifier, whose parameters are NULL or absent, of a digest or of a signature. False where
 * it is none of those accepted. OIDs: RFC 8017, RFC 5758.
 */
bool algorithm_take_digest(struct cursor *c, enum digest *digest);
bool algorithm_take_signature(struct cursor *c, struct algorithm *algorithm);

/*
 * Is it the one encoding of a value of that kind: for ECDSA a SEQUENCE of two INTEGERs, not negative, in
 * strict DER? Whatever bytes for RSA, where the number of them and its size are part of verifying.
 */
bool algorithm_is_strict_value(enum key_kind kind, struct cursor signature);

/*
 * Did the key make this signature over the content? signature.algorithm (a key of another kind),
 * signature.der (not strict), signature.digest (the digest could not be made), signature.wrong,
 * system.memory.
 */
struct verdict algorithm_verify(const mbedtls_pk_context *key, enum key_kind kind,
				enum digest digest, struct cursor content, struct cursor signature);

#endif
