/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kind {
	const char *name;
	enum fault_kind kind;
	int error;
	bool can_last; /* a killed process makes no further calls */
};

static const struct kind kinds[] = {
	{ "EIO", FAULT_ERROR, EIO, true },	 { "ENOMEM", FAULT_ERROR, ENOMEM, true },
	{ "EINTR", FAULT_ERROR, EINTR, true },	 { "EAGAIN", FAULT_ERROR, EAGAIN, true },
	{ "EMFILE", FAULT_ERROR, EMFILE, true }, { "ENOSPC", FAULT_ERROR, ENOSPC, true },
	{ "short", FAULT_SHORT, 0, true },	 { "end", FAULT_END, 0, true },
	{ "kill", FAULT_KILL, 0, false },	 { "memory", FAULT_MEMORY, 0, true },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define OUTCOMES (OUTCOME_WRONG + 1)

struct count {
	unsigned runs;
	unsigned calls; /* to which the fault could be done; with a stride, at least so many */
	unsigned outcomes[OUTCOMES];
};

/* ---- faults as text ------------------------------------------------------------------------ */

static const char *kind_name(const struct fault *fault)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].kind == fault->kind && kinds[i].error == fault->error)
			return kinds[i].name;
	return "none";
}

void sweep_describe(const struct fault *fault, const struct trace *trace, char out[SWEEP_WHY_MAX])
{
	const char *lasting = fault->lasting ? "..." : "";

	if (fault->kind == FAULT_MEMORY)
		snprintf(out, SWEEP_WHY_MAX, "memory%s 0 %u", lasting, fault->call);
	else
		snprintf(out, SWEEP_WHY_MAX, "%s%s %u %u (%s)", kind_name(fault), lasting,
			 fault->process, fault->call, trace_call_name(trace->number));
}

bool sweep_parse(char *const words[3], struct fault *fault)
{
	const size_t length = strcspn(words[0], ".");

	for (size_t i = 0; i < KINDS; i++) {
		if (strlen(kinds[i].name) != length ||
		    strncmp(words[0], kinds[i].name, length) != 0)
			continue;
		*fault = (struct fault){
			.kind = kinds[i].kind,
			.error = kinds[i].error,
			.lasting = words[0][length] != '\0',
			.process = (unsigned)strtoul(words[1], NULL, 10),
			.call = (unsigned)strtoul(words[2], NULL, 10),
		};
		return fault->process < TRACE_PROCESSES_MAX;
	}
	return false;
}

/* ---- the runs ------------------------------------------------------------------------------ */

/* False when the fault was not met. */
static bool run(const struct sweep *sweep, const struct fault *fault, struct count *count)
{
	static struct trace trace;
	char why[SWEEP_WHY_MAX], where[SWEEP_WHY_MAX];
	enum outcome outcome;

	if (sweep->before != NULL)
		sweep->before(sweep->ctx);
	trace_run(sweep->argv, fault, &trace);
	count->runs++;
	outcome = sweep->examine(sweep->ctx, fault, &trace, why);
	/* Also without the fault: the last run of a row must be as usual. */
	if (!trace.fired && outcome != OUTCOME_SAME && outcome != OUTCOME_WRONG) {
		snprintf(why, sizeof(why), "another result although no fault was met");
		outcome = OUTCOME_WRONG;
	}
	if (trace.fired)
		count->outcomes[outcome]++;
	if (outcome == OUTCOME_WRONG) {
		sweep_describe(fault, &trace, where);
		printf("violation: %s: %s\n", where, why);
		fflush(stdout);
		count->outcomes[outcome] += !trace.fired;
	}
	return trace.fired;
}

static bool can_be(const struct kind *kind, const struct call *call)
{
	return kind->kind == FAULT_KILL || (kind->kind == FAULT_ERROR && call->errs) ||
	       (kind->kind == FAULT_SHORT && call->is_short) ||
	       (kind->kind == FAULT_END && call->ends);
}

