/* SPDX-License-Identifier: Apache-2.0 */
/* core/release: os-release text, and which extension fits which host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/release.h"

/* ---- reading ------------------------------------------------------------------------------- */

/* From a buffer of just that size, so that reading on is found out. */
static enum reason parse_bytes(const char *bytes, size_t size, struct release *release)
{
	char *copy = malloc(size + 1);
	enum reason reason;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	copy = realloc(copy, size > 0 ? size : 1);
	assert_non_null(copy);
	reason = release_parse(copy, size, release).reason;
	free(copy);
	return reason;
}

static enum reason parse(const char *text, struct release *release)
{
	return parse_bytes(text, strlen(text), release);
}

static struct release parsed(const char *text)
{
	struct release release;

	assert_int_equal(parse(text, &release), REASON_ACCEPTED);
	return release;
}

static void reads_a_real_file(void **state)
{
	const struct release r = parsed("PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n"
					"NAME=\"Debian GNU/Linux\"\n"
					"VERSION_ID=\"13\"\n"
					"VERSION=\"13 (trixie)\"\n"
					"ID=debian\n"
					"ID_LIKE='one two'\n"
					"HOME_URL=\"https://www.debian.org/\"\n"
					"SYSEXT_LEVEL=1.0\n"
					"ANSI_COLOR=\"0;38;2;60;110;180\"\n");

	(void)state;
	assert_string_equal(r.id, "debian");
	assert_string_equal(r.id_like, "one two");
	assert_string_equal(r.version_id, "13");
	assert_string_equal(r.level[CLASS_SYSEXT], "1.0");
	assert_string_equal(r.architecture, "");
	assert_false(r.has_scope[CLASS_SYSEXT]);
}

static void reads_what_is_unusual(void **state)
{
	struct release r =
		parsed("\n# comment\n ; another=one\n\t ID= \tx y \t\r\nVERSION_ID=\nID_LIKE=");

	(void)state;
	assert_string_equal(r.id, "x y");
	assert_string_equal(r.version_id, "");
	r = parsed("");
	assert_string_equal(r.id, "");
	r = parsed("ID=first\nID=second\n");
	assert_string_equal(r.id, "second");
	r = parsed("XID=1\nIDX=2\nid=3\n");
	assert_string_equal(r.id, "");
	r = parsed("SYSEXT_SCOPE=\n");
	assert_true(r.has_scope[CLASS_SYSEXT]);
}

static void takes_quotes_apart(void **state)
{
	struct release r = parsed("ID=\"a\\\"b\\\\c\\$d\\`e\\n\" \n");

	(void)state;
	assert_string_equal(r.id, "a\"b\\c$d`e\\n");
	r = parsed("ID='a\\b\"c'");
	assert_string_equal(r.id, "a\\b\"c");
	r = parsed("ID=a\\ b\\'c\\ \n");
	assert_string_equal(r.id, "a b'c ");
	r = parsed("ID=\"two\\\nlines\"");
	assert_string_equal(r.id, "twolines");
	r = parsed("ID=\"\"");
	assert_string_equal(r.id, "");
}

static void refuses_what_is_no_assignment(void **state)
{
	static const char *const bad[] = { "nonsense\n",     "=x\n",	    "ID\n",
					   "ID =x\n",	     "ID=\"open\n", "ID='open",
					   "ID=\"x\"y\n",    "ID='x''y'\n", "ID=x\\\n",
					   "ID=x\\",	     "export ID=x", "I-D=x\n",
					   "ID=\"ends in\\", "A=1\nB\nC=2" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct release r = { .id = "before" };

		assert_int_equal(parse(bad[i], &r), REASON_RELEASE_MALFORMED);
		assert_string_equal(r.id, "before");
	}
}

static void knows_the_characters_of_keys(void **state)
{
	static const char others[] = "{|}~`[]@:;<>?/.-+*&%$!^\\\"'()";
	struct release release;

	(void)state;
	assert_int_equal(parse("AZ_az09=1\n0=1\n9Z=1\nID=x\n", &release), REASON_ACCEPTED);
	assert_string_equal(release.id, "x");
	for (size_t i = 0; i < sizeof(others) - 1; i++) {
		const char line[] = { 'A', others[i], '=', '1', '\n', 0 };

		if (parse(line, &release) == REASON_ACCEPTED)
			fail_msg("accepted: %s", line);
	}
}

static void refuses_nul_bytes(void **state)
{
	struct release r;

	(void)state;
	assert_int_equal(parse_bytes("ID=x\0\n", 6, &r), REASON_RELEASE_MALFORMED);
	assert_int_equal(parse_bytes("\0", 1, &r), REASON_RELEASE_MALFORMED);
}

