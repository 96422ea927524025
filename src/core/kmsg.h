/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of /dev/kmsg: "PRIORITY,NUMBER,MICROSECONDS,FLAGS[,MORE];TEXT", then lines with properties. Linux
 * Documentation/ABI/testing/dev-kmsg.
 */
#ifndef VEXT_CORE_KMSG_H
#define VEXT_CORE_KMSG_H

#include <stdbool.h>
#include <stddef.h>

#include "core/piece.h"

/* As syslog(3) counts: what is worse has a lower one. */
#define KMSG_LEVEL_WARNING 4u

struct kmsg {
	uint32_t level;	   /* 0 to 7 */
	struct piece text; /* printable ASCII, as long as the record lives */
};

/*
 * Takes a record apart. False for one of another form, and for what did not come from the kernel: whoever writes to
 * /dev/kmsg cannot pass for it. `kmsg` is written on success only.
 */
bool kmsg_parse(const char *record, size_t size, struct kmsg *kmsg);

/* What stands behind "NAME: ", by which parts of the kernel begin what they say; false for what begins otherwise. */
bool kmsg_words(const struct kmsg *kmsg, const char *name, struct piece *words);

#endif
