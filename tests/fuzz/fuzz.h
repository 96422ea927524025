/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput(), which calls vext's own
 * functions and asserts with holds() what their headers promise: that nothing crashes is the least of it.
 */
#ifndef VEXT_FUZZ_H
#define VEXT_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/anchors.h"
#include "vext.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* libFuzzer's own, for custom mutators; fuzz_main.c has one that does nothing. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed);

/* Ends the run when the condition is false: libFuzzer keeps the input. */
#define holds(condition) ((condition) ? (void)0 : fuzz_violated(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_violated(const char *what, const char *file, int line);

/* The hundreds of the reason: 3 for envelope.*; 0 for accepted. */
unsigned fuzz_group(struct verdict v);

/* A copy in a buffer of just that size, for the sanitizer to see what goes beyond it; free() it. */
uint8_t *fuzz_copy(const uint8_t *bytes, size_t size);

/*
 * Base64 with its NUL; `to` has room for 4 characters where 3 bytes begin, and the NUL. Returns its
 * length.
 */
size_t fuzz_base64(const uint8_t *bytes, size_t size, char *to);

/* Changes DER so that it stays such, most of the time. */
size_t fuzz_der_mutate(uint8_t *bytes, size_t size, size_t max_size, unsigned seed);

/* ---- images -------------------------------------------------------------------------------- */

#define FUZZ_HEAP_MAX \
	(12u << 20) /* bytes of heap that a parser may hold; 16 MiB with code and stack */

/*
 * What probe_image() does, without the jail: parser, and the parent's look at its claim. The file starts with
 * the bytes and goes on with zeros up to its size. Asserted: what both promise, and the limit of the heap.
 */
struct verdict fuzz_probe(const uint8_t *bytes, size_t size, uint64_t file_size,
			  struct claim *claim);

/* GUIDs and integers as they stand on disk. */
uint64_t fuzz_le(const uint8_t *from, size_t size);
void fuzz_put_le(uint8_t *to, uint64_t value, size_t size);
void fuzz_swap_guid(const uint8_t from[16], uint8_t to[16]); /* its own inverse */

/*
 * What fuzz_table() finds of a GPT in the bytes, without checking anything. Its entry array, of at most 128
 * entries, lies within the bytes.
 */
struct fuzz_table {
	uint32_t sector_size; /* 0: there is none */
	uint8_t *header;
	uint8_t *entries;
	uint32_t count;
};

struct fuzz_table fuzz_table(uint8_t *bytes, size_t size);

/* Makes both checksums of the primary table right. */
void fuzz_seal(uint8_t *bytes, size_t size);

/* ---- mbedTLS's parser of certificates ------------------------------------------------------- */

/* From now on it may only be called with bytes of which this is true; NULL: with any. */
void fuzz_guard_parser(bool (*allows)(const uint8_t *bytes, size_t size));

/* ---- trust --------------------------------------------------------------------------------- */

#define FUZZ_RSA_SIZE 256u /* bytes of a signature of the RSA key */

/* The certificates of build/fuzz/keys.h: RSA, P-256, P-384, and a CA, whose key is the RSA one. */
struct fuzz_certificate {
	const uint8_t *bytes;
	size_t size;
};

struct fuzz_certificate fuzz_ca(void);

/* All of them, as anchors. */
const struct anchors *fuzz_anchors(void);

/* The RSA key's one signature over some bytes, and over the 64 characters of a root hash. `md` is of SHA-2. */
void fuzz_sign_bytes(mbedtls_md_type_t md, const uint8_t *bytes, size_t size,
		     uint8_t signature[FUZZ_RSA_SIZE]);
void fuzz_sign(mbedtls_md_type_t md, const uint8_t root_hash[VEXT_HASH_SIZE],
	       uint8_t signature[FUZZ_RSA_SIZE]);

/* If a certificate ends with a signature of the CA's size, that is made right. */
void fuzz_sign_again(uint8_t *bytes, size_t size);

/* A PKCS#7 of that signature, with SHA-256; its size, or 0 if it needs more than max_size. */
size_t fuzz_pkcs7(const uint8_t root_hash[VEXT_HASH_SIZE], uint8_t *to, size_t max_size);

#endif
