/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/certificate and crypto/anchors: one certificate a file, DER or PEM, and how many there may be. */
#include <stdio.h>

#include "certificates.h"
#include "core/der.h"
#include "crypto/anchors.h"
#include "crypto/certificate.h"
#include "test.h"

#define ENDS "-----END CERTIFICATE-----\n"

static struct verdict read_bytes(const void *bytes, size_t size)
{
	void *exact = exact_copy(bytes, size);
	mbedtls_x509_crt certificate;
	struct cursor der;
	struct verdict v = certificate_open(exact, size, &der);

	if (is_accepted(v))
		v = certificate_parse(der, &certificate);
	if (is_accepted(v))
		mbedtls_x509_crt_free(&certificate);
	free(exact);
	return v;
}

static struct verdict read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

/* Base64 needs no sense of its own here: OpenSSL's way, 64 characters a line. */
static void put_pem(char *to, const uint8_t *bytes, size_t size, const char *label)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t column = 0;

	to += sprintf(to, "-----BEGIN %s-----\n", label);
	for (size_t i = 0; i < size; i += 3) {
		const uint32_t group = (uint32_t)bytes[i] << 16 |
				       (i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0) |
				       (i + 2 < size ? bytes[i + 2] : 0);

		*to++ = digits[group >> 18];
		*to++ = digits[group >> 12 & 63];
		*to++ = i + 1 < size ? digits[group >> 6 & 63] : '=';
		*to++ = i + 2 < size ? digits[group & 63] : '=';
		if (++column % 16 == 0)
			*to++ = '\n';
	}
	sprintf(to, "\n-----END %s-----\n", label);
}

static void takes_one_certificate(void **state)
{
	char pem[2048], text[4096];

	(void)state;
	assert_reason(read_bytes(ca_p256, sizeof(ca_p256)), ACCEPTED);
	put_pem(pem, ca_p256, sizeof(ca_p256), "CERTIFICATE");
	assert_reason(read_text(pem), ACCEPTED);
	sprintf(text, "what it is for\n%sand more\n", pem);
	assert_reason(read_text(text), ACCEPTED);
	sprintf(text, "0 is where DER starts\n%s", pem);
	assert_reason(read_text(text), ACCEPTED);
}

/* Nobody checks an anchor's own signature, but mbedTLS looks at its algorithm. */
static void tells_a_signature_of_another_algorithm(void **state)
{
	static const uint8_t sha256[] = {
		0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02
	};
	uint8_t der[sizeof(ca_p256)];
	uint8_t *at;

	(void)state;
	memcpy(der, ca_p256, sizeof(der));
	at = memmem(der, sizeof(der), sha256, sizeof(sha256));
	assert_non_null(at);
	at[9] = 0x01; /* ecdsa-with-SHA224 */
	assert_reason(read_bytes(der, sizeof(der)), ANCHOR_ALGORITHM);
}

static void refuses_what_is_not_just_one(void **state)
{
	static uint8_t large[CERTIFICATE_FILE_MAX];
	char pem[2048], text[4096];
	uint8_t longer[sizeof(ca_p256) + 1] = { 0 };

	(void)state;
	assert_reason(read_bytes("", 0), ANCHOR_FORMAT);
	assert_reason(read_text("x"), ANCHOR_FORMAT);
	memcpy(longer, ca_p256, sizeof(ca_p256));
	assert_reason(read_bytes(longer, sizeof(longer)), ANCHOR_FORMAT);
	for (size_t size = 1; size < sizeof(ca_p256); size++)
		assert_reason(read_bytes(ca_p256, size), ANCHOR_FORMAT);
	put_pem(pem, ca_p256, sizeof(ca_p256), "CERTIFICATE");
	sprintf(text, "%s%s", pem, pem);
	assert_reason(read_text(text), ANCHOR_FORMAT);
	put_pem(text, ca_p256, sizeof(ca_p256), "TRUSTED CERTIFICATE");
	assert_reason(read_text(text), ANCHOR_FORMAT);
	put_pem(text, (const uint8_t *)"x", 1, "PUBLIC KEY");
	strcat(text, pem);
	assert_reason(read_text(text), ANCHOR_FORMAT); /* something else first */
	strcpy(text, pem);
	strcpy(strstr(text, ENDS), "-----END");
	assert_reason(read_text(text), ANCHOR_FORMAT);
	strcpy(text, pem);
	text[100] = '!';
	assert_reason(read_text(text), ANCHOR_FORMAT);
	strcpy(text, pem);
	assert_reason(read_bytes(text, strlen(text) + 1), ANCHOR_FORMAT); /* with its NUL */
	memset(large, '\n', sizeof(large));
	memcpy(large, pem, strlen(pem));
	assert_reason(read_bytes(large, sizeof(large)), ANCHOR_FORMAT);
	assert_reason(read_bytes(large, sizeof(large) - 1), ACCEPTED);
}

