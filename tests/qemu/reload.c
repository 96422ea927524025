/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a verity device, or gives one that there is another table, by vext's own code, for the guests.
 *
 *   reload make|again NAME UUID SECTORS LINE
 *
 * Prints the reason and the errno. Exit status: 0 accepted, 1 another reason, 2 usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/dm.h"

static struct verdict make(const struct dm_verity *verity)
{
	_Alignas(VEXT_BLOCK) static uint8_t block[VEXT_BLOCK];
	struct dm_device device = DM_DEVICE_NONE;
	struct verdict v = dm_verity_make(verity, &device);

	if (is_accepted(v))
		v = dm_verity_check(&device, block);
	if (is_accepted(v))
		v = dm_keep(verity->name, &device);
	dm_release(&device);
	return v;
}

int main(int argc, char **argv)
{
	const struct dm_verity verity = {
		.name = argc == 6 ? argv[2] : "",
		.uuid = argc == 6 ? argv[3] : "",
		.sectors = argc == 6 ? strtoull(argv[4], NULL, 10) : 0,
		.line = argc == 6 ? argv[5] : "",
		.replaces = false,
	};
	struct verdict v;

	if (argc != 6)
		return 2;
	v = strcmp(argv[1], "make") == 0 ? make(&verity) : dm_verity_reload(&verity);
	printf("%s %d\n", reason_name(v.reason), v.sys_errno);
	return is_accepted(v) ? 0 : 1;
}
