/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config.h"

#include <string.h>

#include "core/command_line.h"
#include "core/filesystem.h"
#include "core/name.h"
#include "core/piece.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define WORD_PREFIX "vext"     /* of what is vext's on the kernel command line */
#define KILL_PREFIX "systemd." /* before the class, of the word that switches it off */

static const char *const key_names[CONFIG_KEYS] = {
	[CONFIG_POLICY] = "policy",
	[CONFIG_REQUIRED] = "required",
	[CONFIG_OPTIONAL] = "optional",
	[CONFIG_ON_FAILURE] = "on-failure",
	[CONFIG_CORRUPTION] = "corruption",
	[CONFIG_KERNEL_SIGNATURE] = "kernel-signature",
	[CONFIG_FILESYSTEMS] = "filesystems",
	[CONFIG_PATHS] = "paths",
	[CONFIG_USER_CERTIFICATES] = "user-certificates",
	[CONFIG_FOREIGN_MERGE] = "foreign-merge",
	[CONFIG_CLASSES] = "classes",
	[CONFIG_OFF] = "off",
};

/* A word and its number; the order is that of strictness, the laxest first. */
struct word {
	const char *name;
	int value;
};

static const struct word on_failures[] = { { "continue", ON_FAILURE_CONTINUE },
					   { "emergency", ON_FAILURE_EMERGENCY },
					   { "poweroff", ON_FAILURE_POWEROFF } };
static const struct word foreign_merges[] = { { "replace", FOREIGN_MERGE_REPLACE },
					      { "emergency", FOREIGN_MERGE_EMERGENCY },
					      { "poweroff", FOREIGN_MERGE_POWEROFF } };
static const struct word corruptions[] = { { "io-error", CORRUPTION_IO_ERROR },
					   { "restart", CORRUPTION_RESTART },
					   { "panic", CORRUPTION_PANIC } };
static const struct word kernel_signatures[] = { { "off", KERNEL_SIGNATURE_OFF },
						 { "auto", KERNEL_SIGNATURE_AUTO },
						 { "require", KERNEL_SIGNATURE_REQUIRE } };
static const struct word answers[] = { { "yes", true }, { "no", false } };
static const struct word switches[] = { { "on", false }, { "off", true } };

/* What systemd reads as false: parse_boolean() of its src/basic/parse-util.c. */
static const char *const false_words[] = { "0", "no", "n", "false", "f", "off" };

/* Those of systemd 257 (image_search_path of src/shared/discover-image.c), in the initrd and elsewhere, and of later ones. */
static const char *const built_in_paths[] = {
	"/etc/extensions",   "/run/extensions",		"/var/lib/extensions",
	"/.extra/sysext",    "/.extra/global_sysext",	"/run/confexts",
	"/var/lib/confexts", "/usr/local/lib/confexts", "/usr/lib/confexts",
	"/.extra/confext",   "/.extra/global_confext",
};

const char *config_key_name(enum config_key key)
{
	return key_names[key];
}

const char *on_failure_name(enum on_failure on_failure)
{
	return on_failures[on_failure - 1].name;
}

const char *foreign_merge_name(enum foreign_merge foreign_merge)
{
	return foreign_merges[foreign_merge - 1].name;
}

/* ---- values -------------------------------------------------------------------------------- */

static struct verdict bad_value(struct piece piece)
{
	return verdict_at(REASON_CONFIG_VALUE, piece.at);
}

static struct verdict find_word(struct piece value, const struct word words[], size_t count,
				int *found)
{
	for (size_t i = 0; i < count; i++) {
		if (piece_is(value, words[i].name)) {
			*found = words[i].value;
			return verdict(REASON_ACCEPTED);
		}
	}
	return bad_value(value);
}

static bool is_separator(char c)
{
	return is_space(c) || c == ',';
}

/* The next word of a list, by blanks or commas; false at its end. */
static bool next_of(struct piece *list, struct piece *word)
{
	while (list->size > 0 && is_separator(list->bytes[0]))
		*list = piece_skip(*list, 1);
	*word = *list;
	word->size = 0;
	while (word->size < list->size && !is_separator(list->bytes[word->size]))
		word->size++;
	*list = piece_skip(*list, word->size);
	return word->size > 0;
}

