/* SPDX-License-Identifier: Apache-2.0 */
/* sys/overlay and sys/stage with real mounts: for root only, in a mount namespace of its own. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "sys/fit.h"
#include "sys/merged.h"
#include "sys/overlay.h"
#include "sys/syscalls.h"
#include "tree.h"

static const uint8_t hash_of_a[VEXT_HASH_SIZE] = { 0xaa };
static const uint8_t hash_of_b[VEXT_HASH_SIZE] = { 0xbb };
static const struct overlay_layer layers[] = {
	{ .name = "b", .has = { true, false }, .path = "/run/b.raw", .root_hash = hash_of_b },
	{ .name = "a", .has = { true, false }, .path = "/etc/a.raw", .root_hash = hash_of_a },
	{ .name = "c", .class = CLASS_CONFEXT, .has = { [HIERARCHY_ETC] = true }, .path = "" },
};

#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"
static const char origin[] = "{\"mutable\":{\"mode\":\"no\"},\"extensions\":{"
			     "\"b\":{\"path\":\"/run/b.raw\",\"verityHash\":\"bb" ZEROS "\"},"
			     "\"a\":{\"path\":\"/etc/a.raw\",\"verityHash\":\"aa" ZEROS "\"}}}\n";

static const uint8_t own_token[MERGES_TOKEN_SIZE] = { 1, 2, 3 };
static char in_the_way[MOUNTINFO_PATH_MAX];
static pid_t left;

struct scene {
	struct tree *root;
	struct stage stage;
	struct fit fit;
	unsigned round;
	int overlay;
};

static void layer_file(const struct scene *scene, const char *path, const char *text)
{
	struct tree tree = { .fd = scene->stage.tree };

	tree_text(&tree, path, text);
}

/* A root with something mounted below its /usr, and two layers on the stage. */
static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	char path[512];

	*state = scene;
	scene->stage = STAGE_NONE;
	scene->overlay = -1;
	if (unshare(CLONE_NEWNS) < 0 || sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 0;
	scene->root = tree_make();
	assert_int_equal(sys_mount("root", scene->root->path, "tmpfs", 0, "mode=0755"), 0);
	close(scene->root->fd);
	scene->root->fd = open(scene->root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	tree_text(scene->root, "usr/bin/host", "host");
	tree_text(scene->root, "usr/bin/same", "host");
	tree_directory(scene->root, "usr/share/a b");
	tree_directory(scene->root, "usrlocal");
	tree_text(scene->root, "etc/host.conf", "host");
	assert_int_equal(fchmodat(scene->root->fd, "usr", 0751, 0), 0);
	snprintf(path, sizeof(path), "%s/usr/share/a b", scene->root->path);
	assert_int_equal(sys_mount("below", path, "tmpfs", 0, NULL), 0);
	tree_text(scene->root, "usr/share/a b/inner/file", "below");
	snprintf(path, sizeof(path), "%s/usr/share/a b/inner", scene->root->path);
	assert_int_equal(sys_mount("inner", path, "tmpfs", 0, NULL), 0);
	tree_text(scene->root, "usr/share/a b/inner/file", "inner");
	snprintf(path, sizeof(path), "%s/usr", scene->root->path);
	assert_int_equal(setxattr(path, "security.selinux", "system_u:object_r:usr_t:s0", 27, 0),
			 0);
	assert_int_equal(stage_enter(scene->root->fd, &scene->stage).reason, REASON_ACCEPTED);
	layer_file(scene, "0/usr/bin/same", "b");
	layer_file(scene, "1/usr/bin/same", "a");
	layer_file(scene, "1/usr/bin/only", "a");
	layer_file(scene, "2/etc/c.conf", "c");
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	if (scene->overlay >= 0)
		close(scene->overlay);
	fit_free(&scene->fit);
	(void)stage_leave(&scene->stage);
	if (scene->root) {
		assert_int_equal(sys_umount(scene->root->path, SYS_UMOUNT_DETACH), 0);
		tree_remove(scene->root);
	}
	free(scene);
	return 0;
}

static void need_root(const struct scene *scene)
{
	if (scene->root == NULL)
		skip();
}

static void assert_holds(int dir_fd, const char *path, const char *text)
{
	char found[512] = { 0 };
	const int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, found, sizeof(found) - 1) >= 0);
	close(fd);
	assert_string_equal(found, text);
}

