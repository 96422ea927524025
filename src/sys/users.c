/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/users.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/syscalls.h"
#include "sys/worker.h"

#define OVERLAYS_MAX 3u
#define WORD_SIZE 32u
#define SECONDS 5u /* for all of it */

const char *use_name(enum use use)
{
	static const char *const names[USES] = {
		[USE_MAPPED] = "mapped", [USE_OPEN] = "open",	    [USE_CWD] = "cwd",
		[USE_ROOT] = "root",	 [USE_MOUNTED] = "mounted",
	};

	return names[use];
}

/* What is looked for in the texts of /proc; "": nothing. */
typedef char keys[OVERLAYS_MAX][WORD_SIZE];

struct search {
	const struct overlay_id *overlays;
	size_t count;
	struct users *users;  /* shared with the worker */
	keys maps, fdinfo;    /* of these files */
	keys devices, mounts; /* of mountinfo */
	char vext[USER_NAME_MAX], namespace[WORD_SIZE];
};

/* ---- texts --------------------------------------------------------------------------------- */

static char *line; /* whole, for a part of a path could look like such a line */
static size_t room;

static FILE *open_text(int dir_fd, const char *file)
{
	FD_CLEANUP int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC);
	FILE *text = fd < 0 ? NULL : fdopen(fd, "r");

	if (text != NULL)
		(void)fd_take(&fd);
	return text;
}

static void close_text(FILE *text)
{
	if (text != NULL)
		(void)fclose(text);
}

