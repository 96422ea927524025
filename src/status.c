/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"
#include "sys/fresh.h"
#include "sys/listing.h"

#define ASIDE "new-" /* and 16 hexadecimal digits, in STATUS_DIRECTORY */

static struct verdict failed(void)
{
	return verdict_errno(REASON_SYSTEM_STATUS, errno);
}

static struct verdict put_aside(struct status_file *file)
{
	uint8_t bytes[8];
	struct text text;
	const struct verdict v = fresh_bytes(bytes, sizeof(bytes));

	text_init(&text, file->aside, sizeof(file->aside));
	text_str(&text, STATUS_DIRECTORY "/" ASIDE);
	text_hex(&text, bytes, sizeof(bytes));
	return v;
}

struct verdict status_begin(const char *path, struct status_file *file)
{
	struct verdict v;

	if (mkdir(STATUS_DIRECTORY, 0755) != 0 && errno != EEXIST)
		return failed();
	*file = (struct status_file){ .path = path };
	v = put_aside(file);
	if (!is_accepted(v))
		return v;
	file->to = fopen(file->aside, "wxe");
	return file->to ? v : failed();
}

struct verdict status_commit(struct status_file *file)
{
	bool good = fflush(file->to) == 0 && !ferror(file->to);
	struct verdict v = good ? verdict(REASON_ACCEPTED) : failed();

	if (fclose(file->to) != 0 && is_accepted(v))
		v = failed();
	if (is_accepted(v) && rename(file->aside, file->path) != 0)
		v = failed();
	if (!is_accepted(v))
		(void)unlink(file->aside);
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

static bool is_aside(void *ctx, const char *name)
{
	(void)ctx;
	return strncmp(name, ASIDE, strlen(ASIDE)) == 0;
}

void status_sweep(void)
{
	listing_unlink(STATUS_DIRECTORY, is_aside, NULL);
}
