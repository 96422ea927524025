/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads whom to trust, in the order of precedence, and says aloud what was passed over and why:
 *
 *   1. what is baked into the binary
 *   2. usr/lib/verity.d of the root, if that /usr is on dm-verity: *.crt, *.revoked
 *   3. etc/verity.d and run/verity.d of the root: *.crt that an anchor issued; *.revoked that an anchor
 *      signed (*.revoked.p7s). These are writable by whoever owns the disk, so a bad one is told and
 *      otherwise ignored.
 *
 * A bad list in 1 or 2 makes every image refused: whom it revokes is not known.
 */
#ifndef VEXT_TRUST_H
#define VEXT_TRUST_H

#include "crypto/anchors.h"
#include "report.h"

/*
 * The binary's own; what is damaged is told, and denies every image. After a verdict of the group system.*
 * nothing can be judged.
 */
struct verdict trust_load_baked(struct anchors *anchors);

/*
 * The directories of the root at `root_fd`, after what is baked. With `user_certificates`, which only the
 * baked policy may say, every certificate in etc/verity.d and run/verity.d counts.
 */
void trust_load_root(struct anchors *anchors, int root_fd, bool user_certificates);

/* The same by the root's path. Told when it cannot be opened: EXIT_USAGE if the path is at fault. */
enum exit_status trust_load_root_at(struct anchors *anchors, const char *root,
				    bool user_certificates);

/*
 * A file that the user named. EXIT_USAGE, and told, when it is not there or not accepted; EXIT_SYSTEM, and
 * told, when that can't be found out.
 */
enum exit_status trust_load_file(struct anchors *anchors, const char *path);

#endif
