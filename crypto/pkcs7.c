/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pkcs7.h"

#include "core/der.h"

/* Contents of OBJECT IDENTIFIERs. */
static const uint8_t oid_signed_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02 };
static const uint8_t oid_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };

static bool take_oid(struct cursor *c, const uint8_t *oid, size_t size)
{
	struct cursor body;

	return der_take(c, DER_OID, &body) && cursor_equals(body, oid, size);
}

/* An INTEGER of one byte: the version. */
static bool take_small(struct cursor *c, uint8_t value)
{
	struct cursor body;

	return der_take(c, DER_INTEGER, &body) && cursor_equals(body, &value, 1);
}

static struct verdict parse_signer(struct cursor c, enum digest digest, struct pkcs7_signer *signer)
{
	struct cursor name_and_serial;
	struct algorithm algorithm;
	struct der issuer;

	if (!take_small(&c, 1) || !der_take(&c, DER_SEQUENCE, &name_and_serial))
		return verdict(REASON_SIGNATURE_UNEXPECTED);
	if (!der_is_next(name_and_serial, DER_SEQUENCE) || !der_next(&name_and_serial, &issuer) ||
	    !der_take(&name_and_serial, DER_INTEGER, &signer->serial) || name_and_serial.left != 0)
		return verdict(REASON_SIGNATURE_UNEXPECTED);
	signer->issuer = issuer.whole;
	if (!algorithm_take_digest(&c, &signer->digest) || signer->digest != digest)
		return verdict(REASON_SIGNATURE_DIGEST);
	if (der_is_next(c, DER_CONTEXT_0))
		return verdict(REASON_SIGNATURE_ATTRIBUTES);
	if (!algorithm_take_signature(&c, &algorithm) ||
	    (algorithm.digest != 0 && algorithm.digest != digest))
		return verdict(REASON_SIGNATURE_ALGORITHM);
	signer->key = algorithm.key;
	if (!der_take(&c, DER_OCTET_STRING, &signer->signature))
		return verdict(REASON_SIGNATURE_UNEXPECTED);
	if (c.left != 0)
		return verdict(REASON_SIGNATURE_ATTRIBUTES);
	if (!algorithm_is_strict_value(signer->key, signer->signature))
		return verdict(REASON_SIGNATURE_DER);
	return verdict(REASON_ACCEPTED);
}

static struct verdict parse_signed_data(struct cursor c, struct pkcs7_signer *signer)
{
	struct cursor digests_set, content, certificates, signers, one;
	enum digest digest;

	if (!take_small(&c, 1) || !der_take(&c, DER_SET, &digests_set))
		return verdict(REASON_SIGNATURE_UNEXPECTED);
	if (!algorithm_take_digest(&digests_set, &digest) || digests_set.left != 0)
		return verdict(REASON_SIGNATURE_DIGEST);
	if (!der_take(&c, DER_SEQUENCE, &content) ||
	    !take_oid(&content, oid_data, sizeof(oid_data)))
		return verdict(REASON_SIGNATURE_CONTENT_TYPE);
	if (content.left != 0)
		return verdict(REASON_SIGNATURE_ATTACHED);
	der_take(&c, DER_CONTEXT_0,
		 &certificates); /* optional, and never trusted for being there */
	if (!der_take(&c, DER_SET, &signers) || c.left != 0)
		return verdict(REASON_SIGNATURE_UNEXPECTED);
	if (!der_take(&signers, DER_SEQUENCE, &one) || signers.left != 0)
		return verdict(REASON_SIGNATURE_SIGNERS);
	return parse_signer(one, digest, signer);
}

struct verdict pkcs7_parse(const uint8_t *bytes, size_t size, struct pkcs7_signer *signer)
{
	struct cursor c = cursor_over(bytes, size), content_info, explicit, signed_data;
	struct pkcs7_signer parsed = { 0 };
	struct verdict v;

	if (!der_take(&c, DER_SEQUENCE, &content_info))
		return verdict(REASON_SIGNATURE_DER);
	if (c.left != 0)
		return verdict(REASON_SIGNATURE_TRAILING);
	if (!der_is_strict(content_info))
		return verdict(REASON_SIGNATURE_DER);
	if (!take_oid(&content_info, oid_signed_data, sizeof(oid_signed_data)) ||
	    !der_take(&content_info, DER_CONTEXT_0, &explicit) || content_info.left != 0 ||
	    !der_take(&explicit, DER_SEQUENCE, &signed_data) || explicit.left != 0)
		return verdict(REASON_SIGNATURE_CONTENT_TYPE);
	v = parse_signed_data(signed_data, &parsed);
	if (is_accepted(v))
		*signer = parsed;
	return v;
}
