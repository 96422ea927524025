/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/probe.h"

#include <stdlib.h>
#include <string.h>

#include "core/claim.h"
#include "probe/jail.h"
#include "probe/parse.h"

static bool prepare(void *ctx)
{
	struct parser *parser = ctx;

	parser->fd = JAIL_FILE_FD;
	return parser_open(parser);
}

static void work(void *ctx, void *reply)
{
	struct probe_reply *r = reply;

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

static bool is_jails(enum reason reason)
{
	return reason == REASON_SYSTEM_JAIL || reason == REASON_SYSTEM_JAIL_KILLED ||
	       reason == REASON_SYSTEM_JAIL_TIME || reason == REASON_SYSTEM_JAIL_REPLY;
}

void probe_ask(int fd, uint64_t size, enum arch arch, pid_t *process, struct probe_reply *reply)
{
	struct parser parser = { .fd = fd, .size = size, .arch = arch };
	const struct jail_job job = {
		.prepare = prepare,
		.work = work,
		.ctx = &parser,
		.reply_size = sizeof(*reply),
		.wall_ms = JAIL_WALL_MS,
		.process = process,
	};
	struct verdict v = jail_run(fd, &job, reply);

	/* What the jail says is not the parser's to say. */
	if (is_accepted(v) && !probe_is_parsers(reply->verdict.reason))
		v = verdict(REASON_SYSTEM_JAIL_REPLY);
	if (is_accepted(v))
		return;
	memset(&reply->claim, 0, sizeof(reply->claim));
	reply->claim.stage = CLAIM_EMPTY;
	reply->verdict = v;
}

static struct verdict refuse(struct claim *claim, struct verdict v)
{
	memset(claim, 0, sizeof(*claim));
	claim->stage = CLAIM_EMPTY;
	return v;
}

/*
 * The parser's verdict stands when its claim holds what the verdict says, and is refused otherwise.
 */
struct verdict probe_take(const struct probe_reply *reply, uint64_t size, enum arch arch,
			  struct claim *claim)
{
	const struct verdict said = reply->verdict;
	struct verdict v;

	memcpy(claim, &reply->claim, sizeof(*claim));
	if (!probe_is_parsers(said.reason) && !is_jails(said.reason))
		return refuse(claim, verdict(REASON_SYSTEM_JAIL_REPLY));
	if (is_accepted(said) != (claim->stage == CLAIM_COMPLETE))
		return refuse(claim, verdict(REASON_SYSTEM_JAIL_REPLY));
	v = claim_check(claim, size, arch);
	if (v.reason == REASON_SYSTEM_JAIL_REPLY)
		return refuse(claim, v);
	return is_accepted(v) ? said : v;
}

struct verdict probe_image(int fd, uint64_t size, enum arch arch, struct claim *claim)
{
	struct probe_reply *reply = malloc(sizeof(*reply));
	struct verdict v;

	if (reply == NULL)
		return refuse(claim, verdict(REASON_SYSTEM_MEMORY));
	probe_ask(fd, size, arch, NULL, reply);
	v = probe_take(reply, size, arch, claim);
	free(reply);
	return v;
}
