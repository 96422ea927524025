/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vext's half of the comparison with systemd-analyze: makes policies, and says what core/policy.c takes
 * them for, one a line.
 *
 *	policy every            every set of flags for every designator and for the default
 *	policy random SEED N    N texts that are mostly policies
 *	policy pairs SEED N     N lines of two policies with a tab between them, with rules for everything
 *	policy read             for each line of input: the reason, or
 *	                        SHORT TAB LONG (TAB DESIGNATOR=MODE,READ-ONLY,GROWFS)...
 *	policy intersect        for each pair: what both leave of each designator and the default, as numbers, or
 *	                        "impossible" when that is no alternative at all of some kind
 */
#include "core/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT_MAX 4096

static const char *const flags[] = { "verity",	   "signed",	"encrypted",	 "unprotected",
				     "unused",	   "absent",	"read-only-off", "read-only-on",
				     "growfs-off", "growfs-on", "open",		 "ignore" };

/* ---- making -------------------------------------------------------------------------------- */

static void print_every(const char *designator)
{
	for (unsigned mask = 0; mask < 1u << 10; mask++) {
		bool is_first = true;

		printf("%s=", designator);
		for (unsigned i = 0; i < 10; i++) {
			if (mask & 1u << i) {
				printf("%s%s", is_first ? "" : "+", flags[i]);
				is_first = false;
			}
		}
		putchar('\n');
	}
}

static uint64_t state;

/* xorshift64*: the same texts from the same seed, everywhere. */
static unsigned below(unsigned n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned)((state * 0x2545f4914f6cdd1dULL >> 32) % n);
}

static void put_space(struct text *text)
{
	while (below(12) == 0)
		text_char(text, " \t\r"[below(3)]);
}

static void put_flags(struct text *text)
{
	unsigned count = below(5);

	if (count == 0 && below(2) == 0)
		text_char(text, '-');
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			text_char(text, '+');
		put_space(text);
		text_str(text, flags[below(COUNT(flags))]);
		put_space(text);
	}
}

/* Designators differ, but now and then two are the same. */
static void put_policy(struct text *text)
{
	unsigned count = 1 + below(8), at = below(DESIGNATORS + 1), step = 1 + below(DESIGNATORS);

	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			text_char(text, ':');
		put_space(text);
		if (below(100) != 0)
			at = (at + step) % (DESIGNATORS + 1);
		if (at < DESIGNATORS)
			text_str(text, designator_name(at));
		put_space(text);
		text_char(text, '=');
		put_flags(text);
	}
}

static void mutate(char *bytes)
{
	static const char alphabet[] = ":=+-*~ \tavy0\"'\\\xc3,;";
	size_t size = strlen(bytes), at = size > 0 ? below((unsigned)size) : 0;

	switch (below(3)) {
	case 0: /* one less */
		if (size > 0)
			memmove(bytes + at, bytes + at + 1, size - at);
		break;
	case 1: /* one more */
		memmove(bytes + at + 1, bytes + at, size - at + 1);
		bytes[at] = alphabet[below(sizeof(alphabet) - 1)];
		break;
	default: /* another one */
		if (size > 0)
			bytes[at] = alphabet[below(sizeof(alphabet) - 1)];
	}
}

static void print_random(unsigned long count)
{
	static const char *const symbols[] = { "", "*", "-", "~", " ", "=", ":", "**", "=-", "=*" };
	char bytes[TEXT_MAX + 1];
	struct text text;

	for (; count > 0; count--) {
		text_init(&text, bytes, TEXT_MAX);
		if (below(100) == 0)
			text_str(&text, symbols[below(COUNT(symbols))]);
		else
			put_policy(&text);
		if (below(8) == 0)
			mutate(bytes);
		puts(bytes);
	}
}

/* Many flags in each, so that something is left. */
static void put_full(struct text *text)
{
	for (enum designator i = 0; i <= DESIGNATORS; i++) {
		text_str(text, i == 0 ? "" : ":");
		text_str(text, i < DESIGNATORS ? designator_name(i) : "");
		text_str(text, "=unused");
		for (unsigned flag = 0; flag < 10; flag++) {
			if (below(8) != 0) {
				text_char(text, '+');
				text_str(text, flags[flag]);
			}
		}
	}
}

