/* SPDX-License-Identifier: Apache-2.0 */
/* An overlay root as a detached mount: template below, the partition's own upper above. */
#ifndef CTR_RUNTIME_STORAGE_OVERLAY_H
#define CTR_RUNTIME_STORAGE_OVERLAY_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct overlay {
	int lower;	  /* O_PATH descriptor of the template's root */
	int partition;	  /* descriptor of the directory with upper/ and work/ */
	int userns;	  /* user namespace to id-map the layers to; -EBADF: no mapping */
	uint32_t id_base; /* its first host id */
	bool readonly;
};

/** overlay_check() - can these layers be used this way? Refuses by name (the file system that
 * lacks id-mapped mounts, ...). Changes nothing. */
int overlay_check(const struct overlay *o, struct err *e);
/** overlay_open() - mount it, detached: the kernel frees it with the last descriptor, so nothing
 * can leak. Return: mount descriptor or -errno. */
int overlay_open(const struct overlay *o, struct err *e);

#endif
