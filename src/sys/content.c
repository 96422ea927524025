/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/content.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "core/name.h"
#include "core/text.h"
#include "sys/fd.h"
#include "sys/syscalls.h"

#define INSIDE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
#define OS_RELEASE "usr/lib/os-release"
#define ETC_RELEASE "etc/os-release"
#define RELEASE_PREFIX "extension-release."
#define RELEASE_STRICT "user.extension-release.strict"
#define RELEASE_FILE_SIZE (64u + 255u) /* a directory of the table of classes, and NAME_MAX */

static void close_directory(DIR **dir)
{
	const int saved = errno;

	if (*dir != NULL)
		(void)closedir(*dir);
	errno = saved;
}

#define DIR_CLEANUP __attribute__((cleanup(close_directory)))

/* For reading its entries; NULL and errno on failure. */
static DIR *open_directory(int dir_fd, const char *path)
{
	FD_CLEANUP int fd = sys_openat2(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, INSIDE);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir != NULL)
		(void)fd_take(&fd); /* it is the directory's now */
	return dir;
}

/* ---- reading a release file ---------------------------------------------------------------- */

static bool is_release_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= RELEASE_FILE_MAX;
}

/* dm-verity answers EIO for a block that is not what was signed; EUCLEAN is a file system's word for damage. */
static enum reason reason_for(enum reason otherwise)
{
	if (errno == EUCLEAN)
		return REASON_KERNEL_FILESYSTEM;
	return errno == EIO ? REASON_KERNEL_CORRUPT : otherwise;
}

static struct verdict read_release(int dir_fd, const char *path, struct release *release)
{
	FD_CLEANUP int fd = sys_openat2(dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
					INSIDE);
	char bytes[RELEASE_FILE_MAX];
	ssize_t size;

	if (fd < 0)
		return verdict_errno(reason_for(REASON_RELEASE_MISSING), errno);
	if (!is_release_file(fd))
		return verdict(REASON_RELEASE_MALFORMED);
	size = fd_read_whole(fd, bytes, sizeof(bytes));
	if (size < 0)
		return verdict_errno(reason_for(REASON_RELEASE_MALFORMED), errno);
	return release_parse(bytes, (size_t)size, release);
}

struct verdict content_read_host(int root_fd, struct content_host *host)
{
	static const char *const paths[] = { OS_RELEASE, ETC_RELEASE };
	struct verdict v = verdict(REASON_ACCEPTED);

	host->count = 0;
	for (size_t i = 0; i < 2 && is_accepted(v); i++) {
		v = read_release(root_fd, paths[i], &host->release[host->count]);
		if (is_accepted(v))
			host->count++;
		else if (v.reason == REASON_RELEASE_MISSING && v.sys_errno == ENOENT)
			v = verdict(REASON_ACCEPTED);
	}
	if (is_accepted(v) && host->count == 0)
		v = verdict_errno(REASON_RELEASE_HOST, ENOENT);
	if (!is_accepted(v))
		v.reason = REASON_RELEASE_HOST;
	return v;
}

/* ---- an image ------------------------------------------------------------------------------ */

/* The link that every system has in its /etc, os-release(5): it says nothing new. */
static bool is_usual_link(int fd)
{
	static const char usual[] = "../" OS_RELEASE;
	char target[sizeof(usual)];
	const ssize_t size = readlinkat(fd, "", target, sizeof(target));

	return size == sizeof(usual) - 1 && memcmp(target, usual, sizeof(usual) - 1) == 0;
}

/* Refused for being there, as whatever it is there, but for that link. */
static struct verdict must_lack(int image_fd, const char *path, enum reason reason)
{
	FD_CLEANUP int fd = sys_openat2(image_fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, INSIDE);

	if (fd >= 0)
		return verdict(strcmp(path, ETC_RELEASE) == 0 && is_usual_link(fd) ?
				       REASON_ACCEPTED :
				       reason);
	if (errno == ENOENT || errno == ENOTDIR)
		return verdict(REASON_ACCEPTED);
	return verdict_errno(reason_for(reason), errno);
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* An empty hierarchy is not merged, as systemd-sysext has it. */
static struct verdict has_entries(int dir_fd, bool *has)
{
	DIR_CLEANUP DIR *dir = open_directory(dir_fd, ".");
	const struct dirent *entry;

