/* SPDX-License-Identifier: Apache-2.0 */
/* sys/content: what a mounted image must and must not have. A directory stands for the mount. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/xattr.h>

#include "sys/content.h"
#include "tree.h"

#define RELEASE "usr/lib/extension-release.d/extension-release.a"

static struct content_host host = { .release = { { .id = "debian", .version_id = "13" } },
				    .count = 1 };

static int set_up(void **state)
{
	*state = tree_make();
	return 0;
}

static int tear_down(void **state)
{
	tree_remove(*state);
	return 0;
}

static char detail_bytes[320]; /* of the last check */
static char name_found[VEXT_NAME_MAX + 1];

static enum reason check(const struct tree *tree, bool has[HIERARCHIES])
{
	struct text detail;

	text_init(&detail, detail_bytes, sizeof(detail_bytes));
	return content_check(tree->fd, CLASS_SYSEXT, "a", &host, has, name_found, &detail).reason;
}

static enum reason check_confext(const struct tree *tree)
{
	bool has[HIERARCHIES] = { true, true, true };
	struct text detail;
	struct verdict v;

	text_init(&detail, detail_bytes, sizeof(detail_bytes));
	v = content_check(tree->fd, CLASS_CONFEXT, "a", &host, has, name_found, &detail);

	if (is_accepted(v))
		assert_true(!has[HIERARCHY_USR] && !has[HIERARCHY_OPT] && has[HIERARCHY_ETC]);
	return v.reason;
}

static enum reason refusal(const struct tree *tree)
{
	bool has[HIERARCHIES] = { true, true };
	const enum reason reason = check(tree, has);

	assert_true(has[HIERARCHY_USR] && has[HIERARCHY_OPT]);
	return reason;
}

/* Whoever writes /etc can say of the host what he likes, and lets in nothing that does not fit /usr. */
static void must_fit_each_os_release(void **state)
{
	bool has[HIERARCHIES];

	tree_text(*state, RELEASE, "ID=debian\nVERSION_ID=12\n");
	assert_int_equal(refusal(*state), REASON_RELEASE_VERSION);
	host.release[1] = host.release[0];
	memcpy(host.release[1].version_id, "12", sizeof("12"));
	host.count = 2;
	assert_int_equal(refusal(*state), REASON_RELEASE_VERSION);
	tree_text(*state, RELEASE, "ID=debian\nVERSION_ID=13\n");
	assert_int_equal(refusal(*state), REASON_RELEASE_VERSION);
	tree_text(*state, RELEASE, "ID=_any\n");
	assert_int_equal(check(*state, has), REASON_ACCEPTED);
	host.count = 1;
}

static void accepts_an_extension(void **state)
{
	bool has[HIERARCHIES] = { false, true, true };

	tree_text(*state, "etc/not-of-a-sysext", "x");
	tree_text(*state, RELEASE, "ID=debian\nVERSION_ID=13\n");
	assert_int_equal(check(*state, has), REASON_ACCEPTED);
	assert_true(has[HIERARCHY_USR]);
	assert_false(has[HIERARCHY_OPT]);
	assert_false(has[HIERARCHY_ETC]);
	tree_directory(*state, "opt"); /* empty: not merged */
	assert_int_equal(check(*state, has), REASON_ACCEPTED);
	assert_false(has[HIERARCHY_OPT]);
	tree_text(*state, "opt/file", "x");
	assert_int_equal(check(*state, has), REASON_ACCEPTED);
	assert_true(has[HIERARCHY_OPT]);
}

static void wants_a_release_of_the_same_name(void **state)
{
	tree_directory(*state, "usr/lib/extension-release.d");
	assert_int_equal(refusal(*state), REASON_RELEASE_MISSING);
	tree_text(*state, "usr/lib/extension-release.d/extension-release.b", "ID=_any\n");
	assert_int_equal(refusal(*state), REASON_RELEASE_MISSING);
}

static void follows_release_links_inside_only(void **state)
{
	const struct tree *tree = *state;
	bool has[HIERARCHIES];

	tree_link(tree, RELEASE, "/etc/os-release");
	assert_int_equal(refusal(tree), REASON_RELEASE_MISSING);
	tree_text(tree, "etc/os-release", "ID=_any\n");
	assert_int_equal(check(tree, has), REASON_ACCEPTED);
	assert_int_equal(unlinkat(tree->fd, RELEASE, 0), 0);
	tree_link(tree, RELEASE, "extension-release.a");
	assert_int_equal(refusal(tree), REASON_RELEASE_MISSING);
}

