/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/manager.h"

#include <signal.h>
#include <unistd.h>

bool manager_is_running(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

bool manager_is_in_initrd(void)
{
	/* Dracut without systemd makes no link to it in /etc. */
	return access("/etc/initrd-release", F_OK) == 0 ||
	       access("/usr/lib/initrd-release", F_OK) == 0;
}

bool manager_reload(void)
{
	return kill(1, SIGHUP) == 0;
}
