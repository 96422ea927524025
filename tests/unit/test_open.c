/* SPDX-License-Identifier: Apache-2.0 */
/* core/open: what a kernel command line asks to be opened, and what a partition begins with. */
#include "core/open.h"

#include "core/piece.h"
#include "core/text.h"
#include "test.h"

#define HASH "00112233445566778899aabbccddeeffa0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
#define UUID "7130c94a-213a-4e5a-8e26-6cce9662f132"

static struct verdict parse(const char *line, struct open_asked *asked)
{
	char *copy = exact_copy(line, strlen(line));
	struct verdict v = open_parse(copy, strlen(line), asked);

	free(copy);
	return v;
}

static void is_place(const struct open_place *place, const char *expected)
{
	char said[4 * OPEN_PLACE_MAX + 16];
	struct text text;

	text_init(&text, said, sizeof(said));
	open_describe(place, &text);
	assert_true(text_ok(&text));
	assert_string_equal(said, expected);
}

static void asks_for_nothing(void **state)
{
	static const char *const lines[] = { "",
					     "quiet root=/dev/sda1\n",
					     "verity.usr=",
					     "verity.usr verity.usrhash",
					     "usrhash=\"\"",
					     "my.verity.usr=1 verity.usrhashes=2 usrhash2=3" };
	struct open_asked asked;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_reason(parse(lines[i], &asked), ACCEPTED);
		assert_int_equal(asked.count, 0);
		assert_int_equal(asked.seconds, OPEN_SECONDS);
	}
}

/* As GRUB of Flatcar has it, and as people write by hand. */
static void reads_flatcar(void **state)
{
	struct open_asked asked;

	(void)state;
	assert_reason(
		parse("BOOT_IMAGE=/flatcar/vmlinuz-a mount.usr=/dev/mapper/usr verity.usr=PARTUUID=" UUID
		      " rootflags=rw mount.usrflags=ro root=LABEL=ROOT verity.usrhash=" HASH "\n",
		      &asked),
		ACCEPTED);
	assert_int_equal(asked.count, 1);
	assert_string_equal(asked.requests[0].name, "usr");
	assert_int_equal(asked.requests[0].root_hash[1], 0x11);
	assert_int_equal(asked.requests[0].root_hash[31], 0xaf);
	assert_true(asked.requests[0].is_behind);
	assert_int_equal(asked.requests[0].corruption, CORRUPTION_PANIC);
	is_place(&asked.requests[0].data, "PARTUUID=" UUID);
	is_place(&asked.requests[0].tree, "PARTUUID=" UUID);

	assert_reason(
		parse("verity.usr=\"PARTLABEL=USR A\" verity.usrhash=00112233445566778899AABBCCDDEEFF"
		      "A0A1A2A3A4A5A6A7A8A9AAABACADAEAF rd.earlytimeout=7",
		      &asked),
		ACCEPTED);
	is_place(&asked.requests[0].data, "PARTLABEL=USR A");
	assert_int_equal(asked.requests[0].root_hash[31], 0xaf);
	assert_int_equal(asked.seconds, 7);

	assert_reason(
		parse("verity.usr=PARTUUID=7130C94A-213A-4E5A-8E26-6CCE9662F132 verity.usrhash=" HASH,
		      &asked),
		ACCEPTED);
	is_place(&asked.requests[0].data, "PARTUUID=" UUID);
	/* Of a disk without a GPT it may be anything. */
	assert_reason(parse("verity.usr=PARTUUID=AZ@[-01 verity.usrhash=" HASH, &asked), ACCEPTED);
	is_place(&asked.requests[0].data, "PARTUUID=az@[-01");
}

