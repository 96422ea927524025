/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults in the commands that judge and change nothing: verify, inspect, anchors, boot --dry-run.
 *
 * After each run: it ended by itself, in time, with exit status 0, 1 or 3; without a crash, a child or an
 * open file more than usual; 0 only with the usual output; 1 only with whole output; 3 only if it says why.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "output.h"

#define REASONS "system.,image."
/*
 * To libblkid a short read, and any trouble in lseek(2), is the end of the file, where no table fits; and it
 * does not always tell that it lacked memory.
 */
#define REASONS_OF_BLKID REASONS ",gpt.checksum"

struct scenario {
	bool json;
	struct trace usual;
};

static bool examine_outputs(const struct scenario *scenario, const struct fault *fault,
			    const struct trace *trace, struct output *out, char why[SWEEP_WHY_MAX])
{
	const bool at_end = fault->kind == FAULT_END || fault->kind == FAULT_SHORT ||
			    trace->number == SYS_lseek || trace->number == SYS_mmap;
	const bool is_blkids = fault->kind == FAULT_MEMORY || (fault->process > 0 && at_end);
	const char *reasons = is_blkids ? REASONS_OF_BLKID : REASONS;
	const struct trace *usual = &scenario->usual;

	if (scenario->json)
		return output_json(trace->out, trace->out_size, usual->out, usual->out_size,
				   reasons, out, why);
	return output_text(trace->out, usual->out, reasons, out, why);
}

/* Messages are free, but for what they say about images. */
static bool examine_messages(const struct scenario *scenario, const struct trace *trace,
			     char why[SWEEP_WHY_MAX])
{
	const char *verdict = strstr(trace->err, "accepted ");
	char line[256];

	for (; verdict != NULL; verdict = strstr(verdict + 1, "accepted ")) {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(verdict, "\n"), verdict);
		if (strstr(scenario->usual.err, line) == NULL) {
			snprintf(why, SWEEP_WHY_MAX, "it says '%.300s'", line);
			return false;
		}
	}
	return true;
}

static bool examine_remains(const struct scenario *scenario, const struct trace *trace,
			    char why[SWEEP_WHY_MAX])
{
	if (trace->late)
		snprintf(why, SWEEP_WHY_MAX, "it had not ended after %d s", TRACE_SECONDS);
	else if (trace->crash != 0)
		snprintf(why, SWEEP_WHY_MAX, "a process ended by signal %d", trace->crash);
	else if (trace->survivors > 0)
		snprintf(why, SWEEP_WHY_MAX, "%u processes outlive it", trace->survivors);
	else if (!WIFSIGNALED(trace->status) && trace->files > scenario->usual.files)
		snprintf(why, SWEEP_WHY_MAX, "it ends with %u open files, not %u", trace->files,
			 scenario->usual.files);
	else
		return true;
	return false;
}

/* Was the fault that of writing, so that it could not be told? */
static bool is_mute(const struct trace *trace)
{
	return trace->number == SYS_write || trace->number == SYS_writev;
}

/* Does the exit status say what the output says? */
static enum outcome examine_status(const struct scenario *scenario, const struct fault *fault,
				   const struct trace *trace, const struct output *out,
				   char why[SWEEP_WHY_MAX])
{
	const int status = WEXITSTATUS(trace->status), usual = WEXITSTATUS(scenario->usual.status);
	const bool told = out->refused_system || is_mute(trace) ||
			  strcmp(trace->err, scenario->usual.err) != 0;

	if (status == usual && out->same)
		return OUTCOME_SAME;
	if (status == 1 && out->whole && !out->refused_system && (out->refused || usual == 1))
		return OUTCOME_REFUSED;
	if (status == 3 && told)
		return out->refused && out->whole ? OUTCOME_REFUSED : OUTCOME_FAILED;
	/* A certificate file that ends early is one that is wrong. */
	if (status == 2 && fault->kind == FAULT_END && strstr(trace->err, "certificate ") != NULL)
		return OUTCOME_REFUSED;
	snprintf(why, SWEEP_WHY_MAX, "exit status %d with %s output%s", status,
		 out->same  ? "the usual" :
		 out->whole ? "other" :
			      "broken",
		 told ? "" : " and no message");
	return OUTCOME_WRONG;
}

