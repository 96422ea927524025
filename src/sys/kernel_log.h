/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel says in its log about a call that failed with an errno that says little: EINVAL of mount(2) is
 * "maximum fs stacking depth exceeded" there.
 *
 *	log = kernel_log_open();
 *	... the call, and if it failed ...
 *	kernel_log_take(log, names, &detail);
 *
 * A help and no more: without /dev/kmsg there are no such words, and what others do at the same time may stand among
 * them. Nothing is decided by it.
 */
#ifndef VEXT_SYS_KERNEL_LOG_H
#define VEXT_SYS_KERNEL_LOG_H

#include "core/text.h"

/* The log from here on, to be closed by the caller; -1 if there is none. */
int kernel_log_open(void);

/*
 * Appends what the kernel has complained of since under one of these names ("NAME: words", NULL behind the last), one
 * after the other with "; " between them: at most KERNEL_LOG_RECORDS_MAX records are looked at. Nothing without a log.
 */
#define KERNEL_LOG_RECORDS_MAX 256u
void kernel_log_take(int log, const char *const names[], struct text *detail);

#endif
