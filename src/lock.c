/* SPDX-License-Identifier: Apache-2.0 */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/text.h"
#include "log.h"
#include "status.h"
#include "sys/dm_found.h"
#include "sys/fd.h"
#include "sys/worker.h"

#define LOCK_FILE STATUS_DIRECTORY "/lock"
#define WAIT_SECONDS 60 /* below what systemd gives the unit */
#define WAIT_MS 50
#define MS_PER_SECOND 1000
#define NS_PER_MS 1000000

static struct flock whole_file(void)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

static bool is_held_by_another(int error)
{
	return error == EAGAIN || error == EACCES || error == EINTR;
}

/* Its words with spaces between them; "" if it is gone, or /proc is not there. */
static void put_command(pid_t pid, struct text *text)
{
	char path[32], words[128];
	FD_CLEANUP int fd = -1;
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? 0 : fd_read_whole(fd, words, sizeof(words));
	for (ssize_t i = 0; i < size; i++)
		if (words[i] == '\0' && i + 1 < size)
			text_char(text, ' ');
		else if (words[i] != '\0')
			text_escaped(text, &words[i], 1);
}

static void tell_holder(int fd)
{
	struct flock lock = whole_file();
	char command[4 * 128 + 1];
	struct text text;

	text_init(&text, command, sizeof(command));
	if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		lock.l_pid = 0;
	put_command(lock.l_pid, &text);
	log_line(LOG_LEVEL_ERROR,
		 "process %ld (%s) has held the lock for more than %d s; nothing is changed; "
		 "try again when it has ended",
		 (long)lock.l_pid, command, WAIT_SECONDS);
}

static bool no_lock(enum lock_failure failure)
{
	const bool stops = failure == LOCK_STOPS;

	log_line(stops ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, LOCK_FILE ": %s; %s", strerror(errno),
		 stops ? "whether another vext is at work can't be seen: nothing is changed" :
			 "another vext is not waited for");
	return !stops;
}

static bool begin(void)
{
	status_sweep();
	dm_sweep();
	return true;
}

/* The lock is the process's, not the descriptor's: children have none, and its end releases it. */
bool lock_take(enum lock_failure failure)
{
	static const struct timespec pause = { .tv_nsec = WAIT_MS * NS_PER_MS };
	static bool is_held;
	struct flock lock = whole_file();
	int fd;

	if (is_held)
		return true;
	if (mkdir(STATUS_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return no_lock(failure);
	fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return no_lock(failure);
	for (int i = 0; fcntl(fd, F_SETLK, &lock) < 0; i++) {
		if (!is_held_by_another(errno))
			return no_lock(failure);
		if (i == WAIT_SECONDS * MS_PER_SECOND / WAIT_MS) {
			tell_holder(fd);
			return false;
		}
		worker_tick();
		(void)nanosleep(&pause, NULL);
	}
	is_held = begin(); /* and the file stays open */
	return is_held;
}
