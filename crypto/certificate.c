/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/certificate.h"

#include <errno.h>
#include <mbedtls/oid.h>
#include <string.h>

#include "core/der.h"
#include "core/pem.h"
#include "crypto/twin.h"

#define RSA_BITS_MIN 2048u
#define RSA_BITS_MAX 8192u /* MBEDTLS_MPI_MAX_SIZE */
#define TEST_ORGANIZATION "vext test"

/* ---- reading ------------------------------------------------------------------------------- */

static bool is_curve_accepted(const mbedtls_pk_context *key)
{
	mbedtls_ecp_group_id group = mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*key));

	return group == MBEDTLS_ECP_DP_SECP256R1 || group == MBEDTLS_ECP_DP_SECP384R1;
}

static bool is_key_accepted(const mbedtls_pk_context *key)
{
	size_t bits = mbedtls_pk_get_bitlen(key);

	if (mbedtls_pk_get_type(key) == MBEDTLS_PK_RSA)
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
	return mbedtls_pk_get_type(key) == MBEDTLS_PK_ECKEY && is_curve_accepted(key);
}

/*
 * mbedTLS has a code for the lack of memory and loses it on the way in places; errno tells, which the
 * allocator sets and which was 0 before.
 */
static struct verdict without_certificate(void)
{
	return errno != 0 ? verdict_errno(REASON_SYSTEM_MEMORY, errno) :
			    verdict(REASON_ANCHOR_FORMAT);
}

/* That of the certificate's own signature, which mbedTLS looks at although nobody asks. */
static bool is_about_algorithm(int error)
{
	const int high = -(-error & 0xff80); /* of two codes that are added up (error.h) */

	return high == MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG || high == MBEDTLS_ERR_X509_INVALID_ALG;
}

struct verdict certificate_parse(struct cursor der, mbedtls_x509_crt *certificate)
{
	struct verdict v = verdict(REASON_ACCEPTED);
	int error;

	mbedtls_x509_crt_init(certificate);
	errno = 0;
	error = mbedtls_x509_crt_parse_der(certificate, der.at, der.left);
	if (is_about_algorithm(error))
		v = verdict(REASON_ANCHOR_ALGORITHM);
	else if (error != 0)
		v = without_certificate();
	else if (certificate->raw.len != der.left || certificate->next)
		v = verdict(REASON_ANCHOR_FORMAT);
	else if (!is_key_accepted(&certificate->pk))
		v = verdict(REASON_ANCHOR_KEY);
	if (!is_accepted(v))
		mbedtls_x509_crt_free(certificate);
	return v;
}

struct verdict certificate_open(const uint8_t *bytes, size_t size, struct cursor *der)
{
	static uint8_t decoded[CERTIFICATE_FILE_MAX]; /* too large for the stack */

	/* A certificate's length takes more than one byte; as a text, this would not be UTF-8. */
	if (size > 1 && bytes[0] == DER_SEQUENCE && bytes[1] & 0x80) {
		*der = cursor_over(bytes, size);
		return verdict(REASON_ACCEPTED);
	}
	/* One that is this long may have been cut. */
	if (size >= CERTIFICATE_FILE_MAX || memchr(bytes, 0, size) ||
	    !pem_decode(cursor_over(bytes, size), decoded, sizeof(decoded), &size))
		return verdict(REASON_ANCHOR_FORMAT);
	*der = cursor_over(decoded, size);
	return verdict(REASON_ACCEPTED);
}

/* ---- what it may do ------------------------------------------------------------------------ */

bool certificate_may_sign(const mbedtls_x509_crt *certificate)
{
	return mbedtls_x509_crt_check_key_usage(certificate, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) ==
	       0;
}

bool certificate_may_issue(const mbedtls_x509_crt *certificate)
{
	return mbedtls_x509_crt_get_ca_istrue(certificate) == 1 &&
	       mbedtls_x509_crt_check_key_usage(certificate, MBEDTLS_X509_KU_KEY_CERT_SIGN) == 0;
}

