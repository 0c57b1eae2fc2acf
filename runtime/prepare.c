/* SPDX-License-Identifier: Apache-2.0 */
/* Config, facts of host and store, spec, plan: everything before the first step. */
#include "runtime/prepare.h"

#include "base/feat.h"
#include "base/json.h"
#include "base/own.h"
#include "base/text.h"

#include <string.h>
#include <time.h>

enum { CONFIG_MAX_BYTES = 4 * 1024 * 1024 };

void prepared_done(struct prepared *p)
{
	json_decref(p->doc);
	p->doc = NULL;
}

int prepare_decode(json_t *doc, const char *what, struct arena *arena, struct prepared *ret,
		   struct err *e)
{
	struct js_issues issues = { .arena = arena };
	int r;

	ret->doc = doc;
	r = config_decode(doc, &issues, &ret->config);
	return r == -EINVAL ? js_issues_err(&issues, what, e) : r;
}

int prepare_facts(int store, const char *id, struct arena *arena, struct prepared *p, struct err *e)
{
	struct config_facts *f = &p->facts;
	int r;

	r = template_info(store, p->config.root.template, arena, &p->template, e);
	if (r < 0)
		return r;
	f->default_init = p->template.init;
	f->id_base = ID_RANGE_BASE;
	f->host_cpus = feat_cpus();
	if (id) {
		r = partition_id_base(store, id, &f->id_base, e);
		if (r < 0)
			return r;
	}
	/* A store without a disk below (tmpfs) matters only when an io limit needs one, and then
	 * config_to_cgroup() says so. */
	(void)store_disk(store, &f->disk_major, &f->disk_minor, NULL);
	return config_nodes(&p->config, arena, &f->nodes, e);
}

static int add_file(struct plan *plan, const char *path, const char *content, struct arena *arena)
{
	struct plan_file *f;

	if (!content)
		return -ENOMEM;
	f = arena_grow(arena, &plan->files, &plan->file_count, sizeof(*f));
	if (!f)
		return -ENOMEM;
	*f = (struct plan_file){ path, content };
	return 0;
}

static const char *resolv_conf(const struct config_network *net, struct arena *arena)
{
	own_text struct text t = { 0 };

	for (size_t i = 0; i < net->nameservers.n; i++)
		text_addf(&t, "nameserver %s\n", net->nameservers.v[i]);
	for (size_t i = 0; i < net->search.n; i++)
		text_addf(&t, "%s%s%s", i ? " " : "search ", net->search.v[i],
			  i + 1 == net->search.n ? "\n" : "");
	return text_failed(&t) ? NULL : arena_strdup(arena, text_str(&t));
}

static int plan_files(const struct prepared *p, struct plan *plan, struct arena *arena)
{
	const struct config *c = &p->config;
	const char *name = p->spec.hostname;
	int r = 0;

	if (name) {
		r = add_file(plan, "etc/hostname", arena_printf(arena, "%s\n", name), arena);
		if (r == 0)
			r = add_file(plan, "etc/hosts",
				     arena_printf(arena,
						  "127.0.0.1 localhost\n127.0.1.1 %s\n"
						  "::1 localhost ip6-localhost ip6-loopback\n",
						  name),
				     arena);
	}
	if (r == 0 && (c->network.nameservers.n || c->network.search.n))
		r = add_file(plan, "etc/resolv.conf", resolv_conf(&c->network, arena), arena);
	return r;
}

/* The partition's clocks start at zero with it, so that its uptime is its own. */
static void start_clocks(struct ns_set *ns)
{
	struct timespec mono, boot;

	if (!ns->create[NS_TIME])
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &mono); /* cannot fail with these clocks */
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	ns->monotonic = (struct time_offset){ .secs = -mono.tv_sec, .set = true };
	ns->boottime = (struct time_offset){ .secs = -boot.tv_sec, .set = true };
}

int prepare_plan(const char *store_path, const char *id, struct arena *arena, struct prepared *p,
		 struct err *e)
{
	const char *bundle = arena_printf(arena, "%s/partitions/%s", store_path, id);
	int r;

	if (!bundle)
		return -ENOMEM;
	p->config.name = arena_strdup(arena, id);
	p->facts.rootfs = arena_printf(arena, "%s/rootfs", bundle);
	if (!p->config.name || !p->facts.rootfs)
		return -ENOMEM;
	r = config_to_spec(&p->config, &p->facts, arena, &p->spec, e);
	if (r < 0)
		return r;
	r = spec_check(&p->spec, e);
	if (r == 0)
		r = config_to_cgroup(&p->config, &p->facts, arena, &p->resources, e);
	if (r == 0)
		r = config_to_net(&p->config, id, arena, &p->net, e);
	if (r == 0)
		r = plan_build(id, bundle, CG_CGROUPFS, &p->spec, &p->resources,
			       p->net.if_count ? &p->net : NULL, arena, &p->plan, e);
	if (r == 0)
		r = plan_files(p, &p->plan, arena);
	if (r == 0)
		start_clocks(&p->plan.ns);
	return r;
}

int prepare_partition(int store, const char *store_path, const char *id, struct arena *arena,
		      struct prepared *ret, struct err *e)
{
	own_fd int dir = partition_dir_open(store, id, e);
	const char *what = arena_printf(arena, "config of '%s'", id);
	json_t *doc = NULL;
	int r;

	if (dir < 0)
		return dir;
	if (!what)
		return -ENOMEM;
	r = js_read_file(dir, "config.json", CONFIG_MAX_BYTES, what, &doc, e);
	if (r == 0)
		r = prepare_decode(doc, what, arena, ret, e);
	if (r == 0)
		r = prepare_facts(store, id, arena, ret, e);
	return r < 0 ? r : prepare_plan(store_path, id, arena, ret, e);
}
