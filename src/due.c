/* SPDX-License-Identifier: Apache-2.0 */
#include "due.h"

#include <fcntl.h>
#include <string.h>

#include "log.h"
#include "mergeable.h"
#include "unmerging.h"

/* What was merged partly is merged anew: the devices of what is left would be in the way. */
static enum exit_status take_off_rest(struct merging *merging, enum extension_class class)
{
	static struct mergeable mergeable;
	bool removed[HIERARCHIES];

	log_line(LOG_LEVEL_WARNING,
		 "%s: partly merged; the rest is taken off and all of it merged again",
		 class_traits(class)->name);
	mergeable_note(&mergeable, &merging->config, merging->extensions.root_fd);
	return unmerging_run(merging->extensions.root_fd, hierarchies_of(1u << class),
			     mergeable_look, &mergeable, removed);
}

static enum exit_status prepare_class(struct merging *merging, enum extension_class class,
				      bool *is_due, bool *is_merged)
{
	enum own_state state = OWN_NONE;
	enum exit_status status = EXIT_GOOD;
	struct verdict v = own_state(&merging->own, merging->is_the_systems,
				     merging->extensions.root_fd, class, &state);

	if (is_accepted(v) && state == OWN_OTHERS)
		v = verdict(REASON_MERGE_FOREIGN);
	if (!is_accepted(v))
		return report_trouble(class_traits(class)->name, v);
	if (state == OWN_PARTLY) /* if nothing may be merged, what is left of it stays */
		status = is_accepted(merging->config.denied) ? take_off_rest(merging, class) :
							       EXIT_SYSTEM;
	*is_merged = state == OWN_WHOLE;
	*is_due = !*is_merged && status == EXIT_GOOD;
	return status;
}

/* ---- what is merged already ---------------------------------------------------------------- */

#define NAMES_SIZE 32u /* of all classes, with " and " */

static void tell_merged(uint32_t classes)
{
	char names[NAMES_SIZE];
	struct text text;

	text_init(&text, names, sizeof(names));
	for (unsigned i = 0; i < CLASSES; i++) {
		if ((classes & 1u << i) == 0)
			continue;
		text_str(&text, text.used > 0 ? " and " : "");
		text_str(&text, class_traits((enum extension_class)i)->name);
	}
	log_line(LOG_LEVEL_INFO, "%s: merged already", names);
}

/* Those that the last run has not seen; none if there was no run that is known. */
static void tell_unknown(const struct discovery *discovery, const struct last_run *run)
{
	char path[DISCOVER_PATH_MAX], first[4 * DISCOVER_PATH_MAX], escaped[4 * DISCOVER_PATH_MAX];
	size_t count = 0;

	if (!record_is_systems(&run->record))
		return;
	for (size_t i = 0; i < discovery->count; i++) {
		struct text text;

		candidate_path(&discovery->candidates[i], path);
		text_init(&text, escaped, sizeof(escaped));
		text_escaped(&text, path, strlen(path));
		if (last_run_has_image(run, escaped))
			continue;
		if (count++ == 0)
			memcpy(first, escaped, sizeof(first));
	}
	if (count > 0)
		log_line(LOG_LEVEL_WARNING,
			 "%s is new and not merged (%zu such images); 'vext unmerge' and then "
			 "'vext merge' take it up",
			 first, count);
}

static void tell_news(const struct merging *merging, uint32_t classes)
{
	struct config config = merging->config;
	struct extensions extensions;
	struct last_run run;

	config.classes = classes;
	extensions_init(&extensions);
	extensions.root_fd = fcntl(merging->extensions.root_fd, F_DUPFD_CLOEXEC, 0);
	if (last_run_load(&run) == EXIT_GOOD)
		(void)extensions_list(&extensions, &config);
	tell_unknown(&extensions.discovery, &run);
	last_run_free(&run);
	extensions_close(&extensions);
}

/* ---- the whole ----------------------------------------------------------------------------- */

void due_leave(struct merging *merging, uint32_t due)
{
	merging->besides |= merging->config.classes & ~due;
	merging->config.classes = due;
}

enum exit_status due_find(struct merging *merging)
{
	enum exit_status status = EXIT_GOOD;
	uint32_t due = 0, merged = 0;

	for (unsigned i = 0; i < CLASSES; i++) {
		bool is_due = false, is_merged = false;

		if ((merging->config.classes & 1u << i) == 0)
			continue;
		status = report_worse(status, prepare_class(merging, (enum extension_class)i,
							    &is_due, &is_merged));
		due |= (uint32_t)is_due << i;
		merged |= (uint32_t)is_merged << i;
	}
	if (merged != 0)
		tell_merged(merged);
	if (merged != 0 && merging->is_the_systems && !merging->config.off)
		tell_news(merging, merged);
	due_leave(merging, due);
	return status;
}
