/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/fresh.h"

#include <errno.h>
#include <sys/random.h>

#ifndef GRND_INSECURE
#define GRND_INSECURE 0x0004 /* Linux 5.6, include/uapi/linux/random.h */
#endif

struct verdict fresh_bytes(void *bytes, size_t size)
{
	const ssize_t got = getrandom(bytes, size, GRND_INSECURE);

	if (got != (ssize_t)size)
		return verdict_errno(REASON_SYSTEM_RANDOM, got < 0 ? errno : EIO);
	return verdict(REASON_ACCEPTED);
}
