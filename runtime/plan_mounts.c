/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a plan that is about mounts and devices: OCI config.md "Mounts", config-linux.md
 * "Devices", "Rootfs Mount Propagation", "Mount Label". */
#include "runtime/plan_internal.h"

#include "base/feat.h"
#include "base/own.h"
#include "namespaces/mount/idmap.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

static const struct name propagations[] = {
	{ "shared", MS_SHARED },
	{ "rshared", MS_SHARED | MS_REC },
	{ "slave", MS_SLAVE },
	{ "rslave", MS_SLAVE | MS_REC },
	{ "private", MS_PRIVATE },
	{ "rprivate", MS_PRIVATE | MS_REC },
	{ "unbindable", MS_UNBINDABLE },
	{ "runbindable", MS_UNBINDABLE | MS_REC },
	{ NULL, 0 },
};

/*
 * What the host mounts later shows in a container's volumes, and nothing the other way round,
 * unless the config says otherwise. Partitions are on their own.
 */
static int plan_propagation(const struct spec *spec, struct plan *p, struct err *e)
{
	const char *word = spec->linux_.rootfs_propagation;

	p->inherited = p->partition ? MS_PRIVATE | MS_REC : MS_SLAVE | MS_REC;
	if (!word || !*word)
		return 0;
	if (name_value(propagations, word, &p->root_propagation) < 0)
		return err_say(e, -EINVAL, "linux.rootfsPropagation: unknown value '%s'", word);
	if (p->root_propagation & MS_SHARED)
		p->inherited = 0; /* as it is on the host, and back to it */
	if (p->root_propagation & (MS_PRIVATE | MS_UNBINDABLE))
		p->inherited = MS_PRIVATE | MS_REC;
	if (p->root_propagation & MS_PRIVATE)
		p->root_propagation = 0; /* which it is anyway */
	return 0;
}

/* "context=LABEL": of the kind that an annotation asks for, as crun(1) has it. */
static int plan_label(const struct spec *spec, struct arena *arena, struct plan *p, struct err *e)
{
	static const char *const kinds[] = { "context", "fscontext", "defcontext", "rootcontext" };
	static const char key[] = "run.oci.mount_context_type";
	const char *kind = kinds[0], *label = spec->linux_.mount_label;
	size_t i = 0;

	if (!label || !*label)
		return 0;
	for (size_t a = 0; a < spec->annotations.n; a++)
		if (strcmp(spec->annotations.v[a].key, key) == 0)
			kind = spec->annotations.v[a].value;
	while (i < ARRAY_SIZE(kinds) && strcmp(kinds[i], kind) != 0)
		i++;
	if (i == ARRAY_SIZE(kinds))
		return err_say(e, -EINVAL, "annotations.%s: unknown value '%s'", key, kind);
	p->mount_label = arena_printf(arena, "%s=%s", kind, label);
	return p->mount_label ? 0 : -ENOMEM;
}

static struct mnt *add_mount(struct plan *p, struct arena *arena)
{
	struct mnt *m = arena_grow(arena, &p->mounts, &p->mount_count, sizeof(*m));

	if (m) {
		m->tree = m->userns = -EBADF;
		m->locked = plan_in_user_namespace(p);
		m->inherited = p->inherited;
	}
	return m;
}

/* @path as seen from the bundle's root, if it names something in it by its path on the host. */
static const char *inside(const struct plan *p, const char *path)
{
	size_t len = strlen(p->rootfs);

	while (len && p->rootfs[len - 1] == '/')
		len--;
	if (p->partition || !len || strncmp(path, p->rootfs, len) != 0 || path[len] != '/')
		return NULL;
	return path + len;
}

/* Absolute, with single slashes and none at the end; ".." is for the look-up to resolve. A path of
 * the host into the root is one of the container: engines of old gave such. */
