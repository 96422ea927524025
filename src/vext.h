/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vext: verify system extensions and merge the good ones.
 *
 * This header is the map. One type per station, each made in one place:
 *
 *   image      a name, a size, and where its descriptor waits    sys/image.h
 *   claim      what the image says of itself, NOT verified       probe/probe.h
 *   trusted    a claim that a trusted key signed; opaque         crypto/judge.h
 *   plan       what is to be done, as data                       core/plan.h
 *   (devices, mounts, the merged hierarchy: kernel objects)      sys/execute.h
 *
 * Several processes do this, and what may wait for a disk is done by those that can be left behind:
 * sys/worker.h, doc/processes.md.
 *
 * Rooms include downwards only: main -> {probe, crypto, sys} -> core; probe, crypto and sys never
 * include each other. What they share stands here or in core/.
 *
 * What vext does NOT check, on purpose:
 *  - dates of certificates: an initramfs has no clock to trust. Revocation is by list.
 *  - the contents of an image beyond its first data block, unless asked with --deep: dm-verity checks
 *    every block when it is read, and the device answers EIO for one that was changed.
 *  - certificateFingerprint of the envelope: it is not signed, hence a hint for messages only.
 *  - the backup GPT: it is never used, so it decides nothing.
 *  - the age of a genuine image: replaying an old one is stopped by extension-release and revocation.
 *  - whether a genuine image should replace a file that is not protected (core/protected.def): it may.
 *  - where a link leads that replaces nothing and is in no protected directory: it may lead out of what is signed.
 *  - what becomes of the root after the merge: images are compared with it as it was then, mounts included.
 *  - SELinux labels of what only an image has: they are its builder's affair. A hierarchy without any is noted.
 */
#ifndef VEXT_H
#define VEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- limits, all of them ------------------------------------------------------------------- */

#define VEXT_BLOCK 4096u	  /* bytes; the one verity data and hash block size accepted */
#define VEXT_HASH_SIZE 32u	  /* bytes; SHA-256, the one hash accepted */
#define VEXT_SALT_MAX 256u	  /* bytes; dm-verity superblock, cryptsetup lib/verity/verity.c */
#define VEXT_GPT_ENTRIES_MAX 128u /* entries of 128 bytes each; UEFI 2.10, 5.3.2 */
#define VEXT_PARTITION_NAME_MAX 109u /* bytes with NUL; 36 UTF-16 units are at most 108 of UTF-8 */
#define VEXT_ENVELOPE_MAX 65536u     /* bytes of the signature partition */
#define VEXT_PKCS7_MAX 16384u /* bytes of DER; systemd-repart's 16 KiB partition holds 12 KiB */
#define VEXT_IMAGE_SIZE_MAX INT64_MAX /* bytes; off_t ends here */
#define VEXT_IMAGES_MAX 1024u	      /* images in one run; 497 can merge: sys/overlay.h */
#define VEXT_TRIES_MAX 64	      /* tries of a call that is interrupted each time */
#define VEXT_ANCHORS_MAX 64u	      /* trusted certificates */
/*
 * Bytes without NUL. DM_UUID_LEN is 129 with NUL (linux/dm-ioctl.h), and the longest thing made of a
 * name is "CRYPT-VERITY-" + 32 hex digits + "-" + "vext-" + NAME + "-" + 8 hex digits.
 */
#define VEXT_NAME_MAX 68u

/* ---- reasons and verdicts ------------------------------------------------------------------ */

/* Every reason there is; stable numbers, never reused. UNDECIDED is 0 and is never success. */
enum reason {
	REASON_UNDECIDED = 0,
#define REASON(code, symbol, name, sentence) REASON_##symbol = (code),
#include "reason.def"
#undef REASON
};

#define VERDICT_NOWHERE UINT64_MAX

/* The one return channel: what was found, the errno behind it (0: none), and where in the image. */
struct verdict {
	enum reason reason;
	int sys_errno;
	uint64_t at; /* byte offset in the image, or VERDICT_NOWHERE */
};

