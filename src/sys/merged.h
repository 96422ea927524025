/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is merged on a root at this moment, by vext or by systemd, as the merged hierarchies
 * themselves say.
 */
#ifndef VEXT_SYS_MERGED_H
#define VEXT_SYS_MERGED_H

#include "core/class.h"
#include "sys/listing.h"
#include "vext.h"

#define MERGED_LIST_MAX 65536u /* bytes of the list in a merged hierarchy */

struct merged {
	bool is_merged;	      /* if not, the rest is empty */
	bool is_vexts;	      /* by the token; otherwise somebody else's */
	uint64_t since;	      /* seconds since 1970 */
	struct listing names; /* of all extensions of the merge, lowest layer first */
};

/*
 * Looks at one hierarchy of the root. system.read where that can't be read or does not answer,
 * system.memory, system.worker. `merged` is written on success only, and then freed by the caller
 * with merged_free(). `token` as overlay_owner() has it.
 */
struct verdict merged_read(int root_fd, enum hierarchy hierarchy, const uint8_t *token,
			   struct merged *merged);
void merged_free(struct merged *merged);

bool merged_has(const struct merged *merged, const char *name);

/*
 * Does anything that is merged on the root, in one of the classes (bits of enum extension_class),
 * want systemd to read its units anew?
 */
bool merged_wants_reload(int root_fd, uint32_t classes);

#endif
