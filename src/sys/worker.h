/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes for what may wait for a disk.
 *
 * Who waits for a disk that does not answer sleeps in the kernel, where no signal ends it. So the
 * process that has the lock, writes the log and has the last word touches no image: workers do. One
 * that makes no progress for too long is left behind: it gets SIGKILL, so it does nothing more of
 * its own once the kernel lets it go, and nobody waits for it.
 *
 * A worker starts with a copy of all that its parent has in memory. It answers in memory that both
 * share, says so over its channel, and may send a descriptor with that. It has no standard files:
 * who reads vext's output is not kept waiting by a worker that was left behind.
 *
 * What is said over a channel and is not yet heard waits in there, also when the worker is gone; so
 * does a descriptor. Whoever else has the channel, a second worker, can take it out then. So the
 * parent has no descriptor of an image: to close one may wait, too, as FUSE asks the file's server.
 */
#ifndef VEXT_SYS_WORKER_H
#define VEXT_SYS_WORKER_H

#include <sys/types.h>

#include "core/table.h"
#include "vext.h"

#define WORKER_PATIENCE_MS 20000u  /* of a worker without progress, until it is left behind */
#define WORKERS_PATIENCE_MS 60000u /* of a run in which no worker at all makes progress */
#define WORKER_FRESH_MS \
	1000u /* one that makes no progress for so long does not keep others from starting */

/*
 * What a worker holds, and where it is: for the record if it is left behind. It is the worker's
 * word, no more.
 */
struct worker_holds {
	pid_t process;	  /* a child of the worker that may wait in its place; 0: none */
	uint32_t at;	  /* a number of the worker's own, such as an enum step_op */
	uint32_t subject; /* likewise: which image, if it has several */
	uint32_t loops;	  /* how many of `loop` */
	struct table_device loop[2];
	char device[TABLE_NAME_MAX]; /* with NUL; "": none */
};

/* What was left behind. */
struct left {
	struct worker_holds holds; /* holds.process 0: nothing */
	const char *step;	   /* in which it got stuck */
};

struct worker_page;

/* A process, from worker_start() to worker_end(). */
struct worker {
	pid_t pid;
	int channel; /* -1: taken, or there is no worker */
	int fd;	     /* came with what was heard last; whoever wants it takes it; -1: none */
	bool is_stuck;
	struct worker_page *page; /* shared */
	uint32_t ticks;		  /* of its progress, when they were last looked at */
	uint64_t moved;		  /* when it last made progress, milliseconds */
	uint64_t leaves;	  /* since when it has nothing more to do; 0: it has */
	uint64_t killed;	  /* when it got SIGKILL; 0: it did not */
	int promises;		  /* how often poll(2) promised a word that was not there */
};

#define WORKER_NONE ((struct worker){ .channel = -1, .fd = -1 })

enum worker_state {
	WORKER_BUSY = 1,
	WORKER_HEARD, /* it said something */
	WORKER_ENDED, /* without another word */
	WORKER_STUCK, /* no progress for WORKER_PATIENCE_MS */
};

/* Memory that workers started later share with their parent, all zero; NULL and errno. */
void *worker_memory(size_t size);
void worker_memory_free(void *memory, size_t size);

/*
 * Processes that this one starts later do not get it; or they do again. A jail above all is not to
 * write to what its parents believe. False and errno: it is as it was.
 */
bool worker_memory_hide(void *memory, size_t size);
bool worker_memory_show(void *memory, size_t size);

/* What a worker does. Its process ends when this returns. */
typedef void worker_job(void *ctx, int channel);

/*
 * Of the descriptors the worker keeps the `count` of `keep`, and none else but for its channel;
 * keep NULL: all. system.worker with the errno.
 */
struct verdict worker_start(struct worker *worker, worker_job *job, void *ctx, const int keep[],
			    size_t count);

/* Waits until the worker says something, ends, or is stuck: never longer. */
enum worker_state worker_wait(struct worker *worker);

/* Why there is no answer, of one that was not heard: image.unresponsive, or system.worker. */
struct verdict worker_silence(enum worker_state state);

/* Where it is, and what it holds. */
const struct worker_holds *worker_holds_of(const struct worker *worker);

/*
 * Ends it. True: it is gone. False: it was left behind, and `holds` says what with;
 * `holds->process` is who.
 */
bool worker_end(struct worker *worker, struct worker_holds *holds);

/*
 * Asks a worker that waits for a word to send what it has, and leaves that in the channel, which is
 * handed over. -1: nothing has come within WORKER_PATIENCE_MS.
 */
int worker_park(struct worker *worker);

/* ---- small ones ---------------------------------------------------------------------------- */

/*
 * A worker that has all descriptors of its parent, until worker_end(). What the parent closes
 * meanwhile is not closed for the last time, which may wait for a disk: the worker does that. None,
 * if none can be started.
 */
void worker_keep(struct worker *worker);

/* What is to be done; it answers in `answer`, which is all zero before. */
typedef struct verdict worker_errand(const void *ctx, void *answer);

/*
 * Has a worker do it, which has all descriptors of its parent, and returns what it returned. What
 * it answered is in `answer` then, `size` bytes. In a worker, which may wait itself, it is done
 * there. system.read (ETIMEDOUT) if it does not answer, system.worker without a worker,
 * system.memory: then nothing is written.
 */
struct verdict worker_do(worker_errand *run, const void *ctx, void *answer, size_t size);

/* ---- in the worker ------------------------------------------------------------------------- */

/* Progress was made: called by whoever waits within bounds, too. */
void worker_tick(void);

/*
 * From here on the process may wait for as long as it likes: for who reads its output, or as
 * another program.
 */
void worker_may_wait(void);

/* What is told of this process, should it be left behind: write to it before each step. */
struct worker_holds *worker_holds(void);

/* Says that the answer is there; with a descriptor, or -1. False if nobody hears any more. */
bool worker_say(int channel, int fd);

/*
 * Takes the next word out of a channel, waiting for it. False: there is none, and there will be
 * none.
 */
bool worker_hear(int channel, int *fd);

/* ---- the whole ----------------------------------------------------------------------------- */

/*
 * Runs all of a command in a child, which keeps the standard files. 0: it has ended, and `*status`
 * is its wait status. -1 and errno: it has ended, and the kernel does not tell how. Else the
 * process that is left behind: for WORKERS_PATIENCE_MS it has not come back from a call of the
 * kernel. Where no child can be made it is run here, and this process ends with it.
 */
pid_t worker_supervise(int (*run)(int argc, char **argv), int argc, char **argv, int *status);

/* ---- several ------------------------------------------------------------------------------- */

/* A worker for each of several subjects, some at a time. */
struct crew {
	/* Starts the worker of subject `i`. False: it needs none. */
	bool (*start)(void *ctx, size_t i, struct worker *worker);
	/*
	 * It has said something, ended or is stuck; it ends after this, all of them at the same
	 * time. `state` WORKER_STUCK is told also of those that were never started.
	 */
	void (*finish)(void *ctx, size_t i, struct worker *worker, enum worker_state state);
	/* It was left behind, at whatever point; `holds->process` is who is left. */
	void (*leave)(void *ctx, size_t i, const struct worker_holds *holds);
	void *ctx;
	unsigned at_a_time; /* that make progress */
	/* NULL, or becomes true when nobody wants to hear more; told as WORKER_STUCK. */
	const bool *is_over;
};

/* system.memory; else accepted. */
struct verdict crew_run(const struct crew *crew, size_t count);

#endif
