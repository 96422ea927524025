/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/dm.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "core/text.h"
#include "sys/fd.h"
#include "sys/syscalls.h"

#define CONTROL "/dev/" DM_DIR "/" DM_CONTROL_NODE
#define NODE "/dev/dm-"
#define NODE_SIZE (sizeof(NODE) + 20)

_Static_assert(TABLE_NAME_MAX <= DM_NAME_LEN, "every name fits");
_Static_assert(TABLE_UUID_MAX == DM_UUID_LEN, "a UUID is as long as the kernel has it");

/* One buffer for question and answer, as the kernel lays both out: header, one target, its text. */
struct request {
	struct dm_ioctl io;
	struct dm_target_spec target;
	char text[TABLE_LINE_MAX];
};

_Static_assert(offsetof(struct request, target) == sizeof(struct dm_ioctl), "no gap");
_Static_assert(offsetof(struct request, text) ==
		       sizeof(struct dm_ioctl) + sizeof(struct dm_target_spec),
	       "no gap");

static struct request request_for(uint32_t flags)
{
	struct request request = {
		.io = { .version = { DM_VERSION_MAJOR, 0, 0 },
			.data_size = sizeof(struct request),
			.data_start = sizeof(struct dm_ioctl),
			.flags = flags },
	};

	return request;
}

/* By number and not by name: what was created is what is asked about. */
static struct request request_about(const struct dm_device *device, uint32_t flags)
{
	struct request request = request_for(flags);

	request.io.dev = makedev(device->number.major, device->number.minor);
	return request;
}

/* What somebody else may remove meanwhile: its number may then be another's, its UUID may not. */
static struct request request_by_uuid(const char *uuid, uint32_t flags)
{
	struct request request = request_for(flags);

	memcpy(request.io.uuid, uuid, strlen(uuid) + 1);
	return request;
}

static struct verdict ask(int control, unsigned long command, struct request *request,
			  enum reason failure)
{
	if (sys_ioctl(control, command, request) < 0)
		return verdict_errno(failure, errno);
	return verdict(REASON_ACCEPTED);
}

/* ---- its name ------------------------------------------------------------------------------ */

#define LINK_DIRECTORY "/dev/" DM_DIR "/"
#define LINK_SIZE (sizeof(LINK_DIRECTORY) + DM_NAME_LEN)

static void link_path(const char *name, char path[LINK_SIZE])
{
	struct text text;

	text_init(&text, path, LINK_SIZE);
	text_str(&text, LINK_DIRECTORY);
	text_str(&text, name);
}

/*
 * Made aside and then renamed, as udev does at the same time. Nobody else has this number while the device is
 * open; what has the name already was left by a vext that was killed.
 */
struct verdict dm_link(const char *name, const struct dm_device *device)
{
	char path[LINK_SIZE], aside[LINK_SIZE], target[NODE_SIZE];
	struct verdict v = verdict(REASON_ACCEPTED);
	struct text text;

	link_path(name, path);
	text_init(&text, aside, sizeof(aside));
	text_str(&text, LINK_DIRECTORY ".vext-");
	text_u64(&text, device->number.minor);
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

/* Where there is udev, it may be gone already. */
static void dm_unlink(const char *name)
{
	char path[LINK_SIZE];

	link_path(name, path);
	(void)unlink(path);
}

/* ---- making -------------------------------------------------------------------------------- */

static struct verdict try_create(const struct dm_verity *verity, struct dm_device *device)
{
	struct request request = request_for(0);
	struct verdict v;

