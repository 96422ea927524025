/* SPDX-License-Identifier: Apache-2.0 */
/* Which of its classes a run has to merge, for what vext has merged already stays. */
#ifndef VEXT_DUE_H
#define VEXT_DUE_H

#include "merging.h"

/* The run is about the classes `due` only (bits of enum extension_class); the others are besides. */
void due_leave(struct merging *merging, uint32_t due);

/*
 * Leaves the classes that there is something to do for, and tells it of the others: merged already, or by another program
 * (merge.foreign). What is merged partly is taken off, unless what is required would not be merged again. The record is loaded.
 */
enum exit_status due_find(struct merging *merging);

#endif
