/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One vext at a time: systemctl restart systemd-sysext systemd-confext starts two. Both would write the record, the later one
 * without what the other has merged.
 */
#ifndef VEXT_LOCK_H
#define VEXT_LOCK_H

#include <stdbool.h>

/*
 * Waits until no other vext changes what is merged, with a bound; holds until this process ends. False, and told with the process that
 * is in the way, when that takes too long. Where there can be no lock this is told, and true: the boot goes on.
 */
bool lock_take(void);

#endif