static bool is_first(const struct sweep *sweep, unsigned index)
{
	for (unsigned i = 0; i < index; i++)
		if (sweep->calls[i].place == sweep->calls[index].place)
			return false;
	return true;
}

/* By a list of calls; those that are not in it, for a run may have a few more, are left out. */
static void sweep_places(const struct sweep *sweep, const struct kind *kind, bool lasting,
			 unsigned start, struct count *count)
{
	struct fault fault = { .kind = kind->kind, .error = kind->error, .lasting = lasting };
	unsigned places = start, calls[TRACE_PROCESSES_MAX] = { 0 };

	for (unsigned i = 0; i < sweep->call_count; i++) {
		if (!can_be(kind, &sweep->calls[i]))
			continue;
		fault.process = sweep->calls[i].process;
		fault.call = ++calls[fault.process];
		if (!is_first(sweep, i))
			continue;
		count->calls++;
		if (places++ % sweep->stride == 0)
			run(sweep, &fault, count);
	}
}

static void sweep_process(const struct sweep *sweep, const struct kind *kind, bool lasting,
			  unsigned process, unsigned start, struct count *count)
{
	struct fault fault = {
		.kind = kind->kind,
		.error = kind->error,
		.lasting = lasting,
		.process = process,
		.call = 1 + start % sweep->stride,
	};

	while (run(sweep, &fault, count))
		fault.call += sweep->stride;
	count->calls += fault.call > sweep->stride ? fault.call - sweep->stride : 0;
}

static void print_count(const char *name, bool lasting, const struct count *count)
{
	printf("%8s%-4s %6u %6u %6u %8u %7u %7u %6u\n", name, lasting ? "..." : "", count->runs,
	       count->calls, count->outcomes[OUTCOME_SAME], count->outcomes[OUTCOME_REFUSED],
	       count->outcomes[OUTCOME_FAILED], count->outcomes[OUTCOME_KILLED],
	       count->outcomes[OUTCOME_WRONG]);
	fflush(stdout);
}

static void add(struct count *sum, const struct count *count)
{
	sum->runs += count->runs;
	sum->calls = count->calls > sum->calls ? count->calls : sum->calls;
	for (size_t i = 0; i < OUTCOMES; i++)
		sum->outcomes[i] += count->outcomes[i];
}

/* Is it one of those asked for? */
static bool is_wanted(const struct sweep *sweep, const struct kind *kind)
{
	const size_t length = strlen(kind->name);

	if ((kind->kind == FAULT_MEMORY) != sweep->memory)
		return false;
	if (sweep->kinds == NULL)
		return true;
	for (const char *at = sweep->kinds; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, kind->name, length) == 0 &&
		    (at[length] == ',' || at[length] == '\0'))
			return true;
	}
	return false;
}

bool sweep_run(const struct sweep *sweep)
{
	const unsigned processes = sweep->memory ? 1 : sweep->usual->children + 1;
	struct count sum = { 0 };
	unsigned start = 0;

	printf("%-12s %6s %6s %6s %8s %7s %7s %6s\n", "kind", "runs", "calls", "same", "refused",
	       "failed", "killed", "wrong");
	for (size_t i = 0; i < KINDS; i++) {
		if (!is_wanted(sweep, &kinds[i]))
			continue;
		for (int lasting = 0; lasting <= kinds[i].can_last; lasting++) {
			struct count count = { 0 };

			if (sweep->calls != NULL)
				sweep_places(sweep, &kinds[i], lasting != 0, start++, &count);
			for (unsigned process = 0; process < processes && !sweep->calls; process++)
				sweep_process(sweep, &kinds[i], lasting != 0, process, start++,
					      &count);
			print_count(kinds[i].name, lasting != 0, &count);
			add(&sum, &count);
		}
	}
	print_count("all", false, &sum);
	return sum.outcomes[OUTCOME_WRONG] == 0;
}
