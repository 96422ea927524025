/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd.image-policy(7): which partitions an image may or must have, and how each is protected.
 *
 *	root=signed+absent:usr=signed+absent:=unused+absent
 *
 * Rules "PARTITION=FLAG+FLAG…" with colons between them; an empty PARTITION is the default for those
 * not listed. The whole policy may be "*" (anything), "-" or nothing (use nothing), "~" (nothing may
 * exist). The language is that of systemd 257, to the letter but one: a backslash, which systemd takes
 * away before it looks, is malformed here. Later versions have flags for file systems (btrfs, erofs
 * and so on) and encryption with integrity; they are unknown flags here as they are in 257, and vext.conf
 * has "filesystems" for the purpose.
 *
 * A flag means that this way of being is allowed; a set of them are alternatives. Allowed by the whole is
 * what every part allows, so two policies hold together by a bitwise "and" of what they resolve to
 * (struct demands), and that can't allow more than either of them.
 */
#ifndef VEXT_CORE_POLICY_H
#define VEXT_CORE_POLICY_H

#include "core/text.h"
#include "vext.h"

/* In systemd's order, which is also that of the printed form. */
enum designator {
	DESIGNATOR_ROOT,
	DESIGNATOR_USR,
	DESIGNATOR_HOME,
	DESIGNATOR_SRV,
	DESIGNATOR_ESP,
	DESIGNATOR_XBOOTLDR,
	DESIGNATOR_SWAP,
	DESIGNATOR_ROOT_VERITY,
	DESIGNATOR_USR_VERITY,
	DESIGNATOR_ROOT_VERITY_SIG,
	DESIGNATOR_USR_VERITY_SIG,
	DESIGNATOR_TMP,
	DESIGNATOR_VAR,
};

#define DESIGNATORS 13u

/* "root", "usr-verity-sig" … */
const char *designator_name(enum designator designator);

/* The first six say how a partition may be there, or not; the others what its GPT attributes may be. */
#define POLICY_VERITY (1u << 0)
#define POLICY_SIGNED (1u << 1)
#define POLICY_ENCRYPTED (1u << 2)
#define POLICY_UNPROTECTED (1u << 3)
#define POLICY_UNUSED (1u << 4) /* there, and left alone */
#define POLICY_ABSENT (1u << 5)
#define POLICY_READ_ONLY_OFF (1u << 6)
#define POLICY_READ_ONLY_ON (1u << 7)
#define POLICY_GROWFS_OFF (1u << 8)
#define POLICY_GROWFS_ON (1u << 9)

#define POLICY_IGNORE (POLICY_UNUSED | POLICY_ABSENT)
#define POLICY_OPEN \
	(POLICY_VERITY | POLICY_SIGNED | POLICY_ENCRYPTED | POLICY_UNPROTECTED | POLICY_IGNORE)
#define POLICY_READ_ONLY (POLICY_READ_ONLY_OFF | POLICY_READ_ONLY_ON)
#define POLICY_GROWFS (POLICY_GROWFS_OFF | POLICY_GROWFS_ON)

/* What applies where nothing else is said: vext's, and systemd's for strict system extensions. */
#define POLICY_DEFAULT "root=signed+absent:usr=signed+absent"

/* The longest text that is looked at, in bytes; longer ones are malformed. */
#define POLICY_TEXT_MAX 2048u

/* Enough, with NUL, for every policy in either printed form. */
#define POLICY_PRINTED_MAX 2048u

/* A policy as it was written. A group of flags of which none is set means all of that group. */
struct policy {
	uint32_t listed; /* 1 << enum designator */
	uint32_t flags[DESIGNATORS];
	uint32_t default_flags;
};

/* Reads `size` bytes. policy.syntax, .designator, .flag, .duplicate, `at` a byte of the text. */
struct verdict policy_parse(const char *bytes, size_t size, struct policy *policy);

/*
 * As `systemd-analyze image-policy` prints it: the long form, which means the same, or the short one, which
 * leaves out what the default says anyway. That is for reading: a rule left out for a verity or signature
 * partition comes to something else when the text is parsed again and there is a rule for its data.
 * `flags` alone is what stands behind the "=".
 */
void policy_print(const struct policy *policy, bool is_short, struct text *text);
void policy_print_flags(uint32_t flags, bool is_short, struct text *text);

/*
 * What a policy comes to for a designator, as systemd has it: its rule; or for a verity or signature
 * partition without one, what follows from the rule of the data that it protects; or the default. All
 * alternatives are spelt out, without those that the designator can't have.
 */
uint32_t policy_get(const struct policy *policy, enum designator designator);

/*
 * What is asked of images: a set of alternatives for each designator, and the file systems that will do. Of
 * a group (ways of being, read-only, growfs, file systems) without any, none will do.
 */
struct demands {
	uint32_t flags[DESIGNATORS];
	uint32_t filesystems; /* 1 << enum filesystem */
};

#define FILESYSTEMS_ALL (1u << FILESYSTEM_EROFS | 1u << FILESYSTEM_SQUASHFS)

/*
 * policy_get() for all, and all file systems. But for one thing: a signature that is there is always
 * checked, so whether a policy says to use it or to leave it alone makes no difference, and either stands
 * for both.
 */
struct demands policy_demands(const struct policy *policy);

/* Those of POLICY_DEFAULT. */
struct demands policy_default_demands(void);

/* What everything that satisfies both satisfies, and nothing else. */
struct demands demands_intersect(const struct demands *a, const struct demands *b);

/* Is what satisfies `a` sure to satisfy `b`? */
bool demands_imply(const struct demands *a, const struct demands *b);

#endif
