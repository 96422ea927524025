/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/fit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <time.h>

#include "sys/content.h"
#include "sys/fd.h"
#include "sys/layer.h"
#include "sys/paths.h"
#include "sys/syscalls.h"
#include "sys/worker.h"

/* So that each path of a layer can be looked up later on, with "LAYER/HIERARCHY/" before it. */
#define WALK_PATH_SIZE (PATHS_SIZE - OVERLAY_LAYER_NAME - 4u)
#define INSIDE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
#define LABEL "security.selinux"

/* One directory of the image that is being read. */
struct directory {
	DIR *dir;
	int fd;		   /* of `dir` */
	int root;	   /* the root's; -1: it has none */
	struct node *node; /* NULL: nobody else has it */
	size_t path_size;  /* of walk->path */
	bool has_rules;
	bool is_guarded;
	bool is_below_mount; /* and that is still to be told */
};

struct walk {
	struct fit *fit;
	uint32_t layer;
	enum hierarchy hierarchy;
	struct notes *notes;
	struct text *detail;
	bool has_index; /* names are not looked up where they are listed */
	size_t entries;
	size_t depth;
	uint64_t deadline;     /* milliseconds of CLOCK_MONOTONIC */
	char path[PATHS_SIZE]; /* of the entry in hand, below the hierarchy */
	struct directory open[FIT_DEPTH_MAX];
};

