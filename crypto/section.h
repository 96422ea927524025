/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section .vext.baked of the linked binary: what its builder decided whom to trust. Made with room
 * to spare, so that crypto/bake writes it in place with no compiler or linker. Read by the assembler and
 * by crypto/bake as well.
 *
 * Format, version 2; integers are of 32 bits, little-endian:
 *
 *   magic (16 bytes), flags, then records: tag (4 letters), size of what follows, that many bytes
 *   and zeros up to the end.
 *
 *   CERT  an X.509 certificate, DER: a trust anchor
 *   NAME  narrows the CERT before it to image names that match this pattern (name_matches())
 *   FROM  narrows the CERT before it to images found in this directory: absolute, no slash at its end
 *   RCRT  32 bytes: SHA-256 of a certificate that is revoked
 *   RHSH  32 bytes: the root hash of an image that is revoked
 *   CONF  configuration; at most one
 *
 * NAME and FROM follow their CERT directly; of several one must fit. Anything else, also a tag that is not
 * known, is damage, and a damaged section makes vext refuse every image: half a policy is none.
 */
#ifndef VEXT_CRYPTO_SECTION_H
#define VEXT_CRYPTO_SECTION_H

#define VEXT_SECTION_SIZE 32768 /* bytes, all of it */
#define VEXT_SECTION_MAGIC "vext baked v002\n"
#define VEXT_SECTION_MAGIC_SIZE 16 /* bytes */
#define VEXT_SECTION_RELEASE 1 /* flag: a release build (make RELEASE=1), which refuses test keys */

#ifndef __ASSEMBLER__
#include "core/cursor.h"
#include "vext.h"

extern const unsigned char vext_section[VEXT_SECTION_SIZE];

enum section_tag { /* the four letters, read as an integer */
	SECTION_CERTIFICATE = 0x54524543,
	SECTION_NAME = 0x454d414e,
	SECTION_FROM = 0x4d4f5246,
	SECTION_REVOKED_CERTIFICATE = 0x54524352,
	SECTION_REVOKED_HASH = 0x48534852,
	SECTION_CONFIG = 0x464e4f43,
};

struct section_record {
	uint32_t tag;
	struct cursor body;
	uint64_t at; /* byte offset in the section */
};

/* A section that is whole. */
struct section {
	uint32_t flags;
	struct cursor records; /* all that section_next() walks over */
	const uint8_t *start;
};

/* The bytes of this binary's own section. */
struct cursor section_own(void);

/*
 * Guaranteed on success: magic, tags, sizes and order are those above, scopes are well-formed. Certificates
 * are not looked at. signature.section (at: where in the section).
 */
struct verdict section_open(struct cursor bytes, struct section *section);

/* The next record of an open section; advances section->records. False at the end. */
bool section_next(struct section *section, struct section_record *record);

/*
 * The configuration in this binary's own section: not NUL-terminated, lives as long as the program.
 * Without one *size is 0. signature.section when the section is damaged.
 */
struct verdict section_config(const char **bytes, size_t *size);

/* SHA-256 of this binary's own section: equal for two of the same anchors, revocations and configuration. False: not to be had. */
bool section_digest(uint8_t digest[VEXT_HASH_SIZE]);

/* Do the NAME and FROM records, if any, admit an image of this name, found there (NULL: not known)? */
bool section_admits(struct cursor scope, const char *name, const char *directory);
#endif

#endif
