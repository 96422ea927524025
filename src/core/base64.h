/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 in its one form: RFC 4648, 4, with padding, and zeros for the bits that are left over.
 */
#ifndef VEXT_CORE_BASE64_H
#define VEXT_CORE_BASE64_H

#include "core/cursor.h"

/*
 * The bytes that a text says, characters of `ignored` left out, and how many they are. False when
 * it is not base64 in that form or needs more than `room` bytes; then `to` may be written to all
 * the same.
 */
bool base64_decode(struct cursor text, const char *ignored, uint8_t *to, size_t room, size_t *size);

#endif
