/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the comparison of an image costs, counted in the system calls that take a path: on top of the two for each entry
 * of the image, one look at the root for each entry of a directory that the root has too, and nothing below others.
 */
#include "scene.h"

#include <linux/ptrace.h>
#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define OWN_DIRECTORIES 100u
#define OWN_FILES 180u	  /* in each of these */
#define SHARED_FILES 999u /* in each of the two directories that the root has */

/* usr: bin, share, lib; share: doc; lib: own; and what is in bin and doc. */
#define SHARED_ENTRIES (3u + 1u + 1u + 2u * SHARED_FILES)
#define OWN_ENTRIES (OWN_DIRECTORIES + OWN_DIRECTORIES * OWN_FILES)
#define ENTRIES (SHARED_ENTRIES + OWN_ENTRIES)
#define DIRECTORIES (6u + OWN_DIRECTORIES) /* usr, bin, share, share/doc, lib, lib/own */

/* <sys/ptrace.h> and <linux/ptrace.h> can't be included together. */
static long trace(long request, pid_t pid, uintptr_t address, void *data)
{
	return syscall(SYS_ptrace, request, pid, address, data);
}

/* ---- trees of 20,000 files ----------------------------------------------------------------- */

static void put_files(int tree, const char *path, const char *prefix, unsigned count)
{
	const int above = openat(tree, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[64];

	assert_true(above >= 0);
	for (unsigned i = 0; i < count; i++) {
		int fd;

		snprintf(name, sizeof(name), "%s%u", prefix, i);
		fd = openat(above, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		assert_true(fd >= 0);
		close(fd);
	}
	close(above);
}

/* `prefix` is that of the files in directories that the root has, half of which it has, too. */
static void put_image(struct scene *scene, uint32_t layer, const char *prefix)
{
	char path[64];

	layer_has(scene, layer, "usr/bin/", "usr/share/doc/", "usr/lib/own/");
	snprintf(path, sizeof(path), "%u/usr/bin", layer);
	put_files(scene->stage.tree, path, prefix, SHARED_FILES);
	snprintf(path, sizeof(path), "%u/usr/share/doc", layer);
	put_files(scene->stage.tree, path, prefix, SHARED_FILES);
	for (unsigned i = 0; i < OWN_DIRECTORIES; i++) {
		snprintf(path, sizeof(path), "%u/usr/lib/own/%u", layer, i);
		assert_int_equal(mkdirat(scene->stage.tree, path, 0755), 0);
		put_files(scene->stage.tree, path, "", OWN_FILES);
	}
}

static void put_root(struct scene *scene)
{
	root_has(scene, "usr/bin/", "usr/share/doc/", "usr/lib/");
	put_files(scene->root->fd, "usr/bin", "a", SHARED_FILES / 2);
	put_files(scene->root->fd, "usr/share/doc", "a", SHARED_FILES / 2);
	/* Nobody asks for any of these. */
	put_files(scene->root->fd, "usr/lib", "other", 1000);
}

/* ---- counting ------------------------------------------------------------------------------ */

enum place {
	ROOT,
	LAYER_0,
	LAYER_1,
	ELSEWHERE, /* a constant number, whatever is in the image */
	PLACES,
};

struct cost {
	unsigned looks[PLACES];	     /* stat, open, access and the like, of an entry */
	unsigned attributes[PLACES]; /* listxattr */
};

/* Where a descriptor of the process leads. */
static enum place place_of(pid_t pid, int fd)
{
	static const char *const tops[] = { "/run/root-usr", "/run/0/usr", "/run/1/usr" };
	char link[64], path[512];
	ssize_t size;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, fd);
	size = readlink(link, path, sizeof(path) - 1);
	path[size > 0 ? size : 0] = '\0';
	for (unsigned i = 0; i < COUNT(tops); i++)
		if (strncmp(path, tops[i], strlen(tops[i])) == 0 &&
		    (path[strlen(tops[i])] == '/' || path[strlen(tops[i])] == '\0'))
			return (enum place)(ROOT + i);
	return ELSEWHERE;
}

/* As much as is needed of a path. */
static void read_path(pid_t pid, uint64_t address, char path[64])
{
	struct iovec local = { path, 63 }, remote = { (void *)(uintptr_t)address, 63 };
	const ssize_t size = process_vm_readv(pid, &local, 1, &remote, 1, 0);

	path[size > 0 ? size : 0] = '\0';
}

static void count_look(pid_t pid, const struct ptrace_syscall_info *info, struct cost *cost)
{
	char path[64];

	read_path(pid, info->entry.args[1], path);
	if (path[0] == '\0') /* fstat(2), as some C libraries do it */
		return;
	/* By its path on the stage, too: what is read of another image. */
	if (strncmp(path, "0/usr", 5) == 0)
		cost->looks[LAYER_0]++;
	else if (strncmp(path, "1/usr", 5) == 0)
		cost->looks[LAYER_1]++;
	else
		cost->looks[path[0] == '/' ? ELSEWHERE : place_of(pid, (int)info->entry.args[0])]++;
}

/* "/proc/self/fd/N/name" */
static void count_attributes(pid_t pid, const struct ptrace_syscall_info *info, struct cost *cost)
{
	char path[64];

	read_path(pid, info->entry.args[0], path);
	cost->attributes[place_of(pid, atoi(path + strlen("/proc/self/fd/")))]++;
}

static void count_call(pid_t pid, const struct ptrace_syscall_info *info, struct cost *cost)
{
	switch (info->entry.nr) {
	case SYS_newfstatat:
	case SYS_statx:
	case SYS_openat:
	case SYS_openat2:
	case SYS_faccessat:
	case SYS_faccessat2:
	case SYS_readlinkat:
		count_look(pid, info, cost);
		return;
	case SYS_llistxattr:
		count_attributes(pid, info, cost);
		return;
#ifdef SYS_open
	case SYS_open:
	case SYS_stat:
	case SYS_lstat:
	case SYS_readlink:
	case SYS_access:
#endif
	case SYS_lgetxattr:
	case SYS_getxattr:
	case SYS_listxattr:
		cost->looks[ELSEWHERE]++;
		return;
	}
}

/* Until the process has ended; its status. */
static int follow(pid_t pid, struct cost *cost)
{
	struct ptrace_syscall_info info;
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(trace(PTRACE_SETOPTIONS, pid, 0,
			       (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
			 0);
	while (trace(PTRACE_SYSCALL, pid, 0, NULL) == 0 && waitpid(pid, &status, 0) == pid &&
	       WIFSTOPPED(status))
		if (WSTOPSIG(status) == (SIGTRAP | 0x80) &&
		    trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
		    info.op == PTRACE_SYSCALL_INFO_ENTRY)
			count_call(pid, &info, cost);
	return status;
}

/* What one more image costs. */
static struct cost cost_of(struct scene *scene, uint32_t layer)
{
	struct cost cost = { 0 };
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (trace(PTRACE_TRACEME, 0, 0, NULL) < 0)
			_exit(2);
		raise(SIGSTOP);
		_exit(is_accepted(admit(scene, layer)) ? 0 : 1);
	}
	assert_int_equal(follow(pid, &cost), 0);
	print_message(
		"# looks at the root: %u, at the images: %u, besides: %u; lists of attributes: %u\n",
		cost.looks[ROOT], cost.looks[LAYER_0] + cost.looks[LAYER_1], cost.looks[ELSEWHERE],
		cost.attributes[LAYER_0] + cost.attributes[LAYER_1]);
	return cost;
}

/* Protected places, each of which is looked for once in an image of /usr. */
static unsigned count_places(const struct scene *scene)
{
	const struct protect *protect = &scene->fit.protect;
	unsigned count = 0;

	for (size_t i = 0; i < protect->count; i++)
		count += protect->rules[i].hierarchy == HIERARCHY_USR &&
			 protect->rules[i].kind != PLACE_MOUNT;
	return count;
}

/* An image of next to nothing before it, so that what is done once for all images is done. */
static void one_look_at_the_root_for_each_shared_entry(void **state)
{
	struct scene *scene = *state;
	struct cost cost;

	need_root(scene);
	put_root(scene);
	layer_has(scene, B, "usr/lib/other0");
	put_image(scene, A, "a");
	admits(scene, B);
	cost = cost_of(scene, A);
	assert_true(ENTRIES >= 20000);
	assert_in_range(count_places(scene), 1, 100); /* whatever is in the image */
	assert_int_equal(cost.looks[ROOT], SHARED_ENTRIES);
	/* As before there was a comparison: a stat and a listxattr for each entry, and each directory is opened. */
	assert_int_equal(cost.looks[LAYER_0], ENTRIES + DIRECTORIES + count_places(scene));
	assert_int_equal(cost.attributes[LAYER_0], ENTRIES + 1);
	assert_int_equal(cost.looks[LAYER_1], 0);
	assert_int_equal(cost.attributes[ROOT] + cost.attributes[LAYER_1], 0);
	assert_in_range(cost.looks[ELSEWHERE], 0, 20);
}

/*
 * Of the other image each directory that both have is read once, and each entry that both have is looked at: a list may
 * say what it likes of an entry.
 */
static void one_more_open_for_each_directory_of_two_images(void **state)
{
	struct scene *scene = *state;
	struct cost cost;

	need_root(scene);
	put_root(scene);
	put_image(scene, B, "a");
	put_image(scene, A, "b");
	admits(scene, B);
	cost = cost_of(scene, A);
	assert_int_equal(cost.looks[ROOT], SHARED_ENTRIES);
	assert_int_equal(cost.looks[LAYER_0], ENTRIES + DIRECTORIES + count_places(scene));
	assert_int_equal(cost.attributes[LAYER_0], ENTRIES + 1);
	assert_int_equal(cost.looks[LAYER_1], OWN_DIRECTORIES + 1 + OWN_ENTRIES);
	assert_int_equal(cost.attributes[ROOT] + cost.attributes[LAYER_1], 0);
	assert_in_range(cost.looks[ELSEWHERE], 0, 20);
}

/* With a hundred times the root it is the same. */
static void no_look_at_what_the_root_has_besides(void **state)
{
	struct scene *scene = *state;
	struct cost small, large;

	need_root(scene);
	put_root(scene);
	layer_has(scene, B, "usr/lib/other0");
	layer_has(scene, A, "usr/bin/tool", "usr/lib/own/file");
	admits(scene, B);
	small = cost_of(scene, A);
	put_files(scene->root->fd, "usr/bin", "more", 20000);
	large = cost_of(scene, A);
	assert_memory_equal(&small, &large, sizeof(small));
	assert_int_equal(small.looks[ROOT], 2 + 1 + 1); /* bin, lib, bin/tool, lib/own */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_look_at_the_root_for_each_shared_entry),
		TEST(one_more_open_for_each_directory_of_two_images),
		TEST(no_look_at_what_the_root_has_besides),
	};

	return cmocka_run_group_tests_name("cost", tests, NULL, NULL);
}
