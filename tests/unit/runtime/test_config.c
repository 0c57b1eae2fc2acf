/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partition config: its table, a corpus of good and bad files with the issues they must give,
 * and what a config becomes: OCI config, limits, interfaces.
 *
 * With CTR_TEST_UPDATE=1 the expected files, docs/partition.schema.json and the reference in
 * docs/config.md are written instead of compared.
 */
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroups/cg.h"
#include "namespaces/ns.h"
#include "netsetup/net.h"
#include "runtime/config/config.h"
#include "runtime/process/caps.h"
#include "runtime/spec/spec.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define VALID	 TEST_DATA "/config/valid"
#define INVALID	 TEST_DATA "/config/invalid"
#define GOLDEN	 TEST_DATA "/golden"
#define EXAMPLES SOURCE_DIR "/docs/examples"
#define SCHEMA	 SOURCE_DIR "/docs/partition.schema.json"
#define MANUAL	 SOURCE_DIR "/docs/config.md"

enum { FILE_MAX_BYTES = 1 << 20 };

/* The names of the *.json in each folder, found in main(). */
static struct dirent **valid, **invalid, **examples;
static int valid_count, invalid_count, example_count;

static int is_json(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

/* @text is what the file at @path holds. */
static void expect_file(const char *path, const char *text)
{
	own_free char *want = NULL;

	if (getenv("CTR_TEST_UPDATE")) {
		ck_assert_int_eq(
			file_replace(AT_FDCWD, path, text, strlen(text), 0644, FILE_NOSYNC), 0);
		return;
	}
	ck_assert_msg(file_load(AT_FDCWD, path, FILE_MAX_BYTES, &want) >= 0, "read %s", path);
	ck_assert_msg(strcmp(want, text) == 0,
		      "%s differs. If the change is meant, write it with CTR_TEST_UPDATE=1 "
		      "runtime_test_config, and read the difference. Now it begins:\n%.2000s",
		      path, text);
}

struct loaded {
	struct arena arena;
	struct js_issues issues;
	json_t *doc;
	struct config config;
};

static int load(const char *dir, const char *name, struct loaded *ret, struct err *e)
{
	char path[PATH_MAX];
	int r;

	*ret = (struct loaded){ 0 };
	ret->issues.arena = &ret->arena;
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	r = js_read_file(AT_FDCWD, path, FILE_MAX_BYTES, "config", &ret->doc, e);
	return r < 0 ? r : config_decode(ret->doc, &ret->issues, &ret->config);
}

static void unload(struct loaded *l)
{
	json_decref(l->doc);
	arena_done(&l->arena);
}

static void expect_valid(const char *dir, const char *name)
{
	json_t *(*const encoders[])(const struct js_object *, const void *) = { js_encode,
										js_encode_full };
	struct loaded l;
	struct err e = { 0 };
	int r = load(dir, name, &l, &e);

	ck_assert_msg(r == 0, "%s: %s", name, l.issues.n ? l.issues.v[0].text : e.msg);
	/* What it is written as decodes to the same. */
	for (size_t i = 0; i < ARRAY_SIZE(encoders); i++) {
		struct js_issues issues = { .arena = &l.arena };
		own_json json_t *once = encoders[i](&config_type, &l.config), *twice = NULL;
		struct config again;

		ck_assert_int_eq(config_decode(once, &issues, &again), 0);
		twice = encoders[i](&config_type, &again);
		ck_assert(json_equal(once, twice));
	}
	unload(&l);
}

START_TEST(test_valid)
{
	expect_valid(VALID, valid[_i]->d_name);
}
END_TEST

START_TEST(test_examples)
{
	expect_valid(EXAMPLES, examples[_i]->d_name);
}
END_TEST

START_TEST(test_invalid)
{
	const char *name = invalid[_i]->d_name;
	own_text struct text t = { 0 };
	char path[PATH_MAX];
	struct err e = { 0 };
	struct loaded l;

	ck_assert_int_eq(load(INVALID, name, &l, &e), -EINVAL);
	if (e.code)
		text_addf(&t, "%s\n", e.msg);
	for (size_t i = 0; i < l.issues.n; i++)
		text_addf(&t, "%s: %s\n", l.issues.v[i].path, l.issues.v[i].text);
	(void)snprintf(path, sizeof(path), "%s/%.*s.txt", INVALID, (int)strlen(name) - 5, name);
	expect_file(path, text_str(&t));
	unload(&l);
}
END_TEST

/* Every row has a sentence of help, a parsable default, and a key that no other row has. */
static void check_rows(const struct js_object *type)
{
	ck_assert_ptr_nonnull(type->help);
	for (const struct js_field *f = type->fields; f->key; f++) {
		ck_assert_msg(f->help && f->help[strlen(f->help) - 1] == '.', "%s", f->key);
		if (f->def) {
			own_json json_t *def = json_loads(f->def, JSON_DECODE_ANY, NULL);

			ck_assert_msg(def, "%s: %s", f->key, f->def);
		}
		for (const struct js_field *g = type->fields; g < f; g++)
			ck_assert_str_ne(f->key, g->key);
		if (f->sub)
			check_rows(f->sub);
	}
}

START_TEST(test_table)
{
	check_rows(&config_type);
}
END_TEST

/* docs/examples/everything.json is what it says. */
static void expect_every_key(const struct js_object *type, json_t *object)
{
	for (const struct js_field *f = type->fields; f->key; f++) {
		json_t *value = json_object_get(object, f->key);

		ck_assert_msg(value, "%s", f->key);
		if (f->sub)
			expect_every_key(f->sub,
					 f->kind == JS_LIST ? json_array_get(value, 0) : value);
	}
}

START_TEST(test_everything)
{
	struct err e = { 0 };
	struct loaded l;

	ck_assert_int_eq(load(EXAMPLES, "everything.json", &l, &e), 0);
	expect_every_key(&config_type, l.doc);
	unload(&l);
}
END_TEST

static char *pretty(json_t *json, size_t flags)
{
	own_free char *text = json_dumps(json, JSON_INDENT(2) | flags);
	own_text struct text t = { 0 };

	ck_assert_ptr_nonnull(text);
	text_addf(&t, "%s\n", text);
	return text_take(&t);
}

START_TEST(test_schema)
{
	own_json json_t *schema = config_schema();
	own_free char *text = pretty(schema, 0);

	expect_file(SCHEMA, text);
}
END_TEST

static void add_reference(struct text *t, const struct js_object *type, const char *prefix)
{
	static const char *const kinds[JS_KINDS] = {
		[JS_BOOL] = "boolean", [JS_OPT_BOOL] = "boolean", [JS_STR] = "string",
		[JS_U32] = "integer",  [JS_OPT_U64] = "integer",  [JS_COUNT] = "integer or max",
		[JS_BYTES] = "size",   [JS_MS] = "time",	  [JS_CPUS] = "CPUs",
		[JS_ENUM] = "one of",  [JS_STRV] = "strings",	  [JS_STRMAP] = "map of strings",
	};

	text_addf(t, "\n### %s\n\n%s\n\n", *prefix ? prefix : "the file", type->help);
	text_add(t, "| key | kind | default | live | meaning |\n|---|---|---|---|---|\n");
	for (const struct js_field *f = type->fields; f->key; f++) {
		char allowed[160] = "";

		if (f->sub)
			continue;
		ck_assert_msg(kinds[f->kind], "%s", f->key);
		if (f->names)
			(void)name_list(f->names, allowed, sizeof(allowed));
		text_addf(t, "| `%s%s%s` | %s%s%s | %s%s%s | %s | %s |\n", prefix,
			  *prefix ? "." : "", f->key, kinds[f->kind], *allowed ? " " : "", allowed,
			  f->def ? "`" : "", f->def ? f->def : "",
			  f->def ? "`" : (f->flags & JS_REQUIRED ? "required" : ""),
			  f->flags & JS_FIXED  ? "fixed"
			  : f->flags & JS_LIVE ? "yes"
					       : "restart",
			  f->help);
	}
	for (const struct js_field *f = type->fields; f->key; f++) {
		char below[256];

		if (!f->sub)
			continue;
		(void)snprintf(below, sizeof(below), "%s%s%s%s", prefix, *prefix ? "." : "", f->key,
			       f->kind == JS_LIST ? "[]" : "");
		add_reference(t, f->sub, below);
	}
}

/* The part of docs/config.md below "## Reference" comes from the table. */
START_TEST(test_manual)
{
	static const char mark[] = "## Reference\n";
	own_free char *manual = NULL;
	own_text struct text t = { 0 };
	const char *reference;

	ck_assert_int_ge((int)file_load(AT_FDCWD, MANUAL, FILE_MAX_BYTES, &manual), 0);
	reference = strstr(manual, mark);
	ck_assert_ptr_nonnull(reference);
	text_addn(&t, manual, (size_t)(reference - manual) + strlen(mark));
	add_reference(&t, &config_type, "");
	expect_file(MANUAL, text_str(&t));
}
END_TEST

static const struct config_node nodes[] = { { 'c', 10, 229, 0666 }, { 'b', 7, 0, 0660 } };
static char init_path[] = "/lib/systemd/systemd";
static char *default_init[] = { init_path };
static const struct config_facts facts = {
	.rootfs = "/var/lib/ctr/partitions/x/rootfs",
	.id_base = 0x70000000,
	.default_init = { default_init, 1 },
	.disk_major = 8,
	.disk_minor = 16,
	.host_cpus = 4,
	.nodes = nodes,
};

static void to_spec(struct loaded *l, const char *name, struct spec *ret)
{
	struct err e = { 0 };

	ck_assert_msg(load(EXAMPLES, name, l, &e) == 0, "%s", e.msg);
	ck_assert_msg(config_to_spec(&l->config, &facts, &l->arena, ret, &e) == 0, "%s", e.msg);
}

static const char *const golden[] = { "minimal.json", "debian-server.json", "web-worker.json",
				      "everything.json" };

START_TEST(test_golden_spec)
{
	struct loaded l;
	struct spec spec;
	own_json json_t *json = NULL;
	own_free char *text = NULL;
	char path[PATH_MAX];

	to_spec(&l, golden[_i], &spec);
	/* The profiles are tested where they are made; those of a system vary with the kernel. */
	ck_assert_ptr_nonnull(spec.linux_.seccomp);
	spec.linux_.seccomp = NULL;
	ck_assert_ptr_nonnull(spec.process->capabilities);
	spec.process->capabilities = NULL;
	ck_assert_int_eq(spec_check(&spec, NULL), 0);
	json = spec_encode(&spec);
	ck_assert_ptr_nonnull(json);
	text = pretty(json, JSON_SORT_KEYS);
	(void)snprintf(path, sizeof(path), "%s/%s", GOLDEN, golden[_i]);
	expect_file(path, text);
	unload(&l);
}
END_TEST

static bool has(const struct strv *list, const char *s)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], s) == 0)
			return true;
	return false;
}

