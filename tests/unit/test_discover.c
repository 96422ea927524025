/* SPDX-License-Identifier: Apache-2.0 */
/* sys/discover: which files are found, in which order, and what masks them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/discover.h"
#include "tree.h"

static char sector[512];

static const char *const paths[] = { "/etc/extensions",	    "/run/confexts",	 "/run/extensions",
				     "/var/lib/extensions", "/var/lib/confexts", "/.extra/sysext" };

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

static void put_image(const struct tree *tree, const char *path)
{
	tree_file(tree, path, sector, sizeof(sector));
}

static struct discovery found_of(uint32_t classes, const struct discover_roots *roots)
{
	struct discovery discovery;

	assert_int_equal(
		discover(roots, paths, sizeof(paths) / sizeof(paths[0]), classes, &discovery)
			.reason,
		REASON_ACCEPTED);
	return discovery;
}

static struct discovery found_with(const struct discover_roots *roots)
{
	return found_of(CLASSES_ALL, roots);
}

static struct discovery found(const struct tree *tree)
{
	return found_with(&(const struct discover_roots){ .root = tree->fd, .initrd = -1 });
}

static void expect(const struct candidate *candidate, const char *directory, const char *file,
		   enum candidate_state state, enum reason reason)
{
	assert_string_equal(candidate->directory, directory);
	assert_string_equal(candidate->file, file);
	assert_int_equal(candidate->state, state);
	assert_int_equal(candidate->verdict.reason, reason);
	assert_int_equal(candidate->image.fd, -1); /* a worker opens it */
}

static void finds_nothing_in_an_empty_root(void **state)
{
	struct discovery d = found(*state);

	assert_int_equal(d.count, 0);
	assert_int_equal(d.left_out, 0);
	assert_int_equal(d.trouble.reason, REASON_ACCEPTED);
	discovery_free(&d);
}

