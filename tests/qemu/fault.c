/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command and lets something happen at one of its system calls, for the guests: tests/faults sweeps over
 * every call where no kernel object is made, this finds a call by what it does to the kernel. The
 * calls of all processes that the command starts count, in the order in which they are made.
 *
 *   fault CALL WHAT COMMAND...
 *
 * CALL NAME or NAME:N, the N-th call of that name from the table below, NAME:0 each of them;
 * several names with commas,
 *       the N-th of all of these; "any:N" the N-th of all that are in the table, "effect:N" of
 *       those that change something outside the process
 * WHAT  kill        SIGKILL for all of the processes instead of the call
 *       kill-one    … for that one which makes the call
 *       kill-first  … for the command itself and not for those that it started; the call is made
 *       errno=N     the call is not made and fails; errnos=N all later ones of its kind fail too
 *       run=SHELL that is run first, with the process in $FAULT_PID and the name in $FAULT_CALL,
 *       then the call is made
 *
 * Ends with the command, whatever others are left. Exit status: the command's; 137 after "kill"; 98
 * if there was no such call; 99 if this program failed.
 */
#include <errno.h>
#include <linux/dm-ioctl.h>
#include <linux/ioctl.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if !defined(__x86_64__)
#error "changing a system call is written for x86-64 only"
#endif

#define STATUS_KILLED 137
#define STATUS_NO_CALL 98
#define STATUS_FAILED 99
#define ANY_REQUEST 0ul

struct kind {
	const char *name;
	unsigned long number;
	unsigned long request; /* of an ioctl; ANY_REQUEST: whatever */
	bool effect;	       /* outside the process */
};

static const struct kind kinds[] = {
	{ "loop-free", SYS_ioctl, LOOP_CTL_GET_FREE, false },
	{ "loop-configure", SYS_ioctl, LOOP_CONFIGURE, true },
	{ "loop-status", SYS_ioctl, LOOP_GET_STATUS64, false },
	{ "dm-create", SYS_ioctl, DM_DEV_CREATE, true },
	{ "dm-load", SYS_ioctl, DM_TABLE_LOAD, true },
	{ "dm-clear", SYS_ioctl, DM_TABLE_CLEAR, true },
	{ "dm-suspend", SYS_ioctl, DM_DEV_SUSPEND, true },
	{ "dm-remove", SYS_ioctl, DM_DEV_REMOVE, true },
	{ "dm-table", SYS_ioctl, DM_TABLE_STATUS, false },
	{ "dm-status", SYS_ioctl, DM_DEV_STATUS, false },
	{ "ioctl", SYS_ioctl, ANY_REQUEST, false },
	{ "fsopen", SYS_fsopen, ANY_REQUEST, false },
	{ "fsconfig", SYS_fsconfig, ANY_REQUEST, true },
	{ "fsmount", SYS_fsmount, ANY_REQUEST, true },
	{ "open-tree", SYS_open_tree, ANY_REQUEST, true },
	{ "move-mount", SYS_move_mount, ANY_REQUEST, true },
	{ "mount", SYS_mount, ANY_REQUEST, true },
	{ "umount", SYS_umount2, ANY_REQUEST, true },
	{ "unshare", SYS_unshare, ANY_REQUEST, true },
	{ "setns", SYS_setns, ANY_REQUEST, true },
	{ "chroot", SYS_chroot, ANY_REQUEST, false },
	{ "fchdir", SYS_fchdir, ANY_REQUEST, false },
	{ "mkdirat", SYS_mkdirat, ANY_REQUEST, true },
	{ "mkdir", SYS_mkdir, ANY_REQUEST, true },
	{ "rename", SYS_rename, ANY_REQUEST, true },
	{ "open", SYS_open, ANY_REQUEST, false },
	{ "openat", SYS_openat, ANY_REQUEST, false },
	{ "openat2", SYS_openat2, ANY_REQUEST, false },
	{ "getdents", SYS_getdents64, ANY_REQUEST, false },
	{ "fcntl", SYS_fcntl, ANY_REQUEST, false },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

enum victim {
	NOBODY,
	EVERYBODY,
	CALLER,
	FIRST
};

struct plan {
	uint64_t kinds;	   /* 1 << the place in the table */
	unsigned long nth; /* 0: each */
	enum victim victim;
	bool lasting;
	long error;
	const char *shell;
	char **command;
};

#define PROCESSES_MAX 1024
#define SYSCALL_STOP (SIGTRAP | 0x80)

/* One that is traced. It stops at each entry and each exit in turn, beginning with an entry. */
struct process {
	pid_t pid;
	bool in_call;
	bool refused; /* the call that it is in */
};

static struct process processes[PROCESSES_MAX];
static size_t process_count;
static pid_t first;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "fault: %s: %s\n", what, strerror(errno));
	exit(STATUS_FAILED);
}