static const struct spec_mount *mount_on(const struct spec *spec, const char *destination)
{
	const struct spec_mount *found = NULL, *m = spec->mounts.v;

	for (size_t i = 0; i < spec->mounts.n; i++) {
		if (strcmp(m[i].destination, destination) != 0)
			continue;
		ck_assert_msg(!found, "%s twice", destination);
		found = &m[i];
	}
	return found;
}

static bool has_namespace(const struct spec *spec, enum ns_kind kind)
{
	const struct spec_namespace *ns = spec->linux_.namespaces.v;

	for (size_t i = 0; i < spec->linux_.namespaces.n; i++)
		if (ns[i].kind == kind)
			return true;
	return false;
}

START_TEST(test_system_profile)
{
	struct loaded l;
	struct spec spec;

	to_spec(&l, "debian-server.json", &spec);
	ck_assert(has(&mount_on(&spec, "/sys")->options, "ro"));
	ck_assert(has(&mount_on(&spec, "/sys/fs/cgroup")->options, "rw"));
	ck_assert_ptr_nonnull(mount_on(&spec, "/run"));
	ck_assert(!has(&spec.linux_.readonly_paths, "/proc/sys"));
	ck_assert(has(&spec.linux_.masked_paths, "/proc/kcore"));
	ck_assert(spec.process->terminal);
	ck_assert(!spec.process->no_new_privileges);
	ck_assert_str_eq(spec.process->args.v[0], init_path);
	ck_assert(has(&spec.process->env, "container=ctr"));
	ck_assert_str_eq(spec.linux_.cgroups_path, "/ctr/vps101");
	ck_assert_str_eq(spec.hostname, "vps101.example.net");
	ck_assert(has_namespace(&spec, NS_USER));
	ck_assert(has_namespace(&spec, NS_TIME));
	ck_assert(has_namespace(&spec, NS_NET));
	unload(&l);
}
END_TEST

