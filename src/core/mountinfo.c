/* SPDX-License-Identifier: Apache-2.0 */
#include "core/mountinfo.h"

#include <stddef.h>
#include <string.h>

#define SEPARATOR "-" /* behind the optional fields */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A decimal number, and the character behind it. */
static bool take_number(const char **at, uint64_t most, char end, uint64_t *number)
{
	const char *c = *at;
	uint64_t sum = 0;

	if (!is_digit(*c))
		return false;
	for (; is_digit(*c); c++) {
		const uint64_t digit = (uint64_t)(*c - '0');

		if (sum > (most - digit) / 10)
			return false;
		sum = 10 * sum + digit;
	}
	if (*c != end)
		return false;
	*number = sum;
	*at = c + 1;
	return true;
}

/* The field up to the next blank, which it steps over. It may be empty, as the source of a mount of "" is. */
static bool take_field(const char **at, const char **field, size_t *size)
{
	*field = *at;
	*size = strcspn(*at, " \n");
	if ((*at)[*size] != ' ')
		return false;
	*at += *size + 1;
	return true;
}

static bool skip_field(const char **at)
{
	const char *field;
	size_t size;

	return take_field(at, &field, &size);
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* The kernel writes blanks, newlines and backslashes as \NNN (seq_path, mangle). */
static bool take_text(const char **at, char *out, size_t room)
{
	const char *field;
	size_t size, used = 0;

	if (!take_field(at, &field, &size))
		return false;
	for (size_t i = 0; i < size; i++, used++) {
		if (used + 1 == room)
			return false;
		out[used] = field[i];
		if (field[i] == '\\' && size - i > 3 && is_octal(field[i + 1]) &&
		    is_octal(field[i + 2]) && is_octal(field[i + 3])) {
			out[used] = (char)((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 +
					   (field[i + 3] - '0'));
			i += 3;
		}
	}
	out[used] = '\0';
	return true;
}

/* Any number of "shared:1" and the like. */
static bool skip_optional(const char **at)
{
	const char *field;
	size_t size;

	do
		if (!take_field(at, &field, &size))
			return false;
	while (size != strlen(SEPARATOR) || memcmp(field, SEPARATOR, size) != 0);
	return true;
}

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [OPTIONAL]... - TYPE SOURCE SUPER_OPTIONS; the last do not matter */
bool mountinfo_parse(const char *line, struct mountinfo *mount)
{
	const char *at = line;
	uint64_t major, minor;

	if (!take_number(&at, UINT64_MAX, ' ', &mount->id) ||
	    !take_number(&at, UINT64_MAX, ' ', &mount->parent) ||
	    !take_number(&at, UINT32_MAX, ':', &major) ||
	    !take_number(&at, UINT32_MAX, ' ', &minor))
		return false;
	mount->major = (uint32_t)major;
	mount->minor = (uint32_t)minor;
	mount->is_whole = at[0] == '/' && at[1] == ' ';
	return skip_field(&at) && take_text(&at, mount->point, sizeof(mount->point)) &&
	       skip_field(&at) && skip_optional(&at) &&
	       take_text(&at, mount->type, sizeof(mount->type)) &&
	       take_text(&at, mount->source, sizeof(mount->source));
}

/* Behind the next comma, or NULL. */
static const char *next_option(const char *at)
{
	at += strcspn(at, ", \n");
	return *at == ',' ? at + 1 : NULL;
}

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS, then those of skip_optional(), TYPE and SOURCE */
bool mountinfo_has_option(const char *line, const char *begins)
{
	const char *at = line;

	for (unsigned i = 0; i < 6; i++)
		if (!skip_field(&at))
			return false;
	if (!skip_optional(&at) || !skip_field(&at) || !skip_field(&at))
		return false;
	for (; at != NULL; at = next_option(at))
		if (strncmp(at, begins, strlen(begins)) == 0)
			return true;
	return false;
}

const char *mountinfo_below(const char *path, const char *above)
{
	size_t size = strlen(above);

	if (strcmp(above, "/") == 0)
		size = 0;
	if (strlen(path) < size || memcmp(path, above, size) != 0 || path[size] != '/' ||
	    path[size + 1] == '\0')
		return NULL;
	return path + size + 1;
}
