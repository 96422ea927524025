/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy: reading, printing, what a policy comes to, and that two together allow no more than each.
 * tests/policy compares the first three with systemd; here stands what they are, and where it goes wrong.
 */
#include "core/policy.h"
#include "test.h"

#define ALL_FLAGS 1023u
#define ATTRIBUTES (POLICY_READ_ONLY | POLICY_GROWFS)

static struct verdict parse(const char *bytes, struct policy *policy)
{
	size_t size = strlen(bytes);
	char *exact = exact_copy(bytes, size);
	struct verdict v = policy_parse(exact, size, policy);

	free(exact);
	return v;
}

static struct policy parsed(const char *bytes)
{
	struct policy policy = { 0 };

	assert_reason(parse(bytes, &policy), ACCEPTED);
	return policy;
}

static void assert_printed(const char *bytes, const char *short_form, const char *long_form)
{
	const struct policy policy = parsed(bytes);
	char printed[POLICY_PRINTED_MAX];
	struct text text;

	text_init(&text, printed, sizeof(printed));
	policy_print(&policy, true, &text);
	assert_string_equal(printed, short_form);
	text_init(&text, printed, sizeof(printed));
	policy_print(&policy, false, &text);
	assert_string_equal(printed, long_form);
}

/* What comes before it in the text is left alone, and takes no part in separators. */
static void prints_behind_other_text(void **state)
{
	const struct policy policy = parsed("usr=signed+absent");
	char printed[64];
	struct text text;

	(void)state;
	text_init(&text, printed, sizeof(printed));
	text_str(&text, "policy ");
	policy_print(&policy, true, &text);
	assert_string_equal(printed, "policy usr=signed+absent");
}

static void reads_and_prints(void **state)
{
	(void)state;
	assert_printed(POLICY_DEFAULT, POLICY_DEFAULT, POLICY_DEFAULT ":=unused+absent");
	assert_printed(" usr\t= verity +\rsigned\n", "usr=verity+signed",
		       "usr=verity+signed:=unused+absent");
	assert_printed(
		"usr=signed+verity:root=open", "root=open:usr=verity+signed",
		"root=verity+signed+encrypted+unprotected+unused+absent:usr=verity+signed:=unused+absent");
	assert_printed("root=ignore+read-only-on:=growfs-on+growfs-off",
		       "root=ignore+read-only-on:=-",
		       "root=unused+absent+read-only-on:=growfs-off+growfs-on");
	assert_printed("root=:=unprotected", "root=-:=unprotected", "root=-:=unprotected");
	/* what the default says anyway is left out of the short form */
	assert_printed(
		"home=unused+absent+read-only-on+read-only-off+growfs-on+growfs-off:swap=absent",
		"swap=absent",
		"home=unused+absent+read-only-on+read-only-off+growfs-off+growfs-on:swap=absent"
		":=unused+absent");
}

#define EACH(flags)                                                                               \
	"root=" flags ":usr=" flags ":home=" flags ":srv=" flags ":esp=" flags ":xbootldr=" flags \
	":swap=" flags ":root-verity=" flags ":usr-verity=" flags ":root-verity-sig=" flags       \
	":usr-verity-sig=" flags ":tmp=" flags ":var=" flags

static void knows_the_symbols(void **state)
{
	static const char open[] = "=verity+signed+encrypted+unprotected+unused+absent";

	(void)state;
	assert_printed("*", "*", open);
	/* A symbol is for the default too. */
	assert_printed(EACH("ignore") ":=absent", EACH("ignore") ":=absent",
		       EACH("unused+absent") ":=absent");
	assert_printed("=open", "*", open);
	assert_printed("=", "*", "=-");
	assert_printed("-", "-", "=unused+absent");
	assert_printed("", "-", "=unused+absent");
	assert_printed("root=ignore:=ignore", "-", "root=unused+absent:=unused+absent");
	assert_printed("~", "~", "=absent");
	assert_printed("=absent:esp=absent", "~", "esp=absent:=absent");
	/* not quite one of them: left over when all that stands there is the default's */
	assert_printed("home=signed+ignore+read-only-on", "home=signed+unused+absent+read-only-on",
		       "home=signed+unused+absent+read-only-on:=unused+absent");
}

static void assert_refused_as(enum reason reason, const char *bytes, uint64_t at)
{
	struct policy policy, untouched;
	struct verdict v;

	memset(&policy, 0x5a, sizeof(policy));
	memset(&untouched, 0x5a, sizeof(untouched));
	v = parse(bytes, &policy);
	assert_string_equal(reason_name(v.reason), reason_name(reason));
	assert_int_equal(v.at, at);
	assert_memory_equal(&policy, &untouched, sizeof(policy));
}

