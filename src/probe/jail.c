/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe/filter.h"

/* Exit statuses of the child; anything else, and any signal, is a parser that went wrong. */
#define EXIT_REPLIED 0
#define EXIT_NO_JAIL 112

/* ---- the child ----------------------------------------------------------------------------- */

/* Both leave the low numbers first, so that neither lands on the other. */
static bool arrange_files(int file, int reply)
{
	int high_file = fcntl(file, F_DUPFD, 3), high_reply = fcntl(reply, F_DUPFD, 3);

	return high_file >= 0 && high_reply >= 0 && dup2(high_file, JAIL_FILE_FD) == JAIL_FILE_FD &&
	       dup2(high_reply, JAIL_REPLY_FD) == JAIL_REPLY_FD &&
	       syscall(SYS_close_range, JAIL_REPLY_FD + 1, ~0U, 0) == 0;
}

static struct rlimit at_most(rlim_t most)
{
	return (struct rlimit){ .rlim_cur = most, .rlim_max = most };
}

/* The names stand in the calls: the libcs disagree on the type that they have. */
static bool set_limits(void)
{
	const struct rlimit cpu = at_most(JAIL_CPU_SECONDS), space = at_most(JAIL_ADDRESS_SPACE),
			    core = at_most(0), files = at_most(JAIL_REPLY_FD + 1);

	return setrlimit(RLIMIT_CPU, &cpu) == 0 && setrlimit(RLIMIT_AS, &space) == 0 &&
	       setrlimit(RLIMIT_CORE, &core) == 0 && setrlimit(RLIMIT_NOFILE, &files) == 0;
}

static bool drop_everything(void)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && set_limits();
}

static bool write_all(const uint8_t *bytes, size_t size)
{
	int tries = 0;

	while (size > 0) {
		ssize_t n = write(JAIL_REPLY_FD, bytes, size);

		if (n < 0 && errno == EINTR && ++tries < VEXT_TRIES_MAX)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

static _Noreturn void child(int file, int reply_fd, const struct jail_job *job, void *reply)
{
	memset(reply, 0, job->reply_size);
	signal(SIGPIPE, SIG_DFL);
	clearenv(); /* no library in here is to be steered from outside */
	if (!arrange_files(file, reply_fd) || !drop_everything() || !job->prepare(job->ctx) ||
	    !filter_install())
		_exit(EXIT_NO_JAIL);
	job->work(job->ctx, reply);
	_exit(write_all(reply, job->reply_size) ? EXIT_REPLIED : EXIT_NO_JAIL);
}

/* ---- the parent ---------------------------------------------------------------------------- */

/* Without a clock all time is over. */
static uint64_t now_ms(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		return UINT64_MAX;
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/*
 * Until something can be read, the other side is gone, or the time is over: only then false. A signal now and
 * then does not shorten it; but where, on the whole, more than one comes in a millisecond, nothing waits.
 */
static bool wait_readable(int fd, uint64_t deadline)
{
	uint64_t start = now_ms(), tries = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = now_ms();
		int n;

		if (now >= deadline)
			return false;
		n = poll(&p, 1, (int)(deadline - now));
		if (n > 0)
			return true;
		if (n < 0 && (errno != EINTR || ++tries >= VEXT_TRIES_MAX + (now - start)))
			return false;
	}
}

/* Exactly `size` bytes and then the end. One byte more is asked for, to see that it is not there. */
static struct verdict read_reply(int fd, uint8_t *reply, size_t size, uint64_t deadline)
{
	size_t done = 0;
	int tries = 0;

	for (;;) {
		uint8_t extra;
		ssize_t n;

		if (!wait_readable(fd, deadline))
			return verdict(REASON_SYSTEM_JAIL_TIME);
		n = done < size ? read(fd, reply + done, size - done) : read(fd, &extra, 1);
		if (n < 0 && errno == EINTR && ++tries < VEXT_TRIES_MAX)
			continue;
		if (n < 0)
			return verdict_errno(REASON_SYSTEM_JAIL_REPLY, errno);
		if (n == 0)
			return verdict(done == size ? REASON_ACCEPTED : REASON_SYSTEM_JAIL_REPLY);
		if (done == size)
			return verdict(REASON_SYSTEM_JAIL_REPLY);
		done += (size_t)n;
	}
}

/*
 * A child that closed its pipe may still not have ended: wait on its pidfd, then end it. One that
 * sleeps in the kernel, waiting for the disk, ends when it wakes up; it is not waited for.
 */
static struct verdict wait_exit(pid_t pid, uint64_t deadline, int *status)
{
	const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool ended = pidfd >= 0 && wait_readable(pidfd, deadline);
	int tries = 0;
	pid_t got;

	if (!ended) {
		kill(pid, SIGKILL);
		ended = pidfd < 0 || wait_readable(pidfd, now_ms() + JAIL_FAREWELL_MS);
	}
	if (pidfd >= 0)
		close(pidfd);
	do
		got = waitpid(pid, status, ended ? 0 : WNOHANG);
	while (got < 0 && errno == EINTR && ++tries < VEXT_TRIES_MAX);
	if (got < 0)
		return verdict_errno(REASON_SYSTEM_JAIL, errno);
	return verdict(got == pid ? REASON_ACCEPTED : REASON_SYSTEM_JAIL_TIME);
}

/* A child whose pipe was closed early dies of that, which is then not the news. */
static struct verdict judge_exit(int status, struct verdict reply)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_REPLIED)
		return reply;
	if (reply.reason == REASON_SYSTEM_JAIL_TIME || reply.sys_errno != 0)
		return reply;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_JAIL)
		return verdict(REASON_SYSTEM_JAIL);
	return verdict(REASON_SYSTEM_JAIL_KILLED);
}

/* Takes over `fd`. */
static struct verdict supervise(pid_t pid, int fd, const struct jail_job *job, void *reply)
{
	uint64_t deadline = now_ms() + job->wall_ms;
	struct verdict v = read_reply(fd, reply, job->reply_size, deadline), ended;
	int status;

	close(fd); /* whoever still writes dies of it */
	ended = wait_exit(pid, deadline, &status);
	if (!is_accepted(ended))
		return ended;
	if (job->process != NULL)
		*job->process = 0;
	return judge_exit(status, v);
}

struct verdict jail_run(int fd, const struct jail_job *job, void *reply)
{
	int ends[2];
	pid_t pid;
	int error;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return verdict_errno(REASON_SYSTEM_JAIL, errno);
	pid = fork();
	if (pid == 0)
		child(fd, ends[1], job, reply);
	error = errno;
	close(ends[1]);
	if (pid > 0 && job->process != NULL)
		*job->process = pid;
	if (pid > 0)
		return supervise(pid, ends[0], job, reply);
	close(ends[0]);
	return verdict_errno(REASON_SYSTEM_JAIL, error);
}
