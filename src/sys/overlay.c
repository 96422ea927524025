/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "core/origin.h"
#include "sys/content.h"
#include "sys/fd.h"
#include "sys/mounts.h"
#include "sys/submounts.h"
#include "sys/syscalls.h"

#define OPTIONS_SIZE 4096u /* the kernel reads one page, with NUL */
#define PATH_SIZE 64u
#define STACKED_MAX 64u	 /* merges on top of each other that are taken off */
#define LABEL_SIZE 4096u /* bytes of an SELinux label */
#define DEVICE_SIZE 24u	 /* "4294967295:4294967295\n" with NUL */

/* In the directory that marks a merged hierarchy, as systemd-sysext has them. */
#define META_DEVICE "dev"
#define META_BACKING "backing"
#define META_ORIGIN "origin"

/* Three directories below the stage for each hierarchy. */
struct places {
	char meta[PATH_SIZE]; /* the top layer */
	char root[PATH_SIZE]; /* the root's hierarchy, without what is mounted below it */
	char over[PATH_SIZE]; /* the result */
};

static struct verdict failed(void)
{
	return verdict_errno(REASON_MERGE_OVERLAY, errno);
}

static void put_path(char out[PATH_SIZE], const char *first, const char *second)
{
	struct text text;

	text_init(&text, out, PATH_SIZE);
	text_str(&text, first);
	text_str(&text, second);
}

void overlay_layer_name(size_t index, char out[OVERLAY_LAYER_NAME])
{
	struct text text;

	text_init(&text, out, OVERLAY_LAYER_NAME);
	text_u64(&text, index);
}

static struct verdict make_places(int tree, enum hierarchy hierarchy, struct places *places)
{
	const char *name = hierarchy_name(hierarchy);

	put_path(places->meta, "meta-", name);
	put_path(places->root, "root-", name);
	put_path(places->over, "over-", name);
	if (mkdirat(tree, places->meta, 0700) < 0 || mkdirat(tree, places->root, 0700) < 0 ||
	    mkdirat(tree, places->over, 0700) < 0)
		return failed();
	return verdict(REASON_ACCEPTED);
}

/* A copy of the root's hierarchy under a name without special characters, whatever the root's is. */
static struct verdict take_root(const struct stage *stage, enum hierarchy hierarchy,
				const struct places *places, struct stat *st)
{
	FD_CLEANUP int fd = content_open_directory(stage->root, hierarchy_name(hierarchy));
	FD_CLEANUP int copy = -1;

	if (fd < 0)
		return verdict_errno(REASON_MERGE_HIERARCHY, errno);
	if (fstat(fd, st) < 0)
		return failed();
	copy = sys_clone_mount(fd, "");
	if (copy < 0 || sys_move_mount(copy, stage->tree, places->root) < 0)
		return failed();
	return verdict(REASON_ACCEPTED);
}

/* ---- metadata ------------------------------------------------------------------------------ */

static const struct class_traits *traits_of(enum hierarchy hierarchy)
{
	return class_traits(hierarchy_class(hierarchy));
}

static void put_meta(char out[PATH_SIZE], enum hierarchy hierarchy, const char *file)
{
	struct text text;

	text_init(&text, out, PATH_SIZE);
	text_str(&text, traits_of(hierarchy)->mark);
	text_char(&text, '/');
	text_str(&text, file);
}

