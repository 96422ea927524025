/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe/probe: the parser in the jail has been taken over and lies, in each field of its reply and in many at
 * a time. The parent refuses, and what it hands on for show is within every limit.
 *
 * The parser here is the attacker's; jail, reply and the parent's checks are vext's.
 */
#include "probe/probe.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/claim.h"
#include "core/layout.h"
#include "core/verity.h"
#include "probe/parse.h"
#include "test.h"

#define IMAGE_SIZE (512u << 10)
#define RANDOM_LIES 3000u

static int file = -1;

/* What the attacker replies. A child has a copy of both, as of all memory. */
static struct claim said;
static struct verdict said_verdict;
static void (*acts)(void);

bool parser_open(struct parser *parser)
{
	parser->blkid = NULL;
	return true;
}

void parser_close(struct parser *parser)
{
	(void)parser;
}

struct verdict parser_run(struct parser *parser, struct claim *claim)
{
	(void)parser;
	if (acts)
		acts();
	*claim = said;
	return said_verdict;
}

static struct verdict read_file(void *ctx, uint64_t offset, void *buf, size_t size)
{
	const struct parser *parser = ctx;

	if (pread(parser->fd, buf, size, (off_t)offset) != (ssize_t)size)
		return verdict_at(REASON_IMAGE_TRUNCATED, offset);
	return verdict(REASON_ACCEPTED);
}

struct reader parser_reader(struct parser *parser)
{
	return (struct reader){ .read = read_file, .ctx = parser };
}

static const enum partition_kind kinds[] = { KIND_DATA, KIND_TREE, KIND_SIGNATURE };

/* The type UUIDs are looked for, as there is no list of them to ask. */
static void put_type(uint8_t type[16], enum partition_kind kind)
{
	static const uint8_t uuids[][16] = {
#if defined(__x86_64__)
		"\x4f\x68\xbc\xe3\xe8\xcd\x4d\xb1\x96\xe7\xfb\xca\xf9\x84\xb7\x09",
		"\x2c\x73\x57\xed\xeb\xd2\x46\xd9\xae\xc1\x23\xd4\x37\xec\x2b\xf5",
		"\x41\x09\x2b\x05\x9f\xc8\x45\x23\x99\x4f\x2d\xef\x04\x08\xb1\x76",
#else
		"\xb9\x21\xb0\x45\x1d\xf0\x41\xc3\xaf\x44\x4c\x6f\x28\x0d\x3f\xae",
		"\xdf\x33\x00\xce\xd6\x9f\x4c\x92\x97\x8c\x9b\xfb\x0f\x38\xd8\x20",
		"\x6d\xb6\x9d\xe6\x29\xf4\x47\x58\xa7\xa5\x96\x21\x90\xf0\x0c\xe3",
#endif
	};

	memcpy(type, uuids[kind - KIND_DATA], 16);
	assert_non_null(partition_type(type));
	assert_int_equal(partition_type(type)->kind, kind);
}

static void say_the_truth(void)
{
	acts = NULL;
	said_verdict = verdict(REASON_ACCEPTED);
	memset(&said, 0, sizeof(said));
	said.stage = CLAIM_COMPLETE;
	said.sector_size = 512;
	said.partition_count = COUNT(kinds);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		put_type(said.partitions[i].type, kinds[i]);
		said.partitions[i].extent = (struct extent){ 65536 * (i + 1), 65536 };
	}
	for (size_t i = 0; i < VEXT_HASH_SIZE; i++)
		said.root_hash[i] = (uint8_t)(i + 1);
	memcpy(said.partitions[0].uuid, said.root_hash, 16);
	memcpy(said.partitions[1].uuid, said.root_hash + 16, 16);
	said.signature_size = 100;
	said.verity.data_blocks = 16;
	said.verity.salt_size = 32;
}

static struct claim heard;

static void assert_extent_is_inside(struct extent e)
{
	assert_true(e.size > 0 && e.offset <= IMAGE_SIZE && e.size <= IMAGE_SIZE - e.offset);
}