static void wants_it_to_be_a_small_regular_file(void **state)
{
	const struct tree *tree = *state;
	static char large[RELEASE_FILE_MAX + 1];
	bool has[HIERARCHIES];

	memset(large, '\n', sizeof(large));
	memcpy(large, "ID=_any", 7);
	tree_file(tree, RELEASE, large, RELEASE_FILE_MAX);
	assert_int_equal(check(tree, has), REASON_ACCEPTED);
	tree_file(tree, RELEASE, large, sizeof(large));
	assert_int_equal(refusal(tree), REASON_RELEASE_MALFORMED);
	tree_text(tree, RELEASE, "not an assignment\n");
	assert_int_equal(refusal(tree), REASON_RELEASE_MALFORMED);
	assert_int_equal(unlinkat(tree->fd, RELEASE, 0), 0);
	assert_int_equal(mkfifoat(tree->fd, RELEASE, 0644), 0);
	assert_int_equal(refusal(tree), REASON_RELEASE_MALFORMED); /* and does not hang */
	assert_int_equal(unlinkat(tree->fd, RELEASE, 0), 0);
	tree_directory(tree, RELEASE);
	assert_int_equal(refusal(tree), REASON_RELEASE_MALFORMED);
}

static void wants_it_to_fit_the_host(void **state)
{
	tree_text(*state, RELEASE, "ID=other\n");
	assert_int_equal(refusal(*state), REASON_RELEASE_ID);
	tree_text(*state, RELEASE, "ID=debian\nVERSION_ID=12\n");
	assert_int_equal(refusal(*state), REASON_RELEASE_VERSION);
	tree_text(*state, RELEASE, "ID=_any\nSYSEXT_SCOPE=initrd\n");
	assert_int_equal(refusal(*state), REASON_RELEASE_SCOPE);
}

static void refuses_an_operating_system(void **state)
{
	tree_text(*state, RELEASE, "ID=_any\n");
	tree_link(*state, "usr/lib/os-release", "nowhere"); /* as whatever it is there */
	assert_int_equal(refusal(*state), REASON_MERGE_OS_RELEASE);
}

static void refuses_more_trust(void **state)
{
	tree_text(*state, RELEASE, "ID=_any\n");
	tree_directory(*state, "usr/lib/verity.d");
	assert_int_equal(refusal(*state), REASON_MERGE_TRUST);
}

static void refuses_another_init(void **state)
{
	static const char *const paths[] = { "usr/lib/systemd/systemd", "usr/sbin/init",
					     "usr/bin/init" };
	const struct tree *tree = *state;
	bool has[HIERARCHIES];

	tree_text(tree, RELEASE, "ID=_any\n");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		tree_link(tree, paths[i], "nowhere");
		assert_int_equal(refusal(tree), REASON_MERGE_INIT);
		assert_string_equal(detail_bytes, paths[i]);
		assert_int_equal(unlinkat(tree->fd, paths[i], 0), 0);
	}
	assert_int_equal(check(tree, has), REASON_ACCEPTED);
}

/* By these a merge is known; an image's own would be shown through the overlay, or be read in its place. */
static void refuses_the_mark_of_a_merge(void **state)
{
	static const char *const paths[] = { "usr/.systemd-sysext", "opt/.systemd-sysext" };
	const struct tree *tree = *state;
	bool has[HIERARCHIES];

	tree_text(tree, RELEASE, "ID=_any\n");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		tree_directory(tree, paths[i]);
		assert_int_equal(refusal(tree), REASON_MERGE_MARKER);
		assert_string_equal(detail_bytes, paths[i]);
		assert_int_equal(unlinkat(tree->fd, paths[i], AT_REMOVEDIR), 0);
	}
	tree_directory(tree, "usr/.systemd-confext"); /* not where a confext goes */
	assert_int_equal(check(tree, has), REASON_ACCEPTED);
}

static void set_attribute(const struct tree *tree, const char *path, const char *name,
			  const char *value)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s/%s", tree->path, path);
	assert_int_equal(setxattr(whole, name, value, strlen(value), 0), 0);
}

/* Where the file system of the temporary directory has attributes for users. */
static bool has_attributes(const struct tree *tree)
{
	return setxattr(tree->path, "user.test", "x", 1, 0) == 0;
}

