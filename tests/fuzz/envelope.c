/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a signature partition holds. Asserted of an accepted one: nothing but NULs follow the object; the root hash,
 * the fingerprint and the canonical base64 of the signature stand in it as text, unless characters are escaped.
 */
#include "core/text.h"
#include "fuzz.h"
#include "probe/parse.h"

static bool contains(const uint8_t *bytes, size_t size, const char *text, size_t length)
{
	return memmem(bytes, size, text, length) != NULL;
}

static void check_hash(const uint8_t *bytes, size_t size, const uint8_t hash[VEXT_HASH_SIZE])
{
	char hex[2 * VEXT_HASH_SIZE + 1];
	struct text text;

	text_init(&text, hex, sizeof(hex));
	text_hex(&text, hash, VEXT_HASH_SIZE);
	holds(contains(bytes, size, hex, text.used));
}

static void check_accepted(const uint8_t *bytes, size_t size, const struct claim *claim)
{
	static char encoded[VEXT_PKCS7_MAX * 2];
	const uint8_t *nul = memchr(bytes, 0, size);
	size_t length;

	holds(claim->signature_size >= 1 && claim->signature_size <= VEXT_PKCS7_MAX);
	holds(claim->has_fingerprint <= 1);
	for (const uint8_t *at = nul; at && at < bytes + size; at++)
		holds(*at == 0);
	if (memchr(bytes, '\\', size))
		return;
	check_hash(bytes, size, claim->root_hash);
	if (claim->has_fingerprint)
		check_hash(bytes, size, claim->fingerprint);
	length = fuzz_base64(claim->signature, claim->signature_size, encoded);
	holds(contains(bytes, size, encoded, length));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct claim claim;
	uint8_t *copy;
	struct verdict v;

	if (size > VEXT_ENVELOPE_MAX)
		return 0;
	copy = fuzz_copy(bytes, size);
	memset(&claim, 0, sizeof(claim));
	v = envelope_parse(copy, size, &claim);
	holds(fuzz_group(v) == 0 || fuzz_group(v) == 3);
	holds(v.at == VERDICT_NOWHERE || v.at <= size);
	if (is_accepted(v))
		check_accepted(copy, size, &claim);
	free(copy);
	return 0;
}
