/* SPDX-License-Identifier: Apache-2.0 */
#include "core/policy.h"

#include <string.h>

#include "core/piece.h"

/* How a designator has to do with verity. */
enum part {
	PART_PLAIN,	/* no verity for it */
	PART_DATA,	/* what verity protects */
	PART_TREE,	/* … with this */
	PART_SIGNATURE, /* … and this */
};

/* `data` is what a tree or a signature belongs to. */
static const struct {
	const char *name;
	enum part part;
	enum designator data;
} designators[DESIGNATORS] = {
	[DESIGNATOR_ROOT] = { "root", PART_DATA, DESIGNATOR_ROOT },
	[DESIGNATOR_USR] = { "usr", PART_DATA, DESIGNATOR_USR },
	[DESIGNATOR_HOME] = { "home", PART_PLAIN, DESIGNATOR_HOME },
	[DESIGNATOR_SRV] = { "srv", PART_PLAIN, DESIGNATOR_SRV },
	[DESIGNATOR_ESP] = { "esp", PART_PLAIN, DESIGNATOR_ESP },
	[DESIGNATOR_XBOOTLDR] = { "xbootldr", PART_PLAIN, DESIGNATOR_XBOOTLDR },
	[DESIGNATOR_SWAP] = { "swap", PART_PLAIN, DESIGNATOR_SWAP },
	[DESIGNATOR_ROOT_VERITY] = { "root-verity", PART_TREE, DESIGNATOR_ROOT },
	[DESIGNATOR_USR_VERITY] = { "usr-verity", PART_TREE, DESIGNATOR_USR },
	[DESIGNATOR_ROOT_VERITY_SIG] = { "root-verity-sig", PART_SIGNATURE, DESIGNATOR_ROOT },
	[DESIGNATOR_USR_VERITY_SIG] = { "usr-verity-sig", PART_SIGNATURE, DESIGNATOR_USR },
	[DESIGNATOR_TMP] = { "tmp", PART_PLAIN, DESIGNATOR_TMP },
	[DESIGNATOR_VAR] = { "var", PART_PLAIN, DESIGNATOR_VAR },
};

/* In the order in which they are printed; the aliases are for the short form. */
static const struct {
	const char *name;
	uint32_t flags;
} words[] = {
	{ "verity", POLICY_VERITY },
	{ "signed", POLICY_SIGNED },
	{ "encrypted", POLICY_ENCRYPTED },
	{ "unprotected", POLICY_UNPROTECTED },
	{ "unused", POLICY_UNUSED },
	{ "absent", POLICY_ABSENT },
	{ "read-only-on", POLICY_READ_ONLY_ON },
	{ "read-only-off", POLICY_READ_ONLY_OFF },
	{ "growfs-off", POLICY_GROWFS_OFF },
	{ "growfs-on", POLICY_GROWFS_ON },
	{ "open", POLICY_OPEN },
	{ "ignore", POLICY_IGNORE },
};

#define WORDS (sizeof(words) / sizeof(words[0]))
#define SINGLE_WORDS (WORDS - 2)

const char *designator_name(enum designator designator)
{
	return designators[designator].name;
}

/* ---- reading ------------------------------------------------------------------------------- */

/* Nothing, or a dash: no flags. */
static bool is_none(struct piece piece)
{
	return piece.size == 0 || piece_is(piece, "-");
}

static bool parse_flag(struct piece piece, uint32_t *flags)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (piece_is(piece, words[i].name)) {
			*flags |= words[i].flags;
			return true;
		}
	}
	return false;
}

static struct verdict parse_flags(struct piece piece, uint32_t *flags)
{
	struct piece one;
	bool has_more;

	*flags = 0;
	piece = piece_strip(piece);
	if (is_none(piece))
		return verdict(REASON_ACCEPTED);
	do {
		has_more = piece_cut(&piece, '+', &one);
		one = piece_strip(one);
		if (!parse_flag(one, flags))
			return verdict_at(REASON_POLICY_FLAG, one.at);
	} while (has_more);
	return verdict(REASON_ACCEPTED);
}

static bool find_designator(struct piece piece, size_t *index)
{
	for (size_t i = 0; i < DESIGNATORS; i++) {
		if (piece_is(piece, designators[i].name)) {
			*index = i;
			return true;
		}
	}
	return false;
}