static bool has_name(const struct config_names *names, enum extension_class class, const char *name)
{
	for (uint32_t i = 0; i < names->count; i++)
		if ((class == CLASS_UNKNOWN || class == names->list[i].class) &&
		    strcmp(names->list[i].name, name) == 0)
			return true;
	return false;
}

bool config_requires(const struct config *config, enum extension_class class, const char *name)
{
	return has_name(&config->required, class, name);
}

/* Once is enough. False when there is no room. */
static bool add_name(struct config_names *names, const struct config_name *name)
{
	if (has_name(names, name->class, name->name))
		return true;
	if (names->count == CONFIG_NAMES_MAX)
		return false;
	names->list[names->count++] = *name;
	return true;
}

static bool add_names(struct config_names *names, const struct config_names *more)
{
	for (uint32_t i = 0; i < more->count; i++)
		if (!add_name(names, &more->list[i]))
			return false;
	return true;
}

/* A name as extensions have it, copied; a NUL in the text is not its end. */
static bool take_name(struct piece piece, char name[VEXT_NAME_MAX + 1])
{
	if (piece.size > VEXT_NAME_MAX)
		return false;
	memcpy(name, piece.bytes, piece.size);
	name[piece.size] = '\0';
	return strlen(name) == piece.size && is_accepted(name_check(name));
}

/* NAME, or CLASS:NAME. */
static bool take_listed(struct piece piece, struct config_name *name)
{
	struct piece class;

	name->class = CLASS_SYSEXT;
	if (piece_cut(&piece, ':', &class))
		name->class = class_named(class.bytes, class.size);
	return name->class != CLASS_UNKNOWN && take_name(piece, name->name);
}

static struct verdict parse_names(struct piece value, struct config_names *names)
{
	struct config_name name;
	struct piece word;

	while (next_of(&value, &word)) {
		if (!take_listed(word, &name))
			return bad_value(word);
		if (!add_name(names, &name))
			return verdict_at(REASON_CONFIG_LIMIT, word.at);
	}
	return verdict(REASON_ACCEPTED);
}

static struct verdict parse_filesystems(struct piece value, uint32_t *filesystems)
{
	static const enum filesystem all[] = { FILESYSTEM_EROFS, FILESYSTEM_SQUASHFS };
	struct piece word;
	uint32_t found;

	while (next_of(&value, &word)) {
		found = 0;
		for (size_t i = 0; i < COUNT(all); i++)
			if (piece_is(word, filesystem_name(all[i])))
				found = 1u << all[i];
		if (found == 0)
			return bad_value(word);
		*filesystems |= found;
	}
	return verdict(REASON_ACCEPTED);
}

/* A component is a name of ordinary characters, and so neither empty nor "." nor "..". */
static bool is_path(struct piece path)
{
	char name[VEXT_NAME_MAX + 1];
	struct piece component;
	bool has_more;

	if (path.size >= CONFIG_PATH_MAX || path.bytes[0] != '/')
		return false;
	path = piece_skip(path, 1);
	do {
		has_more = piece_cut(&path, '/', &component);
		if (component.size > 0 && component.bytes[0] == '.') /* .extra */
			component = piece_skip(component, 1);
		if (!take_name(component, name))
			return false;
	} while (has_more);
	return true;
}

static bool has_path(const struct config *config, const char *path)
{
	for (uint32_t i = 0; i < config->paths; i++)
		if (strcmp(config->path[i], path) == 0)
			return true;
	return false;
}

static bool add_path(struct config *config, const char *path)
{
	if (has_path(config, path))
		return true;
	if (config->paths == CONFIG_PATHS_MAX)
		return false;
	memcpy(config->path[config->paths++], path, strlen(path) + 1);
	return true;
}

static struct verdict parse_paths(struct piece value, struct config *asked)
{
	char path[CONFIG_PATH_MAX];
	struct piece word;

	while (next_of(&value, &word)) {
		if (!is_path(word))
			return bad_value(word);
		memcpy(path, word.bytes, word.size);
		path[word.size] = '\0';
		if (!add_path(asked, path))
			return verdict_at(REASON_CONFIG_LIMIT, word.at);
	}
	return verdict(REASON_ACCEPTED);
}

