/* SPDX-License-Identifier: Apache-2.0 */
/* core/reason and the verdicts of vext.h: zero is never success, and every code has a name of its own. */
#include "test.h"

static const uint32_t codes[] = {
#define REASON(code, symbol, name, sentence) (code),
#include "reason.def"
#undef REASON
};

static void never_takes_zero_for_success(void **state)
{
	struct verdict v = { 0 };

	(void)state;
	assert_false(is_accepted(v));
	assert_false(reason_is_known(0));
	assert_string_equal(reason_name(REASON_UNDECIDED), "undecided");
	assert_string_equal(reason_name((enum reason)0), "undecided");
}

static void accepts_one_code_only(void **state)
{
	unsigned accepted = 0;

	(void)state;
	for (uint32_t code = 0; code < 70000; code++)
		accepted += is_accepted(verdict((enum reason)code));
	assert_int_equal(accepted, 1);
	assert_true(is_accepted(verdict(REASON_ACCEPTED)));
}

static void names_every_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(codes); i++) {
		assert_true(reason_is_known(codes[i]));
		assert_string_not_equal(reason_name((enum reason)codes[i]), "undecided");
		assert_true(strlen(reason_sentence((enum reason)codes[i])) > 5);
	}
}

static void knows_no_other_code(void **state)
{
	size_t known = 0;

	(void)state;
	for (uint32_t code = 0; code < 70000; code++)
		known += reason_is_known(code);
	assert_int_equal(known, COUNT(codes));
	assert_false(reason_is_known(UINT32_MAX));
	assert_string_equal(reason_name((enum reason)65535), "undecided");
	assert_non_null(reason_sentence((enum reason)65535));
}

static void makes_verdicts(void **state)
{
	struct verdict v = verdict(REASON_GPT_RANGE);

	(void)state;
	assert_int_equal(v.sys_errno, 0);
	assert_int_equal(v.at, VERDICT_NOWHERE);
	v = verdict_at(REASON_GPT_RANGE, 0);
	assert_int_equal(v.at, 0);
	assert_int_equal(v.sys_errno, 0);
	v = verdict_errno(REASON_SYSTEM_READ, 5);
	assert_int_equal(v.sys_errno, 5);
	assert_int_equal(v.at, VERDICT_NOWHERE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_takes_zero_for_success),
		cmocka_unit_test(accepts_one_code_only),
		cmocka_unit_test(names_every_code),
		cmocka_unit_test(knows_no_other_code),
		cmocka_unit_test(makes_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