	memcpy(request.io.name, verity->name, strlen(verity->name) + 1);
	memcpy(request.io.uuid, verity->uuid, strlen(verity->uuid) + 1);
	v = ask(device->control, DM_DEV_CREATE, &request, REASON_KERNEL_DEVICE_MAPPER);
	if (!is_accepted(v))
		return v;
	device->number = (struct table_device){ major(request.io.dev), minor(request.io.dev) };
	return v;
}

/*
 * Left by a vext that was killed between making and opening it: its name, its UUID, and unused. True also for one
 * that is gone by now.
 */
static bool remove_leftover(const struct dm_verity *verity, int control)
{
	struct request request = request_for(0);

	memcpy(request.io.name, verity->name, strlen(verity->name) + 1);
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

	if (v.sys_errno == EBUSY && remove_leftover(verity, device->control))
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

/* `request` says which device. */
static struct verdict load(const struct dm_verity *verity, int control, struct request request)
{
	struct verdict v;

	request.io.flags |= DM_READONLY_FLAG;
	request.io.target_count = 1;
	request.target.length = verity->sectors;
	memcpy(request.target.target_type, TABLE_TARGET, sizeof(TABLE_TARGET));
	memcpy(request.text, verity->line, strlen(verity->line) + 1);
	v = ask(control, DM_TABLE_LOAD, &request, REASON_KERNEL_VERITY);
	if (is_about_signature(v.sys_errno))
		v.reason = REASON_KERNEL_SIGNATURE;
	return v;
}

/* Without DM_SUSPEND_FLAG the command resumes: the loaded table becomes the active one. */
static struct verdict resume(int control, struct request request)
{
	return ask(control, DM_DEV_SUSPEND, &request, REASON_KERNEL_VERITY);
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
				    struct request request)
{
	struct verdict v;

	request.io.flags |= DM_STATUS_TABLE_FLAG;
	v = ask(control, DM_TABLE_STATUS, &request, REASON_KERNEL_TABLE);
	if (is_accepted(v) && !is_active_table(&request, verity))
		return verdict(REASON_KERNEL_TABLE);
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

/* Open, the device stays until it is closed, and then the kernel removes it. */
static struct verdict remove_with_last_user(const struct dm_device *device)
{
	struct request request = request_about(device, DM_DEFERRED_REMOVE);

	return ask(device->control, DM_DEV_REMOVE, &request, REASON_KERNEL_DEVICE_MAPPER);
}

static struct verdict set_up(const struct dm_verity *verity, struct dm_device *device)
{
	const struct request about = request_about(device, 0);
	struct verdict v = load(verity, device->control, about);

	if (is_accepted(v))
		v = resume(device->control, about);
	if (is_accepted(v))
		v = open_node(device);
	if (is_accepted(v) && !verity->stays)
		v = remove_with_last_user(device);
	if (is_accepted(v))
		v = compare_table(verity, device->control, about);
	return v;
}

struct verdict dm_verity_make(const struct dm_verity *verity, struct dm_device *device)
{
	struct dm_device made = DM_DEVICE_NONE;
	struct verdict v;

	made.control = open(CONTROL, O_RDWR | O_CLOEXEC);
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

bool dm_is_named_by_vext(const char *name)
{
	struct request request = request_for(0);
	FD_CLEANUP int control = open(CONTROL, O_RDWR | O_CLOEXEC);

	memcpy(request.io.name, name, strlen(name) + 1);
	if (control < 0 || sys_ioctl(control, DM_DEV_STATUS, &request) < 0)
		return false;
	request.io.uuid[sizeof(request.io.uuid) - 1] = '\0';
	return table_is_uuid_of(request.io.uuid, name);
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

static struct verdict check_status(int control, struct request request)
{
	struct verdict v = ask(control, DM_TABLE_STATUS, &request, REASON_KERNEL_CORRUPT);

	if (is_accepted(v) && !is_verified(&request))
		return verdict(REASON_KERNEL_CORRUPT);
	return v;
}

struct verdict dm_verity_check(const struct dm_device *device, uint8_t block[VEXT_BLOCK])
{
	struct verdict v = read_block(device->fd, block);

	return is_accepted(v) ? check_status(device->control, request_about(device, 0)) : v;
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
	FD_CLEANUP int control = open(CONTROL, O_RDWR | O_CLOEXEC);
	const struct dm_device device = { .control = control, .fd = -1, .number = number };
	struct request status = request_about(&device, 0);
	struct request table = request_about(&device, DM_STATUS_TABLE_FLAG);
	struct verdict v;

	if (control < 0)
		return verdict_errno(REASON_KERNEL_DEVICE_MAPPER, errno);
	v = ask(control, DM_TABLE_STATUS, &status, REASON_KERNEL_VERITY);
	if (is_accepted(v))
		v = ask(control, DM_TABLE_STATUS, &table, REASON_KERNEL_VERITY);
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
	struct verdict v = ask(control, DM_TABLE_STATUS, &table, REASON_KERNEL_TABLE);

	if (!is_accepted(v))
		return v;
	if (!has_one_target(&table) || !is_live(&table) || table.target.length != verity->sectors ||
	    !table_differs_in_options_only(table.text, verity->line))
		return verdict(REASON_KERNEL_TABLE);
	return check_status(control, request_by_uuid(verity->uuid, 0));
}

/*
 * The table that was loaded goes. Where making it the active one failed half-way the device is suspended with the old
 * one: without another to take it resumes with that.
 */
static void keep_table(const struct dm_verity *verity, int control)
{
	struct request request = request_by_uuid(verity->uuid, 0);

	(void)sys_ioctl(control, DM_TABLE_CLEAR, &request);
	(void)resume(control, request_by_uuid(verity->uuid, 0));
}

/*
 * Resuming with a table loaded suspends first, if need be: what is being read comes to its end, the file system, which
 * is read-only and so has nothing to write, is frozen for that moment. No flag is needed to spare it that.
 */
struct verdict dm_verity_reload(const struct dm_verity *verity)
{
	FD_CLEANUP int control = open(CONTROL, O_RDWR | O_CLOEXEC);
	const struct request about = request_by_uuid(verity->uuid, 0);
	struct verdict v;

	if (control < 0)
		return verdict_errno(REASON_KERNEL_DEVICE_MAPPER, errno);
	v = check_before(verity, control);
	if (!is_accepted(v))
		return v;
	v = load(verity, control, about);
	if (is_accepted(v))
		v = resume(control, about);
	if (!is_accepted(v)) {
		keep_table(verity, control);
		return v;
	}
	v = compare_table(verity, control, about);
	return is_accepted(v) ? check_status(control, about) : v;
}

/* ---- one that stays ------------------------------------------------------------------------ */

static bool has_our_uuid(const char *uuid, const char *name)
{
	static const uint8_t nothing[VEXT_HASH_SIZE];
	char ours[TABLE_UUID_MAX];
	const size_t tail = strlen(name) + 1;
	size_t head;

	table_uuid(nothing, name, ours);
	head = strlen(ours) - tail - (size_t)2 * 16; /* before the digits of the root hash */
	return strlen(uuid) == strlen(ours) && memcmp(uuid, ours, head) == 0 &&
	       memcmp(uuid + strlen(ours) - tail, ours + strlen(ours) - tail, tail) == 0;
}

static struct verdict find(int control, const char *name, char uuid[TABLE_UUID_MAX])
{
	struct request request = request_for(0);

	memcpy(request.io.name, name, strlen(name) + 1);
	if (sys_ioctl(control, DM_DEV_STATUS, &request) < 0)
		return errno == ENXIO ? verdict(REASON_KERNEL_NOT_ATTACHED) :
					verdict_errno(REASON_KERNEL_DEVICE_MAPPER, errno);
	if (memchr(request.io.uuid, '\0', sizeof(request.io.uuid)) == NULL ||
	    !has_our_uuid(request.io.uuid, name))
		return verdict(REASON_KERNEL_NOT_ATTACHED);
	memcpy(uuid, request.io.uuid, sizeof(request.io.uuid));
	return verdict(REASON_ACCEPTED);
}

struct verdict dm_verity_detach(const char *name)
{
	static const struct timespec pause = { .tv_nsec = 50000000 };
	FD_CLEANUP int control = open(CONTROL, O_RDWR | O_CLOEXEC);
	char uuid[TABLE_UUID_MAX];
	struct verdict v;

	if (control < 0)
		return verdict_errno(REASON_KERNEL_DEVICE_MAPPER, errno);
	v = find(control, name, uuid);
	if (!is_accepted(v))
		return v;
	for (unsigned i = 0; i < VEXT_TRIES_MAX; i++) {
		struct request request = request_by_uuid(uuid, 0);

		v = ask(control, DM_DEV_REMOVE, &request, REASON_KERNEL_DEVICE_MAPPER);
		if (is_accepted(v))
			dm_unlink(name);
		if (v.sys_errno != EBUSY)
			return v;
		(void)nanosleep(&pause, NULL);
	}
	return verdict(REASON_KERNEL_IN_USE);
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
