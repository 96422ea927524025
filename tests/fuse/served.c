/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system that stops answering: the files of a directory, read-only, over /dev/fuse and
 * without a library.
 *
 *   served DIRECTORY MOUNTPOINT [FILE:REQUEST:N]...
 *
 * The N-th REQUEST for FILE, and all that come after it, are read and never answered: lookup,
 * getattr, open, read, flush, or for the directory itself, whose name is ".", opendir, readdir.
 * Everything else is served on. Each request is a line on standard output before it is answered:
 * "REQUEST FILE", "hung REQUEST FILE" for those that never are. Reads go past the page cache, so
 * that each of them is seen. The kernel keeps nothing: no entry and no attribute is valid longer
 * than the answer. Ends when it is unmounted, or killed; then the kernel gives up the requests that
 * wait.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES_MAX 32
#define HANGS_MAX 8
#define READ_MAX (128 * 1024)
#define BUFFER_SIZE (READ_MAX + 4096)
#define FIRST_NODE (FUSE_ROOT_ID + 1) /* of the first file; the directory itself is FUSE_ROOT_ID */

struct hang {
	const char *file;
	const char *request;
	unsigned long at;
	unsigned long seen;
};

static char names[FILES_MAX][256];
static size_t files;
static struct hang hangs[HANGS_MAX];
static size_t hang_count;
static int directory;
static int device;
static char buffer[BUFFER_SIZE] __attribute__((aligned(8)));
static char content[READ_MAX];

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "served: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void read_names(void)
{
	DIR *listing = fdopendir(dup(directory));
	const struct dirent *entry;

	if (listing == NULL)
		die("fdopendir");
	while ((entry = readdir(listing)) != NULL)
		if (entry->d_name[0] != '.' && files < FILES_MAX)
			strcpy(names[files++], entry->d_name);
	closedir(listing);
}

static void parse_hang(char *word)
{
	struct hang *hang = &hangs[hang_count++];

	hang->file = strtok(word, ":");
	hang->request = strtok(NULL, ":");
	hang->at = strtoul(strtok(NULL, ":"), NULL, 10);
}

static void mount_it(const char *where)
{
	char options[128];

	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("/dev/fuse");
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions",
		 device);
	if (mount("served", where, "fuse", MS_NOSUID | MS_NODEV | MS_RDONLY, options) < 0)
		die(where);
}

static const char *name_of(uint64_t node)
{
	return node == FUSE_ROOT_ID ? "." : names[node - FIRST_NODE];
}

/* Tells of the request; false if it is one that is never answered. */
static bool is_answered(const char *request, const char *file)
{
	bool hung = false;

	for (size_t i = 0; i < hang_count; i++)
		if (strcmp(hangs[i].file, file) == 0 && strcmp(hangs[i].request, request) == 0 &&
		    ++hangs[i].seen >= hangs[i].at)
			hung = true;
	printf("%s%s %s\n", hung ? "hung " : "", request, file);
	fflush(stdout);
	return !hung;
}

static void answer(const struct fuse_in_header *in, int error, const void *bytes, size_t size)
{
	struct fuse_out_header out = {
		.len = (uint32_t)(sizeof(out) + size),
		.error = error,
		.unique = in->unique,
	};
	const struct iovec parts[] = { { &out, sizeof(out) }, { (void *)bytes, size } };

	/* ENOENT: who asked is gone. */
	if (writev(device, parts, size ? 2 : 1) < 0 && errno != ENOENT)
		die("answer");
}

static void take_attributes(uint64_t node, struct fuse_attr *attr)
{
	struct stat st;

	if (fstatat(directory, name_of(node), &st, 0) < 0)
		die(name_of(node));
	*attr = (struct fuse_attr){
		.ino = node,
		.size = (uint64_t)st.st_size,
		.blocks = (uint64_t)st.st_blocks,
		.mode = st.st_mode,
		.nlink = 1,
		.blksize = 4096,
	};
}

