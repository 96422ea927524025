/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small, well-formed disk image in memory, for tests to damage. Its signature and its tree do not
 * verify; that is for other tests. After a change to the header or the entries, ddi_seal() makes their
 * checksums right again.
 */
#ifndef VEXT_TEST_DDI_H
#define VEXT_TEST_DDI_H

#include "test.h"

#define DDI_SIZE (512u << 10) /* bytes */
#define DDI_DATA_BLOCKS 16u
#define DDI_SALT_SIZE 32u

enum ddi_partition {
	DDI_DATA,
	DDI_TREE,
	DDI_SIGNATURE,
};

struct ddi {
	uint32_t sector;
	uint8_t *bytes; /* DDI_SIZE of them */
	uint8_t root_hash[VEXT_HASH_SIZE];
	struct extent extent[3];
};

/* GPT, data, tree with superblock, envelope; for this machine's architecture. */
void ddi_make(struct ddi *ddi, uint32_t sector_size, enum role role, enum arch arch);
void ddi_free(struct ddi *ddi);
void ddi_seal(struct ddi *ddi);

uint8_t *ddi_header(struct ddi *ddi);
uint8_t *ddi_entry(struct ddi *ddi, size_t index);
uint8_t *ddi_superblock(struct ddi *ddi);

/* A whole verity superblock, VERITY_SUPERBLOCK_SIZE bytes; no more salt than there is room for. */
void ddi_put_superblock(uint8_t *superblock, uint64_t data_blocks, uint16_t salt_size);

/* In a GPT entry. */
void ddi_put_guid(uint8_t *to, const uint8_t uuid[16]);
void ddi_put_range(struct ddi *ddi, size_t index, uint64_t first_lba, uint64_t last_lba);
void ddi_put_type(struct ddi *ddi, size_t index, enum arch arch, enum role role,
		  enum ddi_partition kind);

/* One more partition behind the three, and its place. */
void ddi_add(struct ddi *ddi, size_t index, enum arch arch, enum role role,
	     enum ddi_partition kind);

/* Replaces what the signature partition holds. */
void ddi_put_envelope(struct ddi *ddi, const char *text, size_t size);

/* A second table at the end, which a reader that falls back to it would find good. */
void ddi_put_backup(struct ddi *ddi);

/* A file descriptor of `size` bytes of the image; the caller closes it. */
int ddi_open(const struct ddi *ddi, uint64_t size);

#endif