START_TEST(test_app_profile)
{
	struct loaded l;
	struct spec spec;
	const struct spec_capabilities *caps;

	to_spec(&l, "web-worker.json", &spec);
	caps = spec.process->capabilities;
	ck_assert_uint_eq(caps->bounding.n, 1);
	ck_assert_str_eq(caps->bounding.v[0], "CAP_NET_BIND_SERVICE");
	ck_assert_uint_eq(caps->effective.n, 1);
	ck_assert_uint_eq(caps->permitted.n, 1);
	ck_assert_uint_eq(caps->inheritable.n, 0);
	ck_assert_uint_eq(caps->ambient.n, 0);
	ck_assert(has(&mount_on(&spec, "/sys/fs/cgroup")->options, "ro"));
	ck_assert_ptr_nonnull(mount_on(&spec, "/tmp"));
	ck_assert(has(&spec.linux_.readonly_paths, "/proc/sys"));
	ck_assert(!spec.process->terminal);
	ck_assert(spec.process->no_new_privileges);
	ck_assert(spec.root->readonly);
	ck_assert_uint_eq(spec.process->user.uid, 33);
	unload(&l);
}
END_TEST

/* A small config: @keys beside a template. */
static void decode_keys(struct loaded *l, const char *keys)
{
	own_text struct text t = { 0 };
	struct err e = { 0 };

	*l = (struct loaded){ 0 };
	l->issues.arena = &l->arena;
	text_addf(&t, "{\"root\": {\"template\": \"t\"}%s%s}", *keys ? ", " : "", keys);
	ck_assert_msg(js_read_text(text_str(&t), t.len, "text", &l->doc, &e) == 0, "%s", e.msg);
	ck_assert_msg(config_decode(l->doc, &l->issues, &l->config) == 0, "%s",
		      l->issues.n ? l->issues.v[0].text : "");
}

