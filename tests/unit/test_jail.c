/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe/jail: whatever the child does, there is a verdict in time, and neither a process nor a descriptor
 * is left. What the jail forbids is tried from inside: a job that gets away with it replies, which shows.
 */
#include "probe/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define FDS_MAX 64
#define WORD 0x76657874u

struct answer {
	uint32_t word;
	uint64_t number;
	uint8_t rest[100000]; /* more than a pipe holds */
};

static struct answer answer;
static int file = -1; /* what the jobs may read */

/* ---- around each test ---------------------------------------------------------------------- */

static unsigned open_files(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < FDS_MAX; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static unsigned files_before;

static int before(void **state)
{
	(void)state;
	files_before = open_files();
	return 0;
}

/* No child, dead or alive; no descriptor. */
static int after(void **state)
{
	(void)state;
	errno = 0;
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD) {
		print_error("a child is left\n");
		return -1;
	}
	if (open_files() != files_before) {
		print_error("%u files are open, not %u\n", open_files(), files_before);
		return -1;
	}
	return 0;
}

static int setup(void **state)
{
	(void)state;
	file = memfd_create("image", MFD_CLOEXEC);
	return file >= 0 && write(file, "a file to read from", 19) == 19 ? 0 : -1;
}

static bool is_ready(void *ctx)
{
	(void)ctx;
	return true;
}

static struct verdict run_with(int fd, bool (*prepare)(void *), void (*work)(void *, void *),
			       void *ctx, uint32_t wall_ms)
{
	const struct jail_job job = {
		.prepare = prepare,
		.work = work,
		.ctx = ctx,
		.reply_size = sizeof(answer),
		.wall_ms = wall_ms,
	};

	memset(&answer, 0x55, sizeof(answer));
	return jail_run(fd, &job, &answer);
}

static struct verdict run(void (*work)(void *, void *))
{
	return run_with(file, is_ready, work, NULL, JAIL_WALL_MS);
}

/* ---- what is allowed ----------------------------------------------------------------------- */

static void reads_and_replies(void *ctx, void *reply)
{
	struct answer *a = reply;
	char text[20];
	void *memory = malloc(1u << 20), *more;

	(void)ctx;
	more = realloc(memory, 3u << 20);
	memset(more, 1, 3u << 20);
	free(more);
	if (lseek(0, 2, SEEK_SET) == 2 && read(0, text, 4) == 4 && memcmp(text, "file", 4) == 0 &&
	    pread(0, text, sizeof(text), 10) == 9 && memcmp(text, "read from", 9) == 0)
		a->word = WORD;
	a->number = a->rest[99999]; /* the reply starts zeroed */
	a->rest[99999] = 7;
}

static void lets_it_read_and_reply(void **state)
{
	(void)state;
	assert_reason(run(reads_and_replies), ACCEPTED);
	assert_int_equal(answer.word, WORD);
	assert_int_equal(answer.number, 0);
	assert_int_equal(answer.rest[99999], 7);
}

/* ---- what is forbidden --------------------------------------------------------------------- */

static void opens(void *c, void *r)
{
	(void)c, (void)r;
	(void)!open("/dev/null", O_RDONLY);
}

static void opens_beneath(void *c, void *r)
{
	(void)c, (void)r;
	syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0);
}

static void forks(void *c, void *r)
{
	(void)c, (void)r;
	if (fork() == 0)
		_exit(0);
}

static void clones(void *c, void *r)
{
	(void)c, (void)r;
	if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
		_exit(0);
}

static void clones_anew(void *c, void *r)
{
	(void)c, (void)r;
	syscall(SYS_clone3, NULL, 0);
}

static void executes(void *c, void *r)
{
	char *none[] = { NULL };

	(void)c, (void)r;
	execve("/bin/true", none, none);
}

static void executes_its_file(void *c, void *r)
{
	char *none[] = { NULL };

	(void)c, (void)r;
	syscall(SYS_execveat, 0, "", none, none, AT_EMPTY_PATH);
}

static void makes_a_socket(void *c, void *r)
{
	(void)c, (void)r;
	(void)!socket(AF_INET, SOCK_STREAM, 0);
}

static void makes_a_pipe(void *c, void *r)
{
	int ends[2];

	(void)c, (void)r;
	(void)!pipe2(ends, 0);
}

static void sleeps(void *c, void *r)
{
	const struct timespec t = { .tv_nsec = 1 };

	(void)c, (void)r;
	nanosleep(&t, NULL);
}