/* Is one of the words the field of that number? */
static bool has_word(unsigned field, const keys words)
{
	const char *at = line;

	for (; field > 0 && at != NULL; field--) {
		at = strchr(at, ' ');
		at = at == NULL ? NULL : at + 1;
	}
	for (size_t i = 0; i < OVERLAYS_MAX && at != NULL; i++)
		if (words[i][0] != '\0' && strncmp(at, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

static bool has_line(int dir_fd, const char *file, unsigned field, const keys words)
{
	FILE *text = open_text(dir_fd, file);
	bool found = false;

	while (text != NULL && !found && getline(&line, &room, text) > 0)
		found = has_word(field, words);
	close_text(text);
	return found;
}

static bool has_open_file(int dir_fd, const keys words)
{
	const int fd = openat(dir_fd, "fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool found = false;

	while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
		found = has_line(fd, entry->d_name, 0, words);
	if (dir != NULL)
		(void)closedir(dir);
	return found;
}

/* Without its newline; "" if it cannot be read. */
static void read_name(int dir_fd, char name[USER_NAME_MAX])
{
	FD_CLEANUP int fd = openat(dir_fd, "comm", O_RDONLY | O_CLOEXEC);
	const ssize_t size = fd < 0 ? -1 : read(fd, name, USER_NAME_MAX);

	name[size > 0 ? size - 1 : 0] = '\0';
}

static void read_namespace(int dir_fd, char namespace[WORD_SIZE])
{
	const ssize_t size = readlinkat(dir_fd, "ns/mnt", namespace, WORD_SIZE - 1);

	namespace[size > 0 ? size : 0] = '\0';
}

static uint32_t read_texts(const struct search *search, int dir_fd)
{
	uint32_t uses = 0;

	if (has_line(dir_fd, "maps", 3, search->maps))
		uses |= 1u << USE_MAPPED;
	if (has_open_file(dir_fd, search->fdinfo))
		uses |= 1u << USE_OPEN;
	return uses;
}

/*
 * What a mount namespace of its own says besides. Numbers are given again when their owner is gone,
 * also while another overlay of the same merge is used: what such a process has mounted with them
 * is something else.
 */
static uint32_t check_mounts(const struct search *search, int dir_fd, uint32_t uses)
{
	char namespace[WORD_SIZE];
	FILE *text;

	read_namespace(dir_fd, namespace);
	if (strcmp(namespace, search->namespace) == 0)
		return uses;
	text = open_text(dir_fd, "mountinfo");
	while (text != NULL && getline(&line, &room, text) > 0) {
		const bool is_merge = strstr(line, " - overlay sysext ") != NULL ||
				      strstr(line, " - overlay confext ") != NULL;

		if (has_word(2, search->devices) && is_merge) {
			uses |= 1u << USE_MOUNTED;
		} else if (has_word(2, search->devices) || has_word(0, search->mounts)) {
			uses = 0;
			break;
		}
	}
	close_text(text);
	return uses;
}

/* ---- links --------------------------------------------------------------------------------- */

/* Whatever the file system knows by now will do: nobody is to be asked. */
static bool is_on_overlay(const struct search *search, int dir_fd, const char *link)
{
	struct sys_statx found;

	if (sys_statx_at(dir_fd, link, &found) < 0)
		return false;
	for (size_t i = 0; i < search->count; i++)
		if (search->overlays[i].minor != 0 &&
		    ((found.major == 0 && found.minor == search->overlays[i].minor) ||
		     (found.mount != 0 && found.mount == search->overlays[i].mount)))
			return true;
	return false;
}

static uint32_t follow_links(const struct search *search, int dir_fd)
{
	uint32_t uses = 0;

	if (is_on_overlay(search, dir_fd, "exe"))
		uses |= 1u << USE_MAPPED;
	if (is_on_overlay(search, dir_fd, "cwd"))
		uses |= 1u << USE_CWD;
	if (is_on_overlay(search, dir_fd, "root"))
		uses |= 1u << USE_ROOT;
	return uses;
}

/* ---- processes ----------------------------------------------------------------------------- */

static void add(struct users *users, pid_t pid, uint32_t uses, const char *name)
{
	size_t i = 0;

	while (i < users->count && users->list[i].pid != pid)
		i++;
	if (i == USERS_MAX) {
		users->left_out++;
		return;
	}
	users->list[i].pid = pid;
	users->list[i].uses |= uses;
	memcpy(users->list[i].name, name, USER_NAME_MAX);
	if (i == users->count)
		users->count++;
}

static void look(struct search *search, const char *pid, int dir_fd,
		 uint32_t (*uses_of)(const struct search *search, int dir_fd))
{
	char name[USER_NAME_MAX];
	uint32_t uses;

	read_name(dir_fd, name);
	if (strcmp(name, search->vext) == 0)
		return;
	uses = check_mounts(search, dir_fd, uses_of(search, dir_fd));
	if (uses != 0)
		add(search->users, (pid_t)strtol(pid, NULL, 10), uses, name);
}

static void look_at_all(struct search *search,
			uint32_t (*uses_of)(const struct search *search, int dir_fd))
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		FD_CLEANUP int fd = -1;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			look(search, entry->d_name, fd, uses_of);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

/*
 * Who waits for a file server can be killed, most often. Those who have filled the list at first
 * are counted once.
 */
static void work(void *ctx, int channel)
{
	struct search *search = ctx;
	size_t left_out;

	(void)channel;
	(void)signal(SIGALRM, SIG_DFL);
	(void)alarm(SECONDS);
	look_at_all(search, read_texts);
	left_out = search->users->left_out;
	look_at_all(search, follow_links);
	search->users->left_out = left_out;
	search->users->is_complete = true;
}

static void prepare(struct search *search)
{
	FD_CLEANUP int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	read_name(self, search->vext);
	read_namespace(self, search->namespace);
	for (size_t i = 0; i < search->count && i < OVERLAYS_MAX; i++) {
		const struct overlay_id *overlay = &search->overlays[i];

		if (overlay->minor == 0)
			continue;
		snprintf(search->maps[i], WORD_SIZE, "00:%02x ", (unsigned)overlay->minor);
		snprintf(search->devices[i], WORD_SIZE, "0:%u ", (unsigned)overlay->minor);
		snprintf(search->mounts[i], WORD_SIZE, "%llu ", (unsigned long long)overlay->mount);
		if (overlay->mount == 0)
			continue;
		snprintf(search->fdinfo[i], WORD_SIZE, "mnt_id:\t%llu\n",
			 (unsigned long long)overlay->mount);
	}
}

void users_find(const struct overlay_id overlays[], size_t count, struct users *users)
{
	struct search search = { .overlays = overlays,
				 .count = count,
				 .users = worker_memory(sizeof(*users)) };
	struct worker worker = WORKER_NONE;
	struct worker_holds holds;

	*users = (struct users){ .count = 0 };
	if (search.users == NULL)
		return;
	prepare(&search);
	if (is_accepted(worker_start(&worker, work, &search, NULL, 0)))
		(void)worker_wait(&worker);
	(void)worker_end(&worker, &holds);
	*users = *search.users;
	worker_memory_free(search.users, sizeof(*users));
}
