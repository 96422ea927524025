/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes, for what has to be new; not for keys. */
#ifndef VEXT_SYS_FRESH_H
#define VEXT_SYS_FRESH_H

#include "vext.h"

/*
 * Bytes that were not known before the boot and do not come again in it. They need not be a secret:
 * early in a boot the kernel's generator may have little to go by, and anything better would have
 * to be waited for. system.random.
 */
struct verdict fresh_bytes(void *bytes, size_t size);

#endif
