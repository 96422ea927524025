/* SPDX-License-Identifier: Apache-2.0 */
/* sys/fit: does an image go together with the root and the images admitted before? */
#include "scene.h"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "core/erofs.h"
#include "sys/loop.h"
#include "sys/mount.h"

static const struct {
	const char *name;
	const char *suffix; /* of scene.h */
	bool is_directory;
} kinds[] = { { "directory", "/", true },
	      { "file", "", false },
	      { "link", " -> nowhere", false },
	      { "device or socket", "|", false } };

static void put_kind(char out[64], const char *path, size_t kind)
{
	snprintf(out, 64, "%s%s", path, kinds[kind].suffix);
}

/* ---- types --------------------------------------------------------------------------------- */

/* In each hierarchy, each kind over each: 3 times 16 entries, of which 6 of each 16 don't go together. */
static void compares_types_with_the_root(void **state)
{
	struct scene *scene = *state;
	char root[64], mine[64], wanted[128];

	need_root(scene);
	enter_stage(scene);
	for (size_t i = 0; i < HIERARCHIES * COUNT(kinds) * COUNT(kinds); i++) {
		const size_t one = i % COUNT(kinds), other = i / COUNT(kinds) % COUNT(kinds);
		const char *hierarchy =
			hierarchy_name((enum hierarchy)(i / COUNT(kinds) / COUNT(kinds)));
		char path[32];

		snprintf(path, sizeof(path), "%s/shared/e%zu", hierarchy, i);
		put_kind(root, path, other);
		put_kind(mine, path, one);
		root_has(scene, root);
		layer_has(scene, (uint32_t)i, mine);
		if (kinds[one].is_directory == kinds[other].is_directory) {
			admits(scene, (uint32_t)i);
			continue;
		}
		snprintf(wanted, sizeof(wanted), "%s is a %s in the image and a %s in the root",
			 path, kinds[one].name, kinds[other].name);
		refuses(scene, (uint32_t)i, MERGE_TYPE, wanted);
	}
}

/* Whichever was admitted first; in a directory of the root, and in one that only images have. */
static void compares_types_with_other_images(void **state)
{
	struct scene *scene = *state;
	const uint32_t rows = COUNT(kinds) * COUNT(kinds);
	char first[64], second[64], wanted[128];

	need_root(scene);
	root_has(scene, "opt/", "usr/shared/");
	for (uint32_t i = 0; i < 2 * rows; i++) {
		const size_t one = i % COUNT(kinds), other = i / COUNT(kinds) % COUNT(kinds);
		const uint32_t layer =
			2 * (i % 32); /* the first admitted is below the other, or above */
		const uint32_t below = i < rows ? layer + 1 : layer;
		const uint32_t above = i < rows ? layer : layer + 1;
		char path[32];

		snprintf(path, sizeof(path), i % 2 ? "usr/shared/e%u" : "usr/e%u/of images/e", i);
		put_kind(first, path, other);
		put_kind(second, path, one);
		layer_has(scene, below, first);
		layer_has(scene, above, second);
		admits(scene, below);
		if (kinds[one].is_directory == kinds[other].is_directory) {
			admits(scene, above);
			continue;
		}
		snprintf(wanted, sizeof(wanted),
			 "%s is a %s in the image and a %s in the extension %s", path,
			 kinds[one].name, kinds[other].name, scene->layers[below].name);
		refuses(scene, above, MERGE_TYPE, wanted);
	}
}

/* The host's sbin is a link to bin, the image was built for one where it is a directory; and the other way round. */
static void refuses_the_layout_of_another_system(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "usr/bin/tool", "usr/sbin -> bin", "usr/lib64/");
	layer_has(scene, A, "usr/sbin/tool");
	layer_has(scene, B, "usr/lib64 -> lib");
	layer_has(scene, C, "usr/lib64/lib.so", "usr/bin/other");
	refuses(scene, A, MERGE_TYPE,
		"usr/sbin is a directory in the image and a link in the root");
	refuses(scene, B, MERGE_TYPE,
		"usr/lib64 is a link in the image and a directory in the root");
	admits(scene, C);
}

static void a_refused_image_leaves_nothing_behind(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "usr/bin/", "usr/z -> bin");
	layer_has(scene, A, "usr/bin/a", "usr/of a/deep/a");
	/* It is refused for its last entry, wherever readdir(3) puts that. */
	layer_has(scene, B, "usr/bin/c/", "usr/of a/deep/c/", "usr/of b/x", "usr/bin/l -> a",
		  "usr/z/");
	layer_has(scene, C, "usr/bin/c", "usr/of a/deep/c", "usr/of b/x/", "usr/bin/l");
	admits(scene, A);
	refuses(scene, B, MERGE_TYPE, "usr/z is a directory in the image and a link in the root");
	admits(scene, C);
}

/* Once with each entry as the one that it is refused for, so that the walk ends everywhere. */
static void ends_everywhere_without_a_trace(void **state)
{
	static const char *const of_b[] = { "usr/0/0/0/", "usr/0/0/1/", "usr/0/1/0/",
					    "usr/0/2/",	  "usr/1/0/",	"usr/1/1/0/",
					    "usr/2/",	  "usr/3/3/3/", NULL };
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "usr/1/root", "usr/3/3/root");
	layer_has(scene, A, "usr/0/0/a", "usr/1/1/a", "usr/0/1/a");
	admits(scene, A);
	for (uint32_t i = 0; of_b[i] != NULL; i++) {
		const size_t nodes = scene->fit.nodes.count;
		const uint32_t layer = 2 + 2 * i;
		char entry[64];

		grow_layer(scene, layer, of_b);
		snprintf(entry, sizeof(entry), "%sw!", of_b[i]);
		layer_has(scene, layer, entry);
		assert_reason(admit(scene, layer), MERGE_WHITEOUT);
		/* What it has brought to light of the first image stays. */
		assert_in_range(scene->fit.nodes.count, nodes, nodes + 5);
		for (size_t k = 0; of_b[k] != NULL; k++) {
			snprintf(entry, sizeof(entry), "%.*s", (int)strlen(of_b[k]) - 1, of_b[k]);
			layer_has(scene, layer + 1, entry);
		}
		admits(scene, layer + 1);
		/* That is all files now, so start anew. */
		fit_free(&scene->fit);
		scene->fit = (struct fit){ .stage = &scene->stage, .layers = scene->layers };
		admits(scene, A);
	}
}

