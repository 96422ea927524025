/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

#include "core/erofs.h"
#include "sys/fd.h"
#include "sys/loop.h"
#include "sys/mount.h"
#include "sys/paths.h"
#include "sys/syscalls.h"

#define NAMES_SIZE 4096u /* bytes of attribute names of one directory */
#define INSIDE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)
#define LABEL "security.selinux"
#define WORDS_SIZE 256u /* of the kernel */
#define BACKING \
	"vext-shared" /* the file below the stage, for as long as it has a name; losetup shows it */
#define NOWHERE UINT32_MAX /* as a place: it is not written */

_Static_assert(NODES_SHARED_MAX < EROFS_DIRECTORIES_MAX, "with the mark");

/* What is to be written; the directory behind the node of the same index. The last has no node: the mark. */
struct image {
	const struct shared *shared;
	struct erofs_directory *directories;
	const struct node **nodes;
	size_t count;
	size_t room;
};

static struct verdict failed(void)
{
	return verdict_errno(REASON_MERGE_OVERLAY, errno);
}

static void image_free(struct image *image)
{
	for (size_t i = 0; i < image->count; i++)
		free((void *)(uintptr_t)image->directories[i].xattrs);
	free(image->directories);
	free(image->nodes);
}

/* ---- attributes ---------------------------------------------------------------------------- */

/* What must be kept, or the image can't be merged. */
static const char *const kept[] = { LABEL, "system.posix_acl_access", "system.posix_acl_default" };

#define KEPT (sizeof(kept) / sizeof(kept[0]))

static struct verdict take_kept(int fd, const char *name, struct erofs_xattrs *xattrs)
{
	char value[EROFS_XATTRS_MAX];
	const ssize_t size = fgetxattr(fd, name, value, sizeof(value));

	if (size < 0)
		return errno == ENODATA || errno == ENOTSUP ?
			       verdict(REASON_ACCEPTED) :
			       verdict_errno(REASON_MERGE_ATTRIBUTES,
					     errno == ERANGE ? E2BIG : errno);
	return erofs_xattr_put(xattrs, name, value, (size_t)size) ?
		       verdict(REASON_ACCEPTED) :
		       verdict_errno(REASON_MERGE_ATTRIBUTES, E2BIG);
}

/* EVM's and IMA's are bound to the inode, and overlayfs's own would be orders. */
static bool may_be_kept(const char *name)
{
	return strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0;
}

/* Those of users, as far as there is room. */
static void take_others(int fd, struct erofs_xattrs *xattrs)
{
	char names[NAMES_SIZE], value[EROFS_XATTRS_MAX];
	const ssize_t size = flistxattr(fd, names, sizeof(names));

	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		const ssize_t found = may_be_kept(names + at) ?
					      fgetxattr(fd, names + at, value, sizeof(value)) :
					      -1;

		if (found >= 0)
			(void)erofs_xattr_put(xattrs, names + at, value, (size_t)found);
	}
}

static struct verdict take_attributes(int fd, struct erofs_xattrs *xattrs)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	for (size_t i = 0; i < KEPT && is_accepted(v); i++)
		v = take_kept(fd, kept[i], xattrs);
	if (is_accepted(v))
		take_others(fd, xattrs);
	return v;
}

/* The file system may know of no such attributes, or the kernel not of this file system's. */
static bool is_kept(int from, int to, const char *name)
{
	char wanted[EROFS_XATTRS_MAX], found[EROFS_XATTRS_MAX];
	const ssize_t size = fgetxattr(from, name, wanted, sizeof(wanted));

	return size < 0 || (fgetxattr(to, name, found, sizeof(found)) == size &&
			    memcmp(wanted, found, (size_t)size) == 0);
}

/* ---- the directories ----------------------------------------------------------------------- */

static bool is_shared(const struct node *node)
{
	return node->is_open && (node->root == NODE_DIRECTORY || node->layers > 1);
}

/* The lowest of the admitted images that have it. */
static int open_lowest(const struct shared *shared, const char *path)
{
	int fd = -1;

	for (size_t i = shared->count; i > 0 && fd < 0; i--) {
		char whole[PATHS_SIZE];

		if (shared->layers[i - 1].has[shared->hierarchy] &&
		    path_of_layer(whole, (uint32_t)(i - 1), shared->hierarchy, path))
			fd = sys_openat2(shared->stage->tree, whole,
					 O_RDONLY | O_DIRECTORY | O_CLOEXEC, INSIDE);
	}
	return fd;
}

