/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that make a plan share with each other. */
#ifndef CTR_RUNTIME_PLAN_INTERNAL_H
#define CTR_RUNTIME_PLAN_INTERNAL_H

#include "runtime/plan.h"

/** plan_in_user_namespace() - a new or a joined one? */
bool plan_in_user_namespace(const struct plan *p);
/** plan_maps() - id mappings of a config. Return: 0 or -ENOMEM. */
int plan_maps(const struct js_list *from, struct arena *arena, const struct id_map **ret,
	      size_t *ret_count);

/** plan_mounts() - mounts, labels and propagation; after the root and the namespaces.
 * Return: 0 or -errno with the JSON path. */
int plan_mounts(const struct spec *spec, struct arena *arena, struct plan *p, struct err *e);
/** plan_devices() - the device nodes, and who makes them; after the mounts */
int plan_devices(const struct spec *spec, struct arena *arena, struct plan *p);

#endif