/* All that users of a claim go by, as far as its stage says that there is something. */
static void assert_heard_is_sane(void)
{
	assert_in_range(heard.stage, CLAIM_EMPTY, CLAIM_COMPLETE);
	if (heard.stage >= CLAIM_TABLE) {
		assert_true(heard.partition_count <= VEXT_GPT_ENTRIES_MAX);
		assert_true(heard.sector_size == 512 || heard.sector_size == 4096);
		for (uint32_t i = 0; i < heard.partition_count; i++)
			assert_non_null(
				memchr(heard.partitions[i].name, 0, VEXT_PARTITION_NAME_MAX));
	}
	if (heard.stage >= CLAIM_LAYOUT) {
		assert_extent_is_inside(heard.layout.data);
		assert_extent_is_inside(heard.layout.tree);
		assert_extent_is_inside(heard.layout.signature);
		assert_true(heard.layout.signature.size <= VEXT_ENVELOPE_MAX);
		assert_true(heard.layout.role == ROLE_ROOT || heard.layout.role == ROLE_USR);
	}
	if (heard.stage >= CLAIM_ENVELOPE) {
		assert_in_range(heard.signature_size, 1, VEXT_PKCS7_MAX);
		assert_true(heard.has_fingerprint <= 1);
		assert_true(claim_uuids_fit(&heard));
	}
	if (heard.stage >= CLAIM_COMPLETE)
		assert_reason(
			verity_check(&heard.verity, heard.layout.data.size, heard.layout.tree.size),
			ACCEPTED);
}

static struct verdict probe(void)
{
	struct verdict v;

	memset(&heard, 0x5a, sizeof(heard));
	v = probe_image(file, IMAGE_SIZE, VEXT_ARCH, &heard);
	assert_true(reason_is_known((uint32_t)v.reason));
	assert_heard_is_sane();
	if (is_accepted(v))
		assert_int_equal(heard.stage, CLAIM_COMPLETE);
	return v;
}

static void believes_what_can_be_true(void **state)
{
	(void)state;
	say_the_truth();
	assert_reason(probe(), ACCEPTED);
	assert_memory_equal(heard.root_hash, said.root_hash, VEXT_HASH_SIZE);
	assert_int_equal(heard.layout.data.offset, 65536);
	assert_int_equal(heard.verity.data_blocks, 16);
}

/* ---- the verdict --------------------------------------------------------------------------- */

static void takes_only_a_parsers_reasons(void **state)
{
	static const uint32_t odd[] = { 0,
					2,
					99,
					199,
					1100,
					65537,
					INT32_MAX,
					1u << 31,
					UINT32_MAX,
					REASON_SIGNATURE_UNTRUSTED,
					REASON_ANCHOR_KEY,
					REASON_POLICY_UNSIGNED,
					REASON_POLICY_FILESYSTEM,
					REASON_RELEASE_ID,
					REASON_MERGE_MASKED,
					REASON_KERNEL_LOOP,
					REASON_SYSTEM_JAIL,
					REASON_SYSTEM_JAIL_REPLY,
					REASON_SYSTEM_STATUS };
	static const enum reason own[] = { REASON_IMAGE_FORMAT, REASON_GPT_CHECKSUM,
					   REASON_ENVELOPE_JSON, REASON_SUPERBLOCK_MAGIC,
					   REASON_SYSTEM_READ };

	(void)state;
	for (size_t i = 0; i < COUNT(odd); i++) {
		say_the_truth();
		memcpy(&said_verdict.reason, &odd[i], sizeof(odd[i]));
		for (said.stage = CLAIM_EMPTY; said.stage <= CLAIM_COMPLETE; said.stage++)
			assert_reason(probe(), SYSTEM_JAIL_REPLY);
	}
	for (size_t i = 0; i < COUNT(own); i++) {
		say_the_truth();
		said_verdict.reason = own[i];
		said.stage = CLAIM_EMPTY;
		assert_string_equal(reason_name(probe().reason), reason_name(own[i]));
	}
}

static void wants_verdict_and_stage_to_agree(void **state)
{
	(void)state;
	say_the_truth();
	for (said.stage = CLAIM_EMPTY; said.stage < CLAIM_COMPLETE; said.stage++)
		assert_reason(probe(), SYSTEM_JAIL_REPLY);
	said.stage = CLAIM_COMPLETE;
	said_verdict = verdict(REASON_GPT_RANGE);
	assert_reason(probe(), SYSTEM_JAIL_REPLY);
	said_verdict = verdict(REASON_ACCEPTED);
	for (int odd = -1; odd < 300; odd += odd < 1 ? 1 : 299) {
		memcpy(&said.stage, &odd, sizeof(said.stage));
		if (odd != CLAIM_EMPTY)
			assert_reason(probe(), SYSTEM_JAIL_REPLY);
	}
}

/* ---- each field ---------------------------------------------------------------------------- */

/* A field of the claim and values it can't have; `reason` of the refusal. */
struct lie {
	const char *field;
	size_t offset, size;
	uint64_t values[4]; /* until a repeated one */
	enum reason reason;
};

