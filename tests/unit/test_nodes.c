/* SPDX-License-Identifier: Apache-2.0 */
/* sys/nodes: the names that images have where they meet. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "sys/nodes.h"

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct nodes));
	return 0;
}

static int tear_down(void **state)
{
	nodes_free(*state);
	free(*state);
	return 0;
}

static const struct timespec long_ago = { .tv_sec = 1, .tv_nsec = 999999999 };
static const struct timespec later = { .tv_sec = 2, .tv_nsec = 5 };
static const struct timespec latest = { .tv_sec = 2, .tv_nsec = 6 };

/* As the present image's. */
static struct node *add(struct nodes *nodes, struct node *above, const char *name)
{
	struct node *entry = nodes_add(nodes, above, name, NODE_DIRECTORY, 7);

	assert_non_null(entry);
	assert_true(nodes_touch(nodes, entry, &later));
	return entry;
}

static void knows_kinds(void **state)
{
	static const struct {
		mode_t mode;
		enum node_kind kind;
		const char *name;
	} rows[] = { { S_IFDIR | 0755, NODE_DIRECTORY, "directory" },
		     { S_IFREG | 0644, NODE_FILE, "file" },
		     { S_IFLNK | 0777, NODE_LINK, "link" },
		     { S_IFCHR | 0600, NODE_OTHER, "device or socket" },
		     { S_IFBLK | 0600, NODE_OTHER, "device or socket" },
		     { S_IFIFO | 0600, NODE_OTHER, "device or socket" },
		     { S_IFSOCK | 0600, NODE_OTHER, "device or socket" } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(node_kind(rows[i].mode), rows[i].kind);
		assert_string_equal(node_kind_name(rows[i].kind), rows[i].name);
	}
	assert_string_equal(node_kind_name(NODE_NONE), "nothing");
}

static void has_one_entry_for_each_hierarchy(void **state)
{
	struct nodes *nodes = *state;

	for (unsigned i = 0; i < HIERARCHIES; i++) {
		struct node *top = nodes_top(nodes, (enum hierarchy)i);

		assert_ptr_equal(nodes_top(nodes, (enum hierarchy)i), top);
		assert_ptr_equal(nodes->hierarchy[i], top);
		assert_true(top->is_open);
		assert_int_equal(top->root, NODE_DIRECTORY);
		assert_string_equal(top->name, hierarchy_name((enum hierarchy)i));
	}
	assert_int_equal(nodes->count, HIERARCHIES);
}

/* By directory and name: "a" below "b" is not "b" below "a". */
static void finds_what_was_added(void **state)
{
	struct nodes *nodes = *state;
	struct node *top = nodes_top(nodes, HIERARCHY_USR);
	struct node *opt = nodes_top(nodes, HIERARCHY_OPT);
	struct node *a = add(nodes, top, "a"), *b = add(nodes, top, "b");
	struct node *below = add(nodes, a, "b");

	nodes_keep(nodes);
	assert_ptr_equal(nodes_find(nodes, top, "a"), a);
	assert_ptr_equal(nodes_find(nodes, top, "b"), b);
	assert_ptr_equal(nodes_find(nodes, a, "b"), below);
	assert_null(nodes_find(nodes, b, "a"));
	assert_null(nodes_find(nodes, a, "a"));
	assert_null(nodes_find(nodes, top, ""));
	assert_null(nodes_find(nodes, top, "ab"));
	assert_null(nodes_find(nodes, opt, "a"));
	assert_int_equal(below->layers, 1);
	assert_int_equal(below->layer, 7);
	assert_ptr_equal(below->above, a);
}

static void knows_links_from_the_first(void **state)
{
	struct nodes *nodes = *state;
	struct node *top = nodes_top(nodes, HIERARCHY_USR);

	assert_true(nodes_add(nodes, top, "link", NODE_LINK, 0)->has_link);
	assert_false(nodes_add(nodes, top, "file", NODE_FILE, 0)->has_link);
}

