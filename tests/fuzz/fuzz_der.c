/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mutator that knows DER: it takes the values apart into a tree, changes one, and encodes all of it again, so that
 * the lengths around the change are right. What is inside OCTET STRINGs and BIT STRINGs counts as values too where
 * it looks like such.
 */
#include "fuzz.h"

#define NODES_MAX 512u
#define DEPTH_MAX 24u
#define NONE NODES_MAX
#define SCRATCH 4096u

struct node {
	uint8_t tag;
	uint8_t prefix[1]; /* of a BIT STRING: the unused bits */
	uint8_t prefix_size;
	uint8_t long_form; /* bytes more than the length needs */
	bool has_children;
	uint32_t child; /* the first, or NONE */
	uint32_t next;	/* sibling, or NONE */
	const uint8_t *at;
	size_t size;
};

struct tree {
	uint32_t count;
	struct node node[NODES_MAX];
	uint8_t scratch[SCRATCH]; /* for what a leaf is changed to */
};

/* ---- taking apart -------------------------------------------------------------------------- */

static bool read_header(const uint8_t *from, size_t size, size_t *header, size_t *length)
{
	size_t digits;

	if (size < 2)
		return false;
	*header = 2;
	*length = from[1];
	if (from[1] >= 0x80) {
		digits = from[1] & 0x7f;
		if (digits == 0 || digits > 4 || digits > size - 2)
			return false;
		*length = 0;
		for (size_t i = 0; i < digits; i++)
			*length = *length << 8 | from[2 + i];
		*header += digits;
	}
	return *length <= size - *header;
}

static bool take_values(struct tree *tree, const uint8_t *from, size_t size, unsigned depth,
			uint32_t *first);

/* Children, if the contents are values through and through; else it stays a leaf. */
static void look_inside(struct tree *tree, uint32_t i, unsigned depth)
{
	const uint32_t count = tree->count;
	struct node *node = &tree->node[i];
	size_t skipped = node->tag == 0x03 && node->size > 1 ? 1 : 0;

	if (!(node->tag & 0x20) && node->tag != 0x04 && node->tag != 0x03)
		return;
	if (node->size <= skipped ||
	    !take_values(tree, node->at + skipped, node->size - skipped, depth + 1, &node->child)) {
		tree->count = count;
		node->child = NONE;
		return;
	}
	node->has_children = true;
	node->prefix[0] = node->at[0];
	node->prefix_size = (uint8_t)skipped;
}

static bool take_values(struct tree *tree, const uint8_t *from, size_t size, unsigned depth,
			uint32_t *first)
{
	uint32_t *link = first;

	*first = NONE;
	for (size_t done = 0; done < size;) {
		const uint32_t i = tree->count;
		size_t header, length;

		if (depth > DEPTH_MAX || i == NODES_MAX ||
		    !read_header(from + done, size - done, &header, &length))
			return false;
		tree->count++;
		tree->node[i] = (struct node){ .tag = from[done],
					       .child = NONE,
					       .next = NONE,
					       .at = from + done + header,
					       .size = length };
		look_inside(tree, i, depth);
		*link = i;
		link = &tree->node[i].next;
		done += header + length;
	}
	return true;
}

/* ---- putting together ---------------------------------------------------------------------- */

/* Written from the end of the buffer towards its start, so that a length is known when it is due. */
struct writer {
	uint8_t *start;
	uint8_t *at;
	bool overflow;
};

static void put(struct writer *w, const uint8_t *bytes, size_t size)
{
	if (size > (size_t)(w->at - w->start)) {
		w->overflow = true;
		return;
	}
	w->at -= size;
	if (size > 0)
		memcpy(w->at, bytes, size);
}

static void put_length(struct writer *w, size_t length, unsigned more)
{
	uint8_t digits[8];
	size_t count = 0;

	for (size_t left = length; left > 0 || count == 0; left >>= 8)
		digits[sizeof(digits) - ++count] = (uint8_t)left;
	if (length < 0x80 && more == 0) {
		put(w, &digits[sizeof(digits) - 1], 1);
		return;
	}
	for (unsigned i = length < 0x80 ? 1 : 0; i < more && count < sizeof(digits); i++)
		digits[sizeof(digits) - ++count] = 0;
	put(w, digits + sizeof(digits) - count, count);
	put(w, &(uint8_t){ (uint8_t)(0x80 | count) }, 1);
}