#define FIELD(name) #name, offsetof(struct claim, name), sizeof(((struct claim *)0)->name)

static const struct lie lies[] = {
	{ FIELD(sector_size), { 0, 513, 1u << 31, UINT32_MAX }, REASON_SYSTEM_JAIL_REPLY },
	{ FIELD(sector_size), { 1024, 2048, 8192, 1 }, REASON_SYSTEM_JAIL_REPLY },
	{ FIELD(partition_count), { 129, 65536, 1u << 31, UINT32_MAX }, REASON_SYSTEM_JAIL_REPLY },
	{ FIELD(partition_count), { 0, 1, 0, 0 }, 0 },
	{ FIELD(partitions[0].extent.offset), { 0, 512, 1024, 1024 }, REASON_GPT_RANGE },
	{ FIELD(partitions[0].extent.offset),
	  { IMAGE_SIZE, 1ull << 60, 1ull << 63, -512ull },
	  REASON_GPT_RANGE },
	{ FIELD(partitions[0].extent.offset),
	  { 1, 65537, UINT64_MAX, UINT64_MAX },
	  REASON_SYSTEM_JAIL_REPLY },
	{ FIELD(partitions[0].extent.size),
	  { 0, IMAGE_SIZE, 1ull << 63, -512ull },
	  REASON_GPT_RANGE },
	{ FIELD(partitions[0].extent.size),
	  { 65537, 1, UINT64_MAX, 511 },
	  REASON_SYSTEM_JAIL_REPLY },
	{ FIELD(partitions[0].extent.size),
	  { 65536 + 512, 65536 * 2, 65536 * 3, 65536 * 3 },
	  REASON_GPT_OVERLAP },
	{ FIELD(partitions[0].extent.size),
	  { 65536 - 512, 512, 512, 512 },
	  REASON_SUPERBLOCK_DATA_BLOCKS },
	{ FIELD(partitions[1].extent.size), { 4096, 512, 512, 512 }, REASON_SUPERBLOCK_TREE },
	{ FIELD(partitions[2].extent.size),
	  { VEXT_ENVELOPE_MAX + 512, 131072, 131072, 131072 },
	  REASON_ENVELOPE_SIZE },
	{ FIELD(partitions[0].uuid[15]), { 0, 1, 255, 255 }, REASON_GPT_UUID },
	{ FIELD(partitions[1].uuid[0]), { 0, 1, 255, 255 }, REASON_GPT_UUID },
	{ FIELD(partitions[0].type[0]), { 0, 255, 255, 255 }, REASON_GPT_DATA },
	{ FIELD(partitions[1].type[3]), { 0, 255, 255, 255 }, REASON_GPT_TREE },
	{ FIELD(partitions[2].type[15]), { 0, 255, 255, 255 }, REASON_SYSTEM_JAIL_REPLY },
	{ FIELD(root_hash[0]), { 0, 255, 255, 255 }, REASON_GPT_UUID },
	{ FIELD(root_hash[31]), { 0, 255, 255, 255 }, REASON_GPT_UUID },
	{ FIELD(has_fingerprint), { 2, 256, 1u << 31, UINT32_MAX }, REASON_SYSTEM_JAIL_REPLY },
	{ FIELD(signature_size),
	  { 0, VEXT_PKCS7_MAX + 1, 1u << 31, UINT32_MAX },
	  REASON_SYSTEM_JAIL_REPLY },
	{ FIELD(verity.data_blocks),
	  { 0, 17, 1ull << 52, UINT64_MAX },
	  REASON_SUPERBLOCK_DATA_BLOCKS },
	{ FIELD(verity.salt_size), { 257, 65535, 1u << 31, UINT32_MAX }, REASON_SUPERBLOCK_SALT },
};

static void refuses_a_lie_in_any_field(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(lies); i++) {
		for (size_t j = 0; j < COUNT(lies[i].values); j++) {
			struct verdict v;

			say_the_truth();
			memcpy((uint8_t *)&said + lies[i].offset, &lies[i].values[j], lies[i].size);
			v = probe();
			if (is_accepted(v) || (lies[i].reason && v.reason != lies[i].reason)) {
				print_error("%s = %llu: %s\n", lies[i].field,
					    (unsigned long long)lies[i].values[j],
					    reason_name(v.reason));
				wrong++;
			}
		}
	}
	assert_int_equal(wrong, 0);
}

