/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/nodes.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/text.h"

enum node_kind node_kind(mode_t mode)
{
	if (S_ISDIR(mode))
		return NODE_DIRECTORY;
	if (S_ISREG(mode))
		return NODE_FILE;
	return S_ISLNK(mode) ? NODE_LINK : NODE_OTHER;
}

const char *node_kind_name(enum node_kind kind)
{
	switch (kind) {
	case NODE_NONE:
		return "nothing";
	case NODE_DIRECTORY:
		return "directory";
	case NODE_FILE:
		return "file";
	case NODE_LINK:
		return "link";
	case NODE_OTHER:
		return "device or socket";
	}
	return "nothing";
}

/* What is looked for; its name stands elsewhere than in an entry. */
struct key {
	const struct node *above;
	const char *name;
};

/* The index holds the keys of entries, which lie behind them in memory. */
struct indexed {
	struct key key;
	struct node node;
};

static int compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->above != y->above)
		return (uintptr_t)x->above < (uintptr_t)y->above ? -1 : 1;
	return strcmp(x->name, y->name);
}

static struct indexed *indexed_of(struct node *entry)
{
	return (struct indexed *)(void *)((char *)entry - offsetof(struct indexed, node));
}

static struct node *make(struct nodes *nodes, struct node *above, const char *name)
{
	const size_t size = strlen(name) + 1;
	struct indexed *made;

	if (nodes->count == NODES_MAX) {
		errno = ENOSPC;
		return NULL;
	}
	made = calloc(1, sizeof(*made) + size);
	if (made == NULL)
		return NULL;
	memcpy(made->node.name, name, size);
	made->key = (struct key){ .above = above, .name = made->node.name };
	made->node.above = above;
	if (tsearch(&made->key, &nodes->index, compare) == NULL) {
		free(made);
		errno = ENOMEM;
		return NULL;
	}
	nodes->count++;
	return &made->node;
}

struct node *nodes_top(struct nodes *nodes, enum hierarchy hierarchy)
{
	struct node **top = &nodes->hierarchy[hierarchy];

	if (*top == NULL) {
		*top = make(nodes, NULL, hierarchy_name(hierarchy));
		if (*top == NULL)
			return NULL;
		(*top)->root = (*top)->kind = NODE_DIRECTORY;
		(*top)->is_open = true;
	}
	return *top;
}

struct node *nodes_find(const struct nodes *nodes, const struct node *above, const char *name)
{
	const struct key key = { .above = above, .name = name };
	struct key *const *found = tfind(&key, &nodes->index, compare);

	return found == NULL ? NULL : &((struct indexed *)(void *)*found)->node;
}

struct node *nodes_add(struct nodes *nodes, struct node *above, const char *name,
		       enum node_kind kind, uint32_t layer)
{
	struct node *entry = make(nodes, above, name);

	if (entry == NULL)
		return NULL;
	entry->kind = kind;
	entry->has_link = kind == NODE_LINK;
	entry->layer = layer;
	entry->next = above->first;
	above->first = entry;
	return entry;
}

/* With this image it becomes one that is shared, or would not be without it. */
static bool is_at_edge(const struct node *entry)
{
	return entry->kind == NODE_DIRECTORY &&
	       entry->layers == (entry->root == NODE_DIRECTORY ? 1 : 2);
}

bool nodes_touch(struct nodes *nodes, struct node *entry, const struct timespec *mine)
{
	if (entry->is_touched)
		return false;
	entry->is_touched = true;
	entry->layers++;
	nodes->shared += is_at_edge(entry);
	entry->mine = *mine;
	entry->touched = nodes->touched;
	nodes->touched = entry;
	return true;
}

static bool is_newer(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

void nodes_keep(struct nodes *nodes)
{
	for (struct node *entry = nodes->touched; entry != NULL; entry = entry->touched) {
		entry->is_touched = false;
		if (entry->layers == 1 || is_newer(&entry->mine, &entry->newest))
			entry->newest = entry->mine;
	}
	nodes->touched = NULL;
}

static void forget(struct nodes *nodes, struct node *entry)
{
	struct node **at = &entry->above->first;

	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	tdelete(&indexed_of(entry)->key, &nodes->index, compare);
	free(indexed_of(entry));
	nodes->count--;
}

/* The last touched first: what is below a directory was touched after it. */
void nodes_give_up(struct nodes *nodes)
{
	while (nodes->touched != NULL) {
		struct node *entry = nodes->touched;

		nodes->touched = entry->touched;
		entry->is_touched = false;
		nodes->shared -= is_at_edge(entry);
		if (--entry->layers == 0 && entry->above != NULL)
			forget(nodes, entry);
	}
}

static void free_below(struct nodes *nodes, struct node *top)
{
	struct node *entry = top;

	/* Down to one without any below it, then up again. */
	while (entry != NULL) {
		struct node *above = entry->above;

		if (entry->first != NULL) {
			entry = entry->first;
			continue;
		}
		if (above != NULL)
			above->first = entry->next;
		tdelete(&indexed_of(entry)->key, &nodes->index, compare);
		free(indexed_of(entry));
		entry = above;
	}
}

void nodes_free(struct nodes *nodes)
{
	for (unsigned i = 0; i < HIERARCHIES; i++)
		free_below(nodes, nodes->hierarchy[i]);
	*nodes = (struct nodes){ 0 };
}

bool node_path(const struct node *entry, char *path, size_t size)
{
	size_t at = size - 1;

	path[at] = '\0';
	for (; entry->above != NULL; entry = entry->above) {
		const size_t length = strlen(entry->name);

		if (at < length + 1)
			return false;
		if (path[at] != '\0')
			path[--at] = '/';
		at -= length;
		memcpy(path + at, entry->name, length);
	}
	memmove(path, path + at, size - at);
	return true;
}

struct node *node_next(struct node *entry)
{
	if (entry->first != NULL)
		return entry->first;
	while (entry != NULL && entry->next == NULL)
		entry = entry->above;
	return entry == NULL ? NULL : entry->next;
}
