/* SPDX-License-Identifier: Apache-2.0 */
/* core/table: what the device mapper is told. The lines are those that a kernel printed back. */
#include "core/table.h"

#include "test.h"

#define HEX_OF_AB "abababababababababababababababababababababababababababababababab"

static struct facts facts_with(uint64_t data_blocks, uint32_t salt_size)
{
	struct facts facts = { .verity = { .data_blocks = data_blocks, .salt_size = salt_size } };

	memset(facts.root_hash, 0xab, sizeof(facts.root_hash));
	memset(facts.verity.salt, 0x0c, salt_size);
	return facts;
}

static void names_the_device(void **state)
{
	char longest[VEXT_NAME_MAX + 1];
	char name[TABLE_NAME_MAX];

	(void)state;
	table_name(CLASS_CONFEXT, "docker", 0x89abcdef, name);
	assert_string_equal(name, "vext.docker-89abcdef");
	table_name(CLASS_SYSEXT, "docker", 0xa5, name);
	assert_string_equal(name, "vext-docker-000000a5");
	memset(longest, 'n', VEXT_NAME_MAX);
	longest[VEXT_NAME_MAX] = '\0';
	table_name(CLASS_SYSEXT, longest, UINT32_MAX, name);
	assert_int_equal(strlen(name), TABLE_NAME_MAX - 1);
	assert_memory_equal(name + 5, longest, VEXT_NAME_MAX);
	assert_string_equal(name + 5 + VEXT_NAME_MAX, "-ffffffff");
	assert_true(table_is_name_of(name, longest));
	assert_true(table_is_name_of(name, NULL));
}

static void knows_its_name(void **state)
{
	char longer[TABLE_NAME_MAX + 1];

	(void)state;
	assert_true(table_is_name_of("vext-docker-89abcdef", "docker"));
	assert_true(table_is_name_of("vext.docker-00000000", "docker"));
	assert_true(table_is_name_of("vext-a-b-89abcdef", "a-b"));
	assert_true(table_is_name_of("vext-a-b-89abcdef", NULL));
	assert_false(table_is_name_of("vext-a-b-89abcdef", "a"));
	assert_false(table_is_name_of("vext-docker-89abcdef", "docked"));
	assert_false(table_is_name_of("vext-docker-89abcdef", "docke"));
	assert_false(table_is_name_of("vext-docker-89abcdef", "docker-"));
	assert_false(table_is_name_of("vext-docker-89abcdef", ""));
	assert_false(table_is_name_of("vext+docker-89abcdef", NULL));
	assert_false(table_is_name_of("text-docker-89abcdef", NULL));
	assert_false(table_is_name_of("vext-docker-89ABCDEF", NULL));
	assert_false(table_is_name_of("vext-docker-89abcdeg", NULL));
	assert_false(table_is_name_of("vext-docker-g9abcdef", NULL));
	assert_false(table_is_name_of("vext-docker-9abcdef", NULL));
	assert_false(table_is_name_of("vext-docker+89abcdef", NULL));
	assert_false(table_is_name_of("vext-docker", NULL));
	assert_false(table_is_name_of("vext--89abcdef", NULL));
	assert_false(table_is_name_of("-89abcdef", NULL));
	assert_false(table_is_name_of("", NULL));
	memset(longer, 'n', TABLE_NAME_MAX);
	memcpy(longer, "vext-", 5);
	memcpy(longer + TABLE_NAME_MAX - 9, "-89abcdef", 10);
	assert_false(table_is_name_of(longer, NULL));
	assert_true(table_is_name_of(memcpy(longer + 1, "vext-", 5), NULL));
}

static void knows_its_uuid(void **state)
{
	(void)state;
	assert_true(table_is_uuid_of("CRYPT-VERITY-abababababababababababababababab-vext-docker",
				     "vext-docker"));
	assert_false(table_is_uuid_of("CRYPT-VERITY-abababababababababababababababab-vext-docker",
				      "vext-docke"));
	assert_false(table_is_uuid_of("CRYPT-VERITY-abababababababababababababababab-vext-docker",
				      "docker"));
	assert_false(table_is_uuid_of("CRYPT-VERITY-ababababababababababababababababa-vext-docker",
				      "vext-docker"));
	assert_false(table_is_uuid_of("CRYPT-VERITY-ABabababababababababababababababab-vext-docker",
				      "vext-docker"));
	assert_false(table_is_uuid_of("CRYPT-VERITY-abab-vext-docker", "vext-docker"));
	assert_false(table_is_uuid_of("LVM-abababababababababababababababab-vext-docker",
				      "vext-docker"));
	assert_false(table_is_uuid_of("CRYPT-VERITY-", "vext-docker"));
	assert_false(table_is_uuid_of("", "vext-docker"));
}

