/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One certificate: what it is, what it may do, and whether another one issued it. NOT checked anywhere:
 * dates (an initramfs has no clock), names beyond the equality of bytes, policies.
 */
#ifndef VEXT_CRYPTO_CERTIFICATE_H
#define VEXT_CRYPTO_CERTIFICATE_H

#include <mbedtls/x509_crt.h>

#include "vext.h"

#define CERTIFICATE_FILE_MAX 65536u /* bytes, DER or PEM */

/*
 * Reads one X.509 certificate, in DER or as the only one in a PEM file (text around it does not matter),
 * whose key is RSA of 2048 to 8192 bits, P-256 or P-384: signature.anchor-format, signature.anchor-key,
 * and signature.anchor-algorithm for a signature of its own of an algorithm that mbedTLS has not been built with.
 * The bytes are copied. `certificate` is initialised here, and on success freed by the caller.
 */
struct verdict certificate_read(const uint8_t *bytes, size_t size, mbedtls_x509_crt *certificate);

/* Sign images: keyUsage, if there is any, has digitalSignature. */
bool certificate_may_sign(const mbedtls_x509_crt *certificate);

/* Issue others: basicConstraints say that it is a CA, and keyUsage, if there is any, has keyCertSign. */
bool certificate_may_issue(const mbedtls_x509_crt *certificate);

/* Is "vext test" an organization of its subject? Such keys lie around in test set-ups. */
bool certificate_is_test(const mbedtls_x509_crt *certificate);

/* Is the one's issuer, byte by byte, the other's subject? */
bool certificate_names_issuer(const mbedtls_x509_crt *certificate, const mbedtls_x509_crt *issuer);

/* The fingerprint of an equivalent certificate, if there is one (twin.h). */
struct twin {
	bool exists;
	uint8_t fingerprint[VEXT_HASH_SIZE];
};

/*
 * Did the issuer's key sign it, as strict DER, with one algorithm that is stated alike inside and outside,
 * and, if the certificate has extendedKeyUsage, for signing code? signature.anchor-algorithm,
 * signature.anchor-signature, signature.anchor-purpose, signature.anchor-format. Whether the issuer may issue at all is not asked
 * here. `twin` is written on success.
 */
struct verdict certificate_check_issued(const mbedtls_x509_crt *certificate,
					const mbedtls_x509_crt *issuer, struct twin *twin);

#endif
