/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first worker of an image (sys/worker.h): it opens the file, has its parts taken apart in the
 * jail, and reads the blocks that lead from the root hash to data block 0. It judges nothing. What
 * it sends are bytes, which the parent takes for no more than bytes: a worker that lies can do what
 * a disk that lies can do.
 */
#ifndef VEXT_READING_H
#define VEXT_READING_H

#include "crypto/merkle.h"
#include "probe/probe.h"
#include "sys/image.h"
#include "sys/worker.h"

#define READING_WINDOW 65536u /* bytes that are read ahead where every block is read */

enum reading_step {
	READING_OPEN = 1,
	READING_PARSE,
	READING_BLOCKS,
};

/* "open", "parse", "read": where a worker is that was left behind. */
const char *reading_step_name(uint32_t step);

struct window {
	uint64_t offset;
	uint64_t have;	    /* bytes from there on */
	struct verdict why; /* there are not more */
	uint8_t bytes[READING_WINDOW];
};

/*
 * In shared memory, about 240 KB of which little is touched. All of it is the worker's word, and
 * may change at any time.
 */
struct reading {
	struct verdict opened;
	uint64_t size;
	char path[ORIGIN_PATH_MAX];
	struct probe_reply probed;
	uint32_t count; /* of the blocks that were read */
	uint64_t at[MERKLE_PATH_MAX];
	uint8_t block[MERKLE_PATH_MAX][VEXT_BLOCK];
	struct verdict why;	 /* why there is not one more */
	uint32_t asked;		 /* by the parent: which window it wants to be filled */
	struct window window[2]; /* of the data, and of all else */
};

/* Which file. `root_fd` -1: the path is one that the user gave. */
struct reading_order {
	int root_fd;
	const char *path;
	const char *name; /* NULL: by the path */
	bool stays;	  /* to read every block */
	struct reading *reading;
};

/*
 * When the worker is heard, its answer is in order->reading. It keeps the image's descriptor until
 * worker_park() asks for it, or it is ended. One that stays reads on instead, and keeps it.
 */
struct verdict reading_start(struct worker *worker, const struct reading_order *order);

/*
 * What the worker says of its file, looked at. `image` is written when that is accepted, but for
 * its descriptor.
 */
struct verdict reading_take(const struct reading *reading, struct image *image);

/*
 * Gives the blocks to who judges them. image.unresponsive when the worker that stays is stuck, and
 * then no more.
 */
struct reading_source {
	struct reading *reading;
	struct worker *worker; /* that stays, or NULL */
	const struct claim *claim;
};

struct reader reading_reader(struct reading_source *source);

#endif
