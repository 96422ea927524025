/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the directories that trees.py describes as an erofs, from standard input to standard output. A line for each, with
 * spaces between: PARENT MODE UID GID SECONDS NANOSECONDS NAME [ATTRIBUTE VALUE]..., names and values in hex with
 * an x before it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/erofs.h"

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "write: %s\n", what);
	exit(3);
}

static void *need(void *pointer)
{
	return pointer ? pointer : (die("no memory"), NULL);
}

static char *word(void)
{
	return need(strtok(NULL, " \n"));
}

static int64_t number(const char *text)
{
	char *end;
	int64_t value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || end == text)
		die(text);
	return value;
}

static char *bytes(const char *hex, size_t *size)
{
	char *out;

	if (hex[0] != 'x' || strlen(hex) % 2 != 1)
		die(hex);
	*size = strlen(hex) / 2;
	out = need(calloc(1, *size + 1));
	for (size_t i = 0; i < *size; i++) {
		unsigned byte;

		if (sscanf(hex + 1 + 2 * i, "%2x", &byte) != 1)
			die(hex);
		out[i] = (char)byte;
	}
	return out;
}

static void read_xattrs(struct erofs_directory *directory)
{
	struct erofs_xattrs *xattrs = need(calloc(1, sizeof(*xattrs)));

	for (const char *name = strtok(NULL, " \n"); name; name = strtok(NULL, " \n")) {
		size_t size, value_size;
		char *plain = bytes(name, &size), *value = bytes(word(), &value_size);

		if (!erofs_xattr_put(xattrs, plain, value, value_size))
			die(plain);
		free(value);
		free(plain);
	}
	directory->xattrs = xattrs->bytes;
	directory->xattrs_size = (uint32_t)xattrs->used;
}

static void read_directory(char *line, struct erofs_directory *directory)
{
	size_t size;

	*directory = (struct erofs_directory){ .parent = (uint32_t)number(strtok(line, " ")) };
	directory->mode = (uint16_t)number(word());
	directory->uid = (uint32_t)number(word());
	directory->gid = (uint32_t)number(word());
	directory->mtime = number(word());
	directory->mtime_nsec = (uint32_t)number(word());
	directory->name = bytes(word(), &size);
	read_xattrs(directory);
}

int main(void)
{
	struct erofs_directory *all = need(calloc(EROFS_DIRECTORIES_MAX, sizeof(*all)));
	size_t count = 0, room = 0;
	uint8_t *image;
	uint64_t size;
	char *line = NULL;

	while (getline(&line, &room, stdin) > 0)
		read_directory(line, &all[count++]);
	size = erofs_layout(all, count);
	if (size == 0)
		die("not a tree");
	image = need(calloc(1, size));
	erofs_write(all, count, image, size);
	if (fwrite(image, 1, size, stdout) != size || fflush(stdout) != 0)
		die("standard output");
	return 0;
}
