/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one shape of PKCS#7 that is accepted, and nothing of mbedTLS's own PKCS#7 parser.
 *
 * mbedTLS 3.6 parses more than vext allows (certificates that nobody signed, several signers, lengths
 * that are not minimal) and checks less than it needs (issuer, serial number, signature algorithm).
 * What remains is small: this grammar, walked once over strict DER, and one public key operation.
 *
 * Format: RFC 2315 (PKCS#7 1.5), 7, 9.1, 9.2; OIDs of RFC 8017, RFC 5758. The accepted subset:
 *
 *   SEQUENCE { OID signedData, [0] { SEQUENCE {
 *     INTEGER 1, SET { digest }, SEQUENCE { OID data }, [0] { … } OPTIONAL,
 *     SET { SEQUENCE { INTEGER 1, SEQUENCE { issuer, INTEGER serial }, digest, algorithm, OCTET STRING } }
 *   } } }
 *
 * Embedded certificates ([0]) are well-formed DER and otherwise not looked at: being there does not make
 * one trusted.
 */
#ifndef VEXT_CRYPTO_PKCS7_H
#define VEXT_CRYPTO_PKCS7_H

#include "core/cursor.h"
#include "crypto/algorithm.h"
#include "vext.h"

/* The one signer. The cursors point into the parsed bytes. */
struct pkcs7_signer {
	struct cursor issuer; /* Name, with tag and length */
	struct cursor serial; /* INTEGER, contents only */
	enum digest digest;
	enum key_kind key;
	struct cursor signature;
};

/* Guaranteed on success: the bytes are that shape from the first to the last. signature.* where not. */
struct verdict pkcs7_parse(const uint8_t *bytes, size_t size, struct pkcs7_signer *signer);

#endif