/* Without any class there would be nothing for vext to do, so an empty list is a mistake. */
static struct verdict parse_classes(struct piece value, uint32_t *classes)
{
	const struct piece list = value;
	struct piece word;
	uint32_t found = 0;

	while (next_of(&value, &word)) {
		const enum extension_class class = class_named(word.bytes, word.size);

		if (class == CLASS_UNKNOWN)
			return bad_value(word);
		found |= 1u << class;
	}
	*classes |= found;
	return found ? verdict(REASON_ACCEPTED) : bad_value(list);
}

static struct verdict parse_policy(struct piece value, struct demands *demands)
{
	struct policy policy;
	struct verdict v = policy_parse(value.bytes, value.size, &policy);

	if (!is_accepted(v)) {
		v.at += value.at;
		return v;
	}
	memcpy(demands->flags, policy_demands(&policy).flags, sizeof(demands->flags));
	return v;
}

static bool is_list(enum config_key key)
{
	return key == CONFIG_REQUIRED || key == CONFIG_OPTIONAL || key == CONFIG_FILESYSTEMS ||
	       key == CONFIG_PATHS || key == CONFIG_CLASSES;
}

static struct verdict parse_value(enum config_key key, struct piece value, struct config *asked)
{
	struct verdict v = verdict(REASON_UNDECIDED);
	int found = 0;

	if (asked->stated & 1u << key && !is_list(key))
		return verdict_at(REASON_CONFIG_TWICE, value.at);
	asked->stated |= 1u << key;
	switch (key) {
	case CONFIG_POLICY:
		return parse_policy(value, &asked->demands);
	case CONFIG_REQUIRED:
		return parse_names(value, &asked->required);
	case CONFIG_OPTIONAL:
		return parse_names(value, &asked->allowed);
	case CONFIG_FILESYSTEMS:
		return parse_filesystems(value, &asked->demands.filesystems);
	case CONFIG_PATHS:
		return parse_paths(value, asked);
	case CONFIG_CLASSES:
		return parse_classes(value, &asked->classes);
	case CONFIG_ON_FAILURE:
		v = find_word(value, on_failures, COUNT(on_failures), &found);
		asked->on_failure = (enum on_failure)found;
		break;
	case CONFIG_CORRUPTION:
		v = find_word(value, corruptions, COUNT(corruptions), &found);
		asked->corruption = (enum corruption)found;
		break;
	case CONFIG_KERNEL_SIGNATURE:
		v = find_word(value, kernel_signatures, COUNT(kernel_signatures), &found);
		asked->kernel_signature = (enum kernel_signature)found;
		break;
	case CONFIG_USER_CERTIFICATES:
		v = find_word(value, answers, COUNT(answers), &found);
		asked->user_certificates = found;
		break;
	case CONFIG_FOREIGN_MERGE:
		v = find_word(value, foreign_merges, COUNT(foreign_merges), &found);
		asked->foreign_merge = (enum foreign_merge)found;
		break;
	case CONFIG_OFF:
		v = find_word(value, switches, COUNT(switches), &found);
		asked->off = found;
		break;
	}
	return v;
}

/* ---- sources ------------------------------------------------------------------------------- */

/* Hyphens and underscores are the same, as they are to the kernel. */
static bool is_key(struct piece piece, const char *name)
{
	if (piece.size != strlen(name))
		return false;
	for (size_t i = 0; i < piece.size; i++)
		if (piece.bytes[i] != name[i] && !(piece.bytes[i] == '_' && name[i] == '-'))
			return false;
	return true;
}

static void note_unknown(struct piece key, struct config_notes *notes)
{
	if (notes->unknown < CONFIG_UNKNOWN_MAX) {
		notes->unknown_keys[notes->unknown].bytes = key.bytes;
		notes->unknown_keys[notes->unknown].size = key.size;
	}
	notes->unknown++;
}