/* While reading, the default is one more designator, the last. */
struct reading {
	uint32_t listed;
	uint32_t flags[DESIGNATORS + 1];
};

static struct verdict parse_rule(struct piece rule, struct reading *reading)
{
	struct piece name;
	size_t index = DESIGNATORS;

	if (!piece_cut(&rule, '=', &name))
		return verdict_at(REASON_POLICY_SYNTAX, rule.at);
	name = piece_strip(name);
	if (name.size > 0 && !find_designator(name, &index))
		return verdict_at(REASON_POLICY_DESIGNATOR, name.at);
	if (reading->listed & 1u << index)
		return verdict_at(REASON_POLICY_DUPLICATE, name.at);
	reading->listed |= 1u << index;
	return parse_flags(rule, &reading->flags[index]);
}

/* The policies that are one symbol. */
static bool parse_symbol(struct piece whole, uint32_t *default_flags)
{
	if (is_none(whole))
		*default_flags = POLICY_IGNORE;
	else if (piece_is(whole, "*"))
		*default_flags = POLICY_OPEN;
	else if (piece_is(whole, "~"))
		*default_flags = POLICY_ABSENT;
	else
		return false;
	return true;
}

struct verdict policy_parse(const char *bytes, size_t size, struct policy *policy)
{
	struct piece rest = { .bytes = bytes, .size = size };
	struct reading reading = { .flags[DESIGNATORS] = POLICY_IGNORE };
	struct piece rule;
	struct verdict v;
	bool has_more;

	if (size > POLICY_TEXT_MAX)
		return verdict_at(REASON_POLICY_SYNTAX, POLICY_TEXT_MAX);
	has_more = !parse_symbol(rest, &reading.flags[DESIGNATORS]);
	while (has_more) {
		has_more = piece_cut(&rest, ':', &rule);
		v = parse_rule(rule, &reading);
		if (!is_accepted(v))
			return v;
	}
	policy->listed = reading.listed & ((1u << DESIGNATORS) - 1);
	memcpy(policy->flags, reading.flags, sizeof(policy->flags));
	policy->default_flags = reading.flags[DESIGNATORS];
	return verdict(REASON_ACCEPTED);
}

/* ---- what it comes to ---------------------------------------------------------------------- */

/* A group without a flag set means all of it. */
static uint32_t extend(uint32_t flags)
{
	if (!(flags & POLICY_OPEN))
		flags |= POLICY_OPEN;
	if (!(flags & POLICY_READ_ONLY))
		flags |= POLICY_READ_ONLY;
	if (!(flags & POLICY_GROWFS))
		flags |= POLICY_GROWFS;
	return flags;
}

static uint32_t normalise(uint32_t flags, enum designator designator)
{
	enum part part = designators[designator].part;

	flags = extend(flags);
	if (part != PART_DATA) /* no verity for it */
		flags &= ~(POLICY_VERITY | POLICY_SIGNED);
	if (part == PART_TREE || part == PART_SIGNATURE) /* it is the protection and needs none */
		flags &= ~POLICY_ENCRYPTED;
	if ((flags & POLICY_OPEN) == POLICY_ABSENT) /* what isn't there has no attributes */
		flags &= ~(POLICY_READ_ONLY | POLICY_GROWFS);
	return flags;
}

static bool is_listed(const struct policy *policy, enum designator designator)
{
	return (policy->listed & 1u << designator) != 0;
}

/* Of which protection the data must have one for a rule about its tree or signature to follow from it. */
static uint32_t needed_by(enum part part)
{
	return part == PART_TREE ? POLICY_SIGNED | POLICY_VERITY : POLICY_SIGNED;
}

uint32_t policy_get(const struct policy *policy, enum designator designator)
{
	enum designator data = designators[designator].data;
	uint32_t flags;

	if (is_listed(policy, designator))
		return normalise(policy->flags[designator], designator);
	if (is_listed(policy, data)) {
		flags = normalise(policy->flags[data], data);
		if (flags & needed_by(designators[designator].part))
			return normalise(POLICY_UNPROTECTED |
						 (flags & ~(POLICY_OPEN & ~POLICY_IGNORE)),
					 designator);
	}
	return normalise(policy->default_flags, designator);
}