static void do_lookup(const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out out = { 0 };

	for (size_t i = 0; i < files; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		if (!is_answered("lookup", name))
			return;
		out.nodeid = FIRST_NODE + i;
		take_attributes(out.nodeid, &out.attr);
		answer(in, 0, &out, sizeof(out));
		return;
	}
	answer(in, -ENOENT, NULL, 0);
}

static void do_read(const struct fuse_in_header *in, const struct fuse_read_in *asked)
{
	int fd = openat(directory, name_of(in->nodeid), O_RDONLY | O_CLOEXEC);
	ssize_t n = pread(fd, content, asked->size < READ_MAX ? asked->size : READ_MAX,
			  (off_t)asked->offset);

	if (fd < 0 || n < 0)
		die(name_of(in->nodeid));
	close(fd);
	answer(in, 0, content, (size_t)n);
}

/* All of it at once: offset counts entries. */
static void do_readdir(const struct fuse_in_header *in, const struct fuse_read_in *asked)
{
	size_t used = 0;

	for (size_t i = asked->offset; i < files; i++) {
		struct fuse_dirent entry = {
			.ino = FIRST_NODE + i,
			.off = i + 1,
			.namelen = (uint32_t)strlen(names[i]),
			.type = DT_REG,
		};
		size_t size = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + entry.namelen);

		if (used + size > asked->size)
			break;
		memset(content + used, 0, size);
		memcpy(content + used, &entry, FUSE_NAME_OFFSET);
		memcpy(content + used + FUSE_NAME_OFFSET, names[i], entry.namelen);
		used += size;
	}
	answer(in, 0, content, used);
}

static void do_init(const struct fuse_in_header *in)
{
	const struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_write = 4096,
		.max_background = 16,
		.congestion_threshold = 12,
	};

	answer(in, 0, &out, sizeof(out));
}

static void do_getattr(const struct fuse_in_header *in)
{
	struct fuse_attr_out out = { 0 };

	take_attributes(in->nodeid, &out.attr);
	answer(in, 0, &out, sizeof(out));
}

static void do_open(const struct fuse_in_header *in)
{
	const struct fuse_open_out out = { .open_flags = FOPEN_DIRECT_IO };

	answer(in, 0, &out, sizeof(out));
}

static const char *request_name(uint32_t opcode)
{
	switch (opcode) {
	case FUSE_GETATTR:
		return "getattr";
	case FUSE_OPEN:
		return "open";
	case FUSE_READ:
		return "read";
	case FUSE_FLUSH:
		return "flush";
	case FUSE_RELEASE:
		return "release";
	case FUSE_OPENDIR:
		return "opendir";
	case FUSE_READDIR:
		return "readdir";
	case FUSE_RELEASEDIR:
		return "releasedir";
	default:
		return NULL;
	}
}

static void serve(const struct fuse_in_header *in, const void *body)
{
	const char *name = request_name(in->opcode);

	if (name != NULL && !is_answered(name, name_of(in->nodeid)))
		return;
	switch (in->opcode) {
	case FUSE_INIT:
		do_init(in);
		break;
	case FUSE_LOOKUP:
		do_lookup(in, body);
		break;
	case FUSE_GETATTR:
		do_getattr(in);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		do_open(in);
		break;
	case FUSE_READ:
		do_read(in, body);
		break;
	case FUSE_READDIR:
		do_readdir(in, body);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		answer(in, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break; /* these have no answer */
	default:
		answer(in, -ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3 || argc > 3 + HANGS_MAX) {
		fprintf(stderr, "usage: served DIRECTORY MOUNTPOINT [FILE:REQUEST:N]...\n");
		return 2;
	}
	directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		die(argv[1]);
	read_names();
	for (int i = 3; i < argc; i++)
		parse_hang(argv[i]);
	mount_it(argv[2]);
	for (;;) {
		ssize_t n = read(device, buffer, sizeof(buffer));

		if (n < 0 && errno == ENODEV)
			return 0;
		if (n < 0 && errno != EINTR && errno != ENOENT)
			die("/dev/fuse");
		if (n >= (ssize_t)sizeof(struct fuse_in_header))
			serve((const struct fuse_in_header *)(const void *)buffer,
			      buffer + sizeof(struct fuse_in_header));
	}
}