static uint64_t find_kinds(const char *name)
{
	uint64_t found = 0;

	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0 || strcmp(name, "any") == 0 ||
		    (strcmp(name, "effect") == 0 && kinds[i].effect))
			found |= UINT64_C(1) << i;
	errno = EINVAL;
	if (found == 0)
		die(name);
	return found;
}

/* The first of the kinds meant that the call is of; NULL: of none. */
static const struct kind *kind_of(const struct plan *plan, const struct user_regs_struct *registers)
{
	for (size_t i = 0; i < KINDS; i++)
		if ((plan->kinds >> i & 1) != 0 && kinds[i].number == registers->orig_rax &&
		    (kinds[i].request == ANY_REQUEST || kinds[i].request == registers->rsi))
			return &kinds[i];
	return NULL;
}

/* False: it has been killed meanwhile. */
static bool get(pid_t pid, struct user_regs_struct *registers)
{
	if (ptrace(PTRACE_GETREGS, pid, NULL, registers) == 0)
		return true;
	if (errno != ESRCH)
		die("PTRACE_GETREGS");
	return false;
}

static void put(pid_t pid, const struct user_regs_struct *registers)
{
	if (ptrace(PTRACE_SETREGS, pid, NULL, registers) < 0 && errno != ESRCH)
		die("PTRACE_SETREGS");
}

static _Noreturn void end_with(int status)
{
	exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/* One that is not known yet has just been started. */
static struct process *find_process(pid_t pid)
{
	for (size_t i = 0; i < process_count; i++)
		if (processes[i].pid == pid)
			return &processes[i];
	errno = ENOSPC;
	if (process_count == PROCESSES_MAX)
		die("processes");
	processes[process_count] = (struct process){ .pid = pid };
	return &processes[process_count++];
}

static void forget(pid_t pid)
{
	*find_process(pid) = processes[process_count - 1];
	process_count--;
}

static _Noreturn void kill_all(void)
{
	int status;

	for (size_t i = 0; i < process_count; i++)
		kill(processes[i].pid, SIGKILL);
	while (waitpid(first, &status, __WALL) == first && WIFSTOPPED(status))
		;
	exit(STATUS_KILLED);
}

static void run_shell(pid_t pid, const char *call, const char *shell)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	if (setenv("FAULT_PID", text, 1) < 0 || setenv("FAULT_CALL", call, 1) < 0)
		die("setenv");
	if (system(shell) != 0)
		fprintf(stderr, "fault: failed: %s\n", shell);
}

/* At the entry of the call that was meant. */
static void strike(const struct plan *plan, struct process *process, const char *call,
		   struct user_regs_struct *registers)
{
	if (plan->victim == EVERYBODY)
		kill_all();
	if (plan->victim != NOBODY)
		kill(plan->victim == FIRST ? first : process->pid, SIGKILL);
	if (plan->shell)
		run_shell(process->pid, call, plan->shell);
	if (plan->error) {
		/* Without a number, the kernel does nothing. */
		registers->orig_rax = ~0ul;
		put(process->pid, registers);
		process->refused = true;
	}
}

static bool is_meant(const struct plan *plan, unsigned long count)
{
	return plan->nth == 0 || count == plan->nth || (plan->lasting && count > plan->nth);
}