static void signals_its_parent(void *c, void *r)
{
	(void)c, (void)r;
	syscall(SYS_kill, 1 << 30, 0);
}

static void catches_signals(void *c, void *r)
{
	(void)c, (void)r;
	signal(SIGSYS, SIG_IGN);
}

static void traces(void *c, void *r)
{
	(void)c, (void)r;
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void reads_its_parent(void *c, void *r)
{
	(void)c, (void)r;
	syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0);
}

static void asks_who_it_is(void *c, void *r)
{
	(void)c, (void)r;
	syscall(SYS_getpid);
}

static void controls_itself(void *c, void *r)
{
	(void)c, (void)r;
	prctl(PR_SET_DUMPABLE, 1);
}

static void raises_its_limits(void *c, void *r)
{
	(void)c, (void)r;
	syscall(SYS_prlimit64, 0, RLIMIT_AS, NULL, NULL);
}

static void controls_its_file(void *c, void *r)
{
	int n = 0;

	(void)c, (void)r;
	(void)!ioctl(0, FIONREAD, &n);
}

static void writes_its_file(void *c, void *r)
{
	(void)c, (void)r;
	(void)!write(0, "x", 1);
}

static void writes_into_its_file(void *c, void *r)
{
	(void)c, (void)r;
	(void)!pwrite(0, "x", 1, 0);
}

static void reads_its_reply(void *c, void *r)
{
	char byte;

	(void)c, (void)r;
	(void)!read(1, &byte, 0);
}

static void reads_nothing_open(void *c, void *r)
{
	char byte;

	(void)c, (void)r;
	(void)!pread(2, &byte, 1, 0);
}

static void seeks_its_reply(void *c, void *r)
{
	(void)c, (void)r;
	lseek(1, 0, SEEK_SET);
}

static void doubles_its_file(void *c, void *r)
{
	(void)c, (void)r;
	(void)!dup(0);
}

static void maps_its_file(void *c, void *r)
{
	(void)c, (void)r;
	mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 0, 0);
}

static void maps_code(void *c, void *r)
{
	(void)c, (void)r;
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void makes_memory_code(void *c, void *r)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)c, (void)r;
	mprotect(memory, 4096, PROT_READ | PROT_EXEC);
}

static void poisons_memory(void *c, void *r)
{
	(void)c, (void)r;
	madvise(NULL, 0, 100 /* MADV_HWPOISON */);
}

static void makes_a_ring(void *c, void *r)
{
	(void)c, (void)r;
	syscall(SYS_io_uring_setup, 1, NULL);
}

static void changes_the_filter(void *c, void *r)
{
	(void)c, (void)r;
	syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL);
}

static void mounts(void *c, void *r)
{
	(void)c, (void)r;
	syscall(SYS_mount, NULL, NULL, NULL, 0, NULL);
}

#if defined(__x86_64__)
/* Numbers of two other ABIs: 12 is chdir in i386 and brk, which is allowed, here; bit 30 is x32's. */
static void calls_as_i386(void *c, void *r)
{
	long result = 12;

	(void)c, (void)r;
	__asm__ volatile("int $0x80" : "+a"(result) : "b"(0), "c"(0), "d"(0) : "memory");
}

static void calls_as_x32(void *c, void *r)
{
	(void)c, (void)r;
	syscall(0x40000000 + SYS_read, 0, NULL, 0);
}
#endif

