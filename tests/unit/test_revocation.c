/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/revocation: lists, whole or not at all. */
#include "crypto/revocation.h"

#include "test.h"

#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"
#define FIRST "vext-revoked 1\n"

static struct revocations revoked;
static uint8_t one[VEXT_HASH_SIZE], two[VEXT_HASH_SIZE];

static int set_up(void **state)
{
	(void)state;
	memset(&revoked, 0, sizeof(revoked));
	one[VEXT_HASH_SIZE - 1] = 1;
	two[VEXT_HASH_SIZE - 1] = 2;
	return 0;
}

static struct verdict read_list(const char *text, size_t size)
{
	uint8_t *copy = exact_copy(text, size);
	const struct verdict v = revocations_read(&revoked, cursor_over(copy, size), ANCHOR_USR);

	free(copy);
	return v;
}

static void refuses(const char *text, uint64_t at)
{
	const uint32_t before = revoked.count;

	assert_refused_at(read_list(text, strlen(text)), LIST_FORMAT, at);
	assert_int_equal(revoked.count, before);
}

static void reads_a_list(void **state)
{
	static const char text[] = FIRST "# certificate " ZEROS "03\n\ncertificate " ZEROS
					 "01\nroot-hash " ZEROS "02\n#\n";

	(void)state;
	assert_reason(read_list(text, sizeof(text) - 1), ACCEPTED);
	assert_int_equal(revoked.count, 2);
	assert_true(is_revoked(&revoked, REVOKED_CERTIFICATE, one));
	assert_false(is_revoked(&revoked, REVOKED_IMAGE, one));
	assert_true(is_revoked(&revoked, REVOKED_IMAGE, two));
	assert_false(is_revoked(&revoked, REVOKED_CERTIFICATE, two));
	assert_int_equal(revoked.list[0].source, ANCHOR_USR);
	/* Again: nothing is there twice. */
	assert_reason(read_list(text, sizeof(text) - 1), ACCEPTED);
	assert_int_equal(revoked.count, 2);
	assert_reason(read_list(FIRST, sizeof(FIRST) - 1), ACCEPTED);
	assert_int_equal(revoked.count, 2);
}

static void refuses_other_texts(void **state)
{
	(void)state;
	refuses("", 0);
	refuses("vext-revoked 1", 0);
	refuses("vext-revoked 2\n", 0);
	refuses("vext-revoked 1 \n", 0);
	refuses("\n" FIRST, 0);
	refuses(FIRST "certificate " ZEROS "01", 15);
	refuses(FIRST "certificate " ZEROS "01\nroot-hash " ZEROS "0\n", 92);
	refuses(FIRST "certificate " ZEROS "0A\n", 15);
	refuses(FIRST "certificate  " ZEROS "01\n", 15);
	refuses(FIRST " certificate " ZEROS "01\n", 15);
	refuses(FIRST "certificate " ZEROS "01 \n", 15);
	refuses(FIRST "certificate\n", 15);
	refuses(FIRST "key " ZEROS "01\n", 15);
	refuses(FIRST "\r\n", 15);
	assert_int_equal(revoked.count, 0);
}

static void keeps_what_was_there(void **state)
{
	(void)state;
	assert_reason(revocations_add(&revoked, REVOKED_IMAGE, two, ANCHOR_BAKED), ACCEPTED);
	refuses(FIRST "certificate " ZEROS "01\nx\n", 92);
	assert_int_equal(revoked.count, 1);
	assert_false(is_revoked(&revoked, REVOKED_CERTIFICATE, one));
	assert_true(is_revoked(&revoked, REVOKED_IMAGE, two));
}

static void has_a_limit(void **state)
{
	static const char text[] = FIRST "certificate " ZEROS "02\ncertificate " ZEROS "01\n";
	uint8_t hash[VEXT_HASH_SIZE] = { 0 };

	(void)state;
	for (uint32_t n = 0; n < VEXT_REVOKED_MAX - 1; n++) {
		put_le(hash, n + 1, 4);
		assert_reason(revocations_add(&revoked, REVOKED_IMAGE, hash, ANCHOR_BAKED),
			      ACCEPTED);
	}
	assert_refused_at(read_list(text, sizeof(text) - 1), LIST_LIMIT, 92);
	assert_int_equal(revoked.count, VEXT_REVOKED_MAX - 1);
	assert_false(is_revoked(&revoked, REVOKED_CERTIFICATE, two));
	assert_reason(revocations_add(&revoked, REVOKED_CERTIFICATE, one, ANCHOR_BAKED), ACCEPTED);
	assert_reason(revocations_add(&revoked, REVOKED_CERTIFICATE, two, ANCHOR_BAKED),
		      LIST_LIMIT);
	assert_reason(revocations_add(&revoked, REVOKED_CERTIFICATE, one, ANCHOR_BAKED), ACCEPTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_a_list, set_up),
		cmocka_unit_test_setup(refuses_other_texts, set_up),
		cmocka_unit_test_setup(keeps_what_was_there, set_up),
		cmocka_unit_test_setup(has_a_limit, set_up),
	};

	return cmocka_run_group_tests_name("revocation", tests, NULL, NULL);
}
