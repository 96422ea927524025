/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"

#if !defined(__x86_64__)
#error "changing a system call is written for x86-64 only"
#endif

/* <sys/ptrace.h> and <linux/ptrace.h> can't be included together; by number it is the same everywhere. */
static long ptrace_(long request, pid_t pid, uintptr_t address, uintptr_t data)
{
	return syscall(SYS_ptrace, request, pid, address, data);
}

#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	 PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL)

#define ENDING_PAUSES 100 /* of 10 ms */

struct process {
	pid_t pid;
	bool alive;
	bool pending; /* the call it is in was changed */
	/* What the program is to find after it: arguments as they were, for the kernel changes none. */
	struct user_regs_struct before;
	bool has_result;
	long result; /* for has_result */
};

struct session {
	const struct fault *fault;
	struct trace *trace;
	struct process processes[TRACE_PROCESSES_MAX]; /* by the index of struct fault */
	unsigned count;
	unsigned calls;	   /* of the process in question, to which the fault can be done */
	bool running;	   /* execve(2) is over */
	struct call *list; /* NULL: the calls are not asked for */
	unsigned listed, max;
	uint64_t code, code_end; /* where the program is loaded */
};

static volatile sig_atomic_t alarmed;

static void on_alarm(int signal)
{
	(void)signal;
	alarmed = 1;
}

_Noreturn void trace_die(const char *what)
{
	fprintf(stderr, "faults: %s: %s\n", what, strerror(errno));
	exit(3);
}

static int make_file(const char *name)
{
	const int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		trace_die("memfd_create");
	return fd;
}

/* ---- system calls -------------------------------------------------------------------------- */

static bool is_transfer(long number)
{
	return number == SYS_read || number == SYS_pread64 || number == SYS_readv ||
	       number == SYS_write || number == SYS_writev;
}

static bool is_read(long number)
{
	return number == SYS_read || number == SYS_pread64 || number == SYS_readv;
}

/*
 * These have no errors that a program could meet. arch_prctl and set_tid_address are how the C library
 * starts; with a thread pointer refused it ends the process at once.
 */
static bool is_infallible(long number)
{
	return number == SYS_exit || number == SYS_exit_group || number == SYS_rt_sigreturn ||
	       number == SYS_arch_prctl || number == SYS_set_tid_address;
}

/* The first piece of a vector that is not empty; false when there is not more than a byte in all. */
static bool first_piece(pid_t pid, const uint64_t args[6], struct iovec *piece)
{
	struct iovec pieces[8], local = { pieces, sizeof(pieces) }, remote;
	size_t count = args[2] < 8 ? args[2] : 8, sum = 0;

	local.iov_len = count * sizeof(pieces[0]);
	remote = (struct iovec){ (void *)(uintptr_t)args[1], local.iov_len };
	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)local.iov_len)
		return false;
	for (size_t i = count; i > 0; i--) {
		sum += pieces[i - 1].iov_len;
		if (pieces[i - 1].iov_len > 0)
			*piece = pieces[i - 1];
	}
	return sum > 1;
}

static bool can_be_short(pid_t pid, const struct ptrace_syscall_info *info)
{
	const uint64_t *args = (const uint64_t *)info->entry.args;
	struct iovec piece;

	if (!is_transfer((long)info->entry.nr))
		return false;
	if (info->entry.nr == SYS_readv || info->entry.nr == SYS_writev)
		return first_piece(pid, args, &piece);
	return args[2] > 1;
}

static bool can_fire(const struct fault *fault, pid_t pid, const struct ptrace_syscall_info *info)
{
	const long number = (long)info->entry.nr;

	switch (fault->kind) {
	case FAULT_ERROR:
		return !is_infallible(number);
	case FAULT_SHORT:
		return can_be_short(pid, info);
	case FAULT_END:
		return is_read(number);
	case FAULT_KILL:
		return true;
	case FAULT_NONE:
	case FAULT_MEMORY:
		return false;
	}
	return false;
}

static void change_registers(pid_t pid, void (*change)(struct user_regs_struct *, void *),
			     void *ctx)
{
	struct user_regs_struct registers;

	if (ptrace_(PTRACE_GETREGS, pid, 0, (uintptr_t)&registers) < 0) {
		if (errno == ESRCH) /* killed meanwhile */
			return;
		trace_die("PTRACE_GETREGS");
	}
	change(&registers, ctx);
	if (ptrace_(PTRACE_SETREGS, pid, 0, (uintptr_t)&registers) < 0 && errno != ESRCH)
		trace_die("PTRACE_SETREGS");
}

