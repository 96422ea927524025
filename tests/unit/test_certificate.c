/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/certificate and crypto/anchors: one certificate a file, DER or PEM, and how many there may be. */
#include <stdio.h>

#include "certificates.h"
#include "crypto/anchors.h"
#include "crypto/certificate.h"
#include "test.h"

#define ENDS "-----END CERTIFICATE-----\n"

static struct verdict read_bytes(const void *bytes, size_t size)
{
	void *exact = exact_copy(bytes, size);
	mbedtls_x509_crt certificate;
	struct verdict v = certificate_read(exact, size, &certificate);

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
		cmocka_unit_test(takes_so_many_anchors),
	};

	return cmocka_run_group_tests_name("certificate", tests, NULL, NULL);
}
