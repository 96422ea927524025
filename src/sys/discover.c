/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/discover.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/name.h"
#include "core/text.h"
#include "sys/fd.h"
#include "sys/listing.h"
#include "sys/syscalls.h"
#include "sys/worker.h"

struct search {
	const struct discover_roots *roots;
	uint32_t classes;	    /* bits of enum extension_class */
	enum extension_class class; /* of what is searched for now */
	const char *const *paths;   /* in the order of precedence */
	size_t path_count;
	struct discovery *found;
	struct listing masks; /* names of the class that are masked from here on */
};

/* ---- one directory's names ----------------------------------------------------------------- */

/* Those beyond the cap are counted, as the images they might be. */
static struct verdict list_directory(int dir_fd, struct search *search, struct listing *listing)
{
	const size_t looked_at = search->found->looked_at;
	const size_t room = looked_at < DISCOVER_ENTRIES_MAX ? DISCOVER_ENTRIES_MAX - looked_at : 0;
	const struct verdict v = listing_read(dir_fd, room, name_is_image_file, listing,
					      &search->found->left_out);

	search->found->looked_at += listing->count;
	return v;
}

/* ---- masks --------------------------------------------------------------------------------- */

static bool is_masked(const struct search *search, const char *name)
{
	for (size_t i = 0; i < search->masks.count; i++)
		if (strcmp(search->masks.names[i], name) == 0)
			return true;
	return false;
}

static bool is_taken(const struct search *search, const char *name)
{
	for (size_t i = 0; i < search->found->count; i++)
		if (search->found->candidates[i].class == search->class &&
		    search->found->candidates[i].state != CANDIDATE_PASSED_OVER &&
		    strcmp(search->found->candidates[i].name, name) == 0)
			return true;
	return false;
}

/* By its text: in an initramfs the root has no /dev/null yet. EINVAL: no link. */
static struct verdict is_null_link(int dir_fd, const char *name, bool *is)
{
	static const char null[] = "/dev/null";
	char target[sizeof(null)];
	const ssize_t size = readlinkat(dir_fd, name, target, sizeof(target));

	if (size < 0 && errno != EINVAL && errno != ENOENT)
		return verdict_errno(REASON_SYSTEM_READ, errno);
	*is = size == sizeof(null) - 1 && memcmp(target, null, sizeof(null) - 1) == 0;
	return verdict(REASON_ACCEPTED);
}

/* ENOENT: gone since the directory was read. */
static struct verdict is_directory(int dir_fd, const char *name, bool *is)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		*is = S_ISDIR(st.st_mode);
	else if (errno == ENOENT)
		*is = false;
	else
		return verdict_errno(REASON_SYSTEM_READ, errno);
	return verdict(REASON_ACCEPTED);
}

/* NAME.raw as a link to /dev/null, or NAME as a directory. NAME.raw/ is a mistake, not a mask. */
static struct verdict is_mask(int dir_fd, const char *file, bool *is)
{
	bool found = false;
	struct verdict v = is_null_link(dir_fd, file, &found);

	if (is_accepted(v) && !found && !name_is_image_file(file))
		v = is_directory(dir_fd, file, &found);
	if (is_accepted(v))
		*is = found;
	return v;
}

/* NAME.v and NAME.raw.v, systemd.v(7): of what is in there systemd takes the newest for NAME, and vext takes none. */
static struct verdict note_mask(struct search *search, const char *directory, const char *file)
{
	char name[VEXT_NAME_MAX + 1], stem[DISCOVER_FILE_MAX + 1];
	size_t size = strlen(file);

	if (size > 2 && strcmp(file + size - 2, ".v") == 0) {
		search->found->versioned_at = directory;
		size -= 2;
	}
	if (size >= sizeof(stem))
		return verdict(REASON_ACCEPTED);
	memcpy(stem, file, size);
	stem[size] = '\0';
	if (!is_accepted(name_from_file(stem, search->class, name)) || is_taken(search, name))
		return verdict(REASON_ACCEPTED);
	return listing_add(&search->masks, name);
}

/* ---- candidates ---------------------------------------------------------------------------- */

static bool is_extra(const char *directory)
{
	return strncmp(directory, DISCOVER_EXTRA, strlen(DISCOVER_EXTRA)) == 0;
}

bool candidate_is_extra(const struct candidate *candidate)
{
	return is_extra(candidate->directory);
}

static int root_of(const struct search *search, const char *directory)
{
	return is_extra(directory) ? search->roots->initrd : search->roots->root;
}

void candidate_path(const struct candidate *candidate, char path[DISCOVER_PATH_MAX])
{
	struct text text;

	text_init(&text, path, DISCOVER_PATH_MAX);
	text_str(&text, candidate->directory);
	text_char(&text, '/');
	text_str(&text, candidate->file);
}

