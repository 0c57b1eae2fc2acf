/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions: create, start, change, show. */
#include "runtime/partition.h"

#include "base/feat.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "base/signame.h"
#include "base/text.h"
#include "runtime/create.h"
#include "runtime/halt.h"
#include "runtime/life.h"
#include "runtime/monitor.h"
#include "runtime/prepare.h"
#include "runtime/storage/overlay.h"
#include "runtime/storage/store.h"
#include "runtime/supervise.h"

#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

enum { CONFIG_MAX_BYTES = 4 * 1024 * 1024 };

bool partition_exists(const struct ctr_env *env, const char *id)
{
	own_fd int store = open(env->store, O_PATH | O_DIRECTORY | O_CLOEXEC), dir = -EBADF;

	if (store < 0)
		return false;
	dir = partition_dir_open(store, id, NULL);
	return dir >= 0;
}

static int load_config_file(const char *path, json_t **ret, struct err *e)
{
	char what[256];

	(void)snprintf(what, sizeof(what), "config '%s'", path);
	return js_read_file(AT_FDCWD, path, CONFIG_MAX_BYTES, what, ret, e);
}

/* A value as the command line spells it: JSON where it is JSON, else the string itself. */
static json_t *value_of(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);

	return value ? value : json_string(text);
}

static int set_key(json_t *doc, const char *key, const char *value, struct arena *arena,
		   const struct js_field **ret, struct err *e)
{
	const char *near = NULL;
	const struct js_field *field = js_field_at(&config_type, key, arena, &near);
	own_json json_t *v = NULL;
	int r;

	if (!field) {
		err_say(e, -EINVAL, "unknown key '%s'", key);
		if (near)
			err_hint(e, "did you mean '%s'?", near);
		return -EINVAL;
	}
	v = value_of(value);
	if (!v)
		return err_say(e, -EINVAL, "'%s': the value is neither JSON nor UTF-8 text", key);
	r = js_set_at(doc, key, v);
	if (r < 0)
		return err_set(e, r, "set '%s'", key);
	*ret = field;
	return 0;
}

