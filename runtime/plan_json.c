/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as JSON: what `ctr plan` prints, and what golden tests compare. */
#include "runtime/plan.h"
#include "runtime/hooks.h"

#include "base/own.h"

#include <sys/mount.h>
#include <sys/stat.h>

/* Each function returns a new reference, or NULL on ENOMEM; json_pack takes NULL as failure. */

static json_t *strings(const struct strv *v)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < v->n; i++)
		if (json_array_append_new(array, json_string(v->v[i])) < 0)
			return json_decref(array), NULL;
	return array;
}

static json_t *words(char *const *v)
{
	struct strv list = { .v = (char **)(uintptr_t)v };

	while (v[list.n])
		list.n++;
	return strings(&list);
}

static json_t *namespaces(const struct ns_set *ns)
{
	json_t *object = json_object();

	for (enum ns_kind k = 0; object && k < NS_KINDS; k++) {
		json_t *how = ns->path[k]     ? json_string(ns->path[k])
			      : ns->create[k] ? json_string("new")
					      : json_string("host");

		if (json_object_set_new(object, ns_table[k].oci, how) < 0)
			return json_decref(object), NULL;
	}
	return object;
}

static json_t *id_maps(const struct id_map *maps, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < count; i++)
		if (json_array_append_new(array, json_pack("{s:I,s:I,s:I}", "inside",
							   (json_int_t)maps[i].inside, "outside",
							   (json_int_t)maps[i].outside, "count",
							   (json_int_t)maps[i].count)) < 0)
			return json_decref(array), NULL;
	return array;
}

static json_t *attributes(uint64_t attrs)
{
	static const struct name names[] = {
		{ "ro", MOUNT_ATTR_RDONLY },	   { "nosuid", MOUNT_ATTR_NOSUID },
		{ "nodev", MOUNT_ATTR_NODEV },	   { "noexec", MOUNT_ATTR_NOEXEC },
		{ "noatime", MOUNT_ATTR_NOATIME }, { NULL, 0 },
	};
	json_t *array = json_array();

	for (const struct name *n = names; array && n->name; n++)
		if ((attrs & n->value) && json_array_append_new(array, json_string(n->name)) < 0)
			return json_decref(array), NULL;
	return array;
}

static json_t *mounts(const struct plan *p)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < p->mount_count; i++) {
		const struct mnt *m = &p->mounts[i];
		json_t *one =
			json_pack("{s:s,s:s,s:s?,s:o,s:o,s:b}", "target", m->target, "type",
				  m->opt.bind ? "bind" : m->type, "source", m->source, "attributes",
				  attributes(m->opt.attr_set | m->opt.rec_set), "data",
				  strings(&m->opt.data), "recursive", m->opt.recursive);

		if (json_array_append_new(array, one) < 0)
			return json_decref(array), NULL;
	}
	return array;
}

static json_t *nodes(const struct plan *p)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < p->node_count; i++) {
		const struct dev_node *n = &p->nodes[i];
		json_t *one = json_pack("{s:s,s:s,s:I,s:I,s:I}", "path", n->path, "type",
					n->type == S_IFBLK   ? "b"
					: n->type == S_IFIFO ? "p"
							     : "c",
					"major", (json_int_t)n->major, "minor",
					(json_int_t)n->minor, "mode", (json_int_t)n->mode);

		if (json_array_append_new(array, one) < 0)
			return json_decref(array), NULL;
	}
	return array;
}

static json_t *files(const struct plan *p)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < p->file_count; i++)
		if (json_object_set_new(object, p->files[i].path,
					json_string(p->files[i].content)) < 0)
			return json_decref(object), NULL;
	return object;
}

static json_t *pairs(const struct strmap *map)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < map->n; i++)
		if (json_object_set_new(object, map->v[i].key, json_string(map->v[i].value)) < 0)
			return json_decref(object), NULL;
	return object;
}

static json_t *cap_names(uint64_t mask)
{
	json_t *array = json_array();

	for (int cap = 0; array && cap < 64; cap++) {
		const char *name = caps_name(cap);

		if (name && (mask & (UINT64_C(1) << cap)) &&
		    json_array_append_new(array, json_string(name)) < 0)
			return json_decref(array), NULL;
	}
	return array;
}

static json_t *rlimits(const struct confine *c)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < c->rlimit_count; i++)
		if (json_object_set_new(object, c->rlimits[i].name,
					json_pack("[I,I]", (json_int_t)c->rlimits[i].limit.rlim_cur,
						  (json_int_t)c->rlimits[i].limit.rlim_max)) < 0)
			return json_decref(object), NULL;
	return object;
}

