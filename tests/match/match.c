/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CLASS ROOT: what vext says of the extensions of this class below ROOT/var/lib, each a directory that stands for a
 * mounted image: "NAME reason", as they come. For the comparison with systemd-sysext and systemd-confext.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/content.h"

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(3);
}

static void judge(int directory, enum extension_class class, const char *name,
		  const struct content_host *host)
{
	const int image = openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool has[HIERARCHIES];
	char found[VEXT_NAME_MAX + 1];
	char bytes[320];
	struct text detail;

	if (image < 0)
		die(name);
	text_init(&detail, bytes, sizeof(bytes));
	printf("%s %s\n", name,
	       reason_name(content_check(image, class, name, host, has, found, &detail).reason));
	close(image);
}

int main(int argc, char **argv)
{
	const enum extension_class class = argc > 1 && strcmp(argv[1], "confext") == 0 ?
						   CLASS_CONFEXT :
						   CLASS_SYSEXT;
	const int root = argc == 3 ? open(argv[2], O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	const int lib = openat(root, "var/lib", O_PATH | O_DIRECTORY);
	const int directory = openat(lib, class_traits(class)->plural, O_RDONLY | O_DIRECTORY);
	DIR *dir = fdopendir(directory);
	const struct dirent *entry;
	struct content_host host;

	if (dir == NULL)
		die("CLASS ROOT: ROOT/var/lib/…");
	if (!is_accepted(content_read_host(root, &host))) {
		puts("release.host");
		return 0;
	}
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			judge(directory, class, entry->d_name, &host);
	return 0;
}
