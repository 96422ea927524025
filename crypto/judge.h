/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a claim to trust: the only place that makes a `struct trusted` (vext.h).
 */
#ifndef VEXT_CRYPTO_JUDGE_H
#define VEXT_CRYPTO_JUDGE_H

#include "core/policy.h"
#include "crypto/anchors.h"
#include "vext.h"

/* Room for one `struct trusted`, the caller's to allocate and to keep; nothing in it needs freeing. */
struct trusted_space {
	_Alignas(16) unsigned char bytes[18432];
};

enum judge_depth {
	JUDGE_FIRST_BLOCK =
		1,	   /* from the root hash to data block 0, as the kernel's first read does */
	JUDGE_EVERY_BLOCK, /* and then all of tree and data */
};

/*
 * Accepts a complete claim (probe/probe.h) when
 *  - its partitions are what the demands ask for (core/demands.h);
 *  - it has no signature partition, and the demands take dm-verity alone; or the PKCS#7 is of the one
 *    accepted shape and its signer's issuer and serial number are those of a trusted certificate, whose
 *    key signed the 64 ASCII characters of the root hash. A signature that is there decides, whatever the
 *    demands would take instead;
 *  - that certificate may sign, counts for images of this origin and is not revoked, nor is the image;
 *  - the blocks from the root hash down to data block 0 verify, so the number of data blocks, which
 *    nobody signed, at least gives a tree that has this root;
 *  - block 0 starts a file system of a type that the demands take, which is no larger than what verity covers.
 *
 * On success `*trusted` points into `space`. Not checked without JUDGE_EVERY_BLOCK: later blocks; the
 * kernel checks each one when it is read.
 */
struct verdict judge(const struct anchors *anchors, const struct origin *origin,
		     const struct demands *demands, const struct claim *claim,
		     const struct reader *reader, enum judge_depth depth,
		     struct trusted_space *space, const struct trusted **trusted);

/*
 * Does the certificate that signed count for this origin, too? judge() has asked that for the name
 * of the file; an image may turn out to have another. An image without a signature is admitted.
 */
bool trusted_admits(const struct trusted *t, const struct origin *origin);

/*
 * The first part of judge() alone: is this signature by a trusted certificate over this root hash?
 * `*anchor` is that certificate.
 */
struct verdict judge_signature(const struct anchors *anchors, const struct origin *origin,
			       const uint8_t root_hash[VEXT_HASH_SIZE], const uint8_t *signature,
			       size_t size, const struct anchor **anchor);

/*
 * Takes a list of revocations (revocation.h) whose bytes an anchor signed, in the very shape of an image's
 * signature. The anchor is baked or of the verified /usr and has no scope. A list that is refused
 * changes nothing: signature.*.
 */
struct verdict judge_revocations(struct anchors *anchors, const uint8_t *list, size_t size,
				 const uint8_t *signature, size_t signature_size);

#endif
