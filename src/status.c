/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 64u

static struct verdict failed(void)
{
	return verdict_errno(REASON_SYSTEM_STATUS, errno);
}

static const char *put_new(const char *path, char new[PATH_SIZE])
{
	snprintf(new, PATH_SIZE, "%s.new", path);
	return new;
}

struct verdict status_begin(const char *path, struct status_file *file)
{
	char new[PATH_SIZE];

	if (mkdir(STATUS_DIRECTORY, 0755) != 0 && errno != EEXIST)
		return failed();
	*file = (struct status_file){ .path = path, .to = fopen(put_new(path, new), "we") };
	return file->to ? verdict(REASON_ACCEPTED) : failed();
}

struct verdict status_commit(struct status_file *file)
{
	char new[PATH_SIZE];
	bool good = fflush(file->to) == 0 && !ferror(file->to);
	struct verdict v = good ? verdict(REASON_ACCEPTED) : failed();

	if (fclose(file->to) != 0 && is_accepted(v))
		v = failed();
	if (is_accepted(v) && rename(put_new(file->path, new), file->path) != 0)
		v = failed();
	if (!is_accepted(v))
		(void)unlink(put_new(file->path, new));
	return v;
}

struct verdict status_write(const char *path, const char *bytes, size_t size)
{
	struct status_file file;
	struct verdict v = status_begin(path, &file);

	if (!is_accepted(v))
		return v;
	(void)fwrite(bytes, 1, size, file.to); /* what failed is asked for by the commit */
	return status_commit(&file);
}
