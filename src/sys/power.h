/* SPDX-License-Identifier: Apache-2.0 */
/* The end of it. */
#ifndef VEXT_SYS_POWER_H
#define VEXT_SYS_POWER_H

#include "vext.h"

/*
 * Writes out what is not on the disks yet, for as long as that takes but POWER_SYNC_SECONDS at most, and
 * powers the machine off: at once, with no process told. Returns only when that fails: system.power.
 */
#define POWER_SYNC_SECONDS 5u

struct verdict power_off(void);

#endif