/* A stop at an entry or an exit. */
static void at_call(const struct plan *plan, struct process *process, unsigned long *count)
{
	struct user_regs_struct registers;
	const struct kind *kind;

	process->in_call = !process->in_call;
	if (!process->in_call && !process->refused)
		return;
	if (!get(process->pid, &registers))
		return;
	if (process->in_call) {
		kind = kind_of(plan, &registers);
		if (kind != NULL && is_meant(plan, ++*count))
			strike(plan, process, kind->name, &registers);
		return;
	}
	registers.rax = (unsigned long)-plan->error;
	put(process->pid, &registers);
	process->refused = false;
}

/* Of a process that has stopped: the signal that it is to get when it goes on. */
static int take_stop(const struct plan *plan, pid_t pid, int status, unsigned long *count)
{
	const size_t before = process_count;
	struct process *process = find_process(pid);
	const int signal_number = WSTOPSIG(status);

	if (signal_number == SYSCALL_STOP) {
		at_call(plan, process, count);
		return 0;
	}
	/* A fork, an exec, or the stop with which one that was started begins. */
	if (status >> 16 != 0 || signal_number == SIGTRAP || process_count > before)
		return 0;
	return signal_number;
}

/* Until the first process ends. */
static _Noreturn void follow(const struct plan *plan)
{
	unsigned long count = 0;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status)) {
			forget(pid);
			if (pid == first)
				break;
			continue;
		}
		/* ESRCH: killed meanwhile, of which waitpid will tell. */
		if (ptrace(PTRACE_SYSCALL, pid, NULL, take_stop(plan, pid, status, &count)) < 0 &&
		    errno != ESRCH)
			die("PTRACE_SYSCALL");
	}
	if (pid < 0)
		die("waitpid");
	if (count == 0 || count < plan->nth)
		exit(STATUS_NO_CALL);
	end_with(status);
}

/* Two stops for each call: on one processor, an emulated one need not be woken up for each of them. */
static void stay_on_one_processor(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("sched_setaffinity");
}

static enum victim parse_victim(const char *word)
{
	if (strcmp(word, "kill") == 0)
		return EVERYBODY;
	if (strcmp(word, "kill-one") == 0)
		return CALLER;
	return strcmp(word, "kill-first") == 0 ? FIRST : NOBODY;
}

static void parse(char **argv, struct plan *plan)
{
	char *colon = strchr(argv[1], ':');

	plan->nth = 1;
	if (colon != NULL) {
		*colon = '\0';
		plan->nth = strtoul(colon + 1, NULL, 10);
	}
	for (const char *name = strtok(argv[1], ","); name != NULL; name = strtok(NULL, ","))
		plan->kinds |= find_kinds(name);
	plan->victim = parse_victim(argv[2]);
	plan->lasting = strncmp(argv[2], "errnos=", 7) == 0;
	if (plan->lasting || strncmp(argv[2], "errno=", 6) == 0)
		plan->error = strtol(strchr(argv[2], '=') + 1, NULL, 10);
	if (strncmp(argv[2], "run=", 4) == 0)
		plan->shell = argv[2] + 4;
	errno = EINVAL;
	if (plan->victim == NOBODY && plan->error <= 0 && plan->shell == NULL)
		die(argv[2]);
	plan->command = argv + 3;
}

int main(int argc, char **argv)
{
	struct plan plan = { 0 };
	int status;

	errno = EINVAL;
	if (argc < 4)
		die("fault CALL WHAT COMMAND...");
	parse(argv, &plan);
	stay_on_one_processor();
	first = fork();
	if (first < 0)
		die("fork");
	if (first == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
		    ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(STATUS_FAILED);
		raise(SIGSTOP);
		execvp(plan.command[0], plan.command);
		_exit(STATUS_FAILED);
	}
	if (waitpid(first, &status, 0) != first || !WIFSTOPPED(status))
		die("the command could not be traced");
	if (ptrace(PTRACE_SETOPTIONS, first, NULL,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			   PTRACE_O_TRACECLONE) < 0 ||
	    ptrace(PTRACE_SYSCALL, first, NULL, 0) < 0)
		die("PTRACE_SETOPTIONS");
	find_process(first);
	follow(&plan);
}
