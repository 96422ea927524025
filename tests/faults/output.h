/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is what vext told true and whole? Compared with what the same command tells without a fault: a line, or
 * an image of the JSON, is either the same or the refusal of an image for a reason that a fault is a
 * good reason for. So nothing is ever accepted that is not accepted otherwise, or with other facts.
 */
#ifndef VEXT_FAULTS_OUTPUT_H
#define VEXT_FAULTS_OUTPUT_H

#include "sweep.h"

/* What an output amounts to. */
struct output {
	bool same;	     /* as without the fault, the time that it took aside */
	bool whole;	     /* all images are there; JSON parses */
	bool refused;	     /* for another reason than without the fault */
	bool refused_system; /* … by the system.* group, which is exit status 3 */
};

/*
 * Reasons that a fault may be told as, besides those that the image gets anyway: comma-separated groups
 * with their dot, or whole reasons.
 */
bool output_text(const char *text, const char *usual, const char *reasons, struct output *output,
		 char why[SWEEP_WHY_MAX]);
bool output_json(const char *text, size_t size, const char *usual, size_t usual_size,
		 const char *reasons, struct output *output, char why[SWEEP_WHY_MAX]);

#endif