static void put_harmless_call(struct user_regs_struct *registers, void *ctx)
{
	struct process *process = ctx;

	process->before = *registers;
	registers->orig_rax = SYS_brk;
	registers->rdi = 0;
}

struct shortened {
	struct process *process;
	struct iovec piece; /* iov_base: NULL for a call that has no vector */
};

static void put_fewer_bytes(struct user_regs_struct *registers, void *ctx)
{
	const struct shortened *shortened = ctx;

	shortened->process->before = *registers;
	registers->rdx = shortened->piece.iov_len;
	if (shortened->piece.iov_base == NULL)
		return;
	registers->orig_rax = registers->orig_rax == SYS_readv ? SYS_read : SYS_write;
	registers->rsi = (uintptr_t)shortened->piece.iov_base;
}

static void put_result(struct user_regs_struct *registers, void *ctx)
{
	const struct process *process = ctx;

	registers->rdi = process->before.rdi;
	registers->rsi = process->before.rsi;
	registers->rdx = process->before.rdx;
	if (process->has_result)
		registers->rax = (unsigned long long)process->result;
}

static void keep(struct user_regs_struct *registers, void *ctx)
{
	struct process *process = ctx;

	process->before = *registers;
}

static void fail_with(struct process *process, long result, long number)
{
	process->has_result = true;
	process->result = result;
	/* Linux closes the descriptor whatever close(2) returns. */
	change_registers(process->pid, number == SYS_close ? keep : put_harmless_call, process);
}

/* ---- the fault ----------------------------------------------------------------------------- */

static void fire(struct session *session, struct process *process,
		 const struct ptrace_syscall_info *info)
{
	const struct fault *fault = session->fault;
	struct shortened shortened = { .process = process };
	struct iovec *piece = &shortened.piece;

	session->trace->fired = true;
	session->trace->number = (long)info->entry.nr;
	process->pending = true;
	process->has_result = false;
	switch (fault->kind) {
	case FAULT_ERROR:
		fail_with(process, -fault->error, (long)info->entry.nr);
		return;
	case FAULT_END:
		fail_with(process, 0, (long)info->entry.nr);
		return;
	case FAULT_SHORT:
		piece->iov_len = info->entry.args[2];
		if (info->entry.nr == SYS_readv || info->entry.nr == SYS_writev)
			first_piece(process->pid, (const uint64_t *)info->entry.args, piece);
		piece->iov_len = fault->lasting && piece->iov_len > 1 ? piece->iov_len / 2 : 1;
		change_registers(process->pid, put_fewer_bytes, &shortened);
		return;
	case FAULT_KILL:
		kill(process->pid, SIGKILL);
		return;
	case FAULT_NONE:
	case FAULT_MEMORY:
		return;
	}
}

/* Is this a call that shall go wrong? */
static bool is_chosen(struct session *session, const struct process *process,
		      const struct ptrace_syscall_info *info)
{
	const struct fault *fault = session->fault;

	if (process != &session->processes[fault->process] || !can_fire(fault, process->pid, info))
		return false;
	if (session->trace->fired)
		return fault->lasting && session->trace->number == (long)info->entry.nr;
	return ++session->calls == fault->call;
}

/* ---- places -------------------------------------------------------------------------------- */

#define STACK_LOOKED_AT 1024u /* words; of buffers that lie between return addresses, too */

/* A static program has one mapping that is executed, besides the kernel's. */
static void find_code(struct session *session, pid_t pid)
{
	char path[64], line[512];
	unsigned long long from, to;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	file = fopen(path, "r");
	if (file == NULL)
		trace_die(path);
	while (session->code == 0 && fgets(line, sizeof(line), file) != NULL)
		if (strstr(line, " r-xp ") != NULL && strchr(line, '/') != NULL &&
		    sscanf(line, "%llx-%llx", &from, &to) == 2) {
			session->code = from;
			session->code_end = to;
		}
	fclose(file);
	if (session->code == 0)
		trace_die("the program's code");
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * 0x100000001b3u; /* FNV-1a, by words */
}

