/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/worker.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "sys/fd.h"
#include "sys/syscalls.h"

#define LOOK_MS 200	    /* how often progress is looked at */
#define LOOK_SOON_MS 20	    /* and while others could be started */
#define SUPERVISED_ORPHAN 3 /* nobody is there to be told */
#define FAREWELL_MS 1000    /* for a worker to end that was killed */
#define LEAVE_MS 5000	    /* … that has nothing more to do */
#define SOON_MS 50	    /* in which most do */

struct worker_page {
	_Atomic uint32_t ticks;
	_Atomic bool may_wait;
	struct worker_holds holds;
};

/* Without a clock all time is over. */
static uint64_t now_ms(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		return UINT64_MAX;
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void *worker_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void worker_memory_free(void *memory, size_t size)
{
	if (memory != NULL)
		(void)munmap(memory, size);
}

bool worker_memory_hide(void *memory, size_t size)
{
	return madvise(memory, size, MADV_DONTFORK) == 0;
}

bool worker_memory_show(void *memory, size_t size)
{
	return madvise(memory, size, MADV_DOFORK) == 0;
}

/* ---- the worker ---------------------------------------------------------------------------- */

static struct worker_page *own_page; /* NULL: nobody watches this process */
static bool may_be_left;	     /* this process is a worker */

void worker_tick(void)
{
	if (own_page != NULL)
		own_page->ticks++;
}

void worker_may_wait(void)
{
	if (own_page != NULL)
		own_page->may_wait = true;
}

struct worker_holds *worker_holds(void)
{
	static struct worker_holds nobodys;

	return own_page != NULL ? &own_page->holds : &nobodys;
}

/* The next descriptor that is kept, from `from` on; UINT_MAX: none. */
static unsigned next_kept(unsigned from, const int keep[], size_t count, int channel)
{
	unsigned next = (unsigned)channel >= from ? (unsigned)channel : UINT_MAX;

	for (size_t i = 0; i < count; i++)
		if (keep[i] >= 0 && (unsigned)keep[i] >= from && (unsigned)keep[i] < next)
			next = (unsigned)keep[i];
	return next;
}

static void close_others(const int keep[], size_t count, int channel)
{
	unsigned from = STDERR_FILENO + 1;

	while (from != 0) {
		const unsigned next = next_kept(from, keep, count, channel);

		if (next > from)
			(void)syscall(SYS_close_range, from, next == UINT_MAX ? next : next - 1, 0);
		from = next + 1;
	}
}

/*
 * Those that somebody reads. Where there is no /dev/null they are closed, and the next files that
 * are opened take their places: nobody writes to them. Standard input may be an image.
 */
static void leave_standard_files(void)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			(void)close(fd);
	if (null > STDERR_FILENO)
		(void)close(null);
}

static _Noreturn void work(pid_t parent, worker_job *job, void *ctx, int channel)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
	    worker_memory_hide(own_page, sizeof(*own_page))) {
		may_be_left = true;
		leave_standard_files();
		job(ctx, channel);
	}
	_exit(0);
}

bool worker_say(int channel, int fd)
{
	char word = 0;
	struct iovec part = { .iov_base = &word, .iov_len = 1 };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *head;
	int tries = 0;
	ssize_t sent;

	if (fd >= 0) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &fd, sizeof(int));
	}
	do
		sent = sendmsg(channel, &message, MSG_NOSIGNAL);
	while (sent < 0 && fd_interrupted(&tries));
	return sent == 1;
}

/* The descriptor that was sent. There is room for two, and of those none is taken. */
static int the_one(const struct cmsghdr *head)
{
	int fds[2] = { -1, -1 };
	const size_t size = head->cmsg_len - CMSG_LEN(0);

	memcpy(fds, CMSG_DATA(head), size < sizeof(fds) ? size : sizeof(fds));
	if (fds[1] < 0)
		return fds[0];
	(void)close(fds[0]);
	(void)close(fds[1]);
	return -1;
}

/* 1: a word was there; 0: there will be none; -1 and errno. */
static ssize_t take_word(int channel, int flags, int *fd)
{
	char word;
	struct iovec part = { .iov_base = &word, .iov_len = 1 };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	const struct cmsghdr *head;
	int tries = 0;
	ssize_t got;

	*fd = -1;
	do
		got = recvmsg(channel, &message, flags | MSG_CMSG_CLOEXEC);
	while (got < 0 && fd_interrupted(&tries));
	head = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
		*fd = the_one(head);
	return got;
}

