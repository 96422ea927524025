/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What another program had merged onto the root before vext came, in classes that are vext's: unsigned content, as far as
 * vext knows, and what has run since may have come from it. It is never left in silence.
 */
#ifndef VEXT_FOREIGN_H
#define VEXT_FOREIGN_H

#include "core/config.h"
#include "json.h"
#include "report.h"
#include "sys/listing.h"

enum foreign_action {
	/*
	 * FOREIGN_REPLACED: taken off, so that vext merges anew. FOREIGN_REFUSED: left, and nothing is merged in its
	 * class: it cannot be taken off, or what was written to it would be lost; not in an initramfs. FOREIGN_STOPPED:
	 * left, for the boot stops: by foreign-merge, or as it cannot be taken off in an initramfs.
	 */
	FOREIGN_REPLACED = 1,
	FOREIGN_REFUSED,
	FOREIGN_STOPPED,
};

/* All zero to begin with. */
struct foreign {
	bool is_there;
	enum foreign_action action;
	struct listing names; /* of its extensions, as far as they are names */
};

struct foreigns {
	struct foreign at[HIERARCHIES];
	uint32_t refused; /* classes, bits of enum extension_class */
	bool stops;	  /* the boot */
};

/*
 * Looks for such merges on the root and does about them what the configuration says; tells each. `token` as overlay_owner() has
 * it. EXIT_SYSTEM if a hierarchy cannot be looked at: its class is refused then. foreigns_free() is due.
 */
enum exit_status foreigns_settle(int root_fd, const struct config *config, const uint8_t *token,
				 struct foreigns *foreigns);
void foreigns_free(struct foreigns *foreigns);

/* Was there any? */
bool foreigns_any(const struct foreigns *foreigns);

/* {hierarchy, class, extensions, action} for each, into an array that is open. */
void foreigns_json(const struct foreigns *foreigns, struct json *json);

#endif
