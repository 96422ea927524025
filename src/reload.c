/* SPDX-License-Identifier: Apache-2.0 */
#include "reload.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "sys/manager.h"

#define WHO "an extension with units of systemd (EXTENSION_RELOAD_MANAGER)"

enum exit_status reload_units(const char *root)
{
	if (manager_is_in_initrd()) {
		log_line(LOG_LEVEL_INFO,
			 WHO ": nothing to do, systemd reads them when the root is switched to");
	} else if (strcmp(root, "/") != 0 || !manager_is_running()) {
		log_line(
			LOG_LEVEL_WARNING, WHO
			": where systemd runs on this root, 'systemctl daemon-reload' makes it read them");
	} else if (manager_reload()) {
		log_line(LOG_LEVEL_INFO, WHO ": systemd was asked to read its units anew");
	} else {
		log_line(LOG_LEVEL_ERROR, WHO ": systemd can't be asked to read its units anew: %s",
			 strerror(errno));
		return EXIT_SYSTEM;
	}
	return EXIT_GOOD;
}
