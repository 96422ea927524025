/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/protect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mountinfo.h"
#include "core/text.h"
#include "sys/content.h"
#include "sys/fd.h"
#include "sys/listing.h"
#include "sys/mounts.h"
#include "sys/paths.h"
#include "sys/submounts.h"
#include "sys/syscalls.h"

#define LINKS_MAX 40u /* as the kernel follows (MAXSYMLINKS) */
/* Of one protected directory. Each is followed, and looked for in each image: who fills one must not slow down the boot. */
#define ENTRIES_MAX 1024u
#define INSIDE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

enum protected_kind {
	PROTECTED_FILE = 1,
	PROTECTED_DIRECTORY,
	PROTECTED_CLOSED,
};

static const struct protected_path {
	const char *path;
	enum protected_kind kind;
	enum reason reason;
} protected_paths[] = {
#define PROTECTED(path, kind, reason) { path, PROTECTED_##kind, REASON_##reason },
#include "core/protected.def"
#undef PROTECTED
};

#define PROTECTED_PATHS (sizeof(protected_paths) / sizeof(protected_paths[0]))

/* ---- the rules ----------------------------------------------------------------------------- */

/* Where the hierarchies really are in the root: /opt may be a link. "" for one that is not there. */
struct map {
	int root_fd;
	char places[HIERARCHIES][PATHS_SIZE];
	/* When it is told whether a path leaves the hierarchies: those that it may be in, and their mounts. */
	bool is_fenced;
	bool may_pass[HIERARCHIES];
	uint64_t mounts[HIERARCHIES];
};

/* One path that is being followed. */
struct chase {
	struct protect *protect; /* NULL: the end alone is wanted */
	const struct map *map;
	enum reason reason;
	enum protected_kind kind;
	unsigned links;
	bool is_directory; /* it ended at one */
	const char *link;  /* a place of which is to be known whether it is on the way, or NULL */
	bool is_met;	   /* it is */
	bool has_left;	   /* the hierarchies, if they are fenced */
	char here[PATHS_SIZE]; /* a directory of the root, without links */
	char end[PATHS_SIZE]; /* where it led, there or not, when that is no directory; "": nowhere */
	char rest[PATHS_SIZE]; /* what is still to be followed from there */
};

static struct verdict no_memory(void)
{
	return verdict_errno(REASON_SYSTEM_MEMORY, ENOMEM);
}

static bool has_rule(const struct protect *protect, enum place_kind kind, enum hierarchy hierarchy,
		     const char *path)
{
	for (size_t i = 0; i < protect->count; i++)
		if (protect->rules[i].kind == kind && protect->rules[i].hierarchy == hierarchy &&
		    strcmp(protect->rules[i].path, path) == 0)
			return true;
	return false;
}

static bool grow(struct protect *protect)
{
	const size_t room = protect->room == 0 ? 64 : protect->room * 2;
	struct place_rule *rules = realloc(protect->rules, room * sizeof(*rules));

	if (rules == NULL)
		return false;
	protect->rules = rules;
	protect->room = room;
	return true;
}

static struct verdict add_rule(struct protect *protect, struct place_rule rule, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (has_rule(protect, rule.kind, rule.hierarchy, path))
		return verdict(REASON_ACCEPTED);
	if (protect->count == protect->room && !grow(protect))
		return no_memory();
	rule.above_size = slash == NULL ? 0 : (size_t)(slash - path);
	rule.path = strdup(path);
	if (rule.path == NULL)
		return no_memory();
	protect->rules[protect->count++] = rule;
	return verdict(REASON_ACCEPTED);
}

/* A place of the root that lies in no hierarchy is none of the extensions' business. */
static struct verdict add_place(const struct chase *chase, enum place_kind kind, const char *path)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	for (unsigned i = 0; chase->protect != NULL && i < HIERARCHIES && is_accepted(v); i++) {
		const char *place = chase->map->places[i];
		const char *below = *place == '\0' ? NULL : mountinfo_below(path, place);

		if (below != NULL)
			v = add_rule(chase->protect,
				     (struct place_rule){ .kind = kind,
							  .hierarchy = (enum hierarchy)i,
							  .reason = chase->reason },
				     below);
	}
	return v;
}

const struct place_rule *protect_next(const struct protect *protect, enum hierarchy hierarchy,
				      const char *directory, size_t *at)
{
	const size_t size = strlen(directory);

	while (*at < protect->count) {
		const struct place_rule *rule = &protect->rules[(*at)++];

		if (rule->hierarchy == hierarchy && rule->above_size == size &&
		    memcmp(rule->path, directory, size) == 0)
			return rule;
	}
	return NULL;
}

