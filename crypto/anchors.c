/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/anchors.h"

#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <string.h>

#include "core/text.h"
#include "crypto/certificate.h"
#include "crypto/section.h"

void anchors_init(struct anchors *anchors)
{
	memset(anchors, 0, sizeof(*anchors));
	anchors->denied = verdict(REASON_ACCEPTED);
}

void anchors_free(struct anchors *anchors)
{
	for (uint32_t i = 0; i < anchors->count; i++)
		mbedtls_x509_crt_free(&anchors->list[i].certificate);
	anchors->count = 0;
}

void anchors_deny(struct anchors *anchors, enum reason reason)
{
	if (is_accepted(anchors->denied))
		anchors->denied = verdict(reason);
}

/* ---- one certificate ----------------------------------------------------------------------- */

bool anchor_may_sign(const struct anchor *anchor)
{
	return certificate_may_sign(&anchor->certificate);
}

/* One level: what was issued, and what the owner of /etc put there, issues nothing. */
bool anchor_may_issue(const struct anchor *anchor)
{
	return (anchor->signer.source == ANCHOR_BAKED || anchor->signer.source == ANCHOR_USR) &&
	       certificate_may_issue(&anchor->certificate);
}

bool anchor_is_test(const struct anchor *anchor)
{
	return certificate_is_test(&anchor->certificate);
}

static bool is_hash_revoked(const struct anchors *anchors, const uint8_t hash[VEXT_HASH_SIZE])
{
	return is_revoked(&anchors->revoked, REVOKED_CERTIFICATE, hash);
}

bool anchor_is_revoked(const struct anchors *anchors, const struct anchor *anchor)
{
	return is_hash_revoked(anchors, anchor->signer.fingerprint) ||
	       (anchor->twin.exists && is_hash_revoked(anchors, anchor->twin.fingerprint)) ||
	       (anchor->issuer && is_hash_revoked(anchors, anchor->issuer->signer.fingerprint));
}

/* As crypto/asymmetric_keys/x509_public_key.c of the kernel names it. */
static void identify(const mbedtls_x509_crt *certificate, struct signer *signer)
{
	const mbedtls_x509_buf *skid = &certificate->subject_key_id;
	const mbedtls_x509_buf *id = skid->len > 0 ? skid : &certificate->serial;

	if (id->len > sizeof(signer->key_id))
		return;
	memcpy(signer->key_id, id->p, id->len);
	signer->key_id_size = (uint32_t)id->len;
}

/* A subject that does not fit is left empty; the fingerprint is what identifies. */
static void describe(const mbedtls_x509_crt *certificate, struct signer *signer)
{
	if (mbedtls_x509_dn_gets(signer->subject, sizeof(signer->subject), &certificate->subject) <
	    0)
		signer->subject[0] = 0;
	identify(certificate, signer);
}

/* Two anchors may have one name, as when a key was changed: the one whose key signed it counts. */
static struct verdict find_issuer(const struct anchors *anchors, struct cursor der,
				  struct anchor *anchor)
{
	struct certificate_parts parts;
	struct verdict v = certificate_take_apart(der, &parts);

	if (!is_accepted(v))
		return v;
	v = verdict(REASON_ANCHOR_ISSUER);
	for (uint32_t i = 0; i < anchors->count && !is_accepted(v); i++) {
		const struct anchor *issuer = &anchors->list[i];

		if (!anchor_may_issue(issuer) ||
		    !certificate_names_issuer(&parts, &issuer->certificate))
			continue;
		v = certificate_check_issued(&parts, &issuer->certificate, &anchor->twin);
		if (is_accepted(v) && anchor_is_revoked(anchors, issuer))
			v = verdict(REASON_ANCHOR_REVOKED);
		if (!is_accepted(v))
			continue;
		anchor->issuer = issuer;
		anchor->scope = issuer->scope;
	}
	return v;
}

static bool is_same(const struct anchor *a, const struct anchor *b)
{
	return memcmp(a->signer.fingerprint, b->signer.fingerprint, VEXT_HASH_SIZE) == 0;
}

