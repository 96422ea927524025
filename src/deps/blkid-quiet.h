/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In place of util-linux's include/debug.h: no debugging texts, and no environment variable that
 * asks for them.
 */
#ifndef UTIL_LINUX_DEBUG_H
#define UTIL_LINUX_DEBUG_H

#include <stdarg.h>
#include <string.h>

#define UL_DEBUG_MASK(name) name##_debug_mask
#define UL_DEBUG_DECLARE_MASK(name) extern int UL_DEBUG_MASK(name)
#define __UL_DEBUG_FL_NOADDR (1 << 24)

#define __UL_DBG(library, prefix, subsystem, action) ((void)0)
#define __UL_DBG_CALL(library, prefix, subsystem, action) ((void)0)
#define __UL_DBG_FLUSH(library, prefix) ((void)0)

#endif