static uint64_t place_of(struct session *session, pid_t pid, const struct ptrace_syscall_info *info)
{
	static uint64_t stack[STACK_LOOKED_AT];
	struct iovec local = { stack, sizeof(stack) };
	struct iovec remote = { (void *)(uintptr_t)info->stack_pointer, sizeof(stack) };
	uint64_t place = mix(mix(0xcbf29ce484222325u, (uint64_t)info->entry.nr),
			     info->instruction_pointer - session->code);
	ssize_t size = process_vm_readv(pid, &local, 1, &remote, 1, 0);

	for (ssize_t i = 0; i < size / (ssize_t)sizeof(stack[0]); i++)
		if (stack[i] >= session->code && stack[i] < session->code_end)
			place = mix(place, stack[i] - session->code);
	return place;
}

static void list_call(struct session *session, const struct process *process,
		      const struct ptrace_syscall_info *info)
{
	const long number = (long)info->entry.nr;
	const pid_t pid = process->pid;

	if (session->code == 0)
		find_code(session, pid);
	if (session->listed < session->max)
		session->list[session->listed++] =
			(struct call){ .process = (unsigned)(process - session->processes),
				       .place = place_of(session, pid, info),
				       .errs = !is_infallible(number),
				       .is_short = can_be_short(pid, info),
				       .ends = is_read(number) };
}

static void at_call(struct session *session, struct process *process)
{
	struct ptrace_syscall_info info;

	if (ptrace_(PTRACE_GET_SYSCALL_INFO, process->pid, sizeof(info), (uintptr_t)&info) < 0)
		return; /* killed meanwhile */
	if (session->list != NULL && info.op == PTRACE_SYSCALL_INFO_ENTRY)
		list_call(session, process, &info);
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && process->pending) {
		process->pending = false;
		change_registers(process->pid, put_result, process);
	} else if (info.op == PTRACE_SYSCALL_INFO_ENTRY && is_chosen(session, process, &info)) {
		fire(session, process, &info);
	}
}

/* ---- processes ----------------------------------------------------------------------------- */

static struct process *find(struct session *session, pid_t pid)
{
	for (unsigned i = 0; i < session->count; i++)
		if (session->processes[i].pid == pid)
			return &session->processes[i];
	if (session->count == TRACE_PROCESSES_MAX)
		trace_die("too many processes");
	session->processes[session->count] = (struct process){ .pid = pid, .alive = true };
	return &session->processes[session->count++];
}

static unsigned count_files(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	unsigned count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void at_event(struct session *session, struct process *process, int event)
{
	unsigned long child = 0;

	switch (event) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		if (ptrace_(PTRACE_GETEVENTMSG, process->pid, 0, (uintptr_t)&child) == 0)
			find(session, (pid_t)child);
		return;
	case PTRACE_EVENT_EXEC:
		session->running = true;
		return;
	case PTRACE_EVENT_EXIT:
		if (process == &session->processes[0])
			session->trace->files = count_files(process->pid);
		return;
	default:
		return;
	}
}

/*
 * SIGSYS is not one, in a child: that is the jail, which ends what does anything unusual. libblkid does, in
 * an ioctl(2) by which it finds out whether a disk that can't be read is locked.
 */
static bool is_a_crash(int signal)
{
	return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL ||
	       signal == SIGABRT || signal == SIGTRAP;
}

/* Only where the fault is still to come do system calls matter. */
static void resume(const struct session *session, const struct process *process, int signal)
{
	const struct fault *fault = session->fault;
	const bool chosen = session->list != NULL ||
			    (process == &session->processes[fault->process] &&
			     fault->kind != FAULT_NONE && fault->kind != FAULT_MEMORY);
	const bool over = session->trace->fired && !process->pending && !fault->lasting;

	(void)ptrace_(session->running && chosen && !over ? PTRACE_SYSCALL : PTRACE_CONT,
		      process->pid, 0, (uintptr_t)signal);
}

static void at_stop(struct session *session, struct process *process, int status)
{
	const int signal = WSTOPSIG(status), event = status >> 16;
	int pass_on = 0;

	if (signal == (SIGTRAP | 0x80))
		at_call(session, process);
	else if (event != 0 && event != PTRACE_EVENT_STOP)
		at_event(session, process, event);
	else if (signal != SIGSTOP) /* which is how a traced child starts */
		pass_on = signal;
	resume(session, process, pass_on);
}

