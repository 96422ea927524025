/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#7, verified with real certificates: RSA, P-256 and P-384, and one root hash. Asserted of an accepted one: it
 * is the only encoding of its values, its issuer and serial number are the certificate's, and an RSA signature is the
 * very one that the key makes.
 */
#include "core/der.h"
#include "crypto/judge.h"
#include "crypto/pkcs7.h"
#include "fuzz.h"

#define INPUT_MAX VEXT_PKCS7_MAX

/* As in tests/fuzz/seeds. */
static void make_root_hash(uint8_t root_hash[VEXT_HASH_SIZE])
{
	for (size_t i = 0; i < VEXT_HASH_SIZE; i++)
		root_hash[i] = (uint8_t)(0x40 + i);
}

/* ---- DER, once more ------------------------------------------------------------------------ */

/* The length of what the value at `from` would be when it is encoded anew: 0 when it is not DER. */
static size_t canonical_size(const uint8_t *from, size_t size)
{
	size_t header = 2, length, digits;

	if (size < 2)
		return 0;
	length = from[1];
	if (length >= 0x80) {
		digits = length & 0x7f;
		if (digits == 0 || digits > 4 || digits > size - 2 || from[2] == 0)
			return 0;
		length = 0;
		for (size_t i = 0; i < digits; i++)
			length = length << 8 | from[2 + i];
		if (length < 0x80)
			return 0;
		header += digits;
	}
	if (length > size - header)
		return 0;
	if (from[0] & 0x20)
		for (size_t done = 0; done < length;) {
			const size_t next = canonical_size(from + header + done, length - done);

			if (next == 0)
				return 0;
			done += next;
		}
	return header + length;
}

/* ---- what is asserted ---------------------------------------------------------------------- */

static mbedtls_md_type_t md_type(enum digest digest)
{
	return digest == DIGEST_SHA256 ? MBEDTLS_MD_SHA256 :
	       digest == DIGEST_SHA384 ? MBEDTLS_MD_SHA384 :
					 MBEDTLS_MD_SHA512;
}

static void check_rsa(const struct pkcs7_signer *signer, const uint8_t root_hash[VEXT_HASH_SIZE])
{
	static uint8_t known[DIGEST_SHA512 + 1][FUZZ_RSA_SIZE];
	static bool is_known[DIGEST_SHA512 + 1];

	if (!is_known[signer->digest])
		fuzz_sign(md_type(signer->digest), root_hash, known[signer->digest]);
	is_known[signer->digest] = true;
	holds(cursor_equals(signer->signature, known[signer->digest], FUZZ_RSA_SIZE));
}

static void check_ec(const struct pkcs7_signer *signer)
{
	struct cursor c = signer->signature, numbers, r, s;

	holds(canonical_size(c.at, c.left) == c.left);
	holds(der_is_strict(c) && der_take(&c, DER_SEQUENCE, &numbers) && c.left == 0);
	holds(der_take(&numbers, DER_INTEGER, &r) && der_take(&numbers, DER_INTEGER, &s) &&
	      numbers.left == 0);
	holds(!(r.at[0] & 0x80) && !(s.at[0] & 0x80));
}

static void check_accepted(const uint8_t *bytes, size_t size, const struct anchor *anchor,
			   const uint8_t root_hash[VEXT_HASH_SIZE])
{
	const mbedtls_x509_crt *certificate = &anchor->certificate;
	struct pkcs7_signer signer;

	holds(is_accepted(pkcs7_parse(bytes, size, &signer)));
	holds(canonical_size(bytes, size) == size);
	holds(cursor_equals(signer.issuer, certificate->issuer_raw.p, certificate->issuer_raw.len));
	holds(cursor_equals(signer.serial, certificate->serial.p, certificate->serial.len));
	holds(signer.signature.at + signer.signature.left == bytes + size);
	if (signer.key == KEY_RSA)
		check_rsa(&signer, root_hash);
	else
		check_ec(&signer);
}

static bool is_all(const void *bytes, uint8_t value, size_t size)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < size; i++)
		if (b[i] != value)
			return false;
	return true;
}

static void check_parse(const uint8_t *bytes, size_t size)
{
	struct pkcs7_signer signer;
	struct verdict v;

	memset(&signer, 0x5a, sizeof(signer));
	v = pkcs7_parse(bytes, size, &signer);
	holds(fuzz_group(v) == 0 || fuzz_group(v) == 4);
	if (!is_accepted(v))
		holds(is_all(&signer, 0x5a, sizeof(signer)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct origin origin = { .name = "fuzz" };
	static const struct anchor untouched;
	const struct anchor *anchor = &untouched;
	uint8_t root_hash[VEXT_HASH_SIZE], *copy;
	struct verdict v;

	if (size > INPUT_MAX)
		return 0;
	make_root_hash(root_hash);
	copy = fuzz_copy(bytes, size);
	check_parse(copy, size);
	v = judge_signature(fuzz_anchors(), &origin, root_hash, copy, size, &anchor);
	holds(fuzz_group(v) == 0 || fuzz_group(v) == 4);
	holds(is_accepted(v) == (anchor != &untouched));
	if (is_accepted(v))
		check_accepted(copy, size, anchor, root_hash);
	free(copy);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed)
{
	return fuzz_der_mutate(bytes, size, max_size, seed);
}
