/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a mounted image, and in the root: whether the two go together. Everything is looked up by
 * descriptor inside the tree in question; no link leads out of it.
 */
#ifndef VEXT_SYS_CONTENT_H
#define VEXT_SYS_CONTENT_H

#include "core/plan.h"
#include "core/release.h"
#include "core/text.h"
#include "vext.h"

/* What every extension must fit. */
struct content_host {
	struct release release[2];
	uint32_t count;
};

/*
 * The root's os-release: of usr/lib, and of etc, which systemd reads first but which is easier to write, so that
 * another one there only adds to what is asked. release.host if there is none, or one that can't be read.
 */
struct verdict content_read_host(int root_fd, struct content_host *host);

/*
 * May this image be merged as an extension of this class? Its extension-release fits the host (release.*), it is
 * not an operating system (merge.os-release), does not add to the root of trust (merge.trust), does not replace
 * init (merge.init), has nothing where the mark of a merge goes (merge.marker), and its usr and opt, or as a confext its
 * etc, are directories (merge.hierarchy). A block that fails verification while it is read is kernel.corrupt. All
 * this is known of the image alone; sys/fit.h compares it with what it is laid over.
 *
 * The extension-release is that of the image's name, or, where there is none, the only one whose
 * attribute user.extension-release.strict is false. `found` becomes its name, on success only: an
 * image that was renamed counts by that one.
 *
 * `has` tells, on success only, which hierarchies there is something in; `detail`, what it is that the image must not
 * have.
 */
struct verdict content_check(int image_fd, enum extension_class class, const char *name,
			     const struct content_host *host, bool has[HIERARCHIES],
			     char found[VEXT_NAME_MAX + 1], struct text *detail);

/*
 * Does an extension that is merged into the root want systemd to read its units anew? One without an extension-release
 * of its name does if any that is not strict says so. False if that can't be read.
 */
bool content_wants_reload(int root_fd, enum extension_class class, const char *name);

/* A directory below `root_fd` for looking things up in it; -1 and errno on failure. */
int content_open_directory(int root_fd, const char *path);

#endif
