/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VEXT_CORE_HEX_H
#define VEXT_CORE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * `length` characters of lowercase hexadecimal, exactly 2 * `size` of them, into `size` bytes. Writes
 * `bytes` only when all of it is good.
 */
bool hex_decode(const char *text, size_t length, uint8_t *bytes, size_t size);

#endif
