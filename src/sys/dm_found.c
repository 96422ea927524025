/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/dm_found.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "sys/dm_request.h"
#include "sys/fd.h"
#include "sys/listing.h"
#include "sys/syscalls.h"

#define LIST_SIZE 262144u			    /* bytes, for at least 1500 devices */
#define MISC_DEVICE "/sys/class/misc/device-mapper" /* of the kernel's device mapper */

/* ---- looking ------------------------------------------------------------------------------- */

struct list {
	struct dm_ioctl io;
	char records[LIST_SIZE];
};

static bool ends(const char *bytes, size_t size)
{
	return memchr(bytes, '\0', size) != NULL;
}

/*
 * What the kernel says of the device of this name; false if it is not vext's, or not there any
 * more.
 */
static bool look(int control, const char *name, struct dm_found *found)
{
	struct request request = request_by_name(name);

	if (sys_ioctl(control, DM_DEV_STATUS, &request) < 0 ||
	    !ends(request.io.uuid, sizeof(request.io.uuid)) ||
	    !table_is_uuid_of(request.io.uuid, name))
		return false;
	*found = (struct dm_found){
		.number = { major(request.io.dev), minor(request.io.dev) },
		.is_active = (request.io.flags & DM_ACTIVE_PRESENT_FLAG) != 0,
		.is_used = request.io.open_count != 0,
		.goes = (request.io.flags & DM_DEFERRED_REMOVE) != 0,
	};
	memcpy(found->name, name, strlen(name) + 1);
	memcpy(found->uuid, request.io.uuid, sizeof(found->uuid));
	return true;
}

/* Only names are taken from the list; older kernels have no UUIDs in it. */
static void tell_each(int control, const struct list *list,
		      void (*tell)(void *ctx, const struct dm_found *found), void *ctx)
{
	const char *start = (const char *)list;
	size_t at = list->io.data_start;
	struct dm_name_list record;
	struct dm_found found;

	do {
		const char *name = start + at + offsetof(struct dm_name_list, name);

		if (at > sizeof(*list) - sizeof(record))
			return;
		memcpy(&record, start + at, sizeof(record));
		if (record.dev != 0 && ends(name, (size_t)(start + sizeof(*list) - name)) &&
		    table_is_name_of(name, NULL) && look(control, name, &found))
			tell(ctx, &found);
		at += record.next;
	} while (record.next != 0);
}

struct verdict dm_each(void (*tell)(void *ctx, const struct dm_found *found), void *ctx)
{
	static struct list list; /* zeroed, not initialised: the file need not hold it */
	FD_CLEANUP int control = open(DM_CONTROL, O_RDWR | O_CLOEXEC);

	list.io = request_for(0).io;
	list.io.data_size = sizeof(list);
	if (control < 0 || sys_ioctl(control, DM_LIST_DEVICES, &list) < 0)
		return verdict_errno(REASON_KERNEL_DEVICE_MAPPER, errno);
	if ((list.io.flags & DM_BUFFER_FULL_FLAG) != 0)
		return verdict_errno(REASON_KERNEL_DEVICE_MAPPER, ENOBUFS);
	tell_each(control, &list, tell, ctx);
	return verdict(REASON_ACCEPTED);
}

/* ---- what was left ------------------------------------------------------------------------- */

static void remove_unfinished(void *ctx, const struct dm_found *found)
{
	const int *control = ctx;
	struct request request = request_by_uuid(found->uuid, 0);

	if (!found->is_active && !found->is_used)
		(void)sys_ioctl(*control, DM_DEV_REMOVE, &request);
}

/* On its way there, or with no device of its name. */
static bool is_link_left(void *ctx, const char *name)
{
	const int *control = ctx;
	struct request request;

	if (strncmp(name, DM_LINK_ASIDE, strlen(DM_LINK_ASIDE)) == 0)
		return true;
	if (!table_is_name_of(name, NULL))
		return false;
	request = request_by_name(name);
	return sys_ioctl(*control, DM_DEV_STATUS, &request) < 0 && errno == ENXIO;
}

/* Opening the node would load the module. */
void dm_sweep(void)
{
	FD_CLEANUP int control = -1;

	if (access(MISC_DEVICE, F_OK) < 0)
		return;
	control = open(DM_CONTROL, O_RDWR | O_CLOEXEC);
	if (control < 0)
		return;
	(void)dm_each(remove_unfinished, &control);
	listing_unlink(DM_LINKS, is_link_left, &control);
}

/* ---- one that stays ------------------------------------------------------------------------ */

static struct verdict find(int control, const char *name, char uuid[TABLE_UUID_MAX])
{
	struct request request = request_by_name(name);

	if (sys_ioctl(control, DM_DEV_STATUS, &request) < 0)
		return errno == ENXIO ? verdict(REASON_KERNEL_NOT_ATTACHED) :
					verdict_errno(REASON_KERNEL_DEVICE_MAPPER, errno);
	if (!ends(request.io.uuid, sizeof(request.io.uuid)) ||
	    !table_is_uuid_of(request.io.uuid, name))
		return verdict(REASON_KERNEL_NOT_ATTACHED);
	memcpy(uuid, request.io.uuid, sizeof(request.io.uuid));
	return verdict(REASON_ACCEPTED);
}

struct verdict dm_verity_detach(const char *name)
{
	static const struct timespec pause = { .tv_nsec = 50000000 };
	FD_CLEANUP int control = open(DM_CONTROL, O_RDWR | O_CLOEXEC);
	char uuid[TABLE_UUID_MAX];
	struct verdict v;

	if (control < 0)
		return verdict_errno(REASON_KERNEL_DEVICE_MAPPER, errno);
	v = find(control, name, uuid);
	if (!is_accepted(v))
		return v;
	for (unsigned i = 0; i < VEXT_TRIES_MAX; i++) {
		struct request request = request_by_uuid(uuid, 0);

		v = request_send(control, DM_DEV_REMOVE, &request, REASON_KERNEL_DEVICE_MAPPER);
		if (is_accepted(v))
			dm_unlink(name);
		if (v.sys_errno != EBUSY)
			return v;
		(void)nanosleep(&pause, NULL);
	}
	return verdict(REASON_KERNEL_IN_USE);
}
