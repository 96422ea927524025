/* SPDX-License-Identifier: Apache-2.0 */
#include "core/table.h"

#include <string.h>

#include "core/cursor.h"
#include "core/text.h"
#include "core/verity.h"

#define UUID_PREFIX "CRYPT-VERITY-"
#define SIGNATURE_KEY " root_hash_sig_key_desc "
#define SIGNATURE_KEY_WORDS 2u /* with its value, as dm-verity counts */
#define UUID_HASH_SIZE 16u     /* bytes of the root hash in the UUID: 32 hex digits */
#define SERIAL_SIZE 4u	       /* bytes */
#define SERIAL_DIGITS ((size_t)2 * SERIAL_SIZE)
#define HEX_DIGITS "0123456789abcdef"

/* Two devices "4294967295:4294967295", two numbers of 20 digits, the constants and the hex. */
_Static_assert(TABLE_LINE_MAX > 2 * 21 + 2 * 20 + 2 * (VEXT_HASH_SIZE + VEXT_SALT_MAX) + 40 +
					sizeof(SIGNATURE_KEY) + TABLE_NAME_MAX,
	       "every table line fits");
_Static_assert(TABLE_UUID_MAX >= sizeof(UUID_PREFIX) + 2 * UUID_HASH_SIZE + 1 + TABLE_NAME_MAX - 1,
	       "every UUID fits");

void table_name(enum extension_class class, const char *name, uint32_t serial,
		char out[TABLE_NAME_MAX])
{
	const uint8_t bytes[SERIAL_SIZE] = { (uint8_t)(serial >> 24), (uint8_t)(serial >> 16),
					     (uint8_t)(serial >> 8), (uint8_t)serial };
	struct text text;

	text_init(&text, out, TABLE_NAME_MAX);
	text_str(&text, class_traits(class)->device);
	text_str(&text, name);
	text_char(&text, '-');
	text_hex(&text, bytes, sizeof(bytes));
}

static bool has_serial(const char *device, size_t size)
{
	return device[size - SERIAL_DIGITS - 1] == '-' &&
	       strspn(device + size - SERIAL_DIGITS, HEX_DIGITS) == SERIAL_DIGITS;
}

bool table_is_name_of(const char *device, const char *name)
{
	const size_t size = strlen(device);

	for (unsigned i = 0; i < CLASSES; i++) {
		const char *before = class_traits((enum extension_class)i)->device;
		const size_t around = strlen(before) + SERIAL_DIGITS + 1;

		if (size <= around || size >= TABLE_NAME_MAX ||
		    strncmp(device, before, strlen(before)) != 0 || !has_serial(device, size))
			continue;
		return name == NULL || (strlen(name) == size - around &&
					memcmp(device + strlen(before), name, size - around) == 0);
	}
	return false;
}

bool table_is_uuid_of(const char *uuid, const char *device)
{
	const size_t prefix = sizeof(UUID_PREFIX) - 1;
	const size_t behind = prefix + 2 * (size_t)UUID_HASH_SIZE;

	return strncmp(uuid, UUID_PREFIX, prefix) == 0 &&
	       strspn(uuid + prefix, HEX_DIGITS) >= 2 * (size_t)UUID_HASH_SIZE &&
	       uuid[behind] == '-' && strcmp(uuid + behind + 1, device) == 0;
}

void table_uuid(const uint8_t root_hash[VEXT_HASH_SIZE], const char *device,
		char out[TABLE_UUID_MAX])
{
	struct text text;

	text_init(&text, out, TABLE_UUID_MAX);
	text_str(&text, UUID_PREFIX);
	text_hex(&text, root_hash, UUID_HASH_SIZE);
	text_char(&text, '-');
	text_str(&text, device);
}

static void put_device(struct text *text, struct table_device device)
{
	text_u64(text, device.major);
	text_char(text, ':');
	text_u64(text, device.minor);
	text_char(text, ' ');
}

static void put_block_sizes(struct text *text)
{
	text_u64(text, VEXT_BLOCK);
	text_char(text, ' ');
	text_u64(text, VEXT_BLOCK);
	text_char(text, ' ');
}

static const char *corruption_word(enum corruption corruption)
{
	switch (corruption) {
	case CORRUPTION_IO_ERROR:
		break; /* what it does unless told otherwise */
	case CORRUPTION_RESTART:
		return " restart_on_corruption";
	case CORRUPTION_PANIC:
		return " panic_on_corruption";
	}
	return "";
}

