/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For every ECDSA signature (r, s) there is another one, (r, n - s), which anybody can write down and
 * which verifies as well. In a certificate that makes another file with another fingerprint, for the same
 * key and the same names: who revokes the one must have revoked the other.
 */
#ifndef VEXT_CRYPTO_TWIN_H
#define VEXT_CRYPTO_TWIN_H

#include <mbedtls/pk.h>

#include "core/cursor.h"
#include "vext.h"

/*
 * The SHA-256 of the certificate that has the other signature. `signed_part` is what stands in the
 * certificate before its signature: TBSCertificate and AlgorithmIdentifier, whole; `signature` the
 * contents of the BIT STRING without the count of unused bits; `key` the issuer's, P-256 or P-384.
 *
 * False when the signature is not strict DER of two positive INTEGERs, or s is not below n: then there would be
 * further twins, and the certificate is not to be taken.
 */
bool twin_fingerprint(struct cursor signed_part, struct cursor signature,
		      const mbedtls_pk_context *key, uint8_t fingerprint[VEXT_HASH_SIZE]);

#endif
