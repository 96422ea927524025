/* SPDX-License-Identifier: Apache-2.0 */
/* sys/shared: what a directory shows that root and images share. */
#include "scene.h"

#include <sys/time.h>

#include "core/erofs.h"
#include "sys/shared.h"

#define LABEL "security.selinux"
#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

/* Entries of user::rwx, user:7:r-x, group::r-x, mask::rwx, other::---, as getxattr(2) gives them: linux/posix_acl_xattr.h. */
static const uint8_t acl[] = {
	2,  0, 0, 0,			     /* version */
	1,  0, 7, 0, 0xff, 0xff, 0xff, 0xff, /* ACL_USER_OBJ */
	2,  0, 5, 0, 7,	   0,	 0,    0,    /* ACL_USER */
	4,  0, 5, 0, 0xff, 0xff, 0xff, 0xff, /* ACL_GROUP_OBJ */
	16, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, /* ACL_MASK */
	32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, /* ACL_OTHER */
};

static int open_in(int dir_fd, const char *path)
{
	const int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void set(int dir_fd, const char *path, const char *name, const void *value, size_t size)
{
	const int fd = open_in(dir_fd, path);

	assert_int_equal(fsetxattr(fd, name, value, size, 0), 0);
	close(fd);
}

static void set_text(int dir_fd, const char *path, const char *name, const char *value)
{
	set(dir_fd, path, name, value, strlen(value));
}

/* NULL: it has no such attribute. */
static void assert_attribute(int dir_fd, const char *path, const char *name, const void *value,
			     size_t size)
{
	const int fd = open_in(dir_fd, path);
	char found[4096];
	const ssize_t got = fgetxattr(fd, name, found, sizeof(found));

	close(fd);
	if (value == NULL) {
		assert_int_equal(got, -1);
		assert_true(errno == ENODATA || errno == ENOTSUP);
		return;
	}
	assert_int_equal(got, size);
	assert_memory_equal(found, value, size);
}

static void assert_text(int dir_fd, const char *path, const char *name, const char *value)
{
	assert_attribute(dir_fd, path, name, value, value ? strlen(value) : 0);
}

static void change(int dir_fd, const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	assert_int_equal(fchownat(dir_fd, path, uid, gid, 0), 0);
	assert_int_equal(fchmodat(dir_fd, path, mode, 0), 0);
}

static void assert_shows(int dir_fd, const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	struct stat st;

	assert_int_equal(fstatat(dir_fd, path, &st, 0), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 07777, mode);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, gid);
}

static void change_time(int dir_fd, const char *path, time_t seconds, long nanoseconds)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
					   { .tv_sec = seconds, .tv_nsec = nanoseconds } };

	assert_int_equal(utimensat(dir_fd, path, times, 0), 0);
}

