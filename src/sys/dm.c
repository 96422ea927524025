/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/dm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "core/text.h"
#include "sys/dm_request.h"
#include "sys/fd.h"
#include "sys/fresh.h"
#include "sys/syscalls.h"

#define NODE "/dev/dm-"
#define NODE_SIZE (sizeof(NODE) + 20)

/* ---- its name ------------------------------------------------------------------------------ */

struct verdict dm_name(enum extension_class class, const char *name, char out[TABLE_NAME_MAX])
{
	uint32_t serial;
	const struct verdict v = fresh_bytes(&serial, sizeof(serial));

	if (is_accepted(v))
		table_name(class, name, serial, out);
	return v;
}

/*
 * Made aside and then renamed, as udev does at the same time. What is aside was left by a vext that
 * was killed.
 */
struct verdict dm_link(const char *name, const struct dm_device *device)
{
	char path[DM_LINK_SIZE], aside[DM_LINK_SIZE], target[NODE_SIZE];
	struct verdict v = verdict(REASON_ACCEPTED);
	struct text text;

	text_init(&text, path, sizeof(path));
	text_str(&text, DM_LINKS);
	text_str(&text, name);
	text_init(&text, aside, sizeof(aside));
	text_str(&text, DM_LINKS DM_LINK_ASIDE);
	text_str(&text, name);
	text_init(&text, target, sizeof(target));
	text_str(&text, "../dm-");
	text_u64(&text, device->number.minor);
	(void)unlink(aside);
	if (symlink(target, aside) < 0 || rename(aside, path) < 0) {
		v = verdict_errno(REASON_KERNEL_NODE, errno);
		(void)unlink(aside);
	}
	return v;
}

/* ---- making -------------------------------------------------------------------------------- */

static struct verdict try_create(const struct dm_verity *verity, struct dm_device *device)
{
	struct request request = request_by_uuid(verity->uuid, 0);
	struct verdict v;

	memcpy(request.io.name, verity->name, strlen(verity->name) + 1);
	v = request_send(device->control, DM_DEV_CREATE, &request, REASON_KERNEL_DEVICE_MAPPER);
	if (!is_accepted(v))
		return v;
	device->number = (struct table_device){ major(request.io.dev), minor(request.io.dev) };
	memcpy(device->uuid, verity->uuid, strlen(verity->uuid) + 1);
	return v;
}

/* Its name, its UUID, and unused. True also for one that is gone by now. */
static bool remove_unused(const struct dm_verity *verity, int control)
{
	struct request request = request_by_name(verity->name);

	if (sys_ioctl(control, DM_DEV_STATUS, &request) < 0)
		return errno == ENXIO;
	if (request.io.open_count != 0 ||
	    strncmp(request.io.uuid, verity->uuid, sizeof(request.io.uuid)) != 0)
		return false;
	request = request_by_uuid(verity->uuid, 0);
	if (sys_ioctl(control, DM_DEV_REMOVE, &request) < 0)
		return errno == ENXIO;
	dm_unlink(verity->name);
	return true;
}

/* The kernel says EBUSY for a name or a UUID that is taken. */
static struct verdict create(const struct dm_verity *verity, struct dm_device *device)
{
	struct verdict v = try_create(verity, device);

	if (v.sys_errno == EBUSY && verity->replaces && remove_unused(verity, device->control))
		v = try_create(verity, device);
	if (v.sys_errno == EBUSY || v.sys_errno == EEXIST)
		v.reason = REASON_KERNEL_DEVICE_EXISTS;
	return v;
}

/* What verify_pkcs7_signature() of the kernel says of a signature, or of none where one is required. */
static bool is_about_signature(int error)
{
	return error == ENOKEY || error == EKEYREJECTED || error == EKEYREVOKED ||
	       error == EKEYEXPIRED || error == EBADMSG || error == ENOPKG;
}

static struct verdict try_load(const struct dm_verity *verity, int control)
{
	struct request request = request_by_uuid(verity->uuid, DM_READONLY_FLAG);
	struct verdict v;

