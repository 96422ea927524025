/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An extended attribute in hexadecimal digits, for the small guest, whose busybox knows none:
 *
 *   xattr PATH NAME        prints its bytes; exit status 1 if there is no such attribute
 *   xattr PATH NAME HEX    sets it; "" takes it away
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#define VALUE_MAX 65536 /* XATTR_SIZE_MAX of Linux */

static unsigned char value[VALUE_MAX];

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "xattr: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void show(const char *path, const char *name)
{
	const ssize_t size = lgetxattr(path, name, value, sizeof(value));

	if (size < 0 && errno == ENODATA)
		exit(1);
	if (size < 0)
		die(path);
	for (ssize_t i = 0; i < size; i++)
		printf("%02x", value[i]);
	putchar('\n');
}

static void set(const char *path, const char *name, const char *hex)
{
	const size_t size = strlen(hex) / 2;

	if (size > sizeof(value) || strlen(hex) % 2 != 0)
		errno = EINVAL, die(hex);
	for (size_t i = 0; i < size; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &value[i]) != 1)
			errno = EINVAL, die(hex);
	if (size == 0 ? lremovexattr(path, name) < 0 : lsetxattr(path, name, value, size, 0) < 0)
		die(path);
}

int main(int argc, char **argv)
{
	if (argc == 3) {
		show(argv[1], argv[2]);
	} else if (argc == 4) {
		set(argv[1], argv[2], argv[3]);
	} else {
		fprintf(stderr, "usage: xattr PATH NAME [HEX]\n");
		return 2;
	}
	return 0;
}
