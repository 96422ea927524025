/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/pkcs7: the one shape of a signature, here of one by an elliptic curve. */
#include "core/der.h"
#include "crypto/pkcs7.h"
#include "test.h"

#define BYTES(...) ((const uint8_t[]){ __VA_ARGS__ })
#define HOLDS(value) parses(value, sizeof(value))

static const uint8_t sha256_null[] = { 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
				       0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00 };
static const uint8_t ecdsa_sha256[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
					0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
static const uint8_t name_and_serial[] = { 0x30, 0x05, 0x30, 0x00, 0x02, 0x01, 0x07 };
static const uint8_t signed_data_oid[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
					   0xf7, 0x0d, 0x01, 0x07, 0x02 };
static const uint8_t data_content[] = { 0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48,
					0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };
static const uint8_t version_1[] = { 0x02, 0x01, 0x01 };

/* Values of up to 127 bytes, put together from the inside. */
struct built {
	uint8_t bytes[256];
	size_t size;
};

static void put(struct built *b, const void *bytes, size_t size)
{
	memcpy(b->bytes + b->size, bytes, size);
	b->size += size;
}

static void wrap(struct built *b, uint8_t tag)
{
	size_t header = b->size < 0x80 ? 2 : 3;

	memmove(b->bytes + header, b->bytes, b->size);
	b->bytes[0] = tag;
	b->bytes[1] = header == 2 ? (uint8_t)b->size : 0x81;
	if (header == 3)
		b->bytes[2] = (uint8_t)b->size;
	b->size += header;
}

static struct built signer_info(const uint8_t *value, size_t size)
{
	struct built octets = { .size = 0 }, b = { .size = 0 };

	if (size > 0)
		put(&octets, value, size);
	wrap(&octets, DER_OCTET_STRING);
	put(&b, version_1, sizeof(version_1));
	put(&b, name_and_serial, sizeof(name_and_serial));
	put(&b, sha256_null, sizeof(sha256_null));
	put(&b, ecdsa_sha256, sizeof(ecdsa_sha256));
	put(&b, octets.bytes, octets.size);
	wrap(&b, DER_SEQUENCE);
	wrap(&b, DER_SET);
	return b;
}

static struct built content_info(const uint8_t *value, size_t size)
{
	struct built signers = signer_info(value, size), b = { .size = 0 }, whole = { .size = 0 };

	put(&b, version_1, sizeof(version_1));
	put(&b, BYTES(DER_SET, sizeof(sha256_null)), 2);
	put(&b, sha256_null, sizeof(sha256_null));
	put(&b, data_content, sizeof(data_content));
	put(&b, signers.bytes, signers.size);
	wrap(&b, DER_SEQUENCE);
	wrap(&b, DER_CONTEXT_0);
	put(&whole, signed_data_oid, sizeof(signed_data_oid));
	put(&whole, b.bytes, b.size);
	wrap(&whole, DER_SEQUENCE);
	return whole;
}

/* Is this the value of a signature by an elliptic curve? If not, it must be for that reason. */
static bool parses(const uint8_t *value, size_t size)
{
	struct built whole = content_info(value, size);
	uint8_t *copy = exact_copy(whole.bytes, whole.size);
	struct pkcs7_signer signer = { .key = 0 };
	struct verdict v = pkcs7_parse(copy, whole.size, &signer);

	if (is_accepted(v)) {
		assert_int_equal(signer.key, KEY_EC);
		assert_true(cursor_equals(signer.signature, value, size));
	} else {
		assert_reason(v, SIGNATURE_DER);
		assert_int_equal(signer.key, 0);
	}
	free(copy);
	return is_accepted(v);
}

static void takes_two_natural_numbers(void **state)
{
	(void)state;
	assert_true(HOLDS(BYTES(0x30, 6, 2, 1, 5, 2, 1, 0x7f)));
	assert_true(HOLDS(BYTES(0x30, 7, 2, 1, 5, 2, 2, 0x00, 0x80)));
}

/* mbedTLS by itself takes the sign for a digit. */
static void refuses_negative_numbers(void **state)
{
	(void)state;
	assert_false(HOLDS(BYTES(0x30, 6, 2, 1, 0x80, 2, 1, 5)));
	assert_false(HOLDS(BYTES(0x30, 6, 2, 1, 5, 2, 1, 0xff)));
}

static void refuses_other_forms_of_a_number(void **state)
{
	(void)state;
	assert_false(HOLDS(BYTES(0x30, 7, 2, 2, 0x00, 5, 2, 1, 5)));
	assert_false(HOLDS(BYTES(0x30, 7, 2, 0x81, 1, 5, 2, 1, 5)));
	assert_false(HOLDS(BYTES(0x30, 0x81, 6, 2, 1, 5, 2, 1, 5)));
	assert_false(HOLDS(BYTES(0x30, 5, 2, 0, 2, 1, 5)));
}

static void refuses_another_shape(void **state)
{
	(void)state;
	assert_false(HOLDS(BYTES(0x30, 3, 2, 1, 5)));
	assert_false(HOLDS(BYTES(0x30, 9, 2, 1, 5, 2, 1, 5, 2, 1, 5)));
	assert_false(HOLDS(BYTES(0x30, 6, 2, 1, 5, 2, 1, 5, 0)));
	assert_false(HOLDS(BYTES(0x31, 6, 2, 1, 5, 2, 1, 5)));
	assert_false(HOLDS(BYTES(0x30, 6, 2, 1, 5, 4, 1, 5)));
	assert_false(parses(NULL, 0));
}

/* Offsets of every value in it, constructed ones opened. */
static size_t values_of(struct cursor c, const uint8_t *start, size_t *at, size_t used, size_t room)
{
	struct der value;

	while (c.left > 0 && der_next(&c, &value)) {
		assert_true(used < room);
		at[used++] = (size_t)(value.whole.at - start);
		if (value.tag & 0x20)
			used = values_of(value.body, start, at, used, room);
	}
	return used;
}

/* No value of it can be left out, be of another kind or be of another content, but for names and numbers. */
static void wants_every_part(void **state)
{
	static const uint8_t value[] = { 0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01 };
	const struct built good = content_info(value, sizeof(value));
	size_t at[64],
		count = values_of(cursor_over(good.bytes, good.size), good.bytes, at, 0, COUNT(at));
	struct pkcs7_signer signer;

	(void)state;
	assert_true(count > 20);
	assert_reason(pkcs7_parse(good.bytes, good.size, &signer), ACCEPTED);
	for (size_t i = 0; i < count; i++) {
		static const uint8_t tags[] = {
			0x00, 0x04, 0x0c, 0x30, 0x31, 0xa1, 0x02, 0x05, 0x06
		};
		struct built other = good;

		for (size_t j = 0; j < COUNT(tags); j++) {
			other.bytes[at[i]] = tags[j];
			if (tags[j] == good.bytes[at[i]])
				continue;
			if (is_accepted(pkcs7_parse(other.bytes, other.size, &signer)))
				fail_msg("accepted tag %02x at %zu", tags[j], at[i]);
		}
	}
	/* What is cut: every length before the end, with the lengths around it as they were. */
	for (size_t size = 0; size < good.size; size++)
		assert_false(is_accepted(pkcs7_parse(good.bytes, size, &signer)));
}

/* The outer values that hold nothing, or too little. */
static void wants_what_is_inside(void **state)
{
	struct built b = { .size = 0 };
	struct pkcs7_signer signer;

	(void)state;
	wrap(&b, DER_SEQUENCE);
	assert_reason(pkcs7_parse(b.bytes, b.size, &signer), SIGNATURE_CONTENT_TYPE);
	b = (struct built){ .size = 0 };
	put(&b, signed_data_oid, sizeof(signed_data_oid));
	wrap(&b, DER_SEQUENCE);
	assert_reason(pkcs7_parse(b.bytes, b.size, &signer), SIGNATURE_CONTENT_TYPE);
	b = (struct built){ .size = 0 };
	put(&b, signed_data_oid, sizeof(signed_data_oid));
	put(&b, BYTES(DER_CONTEXT_0, 0), 2);
	wrap(&b, DER_SEQUENCE);
	assert_reason(pkcs7_parse(b.bytes, b.size, &signer), SIGNATURE_CONTENT_TYPE);
	b = (struct built){ .size = 0 };
	put(&b, signed_data_oid, sizeof(signed_data_oid));
	put(&b, BYTES(DER_CONTEXT_0, 2, DER_SEQUENCE, 0), 4);
	wrap(&b, DER_SEQUENCE);
	assert_reason(pkcs7_parse(b.bytes, b.size, &signer), SIGNATURE_UNEXPECTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_two_natural_numbers),
		cmocka_unit_test(refuses_negative_numbers),
		cmocka_unit_test(refuses_other_forms_of_a_number),
		cmocka_unit_test(refuses_another_shape),
		cmocka_unit_test(wants_every_part),
		cmocka_unit_test(wants_what_is_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
