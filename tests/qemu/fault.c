/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command and lets something happen at one of its system calls, for the guests: tests/faults sweeps over
 * every call where no kernel object is made, this finds a call by what it does to the kernel.
 *
 *   fault CALL WHAT COMMAND...
 *
 * CALL  NAME or NAME:N, the N-th call of that name from the table below; "any:N" the N-th of all that are in it,
 *       "effect:N" of those that change something outside the process
 * WHAT  kill        SIGKILL instead of the call
 *       errno=N     the call is not made and fails; errnos=N all later ones of its kind fail too
 *       run=SHELL   that is run first, then the call is made
 *
 * Exit status: the command's; 137 after "kill"; 98 if there was no such call; 99 if this program failed.
 */
#include <errno.h>
#include <linux/dm-ioctl.h>
#include <linux/ioctl.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

struct plan {
	const struct kind *kind; /* NULL: any, or with an effect */
	bool effect;
	unsigned long nth;
	bool kill;
	bool lasting;
	long error;
	const char *shell;
	char **command;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "fault: %s: %s\n", what, strerror(errno));
	exit(STATUS_FAILED);
}

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	errno = EINVAL;
	die(name);
}

/* The first kind in the table that the call is of; NULL for calls that are of none. */
static const struct kind *kind_of(const struct user_regs_struct *registers)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].number == registers->orig_rax &&
		    (kinds[i].request == ANY_REQUEST || kinds[i].request == registers->rsi))
			return &kinds[i];
	return NULL;
}

static bool is_of(const struct plan *plan, const struct user_regs_struct *registers)
{
	const struct kind *kind = kind_of(registers);

	if (kind == NULL)
		return false;
	if (plan->kind == NULL)
		return kind->effect || !plan->effect;
	return plan->kind == kind ||
	       (plan->kind->number == kind->number && plan->kind->request == ANY_REQUEST);
}

/* Runs on to the next entry or exit of a system call; false when the process has ended, with *status. */
static bool next_stop(pid_t pid, int *status)
{
	int pass_on = 0;

	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, pass_on) < 0)
			die("PTRACE_SYSCALL");
		if (waitpid(pid, status, 0) != pid)
			die("waitpid");
		if (!WIFSTOPPED(*status))
			return false;
		if (WSTOPSIG(*status) == (SIGTRAP | 0x80))
			return true;
		pass_on = WSTOPSIG(*status) == SIGTRAP ? 0 : WSTOPSIG(*status);
	}
}

static void get(pid_t pid, struct user_regs_struct *registers)
{
	if (ptrace(PTRACE_GETREGS, pid, NULL, registers) < 0)
		die("PTRACE_GETREGS");
}

static void put(pid_t pid, const struct user_regs_struct *registers)
{
	if (ptrace(PTRACE_SETREGS, pid, NULL, registers) < 0)
		die("PTRACE_SETREGS");
}

/* Between entry and exit: the call has no number, so the kernel does nothing. False: it has ended. */
static bool refuse_call(pid_t pid, const struct plan *plan, struct user_regs_struct *registers,
			int *status)
{
	registers->orig_rax = ~0ul;
	put(pid, registers);
	if (!next_stop(pid, status))
		return false;
	get(pid, registers);
	registers->rax = (unsigned long)-plan->error;
	put(pid, registers);
	return true;
}

static _Noreturn void end_with(int status)
{
	exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static _Noreturn void strike(pid_t pid, const struct plan *plan)
{
	int status;

	if (plan->kill && kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid)
		exit(STATUS_KILLED);
	if (plan->kill)
		die("kill");
	if (plan->shell && system(plan->shell) != 0)
		fprintf(stderr, "fault: failed: %s\n", plan->shell);
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid)
		die("PTRACE_DETACH");
	end_with(status);
}

/* The process stops at each entry and each exit in turn, beginning with an entry. */
static _Noreturn void follow(pid_t pid, const struct plan *plan)
{
	struct user_regs_struct registers;
	unsigned long count = 0;
	int status;

	while (next_stop(pid, &status)) {
		get(pid, &registers);
		if (is_of(plan, &registers) &&
		    (++count == plan->nth || (plan->lasting && count > plan->nth))) {
			if (plan->error == 0)
				strike(pid, plan);
			if (!refuse_call(pid, plan, &registers, &status))
				break;
			continue;
		}
		if (!next_stop(pid, &status))
			break;
	}
	if (count < plan->nth)
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

static void parse(char **argv, struct plan *plan)
{
	char *colon = strchr(argv[1], ':');

	plan->nth = 1;
	if (colon != NULL) {
		*colon = '\0';
		plan->nth = strtoul(colon + 1, NULL, 10);
	}
	plan->effect = strcmp(argv[1], "effect") == 0;
	if (!plan->effect && strcmp(argv[1], "any") != 0)
		plan->kind = find_kind(argv[1]);
	plan->kill = strcmp(argv[2], "kill") == 0;
	plan->lasting = strncmp(argv[2], "errnos=", 7) == 0;
	if (plan->lasting || strncmp(argv[2], "errno=", 6) == 0)
		plan->error = strtol(strchr(argv[2], '=') + 1, NULL, 10);
	if (strncmp(argv[2], "run=", 4) == 0)
		plan->shell = argv[2] + 4;
	errno = EINVAL;
	if (!plan->kill && plan->error <= 0 && plan->shell == NULL)
		die(argv[2]);
	plan->command = argv + 3;
}

int main(int argc, char **argv)
{
	struct plan plan = { 0 };
	int status;
	pid_t pid;

	errno = EINVAL;
	if (argc < 4)
		die("fault CALL WHAT COMMAND...");
	parse(argv, &plan);
	stay_on_one_processor();
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(STATUS_FAILED);
		raise(SIGSTOP);
		execvp(plan.command[0], plan.command);
		_exit(STATUS_FAILED);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		die("the command could not be traced");
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0)
		die("PTRACE_SETOPTIONS");
	follow(pid, &plan);
}
