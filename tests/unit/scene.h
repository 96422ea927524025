/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A root and layers to be laid over it, for root only, in a mount namespace of its own: the root is a tmpfs, a layer a
 * directory of the stage. What is in them is written as names, "DIRECTORY/", "LINK -> TEXT", "FIFO|", "WHITEOUT!", and
 * all else is a file.
 */
#ifndef TEST_SCENE_H
#define TEST_SCENE_H

#include <errno.h>
#include <sched.h>

#include "test.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "sys/content.h"
#include "sys/assembled.h"
#include "sys/overlay.h"
#include "sys/protect.h"
#include "sys/syscalls.h"
#include "tree.h"

#define SCENE_LAYERS 500u

struct scene {
	struct tree *root;
	struct stage stage;
	struct fit fit;
	struct overlay_layer layers[SCENE_LAYERS]; /* index 0 is the topmost */
	struct notes notes[SCENE_LAYERS];
	size_t count; /* of the layers that there are */
	unsigned round;
	int overlay[HIERARCHIES];
	char detail[320]; /* of the last refusal */
};

static int scene_set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	*state = scene;
	scene->stage = STAGE_NONE;
	for (unsigned i = 0; i < HIERARCHIES; i++)
		scene->overlay[i] = -1;
	scene->fit = (struct fit){ .stage = &scene->stage, .layers = scene->layers };
	if (unshare(CLONE_NEWNS) < 0 || sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 0;
	scene->root = tree_make();
	assert_int_equal(sys_mount("root", scene->root->path, "tmpfs", 0, "mode=0755"), 0);
	close(scene->root->fd);
	scene->root->fd = open(scene->root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	tree_directory(scene->root, "usr");
	return 0;
}

static int scene_tear_down(void **state)
{
	struct scene *scene = *state;

	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (scene->overlay[i] >= 0)
			close(scene->overlay[i]);
	fit_free(&scene->fit);
	(void)stage_leave(&scene->stage);
	if (scene->root) {
		assert_int_equal(sys_umount(scene->root->path, SYS_UMOUNT_DETACH), 0);
		tree_remove(scene->root);
	}
	free(scene);
	return 0;
}

static inline void need_root(const struct scene *scene)
{
	if (scene->root == NULL)
		skip();
}

/* ---- trees --------------------------------------------------------------------------------- */

/* One entry of a tree, below `above`. */
static inline void grow_one(const struct tree *tree, const char *above, const char *entry)
{
	const char *arrow = strstr(entry, " -> ");
	const size_t size = arrow ? (size_t)(arrow - entry) : strlen(entry);
	char path[512], last;

	snprintf(path, sizeof(path), "%s%.*s", above, (int)size, entry);
	last = path[strlen(path) - 1];
	if (last == '/' || last == '|' || last == '!')
		path[strlen(path) - 1] = '\0';
	if (arrow) {
		tree_link(tree, path, arrow + 4);
	} else if (last == '/') {
		tree_directory(tree, path);
	} else if (last == '|' || last == '!') {
		tree_parents(tree, path);
		assert_int_equal(mknodat(tree->fd, path, last == '|' ? S_IFIFO | 0644 : S_IFCHR, 0),
				 0);
	} else {
		tree_text(tree, path, above);
	}
}

static inline void grow_all(const struct tree *tree, const char *above, const char *const entries[])
{
	for (size_t i = 0; entries[i] != NULL; i++)
		grow_one(tree, above, entries[i]);
}

#define root_has(scene, ...) grow_all((scene)->root, "", (const char *const[]){ __VA_ARGS__, NULL })

/* Below the root; before there is a layer. */
static inline void mount_on(const struct scene *scene, const char *below)
{
	char path[512];

	assert_int_equal(scene->stage.tree, -1);
	snprintf(path, sizeof(path), "%s/%s", scene->root->path, below);
	assert_int_equal(sys_mount("below", path, "tmpfs", 0, NULL), 0);
}

static inline void mount_file_on(const struct scene *scene, const char *below)
{
	char from[512], path[512];

	assert_int_equal(scene->stage.tree, -1);
	tree_text(scene->root, "bound", "bound");
	snprintf(from, sizeof(from), "%s/bound", scene->root->path);
	snprintf(path, sizeof(path), "%s/%s", scene->root->path, below);
	assert_int_equal(sys_mount(from, path, NULL, MS_BIND, NULL), 0);
}

static inline void enter_stage(struct scene *scene)
{
	if (scene->stage.tree < 0)
		assert_reason(stage_enter(scene->root->fd, &scene->stage), ACCEPTED);
}

static inline struct tree stage_tree(const struct scene *scene)
{
	return (struct tree){ .fd = scene->stage.tree };
}

/* Takes note of a layer that is there, called "a", "b" … from the top. */
static inline void know_layer(struct scene *scene, uint32_t index)
{
	static const char names[] = "a\0b\0c\0d\0e\0f\0g";
	struct overlay_layer *layer = &scene->layers[index];
	char path[64];

	layer->name = index < 7 ? &names[(size_t)2 * index] : "more";
	layer->path = "";
	for (unsigned i = 0; i < HIERARCHIES; i++) {
		snprintf(path, sizeof(path), "%u/%s", index, hierarchy_name((enum hierarchy)i));
		layer->has[i] = faccessat(scene->stage.tree, path, F_OK, 0) == 0;
	}
	layer->class = layer->has[HIERARCHY_ETC] ? CLASS_CONFEXT : CLASS_SYSEXT;
	if (scene->count <= index)
		scene->count = index + 1;
}

static inline void grow_layer(struct scene *scene, uint32_t index, const char *const entries[])
{
	const struct tree tree = { .fd = (enter_stage(scene), scene->stage.tree) };
	char above[16];

	snprintf(above, sizeof(above), "%u/", index);
	grow_all(&tree, above, entries);
	know_layer(scene, index);
}

#define layer_has(scene, index, ...) \
	grow_layer(scene, index, (const char *const[]){ __VA_ARGS__, NULL })

enum layer {
	A,
	B,
	C,
	D
};

/* ---- what is done with them ---------------------------------------------------------------- */

/* An image that is refused is no layer any more, as execute_plan() has it. */
static inline struct verdict admit(struct scene *scene, uint32_t layer)
{
	struct text text;
	struct verdict v;

	text_init(&text, scene->detail, sizeof(scene->detail));
	v = fit_admit(&scene->fit, layer, &scene->notes[layer], &text);
	assert_null(scene->fit.nodes.touched);
	if (!is_accepted(v))
		memset(scene->layers[layer].has, 0, sizeof(scene->layers[layer].has));
	return v;
}

#define admits(scene, layer)                                  \
	do {                                                  \
		assert_reason(admit(scene, layer), ACCEPTED); \
		assert_string_equal((scene)->detail, "");     \
	} while (0)

#define refuses(scene, layer, symbol, text)                 \
	do {                                                \
		assert_reason(admit(scene, layer), symbol); \
		assert_string_equal((scene)->detail, text); \
	} while (0)

static inline struct verdict overlay(struct scene *scene, enum hierarchy hierarchy,
				     const struct node **at)
{
	const struct overlay overlay = { .stage = &scene->stage,
					 .hierarchy = hierarchy,
					 .layers = scene->layers,
					 .count = scene->count,
					 .top = scene->fit.nodes.hierarchy[hierarchy],
					 .round = scene->round };
	struct text text;

	text_init(&text, scene->detail, sizeof(scene->detail));
	return overlay_make(&overlay, &text, at, &scene->overlay[hierarchy]);
}

/* The root as it would be, in a directory of the stage; the caller closes it. */
static inline int assemble(struct scene *scene)
{
	const int copy = sys_clone_mounts(scene->stage.root, "");
	char place[OVERLAY_PLACE_SIZE];
	const struct node *at;
	int whole;

	scene->round++;
	snprintf(place, sizeof(place), "whole-%u", scene->round);
	assert_int_equal(mkdirat(scene->stage.tree, place, 0700), 0);
	assert_int_equal(sys_move_mount(copy, scene->stage.tree, place), 0);
	close(copy);
	whole = openat(scene->stage.tree, place, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (unsigned i = 0; i < HIERARCHIES; i++) {
		int over;

		if (scene->overlay[i] >= 0)
			close(scene->overlay[i]);
		assert_reason(overlay(scene, (enum hierarchy)i, &at), ACCEPTED);
		if (scene->overlay[i] < 0)
			continue;
		overlay_place((enum hierarchy)i, scene->round, place);
		over = sys_clone_mounts(scene->stage.tree, place);
		assert_reason(overlay_attach(over, whole, (enum hierarchy)i), ACCEPTED);
		close(over);
	}
	return whole;
}

/* Of the layers that were admitted; `layer` is that of a bad one. */
static inline struct verdict check_links_again(struct scene *scene, uint32_t *layer)
{
	const int whole = assemble(scene);
	struct text text;
	struct verdict v;

	text_init(&text, scene->detail, sizeof(scene->detail));
	v = assembled_check_links(&scene->fit, scene->count, whole, layer, &text);
	close(whole);
	return v;
}

/* All of them are admitted first, from the lowest to the topmost. */
static inline struct verdict check_links(struct scene *scene, uint32_t *layer)
{
	for (size_t i = scene->count; i > 0; i--)
		admits(scene, (uint32_t)(i - 1));
	return check_links_again(scene, layer);
}

#endif
