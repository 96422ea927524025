/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "core/origin.h"
#include "sys/content.h"
#include "sys/fd.h"
#include "sys/kernel_log.h"
#include "sys/mounts.h"
#include "sys/shared.h"
#include "sys/submounts.h"
#include "sys/syscalls.h"
#include "sys/worker.h"

#define OPTIONS_SIZE 4096u /* the kernel reads one page, with NUL */
#define PATH_SIZE OVERLAY_PLACE_SIZE
#define STACKED_MAX 64u /* merges on top of each other that are taken off */
#define WORDS_SIZE 256u /* of the kernel */
#define DEVICE_SIZE 24u /* "4294967295:4294967295\n" with NUL */
#define OWN_SIZE (2u * MERGES_TOKEN_SIZE + 1u + DEVICE_SIZE)

/* In the directory that marks a merged hierarchy, as systemd-sysext has them. */
#define META_DEVICE "dev"
#define META_BACKING "backing"
#define META_ORIGIN "origin"

/* Directories below the stage for each hierarchy. */
struct places {
	char shared[PATH_SIZE]; /* the top layer: directories that root and images share */
	char mark[PATH_SIZE];	/* the one below: the metadata */
	char root[PATH_SIZE];	/* the root's hierarchy, without what is mounted below it */
	char over[PATH_SIZE];	/* the result */
};

static struct verdict failed(void)
{
	return verdict_errno(REASON_MERGE_OVERLAY, errno);
}

static void put_path(char out[PATH_SIZE], const char *first, enum hierarchy hierarchy,
		     unsigned round)
{
	struct text text;

	text_init(&text, out, PATH_SIZE);
	text_str(&text, first);
	text_str(&text, hierarchy_name(hierarchy));
	if (round > 0) {
		text_char(&text, '-');
		text_u64(&text, round);
	}
}

void overlay_layer_name(size_t index, char out[OVERLAY_LAYER_NAME])
{
	struct text text;

	text_init(&text, out, OVERLAY_LAYER_NAME);
	text_u64(&text, index);
}

void overlay_place(enum hierarchy hierarchy, unsigned round, char out[OVERLAY_PLACE_SIZE])
{
	put_path(out, "over-", hierarchy, round);
}

static struct verdict make_places(const struct overlay *overlay, struct places *places)
{
	const int tree = overlay->stage->tree;

	put_path(places->shared, "shared-", overlay->hierarchy, overlay->round);
	put_path(places->mark, "mark-", overlay->hierarchy, overlay->round);
	put_path(places->root, "root-", overlay->hierarchy, 0);
	overlay_place(overlay->hierarchy, overlay->round, places->over);
	if (mkdirat(tree, places->shared, 0700) < 0 || mkdirat(tree, places->mark, 0700) < 0 ||
	    mkdirat(tree, places->over, 0700) < 0)
		return failed();
	return verdict(REASON_ACCEPTED);
}

/* A copy of the root's hierarchy under a name without special characters, whatever the root's is. */
static struct verdict take_root(const struct stage *stage, enum hierarchy hierarchy,
				const char *place)
{
	FD_CLEANUP int fd = content_open_directory(stage->root, hierarchy_name(hierarchy));
	FD_CLEANUP int copy = -1;

	if (fd < 0)
		return verdict_errno(REASON_MERGE_HIERARCHY, errno);
	if (mkdirat(stage->tree, place, 0700) < 0)
		return failed();
	copy = sys_clone_mount(fd, "");
	if (copy < 0 || sys_move_mount(copy, stage->tree, place) < 0) {
		const struct verdict v = failed();

		(void)unlinkat(stage->tree, place, AT_REMOVEDIR);
		return v;
	}
	return verdict(REASON_ACCEPTED);
}

struct verdict overlay_root(const struct stage *stage, enum hierarchy hierarchy, int *fd)
{
	char place[PATH_SIZE];
	struct verdict v = verdict(REASON_ACCEPTED);
	int opened;

