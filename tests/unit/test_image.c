/* SPDX-License-Identifier: Apache-2.0 */
/* sys/image: what is opened, where links may lead, and what reading says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "sys/image.h"
#include "sys/syscalls.h"
#include "tree.h"

static char sector[512];

static int set_up(void **state)
{
	struct tree *tree = tree_make();

	memset(sector, 'x', sizeof(sector));
	tree_file(tree, "images/good.raw", sector, sizeof(sector));
	tree_text(tree, "empty.raw", "");
	tree_text(tree, "odd.raw", "not a sector");
	tree_directory(tree, "dir.raw");
	assert_int_equal(mkfifoat(tree->fd, "fifo.raw", 0644), 0);
	*state = tree;
	return 0;
}

static int tear_down(void **state)
{
	tree_remove(*state);
	return 0;
}

static struct verdict open_in(const struct tree *tree, const char *path, struct image *image)
{
	return image_open_in_root(tree->fd, path, NULL, IMAGE_FILES, image);
}

static enum reason refusal(const struct tree *tree, const char *path)
{
	struct image image = { .name = "before", .fd = -7 };
	const struct verdict v = open_in(tree, path, &image);

	if (is_accepted(v)) {
		image_close(&image);
		return v.reason;
	}
	assert_string_equal(image.name, "before");
	assert_int_equal(image.fd, -7);
	return v.reason;
}

static void opens_a_file(void **state)
{
	struct image image = IMAGE_NONE;

	assert_int_equal(open_in(*state, "/images/good.raw", &image).reason, REASON_ACCEPTED);
	assert_string_equal(image.name, "good");
	assert_int_equal(image.size, sizeof(sector));
	assert_int_equal(fcntl(image.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(image.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	image_close(&image);
	assert_int_equal(image.fd, -1);
}

static void takes_a_given_name(void **state)
{
	struct tree *tree = *state;
	struct image image = IMAGE_NONE;

	assert_int_equal(
		image_open_in_root(tree->fd, "images/good.raw", "other", IMAGE_FILES, &image)
			.reason,
		REASON_ACCEPTED);
	assert_string_equal(image.name, "other");
	image_close(&image);
	assert_int_equal(
		image_open_in_root(tree->fd, "images/good.raw", "bad name", IMAGE_FILES, &image)
			.reason,
		REASON_IMAGE_NAME);
}

static void refuses_what_is_no_image(void **state)
{
	assert_int_equal(refusal(*state, "none.raw"), REASON_IMAGE_OPEN);
	assert_int_equal(refusal(*state, "empty.raw"), REASON_IMAGE_EMPTY);
	assert_int_equal(refusal(*state, "odd.raw"), REASON_IMAGE_SIZE);
	assert_int_equal(refusal(*state, "dir.raw"), REASON_IMAGE_TYPE);
	assert_int_equal(refusal(*state, "fifo.raw"), REASON_IMAGE_TYPE); /* and does not hang */
	assert_int_equal(refusal(*state, "a b.raw"), REASON_IMAGE_NAME);
}

static void follows_links_inside_the_root(void **state)
{
	tree_link(*state, "absolute.raw", "/images/good.raw");
	tree_link(*state, "upwards.raw", "../../../../images/good.raw");
	tree_link(*state, "chain.raw", "absolute.raw");
	assert_int_equal(refusal(*state, "absolute.raw"), REASON_ACCEPTED);
	assert_int_equal(refusal(*state, "upwards.raw"), REASON_ACCEPTED);
	assert_int_equal(refusal(*state, "chain.raw"), REASON_ACCEPTED);
}

static void never_leaves_the_root(void **state)
{
	struct tree *tree = *state;
	char outside[512];

	tree_link(tree, "loop.raw", "loop.raw");
	assert_int_equal(refusal(tree, "loop.raw"), REASON_IMAGE_OPEN);
	tree_link(tree, "null.raw", "/dev/null");
	assert_int_equal(refusal(tree, "null.raw"), REASON_IMAGE_OPEN);
	tree_link(tree, "magic.raw", "/proc/self/fd/0");
	assert_int_equal(refusal(tree, "magic.raw"), REASON_IMAGE_OPEN);
	/* The root itself is there outside of the root, not inside. */
	snprintf(outside, sizeof(outside), "%s/images/good.raw", tree->path);
	tree_link(tree, "outside.raw", outside);
	assert_int_equal(refusal(tree, "outside.raw"), REASON_IMAGE_OPEN);
}

/* Renames a file to and fro until it is killed. */
static _Noreturn void rename_for_ever(const struct tree *tree)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		renameat(tree->fd, "a", tree->fd, "b");
		renameat(tree->fd, "b", tree->fd, "a");
	}
}