START_TEST(test_host_network)
{
	struct loaded l;
	struct spec spec;
	struct net_config net;

	decode_keys(&l, "\"name\": \"h\", \"network\": {\"mode\": \"host\"},"
			"\"security\": {\"seccomp\": \"unconfined\", \"nesting\": true},"
			"\"mounts\": [{\"source\": \"tmpfs\", \"target\": \"/run\"}]");
	ck_assert_int_eq(config_to_spec(&l.config, &facts, &l.arena, &spec, NULL), 0);
	ck_assert(!has_namespace(&spec, NS_NET));
	ck_assert_str_eq(mount_on(&spec, "/sys")->type, "bind");
	ck_assert_ptr_null(spec.linux_.seccomp);
	ck_assert_uint_eq(spec.linux_.masked_paths.n, 0);
	ck_assert_uint_eq(spec.linux_.readonly_paths.n, 0);
	ck_assert(has(&mount_on(&spec, "/run")->options, "size=536870912"));
	ck_assert_int_eq(config_to_net(&l.config, "h", &l.arena, &net, NULL), 0);
	ck_assert_uint_eq(net.if_count, 0);
	unload(&l);
}
END_TEST

START_TEST(test_no_userns)
{
	const struct config_facts none = { .rootfs = "/r" };
	struct err e = { 0 };
	struct loaded l;
	struct spec spec;

	decode_keys(&l, "\"name\": \"h\", \"profile\": \"app\", \"security\": {\"userns\": false}");
	ck_assert_int_eq(config_to_spec(&l.config, &none, &l.arena, &spec, &e), 0);
	ck_assert(!has_namespace(&spec, NS_USER));
	ck_assert_uint_eq(spec.linux_.uid_mappings.n, 0);
	ck_assert_str_eq(spec.process->args.v[0], "/sbin/init");
	unload(&l);
	decode_keys(&l, "\"name\": \"h\"");
	ck_assert_int_eq(config_to_spec(&l.config, &none, &l.arena, &spec, &e), -EINVAL);
	ck_assert_str_eq(e.msg, "security.userns is on, but 'h' has no range of ids");
	unload(&l);
	decode_keys(&l, "");
	ck_assert_int_eq(config_to_spec(&l.config, &facts, &l.arena, &spec, &e), -EINVAL);
	unload(&l);
}
END_TEST

