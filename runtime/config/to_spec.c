/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCI config that a partition is. A system gets what systemd asks of whoever runs it in a
 * container (https://systemd.io/CONTAINER_INTERFACE): /sys read-only, which tells it that the
 * devices are not its own; /proc/sys writable, because its settings are those of its namespaces;
 * /sys/fs/cgroup writable; a console; container= in the environment of init.
 */
#include "base/own.h"
#include "cgroups/cg.h"
#include "namespaces/ns.h"
#include "runtime/config/config_internal.h"
#include "runtime/process/caps.h"
#include "runtime/process/seccomp.h"
#include "runtime/spec/spec.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { ID_COUNT = 65536 };

/* Sticky, like struct text: add freely, look at failed once. */
struct build {
	const struct config *config;
	const struct config_facts *facts;
	struct arena *arena;
	struct spec *spec;
	bool failed; /* out of memory; then elements are made in: */
	_Alignas(max_align_t) char nowhere[sizeof(struct spec_mount)];
};

static char *copy(struct build *b, const char *s)
{
	char *made = arena_strdup(b->arena, s);

	b->failed |= s && !made;
	return made;
}

static void add_str(struct build *b, struct strv *list, const char *s)
{
	char **slot = arena_grow(b->arena, &list->v, &list->n, sizeof(*slot));

	if (slot)
		*slot = copy(b, s);
	b->failed |= !slot;
}

static void add_pair(struct build *b, struct strmap *map, const char *key, const char *value)
{
	struct strpair *pair = arena_grow(b->arena, &map->v, &map->n, sizeof(*pair));

	if (pair)
		*pair = (struct strpair){ copy(b, key), copy(b, value) };
	b->failed |= !pair;
}

/* A zeroed element at the end of @list; one that goes nowhere when there is no memory. */
static void *add(struct build *b, struct js_list *list, size_t size)
{
	void *element = arena_grow(b->arena, &list->v, &list->n, size);

	if (element)
		return element;
	b->failed = true;
	return memset(b->nowhere, 0, sizeof(b->nowhere));
}

enum when {
	SYSTEM = 1 << 0,
	APP = 1 << 1,
	OWN_NET = 1 << 2,
	HOST_NET = 1 << 3,
	READONLY = 1 << 4,
	ANY = SYSTEM | APP,
};

static unsigned int traits(const struct config *config)
{
	unsigned int bits = config->profile == PROFILE_SYSTEM ? SYSTEM : APP;

	bits |= config->network.mode == CONFIG_NET_HOST ? HOST_NET : OWN_NET;
	return bits | (config->root.readonly ? READONLY : 0);
}

/* clang-format off */
/* Every tmpfs is bounded: its pages belong to whoever touches them first. */
static const struct {
	const char *target, *type, *source;
	const char *options;
	unsigned int when; /* any of these */
	bool sized;	   /* a share of the memory limit */
} mounts[] = {
	{ "/proc", "proc", "proc", "nosuid,noexec,nodev", ANY, false },
	{ "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro", OWN_NET, false },
	/* A user namespace may not mount the sysfs of a network that is not its own. */
	{ "/sys", "bind", "/sys", "rbind,nosuid,noexec,nodev,rro", HOST_NET, false },
	{ "/sys/fs/cgroup", "cgroup2", "cgroup2", "nosuid,noexec,nodev,relatime,rw", SYSTEM, false },
	{ "/sys/fs/cgroup", "cgroup2", "cgroup2", "nosuid,noexec,nodev,relatime,ro", APP, false },
	{ "/dev", "tmpfs", "tmpfs", "nosuid,noexec,strictatime,mode=755,size=4m,nr_inodes=4096",
	  ANY, false },
	{ "/dev/pts", "devpts", "devpts",
	  "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5,max=1024", ANY, false },
	{ "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777", ANY, true },
	{ "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev", ANY, false },
	{ "/run", "tmpfs", "tmpfs", "nosuid,nodev,mode=755", SYSTEM | READONLY, true },
	{ "/tmp", "tmpfs", "tmpfs", "nosuid,nodev,mode=1777", READONLY, true },
};

/* What tells about the host or lets it be changed. Paths that a kernel lacks are skipped. */
static const char *const masked_paths[] = {
	"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
	"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/bpf", "/sys/fs/pstore",
	"/sys/fs/selinux", "/sys/kernel/debug", "/sys/kernel/security", "/sys/kernel/tracing",
	"/sys/kernel/vmcoreinfo",
};
static const struct {
	const char *path;
	unsigned int when;
} readonly_paths[] = {
	{ "/proc/bus", ANY }, { "/proc/fs", ANY }, { "/proc/irq", ANY },
	{ "/proc/sys", APP }, /* a system has its own namespaces for all that it may set there */
	{ "/proc/sysrq-trigger", ANY },
};
/* clang-format on */

static void add_options(struct build *b, struct strv *list, const char *options)
{
	while (*options) {
		size_t len = strcspn(options, ",");
		char *one = arena_strndup(b->arena, options, len);

		b->failed |= !one;
		if (one)
			add_str(b, list, one);
		options += len + (options[len] == ',');
	}
}

static void add_size(struct build *b, struct strv *options)
{
	const struct opt_u64 *limit = &b->config->memory.limit;
	uint64_t bytes = limit->set && limit->v != UINT64_MAX ? limit->v / 2 : UINT64_C(1) << 30;
	uint64_t inodes = bytes / 16384 > 4096 ? bytes / 16384 : 4096;
	char option[48];

	(void)snprintf(option, sizeof(option), "size=%llu", (unsigned long long)bytes);
	add_str(b, options, option);
	(void)snprintf(option, sizeof(option), "nr_inodes=%llu", (unsigned long long)inodes);
	add_str(b, options, option);
}

static bool has_mount_on(const struct config *config, const char *target)
{
	const struct config_mount *own = config->mounts.v;

	for (size_t i = 0; i < config->mounts.n; i++)
		if (strcmp(own[i].target, target) == 0)
			return true;
	return false;
}

static bool has_option(const struct strv *options, const char *prefix)
{
	for (size_t i = 0; i < options->n; i++)
		if (strncmp(options->v[i], prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

static void add_own_mount(struct build *b, const struct config_mount *from)
{
	struct spec_mount *to = add(b, &b->spec->mounts, sizeof(*to));
	bool is_tmpfs = strcmp(from->source, "tmpfs") == 0;

	to->destination = copy(b, from->target);
	to->type = copy(b, is_tmpfs ? "tmpfs" : "bind");
	to->source = copy(b, from->source);
	if (!is_tmpfs && !has_option(&from->options, "bind") &&
	    !has_option(&from->options, "rbind"))
		add_str(b, &to->options, "bind");
	add_str(b, &to->options, "nosuid");
	add_str(b, &to->options, "nodev");
	for (size_t i = 0; i < from->options.n; i++)
		if (strcmp(from->options.v[i], "nosuid") != 0 &&
		    strcmp(from->options.v[i], "nodev") != 0)
			add_str(b, &to->options, from->options.v[i]);
	if (from->readonly)
		add_str(b, &to->options, has_option(&from->options, "rbind") ? "rro" : "ro");
	if (is_tmpfs && !has_option(&from->options, "size="))
		add_size(b, &to->options);
}

static void add_mounts(struct build *b)
{
	const struct config_mount *own = b->config->mounts.v;
	unsigned int have = traits(b->config);

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		struct spec_mount *to;

		if (!(mounts[i].when & have) || has_mount_on(b->config, mounts[i].target))
			continue;
		to = add(b, &b->spec->mounts, sizeof(*to));
		to->destination = copy(b, mounts[i].target);
		to->type = copy(b, mounts[i].type);
		to->source = copy(b, mounts[i].source);
		add_options(b, &to->options, mounts[i].options);
		if (mounts[i].sized)
			add_size(b, &to->options);
	}
	for (size_t i = 0; i < b->config->mounts.n; i++)
		add_own_mount(b, &own[i]);
}

static void add_covered_paths(struct build *b)
{
	struct spec_linux *linux_ = &b->spec->linux_;
	unsigned int have = traits(b->config);

	/* The kernel lets a nested user namespace mount /proc and /sys only when it sees all of
	 * the ones around it: mount_too_revealing() in fs/namespace.c. */
	if (b->config->security.nesting)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(masked_paths); i++)
		add_str(b, &linux_->masked_paths, masked_paths[i]);
	for (size_t i = 0; i < ARRAY_SIZE(readonly_paths); i++)
		if (readonly_paths[i].when & have)
			add_str(b, &linux_->readonly_paths, readonly_paths[i].path);
}

static void add_namespace(struct build *b, enum ns_kind kind)
{
	struct spec_namespace *to = add(b, &b->spec->linux_.namespaces, sizeof(*to));

	to->kind = kind;
}

static void add_id_map(struct build *b, struct js_list *maps)
{
	struct spec_id_map *to = add(b, maps, sizeof(*to));

	*to = (struct spec_id_map){ 0, b->facts->id_base, ID_COUNT };
}

static void add_namespaces(struct build *b)
{
	static const enum ns_kind always[] = {
		NS_PID, NS_MOUNT, NS_IPC, NS_UTS, NS_CGROUP, NS_TIME
	};
	struct spec_linux *linux_ = &b->spec->linux_;

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		add_namespace(b, always[i]);
	if (b->config->network.mode != CONFIG_NET_HOST)
		add_namespace(b, NS_NET);
	if (!b->config->security.userns)
		return;
	add_namespace(b, NS_USER);
	add_id_map(b, &linux_->uid_mappings);
	add_id_map(b, &linux_->gid_mappings);
}

static void add_env(struct build *b, struct strv *env)
{
	static const struct {
		const char *key, *value;
	} defaults[] = {
		{ "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
		{ "HOME", "/root" },
		{ "TERM", "linux" },
		{ "container", "ctr" },
	};
	const struct strmap *own = &b->config->init.env;

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		bool is_own = false;

		for (size_t k = 0; k < own->n; k++)
			is_own |= strcmp(own->v[k].key, defaults[i].key) == 0;
		if (is_own)
			continue;
		add_str(b, env,
			arena_printf(b->arena, "%s=%s", defaults[i].key, defaults[i].value));
	}
	for (size_t i = 0; i < own->n; i++)
		add_str(b, env, arena_printf(b->arena, "%s=%s", own->v[i].key, own->v[i].value));
	for (size_t i = 0; i < env->n; i++)
		b->failed |= !env->v[i];
}

static void add_capabilities(struct build *b, struct spec_process *process, uint64_t mask)
{
	struct spec_capabilities *caps = arena_alloc(b->arena, sizeof(*caps));

	process->capabilities = caps;
	b->failed |= !caps;
	/* Inheritable and ambient stay empty: nothing outlives a change of user by accident. */
	for (int cap = 0; caps && caps_name(cap); cap++) {
		if (!(mask >> cap & 1))
			continue;
		add_str(b, &caps->bounding, caps_name(cap));
		add_str(b, &caps->effective, caps_name(cap));
		add_str(b, &caps->permitted, caps_name(cap));
	}
}

static void add_rlimit(struct build *b, struct spec_process *process, const char *type,
		       uint64_t soft, uint64_t hard)
{
	struct spec_rlimit *limit = add(b, &process->rlimits, sizeof(*limit));

	*limit = (struct spec_rlimit){ copy(b, type), soft, hard };
}

static void add_rlimits(struct build *b, struct spec_process *process)
{
	uint64_t files = b->config->limits.files.v, core = b->config->limits.core.v;

	/* An init raises what it hands out; above 1024, select(2) breaks where nobody asked. */
	if (b->config->limits.files.set)
		add_rlimit(b, process, "RLIMIT_NOFILE",
			   b->config->profile == PROFILE_SYSTEM && files > 1024 ? 1024 : files,
			   files);
	/* The kernel feeds a pipe in core_pattern whatever the limit, except at 1: core(5). */
	if (core == 0)
		core = 1;
	add_rlimit(b, process, "RLIMIT_CORE", core, core);
}

static void add_process(struct build *b, uint64_t caps)
{
	const struct config *config = b->config;
	const struct strv *args = &config->init.args;
	struct spec_process *process = arena_alloc(b->arena, sizeof(*process));

	b->spec->process = process;
	if (!process) {
		b->failed = true;
		return;
	}
	if (args->n == 0)
		args = &b->facts->default_init;
	for (size_t i = 0; i < args->n; i++)
		add_str(b, &process->args, args->v[i]);
	if (args->n == 0)
		add_str(b, &process->args, "/sbin/init");
	add_env(b, &process->env);
	process->cwd = copy(b, config->init.cwd);
	process->user.uid = config->init.uid;
	process->user.gid = config->init.gid;
	process->terminal = config->profile == PROFILE_SYSTEM;
	process->no_new_privileges = config->security.no_new_privileges.set
					     ? config->security.no_new_privileges.v
					     : config->profile == PROFILE_APP;
	add_capabilities(b, process, caps);
	add_rlimits(b, process);
}

static void add_devices(struct build *b)
{
	const struct config_device *devices = b->config->devices.v;

	for (size_t i = 0; i < b->config->devices.n; i++) {
		const struct config_node *node = &b->facts->nodes[i];
		struct spec_device *to = add(b, &b->spec->linux_.devices, sizeof(*to));

		to->path = copy(b, devices[i].path);
		to->type = copy(b, node->type == 'b' ? "b" : "c");
		to->major = node->major;
		to->minor = node->minor;
		to->file_mode = (struct opt_u64){ node->mode, true };
		to->uid = to->gid = (struct opt_u64){ 0, true };
	}
}

static struct opt_i64 as_signed(const struct opt_u64 *v)
{
	/* OCI says "no limit" by -1. */
	return (struct opt_i64){ v->v > INT64_MAX ? -1 : (int64_t)v->v, v->set };
}

/* The least OCI cpu.shares that become at least @weight. */
static uint64_t shares_of(uint64_t weight)
{
	uint64_t low = 2, high = 262144;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (cg_weight_from_shares(middle) < weight)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_throttle(struct build *b, struct js_list *list, const struct cg_io_limit *disk,
			 const struct opt_u64 *rate)
{
	struct spec_throttle_device *to;

	if (!rate->set || rate->v == UINT64_MAX)
		return;
	to = add(b, list, sizeof(*to));
	*to = (struct spec_throttle_device){ disk->major, disk->minor, rate->v };
}

/*
 * As much of the limits as OCI can say, for a reader of the bundle: the engine applies the struct
 * cg_resources itself.
 */
static void add_resources(struct build *b, const struct cg_resources *cg)
{
	struct spec_resources *res = &b->spec->linux_.resources;

	b->spec->linux_.has_resources = true;
	res->memory.limit = as_signed(&cg->memory_max_bytes);
	res->memory.reservation = as_signed(&cg->memory_low_bytes);
	if (cg->swap_max_bytes.set) { /* OCI: memory and swap together */
		uint64_t sum = UINT64_MAX;

		if (__builtin_add_overflow(cg->memory_max_bytes.v, cg->swap_max_bytes.v, &sum))
			sum = UINT64_MAX;
		res->memory.swap = as_signed(&(struct opt_u64){ sum, true });
	}
	if (cg->cpu_weight.set)
		res->cpu.shares = (struct opt_u64){ shares_of(cg->cpu_weight.v), true };
	res->cpu.quota = as_signed(&cg->cpu_quota_us);
	res->cpu.period = cg->cpu_period_us;
	res->cpu.burst = cg->cpu_burst_us;
	res->cpu.cpus = copy(b, cg->cpuset_cpus);
	res->pids.limit = as_signed(&cg->pids_max);
	for (size_t i = 0; i < cg->io_limit_count; i++) {
		const struct cg_io_limit *disk = &cg->io_limits[i];

		add_throttle(b, &res->block_io.read_bps, disk, &disk->rbps);
		add_throttle(b, &res->block_io.write_bps, disk, &disk->wbps);
		add_throttle(b, &res->block_io.read_iops, disk, &disk->riops);
		add_throttle(b, &res->block_io.write_iops, disk, &disk->wiops);
	}
	for (size_t i = 0; i < cg->device_count; i++) {
		const struct cg_device_rule *rule = &cg->devices[i];
		struct spec_device_rule *to = add(b, &res->devices, sizeof(*to));
		const char type[] = { rule->type, '\0' };
		char access[4] = "";
		size_t n = 0;

		if (rule->access & CG_DEV_READ)
			access[n++] = 'r';
		if (rule->access & CG_DEV_WRITE)
			access[n++] = 'w';
		if (rule->access & CG_DEV_MKNOD)
			access[n++] = 'm';
		to->allow = rule->allow;
		to->type = copy(b, type);
		to->major = (struct opt_i64){ rule->major, rule->major >= 0 };
		to->minor = (struct opt_i64){ rule->minor, rule->minor >= 0 };
		to->access = copy(b, access);
	}
}

static void add_annotations(struct build *b)
{
	const struct strmap *labels = &b->config->labels;

	add_pair(b, &b->spec->annotations, "ctr.partition", b->config->name);
	for (size_t i = 0; i < labels->n; i++) {
		const char *key = arena_printf(b->arena, "ctr.label.%s", labels->v[i].key);

		b->failed |= !key;
		if (key)
			add_pair(b, &b->spec->annotations, key, labels->v[i].value);
	}
}

static int add_seccomp(struct build *b, uint64_t caps, struct err *e)
{
	if (b->config->security.seccomp == CONFIG_SECCOMP_UNCONFINED)
		return 0;
	return seccomp_default_spec(caps, b->config->security.userns, b->arena,
				    &b->spec->linux_.seccomp, e);
}

int config_to_spec(const struct config *config, const struct config_facts *facts,
		   struct arena *arena, struct spec *ret, struct err *e)
{
	struct spec spec = { 0 };
	struct build b = { .config = config, .facts = facts, .arena = arena, .spec = &spec };
	uint64_t caps = config_caps(config);
	struct cg_resources cg;
	int r;

	if (!config->name)
		return err_say(e, -EINVAL, "the config has no name");
	if (config->security.userns && !facts->id_base)
		return err_say(e, -EINVAL, "security.userns is on, but '%s' has no range of ids",
			       config->name);
	r = config_to_cgroup(config, facts, arena, &cg, e);
	if (r < 0)
		return r;
	spec.oci_version = copy(&b, "1.2.0");
	spec.hostname = copy(&b, config->hostname ? config->hostname : config->name);
	spec.root = arena_alloc(arena, sizeof(*spec.root));
	b.failed |= !spec.root;
	if (spec.root)
		*spec.root = (struct spec_root){ copy(&b, facts->rootfs), config->root.readonly };
	spec.linux_.cgroups_path = arena_printf(arena, "/ctr/%s", config->name);
	b.failed |= !spec.linux_.cgroups_path;
	spec.linux_.sysctl = config->sysctl;
	add_process(&b, caps);
	add_mounts(&b);
	add_covered_paths(&b);
	add_namespaces(&b);
	add_devices(&b);
	add_resources(&b, &cg);
	add_annotations(&b);
	r = add_seccomp(&b, caps, e);
	if (r < 0)
		return r;
	if (b.failed)
		return err_set(e, -ENOMEM, "make the OCI config of '%s'", config->name);
	*ret = spec;
	return 0;
}
