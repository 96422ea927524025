/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parent makes of workers that lie: no word of theirs is a verdict of acceptance, a place
 * in memory, or a reason that is not theirs to give. A worker that sends other bytes than the disk
 * has gets what a disk with these bytes gets.
 */
#include <mbedtls/sha256.h>
#include <unistd.h>

#include "crypto/merkle.h"
#include "reading.h"
#include "sys/attach.h"
#include "test.h"

static struct reading *reading;
static struct claim claim;
static struct reading_source source;

/* An image of one data block, whose hash is the root hash; it was opened and read. */
static int set_up(void **state)
{
	(void)state;
	reading = worker_memory(sizeof(*reading));
	if (reading == NULL)
		return -1;
	reading->opened = verdict(REASON_ACCEPTED);
	reading->size = 4 * VEXT_BLOCK;
	strcpy(reading->path, "/images/x.raw");
	memset(&claim, 0, sizeof(claim));
	claim.layout.data = (struct extent){ 0, VEXT_BLOCK };
	claim.layout.tree = (struct extent){ VEXT_BLOCK, VEXT_BLOCK };
	claim.verity.data_blocks = 1;
	reading->count = merkle_path(&claim, reading->at);
	memset(reading->block[0], 'x', VEXT_BLOCK);
	reading->why = verdict(REASON_ACCEPTED);
	source = (struct reading_source){ .reading = reading, .claim = &claim };
	return mbedtls_sha256(reading->block[0], VEXT_BLOCK, claim.root_hash, 0);
}

static int tear_down(void **state)
{
	(void)state;
	worker_memory_free(reading, sizeof(*reading));
	return 0;
}

/* ---- about the file ------------------------------------------------------------------------ */

static struct verdict opened_as(uint32_t reason)
{
	struct image image = IMAGE_NONE;

	reading->opened = (struct verdict){ .reason = (enum reason)reason };
	return reading_take(reading, &image);
}

static void opening_is_refused_for_its_own_reasons_only(void **state)
{
	(void)state;
	assert_reason(opened_as(REASON_IMAGE_OPEN), IMAGE_OPEN);
	assert_reason(opened_as(REASON_SYSTEM_MEMORY), SYSTEM_MEMORY);
	assert_reason(opened_as(REASON_UNDECIDED), SYSTEM_WORKER);
	assert_reason(opened_as(REASON_SIGNATURE_UNTRUSTED), SYSTEM_WORKER);
	assert_reason(opened_as(REASON_MERGE_DUPLICATE), SYSTEM_WORKER);
	assert_reason(opened_as(199), SYSTEM_WORKER);
	assert_reason(opened_as(UINT32_MAX), SYSTEM_WORKER);
}

static void sizes_have_a_limit(void **state)
{
	static const uint64_t bad[] = { 0, (uint64_t)VEXT_IMAGE_SIZE_MAX + 1, UINT64_MAX };
	struct image image = IMAGE_NONE;

	(void)state;
	assert_reason(reading_take(reading, &image), ACCEPTED);
	assert_int_equal(image.size, 4 * VEXT_BLOCK);
	for (size_t i = 0; i < COUNT(bad); i++) {
		reading->size = bad[i];
		assert_reason(reading_take(reading, &image), SYSTEM_WORKER);
	}
}

static void paths_are_plain_and_end(void **state)
{
	struct image image = IMAGE_NONE;

	(void)state;
	assert_reason(reading_take(reading, &image), ACCEPTED);
	assert_string_equal(image.path, "/images/x.raw");
	memset(reading->path, 'a', sizeof(reading->path));
	assert_reason(reading_take(reading, &image), ACCEPTED);
	assert_non_null(memchr(image.path, '\0', sizeof(image.path)));
	strcpy(reading->path, "/images/\n/x.raw");
	assert_reason(reading_take(reading, &image), ACCEPTED);
	assert_string_equal(image.path, "");
}

static void descriptors_are_not_taken_from_it(void **state)
{
	struct image image = IMAGE_NONE;

	(void)state;
	assert_reason(reading_take(reading, &image), ACCEPTED);
	assert_int_equal(image.fd, -1);
	assert_int_equal(image.channel, -1);
}

/* ---- about the blocks ---------------------------------------------------------------------- */

static struct verdict judged(void)
{
	const struct reader reader = reading_reader(&source);
	uint8_t block[VEXT_BLOCK];

	return merkle_first_block(&claim, &reader, block);
}

static void blocks_must_have_the_hash(void **state)
{
	(void)state;
	assert_reason(judged(), ACCEPTED);
	reading->block[0][77] ^= 1;
	assert_reason(judged(), SUPERBLOCK_PATH);
}

