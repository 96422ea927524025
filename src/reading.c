/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include <string.h>

#include "core/claim.h"
#include "core/name.h"

const char *reading_step_name(uint32_t step)
{
	switch (step) {
	case READING_OPEN:
		return "open";
	case READING_PARSE:
		return "parse";
	default:
		return "read";
	}
}

static void at_step(enum reading_step step)
{
	worker_holds()->at = step;
	worker_tick();
}

/* ---- the worker ---------------------------------------------------------------------------- */

/*
 * The claim is checked here as well, for where the blocks are to be read; that it was is nobody's
 * proof.
 */
static void read_blocks(struct reading *reading, const struct image *image)
{
	static struct claim claim;
	uint32_t count;

	if (!is_accepted(probe_take(&reading->probed, image->size, VEXT_ARCH, &claim)))
		return;
	at_step(READING_BLOCKS);
	count = merkle_path(&claim, reading->at);
	for (uint32_t i = 0; i < count; i++) {
		(void)image_read(image, reading->at[i], reading->block[i], VEXT_BLOCK,
				 &reading->why);
		if (!is_accepted(reading->why))
			return;
		reading->count++;
		worker_tick();
	}
}

static struct verdict open_image(const struct reading_order *order, struct image *image)
{
	struct verdict v;

	if (order->root_fd < 0)
		return image_open_path(order->path, order->name, image);
	v = image_open_in_root(order->root_fd, order->path, order->name, IMAGE_FILES, image);
	if (is_accepted(v))
		image_path_in_root(image, order->root_fd);
	return v;
}

/* One window after the other, as the parent asks. */
static void serve(struct reading *reading, const struct image *image, int channel)
{
	int none;

	while (worker_hear(channel, &none)) {
		struct window *window = &reading->window[reading->asked & 1];
		uint64_t size = image->size - window->offset;

		if (window->offset > image->size || size > sizeof(window->bytes))
			size = sizeof(window->bytes);
		window->have = image_read(image, window->offset, window->bytes, size, &window->why);
		worker_tick();
		if (!worker_say(channel, -1))
			return;
	}
}

static void work(void *ctx, int channel)
{
	static struct probe_reply probed; /* the jail gets a copy, and none of what is shared */
	const struct reading_order *order = ctx;
	struct reading *reading = order->reading;
	struct image image = IMAGE_NONE;
	int none;

	if (!worker_memory_hide(reading, sizeof(*reading)))
		return;
	at_step(READING_OPEN);
	reading->opened = open_image(order, &image);
	if (is_accepted(reading->opened)) {
		reading->size = image.size;
		memcpy(reading->path, image.path, sizeof(reading->path));
		at_step(READING_PARSE);
		probe_ask(image.fd, image.size, VEXT_ARCH, &worker_holds()->process, &probed);
		reading->probed = probed;
		read_blocks(reading, &image);
	}
	if (!worker_say(channel, -1) || image.fd < 0)
		return;
	if (order->stays)
		serve(reading, &image, channel);
	else if (worker_hear(channel, &none))
		(void)worker_say(channel, image.fd);
}

struct verdict reading_start(struct worker *worker, const struct reading_order *order)
{
	struct reading_order given = *order;
	/*
	 * The user's path may lead to a descriptor that vext was started with, such as /dev/fd/9.
	 */
	const int *keep = order->root_fd < 0 ? NULL : &order->root_fd;
	const struct verdict v = worker_start(worker, work, &given, keep, 1);

	if (is_accepted(v))
		(void)worker_memory_hide(order->reading, sizeof(*order->reading));
	return v;
}

/* ---- the parent ---------------------------------------------------------------------------- */

/* A refusal may be any of those that opening and reading have. */
static struct verdict looked_at(struct verdict said)
{
	const uint32_t group = (uint32_t)said.reason / 100;

	return reason_is_known((uint32_t)said.reason) && (group == 1 || group == 10) ?
		       said :
		       verdict(REASON_SYSTEM_WORKER);
}

struct verdict reading_take(const struct reading *reading, struct image *image)
{
	const struct verdict said = reading->opened;

	if (said.reason != REASON_ACCEPTED)
		return looked_at(said);
	image->size = reading->size;
	if (image->size == 0 || image->size > VEXT_IMAGE_SIZE_MAX)
		return verdict(REASON_SYSTEM_WORKER);
	memcpy(image->path, reading->path, sizeof(image->path));
	image->path[sizeof(image->path) - 1] = '\0';
	if (!origin_is_plain(image->path))
		image->path[0] = '\0';
	return verdict(REASON_ACCEPTED);
}

/* The blocks that were sent unasked. */
static bool take_block(const struct reading *reading, uint64_t offset, void *buf, size_t size)
{
	const uint32_t count = *(const volatile uint32_t *)&reading->count;

	for (uint32_t i = 0; i < count && i < MERKLE_PATH_MAX; i++) {
		if (reading->at[i] != offset || size != VEXT_BLOCK)
			continue;
		memcpy(buf, reading->block[i], VEXT_BLOCK);
		return true;
	}
	return false;
}

static bool take_window(const struct window *window, uint64_t offset, void *buf, size_t size)
{
	const volatile struct window *said = window; /* once: it may change */
	const uint64_t start = said->offset, have = said->have;

	if (have > sizeof(window->bytes) || offset < start || offset - start > have ||
	    size > have - (offset - start))
		return false;
	memcpy(buf, window->bytes + (offset - start), size);
	return true;
}

static struct verdict fill(struct reading_source *source, struct window *window, uint64_t offset)
{
	enum worker_state state;

	window->have = 0;
	window->offset = offset;
	if (source->worker->is_stuck)
		return verdict_at(REASON_IMAGE_UNRESPONSIVE, offset);
	if (!worker_say(source->worker->channel, -1))
		return verdict(REASON_SYSTEM_WORKER);
	state = worker_wait(source->worker);
	if (state == WORKER_STUCK)
		return verdict_at(REASON_IMAGE_UNRESPONSIVE, offset);
	return verdict(state == WORKER_HEARD ? REASON_ACCEPTED : REASON_SYSTEM_WORKER);
}

static struct verdict read_served(struct reading_source *source, uint64_t offset, void *buf,
				  size_t size)
{
	const struct extent data = source->claim->layout.data;
	const bool is_data = offset >= data.offset && offset - data.offset < data.size;
	struct window *window = &source->reading->window[is_data ? 0 : 1];
	struct verdict v;

	if (take_window(window, offset, buf, size))
		return verdict(REASON_ACCEPTED);
	source->reading->asked = is_data ? 0 : 1;
	v = fill(source, window, offset);
	if (is_accepted(v) && !take_window(window, offset, buf, size))
		v = looked_at(window->why);
	return v;
}

static struct verdict read_source(void *ctx, uint64_t offset, void *buf, size_t size)
{
	struct reading_source *source = ctx;

	if (take_block(source->reading, offset, buf, size))
		return verdict(REASON_ACCEPTED);
	if (source->worker != NULL)
		return read_served(source, offset, buf, size);
	return looked_at(source->reading->why);
}

struct reader reading_reader(struct reading_source *source)
{
	return (struct reader){ .read = read_source, .ctx = source };
}