	request.io.target_count = 1;
	request.target.length = verity->sectors;
	memcpy(request.target.target_type, TABLE_TARGET, sizeof(TABLE_TARGET));
	memcpy(request.text, verity->line, strlen(verity->line) + 1);
	v = request_send(control, DM_TABLE_LOAD, &request, REASON_KERNEL_VERITY);
	if (is_about_signature(v.sys_errno))
		v.reason = REASON_KERNEL_SIGNATURE;
	return v;
}

#define LOAD_TRIES_MAX 8u /* about a fifth of a second in all */

/*
 * The kernel makes a slab cache for each verity device. It lacks the memory also while the cache of
 * another device, of the same shape, is on its way out: that has let go of the lock and still has
 * its name in sysfs (mm/slab_common.c, kmem_cache_destroy(), Linux 6.0 and later, until commit
 * 2420baa8e046). So one image that goes would have another one refused.
 */
static struct verdict load(const struct dm_verity *verity, int control)
{
	struct verdict v = try_load(verity, control);

	for (unsigned i = 0; i < LOAD_TRIES_MAX && v.sys_errno == ENOMEM; i++) {
		sys_pause_before(i);
		v = try_load(verity, control);
	}
	return v;
}

/* Without DM_SUSPEND_FLAG the command resumes: the loaded table becomes the active one. */
static struct verdict resume(int control, const char *uuid)
{
	struct request request = request_by_uuid(uuid, 0);

	return request_send(control, DM_DEV_SUSPEND, &request, REASON_KERNEL_VERITY);
}

/* Does the answer hold one verity target whole? What did not fit is not there to be compared. */
static bool has_one_target(const struct request *request)
{
	return (request->io.flags & DM_BUFFER_FULL_FLAG) == 0 && request->io.target_count == 1 &&
	       request->io.data_start == offsetof(struct request, target) &&
	       memcmp(request->target.target_type, TABLE_TARGET, sizeof(TABLE_TARGET)) == 0 &&
	       memchr(request->text, '\0', sizeof(request->text)) != NULL;
}

static bool is_active_table(const struct request *request, const struct dm_verity *verity)
{
	return has_one_target(request) && (request->io.flags & DM_READONLY_FLAG) != 0 &&
	       request->target.sector_start == 0 && request->target.length == verity->sectors &&
	       strcmp(request->text, verity->line) == 0;
}

static struct verdict compare_table(const struct dm_verity *verity, int control,
				    struct table_device *number)
{
	struct request request = request_by_uuid(verity->uuid, DM_STATUS_TABLE_FLAG);
	const struct verdict v = request_send(control, DM_TABLE_STATUS, &request,
					      REASON_KERNEL_TABLE);

	if (is_accepted(v) && !is_active_table(&request, verity))
		return verdict(REASON_KERNEL_TABLE);
	*number = (struct table_device){ major(request.io.dev), minor(request.io.dev) };
	return v;
}

static struct verdict open_node(struct dm_device *device)
{
	char path[NODE_SIZE];
	struct text text;
	struct stat st;
	FD_CLEANUP int fd = -1;

	text_init(&text, path, sizeof(path));
	text_str(&text, NODE);
	text_u64(&text, device->number.minor);
	/* O_DIRECT: a read is of the device and of no more than what is asked for, without readahead. */
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return verdict_errno(REASON_KERNEL_NODE, errno);
	if (!S_ISBLK(st.st_mode) ||
	    st.st_rdev != makedev(device->number.major, device->number.minor))
		return verdict_errno(REASON_KERNEL_NODE, ENODEV);
	device->fd = fd_take(&fd);
	return verdict(REASON_ACCEPTED);
}

/*
 * Open, the device stays until it is closed, and then the kernel removes it. One that is not open
 * goes at once.
 */
static struct verdict remove_with_last_user(const struct dm_device *device)
{
	struct request request = request_by_uuid(device->uuid, DM_DEFERRED_REMOVE);

	return request_send(device->control, DM_DEV_REMOVE, &request, REASON_KERNEL_DEVICE_MAPPER);
}

/*
 * What has the UUID now has the number of what was opened then: so it is the same device, and keeps
 * that number while it is open.
 */
static struct verdict confirm(const struct dm_verity *verity, const struct dm_device *device)
{
	struct table_device number;
	const struct verdict v = compare_table(verity, device->control, &number);