static void assert_time(int dir_fd, const char *path, time_t seconds, long nanoseconds)
{
	struct stat st;

	assert_int_equal(fstatat(dir_fd, path, &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, seconds);
	assert_int_equal(st.st_mtim.tv_nsec, nanoseconds);
}

/* Admits them all and makes the overlay of a hierarchy. */
static struct verdict merge(struct scene *scene, enum hierarchy hierarchy, const struct node **at)
{
	for (size_t i = scene->count; i > 0; i--)
		admits(scene, (uint32_t)(i - 1));
	return overlay(scene, hierarchy, at);
}

static int merged(struct scene *scene, enum hierarchy hierarchy)
{
	const struct node *at;

	assert_reason(merge(scene, hierarchy, &at), ACCEPTED);
	assert_null(at);
	return scene->overlay[hierarchy];
}

/* An image is gone, and the overlay is made once more. */
static struct verdict merge_without(struct scene *scene, uint32_t layer, const struct node **at)
{
	memset(scene->layers[layer].has, 0, sizeof(scene->layers[layer].has));
	scene->round++;
	if (scene->overlay[HIERARCHY_USR] >= 0)
		close(scene->overlay[HIERARCHY_USR]);
	scene->overlay[HIERARCHY_USR] = -1;
	return overlay(scene, HIERARCHY_USR, at);
}

/* ---- mode and owner ------------------------------------------------------------------------ */

/* An image that was built under another umask, by another user. */
static void keeps_mode_and_owner_of_the_root(void **state)
{
	static const enum hierarchy hierarchies[] = { HIERARCHY_USR, HIERARCHY_OPT, HIERARCHY_ETC };
	struct scene *scene = *state;

	need_root(scene);
	enter_stage(scene);
	for (uint32_t i = 0; i < COUNT(hierarchies); i++) {
		const char *name = hierarchy_name(hierarchies[i]);
		char deep[32], file[32], mine[32];
		int over;

		snprintf(deep, sizeof(deep), "%s/a/b c\n/", name);
		snprintf(file, sizeof(file), "%s/a/b c\n/f", name);
		root_has(scene, deep);
		layer_has(scene, i, file);
		change(scene->root->fd, name, 0751, 1, 2);
		snprintf(deep, sizeof(deep), "%s/a", name);
		change(scene->root->fd, deep, 02775, 70000, 80000);
		snprintf(deep, sizeof(deep), "%s/a/b c\n", name);
		change(scene->root->fd, deep, 01777, 0, 0);
		snprintf(mine, sizeof(mine), "%u/%s", i, name);
		change(scene->stage.tree, mine, 0700, 500, 500);
		snprintf(mine, sizeof(mine), "%u/%s/a", i, name);
		change(scene->stage.tree, mine, 0700, 500, 500);
		snprintf(mine, sizeof(mine), "%u/%s/a/b c\n", i, name);
		change(scene->stage.tree, mine, 0, 500, 500);
		admits(scene, i);
		scene->round++;
		assert_reason(overlay(scene, hierarchies[i], &(const struct node *){ NULL }),
			      ACCEPTED);
		over = scene->overlay[hierarchies[i]];
		assert_shows(over, ".", 0751, 1, 2);
		assert_shows(over, "a", 02775, 70000, 80000);
		assert_shows(over, "a/b c\n", 01777, 0, 0);
		assert_int_equal(faccessat(over, "a/b c\n/f", F_OK, 0), 0);
	}
}

/* What the root does not have is the lowest image's; what only one has is its own. */
static void takes_the_rest_from_the_lowest_image(void **state)
{
	struct scene *scene = *state;
	int over;

	need_root(scene);
	layer_has(scene, A, "usr/own/deep/a", "usr/a/x");
	layer_has(scene, B, "usr/own/deep/b");
	layer_has(scene, C, "usr/own/c");
	change(scene->stage.tree, "0/usr/own", 0700, 1, 1);
	change(scene->stage.tree, "1/usr/own", 0710, 2, 2);
	change(scene->stage.tree, "2/usr/own", 0711, 3, 3);
	change(scene->stage.tree, "0/usr/own/deep", 0700, 1, 1);
	change(scene->stage.tree, "1/usr/own/deep", 0750, 2, 2);
	change(scene->stage.tree, "0/usr/a", 0701, 4, 5);
	set_text(scene->stage.tree, "0/usr/own", LABEL, "of a");
	set_text(scene->stage.tree, "2/usr/own", LABEL, "of c");
	over = merged(scene, HIERARCHY_USR);
	assert_shows(over, "own", 0711, 3, 3);
	assert_text(over, "own", LABEL, "of c");
	assert_shows(over, "own/deep", 0750, 2, 2);
	assert_shows(over, "a", 0701, 4, 5);
}

/* ---- time ---------------------------------------------------------------------------------- */

static void shows_the_newest_time(void **state)
{
	struct scene *scene = *state;
	struct stat st;
	int over;

	need_root(scene);
	root_has(scene, "usr/root/", "usr/image/", "usr/same/");
	layer_has(scene, A, "usr/root/a", "usr/image/a", "usr/same/a", "usr/own/a");
	layer_has(scene, B, "usr/root/b", "usr/image/b", "usr/own/b");
	change_time(scene->root->fd, "usr/root", 3000, 7);
	change_time(scene->stage.tree, "0/usr/root", 3000, 6);
	change_time(scene->stage.tree, "1/usr/root", 2999, 999999999);
	change_time(scene->root->fd, "usr/image", 1000, 0);
	change_time(scene->stage.tree, "0/usr/image", 4000, 1);
	change_time(scene->stage.tree, "1/usr/image", 4000, 2);
	change_time(scene->root->fd, "usr/same", 0, 0);
	change_time(scene->stage.tree, "0/usr/same", 0, 0);
	change_time(scene->stage.tree, "0/usr/own", 6000, 0);
	change_time(scene->stage.tree, "1/usr/own", 5000, 0);
	change_time(scene->root->fd, "usr", 1000, 0);
	change_time(scene->stage.tree, "0/usr", 1000, 0);
	over = merged(scene, HIERARCHY_USR);
	assert_time(over, "root", 3000, 7);
	assert_time(over, "image", 4000, 2);
	assert_time(over, "same", 0, 0);
	assert_time(over, "own", 6000, 0);
	/* That of the hierarchy is the merge's. */
	assert_int_equal(fstat(over, &st), 0);
	assert_in_range(st.st_mtim.tv_sec, time(NULL) - 60, time(NULL) + 60);
}

/* ---- attributes ---------------------------------------------------------------------------- */

static void keeps_labels_and_access_lists_of_the_root(void **state)
{
	struct scene *scene = *state;
	int over;

	need_root(scene);
	root_has(scene, "usr/a/b/", "usr/none/");
	layer_has(scene, A, "usr/a/b/file", "usr/none/file", "usr/own/file");
	set_text(scene->root->fd, "usr", LABEL, "u:r:usr_t:s0");
	set_text(scene->root->fd, "usr/a", LABEL, "u:r:a_t:s0");
	set(scene->root->fd, "usr/a", ACCESS, acl, sizeof(acl));
	set(scene->root->fd, "usr/a/b", DEFAULT, acl, sizeof(acl));
	set_text(scene->stage.tree, "0/usr/a", LABEL, "another");
	set_text(scene->stage.tree, "0/usr/none", LABEL, "another");
	set_text(scene->stage.tree, "0/usr/own", LABEL, "its own");
	set(scene->stage.tree, "0/usr/none", ACCESS, acl, sizeof(acl));
	over = merged(scene, HIERARCHY_USR);
	assert_text(over, ".", LABEL, "u:r:usr_t:s0");
	assert_text(over, ".systemd-sysext", LABEL, "u:r:usr_t:s0");
	assert_text(over, "a", LABEL, "u:r:a_t:s0");
	assert_attribute(over, "a", ACCESS, acl, sizeof(acl));
	assert_attribute(over, "a", DEFAULT, NULL, 0);
	assert_attribute(over, "a/b", DEFAULT, acl, sizeof(acl));
	assert_text(over, "none", LABEL, NULL);
	assert_attribute(over, "none", ACCESS, NULL, 0);
	assert_text(over, "own", LABEL, "its own");
	assert_shows(over, "a", 0770, 0, 0);
}

/* Those of users, where this kernel's tmpfs has any; never those that are orders, or bound to the file. */
static void keeps_what_is_no_order(void **state)
{
	struct scene *scene = *state;
	int shared;

	need_root(scene);
	root_has(scene, "usr/a/");
	layer_has(scene, A, "usr/a/file");
	set_text(scene->root->fd, "usr/a", "trusted.overlay.opaque", "y");
	set_text(scene->root->fd, "usr/a", "trusted.other", "y");
	set_text(scene->root->fd, "usr/a", "security.ima", "y");
	(void)merged(scene, HIERARCHY_USR);
	shared = open_in(scene->stage.tree, "shared-usr");
	assert_text(shared, "a", "trusted.overlay.opaque", NULL);
	assert_text(shared, "a", "trusted.other", NULL);
	assert_text(shared, "a", "security.ima", NULL);
	close(shared);
	set_text(scene->root->fd, "usr/a", "user.overlay.opaque", "y");
	set_text(scene->root->fd, "usr/a", "user.comment", "the root's");
	set_text(scene->stage.tree, "0/usr/a", "user.comment", "the image's");
	scene->round++;
	assert_reason(overlay(scene, HIERARCHY_USR, &(const struct node *){ NULL }), ACCEPTED);
	shared = open_in(scene->stage.tree, "shared-usr-1");
	assert_text(shared, "a", "user.overlay.opaque", NULL);
	assert_text(shared, "a", "user.comment", "the root's");
	close(shared);
}

static char large[4096];

/* Whoever else has attributes there, the label comes first, and what does not fit besides is left out. */
static void labels_come_first(void **state)
{
	struct scene *scene = *state;
	char name[32];
	int over;

	need_root(scene);
	root_has(scene, "usr/a/", "usr/names/");
	layer_has(scene, A, "usr/a/file", "usr/names/file");
	memset(large, 'x', sizeof(large));
	set(scene->root->fd, "usr/a", "user.a", large, 3900);
	set(scene->root->fd, "usr/a", "user.b", large, sizeof(large));
	set_text(scene->root->fd, "usr/a", LABEL, "u:r:a_t:s0");
	set(scene->root->fd, "usr/a", LABEL, large, 200);
	set(scene->root->fd, "usr/a", ACCESS, acl, sizeof(acl));
	/* More names than are looked through. */
	for (unsigned i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "user.attribute-%u", i);
		set_text(scene->root->fd, "usr/names", name, "");
	}
	set_text(scene->root->fd, "usr/names", LABEL, "u:r:names_t:s0");
	over = merged(scene, HIERARCHY_USR);
	assert_attribute(over, "a", LABEL, large, 200);
	assert_attribute(over, "a", ACCESS, acl, sizeof(acl));
	assert_text(over, "names", LABEL, "u:r:names_t:s0");
}

