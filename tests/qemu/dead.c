/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that stops answering, and answers again, for guests that have no dmsetup.
 *
 *   dead create NAME DEVICE   a device of dm over all of DEVICE; prints its path
 *   dead stop NAME            whoever reads or writes waits from now on
 *   dead answer NAME
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct request {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char line[256];
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "dead: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void ask(unsigned long call, const char *name, uint32_t flags, struct request *request)
{
	static int control = -1;

	request->head.version[0] = DM_VERSION_MAJOR;
	request->head.data_size = sizeof(*request);
	request->head.data_start = offsetof(struct request, target);
	request->head.flags = flags;
	snprintf(request->head.name, sizeof(request->head.name), "%s", name);
	if (control < 0)
		control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (control < 0 || ioctl(control, call, request) < 0)
		die(name);
}

static void suspend(const char *name, uint32_t flags)
{
	struct request request = { 0 };

	ask(DM_DEV_SUSPEND, name, flags, &request);
}

static uint64_t sectors_of(const char *device)
{
	const int fd = open(device, O_RDONLY | O_CLOEXEC);
	uint64_t bytes;

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &bytes) < 0)
		die(device);
	close(fd);
	return bytes / 512;
}

static void create(const char *name, const char *device)
{
	struct request made = { 0 }, loaded = { 0 };

	ask(DM_DEV_CREATE, name, 0, &made);
	loaded.head.target_count = 1;
	loaded.target.length = sectors_of(device);
	strcpy(loaded.target.target_type, "linear");
	snprintf(loaded.line, sizeof(loaded.line), "%s 0", device);
	ask(DM_TABLE_LOAD, name, 0, &loaded);
	suspend(name, 0);
	printf("/dev/dm-%u\n", minor(made.head.dev));
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "create") == 0)
		create(argv[2], argv[3]);
	else if (argc == 3 && strcmp(argv[1], "stop") == 0)
		suspend(argv[2], DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG);
	else if (argc == 3 && strcmp(argv[1], "answer") == 0)
		suspend(argv[2], 0);
	else
		return 2;
	return 0;
}
