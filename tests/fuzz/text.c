/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three strings, with NULs between them: names, versions, hexadecimal, text to escape, plans. Asserted: versions are
 * ordered consistently, a good name is of the allowed characters, and what is escaped is printable and whole.
 */
#include "core/hex.h"
#include "core/name.h"
#include "core/plan.h"
#include "core/table.h"
#include "core/text.h"
#include "fuzz.h"

#define STRINGS 3u
#define LENGTH_MAX 300u

/* ---- versions ------------------------------------------------------------------------------ */

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static int compare(const char *a, const char *b)
{
	const int order = sign(plan_version_compare(a, b));

	holds(order == -sign(plan_version_compare(b, a)));
	return order;
}

static void check_versions(const char *a, const char *b, const char *c)
{
	const int ab = compare(a, b), bc = compare(b, c), ac = compare(a, c);

	holds(compare(a, a) == 0);
	if (ab <= 0 && bc <= 0)
		holds(ac <= 0 && (ac == 0) == (ab == 0 && bc == 0));
	if (ab >= 0 && bc >= 0)
		holds(ac >= 0 && (ac == 0) == (ab == 0 && bc == 0));
}

/* ---- names --------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+@-";
	const size_t size = strlen(name);

	return size >= 1 && size <= VEXT_NAME_MAX && strspn(name, allowed) == size &&
	       !strchr(".+@-", name[0]);
}

static void check_name(const char *name)
{
	const struct verdict v = name_check(name);
	char device[TABLE_NAME_MAX], other[TABLE_NAME_MAX], uuid[TABLE_UUID_MAX];
	static const uint8_t root_hash[VEXT_HASH_SIZE];

	holds(is_accepted(v) == is_name(name));
	holds(is_accepted(v) || v.reason == REASON_IMAGE_NAME);
	if (!is_accepted(v))
		return;
	table_name(CLASS_CONFEXT, name, 0, other);
	holds(strncmp(other, "vext.", 5) == 0 && strncmp(other + 5, name, strlen(name)) == 0);
	table_name(CLASS_SYSEXT, name, UINT32_MAX, device);
	holds(strncmp(device, "vext-", 5) == 0 &&
	      strcmp(device + 5 + strlen(name), "-ffffffff") == 0);
	holds(table_is_name_of(device, name) && table_is_name_of(other, name));
	table_uuid(root_hash, device, uuid);
	holds(memchr(uuid, 0, sizeof(uuid)) &&
	      strcmp(uuid + strlen(uuid) - strlen(device), device) == 0);
}

static void check_file(const char *file, enum extension_class class)
{
	char name[VEXT_NAME_MAX + 1];
	struct verdict v;

	memset(name, 0x5a, sizeof(name));
	v = name_from_file(file, class, name);
	if (!is_accepted(v)) {
		holds(v.reason == REASON_IMAGE_NAME);
		for (size_t i = 0; i < sizeof(name); i++)
			holds(name[i] == 0x5a);
		return;
	}
	holds(memchr(name, 0, sizeof(name)) && is_name(name));
	holds(strncmp(file, name, strlen(name)) == 0);
	if (name_is_image_file(file))
		holds(strcmp(file + strlen(file) - 4, ".raw") == 0);
}

/* ---- text and hex -------------------------------------------------------------------------- */

/* With every \xNN taken back. */
static size_t unescaped(const char *text, char *out)
{
	size_t used = 0;

	for (size_t i = 0; text[i]; i++) {
		holds(text[i] >= 0x20 && text[i] < 0x7f);
		if (text[i] != '\\') {
			out[used++] = text[i];
			continue;
		}
		holds(text[i + 1] == 'x' && text[i + 2] && text[i + 3]);
		holds(hex_decode(text + i + 2, 2, (uint8_t *)&out[used++], 1));
		i += 3;
	}
	return used;
}

static void check_escaped(const char *bytes, size_t size)
{
	char out[4 * LENGTH_MAX + 1], back[4 * LENGTH_MAX + 1];
	struct text text;

	text_init(&text, out, sizeof(out));
	text_escaped(&text, bytes, size);
	holds(text_ok(&text) && strlen(out) == text.used);
	holds(unescaped(out, back) == size && memcmp(back, bytes, size) == 0);
	/* Too small a buffer: a whole number of escapes, and known to be cut. */
	text_init(&text, out, size / 2 + 1);
	text_escaped(&text, bytes, size);
	holds(strlen(out) == text.used && text.used <= size / 2);
	holds(text_ok(&text) == (size == 0));
	holds(memcmp(back, bytes, unescaped(out, back)) == 0);
}

static void check_hex(const char *text, size_t size)
{
	uint8_t bytes[LENGTH_MAX];
	char again[2 * LENGTH_MAX + 1];
	struct text t;

	memset(bytes, 0x5a, sizeof(bytes));
	if (!hex_decode(text, size, bytes, size / 2)) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			holds(bytes[i] == 0x5a);
		return;
	}
	text_init(&t, again, sizeof(again));
	text_hex(&t, bytes, size / 2);
	holds(t.used == size && memcmp(again, text, size) == 0);
}

/* ---- plans --------------------------------------------------------------------------------- */

static void check_plan(char *const strings[STRINGS])
{
	static const struct facts facts;
	static struct plan plan;
	struct plan_image images[STRINGS];
	size_t count = 0, overlays = 0;
	bool has[CLASSES] = { false };
	struct verdict v;

	for (size_t i = 0; i < STRINGS; i++)
		if (is_accepted(name_check(strings[i])))
			images[count++] = (struct plan_image){
				.name = strings[i],
				.class = (enum extension_class)(strlen(strings[i]) % CLASSES),
				.facts = &facts,
			};
	plan.count = 7777;
	v = plan_make(images, count, CORRUPTION_IO_ERROR, &plan);
	if (!is_accepted(v)) {
		holds(v.reason == REASON_MERGE_DUPLICATE && plan.count == 7777);
		return;
	}
	for (size_t i = 0; i < count; i++)
		has[images[i].class] = true;
	for (unsigned i = 0; i < HIERARCHIES; i++)
		overlays += has[hierarchy_class((enum hierarchy)i)];
	holds(plan.count == (count == 0 ? 0 : count * (PLAN_STEPS_ALONE + 1) + overlays + 2));
	for (size_t i = 1; i < count; i++) {
		const struct step *step = &plan.steps[(i - 1) * PLAN_STEPS_ALONE];
		const struct plan_image *upper = &images[step->subject];
		const struct plan_image *lower = &images[step[PLAN_STEPS_ALONE].subject];

		holds(upper->class < lower->class ||
		      (upper->class == lower->class &&
		       plan_version_compare(upper->name, lower->name) >= 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *strings[STRINGS];
	size_t used = 0;

	for (size_t i = 0; i < STRINGS; i++) {
		size_t length = used < size ? strnlen((const char *)bytes + used, size - used) : 0;
		const size_t kept = length > LENGTH_MAX ? LENGTH_MAX : length;

		strings[i] = calloc(1, kept + 1);
		holds(strings[i]);
		if (kept > 0)
			memcpy(strings[i], bytes + used, kept);
		used += length + 1;
	}
	check_versions(strings[0], strings[1], strings[2]);
	check_plan(strings);
	for (size_t i = 0; i < STRINGS; i++) {
		check_name(strings[i]);
		for (unsigned class = 0; class <= CLASS_UNKNOWN; class ++)
			check_file(strings[i], (enum extension_class) class);
		check_escaped(strings[i], strlen(strings[i]));
		check_hex(strings[i], strlen(strings[i]));
		free(strings[i]);
	}
	return 0;
}
