/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_FILE STATUS_FILE ".new"

struct verdict status_begin(struct status_file *file)
{
	if (mkdir(STATUS_DIRECTORY, 0755) != 0 && errno != EEXIST)
		return verdict_errno(REASON_SYSTEM_STATUS, errno);
	file->json = (struct json){ .to = fopen(NEW_FILE, "we") };
	if (!file->json.to)
		return verdict_errno(REASON_SYSTEM_STATUS, errno);
	return verdict(REASON_ACCEPTED);
}

struct verdict status_commit(struct status_file *file)
{
	FILE *to = file->json.to;
	bool failed;
	int error;

	fputc('\n', to);
	failed = fflush(to) != 0 || ferror(to);
	error = errno;
	if (fclose(to) != 0 || failed) {
		unlink(NEW_FILE);
		return verdict_errno(REASON_SYSTEM_STATUS, error);
	}
	if (rename(NEW_FILE, STATUS_FILE) != 0) {
		error = errno;
		unlink(NEW_FILE);
		return verdict_errno(REASON_SYSTEM_STATUS, error);
	}
	return verdict(REASON_ACCEPTED);
}
