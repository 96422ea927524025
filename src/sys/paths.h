/* SPDX-License-Identifier: Apache-2.0 */
/* Paths in the trees of layers, and as they are shown in messages. */
#ifndef VEXT_SYS_PATHS_H
#define VEXT_SYS_PATHS_H

#include <sys/types.h>

#include "core/class.h"
#include "core/mountinfo.h"
#include "core/text.h"
#include "vext.h"

#define PATHS_SIZE MOUNTINFO_PATH_MAX /* bytes with NUL */

/* "DIRECTORY/NAME"; false if that does not fit. */
bool path_join(char out[PATHS_SIZE], const char *directory, const char *name);

/* A path of the hierarchy ("": the hierarchy itself) in the tree of a layer, below the stage. */
bool path_of_layer(char out[PATHS_SIZE], uint32_t layer, enum hierarchy hierarchy,
		   const char *path);

/*
 * Reads the text of a link, with no NUL behind it. Returns its bytes; -1: no link, or too long. With "" for the name
 * `dir_fd` is the link itself.
 */
ssize_t path_read_link(int dir_fd, const char *name, char target[PATHS_SIZE]);

/* The text of the link at a path of the root; "" if there is no link. False: that can't be told. */
bool path_link_text(int root_fd, const char *path, char target[PATHS_SIZE]);

#define PATHS_SHOWN_MAX \
	100u /* bytes of a path in a message; of a longer one its end, behind three dots */

void path_show(struct text *text, const char *path);

/* The same, with the name of the hierarchy before it. */
void path_show_in(struct text *text, enum hierarchy hierarchy, const char *path);

#endif
