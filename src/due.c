/* SPDX-License-Identifier: Apache-2.0 */
#include "due.h"

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
	return unmerging_run(merging->extensions.root_fd, 1u << class, mergeable_look, &mergeable,
			     removed);
}

static enum exit_status prepare_class(struct merging *merging, enum extension_class class,
				      bool *is_due)
{
	enum own_state state = OWN_NONE;
	enum exit_status status = EXIT_GOOD;
	struct verdict v = own_state(&merging->own, merging->is_the_systems,
				     merging->extensions.root_fd, class, &state);

	if (is_accepted(v) && state == OWN_OTHERS)
		v = verdict(REASON_MERGE_FOREIGN);
	if (!is_accepted(v))
		return report_trouble(class_traits(class)->name, v);
	if (state == OWN_WHOLE)
		log_line(LOG_LEVEL_INFO, "%s: merged already", class_traits(class)->name);
	if (state == OWN_PARTLY) /* if nothing may be merged, what is left of it stays */
		status = is_accepted(merging->config.denied) ? take_off_rest(merging, class) :
							       EXIT_SYSTEM;
	*is_due = state != OWN_WHOLE && status == EXIT_GOOD;
	return status;
}

void due_leave(struct merging *merging, uint32_t due)
{
	merging->besides |= merging->config.classes & ~due;
	merging->config.classes = due;
}

enum exit_status due_find(struct merging *merging)
{
	enum exit_status status = EXIT_GOOD;
	uint32_t due = 0;

	for (unsigned i = 0; i < CLASSES; i++) {
		bool is_due = false;

		if ((merging->config.classes & 1u << i) == 0)
			continue;
		status = report_worse(status,
				      prepare_class(merging, (enum extension_class)i, &is_due));
		if (is_due)
			due |= 1u << i;
	}
	due_leave(merging, due);
	return status;
}
