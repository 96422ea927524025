/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/certificate.h"

#include <errno.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <string.h>

#include "core/der.h"
#include "crypto/algorithm.h"
#include "crypto/twin.h"

#define RSA_BITS_MIN 2048u
#define RSA_BITS_MAX 8192u /* MBEDTLS_MPI_MAX_SIZE */
#define PEM_BEGIN "-----BEGIN "
#define PEM_HEADER "-----BEGIN CERTIFICATE-----"
#define PEM_FOOTER "-----END CERTIFICATE-----"
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

static struct verdict read_der(const uint8_t *der, size_t size, mbedtls_x509_crt *certificate)
{
	struct verdict v = verdict(REASON_ACCEPTED);
	int error;

	mbedtls_x509_crt_init(certificate);
	errno = 0;
	error = mbedtls_x509_crt_parse_der(certificate, der, size);
	if (is_about_algorithm(error))
		v = verdict(REASON_ANCHOR_ALGORITHM);
	else if (error != 0)
		v = without_certificate();
	else if (certificate->raw.len != size || certificate->next)
		v = verdict(REASON_ANCHOR_FORMAT);
	else if (!is_key_accepted(&certificate->pk))
		v = verdict(REASON_ANCHOR_KEY);
	if (!is_accepted(v))
		mbedtls_x509_crt_free(certificate);
	return v;
}

/* `text` ends with a NUL. Two certificates in one file would leave open which one is meant. */
static struct verdict read_pem(const char *text, mbedtls_x509_crt *certificate)
{
	const char *begin = strstr(text, PEM_BEGIN);
	mbedtls_pem_context pem;
	struct verdict v = verdict(REASON_ANCHOR_FORMAT);
	size_t used, size;

	if (!begin || strncmp(begin, PEM_HEADER, strlen(PEM_HEADER)) != 0 ||
	    strstr(begin + 1, PEM_BEGIN))
		return v;
	mbedtls_pem_init(&pem);
	errno = 0;
	if (mbedtls_pem_read_buffer(&pem, PEM_HEADER, PEM_FOOTER, (const unsigned char *)begin,
				    NULL, 0, &used) == 0) {
		const unsigned char *der = mbedtls_pem_get_buffer(&pem, &size);

		v = read_der(der, size, certificate);
	} else {
		v = without_certificate();
	}
	mbedtls_pem_free(&pem);
	return v;
}

struct verdict certificate_read(const uint8_t *bytes, size_t size, mbedtls_x509_crt *certificate)
{
	static char text
		[CERTIFICATE_FILE_MAX]; /* mbedTLS wants a NUL at the end; too large for the stack */

	/* A certificate's length takes more than one byte; as a text, this would not be UTF-8. */
	if (size > 1 && bytes[0] == DER_SEQUENCE && bytes[1] & 0x80)
		return read_der(bytes, size, certificate);
	if (size >= sizeof(text) || memchr(bytes, 0, size))
		return verdict(REASON_ANCHOR_FORMAT);
	memcpy(text, bytes, size);
	text[size] = 0;
	return read_pem(text, certificate);
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

/* ---- who issued it ------------------------------------------------------------------------- */

bool certificate_names_issuer(const mbedtls_x509_crt *certificate, const mbedtls_x509_crt *issuer)
{
	return cursor_equals(cursor_over(certificate->issuer_raw.p, certificate->issuer_raw.len),
			     issuer->subject_raw.p, issuer->subject_raw.len);
}

/* The AlgorithmIdentifier in TBSCertificate (RFC 5280, 4.1), with tag and length. */
static bool find_inner_algorithm(struct cursor tbs, struct der *inner)
{
	struct cursor version, serial;

	return der_take(&tbs, DER_CONTEXT_0, &version) && der_take(&tbs, DER_INTEGER, &serial) &&
	       der_is_next(tbs, DER_SEQUENCE) && der_next(&tbs, inner);
}

struct parts {
	struct cursor tbs;		/* what is signed */
	struct cursor before_signature; /* that and the algorithm */
	struct algorithm algorithm;
	struct cursor signature;
};

/* Certificate ::= SEQUENCE { TBSCertificate, AlgorithmIdentifier, BIT STRING } */
static struct verdict take_apart(const mbedtls_x509_crt *certificate, struct parts *parts)
{
	struct cursor c = cursor_over(certificate->raw.p, certificate->raw.len);
	struct cursor body, identifier;
	const uint8_t *unused_bits;
	struct der tbs, inner;

	if (!der_is_strict(c) || !der_take(&c, DER_SEQUENCE, &body) ||
	    !der_is_next(body, DER_SEQUENCE) || !der_next(&body, &tbs) ||
	    !find_inner_algorithm(tbs.body, &inner))
		return verdict(REASON_ANCHOR_FORMAT);
	identifier = body;
	if (!algorithm_take_signature(&body, &parts->algorithm) || parts->algorithm.digest == 0)
		return verdict(REASON_ANCHOR_ALGORITHM);
	identifier.left -= body.left;
	if (!cursor_equals(identifier, inner.whole.at, inner.whole.left))
		return verdict(REASON_ANCHOR_ALGORITHM);
	parts->tbs = tbs.whole;
	parts->before_signature = cursor_over(tbs.whole.at, tbs.whole.left + identifier.left);
	if (!der_take(&body, DER_BIT_STRING, &parts->signature) || body.left != 0 ||
	    !cursor_take(&parts->signature, 1, &unused_bits) || *unused_bits != 0)
		return verdict(REASON_ANCHOR_FORMAT);
	return verdict(REASON_ACCEPTED);
}

static struct verdict check_signature(const struct parts *parts, const mbedtls_x509_crt *issuer,
				      struct twin *twin)
{
	const struct verdict v = algorithm_verify(&issuer->pk, parts->algorithm.key,
						  parts->algorithm.digest, parts->tbs,
						  parts->signature);

	if (v.reason == REASON_SIGNATURE_ALGORITHM)
		return verdict(REASON_ANCHOR_ALGORITHM);
	if (v.reason == REASON_SYSTEM_MEMORY)
		return v;
	if (!is_accepted(v))
		return verdict(REASON_ANCHOR_SIGNATURE);
	twin->exists = parts->algorithm.key == KEY_EC;
	errno = 0;
	if (twin->exists && !twin_fingerprint(parts->before_signature, parts->signature,
					      &issuer->pk, twin->fingerprint))
		return errno != 0 ? verdict_errno(REASON_SYSTEM_MEMORY, errno) :
				    verdict(REASON_ANCHOR_SIGNATURE);
	return v;
}

struct verdict certificate_check_issued(const mbedtls_x509_crt *certificate,
					const mbedtls_x509_crt *issuer, struct twin *twin)
{
	struct twin found = { 0 };
	struct parts parts;
	struct verdict v = take_apart(certificate, &parts);

	if (is_accepted(v))
		v = check_signature(&parts, issuer, &found);
	if (!is_accepted(v))
		return v;
	if (mbedtls_x509_crt_check_extended_key_usage(certificate, MBEDTLS_OID_CODE_SIGNING,
						      MBEDTLS_OID_SIZE(MBEDTLS_OID_CODE_SIGNING)) !=
	    0)
		return verdict(REASON_ANCHOR_PURPOSE);
	*twin = found;
	return v;
}
