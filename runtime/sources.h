/* SPDX-License-Identifier: Apache-2.0 */
/* What the host lends to a container, opened before there is a process to show it to. */
#ifndef CTR_RUNTIME_SOURCES_H
#define CTR_RUNTIME_SOURCES_H

#include "base/err.h"
#include "runtime/plan.h"

/** sources_open() - detached clones of the root and of every bind, id-mapped where they have
 * mappings of their own, and the tmpfs with the device nodes. Fills the mounts of @plan.
 * @ret_root: NULL when the root is an overlay, which is made later. Return: 0 or -errno. */
int sources_open(struct plan *plan, int *ret_root, struct err *e);

#endif
