/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/disk.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "core/piece.h"
#include "core/text.h"
#include "sys/fd.h"
#include "sys/listing.h"
#include "sys/worker.h"

#define BLOCK_DEVICES "/sys/class/block"
#define ABOUT_SIZE 2048 /* bytes; the kernel has no more for all of a uevent */
#define PATH_SIZE 512u
#define UEVENT_GROUP 1u	   /* the kernel's; 2 is udev's */
#define LOOK_EVERY_MS 1000 /* milliseconds, whatever the kernel tells */
#define LOOK_ALONE_MS 100  /* … where it can't tell */
#define PAUSE_MS 10	   /* after each word of it: they come in swarms */
#define SWARM_MAX 1024	   /* words read at once */

/* ---- one look ------------------------------------------------------------------------------ */

static struct verdict open_node(const char *path, const char *name, struct disk *disk)
{
	struct disk found = DISK_NONE;
	struct stat st;
	struct verdict v = image_open_path(path, name, &found.image);

	/* No node, or a device that has no size yet: what is not ready may become so. */
	if (v.sys_errno == ENOENT || v.sys_errno == ENXIO || v.reason == REASON_IMAGE_EMPTY)
		return verdict_errno(REASON_OPEN_MISSING, v.sys_errno);
	if (!is_accepted(v))
		return v;
	if (fstat(found.image.fd, &st) < 0 || !S_ISBLK(st.st_mode)) {
		image_close(&found.image);
		return verdict(REASON_IMAGE_TYPE);
	}
	found.device = (struct table_device){ major(st.st_rdev), minor(st.st_rdev) };
	*disk = found;
	return v;
}

/* One look at all devices. */
struct search {
	const struct open_place *place;
	const char *name;
	disk_table_reader *read_table;
	int directory;
	struct listing devices;
	uint32_t count;	   /* of partitions that are wanted */
	const char *found; /* the last one of them */
};

/* A file that the kernel keeps about a device, as text; nothing where it says nothing or too much. */
static struct piece read_about(const struct search *search, const char *device, const char *file,
			       char bytes[ABOUT_SIZE])
{
	char path[PATH_SIZE];
	FD_CLEANUP int fd = -1;
	struct text text;
	ssize_t size;

	text_init(&text, path, sizeof(path));
	text_str(&text, device);
	text_char(&text, '/');
	text_str(&text, file);
	fd = text_ok(&text) ? openat(search->directory, path, O_RDONLY | O_CLOEXEC) : -1;
	size = fd < 0 ? -1 : read(fd, bytes, ABOUT_SIZE);
	return (struct piece){ .bytes = bytes,
			       .size = size > 0 && size < ABOUT_SIZE ? (size_t)size : 0 };
}

/* The value of a line KEY=VALUE; nothing without one. */
static struct piece value_of(struct piece lines, const char *key)
{
	struct piece line, name;
	bool has_more = lines.size > 0;

	while (has_more) {
		has_more = piece_cut(&lines, '\n', &line);
		if (piece_cut(&line, '=', &name) && piece_is(name, key))
			return line;
	}
	return (struct piece){ 0 };
}

static struct verdict open_device(const struct search *search, const char *device,
				  struct disk *disk)
{
	char uevent[ABOUT_SIZE], path[PATH_SIZE];
	const struct piece node = value_of(read_about(search, device, "uevent", uevent), "DEVNAME");
	struct text text;

	text_init(&text, path, sizeof(path));
	text_str(&text, "/dev/");
	text_bytes(&text, node.bytes, node.size);
	if (node.size == 0 || !text_ok(&text))
		return verdict(REASON_OPEN_MISSING);
	return open_node(path, search->name, disk);
}

static void note(struct search *search, const char *device)
{
	search->found = device;
	search->count++;
}

/* By what the kernel tells of each. Does it tell such a thing of any? */
static bool ask_kernel(struct search *search)
{
	const char *key = search->place->by == OPEN_BY_PARTUUID ? "PARTUUID" : "PARTNAME";
	bool tells = search->place->by == OPEN_BY_PARTLABEL;
	char uevent[ABOUT_SIZE];

	for (size_t i = 0; i < search->devices.count; i++) {
		const char *device = search->devices.names[i];
		const struct piece value = value_of(read_about(search, device, "uevent", uevent),
						    key);

		tells = tells || value.size > 0;
		if (value.size > 0 && piece_is(value, search->place->text))
			note(search, device);
	}
	return tells;
}