/* Below a directory that only one image has nothing is kept, until another comes with the same. */
static void looks_below_when_a_second_image_comes(void **state)
{
	struct scene *scene = *state;
	struct node *top, *entry;

	need_root(scene);
	layer_has(scene, C, "usr/own/deep/er/file", "usr/own/deep/other");
	layer_has(scene, B, "usr/own/deep/er/file/");
	layer_has(scene, A, "usr/own/deep/er/", "usr/own/deep/third/x");
	admits(scene, C);
	assert_int_equal(scene->fit.nodes.count, 2); /* usr and own */
	refuses(scene, B, MERGE_TYPE,
		"usr/own/deep/er/file is a directory in the image and a file in the extension c");
	assert_int_equal(scene->fit.nodes.count, 6);
	admits(scene, A);
	assert_int_equal(scene->fit.nodes.count, 7);
	top = scene->fit.nodes.hierarchy[HIERARCHY_USR];
	entry = nodes_find(&scene->fit.nodes, top, "own");
	assert_int_equal(entry->layers, 2);
	entry = nodes_find(&scene->fit.nodes, entry, "deep");
	assert_int_equal(nodes_find(&scene->fit.nodes, entry, "other")->layers, 1);
	entry = nodes_find(&scene->fit.nodes, entry, "third");
	assert_false(entry->is_open);
	assert_int_equal(entry->layer, A);
}

static void takes_any_name(void **state)
{
	struct scene *scene = *state;
	char name[256], entry[300], wanted[600];

	need_root(scene);
	memset(name, 'n', 255);
	name[255] = '\0';
	snprintf(entry, sizeof(entry), "usr/%s/", name);
	layer_has(scene, B, "usr/new\nline \\ \x7f/", entry, "usr/usr", "usr/...");
	snprintf(entry, sizeof(entry), "usr/%s", name);
	layer_has(scene, A, entry);
	admits(scene, B);
	snprintf(wanted, sizeof(wanted),
		 "usr/...%s is a file in the image and a directory in the extension b", name + 155);
	refuses(scene, A, MERGE_TYPE, wanted);
	layer_has(scene, A, "usr/new\nline \\ \x7f");
	assert_int_equal(unlinkat(scene->stage.tree, "0/usr/new\nline \\ \x7f", 0), 0);
	snprintf(entry, sizeof(entry), "0/usr/%s", name);
	assert_int_equal(unlinkat(scene->stage.tree, entry, 0), 0);
	layer_has(scene, A, "usr/new\nline \\ \x7f");
	refuses(scene, A, MERGE_TYPE,
		"usr/new\nline \\ \x7f is a file in the image and a directory in the extension b");
}

/* Each hierarchy that an image has is compared, and rolled back with the others. */
static void compares_all_hierarchies_of_an_image(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "opt/x/");
	layer_has(scene, A, "usr/new/", "opt/x");
	layer_has(scene, B, "usr/new", "opt/x/y");
	refuses(scene, A, MERGE_TYPE, "opt/x is a file in the image and a directory in the root");
	admits(scene, B);
}

static void wants_the_hierarchy_in_the_root(void **state)
{
	struct scene *scene = *state;
	struct verdict v;

	need_root(scene);
	layer_has(scene, A, "opt/x");
	v = admit(scene, A);
	assert_reason(v, MERGE_HIERARCHY);
	assert_int_equal(v.sys_errno, ENOENT);
	layer_has(scene, A, "usr/x");
	root_has(scene, "opt/");
	admits(scene, A);
}

/* A layer that can't be read is refused, and is no trouble for others. */
static void refuses_what_it_cannot_read(void **state)
{
	struct scene *scene = *state;
	struct verdict v;

	need_root(scene);
	layer_has(scene, A, "usr/x");
	layer_has(scene, B, "usr/x/");
	assert_int_equal(renameat(scene->stage.tree, "1", scene->stage.tree, "gone"), 0);
	v = admit(scene, B);
	assert_reason(v, MERGE_TREE);
	assert_int_equal(v.sys_errno, ENOENT);
	admits(scene, A);
}

/* ---- what no layer may have ---------------------------------------------------------------- */

static void set_attribute(const struct scene *scene, const char *path, const char *name)
{
	const int fd = openat(scene->stage.tree, path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fsetxattr(fd, name, "y", 1, 0), 0);
	close(fd);
}

static void refuses_orders_for_overlayfs(void **state)
{
	static const char *const paths[] = { "usr/", "usr/lib/", "usr/lib/file", "usr/own/a/file",
					     "opt/", "opt/own/", "etc/",	 "etc/own/file" };
	static const char *const names[] = { "trusted.overlay.opaque", "trusted.overlay.redirect",
					     "user.overlay.metacopy" };
	struct scene *scene = *state;
	char path[64];

	need_root(scene);
	root_has(scene, "usr/lib/", "opt/", "etc/");
	for (uint32_t i = 0; i < COUNT(paths) * COUNT(names); i++) {
		layer_has(scene, i, "usr/other", paths[i % COUNT(paths)]);
		snprintf(path, sizeof(path), "%u/%s", i, paths[i % COUNT(paths)]);
		set_attribute(scene, path, "user.other.overlay.opaque");
		admits(scene, i);
		set_attribute(scene, path, names[i / COUNT(paths)]);
		refuses(scene, i, MERGE_WHITEOUT, "");
	}
}

