/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEM: a certificate as text (RFC 7468, 5).
 */
#ifndef VEXT_CORE_PEM_H
#define VEXT_CORE_PEM_H

#include "core/cursor.h"

/*
 * The bytes of the one certificate in a text; what is around it does not matter. False when there
 * is none, when anything else has a BEGIN line too, for two would leave open which one is meant,
 * and when it needs more than `room` bytes.
 */
bool pem_decode(struct cursor text, uint8_t *to, size_t room, size_t *size);

#endif