/* The partition that starts there is a directory of the disk's. */
static void note_part(struct search *search, const char *disk, uint64_t start)
{
	char file[PATH_SIZE], bytes[ABOUT_SIZE];
	struct text text;
	uint64_t sector;

	for (size_t i = 0; i < search->devices.count; i++) {
		text_init(&text, file, sizeof(file));
		text_str(&text, search->devices.names[i]);
		text_str(&text, "/start");
		if (piece_number(piece_strip(read_about(search, disk, file, bytes)),
				 UINT64_MAX / TABLE_SECTOR, &sector) &&
		    sector * TABLE_SECTOR == start)
			note(search, search->devices.names[i]);
	}
}

static void ask_tables(struct search *search)
{
	char uevent[ABOUT_SIZE];
	struct disk disk;
	uint64_t start;
	uint32_t count;

	for (size_t i = 0; i < search->devices.count; i++) {
		const char *device = search->devices.names[i];

		if (!piece_is(value_of(read_about(search, device, "uevent", uevent), "DEVTYPE"),
			      "disk") ||
		    !is_accepted(open_device(search, device, &disk)))
			continue;
		worker_tick();
		count = search->read_table(&disk.image, search->place->text, &start);
		image_close(&disk.image);
		if (count > 0)
			note_part(search, device, start);
		search->count += count > 1 ? count - 1 : 0;
	}
}

static struct verdict look_around(struct search *search, struct disk *disk)
{
	size_t left_out = 0;
	struct verdict v = listing_read(search->directory, SIZE_MAX, NULL, &search->devices,
					&left_out);

	if (is_accepted(v) && !ask_kernel(search))
		ask_tables(search);
	if (!is_accepted(v))
		return v;
	if (search->count > 1)
		return verdict(REASON_OPEN_AMBIGUOUS);
	if (search->count == 0)
		return verdict(REASON_OPEN_MISSING);
	return open_device(search, search->found, disk);
}

static struct verdict look(const struct open_place *place, const char *name,
			   disk_table_reader *read_table, struct disk *disk)
{
	struct search search = { .place = place, .name = name, .read_table = read_table };
	struct verdict v;

	if (place->by == OPEN_BY_PATH)
		return open_node(place->text, name, disk);
	search.directory = open(BLOCK_DEVICES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (search.directory < 0)
		return verdict_errno(REASON_SYSTEM_READ, errno);
	v = look_around(&search, disk);
	listing_free(&search.devices);
	fd_close(&search.directory);
	return v;
}

/* ---- waiting ------------------------------------------------------------------------------- */

/* Without a clock all time is over. */
static uint64_t now_ms(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_BOOTTIME, &t) != 0)
		return UINT64_MAX;
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* -1 where there is none: then it is looked more often. What it tells is not read, only that it does. */
static int listen_to_kernel(void)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = UEVENT_GROUP };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		fd_close(&fd);
	return fd;
}

static void wait_for_kernel(int fd, uint64_t left_ms)
{
	const uint64_t most = fd < 0 ? LOOK_ALONE_MS : LOOK_EVERY_MS;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	worker_tick();
	if (poll(&p, 1, (int)(left_ms < most ? left_ms : most)) <= 0)
		return;
	(void)poll(NULL, 0, PAUSE_MS);
	for (int i = 0; i < SWARM_MAX && recv(fd, &byte, sizeof(byte), MSG_TRUNC) > 0; i++)
		;
}

struct verdict disk_find(const struct open_place *place, const char *name, uint32_t seconds,
			 disk_table_reader *read_table, struct disk *disk)
{
	const uint64_t start = now_ms(), end = start + (uint64_t)seconds * 1000;
	FD_CLEANUP int fd = seconds == 0 ? -1 : listen_to_kernel(); /* before the first look */
	struct verdict v = look(place, name, read_table, disk);

	for (uint64_t now = start; v.reason == REASON_OPEN_MISSING && now < end; now = now_ms()) {
		wait_for_kernel(fd, end - now);
		v = look(place, name, read_table, disk);
	}
	return v;
}