void protect_free(struct protect *protect)
{
	for (size_t i = 0; i < protect->count; i++)
		free(protect->rules[i].path);
	free(protect->rules);
	*protect = (struct protect){ 0 };
}

/* ---- following a path ---------------------------------------------------------------------- */

/* Takes the first part of `rest` out of it; "" at its end. */
static void take_part(char *rest, char part[PATHS_SIZE])
{
	const size_t slashes = strspn(rest, "/");
	const size_t size = strcspn(rest + slashes, "/");

	memcpy(part, rest + slashes, size);
	part[size] = '\0';
	memmove(rest, rest + slashes + size, strlen(rest + slashes + size) + 1);
}

static void go_up(char here[PATHS_SIZE])
{
	char *slash = strrchr(here, '/');

	if (slash != NULL)
		*slash = '\0';
}

/*
 * From here on the root has nothing: what an image has on the way must be directories, and nothing at the end. Nor where
 * ".." goes on: nobody may make that part.
 */
static struct verdict add_missing(struct chase *chase, char place[PATHS_SIZE])
{
	const enum place_kind last = chase->kind == PROTECTED_DIRECTORY ? PLACE_GUARDED :
									  PLACE_FIXED;
	struct verdict v = verdict(REASON_ACCEPTED);
	char part[PATHS_SIZE], next[PATHS_SIZE];

	chase->end[0] = '\0';
	for (;;) {
		take_part(chase->rest, part);
		if (strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0)
			return add_place(chase, PLACE_FIXED, place);
		if (part[0] == '\0') {
			memcpy(chase->end, place, sizeof(chase->end));
			return add_place(chase, last, place);
		}
		v = add_place(chase, PLACE_DIRECTORY, place);
		if (!is_accepted(v) || !path_join(next, place, part))
			return v;
		memcpy(place, next, sizeof(next));
	}
}

/* What the link says comes before what was still to be followed. */
static bool follow_link(struct chase *chase, int fd)
{
	char target[PATHS_SIZE], rest[PATHS_SIZE];
	const ssize_t size = readlinkat(fd, "", target, sizeof(target));

	if (size <= 0 || size == (ssize_t)sizeof(target) || ++chase->links > LINKS_MAX)
		return false;
	target[size] = '\0';
	if (!path_join(rest, target, chase->rest))
		return false;
	memcpy(chase->rest, rest, sizeof(rest));
	if (target[0] == '/')
		chase->here[0] = '\0';
	return true;
}

enum chased {
	CHASED_ON = 1,
	CHASED_END, /* as far as it goes */
};

/* Where /usr is not all of the system, these are parts of it beside it. */
static bool is_of_system(const char *directory)
{
	static const char *const names[] = { "/bin", "/sbin", "/lib", "/lib64" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(directory, names[i]) == 0 ||
		    mountinfo_below(directory, names[i]) != NULL)
			return true;
	return directory[0] == '\0';
}

/* What is in the root itself, in a hierarchy, or on the way to one, only the root and its images decide on. */
static bool is_within(const struct chase *chase, const char *place, int fd)
{
	const struct map *map = chase->map;
	uint64_t id;

	if (is_of_system(chase->here))
		return true;
	if (!mounts_id(fd, &id))
		return false;
	for (unsigned i = 0; i < HIERARCHIES; i++) {
		if (!map->may_pass[i] || map->places[i][0] == '\0')
			continue;
		if (strcmp(place, map->places[i]) == 0 ||
		    mountinfo_below(map->places[i], place) != NULL ||
		    (id == map->mounts[i] && mountinfo_below(place, map->places[i]) != NULL))
			return true;
	}
	return false;
}

/* One part further. */
static struct verdict chase_part(struct chase *chase, const char *part, enum chased *how)
{
	char place[PATHS_SIZE];
	FD_CLEANUP int fd = -1;
	struct stat st;
	struct verdict v;

	*how = CHASED_END;
	if (!path_join(place, chase->here, part))
		return verdict(REASON_ACCEPTED);
	fd = sys_openat2(chase->map->root_fd, place, O_PATH | O_NOFOLLOW | O_CLOEXEC, INSIDE);
	if (fd < 0 && errno == ENAMETOOLONG) /* no file can have that name, in no image either */
		return verdict(REASON_ACCEPTED);
	if (fd < 0 && errno == ENOENT)
		return add_missing(chase, place);
	if (fd < 0 || fstat(fd, &st) < 0)
		return verdict_errno(REASON_SYSTEM_READ, errno);
	chase->has_left |= chase->map->is_fenced && !is_within(chase, place, fd);
	if (S_ISDIR(st.st_mode)) {
		memcpy(chase->here, place, sizeof(place));
		*how = CHASED_ON;
		return add_place(chase, PLACE_DIRECTORY, place);
	}
	v = add_place(chase, PLACE_FIXED, place);
	chase->is_met |= chase->link != NULL && strcmp(place + 1, chase->link) == 0;
	if (S_ISLNK(st.st_mode))
		*how = follow_link(chase, fd) ? CHASED_ON : CHASED_END;
	else
		memcpy(chase->end, place, sizeof(chase->end));
	return v;
}