static void reads_numbers_to_their_limits(void **state)
{
	static const struct {
		const char *line;
		uint32_t seconds;
	} limits[] = { { "rd.earlytimeout=0", 0 },
		       { "rd.earlytimeout=10", 10 },
		       { "rd.earlytimeout=3599", 3599 },
		       { "rd.earlytimeout=3600", 3600 },
		       { "rd.earlytimeout=0003600", 3600 } };
	struct open_asked asked;

	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++) {
		assert_reason(parse(limits[i].line, &asked), ACCEPTED);
		assert_int_equal(asked.seconds, limits[i].seconds);
	}
	assert_reason(parse("usrhash=" HASH
			    " systemd.verity_usr_options=hash-offset=9223372036854771712",
			    &asked),
		      ACCEPTED);
	assert_true(asked.requests[0].superblock == UINT64_C(9223372036854771712));
}

static void reads_systemd(void **state)
{
	struct open_asked asked;

	(void)state;
	assert_reason(parse("roothash=" HASH " usrhash=" HASH
			    " systemd.verity_usr_options=restart-on-corruption,hash-offset=8192"
			    " systemd.verity_usr_hash=/dev/vda3 systemd.verity_usr_data=/dev/vda3",
			    &asked),
		      ACCEPTED);
	assert_int_equal(asked.count, 2);
	assert_string_equal(asked.requests[0].name, "usr");
	assert_false(asked.requests[0].is_behind);
	assert_int_equal(asked.requests[0].superblock, 8192);
	assert_int_equal(asked.requests[0].corruption, CORRUPTION_RESTART);
	is_place(&asked.requests[0].data, "/dev/vda3");
	is_place(&asked.requests[0].tree, "/dev/vda3");
	assert_string_equal(asked.requests[1].name, "root");
	assert_int_equal(asked.requests[1].superblock, 0);
	assert_int_equal(asked.requests[1].corruption, CORRUPTION_PANIC);
	is_place(&asked.requests[1].data, "PARTUUID=00112233-4455-6677-8899-aabbccddeeff");
	is_place(&asked.requests[1].tree, "PARTUUID=a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf");

	assert_reason(parse("verity.usr=/dev/sda3 verity.usrhash=" HASH " roothash=" HASH
			    " systemd.verity_root_options=panic-on-corruption",
			    &asked),
		      ACCEPTED);
	assert_int_equal(asked.count, 2);
	assert_string_equal(asked.requests[1].name, "root");
}

/* "@" is where it is pointed at. */
static void refuses(enum reason reason, const char *marked)
{
	struct open_asked asked, before;
	const size_t at = strcspn(marked, "@"), size = strlen(marked);
	char line[1024];
	struct verdict v;

	memcpy(line, marked, at);
	memcpy(line + at, marked + at + 1, size - at);
	memset(&asked, 0x5a, sizeof(asked));
	before = asked;
	v = parse(line, &asked);
	if (v.reason != reason || v.at != at)
		fail_msg("%s: %s at %d", marked, reason_name(v.reason), (int)v.at);
	assert_memory_equal(&asked, &before, sizeof(asked));
}

static void refuses_values(void **state)
{
	static const char *const lines[] = {
		"verity.usr=/dev/a verity.usrhash=@0011",
		"verity.usr=/dev/a verity.usrhash=@" HASH "00",
		"verity.usr=/dev/a verity.usrhash=@g" HASH,
		"verity.usr=@LABEL=usr verity.usrhash=" HASH,
		"verity.usr=@UUID=" UUID " verity.usrhash=" HASH,
		"verity.usr=@PARTUUID= verity.usrhash=" HASH,
		"verity.usr=@sda3 verity.usrhash=" HASH,
		"verity.usr=@/usr.img verity.usrhash=" HASH,
		"usrhash=" HASH " systemd.verity_usr_options=@ignore-corruption",
		"usrhash=" HASH " systemd.verity_usr_options=@hash-offset=1,panic-on-corruption",
		"roothash=@00 systemd.verity_root_data=/dev/a systemd.verity_root_hash=/dev/b",
		"usrhash=" HASH
		" systemd.verity_usr_options=panic-on-corruption,@check-at-most-once",
		"usrhash=" HASH " systemd.verity_usr_options=panic-on-corruption,@",
		"usrhash=" HASH " systemd.verity_usr_options=@hash-offset=",
		"usrhash=" HASH " systemd.verity_usr_options=@hash-offset=4097",
		"usrhash=" HASH " systemd.verity_usr_options=@hash-offset=9223372036854775808",
		"usrhash=" HASH " systemd.verity_usr_options=@hash-offset=18446744073709551616",
		"usrhash=" HASH " systemd.verity_usr_data=@nowhere",
		"roothash=" HASH " systemd.verity_root_hash=@nowhere",
		"roothash=" HASH " rd.earlytimeout=@3601",
		"rd.earlytimeout=@-1",
		"rd.earlytimeout=@7s",
	};

	(void)state;
	/* Without Flatcar's hash its partition is half of something. */
	refuses(REASON_OPEN_PARTIAL, "verity.usr=@/dev/a usrhash=" HASH);
	for (size_t i = 0; i < COUNT(lines); i++)
		refuses(REASON_OPEN_VALUE, lines[i]);
}

