/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser itself. It runs inside the jail; only tests and fuzzers run it without.
 */
#ifndef VEXT_PROBE_PARSE_H
#define VEXT_PROBE_PARSE_H

#include "vext.h"

struct parser {
	int fd;
	uint64_t size; /* bytes */
	enum arch arch;
	void *blkid; /* blkid_probe */
};

/*
 * All that needs system calls other than reading and memory: sets libblkid up, looks at no byte of the
 * image. False when it could not; parser_close() is due in either case.
 */
bool parser_open(struct parser *parser);
void parser_close(struct parser *parser);

/* Takes the image apart. `claim` starts zeroed and is filled as far as claim->stage says. */
struct verdict parser_run(struct parser *parser, struct claim *claim);

/* Reads the parser's file, as parser_run() does; valid as long as the parser. */
struct reader parser_reader(struct parser *parser);

/*
 * A verity superblock, and where it is: for what has no partition table of its own. It is at `superblock`, or with
 * is_behind where core/open.h says. What comes before it is data where both are in one partition, or else
 * data_size says how much there is.
 */
struct volume {
	bool is_behind;
	uint64_t superblock; /* bytes, a multiple of VEXT_BLOCK */
	uint64_t data_size;  /* bytes; 0: all that comes before the superblock */
	struct verity verity;
};

/* Fills in the superblock's place, and verity. */
struct verdict parser_run_volume(struct parser *parser, struct volume *volume);

/* One station of it: the signature partition's bytes into root hash, fingerprint and signature. */
struct verdict envelope_parse(const uint8_t *bytes, size_t size, struct claim *claim);

#endif
