/* SPDX-License-Identifier: Apache-2.0 */
#include "core/open.h"
#include "core/verity.h"
#include "probe/jail.h"
#include "probe/probe.h"

static uint64_t data_size(const struct volume *volume)
{
	return volume->data_size > 0 ? volume->data_size : volume->superblock;
}

static bool has_room(const struct volume *volume, uint64_t size)
{
	return volume->superblock % VEXT_BLOCK == 0 && volume->superblock < size &&
	       size - volume->superblock >= VERITY_SUPERBLOCK_SIZE;
}

/* Is what it says within its bounds? `size` is that of the partition with the superblock. */
static struct verdict check_bounds(const struct volume *volume, uint64_t size)
{
	if (!has_room(volume, size))
		return verdict_at(REASON_SUPERBLOCK_MAGIC, volume->superblock);
	return verity_check(&volume->verity, data_size(volume), size - volume->superblock);
}

static struct verdict find_superblock(const struct reader *reader, struct volume *volume)
{
	uint8_t start[OPEN_START_SIZE];
	struct verdict v = reader->read(reader->ctx, 0, start, sizeof(start));

	if (is_accepted(v))
		volume->superblock = open_superblock_behind(start);
	return v;
}

struct verdict parser_run_volume(struct parser *parser, struct volume *volume)
{
	const struct reader reader = parser_reader(parser);
	uint8_t superblock[VERITY_SUPERBLOCK_SIZE];
	struct verdict v = verdict(REASON_ACCEPTED);

	if (volume->is_behind)
		v = find_superblock(&reader, volume);
	if (is_accepted(v) && !has_room(volume, parser->size))
		v = verdict_at(REASON_SUPERBLOCK_MAGIC, volume->superblock);
	if (is_accepted(v))
		v = reader.read(reader.ctx, volume->superblock, superblock, sizeof(superblock));
	if (!is_accepted(v))
		return v;
	v = verity_parse(superblock, data_size(volume), parser->size - volume->superblock,
			 &volume->verity);
	if (v.at != VERDICT_NOWHERE)
		v.at += volume->superblock;
	return v;
}

/* ---- in the jail, and what comes out of it -------------------------------------------------- */

struct volume_job {
	struct parser parser;
	struct volume asked;
};

struct volume_reply {
	struct verdict verdict;
	struct volume volume;
};

static bool prepare_volume(void *ctx)
{
	struct volume_job *job = ctx;

	job->parser.fd = JAIL_FILE_FD;
	return true;
}

static void work_volume(void *ctx, void *reply)
{
	struct volume_job *job = ctx;
	struct volume_reply *r = reply;

	r->volume = job->asked;
	r->verdict = parser_run_volume(&job->parser, &r->volume);
}

/* What was asked stays as it was; what was found may be anything within bounds. */
static struct verdict check_volume(const struct volume_reply *r, uint64_t size,
				   struct volume *volume)
{
	struct volume found = *volume;
	struct verdict v;

	if (!probe_is_parsers(r->verdict.reason))
		return verdict(REASON_SYSTEM_JAIL_REPLY);
	if (!is_accepted(r->verdict))
		return r->verdict;
	if (volume->is_behind)
		found.superblock = r->volume.superblock;
	found.verity = r->volume.verity;
	v = check_bounds(&found, size);
	if (is_accepted(v))
		*volume = found;
	return v;
}

struct verdict probe_volume(int fd, uint64_t size, struct volume *volume)
{
	struct volume_job context = { .parser = { .size = size }, .asked = *volume };
	struct volume_reply reply;
	const struct jail_job job = {
		.prepare = prepare_volume,
		.work = work_volume,
		.ctx = &context,
		.reply_size = sizeof(reply),
		.wall_ms = JAIL_WALL_MS,
	};
	struct verdict v = jail_run(fd, &job, &reply);

	return is_accepted(v) ? check_volume(&reply, size, volume) : v;
}