/* ---- taking apart -------------------------------------------------------------------------- */

#define VERSION 0xa0, 0x03, 0x02, 0x01, 0x02
#define SERIAL 0x02, 0x01, 0x07
#define ECDSA 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02
#define ECDSA_384 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03
#define RSA 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00
#define ISSUER 0x30, 0x02, 0x31, 0x00
#define BITS 0x03, 0x03, 0x00, 0x11, 0x22

struct shape {
	enum reason reason;
	size_t size;
	uint8_t bytes[64];
};

/* Of a TBSCertificate with `inner` bytes, and `rest` bytes behind it. */
#define SHAPE(expected, inner, rest, ...)                                      \
	{                                                                      \
		REASON_##expected, 4 + (inner) + (rest),                       \
		{                                                              \
			0x30, 2 + (inner) + (rest), 0x30, (inner), __VA_ARGS__ \
		}                                                              \
	}

static const struct shape shapes[] = {
	SHAPE(ACCEPTED, 24, 17, VERSION, SERIAL, ECDSA, ISSUER, ECDSA, BITS),
	SHAPE(ANCHOR_FORMAT, 0, 17, ECDSA, BITS),
	SHAPE(ANCHOR_FORMAT, 19, 17, SERIAL, ECDSA, ISSUER, ECDSA, BITS), /* version 1 */
	SHAPE(ANCHOR_FORMAT, 21, 17, VERSION, ECDSA, ISSUER, ECDSA, BITS),
	SHAPE(ANCHOR_FORMAT, 8, 17, VERSION, SERIAL, ECDSA, BITS),
	SHAPE(ANCHOR_FORMAT, 20, 17, VERSION, SERIAL, ECDSA, ECDSA, BITS),
	SHAPE(ANCHOR_FORMAT, 24, 17, VERSION, SERIAL, ECDSA, 0x31, 0x02, 0x31, 0x00, ECDSA, BITS),
	SHAPE(ANCHOR_ALGORITHM, 24, 0, VERSION, SERIAL, ECDSA, ISSUER),
	SHAPE(ANCHOR_ALGORITHM, 24, 5, VERSION, SERIAL, ECDSA, ISSUER, BITS),
	SHAPE(ANCHOR_ALGORITHM, 27, 20, VERSION, SERIAL, RSA, ISSUER, RSA, BITS), /* no digest */
	SHAPE(ANCHOR_ALGORITHM, 24, 17, VERSION, SERIAL, ECDSA, ISSUER, ECDSA_384, BITS),
	SHAPE(ANCHOR_FORMAT, 24, 12, VERSION, SERIAL, ECDSA, ISSUER, ECDSA),
	SHAPE(ANCHOR_FORMAT, 24, 14, VERSION, SERIAL, ECDSA, ISSUER, ECDSA, 0x03, 0x00),
	SHAPE(ANCHOR_FORMAT, 24, 16, VERSION, SERIAL, ECDSA, ISSUER, ECDSA, 0x03, 0x02, 0x01, 0x10),
	SHAPE(ANCHOR_FORMAT, 24, 19, VERSION, SERIAL, ECDSA, ISSUER, ECDSA, BITS, 0x05, 0x00),
};

