/* SPDX-License-Identifier: Apache-2.0 */
#include "core/name.h"

#include <string.h>

/* Not <ctype.h>: that asks the locale. */
static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool is_allowed(char c)
{
	return is_word(c) || c == '.' || c == '+' || c == '@' || c == '-';
}

struct verdict name_check(const char *name)
{
	size_t size = 0;

	if (!is_word(name[0]))
		return verdict(REASON_IMAGE_NAME);
	for (; name[size] != '\0'; size++) {
		if (size == VEXT_NAME_MAX || !is_allowed(name[size]))
			return verdict(REASON_IMAGE_NAME);
	}
	return verdict(REASON_ACCEPTED);
}

/* The size of `bytes` without the suffix, if something stands before it. */
static size_t without(const char *bytes, size_t size, const char *suffix)
{
	const size_t end = strlen(suffix);

	if (size > end && memcmp(bytes + size - end, suffix, end) == 0)
		return size - end;
	return size;
}

bool name_is_image_file(const char *file)
{
	const size_t size = strlen(file);

	return without(file, size, NAME_SUFFIX) < size;
}

/* The size without ".sysext". */
static size_t without_class(const char *bytes, size_t size, enum extension_class class)
{
	const size_t left = without(bytes, size, class_traits(class)->name);

	return left < size && left > 1 && bytes[left - 1] == '.' ? left - 1 : size;
}

struct verdict name_from_file(const char *file, enum extension_class class,
			      char name[VEXT_NAME_MAX + 1])
{
	const size_t whole = without(file, strlen(file), NAME_SUFFIX);
	size_t size = whole;
	char stem[VEXT_NAME_MAX + 1] = { 0 };
	struct verdict v;

	for (unsigned i = 0; i < CLASSES && size == whole; i++)
		if (class == (enum extension_class)i || class == CLASS_UNKNOWN)
			size = without_class(file, whole, (enum extension_class)i);
	if (size > VEXT_NAME_MAX)
		return verdict(REASON_IMAGE_NAME);
	memcpy(stem, file, size);
	v = name_check(stem);
	if (is_accepted(v))
		memcpy(name, stem, sizeof(stem));
	return v;
}

bool name_is_pattern(const char *pattern, size_t size)
{
	if (size == 0 || size > VEXT_NAME_MAX)
		return false;
	for (size_t i = 0; i < size; i++)
		if (!is_allowed(pattern[i]) && pattern[i] != '*' && pattern[i] != '?')
			return false;
	return true;
}

/* The last star seen takes one character more whenever what follows it does not fit. */
bool name_matches(const char *name, const char *pattern, size_t size)
{
	size_t p = 0, n = 0, star = size, star_end = 0;

	if (!name_is_pattern(pattern, size))
		return false;
	while (name[n] != '\0') {
		if (p < size && pattern[p] == '*') {
			star = p++;
			star_end = n;
		} else if (p < size && (pattern[p] == '?' || pattern[p] == name[n])) {
			p++;
			n++;
		} else if (star < size) {
			p = star + 1;
			n = ++star_end;
		} else {
			return false;
		}
	}
	while (p < size && pattern[p] == '*')
		p++;
	return p == size;
}
