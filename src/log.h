/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: to stderr, and to the kernel log where asked. Results go to stdout and not through here. */
#ifndef VEXT_LOG_H
#define VEXT_LOG_H

enum log_level { /* syslog(3) */
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
};

/* From now on to /dev/kmsg as well, where that can be opened. A log that is full or closed is no error. */
void log_to_kernel(void);

/* One line, without newline; "vext: " is put before it. Untrusted bytes are escaped by the caller. */
__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *format, ...);

/* As strerror(3), also for what a file system says of itself and musl has no words for. */
const char *log_error_text(int error);

#endif