	if (dir == NULL)
		return verdict_errno(reason_for(REASON_MERGE_HIERARCHY), errno);
	do {
		errno = 0;
		entry = readdir(dir);
	} while (entry != NULL && is_dot(entry->d_name));
	if (entry == NULL && errno != 0)
		return verdict_errno(reason_for(REASON_MERGE_HIERARCHY), errno);
	*has = entry != NULL;
	return verdict(REASON_ACCEPTED);
}

/* A link would have the overlay show another part of the image, or the host, in its place. */
static int open_hierarchy(int image_fd, enum hierarchy hierarchy)
{
	return sys_openat2(image_fd, hierarchy_name(hierarchy),
			   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, INSIDE);
}

static struct verdict check_hierarchy(int image_fd, enum hierarchy hierarchy, bool *has)
{
	FD_CLEANUP int fd = open_hierarchy(image_fd, hierarchy);

	if (fd >= 0)
		return has_entries(fd, has);
	if (errno != ENOENT)
		return verdict_errno(reason_for(REASON_MERGE_HIERARCHY), errno);
	*has = false;
	return verdict(REASON_ACCEPTED);
}

static void put_release_path(char out[RELEASE_FILE_SIZE], enum extension_class class,
			     const char *prefix, const char *name)
{
	struct text text;

	text_init(&text, out, RELEASE_FILE_SIZE);
	text_str(&text, class_traits(class)->releases);
	text_char(&text, '/');
	text_str(&text, prefix);
	text_str(&text, name);
}

/* The words that systemd takes for "no" (parse_boolean). */
static bool is_no(const char *value, size_t size)
{
	static const char *const words[] = { "0", "no", "n", "false", "f", "off" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == size && strncasecmp(words[i], value, size) == 0)
			return true;
	return false;
}

/* A regular file, not a link, that says of itself that it is good for an image of any name. */
static bool is_for_any_name(int image_fd, enum extension_class class, const char *file)
{
	char path[RELEASE_FILE_SIZE];
	FD_CLEANUP int fd = -1;
	char value[8];
	struct stat st;
	ssize_t size;

	if (strncmp(file, RELEASE_PREFIX, strlen(RELEASE_PREFIX)) != 0)
		return false;
	put_release_path(path, class, "", file);
	fd = sys_openat2(image_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC,
			 INSIDE);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	size = fgetxattr(fd, RELEASE_STRICT, value, sizeof(value));
	return size > 0 && is_no(value, (size_t)size);
}

/*
 * The one file of another name, when there is none of the image's own: as systemd-sysext, which thus lets an
 * image be renamed when its builder allowed that. Two such files are a refusal, and so is one that
 * has no name.
 */
static struct verdict find_release(int image_fd, enum extension_class class,
				   char found[VEXT_NAME_MAX + 1])
{
	DIR_CLEANUP DIR *dir = open_directory(image_fd, class_traits(class)->releases);
	char name[NAME_MAX + 1] = "";
	const struct dirent *entry;

	if (dir == NULL)
		return verdict_errno(reason_for(REASON_RELEASE_MISSING), errno);
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
		if (!is_for_any_name(image_fd, class, entry->d_name))
			continue;
		if (name[0] != '\0')
			return verdict(REASON_RELEASE_AMBIGUOUS);
		memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
	}
	if (errno != 0)
		return verdict_errno(reason_for(REASON_RELEASE_MISSING), errno);
	if (name[0] == '\0' || !is_accepted(name_check(name + strlen(RELEASE_PREFIX))))
		return verdict(REASON_RELEASE_MISSING);
	memcpy(found, name + strlen(RELEASE_PREFIX), strlen(name + strlen(RELEASE_PREFIX)) + 1);
	return verdict(REASON_ACCEPTED);
}

static struct verdict read_named(int image_fd, enum extension_class class, const char *name,
				 struct release *release)
{
	char path[RELEASE_FILE_SIZE];

	put_release_path(path, class, RELEASE_PREFIX, name);
	return read_release(image_fd, path, release);
}

