/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an open image to its claim. All untrusted structures (GPT, JSON, base64, verity superblock) are
 * taken apart in a child process that can do nothing but read the image and write its reply.
 */
#ifndef VEXT_PROBE_PROBE_H
#define VEXT_PROBE_PROBE_H

#include <sys/types.h>

#include "probe/parse.h"
#include "vext.h"

/* What the parser, or the jail around it, says: as hostile as the image. */
struct probe_reply {
	struct verdict verdict;
	struct claim claim;
};

/*
 * `fd` is open for reading and `size` its length in bytes; its offset is not kept. `process`: of
 * struct jail_job.
 *
 * Not available: a kernel without seccomp. Then system.jail, and never a parser outside of the jail.
 */
void probe_ask(int fd, uint64_t size, enum arch arch, pid_t *process, struct probe_reply *reply);

/*
 * `claim` is always written: whatever the verdict, it holds what was found up to claim->stage,
 * checked again (core/claim.h). Accepted means that the stage is CLAIM_COMPLETE; it does NOT mean
 * that anything in it is true: see crypto/judge.h. The reply may change while it is looked at.
 */
struct verdict probe_take(const struct probe_reply *reply, uint64_t size, enum arch arch,
			  struct claim *claim);

/* Both, where nobody needs to be protected from waiting for the disk. */
struct verdict probe_image(int fd, uint64_t size, enum arch arch, struct claim *claim);

/* May the parser say this? Nothing of trust, merging or the kernel is its to judge. */
bool probe_is_parsers(enum reason reason);

/*
 * The same for a partition with a verity superblock in it. `volume` says where to look; what was found, and it is
 * within its bounds, is filled in on success only.
 */
struct verdict probe_volume(int fd, uint64_t size, struct volume *volume);

#endif