/* The kernel gives up on ".." when anything at all was renamed meanwhile. */
static void opens_while_others_rename(void **state)
{
	struct tree *tree = *state;
	const pid_t child = fork();

	tree_file(tree, "etc/x", "x", 1);
	tree_file(tree, "usr/lib/os-release", "x", 1);
	tree_file(tree, "a", "x", 1);
	if (child == 0)
		rename_for_ever(tree);
	for (unsigned i = 0; i < 20000; i++) {
		const int fd = sys_openat2(tree->fd, "etc/../usr/lib/../lib/os-release",
					   O_RDONLY | O_CLOEXEC, RESOLVE_IN_ROOT);

		if (fd < 0)
			fail_msg("%u: %s", i, strerror(errno));
		close(fd);
	}
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void knows_where_links_led(void **state)
{
	struct tree *tree = *state;
	struct image image = IMAGE_NONE;

	tree_link(tree, "chain.raw", "absolute.raw");
	tree_link(tree, "absolute.raw", "/images/../images/good.raw");
	assert_int_equal(open_in(tree, "chain.raw", &image).reason, REASON_ACCEPTED);
	image_path_in_root(&image, tree->fd);
	assert_string_equal(image.path, "/images/good.raw");
	image_close(&image);
	/* Not in the root, and a name that is not plain. */
	tree_file(tree, "images/\"good.raw", sector, sizeof(sector));
	tree_link(tree, "quote.raw", "/images/\"good.raw");
	assert_int_equal(open_in(tree, "quote.raw", &image).reason, REASON_ACCEPTED);
	image_path_in_root(&image, tree->fd);
	assert_string_equal(image.path, "");
	image_path_in_root(&image, image.fd);
	assert_string_equal(image.path, "");
	image_close(&image);
}

static void opens_paths_as_the_user_means_them(void **state)
{
	struct tree *tree = *state;
	struct image image = IMAGE_NONE;
	char path[512];

	snprintf(path, sizeof(path), "%s/images/good.raw", tree->path);
	tree_link(tree, "link.raw", path);
	snprintf(path, sizeof(path), "%s/link.raw", tree->path);
	assert_int_equal(image_open_path(path, NULL, &image).reason, REASON_ACCEPTED);
	assert_string_equal(image.name, "link");
	image_close(&image);
	snprintf(path, sizeof(path), "%s/fifo.raw", tree->path);
	assert_int_equal(image_open_path(path, NULL, &image).reason, REASON_IMAGE_TYPE);
	assert_int_equal(image_open_path("/dev/null", "null", &image).reason, REASON_IMAGE_TYPE);
}

static void takes_8_eib_as_they_are(void **state)
{
	struct tree *tree = *state;
	struct image image = IMAGE_NONE;
	int fd;

	tree_file(tree, "sparse.raw", sector, sizeof(sector));
	fd = openat(tree->fd, "sparse.raw", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	/* Not every file system has such files; then the largest that it has. */
	for (int bits = 63; ftruncate(fd, (off_t)((UINT64_C(1) << bits) - 512)) < 0; bits--)
		assert_true(bits > 40);
	close(fd);
	assert_int_equal(open_in(tree, "sparse.raw", &image).reason, REASON_ACCEPTED);
	assert_true(image.size > (UINT64_C(1) << 40) && image.size <= VEXT_IMAGE_SIZE_MAX);
	assert_int_equal(image_reader(&image).read(&image, image.size - 4, sector, 8).reason,
			 REASON_IMAGE_TRUNCATED);
	assert_int_equal(image_reader(&image).read(&image, UINT64_MAX, sector, 8).reason,
			 REASON_IMAGE_TRUNCATED);
	image_close(&image);
}

static void reads_what_is_there(void **state)
{
	struct tree *tree = *state;
	struct image image = IMAGE_NONE;
	struct reader reader;
	char two[1024];
	struct verdict v;

	memset(two, 'a', 512);
	memset(two + 512, 'b', 512);
	tree_file(tree, "two.raw", two, sizeof(two));
	assert_int_equal(open_in(tree, "two.raw", &image).reason, REASON_ACCEPTED);
	reader = image_reader(&image);
	memset(two, 0, sizeof(two));
	assert_int_equal(reader.read(reader.ctx, 510, two, 4).reason, REASON_ACCEPTED);
	assert_memory_equal(two, "aabb", 4);
	assert_int_equal(reader.read(reader.ctx, 1024, two, 0).reason, REASON_ACCEPTED);
	v = reader.read(reader.ctx, 1000, two, 25);
	assert_int_equal(v.reason, REASON_IMAGE_TRUNCATED);
	assert_int_equal(v.at, 1000);
	/* Shortened behind our back. */
	tree_file(tree, "two.raw", sector, sizeof(sector));
	v = reader.read(reader.ctx, 500, two, 100);
	assert_int_equal(v.reason, REASON_IMAGE_TRUNCATED);
	assert_int_equal(v.at, 512);
	image_close(&image);
	v = reader.read(reader.ctx, 0, two, 1);
	assert_int_equal(v.reason, REASON_SYSTEM_READ);
	assert_int_equal(v.sys_errno, EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opens_a_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(takes_a_given_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_image, set_up, tear_down),
		cmocka_unit_test_setup_teardown(follows_links_inside_the_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(never_leaves_the_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(opens_while_others_rename, set_up, tear_down),
		cmocka_unit_test_setup_teardown(knows_where_links_led, set_up, tear_down),
		cmocka_unit_test_setup_teardown(opens_paths_as_the_user_means_them, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(takes_8_eib_as_they_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reads_what_is_there, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
