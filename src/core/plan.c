/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plan.h"

#include <string.h>

#include "core/filesystem.h"

/* ---- the order of versions ----------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What has no meaning in a version divides its parts, no more. */
static const char *skip_meaningless(const char *s)
{
	while (*s != '\0' && !is_digit(*s) && !is_letter(*s) && strchr("~-^.", *s) == NULL)
		s++;
	return s;
}

static int compare_sizes(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

/* A part that this mark introduces is older than one without; a mark on both is stepped over. */
static int compare_mark(const char **a, const char **b, char mark)
{
	const bool a_has = **a == mark;
	const bool b_has = **b == mark;

	if (a_has && b_has) {
		(*a)++;
		(*b)++;
	}
	return (int)b_has - (int)a_has;
}

static size_t run_of(const char *s, bool (*is_member)(char))
{
	size_t size = 0;

	while (is_member(s[size]))
		size++;
	return size;
}

/* By value without computing it: more digits is more. A part with digits is newer than one without. */
static int compare_digits(const char **a, const char **b)
{
	size_t a_size = run_of(*a, is_digit);
	size_t b_size = run_of(*b, is_digit);
	int order = (int)(a_size > 0) - (int)(b_size > 0);
	const char *a_end = *a + a_size;
	const char *b_end = *b + b_size;

	if (order != 0)
		return order;
	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	a_size = (size_t)(a_end - *a);
	b_size = (size_t)(b_end - *b);
	order = compare_sizes(a_size, b_size);
	if (order == 0)
		order = memcmp(*a, *b, a_size);
	*a = a_end;
	*b = b_end;
	return order;
}

/* Alphabetically; of "abc" and "abcde" the longer is newer. */
static int compare_letters(const char **a, const char **b)
{
	const size_t a_size = run_of(*a, is_letter);
	const size_t b_size = run_of(*b, is_letter);
	int order = memcmp(*a, *b, a_size < b_size ? a_size : b_size);

	if (order == 0)
		order = compare_sizes(a_size, b_size);
	*a += a_size;
	*b += b_size;
	return order;
}

static int compare_part(const char **a, const char **b)
{
	static const char marks[] = { '-', '^', '.' };
	int order = 0;

	for (size_t i = 0; i < sizeof(marks) && order == 0; i++)
		order = compare_mark(a, b, marks[i]);
	if (order != 0)
		return order;
	if (is_digit(**a) || is_digit(**b))
		return compare_digits(a, b);
	return compare_letters(a, b);
}

int plan_version_compare(const char *a, const char *b)
{
	for (;;) {
		int order;

		a = skip_meaningless(a);
		b = skip_meaningless(b);
		/* Before the end is looked at: "1~rc" is older than "1". */
		order = compare_mark(&a, &b, '~');
		if (order != 0)
			return order;
		if (*a == '\0' || *b == '\0')
			return (int)(*a != '\0') - (int)(*b != '\0');
		order = compare_part(&a, &b);
		if (order != 0)
			return order;
	}
}

/* ---- the plan ------------------------------------------------------------------------------ */

const char *step_name(enum step_op op)
{
	switch (op) {
	case STEP_LOOP_DATA:
		return "loop-data";
	case STEP_LOOP_TREE:
		return "loop-tree";
	case STEP_VERITY:
		return "verity";
	case STEP_CHECK_DEVICE:
		return "check-device";
	case STEP_MOUNT:
		return "mount";
	case STEP_CHECK_CONTENT:
		return "check-content";
	case STEP_FIT:
		return "fit";
	case STEP_RELOAD:
		return "reload";
	case STEP_OVERLAY:
		return "overlay";
	case STEP_CHECK_MERGED:
		return "check-merged";
	case STEP_MOVE:
		return "move";
	}
	return "none";
}

/* Newest first. Names that are the same version go by their bytes, so that no order is left to chance. */
static int compare_layers(const struct plan_image *a, const struct plan_image *b)
{
	int order = (int)a->class - (int)b->class;

	if (order == 0)
		order = plan_version_compare(b->name, a->name);
	return order != 0 ? order : strcmp(b->name, a->name);
}

/* Insertion, for want of a sort without allocation; VEXT_IMAGES_MAX bounds it. */
static size_t sort_accepted(const struct plan_image images[], size_t count,
			    uint32_t order[VEXT_IMAGES_MAX])
{
	size_t used = 0;

	for (uint32_t i = 0; i < count; i++) {
		size_t at = used;

		if (images[i].facts == NULL)
			continue;
		for (; at > 0 && compare_layers(&images[i], &images[order[at - 1]]) < 0; at--)
			order[at] = order[at - 1];
		order[at] = i;
		used++;
	}
	return used;
}

static void add_step(struct plan *plan, enum step_op op, uint32_t subject)
{
	plan->steps[plan->count++] = (struct step){ .op = op, .subject = subject };
}

static void add_image(struct plan *plan, uint32_t image)
{
	add_step(plan, STEP_LOOP_DATA, image);
	add_step(plan, STEP_LOOP_TREE, image);
	add_step(plan, STEP_VERITY, image);
	add_step(plan, STEP_CHECK_DEVICE, image);
	add_step(plan, STEP_MOUNT, image);
	add_step(plan, STEP_CHECK_CONTENT, image);
}

/* From the lowest layer to the topmost: `order` has it the other way round. */
static void admit(struct plan *plan, const struct plan_image images[], const uint32_t order[],
		  size_t used, const struct plan_image *like)
{
	for (size_t i = used; i > 0; i--) {
		const uint32_t image = order[i - 1];

		if (images[image].class == like->class &&
		    images[image].is_required == like->is_required)
			add_step(plan, STEP_FIT, image);
	}
}

/* Only when all were compared: a comparison reads in the trees of those that were admitted before, too. */
static void reload(struct plan *plan, const uint32_t order[], size_t used)
{
	for (size_t i = 0; i < used; i++)
		add_step(plan, STEP_RELOAD, order[i]);
}

static void admit_all(struct plan *plan, const struct plan_image images[], const uint32_t order[],
		      size_t used)
{
	static const struct plan_image likes[] = {
		{ .class = CLASS_SYSEXT, .is_required = true },
		{ .class = CLASS_SYSEXT },
		{ .class = CLASS_CONFEXT, .is_required = true },
		{ .class = CLASS_CONFEXT },
	};

	for (size_t i = 0; i < sizeof(likes) / sizeof(likes[0]); i++)
		admit(plan, images, order, used, &likes[i]);
}

struct verdict plan_make(const struct plan_image images[], size_t count, enum corruption corruption,
			 struct plan *plan)
{
	uint32_t order[VEXT_IMAGES_MAX];
	bool has[CLASSES] = { false };
	size_t used;

	if (count > VEXT_IMAGES_MAX)
		return verdict(REASON_SYSTEM_LIMIT);
	used = sort_accepted(images, count, order);
	for (size_t i = 1; i < used; i++)
		if (compare_layers(&images[order[i - 1]], &images[order[i]]) == 0)
			return verdict(REASON_MERGE_DUPLICATE);
	plan->count = 0;
	for (size_t i = 0; i < used; i++) {
		add_image(plan, order[i]);
		has[images[order[i]].class] = true;
	}
	admit_all(plan, images, order, used);
	if (corruption != CORRUPTION_IO_ERROR)
		reload(plan, order, used);
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (has[hierarchy_class((enum hierarchy)i)])
			add_step(plan, STEP_OVERLAY, i);
	if (used > 0) {
		add_step(plan, STEP_CHECK_MERGED, 0);
		add_step(plan, STEP_MOVE, 0);
	}
	return verdict(REASON_ACCEPTED);
}

/* ---- the plan as text ---------------------------------------------------------------------- */

/* Its serial is known when it is made. */
static void put_device_name(struct text *text, const struct plan_image *image)
{
	text_str(text, class_traits(image->class)->device);
	text_str(text, image->name);
	text_str(text, "-SERIAL");
}

static void put_loop(struct text *text, const char *what, struct extent extent)
{
	text_str(text, "attach ");
	text_str(text, what);
	text_str(text, ", ");
	text_u64(text, extent.size);
	text_str(text, " bytes from byte ");
	text_u64(text, extent.offset);
	text_str(text, ", to a read-only loop device");
}

static void put_verity(struct text *text, const struct plan_image *image)
{
	text_str(text, "make ");
	put_device_name(text, image);
	text_str(text, ", dm-verity over ");
	text_u64(text, image->facts->verity.data_blocks);
	text_str(text, " blocks with root hash ");
	text_hex(text, image->facts->root_hash, sizeof(image->facts->root_hash));
}

static void put_check(struct text *text, const struct plan_image *image)
{
	text_str(text, "read block 0 of ");
	put_device_name(text, image);
	text_str(text, "; it must stay verified and hold ");
	text_str(text, filesystem_name(image->facts->filesystem));
	text_str(text, " of ");
	text_u64(text, image->facts->filesystem_size);
	text_str(text, " bytes");
}

static void put_mount(struct text *text, const struct plan_image *image)
{
	text_str(text, "mount ");
	put_device_name(text, image);
	text_str(text, " read-only, nodev, in a private mount namespace");
}

static void put_content(struct text *text, const struct plan_image *image)
{
	text_str(text, "match ");
	text_str(text, class_traits(image->class)->releases);
	text_str(text, "/extension-release.");
	text_str(text, image->name);
	text_str(text, " with the root's os-release");
}

static void put_fit(struct text *text, const struct plan_image *image)
{
	text_str(text, "compare the tree of ");
	put_device_name(text, image);
	text_str(text, " with the root's and those of the extensions admitted before");
}

static void put_reload(struct text *text, const struct plan_image *image)
{
	text_str(text, "load the table of ");
	put_device_name(text, image);
	text_str(text, " again, with the corruption mode of the configuration");
}

static void put_overlay(struct text *text, enum hierarchy hierarchy)
{
	text_str(text, "overlay /");
	text_str(text, hierarchy_name(hierarchy));
	text_str(text, " of the images that have it over the root's");
}

void plan_describe(const struct step *step, const struct plan_image images[], struct text *text)
{
	if (step->op < STEP_OVERLAY) {
		text_str(text, images[step->subject].name);
		text_str(text, ": ");
	}
	switch (step->op) {
	case STEP_LOOP_DATA:
		put_loop(text, "data", images[step->subject].facts->layout.data);
		return;
	case STEP_LOOP_TREE:
		put_loop(text, "hash tree", images[step->subject].facts->layout.tree);
		return;
	case STEP_VERITY:
		put_verity(text, &images[step->subject]);
		return;
	case STEP_CHECK_DEVICE:
		put_check(text, &images[step->subject]);
		return;
	case STEP_MOUNT:
		put_mount(text, &images[step->subject]);
		return;
	case STEP_CHECK_CONTENT:
		put_content(text, &images[step->subject]);
		return;
	case STEP_FIT:
		put_fit(text, &images[step->subject]);
		return;
	case STEP_RELOAD:
		put_reload(text, &images[step->subject]);
		return;
	case STEP_OVERLAY:
		put_overlay(text, (enum hierarchy)step->subject);
		return;
	case STEP_CHECK_MERGED:
		text_str(
			text,
			"assemble the merged root in private; protected paths and links must lead where they may");
		return;
	case STEP_MOVE:
		text_str(text, "move the overlays onto the root");
		return;
	}
}
