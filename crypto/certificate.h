/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One certificate: what it is, what it may do, and whether another one issued it. NOT checked anywhere:
 * dates (an initramfs has no clock), names beyond the equality of bytes, policies.
 *
 * A certificate that anybody may have written is taken apart and its signature checked first, by
 * this project's own code; mbedTLS parses what turned out to be an anchor's (anchors.h).
 */
#ifndef VEXT_CRYPTO_CERTIFICATE_H
#define VEXT_CRYPTO_CERTIFICATE_H

#include <mbedtls/x509_crt.h>

#include "core/cursor.h"
#include "crypto/algorithm.h"
#include "vext.h"

#define CERTIFICATE_FILE_MAX 65536u /* bytes, DER or PEM */

/*
 * The one certificate in a file: DER, or PEM (core/pem.h). Nothing of it is looked at but where it
 * ends. The bytes are those of the file, or of PEM until the next call.
 */
struct verdict certificate_open(const uint8_t *bytes, size_t size, struct cursor *der);

/*
 * Parses one X.509 certificate, whose key is RSA of 2048 to 8192 bits, P-256 or P-384:
 * signature.anchor-format, signature.anchor-key, and signature.anchor-algorithm for a signature of
 * its own of an algorithm that mbedTLS has not been built with. This is mbedTLS's parser: what it
 * is for is the bytes of somebody who is trusted. The bytes are copied. `certificate` is
 * initialised here, and on success freed by the caller.
 */
struct verdict certificate_parse(struct cursor der, mbedtls_x509_crt *certificate);

/* Sign images: keyUsage, if there is any, has digitalSignature. */
bool certificate_may_sign(const mbedtls_x509_crt *certificate);

/* Issue others: basicConstraints say that it is a CA, and keyUsage, if there is any, has keyCertSign. */
bool certificate_may_issue(const mbedtls_x509_crt *certificate);

/* Is "vext test" an organization of its subject? Such keys lie around in test set-ups. */
bool certificate_is_test(const mbedtls_x509_crt *certificate);

/* Be for signing code: extendedKeyUsage, if there is any, has codeSigning. */
bool certificate_is_for_code(const mbedtls_x509_crt *certificate);

/* The fingerprint of an equivalent certificate, if there is one (twin.h). */
struct twin {
	bool exists;
	uint8_t fingerprint[VEXT_HASH_SIZE];
};

/*
 * What a certificate is made of, as far as it matters for who signed it. Nothing in it is to be
 * believed before.
 */
struct certificate_parts {
	struct cursor issuer;		/* its name, with tag and length */
	struct cursor tbs;		/* what is signed */
	struct cursor before_signature; /* that and the algorithm */
	struct algorithm algorithm;	/* with a digest */
	struct cursor signature;
};

/*
 * Takes it apart by the rules of core/der.h alone: strict DER, one algorithm that is stated alike
 * inside and outside. signature.anchor-format, signature.anchor-algorithm.
 */
struct verdict certificate_take_apart(struct cursor der, struct certificate_parts *parts);

/* Is the name of its issuer, byte by byte, that one's subject? */
bool certificate_names_issuer(const struct certificate_parts *parts,
			      const mbedtls_x509_crt *issuer);

/*
 * Did the issuer's key sign it? signature.anchor-algorithm, signature.anchor-signature,
 * system.memory. Whether the issuer may issue at all is not asked here. `twin` is written on
 * success.
 */
struct verdict certificate_check_issued(const struct certificate_parts *parts,
					const mbedtls_x509_crt *issuer, struct twin *twin);

#endif