START_TEST(test_env_of_config_wins)
{
	struct loaded l;
	struct spec spec;
	size_t paths = 0;

	decode_keys(&l, "\"name\": \"x\", \"init\": {\"env\": {\"PATH\": \"/bin\", \"A\": \"\"}}");
	ck_assert_int_eq(config_to_spec(&l.config, &facts, &l.arena, &spec, NULL), 0);
	for (size_t i = 0; i < spec.process->env.n; i++)
		paths += strncmp(spec.process->env.v[i], "PATH=", 5) == 0;
	ck_assert_uint_eq(paths, 1);
	ck_assert(has(&spec.process->env, "PATH=/bin"));
	ck_assert(has(&spec.process->env, "A="));
	unload(&l);
}
END_TEST

static const struct {
	const char *cpu;
	uint64_t quota, period, burst; /* 0: not set */
} quotas[] = {
	{ "{}", 0, 0, 0 },
	{ "{\"limit\": \"150%\"}", 150000, 100000, 0 },
	{ "{\"limit\": \"1%\"}", 1000, 100000, 0 },
	{ "{\"limit\": \"max\"}", UINT64_MAX, 100000, 0 },
	{ "{\"count\": 2}", 200000, 100000, 0 },
	{ "{\"count\": 2, \"limit\": 3}", 200000, 100000, 0 },
	{ "{\"count\": 2, \"limit\": 1.5, \"burst\": \"20ms\"}", 150000, 100000, 20000 },
	{ "{\"count\": 2, \"limit\": \"max\"}", 200000, 100000, 0 },
};

START_TEST(test_cpu_quota)
{
	own_text struct text t = { 0 };
	struct cg_resources res;
	struct loaded l;

	text_addf(&t, "\"cpu\": %s", quotas[_i].cpu);
	decode_keys(&l, text_str(&t));
	ck_assert_int_eq(config_to_cgroup(&l.config, &facts, &l.arena, &res, NULL), 0);
	ck_assert_int_eq(res.cpu_quota_us.set, quotas[_i].quota != 0);
	ck_assert_uint_eq(res.cpu_quota_us.v, quotas[_i].quota);
	ck_assert_uint_eq(res.cpu_period_us.v, quotas[_i].period);
	ck_assert_int_eq(res.cpu_burst_us.set, quotas[_i].burst != 0);
	ck_assert_uint_eq(res.cpu_burst_us.v, quotas[_i].burst);
	unload(&l);
}
END_TEST

