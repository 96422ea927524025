/* SPDX-License-Identifier: Apache-2.0 */
#include "foreign.h"

#include <string.h>

#include "log.h"
#include "sys/manager.h"
#include "sys/merged.h"
#include "sys/overlay.h"
#include "unmerging.h"

#define LIST_SIZE 512u /* of a line of the log; the rest of the names is left out */

static const char *const actions[] = {
	[FOREIGN_REPLACED] = "replaced",
	[FOREIGN_REFUSED] = "refused",
	[FOREIGN_STOPPED] = "stopped",
};

static const char *const outcomes[] = {
	[FOREIGN_REPLACED] = "it is taken off",
	[FOREIGN_REFUSED] = "it cannot be taken off, so vext merges nothing of this class",
	[FOREIGN_STOPPED] = "it is left, and the boot must not go on",
};

static void tell(enum hierarchy hierarchy, const struct foreign *foreign)
{
	char names[LIST_SIZE];
	struct text text;

	text_init(&text, names, sizeof(names));
	for (size_t i = 0; i < foreign->names.count; i++) {
		text_str(&text, i == 0 ? "" : " ");
		text_str(&text, foreign->names.names[i]);
	}
	log_line(
		LOG_LEVEL_ERROR,
		"another program has merged onto /%s before vext (%s%s); unsigned content may have run; %s",
		hierarchy_name(hierarchy), names, text_ok(&text) ? "" : " ...",
		outcomes[foreign->action]);
}

/*
 * What is written to an ephemeral upper layer is somebody's work; not so in an initramfs, where it is none yet, and where the disk
 * could ask for that mode (/etc/systemd/sysext.conf) just to have its images left where they are.
 */
static enum foreign_action take_off(int root_fd, enum hierarchy hierarchy)
{
	bool removed[HIERARCHIES];

	if (!manager_is_in_initrd() && overlay_is_ephemeral(root_fd, hierarchy))
		return FOREIGN_REFUSED;
	return unmerging_run(root_fd, 1u << hierarchy, NULL, NULL, removed) == EXIT_GOOD ?
		       FOREIGN_REPLACED :
		       FOREIGN_REFUSED;
}

/* Before it is taken off its names can be read; one that has no list of them is no less there. */
static void settle(int root_fd, enum hierarchy hierarchy, const struct config *config,
		   struct foreigns *foreigns)
{
	struct foreign *foreign = &foreigns->at[hierarchy];
	struct merged merged = { .is_merged = false };

	(void)merged_read(root_fd, hierarchy, NULL, &merged);
	foreign->is_there = true;
	foreign->names = merged.names;
	foreign->action = config->foreign_merge == FOREIGN_MERGE_REPLACE ?
				  take_off(root_fd, hierarchy) :
				  FOREIGN_STOPPED;
	/* Into the booted system it must not come. */
	if (foreign->action == FOREIGN_REFUSED && manager_is_in_initrd())
		foreign->action = FOREIGN_STOPPED;
	if (foreign->action == FOREIGN_REFUSED)
		foreigns->refused |= 1u << hierarchy_class(hierarchy);
	if (foreign->action == FOREIGN_STOPPED)
		foreigns->stops = true;
	tell(hierarchy, foreign);
}

enum exit_status foreigns_settle(int root_fd, const struct config *config, const uint8_t *token,
				 struct foreigns *foreigns)
{
	enum exit_status status = EXIT_GOOD;
	enum overlay_owner owner;

	for (unsigned i = 0; i < HIERARCHIES; i++) {
		const enum extension_class class = hierarchy_class((enum hierarchy)i);
		struct verdict v;

		if ((config->classes & 1u << class) == 0)
			continue;
		v = overlay_owner(root_fd, (enum hierarchy)i, token, &owner);
		if (!is_accepted(v)) {
			foreigns->refused |= 1u << class;
			status = report_trouble(hierarchy_name((enum hierarchy)i), v);
		} else if (owner == OVERLAY_OTHER) {
			settle(root_fd, (enum hierarchy)i, config, foreigns);
		}
	}
	return status;
}

void foreigns_free(struct foreigns *foreigns)
{
	for (unsigned i = 0; i < HIERARCHIES; i++)
		listing_free(&foreigns->at[i].names);
}

bool foreigns_any(const struct foreigns *foreigns)
{
	bool any = false;

	for (unsigned i = 0; i < HIERARCHIES; i++)
		any |= foreigns->at[i].is_there;
	return any;
}

static void foreign_json(enum hierarchy hierarchy, const struct foreign *foreign, struct json *json)
{
	char path[8] = "/";

	strcat(path, hierarchy_name(hierarchy));
	json_open(json, NULL, '{');
	json_string(json, "hierarchy", path);
	json_string(json, "class", class_traits(hierarchy_class(hierarchy))->name);
	json_open(json, "extensions", '[');
	for (size_t i = 0; i < foreign->names.count; i++)
		json_string(json, NULL, foreign->names.names[i]);
	json_close(json, ']');
	json_string(json, "action", actions[foreign->action]);
	json_close(json, '}');
}

void foreigns_json(const struct foreigns *foreigns, struct json *json)
{
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (foreigns->at[i].is_there)
			foreign_json((enum hierarchy)i, &foreigns->at[i], json);
}