	if (is_accepted(v) &&
	    (number.major != device->number.major || number.minor != device->number.minor))
		return verdict(REASON_KERNEL_TABLE);
	return v;
}

/* The node is there as soon as a table is loaded; marked before that table is in force. */
static struct verdict set_up(const struct dm_verity *verity, struct dm_device *device)
{
	struct verdict v = load(verity, device->control);

	if (is_accepted(v))
		v = open_node(device);
	if (is_accepted(v))
		v = remove_with_last_user(device);
	if (is_accepted(v))
		v = resume(device->control, verity->uuid);
	return is_accepted(v) ? confirm(verity, device) : v;
}

struct verdict dm_verity_make(const struct dm_verity *verity, struct dm_device *device)
{
	struct dm_device made = DM_DEVICE_NONE;
	struct verdict v;

	made.control = open(DM_CONTROL, O_RDWR | O_CLOEXEC);
	if (made.control < 0)
		return verdict_errno(REASON_KERNEL_DEVICE_MAPPER, errno);
	v = create(verity, &made);
	if (!is_accepted(v)) {
		dm_release(&made);
		return v;
	}
	v = set_up(verity, &made);
	if (is_accepted(v))
		*device = made;
	else
		dm_remove(&made);
	return v;
}

/* ---- checking ------------------------------------------------------------------------------ */

static struct verdict read_block(int fd, uint8_t block[VEXT_BLOCK])
{
	size_t have = 0;
	int tries = 0;

	while (have < VEXT_BLOCK) {
		const ssize_t got = pread(fd, block + have, VEXT_BLOCK - have, (off_t)have);

		if (got < 0 && fd_interrupted(&tries))
			continue;
		if (got <= 0)
			return verdict_errno(REASON_KERNEL_CORRUPT, got < 0 ? errno : EIO);
		have += (size_t)got;
	}
	return verdict(REASON_ACCEPTED);
}

/* "V", and in newer kernels a count of corrected blocks or a dash behind it. */
static bool is_verified(const struct request *request)
{
	return has_one_target(request) && request->text[0] == 'V' &&
	       (request->text[1] == '\0' || request->text[1] == ' ');
}

static struct verdict check_status(int control, const char *uuid)
{
	struct request request = request_by_uuid(uuid, 0);
	struct verdict v = request_send(control, DM_TABLE_STATUS, &request, REASON_KERNEL_CORRUPT);

	if (is_accepted(v) && !is_verified(&request))
		return verdict(REASON_KERNEL_CORRUPT);
	return v;
}

struct verdict dm_verity_check(const struct dm_device *device, uint8_t block[VEXT_BLOCK])
{
	struct verdict v = read_block(device->fd, block);

	return is_accepted(v) ? check_status(device->control, device->uuid) : v;
}

struct verdict dm_verity_confirm(const struct dm_verity *verity, struct table_device *number)
{
	FD_CLEANUP int control = open(DM_CONTROL, O_RDWR | O_CLOEXEC);
	struct verdict v;

	if (control < 0)
		return verdict_errno(REASON_KERNEL_DEVICE_MAPPER, errno);
	v = compare_table(verity, control, number);
	return is_accepted(v) ? check_status(control, verity->uuid) : v;
}

/* ---- a device of others -------------------------------------------------------------------- */

/* One target from the first sector on, read-only, active, and still calling itself verified. */
static bool is_live(const struct request *request)
{
	return (request->io.flags & DM_READONLY_FLAG) != 0 &&
	       (request->io.flags & DM_ACTIVE_PRESENT_FLAG) != 0 &&
	       (request->io.flags & DM_SUSPEND_FLAG) == 0 && request->target.sector_start == 0;
}

struct verdict dm_verity_read(struct table_device number, char line[TABLE_LINE_MAX])
{
	FD_CLEANUP int control = open(DM_CONTROL, O_RDWR | O_CLOEXEC);
	struct request status = request_for(0);
	struct request table = request_for(DM_STATUS_TABLE_FLAG);
	struct verdict v;