static json_t *process(const struct plan *p)
{
	const struct confine *c = &p->process;

	return json_pack("{s:o,s:o,s:s,s:I,s:I,s:o,s:o,s:b,s:b,s:b,s:o}", "args", words(c->argv),
			 "env", words(c->envp), "cwd", c->cwd, "uid", (json_int_t)c->uid, "gid",
			 (json_int_t)c->gid, "bounding", cap_names(c->caps.bounding), "effective",
			 cap_names(c->caps.effective), "noNewPrivileges", c->no_new_privs,
			 "seccomp", p->seccomp != NULL, "terminal", c->terminal, "rlimits",
			 rlimits(c));
}

static json_t *cgroup(const struct plan *p, const struct cg_layout *layout, struct arena *arena)
{
	struct cg_write *writes = NULL;
	json_t *array = json_array();
	size_t count = 0;

	if (!array || (p->driver != CG_DISABLED &&
		       cg_plan(layout, &p->resources, arena, &writes, &count, NULL) < 0))
		return json_decref(array), NULL;
	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(array,
					  json_pack("{s:s,s:s,s:s}", "hierarchy",
						    writes[i].v2 ? "v2" : "v1", "file",
						    writes[i].file, "value", writes[i].value)) < 0)
			return json_decref(array), NULL;
	return json_pack("{s:s,s:s?,s:s?,s:s?,s:b,s:I,s:o}", "driver",
			 name_of(cg_driver_names, p->driver), "path", p->cgroup_path, "unit",
			 p->unit.name, "slice", p->unit.slice, "delegated", p->delegate,
			 "deviceRules", (json_int_t)p->resources.device_count, "writes", array);
}

static json_t *addresses(const struct net_if *nif)
{
	json_t *array = json_array();
	char buf[64];

	for (size_t i = 0; array && i < nif->addr_count; i++)
		if (json_array_append_new(array, json_string(net_format_addr(&nif->addrs[i], true,
									     buf, sizeof(buf)))) <
		    0)
			return json_decref(array), NULL;
	return array;
}

static json_t *network(const struct plan *p)
{
	json_t *array = json_array();

	for (size_t i = 0; array && p->net && i < p->net->if_count; i++) {
		const struct net_if *n = &p->net->ifs[i];
		json_t *one =
			json_pack("{s:s,s:s,s:s,s:s?,s:o,s:b,s:b,s:b,s:b}", "name", n->name, "mode",
				  n->mode == NET_BRIDGE ? "bridge" : "routed", "hostName",
				  n->host_name, "bridge", n->bridge, "addresses", addresses(n),
				  "nat", n->nat, "reachHost", n->reach_host, "reachPartitions",
				  n->reach_peers, "reachOutside", n->reach_outside);

		if (json_array_append_new(array, one) < 0)
			return json_decref(array), NULL;
	}
	return array;
}

static json_t *net_devices(const struct plan *p)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < p->device_count; i++)
		if (json_object_set_new(object, p->devices[i].name,
					json_string(p->devices[i].inside)) < 0)
			return json_decref(object), NULL;
	return object;
}

static json_t *hook_paths(const struct js_list *list)
{
	const struct spec_hook *v = list->v;
	json_t *array = json_array();

	for (size_t i = 0; array && i < list->n; i++)
		if (json_array_append_new(array, json_string(v[i].path)) < 0)
			return json_decref(array), NULL;
	return array;
}

static json_t *hooks(const struct plan *p)
{
	json_t *object = json_object();

	for (enum hook_point point = 0; object && point < HOOK_POINTS; point++)
		if (hooks_at(p->hooks, point) &&
		    json_object_set_new(object, hook_point_names[point],
					hook_paths(hooks_list(p->hooks, point))) < 0)
			return json_decref(object), NULL;
	return object;
}

json_t *plan_to_json(const struct plan *p, const struct cg_layout *layout, struct arena *arena)
{
	return json_pack(
		"{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b,s:s?,s:o,s:o,s:o,s:o,s:o}",
		"id", p->id, "bundle", p->bundle, "rootfs", p->rootfs, "namespaces",
		namespaces(&p->ns), "uidMaps", id_maps(p->ns.uid_maps, p->ns.uid_map_count),
		"gidMaps", id_maps(p->ns.gid_maps, p->ns.gid_map_count), "mounts", mounts(p),
		"nodes", nodes(p), "files", files(p), "maskedPaths", strings(&p->masked),
		"readonlyPaths", strings(&p->readonly), "sysctl", pairs(&p->sysctl), "rootReadonly",
		p->root_readonly, "hostname", p->hostname, "process", process(p), "cgroup",
		cgroup(p, layout, arena), "network", network(p), "netDevices", net_devices(p),
		"hooks", hooks(p));
}
