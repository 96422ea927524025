/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys/users: processes that use an overlay which is mounted nowhere any more, each in its own way.
 */
#include "test.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "sys/mounts.h"
#include "sys/syscalls.h"
#include "sys/users.h"
#include "tree.h"

/* /over is the overlay, /other a tmpfs. */
struct scene {
	struct tree *tree;
	struct overlay_id overlay;
	char over[300], other[300];
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	char options[600];
	struct stat st;
	int fd;

	*state = scene;
	if (unshare(CLONE_NEWNS) < 0 || sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 0;
	scene->tree = tree_make();
	snprintf(scene->over, sizeof(scene->over), "%s/over", scene->tree->path);
	snprintf(scene->other, sizeof(scene->other), "%s/other", scene->tree->path);
	tree_text(scene->tree, "a/file", "of a");
	tree_directory(scene->tree, "b/directory");
	tree_directory(scene->tree, "over");
	tree_directory(scene->tree, "other");
	snprintf(options, sizeof(options), "lowerdir=%s/a:%s/b", scene->tree->path,
		 scene->tree->path);
	assert_int_equal(sys_mount("sysext", scene->over, "overlay", MS_RDONLY, options), 0);
	fd = open(scene->over, O_PATH | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	scene->overlay.minor = minor(st.st_dev);
	assert_true(mounts_id(fd, &scene->overlay.mount));
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	if (scene->tree != NULL)
		tree_remove(scene->tree);
	free(scene);
	return 0;
}

static void use_open(const struct scene *scene)
{
	(void)scene;
	assert_true(open("file", O_RDONLY) >= 0);
}

static void use_mapped(const struct scene *scene)
{
	const int fd = open("file", O_RDONLY);

	(void)scene;
	assert_true(mmap(NULL, 4, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	close(fd);
}

static void use_cwd(const struct scene *scene)
{
	(void)scene;
	assert_int_equal(chdir("directory"), 0);
}

static void use_root(const struct scene *scene)
{
	(void)scene;
	assert_int_equal(chroot("directory"), 0);
}

/* As a container has it: the overlay stays mounted there. */
static void use_mounted(const struct scene *scene)
{
	(void)scene;
	assert_int_equal(unshare(CLONE_NEWNS), 0);
}

/* Has in its namespace what has the number of an overlay by now. */
static void use_other(const struct scene *scene)
{
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(sys_mount("x", scene->other, "tmpfs", 0, NULL), 0);
	assert_int_equal(sys_mount("x", scene->over, "tmpfs", 0, NULL), 0);
	assert_int_equal(sys_umount(scene->over, SYS_UMOUNT_DETACH), 0);
	assert_int_equal(sys_umount(scene->over, SYS_UMOUNT_DETACH), 0);
	assert_int_equal(chdir(scene->other), 0);
}

/*
 * A process that is called "user" and uses the overlay so; it begins in there, and stays there for
 * cwd only.
 */
static pid_t start(const struct scene *scene, void (*use)(const struct scene *scene))
{
	int ready[2];
	pid_t pid;
	char word;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_NAME, "user");
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (chdir(scene->over) < 0)
			_exit(1);
		use(scene);
		if (use != use_cwd && use != use_other && chdir("/proc") < 0 && chdir("..") < 0)
			_exit(1);
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &word, 1), 1);
	close(ready[0]);
	return pid;
}

static void stop(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void need_root(const struct scene *scene)
{
	if (scene->tree == NULL)
		skip();
}

static void expect_one(const struct scene *scene, pid_t pid, enum use use)
{
	static struct users users;

	users_find(&scene->overlay, 1, &users);
	assert_true(users.is_complete);
	assert_int_equal(users.left_out, 0);
	assert_int_equal(users.count, 1);
	assert_int_equal(users.list[0].pid, pid);
	assert_string_equal(users.list[0].name, "user");
	assert_true((users.list[0].uses & 1u << use) != 0);
}

static void expect_none(const struct overlay_id *overlay)
{
	static struct users users;

	users_find(overlay, 1, &users);
	assert_true(users.is_complete);
	assert_int_equal(users.count, 0);
}

static void detach(const struct scene *scene)
{
	assert_int_equal(sys_umount(scene->over, SYS_UMOUNT_DETACH), 0);
}

static void finds_each_use(void **state)
{
	static void (*const uses[USES])(const struct scene *scene) = {
		[USE_MAPPED] = use_mapped, [USE_OPEN] = use_open,	[USE_CWD] = use_cwd,
		[USE_ROOT] = use_root,	   [USE_MOUNTED] = use_mounted,
	};
	const struct scene *scene = *state;
	pid_t pids[USES];
	static struct users users;

	need_root(scene);
	for (unsigned i = 0; i < USES; i++)
		pids[i] = start(scene, uses[i]);
	detach(scene);
	users_find(&scene->overlay, 1, &users);
	assert_int_equal(users.count, USES);
	for (unsigned i = 0; i + 1 < USES; i++)
		stop(pids[i]);
	expect_one(scene, pids[USE_MOUNTED], USE_MOUNTED);
	stop(pids[USE_MOUNTED]);
	expect_none(&scene->overlay);
}

static void tells_them_apart(void **state)
{
	static const char *const names[USES] = { "mapped", "open", "cwd", "root", "mounted" };
	const struct scene *scene = *state;
	pid_t pid;

	need_root(scene);
	for (unsigned i = 0; i < USES; i++)
		assert_string_equal(use_name((enum use)i), names[i]);
	pid = start(scene, use_cwd);
	detach(scene);
	expect_one(scene, pid, USE_CWD);
	stop(pid);
}

/*
 * The number of what is gone is soon that of something else, which a process of another namespace
 * has mounted.
 */
static void knows_what_is_something_else_by_now(void **state)
{
	const struct scene *scene = *state;
	struct overlay_id other;
	char path[64];
	struct stat st;
	pid_t pid;

	need_root(scene);
	pid = start(scene, use_other);
	detach(scene);
	snprintf(path, sizeof(path), "/proc/%ld/cwd", (long)pid);
	assert_int_equal(stat(path, &st), 0);
	other = (struct overlay_id){ .minor = minor(st.st_dev), .mount = scene->overlay.mount };
	expect_none(&other);
	stop(pid);
}

static void passes_over_its_own(void **state)
{
	const struct scene *scene = *state;
	char name[USER_NAME_MAX] = "";
	pid_t pid;

	need_root(scene);
	pid = start(scene, use_open);
	detach(scene);
	expect_one(scene, pid, USE_OPEN);
	(void)prctl(PR_GET_NAME, name);
	(void)prctl(PR_SET_NAME, "user");
	expect_none(&scene->overlay);
	(void)prctl(PR_SET_NAME, name);
	stop(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_each_use, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tells_them_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(knows_what_is_something_else_by_now, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(passes_over_its_own, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}