	if (control < 0)
		return verdict_errno(REASON_KERNEL_DEVICE_MAPPER, errno);
	/* It need not have a UUID; being mounted, it keeps its number. */
	status.io.dev = table.io.dev = makedev(number.major, number.minor);
	v = request_send(control, DM_TABLE_STATUS, &status, REASON_KERNEL_VERITY);
	if (is_accepted(v))
		v = request_send(control, DM_TABLE_STATUS, &table, REASON_KERNEL_VERITY);
	if (!is_accepted(v))
		return v;
	if (!is_verified(&status) || !has_one_target(&table) || !is_live(&table))
		return verdict(REASON_KERNEL_VERITY);
	memcpy(line, table.text, sizeof(table.text));
	return v;
}

/* ---- another table ------------------------------------------------------------------------- */

/* What is there is what is meant, in all but how it is to be checked; and nothing bad was read so far. */
static struct verdict check_before(const struct dm_verity *verity, int control)
{
	struct request table = request_by_uuid(verity->uuid, DM_STATUS_TABLE_FLAG);
	struct verdict v = request_send(control, DM_TABLE_STATUS, &table, REASON_KERNEL_TABLE);

	if (!is_accepted(v))
		return v;
	if (!has_one_target(&table) || !is_live(&table) || table.target.length != verity->sectors ||
	    !table_differs_in_options_only(table.text, verity->line))
		return verdict(REASON_KERNEL_TABLE);
	return check_status(control, verity->uuid);
}

/*
 * The table that was loaded goes. Where making it the active one failed half-way the device is suspended with the old
 * one: without another to take it resumes with that.
 */
static void keep_table(const struct dm_verity *verity, int control)
{
	struct request request = request_by_uuid(verity->uuid, 0);

	(void)sys_ioctl(control, DM_TABLE_CLEAR, &request);
	(void)resume(control, verity->uuid);
}

/*
 * Resuming with a table loaded suspends first, if need be: what is being read comes to its end, the file system, which
 * is read-only and so has nothing to write, is frozen for that moment. No flag is needed to spare it that.
 */
struct verdict dm_verity_reload(const struct dm_verity *verity)
{
	FD_CLEANUP int control = open(DM_CONTROL, O_RDWR | O_CLOEXEC);
	struct table_device number;
	struct verdict v;

	if (control < 0)
		return verdict_errno(REASON_KERNEL_DEVICE_MAPPER, errno);
	v = check_before(verity, control);
	if (!is_accepted(v))
		return v;
	v = load(verity, control);
	if (is_accepted(v))
		v = resume(control, verity->uuid);
	if (!is_accepted(v)) {
		keep_table(verity, control);
		return v;
	}
	v = compare_table(verity, control, &number);
	return is_accepted(v) ? check_status(control, verity->uuid) : v;
}

/* ---- one that stays ------------------------------------------------------------------------ */

/*
 * The device mapper's own message, and none to the target. As the kernel lays it out the words
 * stand 8 bytes behind the start of the data, where the sector is that it would be for: the last
 * bytes of the target's type, which is not given.
 */
static struct verdict unmark(const struct dm_device *device)
{
	static const char message[] = "@cancel_deferred_remove";
	struct request request = request_by_uuid(device->uuid, 0);

	request.io.data_start = offsetof(struct request, text) - sizeof(struct dm_target_msg);
	memcpy(request.text, message, sizeof(message));
	return request_send(device->control, DM_TARGET_MSG, &request, REASON_KERNEL_DEVICE_MAPPER);
}

struct verdict dm_keep(const char *name, const struct dm_device *device)
{
	struct verdict v = dm_link(name, device);

	if (!is_accepted(v))
		return v;
	v = unmark(device);
	if (!is_accepted(v))
		dm_unlink(name);
	return v;
}

/* ---- letting go ---------------------------------------------------------------------------- */

void dm_release(struct dm_device *device)
{
	fd_close(&device->fd);
	fd_close(&device->control);
}

/*
 * Before it is closed: while it is open its number is its own, and the kernel removes it when it is closed. One that
 * was never opened goes at once. Nothing can be done about a failure here.
 */
void dm_remove(struct dm_device *device)
{
	if (device->control >= 0)
		(void)remove_with_last_user(device);
	dm_release(device);
}