static struct verdict take_apart(const uint8_t *bytes, size_t size, struct certificate_parts *parts)
{
	uint8_t *exact = exact_copy(bytes, size);
	const struct verdict v = certificate_take_apart(cursor_over(exact, size), parts);

	free(exact);
	return v;
}

static void takes_apart(void **state)
{
	static const struct certificate_parts untouched;
	struct certificate_parts parts;

	(void)state;
	for (size_t i = 0; i < COUNT(shapes); i++) {
		memset(&parts, 0, sizeof(parts));
		assert_string_equal(
			reason_name(take_apart(shapes[i].bytes, shapes[i].size, &parts).reason),
			reason_name(shapes[i].reason));
		if (shapes[i].reason != REASON_ACCEPTED)
			assert_memory_equal(&parts, &untouched, sizeof(parts));
	}
}

static void finds_the_parts(void **state)
{
	static const uint8_t issuer[] = { ISSUER }, bits[] = { 0x11, 0x22 };
	const struct shape *s = &shapes[0];
	struct certificate_parts parts;

	(void)state;
	assert_reason(certificate_take_apart(cursor_over(s->bytes, s->size), &parts), ACCEPTED);
	assert_true(cursor_equals(parts.issuer, issuer, sizeof(issuer)));
	assert_true(cursor_equals(parts.tbs, s->bytes + 2, 26));
	assert_true(cursor_equals(parts.before_signature, s->bytes + 2, 26 + 12));
	assert_true(cursor_equals(parts.signature, bits, sizeof(bits)));
	assert_true(parts.algorithm.key == KEY_EC && parts.algorithm.digest == DIGEST_SHA256);
}

static void wants_all_of_one(void **state)
{
	const struct shape *s = &shapes[0];
	struct certificate_parts parts;
	uint8_t twice[2 * 64];

	(void)state;
	for (size_t size = 0; size < s->size; size++)
		assert_reason(take_apart(s->bytes, size, &parts), ANCHOR_FORMAT);
	memcpy(twice, s->bytes, s->size);
	memcpy(twice + s->size, s->bytes, s->size);
	assert_reason(take_apart(twice, 2 * s->size, &parts), ANCHOR_FORMAT);
	twice[0] = DER_SET;
	assert_reason(take_apart(twice, s->size, &parts), ANCHOR_FORMAT);
	twice[0] = DER_SEQUENCE;
	twice[2] = DER_SET;
	assert_reason(take_apart(twice, s->size, &parts), ANCHOR_FORMAT);
}

/* ---- how many ------------------------------------------------------------------------------ */

static void takes_so_many_anchors(void **state)
{
	static struct anchors anchors;
	uint8_t der[sizeof(ca_p256)];

	(void)state;
	anchors_init(&anchors);
	memcpy(der, ca_p256, sizeof(der));
	for (size_t i = 0; i < VEXT_ANCHORS_MAX; i++) {
		der[15] = (uint8_t)(1 + i); /* in the serial number */
		assert_reason(anchors_add(&anchors, der, sizeof(der), ANCHOR_ARGUMENT), ACCEPTED);
		assert_int_equal(anchors.count, i + 1);
		if (anchors.count < VEXT_ANCHORS_MAX)
			assert_reason(anchors_add(&anchors, der, sizeof(der), ANCHOR_USR),
				      ANCHOR_DUPLICATE);
	}
	der[15] = 0x7f;
	assert_reason(anchors_add(&anchors, der, sizeof(der), ANCHOR_ARGUMENT), ANCHOR_LIMIT);
	assert_int_equal(anchors.count, VEXT_ANCHORS_MAX);
	anchors_free(&anchors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_one_certificate),
		cmocka_unit_test(tells_a_signature_of_another_algorithm),
		cmocka_unit_test(refuses_what_is_not_just_one),
		cmocka_unit_test(takes_apart),
		cmocka_unit_test(finds_the_parts),
		cmocka_unit_test(wants_all_of_one),
		cmocka_unit_test(takes_so_many_anchors),
	};

	return cmocka_run_group_tests_name("certificate", tests, NULL, NULL);
}