/* Their number of words, and then they, in the order in which the kernel prints them. */
static void put_options(struct text *text, const struct table_options *options)
{
	const char *corruption = corruption_word(options->corruption);
	const uint64_t words = (corruption[0] != '\0' ? 1 : 0) +
			       (options->signature_key != NULL ? SIGNATURE_KEY_WORDS : 0);

	if (words == 0)
		return;
	text_char(text, ' ');
	text_u64(text, words);
	text_str(text, corruption);
	if (options->signature_key != NULL) {
		text_str(text, SIGNATURE_KEY);
		text_str(text, options->signature_key);
	}
}

void table_verity(const struct facts *facts, struct table_device data, struct table_device tree,
		  const struct table_options *options, char line[TABLE_LINE_MAX])
{
	struct text text;

	text_init(&text, line, TABLE_LINE_MAX);
	text_str(&text, "1 ");
	put_device(&text, data);
	put_device(&text, tree);
	put_block_sizes(&text);
	text_u64(&text, facts->verity.data_blocks);
	text_char(&text, ' ');
	text_u64(&text, options->superblock + VERITY_TREE_START);
	text_str(&text, " sha256 ");
	text_hex(&text, facts->root_hash, sizeof(facts->root_hash));
	text_char(&text, ' ');
	if (facts->verity.salt_size == 0)
		text_char(&text, '-');
	else
		text_hex(&text, facts->verity.salt, facts->verity.salt_size);
	put_options(&text, options);
}

uint64_t table_sectors(const struct verity *verity)
{
	return verity->data_blocks * (VEXT_BLOCK / TABLE_SECTOR);
}

/* ---- a line of somebody else's device ------------------------------------------------------ */

#define FIXED_WORDS 10u /* version data tree data-size tree-size blocks start algorithm root salt */

/* The next word of the line, which may be empty at its end. */
static struct cursor next_word(struct cursor *line)
{
	const struct cursor all = *line;
	size_t size = 0;

	while (size < all.left && all.at[size] != ' ')
		size++;
	(void)cursor_skip(line, size);
	(void)cursor_skip(line, 1);
	return cursor_over(all.at, size);
}

static bool is_one_of(struct cursor word, const char *const list[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (cursor_equals(word, list[i], strlen(list[i])))
			return true;
	return false;
}

#define IS_ONE_OF(word, list) is_one_of(word, list, sizeof(list) / sizeof((list)[0]))

bool table_differs_in_options_only(const char *a, const char *b)
{
	struct cursor x = cursor_over(a, strlen(a)), y = cursor_over(b, strlen(b));

	for (size_t i = 0; i < FIXED_WORDS; i++) {
		const struct cursor word = next_word(&x), other = next_word(&y);

		if (word.left == 0 || !cursor_equals(word, other.at, other.left))
			return false;
	}
	return true;
}

/* Source: Linux Documentation/admin-guide/device-mapper/verity.rst. */
static bool are_options_strict(struct cursor line)
{
	static const char *const alone[] = { "restart_on_corruption", "panic_on_corruption",
					     "restart_on_error",      "panic_on_error",
					     "ignore_zero_blocks",    "try_verify_in_tasklet" };
	static const char *const with_value[] = { "root_hash_sig_key_desc", "use_fec_from_device",
						  "fec_blocks", "fec_start", "fec_roots" };

	(void)next_word(&line); /* how many words follow */
	while (line.left > 0) {
		const struct cursor word = next_word(&line);

		if (IS_ONE_OF(word, alone))
			continue;
		if (!IS_ONE_OF(word, with_value))
			return false;
		(void)next_word(&line);
	}
	return true;
}

bool table_is_strict(const char *line)
{
	static const char *const hashes[] = { "sha256", "sha384", "sha512" };
	struct cursor c = cursor_over(line, strlen(line));
	struct cursor words[FIXED_WORDS];

	for (size_t i = 0; i < FIXED_WORDS; i++)
		words[i] = next_word(&c);
	return cursor_equals(words[0], "1", 1) && IS_ONE_OF(words[7], hashes) &&
	       words[FIXED_WORDS - 1].left > 0 && are_options_strict(c);
}