/* As execute_plan() does it: the lowest first. */
static struct verdict admit(struct scene *scene, const struct overlay_layer some[], size_t count)
{
	struct verdict v = verdict(REASON_ACCEPTED);
	struct notes notes = { 0 };
	char bytes[320];
	struct text text;

	text_init(&text, bytes, sizeof(bytes));
	fit_free(&scene->fit);
	scene->fit = (struct fit){ .stage = &scene->stage, .layers = some };
	for (size_t i = count; i > 0 && is_accepted(v); i--)
		v = fit_admit(&scene->fit, (uint32_t)(i - 1), &notes, &text);
	return v;
}

static struct verdict make_of(struct scene *scene, enum hierarchy hierarchy,
			      const struct overlay_layer some[], size_t count)
{
	const struct node *at;
	char bytes[320];
	struct text text;
	struct verdict v = admit(scene, some, count);
	const struct overlay overlay = { .stage = &scene->stage,
					 .hierarchy = hierarchy,
					 .layers = some,
					 .count = count,
					 .top = scene->fit.nodes.hierarchy[hierarchy],
					 .round = scene->round++,
					 .token = own_token };

	text_init(&text, bytes, sizeof(bytes));
	return is_accepted(v) ? overlay_make(&overlay, &text, &at, &scene->overlay) : v;
}

static struct verdict make(struct scene *scene)
{
	return make_of(scene, HIERARCHY_USR, layers, 3);
}