static void finds_images_in_order(void **state)
{
	struct discovery d;

	put_image(*state, "var/lib/extensions/c.raw");
	put_image(*state, "var/lib/extensions/a.raw");
	put_image(*state, "run/extensions/z.raw");
	put_image(*state, "usr/share/x.raw");
	tree_link(*state, "etc/extensions/linked.raw", "/usr/share/x.raw");
	tree_text(*state, "etc/extensions/README", "not an image");
	put_image(*state, "etc/extensions/.raw");
	put_image(*state, "etc/extensions/a.raw.bak");
	d = found(*state);
	assert_int_equal(d.count, 4);
	expect(&d.candidates[0], "/etc/extensions", "linked.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	assert_string_equal(d.candidates[0].image.name, "linked");
	expect(&d.candidates[1], "/run/extensions", "z.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	expect(&d.candidates[2], "/var/lib/extensions", "a.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	expect(&d.candidates[3], "/var/lib/extensions", "c.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	discovery_free(&d);
}

static void refuses_by_name_only(void **state)
{
	const struct tree *tree = *state;
	struct discovery d;

	put_image(tree, "etc/extensions/good.raw");
	put_image(tree, "etc/extensions/bad name.raw");
	put_image(tree, "etc/extensions/\x1b[31m.raw");
	tree_text(tree, "etc/extensions/empty.raw", "");
	tree_directory(tree, "etc/extensions/directory.raw");
	tree_link(tree, "etc/extensions/gone.raw", "nowhere");
	assert_int_equal(mkfifoat(tree->fd, "etc/extensions/fifo.raw", 0644), 0);
	d = found(tree);
	assert_int_equal(d.count, 7);
	expect(&d.candidates[0], "/etc/extensions", "\x1b[31m.raw", CANDIDATE_REFUSED,
	       REASON_IMAGE_NAME);
	expect(&d.candidates[1], "/etc/extensions", "bad name.raw", CANDIDATE_REFUSED,
	       REASON_IMAGE_NAME);
	assert_string_equal(d.candidates[1].name, "");
	expect(&d.candidates[2], "/etc/extensions", "directory.raw", CANDIDATE_FOUND,
	       REASON_ACCEPTED);
	expect(&d.candidates[3], "/etc/extensions", "empty.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	expect(&d.candidates[4], "/etc/extensions", "fifo.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	expect(&d.candidates[5], "/etc/extensions", "gone.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	expect(&d.candidates[6], "/etc/extensions", "good.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	discovery_free(&d);
}

static void lets_the_first_of_a_name_win(void **state)
{
	struct discovery d;

	put_image(*state, "etc/extensions/a.raw");
	put_image(*state, "run/extensions/a.sysext.raw");
	put_image(*state, "var/lib/extensions/a.raw");
	tree_text(*state, "etc/extensions/bad.raw", "bad");
	put_image(*state, "var/lib/extensions/bad.raw");
	d = found(*state);
	assert_int_equal(d.count, 5);
	expect(&d.candidates[0], "/etc/extensions", "a.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	expect(&d.candidates[1], "/etc/extensions", "bad.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	expect(&d.candidates[2], "/run/extensions", "a.sysext.raw", CANDIDATE_PASSED_OVER,
	       REASON_MERGE_DUPLICATE);
	expect(&d.candidates[3], "/var/lib/extensions", "a.raw", CANDIDATE_PASSED_OVER,
	       REASON_MERGE_DUPLICATE);
	/* A bad one is not replaced by what comes later either. */
	expect(&d.candidates[4], "/var/lib/extensions", "bad.raw", CANDIDATE_PASSED_OVER,
	       REASON_MERGE_DUPLICATE);
	discovery_free(&d);
}

static void keeps_the_classes_apart(void **state)
{
	struct discovery d;

	put_image(*state, "run/confexts/a.confext.raw");
	put_image(*state, "run/confexts/b.sysext.raw");
	put_image(*state, "var/lib/confexts/a.raw");
	put_image(*state, "var/lib/confexts/m.raw");
	put_image(*state, "var/lib/extensions/a.raw");
	put_image(*state, "var/lib/extensions/m.raw");
	tree_directory(*state, "etc/extensions/m"); /* masks the sysext only */
	d = found(*state);
	assert_int_equal(d.count, 6);
	expect(&d.candidates[0], "/var/lib/extensions", "a.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	expect(&d.candidates[1], "/var/lib/extensions", "m.raw", CANDIDATE_PASSED_OVER,
	       REASON_MERGE_MASKED);
	expect(&d.candidates[2], "/run/confexts", "a.confext.raw", CANDIDATE_FOUND,
	       REASON_ACCEPTED);
	expect(&d.candidates[3], "/run/confexts", "b.sysext.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	expect(&d.candidates[4], "/var/lib/confexts", "a.raw", CANDIDATE_PASSED_OVER,
	       REASON_MERGE_DUPLICATE);
	expect(&d.candidates[5], "/var/lib/confexts", "m.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	assert_int_equal(d.candidates[0].image.class, CLASS_SYSEXT);
	assert_int_equal(d.candidates[2].image.class, CLASS_CONFEXT);
	assert_string_equal(d.candidates[2].image.name, "a");
	assert_string_equal(d.candidates[3].name, "b.sysext");
	discovery_free(&d);
}

/* Not even what is wrong with their directories. */
static void leaves_other_classes_alone(void **state)
{
	const struct tree *tree = *state;
	const struct discover_roots roots = { .root = tree->fd, .initrd = -1 };
	struct discovery d;

	put_image(tree, "etc/extensions/a.raw");
	put_image(tree, "run/confexts/b.raw");
	tree_text(tree, "var/lib/confexts", "a file");
	d = found_of(1u << CLASS_SYSEXT, &roots);
	assert_int_equal(d.count, 1);
	expect(&d.candidates[0], "/etc/extensions", "a.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	assert_int_equal(d.trouble.reason, REASON_ACCEPTED);
	discovery_free(&d);
	d = found_of(1u << CLASS_CONFEXT, &roots);
	assert_int_equal(d.count, 1);
	expect(&d.candidates[0], "/run/confexts", "b.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	assert_int_equal(d.trouble.reason, REASON_SYSTEM_READ);
	discovery_free(&d);
	d = found_of(0, &roots);
	assert_int_equal(d.count, 0);
	discovery_free(&d);
}

static void looks_beside_the_kernel_in_the_initrd_only(void **state)
{
	const struct tree *tree = *state;
	struct discover_roots roots = { .root = tree->fd };
	struct discovery d;

	put_image(tree, ".extra/sysext/root.raw");
	put_image(tree, "initrd/.extra/sysext/a.raw");
	put_image(tree, "initrd/.extra/sysext/b.raw");
	put_image(tree, "initrd/etc/extensions/c.raw");
	put_image(tree, "etc/extensions/a.raw");
	roots.initrd = openat(tree->fd, "initrd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	d = found_with(&roots);
	close(roots.initrd);
	assert_int_equal(d.count, 3);
	expect(&d.candidates[0], "/etc/extensions", "a.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	expect(&d.candidates[1], "/.extra/sysext", "a.raw", CANDIDATE_PASSED_OVER,
	       REASON_MERGE_DUPLICATE);
	expect(&d.candidates[2], "/.extra/sysext", "b.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	assert_false(candidate_is_extra(&d.candidates[0]));
	assert_true(candidate_is_extra(&d.candidates[2]));
	discovery_free(&d);
	d = found(tree);
	assert_int_equal(d.count, 1);
	discovery_free(&d);
}

static const char *in_etc(const struct tree *tree, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/etc/extensions/%s", tree->path, name);
	return path;
}

static void put_directory(const struct tree *tree, const char *name)
{
	tree_directory(tree, "etc/extensions");
	assert_int_equal(mkdir(in_etc(tree, name), 0755), 0);
}

/* systemd would take the newest of what is in there. */
static void is_masked_by_versioned_directories(void **state)
{
	static const char *const masks[] = { "a.v", "a.raw.v", "a.sysext.raw.v" };
	static const char *const others[] = { "b.v", ".v", "av", "a.w", "a.v.v" };
	struct discovery d;

	put_image(*state, "var/lib/extensions/a.raw");
	put_directory(*state, "v");
	d = found(*state);
	assert_null(d.versioned_at);
	discovery_free(&d);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		put_directory(*state, others[i]);
	d = found(*state);
	assert_int_equal(d.count, 1);
	expect(&d.candidates[0], "/var/lib/extensions", "a.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	discovery_free(&d);
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		put_directory(*state, masks[i]);
		d = found(*state);
		assert_int_equal(d.count, 1);
		expect(&d.candidates[0], "/var/lib/extensions", "a.raw", CANDIDATE_PASSED_OVER,
		       REASON_MERGE_MASKED);
		assert_string_equal(d.versioned_at, "/etc/extensions");
		discovery_free(&d);
		rmdir(in_etc(*state, masks[i]));
	}
}

static void keeps_masks(void **state)
{
	struct discovery d;

	tree_directory(*state, "etc/extensions/masked");
	tree_link(*state, "etc/extensions/nulled.raw", "/dev/null");
	tree_text(*state, "run/extensions/tree/usr/bin/x", "a directory extension");
	put_image(*state, "etc/extensions/early.raw");
	tree_directory(*state, "run/extensions/early");
	put_image(*state, "var/lib/extensions/early.raw");
	put_image(*state, "var/lib/extensions/masked.raw");
	put_image(*state, "var/lib/extensions/nulled.raw");
	put_image(*state, "var/lib/extensions/tree.raw");
	d = found(*state);
	assert_int_equal(d.count, 5);
	expect(&d.candidates[0], "/etc/extensions", "early.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	expect(&d.candidates[1], "/var/lib/extensions", "early.raw", CANDIDATE_PASSED_OVER,
	       REASON_MERGE_DUPLICATE);
	expect(&d.candidates[2], "/var/lib/extensions", "masked.raw", CANDIDATE_PASSED_OVER,
	       REASON_MERGE_MASKED);
	expect(&d.candidates[3], "/var/lib/extensions", "nulled.raw", CANDIDATE_PASSED_OVER,
	       REASON_MERGE_MASKED);
	expect(&d.candidates[4], "/var/lib/extensions", "tree.raw", CANDIDATE_PASSED_OVER,
	       REASON_MERGE_MASKED);
	discovery_free(&d);
}

static void stays_inside_the_root(void **state)
{
	struct discovery d;

	put_image(*state, "srv/images/a.raw");
	tree_link(*state, "etc/extensions", "../../../../srv/images");
	tree_link(*state, "run/extensions", "/proc/self/cwd");
	d = found(*state);
	assert_int_equal(d.count, 1);
	expect(&d.candidates[0], "/etc/extensions", "a.raw", CANDIDATE_FOUND, REASON_ACCEPTED);
	discovery_free(&d);
}

static void tells_of_a_directory_it_cannot_read(void **state)
{
	struct discovery d;

	tree_text(*state, "etc/extensions", "a file");
	put_image(*state, "var/lib/extensions/a.raw");
	d = found(*state);
	assert_int_equal(d.trouble.reason, REASON_SYSTEM_READ);
	assert_int_equal(d.trouble.sys_errno, ENOTDIR);
	assert_string_equal(d.trouble_at, "/etc/extensions");
	assert_int_equal(d.count, 1);
	discovery_free(&d);
}

static void has_a_limit(void **state)
{
	struct discovery d;
	char path[64];

	for (unsigned i = 0; i < VEXT_IMAGES_MAX + 3; i++) {
		snprintf(path, sizeof(path), "etc/extensions/n%04u.raw", i);
		tree_text(*state, path, "");
	}
	put_image(*state, "var/lib/extensions/z.raw");
	d = found(*state);
	assert_int_equal(d.count, VEXT_IMAGES_MAX);
	assert_int_equal(d.left_out, 4);
	assert_string_equal(d.candidates[VEXT_IMAGES_MAX - 1].file, "n1023.raw");
	discovery_free(&d);
	assert_int_equal(d.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_nothing_in_an_empty_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(finds_images_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_by_name_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lets_the_first_of_a_name_win, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keeps_the_classes_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaves_other_classes_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(looks_beside_the_kernel_in_the_initrd_only, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(is_masked_by_versioned_directories, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(keeps_masks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stays_inside_the_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tells_of_a_directory_it_cannot_read, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(has_a_limit, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("discover", tests, NULL, NULL);
}