static void refuses_places_that_are_too_long(void **state)
{
	struct open_asked asked;
	char line[OPEN_PLACE_MAX + 200] = "verity.usrhash=" HASH " verity.usr=PARTLABEL=";
	const size_t used = strlen(line);

	(void)state;
	memset(line + used, 'x', OPEN_PLACE_MAX - 1);
	assert_reason(parse(line, &asked), ACCEPTED);
	assert_int_equal(strlen(asked.requests[0].data.text), OPEN_PLACE_MAX - 1);
	line[used + OPEN_PLACE_MAX - 1] = 'x';
	assert_refused_at(parse(line, &asked), OPEN_VALUE, used - strlen("PARTLABEL="));
}

/* What follows a NUL would be lost. */
static void refuses_labels_with_a_nul(void **state)
{
	static const char line[] = "verity.usr=PARTLABEL=a\0b verity.usrhash=" HASH;
	struct open_asked asked;

	(void)state;
	assert_refused_at(open_parse(line, sizeof(line) - 1, &asked), OPEN_VALUE,
			  strlen("verity.usr="));
}

static void bounds_numbers(void **state)
{
	const struct piece seven = { .bytes = "7", .size = 1 };
	uint64_t number = 42;

	(void)state;
	assert_false(piece_number(seven, 6, &number));
	assert_int_equal(number, 42);
	assert_true(piece_number(seven, 7, &number));
	assert_int_equal(number, 7);
}

static void refuses_what_is_said_twice(void **state)
{
	(void)state;
	refuses(REASON_OPEN_TWICE, "verity.usr=/dev/a @verity.usr=/dev/a verity.usrhash=" HASH);
	refuses(REASON_OPEN_TWICE, "usrhash=" HASH " @usrhash=" HASH);
	refuses(REASON_OPEN_TWICE, "usrhash=@" HASH " verity.usr=/dev/a verity.usrhash=" HASH);
}

static void refuses_halves(void **state)
{
	(void)state;
	refuses(REASON_OPEN_PARTIAL, "verity.usr=@PARTUUID=" UUID);
	refuses(REASON_OPEN_PARTIAL, "verity.usr=@PARTUUID=" UUID " verity.usrhash=");
	refuses(REASON_OPEN_PARTIAL, "quiet verity.usrhash=@" HASH);
	refuses(REASON_OPEN_PARTIAL, "systemd.verity_usr_data=@/dev/a roothash=" HASH);
	refuses(REASON_OPEN_PARTIAL, "systemd.verity_root_options=@panic-on-corruption");
}

/* ---- what a partition begins with ---- */

struct ext {
	uint32_t blocks, log_size, incompat, blocks_high;
	uint16_t magic;
};

static uint64_t behind(struct ext ext)
{
	uint8_t start[OPEN_START_SIZE] = { 0 };

	put_le(start + 1024 + 4, ext.blocks, 4);
	put_le(start + 1024 + 24, ext.log_size, 4);
	put_le(start + 1024 + 56, ext.magic, 2);
	put_le(start + 1024 + 96, ext.incompat, 4);
	put_le(start + 1024 + 336, ext.blocks_high, 4);
	return open_superblock_behind(start);
}