/* One file that may have another name, for images that are renamed. */
static void takes_a_release_that_is_not_strict(void **state)
{
	static const char other[] = "usr/lib/extension-release.d/extension-release.other";
	static const char second[] = "usr/lib/extension-release.d/extension-release.second";
	const struct tree *tree = *state;
	bool has[HIERARCHIES];

	if (!has_attributes(tree))
		skip();
	tree_text(tree, other, "ID=_any\n");
	assert_int_equal(refusal(tree), REASON_RELEASE_MISSING);
	set_attribute(tree, other, "user.extension-release.strict", "true");
	assert_int_equal(refusal(tree), REASON_RELEASE_MISSING);
	set_attribute(tree, other, "user.extension-release.strict", "False");
	assert_int_equal(check(tree, has), REASON_ACCEPTED);
	assert_string_equal(name_found, "other");
	tree_text(tree, second, "ID=_any\n");
	assert_int_equal(check(tree, has), REASON_ACCEPTED);
	set_attribute(tree, second, "user.extension-release.strict", "0");
	assert_int_equal(refusal(tree), REASON_RELEASE_AMBIGUOUS);
	tree_text(tree, RELEASE, "ID=other\n"); /* the name's own goes first */
	assert_int_equal(refusal(tree), REASON_RELEASE_ID);
	tree_text(tree, RELEASE, "ID=_any\n");
	assert_int_equal(check(tree, has), REASON_ACCEPTED);
	assert_string_equal(name_found, "a");
}

/* By which it could be required, or allowed. */
static void wants_a_name_of_a_release_that_is_not_strict(void **state)
{
	static const char directory[] = "usr/lib/extension-release.d";
	const struct tree *tree = *state;
	char path[128], longest[VEXT_NAME_MAX + 2];
	const char *const names[] = { "", ".a", "a b", longest };
	bool has[HIERARCHIES];

	if (!has_attributes(tree))
		skip();
	memset(longest, 'n', sizeof(longest));
	longest[VEXT_NAME_MAX + 1] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/extension-release.%s", directory, names[i]);
		tree_text(tree, path, "ID=_any\n");
		set_attribute(tree, path, "user.extension-release.strict", "0");
		assert_int_equal(refusal(tree), REASON_RELEASE_MISSING);
		assert_int_equal(unlinkat(tree->fd, path, 0), 0);
	}
	longest[VEXT_NAME_MAX] = '\0';
	snprintf(path, sizeof(path), "%s/extension-release.%s", directory, longest);
	tree_text(tree, path, "ID=_any\n");
	set_attribute(tree, path, "user.extension-release.strict", "0");
	assert_int_equal(check(tree, has), REASON_ACCEPTED);
	assert_string_equal(name_found, longest);
}

/* Of several renamed extensions one is enough; the file of the name goes first. */
static void finds_who_wants_a_reload(void **state)
{
	static const char other[] = "usr/lib/extension-release.d/extension-release.other";
	static const char second[] = "usr/lib/extension-release.d/extension-release.second";
	const struct tree *tree = *state;

	assert_false(content_wants_reload(tree->fd, CLASS_SYSEXT, "a"));
	tree_text(tree, other, "ID=_any\nEXTENSION_RELOAD_MANAGER=1\n");
	tree_text(tree, second, "ID=_any\n");
	assert_true(content_wants_reload(tree->fd, CLASS_SYSEXT, "other"));
	assert_false(content_wants_reload(tree->fd, CLASS_SYSEXT, "second"));
	assert_false(content_wants_reload(tree->fd, CLASS_SYSEXT, "a"));
	if (!has_attributes(tree))
		skip();
	set_attribute(tree, second, "user.extension-release.strict", "false");
	assert_false(content_wants_reload(tree->fd, CLASS_SYSEXT, "a"));
	set_attribute(tree, other, "user.extension-release.strict", "false");
	assert_true(content_wants_reload(tree->fd, CLASS_SYSEXT, "a"));
	assert_false(content_wants_reload(tree->fd, CLASS_CONFEXT, "a"));
	tree_text(tree, RELEASE, "ID=_any\n");
	assert_false(content_wants_reload(tree->fd, CLASS_SYSEXT, "a"));
}

static void refuses_hierarchies_that_are_none(void **state)
{
	const struct tree *tree = *state;

	tree_text(tree, RELEASE, "ID=_any\n");
	tree_text(tree, "opt", "a file");
	assert_int_equal(refusal(tree), REASON_MERGE_HIERARCHY);
	assert_int_equal(unlinkat(tree->fd, "opt", 0), 0);
	tree_link(tree, "opt", "usr");
	assert_int_equal(refusal(tree), REASON_MERGE_HIERARCHY);
	assert_int_equal(unlinkat(tree->fd, "opt", 0), 0);
	assert_int_equal(renameat(tree->fd, "usr", tree->fd, "real"), 0);
	tree_link(tree, "usr", "real");
	assert_int_equal(refusal(tree), REASON_MERGE_HIERARCHY);
}