static void blocks_count_where_they_are_asked_for(void **state)
{
	(void)state;
	reading->at[0] += VEXT_BLOCK;
	reading->why = verdict(REASON_IMAGE_TRUNCATED);
	assert_reason(judged(), IMAGE_TRUNCATED);
}

static void missing_blocks_are_not_made_good_by_a_word(void **state)
{
	(void)state;
	reading->count = 0;
	for (uint32_t reason = 0; reason < 1100; reason++) {
		reading->why = (struct verdict){ .reason = (enum reason)reason };
		assert_false(is_accepted(judged()));
	}
	reading->why = verdict(REASON_SIGNATURE_REVOKED);
	assert_reason(judged(), SYSTEM_WORKER);
}

static void more_blocks_than_there_is_room_for(void **state)
{
	(void)state;
	reading->count = UINT32_MAX;
	memset(reading->at, 0xff, sizeof(reading->at));
	reading->why = verdict(REASON_SYSTEM_READ);
	assert_reason(judged(), SYSTEM_READ);
}

/* ---- about the blocks that it is asked for --------------------------------------------------- */

enum lie {
	TOO_MUCH,
	ELSEWHERE,
	SILENCE,
	ENOUGH
};

static void lie(void *ctx, int channel)
{
	const enum lie kind = *(const enum lie *)ctx;
	int none;

	while (worker_hear(channel, &none)) {
		struct window *window = &reading->window[reading->asked & 1];

		memset(window->bytes, 'x', sizeof(window->bytes));
		window->have = kind == TOO_MUCH ? UINT64_MAX : sizeof(window->bytes);
		window->why = verdict(REASON_ACCEPTED);
		if (kind == ELSEWHERE)
			window->offset = UINT64_MAX - 5;
		if (kind == SILENCE)
			return;
		(void)worker_say(channel, -1);
	}
}

static struct verdict lied_to(enum lie kind)
{
	struct worker worker;
	struct worker_holds holds;
	struct verdict v;

	reading->count = 0;
	memset(reading->window, 0, sizeof(reading->window));
	assert_reason(worker_start(&worker, lie, &kind, NULL, 0), ACCEPTED);
	source.worker = &worker;
	v = judged();
	assert_true(worker_end(&worker, &holds));
	return v;
}

static void windows_hold_what_they_can_hold(void **state)
{
	(void)state;
	assert_reason(lied_to(ENOUGH), ACCEPTED);
	assert_reason(lied_to(TOO_MUCH), SYSTEM_WORKER);
	assert_reason(lied_to(ELSEWHERE), SYSTEM_WORKER);
	assert_reason(lied_to(SILENCE), SYSTEM_WORKER);
}

/* ---- about the device ------------------------------------------------------------------------ */

static struct verdict attached_as(uint32_t reason, bool kernel_checked,
				  enum kernel_signature asked_for)
{
	const struct attach_options options = { .kernel_signature = asked_for };
	struct attaching attaching = { .verdict = { .reason = (enum reason)reason },
				       .kernel_checked = kernel_checked };
	const struct attach_order order = { .options = &options,
					    .device = "vext-x-0",
					    .attaching = &attaching };
	struct attached attached;

	return attach_take(&order, -1, &attached);
}

static void attaching_is_refused_for_known_reasons(void **state)
{
	(void)state;
	assert_reason(attached_as(REASON_KERNEL_MOUNT, false, KERNEL_SIGNATURE_OFF), KERNEL_MOUNT);
	assert_reason(attached_as(REASON_UNDECIDED, false, KERNEL_SIGNATURE_OFF), SYSTEM_WORKER);
	assert_reason(attached_as(199, false, KERNEL_SIGNATURE_OFF), SYSTEM_WORKER);
	assert_reason(attached_as(UINT32_MAX, false, KERNEL_SIGNATURE_OFF), SYSTEM_WORKER);
}

/* What the configuration wants is not for the worker to leave out. */
static void the_kernels_check_is_not_forgotten(void **state)
{
	(void)state;
	assert_reason(attached_as(REASON_ACCEPTED, false, KERNEL_SIGNATURE_REQUIRE),
		      KERNEL_NO_CHECK);
}

#define a_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		a_test(opening_is_refused_for_its_own_reasons_only),
		a_test(sizes_have_a_limit),
		a_test(paths_are_plain_and_end),
		a_test(descriptors_are_not_taken_from_it),
		a_test(blocks_must_have_the_hash),
		a_test(blocks_count_where_they_are_asked_for),
		a_test(missing_blocks_are_not_made_good_by_a_word),
		a_test(more_blocks_than_there_is_room_for),
		a_test(windows_hold_what_they_can_hold),
		a_test(attaching_is_refused_for_known_reasons),
		a_test(the_kernels_check_is_not_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