static bool write_whole(int fd, const char *bytes, size_t size)
{
	int tries = 0;

	while (size > 0) {
		const ssize_t done = write(fd, bytes, size);

		if (done < 0 && fd_interrupted(&tries))
			continue;
		if (done <= 0)
			return false;
		bytes += done;
		size -= (size_t)done;
	}
	return true;
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

/* One name a line, oldest first, which is the order of layers from the bottom. */
static struct verdict write_extensions(int meta, enum hierarchy hierarchy,
				       const struct overlay_layer layers[], size_t count)
{
	char path[PATH_SIZE];
	FD_CLEANUP int fd = -1;

	put_meta(path, hierarchy, traits_of(hierarchy)->plural);
	fd = create_file(meta, path);
	if (fd < 0)
		return failed();
	for (size_t i = count; i > 0; i--) {
		const char *name = layers[i - 1].name;

		if (!write_whole(fd, name, strlen(name)) || !write_whole(fd, "\n", 1))
			return failed();
	}
	return verdict(REASON_ACCEPTED);
}

static bool all_have_paths(const struct overlay_layer layers[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (layers[i].path[0] == '\0')
			return false;
	return true;
}

static bool write_entry(int fd, const struct overlay_layer *layer)
{
	char entry[ORIGIN_ENTRY_MAX];
	struct text text;

	text_init(&text, entry, sizeof(entry));
	origin_put(&text, layer->name, layer->path, layer->root_hash);
	return text_ok(&text) && write_whole(fd, entry, text.used);
}

/* All of them, also those without this hierarchy; or no such file, and systemd will look for itself. */
static struct verdict write_origin(int meta, enum hierarchy hierarchy,
				   const struct overlay_layer layers[], size_t count)
{
	char path[PATH_SIZE];
	FD_CLEANUP int fd = -1;

	if (!all_have_paths(layers, count))
		return verdict(REASON_ACCEPTED);
	put_meta(path, hierarchy, META_ORIGIN);
	fd = create_file(meta, path);
	if (fd < 0 || !write_whole(fd, ORIGIN_START, strlen(ORIGIN_START)))
		return failed();
	for (size_t i = 0; i < count; i++)
		if ((i > 0 && !write_whole(fd, ORIGIN_NEXT, strlen(ORIGIN_NEXT))) ||
		    !write_entry(fd, &layers[i]))
			return failed();
	return write_whole(fd, ORIGIN_END, strlen(ORIGIN_END)) ? verdict(REASON_ACCEPTED) :
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

static struct verdict write_device(int meta, enum hierarchy hierarchy, const char *file,
				   dev_t device)
{
	char path[PATH_SIZE];
	FD_CLEANUP int fd = -1;
	char line[DEVICE_SIZE];

	put_meta(path, hierarchy, file);
	fd = create_file(meta, path);
	format_device(device, line);
	if (fd < 0 || !write_whole(fd, line, strlen(line)))
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

/* The top layer gives the merged directory its mode: that of the root's directory. */
static struct verdict write_meta(int meta, enum hierarchy hierarchy, const struct stat *root,
				 const struct overlay_layer layers[], size_t count)
{
	const char *mark = traits_of(hierarchy)->mark;
	struct verdict v;

	if (mkdirat(meta, mark, 0755) < 0 || fchmodat(meta, mark, 0755, 0) < 0 ||
	    fchmod(meta, root->st_mode & 07777) < 0)
		return failed();
	select_class(hierarchy_class(hierarchy), &layers, &count);
	v = write_extensions(meta, hierarchy, layers, count);
	if (is_accepted(v))
		v = write_origin(meta, hierarchy, layers, count);
	/* The disk below; a file system without one (major 0) has none to name. */
	if (is_accepted(v) && major(root->st_dev) != 0)
		v = write_device(meta, hierarchy, META_BACKING, root->st_dev);
	return v;
}

/*
 * The top layer also gives it its SELinux label, and a fresh tmpfs has another one than the root's
 * directory. There may be none, and the file system may know of none.
 */
static struct verdict copy_label(const struct stage *stage, enum hierarchy hierarchy, int meta)
{
	static const char attribute[] = "security.selinux";
	FD_CLEANUP int fd = sys_openat2(stage->root, hierarchy_name(hierarchy),
					O_RDONLY | O_DIRECTORY | O_CLOEXEC,
					RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	char label[LABEL_SIZE];
	ssize_t size;

	if (fd < 0)
		return failed();
	size = fgetxattr(fd, attribute, label, sizeof(label));
	if (size < 0)
		return errno == ENODATA || errno == ENOTSUP ? verdict(REASON_ACCEPTED) : failed();
	return fsetxattr(meta, attribute, label, (size_t)size, 0) < 0 ? failed() :
									verdict(REASON_ACCEPTED);
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

/* The paths are relative to the stage, which is the working directory. */
static struct verdict mount_overlay(const struct places *places, enum hierarchy hierarchy,
				    const struct overlay_layer layers[], size_t count)
{
	const struct class_traits *traits = traits_of(hierarchy);
	unsigned long flags = MS_RDONLY | MS_NODEV;
	char options[OPTIONS_SIZE];
	struct text text;

	text_init(&text, options, sizeof(options));
	text_str(&text, "lowerdir=");
	text_str(&text, places->meta);
	put_layers(&text, hierarchy, layers, count);
	text_char(&text, ':');
	text_str(&text, places->root);
	if (!text_ok(&text))
		return verdict_errno(REASON_MERGE_OVERLAY, E2BIG);
	if (traits->is_without_programs)
		flags |= MS_NOSUID | MS_NOEXEC;
	if (sys_mount(traits->name, places->over, "overlay", flags, options) < 0)
		return failed();
	return verdict(REASON_ACCEPTED);
}

/* The number of the overlay's device is only known now; by it a copy of the files is told apart. */
static struct verdict finish(int meta, int tree, enum hierarchy hierarchy,
			     const struct places *places, int *overlay_fd)
{
	FD_CLEANUP int copy = sys_clone_mounts(tree, places->over);
	struct stat st;
	struct verdict v;

	if (copy < 0 || fstat(copy, &st) < 0)
		return failed();
	v = write_device(meta, hierarchy, META_DEVICE, st.st_dev);
	if (is_accepted(v))
		*overlay_fd = fd_take(&copy);
	return v;
}

static bool any_has(enum hierarchy hierarchy, const struct overlay_layer layers[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (layers[i].has[hierarchy])
			return true;
	return false;
}

struct verdict overlay_make(const struct stage *stage, enum hierarchy hierarchy,
			    const struct overlay_layer layers[], size_t count, int *overlay_fd)
{
	FD_CLEANUP int meta = -1;
	struct places places;
	struct stat root;
	struct verdict v;

	if (!any_has(hierarchy, layers, count)) {
		*overlay_fd = -1;
		return verdict(REASON_ACCEPTED);
	}
	v = make_places(stage->tree, hierarchy, &places);
	if (!is_accepted(v))
		return v;
	meta = openat(stage->tree, places.meta, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (meta < 0)
		return failed();
	v = take_root(stage, hierarchy, &places, &root);
	if (is_accepted(v))
		v = write_meta(meta, hierarchy, &root, layers, count);
	if (is_accepted(v))
		v = copy_label(stage, hierarchy, meta);
	if (is_accepted(v))
		v = mount_overlay(&places, hierarchy, layers, count);
	if (is_accepted(v))
		v = submounts_keep(stage, hierarchy, places.over);
	if (is_accepted(v))
		v = finish(meta, stage->tree, hierarchy, &places, overlay_fd);
	return v;
}

/* ---- on the root --------------------------------------------------------------------------- */

/* What is not there cannot be merged; what cannot be looked at is not merged over. */
static struct verdict absent_or_unreadable(void)
{
	if (errno == ENOENT || errno == ENOTDIR)
		return verdict(REASON_ACCEPTED);
	return verdict_errno(REASON_SYSTEM_READ, errno);
}

/* As systemd-sysext: the file names the device that it is on. Anything else is a copy of such files. */
struct verdict overlay_absent(int root_fd, enum hierarchy hierarchy)
{
	FD_CLEANUP int dir_fd = content_open_directory(root_fd, hierarchy_name(hierarchy));
	FD_CLEANUP int fd = -1;
	char path[PATH_SIZE];
	char line[DEVICE_SIZE];
	char found[DEVICE_SIZE];
	struct stat st;
	ssize_t size;

	if (dir_fd < 0)
		return absent_or_unreadable();
	put_meta(path, hierarchy, META_DEVICE);
	fd = sys_openat2(dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC,
			 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return absent_or_unreadable();
	size = fstat(dir_fd, &st) < 0 ? -1 : read(fd, found, sizeof(found));
	if (size < 0)
		return absent_or_unreadable();
	format_device(st.st_dev, line);
	if ((size_t)size == strlen(line) && memcmp(found, line, strlen(line)) == 0)
		return verdict(REASON_MERGE_PRESENT);
	return verdict(REASON_ACCEPTED);
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
static struct verdict remove_top(int root_fd, enum hierarchy hierarchy, struct submounts *submounts)
{
	FD_CLEANUP int over = content_open_directory(root_fd, hierarchy_name(hierarchy));
	FD_CLEANUP int whole = over < 0 ? -1 : sys_clone_mounts(over, "");
	FD_CLEANUP int below = -1;
	struct verdict v;

	if (whole < 0)
		return verdict_errno(REASON_MERGE_DETACH, errno);
	v = submounts_take(over, submounts);
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

struct verdict overlay_remove(int root_fd, enum hierarchy hierarchy, bool *removed,
			      char in_the_way[MOUNTINFO_PATH_MAX])
{
	struct verdict v = overlay_absent(root_fd, hierarchy);

	*removed = false;
	for (unsigned i = 0; i < STACKED_MAX && v.reason == REASON_MERGE_PRESENT; i++) {
		struct submounts submounts = { .in_the_way = in_the_way };

		v = remove_top(root_fd, hierarchy, &submounts);
		submounts_free(&submounts);
		if (!is_accepted(v))
			return v;
		*removed = true;
		v = overlay_absent(root_fd, hierarchy);
	}
	return v.reason == REASON_MERGE_PRESENT ? verdict_errno(REASON_MERGE_DETACH, EBUSY) : v;
}