static void gives_it_a_uuid(void **state)
{
	const struct facts facts = facts_with(1, 0);
	char longest[VEXT_NAME_MAX + 1];
	char name[TABLE_NAME_MAX], uuid[TABLE_UUID_MAX];

	(void)state;
	table_uuid(facts.root_hash, "usr", uuid);
	assert_string_equal(uuid, "CRYPT-VERITY-abababababababababababababababab-usr");
	table_uuid(facts.root_hash, "vext-docker", uuid);
	assert_string_equal(uuid, "CRYPT-VERITY-abababababababababababababababab-vext-docker");
	memset(longest, 'n', VEXT_NAME_MAX);
	longest[VEXT_NAME_MAX] = '\0';
	table_name(CLASS_CONFEXT, longest, 1, name);
	table_uuid(facts.root_hash, name, uuid);
	assert_int_equal(strlen(uuid), TABLE_UUID_MAX - 1);
	assert_string_equal(uuid + strlen(uuid) - strlen(name), name);
}

static const struct table_options plain = { .signature_key = NULL };

static void writes_the_line(void **state)
{
	const struct facts facts = facts_with(131, 2);
	const struct table_device data = { 7, 0 };
	const struct table_device tree = { 7, 11 };
	char line[TABLE_LINE_MAX];

	(void)state;
	table_verity(&facts, data, tree, &plain, line);
	assert_string_equal(line, "1 7:0 7:11 4096 4096 131 1 sha256 " HEX_OF_AB " 0c0c");
}

static void writes_a_dash_for_no_salt(void **state)
{
	const struct facts facts = facts_with(1, 0);
	const struct table_device device = { 254, 3 };
	char line[TABLE_LINE_MAX];

	(void)state;
	table_verity(&facts, device, device, &plain, line);
	assert_string_equal(line, "1 254:3 254:3 4096 4096 1 1 sha256 " HEX_OF_AB " -");
}

static void starts_behind_the_superblock(void **state)
{
	const struct facts facts = facts_with(260094, 0);
	const struct table_device device = { 254, 3 };
	const struct table_options flatcar = { .superblock = 260094,
					       .corruption = CORRUPTION_PANIC };
	const struct table_options last = { .superblock = UINT64_MAX - 1 };
	char line[TABLE_LINE_MAX];

	(void)state;
	table_verity(&facts, device, device, &flatcar, line);
	assert_string_equal(line, "1 254:3 254:3 4096 4096 260094 260095 sha256 " HEX_OF_AB
				  " - 1 panic_on_corruption");
	table_verity(&facts, device, device, &last, line);
	assert_non_null(strstr(line, " 260094 18446744073709551615 sha256 "));
}

/* As dm-verity prints it back: the count of words, then the words. */
static void names_the_signature(void **state)
{
	const struct facts facts = facts_with(131, 2);
	const struct table_device device = { 7, 0 };
	const struct table_options options = { .signature_key = "vext-docker" };
	char line[TABLE_LINE_MAX];

	(void)state;
	table_verity(&facts, device, device, &options, line);
	assert_string_equal(line, "1 7:0 7:0 4096 4096 131 1 sha256 " HEX_OF_AB
				  " 0c0c 2 root_hash_sig_key_desc vext-docker");
}

static void has_room_for_the_longest_line(void **state)
{
	const struct facts facts = facts_with(UINT64_MAX, VEXT_SALT_MAX);
	const struct table_device device = { UINT32_MAX, UINT32_MAX };
	char key[TABLE_NAME_MAX] = { 0 };
	const struct table_options signature = { .signature_key = key };
	char line[TABLE_LINE_MAX];

	(void)state;
	table_verity(&facts, device, device, &plain, line);
	assert_int_equal(strlen(line),
			 strlen("1 4096 4096 1 sha256 ") + 2 * 22 + 20 + 2 + 64 + 512);
	assert_string_equal(line + strlen(line) - 4, "0c0c");
	memset(key, 'k', sizeof(key) - 1);
	table_verity(&facts, device, device, &signature, line);
	assert_string_equal(line + strlen(line) - strlen(key), key);
}

static void counts_sectors(void **state)
{
	const struct facts facts = facts_with(131, 0);

	(void)state;
	assert_int_equal(table_sectors(&facts.verity), 131 * 8);
}

#define STRICT "1 254:0 254:1 4096 4096 131 1 sha256 00ff -"

