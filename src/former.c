/* SPDX-License-Identifier: Apache-2.0 */
#include "former.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "core/piece.h"
#include "status.h"
#include "sys/content.h"
#include "sys/dm_found.h"
#include "sys/fd.h"
#include "sys/mounts.h"
#include "sys/users.h"

#define SHOWN_MAX 10u /* of processes, and of devices, in a line */
#define WAITS 20u     /* of WAIT_NS each */
#define WAIT_NS 50000000L

struct former {
	struct overlay_id overlays[HIERARCHIES];
	struct piece devices;
};

/* ---- the file ------------------------------------------------------------------------------ */

static bool take_number(struct piece *rest, uint64_t most, uint64_t *number)
{
	struct piece word;

	return piece_cut(rest, ' ', &word) && piece_number(word, most, number);
}

static bool parse(const char *line, struct former *former)
{
	struct piece rest = { .bytes = line, .size = strcspn(line, "\n") };

	for (unsigned i = 0; i < HIERARCHIES; i++) {
		struct overlay_id *overlay = &former->overlays[i];
		uint64_t minor;

		if (!take_number(&rest, UINT32_MAX, &minor) ||
		    !take_number(&rest, UINT64_MAX, &overlay->mount))
			return false;
		overlay->minor = (uint32_t)minor;
	}
	former->devices = rest;
	return true;
}

static void each(void (*take)(void *ctx, const struct former *former, const char *line), void *ctx)
{
	FILE *file = fopen(STATUS_OVERLAYS, "re");
	struct former former;
	char *line = NULL;
	size_t room = 0;

	while (file != NULL && getline(&line, &room, file) > 0)
		if (parse(line, &former))
			take(ctx, &former, line);
	free(line);
	if (file != NULL)
		(void)fclose(file);
}

/* ---- its devices --------------------------------------------------------------------------- */

struct devices {
	const struct former *former;
	size_t count;
	struct json *json; /* NULL: not told */
	bool prints;
};

static bool has_device(const struct former *former, const char *name)
{
	struct piece rest = former->devices, word;
	bool has_more;

	do {
		has_more = piece_cut(&rest, ' ', &word);
		if (piece_is(word, name))
			return true;
	} while (has_more);
	return false;
}

static void take_device(void *ctx, const struct dm_found *found)
{
	struct devices *devices = ctx;

	if (!found->goes || !has_device(devices->former, found->name))
		return;
	if (devices->json != NULL)
		json_string(devices->json, NULL, found->name);
	else if (devices->prints && devices->count < SHOWN_MAX)
		printf(" %s", found->name);
	devices->count++;
}

static size_t count_devices(const struct former *former)
{
	struct devices devices = { .former = former };

	(void)dm_each(take_device, &devices);
	return devices.count;
}

/* ---- who uses them ------------------------------------------------------------------------- */

/*
 * Is it, or a part of it, what this merge has mounted? Otherwise its numbers are now those of
 * something else.
 */
static bool compare(struct overlay_id *overlay, const struct mountinfo *mount)
{
	const bool is_same = mount->major == 0 && mount->minor == overlay->minor;
	const bool is_merge = strcmp(mount->type, "overlay") == 0 &&
			      class_named(mount->source, strlen(mount->source)) != CLASS_UNKNOWN;

	if (overlay->minor == 0 || (!is_same && mount->id != overlay->mount))
		return false;
	if (is_same && is_merge && mount->is_whole && mount->id == overlay->mount)
		return true;
	if (is_same && (!is_merge || mount->is_whole))
		overlay->minor = 0;
	if (mount->id == overlay->mount)
		overlay->mount = 0;
	return false;
}

/*
 * Nothing of it is merged, and something of it may be in use. Only overlays that may be are left in
 * it.
 */
static bool is_off(struct former *former)
{
	struct mounts *mounts = mounts_open();
	enum mounts_state state = MOUNTS_FAILED;
	bool merged = false, may_be = false;

	while (mounts != NULL && (state = mounts_next(mounts)) == MOUNTS_FOUND)
		for (unsigned i = 0; i < HIERARCHIES; i++)
			merged |= compare(&former->overlays[i], &mounts->mount);
	mounts_close(mounts);
	for (unsigned i = 0; i < HIERARCHIES; i++)
		may_be |= former->overlays[i].minor != 0;
	return state == MOUNTS_END && !merged && may_be;
}

struct later {
	struct former *former;
	const char *line; /* of it */
	bool is_behind;
};

/* What a later merge has got was not used any more then. */
static void leave_to_later(void *ctx, const struct former *other, const char *line)
{
	struct later *later = ctx;

	for (unsigned i = 0; later->is_behind && i < HIERARCHIES; i++)
		for (unsigned k = 0; k < HIERARCHIES; k++) {
			struct overlay_id *overlay = &later->former->overlays[i];

			if (overlay->minor == other->overlays[k].minor)
				overlay->minor = 0;
			if (overlay->mount == other->overlays[k].mount)
				overlay->mount = 0;
		}
	if (strcmp(line, later->line) == 0)
		later->is_behind = true;
}

