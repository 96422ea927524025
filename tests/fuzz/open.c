/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel command line, and after a NUL the first bytes of a partition. Asserted: outputs on success only; what is
 * asked for is whole, has a place that can be told and a superblock where one may be; and a superblock that is
 * found behind a file system is where a block begins.
 */
#include "core/open.h"
#include "core/text.h"
#include "fuzz.h"

static void check_place(const struct open_place *place)
{
	char described[4 * OPEN_PLACE_MAX + 10];
	struct text text;

	holds(place->by == OPEN_BY_PATH || place->by == OPEN_BY_PARTUUID ||
	      place->by == OPEN_BY_PARTLABEL);
	holds(memchr(place->text, 0, sizeof(place->text)) && place->text[0] != 0);
	if (place->by == OPEN_BY_PATH)
		holds(strncmp(place->text, "/dev/", 5) == 0);
	if (place->by == OPEN_BY_PARTUUID)
		for (const char *c = place->text; *c; c++)
			holds(*c < 'A' || *c > 'Z');
	text_init(&text, described, sizeof(described));
	open_describe(place, &text);
	holds(text_ok(&text));
}

static void check_request(const struct open_request *request)
{
	holds(strcmp(request->name, "usr") == 0 || strcmp(request->name, "root") == 0);
	holds(request->corruption == CORRUPTION_PANIC || request->corruption == CORRUPTION_RESTART);
	holds(request->superblock % VEXT_BLOCK == 0 && request->superblock <= INT64_MAX);
	check_place(&request->data);
	check_place(&request->tree);
	if (request->is_behind)
		holds(request->superblock == 0 &&
		      memcmp(&request->data, &request->tree, sizeof(request->tree)) == 0);
}

static void check_line(const uint8_t *bytes, size_t size)
{
	static struct open_asked asked, before;
	char *copy = (char *)fuzz_copy(bytes, size);
	struct verdict v;

	memset(&asked, 0x5a, sizeof(asked));
	before = asked;
	v = open_parse(copy, size, &asked);
	free(copy);
	if (!is_accepted(v)) {
		holds(v.reason == REASON_OPEN_VALUE || v.reason == REASON_OPEN_TWICE ||
		      v.reason == REASON_OPEN_PARTIAL);
		holds(v.at <= size);
		holds(memcmp(&asked, &before, sizeof(before)) == 0);
		return;
	}
	holds(asked.count <= OPEN_REQUESTS_MAX && asked.seconds <= OPEN_SECONDS_MAX);
	for (uint32_t i = 0; i < asked.count; i++)
		check_request(&asked.requests[i]);
	if (asked.count == 2)
		holds(strcmp(asked.requests[0].name, asked.requests[1].name) != 0);
}

static void check_partition(const uint8_t *bytes, size_t size)
{
	static uint8_t block[VEXT_BLOCK];
	uint8_t *start = calloc(1, OPEN_START_SIZE);

	holds(start);
	if (size > 0)
		memcpy(start, bytes, size < OPEN_START_SIZE ? size : OPEN_START_SIZE);
	holds(open_superblock_behind(start) % VEXT_BLOCK == 0);
	holds(open_superblock_behind(start) <= INT64_MAX);
	memcpy(block, start, OPEN_START_SIZE);
	open_is_filesystem(block);
	free(start);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(bytes, 0, size) : NULL;
	const size_t first = nul ? (size_t)(nul - bytes) : size;

	check_line(bytes, first);
	if (nul)
		check_partition(nul + 1, size - first - 1);
	return 0;
}
