/* SPDX-License-Identifier: Apache-2.0 */
/* probe/envelope: one JSON object, then NULs; its three members in one accepted form each. */
#include <stdio.h>

#include "probe/parse.h"
#include "test.h"

#define HASH "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef"
#define SIGNATURE "\"signature\":\"AQIDBA==\""
#define ENVELOPE(hash) "{\"rootHash\":" hash "," SIGNATURE "}"
#define WITH_SIGNATURE(value) "{\"rootHash\":\"" HASH "\",\"signature\":" value "}"

static struct claim *claim; /* 60 KB */

/* From a buffer of just that size. */
static struct verdict parse_bytes(const char *bytes, size_t size)
{
	uint8_t *exact = exact_copy(bytes, size);
	struct verdict v;

	memset(claim, 0, sizeof(*claim));
	v = envelope_parse(exact, size, claim);
	free(exact);
	return v;
}

static struct verdict parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void takes_what_systemd_repart_writes(void **state)
{
	static const char text[16384] = "{\"rootHash\":\"" HASH
					"\",\"certificateFingerprint\":\"" HASH
					"\",\"signature\":\"AQIDBA==\"}\n";
	static const uint8_t der[] = { 1, 2, 3, 4 };

	(void)state;
	assert_reason(parse_bytes(text, sizeof(text)), ACCEPTED);
	assert_int_equal(claim->root_hash[0], 0x00);
	assert_int_equal(claim->root_hash[31], 0xef);
	assert_int_equal(claim->has_fingerprint, 1);
	assert_memory_equal(claim->fingerprint, claim->root_hash, 32);
	assert_int_equal(claim->signature_size, 4);
	assert_memory_equal(claim->signature, der, 4);
}

static void takes_other_forms_of_the_same(void **state)
{
	(void)state;
	assert_reason(parse(ENVELOPE("\"" HASH "\"")), ACCEPTED);
	assert_int_equal(claim->has_fingerprint, 0);
	assert_reason(parse(" \r\n\t{ " SIGNATURE " , \"rootHash\" : \"" HASH "\" } \n"), ACCEPTED);
	assert_reason(parse("{\"x\":[{\"rootHash\":1}],\"rootHash\":\"" HASH "\"," SIGNATURE
			    ",\"\":null}"),
		      ACCEPTED);
}

/* A JSON escape is another spelling of the same text: the choice is to read JSON as JSON. */
static void reads_escapes(void **state)
{
	(void)state;
	assert_reason(
		parse("{\"root\\u0048ash\":\"\\u0030"
		      "0112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef\"," SIGNATURE
		      "}"),
		ACCEPTED);
	assert_int_equal(claim->root_hash[0], 0x00);
}

static void refuses_what_is_no_object(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"[]",
		"null",
		"1",
		"\"" HASH "\"",
		"{",
		"}",
		"{}{}",
		"{}x",
		"[" ENVELOPE("\"" HASH "\"") "]",
		ENVELOPE("\"" HASH "\"") ENVELOPE("\"" HASH "\""),
		ENVELOPE("\"" HASH "\"") ",",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_reason(parse(texts[i]), ENVELOPE_JSON);
}