static void bounds_values_and_files(void **state)
{
	static char file[RELEASE_FILE_MAX + 1];
	struct release r;

	(void)state;
	memset(file, 'x', sizeof(file));
	memcpy(file, "ID=", 3);
	assert_int_equal(parse_bytes(file, 3 + RELEASE_VALUE_MAX - 1, &r), REASON_ACCEPTED);
	assert_int_equal(strlen(r.id), RELEASE_VALUE_MAX - 1);
	assert_int_equal(parse_bytes(file, 3 + RELEASE_VALUE_MAX, &r), REASON_RELEASE_MALFORMED);
	memcpy(file, "XY=", 3); /* not looked at: as long as it likes */
	assert_int_equal(parse_bytes(file, RELEASE_FILE_MAX, &r), REASON_ACCEPTED);
	assert_int_equal(parse_bytes(file, RELEASE_FILE_MAX + 1, &r), REASON_RELEASE_MALFORMED);
}

/* ---- matching ------------------------------------------------------------------------------ */

static enum reason match(const char *host, const char *extension)
{
	const struct release h = parsed(host);
	const struct release e = parsed(extension);

	return release_match(&h, &e, CLASS_SYSEXT, ARCH_X86_64, RELEASE_SCOPE_SYSTEM).reason;
}

#define HOST "ID=flatcar\nID_LIKE=\"coreos gentoo\"\nVERSION_ID=4230.2.0\n"
#define LEVELS "ID=flatcar\nVERSION_ID=1\nSYSEXT_LEVEL=1.0\n"

static void matches_ids(void **state)
{
	(void)state;
	assert_int_equal(match(HOST, "ID=flatcar\nVERSION_ID=4230.2.0"), REASON_ACCEPTED);
	assert_int_equal(match(HOST, "ID=coreos\nVERSION_ID=4230.2.0"), REASON_ACCEPTED);
	assert_int_equal(match(HOST, "ID=gentoo\nVERSION_ID=4230.2.0"), REASON_ACCEPTED);
	assert_int_equal(match(HOST, "ID=_any"), REASON_ACCEPTED);
	assert_int_equal(match(HOST, "ID=_any\nVERSION_ID=9\nSYSEXT_LEVEL=9"), REASON_ACCEPTED);
	assert_int_equal(match(HOST, "ID=flat\nVERSION_ID=4230.2.0"), REASON_RELEASE_ID);
	assert_int_equal(match(HOST, "ID=core\nVERSION_ID=4230.2.0"), REASON_RELEASE_ID);
	assert_int_equal(match(HOST, "VERSION_ID=4230.2.0"), REASON_RELEASE_ID);
	assert_int_equal(match(HOST, "ID=\nVERSION_ID=4230.2.0"), REASON_RELEASE_ID);
	assert_int_equal(match(HOST, ""), REASON_RELEASE_ID);
}

static void matches_versions(void **state)
{
	(void)state;
	assert_int_equal(match(HOST, "ID=flatcar"), REASON_RELEASE_VERSION);
	assert_int_equal(match(HOST, "ID=flatcar\nVERSION_ID=4230.2.1"), REASON_RELEASE_VERSION);
	assert_int_equal(match(HOST, "ID=flatcar\nVERSION_ID=4230.2.0\nSYSEXT_LEVEL=5"),
			 REASON_ACCEPTED);
	assert_int_equal(match("ID=arch", "ID=arch"), REASON_ACCEPTED);
	assert_int_equal(match("ID=arch", "ID=arch\nVERSION_ID=7"), REASON_ACCEPTED);
}

static void prefers_levels_to_versions(void **state)
{
	(void)state;
	assert_int_equal(match(LEVELS, "ID=flatcar\nSYSEXT_LEVEL=1.0"), REASON_ACCEPTED);
	assert_int_equal(match(LEVELS, "ID=flatcar\nSYSEXT_LEVEL=1.0\nVERSION_ID=2"),
			 REASON_ACCEPTED);
	assert_int_equal(match(LEVELS, "ID=flatcar\nSYSEXT_LEVEL=2.0\nVERSION_ID=1"),
			 REASON_RELEASE_VERSION);
	assert_int_equal(match(LEVELS, "ID=flatcar\nVERSION_ID=1"), REASON_ACCEPTED);
	assert_int_equal(match("ID=x\nSYSEXT_LEVEL=1", "ID=x"), REASON_ACCEPTED);
}

static void matches_architectures(void **state)
{
	const struct release h = parsed(HOST);
	const struct release e = parsed("ID=_any\nARCHITECTURE=arm64");

	(void)state;
	assert_int_equal(match(HOST, "ID=_any\nARCHITECTURE=x86-64"), REASON_ACCEPTED);
	assert_int_equal(match(HOST, "ID=_any\nARCHITECTURE=_any"), REASON_ACCEPTED);
	assert_int_equal(match(HOST, "ID=_any\nARCHITECTURE="), REASON_ACCEPTED);
	assert_int_equal(match(HOST, "ID=_any\nARCHITECTURE=arm64"), REASON_RELEASE_ARCHITECTURE);
	assert_int_equal(match(HOST, "ID=_any\nARCHITECTURE=x86_64"), REASON_RELEASE_ARCHITECTURE);
	assert_int_equal(release_match(&h, &e, CLASS_SYSEXT, ARCH_ARM64, "system").reason,
			 REASON_ACCEPTED);
}