/* Ended, or stopped on its way to that; which is left for follow() to take note of. */
static bool is_ending(const struct process *process)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)process->pid, &info,
		   WEXITED | WSTOPPED | WNOWAIT | WNOHANG | __WALL) != 0 ||
	    info.si_pid != process->pid)
		return false;
	return info.si_code != CLD_TRAPPED || info.si_status >> 8 == PTRACE_EVENT_EXIT;
}

/* One that was killed takes a moment, on a busy machine a longer one. */
static bool will_have_ended(const struct process *process)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (unsigned i = 0; i < ENDING_PAUSES; i++) {
		if (is_ending(process))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static unsigned count_alive(const struct session *session)
{
	unsigned count = 0;

	for (unsigned i = 0; i < session->count; i++)
		count += session->processes[i].alive && !will_have_ended(&session->processes[i]);
	return count;
}

static void at_end(struct session *session, struct process *process, int status)
{
	process->alive = false;
	if (process == &session->processes[0]) {
		session->trace->status = status;
		session->trace->orphans = count_alive(session);
	}
	if (WIFSIGNALED(status) && is_a_crash(WTERMSIG(status)))
		session->trace->crash = WTERMSIG(status);
}

/* ---- allocations --------------------------------------------------------------------------- */

/* What memory.c maps in the program; the same page here, for the time of a run. */
struct page {
	int fd;
	struct memory *memory;
};

static struct page page_for(const struct fault *fault)
{
	struct page page = { .fd = make_file("memory") };

	if (ftruncate(page.fd, sizeof(*page.memory)) < 0)
		trace_die("ftruncate");
	page.memory = mmap(NULL, sizeof(*page.memory), PROT_READ | PROT_WRITE, MAP_SHARED, page.fd,
			   0);
	if (page.memory == MAP_FAILED)
		trace_die("mmap");
	page.memory->fail = fault->call;
	page.memory->lasting = fault->lasting;
	return page;
}

/* Has the allocation failed that was to fail? */
static bool page_used(struct page page, const struct fault *fault)
{
	const bool used = fault->call > 0 && page.memory->calls >= fault->call;

	munmap(page.memory, sizeof(*page.memory));
	close(page.fd);
	return used;
}

/* ---- a run --------------------------------------------------------------------------------- */

/* Again and again, so that one that comes just before waitpid(2) is not the last. */
static void limit(unsigned seconds)
{
	const struct itimerval timer = { .it_value.tv_sec = seconds,
					 .it_interval.tv_sec = seconds > 0 };

	alarmed = 0;
	setitimer(ITIMER_REAL, &timer, NULL);
}

static unsigned kill_all(struct session *session)
{
	unsigned count = 0;

	for (unsigned i = 0; i < session->count; i++) {
		if (!session->processes[i].alive)
			continue;
		kill(session->processes[i].pid, SIGKILL);
		count++;
	}
	return count;
}

static void on_time_over(struct session *session)
{
	struct trace *trace = session->trace;
	const bool program_lives = session->processes[0].alive;

	if (program_lives)
		trace->late = true;
	else
		trace->survivors = kill_all(session);
	if (program_lives)
		kill_all(session);
	limit(TRACE_GRACE_SECONDS);
}

/* Until every process of the run is gone. */
static void follow(struct session *session)
{
	for (;;) {
		int status;
		const pid_t pid = waitpid(-1, &status, __WALL);
		struct process *process;

		if (pid < 0 && errno == ECHILD)
			return;
		if (pid < 0 && errno != EINTR)
			trace_die("waitpid");
		if (pid < 0) {
			if (alarmed)
				on_time_over(session);
			continue;
		}
		process = find(session, pid);
		if (WIFSTOPPED(status)) {
			at_stop(session, process, status);
			continue;
		}
		at_end(session, process, status);
		if (process == &session->processes[0])
			limit(TRACE_GRACE_SECONDS);
	}
}

static _Noreturn void become(char *const argv[], int out, int err, int memory)
{
	const int null = open("/dev/null", O_RDONLY);

	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 ||
	    (memory >= 0 && dup2(memory, MEMORY_FD) < 0) ||
	    syscall(SYS_close_range, 3, MEMORY_FD - 1, 0) < 0 ||
	    syscall(SYS_close_range, MEMORY_FD + 1, ~0U, 0) < 0 ||
	    ptrace_(PTRACE_TRACEME, 0, 0, 0) < 0)
		_exit(127);
	raise(SIGSTOP);
	execv(argv[0], argv);
	_exit(127);
}