static struct verdict take(struct piece key, struct piece value, struct config *asked,
			   struct config_notes *notes)
{
	for (enum config_key i = 0; i < CONFIG_OFF; i++) {
		if (is_key(key, key_names[i])) {
			notes->has_key = true;
			notes->key = i;
			if (i == CONFIG_CLASSES && !notes->is_baked)
				return verdict_at(REASON_CONFIG_BAKED_ONLY, key.at);
			return parse_value(i, value, asked);
		}
	}
	note_unknown(key, notes);
	return verdict(REASON_ACCEPTED);
}

static struct verdict take_line(struct piece line, struct config *asked, struct config_notes *notes)
{
	struct piece key;

	notes->has_key = false;
	line = piece_strip(line);
	if (line.size == 0 || line.bytes[0] == '#')
		return verdict(REASON_ACCEPTED);
	if (!piece_cut(&line, '=', &key))
		return verdict_at(REASON_CONFIG_LINE, line.at);
	return take(piece_strip(key), piece_strip(line), asked, notes);
}

/* The first refusal stays, and its key. */
static void note(struct verdict next, const struct config_notes *before, struct config_notes *notes,
		 struct verdict *v)
{
	if (is_accepted(*v)) {
		*v = next;
	} else {
		notes->has_key = before->has_key;
		notes->key = before->key;
	}
}

static struct verdict parse_lines(const char *bytes, size_t size, bool is_baked,
				  struct config *asked, struct config_notes *notes)
{
	struct config_notes before;
	struct piece rest = { .bytes = bytes, .size = size };
	struct verdict v = verdict(REASON_ACCEPTED);
	struct piece line;
	bool has_more = true;

	memset(notes, 0, sizeof(*notes));
	memset(asked, 0, sizeof(*asked));
	notes->is_baked = is_baked;
	if (size > CONFIG_SIZE_MAX)
		return verdict_at(REASON_CONFIG_LIMIT, CONFIG_SIZE_MAX);
	while (has_more) {
		has_more = piece_cut(&rest, '\n', &line);
		before = *notes;
		note(take_line(line, asked, notes), &before, notes, &v);
	}
	return v;
}

struct verdict config_parse(const char *bytes, size_t size, struct config *asked,
			    struct config_notes *notes)
{
	return parse_lines(bytes, size, false, asked, notes);
}

struct verdict config_parse_baked(const char *bytes, size_t size, struct config *asked,
				  struct config_notes *notes)
{
	return parse_lines(bytes, size, true, asked, notes);
}

/* `word` is in lower case. */
static bool is_in_any_case(struct piece piece, const char *word)
{
	if (piece.size != strlen(word))
		return false;
	for (size_t i = 0; i < piece.size; i++) {
		const char c = piece.bytes[i];

		if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != word[i])
			return false;
	}
	return true;
}

static bool is_false(struct piece value)
{
	for (size_t i = 0; i < COUNT(false_words); i++)
		if (is_in_any_case(value, false_words[i]))
			return true;
	return false;
}

/* systemd.sysext=0, by which systemd's own units leave the class alone, too. */
static void take_kill_switch(const struct command_word *word, struct config *asked)
{
	const size_t prefix = sizeof(KILL_PREFIX) - 1;
	enum extension_class class;
	struct piece key = word->key;

	if (key.size < prefix || memcmp(key.bytes, KILL_PREFIX, prefix) != 0)
		return;
	key = piece_skip(key, prefix);
	class = class_named(key.bytes, key.size);
	if (class != CLASS_UNKNOWN && word->has_value && is_false(word->value))
		asked->killed |= 1u << class;
}

static struct verdict take_word(struct command_word word, struct config *asked,
				struct config_notes *notes)
{
	const size_t prefix = sizeof(WORD_PREFIX) - 1;
	struct piece key = word.key;

	notes->has_key = false;
	take_kill_switch(&word, asked);
	if (key.size < prefix || memcmp(key.bytes, WORD_PREFIX, prefix) != 0)
		return verdict(REASON_ACCEPTED);
	key = piece_skip(key, prefix);
	if (key.size > 0 && key.bytes[0] != '.') /* vextra */
		return verdict(REASON_ACCEPTED);
	if (!word.has_value)
		return verdict_at(REASON_CONFIG_LINE, word.whole.at);
	if (key.size > 0)
		return take(piece_skip(key, 1), word.value, asked, notes);
	notes->has_key = true;
	notes->key = CONFIG_OFF;
	return parse_value(CONFIG_OFF, word.value, asked);
}