/* A label that is too large concerns the images that have the directory; without them it concerns nobody. */
static void tells_where_a_label_cannot_be_kept(void **state)
{
	struct scene *scene = *state;
	const struct node *at;

	need_root(scene);
	root_has(scene, "usr/a/large/below/deep/");
	layer_has(scene, A, "usr/a/large/below/deep/file", "usr/of a");
	layer_has(scene, B, "usr/a/file");
	memset(large, 'x', sizeof(large));
	set(scene->root->fd, "usr/a/large", LABEL, large, EROFS_XATTRS_MAX - 1);
	assert_reason(merge(scene, HIERARCHY_USR, &at), MERGE_ATTRIBUTES);
	assert_string_equal(scene->detail, "usr/a/large");
	assert_non_null(at);
	assert_string_equal(at->name, "large");
	assert_true(assembled_has(&scene->fit, A, HIERARCHY_USR, at));
	assert_false(assembled_has(&scene->fit, B, HIERARCHY_USR, at));
	assert_reason(merge_without(scene, A, &at), ACCEPTED);
	assert_int_equal(faccessat(scene->overlay[HIERARCHY_USR], "a/file", F_OK, 0), 0);
	assert_int_equal(faccessat(scene->overlay[HIERARCHY_USR], "of a", F_OK, 0), -1);
	assert_int_equal(faccessat(scene->overlay[HIERARCHY_USR], "a/large/below/deep", F_OK, 0),
			 0);
}