static void says_what_is_wrong_and_where(void **state)
{
	(void)state;
	assert_refused_as(REASON_POLICY_SYNTAX, " ", 0);
	assert_refused_as(REASON_POLICY_SYNTAX, "root", 0);
	assert_refused_as(REASON_POLICY_SYNTAX, " *", 0);
	assert_refused_as(REASON_POLICY_SYNTAX, "**", 0);
	assert_refused_as(REASON_POLICY_SYNTAX, ":", 0);
	assert_refused_as(REASON_POLICY_SYNTAX, "root=verity:", 12);
	assert_refused_as(REASON_POLICY_SYNTAX, "root=verity::usr=signed", 12);
	assert_refused_as(REASON_POLICY_DESIGNATOR, "root=verity: user=signed", 13);
	assert_refused_as(REASON_POLICY_DESIGNATOR, "roo=verity", 0);
	assert_refused_as(REASON_POLICY_DESIGNATOR, "roots=verity", 0);
	assert_refused_as(REASON_POLICY_DESIGNATOR, "ROOT=verity", 0);
	assert_refused_as(REASON_POLICY_DESIGNATOR, "ro\\ot=verity", 0);
	assert_refused_as(REASON_POLICY_FLAG, "root=verity + sign", 14);
	assert_refused_as(REASON_POLICY_FLAG, "root=verity+", 12);
	assert_refused_as(REASON_POLICY_FLAG, "root=+verity", 5);
	assert_refused_as(REASON_POLICY_FLAG, "root=verity++signed", 12);
	assert_refused_as(REASON_POLICY_FLAG, "root=-+verity", 5);
	assert_refused_as(REASON_POLICY_FLAG, "root=verity=signed", 5);
	assert_refused_as(REASON_POLICY_FLAG, "==", 1);
	assert_refused_as(REASON_POLICY_FLAG, "root=verity+erofs", 12);
	assert_refused_as(REASON_POLICY_DUPLICATE, "root=verity:usr=signed: root =open", 24);
	assert_refused_as(REASON_POLICY_DUPLICATE, "=verity: =open", 9);
}

static void refuses_nul_and_what_is_too_long(void **state)
{
	char bytes[POLICY_TEXT_MAX + 1];
	struct policy policy;

	(void)state;
	assert_refused_at(policy_parse("root=verity\0+x", 14, &policy), POLICY_FLAG, 5);
	assert_refused_at(policy_parse("\0", 1, &policy), POLICY_SYNTAX, 0);
	memset(bytes, ' ', sizeof(bytes));
	memcpy(bytes, "root=", 5);
	assert_reason(policy_parse(bytes, POLICY_TEXT_MAX, &policy), ACCEPTED);
	assert_refused_at(policy_parse(bytes, POLICY_TEXT_MAX + 1, &policy), POLICY_SYNTAX,
			  POLICY_TEXT_MAX);
}

static void prints_the_longest_policy(void **state)
{
	struct policy policy = { .listed = (1u << DESIGNATORS) - 1, .default_flags = ALL_FLAGS };
	char printed[POLICY_PRINTED_MAX];
	struct text text;

	(void)state;
	for (size_t i = 0; i < DESIGNATORS; i++)
		policy.flags[i] = ALL_FLAGS;
	text_init(&text, printed, sizeof(printed));
	policy_print(&policy, false, &text);
	assert_true(text_ok(&text));
	assert_int_equal(parsed(printed).flags[DESIGNATOR_VAR], ALL_FLAGS);
}

/* ---- what it comes to ---------------------------------------------------------------------- */

static void assert_get(const char *bytes, enum designator designator, uint32_t flags)
{
	const struct policy policy = parsed(bytes);

	assert_int_equal(policy_get(&policy, designator), flags);
}

static void derives_what_protects_from_what_is_protected(void **state)
{
	const uint32_t used = POLICY_UNPROTECTED | ATTRIBUTES, ignored = POLICY_IGNORE | ATTRIBUTES;

	(void)state;
	assert_get("usr=signed", DESIGNATOR_USR_VERITY, used);
	assert_get("usr=signed", DESIGNATOR_USR_VERITY_SIG, used);
	assert_get("usr=signed+absent", DESIGNATOR_USR_VERITY_SIG, used | POLICY_ABSENT);
	assert_get("usr=verity+unused", DESIGNATOR_USR_VERITY, used | POLICY_UNUSED);
	assert_get("usr=verity", DESIGNATOR_USR_VERITY_SIG, ignored);
	assert_get("usr=unprotected", DESIGNATOR_USR_VERITY, ignored);
	assert_get("usr=signed", DESIGNATOR_ROOT_VERITY, ignored);
	assert_get("root=signed+read-only-on", DESIGNATOR_ROOT_VERITY,
		   POLICY_UNPROTECTED | POLICY_READ_ONLY_ON | POLICY_GROWFS);
	/* a rule of its own goes before, and the default before nothing */
	assert_get("usr=signed:usr-verity=absent", DESIGNATOR_USR_VERITY, POLICY_ABSENT);
	assert_get("=signed", DESIGNATOR_USR_VERITY, ATTRIBUTES);
	assert_get("=signed", DESIGNATOR_USR, POLICY_SIGNED | ATTRIBUTES);
	assert_get("=verity+encrypted", DESIGNATOR_HOME, POLICY_ENCRYPTED | ATTRIBUTES);
	assert_get("=verity+encrypted+unused", DESIGNATOR_ROOT_VERITY, POLICY_UNUSED | ATTRIBUTES);
}

