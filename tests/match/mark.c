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

#include "sys/fit.h"
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

/* As execute_plan() does it: the lowest first. */
static void admit(struct fit *fit, size_t count)
{
	struct notes notes = { 0 };
	char bytes[512];
	struct text detail;

	text_init(&detail, bytes, sizeof(bytes));
	for (size_t i = count; i > 0; i--)
		need(fit_admit(fit, (uint32_t)(i - 1), &notes, &detail), "fit");
}

static void lay_over(const struct fit *fit, enum hierarchy hierarchy, size_t count, int *fd)
{
	const struct overlay overlay = { .stage = fit->stage,
					 .hierarchy = hierarchy,
					 .layers = fit->layers,
					 .count = count,
					 .top = fit->nodes.hierarchy[hierarchy] };
	const struct node *at;
	char bytes[512];
	struct text detail;

	text_init(&detail, bytes, sizeof(bytes));
	need(overlay_make(&overlay, &detail, &at, fd), "overlay");
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
	struct fit fit = { .stage = &stage, .layers = layers };

	if (root < 0)
		die("CLASS ROOT");
	need(stage_enter(root, &stage), "stage");
	for (unsigned i = 0; i < HIERARCHIES; i++) {
		if (hierarchy_class((enum hierarchy)i) != class)
			continue;
		layers[0].has[i] = layers[1].has[i] = true;
		make_layer(stage.tree, "0", hierarchy_name((enum hierarchy)i));
		make_layer(stage.tree, "1", hierarchy_name((enum hierarchy)i));
	}
	admit(&fit, 2);
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (layers[0].has[i])
			lay_over(&fit, (enum hierarchy)i, 2, &overlays[i]);
	need(stage_leave(&stage), "stage");
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (overlays[i] >= 0)
			need(overlay_attach(overlays[i], root, (enum hierarchy)i), "attach");
	return 0;
}
