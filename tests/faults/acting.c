/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults in what merges, for a guest: vext boot on a root that has two images to merge, "one" with /usr and
 * /opt, "two" with /usr.
 *
 * After each run: what is merged is whole and is what was told; the kernel holds two loop devices and a verity
 * device for each merged image, a loop device and a mount for each hierarchy, and nothing more; and nothing at all after these
 * were unmounted. After a kill, and after faults that last into the clean-up, a further run without
 * one may have to come first. Such a run must always merge everything.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sweep.h"

#define STATUS "/run/vext/status.json"
#define STATUS_MAX 65536u
#define PATH_MAX_BYTES 256u
#define PATIENCE 1500 /* hundredths of a second that the kernel may take to let go of a device */
#define IMAGES 2u
#define CALLS_MAX 4096u

static const char *const images[IMAGES] = { "one", "two" };
static const char *const hierarchies[] = { "opt", "usr" };

/* What there is in the kernel. */
struct inventory {
	unsigned loops;
	unsigned devices;
	unsigned mounts;
};

struct scenario {
	const char *root;
	char *const *argv;
	struct fault none; /* of the kind that the program needs */
	struct inventory bare;
	struct trace usual;
	unsigned halves; /* runs killed between the hierarchies */
};

/* ---- what there is ------------------------------------------------------------------------- */

/* Directories below /sys/block that start with `prefix` and hold `file`. */
static unsigned count_blocks(const char *prefix, const char *file)
{
	char path[PATH_MAX_BYTES + 300];
	DIR *dir = opendir("/sys/block");
	const struct dirent *entry;
	unsigned count = 0;

	if (dir == NULL)
		trace_die("/sys/block");
	while ((entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "/sys/block/%s/%s", entry->d_name, file);
		count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
			 access(path, F_OK) == 0;
	}
	closedir(dir);
	return count;
}

static unsigned count_mounts(void)
{
	FILE *file = fopen("/proc/self/mounts", "r");
	unsigned count = 0;
	int c;

	if (file == NULL)
		trace_die("/proc/self/mounts");
	while ((c = getc(file)) != EOF)
		count += c == '\n';
	fclose(file);
	return count;
}

static struct inventory take_inventory(void)
{
	return (struct inventory){ .loops = count_blocks("loop", "loop/backing_file"),
				   .devices = count_blocks("dm-", "dm/name"),
				   .mounts = count_mounts() };
}

static bool is_same(const struct inventory *a, const struct inventory *b)
{
	return a->loops == b->loops && a->devices == b->devices && a->mounts == b->mounts;
}

/* The kernel lets go of devices some time after their last user. */
static bool comes_to(const struct inventory *wanted, struct inventory *found)
{
	for (int i = 0; i < PATIENCE; i++) {
		*found = take_inventory();
		if (is_same(found, wanted))
			return true;
		usleep(10000);
	}
	return false;
}

static bool has(const struct scenario *scenario, const char *hierarchy, const char *image)
{
	char path[PATH_MAX_BYTES];

	snprintf(path, sizeof(path), "%s/%s/share/%s/data", scenario->root, hierarchy, image);
	return access(path, R_OK) == 0;
}