bool worker_hear(int channel, int *fd)
{
	return take_word(channel, 0, fd) > 0;
}

/* ---- the parent ---------------------------------------------------------------------------- */

static struct verdict not_started(struct worker *worker)
{
	const struct verdict v = verdict_errno(REASON_SYSTEM_WORKER, errno);

	fd_close(&worker->channel);
	worker_memory_free(worker->page, sizeof(*worker->page));
	*worker = WORKER_NONE;
	return v;
}

struct verdict worker_start(struct worker *worker, worker_job *job, void *ctx, const int keep[],
			    size_t count)
{
	const pid_t parent = getpid();
	FD_CLEANUP int end = -1;
	int ends[2];

	*worker = WORKER_NONE;
	worker->page = worker_memory(sizeof(*worker->page));
	if (worker->page == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return not_started(worker);
	worker->channel = ends[0];
	end = ends[1];
	worker->pid = fork();
	if (worker->pid < 0)
		return not_started(worker);
	if (worker->pid == 0) {
		own_page = worker->page;
		(void)close(worker->channel);
		if (keep != NULL)
			close_others(keep, count, end);
		work(parent, job, ctx, end);
	}
	(void)worker_memory_hide(worker->page, sizeof(*worker->page));
	worker->moved = now_ms();
	return verdict(REASON_ACCEPTED);
}

/* A word that poll(2) promises and that never comes is none. */
static bool is_empty_promise(struct worker *worker, bool promised)
{
	return promised && ++worker->promises >= VEXT_TRIES_MAX;
}

static enum worker_state hear(struct worker *worker, bool promised)
{
	ssize_t got;

	fd_close(&worker->fd);
	got = take_word(worker->channel, MSG_DONTWAIT, &worker->fd);
	if (got < 0 && errno == EAGAIN && !is_empty_promise(worker, promised))
		return WORKER_BUSY;
	return got > 0 ? WORKER_HEARD : WORKER_ENDED;
}

/* Has it made progress? Only a worker that has said nothing is asked. */
static enum worker_state look(struct worker *worker, uint64_t now)
{
	const uint32_t ticks = worker->page->ticks;

	if (ticks != worker->ticks) {
		worker->ticks = ticks;
		worker->moved = now;
	}
	worker->is_stuck = now - worker->moved >= WORKER_PATIENCE_MS;
	return worker->is_stuck ? WORKER_STUCK : WORKER_BUSY;
}

enum worker_state worker_wait(struct worker *worker)
{
	enum worker_state state = WORKER_BUSY;
	int ready;

	worker->moved = now_ms();
	while (state == WORKER_BUSY) {
		struct pollfd p = { .fd = worker->channel, .events = POLLIN };

		worker_tick();
		ready = poll(&p, 1, LOOK_MS);
		state = ready != 0 ? hear(worker, ready > 0) : WORKER_BUSY;
		if (state == WORKER_BUSY)
			state = look(worker, now_ms());
	}
	return state;
}

struct verdict worker_silence(enum worker_state state)
{
	return verdict(state == WORKER_STUCK ? REASON_IMAGE_UNRESPONSIVE : REASON_SYSTEM_WORKER);
}

const struct worker_holds *worker_holds_of(const struct worker *worker)
{
	return &worker->page->holds;
}

/* Does a word wait in there? 1; 0: there will be none; -1 and errno: not yet. */
static ssize_t peek(int channel)
{
	char word;

	return recv(channel, &word, sizeof(word), MSG_PEEK | MSG_DONTWAIT);
}

int worker_park(struct worker *worker)
{
	const uint64_t end = now_ms() + WORKER_PATIENCE_MS;
	struct pollfd p = { .fd = worker->channel, .events = POLLIN };
	ssize_t got;

	if (!worker_say(worker->channel, -1))
		return -1;
	got = peek(worker->channel);
	while (got < 0 && now_ms() < end) {
		worker_tick();
		(void)poll(&p, 1, LOOK_MS);
		got = peek(worker->channel);
	}
	return got > 0 ? fd_take(&worker->channel) : -1;
}

/* Several that are killed together have the same time to end. */
static void kill_worker(struct worker *worker)
{
	if (worker->killed != 0)
		return;
	(void)kill(worker->pid, SIGKILL);
	worker->killed = now_ms();
}

/* A child that can be waited for; whoever may not ask in another way asks so. */
static bool is_waitable(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == pid;
}

/* Waits until it has ended, or the time is over; looks at least once. */
static bool has_ended(pid_t pid, uint64_t end)
{
	const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int ready;

	if (pidfd < 0 && errno == ESRCH)
		return true;
	ready = poll(&p, 1, 0);
	/* Where poll(2) fails nothing waits: then it is looked at each time. */
	while (ready <= 0 && !(ready < 0 && is_waitable(pid)) && now_ms() < end) {
		worker_tick();
		ready = poll(&p, 1, LOOK_MS);
	}
	if (pidfd >= 0)
		(void)close(pidfd);
	return ready > 0 || is_waitable(pid);
}

/* It hears that there is nothing more to do. */
static void dismiss(struct worker *worker)
{
	fd_close(&worker->channel);
	fd_close(&worker->fd);
	worker->leaves = now_ms();
}

static bool end_process(struct worker *worker)
{
	bool gone = !worker->is_stuck && has_ended(worker->pid, worker->leaves + LEAVE_MS);

	if (!gone) {
		kill_worker(worker);
		gone = has_ended(worker->pid, worker->killed + FAREWELL_MS);
	}
	(void)waitpid(worker->pid, NULL, gone ? 0 : WNOHANG);
	return gone;
}

/* A child of the worker's got SIGKILL with its end. */
bool worker_end(struct worker *worker, struct worker_holds *holds)
{
	bool gone = true;

	if (worker->leaves == 0)
		dismiss(worker);
	if (worker->pid != 0) {
		const pid_t pid = worker->pid;
		uint64_t farewell;

		gone = end_process(worker);
		farewell = (worker->killed != 0 ? worker->killed : now_ms()) + FAREWELL_MS;
		*holds = worker->page->holds;
		holds->device[sizeof(holds->device) - 1] = '\0';
		if (!gone)
			holds->process = pid;
		else if (holds->process > 1)
			gone = has_ended(holds->process, farewell);
	}
	worker_memory_free(worker->page, sizeof(*worker->page));
	*worker = WORKER_NONE;
	return gone;
}

/* ---- small ones ---------------------------------------------------------------------------- */

static void wait_for_end(void *ctx, int channel)
{
	int none;

	(void)ctx;
	(void)worker_hear(channel, &none);
}

void worker_keep(struct worker *worker)
{
	(void)worker_start(worker, wait_for_end, NULL, NULL, 0);
}

/* Shared. */
struct answer {
	struct verdict verdict;
	_Alignas(max_align_t) uint8_t bytes[];
};

struct errand {
	worker_errand *run;
	const void *ctx;
	struct answer *answer;
};

static void run_errand(void *ctx, int channel)
{
	const struct errand *errand = ctx;

	errand->answer->verdict = errand->run(errand->ctx, errand->answer->bytes);
	(void)worker_say(channel, -1);
}

static struct verdict do_by_worker(struct errand *errand, void *answer, size_t size)
{
	struct worker worker;
	struct worker_holds holds;
	enum worker_state state;
	struct verdict v = worker_start(&worker, run_errand, errand, NULL, 0);

	if (!is_accepted(v))
		return v;
	state = worker_wait(&worker);
	if (state == WORKER_HEARD) {
		v = errand->answer->verdict;
		memcpy(answer, errand->answer->bytes, size);
	} else {
		v = state == WORKER_STUCK ? verdict_errno(REASON_SYSTEM_READ, ETIMEDOUT) :
					    verdict(REASON_SYSTEM_WORKER);
	}
	(void)worker_end(&worker, &holds);
	return v;
}

struct verdict worker_do(worker_errand *run, const void *ctx, void *answer, size_t size)
{
	const size_t shared = sizeof(struct answer) + size;
	struct errand errand = { .run = run, .ctx = ctx };
	struct verdict v;

	if (may_be_left) {
		memset(answer, 0, size);
		return run(ctx, answer);
	}
	errand.answer = worker_memory(shared);
	if (errand.answer == NULL)
		return verdict_errno(REASON_SYSTEM_MEMORY, errno);
	v = do_by_worker(&errand, answer, size);
	worker_memory_free(errand.answer, shared);
	return v;
}

/* ---- the whole ----------------------------------------------------------------------------- */

/*
 * Its progress is that it runs at all. 0: it has ended, and this is its wait status; its number: it
 * stands still; -1 and errno: it has ended, and how is not told.
 */
static pid_t await(struct worker *worker, int *status)
{
	FD_CLEANUP int pidfd = (int)syscall(SYS_pidfd_open, worker->pid, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int failed = 0; /* after its end */
	pid_t got;

	worker->moved = now_ms();
	while ((got = waitpid(worker->pid, status, WNOHANG)) != worker->pid) {
		const uint32_t ticks = worker->page->ticks;
		const int error = errno;

		if (ticks != worker->ticks || worker->page->may_wait)
			worker->moved = now_ms();
		worker->ticks = ticks;
		if (now_ms() - worker->moved >= WORKERS_PATIENCE_MS)
			return worker->pid;
		if (poll(&p, 1, LOOK_MS) <= 0 || got >= 0)
			continue; /* a tracer is told of the end first */
		errno = error;
		if (++failed >= VEXT_TRIES_MAX)
			return -1;
	}
	return 0;
}

pid_t worker_supervise(int (*run)(int argc, char **argv), int argc, char **argv, int *status)
{
	const pid_t parent = getpid();
	struct worker worker = WORKER_NONE;
	pid_t left;

	worker.page = worker_memory(sizeof(*worker.page));
	worker.pid = worker.page == NULL ? -1 : fork();
	if (worker.pid < 0)
		exit(run(argc, argv));
	if (worker.pid == 0) {
		own_page = worker.page;
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(SUPERVISED_ORPHAN);
		(void)worker_memory_hide(own_page, sizeof(*own_page));
		exit(run(argc, argv));
	}
	left = await(&worker, status);
	if (left > 0)
		(void)kill(left, SIGKILL);
	return left;
}

/* ---- several ------------------------------------------------------------------------------- */

struct gang {
	const struct crew *crew;
	size_t count;
	size_t next;		/* the first subject that was not started yet */
	size_t active;		/* how many are at work */
	struct worker *workers; /* of each subject */
	struct pollfd *polls;	/* of those at work, */
	size_t *subjects;	/* and whose they are */
	size_t leaving;		/* how many have nothing more to do: the last ones of `subjects` */
	uint64_t moved;		/* when any of them last made progress */
};

static void collect(struct gang *gang, size_t i)
{
	struct worker_holds holds;

	if (!worker_end(&gang->workers[i], &holds))
		gang->crew->leave(gang->crew->ctx, i, &holds);
}

/*
 * Most end at once. Those that take their time, as to close a file may wait for a disk, do so all
 * at the same time.
 */
static void finish(struct gang *gang, size_t place, enum worker_state state)
{
	const size_t i = gang->subjects[place];
	struct worker *worker = &gang->workers[i];

	gang->crew->finish(gang->crew->ctx, i, worker, state);
	dismiss(worker);
	gang->subjects[place] = gang->subjects[--gang->active];
	if (has_ended(worker->pid, now_ms() + SOON_MS))
		collect(gang, i);
	else
		gang->subjects[gang->count - ++gang->leaving] = i;
}

/* Of those that were told to leave, none has more time left than the last one. */
static void collect_all(struct gang *gang)
{
	const size_t first = gang->count - gang->leaving;

	for (size_t place = first; place < gang->count; place++) {
		struct worker *worker = &gang->workers[gang->subjects[place]];

		if (worker->is_stuck || !has_ended(worker->pid, worker->leaves + LEAVE_MS))
			kill_worker(worker);
	}
	for (size_t place = first; place < gang->count; place++)
		collect(gang, gang->subjects[place]);
}

static size_t count_still(const struct gang *gang, uint64_t now, uint64_t ms)
{
	size_t still = 0;

	for (size_t place = 0; place < gang->active; place++)
		still += now - gang->workers[gang->subjects[place]].moved >= ms;
	return still;
}

/* The more stand still, the sooner the next one is tried: many images may lie on one dead disk. */
static bool may_start(const struct gang *gang, uint64_t now)
{
	const uint64_t patience = WORKER_FRESH_MS / (1 + count_still(gang, now, WORKER_FRESH_MS));

	return gang->next < gang->count &&
	       gang->active - count_still(gang, now, patience) < gang->crew->at_a_time;
}

static void start(struct gang *gang)
{
	const size_t i = gang->next++;

	if (gang->crew->start(gang->crew->ctx, i, &gang->workers[i]))
		gang->subjects[gang->active++] = i;
}

/*
 * All at once, before the first of them is waited for: the others have nothing to do with how many
 * there are.
 */
static void kill_stuck(const struct gang *gang, uint64_t now)
{
	for (size_t place = 0; place < gang->active; place++) {
		struct worker *worker = &gang->workers[gang->subjects[place]];

		if (now != UINT64_MAX &&
		    (gang->polls[place].revents != 0 || worker->page->ticks != worker->ticks ||
		     now - worker->moved < WORKER_PATIENCE_MS))
			continue;
		worker->is_stuck = true;
		kill_worker(worker);
	}
}

static int look_again_in(const struct gang *gang)
{
	return gang->next < gang->count ? LOOK_SOON_MS : LOOK_MS;
}

static void hear_all(struct gang *gang)
{
	bool can_poll;
	uint64_t now;

	for (size_t place = 0; place < gang->active; place++)
		gang->polls[place] = (struct pollfd){
			.fd = gang->workers[gang->subjects[place]].channel, .events = POLLIN
		};
	worker_tick();
	can_poll = poll(gang->polls, gang->active, look_again_in(gang)) >= 0;
	now = now_ms();
	kill_stuck(gang, now);
	/*
	 * From the end on: what ends gives its place to the last. Who gets stuck meanwhile is for
	 * the next turn.
	 */
	for (size_t place = gang->active; place-- > 0;) {
		struct worker *worker = &gang->workers[gang->subjects[place]];
		enum worker_state state = worker->killed != 0 ? WORKER_STUCK : WORKER_BUSY;

		if (state == WORKER_BUSY && (!can_poll || gang->polls[place].revents != 0))
			state = hear(worker, can_poll);
		if (state == WORKER_BUSY)
			state = look(worker, now);
		if (state != WORKER_STUCK && (state != WORKER_BUSY || worker->moved == now))
			gang->moved = now;
		if (state != WORKER_BUSY)
			finish(gang, place, state);
	}
}

static bool is_over(const struct gang *gang)
{
	return (gang->crew->is_over != NULL && *gang->crew->is_over) ||
	       now_ms() - gang->moved >= WORKERS_PATIENCE_MS;
}

/*
 * Nothing has moved for so long, or is wanted any more, that nothing more is waited for, or begun.
 */
static void give_up(struct gang *gang)
{
	kill_stuck(gang, UINT64_MAX); /* all of them */
	while (gang->active > 0)
		finish(gang, 0, WORKER_STUCK);
	for (; gang->next < gang->count; gang->next++)
		gang->crew->finish(gang->crew->ctx, gang->next, &gang->workers[gang->next],
				   WORKER_STUCK);
}

struct verdict crew_run(const struct crew *crew, size_t count)
{
	const size_t room = count > 0 ? count : 1;
	struct gang gang = { .crew = crew,
			     .count = count,
			     .workers = calloc(room, sizeof(*gang.workers)),
			     .polls = calloc(room, sizeof(*gang.polls)),
			     .subjects = calloc(room, sizeof(*gang.subjects)),
			     .moved = now_ms() };
	struct verdict v = verdict(REASON_ACCEPTED);

	if (gang.workers == NULL || gang.polls == NULL || gang.subjects == NULL)
		v = verdict(REASON_SYSTEM_MEMORY);
	for (size_t i = 0; i < count && is_accepted(v); i++)
		gang.workers[i] = WORKER_NONE;
	while (is_accepted(v) && (gang.active > 0 || gang.next < gang.count)) {
		while (may_start(&gang, now_ms()))
			start(&gang);
		if (gang.active > 0)
			hear_all(&gang);
		if (is_over(&gang))
			give_up(&gang);
	}
	collect_all(&gang);
	free(gang.workers);
	free(gang.polls);
	free(gang.subjects);
	return v;
}