static void print_pairs(unsigned long count)
{
	char bytes[2 * TEXT_MAX];
	struct text text;

	for (; count > 0; count--) {
		text_init(&text, bytes, sizeof(bytes));
		put_full(&text);
		text_char(&text, '\t');
		put_full(&text);
		puts(bytes);
	}
}

/* ---- reading ------------------------------------------------------------------------------- */

static void print_attribute(uint32_t value, uint32_t on, uint32_t off)
{
	value &= on | off;
	fputs(value == on ? ",yes" : value == off ? ",no" : ",-", stdout);
}

static void print_line(const char *name, uint32_t value)
{
	char bytes[POLICY_PRINTED_MAX];
	struct text text;

	text_init(&text, bytes, sizeof(bytes));
	policy_print_flags(value & POLICY_OPEN, true, &text);
	printf("\t%s=%s", name, bytes);
	print_attribute(value, POLICY_READ_ONLY_ON, POLICY_READ_ONLY_OFF);
	print_attribute(value, POLICY_GROWFS_ON, POLICY_GROWFS_OFF);
}

static void print_policy(const struct policy *policy)
{
	char bytes[POLICY_PRINTED_MAX];
	struct text text;

	text_init(&text, bytes, sizeof(bytes));
	policy_print(policy, true, &text);
	text_char(&text, '\t');
	policy_print(policy, false, &text);
	fputs(text_ok(&text) ? bytes : "cut off", stdout);
	for (enum designator i = 0; i < DESIGNATORS; i++)
		print_line(designator_name(i), policy_get(policy, i));
	print_line("default", policy->default_flags);
	putchar('\n');
}

static void read_all(void)
{
	char line[TEXT_MAX + 2];
	struct policy policy;

	while (fgets(line, sizeof(line), stdin)) {
		struct verdict v = policy_parse(line, strcspn(line, "\n"), &policy);

		if (is_accepted(v))
			print_policy(&policy);
		else
			puts(reason_name(v.reason));
	}
}

static bool leaves_something(uint32_t value)
{
	return value & POLICY_OPEN && value & POLICY_READ_ONLY && value & POLICY_GROWFS;
}

/* The default takes part as it is written, with groups that are empty filled up. */
static uint32_t default_of(const struct policy *policy)
{
	struct policy only = { .default_flags = policy->default_flags };

	/* No group of these can be cut down for a designator that verity protects, but when absent. */
	return policy_get(&only, DESIGNATOR_ROOT);
}

static void print_intersection(const struct policy *a, const struct policy *b)
{
	bool is_possible = leaves_something(default_of(a) & default_of(b));

	for (enum designator i = 0; i < DESIGNATORS; i++)
		is_possible = is_possible && leaves_something(policy_get(a, i) & policy_get(b, i));
	if (!is_possible) {
		puts("impossible");
		return;
	}
	for (enum designator i = 0; i < DESIGNATORS; i++)
		printf("%u ", policy_get(a, i) & policy_get(b, i));
	printf("%u\n", default_of(a) & default_of(b));
}

static bool intersect_all(void)
{
	char line[2 * TEXT_MAX];
	struct policy a, b;

	while (fgets(line, sizeof(line), stdin)) {
		size_t first = strcspn(line, "\t"), size = strcspn(line, "\n");

		if (first >= size || !is_accepted(policy_parse(line, first, &a)) ||
		    !is_accepted(policy_parse(line + first + 1, size - first - 1, &b)))
			return false;
		print_intersection(&a, &b);
	}
	return true;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "every") == 0) {
		for (enum designator i = 0; i < DESIGNATORS; i++)
			print_every(designator_name(i));
		print_every("");
	} else if (argc == 4 && strcmp(argv[1], "random") == 0) {
		state = strtoull(argv[2], NULL, 10) * 2 + 1;
		print_random(strtoul(argv[3], NULL, 10));
	} else if (argc == 4 && strcmp(argv[1], "pairs") == 0) {
		state = strtoull(argv[2], NULL, 10) * 2 + 1;
		print_pairs(strtoul(argv[3], NULL, 10));
	} else if (argc == 2 && strcmp(argv[1], "intersect") == 0) {
		return intersect_all() ? 0 : 1;
	} else if (argc == 2 && strcmp(argv[1], "read") == 0) {
		read_all();
	} else {
		return 2;
	}
	return 0;
}