static int apply_sets(json_t *doc, const struct strv *sets, struct arena *arena, struct err *e)
{
	for (size_t i = 0; i < sets->n; i++) {
		const char *eq = strchr(sets->v[i], '=');
		const struct js_field *field;
		const char *key;
		int r;

		if (!eq)
			return err_say(e, -EINVAL, "'%s': expected KEY=VALUE", sets->v[i]);
		key = arena_strndup(arena, sets->v[i], (size_t)(eq - sets->v[i]));
		if (!key)
			return -ENOMEM;
		r = set_key(doc, key, eq + 1, arena, &field, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int config_document(const struct create_opts *opts, json_t **ret, struct err *e)
{
	int r;

	if (opts->config) {
		r = load_config_file(opts->config, ret, e);
		if (r < 0)
			return r;
	} else {
		*ret = json_pack("{s:i}", "ctrVersion", 1);
		if (!*ret)
			return -ENOMEM;
	}
	if (opts->template) {
		own_json json_t *name = json_string(opts->template);

		r = name ? js_set_at(*ret, "root.template", name) : -ENOMEM;
		if (r < 0)
			return err_set(e, r, "set 'root.template'");
	}
	return 0;
}

/* Addresses without their prefix: what is leased. */
static int addresses_of(const struct net_config *net, struct arena *arena, struct strv *ret)
{
	for (size_t i = 0; i < net->if_count; i++) {
		for (size_t j = 0; j < net->ifs[i].addr_count; j++) {
			char **slot = arena_grow(arena, &ret->v, &ret->n, sizeof(char *));
			char buf[64];

			if (!slot)
				return -ENOMEM;
			*slot = arena_strdup(arena, net_format_addr(&net->ifs[i].addrs[j], false,
								    buf, sizeof(buf)));
			if (!*slot)
				return -ENOMEM;
		}
	}
	return 0;
}

static bool wants_quota(const struct config_disk *disk)
{
	return disk->size.set || disk->inodes.set;
}

static int set_quota(int store, const char *id, const struct config_disk *disk, struct err *e)
{
	return partition_quota_set(store, id, disk->size.set ? disk->size.v : UINT64_MAX,
				   disk->inodes.set ? disk->inodes.v : UINT64_MAX, e);
}

/* What only the directory itself can tell: whether its file system will carry the layers and the
 * quota. A partition that was created can be started. */
static int check_storage(int store, const struct prepared *p, struct err *e)
{
	own_fd int lower = template_open(store, p->config.root.template, e), dir = -EBADF;
	struct overlay o = { .lower = lower, .userns = -EBADF };
	int r;

	if (lower < 0)
		return lower;
	dir = partition_dir_open(store, p->config.name, e);
	if (dir < 0)
		return dir;
	o.partition = dir;
	r = p->config.security.userns ? partition_id_base(store, p->config.name, &o.id_base, e) : 0;
	if (r == 0)
		r = overlay_check(&o, e);
	if (r == 0 && wants_quota(&p->config.disk))
		r = set_quota(store, p->config.name, &p->config.disk, e);
	return r;
}

static int create_locked(struct life *life, int store, struct prepared *p, struct err *e)
{
	struct strv addresses = { 0 };
	int r;

	r = partition_dir_heal(store, life->id, e);
	if (r < 0)
		return r;
	r = prepare_facts(store, NULL, &life->arena, p, e);
	if (r == 0)
		r = prepare_plan(life->env->store, life->id, &life->arena, p, e);
	if (r == 0)
		r = cg_check(life->layout, &p->resources, e);
	if (r == 0)
		r = addresses_of(&p->net, &life->arena, &addresses);
	if (r < 0)
		return r;
	r = partition_dir_create(store, life->id, p->doc, &addresses, p->config.security.userns, e);
	if (r < 0)
		return r;
	r = check_storage(store, p, e);
	if (r < 0)
		(void)partition_dir_remove(store, life->id, NULL); /* r says why */
	return r;
}

/* Id ranges, links and quotas are the host's: a user has none to give. */
static int need_root(struct err *e)
{
	if (geteuid() == 0)
		return 0;
	(void)err_say(e, -EPERM, "a partition needs root");
	err_hint(e, "a user can run OCI bundles: --bundle DIR");
	return -EPERM;
}

int partition_create(const struct ctr_env *env, const char *id, const struct create_opts *opts,
		     struct arena *arena, const char **ret_id, struct err *e)
{
	own_life struct life life = LIFE_EMPTY;
	own_prepared struct prepared p = { 0 };
	own_fd int store = -EBADF;
	own_json json_t *doc = NULL, *name = NULL;
	int r;

	r = need_root(e);
	if (r == 0)
		r = config_document(opts, &doc, e);
	if (r == 0)
		r = apply_sets(doc, &opts->set, arena, e);
	if (r == 0 && id) {
		name = json_string(id);
		r = name ? js_set_at(doc, "name", name) : -EINVAL;
		if (r < 0)
			return state_check_id(id, e) < 0 ? -EINVAL : err_set(e, r, "set 'name'");
	}
	if (r == 0)
		r = prepare_decode(take_ptr(doc), opts->config ? opts->config : "config", arena, &p,
				   e);
	if (r < 0)
		return r;
	if (!p.config.name)
		return err_say(e, -EINVAL,
			       "name: missing: give it in the config or on the command line");
	id = p.config.name;
	r = life_open(env, id, &life, e);
	if (r < 0)
		return r;
	if (life.exists)
		return err_say(e, -EEXIST, "container with given ID already exists: '%s'", id);
	store = store_open(env->store, e);
	if (store < 0)
		return store;
	r = create_locked(&life, store, &p, e);
	if (r < 0)
		return r;
	*ret_id = id;
	return 0;
}

static int save_started(const struct life *life, const struct prepared *p, struct err *e)
{
	own_json json_t *spec = spec_encode(&p->spec);
	int r;

	if (!spec)
		return -ENOMEM;
	r = state_save_json(life->run, life->id, "config.json", spec, e);
	return r < 0 ? r : state_save_json(life->run, life->id, "partition.json", p->doc, e);
}

static int fill_state(struct life *life, const struct plan *plan, uint32_t id_base, struct err *e)
{
	char *boot = arena_alloc(&life->arena, 40);
	int r;

	if (!boot)
		return -ENOMEM;
	r = proc_boot_id(boot, 40);
	if (r < 0)
		return err_set(e, r, "read the boot id");
	life->state = (struct state){
		.version = 1,
		.id = arena_strdup(&life->arena, life->id),
		.partition = true,
		.boot_id = boot,
		.bundle = arena_strdup(&life->arena, plan->bundle),
		.rootfs = arena_strdup(&life->arena, plan->rootfs),
		.cgroup_path = arena_strdup(&life->arena, plan->cgroup_path),
		.network = plan->net != NULL,
		.id_base = plan->ns.create[NS_USER] ? id_base : 0,
		.created_ms = life_now_ms(),
		.started_ms = life_now_ms(),
	};
	return life->state.id && life->state.bundle && life->state.rootfs && life->state.cgroup_path
		       ? 0
		       : -ENOMEM;
}

static int keep_console(struct life *life, int partition, const struct create *c, struct err *e)
{
	own_fd int log = openat(partition, "console.log",
				O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (log < 0)
		return err_set(e, -errno, "open the console log of '%s'", life->id);
	return monitor_add(life->env, life->run, life->id, c->master, c->pidfd, log, e);
}

static int check_start(const struct life *life, const struct prepared *p, const struct overlay *o,
		       struct err *e)
{
	int r = cg_check(life->layout, &p->resources, e);

	if (r == 0 && p->plan.net)
		r = net_check(p->plan.net, e);
	return r < 0 ? r : overlay_check(o, e);
}

int partition_start(struct life *life, struct partition_run *run, struct err *e)
{
	own_fd int store = store_open(life->env->store, e), lower = -EBADF, dir = -EBADF;
	own_prepared struct prepared p = { 0 };
	own_create struct create c = { 0 };
	struct overlay overlay;
	int r;

	create_init(&c);
	if (store < 0)
		return store;
	r = need_root(e);
	if (r == 0)
		r = prepare_partition(store, life->env->store, life->id, &life->arena, &p, e);
	if (r < 0)
		return r;
	lower = template_open(store, p.config.root.template, e);
	dir = partition_dir_open(store, life->id, lower < 0 ? NULL : e);
	if (lower < 0 || dir < 0)
		return lower < 0 ? lower : dir;
	overlay = (struct overlay){ .lower = lower,
				    .partition = dir,
				    .userns = -EBADF,
				    .id_base = p.plan.ns.create[NS_USER] ? p.facts.id_base : 0 };
	p.plan.process.terminal = run ? run->terminal : true;
	r = check_start(life, &p, &overlay, e);
	if (r == 0)
		r = fill_state(life, &p.plan, p.facts.id_base, e);
	/* Again: whoever created the partition may have been killed before. */
	if (r == 0 && wants_quota(&p.config.disk))
		r = set_quota(store, life->id, &p.config.disk, e);
	if (r < 0)
		return r;
	r = save_started(life, &p, e);
	if (r < 0) {
		(void)state_remove(life->run, life->id, NULL); /* r says why */
		return r;
	}
	c.env = life->env;
	c.run = life->run;
	c.layout = life->layout;
	c.plan = &p.plan;
	c.state = &life->state;
	c.overlay = &overlay;
	c.new_keyring = true;
	c.arena = &life->arena;
	r = create_run(&c, e);
	if (r < 0)
		return r;
	if (!run)
		r = keep_console(life, dir, &c, e);
	if (r < 0) {
		(void)create_undo_all(life->env, life->run, life->layout, &life->state,
				      NULL); /* r says why */
		return r;
	}
	if (run)
		supervise_pty(c.master);
	r = create_release(&c, e);
	if (r < 0)
		return r;
	if (run) {
		run->pidfd = take_fd(&c.pidfd);
		run->master = take_fd(&c.master);
	}
	life->exists = true;
	return 0;
}

static int started_config(struct life *life, struct config *ret)
{
	struct js_issues issues = { .arena = &life->arena };
	own_json json_t *doc = NULL;
	int r;

	if (!life->state.partition)
		return -ENOENT;
	r = state_load_json(life->run, life->id, "partition.json", &doc, NULL);
	return r < 0 ? r : config_decode(doc, &issues, ret);
}

int partition_halt_signal(struct life *life)
{
	struct config config = { 0 };

	if (started_config(life, &config) == 0 && config.boot.halt_signal &&
	    strcmp(config.boot.halt_signal, "auto") != 0) {
		int sig = signame_parse(config.boot.halt_signal);

		if (sig > 0)
			return sig;
	}
	return halt_detect((pid_t)life->state.pid);
}

int partition_stop_timeout_ms(struct life *life, int def_ms)
{
	struct config config = { 0 };

	if (started_config(life, &config) < 0 || !config.boot.stop_timeout_ms.set)
		return def_ms;
	return config.boot.stop_timeout_ms.v > INT32_MAX ? INT32_MAX
							 : (int)config.boot.stop_timeout_ms.v;
}

int partition_config(const struct ctr_env *env, const char *id, json_t **ret, struct err *e)
{
	own_fd int store = store_open(env->store, e), dir = -EBADF;
	int r;

	if (store < 0)
		return store;
	r = state_check_id(id, e);
	if (r < 0)
		return r;
	dir = partition_dir_open(store, id, e);
	return dir < 0 ? dir
		       : js_read_file(dir, "config.json", CONFIG_MAX_BYTES, "config.json", ret, e);
}

/* A file is what can be opened as one; everything else is the name of a partition. */
static int prepare_any(const struct ctr_env *env, const char *id_or_file, struct arena *arena,
		       struct prepared *p, struct err *e)
{
	own_fd int store = store_open(env->store, e);
	const char *name;
	json_t *doc = NULL;
	int r;

	if (store < 0)
		return store;
	if (text_is_id(id_or_file) && partition_exists(env, id_or_file))
		return prepare_partition(store, env->store, id_or_file, arena, p, e);
	r = load_config_file(id_or_file, &doc, e);
	if (r == 0)
		r = prepare_decode(doc, id_or_file, arena, p, e);
	if (r == 0)
		r = prepare_facts(store, NULL, arena, p, e);
	if (r < 0)
		return r;
	name = p->config.name ? p->config.name : "unnamed";
	return prepare_plan(env->store, name, arena, p, e);
}

int partition_plan(const struct ctr_env *env, const char *id_or_file, json_t **ret, struct err *e)
{
	own_arena struct arena arena = { 0 };
	own_prepared struct prepared p = { 0 };
	const struct cg_layout *layout;
	int r;

	r = prepare_any(env, id_or_file, &arena, &p, e);
	if (r == 0)
		r = cg_layout_open(&arena, &layout, e);
	if (r == 0)
		r = cg_check(layout, &p.resources, e);
	if (r < 0)
		return r;
	*ret = plan_to_json(&p.plan, layout, &arena);
	return *ret ? 0 : -ENOMEM;
}

int partition_spec(const struct ctr_env *env, const char *file, json_t **ret, struct err *e)
{
	own_arena struct arena arena = { 0 };
	own_prepared struct prepared p = { 0 };
	int r = prepare_any(env, file, &arena, &p, e);

	if (r < 0)
		return r;
	*ret = spec_encode(&p.spec);
	return *ret ? 0 : -ENOMEM;
}

static int apply_live(struct life *life, const struct prepared *now, const struct prepared *was,
		      struct err *e)
{
	const char *path = life->state.cgroup_path;
	int r;

	if (!life->exists || life->pidfd < 0)
		return 0;
	r = cg_apply(life->layout, path, &now->resources, e);
	if (r < 0)
		(void)cg_apply(life->layout, path, &was->resources, NULL); /* back to what held */
	return r;
}

static int save_config(int store, const char *id, const json_t *doc, struct err *e)
{
	own_fd int dir = partition_dir_open(store, id, e);
	own_free char *text = NULL;
	int r;

	if (dir < 0)
		return dir;
	text = json_dumps(doc, JSON_INDENT(2));
	if (!text)
		return -ENOMEM;
	r = file_replace(dir, "config.json", text, strlen(text), 0600, FILE_SYNC);
	return r < 0 ? err_set(e, r, "save the config of '%s'", id) : 0;
}

static int change_document(json_t *doc, const struct strmap *changes, bool running,
			   struct arena *arena, struct set_result *results, struct err *e)
{
	for (size_t i = 0; i < changes->n; i++) {
		const struct js_field *field = NULL;
		int r;

		r = set_key(doc, changes->v[i].key, changes->v[i].value, arena, &field, e);
		if (r < 0)
			return r;
		assert(field); /* set_key() found it */
		if (field->flags & JS_FIXED)
			return err_say(e, -EPERM, "'%s' cannot change after create",
				       changes->v[i].key);
		results[i] = (struct set_result){
			.key = changes->v[i].key,
			.applied = !running || (field->flags & JS_LIVE),
		};
	}
	return 0;
}

static int commit_set(struct life *life, int store, struct prepared *now,
		      const struct prepared *was, struct err *e)
{
	struct strv before = { 0 }, after = { 0 };
	bool quota = wants_quota(&now->config.disk) || wants_quota(&was->config.disk);
	int r;

	r = addresses_of(&was->net, &life->arena, &before);
	if (r == 0)
		r = addresses_of(&now->net, &life->arena, &after);
	if (r == 0)
		r = partition_leases_set(store, life->id, &after, e);
	if (r < 0)
		return r;
	if (quota)
		r = set_quota(store, life->id, &now->config.disk, e);
	if (r == 0)
		r = apply_live(life, now, was, e);
	if (r == 0)
		r = save_config(store, life->id, now->doc, e);
	if (r < 0) { /* one error is reported, the first; these put back what was */
		(void)partition_leases_set(store, life->id, &before, NULL);
		if (quota)
			(void)set_quota(store, life->id, &was->config.disk, NULL);
	}
	return r;
}

int partition_set(const struct ctr_env *env, const char *id, const struct strmap *changes,
		  struct arena *arena, struct set_result **ret, size_t *ret_count, struct err *e)
{
	own_life struct life life = LIFE_EMPTY;
	own_prepared struct prepared was = { 0 }, now = { 0 };
	own_fd int store = -EBADF;
	struct set_result *results;
	json_t *doc;
	int r;

	r = life_open(env, id, &life, e);
	if (r < 0)
		return r;
	store = store_open(env->store, e);
	if (store < 0)
		return store;
	r = prepare_partition(store, env->store, id, &life.arena, &was, e);
	if (r < 0)
		return r;
	results = arena_alloc(arena, changes->n * sizeof(*results) + 1);
	doc = json_deep_copy(was.doc);
	if (!results || !doc)
		return -ENOMEM;
	now.doc = doc; /* owned from here */
	r = change_document(doc, changes, life.exists, &life.arena, results, e);
	if (r == 0)
		r = prepare_decode(doc, "set", &life.arena, &now, e);
	if (r == 0)
		r = prepare_facts(store, id, &life.arena, &now, e);
	if (r == 0)
		r = prepare_plan(env->store, id, &life.arena, &now, e);
	if (r == 0)
		r = cg_check(life.layout, &now.resources, e);
	if (r == 0)
		r = commit_set(&life, store, &now, &was, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < changes->n; i++)
		results[i].key = arena_strdup(arena, results[i].key);
	*ret = results;
	*ret_count = changes->n;
	return 0;
}