static void refuses_whiteouts(void **state)
{
	static const char *const paths[] = { "usr/gone!", "usr/lib/gone!", "usr/own/a/gone!",
					     "opt/gone!", "etc/own/gone!" };
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "usr/lib/gone", "opt/", "etc/");
	for (uint32_t i = 0; i < COUNT(paths); i++) {
		layer_has(scene, i, paths[i]);
		refuses(scene, i, MERGE_WHITEOUT, "");
	}
	layer_has(scene, COUNT(paths), "usr/lib/");
	assert_int_equal(mknodat(scene->stage.tree, "5/usr/lib/gone", S_IFCHR, makedev(1, 3)), 0);
	admits(scene, COUNT(paths));
}

/* Directories of one letter in each other; the hierarchy itself counts. */
static void put_deep(const struct scene *scene, const char *hierarchy, unsigned depth)
{
	const struct tree tree = stage_tree(scene);
	char path[512];

	snprintf(path, sizeof(path), "%s", hierarchy);
	for (unsigned i = 1; i < depth; i++)
		strcat(path, "/d");
	tree_directory(&tree, path);
}

static void refuses_a_tree_that_is_too_deep(void **state)
{
	static const char *const hierarchies[] = { "usr", "opt", "etc" };
	struct scene *scene = *state;
	char path[32];

	need_root(scene);
	root_has(scene, "opt/", "etc/");
	enter_stage(scene);
	for (uint32_t i = 0; i < COUNT(hierarchies); i++) {
		snprintf(path, sizeof(path), "%u/%s", i, hierarchies[i]);
		put_deep(scene, path, FIT_DEPTH_MAX);
		know_layer(scene, i);
		admits(scene, i);
		put_deep(scene, path, FIT_DEPTH_MAX + 1);
		refuses(scene, i, MERGE_TREE, "");
	}
}