static bool stays(const struct former *former)
{
	static const struct timespec pause = { .tv_nsec = WAIT_NS };
	size_t count = count_devices(former);

	for (unsigned i = 0; i < WAITS && count > 0; i++) {
		(void)nanosleep(&pause, NULL);
		count = count_devices(former);
	}
	return count > 0;
}

static void print_more(size_t count)
{
	if (count > 0)
		printf(" and %zu more", count);
}

static void print_user(const struct user *user, const char *before)
{
	char name[4 * USER_NAME_MAX];
	struct text text;

	text_init(&text, name, sizeof(name));
	text_escaped(&text, user->name, strlen(user->name));
	printf("%s %s (%ld:", before, name, (long)user->pid);
	for (unsigned i = 0; i < USES; i++)
		if ((user->uses & 1u << i) != 0)
			printf(" %s", use_name((enum use)i));
	putchar(')');
}

static void print(const struct former *former, const struct users *users)
{
	const size_t shown = users->count < SHOWN_MAX ? users->count : SHOWN_MAX;
	struct devices devices = { .former = former, .prints = true };

	printf("still used:");
	(void)dm_each(take_device, &devices);
	print_more(devices.count > SHOWN_MAX ? devices.count - SHOWN_MAX : 0);
	fputs(users->count > 0 ? ", until these end:" : ", by no process that is known", stdout);
	for (size_t i = 0; i < shown; i++)
		print_user(&users->list[i], i > 0 ? "," : "");
	print_more(users->count - shown + users->left_out);
	puts(users->is_complete ? "" : "; not all processes could be looked at");
}

static void put_user(const struct user *user, struct json *json)
{
	json_open(json, NULL, '{');
	json_u64(json, "pid", (uint64_t)user->pid);
	json_string(json, "name", user->name);
	json_open(json, "uses", '[');
	for (unsigned i = 0; i < USES; i++)
		if ((user->uses & 1u << i) != 0)
			json_string(json, NULL, use_name((enum use)i));
	json_close(json, ']');
	json_close(json, '}');
}

static void put(const struct former *former, const struct users *users, struct json *json)
{
	struct devices devices = { .former = former, .json = json };

	json_open(json, NULL, '{');
	json_open(json, "devices", '[');
	(void)dm_each(take_device, &devices);
	json_close(json, ']');
	json_open(json, "processes", '[');
	for (size_t i = 0; i < users->count; i++)
		put_user(&users->list[i], json);
	json_close(json, ']');
	json_u64(json, "processesLeftOut", users->left_out);
	json_bool(json, "complete", users->is_complete);
	json_close(json, '}');
}

struct telling {
	struct json *json;
	bool all;
};

static void tell(void *ctx, const struct former *former, const char *line)
{
	const struct telling *telling = ctx;
	struct former found = *former;
	struct later later = { .former = &found, .line = line };
	struct users users;

	each(leave_to_later, &later);
	if (count_devices(former) == 0 || !is_off(&found))
		return;
	users_find(found.overlays, HIERARCHIES, &users);
	if (users.count == 0 && !(telling->all && stays(former)))
		return;
	if (telling->json != NULL)
		put(former, &users, telling->json);
	else
		print(former, &users);
}

void formers_tell(struct json *json, bool all)
{
	struct telling telling = { .json = json, .all = all };

	if (json != NULL)
		json_open(json, "stillUsed", '[');
	each(tell, &telling);
	if (json != NULL)
		json_close(json, ']');
}

/* ---- a merge more -------------------------------------------------------------------------- */

static void copy(void *to, const struct former *former, const char *line)
{
	if (count_devices(former) > 0)
		(void)fputs(line, to);
}

static void put_overlay(int root_fd, enum hierarchy hierarchy, bool is_there, FILE *to)
{
	FD_CLEANUP int fd = is_there ? content_open_directory(root_fd, hierarchy_name(hierarchy)) :
				       -1;
	uint64_t mount = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !mounts_id(fd, &mount))
		st.st_dev = 0;
	fprintf(to, "%u %llu ", minor(st.st_dev), (unsigned long long)mount);
}

static void put_class(const struct extensions *extensions, enum extension_class class,
		      const bool merged[HIERARCHIES], FILE *to)
{
	const char *before = "";

	for (unsigned i = 0; i < HIERARCHIES; i++)
		put_overlay(extensions->root_fd, (enum hierarchy)i,
			    merged[i] && hierarchy_class((enum hierarchy)i) == class, to);
	for (size_t i = 0; i < extensions->discovery.count; i++) {
		const struct merge_item *item = &extensions->items[i];

		if (!is_accepted(item->verdict) || extensions->images[i].class != class)
			continue;
		fprintf(to, "%s%s", before, item->device);
		before = " ";
	}
	putc('\n', to);
}

struct verdict formers_note(const struct extensions *extensions, const bool merged[HIERARCHIES])
{
	struct status_file file;
	struct verdict v = status_begin(STATUS_OVERLAYS, &file);

	if (!is_accepted(v))
		return v;
	each(copy, file.to);
	for (unsigned class = 0; class < CLASSES; class ++) {
		bool any = false;

		for (unsigned i = 0; i < HIERARCHIES; i++)
			any |= merged[i] && hierarchy_class((enum hierarchy)i) == class;
		if (any)
			put_class(extensions, (enum extension_class) class, merged, file.to);
	}
	return status_commit(&file);
}