static void tells_where_a_label_is_larger_than_any(void **state)
{
	struct scene *scene = *state;
	const struct node *at;

	need_root(scene);
	layer_has(scene, A, "usr/file");
	memset(large, 'x', sizeof(large));
	set(scene->root->fd, "usr", LABEL, large, sizeof(large));
	assert_reason(merge(scene, HIERARCHY_USR, &at), MERGE_ATTRIBUTES);
	assert_string_equal(scene->detail, "usr/");
	assert_null(at->above);
}

/* ---- who is there -------------------------------------------------------------------------- */

/* Of directories that images alone had there is no trace, once those are gone; the rest have theirs. */
static void does_without_images_that_are_gone(void **state)
{
	struct scene *scene = *state;
	const struct node *at;
	int over;

	need_root(scene);
	layer_has(scene, A, "usr/both/deep/a", "usr/own/deep/a", "usr/a/x");
	layer_has(scene, B, "usr/both/deep/b", "usr/own/deep/b");
	layer_has(scene, C, "usr/both/deep/c");
	change(scene->stage.tree, "1/usr/both/deep", 0710, 1, 1);
	change(scene->stage.tree, "2/usr/both/deep", 0700, 2, 2);
	assert_shows(merged(scene, HIERARCHY_USR), "both/deep", 0700, 2, 2);
	assert_reason(merge_without(scene, C, &at), ACCEPTED);
	assert_shows(scene->overlay[HIERARCHY_USR], "both/deep", 0710, 1, 1);
	assert_reason(merge_without(scene, A, &at), ACCEPTED);
	assert_shows(scene->overlay[HIERARCHY_USR], "own/deep", 0755, 0, 0);
	assert_reason(merge_without(scene, B, &at), ACCEPTED);
	assert_int_equal(scene->overlay[HIERARCHY_USR], -1);
	layer_has(scene, D, "usr/d");
	admits(scene, D);
	scene->round++;
	assert_reason(overlay(scene, HIERARCHY_USR, &at), ACCEPTED);
	over = scene->overlay[HIERARCHY_USR];
	assert_int_equal(faccessat(over, "d", F_OK, 0), 0);
	assert_int_equal(faccessat(over, "both", F_OK, 0), -1);
	assert_int_equal(faccessat(over, "own", F_OK, 0), -1);
}