static void put_values(struct writer *w, const struct tree *tree, uint32_t first, unsigned depth);

static void put_node(struct writer *w, const struct tree *tree, const struct node *node,
		     unsigned depth)
{
	const uint8_t *end = w->at;

	if (node->has_children) {
		put_values(w, tree, node->child, depth + 1);
		put(w, node->prefix, node->prefix_size);
	} else {
		put(w, node->at, node->size);
	}
	put_length(w, (size_t)(end - w->at), node->long_form);
	put(w, &node->tag, 1);
}

static void put_values(struct writer *w, const struct tree *tree, uint32_t first, unsigned depth)
{
	uint32_t list[NODES_MAX];
	size_t count = 0;

	for (uint32_t i = first; i != NONE && count < NODES_MAX; i = tree->node[i].next)
		list[count++] = i;
	if (depth > DEPTH_MAX + 2)
		w->overflow = true;
	while (count > 0 && !w->overflow)
		put_node(w, tree, &tree->node[list[--count]], depth);
}

/* ---- changing ------------------------------------------------------------------------------ */

static void change_leaf(struct tree *tree, struct node *node)
{
	size_t used = node->size < SCRATCH / 2 ? node->size : SCRATCH / 2;

	if (used > 0)
		memcpy(tree->scratch, node->at, used);
	node->size = LLVMFuzzerMutate(tree->scratch, used, SCRATCH);
	node->at = tree->scratch;
}

/* Another number of the same value, or of nearly the same. */
static void pad_leaf(struct tree *tree, struct node *node, uint8_t with)
{
	if (node->size >= SCRATCH)
		return;
	tree->scratch[0] = with;
	if (node->size > 0)
		memcpy(tree->scratch + 1, node->at, node->size);
	node->at = tree->scratch;
	node->size++;
}

static void put_other(struct tree *tree, uint32_t i, uint32_t j)
{
	const uint32_t next = tree->node[i].next;

	/* Only what comes later: a value can't be put into itself. */
	if (j > i) {
		tree->node[i] = tree->node[j];
		tree->node[i].next = next;
	}
}

static void insert_copy(struct tree *tree, uint32_t i)
{
	if (tree->count == NODES_MAX)
		return;
	tree->node[tree->count] = tree->node[i];
	tree->node[i].next = tree->count++;
}

static void change_one(struct tree *tree, uint32_t i, unsigned how, unsigned more)
{
	static const uint8_t tags[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17,
					0x18, 0x30, 0x31, 0x80, 0xa0, 0xa1, 0xa3, 0x1f, 0x00 };
	struct node *node = &tree->node[i];

	if (how < 5 && !node->has_children)
		change_leaf(tree, node);
	else if (how == 5)
		node->tag = tags[more % sizeof(tags)];
	else if (how == 6)
		node->long_form = (uint8_t)(1 + more % 3);
	else if (how == 7 && !node->has_children)
		pad_leaf(tree, node, more % 2 ? 0xff : 0);
	else if (how == 8 && !node->has_children && node->size > 0) {
		node->at++;
		node->size--;
	} else if (how == 9 && node->next != NONE)
		node->next = tree->node[node->next].next;
	else if (how == 10)
		insert_copy(tree, i);
	else if (how == 11 && node->has_children)
		node->child = tree->node[node->child].next;
	else
		put_other(tree, i, more % tree->count);
}

size_t fuzz_der_mutate(uint8_t *bytes, size_t size, size_t max_size, unsigned seed)
{
	static uint8_t out[SCRATCH * 8];
	static struct tree tree;
	struct writer w = { .start = out, .at = out + sizeof(out) };
	uint32_t first;
	size_t length;

	tree.count = 0;
	if (seed % 8 == 0 || !take_values(&tree, bytes, size, 0, &first) || tree.count == 0)
		return LLVMFuzzerMutate(bytes, size, max_size);
	change_one(&tree, seed / 8 % tree.count, seed / 4096 % 13, seed / 65536);
	put_values(&w, &tree, first, 0);
	length = (size_t)(out + sizeof(out) - w.at);
	if (w.overflow || length > max_size)
		return LLVMFuzzerMutate(bytes, size, max_size);
	memcpy(bytes, w.at, length);
	return length;
}
