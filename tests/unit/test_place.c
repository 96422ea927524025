/* SPDX-License-Identifier: Apache-2.0 */
/* sys/place: the directories of the root that are merged onto, and the links that lead elsewhere. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/place.h"
#include "tree.h"

static int set_up(void **state)
{
	*state = tree_make();
	tree_directory(*state, "usr/bin");
	return 0;
}

static int tear_down(void **state)
{
	tree_remove(*state);
	return 0;
}

static bool is_there(const struct tree *tree, const char *path)
{
	return faccessat(tree->fd, path, F_OK, 0) == 0;
}

static void assert_opt(const struct tree *tree, enum reason reason, bool is_made)
{
	bool created = false;

	assert_int_equal(place_need(tree->fd, HIERARCHY_OPT, &created).reason, reason);
	assert_int_equal(created, is_made);
}

static void takes_directories_apart(void **state)
{
	const struct tree *tree = *state;

	tree_directory(tree, "opt");
	tree_directory(tree, "etc");
	tree_directory(tree, "usrlocal");
	assert_opt(tree, REASON_ACCEPTED, false);
}

static void takes_a_link(void **state)
{
	const struct tree *tree = *state;

	tree_directory(tree, "usrlocal");
	tree_link(tree, "opt", "/usrlocal");
	assert_opt(tree, REASON_ACCEPTED, false);
}

static void makes_a_missing_one(void **state)
{
	const struct tree *tree = *state;
	struct stat st;

	assert_opt(tree, REASON_ACCEPTED, true);
	assert_int_equal(fstatat(tree->fd, "opt", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISDIR(st.st_mode));
	place_remove(tree->fd, HIERARCHY_OPT);
	assert_false(is_there(tree, "opt"));
}

static void makes_what_a_link_leads_to(void **state)
{
	static const char *const targets[] = { "var/opt", "/var/opt", "../../var/opt//",
					       "./var/./opt" };
	const struct tree *tree = *state;

	tree_directory(tree, "var");
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		tree_link(tree, "opt", targets[i]);
		assert_opt(tree, REASON_ACCEPTED, true);
		assert_true(is_there(tree, "var/opt"));
		place_remove(tree->fd, HIERARCHY_OPT);
		assert_false(is_there(tree, "var/opt"));
		assert_int_equal(unlinkat(tree->fd, "opt", 0), 0);
	}
}

static void makes_no_more_than_that(void **state)
{
	static const char *const targets[] = { "var/opt", "link", "link/opt", "var/..",
					       "usr/../var/x/.." };
	const struct tree *tree = *state;

	tree_link(tree, "link", "nowhere");
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		tree_link(tree, "opt", targets[i]);
		assert_opt(tree, REASON_MERGE_NO_DIRECTORY, false);
		assert_false(is_there(tree, "var") || is_there(tree, "nowhere"));
		assert_int_equal(unlinkat(tree->fd, "opt", 0), 0);
	}
}

static void keeps_what_is_not_empty(void **state)
{
	const struct tree *tree = *state;

	tree_text(tree, "opt/file", "x");
	place_remove(tree->fd, HIERARCHY_OPT);
	assert_true(is_there(tree, "opt/file"));
}

static void refuses_what_is_no_directory(void **state)
{
	const struct tree *tree = *state;

	tree_text(tree, "opt", "x");
	assert_opt(tree, REASON_MERGE_HIERARCHY, false);
	assert_int_equal(unlinkat(tree->fd, "opt", 0), 0);
	tree_link(tree, "opt", "opt");
	assert_opt(tree, REASON_MERGE_HIERARCHY, false);
}

/* The same, within another, around the others; and not yet there. */
static void refuses_one_in_another(void **state)
{
	static const struct {
		const char *target;
		bool is_made;
	} links[] = { { "usr", false }, { "/usr/", false }, { "usr/bin", false },
		      { "/", false },	{ ".", false },	    { "usr/new", true } };
	const struct tree *tree = *state;
	bool created = false;

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		tree_link(tree, "opt", links[i].target);
		assert_opt(tree, REASON_MERGE_NESTED, links[i].is_made);
		assert_int_equal(place_need(tree->fd, HIERARCHY_USR, &created).reason,
				 REASON_ACCEPTED);
		assert_int_equal(unlinkat(tree->fd, "opt", 0), 0);
	}
}

static void refuses_it_whichever_is_the_link(void **state)
{
	const struct tree *tree = *state;
	bool created = false;

	tree_directory(tree, "opt");
	tree_link(tree, "etc", "opt");
	assert_opt(tree, REASON_MERGE_NESTED, false);
	assert_int_equal(place_need(tree->fd, HIERARCHY_USR, &created).reason, REASON_ACCEPTED);
	assert_int_equal(place_need(tree->fd, HIERARCHY_ETC, &created).reason, REASON_MERGE_NESTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_directories_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(takes_a_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(makes_a_missing_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(makes_what_a_link_leads_to, set_up, tear_down),
		cmocka_unit_test_setup_teardown(makes_no_more_than_that, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keeps_what_is_not_empty, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_one_in_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_it_whichever_is_the_link, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
