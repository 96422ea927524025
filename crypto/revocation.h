/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which certificates and images do not count any more. Revocations only ever take away: no list, wherever
 * it comes from, can make something trusted.
 *
 * A list is a text, lines that end with a newline:
 *
 *   vext-revoked 1
 *   # a comment
 *   certificate 64 lowercase hexadecimal digits, SHA-256 of the certificate's DER
 *   root-hash 64 lowercase hexadecimal digits
 *
 * Its first line keeps apart what else the same key signs: no list is the 64 digits that an image's
 * signature is over, and the other way round.
 */
#ifndef VEXT_CRYPTO_REVOCATION_H
#define VEXT_CRYPTO_REVOCATION_H

#include "core/cursor.h"
#include "vext.h"

#define VEXT_REVOKED_MAX 1024u /* certificates and images together */

enum revoked_kind {
	REVOKED_CERTIFICATE = 1,
	REVOKED_IMAGE,
};

struct revocation {
	enum revoked_kind kind;
	enum anchor_source source;
	uint8_t hash[VEXT_HASH_SIZE];
};

/* All zero to begin with. */
struct revocations {
	uint32_t count;
	struct revocation list[VEXT_REVOKED_MAX];
};

/* One more; what is there already is not added again. signature.list-limit. */
struct verdict revocations_add(struct revocations *revocations, enum revoked_kind kind,
			       const uint8_t hash[VEXT_HASH_SIZE], enum anchor_source source);

/* A whole list, or nothing of it: signature.list-format (at: the byte of the line), signature.list-limit. */
struct verdict revocations_read(struct revocations *revocations, struct cursor list,
				enum anchor_source source);

bool is_revoked(const struct revocations *revocations, enum revoked_kind kind,
		const uint8_t hash[VEXT_HASH_SIZE]);

#endif
