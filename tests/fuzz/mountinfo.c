/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of mountinfo. Asserted: fields are strings within their bounds, and what is below a path is below it. */
#include "core/mountinfo.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct mountinfo mount;
	const char *below;
	char *line;

	line = calloc(1, size + 1);
	holds(line);
	if (size > 0)
		memcpy(line, bytes, size);
	memset(&mount, 0x5a, sizeof(mount));
	if (mountinfo_parse(line, &mount)) {
		holds(memchr(mount.point, 0, sizeof(mount.point)));
		holds(memchr(mount.type, 0, sizeof(mount.type)));
		holds(memchr(mount.source, 0, sizeof(mount.source)));
		below = mountinfo_below(mount.point, "/usr");
		if (below)
			holds(strncmp(mount.point, "/usr/", 5) == 0 &&
			      strcmp(below, mount.point + 5) == 0);
	}
	free(line);
	return 0;
}