START_TEST(test_cgroup)
{
	struct cg_resources res;
	struct err e = { 0 };
	struct loaded l;

	ck_assert_int_eq(load(EXAMPLES, "everything.json", &l, &e), 0);
	ck_assert_int_eq(config_to_cgroup(&l.config, &facts, &l.arena, &res, &e), 0);
	ck_assert_uint_eq(res.memory_max_bytes.v, UINT64_C(4) << 30);
	ck_assert_uint_eq(res.memory_high_bytes.v, UINT64_C(7) << 29);
	ck_assert_uint_eq(res.memory_low_bytes.v, UINT64_C(1) << 30);
	ck_assert_uint_eq(res.swap_max_bytes.v, UINT64_C(2) << 30);
	ck_assert(!res.oom_group.set);
	ck_assert_uint_eq(res.cpu_weight.v, 500);
	ck_assert_str_eq(res.cpuset_cpus, "0-3");
	ck_assert_uint_eq(res.pids_max.v, 8192);
	ck_assert_uint_eq(res.descendants_max.v, 1024);
	ck_assert_uint_eq(res.io_weight.v, 200);
	ck_assert_uint_eq(res.io_limit_count, 1);
	ck_assert_uint_eq(res.io_limits[0].major, 8);
	ck_assert_uint_eq(res.io_limits[0].minor, 16);
	ck_assert_uint_eq(res.io_limits[0].rbps.v, 200 << 20);
	ck_assert_uint_eq(res.io_limits[0].wiops.v, UINT64_MAX);
	ck_assert_uint_eq(res.device_count, 11);
	ck_assert(!res.devices[0].allow && res.devices[0].type == 'a');
	ck_assert(res.devices[10].allow && res.devices[10].major == 10 &&
		  res.devices[10].minor == 229);
	ck_assert_uint_eq(res.devices[10].access, CG_DEV_READ | CG_DEV_WRITE);
	unload(&l);
}
END_TEST

/* Whoever writes nothing still gets a bounded partition. */
START_TEST(test_defaults_are_finite)
{
	struct cg_resources res;
	struct loaded l;

	decode_keys(&l, "");
	ck_assert_int_eq(config_to_cgroup(&l.config, &facts, &l.arena, &res, NULL), 0);
	ck_assert_uint_eq(res.memory_max_bytes.v, 1 << 30);
	ck_assert(res.swap_max_bytes.set);
	ck_assert_uint_eq(res.swap_max_bytes.v, 0);
	ck_assert_uint_eq(res.pids_max.v, 4096);
	ck_assert_uint_eq(res.descendants_max.v, 512);
	ck_assert_uint_eq(res.cpu_weight.v, 100);
	unload(&l);
}
END_TEST

START_TEST(test_io_without_disk)
{
	const struct config_facts none = { .rootfs = "/r" };
	struct cg_resources res;
	struct err e = { 0 };
	struct loaded l;

	decode_keys(&l, "\"io\": {\"readBps\": \"1M\"}");
	ck_assert_int_eq(config_to_cgroup(&l.config, &none, &l.arena, &res, &e), -EINVAL);
	ck_assert_str_eq(e.msg, "io: no disk is known that holds the partition");
	unload(&l);
	decode_keys(&l, "\"io\": {\"readBps\": \"max\"}");
	ck_assert_int_eq(config_to_cgroup(&l.config, &none, &l.arena, &res, &e), 0);
	ck_assert_uint_eq(res.io_limit_count, 0);
	unload(&l);
}
END_TEST

START_TEST(test_net)
{
	static const uint8_t mac[] = { 2, 0, 0x5e, 0x10, 0, 0x14 };
	struct net_config net;
	uint8_t derived[6];
	char text[64], host_name[16];
	struct err e = { 0 };
	struct loaded l;

	ck_assert_int_eq(load(EXAMPLES, "routed.json", &l, &e), 0);
	ck_assert_int_eq(config_to_net(&l.config, "edge-1", &l.arena, &net, &e), 0);
	ck_assert_str_eq(net.id, "edge-1");
	ck_assert_uint_eq(net.if_count, 2);
	ck_assert_int_eq(net.ifs[0].mode, NET_ROUTED);
	ck_assert_ptr_null(net.ifs[0].bridge);
	ck_assert_uint_eq(net.ifs[0].addr_count, 2);
	ck_assert_str_eq(net_format_addr(&net.ifs[0].gateway4, false, text, sizeof(text)),
			 "169.254.0.1");
	ck_assert_str_eq(net_format_addr(&net.ifs[0].gateway6, false, text, sizeof(text)),
			 "fe80::1");
	ck_assert(!net.ifs[0].reach_host && !net.ifs[0].reach_peers && net.ifs[0].reach_outside);
	net_host_name("edge-1", 1, host_name);
	ck_assert_str_eq(net.ifs[1].host_name, host_name);
	net_derive_mac("edge-1", "lan0", derived);
	ck_assert_mem_eq(net.ifs[1].mac, derived, 6);
	ck_assert_str_eq(net.ifs[1].bridge, "ctrlan");
	ck_assert_int_eq(net.ifs[1].gateway4.family, 0);
	ck_assert(!net.ifs[1].reach_outside && net.ifs[1].reach_peers);
	ck_assert_uint_eq(net.ifs[1].mtu, 1400);
	unload(&l);

	ck_assert_int_eq(load(EXAMPLES, "everything.json", &l, &e), 0);
	ck_assert_int_eq(config_to_net(&l.config, "x", &l.arena, &net, &e), 0);
	ck_assert_mem_eq(net.ifs[0].mac, mac, 6);
	ck_assert(!net.ifs[0].host_owns_gateway);
	unload(&l);

	ck_assert_int_eq(load(EXAMPLES, "web-worker.json", &l, &e), 0);
	ck_assert_int_eq(config_to_net(&l.config, "x", &l.arena, &net, &e), 0);
	ck_assert_str_eq(net.ifs[0].name, "eth0");
	ck_assert_str_eq(net.ifs[0].bridge, "ctr0");
	ck_assert(net.ifs[0].host_owns_gateway && net.ifs[0].nat);
	unload(&l);
}
END_TEST

