/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/assembled.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/content.h"
#include "sys/fd.h"
#include "sys/mounts.h"
#include "sys/paths.h"
#include "sys/syscalls.h"

#define INSIDE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
#define LED_MAX 40u /* links behind each other, as the kernel follows them */

bool assembled_has(const struct fit *fit, uint32_t layer, enum hierarchy hierarchy,
		   const struct node *node)
{
	char path[PATHS_SIZE];

	return node_path(node, path, sizeof(path)) &&
	       fit_kind(fit, layer, hierarchy, path) != NODE_NONE;
}

/* The topmost layer from `*layer` on that has it. */
static bool find_layer(const struct fit *fit, size_t count, enum hierarchy hierarchy,
		       const char *path, uint32_t *layer)
{
	while (*layer < count && fit_kind(fit, *layer, hierarchy, path) == NODE_NONE)
		++*layer;
	return *layer < count;
}

static bool is_within(int merged_fd, int fd, enum hierarchy hierarchy)
{
	FD_CLEANUP int top = content_open_directory(merged_fd, hierarchy_name(hierarchy));
	char top_path[PATHS_SIZE], path[PATHS_SIZE];
	uint64_t top_id, id;

	return top >= 0 && mounts_id(top, &top_id) && mounts_id(fd, &id) && top_id == id &&
	       mounts_path(top, top_path) && mounts_path(fd, path) &&
	       mountinfo_below(path, top_path) != NULL;
}

/* A confext's links may lead into /usr and /opt as well; a sysext's not into /etc, which others may write. */
static bool leads_inside(int merged_fd, int fd, enum hierarchy from)
{
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if ((i != HIERARCHY_ETC || from == HIERARCHY_ETC) &&
		    is_within(merged_fd, fd, (enum hierarchy)i))
			return true;
	return false;
}

/* `path` is that in the root. /dev/null is how units and the like are masked, and brings nobody's bytes. */
static bool leads_well(const struct fit *fit, int merged_fd, enum hierarchy hierarchy,
		       const char *path, char target[PATHS_SIZE])
{
	FD_CLEANUP int fd = sys_openat2(merged_fd, path, O_PATH | O_CLOEXEC, INSIDE);
	char roots[PATHS_SIZE];

	if (!path_link_text(merged_fd, path, target) ||
	    !path_link_text(fit->stage->root, path, roots))
		return false;
	if (target[0] == '\0' || strcmp(target, roots) == 0 || strcmp(target, "/dev/null") == 0)
		return true;
	return (fd >= 0 && leads_inside(merged_fd, fd, hierarchy) &&
		protect_stays_within(merged_fd, hierarchy, path)) ||
	       protect_leads_alike(fit->stage->root, merged_fd, path);
}

static enum hierarchy hierarchy_of(const struct fit *fit, const struct node *node)
{
	unsigned i = 0;

	while (node->above != NULL)
		node = node->above;
	while (i < HIERARCHIES - 1 && fit->nodes.hierarchy[i] != node)
		i++;
	return (enum hierarchy)i;
}

static bool is_guarded(const struct fit *fit, enum hierarchy hierarchy, const char *directory)
{
	for (size_t i = 0; i < fit->protect.count; i++)
		if (fit->protect.rules[i].kind == PLACE_GUARDED &&
		    fit->protect.rules[i].hierarchy == hierarchy &&
		    strcmp(fit->protect.rules[i].path, directory) == 0)
			return true;
	return false;
}

/* The link of a layer over those of the others: with the same text they are one. */
static bool replaces_other(const struct fit *fit, size_t count, enum hierarchy hierarchy,
			   const char *path, uint32_t layer)
{
	char mine[PATHS_SIZE], others[PATHS_SIZE];
	uint32_t other = layer + 1;

	if (!fit_link_text(fit, layer, hierarchy, path, mine))
		return true;
	for (; find_layer(fit, count, hierarchy, path, &other); other++)
		if (!fit_link_text(fit, other, hierarchy, path, others) ||
		    strcmp(mine, others) != 0)
			return true;
	return false;
}

static bool stands_guarded(const struct fit *fit, const struct node *node, enum hierarchy hierarchy)
{
	char above[PATHS_SIZE];

	return node_path(node->above, above, sizeof(above)) && is_guarded(fit, hierarchy, above);
}

/* Is it still so that the link replaces something, or stands where it is guarded? Images may have gone since. */
static bool is_still_due(const struct fit *fit, size_t count, const struct node *node,
			 enum hierarchy hierarchy, const char *path, uint32_t layer)
{
	return node->root != NODE_NONE || replaces_other(fit, count, hierarchy, path, layer) ||
	       stands_guarded(fit, node, hierarchy);
}

struct bad_link {
	const struct node *node; /* NULL: none */
	enum hierarchy hierarchy;
	uint32_t layer; /* whose link it is */
	uint32_t
		goes; /* the image that does not fit the others: this one, or one that the link hides */
};

/* The link would replace nothing without the images that it hides; which of them all came last? */
static uint32_t last_of(const struct fit *fit, size_t count, const struct bad_link *link,
			const char *path)
{
	uint32_t last = link->layer, other = link->layer + 1;

	if (link->node->root != NODE_NONE || stands_guarded(fit, link->node, link->hierarchy))
		return last;
	for (; find_layer(fit, count, link->hierarchy, path, &other); other++)
		if (fit->turn[other] > fit->turn[last])
			last = other;
	return last;
}