static char *clean(const struct plan *p, const char *path, struct arena *arena)
{
	const char *in = inside(p, path);
	char *to, *out;

	path = in ? in : path;
	to = out = arena_alloc(arena, strlen(path) + 2);
	while (out && *path) {
		size_t len = strcspn(path, "/");

		if (len && !(len == 1 && *path == '.')) {
			*out++ = '/';
			memcpy(out, path, len);
			out += len;
		}
		path += len + (path[len] == '/');
	}
	if (out == to && out)
		*out = '/';
	return to;
}

static int plan_bind(struct mnt *m, size_t i, struct arena *arena, struct plan *p, struct err *e)
{
	if (m->opt.data.n)
		return err_say(e, -EINVAL, "mounts[%zu].options: '%s' is not an option of a bind",
			       i, m->opt.data.v[0]);
	if (m->opt.tmpcopyup)
		return err_say(e, -EINVAL, "mounts[%zu].options: tmpcopyup needs a tmpfs", i);
	if (m->opt.remount)
		return 0;
	if (!m->source || !*m->source)
		return err_say(e, -EINVAL, "mounts[%zu].source: a bind needs one", i);
	/* OCI config.md "Mounts": a relative source of a bind is relative to the bundle. */
	if (*m->source != '/')
		m->source = arena_printf(arena, "%s/%s", p->bundle, m->source);
	if (!m->source)
		return -ENOMEM;
	m->inside = inside(p, m->source);
	return 0;
}

static int plan_file_system(struct mnt *m, size_t i, const struct plan *p, struct err *e)
{
	/* clang-format off */
	static const struct {
		const char *type, *host;
		enum ns_kind shows; /* a new one cannot be shown by the host's */
	} fallbacks[] = {
		{ "proc",   "/proc",	   NS_PID },
		{ "sysfs",  "/sys",	   NS_KINDS },
		{ "mqueue", "/dev/mqueue", NS_IPC },
	};
	/* clang-format on */

	if (m->opt.idmap)
		return err_say(e, -EINVAL, "mounts[%zu]: id mappings need a bind", i);
	if (m->opt.tmpcopyup && strcmp(m->type, "tmpfs") != 0)
		return err_say(e, -EINVAL, "mounts[%zu].options: tmpcopyup needs a tmpfs", i);
	m->label = p->mount_label;
	m->own_cgroup = p->ns.create[NS_CGROUP] || p->ns.path[NS_CGROUP];
	for (size_t k = 0; k < ARRAY_SIZE(fallbacks); k++)
		if (strcmp(fallbacks[k].type, m->type) == 0 &&
		    (fallbacks[k].shows == NS_KINDS || !p->ns.create[fallbacks[k].shows]))
			m->fallback = fallbacks[k].host;
	return 0;
}

/*
 * Whose ids a bind shows: its own mappings, in the config or in the option; or with the option
 * alone those of the container's user namespace.
 */
static int plan_idmap(const struct spec_mount *from, struct mnt *m, size_t i, struct arena *arena,
		      const struct plan *p, struct err *e)
{
	const struct id_maps uids = { p->ns.uid_maps, p->ns.uid_map_count };
	const struct id_maps gids = { p->ns.gid_maps, p->ns.gid_map_count };
	struct id_maps own_uids = { 0 }, own_gids = { 0 };
	int r = plan_maps(&from->uid_mappings, arena, &own_uids.v, &own_uids.n);

	if (r == 0)
		r = plan_maps(&from->gid_mappings, arena, &own_gids.v, &own_gids.n);
	if (r < 0)
		return r;
	if (!own_uids.n != !own_gids.n)
		return err_say(e, -EINVAL, "mounts[%zu].%s: is missing beside the other", i,
			       own_uids.n ? "gidMappings" : "uidMappings");
	if (!own_uids.n && m->opt.idmap_maps) {
		r = mnt_idmap_parse(m->opt.idmap_maps, &uids, &gids, arena, &own_uids, &own_gids,
				    e);
		if (r < 0)
			return err_wrap(e, r, "mounts[%zu].options", i);
	}
	m->opt.idmap |= own_uids.n > 0;
	m->uid_maps = own_uids.v;
	m->uid_map_count = own_uids.n;
	m->gid_maps = own_gids.v;
	m->gid_map_count = own_gids.n;
	if (m->opt.idmap && p->open_inside)
		return err_say(e, -EPERM, "mounts[%zu]: id-mapped mounts need root's rights", i);
	if (m->opt.idmap && !own_uids.n && !plan_in_user_namespace(p))
		return err_say(e, -EINVAL,
			       "mounts[%zu].options: idmap needs mappings or a user namespace", i);
	return 0;
}

