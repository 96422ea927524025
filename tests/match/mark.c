/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CLASS ROOT: merges two extensions of this class, "old" and "new", made up on the spot, onto the root, by the code that
 * vext merges with; for systemd's own programs to look at.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/overlay.h"

static const uint8_t no_hash[VEXT_HASH_SIZE];

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(3);
}

static void need(struct verdict v, const char *what)
{
	if (is_accepted(v))
		return;
	fprintf(stderr, "%s: %s: %s\n", what, reason_name(v.reason), strerror(v.sys_errno));
	exit(3);
}

/* Layer NUMBER has a directory and a file in the hierarchy. */
static void make_layer(int tree, const char *number, const char *hierarchy)
{
	char path[64];

	if (mkdirat(tree, number, 0755) < 0 && errno != EEXIST)
		die(number);
	snprintf(path, sizeof(path), "%s/%s", number, hierarchy);
	if (mkdirat(tree, path, 0755) < 0)
		die(path);
	snprintf(path, sizeof(path), "%s/%s/of-%s", number, hierarchy, number);
	if (openat(tree, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0)
		die(path);
}

int main(int argc, char **argv)
{
	const enum extension_class class = argc > 1 && strcmp(argv[1], "confext") == 0 ?
						   CLASS_CONFEXT :
						   CLASS_SYSEXT;
	const int root = argc == 3 ? open(argv[2], O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	int overlays[HIERARCHIES] = { -1, -1, -1 };
	struct overlay_layer layers[] = {
		{ .name = "old", .class = class, .path = "", .root_hash = no_hash },
		{ .name = "new", .class = class, .path = "", .root_hash = no_hash },
	};
	struct stage stage = STAGE_NONE;

	if (root < 0)
		die("CLASS ROOT");
	need(stage_enter(root, &stage), "stage");
	for (unsigned i = 0; i < HIERARCHIES; i++) {
		if (hierarchy_class((enum hierarchy)i) != class)
			continue;
		layers[0].has[i] = layers[1].has[i] = true;
		make_layer(stage.tree, "0", hierarchy_name((enum hierarchy)i));
		make_layer(stage.tree, "1", hierarchy_name((enum hierarchy)i));
		need(overlay_make(&stage, (enum hierarchy)i, layers, 2, &overlays[i]), "overlay");
	}
	need(stage_leave(&stage), "stage");
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (overlays[i] >= 0)
			need(overlay_attach(overlays[i], root, (enum hierarchy)i), "attach");
	return 0;
}