/* The builder may list one twice, with two scopes; nobody else widens the scope by a copy. */
static bool is_known(const struct anchors *anchors, const struct anchor *anchor)
{
	if (anchor->signer.source == ANCHOR_BAKED || anchor->signer.source == ANCHOR_ARGUMENT)
		return false;
	for (uint32_t i = 0; i < anchors->count; i++)
		if (is_same(&anchors->list[i], anchor))
			return true;
	return false;
}

static bool may_do_anything(const struct anchor *anchor)
{
	return anchor_may_sign(anchor) || anchor_may_issue(anchor);
}

static struct verdict check(const struct anchors *anchors, const struct anchor *anchor)
{
	const enum anchor_source source = anchor->signer.source;

	if (!may_do_anything(anchor))
		return verdict(REASON_ANCHOR_USAGE);
	if (anchors->is_release && source != ANCHOR_ARGUMENT && anchor_is_test(anchor))
		return verdict(REASON_SIGNATURE_TEST_KEY);
	if (source == ANCHOR_ISSUED && !certificate_is_for_code(&anchor->certificate))
		return verdict(REASON_ANCHOR_PURPOSE);
	/* A baked one stays for all to see: what it signs is refused. */
	if (source != ANCHOR_BAKED && anchor_is_revoked(anchors, anchor))
		return verdict(REASON_ANCHOR_REVOKED);
	return verdict(REASON_ACCEPTED);
}

/*
 * By its bytes alone. Who can write to the disk must have had an issued one from an anchor, before
 * mbedTLS sees it.
 */
static struct verdict admit(const struct anchors *anchors, struct cursor der, struct anchor *anchor)
{
	if (mbedtls_sha256(der.at, der.left, anchor->signer.fingerprint, 0) != 0)
		return verdict(REASON_SYSTEM_MEMORY);
	if (is_known(anchors, anchor))
		return verdict(REASON_ANCHOR_DUPLICATE);
	if (anchor->signer.source == ANCHOR_ISSUED)
		return find_issuer(anchors, der, anchor);
	return verdict(REASON_ACCEPTED);
}

static struct verdict parse(const struct anchors *anchors, struct cursor der, struct anchor *anchor)
{
	struct verdict v = certificate_parse(der, &anchor->certificate);

	if (!is_accepted(v))
		return v;
	describe(&anchor->certificate, &anchor->signer);
	v = check(anchors, anchor);
	if (!is_accepted(v))
		mbedtls_x509_crt_free(&anchor->certificate);
	return v;
}

static struct verdict add(struct anchors *anchors, struct cursor bytes, enum anchor_source source,
			  struct cursor scope)
{
	struct anchor *anchor;
	struct cursor der;
	struct verdict v;

	if (anchors->count == VEXT_ANCHORS_MAX)
		return verdict(REASON_ANCHOR_LIMIT);
	anchor = &anchors->list[anchors->count];
	memset(anchor, 0, sizeof(*anchor));
	anchor->signer.source = source;
	anchor->scope = scope;
	v = certificate_open(bytes.at, bytes.left, &der);
	if (is_accepted(v))
		v = admit(anchors, der, anchor);
	if (is_accepted(v))
		v = parse(anchors, der, anchor);
	if (is_accepted(v))
		anchors->count++;
	return v;
}

/* The same certificate once more, let in by the same issuer with another scope. */
static struct verdict add_again(struct anchors *anchors, struct cursor bytes,
				const struct anchor *first, const struct anchor *issuer)
{
	struct anchor *anchor;
	struct cursor der;
	struct verdict v;

	if (anchors->count == VEXT_ANCHORS_MAX)
		return verdict(REASON_ANCHOR_LIMIT);
	anchor = &anchors->list[anchors->count];
	*anchor = *first;
	anchor->issuer = issuer;
	anchor->scope = issuer->scope;
	v = certificate_open(bytes.at, bytes.left, &der);
	if (is_accepted(v))
		v = certificate_parse(der, &anchor->certificate);
	if (is_accepted(v))
		anchors->count++;
	return v;
}