static void take(struct candidate *candidate)
{
	memcpy(candidate->image.name, candidate->name, sizeof(candidate->name));
	candidate->image.directory = candidate->directory;
	candidate->image.class = candidate->class;
	candidate->state = CANDIDATE_FOUND;
}

static void examine(struct search *search, struct candidate *candidate)
{
	candidate->verdict = name_from_file(candidate->file, candidate->class, candidate->name);
	candidate->state = CANDIDATE_REFUSED;
	if (!is_accepted(candidate->verdict))
		return;
	candidate->state = CANDIDATE_PASSED_OVER;
	if (is_taken(search, candidate->name))
		candidate->verdict = verdict(REASON_MERGE_DUPLICATE);
	else if (is_masked(search, candidate->name))
		candidate->verdict = verdict(REASON_MERGE_MASKED);
	else
		take(candidate);
}

static void add_candidate(struct search *search, const char *directory, const char *file)
{
	struct candidate *candidate = &search->found->candidates[search->found->count];

	if (search->found->count == VEXT_IMAGES_MAX || strlen(file) > DISCOVER_FILE_MAX) {
		search->found->left_out++;
		return;
	}
	*candidate = (struct candidate){ .class = search->class,
					 .directory = directory,
					 .image = IMAGE_NONE };
	memcpy(candidate->file, file, strlen(file) + 1);
	examine(search, candidate);
	search->found->count++;
}

static void note_trouble(struct search *search, const char *directory, struct verdict v)
{
	search->found->trouble = v;
	search->found->trouble_at = directory;
}

static struct verdict search_names(struct search *search, const char *directory, int dir_fd,
				   const struct listing *listing)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	for (size_t i = 0; i < listing->count && is_accepted(v); i++) {
		bool masks = true;
		const struct verdict looked = is_mask(dir_fd, listing->names[i], &masks);

		/* What can't be looked at may be a mask, and what it masks is not to be merged. */
		if (!is_accepted(looked))
			note_trouble(search, directory, looked);
		if (masks)
			v = note_mask(search, directory, listing->names[i]);
		else if (name_is_image_file(listing->names[i]))
			add_candidate(search, directory, listing->names[i]);
	}
	return v;
}

static struct verdict search_directory(struct search *search, const char *directory)
{
	FD_CLEANUP int dir_fd = sys_openat2(root_of(search, directory), directory,
					    O_RDONLY | O_DIRECTORY | O_CLOEXEC,
					    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	LISTING_CLEANUP struct listing listing = { 0 };
	struct verdict v = verdict(REASON_ACCEPTED);

	if (dir_fd < 0 && errno == ENOENT)
		return v;
	if (dir_fd < 0)
		return verdict_errno(REASON_SYSTEM_READ, errno);
	v = list_directory(dir_fd, search, &listing);
	if (is_accepted(v))
		v = search_names(search, directory, dir_fd, &listing);
	return v;
}

/* What is no directory, or is reached by no path, masks nothing. */
static bool may_mask(struct verdict v)
{
	return v.sys_errno != ENOTDIR && v.sys_errno != ELOOP;
}

/*
 * A directory that can't be read is noted and ends the search: it may mask, or have another version of, what
 * stands in those that come after it.
 */
static struct verdict search_class(struct search *search)
{
	for (size_t i = 0; i < search->path_count; i++) {
		struct verdict v;

		if (class_of_directory(search->paths[i]) != search->class ||
		    root_of(search, search->paths[i]) < 0)
			continue;
		worker_holds()->at = (uint32_t)i;
		worker_tick();
		v = search_directory(search, search->paths[i]);
		if (v.reason == REASON_SYSTEM_MEMORY)
			return v;
		if (is_accepted(v))
			continue;
		note_trouble(search, search->paths[i], v);
		if (may_mask(v))
			break;
	}
	return verdict(REASON_ACCEPTED);
}

/* ---- by a worker --------------------------------------------------------------------------- */

/* In shared memory. */
struct findings {
	struct discovery found;
	struct verdict verdict;
	struct candidate candidates[VEXT_IMAGES_MAX];
};

static void work(void *ctx, int channel)
{
	struct search *search = ctx;
	struct findings *findings = (struct findings *)(void *)search->found;

	findings->verdict = search_class(search);
	(void)worker_say(channel, -1);
}

static void did_not_answer(struct search *search, struct verdict v,
			   const struct worker_holds *holds)
{
	note_trouble(search, search->paths[holds->at < search->path_count ? holds->at : 0], v);
}

/* What was found before it got stuck stands. */
static struct verdict search_by_worker(struct search *search)
{
	struct findings *findings = (struct findings *)(void *)search->found;
	const int keep[] = { search->roots->root, search->roots->initrd };
	struct worker worker;
	struct worker_holds holds = { 0 };
	enum worker_state state;
	struct verdict v = worker_start(&worker, work, search, keep, 2);