	put_path(place, "root-", hierarchy, 0);
	if (faccessat(stage->tree, place, F_OK, 0) < 0)
		v = take_root(stage, hierarchy, place);
	if (!is_accepted(v))
		return v;
	opened = openat(stage->tree, place, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (opened < 0)
		return failed();
	*fd = opened;
	return v;
}

/* ---- metadata ------------------------------------------------------------------------------ */

static const struct class_traits *traits_of(enum hierarchy hierarchy)
{
	return class_traits(hierarchy_class(hierarchy));
}

static void put_marked(char out[PATH_SIZE], enum hierarchy hierarchy, const char *file)
{
	struct text text;

	text_init(&text, out, PATH_SIZE);
	text_str(&text, traits_of(hierarchy)->mark);
	text_char(&text, '/');
	text_str(&text, file);
}

static int create_file(int dir_fd, const char *path)
{
	FD_CLEANUP int fd = openat(dir_fd, path,
				   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);

	/* Whatever the umask is. */
	if (fd < 0 || fchmod(fd, 0644) < 0)
		return -1;
	return fd_take(&fd);
}

/* An image without usr and opt, and one that was given up, does not. */
static bool takes_part(const struct overlay_layer *layer)
{
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (layer->has[i])
			return true;
	return false;
}

/* One name a line, oldest first, which is the order of layers from the bottom. */
static struct verdict write_extensions(int mark_fd, enum hierarchy hierarchy,
				       const struct overlay_layer layers[], size_t count)
{
	char path[PATH_SIZE];
	FD_CLEANUP int fd = -1;

	put_marked(path, hierarchy, traits_of(hierarchy)->plural);
	fd = create_file(mark_fd, path);
	if (fd < 0)
		return failed();
	for (size_t i = count; i > 0; i--) {
		const char *name = layers[i - 1].name;

		if (!takes_part(&layers[i - 1]))
			continue;
		if (!fd_write_whole(fd, name, strlen(name)) || !fd_write_whole(fd, "\n", 1))
			return failed();
	}
	return verdict(REASON_ACCEPTED);
}

static bool all_have_paths(const struct overlay_layer layers[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (takes_part(&layers[i]) && layers[i].path[0] == '\0')
			return false;
	return true;
}

static bool write_entry(int fd, const struct overlay_layer *layer)
{
	char entry[ORIGIN_ENTRY_MAX];
	struct text text;

	text_init(&text, entry, sizeof(entry));
	origin_put(&text, layer->name, layer->path, layer->root_hash);
	return text_ok(&text) && fd_write_whole(fd, entry, text.used);
}

/* All of them, also those without this hierarchy; or no such file, and systemd will look for itself. */
static struct verdict write_origin(int mark_fd, enum hierarchy hierarchy,
				   const struct overlay_layer layers[], size_t count)
{
	char path[PATH_SIZE];
	FD_CLEANUP int fd = -1;
	bool is_first = true;

	if (!all_have_paths(layers, count))
		return verdict(REASON_ACCEPTED);
	put_marked(path, hierarchy, META_ORIGIN);
	fd = create_file(mark_fd, path);
	if (fd < 0 || !fd_write_whole(fd, ORIGIN_START, strlen(ORIGIN_START)))
		return failed();
	for (size_t i = 0; i < count; i++) {
		if (!takes_part(&layers[i]))
			continue;
		if ((!is_first && !fd_write_whole(fd, ORIGIN_NEXT, strlen(ORIGIN_NEXT))) ||
		    !write_entry(fd, &layers[i]))
			return failed();
		is_first = false;
	}
	return fd_write_whole(fd, ORIGIN_END, strlen(ORIGIN_END)) ? verdict(REASON_ACCEPTED) :
								    failed();
}

static void format_device(dev_t device, char out[DEVICE_SIZE])
{
	struct text text;

	text_init(&text, out, DEVICE_SIZE);
	text_u64(&text, major(device));
	text_char(&text, ':');
	text_u64(&text, minor(device));
	text_char(&text, '\n');
}

static struct verdict write_device(int mark_fd, enum hierarchy hierarchy, const char *file,
				   dev_t device)
{
	char path[PATH_SIZE];
	FD_CLEANUP int fd = -1;
	char line[DEVICE_SIZE];

	put_marked(path, hierarchy, file);
	fd = create_file(mark_fd, path);
	format_device(device, line);
	if (fd < 0 || !fd_write_whole(fd, line, strlen(line)))
		return failed();
	return verdict(REASON_ACCEPTED);
}

/* Those of one class stand together. */
static void select_class(enum extension_class class, const struct overlay_layer **layers,
			 size_t *count)
{
	while (*count > 0 && (*layers)[0].class != class) {
		(*layers)++;
		(*count)--;
	}
	while (*count > 0 && (*layers)[*count - 1].class != class)
		(*count)--;
}

/* What only this boot's vext can have written, and on this overlay alone. */
static void format_own(const uint8_t token[], dev_t device, char out[OWN_SIZE])
{
	char line[DEVICE_SIZE];
	struct text text;

	format_device(device, line);
	text_init(&text, out, OWN_SIZE);
	text_hex(&text, token, MERGES_TOKEN_SIZE);
	text_char(&text, ' ');
	text_str(&text, line);
}

static struct verdict write_own(int mark_fd, const struct overlay *overlay, dev_t device)
{
	char path[PATH_SIZE], line[OWN_SIZE];
	FD_CLEANUP int fd = -1;

	if (overlay->token == NULL)
		return verdict(REASON_ACCEPTED);
	put_marked(path, overlay->hierarchy, MERGES_MARK);
	fd = create_file(mark_fd, path);
	format_own(overlay->token, device, line);
	if (fd < 0 || !fd_write_whole(fd, line, strlen(line)))
		return failed();
	return verdict(REASON_ACCEPTED);
}

/* `lower` is the disk below; a file system without one (major 0) has none to name. */
static struct verdict write_mark(int mark_fd, enum hierarchy hierarchy, dev_t lower,
				 const struct overlay_layer layers[], size_t count)
{
	const char *mark = traits_of(hierarchy)->mark;
	struct verdict v;

	if (mkdirat(mark_fd, mark, 0755) < 0 || fchmodat(mark_fd, mark, 0755, 0) < 0)
		return failed();
	select_class(hierarchy_class(hierarchy), &layers, &count);
	v = write_extensions(mark_fd, hierarchy, layers, count);
	if (is_accepted(v))
		v = write_origin(mark_fd, hierarchy, layers, count);
	if (is_accepted(v) && major(lower) != 0)
		v = write_device(mark_fd, hierarchy, META_BACKING, lower);
	return v;
}

/* ---- the overlay --------------------------------------------------------------------------- */

static void put_layers(struct text *options, enum hierarchy hierarchy,
		       const struct overlay_layer layers[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char name[OVERLAY_LAYER_NAME];

		if (!layers[i].has[hierarchy])
			continue;
		overlay_layer_name(i, name);
		text_char(options, ':');
		text_str(options, name);
		text_char(options, '/');
		text_str(options, hierarchy_name(hierarchy));
	}
}

/* "/etc: " and the kernel's words. */
static void tell_failure(enum hierarchy hierarchy, int log, struct text *detail)
{
	static const char *const complain[] = { "overlayfs", "overlay", NULL };
	char words[WORDS_SIZE];
	struct text text;

	text_init(&text, words, sizeof(words));
	kernel_log_take(log, complain, &text);
	text_char(detail, '/');
	text_str(detail, hierarchy_name(hierarchy));
	text_str(detail, words[0] == '\0' ? "" : ": ");
	text_str(detail, words);
}

/* The paths are relative to the stage, which is the working directory. */
static struct verdict mount_overlay(const struct overlay *overlay, const struct places *places,
				    struct text *detail)
{
	const struct class_traits *traits = traits_of(overlay->hierarchy);
	FD_CLEANUP int log = kernel_log_open();
	unsigned long flags = MS_RDONLY | MS_NODEV;
	char options[OPTIONS_SIZE];
	struct text text;
	struct verdict v;

	text_init(&text, options, sizeof(options));
	text_str(&text, "lowerdir=");
	text_str(&text, places->shared);
	text_char(&text, ':');
	text_str(&text, places->mark);
	put_layers(&text, overlay->hierarchy, overlay->layers, overlay->count);
	text_char(&text, ':');
	text_str(&text, places->root);
	if (!text_ok(&text))
		return verdict_errno(REASON_MERGE_OVERLAY, E2BIG);
	if (traits->is_without_programs)
		flags |= MS_NOSUID | MS_NOEXEC;
	if (sys_mount(traits->name, places->over, "overlay", flags, options) == 0)
		return verdict(REASON_ACCEPTED);
	v = failed();
	tell_failure(overlay->hierarchy, log, detail);
	return v;
}

/* The number of the overlay's device is only known now; by it a copy of the files is told apart. */
static struct verdict finish(const struct overlay *overlay, const struct places *places, int mark,
			     int *overlay_fd)
{
	FD_CLEANUP int copy = sys_clone_mounts(overlay->stage->tree, places->over);
	struct stat st;
	struct verdict v;

	if (copy < 0 || fstat(copy, &st) < 0)
		return failed();
	v = write_device(mark, overlay->hierarchy, META_DEVICE, st.st_dev);
	if (is_accepted(v))
		v = write_own(mark, overlay, st.st_dev);
	if (is_accepted(v))
		*overlay_fd = fd_take(&copy);
	return v;
}

static bool any_has(const struct overlay *overlay)
{
	for (size_t i = 0; i < overlay->count; i++)
		if (overlay->layers[i].has[overlay->hierarchy])
			return true;
	return false;
}

/* The two layers on top. */
static struct verdict make_top(const struct overlay *overlay, const struct places *places, int root,
			       int mark, struct text *detail, const struct node **at)
{
	const struct shared shared = { .stage = overlay->stage,
				       .hierarchy = overlay->hierarchy,
				       .root = root,
				       .layers = overlay->layers,
				       .count = overlay->count,
				       .top = overlay->top };
	FD_CLEANUP int mount = -1;
	struct stat st;
	struct verdict v;

	if (fstat(root, &st) < 0)
		return failed();
	v = write_mark(mark, overlay->hierarchy, st.st_dev, overlay->layers, overlay->count);
	if (is_accepted(v))
		v = shared_mount(&shared, detail, at, &mount);
	if (is_accepted(v) && sys_move_mount(mount, overlay->stage->tree, places->shared) < 0)
		v = failed();
	return v;
}

struct verdict overlay_make(const struct overlay *overlay, struct text *detail,
			    const struct node **at, int *overlay_fd)
{
	FD_CLEANUP int root = -1, mark = -1;
	struct places places;
	struct verdict v;

	*at = NULL;
	if (!any_has(overlay)) {
		*overlay_fd = -1;
		return verdict(REASON_ACCEPTED);
	}
	v = make_places(overlay, &places);
	if (is_accepted(v))
		v = overlay_root(overlay->stage, overlay->hierarchy, &root);
	if (!is_accepted(v))
		return v;
	mark = openat(overlay->stage->tree, places.mark, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mark < 0)
		return failed();
	v = make_top(overlay, &places, root, mark, detail, at);
	if (is_accepted(v))
		v = mount_overlay(overlay, &places, detail);
	if (is_accepted(v))
		v = submounts_keep(overlay->stage, overlay->hierarchy, places.over);
	if (is_accepted(v))
		v = finish(overlay, &places, mark, overlay_fd);
	return v;
}

/* What still holds them, as a copy of the mount does, keeps them. */
void overlay_drop(enum hierarchy hierarchy, unsigned round)
{
	char place[PATH_SIZE];

	overlay_place(hierarchy, round, place);
	(void)sys_umount(place, SYS_UMOUNT_DETACH);
	put_path(place, "shared-", hierarchy, round);
	(void)sys_umount(place, SYS_UMOUNT_DETACH);
}

/* ---- on the root --------------------------------------------------------------------------- */

/* What is not there cannot be merged; what cannot be looked at is not merged over. */
static struct verdict absent_or_unreadable(void)
{
	if (errno == ENOENT || errno == ENOTDIR)
		return verdict(REASON_ACCEPTED);
	return verdict_errno(REASON_SYSTEM_READ, errno);
}

/* merge.present where an overlay is mounted on the directory; one that is inside of an overlay is none. */
static struct verdict check_no_overlay(int dir_fd)
{
	struct sys_statx found;
	struct statfs fs;

	if (sys_statx(dir_fd, &found) < 0 || fstatfs(dir_fd, &fs) < 0)
		return verdict_errno(REASON_SYSTEM_READ, errno);
	if ((found.attributes_mask & SYS_STATX_MOUNT_ROOT) == 0)
		return verdict_errno(REASON_SYSTEM_READ, ENOTSUP);
	if ((found.attributes & SYS_STATX_MOUNT_ROOT) != 0 &&
	    (uint64_t)fs.f_type == OVERLAYFS_SUPER_MAGIC)
		return verdict(REASON_MERGE_PRESENT);
	return verdict(REASON_ACCEPTED);
}

/* What a file in the directory of marks has. */
struct mark {
	size_t size;
	char text[OWN_SIZE];
};

struct mark_place {
	int dir_fd;
	const char *path;
};

static struct verdict read_mark(const void *ctx, void *answer)
{
	const struct mark_place *place = ctx;
	struct mark *mark = answer;
	FD_CLEANUP int fd = sys_openat2(place->dir_fd, place->path,
					O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC,
					RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	const ssize_t size = fd < 0 ? -1 : read(fd, mark->text, sizeof(mark->text));

	if (size < 0)
		return absent_or_unreadable();
	mark->size = (size_t)size;
	return verdict(REASON_ACCEPTED);
}

/*
 * Does the file in the directory of marks have this text, and no more? Accepted if so. Whoever
 * looks for it asks the disks of all images in the overlay.
 */
static struct verdict has_marked(int dir_fd, enum hierarchy hierarchy, const char *file,
				 const char *text, bool *has)
{
	char path[PATH_SIZE];
	const struct mark_place place = { .dir_fd = dir_fd, .path = path };
	struct mark mark;
	struct verdict v;

	*has = false;
	put_marked(path, hierarchy, file);
	v = worker_do(read_mark, &place, &mark, sizeof(mark));
	*has = is_accepted(v) && mark.size == strlen(text) &&
	       memcmp(mark.text, text, strlen(text)) == 0;
	return v;
}

/* As systemd-sysext: the file names the device that it is on. Anything else is a copy of such files. */
static struct verdict check_no_mark(int dir_fd, enum hierarchy hierarchy)
{
	char line[DEVICE_SIZE];
	struct stat st;
	struct verdict v;
	bool has;

	if (fstat(dir_fd, &st) < 0)
		return absent_or_unreadable();
	format_device(st.st_dev, line);
	v = has_marked(dir_fd, hierarchy, META_DEVICE, line, &has);
	return has ? verdict(REASON_MERGE_PRESENT) : v;
}

/* The mount that a directory is on: then it is mounts->mount. Its options are those of the overlay that is seen. */
static enum mounts_state find_mount(struct mounts *mounts, int dir_fd)
{
	enum mounts_state state = MOUNTS_FAILED;
	uint64_t id;

	if (mounts != NULL && mounts_id(dir_fd, &id))
		do
			state = mounts_next(mounts);
		while (state == MOUNTS_FOUND && mounts->mount.id != id);
	return state;
}

/*
 * As systemd-sysext and vext name the mounts that they make. The files may be hidden: whoever writes the disk can have put others
 * into the upper layer of a mutable merge before, /var/lib/extensions.mutable/usr/.systemd-sysext/dev.
 */
static struct verdict check_not_named(int dir_fd, enum hierarchy hierarchy)
{
	struct mounts *mounts = mounts_open();
	const enum mounts_state state = find_mount(mounts, dir_fd);
	struct verdict v = verdict(REASON_ACCEPTED);

	if (state == MOUNTS_FAILED)
		v = verdict_errno(REASON_SYSTEM_READ, errno);
	else if (state == MOUNTS_FOUND &&
		 strcmp(mounts->mount.source, traits_of(hierarchy)->name) == 0)
		v = verdict(REASON_MERGE_PRESENT);
	mounts_close(mounts);
	return v;
}

/*
 * Who can write the root can write such a file, but hardly mount something. A name asks no disk, so
 * it comes first.
 */
struct verdict overlay_absent(int root_fd, enum hierarchy hierarchy)
{
	FD_CLEANUP int dir_fd = content_open_directory(root_fd, hierarchy_name(hierarchy));
	struct verdict v, marked;

	if (dir_fd < 0)
		return absent_or_unreadable();
	v = check_no_overlay(dir_fd);
	if (v.reason != REASON_MERGE_PRESENT)
		return v;
	v = check_not_named(dir_fd, hierarchy);
	if (v.reason == REASON_MERGE_PRESENT)
		return v;
	marked = check_no_mark(dir_fd, hierarchy);
	return is_accepted(marked) ? v : marked;
}

struct verdict overlay_owner(int root_fd, enum hierarchy hierarchy, const uint8_t *token,
			     enum overlay_owner *owner)
{
	FD_CLEANUP int dir_fd = -1;
	struct verdict v = overlay_absent(root_fd, hierarchy);
	char line[OWN_SIZE];
	struct stat st;
	bool has = false;

	if (is_accepted(v))
		*owner = OVERLAY_NOBODY;
	if (v.reason != REASON_MERGE_PRESENT)
		return v;
	dir_fd = content_open_directory(root_fd, hierarchy_name(hierarchy));
	if (dir_fd < 0 || fstat(dir_fd, &st) < 0)
		return verdict_errno(REASON_SYSTEM_READ, errno);
	v = verdict(REASON_ACCEPTED);
	if (token != NULL) {
		format_own(token, st.st_dev, line);
		v = has_marked(dir_fd, hierarchy, MERGES_MARK, line, &has);
	}
	if (is_accepted(v))
		*owner = has ? OVERLAY_VEXT : OVERLAY_OTHER;
	return v;
}

struct verdict overlay_attach(int overlay_fd, int root_fd, enum hierarchy hierarchy)
{
	FD_CLEANUP int target = content_open_directory(root_fd, hierarchy_name(hierarchy));

	if (target < 0 || sys_move_mount(overlay_fd, target, "") < 0)
		return verdict_errno(REASON_MERGE_ATTACH, errno);
	return verdict(REASON_ACCEPTED);
}

void overlay_detach(int overlay_fd)
{
	(void)mounts_detach(overlay_fd);
}

/* With `whole`, a copy of all that was there, everything is as before if something can't be put back. */
static struct verdict take_off(int root_fd, enum hierarchy hierarchy, int over, int whole,
			       struct submounts *submounts)
{
	FD_CLEANUP int below = -1;
	struct verdict v = submounts_take(over, submounts);

	if (!is_accepted(v))
		return v;
	if (mounts_detach(over) < 0)
		return verdict_errno(REASON_MERGE_DETACH, errno);
	below = content_open_directory(root_fd, hierarchy_name(hierarchy));
	v = submounts_put_back(below, submounts);
	if (!is_accepted(v))
		(void)overlay_attach(whole, root_fd, hierarchy);
	return v;
}

/* The last one who has it waits for the disks of the images: that is the keeper. */
static struct verdict remove_top(int root_fd, enum hierarchy hierarchy, struct submounts *submounts,
				 pid_t *left)
{
	FD_CLEANUP int over = content_open_directory(root_fd, hierarchy_name(hierarchy));
	FD_CLEANUP int whole = over < 0 ? -1 : sys_clone_mounts(over, "");
	struct worker keeper;
	struct worker_holds holds;
	struct verdict v;

	if (whole < 0)
		return verdict_errno(REASON_MERGE_DETACH, errno);
	worker_keep(&keeper);
	v = take_off(root_fd, hierarchy, over, whole, submounts);
	fd_close(&over);
	fd_close(&whole);
	if (!worker_end(&keeper, &holds))
		*left = holds.process;
	return v;
}

struct verdict overlay_remove(int root_fd, enum hierarchy hierarchy, bool *removed,
			      char in_the_way[MOUNTINFO_PATH_MAX], pid_t *left)
{
	struct verdict v = overlay_absent(root_fd, hierarchy);

	*removed = false;
	for (unsigned i = 0; i < STACKED_MAX && v.reason == REASON_MERGE_PRESENT; i++) {
		struct submounts submounts = { .in_the_way = in_the_way };

		v = remove_top(root_fd, hierarchy, &submounts, left);
		submounts_free(&submounts);
		if (!is_accepted(v))
			return v;
		*removed = true;
		v = overlay_absent(root_fd, hierarchy);
	}
	return v.reason == REASON_MERGE_PRESENT ? verdict_errno(REASON_MERGE_DETACH, EBUSY) : v;
}

bool overlay_is_ephemeral(int root_fd, enum hierarchy hierarchy)
{
	FD_CLEANUP int dir_fd = content_open_directory(root_fd, hierarchy_name(hierarchy));
	struct mounts *mounts = mounts_open();
	bool is_ephemeral = true;

	if (dir_fd >= 0 && find_mount(mounts, dir_fd) == MOUNTS_FOUND)
		is_ephemeral = mountinfo_has_option(mounts->line, "upperdir=/run/");
	mounts_close(mounts);
	return is_ephemeral;
}