static enum outcome examine(void *ctx, const struct fault *fault, const struct trace *trace,
			    char why[SWEEP_WHY_MAX])
{
	const struct scenario *scenario = ctx;
	struct output out;

	if (!examine_remains(scenario, trace, why) ||
	    !examine_outputs(scenario, fault, trace, &out, why) ||
	    !examine_messages(scenario, trace, why))
		return OUTCOME_WRONG;
	if (WIFSIGNALED(trace->status)) {
		if (WTERMSIG(trace->status) == SIGKILL && fault->kind == FAULT_KILL)
			return OUTCOME_KILLED;
		snprintf(why, SWEEP_WHY_MAX, "it ended by signal %d", WTERMSIG(trace->status));
		return OUTCOME_WRONG;
	}
	if (trace->orphans > 0) {
		snprintf(why, SWEEP_WHY_MAX, "it left %u children behind", trace->orphans);
		return OUTCOME_WRONG;
	}
	return examine_status(scenario, fault, trace, &out, why);
}

/* ---- main ---------------------------------------------------------------------------------- */

static _Noreturn void bad_usage(void)
{
	fputs("Usage: judging [--stride N] [--kinds LIST] [--json] [--memory] PROGRAM ARGUMENT...\n"
	      "       judging [--json] --show KIND PROCESS CALL PROGRAM ARGUMENT...\n\n"
	      "Exit status: 0 all runs are well, 1 there are findings, 2 usage, 3 there could be no runs.\n",
	      stderr);
	exit(2);
}

/* One run, shown; `fault` as in a violation's line. */
static int show(struct scenario *scenario, char *const argv[], const struct fault *fault)
{
	static struct trace trace;
	char why[SWEEP_WHY_MAX] = "";
	enum outcome outcome;

	trace_run(argv, fault, &trace);
	outcome = examine(scenario, fault, &trace, why);
	printf("%s%s\nwait status %#x, outcome %d %s\n--- output\n%s\n--- messages\n%s",
	       trace.fired ? "met " : "not met ", trace_call_name(trace.number),
	       (unsigned)trace.status, (int)outcome, why, trace.out, trace.err);
	return outcome == OUTCOME_WRONG;
}

int main(int argc, char *argv[])
{
	static struct scenario scenario;
	struct sweep sweep = { .stride = 1, .examine = examine, .ctx = &scenario };
	struct fault fault = { .kind = FAULT_NONE };
	bool one = false;
	int i = 1;

	(void)argc;
	for (; argv[i] != NULL && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--json") == 0)
			scenario.json = true;
		else if (strcmp(argv[i], "--memory") == 0)
			sweep.memory = true;
		else if (strcmp(argv[i], "--stride") == 0 && argv[i + 1] != NULL)
			sweep.stride = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--kinds") == 0 && argv[i + 1] != NULL)
			sweep.kinds = argv[++i];
		else if (strcmp(argv[i], "--show") == 0 && argc > i + 3 &&
			 sweep_parse(argv + i + 1, &fault))
			one = true, i += 3;
		else
			bad_usage();
	}
	if (argv[i] == NULL || sweep.stride == 0)
		bad_usage();
	sweep.argv = argv + i;
	sweep.usual = &scenario.usual;
	if (fault.kind == FAULT_MEMORY)
		sweep.memory = true;
	trace_run(sweep.argv, &(struct fault){ .kind = sweep.memory ? FAULT_MEMORY : FAULT_NONE },
		  &scenario.usual);
	if (one)
		return show(&scenario, sweep.argv, &fault);
	return sweep_run(&sweep) ? 0 : 1;
}
