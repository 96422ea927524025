/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be said only when all admitted images lie over the root: where links lead, and which of several files is
 * seen. The merged root is assembled in private, and the kernel follows the links in it. The layers only tell whose
 * an entry is.
 */
#ifndef VEXT_SYS_ASSEMBLED_H
#define VEXT_SYS_ASSEMBLED_H

#include "core/note.h"
#include "sys/fit.h"

/* Has the layer the entry? */
bool assembled_has(const struct fit *fit, uint32_t layer, enum hierarchy hierarchy,
		   const struct node *node);

/*
 * When all is assembled in the directory `merged_fd`: do the links that replace something, or stand in a protected
 * directory, end where they may? `count` is that of the layers. merge.link if one does not. Then `*layer` is the image
 * that must go: of all that have a part in it, the one that was admitted last. `detail` has the link's path and text.
 */
struct verdict assembled_check_links(const struct fit *fit, size_t count, int merged_fd,
				     uint32_t *layer, struct text *detail);

/* Makes the notes of generated files that hide each other; `notes` returns where those of a layer go. */
void assembled_note_generated(const struct fit *fit, size_t count,
			      struct notes *(*notes)(void *ctx, uint32_t layer), void *ctx);

#endif