static pid_t start(char *const argv[], int out, int err, int memory)
{
	int status;
	const pid_t pid = fork();

	if (pid < 0)
		trace_die("fork");
	if (pid == 0)
		become(argv, out, err, memory);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
		errno = 0;
		trace_die("the program could not be traced");
	}
	if (ptrace_(PTRACE_SETOPTIONS, pid, 0, OPTIONS) < 0)
		trace_die("PTRACE_SETOPTIONS");
	return pid;
}

static size_t take_text(int fd, char *text)
{
	const ssize_t size = pread(fd, text, TRACE_TEXT_MAX, 0);

	if (size < 0)
		trace_die("reading what the program wrote");
	text[size] = '\0';
	close(fd);
	return (size_t)size;
}

static void run_session(struct session *session, char *const argv[], const struct fault *fault,
			struct trace *trace)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const int out = make_file("stdout"), err = make_file("stderr");
	struct page page = { .fd = -1 };

	session->fault = fault;
	session->trace = trace;
	memset(trace, 0, offsetof(struct trace, out));
	if (fault->kind == FAULT_MEMORY)
		page = page_for(fault);
	sigaction(SIGALRM, &action, NULL);
	limit(TRACE_SECONDS);
	find(session, start(argv, out, err, page.fd));
	resume(session, &session->processes[0], 0);
	follow(session);
	limit(0);
	if (!session->running) {
		errno = ENOEXEC;
		trace_die(argv[0]);
	}
	trace->children = session->count - 1;
	if (fault->kind == FAULT_MEMORY)
		trace->fired = page_used(page, fault);
	trace->out_size = take_text(out, trace->out);
	trace->err_size = take_text(err, trace->err);
}

void trace_run(char *const argv[], const struct fault *fault, struct trace *trace)
{
	static struct session session;

	session = (struct session){ 0 };
	run_session(&session, argv, fault, trace);
}

unsigned trace_calls(char *const argv[], struct call calls[], unsigned max)
{
	static const struct fault none = { .kind = FAULT_NONE };
	static struct session session;
	static struct trace trace;

	session = (struct session){ .list = calls, .max = max };
	run_session(&session, argv, &none, &trace);
	return session.listed;
}

/* ---- names --------------------------------------------------------------------------------- */

const char *trace_call_name(long number)
{
	static const struct {
		long number;
		const char *name;
	} names[] = {
#define NAME(call) { SYS_##call, #call }
		NAME(brk),	  NAME(chdir),		NAME(chroot),	 NAME(clone),
		NAME(close),	  NAME(close_range),	NAME(dup2),	 NAME(fadvise64),
		NAME(fchdir),	  NAME(fchmod),		NAME(fchmodat),	 NAME(fcntl),
		NAME(fork),	  NAME(fsconfig),	NAME(fsmount),	 NAME(fsopen),
		NAME(fstat),	  NAME(getdents64),	NAME(gettid),	 NAME(ioctl),
		NAME(kill),	  NAME(lseek),		NAME(madvise),	 NAME(mkdir),
		NAME(mkdirat),	  NAME(mmap),		NAME(mount),	 NAME(move_mount),
		NAME(mprotect),	  NAME(mremap),		NAME(munmap),	 NAME(nanosleep),
		NAME(newfstatat), NAME(open),		NAME(open_tree), NAME(openat),
		NAME(openat2),	  NAME(pidfd_open),	NAME(pipe2),	 NAME(poll),
		NAME(prctl),	  NAME(pread64),	NAME(prlimit64), NAME(read),
		NAME(readlinkat), NAME(readv),		NAME(rename),	 NAME(rt_sigaction),
		NAME(setns),	  NAME(statx),		NAME(umount2),	 NAME(unlink),
		NAME(unlinkat),	  NAME(unshare),	NAME(wait4),	 NAME(write),
		NAME(writev),	  NAME(rt_sigprocmask), NAME(getpid),	 NAME(stat),
#undef NAME
	};
	static char other[16];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == number)
			return names[i].name;
	snprintf(other, sizeof(other), "call %ld", number);
	return other;
}
