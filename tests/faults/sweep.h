/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One command again and again, each time with another fault: every kind, at every system call of every
 * process (or every allocation), once and lasting. The number of the call counts up until the command ends
 * without having met the fault.
 */
#ifndef VEXT_FAULTS_SWEEP_H
#define VEXT_FAULTS_SWEEP_H

#include "trace.h"

#define SWEEP_WHY_MAX 512u

/* What a run with a fault came to. */
enum outcome {
	OUTCOME_SAME = 1, /* as without it */
	OUTCOME_REFUSED,  /* told whole, and as a refusal */
	OUTCOME_FAILED,	  /* exit status 3, and what was told so far is true */
	OUTCOME_KILLED,	  /* as it had to be */
	OUTCOME_WRONG,	  /* a finding */
};

struct sweep {
	char *const *argv;
	const struct trace *usual; /* a run without a fault */
	unsigned stride;   /* 1: every call; N: every N-th, from another start for each kind */
	const char *kinds; /* comma-separated; NULL: all that `memory` leaves */
	/* Of the calls that come from the same place only the first of each kind; NULL: all. */
	const struct call *calls;
	unsigned call_count;
	bool memory; /* allocations instead of system calls; argv[0] has memory.c in it */
	/* Before each run and after it; `why` is for OUTCOME_WRONG. `before` may be NULL. */
	void (*before)(void *ctx);
	enum outcome (*examine)(void *ctx, const struct fault *fault, const struct trace *trace,
				char why[SWEEP_WHY_MAX]);
	void *ctx;
};

/* Prints a table and a line "violation: …" for each finding. Is there none? */
bool sweep_run(const struct sweep *sweep);

/* Makes one fault of "KIND PROCESS CALL"; KIND may end with "..." for lasting. False: there is no such. */
bool sweep_parse(char *const words[3], struct fault *fault);

/* "EIO... at call 17 of process 1 (pread64)" */
void sweep_describe(const struct fault *fault, const struct trace *trace, char out[SWEEP_WHY_MAX]);

#endif