static void refuses_json_that_is_not_strict(void **state)
{
	static const char *const texts[] = {
		"{\"rootHash\":\"" HASH "\"," SIGNATURE ",}",
		"{'rootHash':\"" HASH "\"," SIGNATURE "}",
		"{rootHash:\"" HASH "\"," SIGNATURE "}",
		"/* */ {\"rootHash\":\"" HASH "\"," SIGNATURE "}",
		"{\"rootHash\":\"" HASH "\"," SIGNATURE ",\"x\":NaN}",
		"{\"rootHash\":\"" HASH "\"," SIGNATURE ",\"x\":01}",
		"{\"rootHash\":\"" HASH "\"," SIGNATURE ",\"x\":\"\n\"}",
		"{\"rootHash\":\"" HASH "\"," SIGNATURE ",\"x\":\"\\x41\"}",
		"\xef\xbb\xbf{\"rootHash\":\"" HASH "\"," SIGNATURE "}",    /* byte order mark */
		"{\"rootHash\":\"" HASH "\"," SIGNATURE ",\"x\":\"\xff\"}", /* not UTF-8 */
		"{\"rootHash\":\"" HASH "\"," SIGNATURE ",\"x\":\"\xc0\xaf\"}",	    /* overlong */
		"{\"rootHash\":\"" HASH "\"," SIGNATURE ",\"x\":\"\xed\xa0\x80\"}", /* surrogate */
		"{\"rootHash\":\"" HASH "\"," SIGNATURE ",\"x\":\"\\ud800\"}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_reason(parse(texts[i]), ENVELOPE_JSON);
}

static void refuses_bytes_behind_a_nul(void **state)
{
	static const char second[] = ENVELOPE("\"" HASH "\"") "\0" ENVELOPE("\"" HASH "\"");
	static const char late[] = ENVELOPE("\"" HASH "\"") "\0\0\0\0\0\0\0x";
	static const char utf16[] = "{\0\"\0r\0o\0o\0t\0";
	static const char nuls[64] = { 0 };

	(void)state;
	assert_refused_at(parse_bytes(second, sizeof(second) - 1), ENVELOPE_PADDING,
			  strlen(second));
	assert_reason(parse_bytes(late, sizeof(late) - 1), ENVELOPE_PADDING);
	assert_reason(parse_bytes(late, sizeof(late) - 2), ACCEPTED);
	assert_reason(parse_bytes(utf16, sizeof(utf16) - 1), ENVELOPE_PADDING);
	assert_reason(parse_bytes(nuls, sizeof(nuls)), ENVELOPE_JSON);
}

static void wants_both_members(void **state)
{
	(void)state;
	assert_reason(parse("{}"), ENVELOPE_MISSING);
	assert_reason(parse("{" SIGNATURE "}"), ENVELOPE_MISSING);
	assert_reason(parse("{\"rootHash\":\"" HASH "\"}"), ENVELOPE_MISSING);
	assert_reason(parse("{\"roothash\":\"" HASH "\"," SIGNATURE "}"), ENVELOPE_MISSING);
	assert_reason(parse("{\"rootHash\\u0000\":\"" HASH "\"," SIGNATURE "}"), ENVELOPE_MISSING);
	assert_reason(parse("{\"x\":{\"rootHash\":\"" HASH "\"}," SIGNATURE "}"), ENVELOPE_MISSING);
}

static void wants_strings(void **state)
{
	static const char *const values[] = { "[]", "{}", "1", "null", "true", "[\"AQIDBA==\"]" };
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		snprintf(text, sizeof(text), "{\"rootHash\":%s," SIGNATURE "}", values[i]);
		assert_reason(parse(text), ENVELOPE_TYPE);
		snprintf(text, sizeof(text), "{\"rootHash\":\"" HASH "\",\"signature\":%s}",
			 values[i]);
		assert_reason(parse(text), ENVELOPE_TYPE);
		snprintf(text, sizeof(text),
			 "{\"rootHash\":\"" HASH "\"," SIGNATURE ",\"certificateFingerprint\":%s}",
			 values[i]);
		assert_reason(parse(text), ENVELOPE_TYPE);
	}
}

static void refuses_a_member_twice(void **state)
{
	(void)state;
	assert_reason(parse("{\"rootHash\":\"" HASH "\",\"rootHash\":\"" HASH "\"," SIGNATURE "}"),
		      ENVELOPE_DUPLICATE);
	assert_reason(
		parse("{\"rootHash\":\"" HASH "\",\"root\\u0048ash\":\"" HASH "\"," SIGNATURE "}"),
		ENVELOPE_DUPLICATE);
	assert_reason(parse("{\"rootHash\":\"" HASH "\"," SIGNATURE ",\"signature\":\"\"}"),
		      ENVELOPE_DUPLICATE);
	assert_reason(parse("{\"rootHash\":\"" HASH "\"," SIGNATURE ",\"x\":1,\"x\":1}"),
		      ENVELOPE_DUPLICATE);
}

