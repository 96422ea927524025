/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/probe.h"

#include <stdlib.h>
#include <string.h>

#include "core/claim.h"
#include "probe/jail.h"
#include "probe/parse.h"

/* What crosses the pipe. */
struct reply {
	struct verdict verdict;
	struct claim claim;
};

static bool prepare(void *ctx)
{
	struct parser *parser = ctx;

	parser->fd = JAIL_FILE_FD;
	return parser_open(parser);
}

static void work(void *ctx, void *reply)
{
	struct reply *r = reply;

	r->verdict = parser_run(ctx, &r->claim);
}

bool probe_is_parsers(enum reason reason)
{
	uint32_t group = (uint32_t)reason / 100;

	if (!reason_is_known((uint32_t)reason))
		return false;
	return reason == REASON_ACCEPTED || group == 1 || group == 2 || group == 3 || group == 5 ||
	       reason == REASON_SYSTEM_READ || reason == REASON_SYSTEM_MEMORY;
}

/* The child's verdict stands when its claim holds what the verdict says, and is refused otherwise. */
static struct verdict check_reply(struct reply *r, uint64_t size, enum arch arch)
{
	struct verdict v;

	if (!probe_is_parsers(r->verdict.reason))
		return verdict(REASON_SYSTEM_JAIL_REPLY);
	if (is_accepted(r->verdict) != (r->claim.stage == CLAIM_COMPLETE))
		return verdict(REASON_SYSTEM_JAIL_REPLY);
	v = claim_check(&r->claim, size, arch);
	return is_accepted(v) ? r->verdict : v;
}

struct verdict probe_image(int fd, uint64_t size, enum arch arch, struct claim *claim)
{
	struct parser parser = { .fd = fd, .size = size, .arch = arch };
	const struct jail_job job = {
		.prepare = prepare,
		.work = work,
		.ctx = &parser,
		.reply_size = sizeof(struct reply),
		.wall_ms = JAIL_WALL_MS,
	};
	struct reply *reply = malloc(sizeof(*reply));
	struct verdict v;

	memset(claim, 0, sizeof(*claim));
	claim->stage = CLAIM_EMPTY;
	if (!reply)
		return verdict(REASON_SYSTEM_MEMORY);
	v = jail_run(fd, &job, reply);
	if (is_accepted(v)) {
		v = check_reply(reply, size, arch);
		if (v.reason != REASON_SYSTEM_JAIL_REPLY)
			*claim = reply->claim;
	}
	free(reply);
	return v;
}
