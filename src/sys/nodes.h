/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that images have where they meet: in directories that the root has too, or that several images have.
 * What lies in a directory that only one image has is not in here, until another image comes with the same directory.
 * What the root has at a place is kept with the name. So it takes one look at the root for each entry of a shared
 * directory, whatever the number of images.
 */
#ifndef VEXT_SYS_NODES_H
#define VEXT_SYS_NODES_H

#include <sys/types.h>
#include <time.h>

#include "core/class.h"
#include "vext.h"

/* An overlay shows either the directories of all layers as one, or the topmost entry alone. */
enum node_kind {
	NODE_NONE = 0,
	NODE_DIRECTORY,
	NODE_FILE,
	NODE_LINK,
	NODE_OTHER, /* device, FIFO, socket */
};

#define NODES_MAX 1000000u /* of all images; about 150 bytes of memory each */
/* Directories that root and images, or several images, have: each is an inode with attributes in what sys/shared.c writes. */
#define NODES_SHARED_MAX (1u << 16)

struct node {
	struct node *above; /* NULL: the hierarchy itself */
	struct node *first; /* below it, in no order */
	struct node *next;
	struct node *touched; /* the one before it that the present image has touched */
	bool is_touched;      /* by the present image */
	enum node_kind root;  /* what the root has there */
	enum node_kind kind;  /* what the first image has */
	uint32_t layer;	      /* of the first image that has it */
	uint32_t layers;      /* images that have it */
	bool is_hearsay;      /* `kind` is what a list says, and nobody has looked */
	bool is_open;	      /* a directory whose entries are in here */
	bool has_link;	      /* in some image it is a link */
	bool is_due;	      /* where a link leads is to be looked at when all is assembled */
	bool is_generated; /* a file that a tool makes from what is installed, met with another one */
	struct timespec newest; /* modification time of a directory, of the images that have it */
	struct timespec mine;	/* … of the present image */
	uint32_t place;		/* of the directory in what sys/shared.c writes */
	char name[];
};

struct nodes {
	struct node *hierarchy[HIERARCHIES]; /* NULL: none yet */
	struct node *touched;		     /* the last one, of the image that is being compared */
	void *index;			     /* tsearch(3) */
	size_t count;
	size_t shared; /* directories; those of images that were given up after all were compared count on */
};

enum node_kind node_kind(mode_t mode);

/* "directory", "file", "link" … */
const char *node_kind_name(enum node_kind kind);

/* The entry of a hierarchy, which is open. Makes it if it is not there; NULL: no memory. */
struct node *nodes_top(struct nodes *nodes, enum hierarchy hierarchy);

/* The entry of this name in the directory `above`; NULL if there is none. */
struct node *nodes_find(const struct nodes *nodes, const struct node *above, const char *name);

/* A new entry that only the image of `layer` has. NULL with errno: no memory, or ENOSPC for more than NODES_MAX. */
struct node *nodes_add(struct nodes *nodes, struct node *above, const char *name,
		       enum node_kind kind, uint32_t layer);

/*
 * Notes that the present image, the one that is being compared, has this entry, be it old or just added. False if that
 * was noted before: the image has the name twice.
 */
bool nodes_touch(struct nodes *nodes, struct node *entry, const struct timespec *mine);

/* The present image is admitted. */
void nodes_keep(struct nodes *nodes);

/* The present image is refused: all is as it was before it. */
void nodes_give_up(struct nodes *nodes);

void nodes_free(struct nodes *nodes);

/* The path below the hierarchy, without a slash before it; false if it does not fit. "" for the hierarchy itself. */
bool node_path(const struct node *entry, char *path, size_t size);

/* The entry that comes after this one, what is below it first; NULL: that was the last. */
struct node *node_next(struct node *entry);

#endif
