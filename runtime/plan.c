/* SPDX-License-Identifier: Apache-2.0 */
/* From a checked OCI config to everything that a start will do. */
#include "runtime/plan.h"

#include "base/feat.h"
#include "base/own.h"
#include "base/path.h"
#include "runtime/hooks.h"
#include "runtime/plan_internal.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

int plan_maps(const struct js_list *from, struct arena *arena, const struct id_map **ret,
	      size_t *ret_count)
{
	const struct spec_id_map *maps = from->v;
	struct id_map *to = arena_alloc(arena, from->n * sizeof(*to) + 1);

	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < from->n; i++)
		to[i] = (struct id_map){ .inside = maps[i].container_id,
					 .outside = maps[i].host_id,
					 .count = maps[i].size };
	*ret = to;
	*ret_count = from->n;
	return 0;
}

static void plan_offset(const struct spec_time_offset *from, struct time_offset *to)
{
	if (from)
		*to = (struct time_offset){ .secs = from->secs,
					    .nanosecs = from->nanosecs,
					    .set = true };
}

static int plan_namespaces(const struct spec *spec, struct arena *arena, struct plan *p)
{
	const struct spec_namespace *list = spec->linux_.namespaces.v;
	int r;

	for (size_t i = 0; i < spec->linux_.namespaces.n; i++) {
		if (list[i].path && *list[i].path)
			p->ns.path[list[i].kind] = list[i].path;
		else
			p->ns.create[list[i].kind] = true;
	}
	plan_offset(spec->linux_.time_offsets.monotonic, &p->ns.monotonic);
	plan_offset(spec->linux_.time_offsets.boottime, &p->ns.boottime);
	r = plan_maps(&spec->linux_.uid_mappings, arena, &p->ns.uid_maps, &p->ns.uid_map_count);
	if (r < 0)
		return r;
	return plan_maps(&spec->linux_.gid_mappings, arena, &p->ns.gid_maps, &p->ns.gid_map_count);
}

bool plan_in_user_namespace(const struct plan *p)
{
	return p->ns.create[NS_USER] || p->ns.path[NS_USER];
}

/*
 * Whose rights are used. Root does everything from outside, where it may open any source and make
 * any node. Who has no right over the mount namespace that we are in leaves both to the child, and
 * who has none at all needs a user namespace to have some in.
 */
static int plan_rights(struct plan *p, struct err *e)
{
	p->unprivileged = !feat_has_cap(CAP_SYS_ADMIN);
	p->open_inside = !feat_owns_mounts();
	p->ns.usher = ns_needs_usher() || p->ns.path[NS_USER];
	if (!p->open_inside ||
	    ((!p->unprivileged || plan_in_user_namespace(p)) && !plan_shares_mounts(p)))
		return 0;
	(void)err_say(e, -EPERM, "linux.namespaces: a rootless container requires a %s namespace",
		      plan_shares_mounts(p) ? "mount" : "user");
	err_hint(e, "run as root, or see 'ctr spec --rootless'");
	return -EPERM;
}

static void swap_separators(char *key)
{
	for (; (key += strcspn(key, "./")), *key; key++)
		*key = *key == '.' ? '/' : '.';
}

/* "net.ipv4.ip_forward" is net/ipv4/ip_forward; after a "/" the dots are part of names, as
 * sysctl(8) reads "net/ipv4/conf/eth0.1/forwarding". */
static int plan_sysctl(const struct spec *spec, struct arena *arena, struct plan *p)
{
	for (size_t i = 0; i < spec->linux_.sysctl.n; i++) {
		const struct strpair *from = &spec->linux_.sysctl.v[i];
		struct strpair *to = arena_grow(arena, &p->sysctl.v, &p->sysctl.n, sizeof(*to));

		if (!to)
			return -ENOMEM;
		to->key = arena_strdup(arena, from->key);
		to->value = from->value;
		if (!to->key)
			return -ENOMEM;
		if (strcspn(to->key, ".") < strcspn(to->key, "/"))
			swap_separators(to->key);
	}
	return 0;
}

static int plan_root(const struct spec *spec, struct arena *arena, struct plan *p)
{
	p->root_readonly = spec->root->readonly;
	p->rootfs = spec->root->path[0] == '/'
			    ? spec->root->path
			    : arena_printf(arena, "%s/%s", p->bundle, spec->root->path);
	return p->rootfs ? 0 : -ENOMEM;
}

