/* SPDX-License-Identifier: Apache-2.0 */
/* sys/fit, sys/protect, sys/assembled: images and roots that nobody's tools would make. */
#include "scene.h"

#include <sys/mman.h>

#include "core/erofs.h"
#include "sys/loop.h"
#include "sys/mount.h"

#define GENERATORS "usr/lib/systemd/system-generators"

/* ---- where PID 1's libraries are looked for -------------------------------------------------- */

/* The RUNPATH of systemd comes before all other places, and what is found there is in PID 1. */
static void links_where_init_finds_its_libraries_must_lead_inside(void **state)
{
	static const char *const places[] = { "usr/lib/systemd", "usr/lib64/systemd",
					      "usr/lib/x86_64-linux-gnu/systemd",
					      "usr/lib/aarch64-linux-gnu/systemd" };
	struct scene *scene = *state;
	char path[128], wanted[128];
	uint32_t layer;

	need_root(scene);
	for (size_t i = 0; i < COUNT(places); i++) {
		snprintf(path, sizeof(path), "%s/libsystemd-shared.so", places[i]);
		root_has(scene, path);
	}
	enter_stage(scene);
	for (uint32_t i = 0; i < COUNT(places); i++) {
		snprintf(path, sizeof(path), "%s/libselinux.so.1 -> /var/x", places[i]);
		layer_has(scene, i, path);
		admits(scene, i);
		assert_reason(check_links_again(scene, &layer), MERGE_LINK);
		assert_int_equal(layer, i);
		memset(scene->layers[i].has, 0, sizeof(scene->layers[i].has));
		snprintf(path, sizeof(path), "%s/libsystemd-shared.so", places[i]);
		layer_has(scene, 10 + i, path);
		snprintf(wanted, sizeof(wanted), "%s is a file in the image", path);
		refuses(scene, 10 + i, MERGE_PROTECTED, wanted);
		/* ld.so looks there first of all. */
		snprintf(path, sizeof(path), "%s/glibc-hwcaps/x86-64-v3/libselinux.so.1 -> /var/x",
			 places[i]);
		layer_has(scene, 20 + i, path);
		assert_reason(admit(scene, 20 + i), MERGE_PROTECTED);
	}
}

/* ---- links by way of what others may write ---------------------------------------------------- */

static void links_must_not_pass_through_the_outside(void **state)
{
	static const struct {
		const char *text;
		bool is_good;
	} rows[] = {
		{ "/var/by", false }, /* a link to usr/bin/tool, today */
		{ "/etc/alternatives/t", false },
		{ "/var/dir/../../usr/bin/tool", false },
		{ "/usr/local/by", false }, /* of another mount */
		{ "/bin/tool", true },	    /* by a link in the root itself */
		{ "/sbin/tool", true },	    /* by one in what is beside /usr */
		{ "/var/../usr/bin/tool", true },
		{ "../../../bin/tool", true },
	};
	struct scene *scene = *state;
	char link[128];
	uint32_t layer;

	need_root(scene);
	root_has(scene, GENERATORS "/", "usr/bin/tool", "bin -> usr/bin",
		 "sbin/tool -> ../usr/bin/tool", "var/dir/", "var/by -> /usr/bin/tool",
		 "etc/alternatives/t -> /usr/bin/tool", "usr/local/");
	mount_on(scene, "usr/local");
	tree_link(scene->root, "usr/local/by", "/usr/bin/tool");
	enter_stage(scene);
	for (uint32_t i = 0; i < COUNT(rows); i++) {
		snprintf(link, sizeof(link), GENERATORS "/g -> %s", rows[i].text);
		layer_has(scene, i, link);
		admits(scene, i);
		if (rows[i].is_good)
			assert_reason(check_links_again(scene, &layer), ACCEPTED);
		else
			assert_reason(check_links_again(scene, &layer), MERGE_LINK);
		memset(scene->layers[i].has, 0, sizeof(scene->layers[i].has));
	}
}

/* ---- junk in the root -------------------------------------------------------------------------- */

/* Who can write /etc must not stop all images by a link that is a link to a name that no file can have. */
static void a_link_to_an_impossible_name_stops_nobody(void **state)
{
	struct scene *scene = *state;
	char link[512] = "etc/systemd/system-generators/x -> /usr/";

	need_root(scene);
	memset(link + strlen(link), 'n', 300);
	root_has(scene, link, "etc/systemd/system-generators/f|");
	layer_has(scene, A, "usr/x");
	layer_has(scene, B, "etc/systemd/system-generators/x");
	admits(scene, A);
	refuses(scene, B, MERGE_PROTECTED,
		"etc/systemd/system-generators/x is a file in the image");
}

/*
 * What is looked up, counted: seconds would tell how fast the machine is. The linker puts it in
 * between.
 */
static unsigned lookups;

int __real_sys_openat2(int dir_fd, const char *path, int flags, uint64_t resolve);
int __wrap_sys_openat2(int dir_fd, const char *path, int flags, uint64_t resolve);

int __wrap_sys_openat2(int dir_fd, const char *path, int flags, uint64_t resolve)
{
	lookups++;
	return __real_sys_openat2(dir_fd, path, flags, resolve);
}

