/* SPDX-License-Identifier: Apache-2.0 */
#include "configuration.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/section.h"
#include "log.h"
#include "status.h"

typedef struct verdict parser(const char *, size_t, struct config *, struct config_notes *);

static void tell_unknown(const char *source, const struct config_notes *notes)
{
	char buffer[256];
	struct text text;

	for (uint32_t i = 0; i < notes->unknown && i < CONFIG_UNKNOWN_MAX; i++) {
		text_init(&text, buffer, sizeof(buffer));
		text_escaped(&text, notes->unknown_keys[i].bytes, notes->unknown_keys[i].size);
		log_line(LOG_LEVEL_WARNING, "%s: there is no key '%s'; ignored", source, buffer);
	}
	if (notes->unknown > CONFIG_UNKNOWN_MAX)
		log_line(LOG_LEVEL_WARNING, "%s: %u more unknown keys", source,
			 notes->unknown - CONFIG_UNKNOWN_MAX);
}

static void tell_weaker(const char *source, uint32_t weaker)
{
	for (enum config_key i = 0; i < CONFIG_KEYS; i++)
		if (weaker & 1u << i)
			log_line(
				LOG_LEVEL_WARNING,
				"%s: %s asks for more than is allowed already; it can only take away",
				source, config_key_name(i));
}

static void deny(struct config *config, const char *source, const struct config *asked,
		 const struct config_notes *notes, struct verdict v)
{
	char at[32] = "";

	config_deny_asked(config, REASON_POLICY_CONFIGURATION, asked);
	if (v.at != VERDICT_NOWHERE)
		snprintf(at, sizeof(at), ", at byte %llu", (unsigned long long)v.at);
	log_line(LOG_LEVEL_ERROR, "%s%s: %s%s%s: %s%s%s: nothing is merged", source, at,
		 notes->has_key ? config_key_name(notes->key) : "", notes->has_key ? ": " : "",
		 reason_name(v.reason), reason_sentence(v.reason), v.sys_errno ? ": " : "",
		 v.sys_errno ? strerror(v.sys_errno) : "");
}

/* The first source sets, the others tighten. */
static void apply(struct config *config, const char *source, bool is_first,
		  const struct config *asked, const struct config_notes *notes)
{
	uint32_t weaker = 0;

	tell_unknown(source, notes);
	if (is_first ? !config_set(config, asked) : !config_tighten(config, asked, &weaker))
		deny(config, source, asked, notes, verdict(REASON_CONFIG_LIMIT));
	tell_weaker(source, weaker);
}

static void load(struct config *config, const char *source, bool is_first, parser *parse,
		 const char *bytes, size_t size)
{
	static struct config asked;
	struct config_notes notes;
	struct verdict v = parse(bytes, size, &asked, &notes);

	if (is_accepted(v))
		apply(config, source, is_first, &asked, &notes);
	else
		deny(config, source, &asked, &notes, v);
}

/*
 * Was all of it read? The size tells; files of /proc have none, and the kernel ends its command line with a
 * newline.
 */
static bool is_whole(FILE *file, const char *bytes, size_t size)
{
	struct stat st;

	if (ferror(file) || fstat(fileno(file), &st) != 0)
		return false;
	if (st.st_size > 0)
		return size == (uint64_t)st.st_size || size > CONFIG_SIZE_MAX;
	return size == 0 || bytes[size - 1] == '\n';
}

int configuration_read(const char *path, char bytes[CONFIG_SIZE_MAX + 1], size_t *size)
{
	FILE *file = fopen(path, "re");
	int error = 0;

	if (!file)
		return errno == ENOTDIR ? ENOENT : errno;
	errno = 0;
	*size = fread(bytes, 1, CONFIG_SIZE_MAX + 1, file);
	if (!is_whole(file, bytes, *size))
		error = errno ? errno : EIO;
	fclose(file);
	return error;
}

/* A file that is not there says nothing; one that can't be read might have said anything. */
static void load_file(struct config *config, const char *path, parser *parse)
{
	static char bytes[CONFIG_SIZE_MAX + 1]; /* so that one that is too long is noticed */
	static struct config nothing;		/* not const: 23 KB of the file */
	static const struct config_notes none;
	size_t size = 0;
	int error = configuration_read(path, bytes, &size);

	if (error == ENOENT)
		return;
	if (error)
		deny(config, path, &nothing, &none, verdict_errno(REASON_CONFIG_READ, error));
	else
		load(config, path, false, parse, bytes, size);
}

void configuration_load_baked(struct config *config)
{
	const char *bytes;
	size_t size;
	struct verdict v = section_config(&bytes, &size);

	config_built_in(config);
	if (!is_accepted(v)) /* told where the certificates are loaded, and with every image */
		config_deny(config, v.reason);
	else if (size > 0)
		load(config, "baked configuration", true, config_parse_baked, bytes, size);
}

void configuration_load(struct config *config)
{
	configuration_load_baked(config);
	load_file(config, CONFIGURATION_FILE, config_parse);
	load_file(config, STATUS_CONFIGURATION, config_parse);
	load_file(config, CONFIGURATION_COMMAND_LINE, config_parse_command_line);
}

struct verdict configuration_leave(void)
{
	static char bytes[CONFIG_SIZE_MAX + 1];
	size_t size = 0;
	int error = configuration_read(CONFIGURATION_FILE, bytes, &size);

	if (error == ENOENT)
		return verdict(REASON_ACCEPTED);
	if (error)
		return verdict_errno(REASON_CONFIG_READ, error);
	return status_write(STATUS_CONFIGURATION, bytes, size);
}
