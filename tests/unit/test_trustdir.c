/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys/trustdir: the files of a directory as a worker reads them, and a worker that says what cannot
 * be.
 */
#include "sys/trustdir.h"

#include <errno.h>

#include "test.h"
#include "tree.h"

#define PLACE "etc/verity.d"

static int set_up(void **state)
{
	*state = tree_make();
	tree_directory(*state, PLACE);
	return 0;
}

static int tear_down(void **state)
{
	tree_remove(*state);
	return 0;
}

static void put(const struct tree *tree, const char *name, const void *bytes, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), PLACE "/%s", name);
	tree_file(tree, path, bytes, size);
}

static struct trustdir *load(const struct tree *tree, const char *path)
{
	struct trustdir *dir = trustdir_load(tree->fd, path, false);

	assert_non_null(dir);
	return dir;
}

static void reads_what_is_there(void **state)
{
	static uint8_t bytes[TRUSTDIR_FILE_MAX], large[TRUSTDIR_FILE_MAX + 1] = { 7 };
	struct trustdir *dir;
	size_t size;

	put(*state, "b.crt", "bytes", 5);
	put(*state, "a.crt", "", 0);
	put(*state, "full.crt", large, TRUSTDIR_FILE_MAX);
	put(*state, "large.crt", large, TRUSTDIR_FILE_MAX + 1);
	tree_link(*state, PLACE "/link.crt", "/b.crt");
	tree_link(*state, PLACE "/inside.crt", "/etc/verity.d/b.crt");
	assert_int_equal(mkfifoat(((struct tree *)*state)->fd, PLACE "/fifo.crt", 0644), 0);
	dir = load(*state, PLACE);
	assert_reason(dir->opened, ACCEPTED);
	assert_int_equal(dir->count, 7);
	assert_int_equal(dir->left_out, 0);
	assert_string_equal(dir->files[0].name, "a.crt");
	assert_reason(trustdir_read(dir, "a.crt", bytes, &size), ACCEPTED);
	assert_int_equal(size, 0);
	assert_reason(trustdir_read(dir, "b.crt", bytes, &size), ACCEPTED);
	assert_int_equal(size, 5);
	assert_memory_equal(bytes, "bytes", 5);
	assert_reason(trustdir_read(dir, "inside.crt", bytes, &size), ACCEPTED);
	assert_int_equal(size, 5);
	assert_reason(trustdir_read(dir, "full.crt", bytes, &size), ACCEPTED);
	assert_int_equal(size, TRUSTDIR_FILE_MAX);
	assert_memory_equal(bytes, large, TRUSTDIR_FILE_MAX);
	assert_reason(trustdir_read(dir, "large.crt", bytes, &size), ANCHOR_FILE);
	assert_reason(trustdir_read(dir, "fifo.crt", bytes, &size), ANCHOR_FILE);
	assert_int_equal(trustdir_read(dir, "link.crt", bytes, &size).sys_errno, ENOENT);
	assert_int_equal(trustdir_read(dir, "none.crt", bytes, &size).sys_errno, ENOENT);
	trustdir_free(dir);
}

static void takes_an_absent_directory_for_an_empty_one(void **state)
{
	struct trustdir *dir = load(*state, "run/verity.d");

	assert_reason(dir->opened, ACCEPTED);
	assert_int_equal(dir->count, 0);
	trustdir_free(dir);
}

static void tells_what_it_leaves_out(void **state)
{
	static const uint8_t large[TRUSTDIR_FILE_MAX];
	const uint32_t fit = TRUSTDIR_BYTES_MAX / TRUSTDIR_FILE_MAX;
	struct trustdir *dir;
	char name[32];

	for (uint32_t i = 0; i < fit + 2; i++) {
		snprintf(name, sizeof(name), "%02u.crt", i);
		put(*state, name, large, sizeof(large));
	}
	dir = load(*state, PLACE);
	assert_int_equal(dir->count, fit);
	assert_int_equal(dir->left_out, 2);
	trustdir_free(dir);
}

/* As if its worker had lied. */
static void refuses_what_is_out_of_bounds(void **state)
{
	static const struct {
		uint32_t at, size;
	} lies[] = {
		{ 0, TRUSTDIR_FILE_MAX + 1 },  { TRUSTDIR_BYTES_MAX, 1 },
		{ TRUSTDIR_BYTES_MAX - 4, 5 }, { TRUSTDIR_BYTES_MAX + 1, 0 },
		{ UINT32_MAX, UINT32_MAX },    { UINT32_MAX, 1 },
	};
	static uint8_t bytes[TRUSTDIR_FILE_MAX];
	struct trustdir *dir;
	size_t size = 99;

	put(*state, "a.crt", "bytes", 5);
	dir = load(*state, PLACE);
	for (size_t i = 0; i < COUNT(lies); i++) {
		dir->files[0].at = lies[i].at;
		dir->files[0].size = lies[i].size;
		assert_reason(trustdir_read(dir, "a.crt", bytes, &size), SYSTEM_WORKER);
		assert_int_equal(size, 99);
	}
	dir->files[0].at = TRUSTDIR_BYTES_MAX - 4;
	dir->files[0].size = 4;
	assert_reason(trustdir_read(dir, "a.crt", bytes, &size), ACCEPTED);
	trustdir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_what_is_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(takes_an_absent_directory_for_an_empty_one, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(tells_what_it_leaves_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_what_is_out_of_bounds, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("trustdir", tests, NULL, NULL);
}
