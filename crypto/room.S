/* SPDX-License-Identifier: Apache-2.0 */
/* Room for what is baked into the linked binary; section.h has its format. */
#include "crypto/section.h"

#ifdef VEXT_RELEASE
#define FLAGS VEXT_SECTION_RELEASE
#else
#define FLAGS 0
#endif

	.section .vext.baked, "a", %progbits
	.balign	16
	.globl	vext_section
	.type	vext_section, %object
	.size	vext_section, VEXT_SECTION_SIZE
vext_section:
	.ascii	VEXT_SECTION_MAGIC
	.byte	FLAGS, 0, 0, 0
	.zero	VEXT_SECTION_SIZE - VEXT_SECTION_MAGIC_SIZE - 4

	.section .note.GNU-stack, "", %progbits