static void matches_scopes(void **state)
{
	const struct release h = parsed(HOST);
	const struct release e = parsed("ID=_any");

	(void)state;
	assert_int_equal(match(HOST, "ID=_any\nSYSEXT_SCOPE=system"), REASON_ACCEPTED);
	assert_int_equal(match(HOST, "ID=_any\nSYSEXT_SCOPE=\"initrd  system\""), REASON_ACCEPTED);
	assert_int_equal(match(HOST, "ID=_any\nSYSEXT_SCOPE=\"initrd portable\""),
			 REASON_RELEASE_SCOPE);
	assert_int_equal(match(HOST, "ID=_any\nSYSEXT_SCOPE=systems"), REASON_RELEASE_SCOPE);
	assert_int_equal(match(HOST, "ID=_any\nSYSEXT_SCOPE="), REASON_RELEASE_SCOPE);
	assert_int_equal(release_match(&h, &e, CLASS_SYSEXT, ARCH_X86_64, "portable").reason,
			 REASON_ACCEPTED);
	assert_int_equal(release_match(&h, &e, CLASS_SYSEXT, ARCH_X86_64, "initrd").reason,
			 REASON_RELEASE_SCOPE);
}

static void knows_who_wants_a_reload(void **state)
{
	static const char *const yes[] = { "1", "yes", "Y", "True", "t", "ON" };
	static const char *const no[] = {
		"", "0", "no", "false", "off", "2", "yess", "ye", "maybe"
	};
	char line[64];
	struct release r;

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		snprintf(line, sizeof(line), "EXTENSION_RELOAD_MANAGER=\"%s\"\n", yes[i]);
		r = parsed(line);
		assert_true(release_wants_reload(&r));
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		snprintf(line, sizeof(line), "EXTENSION_RELOAD_MANAGER=\"%s\"\n", no[i]);
		r = parsed(line);
		assert_false(release_wants_reload(&r));
	}
	r = parsed("ID=_any\n");
	assert_false(release_wants_reload(&r));
}

static void matches_confexts_by_keys_of_their_own(void **state)
{
	static const char host[] = HOST "SYSEXT_LEVEL=1\nCONFEXT_LEVEL=2\n";
	static const struct {
		const char *extension;
		enum reason reason;
	} rows[] = {
		{ "ID=flatcar\nCONFEXT_LEVEL=2", REASON_ACCEPTED },
		{ "ID=flatcar\nCONFEXT_LEVEL=1", REASON_RELEASE_VERSION },
		{ "ID=flatcar\nSYSEXT_LEVEL=1", REASON_RELEASE_VERSION },
		{ "ID=flatcar\nSYSEXT_LEVEL=1\nVERSION_ID=4230.2.0", REASON_ACCEPTED },
		{ "ID=_any\nCONFEXT_SCOPE=initrd", REASON_RELEASE_SCOPE },
		{ "ID=_any\nCONFEXT_SCOPE=", REASON_RELEASE_SCOPE },
		{ "ID=_any\nCONFEXT_SCOPE=system\nSYSEXT_SCOPE=initrd", REASON_ACCEPTED },
		{ "ID=_any\nSYSEXT_SCOPE=", REASON_ACCEPTED },
	};
	const struct release h = parsed(host);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct release e = parsed(rows[i].extension);

		assert_int_equal(
			release_match(&h, &e, CLASS_CONFEXT, ARCH_X86_64, RELEASE_SCOPE_SYSTEM)
				.reason,
			rows[i].reason);
	}
	assert_int_equal(match(host, "ID=flatcar\nSYSEXT_LEVEL=1\nCONFEXT_LEVEL=1"),
			 REASON_ACCEPTED);
}

static void asks_in_the_order_of_systemd(void **state)
{
	(void)state;
	assert_int_equal(match(HOST, "SYSEXT_SCOPE=x\nARCHITECTURE=x\nID=x\nVERSION_ID=x"),
			 REASON_RELEASE_SCOPE);
	assert_int_equal(match(HOST, "ARCHITECTURE=x\nID=x\nVERSION_ID=x"),
			 REASON_RELEASE_ARCHITECTURE);
	assert_int_equal(match(HOST, "ID=x\nVERSION_ID=x"), REASON_RELEASE_ID);
	assert_int_equal(match("VERSION_ID=1", "ID=_any"), REASON_RELEASE_HOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_real_file),
		cmocka_unit_test(reads_what_is_unusual),
		cmocka_unit_test(takes_quotes_apart),
		cmocka_unit_test(refuses_what_is_no_assignment),
		cmocka_unit_test(knows_the_characters_of_keys),
		cmocka_unit_test(refuses_nul_bytes),
		cmocka_unit_test(bounds_values_and_files),
		cmocka_unit_test(matches_ids),
		cmocka_unit_test(matches_versions),
		cmocka_unit_test(prefers_levels_to_versions),
		cmocka_unit_test(matches_architectures),
		cmocka_unit_test(matches_scopes),
		cmocka_unit_test(knows_who_wants_a_reload),
		cmocka_unit_test(matches_confexts_by_keys_of_their_own),
		cmocka_unit_test(asks_in_the_order_of_systemd),
	};

	return cmocka_run_group_tests_name("release", tests, NULL, NULL);
}