static void takes_a_signature_used_or_not(void **state)
{
	const uint32_t there = POLICY_UNPROTECTED | POLICY_UNUSED | ATTRIBUTES;
	struct policy policy = parsed("usr=signed");

	(void)state;
	assert_int_equal(policy_demands(&policy).flags[DESIGNATOR_USR_VERITY_SIG], there);
	assert_int_equal(policy_demands(&policy).flags[DESIGNATOR_USR_VERITY],
			 POLICY_UNPROTECTED | ATTRIBUTES);
	policy = parsed("usr=verity+absent");
	assert_int_equal(policy_demands(&policy).flags[DESIGNATOR_USR_VERITY_SIG],
			 there | POLICY_ABSENT);
	policy = parsed("usr=verity:usr-verity-sig=absent");
	assert_int_equal(policy_demands(&policy).flags[DESIGNATOR_USR_VERITY_SIG], POLICY_ABSENT);
}

/* ---- together ------------------------------------------------------------------------------ */

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random_state >> 33) % n);
}

/* The same, as both are for every policy: no order, no effect of saying it twice, no more than each. */
static void assert_only_tightens(const struct policy *a, const struct policy *b)
{
	const struct demands of_a = policy_demands(a), of_b = policy_demands(b);
	const struct demands both = demands_intersect(&of_a, &of_b);
	const struct demands other = demands_intersect(&of_b, &of_a);
	const struct demands again = demands_intersect(&both, &of_a);

	assert_true(demands_imply(&both, &of_a));
	assert_true(demands_imply(&both, &of_b));
	assert_memory_equal(&both, &other, sizeof(both));
	assert_memory_equal(&both, &again, sizeof(both));
	/* and no less than what each allows: nothing is lost on the way */
	if (demands_imply(&of_a, &of_b))
		assert_memory_equal(&both, &of_a, sizeof(both));
}

/* Every two sets of ways of being, for each kind of designator and for the default, in both policies. */
static void every_two_rules_only_tighten(void **state)
{
	static const enum designator kinds[] = { DESIGNATOR_USR, DESIGNATOR_USR_VERITY,
						 DESIGNATOR_USR_VERITY_SIG, DESIGNATOR_HOME };

	(void)state;
	for (uint32_t i = 0; i < 64 * 64 * (COUNT(kinds) + 1); i++) {
		struct policy a = { .default_flags = POLICY_IGNORE }, b = a;
		size_t kind = i / (64 * 64);

		if (kind == COUNT(kinds)) {
			a.default_flags = i % 64;
			b.default_flags = i / 64 % 64;
		} else {
			a.listed = b.listed = 1u << kinds[kind];
			a.flags[kinds[kind]] = i % 64;
			b.flags[kinds[kind]] = i / 64 % 64;
		}
		assert_only_tightens(&a, &b);
	}
}

/* Text to text: what is read is what is judged by. */
static struct policy random_policy(void)
{
	char bytes[POLICY_PRINTED_MAX];
	struct policy policy = { .default_flags = random_below(ALL_FLAGS + 1) };
	struct text text;

	for (size_t i = 0; i < DESIGNATORS; i++) {
		policy.listed |= random_below(2) << i;
		policy.flags[i] = random_below(ALL_FLAGS + 1) | random_below(ALL_FLAGS + 1);
	}
	text_init(&text, bytes, sizeof(bytes));
	policy_print(&policy, random_below(2) == 0, &text);
	assert_true(text_ok(&text));
	return parsed(bytes);
}

static void random_policies_only_tighten(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		const struct policy a = random_policy(), b = random_policy();

		assert_only_tightens(&a, &b);
	}
}

static void tells_more_from_less(void **state)
{
	const struct policy strict = parsed("usr=signed+absent"),
			    lax = parsed("usr=verity+signed+absent");
	const struct demands less = policy_demands(&strict), more = policy_demands(&lax);

	(void)state;
	assert_true(demands_imply(&less, &more));
	assert_false(demands_imply(&more, &less));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_prints),
		cmocka_unit_test(prints_behind_other_text),
		cmocka_unit_test(knows_the_symbols),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(refuses_nul_and_what_is_too_long),
		cmocka_unit_test(prints_the_longest_policy),
		cmocka_unit_test(derives_what_protects_from_what_is_protected),
		cmocka_unit_test(takes_a_signature_used_or_not),
		cmocka_unit_test(every_two_rules_only_tighten),
		cmocka_unit_test(random_policies_only_tighten),
		cmocka_unit_test(tells_more_from_less),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
