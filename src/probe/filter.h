/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VEXT_PROBE_FILTER_H
#define VEXT_PROBE_FILTER_H

#include <stdbool.h>

/*
 * Forbids this process, for good, every system call but: read, pread64 and lseek of JAIL_FILE_FD, write
 * to JAIL_REPLY_FD, anonymous memory that is never executable and giving it back, exit. Anything else
 * kills, calls of another ABI (i386, x32, arm) too. Needs no_new_privs. False when the kernel has no
 * seccomp filters.
 */
bool filter_install(void);

#endif