static void unmerge(const struct scenario *scenario)
{
	char path[PATH_MAX_BYTES];

	for (size_t i = 0; i < sizeof(hierarchies) / sizeof(hierarchies[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", scenario->root, hierarchies[i]);
		while (umount2(path, MNT_DETACH) == 0)
			continue;
	}
}

/* ---- what was told ------------------------------------------------------------------------- */

/* False where there is none. */
static bool read_status(char text[STATUS_MAX])
{
	FILE *file = fopen(STATUS, "r");
	size_t size;

	if (file == NULL)
		return false;
	size = fread(text, 1, STATUS_MAX - 1, file);
	text[size] = '\0';
	fclose(file);
	return true;
}

/* By status.json, or where that could not be written by the messages. */
static bool told_accepted(const char *status, const struct trace *trace, const char *image)
{
	char words[128];

	if (status != NULL)
		snprintf(words, sizeof(words), "\"name\":\"%s\",\"verdict\":\"accepted\"", image);
	else
		snprintf(words, sizeof(words), "accepted %s:", image);
	return strstr(status != NULL ? status : trace->err, words) != NULL;
}

/* The messages say nothing where they could not be written. */
static bool is_mute(const struct trace *trace)
{
	return trace->number == SYS_write || trace->number == SYS_writev ||
	       trace->number == SYS_poll;
}

/* ---- a run --------------------------------------------------------------------------------- */

#define MAIN_PROCESS 1u /* 0 is its supervisor */

/* Could it tell what it did no more, as the fault was to its main process? */
static bool was_killed(const struct fault *fault, const struct trace *trace)
{
	if (fault->kind != FAULT_KILL)
		return false;
	if (WIFSIGNALED(trace->status))
		return WTERMSIG(trace->status) == SIGKILL;
	return fault->process == MAIN_PROCESS && WEXITSTATUS(trace->status) == 3;
}

static bool examine_end(const struct fault *fault, const struct trace *trace,
			char why[SWEEP_WHY_MAX])
{
	const bool killed = was_killed(fault, trace);

	if (trace->late)
		snprintf(why, SWEEP_WHY_MAX, "it had not ended after %d s", TRACE_SECONDS);
	else if (trace->crash != 0)
		snprintf(why, SWEEP_WHY_MAX, "a process ended by signal %d", trace->crash);
	else if (trace->survivors > 0)
		snprintf(why, SWEEP_WHY_MAX, "%u processes outlive it", trace->survivors);
	else if (WIFSIGNALED(trace->status) && !killed)
		snprintf(why, SWEEP_WHY_MAX, "it ended by signal %d", WTERMSIG(trace->status));
	else if (!killed && trace->orphans > 0)
		snprintf(why, SWEEP_WHY_MAX, "it left %u children behind", trace->orphans);
	else if (!killed && WEXITSTATUS(trace->status) != 0 && WEXITSTATUS(trace->status) != 1 &&
		 WEXITSTATUS(trace->status) != 3)
		snprintf(why, SWEEP_WHY_MAX, "exit status %d", WEXITSTATUS(trace->status));
	else
		return true;
	return false;
}

/* How many images are merged, and is that what was told? */
static bool examine_merge(struct scenario *scenario, const struct fault *fault,
			  const struct trace *trace, unsigned *merged, bool *opt,
			  char why[SWEEP_WHY_MAX])
{
	static char text[STATUS_MAX];
	const char *status = read_status(text) ? text : NULL;
	const bool killed = was_killed(fault, trace);

	*merged = 0;
	*opt = has(scenario, "opt", images[0]);
	for (size_t i = 0; i < IMAGES; i++) {
		const bool is_there = has(scenario, "usr", images[i]);

		*merged += is_there;
		if (killed || (status == NULL && is_mute(trace)))
			continue;
		if (is_there != told_accepted(status, trace, images[i])) {
			snprintf(why, SWEEP_WHY_MAX, "image %s is %smerged, and told otherwise",
				 images[i], is_there ? "" : "not ");
			return false;
		}
	}
	scenario->halves += *opt != has(scenario, "usr", images[0]);
	if (*opt != has(scenario, "usr", images[0]) && !killed) {
		snprintf(why, SWEEP_WHY_MAX, "image %s is merged by half", images[0]);
		return false;
	}
	if (!killed && WEXITSTATUS(trace->status) == 0 && *merged != IMAGES) {
		snprintf(why, SWEEP_WHY_MAX, "exit status 0 with %u images merged", *merged);
		return false;
	}
	return true;
}

static bool say_left(const char *when, const struct inventory *found,
		     const struct inventory *wanted, char why[SWEEP_WHY_MAX])
{
	snprintf(why, SWEEP_WHY_MAX, "%s there are %u loops, %u devices, %u mounts, not %u, %u, %u",
		 when, found->loops, found->devices, found->mounts, wanted->loops, wanted->devices,
		 wanted->mounts);
	return false;
}

/* What the merged images need, and no more. */
static bool examine_remains(const struct scenario *scenario, const struct fault *fault,
			    unsigned merged, bool opt, char why[SWEEP_WHY_MAX])
{
	const unsigned hierarchies_merged = (merged > 0) + opt;
	struct inventory wanted = scenario->bare, found;

	wanted.loops += 2 * merged +
			hierarchies_merged; /* one below the directories that are shared */
	wanted.devices += merged;
	wanted.mounts += hierarchies_merged;
	/* Killed, or hindered in cleaning up, it may leave one device for the next run to remove. */
	if (fault->kind == FAULT_KILL || fault->lasting)
		return true;
	return comes_to(&wanted, &found) || say_left("afterwards", &found, &wanted, why);
}

/* A run without a fault must merge all, and then nothing may be left. */
static bool examine_next(const struct scenario *scenario, char why[SWEEP_WHY_MAX])
{
	static struct trace next;
	struct inventory found;

	trace_run(scenario->argv, &scenario->none, &next);
	if (!WIFEXITED(next.status) || WEXITSTATUS(next.status) != 0 ||
	    !has(scenario, "usr", images[0]) || !has(scenario, "usr", images[1]) ||
	    !has(scenario, "opt", images[0])) {
		snprintf(why, SWEEP_WHY_MAX, "the next run does not merge: %.300s", next.err);
		return false;
	}
	unmerge(scenario);
	return comes_to(&scenario->bare, &found) ||
	       say_left("after the next run", &found, &scenario->bare, why);
}

/* Without what is merged there is nothing, at the latest after one more run. */
static bool examine_afterwards(const struct scenario *scenario, const struct fault *fault,
			       char why[SWEEP_WHY_MAX])
{
	struct inventory found;

	unmerge(scenario);
	if (fault->kind == FAULT_KILL || fault->lasting)
		return examine_next(scenario, why);
	return comes_to(&scenario->bare, &found) ||
	       say_left("unmerged", &found, &scenario->bare, why);
}

static void before(void *ctx)
{
	(void)ctx;
	if (unlink(STATUS) < 0 && errno != ENOENT)
		trace_die(STATUS);
}

static enum outcome examine(void *ctx, const struct fault *fault, const struct trace *trace,
			    char why[SWEEP_WHY_MAX])
{
	struct scenario *scenario = ctx;
	unsigned merged = 0;
	bool opt = false;
	const bool good = examine_end(fault, trace, why) &&
			  examine_merge(scenario, fault, trace, &merged, &opt, why) &&
			  examine_remains(scenario, fault, merged, opt, why);
	char later[SWEEP_WHY_MAX];

	/* In any case, for the run that comes after this one. */
	if (!examine_afterwards(scenario, fault, good ? why : later) || !good)
		return OUTCOME_WRONG;
	if (was_killed(fault, trace))
		return OUTCOME_KILLED;
	if (merged == IMAGES && WEXITSTATUS(trace->status) == 0)
		return OUTCOME_SAME;
	return WEXITSTATUS(trace->status) == 1 ? OUTCOME_REFUSED : OUTCOME_FAILED;
}

/* ---- main ---------------------------------------------------------------------------------- */

/* One run, shown; the words as in a violation's line. */
static int show(struct scenario *scenario, const struct fault *fault)
{
	static struct trace trace;
	char why[SWEEP_WHY_MAX] = "";
	enum outcome outcome;

	scenario->none.kind = fault->kind == FAULT_MEMORY ? FAULT_MEMORY : FAULT_NONE;
	before(scenario);
	trace_run(scenario->argv, fault, &trace);
	outcome = examine(scenario, fault, &trace, why);
	printf("outcome %d %s\n%s", (int)outcome, why, trace.err);
	return outcome == OUTCOME_WRONG;
}

/* The program's calls, by a run without a fault. */
static unsigned list_calls(const struct scenario *scenario, struct call calls[CALLS_MAX])
{
	const unsigned count = trace_calls(scenario->argv, calls, CALLS_MAX);
	struct inventory found;

	unmerge(scenario);
	if (count == CALLS_MAX || !comes_to(&scenario->bare, &found)) {
		printf("without a fault: %u calls, and something is left\n", count);
		exit(3);
	}
	return count;
}

static int sweep_all(struct scenario *scenario, const char *stride, const char *kinds)
{
	static struct call calls[CALLS_MAX];
	struct sweep sweep = { .argv = scenario->argv,
			       .usual = &scenario->usual,
			       .stride = (unsigned)strtoul(stride, NULL, 10),
			       .kinds = kinds,
			       .memory = strcmp(kinds, "memory") == 0,
			       .before = before,
			       .examine = examine,
			       .ctx = scenario };
	char why[SWEEP_WHY_MAX] = "";
	bool good;

	scenario->none.kind = sweep.memory ? FAULT_MEMORY : FAULT_NONE;
	before(scenario);
	trace_run(scenario->argv, &scenario->none, &scenario->usual);
	if (sweep.stride == 0 ||
	    examine(scenario, &scenario->none, &scenario->usual, why) != OUTCOME_SAME) {
		printf("without a fault: %s\n%s", why, scenario->usual.err);
		return 3;
	}
	if (!sweep.memory) {
		sweep.call_count = list_calls(scenario, calls);
		sweep.calls = calls;
	}
	good = sweep_run(&sweep);
	if (!sweep.memory)
		printf("%u calls, killed between two hierarchies: %u\n", sweep.call_count,
		       scenario->halves);
	return good ? 0 : 1;
}

int main(int argc, char *argv[])
{
	static struct scenario scenario;
	struct fault fault;
	const bool one = argc > 6 && strcmp(argv[1], "--show") == 0 &&
			 sweep_parse(argv + 2, &fault);
	const int at = one ? 5 : 3;

	if (argc < at + 2) {
		fputs("Usage: acting STRIDE KINDS ROOT PROGRAM ARGUMENT...\n"
		      "       acting --show KIND PROCESS CALL ROOT PROGRAM ARGUMENT...\n",
		      stderr);
		return 2;
	}
	scenario.root = argv[at];
	scenario.argv = argv + at + 1;
	scenario.bare = take_inventory();
	return one ? show(&scenario, &fault) : sweep_all(&scenario, argv[1], argv[2]);
}
