/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/layer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

#include "core/text.h"
#include "sys/fd.h"

#define NAMES_SIZE \
	4096u /* bytes of attribute names of one file; more is more than vext looks through */
#define PATH_SIZE 320u /* "/proc/self/fd/N/" and a file name of at most 255 bytes */

/* One directory that is being read. */
struct open_directory {
	DIR *dir;
	int fd; /* of `dir` */
};

struct walk {
	size_t entries;
	size_t depth;
	uint64_t deadline; /* milliseconds of CLOCK_MONOTONIC */
	struct open_directory open[LAYER_DEPTH_MAX];
};

static uint64_t now(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* dm-verity answers EIO for a block that is not what was signed. */
static struct verdict failed(void)
{
	return verdict_errno(errno == EIO ? REASON_KERNEL_CORRUPT : REASON_MERGE_TREE, errno);
}

/* ---- attributes ---------------------------------------------------------------------------- */

static bool is_overlays_own(const char *name)
{
	static const char trusted[] = "trusted.overlay.";
	static const char user[] = "user.overlay.";

	return strncmp(name, trusted, sizeof(trusted) - 1) == 0 ||
	       strncmp(name, user, sizeof(user) - 1) == 0;
}

static struct verdict check_names(const char *names, size_t size)
{
	for (size_t at = 0; at < size; at += strlen(names + at) + 1)
		if (is_overlays_own(names + at))
			return verdict(REASON_MERGE_WHITEOUT);
	return verdict(REASON_ACCEPTED);
}

/* By path, since there is no call for a file that is not open; never through a link. */
static struct verdict check_attributes(int dir_fd, const char *name)
{
	char path[PATH_SIZE];
	char names[NAMES_SIZE];
	struct text text;
	ssize_t size;

	text_init(&text, path, sizeof(path));
	text_str(&text, "/proc/self/fd/");
	text_u64(&text, (uint64_t)dir_fd);
	text_char(&text, '/');
	text_str(&text, name);
	if (!text_ok(&text))
		return verdict_errno(REASON_MERGE_TREE, ENAMETOOLONG);
	size = llistxattr(path, names, sizeof(names));
	if (size < 0 && errno == ENOTSUP)
		return verdict(REASON_ACCEPTED);
	return size < 0 ? failed() : check_names(names, (size_t)size);
}

/* ---- entries ------------------------------------------------------------------------------- */

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* Takes the descriptor. */
static struct verdict enter(struct walk *walk, int fd)
{
	struct open_directory *next = &walk->open[walk->depth];
	DIR *dir = fdopendir(fd);

	if (dir == NULL) {
		const struct verdict v = failed();

		(void)close(fd);
		return v;
	}
	*next = (struct open_directory){ .dir = dir, .fd = fd };
	walk->depth++;
	return verdict(REASON_ACCEPTED);
}

static struct verdict enter_below(struct walk *walk, int dir_fd, const char *name)
{
	int fd;

	if (walk->depth == LAYER_DEPTH_MAX)
		return verdict(REASON_MERGE_TREE);
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? failed() : enter(walk, fd);
}

static struct verdict check_entry(struct walk *walk, int dir_fd, const char *name)
{
	struct stat st;
	struct verdict v;

	if (++walk->entries > LAYER_ENTRIES_MAX || now() > walk->deadline)
		return verdict(REASON_MERGE_TREE);
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed();
	if (is_whiteout(&st))
		return verdict(REASON_MERGE_WHITEOUT);
	v = check_attributes(dir_fd, name);
	if (is_accepted(v) && S_ISDIR(st.st_mode))
		v = enter_below(walk, dir_fd, name);
	return v;
}

static void leave(struct walk *walk)
{
	walk->depth--;
	(void)closedir(walk->open[walk->depth].dir);
}

/* The next entry of the innermost directory; leaves that at its end. */
static struct verdict step(struct walk *walk)
{
	const struct open_directory *here = &walk->open[walk->depth - 1];
	const struct dirent *entry;

	errno = 0;
	entry = readdir(here->dir);
	if (entry == NULL && errno != 0)
		return failed();
	if (entry == NULL) {
		leave(walk);
		return verdict(REASON_ACCEPTED);
	}
	if (is_dot(entry->d_name))
		return verdict(REASON_ACCEPTED);
	return check_entry(walk, here->fd, entry->d_name);
}

struct verdict layer_check(int dir_fd)
{
	struct walk walk = { .deadline = now() + LAYER_MILLISECONDS };
	struct verdict v = check_attributes(dir_fd, ".");

	if (is_accepted(v))
		v = enter_below(&walk, dir_fd, ".");
	while (is_accepted(v) && walk.depth > 0)
		v = step(&walk);
	while (walk.depth > 0)
		leave(&walk);
	return v;
}
