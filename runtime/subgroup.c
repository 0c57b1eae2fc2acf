/* SPDX-License-Identifier: Apache-2.0 */
/* Words of `exec --cgroup` to the paths of groups. */
#include "runtime/subgroup.h"

#include <errno.h>
#include <string.h>

/* @own with the components of @path below it; none of them may lead upwards. NULL on ENOMEM. */
static const char *beneath(const char *own, const char *path, struct arena *arena)
{
	const char *joined = own;

	for (path += strspn(path, "/"); joined && *path; path += strspn(path, "/")) {
		size_t len = strcspn(path, "/");

		if (len != 1 || *path != '.')
			joined = arena_printf(arena, "%s/%.*s", joined, (int)len, path);
		path += len;
	}
	return joined;
}

static bool leads_up(const char *path)
{
	for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
		size_t len = strcspn(path, "/");

		if (len == 2 && strncmp(path, "..", 2) == 0)
			return true;
		path += len;
	}
	return false;
}

/* The controllers before the colon of @arg. */
static int set_some(const struct cg_layout *layout, const char *arg, const char *path,
		    unsigned int *seen, struct subgroups *ret, struct err *e)
{
	for (const char *name = arg;; name++) {
		size_t len = strcspn(name, ",:");
		int c = cg_v1_controller(layout, name, len);

		if (!len)
			return err_say(e, -EINVAL, "--cgroup '%s': a controller has no name", arg);
		if (c < 0) {
			err_say(e, -EINVAL, "--cgroup '%s': unknown controller '%.*s'", arg,
				(int)len, name);
			err_hint(e, "cgroup v2 has one group for all: give a PATH alone");
			return -EINVAL;
		}
		if (*seen & (1U << c))
			return err_say(e, -EINVAL, "--cgroup '%s': controller '%.*s' comes twice",
				       arg, (int)len, name);
		*seen |= 1U << c;
		ret->v1[c] = path;
		name += len;
		if (*name == ':')
			return 0;
	}
}

int subgroup_parse(const struct cg_layout *layout, const char *own, const struct strv *args,
		   struct arena *arena, struct subgroups *ret, struct err *e)
{
	struct subgroups groups = { .given = args->n > 0, .v2 = own };
	unsigned int seen = 0;

	for (size_t c = 0; c < CG_CONTROLLERS; c++)
		groups.v1[c] = own;
	for (size_t i = 0; i < args->n; i++) {
		const char *arg = args->v[i], *colon = strchr(arg, ':');
		const char *path = colon ? colon + 1 : arg, *joined;
		int r;

		if (leads_up(path))
			return err_say(e, -EINVAL, "--cgroup '%s': bad sub cgroup path", arg);
		if (!colon && args->n > 1)
			return err_say(e, -EINVAL,
				       "--cgroup '%s': of several, each needs a controller", arg);
		joined = beneath(own, path, arena);
		if (!joined)
			return -ENOMEM;
		if (colon) {
			r = set_some(layout, arg, joined, &seen, &groups, e);
			if (r < 0)
				return r;
			continue;
		}
		groups.v2 = joined;
		for (size_t c = 0; c < CG_CONTROLLERS; c++)
			groups.v1[c] = joined;
	}
	*ret = groups;
	return 0;
}
