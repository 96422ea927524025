/* SPDX-License-Identifier: Apache-2.0 */
/* A directory to build things in, below $TMPDIR or /tmp; gone after the test. */
#ifndef TEST_TREE_H
#define TEST_TREE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tree {
	char path[256];
	int fd;
};

static int tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline struct tree *tree_make(void)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	const char *parent = getenv("TMPDIR");

	assert_non_null(tree);
	snprintf(tree->path, sizeof(tree->path), "%s/vext-test.XXXXXX", parent ? parent : "/tmp");
	assert_non_null(mkdtemp(tree->path));
	tree->fd = open(tree->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(tree->fd >= 0);
	return tree;
}

static inline void tree_remove(struct tree *tree)
{
	close(tree->fd);
	assert_int_equal(nftw(tree->path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(tree);
}

/* With the directories above it. */
static inline void tree_directory(const struct tree *tree, const char *path)
{
	char part[512];

	for (size_t i = 1; i <= strlen(path); i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)i, path);
		if (mkdirat(tree->fd, part, 0755) < 0)
			assert_int_equal(errno, EEXIST);
	}
}

static inline void tree_parents(const struct tree *tree, const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[512];

	if (slash == NULL)
		return;
	snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	tree_directory(tree, parent);
}

static inline void tree_file(const struct tree *tree, const char *path, const char *bytes,
			     size_t size)
{
	int fd;

	tree_parents(tree, path);
	fd = openat(tree->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static inline void tree_text(const struct tree *tree, const char *path, const char *text)
{
	tree_file(tree, path, text, strlen(text));
}

static inline void tree_link(const struct tree *tree, const char *path, const char *target)
{
	tree_parents(tree, path);
	assert_int_equal(symlinkat(target, tree->fd, path), 0);
}

#endif