static void put_files(int tree, const char *path, unsigned count)
{
	const int above = openat(tree, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[64];

	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		close(openat(above, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	}
	close(above);
}

/* A directory of so many entries costs no more than one of the most that are followed, and is closed to images. */
static void many_generators_cost_little(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "etc/systemd/system-generators/", "usr/bin/");
	put_files(scene->root->fd, "etc/systemd/system-generators", 30000);
	layer_has(scene, A, "usr/x");
	layer_has(scene, B, "etc/systemd/system-generators/new");
	layer_has(scene, C, "etc/systemd/other");
	lookups = 0;
	admits(scene, A);
	admits(scene, C);
	assert_in_range(lookups, 1, 5000);
	assert_true(scene->fit.protect.count < 5000);
	refuses(scene, B, MERGE_PROTECTED,
		"etc/systemd/system-generators is a directory in the image");
}

/* ---- very many of them -------------------------------------------------------------------------- */

static void put_directories(int tree, const char *path, unsigned count)
{
	const int above = openat(tree, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[64];

	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		assert_int_equal(mkdirat(above, name, 0755), 0);
	}
	close(above);
}

/* More directories than can be written: the image that would make it so many goes, and no other. */
static void too_many_shared_directories_are_one_images_trouble(void **state)
{
	struct scene *scene = *state;
	struct verdict v;
	uint32_t layer;

	need_root(scene);
	layer_has(scene, A, "usr/many/");
	layer_has(scene, B, "usr/many/");
	layer_has(scene, C, "usr/many/other");
	put_directories(scene->stage.tree, "0/usr/many", NODES_SHARED_MAX);
	put_directories(scene->stage.tree, "1/usr/many", NODES_SHARED_MAX);
	admits(scene, C);
	admits(scene, B);
	assert_int_equal(scene->fit.nodes.shared, 2);
	v = admit(scene, A);
	assert_reason(v, MERGE_TREE);
	assert_int_equal(v.sys_errno, ENOSPC);
	assert_int_equal(scene->fit.nodes.shared, 2);
	assert_reason(check_links_again(scene, &layer), ACCEPTED);
}

/* As many turns as images, and none of them looks at more than it has to. */
static void many_bad_links_cost_little(void **state)
{
	const unsigned count = 200;
	struct scene *scene = *state;
	char entry[64];
	uint32_t layer;

	need_root(scene);
	for (unsigned i = 0; i < count; i++) {
		snprintf(entry, sizeof(entry), "usr/l%u", i);
		root_has(scene, entry);
	}
	for (unsigned i = 0; i < count; i++) {
		snprintf(entry, sizeof(entry), "usr/l%u -> nowhere", i);
		layer_has(scene, i, entry);
	}
	for (unsigned i = 0; i < count; i++)
		admits(scene, i);
	lookups = 0;
	for (unsigned i = count; i > 0; i--) {
		assert_reason(check_links_again(scene, &layer), MERGE_LINK);
		assert_int_equal(layer, i - 1);
		memset(scene->layers[layer].has, 0, sizeof(scene->layers[layer].has));
	}
	/* A link of its own image takes about 13, and no turn looks at another image for it. */
	assert_in_range(lookups, count, 10 * count * count);
	assert_reason(check_links_again(scene, &layer), ACCEPTED);
}

/* ---- file systems made byte by byte ------------------------------------------------------------ */

static void mount_bytes(const struct scene *scene, const char *type, const void *bytes, size_t size,
			const char *usr)
{
	const int file = memfd_create("image", MFD_CLOEXEC);
	struct loop loop = LOOP_NONE;
	char detail[256];
	struct text text;
	int mount = -1;

	assert_int_equal(write(file, bytes, size), size);
	text_init(&text, detail, sizeof(detail));
	assert_reason(loop_attach(file, (struct extent){ 0, size }, &loop), ACCEPTED);
	assert_reason(mount_device(type, MOUNT_NODE_LOOP, loop.device, &text, &mount), ACCEPTED);
	assert_int_equal(sys_move_mount(mount, scene->stage.tree, usr), 0);
	loop_release(&loop);
	close(file);
	close(mount);
}

/* usr/in/l is a link that the list of its directory calls a file. */
static void mount_with_a_wrong_type(const struct scene *scene, const char *usr, const char *target)
{
	struct erofs_directory directories[] = { { .mode = 0755 },
						 { .name = "in", .mode = 0755 },
						 { .name = "l", .parent = 1, .mode = 0777 } };
	const uint64_t size = erofs_layout(directories, COUNT(directories));
	uint8_t *image = calloc(1, size), *inode, *dirent;

	erofs_write(directories, COUNT(directories), image, size);
	inode = image + directories[2].place.inode;
	put_le(inode + 4, S_IFLNK | 0777, 2);
	put_le(inode + 8, strlen(target), 8);
	memcpy(image + directories[2].place.entries, target, strlen(target));
	dirent = image + directories[1].place.entries + 2 * 12;
	assert_int_equal(dirent[10], 2);
	dirent[10] = 1;
	mount_bytes(scene, "erofs", image, size, usr);
	free(image);
}

/* The lists of a file system are its own to write; what an entry is, is asked of the entry. */
static void looks_at_what_a_list_says(void **state)
{
	struct scene *scene = *state;
	char target[64];
	uint32_t layer;

	need_root(scene);
	root_has(scene, "var/x");
	layer_has(scene, A, "usr/");
	mount_with_a_wrong_type(scene, "0/usr", "/var/x");
	assert_true(path_link_text(scene->stage.tree, "0/usr/in/l", target));
	assert_string_equal(target, "/var/x");
	layer_has(scene, B, "usr/in/l");
	admits(scene, A);
	admits(scene, B);
	assert_reason(check_links_again(scene, &layer), MERGE_LINK);
	assert_int_equal(layer, B);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(links_where_init_finds_its_libraries_must_lead_inside),
		TEST(links_must_not_pass_through_the_outside),
		TEST(a_link_to_an_impossible_name_stops_nobody),
		TEST(many_generators_cost_little),
		TEST(too_many_shared_directories_are_one_images_trouble),
		TEST(many_bad_links_cost_little),
		TEST(looks_at_what_a_list_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