struct demands policy_demands(const struct policy *policy)
{
	struct demands demands = { .filesystems = FILESYSTEMS_ALL };

	for (enum designator i = 0; i < DESIGNATORS; i++) {
		demands.flags[i] = policy_get(policy, i);
		if (designators[i].part == PART_SIGNATURE &&
		    demands.flags[i] & (POLICY_UNPROTECTED | POLICY_UNUSED))
			demands.flags[i] |= POLICY_UNPROTECTED | POLICY_UNUSED;
	}
	return demands;
}

struct demands policy_default_demands(void)
{
	struct policy policy = { .default_flags = POLICY_ABSENT }; /* nothing, did it not parse */

	(void)policy_parse(POLICY_DEFAULT, sizeof(POLICY_DEFAULT) - 1, &policy);
	return policy_demands(&policy);
}

struct demands demands_intersect(const struct demands *a, const struct demands *b)
{
	struct demands both = { .filesystems = a->filesystems & b->filesystems };

	for (size_t i = 0; i < DESIGNATORS; i++)
		both.flags[i] = a->flags[i] & b->flags[i];
	return both;
}

bool demands_imply(const struct demands *a, const struct demands *b)
{
	for (size_t i = 0; i < DESIGNATORS; i++)
		if (a->flags[i] & ~b->flags[i])
			return false;
	return (a->filesystems & ~b->filesystems) == 0;
}

/* ---- printing ------------------------------------------------------------------------------ */

static void put_word(struct text *text, size_t start, const char *word)
{
	if (text->used > start)
		text_char(text, '+');
	text_str(text, word);
}

/* The short form has aliases, and says nothing of attributes that may be either way. */
static uint32_t put_short(uint32_t flags, struct text *text)
{
	for (size_t i = SINGLE_WORDS; i < WORDS; i++) {
		if ((flags & POLICY_OPEN) == words[i].flags) {
			text_str(text, words[i].name);
			flags &= ~POLICY_OPEN;
		}
	}
	if ((flags & POLICY_READ_ONLY) == POLICY_READ_ONLY)
		flags &= ~POLICY_READ_ONLY;
	if ((flags & POLICY_GROWFS) == POLICY_GROWFS)
		flags &= ~POLICY_GROWFS;
	return flags;
}

void policy_print_flags(uint32_t flags, bool is_short, struct text *text)
{
	size_t start = text->used;

	if (is_short)
		flags = put_short(flags, text);
	for (size_t i = 0; i < SINGLE_WORDS; i++)
		if (flags & words[i].flags)
			put_word(text, start, words[i].name);
	if (text->used == start)
		text_char(text, '-');
}

/* Is it nothing but this, by default and for every designator? */
static bool comes_to(const struct policy *policy, uint32_t flags)
{
	if (extend(policy->default_flags) != extend(flags))
		return false;
	for (enum designator i = 0; i < DESIGNATORS; i++)
		if (policy_get(policy, i) != normalise(flags, i))
			return false;
	return true;
}

static bool print_symbol(const struct policy *policy, struct text *text)
{
	if (comes_to(policy, POLICY_OPEN))
		text_char(text, '*');
	else if (comes_to(policy, POLICY_IGNORE))
		text_char(text, '-');
	else if (comes_to(policy, POLICY_ABSENT))
		text_char(text, '~');
	else
		return false;
	return true;
}

static void put_rule(const char *name, uint32_t flags, bool is_short, size_t start,
		     struct text *text)
{
	if (text->used > start)
		text_char(text, ':');
	text_str(text, name);
	text_char(text, '=');
	policy_print_flags(flags, is_short, text);
}

void policy_print(const struct policy *policy, bool is_short, struct text *text)
{
	size_t start = text->used;

	if (is_short && print_symbol(policy, text))
		return; /* among them all of which the short form would leave nothing */
	for (enum designator i = 0; i < DESIGNATORS; i++) {
		if (!is_listed(policy, i) ||
		    (is_short && policy->flags[i] == normalise(policy->default_flags, i)))
			continue;
		put_rule(designators[i].name, policy->flags[i], is_short, start, text);
	}
	if (!is_short || extend(policy->default_flags) != extend(POLICY_IGNORE))
		put_rule("", policy->default_flags, is_short, start, text);
}