struct verdict config_parse_command_line(const char *bytes, size_t size, struct config *asked,
					 struct config_notes *notes)
{
	struct piece rest = { .bytes = bytes, .size = size };
	struct verdict v = verdict(REASON_ACCEPTED);
	struct config_notes before;
	struct command_word word;

	memset(notes, 0, sizeof(*notes));
	memset(asked, 0, sizeof(*asked));
	if (size > CONFIG_SIZE_MAX)
		return verdict_at(REASON_CONFIG_LIMIT, CONFIG_SIZE_MAX);
	while (command_line_next(&rest, &word)) {
		before = *notes;
		note(take_word(word, asked, notes), &before, notes, &v);
	}
	return v;
}

/* ---- putting together ---------------------------------------------------------------------- */

void config_built_in(struct config *config)
{
	memset(config, 0, sizeof(*config));
	config->demands = policy_default_demands();
	config->denied = verdict(REASON_ACCEPTED);
	config->on_failure = ON_FAILURE_CONTINUE;
	config->corruption = CORRUPTION_IO_ERROR;
	config->kernel_signature = KERNEL_SIGNATURE_AUTO;
	config->foreign_merge = FOREIGN_MERGE_REPLACE;
	config->classes = CLASSES_ALL;
	for (size_t i = 0; i < COUNT(built_in_paths); i++)
		(void)add_path(config, built_in_paths[i]);
}

static bool has(const struct config *asked, enum config_key key)
{
	return (asked->stated & 1u << key) != 0;
}

/* What a source with the key `optional` allows: that, and what is required so far. */
static bool allowed_by(const struct config *config, const struct config *asked,
		       struct config_names *allowed)
{
	*allowed = asked->allowed;
	return add_names(allowed, &config->required);
}

bool config_set(struct config *config, const struct config *asked)
{
	if (has(asked, CONFIG_POLICY))
		memcpy(config->demands.flags, asked->demands.flags, sizeof(config->demands.flags));
	if (has(asked, CONFIG_FILESYSTEMS))
		config->demands.filesystems = asked->demands.filesystems;
	if (has(asked, CONFIG_ON_FAILURE))
		config->on_failure = asked->on_failure;
	if (has(asked, CONFIG_CORRUPTION))
		config->corruption = asked->corruption;
	if (has(asked, CONFIG_KERNEL_SIGNATURE))
		config->kernel_signature = asked->kernel_signature;
	if (has(asked, CONFIG_PATHS)) {
		config->paths = asked->paths;
		memcpy(config->path, asked->path, sizeof(config->path));
	}
	if (has(asked, CONFIG_FOREIGN_MERGE))
		config->foreign_merge = asked->foreign_merge;
	config->user_certificates = asked->user_certificates;
	config->off = asked->off;
	config->required = asked->required;
	config->is_limited = has(asked, CONFIG_OPTIONAL);
	if (config->is_limited && !allowed_by(config, asked, &config->allowed))
		return false;
	if (has(asked, CONFIG_CLASSES)) /* last, so that what is refused gives no class away */
		config->classes = asked->classes;
	return true;
}

static bool tighten_demands(struct demands *demands, struct demands asked)
{
	bool is_weaker = !demands_imply(&asked, demands);

	*demands = demands_intersect(demands, &asked);
	return is_weaker;
}

static bool tighten_policy(struct config *config, const struct config *asked)
{
	struct demands demands = asked->demands;

	demands.filesystems = config->demands.filesystems;
	return tighten_demands(&config->demands, demands);
}

static bool tighten_filesystems(struct config *config, const struct config *asked)
{
	struct demands demands = config->demands;

	demands.filesystems = asked->demands.filesystems;
	return tighten_demands(&config->demands, demands);
}

static size_t strictness(const struct word words[], int value)
{
	size_t i = 0;

	while (words[i].value != value)
		i++;
	return i;
}

static bool is_laxer(const struct word words[], int asked, int is)
{
	return strictness(words, asked) < strictness(words, is);
}