	if (!is_accepted(v))
		return v;
	state = worker_wait(&worker);
	if (!worker_end(&worker, &holds))
		search->found->left = holds.process;
	if (state == WORKER_HEARD)
		return verdict(is_accepted(findings->verdict) ? REASON_ACCEPTED :
								REASON_SYSTEM_MEMORY);
	did_not_answer(search, worker_silence(state), &holds);
	return verdict(REASON_ACCEPTED);
}

static struct verdict search_all(struct search *search)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	for (unsigned i = 0; i < CLASSES && is_accepted(v); i++) {
		if ((search->classes & 1u << i) == 0)
			continue;
		search->class = (enum extension_class)i;
		v = search_by_worker(search);
	}
	return v;
}

/* One of the directories that were searched, and not just any pointer. */
static bool is_searched(const struct search *search, const char *directory)
{
	for (size_t i = 0; i < search->path_count; i++)
		if (search->paths[i] == directory)
			return true;
	return false;
}

static bool is_passed_over(struct verdict v)
{
	return v.reason == REASON_MERGE_DUPLICATE || v.reason == REASON_MERGE_MASKED;
}

/* What the worker may say of a candidate: its file, and that another one counts. */
static bool is_sound(const struct search *search, struct candidate *candidate)
{
	const struct verdict said = candidate->verdict;
	struct verdict named;

	candidate->file[sizeof(candidate->file) - 1] = '\0';
	candidate->image = IMAGE_NONE;
	if (!is_searched(search, candidate->directory))
		return false;
	candidate->class = class_of_directory(candidate->directory);
	if ((search->classes & 1u << candidate->class) == 0)
		return false;
	memset(candidate->name, 0, sizeof(candidate->name));
	named = name_from_file(candidate->file, candidate->class, candidate->name);
	candidate->verdict = named;
	if (candidate->state == CANDIDATE_REFUSED)
		return !is_accepted(named);
	if (!is_accepted(named))
		return false;
	if (candidate->state == CANDIDATE_PASSED_OVER) {
		candidate->verdict = verdict(said.reason);
		return is_passed_over(said);
	}
	take(candidate);
	return true;
}

static bool is_trouble(struct verdict v)
{
	return is_accepted(v) || v.reason == REASON_SYSTEM_READ ||
	       v.reason == REASON_IMAGE_UNRESPONSIVE || v.reason == REASON_SYSTEM_WORKER;
}

/* The parent goes on with a copy that no worker can change. */
static struct verdict take_over(const struct search *search, const struct findings *findings,
				struct discovery *discovery)
{
	const size_t size = sizeof(findings->candidates[0]);
	bool sound;

	*discovery = findings->found;
	sound = discovery->count <= VEXT_IMAGES_MAX && is_trouble(discovery->trouble) &&
		(discovery->trouble_at == NULL || is_searched(search, discovery->trouble_at)) &&
		(discovery->versioned_at == NULL || is_searched(search, discovery->versioned_at));
	discovery->candidates = sound ? calloc(VEXT_IMAGES_MAX, size) : NULL;
	if (discovery->candidates == NULL) {
		*discovery = (struct discovery){ 0 };
		return sound ? verdict_errno(REASON_SYSTEM_MEMORY, ENOMEM) :
			       verdict(REASON_SYSTEM_WORKER);
	}
	memcpy(discovery->candidates, findings->candidates, discovery->count * size);
	for (size_t i = 0; i < discovery->count; i++)
		sound = is_sound(search, &discovery->candidates[i]) && sound;
	return verdict(sound ? REASON_ACCEPTED : REASON_SYSTEM_WORKER);
}

struct verdict discover(const struct discover_roots *roots, const char *const paths[], size_t count,
			uint32_t classes, struct discovery *discovery)
{
	struct findings *findings = worker_memory(sizeof(*findings));
	struct search search = {
		.roots = roots, .classes = classes, .paths = paths, .path_count = count
	};
	struct discovery taken = { 0 };
	struct verdict v;

	if (findings == NULL)
		return verdict_errno(REASON_SYSTEM_MEMORY, errno);
	search.found = &findings->found;
	findings->found.candidates = findings->candidates;
	findings->found.trouble = verdict(REASON_ACCEPTED);
	v = search_all(&search);
	if (is_accepted(v))
		v = take_over(&search, findings, &taken);
	worker_memory_free(findings, sizeof(*findings));
	if (is_accepted(v))
		*discovery = taken;
	else
		discovery_free(&taken);
	return v;
}

void discovery_free(struct discovery *discovery)
{
	for (size_t i = 0; i < discovery->count; i++)
		image_close(&discovery->candidates[i].image);
	free(discovery->candidates);
	*discovery = (struct discovery){ 0 };
}
