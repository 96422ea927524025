/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/fd.h"
#include "sys/overlay.h"
#include "sys/syscalls.h"

#define INSIDE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

bool path_join(char out[PATHS_SIZE], const char *directory, const char *name)
{
	struct text text;

	text_init(&text, out, PATHS_SIZE);
	text_str(&text, directory);
	text_char(&text, '/');
	text_str(&text, name);
	return text_ok(&text);
}

bool path_of_layer(char out[PATHS_SIZE], uint32_t layer, enum hierarchy hierarchy, const char *path)
{
	char name[OVERLAY_LAYER_NAME], above[PATHS_SIZE];

	overlay_layer_name(layer, name);
	return path_join(above, name, hierarchy_name(hierarchy)) &&
	       path_join(out, above, path[0] == '\0' ? "." : path);
}

ssize_t path_read_link(int dir_fd, const char *name, char target[PATHS_SIZE])
{
	const ssize_t size = dir_fd < 0 ? -1 : readlinkat(dir_fd, name, target, PATHS_SIZE);

	return size == (ssize_t)PATHS_SIZE ? -1 : size;
}

bool path_link_text(int root_fd, const char *path, char target[PATHS_SIZE])
{
	FD_CLEANUP int fd = sys_openat2(root_fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, INSIDE);
	struct stat st;
	ssize_t size;

	target[0] = '\0';
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR;
	if (fstat(fd, &st) < 0)
		return false;
	if (!S_ISLNK(st.st_mode))
		return true;
	size = path_read_link(fd, "", target);
	target[size > 0 ? size : 0] = '\0';
	return size > 0;
}

void path_show(struct text *text, const char *path)
{
	const size_t size = strlen(path);

	if (size > PATHS_SHOWN_MAX) {
		text_str(text, "...");
		path += size - PATHS_SHOWN_MAX;
	}
	text_str(text, path);
}

void path_show_in(struct text *text, enum hierarchy hierarchy, const char *path)
{
	text_str(text, hierarchy_name(hierarchy));
	if (path[0] != '\0')
		text_char(text, '/');
	path_show(text, path);
}
