/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocations that fail, in a program that is linked with memory.c and -Wl,--wrap=malloc and so on. The
 * two sides share a page, by this descriptor: all processes of a run count in it.
 */
#ifndef VEXT_FAULTS_MEMORY_H
#define VEXT_FAULTS_MEMORY_H

#include <stdint.h>

#define MEMORY_FD 900 /* behind what any process opens by itself */

struct memory {
	_Atomic uint32_t calls; /* allocations so far */
	uint32_t fail;		/* number of the one that fails, from 1; 0: none */
	uint32_t lasting;	/* all after it as well */
};

#endif