static void makes_the_layout_anew(void **state)
{
	(void)state;
	say_the_truth();
	memset(&said.layout, 0xee, sizeof(said.layout));
	assert_reason(probe(), ACCEPTED);
	assert_int_equal(heard.layout.data.offset, 65536);
	assert_int_equal(heard.layout.role, ROLE_ROOT);
	assert_memory_equal(heard.layout.tree_uuid, said.root_hash + 16, 16);
}

static void wants_names_that_end(void **state)
{
	(void)state;
	say_the_truth();
	memset(said.partitions[2].name, 'x', VEXT_PARTITION_NAME_MAX);
	assert_reason(probe(), SYSTEM_JAIL_REPLY);
}

static void wants_no_two_of_a_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		say_the_truth();
		said.partitions[3] = said.partitions[i];
		said.partitions[3].extent.offset = 65536 * 5;
		said.partition_count = 4;
		assert_reason(probe(), GPT_DUPLICATE);
	}
}

/* ---- many fields at a time ----------------------------------------------------------------- */

static uint64_t noise = 88172645463325252ull;

static uint64_t next_noise(void) /* xorshift64, Marsaglia 2003: the same every time */
{
	noise ^= noise << 13;
	noise ^= noise >> 7;
	return noise ^= noise << 17;
}

/* Where claims differ that are not just other bytes: not the names, nor the signature. */
static size_t telling_offset(void)
{
	static const struct {
		size_t start, size;
	} parts[] = {
		{ 0, offsetof(struct claim, partitions) + 3 * sizeof(struct partition) },
		{ offsetof(struct claim, layout),
		  offsetof(struct claim, signature) - offsetof(struct claim, layout) },
		{ offsetof(struct claim, verity), 16 },
	};
	const uint64_t n = next_noise() % COUNT(parts);

	return parts[n].start + next_noise() % parts[n].size;
}

static void survives_lies_of_all_kinds(void **state)
{
	unsigned accepted = 0;

	(void)state;
	for (unsigned i = 0; i < RANDOM_LIES; i++) {
		unsigned changes = 1 + (unsigned)(next_noise() % 6);

		say_the_truth();
		while (changes-- > 0)
			((uint8_t *)&said)[telling_offset()] = (uint8_t)next_noise();
		if (next_noise() % 4 == 0)
			said_verdict.reason = REASON_GPT_RANGE;
		accepted += is_accepted(probe());
	}
	/* Names and layout may be anything: some lies are none. */
	assert_in_range(accepted, 1, RANDOM_LIES - 1);
}

static void survives_noise(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		uint8_t *bytes = (uint8_t *)&said;

		say_the_truth();
		for (size_t at = 0; at < sizeof(said); at += 8) {
			uint64_t n = next_noise();

			memcpy(bytes + at, &n, sizeof(said) - at < 8 ? sizeof(said) - at : 8);
		}
		said.stage = 1 + (unsigned)(next_noise() % 5);
		assert_false(is_accepted(probe()));
	}
}

/* ---- and the jail around it ---------------------------------------------------------------- */

static void opens(void)
{
	(void)!access("/etc/passwd", R_OK);
}

static void crashes(void)
{
	__builtin_trap();
}

static void leaves(void)
{
	_exit(0);
}

static void babbles(void)
{
	(void)!write(1, &said, 64);
}

static void refuses_an_attacker_who_acts(void **state)
{
	(void)state;
	say_the_truth();
	acts = opens;
	assert_reason(probe(), SYSTEM_JAIL_KILLED);
	acts = crashes;
	assert_reason(probe(), SYSTEM_JAIL_KILLED);
	acts = leaves;
	assert_reason(probe(), SYSTEM_JAIL_REPLY);
	acts = babbles;
	assert_in_range(probe().reason, REASON_SYSTEM_JAIL, REASON_SYSTEM_JAIL_REPLY);
	acts = NULL;
	assert_reason(probe(), ACCEPTED);
}

static int setup(void **state)
{
	(void)state;
	file = memfd_create("image", MFD_CLOEXEC);
	return file >= 0 ? 0 : -1;
}

/* ---- a partition without a table ----------------------------------------------------------- */

#define VOLUME_BLOCKS 16u
#define VOLUME_SIZE (IMAGE_SIZE)