/* Directories of 255 letters, and a last one of `last`. */
static void put_long(const struct scene *scene, const char *usr, unsigned depth, unsigned last)
{
	int fd = openat(scene->stage.tree, usr, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[256];

	memset(name, 'n', 255);
	name[255] = '\0';
	for (unsigned i = 0; i <= depth; i++) {
		const int above = fd;

		if (i == depth)
			name[last] = '\0';
		assert_int_equal(mkdirat(above, name, 0755), 0);
		fd = openat(above, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(fd >= 0);
		close(above);
	}
	close(fd);
}

/* Whatever is admitted can be looked up later, as "LAYER/HIERARCHY/PATH": 11 digits, 3 letters, 2 slashes. */
static void refuses_a_path_that_is_too_long(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	layer_has(scene, A, "usr/file");
	layer_has(scene, B, "usr/file");
	layer_has(scene, C, "usr/file");
	put_long(scene, "0/usr", 15, 4095 - 16 - 15 * 256);
	put_long(scene, "1/usr", 15, 4095 - 15 - 15 * 256);
	put_long(scene, "2/usr", 15, 255);
	admits(scene, A);
	refuses(scene, B, MERGE_TREE, "");
	refuses(scene, C, MERGE_TREE, "");
}

/* An erofs of a directory "in" that has two, of which the second then gets the name of the first. */
static void mount_with_a_name_twice(const struct scene *scene, const char *usr)
{
	struct erofs_directory directories[] = { { .mode = 0755 },
						 { .name = "in", .mode = 0755 },
						 { .name = "twice-a", .parent = 1, .mode = 0755 },
						 { .name = "twice-b", .parent = 1, .mode = 0755 } };
	const uint64_t size = erofs_layout(directories, COUNT(directories));
	const int file = openat(scene->stage.tree, "image", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	uint8_t *image = calloc(1, size), *name;
	struct loop loop = LOOP_NONE;
	char detail[128];
	struct text text;
	int mount = -1;

	erofs_write(directories, COUNT(directories), image, size);
	name = memmem(image, size, "twice-b", 7);
	assert_non_null(name);
	name[6] = 'a';
	assert_int_equal(write(file, image, size), size);
	free(image);
	text_init(&text, detail, sizeof(detail));
	assert_reason(loop_attach(file, (struct extent){ 0, size }, &loop), ACCEPTED);
	assert_reason(mount_device("erofs", MOUNT_NODE_LOOP, loop.device, &text, &mount), ACCEPTED);
	assert_int_equal(sys_move_mount(mount, scene->stage.tree, usr), 0);
	loop_release(&loop);
	close(file);
	close(mount);
}

/* A file system can be made so, and then it must not count as two images that have the same. */
static void refuses_a_name_twice(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "usr/in/");
	layer_has(scene, A, "usr/");
	layer_has(scene, B, "usr/in/twice-a/x");
	mount_with_a_name_twice(scene, "0/usr");
	refuses(scene, A, KERNEL_FILESYSTEM, "");
	admits(scene, B);
}

/* Where nothing else has the directory, it is looked at when another image has it. */
static void knows_a_name_of_another_image_once(void **state)
{
	struct scene *scene = *state;
	struct node *in;

	need_root(scene);
	layer_has(scene, A, "usr/in/twice-a");
	layer_has(scene, B, "usr/in/twice-a/x");
	layer_has(scene, C, "usr/");
	mount_with_a_name_twice(scene, "2/usr");
	admits(scene, C);
	refuses(scene, A, MERGE_TYPE,
		"usr/in/twice-a is a file in the image and a directory in the extension c");
	admits(scene, B);
	in = nodes_find(&scene->fit.nodes, scene->fit.nodes.hierarchy[HIERARCHY_USR], "in");
	assert_null(in->first->next);
	assert_int_equal(in->first->layers, 2);
}

/* ---- what no list shows -------------------------------------------------------------------- */

struct bytes {
	uint8_t at[1024];
	size_t used;
};

static void put(struct bytes *bytes, uint64_t value, size_t size)
{
	put_le(bytes->at + bytes->used, value, size);
	bytes->used += size;
}

static void put_entry(struct bytes *bytes, const char *name, size_t size)
{
	put(bytes, 0, 4);
	put(bytes, 2, 2);
	put(bytes, size - 1, 2);
	memcpy(bytes->at + bytes->used, name, size);
	bytes->used += size;
}

/* `size` bytes of a directory: one file, and one of as long a name as it takes; both are inode 1, of the first block. */
static void put_listing(struct bytes *bytes, const char *name, size_t size)
{
	char filler[256];

	memset(filler, name[0] + 1, sizeof(filler));
	put(bytes, 1, 4);
	put(bytes, 0, 4);
	put(bytes, 1, 4);
	put_entry(bytes, name, strlen(name));
	put_entry(bytes, filler, size - 12 - 8 - strlen(name) - 8);
}

/* What squashfs calls a metadata block, as it is. */
static uint64_t put_block(struct bytes *image, const struct bytes *block)
{
	const uint64_t start = image->used;

	put(image, block->used | 0x8000, 2);
	memcpy(image->at + image->used, block->at, block->used);
	image->used += block->used;
	return start;
}

static void put_file_inode(struct bytes *inodes)
{
	put(inodes, 2, 2);
	put(inodes, 0644, 2);
	put(inodes, 0, 8); /* owner, time */
	put(inodes, 1, 4);
	put(inodes, 0, 4);
	put(inodes, UINT32_MAX, 4);
	put(inodes, 0, 8);
}

#define LISTING_SIZE 200u

/* By the index, names from "c" on are in the second block of directories, from its second byte on. */
static void put_directory_inode(struct bytes *inodes)
{
	put(inodes, 8, 2);
	put(inodes, 0755, 2);
	put(inodes, 0, 8);
	put(inodes, 2, 4);
	put(inodes, 2, 4);
	put(inodes, LISTING_SIZE + 3, 4);
	put(inodes, 0, 4);
	put(inodes, 3, 4);
	put(inodes, 1, 2);
	put(inodes, 0, 2);
	put(inodes, UINT32_MAX, 4);
	put(inodes, 1, 4);
	put(inodes, LISTING_SIZE + 2, 4);
	put(inodes, 0, 4);
	put(inodes, 'c', 1);
}

static void put_super(struct bytes *image, uint64_t size, const uint64_t tables[3])
{
	const size_t used = image->used;

	image->used = 0;
	put(image, 0x73717368, 4);
	put(image, 2, 4);
	put(image, 0, 4);
	put(image, 131072, 4);
	put(image, 0, 4);
	put(image, 1, 2);
	put(image, 17, 2);
	put(image, 0x1b, 2); /* nothing is compressed, no fragments */
	put(image, 1, 2);
	put(image, 4, 2);
	put(image, 0, 2);
	put(image, 32, 8); /* the directory is behind the file */
	put(image, size, 8);
	put(image, tables[2], 8);
	put(image, UINT64_MAX, 8);
	put(image, tables[0], 8);
	put(image, tables[1], 8);
	put(image, UINT64_MAX, 8);
	put(image, UINT64_MAX, 8);
	image->used = used;
}

/* Linux fs/squashfs/squashfs_fs.h: a directory that lists "a", and has what is hidden. */
static void make_squashfs(struct bytes *image, const char *hidden)
{
	struct bytes inodes = { .used = 0 }, listed = { .used = 0 }, behind = { .used = 1 };
	struct bytes ids = { .used = 0 };
	uint64_t tables[3];

	put_listing(&listed, "a", LISTING_SIZE);
	put_listing(&behind, hidden, LISTING_SIZE - 1);
	put_file_inode(&inodes);
	put_directory_inode(&inodes);
	put(&ids, 0, 4);
	*image = (struct bytes){ .used = 96 };
	tables[0] = put_block(image, &inodes);
	tables[1] = put_block(image, &listed);
	put_block(image, &behind);
	put(image, put_block(image, &ids), 8);
	tables[2] = image->used - 8;
	put_super(image, image->used, tables);
}

static void mount_with_a_hidden_file(const struct scene *scene, const char *usr, const char *hidden)
{
	const int file = memfd_create("image", MFD_CLOEXEC);
	struct loop loop = LOOP_NONE;
	struct bytes image;
	char detail[256];
	struct text text;
	int mount = -1;

	make_squashfs(&image, hidden);
	assert_int_equal(write(file, image.at, image.used), image.used);
	assert_int_equal(ftruncate(file, 4096), 0);
	text_init(&text, detail, sizeof(detail));
	assert_reason(loop_attach(file, (struct extent){ 0, 4096 }, &loop), ACCEPTED);
	assert_reason(mount_device("squashfs", MOUNT_NODE_LOOP, loop.device, &text, &mount),
		      ACCEPTED);
	assert_int_equal(sys_move_mount(mount, scene->stage.tree, usr), 0);
	loop_release(&loop);
	close(file);
	close(mount);
}

static void finds_what_no_list_shows(void **state)
{
	struct scene *scene = *state;
	struct stat st;
	DIR *dir;

	need_root(scene);
	root_has(scene, "usr/bin/init", "usr/sbin -> bin", "usr/lib/systemd/systemd");
	layer_has(scene, A, "usr/");
	layer_has(scene, B, "usr/");
	mount_with_a_hidden_file(scene, "0/usr", "sbin");
	mount_with_a_hidden_file(scene, "1/usr", "other");
	/* A directory on the way: it would lead all images into the void. */
	layer_has(scene, C, "usr/");
	mount_with_a_hidden_file(scene, "2/usr", "lib");
	/* Is it so? */
	assert_int_equal(fstatat(scene->stage.tree, "0/usr/a", &st, 0), 0);
	assert_int_equal(fstatat(scene->stage.tree, "0/usr/sbin", &st, 0), 0);
	dir = fdopendir(openat(scene->stage.tree, "0/usr", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		assert_string_not_equal(entry->d_name, "sbin");
	closedir(dir);
	/* Any directory of the root, for it would be gone with all that is in it. */
	root_has(scene, "usr/share/x");
	layer_has(scene, D, "usr/");
	mount_with_a_hidden_file(scene, "3/usr", "share");
	refuses(scene, D, MERGE_TYPE,
		"usr/share is a file in the image and a directory in the root");
	refuses(scene, A, MERGE_INIT, "usr/sbin is a file in the image");
	refuses(scene, C, MERGE_TYPE, "usr/lib is a file in the image and a directory in the root");
	admits(scene, B);
}

/* ---- notes --------------------------------------------------------------------------------- */

static void assert_notes(const struct notes *notes, const char *const wanted[])
{
	size_t count = 0;

	for (; wanted[count] != NULL; count++) {
		const struct note *note = &notes->list[count];
		char found[600];

		assert_true(count < notes->count);
		snprintf(found, sizeof(found), "%s %s%s%s", note_kind_name(note->kind), note->path,
			 note->hides[0] == '\0' ? "" : " of ", note->hides);
		assert_string_equal(found, wanted[count]);
	}
	assert_int_equal(notes->count, count);
}

#define has_notes(scene, layer, ...) \
	assert_notes(&(scene)->notes[layer], (const char *const[]){ __VA_ARGS__, NULL })

static void tells_of_what_a_mount_hides(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "usr/local/", "usr/share/a b/", "usr/share/file", "opt/");
	mount_on(scene, "usr/local");
	mount_on(scene, "usr/share/a b");
	tree_directory(scene->root, "usr/local/inner");
	mount_on(scene, "usr/local/inner");
	mount_file_on(scene, "usr/share/file");
	layer_has(scene, A, "usr/local/", "usr/share/a b/", "usr/share/other", "usr/bin/x");
	layer_has(scene, B, "usr/local/bin/x", "usr/local/inner/y", "usr/share/a b/c");
	layer_has(scene, C, "usr/share/file", "opt/local/x");
	layer_has(scene, D, "usr/local/lib/");
	admits(scene, A);
	admits(scene, B);
	admits(scene, C);
	admits(scene, D);
	assert_int_equal(scene->notes[A].count, 0);
	assert_int_equal(scene->notes[B].count, 2); /* in the order in which they are met */
	assert_int_equal(scene->notes[B].list[0].kind, NOTE_BELOW_MOUNT);
	assert_string_not_equal(scene->notes[B].list[0].path, scene->notes[B].list[1].path);
	for (size_t i = 0; i < 2; i++)
		assert_true(strcmp(scene->notes[B].list[i].path, "/usr/local") == 0 ||
			    strcmp(scene->notes[B].list[i].path, "/usr/share/a b") == 0);
	has_notes(scene, C, "below-mount /usr/share/file");
	has_notes(scene, D, "below-mount /usr/local");
}

/* A link would lead elsewhere whoever mounts there later on; a directory over a file does not fit anyhow. */
static void refuses_links_where_something_is_mounted(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "usr/local/", "etc/resolv.conf", "etc/link -> resolv.conf");
	mount_on(scene, "usr/local");
	mount_file_on(scene, "etc/resolv.conf");
	layer_has(scene, A, "etc/resolv.conf -> /run/resolv.conf");
	layer_has(scene, B, "usr/local -> share");
	layer_has(scene, C, "usr/local", "usr/bin/x");
	layer_has(scene, D, "usr/local/x");
	layer_has(scene, 4, "etc/resolv.conf");
	refuses(scene, A, MERGE_SUBMOUNT, "etc/resolv.conf is a link in the image");
	refuses(scene, B, MERGE_TYPE,
		"usr/local is a link in the image and a directory in the root");
	refuses(scene, C, MERGE_TYPE,
		"usr/local is a file in the image and a directory in the root");
	admits(scene, D);
	admits(scene, 4);
	has_notes(scene, 4, "below-mount /etc/resolv.conf");
}

static void tells_of_missing_labels(void **state)
{
	struct scene *scene = *state;
	char path[512];

	need_root(scene);
	root_has(scene, "opt/");
	snprintf(path, sizeof(path), "%s/usr", scene->root->path);
	assert_int_equal(setxattr(path, "security.selinux", "u:r:usr_t:s0", 13, 0), 0);
	layer_has(scene, A, "usr/x", "opt/x");
	layer_has(scene, B, "usr/x");
	set_attribute(scene, "1/usr", "security.selinux");
	admits(scene, A);
	admits(scene, B);
	has_notes(scene, A, "unlabelled /usr");
	assert_int_equal(scene->notes[B].count, 0);
}

static struct notes *notes_of(void *ctx, uint32_t layer)
{
	struct scene *scene = ctx;

	return &scene->notes[layer];
}

/* Of what is hidden each is told, at the one that hides it. */
static void tells_of_generated_files_that_hide_others(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "usr/lib/modules/6/modules.dep", "usr/lib/modules/6/modules.alias",
		 "etc/ld.so.cache");
	layer_has(scene, A, "usr/lib/modules/6/modules.dep", "usr/lib/modules/6/modules.alias");
	layer_has(scene, B, "usr/lib/modules/6/modules.dep", "usr/lib/modules/6/modules.dep.bin",
		  "usr/share/glib-2.0/schemas/gschemas.compiled");
	layer_has(scene, C, "usr/share/glib-2.0/schemas/gschemas.compiled", "usr/lib/own/hwdb.bin",
		  "usr/share/applications/mime.cache/");
	layer_has(scene, D, "etc/ld.so.cache");
	for (uint32_t i = 4; i > 0; i--)
		admits(scene, i - 1);
	assembled_note_generated(&scene->fit, scene->count, notes_of, scene);
	has_notes(scene, A, "hidden-file /usr/lib/modules/6/modules.dep of b",
		  "hidden-file /usr/lib/modules/6/modules.dep");
	has_notes(scene, B, "hidden-file /usr/share/glib-2.0/schemas/gschemas.compiled of c");
	assert_int_equal(scene->notes[C].count, 0);
	has_notes(scene, D, "hidden-file /etc/ld.so.cache");
}

/* One that was given up since neither hides anything nor is hidden. */
static void tells_nothing_of_images_that_are_gone(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	layer_has(scene, A, "usr/hwdb.bin");
	layer_has(scene, B, "usr/hwdb.bin");
	layer_has(scene, C, "usr/hwdb.bin");
	for (uint32_t i = 3; i > 0; i--)
		admits(scene, i - 1);
	memset(scene->layers[A].has, 0, sizeof(scene->layers[A].has));
	assembled_note_generated(&scene->fit, scene->count, notes_of, scene);
	assert_int_equal(scene->notes[A].count, 0);
	has_notes(scene, B, "hidden-file /usr/hwdb.bin of c");
	memset(scene->layers[C].has, 0, sizeof(scene->layers[C].has));
	scene->notes[B] = (struct notes){ 0 };
	assembled_note_generated(&scene->fit, scene->count, notes_of, scene);
	assert_int_equal(scene->notes[B].count, 0);
}

/* ---- links --------------------------------------------------------------------------------- */

/* A link over a file of the root: where it may lead, and where not. */
static void links_must_lead_inside(void **state)
{
	static const struct {
		const char *text; /* of usr/bin/l, over the root's -> tool */
		bool is_good;
	} rows[] = {
		{ "tool", true }, /* its own text */
		{ "other", true },
		{ "/usr/bin/other", true },
		{ "/bin/other", true }, /* by a link of the root */
		{ "../lib/new", true }, /* of the image */
		{ "../../opt/file", true },
		{ "../lib", true },
		{ "/dev/null", true },
		{ "chain", true },
		{ "nowhere", false },
		{ "/var/lib/x", false },
		{ "../../var/lib/x", false },
		{ "/etc/file", false },
		{ "../..", false },
		{ "..", false }, /* the hierarchy is not inside of itself */
		{ "l", false },
		{ "/dev/zero", false },
		{ "//dev/null", false },
		{ "/usr/local/x", false }, /* another mount */
		{ "/usr/out/x", false },   /* by a link of the root that leads out */
		{ "/proc/self/exe", false },
	};
	struct scene *scene = *state;
	char link[64], wanted[128];
	uint32_t layer;

	need_root(scene);
	root_has(scene, "usr/bin/tool", "usr/bin/other", "usr/bin/l -> tool", "bin -> usr/bin",
		 "opt/file", "var/lib/x", "etc/file", "usr/local/x", "usr/out -> ../var/lib",
		 "usr/bin/chain -> ../../opt/file", "dev/null", "dev/zero", "proc/");
	mount_on(scene, "usr/local");
	tree_text(scene->root, "usr/local/x", "below");
	enter_stage(scene);
	for (uint32_t i = 0; i < COUNT(rows); i++) {
		struct verdict v;

		snprintf(link, sizeof(link), "usr/bin/l -> %s", rows[i].text);
		layer_has(scene, i, link, "usr/lib/new");
		admits(scene, i);
		layer = SCENE_LAYERS;
		v = check_links_again(scene, &layer);
		memset(scene->layers[i].has, 0, sizeof(scene->layers[i].has));
		if (rows[i].is_good) {
			if (!is_accepted(v))
				print_message("%s: %s\n", rows[i].text, scene->detail);
			assert_reason(v, ACCEPTED);
			continue;
		}
		snprintf(wanted, sizeof(wanted), "usr/bin/l is a link to %s", rows[i].text);
		if (is_accepted(v))
			print_message("accepted: %s\n", rows[i].text);
		assert_reason(v, MERGE_LINK);
		assert_string_equal(scene->detail, wanted);
		assert_int_equal(layer, i);
	}
}

/* To where the root's own link leads, by another text. */
static void links_may_lead_as_on_the_root(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	root_has(scene, "usr/share/zone -> /var/zone", "var/zone", "usr/share/other -> /var/other",
		 "var/other");
	layer_has(scene, A, "usr/share/zone -> ../../var/zone");
	layer_has(scene, B, "usr/share/other -> ../../var/zone");
	assert_reason(check_links(scene, &layer), MERGE_LINK);
	assert_int_equal(layer, B);
	assert_string_equal(scene->detail, "usr/share/other is a link to ../../var/zone");
}

/* New ones that hide nothing and stand nowhere in particular: systems have many of them. */
static void new_links_may_lead_anywhere(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	root_has(scene, "usr/bin/", "opt/", "etc/");
	layer_has(scene, A, "usr/bin/l -> /var/x", "usr/own/l -> nowhere", "opt/l -> /etc/x");
	layer_has(scene, B, "etc/l -> /run/x");
	layer_has(scene, C, "usr/own/file", "usr/bin/m -> /var/x");
	assert_reason(check_links(scene, &layer), ACCEPTED);
}

/* Of two images the one that was admitted last goes, and that may be the one that the link hides. */
static void links_over_other_images_must_lead_inside(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	layer_has(scene, A, "usr/own/l -> /var/x", "usr/own/hidden");
	layer_has(scene, B, "usr/own/l", "usr/own/hidden -> /var/x");
	for (uint32_t first = 0; first < 2; first++) {
		admits(scene, first);
		admits(scene, 1 - first);
		assert_reason(check_links_again(scene, &layer), MERGE_LINK);
		assert_int_equal(layer, 1 - first);
		assert_string_equal(scene->detail,
				    first == A ?
					    "usr/own/l is a link to /var/x in the extension a" :
					    "usr/own/l is a link to /var/x");
		fit_free(&scene->fit);
		scene->fit = (struct fit){ .stage = &scene->stage, .layers = scene->layers };
	}
}

/* With the one gone that it replaced, a link replaces nothing any more. */
static void links_that_replace_nothing_any_more_are_free(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	layer_has(scene, A, "usr/l -> /var/x");
	layer_has(scene, B, "usr/l");
	assert_reason(check_links(scene, &layer), MERGE_LINK);
	memset(scene->layers[B].has, 0, sizeof(scene->layers[B].has));
	assert_reason(check_links_again(scene, &layer), ACCEPTED);
}

static void confexts_may_lead_into_usr(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	root_has(scene, "etc/l", "etc/m", "etc/n", "usr/file", "opt/file", "etc/file");
	layer_has(scene, A, "etc/l -> ../usr/file", "etc/m -> /opt/file", "etc/n -> file");
	assert_reason(check_links(scene, &layer), ACCEPTED);
}

/* Who can write /var could turn it later. A link right below the root is another matter: it is there for all. */
static void the_way_must_stay_inside_too(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	root_has(scene, "usr/l", "usr/m", "usr/n", "usr/file", "lib -> usr",
		 "var/back -> ../usr/file", "var/d/");
	layer_has(scene, A, "usr/l -> ../lib/file");
	assert_reason(check_links(scene, &layer), ACCEPTED);
	layer_has(scene, B, "usr/m -> ../var/back");
	admits(scene, B);
	assert_reason(check_links_again(scene, &layer), MERGE_LINK);
	assert_string_equal(scene->detail, "usr/m is a link to ../var/back");
	memset(scene->layers[B].has, 0, sizeof(scene->layers[B].has));
	layer_has(scene, C, "usr/n -> /var/d/../../usr/file");
	admits(scene, C);
	assert_reason(check_links_again(scene, &layer), MERGE_LINK);
	assert_string_equal(scene->detail, "usr/n is a link to /var/d/../../usr/file");
}

/* A sysext's may not lead into /etc, even when that is merged. */
static void sysexts_may_not_lead_into_etc(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	root_has(scene, "usr/l", "etc/file");
	layer_has(scene, A, "usr/l -> ../etc/own");
	layer_has(scene, B, "etc/own");
	assert_reason(check_links(scene, &layer), MERGE_LINK);
	assert_int_equal(layer, A);
	assert_string_equal(scene->detail, "usr/l is a link to ../etc/own");
}

/* What is below /run in an initramfs is not there yet. */
static void links_may_lead_where_the_roots_will(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	root_has(scene, "run/", "etc/resolv.conf -> ../run/of/resolv.conf",
		 "etc/other -> ../run/./other", "etc/third -> /run/of/../third");
	layer_has(scene, A, "etc/other -> /run/of/other");
	layer_has(scene, B, "etc/resolv.conf -> /run/./of//resolv.conf");
	layer_has(scene, C, "etc/third -> /run/third");
	assert_reason(check_links(scene, &layer), MERGE_LINK);
	assert_int_equal(layer, A);
	memset(scene->layers[A].has, 0, sizeof(scene->layers[A].has));
	/* Where there is a ".." behind what is not there, nobody knows. */
	assert_reason(check_links_again(scene, &layer), MERGE_LINK);
	assert_int_equal(layer, C);
	assert_string_equal(scene->detail, "etc/third is a link to /run/third");
	memset(scene->layers[C].has, 0, sizeof(scene->layers[C].has));
	assert_reason(check_links_again(scene, &layer), ACCEPTED);
}

/* Two images of one package, say: nothing is replaced. */
static void links_with_one_text_are_one(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	layer_has(scene, A, "usr/own/l -> /var/x");
	layer_has(scene, B, "usr/own/l -> /var/x");
	layer_has(scene, C, "usr/own/l -> /var/x", "usr/own/m -> /var/x");
	layer_has(scene, D, "usr/own/m -> /var/y");
	assert_reason(check_links(scene, &layer), MERGE_LINK);
	assert_int_equal(layer, C);
	assert_string_equal(scene->detail, "usr/own/m is a link to /var/x");
	memset(scene->layers[C].has, 0, sizeof(scene->layers[C].has));
	assert_reason(check_links_again(scene, &layer), ACCEPTED);
}

/* One image's link leads out for what another has made of the way: the one that came last has to go. */
static void the_last_image_with_a_bad_link_goes(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	root_has(scene, "usr/by -> real", "usr/real/file", "usr/l", "var/file");
	layer_has(scene, A, "usr/l -> by/file");
	layer_has(scene, B, "usr/by -> ../var");
	admits(scene, A);
	admits(scene, B);
	assert_reason(check_links_again(scene, &layer), MERGE_LINK);
	assert_int_equal(layer, B);
	assert_string_equal(scene->detail, "usr/by is a link to ../var");
	memset(scene->layers[B].has, 0, sizeof(scene->layers[B].has));
	assert_reason(check_links_again(scene, &layer), ACCEPTED);
}

/* Not for the link of another image that came before it and leads out itself. */
static void an_image_does_not_go_for_anothers_link(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	root_has(scene, "usr/by -> real", "usr/real/file", "usr/l", "usr/a", "usr/y", "usr/z",
		 "var/file");
	layer_has(scene, A, "usr/l -> by/file", "usr/a -> l", "usr/z -> real/../a");
	layer_has(scene, B, "usr/by -> ../var");
	layer_has(scene, C, "usr/y -> ../var/file"); /* has nothing to do with it */
	admits(scene, B);
	admits(scene, C);
	admits(scene, A);
	assert_reason(check_links_again(scene, &layer), MERGE_LINK);
	assert_int_equal(layer, B);
	assert_string_equal(scene->detail, "usr/by is a link to ../var");
	memset(scene->layers[B].has, 0, sizeof(scene->layers[B].has));
	assert_reason(check_links_again(scene, &layer), MERGE_LINK);
	assert_int_equal(layer, C);
	memset(scene->layers[C].has, 0, sizeof(scene->layers[C].has));
	assert_reason(check_links_again(scene, &layer), ACCEPTED);
}

/* In a ring each leads out by the other: somebody has to go. */
static void one_image_of_a_ring_goes(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	root_has(scene, "usr/a", "usr/b");
	layer_has(scene, A, "usr/a -> b");
	layer_has(scene, B, "usr/b -> a");
	assert_reason(check_links(scene, &layer), MERGE_LINK);
	assert_in_range(layer, A, B);
	memset(scene->layers[layer].has, 0, sizeof(scene->layers[layer].has));
	assert_reason(check_links_again(scene, &layer), ACCEPTED);
}

/* Through a link of another image, into what that one has. */
static void links_are_followed_in_the_merged_root(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	root_has(scene, "usr/l", "usr/m", "var/x");
	layer_has(scene, A, "usr/l -> by/way", "usr/m -> out/of");
	layer_has(scene, B, "usr/by -> other", "usr/other/way", "usr/out -> other",
		  "usr/other/of -> /var/x");
	assert_reason(check_links(scene, &layer), MERGE_LINK);
	assert_int_equal(layer, A);
	assert_string_equal(scene->detail, "usr/m is a link to out/of");
}

/* Of a link that can't be looked at nobody knows where it leads. */
static void links_that_cannot_be_read_are_not_taken_for_good(void **state)
{
	struct scene *scene = *state;
	struct rlimit limit, none;
	struct verdict v;
	uint32_t layer;
	struct text text;
	int whole;

	need_root(scene);
	root_has(scene, "usr/l", "usr/file");
	layer_has(scene, A, "usr/l -> file");
	assert_reason(check_links(scene, &layer), ACCEPTED);
	whole = assemble(scene);
	text_init(&text, scene->detail, sizeof(scene->detail));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	v = assembled_check_links(&scene->fit, scene->count, whole, &layer, &text);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_reason(v, MERGE_LINK);
	close(whole);
}

/* ---- wherever the root is ----------------------------------------------------------------- */

static void follows_a_link_to_the_hierarchy(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	root_has(scene, "opt -> var/opt", "var/opt/tool/bin/run", "var/opt/l", "var/opt/m",
		 "var/opt/kept/", "var/x", "sbin/init -> /opt/tool/bin/run");
	mount_on(scene, "var/opt/kept");
	layer_has(scene, A, "opt/tool");
	layer_has(scene, B, "opt/tool/bin/run");
	layer_has(scene, C, "opt/l -> tool/bin/run", "opt/kept/x", "opt/m -> /var/x");
	refuses(scene, A, MERGE_TYPE,
		"opt/tool is a file in the image and a directory in the root");
	refuses(scene, B, MERGE_INIT, "opt/tool/bin/run is a file in the image");
	admits(scene, C);
	has_notes(scene, C, "below-mount /opt/kept");
	fit_free(&scene->fit);
	scene->fit = (struct fit){ .stage = &scene->stage, .layers = scene->layers };
	assert_reason(check_links(scene, &layer), MERGE_LINK);
	assert_string_equal(scene->detail, "opt/m is a link to /var/x");
}

/* As many as the kernel takes in one overlay, all with the same directory. */
static void takes_as_many_as_an_overlay_does(void **state)
{
	struct scene *scene = *state;
	char own[32];
	int whole;

	need_root(scene);
	for (uint32_t i = 0; i < OVERLAY_LAYERS_MAX; i++) {
		snprintf(own, sizeof(own), "usr/shared/of-%u", i);
		layer_has(scene, i, own, "usr/shared/deep/file");
	}
	for (uint32_t i = OVERLAY_LAYERS_MAX; i > 0; i--)
		admits(scene, i - 1);
	assert_int_equal(scene->fit.nodes.count, 4 + OVERLAY_LAYERS_MAX);
	whole = assemble(scene);
	assert_int_equal(faccessat(whole, "usr/shared/of-0", F_OK, 0), 0);
	assert_int_equal(faccessat(whole, "usr/shared/of-496", F_OK, 0), 0);
	close(whole);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(compares_types_with_the_root),
		TEST(compares_types_with_other_images),
		TEST(refuses_the_layout_of_another_system),
		TEST(a_refused_image_leaves_nothing_behind),
		TEST(ends_everywhere_without_a_trace),
		TEST(looks_below_when_a_second_image_comes),
		TEST(takes_any_name),
		TEST(compares_all_hierarchies_of_an_image),
		TEST(wants_the_hierarchy_in_the_root),
		TEST(refuses_what_it_cannot_read),
		TEST(refuses_orders_for_overlayfs),
		TEST(refuses_whiteouts),
		TEST(refuses_a_tree_that_is_too_deep),
		TEST(refuses_a_path_that_is_too_long),
		TEST(refuses_a_name_twice),
		TEST(knows_a_name_of_another_image_once),
		TEST(finds_what_no_list_shows),
		TEST(tells_of_what_a_mount_hides),
		TEST(refuses_links_where_something_is_mounted),
		TEST(tells_of_missing_labels),
		TEST(tells_of_generated_files_that_hide_others),
		TEST(tells_nothing_of_images_that_are_gone),
		TEST(links_must_lead_inside),
		TEST(links_may_lead_as_on_the_root),
		TEST(new_links_may_lead_anywhere),
		TEST(links_over_other_images_must_lead_inside),
		TEST(links_that_replace_nothing_any_more_are_free),
		TEST(confexts_may_lead_into_usr),
		TEST(the_way_must_stay_inside_too),
		TEST(sysexts_may_not_lead_into_etc),
		TEST(links_may_lead_where_the_roots_will),
		TEST(links_with_one_text_are_one),
		TEST(the_last_image_with_a_bad_link_goes),
		TEST(an_image_does_not_go_for_anothers_link),
		TEST(one_image_of_a_ring_goes),
		TEST(links_are_followed_in_the_merged_root),
		TEST(links_that_cannot_be_read_are_not_taken_for_good),
		TEST(follows_a_link_to_the_hierarchy),
		TEST(takes_as_many_as_an_overlay_does),
	};

	return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