/* What is new goes, whatever is below it; what was there before has one image less. */
static void gives_up_all_of_an_image(void **state)
{
	struct nodes *nodes = *state;
	struct node *top = nodes_top(nodes, HIERARCHY_USR);
	struct node *kept = add(nodes, top, "kept");
	struct node *other = add(nodes, top, "other");

	assert_true(nodes_touch(nodes, top, &later));
	nodes_keep(nodes);
	assert_true(nodes_touch(nodes, top, &later));
	assert_true(nodes_touch(nodes, kept, &latest));
	for (unsigned i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%u", i);
		add(nodes, add(nodes, i % 2 ? kept : other, name), "below");
	}
	/* This one is another image's, found while the present one was compared. */
	nodes_add(nodes, kept, "found", NODE_FILE, 3)->layers = 1;
	assert_int_equal(nodes->count, 3 + 200 + 1);
	nodes_give_up(nodes);
	assert_int_equal(nodes->count, 3 + 1);
	assert_null(nodes->touched);
	assert_int_equal(top->layers, 1);
	assert_int_equal(kept->layers, 1);
	assert_null(other->first);
	assert_string_equal(kept->first->name, "found");
	assert_null(kept->first->next);
	assert_null(nodes_find(nodes, kept, "1"));
	assert_ptr_equal(nodes_find(nodes, top, "kept"), kept);
	assert_int_equal(kept->newest.tv_nsec, later.tv_nsec);
	/* And may come again. */
	add(nodes, add(nodes, kept, "1"), "below");
	nodes_keep(nodes);
	nodes_give_up(nodes);
	assert_int_equal(nodes->count, 3 + 3);
}

/* The hierarchy is there for good, even if the first image that has it is refused. */
static void keeps_the_hierarchy(void **state)
{
	struct nodes *nodes = *state;
	struct node *top = nodes_top(nodes, HIERARCHY_ETC);

	nodes_touch(nodes, top, &later);
	add(nodes, top, "a");
	nodes_give_up(nodes);
	assert_ptr_equal(nodes_top(nodes, HIERARCHY_ETC), top);
	assert_int_equal(top->layers, 0);
	assert_null(top->first);
	assert_true(nodes_touch(nodes, top, &later));
	nodes_keep(nodes);
	assert_int_equal(top->layers, 1);
}

/* Twice by one image is once. */
static void counts_an_image_once(void **state)
{
	struct nodes *nodes = *state;
	struct node *entry = add(nodes, nodes_top(nodes, HIERARCHY_USR), "a");

	assert_false(nodes_touch(nodes, entry, &latest));
	assert_int_equal(entry->layers, 1);
	nodes_keep(nodes);
	assert_int_equal(entry->newest.tv_nsec, later.tv_nsec);
	assert_true(nodes_touch(nodes, entry, &latest));
	assert_false(nodes_touch(nodes, entry, &latest));
	nodes_give_up(nodes);
	assert_int_equal(entry->layers, 1);
	assert_true(nodes_touch(nodes, entry, &latest));
	nodes_keep(nodes);
	assert_int_equal(entry->layers, 2);
}

static void keeps_the_newest_time(void **state)
{
	static const struct timespec *const times[] = { &later, &long_ago, &latest, &later };
	static const struct timespec *const wanted[] = { &later, &later, &latest, &latest };
	struct nodes *nodes = *state;
	struct node *entry = nodes_add(nodes, nodes_top(nodes, HIERARCHY_USR), "a", NODE_DIRECTORY,
				       0);

	for (size_t i = 0; i < COUNT(times); i++) {
		assert_true(nodes_touch(nodes, entry, times[i]));
		nodes_keep(nodes);
		assert_int_equal(entry->newest.tv_sec, wanted[i]->tv_sec);
		assert_int_equal(entry->newest.tv_nsec, wanted[i]->tv_nsec);
	}
}

