/* SPDX-License-Identifier: Apache-2.0 */
#include "mergeable.h"

#include <fcntl.h>
#include <string.h>

#include "extensions.h"
#include "log.h"
#include "sys/merged.h"

static void note(struct mergeable *mergeable, enum extension_class class,
		 const struct merged *merged)
{
	const struct config_names *required = &mergeable->config->required;

	for (uint32_t i = 0; i < required->count; i++)
		mergeable->is_merged[i] |= required->list[i].class == class &&
					   merged_has(merged, required->list[i].name);
}

void mergeable_note(struct mergeable *mergeable, const struct config *config, int root_fd)
{
	*mergeable = (struct mergeable){ .config = config, .verdict = verdict(REASON_ACCEPTED) };
	for (unsigned i = 0; i < HIERARCHIES && config->required.count > 0; i++) {
		const enum hierarchy hierarchy = (enum hierarchy)i;
		struct merged merged;
		struct verdict v;

		if ((config->classes & 1u << hierarchy_class(hierarchy)) == 0)
			continue;
		v = merged_read(root_fd, hierarchy, NULL, &merged);
		if (!is_accepted(v)) {
			mergeable->verdict = v;
			continue;
		}
		note(mergeable, hierarchy_class(hierarchy), &merged);
		merged_free(&merged);
	}
}

/* By the names of files: nothing is mounted here, so of no image the release file is known. */
static struct verdict verdict_of(const struct extensions *extensions,
				 const struct config_name *name)
{
	for (size_t i = 0; i < extensions->discovery.count; i++)
		if (extensions->discovery.candidates[i].class == name->class &&
		    strcmp(extensions->discovery.candidates[i].name, name->name) == 0 &&
		    !extensions_is_passed_over(extensions, i))
			return extensions->items[i].verdict;
	return verdict(REASON_POLICY_REQUIRED);
}

static enum exit_status check_all(const struct mergeable *mergeable,
				  const struct extensions *extensions)
{
	const struct config_names *required = &mergeable->config->required;
	enum exit_status status = EXIT_GOOD;
	char name[CONFIG_NAME_TEXT_MAX];

	for (uint32_t i = 0; i < required->count; i++) {
		const struct verdict v = verdict_of(extensions, &required->list[i]);

		if (!mergeable->is_merged[i] || is_accepted(v))
			continue;
		config_name_text(&required->list[i], name);
		log_line(
			LOG_LEVEL_ERROR,
			"required %s is merged and would not be merged again: %s: %s; nothing is changed",
			name, reason_name(v.reason), reason_sentence(v.reason));
		status = EXIT_SYSTEM;
	}
	return status;
}

static bool any(const struct mergeable *mergeable)
{
	bool any = false;

	for (uint32_t i = 0; i < mergeable->config->required.count; i++)
		any |= mergeable->is_merged[i];
	return any;
}

enum exit_status mergeable_look(void *ctx, int bare_fd)
{
	const struct mergeable *mergeable = ctx;
	struct extensions extensions;
	enum exit_status status = EXIT_SYSTEM;

	if (!is_accepted(mergeable->verdict))
		return report_worse(EXIT_SYSTEM,
				    report_trouble("what is merged", mergeable->verdict));
	if (!any(mergeable))
		return EXIT_GOOD;
	extensions_init(&extensions);
	extensions.root_fd = fcntl(bare_fd, F_DUPFD_CLOEXEC, 0);
	if (extensions.root_fd >= 0 && extensions_find(&extensions, mergeable->config, 0, &status))
		status = check_all(mergeable, &extensions);
	extensions_close(&extensions);
	return status;
}
