/* SPDX-License-Identifier: Apache-2.0 */
/* The two ways to hand layers to the kernel, apart, so that a test can force each. */
#ifndef CTR_RUNTIME_STORAGE_OVERLAY_INTERNAL_H
#define CTR_RUNTIME_STORAGE_OVERLAY_INTERNAL_H

#include "runtime/storage/overlay.h"

enum overlay_how {
	OVERLAY_BY_FD,	 /* layers as descriptors of detached mounts */
	OVERLAY_BY_PATH, /* a child attaches them in a mount namespace of its own */
};

/** overlay_open_by() - overlay_open() one way only. Return: mount descriptor or -errno. */
int overlay_open_by(const struct overlay *o, enum overlay_how how, struct err *e);

#endif