static void knows_strict_lines(void **state)
{
	static const char *const strict[] = {
		STRICT,
		"1 254:0 254:0 512 512 131 132 sha512 00ff 11",
		"1 254:0 254:0 4096 1024 131 132 sha384 00ff 11",
		STRICT " 1 panic_on_corruption",
		STRICT " 2 restart_on_corruption ignore_zero_blocks",
		STRICT
		" 4 root_hash_sig_key_desc ignore_corruption panic_on_error try_verify_in_tasklet",
		STRICT " 8 use_fec_from_device 254:3 fec_blocks 9 fec_start 9 fec_roots 2",
	};
	static const char *const lax[] = {
		"",
		"1",
		"0 254:0 254:1 4096 4096 131 1 sha256 00ff -",
		"1 254:0 254:1 4096 4096 131 1 sha1 00ff -",
		"1 254:0 254:1 4096 4096 131 1 crc32c 00ff -",
		"1 254:0 254:1 4096 4096 131 1 sha256 00ff",
		"1 254:0 254:1 4096 4096 131 1 sha2567 00ff -",
		STRICT " 1 ignore_corruption",
		STRICT " 1 check_at_most_once",
		STRICT " 2 panic_on_corruption ignore_corruption",
		STRICT " 3 fec_roots 2 ignore_corruption",
		STRICT " 1 something_new",
		STRICT " 1  ignore_corruption",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(strict); i++)
		if (!table_is_strict(strict[i]))
			fail_msg("lax: %s", strict[i]);
	for (size_t i = 0; i < COUNT(lax); i++)
		if (table_is_strict(lax[i]))
			fail_msg("strict: %s", lax[i]);
}

static void tells_options_from_the_rest(void **state)
{
	static const char *const others[] = {
		"",
		"1",
		"1 254:0 254:1 4096 4096 131 1 sha256 00ff",
		"1 254:0 254:1 4096 4096 131 1 sha256 00ff ",
		"0 254:0 254:1 4096 4096 131 1 sha256 00ff -",
		"1 254:2 254:1 4096 4096 131 1 sha256 00ff -",
		"1 254:0 254:2 4096 4096 131 1 sha256 00ff -",
		"1 254:0 254:1 512 4096 131 1 sha256 00ff -",
		"1 254:0 254:1 4096 512 131 1 sha256 00ff -",
		"1 254:0 254:1 4096 4096 132 1 sha256 00ff -",
		"1 254:0 254:1 4096 4096 131 2 sha256 00ff -",
		"1 254:0 254:1 4096 4096 131 1 sha512 00ff -",
		"1 254:0 254:1 4096 4096 131 1 sha256 00fe -",
		"1 254:0 254:1 4096 4096 131 1 sha256 00ff 11",
		"1  254:0 254:1 4096 4096 131 1 sha256 00ff -",
	};

	(void)state;
	assert_true(table_differs_in_options_only(STRICT, STRICT));
	assert_true(table_differs_in_options_only(STRICT, STRICT " 1 panic_on_corruption"));
	assert_true(table_differs_in_options_only(STRICT " 1 restart_on_corruption", STRICT));
	assert_true(table_differs_in_options_only(STRICT " 1 a", STRICT " 2 b c"));
	for (size_t i = 0; i < COUNT(others); i++) {
		if (table_differs_in_options_only(STRICT, others[i]) ||
		    table_differs_in_options_only(others[i], STRICT))
			fail_msg("the same: %s", others[i]);
	}
	assert_false(table_differs_in_options_only("", ""));
}

static void asks_for_a_restart_or_a_panic(void **state)
{
	const struct facts facts = facts_with(131, 0);
	const struct table_device device = { 7, 0 };
	const struct table_options restart = { .corruption = CORRUPTION_RESTART };
	const struct table_options panic = { .corruption = CORRUPTION_PANIC,
					     .signature_key = "vext-docker" };
	const struct table_options none = { .corruption = CORRUPTION_IO_ERROR };
	char line[TABLE_LINE_MAX], other[TABLE_LINE_MAX];

	(void)state;
	table_verity(&facts, device, device, &restart, line);
	assert_string_equal(line, "1 7:0 7:0 4096 4096 131 1 sha256 " HEX_OF_AB
				  " - 1 restart_on_corruption");
	table_verity(&facts, device, device, &panic, line);
	assert_string_equal(line, "1 7:0 7:0 4096 4096 131 1 sha256 " HEX_OF_AB
				  " - 3 panic_on_corruption root_hash_sig_key_desc vext-docker");
	table_verity(&facts, device, device, &none, other);
	assert_true(table_differs_in_options_only(line, other));
	table_verity(&facts, device, device, &plain, line);
	assert_string_equal(line, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_device),
		cmocka_unit_test(knows_its_name),
		cmocka_unit_test(knows_its_uuid),
		cmocka_unit_test(gives_it_a_uuid),
		cmocka_unit_test(writes_the_line),
		cmocka_unit_test(writes_a_dash_for_no_salt),
		cmocka_unit_test(names_the_signature),
		cmocka_unit_test(starts_behind_the_superblock),
		cmocka_unit_test(has_room_for_the_longest_line),
		cmocka_unit_test(asks_for_a_restart_or_a_panic),
		cmocka_unit_test(counts_sectors),
		cmocka_unit_test(knows_strict_lines),
		cmocka_unit_test(tells_options_from_the_rest),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