static bool tighten_on_failure(struct config *config, const struct config *asked)
{
	if (is_laxer(on_failures, (int)asked->on_failure, (int)config->on_failure))
		return true;
	config->on_failure = asked->on_failure;
	return false;
}

static bool tighten_corruption(struct config *config, const struct config *asked)
{
	if (is_laxer(corruptions, (int)asked->corruption, (int)config->corruption))
		return true;
	config->corruption = asked->corruption;
	return false;
}

static bool tighten_kernel_signature(struct config *config, const struct config *asked)
{
	if (is_laxer(kernel_signatures, (int)asked->kernel_signature,
		     (int)config->kernel_signature))
		return true;
	config->kernel_signature = asked->kernel_signature;
	return false;
}

static bool tighten_paths(struct config *config, const struct config *asked)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < config->paths; i++)
		if (has_path(asked, config->path[i]))
			memmove(config->path[kept++], config->path[i], CONFIG_PATH_MAX);
	config->paths = kept;
	return kept < asked->paths;
}

static bool tighten_user_certificates(struct config *config, const struct config *asked)
{
	bool is_weaker = asked->user_certificates && !config->user_certificates;

	config->user_certificates = config->user_certificates && asked->user_certificates;
	return is_weaker;
}

static bool tighten_foreign_merge(struct config *config, const struct config *asked)
{
	if (is_laxer(foreign_merges, (int)asked->foreign_merge, (int)config->foreign_merge))
		return true;
	config->foreign_merge = asked->foreign_merge;
	return false;
}

static bool tighten_off(struct config *config, const struct config *asked)
{
	bool is_weaker = config->off && !asked->off;

	config->off = config->off || asked->off;
	return is_weaker;
}

/* Weaker is it to name something that is not allowed already. */
static bool tighten_allowed(struct config *config, const struct config_names *asked)
{
	struct config_names both = { 0 };

	if (!config->is_limited) {
		config->is_limited = true;
		config->allowed = *asked;
		return false;
	}
	for (uint32_t i = 0; i < asked->count; i++)
		if (has_name(&config->allowed, asked->list[i].class, asked->list[i].name))
			both.list[both.count++] = asked->list[i];
	config->allowed = both;
	return both.count < asked->count;
}

bool config_tighten(struct config *config, const struct config *asked, uint32_t *weaker)
{
	static bool (*const tighten[CONFIG_KEYS])(struct config *, const struct config *) = {
		[CONFIG_POLICY] = tighten_policy,
		[CONFIG_ON_FAILURE] = tighten_on_failure,
		[CONFIG_CORRUPTION] = tighten_corruption,
		[CONFIG_KERNEL_SIGNATURE] = tighten_kernel_signature,
		[CONFIG_FILESYSTEMS] = tighten_filesystems,
		[CONFIG_PATHS] = tighten_paths,
		[CONFIG_USER_CERTIFICATES] = tighten_user_certificates,
		[CONFIG_FOREIGN_MERGE] = tighten_foreign_merge,
		[CONFIG_OFF] = tighten_off,
	};
	struct config_names allowed;

	*weaker = 0;
	for (enum config_key i = 0; i < CONFIG_KEYS; i++)
		if (tighten[i] && has(asked, i) && tighten[i](config, asked))
			*weaker |= 1u << i;
	config->killed |= asked->killed & config->classes;
	if (!add_names(&config->required, &asked->required))
		return false;
	if (!has(asked, CONFIG_OPTIONAL))
		return true;
	if (!allowed_by(config, asked, &allowed))
		return false;
	if (tighten_allowed(config, &allowed))
		*weaker |= 1u << CONFIG_OPTIONAL;
	return true;
}

void config_deny(struct config *config, enum reason reason)
{
	if (is_accepted(config->denied))
		config->denied = verdict(reason);
	memset(&config->demands, 0, sizeof(config->demands));
}

void config_deny_asked(struct config *config, enum reason reason, const struct config *asked)
{
	(void)add_names(&config->required, &asked->required);
	if (asked->on_failure > config->on_failure)
		config->on_failure = asked->on_failure;
	if (asked->foreign_merge > config->foreign_merge)
		config->foreign_merge = asked->foreign_merge;
	config->killed |= asked->killed & config->classes;
	config_deny(config, reason);
}

