/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libblkid is left with when only its GPT prober is compiled in.
 *
 * Its prober lists name some 90 parsers of file systems, RAIDs and partition tables. vext enables one
 * partition table; the others would only be attack surface in the jail and bytes in the initramfs. These
 * definitions stand in for the chains and tables left out. None of them recognises anything.
 */
#include "blkidP.h"
#include "partitions.h"
#include "sysfs.h"

static int finds_nothing(blkid_probe pr __attribute__((__unused__)),
			 struct blkid_chain *chain __attribute__((__unused__)))
{
	return BLKID_PROBE_NONE;
}

#define EMPTY_CHAIN(chain, text)                                                              \
	{                                                                                     \
		.id = (chain), .name = (text), .dflt_enabled = FALSE, .probe = finds_nothing, \
		.safeprobe = finds_nothing,                                                   \
	}

const struct blkid_chaindrv superblocks_drv = EMPTY_CHAIN(BLKID_CHAIN_SUBLKS, "superblocks");
const struct blkid_chaindrv topology_drv = EMPTY_CHAIN(BLKID_CHAIN_TOPLGY, "topology");

/* Users switch these chains off before they ask for partitions. */
int blkid_probe_enable_superblocks(blkid_probe pr, int enable)
{
	pr->chains[BLKID_CHAIN_SUBLKS].enabled = enable;
	return 0;
}

int blkid_probe_enable_topology(blkid_probe pr, int enable)
{
	pr->chains[BLKID_CHAIN_TOPLGY].enabled = enable;
	return 0;
}

int blkid_probe_set_superblocks_flags(blkid_probe pr, int flags)
{
	pr->chains[BLKID_CHAIN_SUBLKS].flags = flags;
	return 0;
}

/* Of tag.c, which otherwise is about the cache of devices: hints as NAME=VALUE are not understood. */
int blkid_parse_tag_string(const char *token __attribute__((__unused__)),
			   char **name __attribute__((__unused__)),
			   char **value __attribute__((__unused__)))
{
	return -1;
}

/* Of init.c, which reads LIBBLKID_DEBUG. */
void blkid_init_debug(int mask __attribute__((__unused__)))
{
}

static int is_no_table(blkid_probe pr __attribute__((__unused__)),
		       const struct blkid_idmag *mag __attribute__((__unused__)))
{
	return BLKID_PROBE_NONE;
}

/* The probe function is needed: libblkid takes an entry with neither magic nor function for a match. */
#define LEFT_OUT(table) \
	const struct blkid_idinfo table##_pt_idinfo = { .name = #table, .probefunc = is_no_table }

LEFT_OUT(aix);
LEFT_OUT(atari);
LEFT_OUT(bsd);
LEFT_OUT(dos);
LEFT_OUT(mac);
LEFT_OUT(minix);
LEFT_OUT(sgi);
LEFT_OUT(solaris_x86);
LEFT_OUT(sun);
LEFT_OUT(ultrix);
LEFT_OUT(unixware);

/*
 * What libblkid reads of sysfs and /dev: which disk a partition is on, what a device is called, whether
 * device-mapper keeps it to itself. In the jail it could open neither, and no table depends on it.
 */
int blkid_devno_to_wholedisk(dev_t dev __attribute__((__unused__)),
			     char *name __attribute__((__unused__)),
			     size_t size __attribute__((__unused__)),
			     dev_t *disk __attribute__((__unused__)))
{
	return -1;
}

char *blkid_devno_to_devname(dev_t devno __attribute__((__unused__)))
{
	return NULL;
}

char *sysfs_chrdev_devno_to_devname(dev_t devno __attribute__((__unused__)),
				    char *buf __attribute__((__unused__)),
				    size_t size __attribute__((__unused__)))
{
	return NULL;
}

int sysfs_devno_is_dm_private(dev_t devno __attribute__((__unused__)),
			      char **uuid __attribute__((__unused__)))
{
	return 0;
}

struct path_cxt *ul_new_sysfs_path(dev_t devno __attribute__((__unused__)),
				   struct path_cxt *parent __attribute__((__unused__)),
				   const char *prefix __attribute__((__unused__)))
{
	return NULL;
}

int ul_path_read_u64(struct path_cxt *path __attribute__((__unused__)),
		     uint64_t *result __attribute__((__unused__)),
		     const char *name __attribute__((__unused__)))
{
	return -1;
}

int ul_path_read_string(struct path_cxt *path __attribute__((__unused__)),
			char **text __attribute__((__unused__)),
			const char *name __attribute__((__unused__)))
{
	return -1;
}

void ul_unref_path(struct path_cxt *path __attribute__((__unused__)))
{
}