static void kills_on_anything_else(void **state)
{
	static const struct {
		const char *name;
		void (*work)(void *, void *);
	} jobs[] = {
#define JOB(name) { #name, name }
		JOB(opens),
		JOB(opens_beneath),
		JOB(forks),
		JOB(clones),
		JOB(clones_anew),
		JOB(executes),
		JOB(executes_its_file),
		JOB(makes_a_socket),
		JOB(makes_a_pipe),
		JOB(sleeps),
		JOB(signals_its_parent),
		JOB(catches_signals),
		JOB(traces),
		JOB(reads_its_parent),
		JOB(asks_who_it_is),
		JOB(controls_itself),
		JOB(raises_its_limits),
		JOB(controls_its_file),
		JOB(writes_its_file),
		JOB(writes_into_its_file),
		JOB(reads_its_reply),
		JOB(reads_nothing_open),
		JOB(seeks_its_reply),
		JOB(doubles_its_file),
		JOB(maps_its_file),
		JOB(maps_code),
		JOB(makes_memory_code),
		JOB(poisons_memory),
		JOB(makes_a_ring),
		JOB(changes_the_filter),
		JOB(mounts),
#if defined(__x86_64__)
		JOB(calls_as_i386),
		JOB(calls_as_x32),
#endif
	};
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(jobs); i++) {
		struct verdict v = run(jobs[i].work);

		if (v.reason != REASON_SYSTEM_JAIL_KILLED) {
			print_error("%s: %s\n", jobs[i].name, reason_name(v.reason));
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

/* ---- what the child is before it meets the file -------------------------------------------- */

static void *shared; /* with the child */

struct seen {
	unsigned files;
	int no_new_privs, dumpable, has_environment, file_is_ours;
	struct rlimit cpu, space, core, descriptors;
	pid_t pid;
};

static bool looks_around(void *ctx)
{
	struct seen *seen = shared;
	struct stat here, there;

	seen->files = open_files();
	seen->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	seen->dumpable = prctl(PR_GET_DUMPABLE);
	seen->has_environment = environ && environ[0];
	getrlimit(RLIMIT_CPU, &seen->cpu);
	getrlimit(RLIMIT_AS, &seen->space);
	getrlimit(RLIMIT_CORE, &seen->core);
	getrlimit(RLIMIT_NOFILE, &seen->descriptors);
	there = *(struct stat *)ctx;
	seen->file_is_ours = fstat(JAIL_FILE_FD, &here) == 0 && here.st_ino == there.st_ino;
	return true;
}

static void drops_everything_first(void **state)
{
	int extra = open("/dev/null", O_RDONLY), high = fcntl(extra, F_DUPFD, 50);
	struct seen *seen = shared;
	struct stat st;

	(void)state;
	assert_int_equal(fstat(file, &st), 0);
	assert_reason(run_with(file, looks_around, reads_and_replies, &st, JAIL_WALL_MS), ACCEPTED);
	close(extra);
	close(high);
	assert_int_equal(seen->files, 2);
	assert_true(seen->file_is_ours);
	assert_int_equal(seen->no_new_privs, 1);
	assert_int_equal(seen->dumpable, 0);
	assert_false(seen->has_environment);
	assert_int_equal(seen->cpu.rlim_max, JAIL_CPU_SECONDS);
	assert_int_equal(seen->space.rlim_max, JAIL_ADDRESS_SPACE);
	assert_int_equal(seen->core.rlim_max, 0);
	assert_int_equal(seen->descriptors.rlim_max, 2);
}

/* The file or the pipe may have the very numbers that they get inside. */
static void takes_descriptors_of_any_number(void **state)
{
	int kept[3];

	(void)state;
	for (int fd = 0; fd < 3; fd++) {
		kept[fd] = fcntl(fd, F_DUPFD, 20);
		close(fd);
	}
	for (int fd = 0; fd < 3; fd++) {
		bool good;

		if (dup2(file, fd) != fd)
			break;
		good = is_accepted(run_with(fd, is_ready, reads_and_replies, NULL, JAIL_WALL_MS)) &&
		       answer.word == WORD;
		close(fd);
		answer.number = good;
		if (!good)
			break;
	}
	for (int fd = 0; fd < 3; fd++) {
		if (kept[fd] >= 0)
			dup2(kept[fd], fd);
		close(kept[fd]);
	}
	assert_int_equal(answer.number, 1);
}

static bool is_not_ready(void *ctx)
{
	(void)ctx;
	return false;
}

static void needs_its_preparation(void **state)
{
	(void)state;
	assert_reason(run_with(file, is_not_ready, reads_and_replies, NULL, JAIL_WALL_MS),
		      SYSTEM_JAIL);
}

/* As under a kernel without seccomp filters: a filter of the parent's says ENOSYS for installing one. */
static void never_parses_without_its_filter(void **state)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = COUNT(code), .filter = code };
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		struct verdict v = { 0 };

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
			v = run(reads_and_replies);
		_exit(v.reason == REASON_SYSTEM_JAIL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void needs_no_proc(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		bool good = unshare(CLONE_NEWNS) == 0 &&
			    syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
			    syscall(SYS_umount2, "/proc", 2 /* MNT_DETACH */) == 0 &&
			    access("/proc/self", F_OK) != 0;

		_exit(!good							 ? 2 :
		      is_accepted(run(reads_and_replies)) && answer.word == WORD ? 0 :
										   1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- crashes and limits -------------------------------------------------------------------- */

static void writes_nowhere(void *c, void *r)
{
	(void)c, (void)r;
	*(volatile int *)16 = 1;
}

static void aborts(void *c, void *r)
{
	(void)c, (void)r;
	abort();
}

static void traps(void *c, void *r)
{
	(void)c, (void)r;
	__builtin_trap();
}

static volatile unsigned depth;

__attribute__((noinline)) static unsigned descend(unsigned n)
{
	volatile char frame[4096];

	frame[0] = (char)n;
	depth = n;
	return n == UINT32_MAX ? 0 : descend(n + 1) + (unsigned)frame[0];
}

static void recurses(void *c, void *r)
{
	(void)c;
	((struct answer *)r)->number = descend(0);
}

static void exits_oddly(void *c, void *r)
{
	(void)c, (void)r;
	_exit(1);
}

static void tells_a_crash(void **state)
{
	(void)state;
	assert_reason(run(writes_nowhere), SYSTEM_JAIL_KILLED);
	assert_reason(run(aborts), SYSTEM_JAIL_KILLED);
	assert_reason(run(traps), SYSTEM_JAIL_KILLED);
	assert_reason(run(recurses), SYSTEM_JAIL_KILLED);
	assert_reason(run(exits_oddly), SYSTEM_JAIL_KILLED);
}

static void allocates_all(void *c, void *r)
{
	struct answer *a = r;

	(void)c;
	for (;;) {
		void *memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			return;
		memset(memory, 1, 65536);
		a->number += 65536;
	}
}

static void bounds_its_memory(void **state)
{
	(void)state;
	assert_reason(run(allocates_all), ACCEPTED);
	assert_in_range(answer.number, 4u << 20, JAIL_ADDRESS_SPACE);
}

static void loops(void *c, void *r)
{
	(void)c;
	for (volatile uint64_t *n = &((struct answer *)r)->number;; (*n)++)
		;
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double child_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void bounds_its_cpu_time(void **state)
{
	double used = child_seconds();

	(void)state;
	assert_reason(run_with(file, is_ready, loops, NULL, 120000), SYSTEM_JAIL_KILLED);
	used = child_seconds() - used;
	assert_true(used > 1.5 && used < JAIL_CPU_SECONDS + 1.5);
}

/* Not so long that a busy machine would matter, not so short that it could be over by itself. */
static void bounds_its_time(void **state)
{
	double start = seconds(CLOCK_MONOTONIC);

	(void)state;
	assert_reason(run_with(file, is_ready, loops, NULL, 300), SYSTEM_JAIL_TIME);
	assert_true(seconds(CLOCK_MONOTONIC) - start > 0.29);
}

/* ---- waiting ------------------------------------------------------------------------------- */

static void reads_once(void *c, void *r)
{
	(void)c;
	(void)!read(0, r, 1);
}

static void bounds_a_read_that_waits(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_reason(run_with(ends[0], is_ready, reads_once, NULL, 300), SYSTEM_JAIL_TIME);
	close(ends[0]);
	close(ends[1]);
}

static void hears(int signal)
{
	(void)signal;
}

static void is_not_hurried_by_signals(void **state)
{
	const struct sigaction act = { .sa_handler = hears };
	const struct itimerval every_ms = { { 0, 1000 }, { 0, 1000 } },
			       never = { { 0, 0 }, { 0, 0 } };
	struct verdict waiting, quick;
	double start, waited;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(sigaction(SIGALRM, &act, NULL), 0);
	setitimer(ITIMER_REAL, &every_ms, NULL);
	quick = run(reads_and_replies);
	start = seconds(CLOCK_MONOTONIC);
	waiting = run_with(ends[0], is_ready, reads_once, NULL, 300);
	waited = seconds(CLOCK_MONOTONIC) - start;
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	close(ends[0]);
	close(ends[1]);
	assert_reason(quick, ACCEPTED);
	assert_reason(waiting, SYSTEM_JAIL_TIME);
	assert_true(waited > 0.29);
}

static bool stops(void *ctx)
{
	(void)ctx;
	return raise(SIGSTOP) == 0;
}

static void ends_a_child_that_is_stopped(void **state)
{
	(void)state;
	assert_reason(run_with(file, stops, reads_and_replies, NULL, 300), SYSTEM_JAIL_TIME);
}

/* Only before the filter can it fork at all; even then nobody waits for the other end for ever. */
static bool leaves_another_behind(void *ctx)
{
	pid_t *other = shared;
	pid_t pid = fork();

	(void)ctx;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	*other = pid;
	return pid > 0;
}

static void bounds_a_pipe_that_another_keeps_open(void **state)
{
	(void)state;
	assert_reason(run_with(file, leaves_another_behind, reads_and_replies, NULL, 500),
		      SYSTEM_JAIL_TIME);
	assert_int_equal(kill(*(pid_t *)shared, SIGKILL), 0);
}

/* ---- replies ------------------------------------------------------------------------------- */

static void says_nothing(void *c, void *r)
{
	(void)c, (void)r;
	_exit(0);
}

static void says_too_little(void *c, void *r)
{
	(void)c;
	(void)!write(1, r, sizeof(struct answer) / 2);
	_exit(0);
}

static void says_one_byte_too_little(void *c, void *r)
{
	const char *bytes = r;
	size_t done = 0;

	(void)c;
	while (done < sizeof(struct answer) - 1)
		done += (size_t)write(1, bytes + done, sizeof(struct answer) - 1 - done);
	_exit(0);
}

static void says_one_byte_too_much(void *c, void *r)
{
	(void)c, (void)r;
	(void)!write(1, "x", 1); /* and then the whole reply */
}

static void never_ends_talking(void *c, void *r)
{
	(void)c;
	for (;;)
		(void)!write(1, r, 65536);
}

static void claims_that_there_is_no_jail(void *c, void *r)
{
	(void)c, (void)r;
	_exit(112);
}

static void wants_exactly_the_reply(void **state)
{
	(void)state;
	assert_reason(run(says_nothing), SYSTEM_JAIL_REPLY);
	assert_reason(run(says_too_little), SYSTEM_JAIL_REPLY);
	assert_reason(run(says_one_byte_too_little), SYSTEM_JAIL_REPLY);
	/* The child may still be in its last write when the parent has heard enough. */
	assert_in_range(run(says_one_byte_too_much).reason, REASON_SYSTEM_JAIL,
			REASON_SYSTEM_JAIL_REPLY);
	assert_reason(run(never_ends_talking), SYSTEM_JAIL_KILLED);
	assert_reason(run(claims_that_there_is_no_jail), SYSTEM_JAIL);
}

/* With every number of descriptors: until there are enough it is no, and never a wrong yes. */
static void fails_without_descriptors(void **state)
{
	struct rlimit before_all, few;
	bool accepted = false;
	unsigned refused = 0;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before_all), 0);
	for (rlim_t limit = 3; limit < FDS_MAX && !accepted; limit++) {
		struct verdict v;

		few = (struct rlimit){ limit, before_all.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		v = run(reads_and_replies);
		accepted = is_accepted(v);
		refused += v.reason == REASON_SYSTEM_JAIL || v.reason == REASON_SYSTEM_JAIL_KILLED;
		assert_true(accepted || v.reason == REASON_SYSTEM_JAIL ||
			    v.reason == REASON_SYSTEM_JAIL_KILLED);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before_all), 0);
	assert_true(accepted && refused > 0);
}

/* ---- when the kernel does not do it -------------------------------------------------------- */

struct failure {
	long call;
	int argument; /* which one says that it is this call; -1: each is */
	uint32_t value;
	int error;
	enum reason reason;
};

#define EACH (-1), 0

/* From now on, in this process and its children, the kernel says `error` to that call. */
static bool make_fail(const struct failure *f)
{
	const bool each = f->argument < 0;
	const size_t argument = each ? 0 : (size_t)f->argument;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)f->call, each ? 2 : 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (uint32_t)(offsetof(struct seccomp_data, args) + 8 * argument)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, f->value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)f->error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = COUNT(filter), .filter = filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* The jail in a process to which this fails; it says why there is no verdict. */
static enum reason reason_with(const struct failure *f)
{
	enum reason *reason = shared;

	*reason = REASON_UNDECIDED;
	if (fork() == 0) {
		if (make_fail(f))
			*reason = run(reads_and_replies).reason;
		_exit(0);
	}
	assert_true(wait(NULL) > 0);
	return *reason;
}

static void tells_each_call_that_fails(void **state)
{
	static const struct failure failures[] = {
		{ SYS_pipe2, EACH, EMFILE, REASON_SYSTEM_JAIL },
		{ SYS_clone, EACH, EAGAIN, REASON_SYSTEM_JAIL },
		{ SYS_fcntl, 1, F_DUPFD, EMFILE, REASON_SYSTEM_JAIL },
		{ SYS_close_range, EACH, ENOSYS, REASON_SYSTEM_JAIL },
		{ SYS_prlimit64, 1, RLIMIT_CPU, EPERM, REASON_SYSTEM_JAIL },
		{ SYS_prlimit64, 1, RLIMIT_AS, EPERM, REASON_SYSTEM_JAIL },
		{ SYS_prlimit64, 1, RLIMIT_CORE, EPERM, REASON_SYSTEM_JAIL },
		{ SYS_prlimit64, 1, RLIMIT_NOFILE, EPERM, REASON_SYSTEM_JAIL },
		{ SYS_prctl, 0, PR_SET_PDEATHSIG, EINVAL, REASON_SYSTEM_JAIL },
		{ SYS_prctl, 0, PR_SET_DUMPABLE, EINVAL, REASON_SYSTEM_JAIL },
		{ SYS_prctl, 0, PR_SET_NO_NEW_PRIVS, EINVAL, REASON_SYSTEM_JAIL },
		{ SYS_prctl, 0, PR_SET_SECCOMP, EINVAL, REASON_SYSTEM_JAIL },
		{ SYS_write, EACH, EIO, REASON_SYSTEM_JAIL },
		{ SYS_write, EACH, EINTR, REASON_SYSTEM_JAIL },
		{ SYS_wait4, EACH, EINTR, REASON_SYSTEM_JAIL },
		{ SYS_wait4, EACH, EIO, REASON_SYSTEM_JAIL },
		{ SYS_read, 2, 1, EIO, REASON_SYSTEM_JAIL_REPLY },
		{ SYS_read, 2, 1, EINTR, REASON_SYSTEM_JAIL_REPLY },
		{ SYS_read, 2, sizeof(answer), EINTR, REASON_SYSTEM_JAIL_REPLY },
#ifdef SYS_poll
		{ SYS_poll, EACH, ENOMEM, REASON_SYSTEM_JAIL_TIME },
		{ SYS_poll, EACH, EINTR, REASON_SYSTEM_JAIL_TIME },
#endif
#ifdef SYS_dup2
		{ SYS_dup2, 1, JAIL_FILE_FD, EBUSY, REASON_SYSTEM_JAIL },
		{ SYS_dup2, 1, JAIL_REPLY_FD, EBUSY, REASON_SYSTEM_JAIL },
#endif
	};

	(void)state;
	for (size_t i = 0; i < COUNT(failures); i++) {
		const double start = seconds(CLOCK_MONOTONIC);
		const enum reason reason = reason_with(&failures[i]);

		if (reason != failures[i].reason)
			fail_msg("%zu: %s", i, reason_name(reason));
		assert_true(seconds(CLOCK_MONOTONIC) - start < 10);
	}
}

/* Then it can't be waited for; it is ended, if it has not ended by itself. */
static void does_without_a_pidfd(void **state)
{
	const struct failure none = { SYS_pidfd_open, EACH, ENOSYS, 0 };
	const enum reason reason = reason_with(&none);

	(void)state;
	assert_true(reason == REASON_ACCEPTED || reason == REASON_SYSTEM_JAIL_KILLED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, before, after)
	const struct CMUnitTest tests[] = {
		TEST(lets_it_read_and_reply),
		TEST(kills_on_anything_else),
		TEST(drops_everything_first),
		TEST(takes_descriptors_of_any_number),
		TEST(needs_its_preparation),
		TEST(never_parses_without_its_filter),
		TEST(needs_no_proc),
		TEST(tells_a_crash),
		TEST(bounds_its_memory),
		TEST(bounds_its_cpu_time),
		TEST(bounds_its_time),
		TEST(bounds_a_read_that_waits),
		TEST(is_not_hurried_by_signals),
		TEST(ends_a_child_that_is_stopped),
		TEST(bounds_a_pipe_that_another_keeps_open),
		TEST(wants_exactly_the_reply),
		TEST(fails_without_descriptors),
		TEST(tells_each_call_that_fails),
		TEST(does_without_a_pidfd),
	};

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared == MAP_FAILED ? 1 : cmocka_run_group_tests(tests, setup, NULL);
}
