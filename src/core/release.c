/* SPDX-License-Identifier: Apache-2.0 */
#include "core/release.h"

#include <string.h>

/* ---- reading ------------------------------------------------------------------------------- */

/* What is left of the text. No byte is NUL; the end reads as a newline, as if the last line had one. */
struct line_reader {
	const char *at;
	const char *end;
};

struct value {
	char bytes[RELEASE_VALUE_MAX];
	size_t size;
	bool too_long;
};

static char peek(const struct line_reader *in)
{
	return in->at < in->end ? *in->at : '\n';
}

static char next(struct line_reader *in)
{
	return in->at < in->end ? *in->at++ : '\n';
}

static bool is_newline(char c)
{
	return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_key(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static void skip_blanks(struct line_reader *in)
{
	while (is_blank(peek(in)))
		in->at++;
}

static void skip_line(struct line_reader *in)
{
	while (!is_newline(peek(in)))
		in->at++;
}

static void put(struct value *value, char c)
{
	if (value->size + 1 >= sizeof(value->bytes)) {
		value->too_long = true;
		return;
	}
	value->bytes[value->size++] = c;
}

/* '...': up to the next quote, nothing is special. */
static bool read_single_quoted(struct line_reader *in, struct value *value)
{
	in->at++;
	while (in->at < in->end) {
		const char c = next(in);

		if (c == '\'')
			return true;
		put(value, c);
	}
	return false;
}

/* "...": a backslash quotes " \ ` $, joins lines, and else stands for itself, as in a shell. */
static bool read_double_quoted(struct line_reader *in, struct value *value)
{
	in->at++;
	while (in->at < in->end) {
		char c = next(in);

		if (c == '"')
			return true;
		if (c == '\\') {
			c = next(in);
			if (c == '\n')
				continue;
			if (c != '"' && c != '\\' && c != '`' && c != '$')
				put(value, '\\');
		}
		put(value, c);
	}
	return false;
}

/* Up to the end of the line, without blanks at its end; a backslash quotes any byte. */
static bool read_plain(struct line_reader *in, struct value *value)
{
	size_t kept = 0;

	while (!is_newline(peek(in))) {
		const char c = next(in);
		const bool escaped = c == '\\';

		if (escaped && is_newline(peek(in)))
			return false;
		put(value, escaped ? next(in) : c);
		if (escaped || !is_blank(c))
			kept = value->size;
	}
	value->size = kept;
	return true;
}

static bool read_value(struct line_reader *in, struct value *value)
{
	bool good;

	skip_blanks(in);
	if (peek(in) == '"')
		good = read_double_quoted(in, value);
	else if (peek(in) == '\'')
		good = read_single_quoted(in, value);
	else
		good = read_plain(in, value);
	skip_blanks(in);
	value->bytes[value->size] = '\0';
	return good && is_newline(peek(in));
}

static bool is_named(const char *key, size_t size, const char *name)
{
	return strlen(name) == size && memcmp(name, key, size) == 0;
}

/* The place of a key that is looked at; NULL for the others. */
static char *slot_of(struct release *release, const char *key, size_t size)
{
	const struct {
		const char *key;
		char *slot;
	} slots[] = {
		{ "ID", release->id },
		{ "ID_LIKE", release->id_like },
		{ "VERSION_ID", release->version_id },
		{ "ARCHITECTURE", release->architecture },
		{ "EXTENSION_RELOAD_MANAGER", release->reload_manager },
	};

	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		if (is_named(key, size, slots[i].key))
			return slots[i].slot;
	for (unsigned i = 0; i < CLASSES; i++) {
		if (is_named(key, size, class_traits((enum extension_class)i)->level_key))
			return release->level[i];
		if (is_named(key, size, class_traits((enum extension_class)i)->scope_key))
			return release->scope[i];
	}
	return NULL;
}

static bool read_assignment(struct line_reader *in, struct release *release)
{
	const char *key = in->at;
	struct value value = { .size = 0, .too_long = false };
	size_t key_size;
	char *slot;

	while (is_key(peek(in)))
		in->at++;
	key_size = (size_t)(in->at - key);
	if (key_size == 0 || next(in) != '=' || !read_value(in, &value))
		return false;
	slot = slot_of(release, key, key_size);
	if (slot == NULL)
		return true;
	memcpy(slot, value.bytes, value.size + 1);
	for (unsigned i = 0; i < CLASSES; i++)
		release->has_scope[i] |= slot == release->scope[i];
	return !value.too_long;
}

static bool read_line(struct line_reader *in, struct release *release)
{
	skip_blanks(in);
	if (peek(in) == '#' || peek(in) == ';')
		skip_line(in);
	if (is_newline(peek(in)))
		return true;
	return read_assignment(in, release);
}

struct verdict release_parse(const char *bytes, size_t size, struct release *release)
{
	struct line_reader in = { .at = bytes, .end = bytes + size };
	struct release found = { .has_scope = { false } };

	if (size > RELEASE_FILE_MAX || memchr(bytes, '\0', size) != NULL)
		return verdict(REASON_RELEASE_MALFORMED);
	while (in.at < in.end) {
		if (!read_line(&in, &found))
			return verdict(REASON_RELEASE_MALFORMED);
		(void)next(&in); /* the newline */
	}
	*release = found;
	return verdict(REASON_ACCEPTED);
}

/* ---- matching ------------------------------------------------------------------------------ */

static bool is_set(const char *value)
{
	return value[0] != '\0';
}

static bool is_same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Is `word` one of the words of `list`, which white space divides? */
static bool has_word(const char *list, const char *word)
{
	static const char space[] = " \t\n\r";

	for (list += strspn(list, space); is_set(list); list += strspn(list, space)) {
		const size_t size = strcspn(list, space);

		if (strlen(word) == size && memcmp(list, word, size) == 0)
			return true;
		list += size;
	}
	return false;
}

static const char *arch_name(enum arch arch)
{
	switch (arch) {
	case ARCH_X86_64:
		return "x86-64";
	case ARCH_ARM64:
		return "arm64";
	}
	return ""; /* no enumerator: matches nothing that is set */
}

/* Where only one side has a level, the version decides, if the host has one. */
static bool versions_match(const struct release *host, const struct release *extension,
			   enum extension_class class)
{
	if (is_set(host->level[class]) && is_set(extension->level[class]))
		return is_same(host->level[class], extension->level[class]);
	if (is_set(host->version_id))
		return is_same(host->version_id, extension->version_id);
	return true; /* a rolling release */
}

struct verdict release_match(const struct release *host, const struct release *extension,
			     enum extension_class class, enum arch arch, const char *scope)
{
	const char *scopes = extension->has_scope[class] ? extension->scope[class] :
							   "system portable";
	const char *machine = extension->architecture;

	if (!is_set(host->id))
		return verdict(REASON_RELEASE_HOST);
	if (!has_word(scopes, scope))
		return verdict(REASON_RELEASE_SCOPE);
	if (is_set(machine) && !is_same(machine, "_any") && !is_same(machine, arch_name(arch)))
		return verdict(REASON_RELEASE_ARCHITECTURE);
	if (!is_set(extension->id))
		return verdict(REASON_RELEASE_ID);
	if (is_same(extension->id, "_any"))
		return verdict(REASON_ACCEPTED);
	if (!is_same(extension->id, host->id) && !has_word(host->id_like, extension->id))
		return verdict(REASON_RELEASE_ID);
	if (!versions_match(host, extension, class))
		return verdict(REASON_RELEASE_VERSION);
	return verdict(REASON_ACCEPTED);
}

static bool is_word_in_any_case(const char *value, const char *word)
{
	for (; *word != '\0'; word++, value++)
		if ((*value >= 'A' && *value <= 'Z' ? *value + ('a' - 'A') : *value) != *word)
			return false;
	return *value == '\0';
}

/* The words that systemd takes for "yes" (parse_boolean). */
bool release_wants_reload(const struct release *extension)
{
	static const char *const words[] = { "1", "yes", "y", "true", "t", "on" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_word_in_any_case(extension->reload_manager, words[i]))
			return true;
	return false;
}