#define ELSEWHERE 1065345024u

static void finds_the_superblock(void **state)
{
	(void)state;
	assert_int_equal(behind((struct ext){ 260094, 2, 0x80, 0, 0xef53 }), 1065345024);
	assert_int_equal(behind((struct ext){ 2048, 2, 0, 0, 0xef53 }), 8388608);
	assert_int_equal(behind((struct ext){ 8192, 0, 0, 0, 0xef53 }), 8388608);
	assert_int_equal(behind((struct ext){ 128, 6, 0, 0, 0xef53 }), 8388608);
	assert_true(behind((struct ext){ UINT32_MAX, 2, 0x80, 0x7ffff, 0xef53 }) ==
		    UINT64_C(9223372036854771712));
	assert_int_equal(behind((struct ext){ 0, 2, 0x80, 0x80000, 0xef53 }), ELSEWHERE);
	/* The upper half counts only with the feature. */
	assert_int_equal(behind((struct ext){ 1, 2, 0x80, 1, 0xef53 }), (UINT64_C(1) << 44) + 4096);
	assert_int_equal(behind((struct ext){ 1, 2, 0, 1, 0xef53 }), 4096);
	/* No ext: Flatcar's place. */
	assert_int_equal(behind((struct ext){ 2048, 2, 0, 0, 0xef54 }), ELSEWHERE);
	assert_int_equal(behind((struct ext){ 0, 0, 0, 0, 0 }), ELSEWHERE);
	assert_int_equal(behind((struct ext){ 2048, 7, 0, 0, 0xef53 }), ELSEWHERE);
	assert_int_equal(behind((struct ext){ 2048, UINT32_MAX, 0, 0, 0xef53 }), ELSEWHERE);
	assert_int_equal(behind((struct ext){ 3, 0, 0, 0, 0xef53 }), ELSEWHERE);
	assert_int_equal(behind((struct ext){ 0, 6, 0x80, UINT32_MAX, 0xef53 }), ELSEWHERE);
}

static void knows_what_begins_a_file_system(void **state)
{
	uint8_t block[VEXT_BLOCK] = { 0 };

	(void)state;
	assert_true(open_is_filesystem(block));
	block[31] = 1;
	assert_false(open_is_filesystem(block));
	block[31] = 0;
	block[32] = 1;
	assert_true(open_is_filesystem(block));
	memset(block, 0xab, sizeof(block));
	assert_false(open_is_filesystem(block));
	memcpy(block, "XFSB\0\0\x10\0", 8);
	assert_true(open_is_filesystem(block));
	block[4] = 1;
	assert_false(open_is_filesystem(block));
	memset(block, 0, sizeof(block));
	memcpy(block, "hsqs", 4);
	assert_false(open_is_filesystem(block));
	put_le(block + 4, 7, 4);
	put_le(block + 12, 131072, 4);
	put_le(block + 20, 6, 2);
	put_le(block + 22, 17, 2);
	put_le(block + 28, 4, 2);
	put_le(block + 40, 4096, 8);
	assert_true(open_is_filesystem(block));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_nothing),
		cmocka_unit_test(reads_flatcar),
		cmocka_unit_test(reads_numbers_to_their_limits),
		cmocka_unit_test(reads_systemd),
		cmocka_unit_test(refuses_values),
		cmocka_unit_test(refuses_places_that_are_too_long),
		cmocka_unit_test(refuses_labels_with_a_nul),
		cmocka_unit_test(bounds_numbers),
		cmocka_unit_test(refuses_what_is_said_twice),
		cmocka_unit_test(refuses_halves),
		cmocka_unit_test(finds_the_superblock),
		cmocka_unit_test(knows_what_begins_a_file_system),
	};

	return cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
