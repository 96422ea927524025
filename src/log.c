/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vext.h"

#define LINE_MAX_BYTES 900 /* a record of /dev/kmsg holds about 1,000 */
#define PATIENCE_MS 1000   /* milliseconds that standard error may take to become writable */

static bool is_for_kernel;

void log_to_kernel(void)
{
	is_for_kernel = true;
}

/*
 * A pipe that nobody empties must not hold up the boot: it is waited for once, and then never again. Where
 * poll(2) says that there is room, there is enough for a line.
 */
static bool is_stderr_ready(void)
{
	static int patience = PATIENCE_MS;
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&p, 1, patience) != 0)
		return true;
	patience = 0;
	return false;
}

/* In one piece, so that none of it can be lost in the middle; a pipe takes it whole, too. */
static void write_line(int fd, const char *line, size_t size)
{
	for (int tries = 0; size > 0 && tries < VEXT_TRIES_MAX; tries++) {
		const ssize_t done = write(fd, line, size);

		if (done < 0 && errno != EINTR)
			return; /* and nowhere to say so */
		if (done > 0) {
			line += done;
			size -= (size_t)done;
		}
	}
}

/* Opened for each line: the kernel takes ten in 5 s of whoever has it open (printk.devkmsg=ratelimit). */
static void write_record(const char *record)
{
	const int kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (kmsg < 0)
		return;
	write_line(kmsg, record, strlen(record));
	close(kmsg);
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[LINE_MAX_BYTES], record[LINE_MAX_BYTES + 16];
	const char *text;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	snprintf(record, sizeof(record), "<%d>vext: %s\n", (int)level, line);
	text = strchr(record, '>') + 1;
	if (is_stderr_ready())
		write_line(STDERR_FILENO, text, strlen(text));
	if (is_for_kernel)
		write_record(record);
}

const char *log_error_text(int error)
{
	return error == EUCLEAN ? "File system is damaged" : strerror(error);
}
