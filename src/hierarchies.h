/* SPDX-License-Identifier: Apache-2.0 */
/* What is merged now, hierarchy by hierarchy: for status and list. */
#ifndef VEXT_HIERARCHIES_H
#define VEXT_HIERARCHIES_H

#include "json.h"
#include "report.h"
#include "sys/merged.h"

struct hierarchies {
	struct merged merged[HIERARCHIES];
};

/* Looks at all of them; EXIT_SYSTEM, and told, if one can't be read. hierarchies_free() is due in any case. */
enum exit_status hierarchies_read(int root_fd, struct hierarchies *hierarchies);
void hierarchies_free(struct hierarchies *hierarchies);

/* Is an extension of this class and name among them? */
bool hierarchies_have(const struct hierarchies *hierarchies, const char *class, const char *name);

void hierarchies_print(const struct hierarchies *hierarchies);

/* "hierarchies": [{hierarchy, class, merged, since, extensions}…] */
void hierarchies_json(const struct hierarchies *hierarchies, struct json *json);

#endif