/* `chase->here` becomes where it ends, if that is a directory; else `chase->end`. */
static struct verdict chase_all(struct chase *chase)
{
	struct verdict v = verdict(REASON_ACCEPTED);
	enum chased how = CHASED_ON;
	char part[PATHS_SIZE];

	while (is_accepted(v) && how == CHASED_ON) {
		take_part(chase->rest, part);
		chase->is_directory = part[0] == '\0';
		if (chase->is_directory)
			return v;
		if (strcmp(part, "..") == 0)
			go_up(chase->here);
		else if (strcmp(part, ".") != 0)
			v = chase_part(chase, part, &how);
	}
	return v;
}

/* From the root. False if the path is too long to be one. */
static bool set_out(struct chase *chase, const char *path)
{
	struct text text;

	text_init(&text, chase->rest, sizeof(chase->rest));
	text_str(&text, path);
	return text_ok(&text);
}

static struct verdict chase_path(struct protect *protect, const struct map *map,
				 const struct protected_path *path, struct chase *chase)
{
	*chase = (struct chase){
		.protect = protect, .map = map, .reason = path->reason, .kind = path->kind
	};
	return set_out(chase, path->path) ? chase_all(chase) : verdict(REASON_ACCEPTED);
}

static bool is_any(const char *name)
{
	return name[0] != '\0';
}

/* What the root has in a protected directory, each like a file of its own. Of too many none: no image may have it then. */
static struct verdict chase_entries(const struct chase *directory)
{
	FD_CLEANUP int fd = content_open_directory(directory->map->root_fd, directory->here);
	FD_CLEANUP int list = fd < 0 ? -1 : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct listing names LISTING_CLEANUP = { 0 };
	static struct chase chase;
	char path[PATHS_SIZE];
	size_t left_out = 0;
	struct verdict v;

	if (list < 0)
		return verdict_errno(REASON_SYSTEM_READ, errno);
	v = listing_read(list, ENTRIES_MAX, is_any, &names, &left_out);
	if (is_accepted(v) && left_out > 0)
		return add_place(directory, PLACE_FIXED, directory->here);
	for (size_t i = 0; i < names.count && is_accepted(v); i++) {
		const struct protected_path entry = { path, PROTECTED_FILE, directory->reason };

		if (path_join(path, directory->here, names.names[i]))
			v = chase_path(directory->protect, directory->map, &entry, &chase);
	}
	return v;
}

static struct verdict read_path(struct protect *protect, const struct map *map,
				const struct protected_path *path)
{
	static struct chase chase;
	struct verdict v = chase_path(protect, map, path, &chase);

	if (!is_accepted(v) || path->kind == PROTECTED_FILE || !chase.is_directory)
		return v;
	v = add_place(&chase, path->kind == PROTECTED_CLOSED ? PLACE_FIXED : PLACE_GUARDED,
		      chase.here);
	return is_accepted(v) ? chase_entries(&chase) : v;
}

/* ---- the root ------------------------------------------------------------------------------ */

static bool path_below(int root_fd, int fd, char *out, size_t size)
{
	char whole[PATHS_SIZE], root[PATHS_SIZE];
	const char *below;
	struct text text;

	if (!mounts_path(fd, whole) || !mounts_path(root_fd, root))
		return false;
	below = strcmp(whole, root) == 0 ? "" : mountinfo_below(whole, root);
	if (below == NULL)
		return false;
	text_init(&text, out, size);
	text_char(&text, '/');
	text_str(&text, below);
	return text_ok(&text);
}

/* What is not there has no places to be protected; what can't be looked at is not merged over. */
static struct verdict read_place(int root_fd, enum hierarchy hierarchy, char place[PATHS_SIZE])
{
	FD_CLEANUP int fd = content_open_directory(root_fd, hierarchy_name(hierarchy));

	place[0] = '\0';
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ?
			       verdict(REASON_ACCEPTED) :
			       verdict_errno(REASON_SYSTEM_READ, errno);
	return path_below(root_fd, fd, place, PATHS_SIZE) ?
		       verdict(REASON_ACCEPTED) :
		       verdict_errno(REASON_SYSTEM_READ, errno);
}

