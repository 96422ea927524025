/* SPDX-License-Identifier: Apache-2.0 */
/* What vext itself has merged on the system's root, and whether this is the vext that did: by the record in /run/vext. */
#ifndef VEXT_OWN_H
#define VEXT_OWN_H

#include "core/merges.h"
#include "vext.h"

struct own {
	struct merges record;
	bool is_there; /* the record was read; otherwise it is a new one, with a token of its own, and not written yet */
};

/* Is this the root of the running system, "/", by whatever path? */
bool own_is_systems(const char *root);

/*
 * Reads the record, or begins one. system.record if there is one that cannot be read or understood, system.random if there are
 * no random bytes. `own` is written in any case; without success its token is nobody's.
 */
struct verdict own_load(struct own *own);

/*
 * For what only looks: the record, or NULL if there is none, or it cannot be read, which is told. Its token is that of all roots; its
 * hierarchies are left out unless the root is the system's, "/".
 */
const struct merges *own_of(const char *root, struct own *own);

/* Makes this vext the one that own_check_same() accepts from now on. */
void own_bind(struct own *own);

/* Writes own->record. system.status. Before a merge, too: so its token is known even if vext is killed right after it. */
struct verdict own_save(const struct own *own);

/*
 * May this vext change what is merged? system.other-vext if the record is bound to one with something else baked in: other
 * anchors, or another policy, would take off what the boot's vext had merged, or merge what it had refused.
 */
struct verdict own_check_same(const struct own *own);

/* The hierarchies of the class on a root. */
enum own_state {
	OWN_NONE = 1, /* nothing of the class is merged */
	OWN_WHOLE, /* by vext: all that the record has; on another root than the system's, anything */
	OWN_PARTLY, /* not all of it is there */
	OWN_OTHERS, /* a hierarchy is merged by somebody else */
};

/* The record's hierarchies are those of the system's root. system.read. `state` is written on success only. */
struct verdict own_state(const struct own *own, bool is_the_systems, int root_fd,
			 enum extension_class class, enum own_state *state);

#endif
