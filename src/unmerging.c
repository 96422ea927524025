/* SPDX-License-Identifier: Apache-2.0 */
#include "unmerging.h"

#include <string.h>

#include "core/text.h"
#include "log.h"
#include "sys/overlay.h"
#include "sys/stage.h"

#define WHAT_SIZE 512u

static enum exit_status unmerge(int root_fd, enum hierarchy hierarchy, bool *removed)
{
	char in_the_way[MOUNTINFO_PATH_MAX] = "", what[WHAT_SIZE];
	pid_t left = 0;
	const struct verdict v = overlay_remove(root_fd, hierarchy, removed, in_the_way, &left);
	struct text text;

	if (left != 0)
		log_line(LOG_LEVEL_WARNING,
			 "/%s: the disk of an image does not answer; process %ld is left behind",
			 hierarchy_name(hierarchy), (long)left);

	text_init(&text, what, sizeof(what));
	text_str(&text, in_the_way[0] == '\0' ? hierarchy_name(hierarchy) : "");
	text_escaped(&text, in_the_way, strlen(in_the_way));
	return report_any_trouble(what, v);
}

static enum exit_status unmerge_all(int root_fd, uint32_t hierarchies, bool removed[HIERARCHIES])
{
	enum exit_status status = EXIT_GOOD;

	for (unsigned i = 0; i < HIERARCHIES; i++)
		if ((hierarchies & 1u << i) != 0)
			status = report_worse(status,
					      unmerge(root_fd, (enum hierarchy)i, &removed[i]));
	return status;
}

static bool any_merged(int root_fd, uint32_t hierarchies)
{
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if ((hierarchies & 1u << i) != 0 &&
		    overlay_absent(root_fd, (enum hierarchy)i).reason == REASON_MERGE_PRESENT)
			return true;
	return false;
}

/* No service is stopped for a mount that was away for a moment. */
static enum exit_status rehearse(int root_fd, uint32_t hierarchies,
				 enum exit_status (*look)(void *ctx, int bare_fd), void *ctx)
{
	bool removed[HIERARCHIES] = { false };
	struct stage stage = STAGE_NONE;
	enum exit_status status;
	struct verdict v = stage_enter(root_fd, &stage);

	if (!is_accepted(v))
		return report_trouble("unmerge", v);
	status = unmerge_all(stage.root, hierarchies, removed);
	if (status == EXIT_GOOD && look != NULL)
		status = look(ctx, stage.root);
	v = stage_leave(&stage);
	return is_accepted(v) ? status : report_trouble("unmerge", v);
}

enum exit_status unmerging_run(int root_fd, uint32_t hierarchies,
			       enum exit_status (*look)(void *ctx, int bare_fd), void *ctx,
			       bool removed[HIERARCHIES])
{
	enum exit_status status = EXIT_GOOD;

	memset(removed, 0, HIERARCHIES * sizeof(removed[0]));
	if (any_merged(root_fd, hierarchies))
		status = rehearse(root_fd, hierarchies, look, ctx);
	return status == EXIT_GOOD ? unmerge_all(root_fd, hierarchies, removed) : status;
}
