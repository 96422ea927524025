/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vext open: what the first stage of an initramfs runs. By the root hash of the kernel command line, a device of
 * dm-verity for /usr, or for a whole root.
 *
 * The root hash is what is trusted, as it came with the kernel. The path from it to the first block is checked
 * before there is a device, so that a wrong hash is told as such, and not by a panic of the kernel.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "configuration.h"
#include "core/open.h"
#include "core/piece.h"
#include "core/table.h"
#include "crypto/merkle.h"
#include "lock.h"
#include "log.h"
#include "probe/probe.h"
#include "sys/disk.h"
#include "sys/dm.h"

#define NO_TIMEOUT UINT64_MAX
#define PLACE_TEXT_SIZE (4 * OPEN_PLACE_MAX + 16)

/* Where the tree's partition begins for who reads both as one: behind any data. */
#define TREE_BASE (UINT64_C(1) << 62)

struct options {
	uint64_t seconds; /* or NO_TIMEOUT */
	bool dry_run;
};

/* One device on its way. */
struct opening {
	const struct open_request *request;
	uint32_t seconds;
	char place[PLACE_TEXT_SIZE]; /* that is looked for; "": none any more */
	struct disk data;
	struct disk tree;
	struct volume volume;
	struct claim claim;
	struct facts facts;
	char uuid[TABLE_UUID_MAX];
	char line[TABLE_LINE_MAX];
};

static bool parse_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "timeout", required_argument, NULL, 't' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		const struct piece value = { .bytes = optarg, .size = optarg ? strlen(optarg) : 0 };

		if (option == 'n')
			options->dry_run = true;
		else if (option != 't' || !piece_number(value, OPEN_SECONDS_MAX, &options->seconds))
			return false;
	}
	return optind == argc;
}

static enum exit_status tell(const char *what, const char *place, struct verdict v)
{
	char at[32] = "";

	if (v.at < TREE_BASE)
		snprintf(at, sizeof(at), ", at byte %llu", (unsigned long long)v.at);
	log_line(LOG_LEVEL_ERROR, "%s%s%s%s: %s: %s%s%s", what, at, place[0] ? ": " : "", place,
		 reason_name(v.reason), reason_sentence(v.reason), v.sys_errno ? ": " : "",
		 v.sys_errno ? strerror(v.sys_errno) : "");
	return report_status(v);
}

/* ---- disks --------------------------------------------------------------------------------- */

/* The parser in the jail reads it as it does an image's; what else is wrong with that is of no interest. */
static uint32_t read_table(const struct image *disk, const char *uuid, uint64_t *start)
{
	static struct claim claim;
	struct open_place place;
	uint32_t count = 0;

	(void)probe_image(disk->fd, disk->size, VEXT_ARCH, &claim);
	for (uint32_t i = 0; claim.stage >= CLAIM_TABLE && i < claim.partition_count; i++) {
		open_place_of_uuid(claim.partitions[i].uuid, &place);
		if (strcmp(place.text, uuid) != 0)
			continue;
		*start = claim.partitions[i].extent.offset;
		count++;
	}
	return count;
}

static struct verdict find(struct opening *opening, const struct open_place *place,
			   struct disk *disk)
{
	const char *name = opening->request->name;
	struct text text;
	struct verdict v = disk_find(place, name, 0, read_table, disk);

	text_init(&text, opening->place, sizeof(opening->place));
	open_describe(place, &text);
	if (v.reason == REASON_OPEN_MISSING && opening->seconds > 0) {
		log_line(LOG_LEVEL_INFO, "%s: waiting for %s, %u s at most", name, opening->place,
			 opening->seconds);
		v = disk_find(place, name, opening->seconds, read_table, disk);
	}
	if (is_accepted(v))
		opening->place[0] = '\0';
	return v;
}

static bool is_one_partition(const struct open_request *request)
{
	return request->data.by == request->tree.by &&
	       strcmp(request->data.text, request->tree.text) == 0;
}

static struct verdict find_disks(struct opening *opening)
{
	const struct open_request *request = opening->request;
	struct verdict v = find(opening, &request->data, &opening->data);

	if (!is_accepted(v) || is_one_partition(request))
		return v;
	return find(opening, &request->tree, &opening->tree);
}

static struct disk *tree_disk(struct opening *opening)
{
	return opening->tree.image.fd < 0 ? &opening->data : &opening->tree;
}

static struct verdict read_both(void *ctx, uint64_t offset, void *buf, size_t size)
{
	struct opening *opening = ctx;
	const bool is_tree = offset >= TREE_BASE;
	const struct reader reader = image_reader(is_tree ? &tree_disk(opening)->image :
							    &opening->data.image);

	return reader.read(reader.ctx, is_tree ? offset - TREE_BASE : offset, buf, size);
}

/* ---- verifying ----------------------------------------------------------------------------- */

static struct verdict find_tree(struct opening *opening)
{
	const struct open_request *request = opening->request;
	const struct disk *tree = tree_disk(opening);

	opening->volume = (struct volume){ .is_behind = request->is_behind,
					   .superblock = request->superblock };
	if (tree != &opening->data)
		opening->volume.data_size = opening->data.image.size;
	return probe_volume(tree->image.fd, tree->image.size, &opening->volume);
}

