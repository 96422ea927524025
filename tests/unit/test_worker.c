/* SPDX-License-Identifier: Apache-2.0 */
/* Workers: what they answer, what becomes of those that do not, and what they leave open. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#include "sys/worker.h"

struct answer {
	int number;
	bool has_output; /* where it would be seen */
	bool sees[3];	 /* descriptors */
};

static int seen[3] = { -1, -1, -1 };

static void answer(void *ctx, int channel)
{
	struct answer *to = ctx;

	to->number = 42;
	for (size_t i = 0; i < 3; i++)
		to->sees[i] = fcntl(seen[i], F_GETFD) >= 0;
	worker_holds()->at = 7;
	(void)worker_say(channel, seen[0]);
}

static void end(struct worker *worker)
{
	struct worker_holds holds;

	assert_true(worker_end(worker, &holds));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void answers_in_shared_memory(void **state)
{
	struct answer *to = worker_memory(sizeof(*to));
	struct worker worker;

	(void)state;
	assert_int_equal(worker_start(&worker, answer, to, NULL, 0).reason, REASON_ACCEPTED);
	assert_int_equal(worker_wait(&worker), WORKER_HEARD);
	assert_int_equal(to->number, 42);
	assert_int_equal(worker_holds_of(&worker)->at, 7);
	end(&worker);
	worker_memory_free(to, sizeof(*to));
}

static void keeps_what_it_is_given_only(void **state)
{
	struct answer *to = worker_memory(sizeof(*to));
	struct worker worker;
	struct stat here, there;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		seen[i] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_int_equal(
		worker_start(&worker, answer, to, (int[]){ seen[2], -1, seen[0] }, 3).reason,
		REASON_ACCEPTED);
	assert_int_equal(worker_wait(&worker), WORKER_HEARD);
	assert_true(to->sees[0]);
	assert_false(to->sees[1]);
	assert_true(to->sees[2]);
	assert_int_equal(fstat(worker.fd, &there), 0);
	assert_int_equal(fstat(seen[0], &here), 0);
	assert_true(here.st_rdev == there.st_rdev);
	end(&worker);
	assert_int_equal(worker.fd, -1);
	for (size_t i = 0; i < 3; i++) {
		close(seen[i]);
		seen[i] = -1;
	}
	worker_memory_free(to, sizeof(*to));
}

static void park(void *ctx, int channel)
{
	const int fd = open(ctx, O_RDONLY | O_CLOEXEC);

	int none;

	(void)worker_say(channel, -1);
	if (worker_hear(channel, &none))
		(void)worker_say(channel, fd);
}

static void take_out(void *ctx, int channel)
{
	int fd;

	if (worker_hear(*(const int *)ctx, &fd))
		(void)worker_say(channel, fd);
}

/*
 * The second worker gets it when the first one is gone, and the process between them never has it.
 */
static void parks_a_descriptor(void **state)
{
	char path[] = "/dev/zero";
	struct worker first, second;
	struct stat st;
	int channel;

	(void)state;
	assert_int_equal(worker_start(&first, park, path, NULL, 0).reason, REASON_ACCEPTED);
	assert_int_equal(worker_wait(&first), WORKER_HEARD);
	assert_int_equal(first.fd, -1);
	channel = worker_park(&first);
	assert_true(channel >= 0);
	end(&first);
	assert_int_equal(worker_start(&second, take_out, &channel, &channel, 1).reason,
			 REASON_ACCEPTED);
	assert_int_equal(worker_wait(&second), WORKER_HEARD);
	assert_int_equal(fstat(second.fd, &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	end(&second);
	close(channel);
}

static void die(void *ctx, int channel)
{
	(void)ctx;
	(void)channel;
	abort();
}

static void knows_one_that_died(void **state)
{
	struct worker worker;

	(void)state;
	assert_int_equal(worker_start(&worker, die, NULL, NULL, 0).reason, REASON_ACCEPTED);
	assert_int_equal(worker_wait(&worker), WORKER_ENDED);
	end(&worker);
}

static uint64_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

static void stop(void *ctx, int channel)
{
	(void)ctx;
	(void)channel;
	raise(SIGSTOP);
}

static void tick_for_a_while(void *ctx, int channel)
{
	(void)ctx;
	for (unsigned i = 0; i < 25; i++) {
		sleep(1);
		worker_tick();
	}
	(void)worker_say(channel, -1);
}

/* All at once, for each takes its time. */
struct three {
	enum worker_state states[6];
	bool left[6];
};

static bool start_one(void *ctx, size_t i, struct worker *worker)
{
	static worker_job *const jobs[] = { stop, tick_for_a_while, park, stop, die };
	char path[] = "/dev/zero";

	(void)ctx;
	return i < 5 && is_accepted(worker_start(worker, jobs[i], path, NULL, 0));
}

static void finish_one(void *ctx, size_t i, struct worker *worker, enum worker_state state)
{
	struct three *three = ctx;

	(void)worker;
	three->states[i] = state;
}

static void leave_one(void *ctx, size_t i, const struct worker_holds *holds)
{
	struct three *three = ctx;

	(void)holds;
	three->left[i] = true;
}

static void leaves_who_makes_no_progress(void **state)
{
	struct three three = { 0 };
	const struct crew crew = { .start = start_one,
				   .finish = finish_one,
				   .leave = leave_one,
				   .ctx = &three,
				   .at_a_time = 1 };
	const uint64_t start = seconds();

	(void)state;
	assert_int_equal(crew_run(&crew, 6).reason, REASON_ACCEPTED);
	assert_int_equal(three.states[0], WORKER_STUCK);
	assert_int_equal(three.states[1], WORKER_HEARD);
	assert_int_equal(three.states[2], WORKER_HEARD);
	assert_int_equal(three.states[3], WORKER_STUCK);
	assert_int_equal(three.states[4], WORKER_ENDED);
	assert_int_equal(three.states[5], 0);
	for (size_t i = 0; i < 6; i++)
		assert_false(three.left[i]); /* a stopped one can be killed */
	/*
	 * They have waited together: one after the other it would have been twenty, twenty-five and
	 * twenty.
	 */
	assert_true(seconds() - start >= WORKER_PATIENCE_MS / 1000);
	assert_true(seconds() - start < 3 * WORKER_PATIENCE_MS / 1000);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* ---- several that take leave ---------------------------------------------------------------- */

#define LINGERING 6u
#define LEAVE_SECONDS 5u /* that one has to end */

static unsigned gone_for_good;

static void says_and_lingers(void *ctx, int channel)
{
	(void)ctx;
	(void)worker_say(channel, -1);
	for (;;)
		(void)pause();
}

static bool start_lingering(void *ctx, size_t i, struct worker *worker)
{
	(void)i;
	return worker_start(worker, says_and_lingers, ctx, NULL, 0).reason == REASON_ACCEPTED;
}

static void finish_lingering(void *ctx, size_t i, struct worker *worker, enum worker_state state)
{
	(void)ctx;
	(void)i;
	(void)worker;
	gone_for_good += state == WORKER_HEARD;
}

static void leave_lingering(void *ctx, size_t i, const struct worker_holds *holds)
{
	(void)ctx;
	(void)i;
	(void)holds;
	fail();
}

/* Such as those that have to wait for a server when they close a file. */
static void ends_those_that_linger_together(void **state)
{
	const struct crew crew = { .start = start_lingering,
				   .finish = finish_lingering,
				   .leave = leave_lingering,
				   .at_a_time = LINGERING };
	const uint64_t start = seconds();

	(void)state;
	gone_for_good = 0;
	assert_int_equal(crew_run(&crew, LINGERING).reason, REASON_ACCEPTED);
	assert_int_equal(gone_for_good, LINGERING);
	assert_true(seconds() - start < LINGERING * LEAVE_SECONDS);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static void sends_two(void *ctx, int channel)
{
	const int *fds = ctx;
	char word = 0;
	struct iovec part = { .iov_base = &word, .iov_len = 1 };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = { 0 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(head), fds, 2 * sizeof(int));
	(void)sendmsg(channel, &message, 0);
}

static int lowest_free(void)
{
	const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

static void keeps_none_of_two_descriptors(void **state)
{
	int fds[2] = { open("/dev/zero", O_RDONLY | O_CLOEXEC),
		       open("/dev/zero", O_RDONLY | O_CLOEXEC) };
	const int before = lowest_free();
	struct worker worker;

	(void)state;
	assert_int_equal(worker_start(&worker, sends_two, fds, NULL, 0).reason, REASON_ACCEPTED);
	assert_int_equal(worker_wait(&worker), WORKER_HEARD);
	assert_int_equal(worker.fd, -1);
	end(&worker);
	assert_int_equal(lowest_free(), before);
	close(fds[0]);
	close(fds[1]);
}

/* ---- an errand ------------------------------------------------------------------------------- */

static struct verdict adds_one(const void *ctx, void *result)
{
	*(int *)result = *(const int *)ctx + 1;
	return verdict(REASON_ACCEPTED);
}

static struct verdict fails(const void *ctx, void *result)
{
	(void)result;
	return verdict_errno(REASON_SYSTEM_READ, *(const int *)ctx);
}

static struct verdict stands_still(const void *ctx, void *result)
{
	*(int *)result = *(const int *)ctx;
	for (;;)
		(void)pause();
}

/* What is written by one that did not say that it was done is not taken. */
static void does_an_errand(void **state)
{
	const int one = 1;
	int result = 7, none;
	struct verdict v;

	(void)state;
	assert_int_equal(worker_do(adds_one, &one, &result, sizeof(result)).reason,
			 REASON_ACCEPTED);
	assert_int_equal(result, 2);
	v = worker_do(fails, &one, &none, sizeof(none));
	assert_int_equal(v.reason, REASON_SYSTEM_READ);
	assert_int_equal(v.sys_errno, one);
	v = worker_do(stands_still, &one, &result, sizeof(result));
	assert_int_equal(v.reason, REASON_SYSTEM_READ);
	assert_int_equal(v.sys_errno, ETIMEDOUT);
	assert_int_equal(result, 2);
}

struct hidden {
	int *theirs;	/* hidden from who is started later */
	bool may_write; /* hides nothing: is it there at all? */
	int status;	/* of the worker's own child, which writes to it */
};

static void has_a_child_write(void *ctx, int channel)
{
	struct hidden *hidden = ctx;
	const pid_t child = hidden->may_write || worker_memory_hide(hidden->theirs, sizeof(int)) ?
				    fork() :
				    -1;

	if (child == 0) {
		signal(SIGSEGV, SIG_DFL); /* a sanitizer's report takes its time */
		*hidden->theirs = 1;
		_exit(0);
	}
	(void)waitpid(child, &hidden->status, 0);
	(void)worker_say(channel, -1);
}

static void child_writes(bool may_write)
{
	struct hidden *hidden = worker_memory(sizeof(*hidden));
	struct worker worker;

	hidden->theirs = worker_memory(sizeof(int));
	hidden->may_write = may_write;
	assert_int_equal(worker_start(&worker, has_a_child_write, hidden, NULL, 0).reason,
			 REASON_ACCEPTED);
	assert_int_equal(worker_wait(&worker), WORKER_HEARD);
	assert_int_equal(*hidden->theirs, may_write);
	assert_int_equal(hidden->status != 0, !may_write);
	end(&worker);
	worker_memory_free(hidden->theirs, sizeof(int));
	worker_memory_free(hidden, sizeof(*hidden));
}

/* What a jail could write to was in the memory of its parent's parent. */
static void hides_memory_from_who_is_started_later(void **state)
{
	(void)state;
	child_writes(true);
	child_writes(false);
}

static int exits_with(int argc, char **argv)
{
	(void)argv;
	if (argc == 99)
		raise(SIGTERM);
	return argc;
}

static void passes_the_exit_status_on(void **state)
{
	int status = -1;

	(void)state;
	assert_int_equal(worker_supervise(exits_with, 3, NULL, &status), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_int_equal(worker_supervise(exits_with, 99, NULL, &status), 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

/* With SIGCHLD ignored the kernel keeps no exit status. */
static void says_that_an_end_cannot_be_told(void **state)
{
	int status = -1;

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	assert_int_equal(worker_supervise(exits_with, 3, NULL, &status), -1);
	assert_int_equal(errno, ECHILD);
	signal(SIGCHLD, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_in_shared_memory),
		cmocka_unit_test(keeps_what_it_is_given_only),
		cmocka_unit_test(parks_a_descriptor),
		cmocka_unit_test(knows_one_that_died),
		cmocka_unit_test(hides_memory_from_who_is_started_later),
		cmocka_unit_test(leaves_who_makes_no_progress),
		cmocka_unit_test(ends_those_that_linger_together),
		cmocka_unit_test(keeps_none_of_two_descriptors),
		cmocka_unit_test(does_an_errand),
		cmocka_unit_test(passes_the_exit_status_on),
		cmocka_unit_test(says_that_an_end_cannot_be_told),
	};

	return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
