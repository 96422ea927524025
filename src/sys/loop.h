/* SPDX-License-Identifier: Apache-2.0 */
/* Read-only loop devices over a part of an image. */
#ifndef VEXT_SYS_LOOP_H
#define VEXT_SYS_LOOP_H

#include "core/table.h"
#include "vext.h"

/* Exists for as long as it is open here or used by another device; then the kernel clears it. */
struct loop {
	int fd; /* -1: none */
	struct table_device device;
};

#define LOOP_NONE ((struct loop){ .fd = -1 })

/*
 * Makes a loop device of exactly `extent` of the open image. Takes another free device, within bounds,
 * when somebody else was faster. kernel.loop, kernel.node, or kernel.loop-size when the device does not
 * come out as asked, e.g. because the image became shorter. `loop` is written on success only.
 */
struct verdict loop_attach(int image_fd, struct extent extent, struct loop *loop);

/* Lets go of the device; with no other user it is gone when this returns. */
void loop_release(struct loop *loop);

#endif