/* Whose attributes it gets; -1: the images that had it are gone. */
static int open_model(const struct shared *shared, const struct node *node)
{
	char path[PATHS_SIZE];

	if (!node_path(node, path, sizeof(path)))
		return -1;
	if (node->root != NODE_DIRECTORY)
		return open_lowest(shared, path);
	return sys_openat2(shared->root, path[0] == '\0' ? "." : path,
			   O_RDONLY | O_DIRECTORY | O_CLOEXEC, INSIDE);
}

/* What is wrong with a directory that no image has any more is nobody's trouble: the root's own is shown then. */
static struct verdict blame(const struct shared *shared, const struct node *node, struct verdict v,
			    const struct node **at)
{
	FD_CLEANUP int fd = -1;
	char path[PATHS_SIZE];

	if (is_accepted(v))
		return v;
	if (node_path(node, path, sizeof(path)))
		fd = open_lowest(shared, path[0] == '\0' ? "." : path);
	if (fd < 0)
		return verdict(REASON_ACCEPTED);
	*at = node;
	return v;
}

static bool grow(struct image *image)
{
	const size_t room = image->room == 0 ? 64 : image->room * 2;
	struct erofs_directory *directories = realloc(image->directories,
						      room * sizeof(*directories));
	const struct node **nodes;

	if (directories == NULL)
		return false;
	image->directories = directories;
	nodes = realloc(image->nodes, room * sizeof(*nodes));
	if (nodes == NULL)
		return false;
	image->nodes = nodes;
	image->room = room;
	return true;
}

static struct verdict add(struct image *image, const struct node *node,
			  struct erofs_directory directory, const struct erofs_xattrs *xattrs)
{
	uint8_t *copy = malloc(xattrs->used > 0 ? xattrs->used : 1);

	if (copy == NULL || (image->count == image->room && !grow(image))) {
		free(copy);
		return verdict_errno(REASON_SYSTEM_MEMORY, ENOMEM);
	}
	memcpy(copy, xattrs->bytes, xattrs->used);
	directory.xattrs = copy;
	directory.xattrs_size = (uint32_t)xattrs->used;
	image->directories[image->count] = directory;
	image->nodes[image->count++] = node;
	return verdict(REASON_ACCEPTED);
}

/* The hierarchy's own time is that of the merge: systemd-sysext tells by it since when there is one. */
static struct timespec time_of(const struct node *node, const struct stat *st)
{
	struct timespec time = node->newest;

	if (node->above == NULL)
		(void)clock_gettime(CLOCK_REALTIME, &time);
	else if (node->root == NODE_DIRECTORY &&
		 (st->st_mtim.tv_sec > time.tv_sec ||
		  (st->st_mtim.tv_sec == time.tv_sec && st->st_mtim.tv_nsec > time.tv_nsec)))
		time = st->st_mtim;
	return time;
}

static struct verdict add_entry(struct image *image, struct node *node)
{
	FD_CLEANUP int fd = open_model(image->shared, node);
	struct erofs_xattrs xattrs = { .used = 0 };
	struct timespec time;
	struct stat st;
	struct verdict v;

	if (fd < 0 || fstat(fd, &st) < 0)
		return node->root == NODE_DIRECTORY ? failed() : verdict(REASON_ACCEPTED);
	v = take_attributes(fd, &xattrs);
	if (!is_accepted(v))
		return v;
	time = time_of(node, &st);
	v = add(image, node,
		(struct erofs_directory){
			.name = node->name,
			.parent = node->above == NULL ? 0 : node->above->place,
			.mode = (uint16_t)(st.st_mode & 07777),
			.uid = st.st_uid,
			.gid = st.st_gid,
			.mtime = time.tv_sec,
			.mtime_nsec = (uint32_t)time.tv_nsec,
		},
		&xattrs);
	if (is_accepted(v))
		node->place = (uint32_t)(image->count - 1);
	return v;
}

