/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sources of configuration and a kernel command line, with NULs between them, put together as at boot. Asserted:
 * each source after the first can only tighten; one that is malformed lets nothing through.
 */
#include "core/config.h"
#include "fuzz.h"

#define SOURCES 3u

static const char *const names[] = { "docker", "containerd-flatcar", "a", "x" };

typedef struct verdict parser(const char *, size_t, struct config *, struct config_notes *);

static parser *const parsers[SOURCES] = { config_parse_baked, config_parse,
					  config_parse_command_line };

static bool parse(const uint8_t *bytes, size_t size, parser *read, struct config *asked,
		  enum reason *why)
{
	struct config_notes notes;
	char *copy = (char *)fuzz_copy(bytes, size);
	struct verdict v;

	memset(asked, 0x5a, sizeof(*asked));
	v = read(copy, size, asked, &notes);
	for (size_t i = 0; i < notes.unknown && i < CONFIG_UNKNOWN_MAX; i++)
		holds(notes.unknown_keys[i].bytes >= copy &&
		      notes.unknown_keys[i].bytes + notes.unknown_keys[i].size <= copy + size);
	free(copy);
	if (is_accepted(v))
		return true;
	*why = v.reason;
	holds(fuzz_group(v) == 6 && (v.at == VERDICT_NOWHERE || v.at <= size));
	return false;
}

static bool is_path_of(const char *path, const struct config *config)
{
	for (uint32_t i = 0; i < config->paths; i++)
		if (strcmp(config->path[i], path) == 0)
			return true;
	return false;
}

static bool merges_nothing(const struct config *config)
{
	return config->off || !is_accepted(config->denied);
}

static bool is_allowed(const struct config *config, enum extension_class class, const char *name)
{
	const struct verdict v = config_check(config, class, name);

	holds(is_accepted(v) || fuzz_group(v) == 6);
	return is_accepted(v);
}

static void check_denied(const struct config *config)
{
	holds(!is_accepted(config->denied));
	for (size_t i = 0; i < DESIGNATORS; i++)
		holds(config->demands.flags[i] == 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		holds(config_check(config, CLASS_UNKNOWN, names[i]).reason ==
		      config->denied.reason);
}

static void check_sound(const struct config *config)
{
	holds(config->paths <= CONFIG_PATHS_MAX && config->required.count <= CONFIG_NAMES_MAX);
	holds(config->allowed.count <= CONFIG_NAMES_MAX);
	holds(config->classes != 0 && (config->classes & ~CLASSES_ALL) == 0);
	holds((config->killed & ~config->classes) == 0);
	for (uint32_t i = 0; i < config->paths; i++)
		holds(config->path[i][0] == '/' && memchr(config->path[i], 0, CONFIG_PATH_MAX));
	for (uint32_t i = 0; i < config->required.count; i++)
		holds(config->required.list[i].class < CLASSES &&
		      memchr(config->required.list[i].name, 0, VEXT_NAME_MAX + 1));
}

static void check_tighter(const struct config *now, const struct config *before)
{
	holds(demands_imply(&now->demands, &before->demands));
	holds(now->on_failure >= before->on_failure && now->corruption >= before->corruption);
	holds(now->foreign_merge >= before->foreign_merge);
	holds(now->classes == before->classes && (before->killed & ~now->killed) == 0);
	holds(!now->user_certificates || before->user_certificates);
	holds(merges_nothing(now) || !merges_nothing(before));
	for (uint32_t i = 0; i < now->paths; i++)
		holds(is_path_of(now->path[i], before));
	for (uint32_t i = 0; i < before->required.count; i++)
		holds(config_requires(now, before->required.list[i].class,
				      before->required.list[i].name));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (enum extension_class class = 0; class <= CLASS_UNKNOWN; class ++)
			holds(!is_allowed(now, class, names[i]) ||
			      is_allowed(before, class, names[i]));
}

static void describe(const struct config *config)
{
	static char line[CONFIG_DESCRIBED_MAX];
	struct text text;

	text_init(&text, line, sizeof(line));
	config_describe(config, &text);
	holds(text_ok(&text) && strlen(line) == text.used && !strchr(line, '\n'));
}

static void add(struct config *config, const uint8_t *bytes, size_t size, size_t source)
{
	static struct config asked, before;
	enum reason reason;
	uint32_t weaker = 0;

	before = *config;
	if (!parse(bytes, size, parsers[source], &asked, &reason)) {
		config_deny_asked(config, reason, &asked);
		check_denied(config);
		check_sound(config);
		holds(config->on_failure >= before.on_failure);
		holds(config->foreign_merge >= before.foreign_merge);
		holds(config->classes == before.classes);
		holds(config->required.count >= before.required.count);
		holds(config->denied.reason == reason || !is_accepted(before.denied));
		return;
	}
	holds(source == 0 || (asked.stated & 1u << CONFIG_CLASSES) == 0);
	if (source == 0 ? !config_set(config, &asked) : !config_tighten(config, &asked, &weaker))
		config_deny(config, REASON_POLICY_CONFIGURATION);
	check_sound(config);
	if (source > 0)
		check_tighter(config, &before);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct config config;
	size_t used = 0;

	config_built_in(&config);
	check_sound(&config);
	for (size_t i = 0; i < SOURCES && used <= size; i++) {
		const uint8_t *nul = used < size ? memchr(bytes + used, 0, size - used) : NULL;
		const size_t length = nul ? (size_t)(nul - bytes) - used : size - used;

		add(&config, bytes + used, length, i);
		used += length + 1;
	}
	describe(&config);
	return 0;
}