static void lays_images_over_the_root(void **state)
{
	struct scene *scene = *state;
	struct stat st;

	need_root(scene);
	assert_int_equal(make(scene).reason, REASON_ACCEPTED);
	assert_holds(scene->overlay, "bin/host", "host");
	assert_holds(scene->overlay, "bin/same", "b");
	assert_holds(scene->overlay, "bin/only", "a");
	assert_holds(scene->overlay, ".systemd-sysext/extensions", "a\nb\n");
	assert_holds(scene->overlay, ".systemd-sysext/origin", origin);
	assert_int_equal(fstat(scene->overlay, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0751);
	assert_int_equal(openat(scene->overlay, "bin/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644),
			 -1);
	assert_int_equal(errno, EROFS);
}

static void says_no_origin_where_a_path_is_not_known(void **state)
{
	struct overlay_layer some[] = { layers[0], layers[1] };
	struct scene *scene = *state;

	need_root(scene);
	some[1].path = "";
	assert_int_equal(make_of(scene, HIERARCHY_USR, some, 2).reason, REASON_ACCEPTED);
	assert_holds(scene->overlay, ".systemd-sysext/extensions", "a\nb\n");
	assert_int_equal(faccessat(scene->overlay, ".systemd-sysext/origin", F_OK, 0), -1);
}

static void merges_confexts_without_programs(void **state)
{
	struct scene *scene = *state;
	struct statvfs fs;

	need_root(scene);
	assert_int_equal(make_of(scene, HIERARCHY_ETC, layers, 3).reason, REASON_ACCEPTED);
	assert_holds(scene->overlay, "host.conf", "host");
	assert_holds(scene->overlay, "c.conf", "c");
	assert_holds(scene->overlay, ".systemd-confext/confexts", "c\n");
	assert_int_equal(fstatvfs(scene->overlay, &fs), 0);
	assert_int_equal(fs.f_flag & (ST_RDONLY | ST_NODEV | ST_NOSUID | ST_NOEXEC),
			 ST_RDONLY | ST_NODEV | ST_NOSUID | ST_NOEXEC);
	assert_int_equal(stage_leave(&scene->stage).reason, REASON_ACCEPTED);
	assert_int_equal(overlay_attach(scene->overlay, scene->root->fd, HIERARCHY_ETC).reason,
			 REASON_ACCEPTED);
	assert_int_equal(overlay_absent(scene->root->fd, HIERARCHY_ETC).reason,
			 REASON_MERGE_PRESENT);
	assert_int_equal(overlay_absent(scene->root->fd, HIERARCHY_USR).reason, REASON_ACCEPTED);
	overlay_detach(scene->overlay);
}

static void keeps_what_is_mounted_below(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	assert_int_equal(make(scene).reason, REASON_ACCEPTED);
	assert_holds(scene->overlay, "share/a b/inner/file", "inner");
}

static void keeps_the_label(void **state)
{
	struct scene *scene = *state;
	char label[64] = { 0 };
	int fd;

	need_root(scene);
	assert_int_equal(make(scene).reason, REASON_ACCEPTED);
	fd = openat(scene->overlay, ".", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(fd, "security.selinux", label, sizeof(label)), 27);
	close(fd);
	assert_string_equal(label, "system_u:object_r:usr_t:s0");
}

static struct merged read_usr(const struct scene *scene)
{
	struct merged merged;

	assert_int_equal(merged_read(scene->root->fd, HIERARCHY_USR, NULL, &merged).reason,
			 REASON_ACCEPTED);
	return merged;
}

static void tells_what_is_merged(void **state)
{
	static const char release[] = "0/usr/lib/extension-release.d/extension-release.b";
	struct scene *scene = *state;
	struct merged merged;

	need_root(scene);
	merged = read_usr(scene);
	assert_false(merged.is_merged);
	assert_int_equal(merged.names.count, 0);
	layer_file(scene, release, "ID=_any\nEXTENSION_RELOAD_MANAGER=1\n");
	assert_int_equal(make(scene).reason, REASON_ACCEPTED);
	assert_int_equal(stage_leave(&scene->stage).reason, REASON_ACCEPTED);
	assert_false(merged_wants_reload(scene->root->fd, 1u << CLASS_SYSEXT));
	assert_int_equal(overlay_attach(scene->overlay, scene->root->fd, HIERARCHY_USR).reason,
			 REASON_ACCEPTED);
	merged = read_usr(scene);
	assert_true(merged.is_merged);
	assert_true(merged.since > 1600000000);
	assert_int_equal(merged.names.count, 2);
	assert_string_equal(merged.names.names[0], "a");
	assert_true(merged_has(&merged, "b") && !merged_has(&merged, "c"));
	merged_free(&merged);
	assert_true(merged_wants_reload(scene->root->fd, 1u << CLASS_SYSEXT));
	assert_false(merged_wants_reload(scene->root->fd, 1u << CLASS_CONFEXT));
	overlay_detach(scene->overlay);
	assert_false(merged_wants_reload(scene->root->fd, 1u << CLASS_SYSEXT));
}

static enum overlay_owner owner_of_usr(const struct scene *scene, const uint8_t *token)
{
	enum overlay_owner owner = 0;

	assert_int_equal(overlay_owner(scene->root->fd, HIERARCHY_USR, token, &owner).reason,
			 REASON_ACCEPTED);
	return owner;
}

/* By the token alone: systemd's marks are the same in both. */
static void tells_who_has_merged(void **state)
{
	static const uint8_t other[MERGES_TOKEN_SIZE] = { 9 };
	struct scene *scene = *state;
	struct merged merged;

	need_root(scene);
	assert_int_equal(owner_of_usr(scene, own_token), OVERLAY_NOBODY);
	assert_int_equal(make(scene).reason, REASON_ACCEPTED);
	assert_int_equal(stage_leave(&scene->stage).reason, REASON_ACCEPTED);
	assert_int_equal(overlay_attach(scene->overlay, scene->root->fd, HIERARCHY_USR).reason,
			 REASON_ACCEPTED);
	assert_int_equal(owner_of_usr(scene, own_token), OVERLAY_VEXT);
	assert_int_equal(owner_of_usr(scene, other), OVERLAY_OTHER);
	assert_int_equal(owner_of_usr(scene, NULL), OVERLAY_OTHER);
	assert_int_equal(merged_read(scene->root->fd, HIERARCHY_USR, own_token, &merged).reason,
			 REASON_ACCEPTED);
	assert_true(merged.is_merged && merged.is_vexts);
	merged_free(&merged);
	merged = read_usr(scene);
	assert_true(merged.is_merged && !merged.is_vexts);
	merged_free(&merged);
	assert_false(overlay_is_ephemeral(scene->root->fd, HIERARCHY_USR));
	overlay_detach(scene->overlay);
}

/* Another overlay over vext's shows vext's files, the token among them; its device is not the one that they name. */
static void believes_no_token_below_another_overlay(void **state)
{
	struct scene *scene = *state;
	char options[2048], path[512];

	need_root(scene);
	assert_int_equal(make(scene).reason, REASON_ACCEPTED);
	assert_int_equal(stage_leave(&scene->stage).reason, REASON_ACCEPTED);
	assert_int_equal(overlay_attach(scene->overlay, scene->root->fd, HIERARCHY_USR).reason,
			 REASON_ACCEPTED);
	tree_directory(scene->root, "more");
	snprintf(path, sizeof(path), "%s/usr", scene->root->path);
	snprintf(options, sizeof(options), "lowerdir=%s/more:%s", scene->root->path, path);
	assert_int_equal(sys_mount("x", path, "overlay", MS_RDONLY, options), 0);
	assert_int_equal(owner_of_usr(scene, own_token), OVERLAY_NOBODY);
	assert_int_equal(sys_umount(path, SYS_UMOUNT_DETACH), 0);
	assert_int_equal(owner_of_usr(scene, own_token), OVERLAY_VEXT);
	overlay_detach(scene->overlay);
}

/* As where the upper layer of a mutable merge had a file of that name before. */
static void knows_a_merge_whose_mark_is_hidden(void **state)
{
	struct scene *scene = *state;
	char options[2048], path[512];
	bool removed;

	need_root(scene);
	assert_int_equal(stage_leave(&scene->stage).reason, REASON_ACCEPTED);
	tree_text(scene->root, "more/.systemd-sysext/dev", "nothing\n");
	snprintf(path, sizeof(path), "%s/usr", scene->root->path);
	snprintf(options, sizeof(options), "lowerdir=%s/more:%s", scene->root->path, path);
	assert_int_equal(sys_mount("confext", path, "overlay", MS_RDONLY, options), 0);
	assert_int_equal(owner_of_usr(scene, own_token), OVERLAY_NOBODY);
	assert_int_equal(sys_umount(path, SYS_UMOUNT_DETACH), 0);
	assert_int_equal(sys_mount("sysext", path, "overlay", MS_RDONLY, options), 0);
	assert_int_equal(owner_of_usr(scene, own_token), OVERLAY_OTHER);
	assert_int_equal(
		overlay_remove(scene->root->fd, HIERARCHY_USR, &removed, in_the_way, &left).reason,
		REASON_ACCEPTED);
	assert_true(removed);
	assert_int_equal(owner_of_usr(scene, own_token), OVERLAY_NOBODY);
}

static void appears_and_disappears_whole(void **state)
{
	struct scene *scene = *state;
	bool removed;

	need_root(scene);
	assert_int_equal(overlay_absent(scene->root->fd, HIERARCHY_USR).reason, REASON_ACCEPTED);
	assert_int_equal(make(scene).reason, REASON_ACCEPTED);
	assert_int_equal(stage_leave(&scene->stage).reason, REASON_ACCEPTED);
	assert_int_equal(overlay_attach(scene->overlay, scene->root->fd, HIERARCHY_USR).reason,
			 REASON_ACCEPTED);
	assert_holds(scene->root->fd, "usr/bin/only", "a");
	assert_holds(scene->root->fd, "usr/share/a b/inner/file", "inner");
	assert_int_equal(overlay_absent(scene->root->fd, HIERARCHY_USR).reason,
			 REASON_MERGE_PRESENT);
	assert_int_equal(
		overlay_remove(scene->root->fd, HIERARCHY_USR, &removed, in_the_way, &left).reason,
		REASON_ACCEPTED);
	assert_true(removed);
	assert_int_equal(
		overlay_remove(scene->root->fd, HIERARCHY_USR, &removed, in_the_way, &left).reason,
		REASON_ACCEPTED);
	assert_false(removed);
	assert_int_equal(overlay_absent(scene->root->fd, HIERARCHY_USR).reason, REASON_ACCEPTED);
	assert_int_equal(faccessat(scene->root->fd, "usr/bin/only", F_OK, 0), -1);
	assert_holds(scene->root->fd, "usr/share/a b/inner/file", "inner");
}

/* The device's number, as systemd-sysext would write it. */
static void forge_mark(struct scene *scene, const char *hierarchy, const char *mark)
{
	char path[64], line[64];
	struct stat st;

	assert_int_equal(fstatat(scene->root->fd, hierarchy, &st, 0), 0);
	snprintf(path, sizeof(path), "%s/%s/dev", hierarchy, mark);
	snprintf(line, sizeof(line), "%u:%u\n", major(st.st_dev), minor(st.st_dev));
	tree_text(scene->root, path, line);
}

/* On the root's file system, and on another that is mounted there. */
static void believes_no_mark_alone(void **state)
{
	struct scene *scene = *state;
	char path[512];

	need_root(scene);
	forge_mark(scene, "usr", ".systemd-sysext");
	forge_mark(scene, "etc", ".systemd-confext");
	assert_int_equal(overlay_absent(scene->root->fd, HIERARCHY_USR).reason, REASON_ACCEPTED);
	assert_int_equal(overlay_absent(scene->root->fd, HIERARCHY_ETC).reason, REASON_ACCEPTED);
	tree_directory(scene->root, "opt");
	snprintf(path, sizeof(path), "%s/opt", scene->root->path);
	assert_int_equal(sys_mount("opt", path, "tmpfs", 0, NULL), 0);
	forge_mark(scene, "opt", ".systemd-sysext");
	assert_int_equal(overlay_absent(scene->root->fd, HIERARCHY_OPT).reason, REASON_ACCEPTED);
}

/* Of a root that is an overlay as a whole, each directory is on one. */
static void believes_no_mark_within_an_overlay(void **state)
{
	struct scene *scene = *state;
	char options[2048], path[512];

	need_root(scene);
	tree_directory(scene->root, "upper");
	tree_directory(scene->root, "work");
	tree_text(scene->root, "lower/usr/file", "lower");
	tree_directory(scene->root, "merged");
	snprintf(options, sizeof(options), "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work",
		 scene->root->path, scene->root->path, scene->root->path);
	snprintf(path, sizeof(path), "%s/merged", scene->root->path);
	assert_int_equal(sys_mount("overlay", path, "overlay", 0, options), 0);
	close(scene->root->fd);
	scene->root->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	forge_mark(scene, "usr", ".systemd-sysext");
	assert_int_equal(overlay_absent(scene->root->fd, HIERARCHY_USR).reason, REASON_ACCEPTED);
}

/* An overlay that somebody has for a reason of his own. */
static void asks_a_mounted_overlay_for_its_mark(void **state)
{
	struct scene *scene = *state;
	char options[1024], path[512];

	need_root(scene);
	tree_directory(scene->root, "one");
	snprintf(options, sizeof(options), "lowerdir=%s/one:%s/usr", scene->root->path,
		 scene->root->path);
	snprintf(path, sizeof(path), "%s/usr", scene->root->path);
	assert_int_equal(sys_mount("overlay", path, "overlay", 0, options), 0);
	assert_int_equal(overlay_absent(scene->root->fd, HIERARCHY_USR).reason, REASON_ACCEPTED);
}

static void attach(struct scene *scene)
{
	assert_int_equal(make(scene).reason, REASON_ACCEPTED);
	assert_int_equal(stage_leave(&scene->stage).reason, REASON_ACCEPTED);
	assert_int_equal(overlay_attach(scene->overlay, scene->root->fd, HIERARCHY_USR).reason,
			 REASON_ACCEPTED);
}

static void assert_stays(const struct scene *scene, int error, bool any_removed)
{
	bool removed = !any_removed;
	const struct verdict v = overlay_remove(scene->root->fd, HIERARCHY_USR, &removed,
						in_the_way, &left);

	assert_int_equal(v.reason, REASON_MERGE_DETACH);
	assert_int_equal(v.sys_errno, error);
	assert_int_equal(removed, any_removed);
	assert_int_equal(overlay_absent(scene->root->fd, HIERARCHY_USR).reason,
			 REASON_MERGE_PRESENT);
}

static void stays_without_proc(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	attach(scene);
	assert_int_equal(sys_mount("hidden", "/proc", "tmpfs", 0, NULL), 0);
	assert_stays(scene, ENOENT, false);
	assert_int_equal(sys_umount("/proc", 0), 0);
}

/* In a process of its own, which is nobody's for good. */
static void stays_for_want_of_privileges(void **state)
{
	struct scene *scene = *state;
	int status;
	pid_t pid;

	need_root(scene);
	attach(scene);
	pid = fork();
	if (pid == 0) {
		bool removed = true;
		struct verdict v = { REASON_UNDECIDED, 0, 0 };

		/* A process that changes who it is may no longer read its own /proc/self/fd. */
		if (setresuid(65534, 65534, 65534) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0)
			v = overlay_remove(scene->root->fd, HIERARCHY_USR, &removed, in_the_way,
					   &left);
		_exit(v.reason == REASON_MERGE_DETACH && v.sys_errno == EPERM && !removed ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(overlay_absent(scene->root->fd, HIERARCHY_USR).reason,
			 REASON_MERGE_PRESENT);
}

/* As deep as it looks: 64 of them go, and the one below is told. */
static void takes_only_so_many_off(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	attach(scene);
	for (unsigned i = 0; i < 64; i++) {
		const int usr = openat(scene->root->fd, "usr", O_PATH | O_DIRECTORY | O_CLOEXEC);
		const int copy = sys_clone_mount(usr, "");

		assert_true(copy >= 0);
		assert_int_equal(sys_move_mount(copy, usr, ""), 0);
		close(copy);
		close(usr);
	}
	assert_stays(scene, EBUSY, true);
}

/* ---- what was mounted after the merge ------------------------------------------------------- */

static void mount_below(const struct scene *scene, const char *below, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", scene->root->path, below);
	assert_int_equal(sys_mount("late", path, "tmpfs", 0, NULL), 0);
	snprintf(path, sizeof(path), "%s/file", below);
	tree_text(scene->root, path, text);
}

static void unmount_below(const struct scene *scene, const char *below)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", scene->root->path, below);
	assert_int_equal(sys_umount(path, 0), 0);
}

static unsigned count_mounts(void)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	unsigned count = 0;

	assert_non_null(file);
	for (int c; (c = fgetc(file)) != EOF;)
		count += c == '\n';
	fclose(file);
	return count;
}

static struct verdict take_off(const struct scene *scene, bool *removed)
{
	in_the_way[0] = '\0';
	return overlay_remove(scene->root->fd, HIERARCHY_USR, removed, in_the_way, &left);
}

static void assert_in_the_way(const struct scene *scene, int error, const char *below)
{
	const unsigned mounts = count_mounts();
	char path[512];
	bool removed;
	struct verdict v = take_off(scene, &removed);

	snprintf(path, sizeof(path), "%s/%s", scene->root->path, below);
	assert_int_equal(v.reason, REASON_MERGE_MOUNTED);
	assert_int_equal(v.sys_errno, error);
	assert_string_equal(in_the_way, path);
	assert_false(removed);
	assert_int_equal(count_mounts(), mounts);
	assert_int_equal(overlay_absent(scene->root->fd, HIERARCHY_USR).reason,
			 REASON_MERGE_PRESENT);
	assert_holds(scene->root->fd, "usr/share/a b/inner/file", "inner");
}

/* On a mount of before the merge, and a file on a file. */
static void leaves_what_was_mounted_since(void **state)
{
	struct scene *scene = *state;
	char from[512], to[512];
	unsigned mounts;
	bool removed;

	need_root(scene);
	attach(scene);
	mounts = count_mounts();
	tree_directory(scene->root, "usr/share/a b/more");
	mount_below(scene, "usr/share/a b/more", "more");
	tree_text(scene->root, "file", "bound");
	snprintf(from, sizeof(from), "%s/file", scene->root->path);
	snprintf(to, sizeof(to), "%s/usr/bin/same", scene->root->path);
	assert_int_equal(sys_mount(from, to, NULL, MS_BIND, NULL), 0);
	assert_int_equal(take_off(scene, &removed).reason, REASON_ACCEPTED);
	assert_true(removed);
	assert_int_equal(overlay_absent(scene->root->fd, HIERARCHY_USR).reason, REASON_ACCEPTED);
	assert_holds(scene->root->fd, "usr/share/a b/more/file", "more");
	assert_holds(scene->root->fd, "usr/share/a b/inner/file", "inner");
	assert_holds(scene->root->fd, "usr/bin/same", "bound");
	assert_holds(scene->root->fd, "usr/bin/host", "host");
	/* Two more, and the overlay and two copies less. */
	assert_int_equal(count_mounts(), mounts + 2 - 3);
}

/* One that stands before its parent in the list, for it was moved there. */
static void finds_what_was_moved(void **state)
{
	struct scene *scene = *state;
	char from[512], to[512];
	bool removed;

	need_root(scene);
	tree_directory(scene->root, "old");
	attach(scene);
	mount_below(scene, "old", "moved");
	mount_below(scene, "usr/bin", "late");
	tree_directory(scene->root, "usr/bin/there");
	snprintf(from, sizeof(from), "%s/old", scene->root->path);
	snprintf(to, sizeof(to), "%s/usr/bin/there", scene->root->path);
	assert_int_equal(sys_mount(from, to, NULL, MS_MOVE, NULL), 0);
	assert_int_equal(take_off(scene, &removed).reason, REASON_ACCEPTED);
	assert_holds(scene->root->fd, "usr/bin/file", "late");
	assert_holds(scene->root->fd, "usr/bin/there/file", "moved");
}

static void stays_when_a_directory_is_an_extensions(void **state)
{
	struct scene *scene = *state;
	bool removed;

	need_root(scene);
	layer_file(scene, "0/usr/of b/file", "b");
	attach(scene);
	mount_below(scene, "usr/bin", "late");
	mount_below(scene, "usr/of b", "late");
	assert_in_the_way(scene, ENOENT, "usr/of b");
	assert_holds(scene->root->fd, "usr/of b/file", "late");
	unmount_below(scene, "usr/of b");
	assert_holds(scene->root->fd, "usr/of b/file", "b");
	assert_int_equal(take_off(scene, &removed).reason, REASON_ACCEPTED);
	assert_holds(scene->root->fd, "usr/bin/file", "late");
}

static void stays_when_a_mount_is_hidden(void **state)
{
	struct scene *scene = *state;
	bool removed;

	need_root(scene);
	attach(scene);
	mount_below(scene, "usr/bin", "hidden");
	mount_below(scene, "usr/bin", "above");
	assert_in_the_way(scene, EBUSY, "usr/bin");
	unmount_below(scene, "usr/bin");
	assert_int_equal(take_off(scene, &removed).reason, REASON_ACCEPTED);
	assert_holds(scene->root->fd, "usr/bin/file", "hidden");
}

static void stays_when_a_mount_may_not_be_copied(void **state)
{
	struct scene *scene = *state;
	char path[512];

	need_root(scene);
	attach(scene);
	mount_below(scene, "usr/bin", "late");
	snprintf(path, sizeof(path), "%s/usr/bin", scene->root->path);
	assert_int_equal(sys_mount(NULL, path, NULL, MS_UNBINDABLE, NULL), 0);
	assert_in_the_way(scene, EINVAL, "usr/bin");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lays_images_over_the_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(says_no_origin_where_a_path_is_not_known, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(merges_confexts_without_programs, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(keeps_what_is_mounted_below, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keeps_the_label, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tells_what_is_merged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tells_who_has_merged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(believes_no_token_below_another_overlay, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(knows_a_merge_whose_mark_is_hidden, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(appears_and_disappears_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(believes_no_mark_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(believes_no_mark_within_an_overlay, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(asks_a_mounted_overlay_for_its_mark, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(stays_without_proc, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stays_for_want_of_privileges, set_up, tear_down),
		cmocka_unit_test_setup_teardown(takes_only_so_many_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaves_what_was_mounted_since, set_up, tear_down),
		cmocka_unit_test_setup_teardown(finds_what_was_moved, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stays_when_a_directory_is_an_extensions, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(stays_when_a_mount_is_hidden, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stays_when_a_mount_may_not_be_copied, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