/* The path is below the root of the hierarchies, with or without a "/" before it. */
static int plan_cgroup(const struct spec *spec, struct arena *arena, struct plan *p, struct err *e)
{
	const char *path = spec->linux_.cgroups_path;
	int r;

	switch (p->driver) {
	case CG_DISABLED:
		return 0;
	case CG_SYSTEMD:
	case CG_SYSTEMD_USER:
		r = sd_unit_parse(path, p->id, p->driver, arena, &p->unit, e);
		return r < 0 ? r : sd_annotations(&spec->annotations, arena, &p->unit, e);
	case CG_CGROUPFS:
		break;
	}
	if (!path || !*path)
		p->cgroup_path = arena_printf(arena, "/ctr/%s", p->id);
	else
		p->cgroup_path = *path == '/' ? path : arena_printf(arena, "/%s", path);
	return p->cgroup_path ? 0 : -ENOMEM;
}

static int plan_net_devices(const struct spec *spec, struct arena *arena, struct plan *p)
{
	const char *name;
	json_t *value;

	json_object_foreach(spec->linux_.net_devices, name, value) {
		const char *inside = json_string_value(json_object_get(value, "name"));
		struct net_device *slot =
			arena_grow(arena, &p->devices, &p->device_count, sizeof(*slot));

		if (!slot)
			return -ENOMEM;
		slot->name = name;
		slot->inside = inside && *inside ? inside : name;
	}
	return 0;
}

bool plan_stops_for_hooks(const struct plan *plan)
{
	return hooks_at(plan->hooks, HOOK_PRESTART) || hooks_at(plan->hooks, HOOK_CREATE_RUNTIME) ||
	       hooks_at(plan->hooks, HOOK_CREATE_CONTAINER);
}

bool plan_shares_mounts(const struct plan *plan)
{
	return !plan->ns.create[NS_MOUNT] && !plan->ns.path[NS_MOUNT];
}

static int check_groups(const struct plan *p, struct err *e)
{
	if (!p->process.group_count || !ns_denies_groups(&p->ns))
		return 0;
	(void)err_say(e, -EPERM,
		      "process.user.additionalGids: cannot set any additional groups in a "
		      "user namespace that maps one's own group alone");
	err_hint(e, "map those of /etc/subgid too");
	return -EPERM;
}

int plan_build(const char *id, const char *bundle, enum cg_driver driver, const struct spec *spec,
	       const struct cg_resources *resources, const struct net_config *net,
	       struct arena *arena, struct plan *ret, struct err *e)
{
	struct plan p = { .id = id,
			  .bundle = bundle,
			  .partition = resources != NULL,
			  .driver = driver,
			  .net = net };
	int r;

	r = plan_root(spec, arena, &p);
	if (r == 0)
		r = plan_namespaces(spec, arena, &p);
	if (r == 0)
		r = plan_rights(&p, e);
	if (r == 0)
		r = plan_mounts(spec, arena, &p, e);
	if (r == 0)
		r = plan_devices(spec, arena, &p);
	if (r == 0)
		r = plan_net_devices(spec, arena, &p);
	if (r == 0 && p.unprivileged && p.device_count)
		r = err_say(e, -EPERM, "linux.netDevices: needs root");
	if (r == 0)
		r = plan_sysctl(spec, arena, &p);
	if (r == 0)
		r = confine_plan(spec->process, spec, arena, &p.process, e);
	if (r == 0)
		r = check_groups(&p, e);
	if (r < 0)
		return r;
	p.ns.keep_groups = p.process.keep_groups;
	p.masked = spec->linux_.masked_paths;
	p.readonly = spec->linux_.readonly_paths;
	p.seccomp = spec->linux_.seccomp;
	p.hooks = &spec->hooks;
	p.hostname = spec->hostname;
	p.domainname = spec->domainname;
	p.private_net = p.ns.create[NS_NET];
	r = plan_cgroup(spec, arena, &p, e);
	if (r < 0)
		return r;
	if (resources) {
		p.resources = *resources;
		p.delegate = plan_in_user_namespace(&p) && p.ns.create[NS_CGROUP];
	} else {
		r = spec_to_cgroup(&spec->linux_.resources, arena, &p.resources, e);
		if (r < 0)
			return r;
		/* Nor may we attach the program that would hold a container to its device rules. It
		 * can make no nodes, and those that it is lent are guarded by their modes. */
		if (p.unprivileged || !feat_is_initial_userns())
			p.resources.device_count = 0;
	}
	/* A start that would be killed says so by a sentence instead. */
	p.resources.memory_spares_used = true;
	*ret = p;
	return 0;
}