static inline struct verdict verdict(enum reason reason)
{
	return (struct verdict){ .reason = reason, .sys_errno = 0, .at = VERDICT_NOWHERE };
}

static inline struct verdict verdict_at(enum reason reason, uint64_t at)
{
	return (struct verdict){ .reason = reason, .sys_errno = 0, .at = at };
}

static inline struct verdict verdict_errno(enum reason reason, int sys_errno)
{
	return (struct verdict){ .reason = reason, .sys_errno = sys_errno, .at = VERDICT_NOWHERE };
}

static inline bool is_accepted(struct verdict v)
{
	return v.reason == REASON_ACCEPTED;
}

/* "group.name" and the sentence of a reason; "unknown.N"-like text never: NULL is never returned. */
const char *reason_name(enum reason reason);
const char *reason_sentence(enum reason reason);
bool reason_is_known(uint32_t code);

/* ---- the image ----------------------------------------------------------------------------- */

/* Half-open range of the image, in bytes. */
struct extent {
	uint64_t offset;
	uint64_t size;
};

enum arch {
	ARCH_X86_64 = 1,
	ARCH_ARM64 = 2,
};

/* The machine this binary is for. */
#if defined(__x86_64__)
#define VEXT_ARCH ARCH_X86_64
#elif defined(__aarch64__)
#define VEXT_ARCH ARCH_ARM64
#else
#error "vext knows the partition types of x86-64 and arm64 only"
#endif

/* Which triple of the Discoverable Partitions Specification the image carries. */
enum role {
	ROLE_ROOT = 1,
	ROLE_USR = 2,
};

/* One used GPT entry. UUIDs in the order their text form is written (RFC 9562), not GPT's mixed one. */
struct partition {
	uint8_t type[16];
	uint8_t uuid[16];
	struct extent extent;
	uint64_t attributes;		    /* of the GPT entry, as they are; UEFI 2.10 table 5.8 */
	char name[VEXT_PARTITION_NAME_MAX]; /* UTF-8, attacker's text: escape before printing */
};

struct layout {
	enum role role;
	struct extent data;
	struct extent tree;
	struct extent signature; /* size 0: the image has none */
	uint8_t data_uuid[16];
	uint8_t tree_uuid[16];
};

/*
 * What varies in an accepted verity superblock. The rest is pinned: version 1, hash type 1, sha256,
 * 4096-byte data and hash blocks, the tree starting at block 1 of its partition.
 */
struct verity {
	uint64_t data_blocks; /* of VEXT_BLOCK bytes, at least 1 */
	uint32_t salt_size;   /* bytes, 0..VEXT_SALT_MAX */
	uint8_t salt[VEXT_SALT_MAX];
	uint8_t uuid[16];
};

/* How far the jailed parser came; each stage includes the ones before it. */
enum claim_stage {
	CLAIM_EMPTY = 1,
	CLAIM_TABLE,  /* sector_size, partitions */
	CLAIM_LAYOUT, /* layout */
	CLAIM_ENVELOPE, /* root hash, signature, fingerprint; without a signature partition the root hash */
	CLAIM_COMPLETE, /* verity */
};

/*
 * What an image says of itself. Fixed size, no pointers: it crosses the jail's pipe as it is. Nothing
 * in it is verified; claim_check() (core/claim.h) has made sure that every number is in range and that
 * all parts agree with each other, no more.
 */
struct claim {
	enum claim_stage stage;
	uint32_t sector_size; /* bytes, 512 or 4096 */
	uint32_t partition_count;
	struct partition partitions[VEXT_GPT_ENTRIES_MAX];
	struct layout layout;
	uint8_t root_hash[VEXT_HASH_SIZE];
	uint32_t has_fingerprint; /* 0 or 1 */
	uint8_t fingerprint[VEXT_HASH_SIZE];
	uint32_t
		signature_size; /* bytes, 1..VEXT_PKCS7_MAX; 0 just when there is no signature partition */
	uint8_t signature[VEXT_PKCS7_MAX];
	struct verity verity;
};

