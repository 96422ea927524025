/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/twin.h"

#include <mbedtls/ecp.h>
#include <mbedtls/sha256.h>

#include "core/der.h"

#define NUMBER_MAX 48u	       /* bytes of n for P-384 */
#define SIGNATURE_MAX 128u     /* bytes: two such INTEGERs, and what is around them */
#define CERTIFICATE_MIN 256u   /* bytes: below it the length of the whole takes one byte */
#define CERTIFICATE_MAX 65535u /* bytes: beyond it the length takes three */
#define HEADER_MAX 4u	       /* bytes of a tag and a length */

/* ---- s' = n - s ---------------------------------------------------------------------------- */

static bool subtract(const mbedtls_ecp_group *group, struct cursor s, uint8_t number[NUMBER_MAX],
		     size_t *size)
{
	mbedtls_mpi value;
	bool done;

	mbedtls_mpi_init(&value);
	done = mbedtls_mpi_read_binary(&value, s.at, s.left) == 0 &&
	       mbedtls_mpi_cmp_mpi(&value, &group->N) < 0 &&
	       mbedtls_mpi_sub_mpi(&value, &group->N, &value) == 0;
	*size = mbedtls_mpi_size(&value);
	done = done && *size <= NUMBER_MAX && mbedtls_mpi_write_binary(&value, number, *size) == 0;
	mbedtls_mpi_free(&value);
	return done;
}

static bool other_number(const mbedtls_pk_context *key, struct cursor s, uint8_t number[NUMBER_MAX],
			 size_t *size)
{
	mbedtls_ecp_group group;
	bool done;

	mbedtls_ecp_group_init(&group);
	done = mbedtls_ecp_group_load(&group,
				      mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*key))) == 0 &&
	       subtract(&group, s, number, size);
	mbedtls_ecp_group_free(&group);
	return done;
}

/* ---- DER ----------------------------------------------------------------------------------- */

/* Tag and length, which is below 128 or takes two bytes; returns their size. */
static size_t put_header(uint8_t *to, uint8_t tag, size_t length)
{
	to[0] = tag;
	if (length < 0x80) {
		to[1] = (uint8_t)length;
		return 2;
	}
	to[1] = 0x82;
	to[2] = (uint8_t)(length >> 8);
	to[3] = (uint8_t)length;
	return 4;
}

/* INTEGERs that are positive and not zero; der_is_strict() has seen that they are in their shortest form. */
static bool take_numbers(struct cursor signature, struct der *r, struct cursor *s)
{
	struct cursor body;

	return der_is_strict(signature) && der_take(&signature, DER_SEQUENCE, &body) &&
	       signature.left == 0 && der_is_next(body, DER_INTEGER) && der_next(&body, r) &&
	       der_take(&body, DER_INTEGER, s) && body.left == 0 && r->body.at[0] < 0x80 &&
	       s->at[0] < 0x80;
}

/* BIT STRING { 0, SEQUENCE { r, s' } } */
static size_t put_signature(uint8_t to[SIGNATURE_MAX], struct cursor r, const uint8_t *number,
			    size_t size)
{
	const size_t zero = number[0] >> 7; /* one more byte, so that it is positive */
	const size_t integers = r.left + 2 + zero + size;
	uint8_t sequence[HEADER_MAX];
	const size_t sequence_size = put_header(sequence, DER_SEQUENCE, integers);
	size_t used = put_header(to, DER_BIT_STRING, 1 + sequence_size + integers);

	to[used++] = 0;
	memcpy(to + used, sequence, sequence_size);
	used += sequence_size;
	memcpy(to + used, r.at, r.left);
	used += r.left;
	used += put_header(to + used, DER_INTEGER, zero + size);
	if (zero)
		to[used++] = 0;
	memcpy(to + used, number, size);
	return used + size;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static bool hash(struct cursor signed_part, const uint8_t *signature, size_t size,
		 uint8_t fingerprint[VEXT_HASH_SIZE])
{
	uint8_t header[HEADER_MAX];
	const size_t header_size = put_header(header, DER_SEQUENCE, signed_part.left + size);
	mbedtls_sha256_context context;
	bool done;

	mbedtls_sha256_init(&context);
	done = mbedtls_sha256_starts(&context, 0) == 0 &&
	       mbedtls_sha256_update(&context, header, header_size) == 0 &&
	       mbedtls_sha256_update(&context, signed_part.at, signed_part.left) == 0 &&
	       mbedtls_sha256_update(&context, signature, size) == 0 &&
	       mbedtls_sha256_finish(&context, fingerprint) == 0;
	mbedtls_sha256_free(&context);
	return done;
}

bool twin_fingerprint(struct cursor signed_part, struct cursor signature,
		      const mbedtls_pk_context *key, uint8_t fingerprint[VEXT_HASH_SIZE])
{
	uint8_t other[SIGNATURE_MAX], number[NUMBER_MAX];
	struct cursor s;
	struct der r;
	size_t size;

	if (!take_numbers(signature, &r, &s) || r.whole.left > NUMBER_MAX + 3 ||
	    !other_number(key, s, number, &size))
		return false;
	size = put_signature(other, r.whole, number, size);
	/* Smaller than any with names in it. */
	if (signed_part.left + size < CERTIFICATE_MIN || signed_part.left + size > CERTIFICATE_MAX)
		return false;
	return hash(signed_part, other, size, fingerprint);
}
