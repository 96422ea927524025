/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom and what a signature must lead to: the trusted certificates, each with where it comes from and
 * what it counts for, and what is revoked. Loaded once, before any image is judged.
 *
 * An anchor is trusted for being where it is: baked into the binary, in a /usr that dm-verity protects,
 * or named by --anchor. Its own signature and issuer are not checked,
 * only must the signature be of an algorithm that is known. An issued certificate may lie
 * anywhere: it counts because the key of an anchor that is a CA signed it (one level, no more), within
 * that anchor's scope: it is listed as often as that anchor is. Its bytes are anybody's, so mbedTLS
 * parses them only after that signature was found right. certificate.h says what is not checked of
 * any of them.
 */
#ifndef VEXT_CRYPTO_ANCHORS_H
#define VEXT_CRYPTO_ANCHORS_H

#include <mbedtls/x509_crt.h>

#include "core/cursor.h"
#include "crypto/certificate.h"
#include "crypto/revocation.h"
#include "vext.h"

struct anchor {
	mbedtls_x509_crt certificate;
	struct signer signer;
	struct twin twin;	     /* of an issued one: revoked by this fingerprint too */
	const struct anchor *issuer; /* of ANCHOR_ISSUED, otherwise NULL; in the same list */
	struct cursor scope; /* NAME and FROM records (section.h); empty: counts for all images */
};

/* Some 100 KB; not to be copied: anchors point at each other. */
struct anchors {
	struct verdict denied; /* accepted, or the reason for which every image is refused */
	bool is_release;       /* a release build: test keys are refused */
	uint32_t count;
	struct anchor list[VEXT_ANCHORS_MAX];
	struct revocations revoked;
};

void anchors_init(struct anchors *anchors);
void anchors_free(struct anchors *anchors);

/* From now on every image is refused for this reason; the first one stays. */
void anchors_deny(struct anchors *anchors, enum reason reason);

/*
 * One certificate (certificate.h); it is copied. From ANCHOR_ISSUED it is taken when an anchor issued it,
 * from elsewhere when it may sign or issue. A refused one leaves `anchors` as it was: signature.anchor-*,
 * or signature.test-key.
 */
struct verdict anchors_add(struct anchors *anchors, const uint8_t *bytes, size_t size,
			   enum anchor_source source);

/*
 * What is baked: anchors, scopes, revocations (section.h). None at all is fine. Anything that is not as
 * it must be denies all images (see `denied`), and the verdict says what it is (at: byte in the section).
 */
struct verdict anchors_add_section(struct anchors *anchors, struct cursor section);
/* This binary's own. */
struct verdict anchors_add_baked(struct anchors *anchors);

/* Is the certificate, or that of its issuer, revoked? Loaded later counts too. */
bool anchor_is_revoked(const struct anchors *anchors, const struct anchor *anchor);

/* May it sign images, and may it issue certificates (an anchor that is a CA)? */
bool anchor_may_sign(const struct anchor *anchor);
bool anchor_may_issue(const struct anchor *anchor);
bool anchor_is_test(const struct anchor *anchor);

/* "RSA-4096", "P-256", "P-384". `text` has room for 16. */
void anchor_key_type(const struct anchor *anchor, char text[16]);

/* "baked", "argument", "usr", "issued", "user". */
const char *anchor_source_name(enum anchor_source source);

#endif
