/* SPDX-License-Identifier: Apache-2.0 */
/* core/base64 and core/pem. */
#include "core/base64.h"
#include "core/pem.h"
#include "test.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* RFC 4648, 10, and two characters that are not letters. */
static const struct {
	const char *text, *bytes;
} examples[] = {
	{ "", "" },
	{ "Zg==", "f" },
	{ "Zm8=", "fo" },
	{ "Zm9v", "foo" },
	{ "Zm9vYg==", "foob" },
	{ "Zm9vYmE=", "fooba" },
	{ "Zm9vYmFy", "foobar" },
	{ "+/+/", "\xfb\xff\xbf" },
};

static bool decode(const char *text, const char *ignored, size_t room, uint8_t *to, size_t *size)
{
	const size_t length = strlen(text);
	char *exact = exact_copy(text, length);
	const bool done = base64_decode(cursor_over(exact, length), ignored, to, room, size);

	free(exact);
	return done;
}

static void decodes_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(examples); i++) {
		const size_t wanted = strlen(examples[i].bytes);
		uint8_t *to = malloc(wanted + 1);
		size_t size = 99;

		assert_true(decode(examples[i].text, "", wanted, to, &size));
		assert_int_equal(size, wanted);
		assert_memory_equal(to, examples[i].bytes, wanted);
		if (wanted > 0)
			assert_false(decode(examples[i].text, "", wanted - 1, to, &size));
		free(to);
	}
}

/* Every digit in every place of a group, and every character that is none. */
static void knows_the_digits(void **state)
{
	(void)state;
	for (unsigned c = 1; c < 256; c++) {
		const char *digit = strchr(digits, (int)c);
		const uint32_t value = digit ? (uint32_t)(digit - digits) : 0;

		for (size_t place = 0; place < 4; place++) {
			char text[] = "AAAA";
			uint8_t to[3];
			size_t size;

			text[place] = (char)c;
			if (digit) {
				const uint32_t bits = value << 6 * (3 - place);

				assert_true(decode(text, "", 3, to, &size));
				assert_int_equal(to[0] << 16 | to[1] << 8 | to[2], bits);
			} else if (c != '=' || place < 3) {
				assert_false(decode(text, "", 3, to, &size));
			}
		}
	}
}

static void refuses_other_forms(void **state)
{
	static const char *const texts[] = {
		"Z",	 "Zg",	  "Zg=",    "Zg===",	"Zh==",	 "Zm9=", "Zm8",
		"=",	 "====",  "Z===",   "Zg==Zg==", "Zg==A", "=Zg=", "Z=g=",
		"Zm9v ", " Zm9v", "Zm\n9v", "Zm9v====", "Zm9v=", "-_-_", "Zm9v\x80",
	};
	uint8_t to[16];
	size_t size = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_false(decode(texts[i], "", sizeof(to), to, &size));
		assert_int_equal(size, 77);
	}
	assert_false(base64_decode(cursor_over("Zm9\0", 4), " ", to, sizeof(to), &size));
	assert_false(base64_decode(cursor_over("Zm9v\0", 5), "", to, sizeof(to), &size));
}

static void leaves_out_what_is_ignored(void **state)
{
	uint8_t to[16];
	size_t size;

	(void)state;
	assert_true(decode(" Zm\n9v\r\nYg\t=\n=\n", " \t\r\n", sizeof(to), to, &size));
	assert_int_equal(size, 4);
	assert_memory_equal(to, "foob", 4);
	assert_false(decode("Zm9v Yg==", "\n", sizeof(to), to, &size));
}

/* ---- PEM ----------------------------------------------------------------------------------- */

#define BEGINS "-----BEGIN CERTIFICATE-----"
#define ENDS "-----END CERTIFICATE-----"

static bool read_pem(const char *text, uint8_t *to, size_t room, size_t *size)
{
	const size_t length = strlen(text);
	char *exact = exact_copy(text, length);
	const bool done = pem_decode(cursor_over(exact, length), to, room, size);

	free(exact);
	return done;
}

static void reads_the_one_certificate(void **state)
{
	static const char *const texts[] = {
		BEGINS "\nZm9v\n" ENDS "\n",
		BEGINS "\r\nZm\r\n9v\r\n" ENDS,
		"text - -----\n" BEGINS "\nZm9v\n" ENDS "\nmore\n-----END X-----\n",
		"-----END CERTIFICATE-----\n" BEGINS "\nZm9v\n" ENDS,
	};
	uint8_t to[3];
	size_t size;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		memset(to, 0, sizeof(to));
		assert_true(read_pem(texts[i], to, sizeof(to), &size));
		assert_int_equal(size, 3);
		assert_memory_equal(to, "foo", 3);
		assert_false(read_pem(texts[i], to, 2, &size));
	}
}

static void refuses_anything_else(void **state)
{
	static const char *const texts[] = {
		"",
		"Zm9v",
		BEGINS,
		BEGINS "\nZm9v\n",
		BEGINS "\nZm9v\n-----END",
		"-----BEGIN X509 CERTIFICATE-----\nZm9v\n" ENDS,
		"-----BEGIN PUBLIC KEY-----\nZm9v\n-----END PUBLIC KEY-----\n" BEGINS
		"\nZm9v\n" ENDS,
		BEGINS "\nZm9v\n" ENDS "\n" BEGINS "\nZm9v\n" ENDS,
		BEGINS "\nZm9v\n" ENDS "\n-----BEGIN ",
		BEGINS "\nZm9v\n-----END X509 CRL-----\n" ENDS,
		BEGINS "\nProc-Type: 4,ENCRYPTED\n\nZm9v\n" ENDS,
		BEGINS "\nZm9\n" ENDS,
	};
	uint8_t to[16];
	size_t size = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_false(read_pem(texts[i], to, sizeof(to), &size));
	assert_int_equal(size, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_examples),
		cmocka_unit_test(knows_the_digits),
		cmocka_unit_test(refuses_other_forms),
		cmocka_unit_test(leaves_out_what_is_ignored),
		cmocka_unit_test(reads_the_one_certificate),
		cmocka_unit_test(refuses_anything_else),
	};

	return cmocka_run_group_tests_name("pem", tests, NULL, NULL);
}
