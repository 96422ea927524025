/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One vext at a time: systemctl restart systemd-sysext systemd-confext starts two. Both would merge
 * onto what they found bare, and write the record, the later one without what the other has merged.
 */
#ifndef VEXT_LOCK_H
#define VEXT_LOCK_H

#include <stdbool.h>

/* What if /run/vext/lock cannot be made or locked, as with a /run that is full, or none. */
enum lock_failure {
	/* For what the initramfs runs: there is nobody else yet, and it must not stop the boot. */
	LOCK_GOES_ON = 1,
	/* For all else: whoever holds it can't be seen then, and a command can be given again. */
	LOCK_STOPS,
};

/*
 * Waits until no other vext makes devices or changes what is merged, with a bound, and holds the
 * lock until this process ends; its children do not have it; asked again while it is held it is
 * true. Then removes what one that was killed has left (dm_sweep(), status_sweep()). False if
 * nothing may be changed, which is told; with the process that is in the way when it takes too
 * long.
 */
bool lock_take(enum lock_failure failure);

#endif