/* The mark is the root user's, whatever the hierarchy is. */
static void marks_the_merge(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "etc/");
	change(scene->root->fd, "etc", 0700, 9, 9);
	layer_has(scene, A, "etc/file");
	assert_shows(merged(scene, HIERARCHY_ETC), ".systemd-confext", 0755, 0, 0);
	assert_shows(scene->overlay[HIERARCHY_ETC], ".", 0700, 9, 9);
}

/* Thousands, and as deep as an image may be. */
static void takes_many_directories(void **state)
{
	enum {
		MANY = 3000
	};
	struct scene *scene = *state;
	char path[512] = "usr";
	int over;

	need_root(scene);
	for (unsigned i = 0; i < MANY; i++) {
		char one[64];

		snprintf(one, sizeof(one), "usr/many/%u/", i * 7919 % MANY);
		root_has(scene, one);
		layer_has(scene, A, one);
		one[strlen(one) - 1] = '\0';
		change(scene->root->fd, one, 0700 | (i % 64), i * 7919 % MANY, 0);
	}
	for (unsigned i = 1; i < FIT_DEPTH_MAX; i++)
		strcat(path, "/d");
	tree_directory(scene->root, path);
	change(scene->root->fd, path, 0701, 0, 0);
	strcat(path, "/");
	layer_has(scene, A, path);
	over = merged(scene, HIERARCHY_USR);
	for (unsigned i = 0; i < MANY; i++) {
		char one[64];

		snprintf(one, sizeof(one), "many/%u", i * 7919 % MANY);
		assert_shows(over, one, 0700 | (i % 64), i * 7919 % MANY, 0);
	}
	assert_shows(over, path + strlen("usr/"), 0701, 0, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_mode_and_owner_of_the_root),
		TEST(takes_the_rest_from_the_lowest_image),
		TEST(shows_the_newest_time),
		TEST(keeps_labels_and_access_lists_of_the_root),
		TEST(keeps_what_is_no_order),
		TEST(labels_come_first),
		TEST(tells_where_a_label_cannot_be_kept),
		TEST(tells_where_a_label_is_larger_than_any),
		TEST(does_without_images_that_are_gone),
		TEST(marks_the_merge),
		TEST(takes_many_directories),
	};

	return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