static uint64_t now(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- what is told -------------------------------------------------------------------------- */

static void put_kind(struct text *text, enum node_kind kind)
{
	text_str(text, " is a ");
	text_str(text, node_kind_name(kind));
}

/* "usr/sbin is a directory in the image and a link in the root" */
static void tell_types(struct walk *walk, enum node_kind mine, enum node_kind other,
		       const char *extension)
{
	path_show_in(walk->detail, walk->hierarchy, walk->path);
	put_kind(walk->detail, mine);
	text_str(walk->detail, " in the image and a ");
	text_str(walk->detail, node_kind_name(other));
	text_str(walk->detail, extension == NULL ? " in the root" : " in the extension ");
	if (extension != NULL)
		text_str(walk->detail, extension);
}

static void tell_rule(struct walk *walk, enum node_kind mine)
{
	path_show_in(walk->detail, walk->hierarchy, walk->path);
	put_kind(walk->detail, mine);
	text_str(walk->detail, " in the image");
}

static void note(struct walk *walk, enum note_kind kind, const char *path)
{
	char whole[PATHS_SIZE];

	if (path_join(whole, hierarchy_name(walk->hierarchy), path))
		notes_add(walk->notes, kind, whole, "");
}

/* ---- types --------------------------------------------------------------------------------- */

static bool go_together(enum node_kind a, enum node_kind b)
{
	return a == NODE_NONE || b == NODE_NONE || (a == NODE_DIRECTORY) == (b == NODE_DIRECTORY);
}

static struct directory *innermost(struct walk *walk)
{
	return &walk->open[walk->depth - 1];
}

/* The one look at the root. A directory is opened by it, for its own entries are next. */
static struct verdict look_at_root(const struct directory *here, const char *name,
				   bool is_directory, struct directory *next, enum node_kind *kind)
{
	struct stat st;

	*kind = NODE_NONE;
	if (here->root < 0)
		return verdict(REASON_ACCEPTED);
	if (is_directory) {
		next->root = openat(here->root, name,
				    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		*kind = next->root < 0 ? NODE_NONE : NODE_DIRECTORY;
		if (next->root >= 0 || errno == ENOENT)
			return verdict(REASON_ACCEPTED);
	}
	if (fstatat(here->root, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		*kind = node_kind(st.st_mode);
	else if (errno != ENOENT && errno != ENAMETOOLONG)
		return verdict_errno(REASON_SYSTEM_READ, errno);
	return verdict(REASON_ACCEPTED);
}

static enum node_kind listed_kind(int dir_fd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return node_kind((mode_t)DTTOIF(entry->d_type));
	return fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? NODE_OTHER :
									      node_kind(st.st_mode);
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static DIR *open_other(const struct walk *walk, const struct node *node)
{
	char path[PATHS_SIZE];
	FD_CLEANUP int fd = -1;
	DIR *dir;

	if (path_of_layer(path, node->layer, walk->hierarchy, walk->path))
		fd = sys_openat2(walk->fit->stage->tree, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir != NULL)
		(void)fd_take(&fd);
	return dir;
}

static struct verdict read_other(struct walk *walk, struct node *node, DIR *dir)
{
	const struct dirent *found;

	for (errno = 0; (found = readdir(dir)) != NULL; errno = 0) {
		struct node *added;

		/* Known when it stands there twice, or was read in part before. */
		if (is_dot(found->d_name) ||
		    nodes_find(&walk->fit->nodes, node, found->d_name) != NULL)
			continue;
		added = nodes_add(&walk->fit->nodes, node, found->d_name,
				  listed_kind(dirfd(dir), found), node->layer);
		if (added == NULL)
			return verdict_errno(REASON_SYSTEM_MEMORY, errno);
		added->layers = 1;
		added->is_hearsay = true;
	}
	return errno == 0 ? verdict(REASON_ACCEPTED) : layer_failed();
}

/* Until now only one image had this directory. */
static struct verdict open_node(struct walk *walk, struct node *node)
{
	DIR *dir = open_other(walk, node);
	struct verdict v = dir == NULL ? layer_failed() : read_other(walk, node, dir);
	struct stat st;

	if (dir != NULL && is_accepted(v) && fstat(dirfd(dir), &st) == 0) {
		node->newest = st.st_mtim;
		node->is_open = true;
	}
	if (dir != NULL)
		(void)closedir(dir);
	return v;
}

/* The names of tools' products, which every package makes from what it knows of: the last one hides the others. */
static bool is_generated(const char *name)
{
	static const char *const names[] = { "modules.dep",	  "modules.dep.bin", "ld.so.cache",
					     "gschemas.compiled", "mime.cache",	     "hwdb.bin" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* A list may say what it likes of its entries: where two images meet, the entry itself is asked. */
static void look_closer(const struct walk *walk, struct node *node)
{
	const enum node_kind kind = fit_kind(walk->fit, node->layer, walk->hierarchy, walk->path);

	node->is_hearsay = false;
	if (kind != NODE_NONE)
		node->kind = kind;
	node->has_link |= kind == NODE_LINK;
}

static void mark(struct node *node, enum node_kind mine, bool is_guarded)
{
	const bool replaces = node->root != NODE_NONE || node->layers > 1;

	node->has_link |= mine == NODE_LINK;
	if (mine == NODE_DIRECTORY)
		return;
	node->is_due |= node->has_link && (replaces || is_guarded);
	node->is_generated |= replaces && is_generated(node->name);
}

/* The entry of the image among those of others; NULL where there can't be any. */
static struct verdict take_node(struct walk *walk, const char *name, const struct stat *st,
				enum node_kind root, struct node **found)
{
	const struct directory *here = innermost(walk);
	const enum node_kind mine = node_kind(st->st_mode);
	struct nodes *nodes = &walk->fit->nodes;
	struct node *node;

	*found = NULL;
	if (here->node == NULL)
		return verdict(REASON_ACCEPTED);
	node = nodes_find(nodes, here->node, name);
	if (node != NULL && node->is_hearsay)
		look_closer(walk, node);
	if (node != NULL && !go_together(mine, node->kind)) {
		tell_types(walk, mine, node->kind, walk->fit->layers[node->layer].name);
		return verdict(REASON_MERGE_TYPE);
	}
	if (node == NULL)
		node = nodes_add(nodes, here->node, name, mine, walk->layer);
	if (node == NULL)
		return verdict_errno(REASON_SYSTEM_MEMORY, errno);
	node->root = root;
	/* A directory with a name twice: no tool makes one. */
	if (!nodes_touch(nodes, node, &st->st_mtim))
		return verdict(REASON_KERNEL_FILESYSTEM);
	if (nodes->shared > NODES_SHARED_MAX)
		return verdict_errno(REASON_MERGE_TREE, ENOSPC);
	mark(node, mine, here->is_guarded);
	*found = node;
	return verdict(REASON_ACCEPTED);
}

static struct verdict compare(struct walk *walk, const char *name, const struct stat *st,
			      struct directory *next, struct node **node)
{
	const enum node_kind mine = node_kind(st->st_mode);
	enum node_kind root;
	struct verdict v = look_at_root(innermost(walk), name, S_ISDIR(st->st_mode), next, &root);

	if (is_accepted(v) && !go_together(mine, root)) {
		tell_types(walk, mine, root, NULL);
		return verdict(REASON_MERGE_TYPE);
	}
	return is_accepted(v) ? take_node(walk, name, st, root, node) : v;
}

/* ---- looking things up again ---------------------------------------------------------------- */

enum node_kind fit_kind(const struct fit *fit, uint32_t layer, enum hierarchy hierarchy,
			const char *path)
{
	char whole[PATHS_SIZE];
	FD_CLEANUP int fd = -1;
	struct stat st;

	if (!fit->layers[layer].has[hierarchy] || !path_of_layer(whole, layer, hierarchy, path))
		return NODE_NONE;
	fd = sys_openat2(fit->stage->tree, whole, O_PATH | O_NOFOLLOW | O_CLOEXEC, RESOLVE_BENEATH);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return NODE_NONE;
	return fd < 0 || fstat(fd, &st) < 0 ? NODE_LINK : node_kind(st.st_mode);
}

bool fit_link_text(const struct fit *fit, uint32_t layer, enum hierarchy hierarchy,
		   const char *path, char target[PATHS_SIZE])
{
	char whole[PATHS_SIZE];

	return path_of_layer(whole, layer, hierarchy, path) &&
	       path_link_text(fit->stage->tree, whole, target);
}

/* ---- protected places ---------------------------------------------------------------------- */

/* Where the root has no such file, or it is the usual one, whatever the root's link says. */
static bool has_usual_release(int root_fd)
{
	char own[PATHS_SIZE], usual[PATHS_SIZE];

	return !protect_end(root_fd, "etc/os-release", own, sizeof(own)) ||
	       (protect_end(root_fd, "usr/lib/os-release", usual, sizeof(usual)) &&
		strcmp(own, usual) == 0);
}

/* A link that says what the root's says, or what os-release(5) has every system say, changes nothing. */
static bool is_known_link(const struct walk *walk, const char *path)
{
	char mine[PATHS_SIZE], roots[PATHS_SIZE], whole[PATHS_SIZE];

	if (!fit_link_text(walk->fit, walk->layer, walk->hierarchy, path, mine) || mine[0] == '\0')
		return false;
	if (path_join(whole, hierarchy_name(walk->hierarchy), path) &&
	    path_link_text(walk->fit->stage->root, whole, roots) && strcmp(mine, roots) == 0)
		return true;
	return walk->hierarchy == HIERARCHY_ETC && strcmp(path, "os-release") == 0 &&
	       strcmp(mine, "../usr/lib/os-release") == 0 &&
	       has_usual_release(walk->fit->stage->root);
}

static struct verdict obey(struct walk *walk, const struct place_rule *rule, enum node_kind mine,
			   struct directory *next)
{
	const bool is_directory = mine == NODE_DIRECTORY;
	enum reason reason = REASON_ACCEPTED;

	switch (rule->kind) {
	case PLACE_FIXED:
		if (is_directory || !is_known_link(walk, walk->path))
			reason = rule->reason;
		break;
	case PLACE_GUARDED:
		next->is_guarded = true;
		reason = is_directory ? reason : rule->reason;
		break;
	case PLACE_DIRECTORY:
		reason = is_directory ? reason : rule->reason;
		break;
	case PLACE_MOUNT:
		next->is_below_mount = is_directory;
		if (mine == NODE_LINK)
			reason = REASON_MERGE_SUBMOUNT;
		else if (!is_directory)
			note(walk, NOTE_BELOW_MOUNT, walk->path);
		break;
	}
	if (reason != REASON_ACCEPTED)
		tell_rule(walk, mine);
	return verdict(reason);
}

/* A directory with a rule is opened, so that what is in it has entries. */
static struct verdict obey_all(struct walk *walk, enum node_kind mine, struct node *node,
			       struct directory *next)
{
	const struct directory *here = innermost(walk);
	struct verdict v = verdict(REASON_ACCEPTED);
	const struct place_rule *rule;
	char above[PATHS_SIZE];
	size_t at = 0;

	if (!here->has_rules)
		return v;
	memcpy(above, walk->path, here->path_size);
	above[here->path_size] = '\0';
	while (is_accepted(v) &&
	       (rule = protect_next(&walk->fit->protect, walk->hierarchy, above, &at)) != NULL) {
		if (strcmp(rule->path, walk->path) != 0)
			continue;
		v = obey(walk, rule, mine, next);
		if (node != NULL && node->layers == 1 && mine == NODE_DIRECTORY)
			node->is_open = true;
	}
	return v;
}

static bool may_be(const struct walk *walk, const struct place_rule *rule, enum node_kind kind)
{
	if (kind == NODE_NONE)
		return true;
	return rule->kind == PLACE_FIXED ? is_known_link(walk, rule->path) : kind == NODE_DIRECTORY;
}

/* A file system can be made so that one who looks finds what no list shows: squashfs has an index of names. */
static struct verdict look_at_places(struct walk *walk)
{
	const struct fit *fit = walk->fit;

	for (size_t i = 0; i < fit->protect.count; i++) {
		const struct place_rule *rule = &fit->protect.rules[i];
		enum node_kind kind;

		if (rule->kind == PLACE_MOUNT)
			continue;
		kind = fit_kind(fit, walk->layer, rule->hierarchy, rule->path);
		walk->hierarchy = rule->hierarchy;
		if (may_be(walk, rule, kind))
			continue;
		memcpy(walk->path, rule->path, strlen(rule->path) + 1);
		tell_rule(walk, kind);
		return verdict(rule->kind == PLACE_DIRECTORY ? REASON_MERGE_PROTECTED :
							       rule->reason);
	}
	return verdict(REASON_ACCEPTED);
}

/* ---- the walk ------------------------------------------------------------------------------ */

static bool has_rules(const struct walk *walk)
{
	size_t at = 0;

	return protect_next(&walk->fit->protect, walk->hierarchy, walk->path, &at) != NULL;
}

/* Takes the descriptor of the image's directory and, with success, that of the root's in `next`. */
static struct verdict enter(struct walk *walk, int fd, const struct directory *next)
{
	struct directory *entered = &walk->open[walk->depth];
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL) {
		const struct verdict v = layer_failed();

		fd_close(&fd);
		return v;
	}
	*entered = *next;
	entered->dir = dir;
	entered->fd = fd;
	entered->path_size = strlen(walk->path);
	entered->has_rules = has_rules(walk);
	walk->depth++;
	return verdict(REASON_ACCEPTED);
}

static struct verdict enter_below(struct walk *walk, const char *name, struct node *node,
				  struct directory *next)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	if (walk->depth == FIT_DEPTH_MAX)
		return verdict(REASON_MERGE_TREE);
	if (node != NULL && node->layers == 1 && next->root >= 0)
		node->is_open = true;
	if (node != NULL && !node->is_open && node->layers > 1)
		v = open_node(walk, node);
	next->node = node != NULL && node->is_open ? node : NULL;
	if (!is_accepted(v))
		return v;
	return enter(
		walk,
		openat(innermost(walk)->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
		next);
}

static bool put_name(struct walk *walk, const char *name)
{
	const size_t above = innermost(walk)->path_size;
	struct text text;

	text_init(&text, walk->path + above, WALK_PATH_SIZE - above);
	if (above > 0)
		text_char(&text, '/');
	text_str(&text, name);
	return text_ok(&text);
}

static void note_below_mount(struct walk *walk)
{
	struct directory *here = innermost(walk);
	char point[PATHS_SIZE];

	if (!here->is_below_mount)
		return;
	memcpy(point, walk->path, here->path_size);
	point[here->path_size] = '\0';
	note(walk, NOTE_BELOW_MOUNT, point);
	here->is_below_mount = false;
}

static struct verdict check_entry(struct walk *walk, const char *name)
{
	const struct directory *here = innermost(walk);
	struct directory next = { .root = -1 };
	struct node *node = NULL;
	struct stat st;
	struct verdict v;

	worker_tick();
	if (++walk->entries > FIT_ENTRIES_MAX || now() > walk->deadline || !put_name(walk, name))
		return verdict(REASON_MERGE_TREE);
	if (fstatat(here->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return layer_failed();
	note_below_mount(walk);
	v = layer_check(here->fd, name, &st);
	if (is_accepted(v))
		v = compare(walk, name, &st, &next, &node);
	if (is_accepted(v))
		v = obey_all(walk, node_kind(st.st_mode), node, &next);
	if (is_accepted(v) && S_ISDIR(st.st_mode))
		v = enter_below(walk, name, node, &next);
	if (!is_accepted(v))
		fd_close(&next.root);
	return v;
}

static bool is_listed(struct walk *walk, const char *name)
{
	const struct node *above = innermost(walk)->node;
	const struct node *node = above == NULL ? NULL : nodes_find(&walk->fit->nodes, above, name);

	return node != NULL && node->is_touched;
}

/* What no list of the image shows must not be in the place of a directory of the root either. */
static struct verdict look_for(struct walk *walk, const char *name)
{
	struct stat st;

	if (is_dot(name) || is_listed(walk, name) ||
	    fstatat(innermost(walk)->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode))
		return verdict(REASON_ACCEPTED);
	if (!put_name(walk, name))
		return verdict(REASON_MERGE_TREE);
	tell_types(walk, node_kind(st.st_mode), NODE_DIRECTORY, NULL);
	return verdict(REASON_MERGE_TYPE);
}

static struct verdict look_behind_list(struct walk *walk)
{
	const int root = innermost(walk)->root;
	FD_CLEANUP int fd = root < 0 || !walk->has_index ?
				    -1 :
				    openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct verdict v = verdict(REASON_ACCEPTED);
	const struct dirent *entry;

	if (dir == NULL)
		return root < 0 || !walk->has_index ? v : verdict_errno(REASON_SYSTEM_READ, errno);
	(void)fd_take(&fd);
	while (is_accepted(v) && (entry = readdir(dir)) != NULL)
		if (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)
			v = now() > walk->deadline ? verdict(REASON_MERGE_TREE) :
						     look_for(walk, entry->d_name);
	(void)closedir(dir);
	return v;
}

static void leave(struct walk *walk)
{
	struct directory *here = innermost(walk);

	walk->depth--;
	fd_close(&here->root);
	(void)closedir(here->dir);
}

/* The next entry of the innermost directory; leaves that at its end. */
static struct verdict step(struct walk *walk)
{
	const struct dirent *entry;

	errno = 0;
	entry = readdir(innermost(walk)->dir);
	if (entry == NULL && errno != 0)
		return layer_failed();
	if (entry == NULL) {
		const struct verdict v = look_behind_list(walk);

		leave(walk);
		return v;
	}
	return is_dot(entry->d_name) ? verdict(REASON_ACCEPTED) : check_entry(walk, entry->d_name);
}

/* ---- an image ------------------------------------------------------------------------------ */

/* Without a label where the root has one: what the image adds will have none either. */
static void note_unlabelled(struct walk *walk, int image_fd)
{
	const enum hierarchy hierarchy = walk->hierarchy;
	FD_CLEANUP int root = sys_openat2(walk->fit->stage->root, hierarchy_name(hierarchy),
					  O_RDONLY | O_DIRECTORY | O_CLOEXEC, INSIDE);

	if (root >= 0 && fgetxattr(root, LABEL, NULL, 0) > 0 &&
	    fgetxattr(image_fd, LABEL, NULL, 0) <= 0)
		notes_add(walk->notes, NOTE_UNLABELLED, hierarchy_name(hierarchy), "");
}

/* squashfs: by its index a name is found where no list has it. */
static bool has_index(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) < 0 || (uint64_t)fs.f_type == SQUASHFS_MAGIC;
}

static struct verdict enter_top(struct walk *walk)
{
	struct nodes *nodes = &walk->fit->nodes;
	struct directory next = { .root = -1 };
	char path[PATHS_SIZE];
	FD_CLEANUP int fd = -1;
	struct stat st;
	struct verdict v;

	v = overlay_root(walk->fit->stage, walk->hierarchy, &next.root);
	if (!is_accepted(v))
		return v;
	next.node = nodes_top(nodes, walk->hierarchy);
	if (next.node != NULL && path_of_layer(path, walk->layer, walk->hierarchy, ""))
		fd = openat(walk->fit->stage->tree, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		fd_close(&next.root);
		return next.node == NULL ? verdict_errno(REASON_SYSTEM_MEMORY, ENOMEM) :
					   layer_failed();
	}
	(void)nodes_touch(nodes, next.node, &st.st_mtim);
	note_unlabelled(walk, fd);
	walk->has_index = has_index(fd);
	v = layer_check(fd, ".", &st);
	if (is_accepted(v))
		v = enter(walk, fd_take(&fd), &next);
	if (!is_accepted(v))
		fd_close(&next.root);
	return v;
}

static struct verdict walk_hierarchy(struct walk *walk, enum hierarchy hierarchy)
{
	struct verdict v;

	walk->hierarchy = hierarchy;
	walk->path[0] = '\0';
	v = enter_top(walk);
	while (is_accepted(v) && walk->depth > 0)
		v = step(walk);
	while (walk->depth > 0)
		leave(walk);
	return v;
}

static struct verdict walk_layer(struct fit *fit, uint32_t layer, struct notes *notes,
				 struct text *detail)
{
	struct walk walk = { .fit = fit,
			     .layer = layer,
			     .notes = notes,
			     .detail = detail,
			     .deadline = now() + FIT_MILLISECONDS };
	struct verdict v = verdict(REASON_ACCEPTED);

	for (unsigned i = 0; i < HIERARCHIES && is_accepted(v); i++)
		if (fit->layers[layer].has[i])
			v = walk_hierarchy(&walk, (enum hierarchy)i);
	return is_accepted(v) ? look_at_places(&walk) : v;
}

struct verdict fit_admit(struct fit *fit, uint32_t layer, struct notes *notes, struct text *detail)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	if (!fit->is_begun)
		v = protect_read(fit->stage, &fit->protect);
	fit->is_begun = is_accepted(v);
	if (!is_accepted(v)) {
		protect_free(&fit->protect);
		return v;
	}
	v = walk_layer(fit, layer, notes, detail);
	if (!is_accepted(v)) {
		nodes_give_up(&fit->nodes);
		return v;
	}
	nodes_keep(&fit->nodes);
	fit->turn[layer] = fit->admitted++;
	return v;
}

void fit_free(struct fit *fit)
{
	protect_free(&fit->protect);
	nodes_free(&fit->nodes);
	fit->is_begun = false; /* or it would go on without rules */
}
