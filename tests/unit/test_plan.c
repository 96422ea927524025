/* SPDX-License-Identifier: Apache-2.0 */
/* core/plan: which steps, in which order, for which images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/plan.h"

static const struct facts facts = {
	.layout = { .role = ROLE_ROOT, .data = { 1048576, 536576 }, .tree = { 2097152, 69632 } },
	.verity = { .data_blocks = 10 },
	.root_hash = { 0xde, 0xad },
	.filesystem = FILESYSTEM_EROFS,
	.filesystem_size = 40960,
};

/* ---- the order of versions ----------------------------------------------------------------- */

/* Each is older than the next: the list in the comment of strverscmp_improved(), and more. */
static const char *const versions[] = {
	"~",	 "",	    "122.1",	 "123~rc1-1", "123",	 "123-a",  "123-a.1",
	"123-1", "123-1.1", "123^post1", "123.a-1",   "123.1-1", "123a-1", "124-1",
};

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void orders_versions_as_systemd(void **state)
{
	const size_t count = sizeof(versions) / sizeof(versions[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			assert_int_equal(sign(plan_version_compare(versions[i], versions[j])),
					 (i > j) - (i < j));
}

static void compares_numbers_by_value(void **state)
{
	(void)state;
	assert_true(plan_version_compare("1.10", "1.9") > 0);
	assert_true(plan_version_compare("a9", "a10") < 0);
	assert_true(plan_version_compare("18446744073709551616", "18446744073709551615") > 0);
	assert_int_equal(plan_version_compare("007", "7"), 0);
	assert_int_equal(plan_version_compare("0", "000"), 0);
	assert_true(plan_version_compare("1", "0") > 0);
	assert_true(plan_version_compare("9", "8") > 0);
	assert_true(plan_version_compare("9", "") > 0);
	assert_true(plan_version_compare("a0", "a") > 0);
	assert_true(plan_version_compare("a", "a0") < 0);
	assert_true(plan_version_compare("a.b", "a.0b") < 0);
	assert_true(plan_version_compare("a.0b", "a.b") > 0);
}

static void takes_the_longer_word_for_newer(void **state)
{
	(void)state;
	assert_true(plan_version_compare("abcde", "abc") > 0);
	assert_true(plan_version_compare("abc", "abcde") < 0);
	assert_true(plan_version_compare("abd", "abcde") > 0);
	assert_int_equal(plan_version_compare("azAZ", "azAZ"), 0);
	assert_true(plan_version_compare("z", "Z") > 0);
	assert_true(plan_version_compare("Z", "A") > 0);
	assert_true(plan_version_compare("A1", "1") < 0);
	assert_true(plan_version_compare("Z1", "1") < 0);
	assert_true(plan_version_compare("a1", "1") < 0);
	assert_true(plan_version_compare("z1", "1") < 0);
}

static void lets_meaningless_characters_divide(void **state)
{
	(void)state;
	assert_int_equal(plan_version_compare("a_b", "a@b"), 0);
	assert_int_equal(plan_version_compare("a_", "a"), 0);
	assert_int_equal(plan_version_compare("1_2", "1+2"), 0);
	assert_true(plan_version_compare("docker", "containerd") > 0);
	assert_true(plan_version_compare("docker", "docker-flatcar") < 0);
	assert_true(plan_version_compare("A", "a") < 0);
}

/* ---- plans --------------------------------------------------------------------------------- */

static struct plan plan; /* 66 KB: not on the stack */

static void does_nothing_without_images(void **state)
{
	const struct plan_image refused[] = { { "a", CLASS_SYSEXT, NULL, false },
					      { "b", CLASS_SYSEXT, NULL, false } };

	(void)state;
	assert_int_equal(plan_make(NULL, 0, CORRUPTION_IO_ERROR, &plan).reason, REASON_ACCEPTED);
	assert_int_equal(plan.count, 0);
	assert_int_equal(plan_make(refused, 2, CORRUPTION_IO_ERROR, &plan).reason, REASON_ACCEPTED);
	assert_int_equal(plan.count, 0);
}

static void gives_an_image_all_its_steps(void **state)
{
	static const struct step expected[] = {
		{ STEP_LOOP_DATA, 1 },
		{ STEP_LOOP_TREE, 1 },
		{ STEP_VERITY, 1 },
		{ STEP_CHECK_DEVICE, 1 },
		{ STEP_MOUNT, 1 },
		{ STEP_CHECK_CONTENT, 1 },
		{ STEP_FIT, 1 },
		{ STEP_OVERLAY, HIERARCHY_USR },
		{ STEP_OVERLAY, HIERARCHY_OPT },
		{ STEP_CHECK_MERGED, 0 },
		{ STEP_MOVE, 0 },
	};
	const struct plan_image images[] = { { "a", CLASS_SYSEXT, NULL, false },
					     { "b", CLASS_SYSEXT, &facts, false } };

	(void)state;
	assert_int_equal(plan_make(images, 2, CORRUPTION_IO_ERROR, &plan).reason, REASON_ACCEPTED);
	assert_int_equal(plan.count, sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < plan.count; i++) {
		assert_int_equal(plan.steps[i].op, expected[i].op);
		assert_int_equal(plan.steps[i].subject, expected[i].subject);
	}
}

static void plans_each_class_for_itself(void **state)
{
	const struct plan_image images[] = { { "a", CLASS_SYSEXT, NULL, false },
					     { "z", CLASS_CONFEXT, &facts, false },
					     { "b", CLASS_SYSEXT, &facts, false },
					     { "z", CLASS_SYSEXT, NULL, false } };
	struct plan_image both[4];

	(void)state;
	assert_int_equal(plan_make(images, 2, CORRUPTION_IO_ERROR, &plan).reason, REASON_ACCEPTED);
	assert_int_equal(plan.count, PLAN_STEPS_ALONE + 4);
	assert_int_equal(plan.steps[PLAN_STEPS_ALONE].op, STEP_FIT);
	assert_int_equal(plan.steps[PLAN_STEPS_ALONE + 1].op, STEP_OVERLAY);
	assert_int_equal(plan.steps[PLAN_STEPS_ALONE + 1].subject, HIERARCHY_ETC);
	assert_int_equal(plan.steps[PLAN_STEPS_ALONE + 3].op, STEP_MOVE);
	/* One name in two classes is no duplicate. */
	memcpy(both, images, sizeof(both));
	both[3].facts = &facts;
	assert_int_equal(plan_make(both, 4, CORRUPTION_IO_ERROR, &plan).reason, REASON_ACCEPTED);
	assert_int_equal(plan.count, 3 * (PLAN_STEPS_ALONE + 1) + HIERARCHIES + 2);
	assert_int_equal(plan.steps[0].subject, 3);
	assert_int_equal(plan.steps[PLAN_STEPS_ALONE].subject, 2);
	assert_int_equal(plan.steps[2 * PLAN_STEPS_ALONE].subject, 1);
}

static void puts_the_newest_on_top(void **state)
{
	const struct plan_image images[] = { { "two-1.9", CLASS_SYSEXT, &facts, false },
					     { "zfs", CLASS_SYSEXT, NULL, false },
					     { "one", CLASS_SYSEXT, &facts, false },
					     { "two-1.10", CLASS_SYSEXT, &facts, false },
					     { "a_b", CLASS_SYSEXT, &facts, false },
					     { "a@b", CLASS_SYSEXT, &facts, false } };
	static const uint32_t expected[] = { 3, 0, 2, 4, 5 };

	(void)state;
	assert_int_equal(plan_make(images, 6, CORRUPTION_IO_ERROR, &plan).reason, REASON_ACCEPTED);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(plan.steps[i * PLAN_STEPS_ALONE].subject, expected[i]);
}

/* The topmost layers come first in the plan; of the names here that is z, y … a. */
static void admits_the_required_first_and_the_lowest(void **state)
{
	const struct plan_image images[] = {
		{ "z", CLASS_SYSEXT, &facts, false }, { "y", CLASS_SYSEXT, &facts, true },
		{ "c", CLASS_CONFEXT, &facts, true }, { "b", CLASS_SYSEXT, &facts, true },
		{ "a", CLASS_SYSEXT, &facts, false }, { "d", CLASS_CONFEXT, &facts, false }
	};
	static const uint32_t expected[] = { 3, 1, 4, 0, 2, 5 };
	const struct step *at;

	(void)state;
	assert_int_equal(plan_make(images, 6, CORRUPTION_IO_ERROR, &plan).reason, REASON_ACCEPTED);
	at = plan.steps + 6 * PLAN_STEPS_ALONE;
	for (size_t i = 0; i < 6; i++, at++) {
		assert_int_equal(at->op, STEP_FIT);
		assert_int_equal(at->subject, expected[i]);
	}
}

/*
 * With a mode that restarts the machine, all that vext compares is read before that; and an image whose reload fails is
 * not one with which others are still compared.
 */
static void reloads_where_corruption_is_no_io_error(void **state)
{
	const struct plan_image images[] = { { "a", CLASS_SYSEXT, &facts, false },
					     { "b", CLASS_SYSEXT, &facts, false } };
	static const enum corruption modes[] = { CORRUPTION_RESTART, CORRUPTION_PANIC };
	static const struct step expected[] = {
		{ STEP_FIT, 0 }, { STEP_FIT, 1 }, { STEP_RELOAD, 1 }, { STEP_RELOAD, 0 }
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(plan_make(images, 2, modes[i], &plan).reason, REASON_ACCEPTED);
		for (size_t k = 0; k < 4; k++) {
			const struct step *step = &plan.steps[2 * PLAN_STEPS_ALONE + k];

			assert_int_equal(step->op, expected[k].op);
			assert_int_equal(step->subject, expected[k].subject);
		}
	}
}

static void refuses_a_name_twice(void **state)
{
	const struct plan_image twice[] = { { "a", CLASS_SYSEXT, &facts, false },
					    { "b", CLASS_SYSEXT, &facts, false },
					    { "a", CLASS_SYSEXT, &facts, false } };
	const struct plan_image once[] = { { "a", CLASS_SYSEXT, &facts, false },
					   { "b", CLASS_SYSEXT, &facts, false },
					   { "a", CLASS_SYSEXT, NULL, false } };

	(void)state;
	plan.count = 7;
	assert_int_equal(plan_make(twice, 3, CORRUPTION_IO_ERROR, &plan).reason,
			 REASON_MERGE_DUPLICATE);
	assert_int_equal(plan.count, 7);
	assert_int_equal(plan_make(once, 3, CORRUPTION_IO_ERROR, &plan).reason, REASON_ACCEPTED);
}

static void holds_as_many_as_may_be(void **state)
{
	static char names[VEXT_IMAGES_MAX + 1][8];
	static struct plan_image images[VEXT_IMAGES_MAX + 1];
	struct text text;

	(void)state;
	for (size_t i = 0; i <= VEXT_IMAGES_MAX; i++) {
		text_init(&text, names[i], sizeof(names[i]));
		text_char(&text, 'n');
		text_u64(&text, i);
		images[i] = (struct plan_image){ names[i], CLASS_SYSEXT, &facts, false };
	}
	assert_int_equal(plan_make(images, VEXT_IMAGES_MAX, CORRUPTION_PANIC, &plan).reason,
			 REASON_ACCEPTED);
	assert_int_equal(plan.count, PLAN_STEPS_MAX - 1); /* no /etc */
	assert_int_equal(plan.steps[0].subject, VEXT_IMAGES_MAX - 1);
	assert_int_equal(plan_make(images, VEXT_IMAGES_MAX + 1, CORRUPTION_IO_ERROR, &plan).reason,
			 REASON_SYSTEM_LIMIT);
}

/* ---- text ---------------------------------------------------------------------------------- */

static void describe(enum step_op op, uint32_t subject, char line[512])
{
	const struct plan_image images[] = { { "foo", CLASS_SYSEXT, &facts, false } };
	const struct step step = { op, subject };
	struct text text;

	text_init(&text, line, 512);
	plan_describe(&step, images, &text);
	assert_true(text_ok(&text));
}

static void tells_what_would_be_done(void **state)
{
	char line[512];

	(void)state;
	describe(STEP_LOOP_DATA, 0, line);
	assert_string_equal(line, "foo: attach data, 536576 bytes from byte 1048576, to a "
				  "read-only loop device");
	describe(STEP_LOOP_TREE, 0, line);
	assert_string_equal(line, "foo: attach hash tree, 69632 bytes from byte 2097152, to a "
				  "read-only loop device");
	describe(STEP_VERITY, 0, line);
	assert_string_equal(line,
			    "foo: make vext-foo-SERIAL, dm-verity over 10 blocks with root hash "
			    "dead000000000000000000000000000000000000000000000000000000000000");
	describe(STEP_CHECK_DEVICE, 0, line);
	assert_string_equal(line,
			    "foo: read block 0 of vext-foo-SERIAL; it must stay verified and hold "
			    "erofs of 40960 bytes");
	describe(STEP_MOUNT, 0, line);
	assert_string_equal(line, "foo: mount vext-foo-SERIAL read-only, nodev, in a private mount "
				  "namespace");
	describe(STEP_CHECK_CONTENT, 0, line);
	assert_string_equal(line, "foo: match usr/lib/extension-release.d/extension-release.foo "
				  "with the root's os-release");
	describe(STEP_FIT, 0, line);
	assert_string_equal(line,
			    "foo: compare the tree of vext-foo-SERIAL with the root's and those of "
			    "the extensions admitted before");
	describe(STEP_RELOAD, 0, line);
	assert_string_equal(
		line, "foo: load the table of vext-foo-SERIAL again, with the corruption mode "
		      "of the configuration");
	describe(STEP_CHECK_MERGED, 0, line);
	assert_string_equal(line, "assemble the merged root in private; protected paths and links "
				  "must lead where they may");
	describe(STEP_OVERLAY, HIERARCHY_USR, line);
	assert_string_equal(line, "overlay /usr of the images that have it over the root's");
	describe(STEP_OVERLAY, HIERARCHY_OPT, line);
	assert_string_equal(line, "overlay /opt of the images that have it over the root's");
	describe(STEP_MOVE, 0, line);
	assert_string_equal(line, "move the overlays onto the root");
}

static void names_every_step(void **state)
{
	(void)state;
	for (int op = STEP_LOOP_DATA; op <= STEP_MOVE; op++)
		assert_string_not_equal(step_name((enum step_op)op), "none");
	assert_string_equal(step_name((enum step_op)0), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_versions_as_systemd),
		cmocka_unit_test(compares_numbers_by_value),
		cmocka_unit_test(takes_the_longer_word_for_newer),
		cmocka_unit_test(lets_meaningless_characters_divide),
		cmocka_unit_test(does_nothing_without_images),
		cmocka_unit_test(gives_an_image_all_its_steps),
		cmocka_unit_test(plans_each_class_for_itself),
		cmocka_unit_test(puts_the_newest_on_top),
		cmocka_unit_test(admits_the_required_first_and_the_lowest),
		cmocka_unit_test(reloads_where_corruption_is_no_io_error),
		cmocka_unit_test(refuses_a_name_twice),
		cmocka_unit_test(holds_as_many_as_may_be),
		cmocka_unit_test(tells_what_would_be_done),
		cmocka_unit_test(names_every_step),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
