/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two image policies, with a NUL between them. Asserted: outputs on success only; what is printed parses and means
 * the same, the short form as far as it can; what satisfies both satisfies each.
 */
#include "core/policy.h"
#include "fuzz.h"

static bool parse(const uint8_t *bytes, size_t size, struct policy *policy)
{
	char *copy = (char *)fuzz_copy(bytes, size);
	struct policy before;
	struct verdict v;

	memset(policy, 0x5a, sizeof(*policy));
	before = *policy;
	v = policy_parse(copy, size, policy);
	free(copy);
	if (is_accepted(v))
		return true;
	holds(fuzz_group(v) == 6 && (v.at == VERDICT_NOWHERE || v.at <= size));
	holds(memcmp(policy, &before, sizeof(before)) == 0);
	return false;
}

static bool is_same(const struct demands *a, const struct demands *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool is_derived(enum designator designator)
{
	return designator == DESIGNATOR_ROOT_VERITY || designator == DESIGNATOR_USR_VERITY ||
	       designator == DESIGNATOR_ROOT_VERITY_SIG || designator == DESIGNATOR_USR_VERITY_SIG;
}

static void check_printed(const struct policy *policy, bool is_short)
{
	const struct demands demands = policy_demands(policy);
	char printed[POLICY_PRINTED_MAX];
	struct demands again;
	struct policy parsed;
	struct text text;

	text_init(&text, printed, sizeof(printed));
	policy_print(policy, is_short, &text);
	holds(text_ok(&text));
	holds(is_accepted(policy_parse(printed, text.used, &parsed)));
	again = policy_demands(&parsed);
	for (enum designator i = 0; i < DESIGNATORS; i++)
		holds(again.flags[i] == demands.flags[i] || (is_short && is_derived(i)));
}

static void check_pair(const struct policy *a, const struct policy *b)
{
	const struct demands x = policy_demands(a), y = policy_demands(b);
	const struct demands both = demands_intersect(&x, &y), turned = demands_intersect(&y, &x);

	holds(is_same(&both, &turned));
	holds(demands_imply(&x, &x) && demands_imply(&both, &x) && demands_imply(&both, &y));
	for (size_t i = 0; i < DESIGNATORS; i++)
		holds((both.flags[i] & ~x.flags[i]) == 0 && (both.flags[i] & ~y.flags[i]) == 0);
	if (demands_imply(&x, &y)) {
		const struct demands same = demands_intersect(&x, &y);

		holds(demands_imply(&x, &same));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(bytes, 0, size) : NULL;
	const size_t first = nul ? (size_t)(nul - bytes) : size;
	struct policy a, b;

	if (!parse(bytes, first, &a))
		return 0;
	check_printed(&a, false);
	check_printed(&a, true);
	if (nul && parse(nul + 1, size - first - 1, &b))
		check_pair(&a, &b);
	return 0;
}
