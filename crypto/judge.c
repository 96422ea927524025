/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/judge.h"

#include <string.h>

#include "core/demands.h"
#include "core/filesystem.h"
#include "core/text.h"
#include "crypto/merkle.h"
#include "crypto/pkcs7.h"
#include "crypto/section.h"

struct trusted {
	struct facts facts;
	struct cursor scope; /* of the anchor that signed; empty without a signature */
};

_Static_assert(sizeof(struct trusted) <= sizeof(struct trusted_space),
	       "trusted_space is too small");
_Static_assert(_Alignof(struct trusted) <= 16, "trusted_space is not aligned for it");

const struct facts *trusted_facts(const struct trusted *t)
{
	return &t->facts;
}

bool trusted_admits(const struct trusted *t, const struct origin *origin)
{
	return section_admits(t->scope, origin->name, origin->directory);
}

/* ---- the signature ------------------------------------------------------------------------- */

static bool is_named(const mbedtls_x509_crt *certificate, const struct pkcs7_signer *signer)
{
	return cursor_equals(signer->issuer, certificate->issuer_raw.p,
			     certificate->issuer_raw.len) &&
	       cursor_equals(signer->serial, certificate->serial.p, certificate->serial.len);
}

/* May this certificate, whose key has made the signature, make it count here? */
static struct verdict check_standing(const struct anchors *anchors, const struct anchor *anchor,
				     const struct origin *origin)
{
	if (!anchor_may_sign(anchor))
		return verdict(REASON_SIGNATURE_USAGE);
	if (anchor_is_revoked(anchors, anchor))
		return verdict(REASON_SIGNATURE_REVOKED);
	if (!section_admits(anchor->scope, origin->name, origin->directory))
		return verdict(REASON_SIGNATURE_SCOPE);
	return verdict(REASON_ACCEPTED);
}

/* Nothing stops two certificates from having one name and number: the first that does counts. */
static struct verdict judge_content(const struct anchors *anchors, const struct origin *origin,
				    struct cursor content, struct cursor signature,
				    const struct anchor **anchor)
{
	struct pkcs7_signer signer;
	struct verdict v = pkcs7_parse(signature.at, signature.left, &signer);

	if (!is_accepted(v))
		return v;
	if (!is_accepted(anchors->denied))
		return anchors->denied;
	if (anchors->count == 0)
		return verdict(REASON_SIGNATURE_NO_ANCHORS);
	v = verdict(REASON_SIGNATURE_UNTRUSTED);
	for (uint32_t i = 0; i < anchors->count; i++) {
		const struct anchor *candidate = &anchors->list[i];

		if (!is_named(&candidate->certificate, &signer))
			continue;
		v = algorithm_verify(&candidate->certificate.pk, signer.key, signer.digest, content,
				     signer.signature);
		if (is_accepted(v))
			v = check_standing(anchors, candidate, origin);
		if (!is_accepted(v))
			continue;
		*anchor = candidate;
		return v;
	}
	return v;
}

struct verdict judge_signature(const struct anchors *anchors, const struct origin *origin,
			       const uint8_t root_hash[VEXT_HASH_SIZE], const uint8_t *signature,
			       size_t size, const struct anchor **anchor)
{
	char content[2 * VEXT_HASH_SIZE + 1];
	const struct anchor *found;
	struct text text;
	struct verdict v;

	/* What is signed: the root hash as 64 lowercase hexadecimal digits, no end of line. */
	text_init(&text, content, sizeof(content));
	text_hex(&text, root_hash, VEXT_HASH_SIZE);
	v = judge_content(anchors, origin, cursor_over(content, text.used),
			  cursor_over(signature, size), &found);
	if (is_accepted(v) && is_revoked(&anchors->revoked, REVOKED_IMAGE, root_hash))
		return verdict(REASON_SIGNATURE_REVOKED_IMAGE);
	if (is_accepted(v))
		*anchor = found;
	return v;
}

/* ---- a list of revocations ----------------------------------------------------------------- */