/* `count` members, the two that matter among them. */
static struct verdict parse_members(size_t count)
{
	char text[4096];
	int used = snprintf(text, sizeof(text), "{\"rootHash\":\"" HASH "\"," SIGNATURE);

	for (size_t i = 2; i < count; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, ",\"m%zu\":%zu", i, i);
	snprintf(text + used, sizeof(text) - (size_t)used, "}");
	return parse(text);
}

static void bounds_the_members(void **state)
{
	(void)state;
	assert_reason(parse_members(64), ACCEPTED);
	assert_reason(parse_members(65), ENVELOPE_MEMBERS);
	assert_reason(parse_members(200), ENVELOPE_MEMBERS);
}

static void wants_64_lowercase_digits(void **state)
{
	static const char *const hashes[] = {
		"\"\"",
		"\"00112233445566778899aabbccddeeff0123456789abcdef0123456789abcd\"", /* 62 */
		"\"" HASH "ff\"",						      /* 66 */
		"\"" HASH HASH "\"",						      /* 128 */
		"\"00112233445566778899AABBCCDDEEFF0123456789ABCDEF0123456789ABCDEF\"",
		"\"0x112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef\"",
		"\" 0112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef\"",
		"\"00112233445566778899aabbccddeeff0123456789abcdef0123456789abcde\\n\"",
		"\"00112233445566778899aabbccddeeff0123456789abcdef0123456789abcde\\u0000\"",
		"\"" HASH "\\u0000\"",
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(hashes); i++) {
		snprintf(text, sizeof(text), "{\"rootHash\":%s," SIGNATURE "}", hashes[i]);
		assert_reason(parse(text), ENVELOPE_ROOT_HASH);
		snprintf(text, sizeof(text),
			 "{\"rootHash\":\"" HASH "\"," SIGNATURE ",\"certificateFingerprint\":%s}",
			 hashes[i]);
		assert_reason(parse(text), ENVELOPE_FINGERPRINT);
	}
}

static void wants_canonical_base64(void **state)
{
	static const char *const odd[] = {
		"\"AQIDBA\"",
		"\"AQIDBA=\"",
		"\"AQIDBA===\"",
		"\"AQID BA==\"",
		"\"AQIDBA==\\n\"",
		"\"AQID\\nBA==\"",
		"\"\\tAQIDBA==\"",
		"\"AQIDBB==\"",
		"\"AQIDBAU\"",
		"\"AQIDBAV=\"",
		"\"A\"",
		"\"=\"",
		"\"====\"",
		"\"AQ-_\"",
		"\"AQIDBA==AQID\"",
		"\"AQIDBA==\\u0000\"",
		"\"AQ\\u0000D\"",
		"\"AQ.D\"",
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(odd); i++) {
		snprintf(text, sizeof(text), "{\"rootHash\":\"" HASH "\",\"signature\":%s}",
			 odd[i]);
		assert_reason(parse(text), ENVELOPE_BASE64);
	}
	assert_reason(parse(WITH_SIGNATURE("\"AQID\"")), ACCEPTED);
	assert_reason(parse(WITH_SIGNATURE("\"AQIDBAU=\"")), ACCEPTED);
	assert_reason(parse(WITH_SIGNATURE("\"AQ\\u0049D\"")), ACCEPTED); /* an escape, as above */
}

static void refuses_an_empty_signature(void **state)
{
	(void)state;
	assert_reason(parse(WITH_SIGNATURE("\"\"")), ENVELOPE_EMPTY);
}