static void knows_confexts(void **state)
{
	static const char release[] = "etc/extension-release.d/extension-release.a";
	const struct tree *tree = *state;

	tree_text(tree, RELEASE, "ID=_any\n"); /* of a sysext: says nothing of a confext */
	assert_int_equal(check_confext(tree), REASON_RELEASE_MISSING);
	tree_text(tree, release, "ID=debian\nVERSION_ID=13\nSYSEXT_SCOPE=initrd\n");
	assert_int_equal(check_confext(tree), REASON_ACCEPTED);
	tree_text(tree, release, "ID=_any\nCONFEXT_SCOPE=initrd\n");
	assert_int_equal(check_confext(tree), REASON_RELEASE_SCOPE);
	tree_text(tree, release, "ID=_any\n");
	/* What is not merged may be as it likes. */
	tree_text(tree, "opt", "a file");
	tree_text(tree, "usr/sbin/init", "x");
	tree_text(tree, "usr/lib/os-release", "x");
	assert_int_equal(check_confext(tree), REASON_ACCEPTED);
	assert_int_equal(renameat(tree->fd, "etc", tree->fd, "real"), 0);
	tree_link(tree, "etc", "real");
	assert_int_equal(check_confext(tree), REASON_MERGE_HIERARCHY);
}

static void refuses_confexts_that_are_more(void **state)
{
	static const struct {
		const char *path;
		enum reason reason;
	} rows[] = { { "etc/os-release", REASON_MERGE_OS_RELEASE },
		     { "etc/initrd-release", REASON_MERGE_OS_RELEASE },
		     { "etc/verity.d", REASON_MERGE_TRUST },
		     { "etc/.systemd-confext", REASON_MERGE_MARKER } };
	const struct tree *tree = *state;

	tree_text(tree, "etc/extension-release.d/extension-release.a", "ID=_any\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tree_link(tree, rows[i].path, "nowhere");
		assert_int_equal(check_confext(tree), rows[i].reason);
		assert_string_equal(detail_bytes, rows[i].path);
		assert_int_equal(unlinkat(tree->fd, rows[i].path, 0), 0);
	}
	/* The link that every system has there. */
	tree_link(tree, "etc/os-release", "../usr/lib/os-release");
	assert_int_equal(check_confext(tree), REASON_ACCEPTED);
	tree_link(tree, "etc/initrd-release", "../usr/lib/os-release");
	assert_int_equal(check_confext(tree), REASON_MERGE_OS_RELEASE);
}

static void reads_the_hosts_release(void **state)
{
	const struct tree *tree = *state;
	struct content_host found;
	struct verdict v = content_read_host(tree->fd, &found);

	assert_int_equal(v.reason, REASON_RELEASE_HOST);
	assert_int_equal(v.sys_errno, ENOENT);
	tree_text(tree, "usr/lib/os-release", "ID=below\n");
	assert_int_equal(content_read_host(tree->fd, &found).reason, REASON_ACCEPTED);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.release[0].id, "below");
	tree_link(tree, "etc/os-release", "../usr/lib/os-release");
	assert_int_equal(content_read_host(tree->fd, &found).reason, REASON_ACCEPTED);
	assert_int_equal(unlinkat(tree->fd, "etc/os-release", 0), 0);
	tree_text(tree, "etc/os-release", "ID=above\n");
	assert_int_equal(content_read_host(tree->fd, &found).reason, REASON_ACCEPTED);
	assert_int_equal(found.count, 2);
	assert_string_equal(found.release[0].id, "below");
	assert_string_equal(found.release[1].id, "above");
	/* A bad one is not passed over. */
	tree_text(tree, "etc/os-release", "above");
	assert_int_equal(content_read_host(tree->fd, &found).reason, REASON_RELEASE_HOST);
	tree_text(tree, "etc/os-release", "ID=above\n");
	tree_text(tree, "usr/lib/os-release", "below");
	assert_int_equal(content_read_host(tree->fd, &found).reason, REASON_RELEASE_HOST);
	assert_int_equal(unlinkat(tree->fd, "usr/lib/os-release", 0), 0);
	assert_int_equal(content_read_host(tree->fd, &found).reason, REASON_ACCEPTED);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.release[0].id, "above");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(must_fit_each_os_release, set_up, tear_down),
		cmocka_unit_test_setup_teardown(accepts_an_extension, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wants_a_release_of_the_same_name, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(follows_release_links_inside_only, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(wants_it_to_be_a_small_regular_file, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(wants_it_to_fit_the_host, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_an_operating_system, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_more_trust, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_another_init, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_the_mark_of_a_merge, set_up, tear_down),
		cmocka_unit_test_setup_teardown(finds_who_wants_a_reload, set_up, tear_down),
		cmocka_unit_test_setup_teardown(takes_a_release_that_is_not_strict, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(wants_a_name_of_a_release_that_is_not_strict,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_hierarchies_that_are_none, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(knows_confexts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_confexts_that_are_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reads_the_hosts_release, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("content", tests, NULL, NULL);
}
