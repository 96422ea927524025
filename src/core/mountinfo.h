/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of /proc/PID/mountinfo: proc_pid_mountinfo(5), Linux fs/proc_namespace.c. */
#ifndef VEXT_CORE_MOUNTINFO_H
#define VEXT_CORE_MOUNTINFO_H

#include <stdbool.h>
#include <stdint.h>

#define MOUNTINFO_PATH_MAX 4096u /* bytes with NUL; PATH_MAX */
#define MOUNTINFO_TYPE_MAX 64u	 /* bytes with NUL of a file system's name */

struct mountinfo {
	uint64_t id;
	uint64_t parent;
	uint32_t major; /* of the file system's st_dev */
	uint32_t minor;
	bool is_whole;			/* all of the file system, not a part */
	char point[MOUNTINFO_PATH_MAX]; /* below the reader's root; the kernel's \NNN undone */
	char type[MOUNTINFO_TYPE_MAX];
	char source[MOUNTINFO_PATH_MAX];
};

/*
 * Takes one line apart, with or without its newline. False for one of another form, or with a field
 * that is too long; `mount` is undefined then. It is large: not for a deep stack.
 */
bool mountinfo_parse(const char *line, struct mountinfo *mount);

/*
 * Has the file system of this line an option that begins so, such as "upperdir=/run/"? The options of the file system stand last in
 * the line; a comma within one is \054 there (seq_show_option). False for a line of another form.
 */
bool mountinfo_has_option(const char *line, const char *begins);

/* What of `path` lies below the directory `above` ("/" too): "a/b" for "/usr/a/b" and "/usr"; otherwise NULL. */
const char *mountinfo_below(const char *path, const char *above);

#endif