/* A signature of `groups` times three zero bytes and `rest` more. */
static struct verdict parse_signature_of(size_t groups, size_t rest)
{
	static char text[VEXT_ENVELOPE_MAX];
	size_t used = (size_t)sprintf(text, "{\"rootHash\":\"" HASH "\",\"signature\":\"");

	memset(text + used, 'A', 4 * groups);
	used += 4 * groups;
	used += (size_t)sprintf(text + used, "%s\"}", rest == 2 ? "AAA=" : rest == 1 ? "AA==" : "");
	return parse_bytes(text, used);
}

static void bounds_the_signature(void **state)
{
	(void)state;
	assert_int_equal(VEXT_PKCS7_MAX, 5461 * 3 + 1);
	assert_reason(parse_signature_of(5461, 1), ACCEPTED);
	assert_int_equal(claim->signature_size, VEXT_PKCS7_MAX);
	assert_false(is_accepted(parse_signature_of(5461, 2)));
	assert_false(is_accepted(parse_signature_of(5462, 0)));
	assert_reason(parse_signature_of(5462, 1), ENVELOPE_SIZE);
	assert_reason(parse_signature_of(15000, 0), ENVELOPE_SIZE);
}

/* Nothing behind the last byte is read, also when no NUL ends the text. */
static void reads_a_full_partition(void **state)
{
	static char text[VEXT_ENVELOPE_MAX];
	const char good[] = ENVELOPE("\"" HASH "\"");

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text + sizeof(text) - strlen(good), good, strlen(good));
	assert_reason(parse_bytes(text, sizeof(text)), ACCEPTED);
	memset(text, '[', sizeof(text));
	assert_reason(parse_bytes(text, sizeof(text)), ENVELOPE_JSON);
}

static void survives_deep_nesting(void **state)
{
	static char text[200100];
	size_t used = (size_t)sprintf(text, "{\"rootHash\":\"" HASH "\"," SIGNATURE ",\"x\":");

	(void)state;
	memset(text + used, '[', 100000 - used);
	memset(text + 100000, ']', 100000 - used);
	strcpy(text + 200000 - used, "}");
	assert_reason(parse(text),
		      ACCEPTED); /* ignored, like any other member that vext doesn't know */
	text[200000 - used - 1] = ' ';
	assert_reason(parse(text), ENVELOPE_JSON);
}

static void cut_anywhere_is_refused(void **state)
{
	static const char text[] = "{\"rootHash\":\"" HASH "\",\"certificateFingerprint\":\"" HASH
				   "\",\"signature\":\"AQIDBA==\"}";

	(void)state;
	for (size_t size = 0; size < sizeof(text) - 1; size++)
		assert_reason(parse_bytes(text, size), ENVELOPE_JSON);
	assert_reason(parse_bytes(text, sizeof(text) - 1), ACCEPTED);
}

static int make_room(void **state)
{
	(void)state;
	claim = malloc(sizeof(*claim));
	return claim ? 0 : -1;
}

static int free_room(void **state)
{
	(void)state;
	free(claim);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_systemd_repart_writes),
		cmocka_unit_test(takes_other_forms_of_the_same),
		cmocka_unit_test(reads_escapes),
		cmocka_unit_test(refuses_what_is_no_object),
		cmocka_unit_test(refuses_json_that_is_not_strict),
		cmocka_unit_test(refuses_bytes_behind_a_nul),
		cmocka_unit_test(wants_both_members),
		cmocka_unit_test(wants_strings),
		cmocka_unit_test(refuses_a_member_twice),
		cmocka_unit_test(bounds_the_members),
		cmocka_unit_test(wants_64_lowercase_digits),
		cmocka_unit_test(wants_canonical_base64),
		cmocka_unit_test(refuses_an_empty_signature),
		cmocka_unit_test(bounds_the_signature),
		cmocka_unit_test(reads_a_full_partition),
		cmocka_unit_test(survives_deep_nesting),
		cmocka_unit_test(cut_anywhere_is_refused),
	};

	return cmocka_run_group_tests(tests, make_room, free_room);
}
