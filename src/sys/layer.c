/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/layer.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "core/text.h"

#define NAMES_SIZE \
	4096u /* bytes of attribute names of one file; more is more than vext looks through */
#define PATH_SIZE 320u /* "/proc/self/fd/N/" and a file name of at most 255 bytes */

struct verdict layer_failed(void)
{
	return verdict_errno(errno == EIO ? REASON_KERNEL_CORRUPT : REASON_MERGE_TREE, errno);
}

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
	return size < 0 ? layer_failed() : check_names(names, (size_t)size);
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

struct verdict layer_check(int dir_fd, const char *name, const struct stat *st)
{
	return is_whiteout(st) ? verdict(REASON_MERGE_WHITEOUT) : check_attributes(dir_fd, name);
}