/* Whose link is seen: with one image that has it there is no need to ask all layers. */
static bool find_owner(const struct fit *fit, size_t count, struct bad_link *link, const char *path)
{
	link->layer = link->node->layers == 1 ? link->node->layer : 0;
	return find_layer(fit, link->node->layers == 1 ? link->layer + 1 : count, link->hierarchy,
			  path, &link->layer);
}

/* False: nobody is to go for it, wherever it leads. */
static bool is_in_question(const struct fit *fit, size_t count, struct bad_link *link,
			   char path[PATHS_SIZE])
{
	if (!link->node->is_due || !node_path(link->node, path, PATHS_SIZE) ||
	    !find_owner(fit, count, link, path) ||
	    !is_still_due(fit, count, link->node, link->hierarchy, path, link->layer))
		return false;
	link->goes = last_of(fit, count, link, path);
	return true;
}

static bool leads_out(const struct fit *fit, int merged_fd, const struct bad_link *link,
		      const char *path, char target[PATHS_SIZE])
{
	char whole[PATHS_SIZE];

	return path_join(whole, hierarchy_name(link->hierarchy), path) &&
	       !leads_well(fit, merged_fd, link->hierarchy, whole, target);
}

/* Does a link lead out because of another one that does? */
static bool is_led_by(int merged_fd, const struct bad_link *link, const struct bad_link *other)
{
	char path[PATHS_SIZE], below[PATHS_SIZE], others[PATHS_SIZE];

	return node_path(link->node, below, sizeof(below)) &&
	       path_join(path, hierarchy_name(link->hierarchy), below) &&
	       node_path(other->node, below, sizeof(below)) &&
	       path_join(others, hierarchy_name(other->hierarchy), below) &&
	       protect_leads_over(merged_fd, path, others);
}

/* What is told of a bad link. */
struct words {
	char path[PATHS_SIZE];
	char target[PATHS_SIZE];
};

/*
 * Of all that lead out, or of those because of which `led` does, that of the image that came last; `words` are written
 * if there is one. Links whose image would not be the one to go are not followed.
 */
static struct bad_link find_last(const struct fit *fit, size_t count, int merged_fd,
				 const struct bad_link *led, struct words *words)
{
	struct bad_link last = { .node = NULL };
	struct words mine;

	for (unsigned i = 0; i < HIERARCHIES; i++)
		for (struct node *n = fit->nodes.hierarchy[i]; n != NULL; n = node_next(n)) {
			struct bad_link link = { .node = n, .hierarchy = (enum hierarchy)i };

			if (!is_in_question(fit, count, &link, mine.path) ||
			    (last.node != NULL && fit->turn[link.goes] <= fit->turn[last.goes]) ||
			    !leads_out(fit, merged_fd, &link, mine.path, mine.target) ||
			    (led != NULL && (led->node == n || !is_led_by(merged_fd, led, &link))))
				continue;
			last = link;
			*words = mine;
		}
	return last;
}

/* One that is led out by another may be good without that. In a ring that goes on for ever, so it ends somewhere. */
static struct bad_link find_bad(const struct fit *fit, size_t count, int merged_fd,
				struct words *words)
{
	struct bad_link bad = find_last(fit, count, merged_fd, NULL, words), next = bad;

	for (unsigned i = 0; i < LED_MAX && next.node != NULL; i++) {
		bad = next;
		next = find_last(fit, count, merged_fd, &bad, words);
	}
	return bad;
}

struct verdict assembled_check_links(const struct fit *fit, size_t count, int merged_fd,
				     uint32_t *layer, struct text *detail)
{
	struct words words;
	const struct bad_link bad = find_bad(fit, count, merged_fd, &words);

	if (bad.node == NULL)
		return verdict(REASON_ACCEPTED);
	path_show_in(detail, bad.hierarchy, words.path);
	text_str(detail, " is a link to ");
	path_show(detail, words.target);
	if (bad.goes != bad.layer) {
		text_str(detail, " in the extension ");
		text_str(detail, fit->layers[bad.layer].name);
	}
	*layer = bad.goes;
	return verdict(REASON_MERGE_LINK);
}

/* ---- generated files ----------------------------------------------------------------------- */

static void note_hidden(const struct fit *fit, size_t count, const struct node *node,
			struct notes *(*notes)(void *ctx, uint32_t layer), void *ctx)
{
	const enum hierarchy hierarchy = hierarchy_of(fit, node);
	char path[PATHS_SIZE], whole[PATHS_SIZE];
	uint32_t layer = 0, other;

	if (!node_path(node, path, sizeof(path)) ||
	    !path_join(whole, hierarchy_name(hierarchy), path) ||
	    !find_layer(fit, count, hierarchy, path, &layer))
		return;
	for (other = layer + 1; find_layer(fit, count, hierarchy, path, &other); other++)
		notes_add(notes(ctx, layer), NOTE_HIDDEN_FILE, whole, fit->layers[other].name);
	if (node->root != NODE_NONE)
		notes_add(notes(ctx, layer), NOTE_HIDDEN_FILE, whole, "");
}

void assembled_note_generated(const struct fit *fit, size_t count,
			      struct notes *(*notes)(void *ctx, uint32_t layer), void *ctx)
{
	for (unsigned i = 0; i < HIERARCHIES; i++)
		for (struct node *e = fit->nodes.hierarchy[i]; e != NULL; e = node_next(e))
			if (e->is_generated)
				note_hidden(fit, count, e, notes, ctx);
}
