/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/dm_request.h"

#include <errno.h>
#include <string.h>

#include "core/text.h"
#include "sys/syscalls.h"

struct request request_for(uint32_t flags)
{
	struct request request = {
		.io = { .version = { DM_VERSION_MAJOR, 0, 0 },
			.data_size = sizeof(struct request),
			.data_start = sizeof(struct dm_ioctl),
			.flags = flags },
	};

	return request;
}

struct request request_by_uuid(const char *uuid, uint32_t flags)
{
	struct request request = request_for(flags);

	memcpy(request.io.uuid, uuid, strlen(uuid) + 1);
	return request;
}

struct request request_by_name(const char *name)
{
	struct request request = request_for(0);

	memcpy(request.io.name, name, strlen(name) + 1);
	return request;
}

struct verdict request_send(int control, unsigned long command, struct request *request,
			    enum reason failure)
{
	if (sys_ioctl(control, command, request) < 0)
		return verdict_errno(failure, errno);
	return verdict(REASON_ACCEPTED);
}

void dm_unlink(const char *name)
{
	char path[DM_LINK_SIZE];
	struct text text;

	text_init(&text, path, sizeof(path));
	text_str(&text, DM_LINKS);
	text_str(&text, name);
	(void)unlink(path);
}