/* The directory that marks the merge: its files are below, on a tmpfs. It has the hierarchy's label. */
static struct verdict add_mark(struct image *image)
{
	const char *mark = class_traits(hierarchy_class(image->shared->hierarchy))->mark;
	struct erofs_xattrs xattrs = { .used = 0 };
	struct erofs_directory directory = image->directories[0];
	char label[EROFS_XATTRS_MAX];
	FD_CLEANUP int fd = openat(image->shared->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const ssize_t size = fd < 0 ? -1 : fgetxattr(fd, LABEL, label, sizeof(label));

	if (size > 0)
		(void)erofs_xattr_put(&xattrs, LABEL, label, (size_t)size);
	directory.name = mark;
	directory.mode = 0755;
	directory.uid = directory.gid = 0;
	return add(image, NULL, directory, &xattrs);
}

static struct verdict add_all(struct image *image, const struct node **at)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	for (struct node *node = image->shared->top; node != NULL && is_accepted(v);
	     node = node_next(node)) {
		if (!is_shared(node))
			continue;
		node->place = NOWHERE;
		if (node->above == NULL || node->above->place != NOWHERE)
			v = blame(image->shared, node, add_entry(image, node), at);
	}
	return is_accepted(v) ? add_mark(image) : v;
}

/* ---- the file system ----------------------------------------------------------------------- */

static bool write_image(const struct image *image, int fd, uint64_t size)
{
	uint8_t *bytes = calloc(1, size);
	bool is_written;

	if (bytes == NULL)
		return false;
	erofs_write(image->directories, image->count, bytes, size);
	is_written = fd_write_whole(fd, bytes, size);
	free(bytes);
	return is_written;
}

/* A file of the stage without a name: it is there for as long as the loop device. */
static int make_file(const struct image *image, uint64_t size)
{
	const int tree = image->shared->stage->tree;
	FD_CLEANUP int fd = openat(tree, BACKING, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || unlinkat(tree, BACKING, 0) < 0 || !write_image(image, fd, size))
		return -1;
	return fd_take(&fd);
}

static struct verdict mount_image(struct image *image, struct text *detail, int *mount_fd)
{
	const uint64_t size = erofs_layout(image->directories, image->count);
	struct loop loop = LOOP_NONE;
	FD_CLEANUP int fd = -1;
	char words[WORDS_SIZE];
	struct text text;
	struct verdict v;

	if (size == 0)
		return verdict_errno(REASON_MERGE_OVERLAY, EFBIG);
	fd = make_file(image, size);
	if (fd < 0)
		return failed();
	text_init(&text, words, sizeof(words));
	v = loop_attach(fd, (struct extent){ .offset = 0, .size = size }, &loop);
	if (is_accepted(v))
		v = mount_device("erofs", MOUNT_NODE_LOOP, loop.device, &text, mount_fd);
	loop_release(&loop);
	if (!is_accepted(v)) {
		text_str(detail, "the erofs of shared directories ");
		text_str(detail, words);
	}
	return v;
}

static struct verdict check_entry(const struct image *image, const struct node *node, int mount)
{
	FD_CLEANUP int from = open_model(image->shared, node);
	FD_CLEANUP int to = -1;
	char path[PATHS_SIZE];

	if (from < 0 || !node_path(node, path, sizeof(path)))
		return failed();
	to = openat(mount, path[0] == '\0' ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return failed();
	for (size_t i = 0; i < KEPT; i++)
		if (!is_kept(from, to, kept[i]))
			return verdict(REASON_MERGE_ATTRIBUTES);
	return verdict(REASON_ACCEPTED);
}

/* Of those that have any. */
static struct verdict check_attributes(const struct image *image, int mount, const struct node **at)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	for (size_t i = 0; i < image->count && is_accepted(v); i++) {
		if (image->nodes[i] == NULL || image->directories[i].xattrs_size == 0)
			continue;
		v = blame(image->shared, image->nodes[i],
			  check_entry(image, image->nodes[i], mount), at);
	}
	return v;
}

static void tell(const struct shared *shared, const struct node *at, struct text *detail)
{
	char path[PATHS_SIZE];

	if (at == NULL || !node_path(at, path, sizeof(path)))
		return;
	text_str(detail, hierarchy_name(shared->hierarchy));
	text_char(detail, '/');
	text_str(detail, path);
}

struct verdict shared_mount(const struct shared *shared, struct text *detail,
			    const struct node **at, int *mount_fd)
{
	struct image image = { .shared = shared };
	FD_CLEANUP int mount = -1;
	struct verdict v;

	*at = NULL;
	v = add_all(&image, at);
	if (is_accepted(v))
		v = mount_image(&image, detail, &mount);
	if (is_accepted(v))
		v = check_attributes(&image, mount, at);
	if (is_accepted(v))
		*mount_fd = fd_take(&mount);
	else
		tell(shared, *at, detail);
	image_free(&image);
	return v;
}