static struct verdict check_release(int image_fd, enum extension_class class,
				    const struct content_host *host, char name[VEXT_NAME_MAX + 1])
{
	struct release extension;
	struct verdict v = read_named(image_fd, class, name, &extension);

	if (v.reason == REASON_RELEASE_MISSING && v.sys_errno == ENOENT) {
		v = find_release(image_fd, class, name);
		if (is_accepted(v))
			v = read_named(image_fd, class, name, &extension);
	}
	for (uint32_t i = 0; i < host->count && is_accepted(v); i++)
		v = release_match(&host->release[i], &extension, class, VEXT_ARCH,
				  RELEASE_SCOPE_SYSTEM);
	return v;
}

/* What makes a system of its own, and no extension of one; in what is merged of the class. */
static struct verdict check_lacks(int image_fd, enum extension_class class, struct text *detail)
{
	static const struct {
		const char *path;
		enum reason reason;
		bool of[CLASSES];
	} lacks[] = {
		{ OS_RELEASE, REASON_MERGE_OS_RELEASE, { true, false } },
		{ "usr/lib/verity.d", REASON_MERGE_TRUST, { true, false } },
		{ "usr/lib/systemd/systemd", REASON_MERGE_INIT, { true, false } },
		{ "usr/sbin/init", REASON_MERGE_INIT, { true, false } },
		{ "usr/bin/init", REASON_MERGE_INIT, { true, false } },
		{ ETC_RELEASE, REASON_MERGE_OS_RELEASE, { false, true } },
		{ "etc/initrd-release", REASON_MERGE_OS_RELEASE, { false, true } },
		{ "etc/verity.d", REASON_MERGE_TRUST, { false, true } },
		{ "usr/.systemd-sysext", REASON_MERGE_MARKER, { true, false } },
		{ "opt/.systemd-sysext", REASON_MERGE_MARKER, { true, false } },
		{ "etc/.systemd-confext", REASON_MERGE_MARKER, { false, true } },
	};
	struct verdict v = verdict(REASON_ACCEPTED);

	for (size_t i = 0; i < sizeof(lacks) / sizeof(lacks[0]) && is_accepted(v); i++) {
		if (lacks[i].of[class])
			v = must_lack(image_fd, lacks[i].path, lacks[i].reason);
		if (!is_accepted(v))
			text_str(detail, lacks[i].path);
	}
	return v;
}

/* The hierarchies first: only then is what stands below them known to be in this image. */
struct verdict content_check(int image_fd, enum extension_class class, const char *name,
			     const struct content_host *host, bool has[HIERARCHIES],
			     char found[VEXT_NAME_MAX + 1], struct text *detail)
{
	char release[VEXT_NAME_MAX + 1];
	bool filled[HIERARCHIES] = { false };
	struct verdict v = verdict(REASON_ACCEPTED);

	for (unsigned i = 0; i < HIERARCHIES && is_accepted(v); i++)
		if (hierarchy_class((enum hierarchy)i) == class)
			v = check_hierarchy(image_fd, (enum hierarchy)i, &filled[i]);
	if (is_accepted(v))
		v = check_lacks(image_fd, class, detail);
	memcpy(release, name, strlen(name) + 1);
	if (is_accepted(v))
		v = check_release(image_fd, class, host, release);
	if (!is_accepted(v))
		return v;
	memcpy(has, filled, sizeof(filled));
	memcpy(found, release, sizeof(release));
	return v;
}

/* Of the files that are good for any name one can't tell which image brought them. */
static bool any_name_wants_reload(int root_fd, enum extension_class class)
{
	DIR_CLEANUP DIR *dir = open_directory(root_fd, class_traits(class)->releases);
	const struct dirent *entry;
	char path[RELEASE_FILE_SIZE];
	struct release release;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (!is_for_any_name(root_fd, class, entry->d_name))
			continue;
		put_release_path(path, class, "", entry->d_name);
		if (is_accepted(read_release(root_fd, path, &release)) &&
		    release_wants_reload(&release))
			return true;
	}
	return false;
}

bool content_wants_reload(int root_fd, enum extension_class class, const char *name)
{
	struct release release;
	const struct verdict v = read_named(root_fd, class, name, &release);

	if (v.reason == REASON_RELEASE_MISSING && v.sys_errno == ENOENT)
		return any_name_wants_reload(root_fd, class);
	return is_accepted(v) && release_wants_reload(&release);
}

int content_open_directory(int root_fd, const char *path)
{
	return sys_openat2(root_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, INSIDE);
}