/*
 * Does it carry a signature, good or bad? One without has the partitions' UUIDs for a root hash, and is
 * accepted only where the policy takes dm-verity alone.
 */
static inline bool claim_is_signed(const struct claim *claim)
{
	return claim->layout.signature.size > 0;
}

/* ---- trust --------------------------------------------------------------------------------- */

enum filesystem {
	FILESYSTEM_EROFS = 1,
	FILESYSTEM_SQUASHFS = 2,
};

enum anchor_source {
	ANCHOR_BAKED = 1,    /* the section .vext.baked of this binary */
	ANCHOR_ARGUMENT = 2, /* --anchor, of verify and inspect alone */
	ANCHOR_USR = 3,	     /* usr/lib/verity.d of a root whose /usr is on dm-verity */
	ANCHOR_ISSUED = 4,   /* etc/verity.d or run/verity.d, issued by an anchor */
	ANCHOR_USER = 5,     /* there too, and trusted because the baked policy says so */
};

/* Where an image comes from, as far as that decides for whom a certificate counts. */
struct origin {
	const char *name; /* the extension's name; NULL: not known */
	const char *
		directory; /* where it was found, not where a link there leads to; NULL: not known */
};

#define VEXT_KEY_ID_MAX 64u /* bytes */

/* The certificate that made an image acceptable. */
struct signer {
	uint8_t fingerprint[VEXT_HASH_SIZE]; /* SHA-256 of the certificate's DER */
	char subject[256]; /* RFC 4514 text with NUL, empty if it is longer; escape it */
	enum anchor_source source;
	/* The subject key identifier, or else the serial number: what the kernel calls the key by. */
	uint8_t key_id[VEXT_KEY_ID_MAX];
	uint32_t key_id_size; /* bytes; 0: none, or too long for any hint */
};

/* Whether the kernel's dm-verity checks the signature as well. */
enum kernel_signature {
	KERNEL_SIGNATURE_AUTO = 1, /* where it can and knows the signer */
	KERNEL_SIGNATURE_REQUIRE,  /* or the image is refused */
	KERNEL_SIGNATURE_OFF,
};

/* What dm-verity does when a block that is read does not verify. */
enum corruption {
	CORRUPTION_IO_ERROR = 1, /* the read fails */
	CORRUPTION_RESTART,	 /* the machine restarts */
	CORRUPTION_PANIC,	 /* the kernel panics; what then is its own affair (panic=) */
};

/*
 * What is known of an image that was accepted: a trusted key has signed its root hash, or it has no
 * signature at all and the policy takes it for its verity. Then `signer` and the signature are all zero.
 */
struct facts {
	bool is_signed;
	struct layout layout;
	struct verity verity;
	uint8_t root_hash[VEXT_HASH_SIZE];
	enum filesystem filesystem;
	uint64_t filesystem_size; /* bytes, by the file system's own, authenticated superblock */
	struct signer signer;
	uint32_t signature_size;
	uint8_t signature[VEXT_PKCS7_MAX]; /* PKCS#7, DER */
};

/*
 * Proof that an image was judged and accepted. Only crypto/judge.c can make one; what touches the
 * kernel takes a `const struct trusted *`, so "verify before use" is a compile error, not a comment.
 */
struct trusted;

/* The facts behind the proof; same life time as `t`. Defined in crypto/judge.c. */
const struct facts *trusted_facts(const struct trusted *t);

/*
 * How pure code reads an image. read() fills all `size` bytes from byte `offset` or says why not
 * (image.truncated, system.read); on failure `buf` is undefined.
 */
struct reader {
	struct verdict (*read)(void *ctx, uint64_t offset, void *buf, size_t size);
	void *ctx;
};

#endif