START_TEST(test_nodes)
{
	const struct config_node *found;
	struct err e = { 0 };
	struct loaded l;

	decode_keys(&l, "\"devices\": [{\"path\": \"/dev/null\"}]");
	ck_assert_int_eq(config_nodes(&l.config, &l.arena, &found, &e), 0);
	ck_assert_int_eq(found[0].type, 'c');
	ck_assert_uint_eq(found[0].major, 1);
	ck_assert_uint_eq(found[0].minor, 3);
	unload(&l);
	decode_keys(&l, "\"devices\": [{\"path\": \"/dev/does-not-exist\"}]");
	ck_assert_int_eq(config_nodes(&l.config, &l.arena, &found, &e), -ENOENT);
	unload(&l);
	decode_keys(&l, "\"devices\": [{\"path\": \"/dev/shm\"}]");
	ck_assert_int_eq(config_nodes(&l.config, &l.arena, &found, &e), -ENODEV);
	unload(&l);
}
END_TEST

static int list(const char *dir, struct dirent ***ret)
{
	int n = scandir(dir, ret, is_json, alphasort);

	if (n <= 0) {
		perror(dir);
		exit(EXIT_FAILURE);
	}
	return n;
}

static void list_done(struct dirent **entries, int n)
{
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
}

int main(void)
{
	Suite *suite = suite_create("config");
	SRunner *runner = srunner_create(suite);
	TCase *tc = tcase_create("config");
	int failed;

	valid_count = list(VALID, &valid);
	invalid_count = list(INVALID, &invalid);
	example_count = list(EXAMPLES, &examples);
	tcase_add_loop_test(tc, test_valid, 0, valid_count);
	tcase_add_loop_test(tc, test_examples, 0, example_count);
	tcase_add_loop_test(tc, test_invalid, 0, invalid_count);
	tcase_add_test(tc, test_table);
	tcase_add_test(tc, test_everything);
	tcase_add_test(tc, test_schema);
	tcase_add_test(tc, test_manual);
	tcase_add_loop_test(tc, test_golden_spec, 0, ARRAY_SIZE(golden));
	tcase_add_test(tc, test_system_profile);
	tcase_add_test(tc, test_app_profile);
	tcase_add_test(tc, test_host_network);
	tcase_add_test(tc, test_no_userns);
	tcase_add_test(tc, test_env_of_config_wins);
	tcase_add_loop_test(tc, test_cpu_quota, 0, ARRAY_SIZE(quotas));
	tcase_add_test(tc, test_cgroup);
	tcase_add_test(tc, test_defaults_are_finite);
	tcase_add_test(tc, test_io_without_disk);
	tcase_add_test(tc, test_net);
	tcase_add_test(tc, test_nodes);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	list_done(valid, valid_count);
	list_done(invalid, invalid_count);
	list_done(examples, example_count);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