/* Into a buffer of just that size, and of less. */
static void tells_paths(void **state)
{
	struct nodes *nodes = *state;
	struct node *top = nodes_top(nodes, HIERARCHY_USR);
	struct node *deep = add(nodes, add(nodes, add(nodes, top, "a"), "b c\n"), "d");
	static const char wanted[] = "a/b c\n/d";
	char *path = malloc(sizeof(wanted));

	assert_true(node_path(top, path, 1));
	assert_string_equal(path, "");
	assert_true(node_path(deep, path, sizeof(wanted)));
	assert_string_equal(path, wanted);
	for (size_t size = 1; size < sizeof(wanted); size++) {
		free(path);
		path = malloc(size);
		assert_false(node_path(deep, path, size));
	}
	free(path);
	nodes_keep(nodes);
}

/* Each once, and whatever is below an entry before the next one beside it. */
static void goes_through_all(void **state)
{
	struct nodes *nodes = *state;
	struct node *top = nodes_top(nodes, HIERARCHY_USR);
	char seen[256] = "";
	char path[64];

	add(nodes, nodes_top(nodes, HIERARCHY_OPT), "not of usr");
	add(nodes, top, "1");
	add(nodes, add(nodes, add(nodes, top, "2"), "3"), "4");
	add(nodes, nodes_find(nodes, top, "2"), "5");
	add(nodes, add(nodes, top, "6"), "7");
	nodes_keep(nodes);
	for (struct node *entry = top; entry != NULL; entry = node_next(entry)) {
		assert_true(node_path(entry, path, sizeof(path)));
		strcat(seen, path);
		strcat(seen, " ");
	}
	/* The last added is the first. */
	assert_string_equal(seen, " 6 6/7 2 2/5 2/3 2/3/4 1 ");
}

/* As many as there may be take long, so the count is made up. */
static void has_an_end(void **state)
{
	struct nodes *nodes = *state;
	struct node *top = nodes_top(nodes, HIERARCHY_USR);
	const size_t count = nodes->count;

	nodes->count = NODES_MAX;
	errno = 0;
	assert_null(nodes_add(nodes, top, "a", NODE_FILE, 0));
	assert_int_equal(errno, ENOSPC);
	assert_null(nodes_top(nodes, HIERARCHY_ETC));
	nodes->count = count;
	assert_null(top->first);
	assert_non_null(nodes_add(nodes, top, "a", NODE_FILE, 0));
}

/* Thousands in one directory, and a thousand deep. */
static void takes_many(void **state)
{
	enum {
		WIDE = 20000,
		DEEP = 1000
	};
	struct nodes *nodes = *state;
	struct node *top = nodes_top(nodes, HIERARCHY_USR), *entry = top;
	char name[16];
	unsigned count = 0;

	for (unsigned i = 0; i < WIDE; i++) {
		snprintf(name, sizeof(name), "%u", i * 7919 % WIDE);
		add(nodes, top, name);
	}
	nodes_keep(nodes);
	for (unsigned i = 0; i < DEEP; i++)
		entry = add(nodes, entry, "d");
	for (struct node *at = top; at != NULL; at = node_next(at))
		count++;
	assert_int_equal(count, 1 + WIDE + DEEP);
	nodes_give_up(nodes);
	assert_int_equal(nodes->count, 1 + WIDE);
	assert_non_null(nodes_find(nodes, top, "19999"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(knows_kinds),
		TEST(has_one_entry_for_each_hierarchy),
		TEST(finds_what_was_added),
		TEST(knows_links_from_the_first),
		TEST(gives_up_all_of_an_image),
		TEST(keeps_the_hierarchy),
		TEST(counts_an_image_once),
		TEST(keeps_the_newest_time),
		TEST(tells_paths),
		TEST(goes_through_all),
		TEST(has_an_end),
		TEST(takes_many),
	};

	return cmocka_run_group_tests_name("nodes", tests, NULL, NULL);
}
