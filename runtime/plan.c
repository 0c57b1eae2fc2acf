/* SPDX-License-Identifier: Apache-2.0 */
/* From a checked OCI config to everything that a start will do. */
#include "runtime/plan.h"

#include "base/feat.h"
#include "base/own.h"
#include "base/path.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

static int plan_maps(const struct js_list *from, struct arena *arena, const struct id_map **ret,
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
		if (list[i].path)
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

static bool in_user_namespace(const struct plan *p)
{
	return p->ns.create[NS_USER] || p->ns.path[NS_USER];
}

static struct mnt *add_mount(struct plan *p, struct arena *arena)
{
	struct mnt *m = arena_grow(arena, &p->mounts, &p->mount_count, sizeof(*m));

	if (m)
		m->tree = -EBADF;
	return m;
}

static int plan_mounts(const struct spec *spec, struct arena *arena, struct plan *p, struct err *e)
{
	const struct spec_mount *list = spec->mounts.v;

	for (size_t i = 0; i < spec->mounts.n; i++) {
		struct mnt *m = add_mount(p, arena);
		int r;

		if (!m)
			return -ENOMEM;
		r = mnt_options_parse(&list[i].options, arena, &m->opt);
		if (r < 0)
			return r;
		m->target = list[i].destination;
		m->type = list[i].type;
		m->source = list[i].source;
		if (!m->type || strcmp(m->type, "bind") == 0)
			m->opt.bind = true;
		/* OCI config.md "Mounts": a relative source of a bind is relative to the bundle. */
		if (m->opt.bind && m->source && *m->source != '/')
			m->source = arena_printf(arena, "%s/%s", p->bundle, m->source);
		if (m->opt.bind && !m->source && !list[i].source)
			return err_say(e, -EINVAL, "mounts[%zu].source: a bind needs one", i);
		if (m->opt.bind && !m->source)
			return -ENOMEM;
	}
	return 0;
}

/* The host's id of an id inside: what the parent must write. Unmapped ids stay and show as nobody.
 */
static uint32_t outside(const struct id_map *maps, size_t count, uint32_t id)
{
	for (size_t i = 0; i < count; i++)
		if (id >= maps[i].inside && id - maps[i].inside < maps[i].count)
			return maps[i].outside + (id - maps[i].inside);
	return id;
}

/*
 * In a user namespace mknod(2) is refused for devices. Where /dev is a tmpfs, the parent makes it
 * with its nodes; where it is something of the bundle's own, the host's nodes are bound over it.
 */
static int plan_device(const struct dev_node *node, struct arena *arena, struct plan *p)
{
	struct dev_node *slot;

	if (in_user_namespace(p) && node->type != S_IFIFO &&
	    !(p->dev && strncmp(node->path, "/dev/", 5) == 0)) {
		struct mnt *m = add_mount(p, arena);

		if (!m)
			return -ENOMEM;
		m->source = m->target = node->path;
		m->opt.bind = true;
		m->opt.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
		return 0;
	}
	slot = arena_grow(arena, &p->nodes, &p->node_count, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = *node;
	if (p->dev) {
		slot->uid = outside(p->ns.uid_maps, p->ns.uid_map_count, node->uid);
		slot->gid = outside(p->ns.gid_maps, p->ns.gid_map_count, node->gid);
	}
	return 0;
}

static struct mnt *find_dev(const struct plan *p)
{
	for (size_t i = 0; i < p->mount_count; i++)
		if (strcmp(p->mounts[i].target, "/dev") == 0 && !p->mounts[i].opt.bind &&
		    strcmp(p->mounts[i].type, "tmpfs") == 0)
			return &p->mounts[i];
	return NULL;
}

static mode_t device_type(const char *type)
{
	switch (*type) {
	case 'b':
		return S_IFBLK;
	case 'p':
		return S_IFIFO;
	default:
		return S_IFCHR; /* "c" and "u"; spec_check() refused all others */
	}
}

static bool is_listed(const struct spec *spec, const char *path)
{
	const struct spec_device *list = spec->linux_.devices.v;

	for (size_t i = 0; i < spec->linux_.devices.n; i++)
		if (strcmp(list[i].path, path) == 0)
			return true;
	return false;
}

static int plan_devices(const struct spec *spec, struct arena *arena, struct plan *p)
{
	const struct spec_device *list = spec->linux_.devices.v;
	int r;

	if (p->ns.create[NS_USER])
		p->dev = find_dev(p);
	for (size_t i = 0; i < dev_default_count; i++) {
		if (is_listed(spec, dev_defaults[i].path))
			continue; /* the config says how */
		r = plan_device(&dev_defaults[i], arena, p);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < spec->linux_.devices.n; i++) {
		struct dev_node node = {
			.path = list[i].path,
			.type = device_type(list[i].type),
			.major = (uint32_t)list[i].major,
			.minor = (uint32_t)list[i].minor,
			.mode = list[i].file_mode.set ? (mode_t)list[i].file_mode.v & 07777 : 0666,
			.uid = (uid_t)list[i].uid.v,
			.gid = (gid_t)list[i].gid.v,
		};

		r = plan_device(&node, arena, p);
		if (r < 0)
			return r;
	}
	if (p->dev)
		p->dev = find_dev(p); /* the array may have moved as binds were added */
	return 0;
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

static const struct name propagations[] = {
	{ "shared", MS_SHARED },
	{ "rshared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "rslave", MS_SLAVE },
	{ "private", MS_PRIVATE },
	{ "rprivate", MS_PRIVATE },
	{ "unbindable", MS_UNBINDABLE },
	{ "runbindable", MS_UNBINDABLE },
	{ NULL, 0 },
};

static int plan_root(const struct spec *spec, struct arena *arena, struct plan *p, struct err *e)
{
	const char *propagation = spec->linux_.rootfs_propagation;

	p->root_readonly = spec->root->readonly;
	p->rootfs = spec->root->path[0] == '/'
			    ? spec->root->path
			    : arena_printf(arena, "%s/%s", p->bundle, spec->root->path);
	if (!p->rootfs)
		return -ENOMEM;
	if (propagation && *propagation &&
	    name_value(propagations, propagation, &p->root_propagation) < 0)
		return err_say(e, -EINVAL, "linux.rootfsPropagation: unknown value '%s'",
			       propagation);
	return 0;
}

/* Our own bounding set ends what we can give, but for a new user namespace, which starts with full
 * sets: user_namespaces(7). What is asked for and cannot be had is told, not dropped. */
static int check_caps(const struct plan *p, struct err *e)
{
	const struct caps *c = &p->process.caps;
	uint64_t wanted = c->bounding | c->effective | c->permitted | c->inheritable | c->ambient;
	uint64_t missing = in_user_namespace(p) ? 0 : wanted & ~caps_available();

	if (!missing)
		return 0;
	err_say(e, -EPERM, "process.capabilities: %s is asked for, and this process cannot give it",
		caps_name(__builtin_ctzll(missing)));
	err_hint(e, "the host took it from us; leave it out of the config");
	return -EPERM;
}

static const char *cgroup_path(const struct spec *spec, const char *id, struct arena *arena)
{
	const char *path = spec->linux_.cgroups_path;

	if (!path || !*path)
		return arena_printf(arena, "/ctr/%s", id);
	return *path == '/' ? path : arena_printf(arena, "/%s", path);
}

int plan_build(const char *id, const char *bundle, const struct spec *spec,
	       const struct cg_resources *resources, const struct net_config *net,
	       struct arena *arena, struct plan *ret, struct err *e)
{
	struct plan p = { .id = id, .bundle = bundle, .partition = resources != NULL, .net = net };
	int r;

	r = plan_root(spec, arena, &p, e);
	if (r == 0)
		r = plan_namespaces(spec, arena, &p);
	if (r == 0)
		r = plan_mounts(spec, arena, &p, e);
	if (r == 0)
		r = plan_devices(spec, arena, &p);
	if (r == 0)
		r = plan_sysctl(spec, arena, &p);
	if (r == 0)
		r = confine_plan(spec->process, arena, &p.process, e);
	/* The kernel makes ambient only what is permitted and inheritable: capabilities(7). Engines
	 * ask for more, and mean what the kernel gives. */
	p.process.caps.ambient &= p.process.caps.permitted & p.process.caps.inheritable;
	if (r == 0)
		r = check_caps(&p, e);
	if (r < 0)
		return r;
	p.masked = spec->linux_.masked_paths;
	p.readonly = spec->linux_.readonly_paths;
	p.seccomp = spec->linux_.seccomp;
	p.hostname = spec->hostname;
	p.domainname = spec->domainname;
	p.private_net = p.ns.create[NS_NET];
	p.cgroup_path = cgroup_path(spec, id, arena);
	if (!p.cgroup_path)
		return -ENOMEM;
	if (resources) {
		p.resources = *resources;
		p.delegate = in_user_namespace(&p) && p.ns.create[NS_CGROUP];
	} else {
		r = spec_to_cgroup(&spec->linux_.resources, arena, &p.resources, e);
		if (r < 0)
			return r;
	}
	*ret = p;
	return 0;
}