static struct verdict verify(struct opening *opening)
{
	const struct volume *volume = &opening->volume;
	const struct reader reader = { .read = read_both, .ctx = opening };
	struct claim *claim = &opening->claim;
	uint8_t block[VEXT_BLOCK];
	struct verdict v;

	claim->layout.data.size = volume->data_size > 0 ? volume->data_size : volume->superblock;
	claim->layout.tree.offset = TREE_BASE + volume->superblock;
	claim->layout.tree.size = tree_disk(opening)->image.size - volume->superblock;
	claim->verity = volume->verity;
	memcpy(claim->root_hash, opening->request->root_hash, sizeof(claim->root_hash));
	v = merkle_first_block(claim, &reader, block);
	if (is_accepted(v) && !open_is_filesystem(block))
		v = verdict(REASON_OPEN_FILESYSTEM);
	return v;
}

/* ---- the device ---------------------------------------------------------------------------- */

static struct dm_verity describe(struct opening *opening)
{
	const struct open_request *request = opening->request;
	const struct table_options options = { .superblock = opening->volume.superblock /
							     VEXT_BLOCK,
					       .corruption = request->corruption };

	opening->facts.verity = opening->volume.verity;
	memcpy(opening->facts.root_hash, request->root_hash, sizeof(request->root_hash));
	table_uuid(request->root_hash, request->name, opening->uuid);
	table_verity(&opening->facts, opening->data.device, tree_disk(opening)->device, &options,
		     opening->line);
	return (struct dm_verity){
		.name = request->name,
		.uuid = opening->uuid,
		.sectors = table_sectors(&opening->facts.verity),
		.line = opening->line,
		.replaces = true,
	};
}

static struct verdict make_device(const struct dm_verity *verity)
{
	_Alignas(VEXT_BLOCK) uint8_t block[VEXT_BLOCK];
	struct dm_device device = DM_DEVICE_NONE;
	struct verdict v = dm_verity_make(verity, &device);

	if (!is_accepted(v))
		return v;
	v = dm_verity_check(&device, block);
	if (is_accepted(v))
		v = dm_keep(verity->name, &device);
	if (is_accepted(v))
		dm_release(&device);
	else
		dm_remove(&device);
	return v;
}

static struct verdict make_or_print(struct opening *opening, const struct options *options)
{
	const struct dm_verity verity = describe(opening);
	struct verdict v = verdict(REASON_ACCEPTED);

	if (options->dry_run)
		printf("%s: 0 %llu " TABLE_TARGET " %s\n", verity.name,
		       (unsigned long long)verity.sectors, verity.line);
	else
		v = make_device(&verity);
	if (is_accepted(v) && !options->dry_run)
		log_line(LOG_LEVEL_INFO, "opened %s: /dev/mapper/%s, %s", verity.name, verity.name,
			 verity.line);
	return v;
}

static enum exit_status open_one(const struct open_request *request, uint32_t seconds,
				 const struct options *options)
{
	static struct opening
		opening; /* zeroed, not initialised: 50 KB that the file need not hold */
	bool has_lock = true;
	struct verdict v;

	opening = (struct opening){
		.request = request, .seconds = seconds, .data = DISK_NONE, .tree = DISK_NONE
	};
	v = find_disks(&opening);
	if (is_accepted(v))
		v = find_tree(&opening);
	if (is_accepted(v))
		v = verify(&opening);
	/* Not before: nobody is to wait for the wait for a partition. */
	if (is_accepted(v) && !options->dry_run)
		has_lock = lock_take(LOCK_GOES_ON);
	if (is_accepted(v) && has_lock)
		v = make_or_print(&opening, options);
	image_close(&opening.data.image);
	image_close(&opening.tree.image);
	if (!has_lock) /* that is told */
		return EXIT_SYSTEM;
	return is_accepted(v) ? EXIT_GOOD : tell(request->name, opening.place, v);
}

static struct verdict read_command_line(struct open_asked *asked)
{
	static char bytes[CONFIG_SIZE_MAX + 1];
	size_t size = 0;
	const int error = configuration_read(CONFIGURATION_COMMAND_LINE, bytes, &size);

	if (error)
		return verdict_errno(REASON_SYSTEM_READ, error);
	if (size > CONFIG_SIZE_MAX)
		return verdict(REASON_CONFIG_LIMIT);
	return open_parse(bytes, size, asked);
}

enum exit_status command_open(int argc, char **argv)
{
	struct options options = { .seconds = NO_TIMEOUT };
	enum exit_status status = EXIT_GOOD;
	struct open_asked asked;
	struct verdict v;

	if (!parse_options(argc, argv, &options))
		return usage_error(argv[0]);
	if (!options.dry_run)
		log_to_kernel();
	v = read_command_line(&asked);
	if (!is_accepted(v))
		return tell(CONFIGURATION_COMMAND_LINE, "", v);
	if (options.seconds != NO_TIMEOUT)
		asked.seconds = (uint32_t)options.seconds;
	if (asked.count == 0)
		log_line(LOG_LEVEL_INFO,
			 "the kernel command line has no root hash: nothing is opened");
	for (uint32_t i = 0; i < asked.count; i++)
		status = report_worse(status,
				      open_one(&asked.requests[i], asked.seconds, &options));
	return status;
}
