/* SPDX-License-Identifier: Apache-2.0 */
#include "core/open.h"

#include <string.h>

#include "core/command_line.h"
#include "core/cursor.h"
#include "core/filesystem.h"
#include "core/hex.h"
#include "core/text.h"

/* Those of one device in systemd's words stand together, in this order. */
enum word {
	WORD_FLATCAR_DATA,
	WORD_FLATCAR_HASH,
	WORD_USR_HASH,
	WORD_USR_DATA,
	WORD_USR_TREE,
	WORD_USR_OPTIONS,
	WORD_ROOT_HASH,
	WORD_ROOT_DATA,
	WORD_ROOT_TREE,
	WORD_ROOT_OPTIONS,
	WORD_SECONDS,
	WORDS,
};

enum {
	HASH,
	DATA,
	TREE,
	OPTIONS
};

/* Arrays, not pointers: these would have to be relocated. */
static const char word_keys[WORDS][sizeof("systemd.verity_root_options")] = {
	[WORD_FLATCAR_DATA] = "verity.usr",
	[WORD_FLATCAR_HASH] = "verity.usrhash",
	[WORD_USR_HASH] = "usrhash",
	[WORD_USR_DATA] = "systemd.verity_usr_data",
	[WORD_USR_TREE] = "systemd.verity_usr_hash",
	[WORD_USR_OPTIONS] = "systemd.verity_usr_options",
	[WORD_ROOT_HASH] = "roothash",
	[WORD_ROOT_DATA] = "systemd.verity_root_data",
	[WORD_ROOT_TREE] = "systemd.verity_root_hash",
	[WORD_ROOT_OPTIONS] = "systemd.verity_root_options",
	[WORD_SECONDS] = "rd.earlytimeout",
};

/* ---- values -------------------------------------------------------------------------------- */

static struct verdict bad_value(struct piece piece)
{
	return verdict_at(REASON_OPEN_VALUE, piece.at);
}

