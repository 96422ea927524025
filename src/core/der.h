/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict DER: definite lengths in their shortest form, low tag numbers, nothing left over.
 * Format: ITU-T X.690 (2021), clauses 8 and 10.
 */
#ifndef VEXT_CORE_DER_H
#define VEXT_CORE_DER_H

#include "core/cursor.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT_0 = 0xa0, /* [0], constructed */
	DER_CONTEXT_1 = 0xa1, /* [1], constructed */
};

#define DER_DEPTH_MAX 16u /* constructed values inside each other */

/* One value: its tag, its contents, and the whole of it with tag and length. */
struct der {
	uint8_t tag;
	struct cursor body;
	struct cursor whole;
};

/* The next value, whatever it is. False, and the cursor unmoved, when it is not strict DER. */
bool der_next(struct cursor *c, struct der *value);

/* The next value if it has this tag; false and unmoved otherwise. */
bool der_take(struct cursor *c, uint8_t tag, struct cursor *body);

/* Does the next value have this tag? */
bool der_is_next(struct cursor c, uint8_t tag);

/*
 * Is all of this, down to DER_DEPTH_MAX constructed levels, a sequence of strict values: integers in
 * their shortest form, booleans 00 or ff, NULLs empty? What primitive context tags hold is not known
 * and not looked at.
 */
bool der_is_strict(struct cursor c);

#endif