/* An issuer that is listed with two scopes lets in what it issued for both. All of it, or nothing. */
static struct verdict add_issued(struct anchors *anchors, struct cursor bytes)
{
	const uint32_t before = anchors->count;
	const struct anchor *first = &anchors->list[before];
	struct verdict v = add(anchors, bytes, ANCHOR_ISSUED, cursor_over("", 0));

	if (!is_accepted(v))
		return v;
	for (const struct anchor *issuer = first->issuer + 1; issuer < first && is_accepted(v);
	     issuer++)
		if (is_same(issuer, first->issuer))
			v = add_again(anchors, bytes, first, issuer);
	while (!is_accepted(v) && anchors->count > before)
		mbedtls_x509_crt_free(&anchors->list[--anchors->count].certificate);
	return v;
}

struct verdict anchors_add(struct anchors *anchors, const uint8_t *bytes, size_t size,
			   enum anchor_source source)
{
	const struct cursor whole = cursor_over(bytes, size);

	if (source == ANCHOR_ISSUED)
		return add_issued(anchors, whole);
	return add(anchors, whole, source, cursor_over("", 0));
}

/* ---- what is baked ------------------------------------------------------------------------- */

/* The NAME and FROM records that follow a certificate; they stay where they are. */
static struct cursor scope_after(struct section section)
{
	struct cursor scope = section.records;
	struct section_record record;
	size_t left = scope.left;

	while (section_next(&section, &record) &&
	       (record.tag == SECTION_NAME || record.tag == SECTION_FROM))
		left = section.records.left;
	scope.left -= left;
	return scope;
}

static struct verdict add_record(struct anchors *anchors, const struct section *section,
				 const struct section_record *record)
{
	switch (record->tag) {
	case SECTION_CERTIFICATE:
		return add(anchors, record->body, ANCHOR_BAKED, scope_after(*section));
	case SECTION_REVOKED_CERTIFICATE:
		return revocations_add(&anchors->revoked, REVOKED_CERTIFICATE, record->body.at,
				       ANCHOR_BAKED);
	case SECTION_REVOKED_HASH:
		return revocations_add(&anchors->revoked, REVOKED_IMAGE, record->body.at,
				       ANCHOR_BAKED);
	default:
		return verdict(REASON_ACCEPTED);
	}
}

struct verdict anchors_add_section(struct anchors *anchors, struct cursor bytes)
{
	struct section section;
	struct section_record record;
	struct verdict v = section_open(bytes, &section);

	if (!is_accepted(v)) {
		anchors_deny(anchors, REASON_SIGNATURE_SECTION);
		return v;
	}
	anchors->is_release = (section.flags & VEXT_SECTION_RELEASE) != 0;
	while (section_next(&section, &record)) {
		v = add_record(anchors, &section, &record);
		if (is_accepted(v))
			continue;
		v.at = record.at;
		anchors_deny(anchors, v.reason == REASON_SIGNATURE_TEST_KEY ?
					      v.reason :
					      REASON_SIGNATURE_SECTION);
		return v;
	}
	return verdict(REASON_ACCEPTED);
}

struct verdict anchors_add_baked(struct anchors *anchors)
{
	return anchors_add_section(anchors, section_own());
}

/* ---- telling ------------------------------------------------------------------------------- */

void anchor_key_type(const struct anchor *anchor, char text[16])
{
	const mbedtls_pk_context *key = &anchor->certificate.pk;
	struct text t;

	text_init(&t, text, 16);
	text_str(&t, mbedtls_pk_get_type(key) == MBEDTLS_PK_RSA ? "RSA-" : "P-");
	text_u64(&t, mbedtls_pk_get_bitlen(key));
}

const char *anchor_source_name(enum anchor_source source)
{
	switch (source) {
	case ANCHOR_BAKED:
		return "baked";
	case ANCHOR_ARGUMENT:
		return "argument";
	case ANCHOR_USR:
		return "usr";
	case ANCHOR_ISSUED:
		return "issued";
	case ANCHOR_USER:
		return "user";
	}
	return "none";
}