static struct verdict read_map(int root_fd, struct map *map)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	map->root_fd = root_fd;
	for (unsigned i = 0; i < HIERARCHIES && is_accepted(v); i++)
		v = read_place(root_fd, (enum hierarchy)i, map->places[i]);
	return v;
}

static struct verdict read_mounts(const struct stage *stage, enum hierarchy hierarchy,
				  struct protect *protect)
{
	struct listing points LISTING_CLEANUP = { 0 };
	struct verdict v = submounts_list(stage, hierarchy, &points);

	for (size_t i = 0; i < points.count && is_accepted(v); i++)
		v = add_rule(protect,
			     (struct place_rule){ .kind = PLACE_MOUNT, .hierarchy = hierarchy },
			     points.names[i]);
	return v;
}

struct verdict protect_read(const struct stage *stage, struct protect *protect)
{
	static struct map map;
	struct verdict v = read_map(stage->root, &map);

	for (size_t i = 0; i < PROTECTED_PATHS && is_accepted(v); i++)
		v = read_path(protect, &map, &protected_paths[i]);
	for (unsigned i = 0; i < HIERARCHIES && is_accepted(v); i++)
		if (map.places[i][0] != '\0')
			v = read_mounts(stage, (enum hierarchy)i, protect);
	return v;
}

bool protect_end(int root_fd, const char *path, char *end, size_t size)
{
	FD_CLEANUP int fd = sys_openat2(root_fd, path, O_PATH | O_CLOEXEC, INSIDE);

	return fd >= 0 && path_below(root_fd, fd, end, size);
}

/* And not just out of reach. */
static bool leads_nowhere(int root_fd, const char *path)
{
	FD_CLEANUP int fd = sys_openat2(root_fd, path, O_PATH | O_CLOEXEC, INSIDE);

	return fd < 0 &&
	       (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG);
}

struct verdict protect_check(int bare_fd, int merged_fd, const char **path)
{
	char bare[PATHS_SIZE], merged[PATHS_SIZE];

	for (size_t i = 0; i < PROTECTED_PATHS; i++) {
		*path = protected_paths[i].path;
		if (leads_nowhere(bare_fd, *path))
			continue;
		if (!protect_end(bare_fd, *path, bare, sizeof(bare)) ||
		    !protect_end(merged_fd, *path, merged, sizeof(merged)) ||
		    strcmp(bare, merged) != 0)
			return verdict(REASON_MERGE_PROTECTED);
	}
	return verdict(REASON_ACCEPTED);
}

/* Without rules. `link` is a place or NULL. */
static bool chase_alone(const struct map *map, const char *path, const char *link,
			struct chase *chase)
{
	*chase = (struct chase){ .map = map, .kind = PROTECTED_FILE, .link = link };
	return set_out(chase, path) && is_accepted(chase_all(chase));
}

static void chase_end(int root_fd, const char *path, char end[PATHS_SIZE])
{
	const struct map map = { .root_fd = root_fd };
	struct chase chase;

	end[0] = '\0';
	if (chase_alone(&map, path, NULL, &chase))
		memcpy(end, chase.is_directory ? chase.here : chase.end, PATHS_SIZE);
}

bool protect_leads_alike(int bare_fd, int merged_fd, const char *path)
{
	char bare[PATHS_SIZE], merged[PATHS_SIZE];

	chase_end(bare_fd, path, bare);
	chase_end(merged_fd, path, merged);
	return bare[0] != '\0' && strcmp(bare, merged) == 0;
}

bool protect_leads_over(int root_fd, const char *path, const char *link)
{
	const struct map map = { .root_fd = root_fd };
	struct chase chase;

	return chase_alone(&map, path, link, &chase) && chase.is_met;
}

/* The mount that is seen at a hierarchy, which is the overlay's where there is one. */
static bool read_mount(int merged_fd, enum hierarchy hierarchy, uint64_t *id)
{
	FD_CLEANUP int fd = content_open_directory(merged_fd, hierarchy_name(hierarchy));

	return fd >= 0 && mounts_id(fd, id);
}

bool protect_stays_within(int merged_fd, enum hierarchy from, const char *path)
{
	static struct map map;
	static struct chase chase;

	if (!is_accepted(read_map(merged_fd, &map)))
		return false;
	map.is_fenced = true;
	for (unsigned i = 0; i < HIERARCHIES; i++)
		map.may_pass[i] = (i != HIERARCHY_ETC || from == HIERARCHY_ETC) &&
				  read_mount(merged_fd, (enum hierarchy)i, &map.mounts[i]);
	return chase_alone(&map, path, NULL, &chase) && !chase.has_left;
}