bool certificate_is_test(const mbedtls_x509_crt *certificate)
{
	for (const mbedtls_x509_name *part = &certificate->subject; part; part = part->next)
		if (cursor_equals(cursor_over(part->oid.p, part->oid.len),
				  MBEDTLS_OID_AT_ORGANIZATION,
				  MBEDTLS_OID_SIZE(MBEDTLS_OID_AT_ORGANIZATION)) &&
		    cursor_equals(cursor_over(part->val.p, part->val.len), TEST_ORGANIZATION,
				  strlen(TEST_ORGANIZATION)))
			return true;
	return false;
}

bool certificate_is_for_code(const mbedtls_x509_crt *certificate)
{
	return mbedtls_x509_crt_check_extended_key_usage(
		       certificate, MBEDTLS_OID_CODE_SIGNING,
		       MBEDTLS_OID_SIZE(MBEDTLS_OID_CODE_SIGNING)) == 0;
}

/* ---- who issued it ------------------------------------------------------------------------- */

/* A value of that tag, with tag and length. */
static bool take_whole(struct cursor *c, uint8_t tag, struct cursor *whole)
{
	struct der value;

	if (!der_is_next(*c, tag) || !der_next(c, &value))
		return false;
	*whole = value.whole;
	return true;
}

/* Of TBSCertificate (RFC 5280, 4.1): AlgorithmIdentifier and the issuer's name. */
static bool take_inner(struct cursor tbs, struct cursor *algorithm, struct cursor *issuer)
{
	struct cursor fields, version, serial;

	return der_take(&tbs, DER_SEQUENCE, &fields) &&
	       der_take(&fields, DER_CONTEXT_0, &version) &&
	       der_take(&fields, DER_INTEGER, &serial) &&
	       take_whole(&fields, DER_SEQUENCE, algorithm) &&
	       take_whole(&fields, DER_SEQUENCE, issuer);
}

/* Certificate ::= SEQUENCE { TBSCertificate, AlgorithmIdentifier, BIT STRING } */
struct verdict certificate_take_apart(struct cursor der, struct certificate_parts *parts)
{
	struct certificate_parts found;
	struct cursor body, identifier, inner;
	const uint8_t *unused_bits;

	if (!der_is_strict(der) || !der_take(&der, DER_SEQUENCE, &body) || der.left != 0 ||
	    !take_whole(&body, DER_SEQUENCE, &found.tbs) ||
	    !take_inner(found.tbs, &inner, &found.issuer))
		return verdict(REASON_ANCHOR_FORMAT);
	identifier = body;
	if (!algorithm_take_signature(&body, &found.algorithm) || found.algorithm.digest == 0)
		return verdict(REASON_ANCHOR_ALGORITHM);
	identifier.left -= body.left;
	if (!cursor_equals(identifier, inner.at, inner.left))
		return verdict(REASON_ANCHOR_ALGORITHM);
	found.before_signature = cursor_over(found.tbs.at, found.tbs.left + identifier.left);
	if (!der_take(&body, DER_BIT_STRING, &found.signature) || body.left != 0 ||
	    !cursor_take(&found.signature, 1, &unused_bits) || *unused_bits != 0)
		return verdict(REASON_ANCHOR_FORMAT);
	*parts = found;
	return verdict(REASON_ACCEPTED);
}

bool certificate_names_issuer(const struct certificate_parts *parts, const mbedtls_x509_crt *issuer)
{
	return cursor_equals(parts->issuer, issuer->subject_raw.p, issuer->subject_raw.len);
}

struct verdict certificate_check_issued(const struct certificate_parts *parts,
					const mbedtls_x509_crt *issuer, struct twin *twin)
{
	const struct verdict v = algorithm_verify(&issuer->pk, parts->algorithm.key,
						  parts->algorithm.digest, parts->tbs,
						  parts->signature);
	struct twin found = { .exists = parts->algorithm.key == KEY_EC };

	if (v.reason == REASON_SIGNATURE_ALGORITHM)
		return verdict(REASON_ANCHOR_ALGORITHM);
	if (v.reason == REASON_SYSTEM_MEMORY)
		return v;
	if (!is_accepted(v))
		return verdict(REASON_ANCHOR_SIGNATURE);
	errno = 0;
	if (found.exists && !twin_fingerprint(parts->before_signature, parts->signature,
					      &issuer->pk, found.fingerprint))
		return errno != 0 ? verdict_errno(REASON_SYSTEM_MEMORY, errno) :
				    verdict(REASON_ANCHOR_SIGNATURE);
	*twin = found;
	return v;
}