static int plan_mount(const struct spec_mount *from, size_t i, struct arena *arena, struct plan *p,
		      struct err *e)
{
	struct mnt *m = add_mount(p, arena);
	int r;

	if (!m)
		return -ENOMEM;
	r = mnt_options_parse(&from->options, arena, &m->opt);
	if (r < 0)
		return r;
	m->target = clean(p, from->destination, arena);
	if (!m->target)
		return -ENOMEM;
	m->type = from->type;
	m->source = from->source;
	if (!m->type || strcmp(m->type, "bind") == 0)
		m->opt.bind = true;
	r = plan_idmap(from, m, i, arena, p, e);
	if (r == 0)
		r = m->opt.bind ? plan_bind(m, i, arena, p, e) : plan_file_system(m, i, p, e);
	if (m->opt.bind && !m->opt.remount && strcmp(m->target, "/dev") == 0)
		p->keep_dev = true;
	return r;
}

int plan_mounts(const struct spec *spec, struct arena *arena, struct plan *p, struct err *e)
{
	const struct spec_mount *list = spec->mounts.v;
	int r = plan_propagation(spec, p, e);

	if (r == 0)
		r = plan_label(spec, arena, p, e);
	for (size_t i = 0; r == 0 && i < spec->mounts.n; i++)
		r = plan_mount(&list[i], i, arena, p, e);
	return r;
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

/* mknod(2) of a device wants CAP_MKNOD in the user namespace of the host's boot. */
static bool may_make_nodes(void)
{
	return feat_has_cap(CAP_MKNOD) && feat_is_initial_userns();
}

/*
 * In a user namespace mknod(2) is refused for devices. Where /dev is a tmpfs, the parent makes it
 * with its nodes; where it is something of the bundle's own, the host's nodes are bound over it.
 */
static int plan_device(const struct dev_node *node, struct arena *arena, struct plan *p)
{
	struct dev_node *slot;

	if ((plan_in_user_namespace(p) || !may_make_nodes()) && node->type != S_IFIFO &&
	    !(p->dev && dev_is_on(p->dev, node))) {
		struct mnt *m = add_mount(p, arena);

		if (!m)
			return -ENOMEM;
		m->source = m->target = node->path;
		m->opt.bind = true;
		m->opt.rec_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
		m->inherited = MS_PRIVATE;
		return 0;
	}
	slot = arena_grow(arena, &p->nodes, &p->node_count, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = *node;
	if (p->dev && dev_is_on(p->dev, node)) {
		slot->uid = outside(p->ns.uid_maps, p->ns.uid_map_count, node->uid);
		slot->gid = outside(p->ns.gid_maps, p->ns.gid_map_count, node->gid);
	}
	return 0;
}

static struct mnt *find_dev(const struct plan *p)
{
	for (size_t i = 0; i < p->mount_count; i++)
		if (strcmp(p->mounts[i].target, "/dev") == 0 && !p->mounts[i].opt.bind &&
		    !p->mounts[i].opt.remount && !p->mounts[i].opt.tmpcopyup &&
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

int plan_devices(const struct spec *spec, struct arena *arena, struct plan *p)
{
	const struct spec_device *list = spec->linux_.devices.v;
	int r;

	if (p->keep_dev)
		return 0;
	if (p->ns.create[NS_USER] && may_make_nodes())
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

		if (strcmp(node.path, "/dev/ptmx") == 0)
			continue; /* always a link to the one of /dev/pts */
		r = plan_device(&node, arena, p);
		if (r < 0)
			return r;
	}
	if (p->dev)
		p->dev = find_dev(p); /* the array may have moved as binds were added */
	return 0;
}
