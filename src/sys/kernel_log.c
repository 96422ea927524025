/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/kernel_log.h"

#include <fcntl.h>

#include "core/kmsg.h"
#include "sys/fd.h"

#define LOG "/dev/kmsg"
#define RECORD_SIZE 8192u /* the longest one that the kernel writes, with its properties */

int kernel_log_open(void)
{
	FD_CLEANUP int log = open(LOG, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (log < 0 || lseek(log, 0, SEEK_END) < 0)
		return -1;
	return fd_take(&log);
}

/* The next record. 0 at the end, and for what can't be read; one that was overwritten meanwhile (EPIPE) is passed over. */
static size_t next_record(int log, char record[RECORD_SIZE])
{
	ssize_t got;
	int tries = 0;

	do
		got = read(log, record, RECORD_SIZE);
	while (got < 0 && (errno == EPIPE || errno == EINTR) && ++tries < VEXT_TRIES_MAX);
	return got > 0 ? (size_t)got : 0;
}

static bool is_complaint(const struct kmsg *kmsg, const char *const names[], struct piece *words)
{
	if (kmsg->level > KMSG_LEVEL_WARNING)
		return false;
	for (size_t i = 0; names[i] != NULL; i++)
		if (kmsg_words(kmsg, names[i], words))
			return true;
	return false;
}

void kernel_log_take(int log, const char *const names[], struct text *detail)
{
	char record[RECORD_SIZE];
	bool is_first = true;

	if (log < 0)
		return;
	for (unsigned i = 0; i < KERNEL_LOG_RECORDS_MAX; i++) {
		const size_t size = next_record(log, record);
		struct piece words;
		struct kmsg kmsg;

		if (size == 0)
			return;
		if (!kmsg_parse(record, size, &kmsg) || !is_complaint(&kmsg, names, &words))
			continue;
		if (!is_first)
			text_str(detail, "; ");
		text_bytes(detail, words.bytes, words.size);
		is_first = false;
	}
}