bool config_has_class(const struct config *config, enum extension_class class)
{
	return (config->classes & 1u << class) != 0;
}

uint32_t config_live_classes(const struct config *config)
{
	return config->classes & ~config->killed;
}

struct verdict config_check(const struct config *config, enum extension_class class,
			    const char *name)
{
	if (!is_accepted(config->denied))
		return config->denied;
	if (config->is_limited && !has_name(&config->allowed, class, name))
		return verdict(REASON_POLICY_UNLISTED);
	return verdict(REASON_ACCEPTED);
}

/* ---- telling ------------------------------------------------------------------------------- */

static void put_demand(const char *name, uint32_t flags, struct text *text)
{
	text_char(text, ' ');
	text_str(text, name);
	text_char(text, '=');
	if (flags & POLICY_OPEN)
		policy_print_flags(flags, true, text);
	else
		text_str(text, "nothing");
}

static void put_policy(const struct demands *demands, struct text *text)
{
	text_str(text, "policy");
	put_demand("root", demands->flags[DESIGNATOR_ROOT], text);
	put_demand("usr", demands->flags[DESIGNATOR_USR], text);
	if (demands->filesystems == FILESYSTEMS_ALL)
		return;
	text_str(text, ", filesystems");
	for (enum filesystem i = FILESYSTEM_EROFS; i <= FILESYSTEM_SQUASHFS; i++) {
		if (demands->filesystems & 1u << i) {
			text_char(text, ' ');
			text_str(text, filesystem_name(i));
		}
	}
}

static void put_name(const struct config_name *name, struct text *text)
{
	if (name->class != CLASS_SYSEXT) {
		text_str(text, class_traits(name->class)->name);
		text_char(text, ':');
	}
	text_str(text, name->name);
}

void config_name_text(const struct config_name *name, char text[CONFIG_NAME_TEXT_MAX])
{
	struct text to;

	text_init(&to, text, CONFIG_NAME_TEXT_MAX);
	put_name(name, &to);
}

static void put_names(const char *what, const struct config_names *names, struct text *text)
{
	text_str(text, what);
	for (uint32_t i = 0; i < names->count; i++) {
		text_char(text, ' ');
		put_name(&names->list[i], text);
	}
}

static void put_word(const char *key, const struct word words[], int value, int built_in,
		     struct text *text)
{
	if (value == built_in)
		return;
	text_str(text, key);
	text_str(text, words[strictness(words, value)].name);
}

/* The name of each class of a set, with something before and after it. */
static void put_classes(uint32_t classes, const char *before, const char *after, struct text *text)
{
	for (unsigned i = 0; i < CLASSES; i++) {
		if (classes & 1u << i) {
			text_str(text, before);
			text_str(text, class_traits((enum extension_class)i)->name);
			text_str(text, after);
		}
	}
}

void config_describe(const struct config *config, struct text *text)
{
	put_policy(&config->demands, text);
	if (config->required.count > 0)
		put_names(", required", &config->required, text);
	if (config->is_limited)
		put_names(", nothing but", &config->allowed, text);
	put_word(", on-failure ", on_failures, (int)config->on_failure, ON_FAILURE_CONTINUE, text);
	put_word(", corruption ", corruptions, (int)config->corruption, CORRUPTION_IO_ERROR, text);
	put_word(", kernel-signature ", kernel_signatures, (int)config->kernel_signature,
		 KERNEL_SIGNATURE_AUTO, text);
	put_word(", user-certificates ", answers, config->user_certificates, false, text);
	put_word(", foreign-merge ", foreign_merges, (int)config->foreign_merge,
		 FOREIGN_MERGE_REPLACE, text);
	if (config->classes != CLASSES_ALL) {
		text_str(text, ", classes");
		put_classes(config->classes, " ", "", text);
	}
	put_classes(config->killed, ", " KILL_PREFIX, "=0", text); /* as on the command line */
	put_word(", ", switches, config->off, false, text);
	text_str(text, ", paths");
	for (uint32_t i = 0; i < config->paths; i++) {
		text_char(text, ' ');
		text_str(text, config->path[i]);
	}
}
