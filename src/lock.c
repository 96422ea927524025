/* SPDX-License-Identifier: Apache-2.0 */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "status.h"

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

static void tell_holder(int fd)
{
	struct flock lock = whole_file();

	if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		lock.l_pid = 0;
	log_line(LOG_LEVEL_ERROR,
		 "another vext, process %ld, has been at work for %d s; nothing is changed",
		 (long)lock.l_pid, WAIT_SECONDS);
}

static bool no_lock(void)
{
	log_line(LOG_LEVEL_WARNING, LOCK_FILE ": %s; another vext is not waited for",
		 strerror(errno));
	return true;
}

/* The lock is the process's, not the descriptor's: children have none, and its end releases it. */
bool lock_take(void)
{
	static const struct timespec pause = { .tv_nsec = WAIT_MS * NS_PER_MS };
	struct flock lock = whole_file();
	int fd;

	if (mkdir(STATUS_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return no_lock();
	fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return no_lock();
	for (int i = 0; fcntl(fd, F_SETLK, &lock) < 0; i++) {
		if (!is_held_by_another(errno))
			return no_lock();
		if (i == WAIT_SECONDS * MS_PER_SECOND / WAIT_MS) {
			tell_holder(fd);
			return false;
		}
		(void)nanosleep(&pause, NULL);
	}
	return true; /* and stays open */
}