/* A superblock at `at` for so many blocks of data, and an ext4 at the start that says it ends there. */
static int volume_file(uint64_t at)
{
	uint8_t superblock[VERITY_SUPERBLOCK_SIZE] = "verity\0", ext[400] = { 0 };
	const int fd = memfd_create("volume", MFD_CLOEXEC);

	put_le(superblock + 8, 1, 4);
	put_le(superblock + 12, 1, 4);
	memcpy(superblock + 32, "sha256", 6);
	put_le(superblock + 64, VEXT_BLOCK, 4);
	put_le(superblock + 68, VEXT_BLOCK, 4);
	put_le(superblock + 72, VOLUME_BLOCKS, 8);
	put_le(ext + 4, VOLUME_BLOCKS, 4);
	put_le(ext + 24, 2, 4);
	put_le(ext + 56, 0xef53, 2);
	assert_int_equal(ftruncate(fd, VOLUME_SIZE), 0);
	assert_int_equal(pwrite(fd, ext, sizeof(ext), 1024), sizeof(ext));
	assert_int_equal(pwrite(fd, superblock, sizeof(superblock), (off_t)at), sizeof(superblock));
	return fd;
}

/* Where the superblock really is, and what is asked; on failure nothing is written. */
static struct verdict probed(uint64_t at, uint64_t size, struct volume *volume)
{
	const struct volume asked = *volume;
	const int fd = volume_file(at);
	const struct verdict v = probe_volume(fd, size, volume);

	close(fd);
	if (!is_accepted(v))
		assert_memory_equal(volume, &asked, sizeof(asked));
	return v;
}

static void finds_what_is_in_a_volume(void **state)
{
	struct volume behind = { .is_behind = true }, start = { .data_size = 65536 },
		      at = { .superblock = 65536 };

	(void)state;
	assert_reason(probed(65536, VOLUME_SIZE, &behind), ACCEPTED);
	assert_int_equal(behind.superblock, 65536);
	assert_int_equal(behind.verity.data_blocks, VOLUME_BLOCKS);
	assert_reason(probed(0, VOLUME_SIZE, &start), ACCEPTED);
	assert_int_equal(start.superblock, 0);
	assert_int_equal(start.verity.data_blocks, VOLUME_BLOCKS);
	assert_reason(probed(65536, VOLUME_SIZE, &at), ACCEPTED);
}

static void refuses_volumes_without_room(void **state)
{
	struct volume behind = { .is_behind = true }, beyond = { .superblock = VOLUME_SIZE },
		      odd = { .superblock = 65536 + 512 }, small = { .data_size = 65536 - 1 },
		      elsewhere = { .superblock = 8192 };

	(void)state;
	assert_refused_at(probed(65536, 65536, &behind), SUPERBLOCK_MAGIC, 65536);
	assert_refused_at(probed(65536, 65536 + 511, &behind), SUPERBLOCK_MAGIC, 65536);
	assert_refused_at(probed(0, VOLUME_SIZE, &beyond), SUPERBLOCK_MAGIC, VOLUME_SIZE);
	assert_refused_at(probed(65536 + 512, VOLUME_SIZE, &odd), SUPERBLOCK_MAGIC, 65536 + 512);
	assert_refused_at(probed(65536, VOLUME_SIZE, &elsewhere), SUPERBLOCK_MAGIC, 8192);
	assert_reason(probed(0, VOLUME_SIZE, &small), SUPERBLOCK_DATA_BLOCKS);
	assert_reason(probed(65536, 65536 + 4096, &behind), SUPERBLOCK_TREE);
	assert_reason(probe_volume(-1, VOLUME_SIZE, &behind), SYSTEM_JAIL);
}

static void hands_on_why_a_volume_cannot_be_read(void **state)
{
	struct volume behind = { .is_behind = true };
	const int empty = memfd_create("empty", MFD_CLOEXEC);

	(void)state;
	assert_refused_at(probe_volume(empty, VOLUME_SIZE, &behind), IMAGE_TRUNCATED, 0);
	close(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(believes_what_can_be_true),
		cmocka_unit_test(takes_only_a_parsers_reasons),
		cmocka_unit_test(wants_verdict_and_stage_to_agree),
		cmocka_unit_test(refuses_a_lie_in_any_field),
		cmocka_unit_test(makes_the_layout_anew),
		cmocka_unit_test(wants_names_that_end),
		cmocka_unit_test(wants_no_two_of_a_kind),
		cmocka_unit_test(survives_lies_of_all_kinds),
		cmocka_unit_test(survives_noise),
		cmocka_unit_test(refuses_an_attacker_who_acts),
		cmocka_unit_test(finds_what_is_in_a_volume),
		cmocka_unit_test(refuses_volumes_without_room),
		cmocka_unit_test(hands_on_why_a_volume_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