/* Copied in lower case; false if there is no room for it with its NUL. */
static bool take_lower(struct piece piece, char *to, size_t room)
{
	if (piece.size == 0 || piece.size >= room)
		return false;
	for (size_t i = 0; i < piece.size; i++) {
		const char c = piece.bytes[i];

		to[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	to[piece.size] = '\0';
	return true;
}

static struct verdict take_hash(struct piece piece, uint8_t hash[VEXT_HASH_SIZE])
{
	char digits[2 * VEXT_HASH_SIZE + 1];

	if (!take_lower(piece, digits, sizeof(digits)) ||
	    !hex_decode(digits, piece.size, hash, VEXT_HASH_SIZE))
		return bad_value(piece);
	return verdict(REASON_ACCEPTED);
}

static bool starts_with(struct piece piece, const char *prefix)
{
	return piece.size >= strlen(prefix) && memcmp(piece.bytes, prefix, strlen(prefix)) == 0;
}

static const struct {
	char prefix[sizeof("PARTLABEL=")];
	enum open_by by;
} place_forms[] = { { "PARTUUID=", OPEN_BY_PARTUUID },
		    { "PARTLABEL=", OPEN_BY_PARTLABEL },
		    { "/dev/", OPEN_BY_PATH } };

#define PLACE_FORMS (sizeof(place_forms) / sizeof(place_forms[0]))

static bool is_text(struct piece piece)
{
	return piece.size > 0 && piece.size < OPEN_PLACE_MAX &&
	       memchr(piece.bytes, '\0', piece.size) == NULL;
}

static struct verdict take_place(struct piece piece, struct open_place *place)
{
	struct piece text = piece;
	size_t form = 0;

	while (form < PLACE_FORMS && !starts_with(piece, place_forms[form].prefix))
		form++;
	if (form == PLACE_FORMS)
		return bad_value(piece);
	place->by = place_forms[form].by;
	if (place->by != OPEN_BY_PATH)
		text = piece_skip(piece, strlen(place_forms[form].prefix));
	if (!is_text(text))
		return bad_value(piece);
	memset(place->text, 0, sizeof(place->text));
	if (place->by == OPEN_BY_PARTUUID)
		(void)take_lower(text, place->text, sizeof(place->text));
	else
		memcpy(place->text, text.bytes, text.size);
	return verdict(REASON_ACCEPTED);
}

void open_describe(const struct open_place *place, struct text *text)
{
	if (place->by != OPEN_BY_PATH)
		text_str(text, place->by == OPEN_BY_PARTUUID ? "PARTUUID=" : "PARTLABEL=");
	text_escaped(text, place->text, strlen(place->text));
}

static struct verdict take_option(struct piece option, struct open_request *request)
{
	if (piece_is(option, "panic-on-corruption"))
		request->corruption = CORRUPTION_PANIC;
	else if (piece_is(option, "restart-on-corruption"))
		request->corruption = CORRUPTION_RESTART;
	else if (!starts_with(option, "hash-offset=") ||
		 !piece_number(piece_skip(option, strlen("hash-offset=")), INT64_MAX,
			       &request->superblock) ||
		 request->superblock % VEXT_BLOCK != 0)
		return bad_value(option);
	return verdict(REASON_ACCEPTED);
}

static struct verdict take_options(struct piece list, struct open_request *request)
{
	struct verdict v = verdict(REASON_ACCEPTED);
	bool has_more = list.size > 0;
	struct piece option;

	while (has_more && is_accepted(v)) {
		has_more = piece_cut(&list, ',', &option);
		v = take_option(option, request);
	}
	return v;
}

/* ---- requests ------------------------------------------------------------------------------ */

static struct verdict collect(const char *bytes, size_t size, struct piece values[WORDS])
{
	struct piece rest = { .bytes = bytes, .size = size };
	struct command_word word;

	while (command_line_next(&rest, &word)) {
		for (size_t i = 0; i < WORDS; i++) {
			if (!piece_is(word.key, word_keys[i]) || !word.has_value ||
			    word.value.size == 0)
				continue;
			if (values[i].size > 0)
				return verdict_at(REASON_OPEN_TWICE, word.whole.at);
			values[i] = word.value;
		}
	}
	return verdict(REASON_ACCEPTED);
}

void open_place_of_uuid(const uint8_t uuid[16], struct open_place *place)
{
	static const uint8_t groups[] = { 4, 2, 2, 2, 6 }; /* bytes between hyphens */
	struct text text;

	place->by = OPEN_BY_PARTUUID;
	text_init(&text, place->text, sizeof(place->text));
	for (size_t i = 0; i < sizeof(groups); i++) {
		if (i > 0)
			text_char(&text, '-');
		text_hex(&text, uuid, groups[i]);
		uuid += groups[i];
	}
}

static struct open_request *add_request(struct open_asked *asked, const char *name)
{
	struct open_request *request = &asked->requests[asked->count++];

	request->name = name;
	request->corruption = CORRUPTION_PANIC;
	return request;
}

static struct verdict ask_flatcar(const struct piece values[WORDS], struct open_asked *asked)
{
	const struct piece data = values[WORD_FLATCAR_DATA], hash = values[WORD_FLATCAR_HASH];
	struct open_request *request;
	struct verdict v;

	if (data.size == 0 && hash.size == 0)
		return verdict(REASON_ACCEPTED);
	if (data.size == 0 || hash.size == 0)
		return verdict_at(REASON_OPEN_PARTIAL, data.at + hash.at);
	request = add_request(asked, "usr");
	request->is_behind = true;
	v = take_hash(hash, request->root_hash);
	if (is_accepted(v))
		v = take_place(data, &request->data);
	request->tree = request->data;
	return v;
}

/* `values` are those of one device. */
static struct verdict ask_systemd(const struct piece *values, const char *name,
				  struct open_asked *asked)
{
	struct open_request *request;
	struct verdict v;

	for (size_t i = DATA; i <= OPTIONS; i++)
		if (values[HASH].size == 0 && values[i].size > 0)
			return verdict_at(REASON_OPEN_PARTIAL, values[i].at);
	if (values[HASH].size == 0)
		return verdict(REASON_ACCEPTED);
	if (asked->count > 0 && strcmp(asked->requests[0].name, name) == 0)
		return verdict_at(REASON_OPEN_TWICE, values[HASH].at);
	request = add_request(asked, name);
	v = take_hash(values[HASH], request->root_hash);
	/* As the Discoverable Partitions Specification has it. */
	open_place_of_uuid(request->root_hash, &request->data);
	open_place_of_uuid(request->root_hash + VEXT_HASH_SIZE / 2, &request->tree);
	if (is_accepted(v) && values[DATA].size > 0)
		v = take_place(values[DATA], &request->data);
	if (is_accepted(v) && values[TREE].size > 0)
		v = take_place(values[TREE], &request->tree);
	return is_accepted(v) ? take_options(values[OPTIONS], request) : v;
}

struct verdict open_parse(const char *bytes, size_t size, struct open_asked *asked)
{
	struct piece values[WORDS] = { 0 };
	struct open_asked found = { 0 };
	uint64_t seconds = OPEN_SECONDS;
	struct verdict v = collect(bytes, size, values);

	if (is_accepted(v))
		v = ask_flatcar(values, &found);
	if (is_accepted(v))
		v = ask_systemd(values + WORD_USR_HASH, "usr", &found);
	if (is_accepted(v))
		v = ask_systemd(values + WORD_ROOT_HASH, "root", &found);
	if (is_accepted(v) && values[WORD_SECONDS].size > 0 &&
	    !piece_number(values[WORD_SECONDS], OPEN_SECONDS_MAX, &seconds))
		v = bad_value(values[WORD_SECONDS]);
	found.seconds = (uint32_t)seconds;
	if (is_accepted(v))
		*asked = found;
	return v;
}

/* ---- what lies in the partition ------------------------------------------------------------ */

#define FLATCAR_SUPERBLOCK UINT64_C(1065345024) /* bytes; flatcar/bootengine, minimal-init */

/* Linux Documentation/filesystems/ext4/super.rst; offsets from the superblock's start. */
#define EXT_OFFSET 1024u
#define EXT_MAGIC 0xef53u
#define EXT_LOG_SIZE_MAX 6u /* 1024 << 6 */
#define EXT_INCOMPAT_64BIT 0x80u

/* False for what is no ext superblock, or ends between two blocks of the tree. */
static bool ext_size(struct cursor c, uint64_t *size)
{
	uint32_t blocks, log_size, incompat, blocks_high;
	uint64_t count;
	uint16_t magic;

	if (!cursor_skip(&c, 4) || !cursor_le32(&c, &blocks) ||	     /* 4 */
	    !cursor_skip(&c, 16) || !cursor_le32(&c, &log_size) ||   /* 24 */
	    !cursor_skip(&c, 28) || !cursor_le16(&c, &magic) ||	     /* 56 */
	    !cursor_skip(&c, 38) || !cursor_le32(&c, &incompat) ||   /* 96 */
	    !cursor_skip(&c, 236) || !cursor_le32(&c, &blocks_high)) /* 336 */
		return false;
	count = blocks;
	if (incompat & EXT_INCOMPAT_64BIT)
		count |= (uint64_t)blocks_high << 32;
	if (magic != EXT_MAGIC || log_size > EXT_LOG_SIZE_MAX ||
	    count > (uint64_t)INT64_MAX >> (10 + log_size))
		return false;
	*size = count << (10 + log_size);
	return *size % VEXT_BLOCK == 0;
}

uint64_t open_superblock_behind(const uint8_t start[OPEN_START_SIZE])
{
	uint64_t size;

	if (ext_size(cursor_over(start + EXT_OFFSET, OPEN_START_SIZE - EXT_OFFSET), &size))
		return size;
	return FLATCAR_SUPERBLOCK;
}

bool open_is_filesystem(const uint8_t block[VEXT_BLOCK])
{
	static const uint8_t xfs[] = { 'X', 'F', 'S', 'B', 0, 0 }; /* a block of less than 64 KiB */
	enum filesystem type;
	uint64_t size;

	return cursor_is_zero(cursor_over(block, VEXT_HASH_SIZE)) ||
	       memcmp(block, xfs, sizeof(xfs)) == 0 ||
	       is_accepted(filesystem_identify(block, &type, &size));
}
