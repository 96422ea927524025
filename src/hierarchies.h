/* SPDX-License-Identifier: Apache-2.0 */
/* What is merged now, hierarchy by hierarchy: for status and list. */
#ifndef VEXT_HIERARCHIES_H
#define VEXT_HIERARCHIES_H

#include "json.h"
#include "own.h"
#include "report.h"
#include "sys/merged.h"

struct hierarchies {
	struct merged merged[HIERARCHIES];
	bool is_gone
		[HIERARCHIES]; /* vext has merged there, by its record, and nobody has unmerged it by vext; it is not there now */
};

/*
 * Looks at all of them; EXIT_SYSTEM, and told, if one can't be read. `record` as own_of() has
 * it. hierarchies_free() is due in any case.
 */
enum exit_status hierarchies_read(int root_fd, const struct merges *record,
				  struct hierarchies *hierarchies);
void hierarchies_free(struct hierarchies *hierarchies);

/* Is an extension of this class and name among them? */
bool hierarchies_have(const struct hierarchies *hierarchies, const char *class, const char *name);

/* Is a part of what vext has merged gone? That is told, with what to do; EXIT_SYSTEM then. */
enum exit_status hierarchies_check(const struct hierarchies *hierarchies);

void hierarchies_print(const struct hierarchies *hierarchies);

/* "hierarchies": [{hierarchy, class, merged, by, since, extensions}…], "partlyMerged" */
void hierarchies_json(const struct hierarchies *hierarchies, struct json *json);

#endif
