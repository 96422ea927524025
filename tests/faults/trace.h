/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program under ptrace and lets one of its system calls go wrong. The call is changed where it
 * enters the kernel and its result where it leaves, so nothing is added to the program, and a child under
 * a seccomp filter is reached too: what is done in place of the call is brk(0), which vext's jail allows.
 * (strace's injection ends such a child: the filter looks after the tracer, at the number -1.)
 */
#ifndef VEXT_FAULTS_TRACE_H
#define VEXT_FAULTS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_kind {
	FAULT_NONE = 1,
	FAULT_ERROR, /* the call is not made and fails with `error`; close(2) is made and fails */
	FAULT_SHORT, /* a read or write of more than one byte transfers one byte; lasting: half of them */
	FAULT_END,    /* a read is not made and gives no bytes, as at the end of a file */
	FAULT_KILL,   /* SIGKILL instead of the call */
	FAULT_MEMORY, /* an allocation fails (memory.c, linked into the program) */
};

/* Which call, and what becomes of it. */
struct fault {
	enum fault_kind kind;
	int error;	  /* FAULT_ERROR: an errno */
	bool lasting;	  /* all later calls of that number, in that process, as well */
	unsigned process; /* 0: the program; 1, 2 …: its children in the order of their birth */
	unsigned call; /* from 1: of the calls of that process to which the fault can be done; for
			     FAULT_MEMORY of the allocations of all processes, and 0 for none */
};

#define TRACE_PROCESSES_MAX 1024u
#define TRACE_TEXT_MAX 65536u

/* What became of a run. */
struct trace {
	bool fired;	    /* false: there is no such call */
	long number;	    /* of the system call that went wrong */
	int status;	    /* of the program, as of waitpid(2) */
	bool late;	    /* it had to be ended */
	unsigned children;  /* processes it has made */
	unsigned orphans;   /* of them, still there when it ended */
	unsigned survivors; /* of them, still there TRACE_GRACE_SECONDS later */
	int crash;	    /* signal, if a process ended by one that means a broken program */
	unsigned files;	    /* open in the program at its end */
	size_t out_size, err_size;
	char out[TRACE_TEXT_MAX + 1], err[TRACE_TEXT_MAX + 1]; /* what it wrote; NUL-terminated */
};

#define TRACE_SECONDS 60      /* that a run may take */
#define TRACE_GRACE_SECONDS 3 /* that its children may, after its end */

/* Ends this process, with a message, when the tracing itself is impossible. */
void trace_run(char *const argv[], const struct fault *fault, struct trace *trace);

/* A system call of one of the program's processes, in a run without a fault. */
struct call {
	unsigned process; /* as in struct fault */
	uint64_t
		place; /* the same for calls that come the same way: of what is executed and what it returns to */
	bool errs, is_short, ends; /* can these faults be done to it? FAULT_KILL always can */
};

/* All calls of all processes, but at most `max`; how many. It runs to its end like any other. */
unsigned trace_calls(char *const argv[], struct call calls[], unsigned max);

/* "pread64"; or the number, for one that vext is not known to make. */
const char *trace_call_name(long number);

/* Standard error and exit status 3, for what is no finding about the program. */
_Noreturn void trace_die(const char *what);

#endif
