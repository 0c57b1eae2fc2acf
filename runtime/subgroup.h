/* SPDX-License-Identifier: Apache-2.0 */
/* `exec --cgroup`: groups beneath a container's own, for one more process of it. */
#ifndef CTR_RUNTIME_SUBGROUP_H
#define CTR_RUNTIME_SUBGROUP_H

#include "base/arena.h"
#include "base/err.h"
#include "base/value.h"
#include "cgroups/cg.h"

#include <stdbool.h>

struct subgroups {
	bool given; /* somebody has chosen: no other will do */
	const char *v2, *v1[CG_CONTROLLERS];
};

/** subgroup_parse() - "PATH", or "CONTROLLER,...:PATH" any number of times for the v1 hierarchies
 * of @layout, each PATH beneath @own, the container's. Pure. Return: 0; -EINVAL; -ENOMEM. */
int subgroup_parse(const struct cg_layout *layout, const char *own, const struct strv *args,
		   struct arena *arena, struct subgroups *ret, struct err *e);

#endif
