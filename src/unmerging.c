/* SPDX-License-Identifier: Apache-2.0 */
#include "unmerging.h"

#include <string.h>

#include "core/text.h"
#include "sys/overlay.h"
#include "sys/stage.h"

#define WHAT_SIZE 512u

enum exit_status unmerging_trouble(enum hierarchy hierarchy, const char *in_the_way,
				   struct verdict v)
{
	char what[WHAT_SIZE];
	struct text text;

	text_init(&text, what, sizeof(what));
	text_str(&text, in_the_way[0] == '\0' ? hierarchy_name(hierarchy) : "");
	text_escaped(&text, in_the_way, strlen(in_the_way));
	return report_trouble(what, v);
}

static enum exit_status unmerge(int root_fd, enum hierarchy hierarchy, bool *removed)
{
	char in_the_way[MOUNTINFO_PATH_MAX] = "";
	const struct verdict v = overlay_remove(root_fd, hierarchy, removed, in_the_way);

	return is_accepted(v) ? EXIT_GOOD : unmerging_trouble(hierarchy, in_the_way, v);
}

static bool is_one_of(unsigned hierarchy, uint32_t classes)
{
	return (classes & 1u << hierarchy_class((enum hierarchy)hierarchy)) != 0;
}

static enum exit_status unmerge_all(int root_fd, uint32_t classes, bool removed[HIERARCHIES])
{
	enum exit_status status = EXIT_GOOD;

	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (is_one_of(i, classes))
			status = report_worse(status,
					      unmerge(root_fd, (enum hierarchy)i, &removed[i]));
	return status;
}

static bool any_merged(int root_fd, uint32_t classes)
{
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (is_one_of(i, classes) &&
		    overlay_absent(root_fd, (enum hierarchy)i).reason == REASON_MERGE_PRESENT)
			return true;
	return false;
}

/* No service is stopped for a mount that was away for a moment. */
static enum exit_status rehearse(int root_fd, uint32_t classes,
				 enum exit_status (*look)(void *ctx, int bare_fd), void *ctx)
{
	bool removed[HIERARCHIES] = { false };
	struct stage stage = STAGE_NONE;
	enum exit_status status;
	struct verdict v = stage_enter(root_fd, &stage);

	if (!is_accepted(v))
		return report_trouble("unmerge", v);
	status = unmerge_all(stage.root, classes, removed);
	if (status == EXIT_GOOD && look != NULL)
		status = look(ctx, stage.root);
	v = stage_leave(&stage);
	return is_accepted(v) ? status : report_trouble("unmerge", v);
}

enum exit_status unmerging_run(int root_fd, uint32_t classes,
			       enum exit_status (*look)(void *ctx, int bare_fd), void *ctx,
			       bool removed[HIERARCHIES])
{
	enum exit_status status = EXIT_GOOD;

	memset(removed, 0, HIERARCHIES * sizeof(removed[0]));
	if (any_merged(root_fd, classes))
		status = rehearse(root_fd, classes, look, ctx);
	return status == EXIT_GOOD ? unmerge_all(root_fd, classes, removed) : status;
}

struct verdict unmerging_hierarchy(int root_fd, enum hierarchy hierarchy,
				   char in_the_way[MOUNTINFO_PATH_MAX])
{
	struct stage stage = STAGE_NONE;
	bool removed;
	struct verdict v = stage_enter(root_fd, &stage);
	struct verdict left;

	if (!is_accepted(v))
		return v;
	v = overlay_remove(stage.root, hierarchy, &removed, in_the_way);
	left = stage_leave(&stage);
	if (is_accepted(v))
		v = left;
	return is_accepted(v) ? overlay_remove(root_fd, hierarchy, &removed, in_the_way) : v;
}
