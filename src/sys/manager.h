/* SPDX-License-Identifier: Apache-2.0 */
/* systemd, as the process that runs this system. */
#ifndef VEXT_SYS_MANAGER_H
#define VEXT_SYS_MANAGER_H

#include <stdbool.h>

/* Is PID 1 a systemd? By the directory that sd_booted(3) looks for. */
bool manager_is_running(void);

/* Is this system an initramfs, by its /etc/initrd-release? */
bool manager_is_in_initrd(void);

/*
 * Has systemd read its units anew, which is what SIGHUP means to it ("mostly equivalent to systemctl
 * daemon-reload", systemd(1)). It does so in its own time. False and errno on failure.
 */
bool manager_reload(void);

#endif