/* Whoever may sign some images only, or was let in by another, can't take images away from all. */
static bool may_revoke(const struct anchor *anchor)
{
	return anchor->scope.left == 0 &&
	       (anchor->signer.source == ANCHOR_BAKED || anchor->signer.source == ANCHOR_USR);
}

struct verdict judge_revocations(struct anchors *anchors, const uint8_t *list, size_t size,
				 const uint8_t *signature, size_t signature_size)
{
	const struct origin nowhere = { 0 };
	const struct anchor *anchor;
	struct verdict v = judge_content(anchors, &nowhere, cursor_over(list, size),
					 cursor_over(signature, signature_size), &anchor);

	if (v.reason == REASON_SIGNATURE_SCOPE || (is_accepted(v) && !may_revoke(anchor)))
		return verdict(REASON_LIST_SIGNER);
	if (is_accepted(v))
		v = revocations_read(&anchors->revoked, cursor_over(list, size),
				     anchor->signer.source);
	return v;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static struct verdict judge_filesystem(const struct demands *demands, const struct claim *claim,
				       const uint8_t block[VEXT_BLOCK], struct facts *facts)
{
	struct verdict v = filesystem_identify(block, &facts->filesystem, &facts->filesystem_size);

	if (is_accepted(v) && !(demands->filesystems & 1u << facts->filesystem))
		v = verdict(REASON_POLICY_FILESYSTEM);
	if (!is_accepted(v)) {
		v.at = claim->layout.data.offset;
		return v;
	}
	if (facts->filesystem_size > claim->verity.data_blocks * VEXT_BLOCK)
		return verdict_at(REASON_SUPERBLOCK_FILESYSTEM, claim->layout.data.offset);
	return v;
}

/* Without a signature, which the demands allow here, it still must not be taken back. */
static struct verdict judge_root_hash(const struct anchors *anchors, const struct origin *origin,
				      const struct claim *claim, const struct anchor **anchor)
{
	if (claim_is_signed(claim))
		return judge_signature(anchors, origin, claim->root_hash, claim->signature,
				       claim->signature_size, anchor);
	if (!is_accepted(anchors->denied))
		return anchors->denied;
	if (is_revoked(&anchors->revoked, REVOKED_IMAGE, claim->root_hash))
		return verdict(REASON_SIGNATURE_REVOKED_IMAGE);
	return verdict(REASON_ACCEPTED);
}

/* `anchor` is NULL for an image without a signature. */
static void write_facts(const struct claim *claim, const struct anchor *anchor,
			struct trusted *made)
{
	struct facts *facts = &made->facts;

	facts->layout = claim->layout;
	facts->verity = claim->verity;
	memcpy(facts->root_hash, claim->root_hash, sizeof(facts->root_hash));
	if (!anchor)
		return;
	made->scope = anchor->scope;
	facts->is_signed = true;
	facts->signer = anchor->signer;
	memcpy(facts->signature, claim->signature, claim->signature_size);
	facts->signature_size = claim->signature_size;
}

struct verdict judge(const struct anchors *anchors, const struct origin *origin,
		     const struct demands *demands, const struct claim *claim,
		     const struct reader *reader, enum judge_depth depth,
		     struct trusted_space *space, const struct trusted **trusted)
{
	struct trusted *made = (struct trusted *)(void *)space->bytes;
	const struct anchor *anchor = NULL;
	uint8_t block[VEXT_BLOCK];
	struct verdict v;

	if (claim->stage != CLAIM_COMPLETE || claim->signature_size > VEXT_PKCS7_MAX)
		return verdict(REASON_UNDECIDED);
	v = demands_check(demands, claim, VEXT_ARCH);
	if (is_accepted(v))
		v = judge_root_hash(anchors, origin, claim, &anchor);
	if (!is_accepted(v))
		return v;
	v = merkle_first_block(claim, reader, block);
	if (!is_accepted(v))
		return v;
	memset(made, 0, sizeof(*made));
	v = judge_filesystem(demands, claim, block, &made->facts);
	if (is_accepted(v) && depth == JUDGE_EVERY_BLOCK)
		v = merkle_all(claim, reader);
	if (!is_accepted(v))
		return v;
	write_facts(claim, anchor, made);
	*trusted = made;
	return v;
}
