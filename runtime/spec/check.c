/* SPDX-License-Identifier: Apache-2.0 */
/* What a config.json must fulfil beyond each field's own kind and range. Nothing is touched. */
#include "runtime/spec/spec.h"

#include "base/own.h"
#include "namespaces/ns.h"
#include "runtime/process/caps.h"

#include <linux/utsname.h>
#include <string.h>
#include <sys/personality.h>

enum {
	ID_LINES_MAX = 340, /* of one map: user_namespaces(7) */
	MAJOR_MAX = 4095,   /* 12 and 20 bits: include/linux/kdev_t.h */
	MINOR_MAX = 1048575,
	TERMINAL_MAX = 65535, /* struct winsize */
};

static bool says(const char *s)
{
	return s && *s;
}

/* What the engines do not do yet. A row goes when its feature comes; `features` reads them too. */

#define HOOKS(member)                                           \
	static bool has_hooks_##member(const struct spec *spec) \
	{                                                       \
		return spec->hooks.member.n > 0;                \
	}
HOOKS(prestart)
HOOKS(create_runtime)
HOOKS(create_container)
HOOKS(start_container)
HOOKS(poststart)
HOOKS(poststop)

static bool has_net_devices(const struct spec *spec)
{
	return json_object_size(spec->linux_.net_devices) > 0;
}

static bool has_intel_rdt(const struct spec *spec)
{
	return spec->linux_.intel_rdt;
}

static bool has_memory_policy(const struct spec *spec)
{
	return spec->linux_.memory_policy;
}

/* LINUX is what a process has anyway. */
static bool has_personality(const struct spec *spec)
{
	const struct spec_personality *p = spec->linux_.personality;

	return p && (p->domain != PER_LINUX || p->flags.n > 0);
}

static bool has_rdma(const struct spec *spec)
{
	return json_object_size(spec->linux_.resources.rdma) > 0;
}

static bool has_network(const struct spec *spec)
{
	const struct spec_network *n = &spec->linux_.resources.network;

	return (n->class_id.set && n->class_id.v) || n->priorities.n > 0;
}

static bool notifies(const struct spec_seccomp *seccomp)
{
	const struct spec_seccomp_rule *rules = seccomp->syscalls.v;

	if (seccomp->default_action && strcmp(seccomp->default_action, "SCMP_ACT_NOTIFY") == 0)
		return true;
	for (size_t i = 0; i < seccomp->syscalls.n; i++)
		if (rules[i].action && strcmp(rules[i].action, "SCMP_ACT_NOTIFY") == 0)
			return true;
	return false;
}

/* Without a rule that notifies, the spec has the listener ignored. */
static bool has_listener(const struct spec *spec)
{
	return spec->linux_.seccomp && notifies(spec->linux_.seccomp);
}

static bool has_mount_label(const struct spec *spec)
{
	return says(spec->linux_.mount_label);
}

static bool has_mount_maps(const struct spec *spec)
{
	const struct spec_mount *mounts = spec->mounts.v;

	for (size_t i = 0; i < spec->mounts.n; i++)
		if (mounts[i].uid_mappings.n || mounts[i].gid_mappings.n)
			return true;
	return false;
}

static bool has_apparmor(const struct spec_process *process)
{
	return says(process->apparmor_profile) &&
	       strcmp(process->apparmor_profile, "unconfined") != 0;
}

static bool has_selinux(const struct spec_process *process)
{
	return says(process->selinux_label);
}

static bool has_scheduler(const struct spec_process *process)
{
	return process->scheduler;
}

static bool has_io_priority(const struct spec_process *process)
{
	return process->io_priority;
}

static bool has_affinity(const struct spec_process *process)
{
	const struct spec_exec_cpu_affinity *a = process->exec_cpu_affinity;

	return a && (says(a->initial) || says(a->final));
}

/* clang-format off */
static const struct {
	const char *path;
	bool (*in_spec)(const struct spec *spec); /* either of the two */
	bool (*in_process)(const struct spec_process *process);
} missing[] = {
	{ "hooks.prestart",		.in_spec = has_hooks_prestart },
	{ "hooks.createRuntime",	.in_spec = has_hooks_create_runtime },
	{ "hooks.createContainer",	.in_spec = has_hooks_create_container },
	{ "hooks.startContainer",	.in_spec = has_hooks_start_container },
	{ "hooks.poststart",		.in_spec = has_hooks_poststart },
	{ "hooks.poststop",		.in_spec = has_hooks_poststop },
	{ "linux.netDevices",		.in_spec = has_net_devices },
	{ "linux.intelRdt",		.in_spec = has_intel_rdt },
	{ "linux.memoryPolicy",		.in_spec = has_memory_policy },
	{ "linux.personality",		.in_spec = has_personality },
	{ "linux.resources.rdma",	.in_spec = has_rdma },
	{ "linux.resources.network",	.in_spec = has_network },
	{ "linux.seccomp.listenerPath", .in_spec = has_listener },
	{ "linux.mountLabel",		.in_spec = has_mount_label },
	{ "mounts.uidMappings",		.in_spec = has_mount_maps },
	{ "process.apparmorProfile",	.in_process = has_apparmor },
	{ "process.selinuxLabel",	.in_process = has_selinux },
	{ "process.scheduler",		.in_process = has_scheduler },
	{ "process.ioPriority",		.in_process = has_io_priority },
	{ "process.execCPUAffinity",	.in_process = has_affinity },
};
/* clang-format on */

bool spec_implements(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		if (strcmp(missing[i].path, path) == 0)
			return false;
	return true;
}

static int refuse_missing(const struct spec *spec, const struct spec_process *process,
			  struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		if ((spec && missing[i].in_spec && missing[i].in_spec(spec)) ||
		    (process && missing[i].in_process && missing[i].in_process(process)))
			return err_say(e, -ENOTSUP, "%s: is not supported yet", missing[i].path);
	return 0;
}

/* Rules about one process. */

static int check_sets(const struct spec_capabilities *from, struct err *e)
{
	struct caps caps = { 0 };
	/* clang-format off */
	const struct {
		const char *name;
		const struct strv *list;
		uint64_t *mask;
	} sets[] = {
		{ "bounding",	 &from->bounding,    &caps.bounding },
		{ "effective",	 &from->effective,   &caps.effective },
		{ "inheritable", &from->inheritable, &caps.inheritable },
		{ "permitted",	 &from->permitted,   &caps.permitted },
		{ "ambient",	 &from->ambient,     &caps.ambient },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		int r = caps_mask(sets[i].list, sets[i].mask, e);

		if (r < 0)
			return err_wrap(e, r, "process.capabilities.%s", sets[i].name);
	}
	/* capabilities(7): capset(2) and PR_CAP_AMBIENT_RAISE would fail without a name */
	for (int cap = 0; cap < 64; cap++) {
		uint64_t bit = UINT64_C(1) << cap;

		if ((caps.effective & bit) && !(caps.permitted & bit))
			return err_say(e, -EINVAL,
				       "process.capabilities.effective: %s is not permitted",
				       caps_name(cap));
	}
	return 0;
}

static int check_rlimits(const struct spec_process *process, struct err *e)
{
	const struct spec_rlimit *limits = process->rlimits.v;
	uint64_t seen = 0;

	for (size_t i = 0; i < process->rlimits.n; i++) {
		uint64_t resource;

		if (name_value(spec_rlimit_names, limits[i].type, &resource) < 0) {
			char known[sizeof(e->hint)];

			err_say(e, -EINVAL, "process.rlimits[%zu].type: unknown limit '%s'", i,
				limits[i].type);
			err_hint(e, "known: %s",
				 name_list(spec_rlimit_names, known, sizeof(known)));
			return -EINVAL;
		}
		if (seen & (UINT64_C(1) << resource))
			return err_say(e, -EINVAL, "process.rlimits[%zu].type: second %s", i,
				       limits[i].type);
		seen |= UINT64_C(1) << resource;
		if (limits[i].soft > limits[i].hard)
			return err_say(e, -EINVAL,
				       "process.rlimits[%zu].soft: %llu is above the hard limit "
				       "%llu",
				       i, (unsigned long long)limits[i].soft,
				       (unsigned long long)limits[i].hard);
	}
	return 0;
}

/* setresuid(2) and its kin take -1 for "leave it", which would leave root. */
static int check_user(const struct spec_user *user, struct err *e)
{
	if (user->uid == UINT32_MAX)
		return err_say(e, -EINVAL, "process.user.uid: 4294967295 is no user");
	if (user->gid == UINT32_MAX)
		return err_say(e, -EINVAL, "process.user.gid: 4294967295 is no group");
	for (size_t i = 0; i < user->additional_gids.n; i++)
		if (user->additional_gids.v[i] == UINT32_MAX)
			return err_say(e, -EINVAL,
				       "process.user.additionalGids[%zu]: 4294967295 is no group",
				       i);
	if (user->umask.set && user->umask.v > 0777)
		return err_say(e, -EINVAL, "process.user.umask: %llu is above 511 (octal 777)",
			       (unsigned long long)user->umask.v);
	return 0;
}

static int check_process(const struct spec_process *p, struct err *e)
{
	int r;

	if (p->args.n == 0)
		return err_say(e, -EINVAL, "process.args: must not be empty");
	if (!says(p->cwd))
		return err_say(e, -EINVAL, "process.cwd: must not be empty");
	if (p->cwd[0] != '/')
		return err_say(e, -EINVAL, "process.cwd: '%s' is not an absolute path", p->cwd);
	if (p->console_size &&
	    (p->console_size->height > TERMINAL_MAX || p->console_size->width > TERMINAL_MAX))
		return err_say(e, -EINVAL,
			       "process.consoleSize: a terminal has at most %d rows "
			       "and columns",
			       TERMINAL_MAX);
	if (p->oom_score_adj.set && (p->oom_score_adj.v < -1000 || p->oom_score_adj.v > 1000))
		return err_say(e, -EINVAL, "process.oomScoreAdj: %lld is not within -1000 to 1000",
			       (long long)p->oom_score_adj.v);
	r = check_user(&p->user, e);
	if (r == 0 && p->capabilities)
		r = check_sets(p->capabilities, e);
	if (r == 0)
		r = check_rlimits(p, e);
	return r;
}

int spec_check_process(const struct spec_process *process, struct err *e)
{
	int r = check_process(process, e);

	return r < 0 ? r : refuse_missing(NULL, process, e);
}

/* Rules about the container. */

struct seen {
	bool has[NS_KINDS], is_new[NS_KINDS];
};

static int check_namespaces(const struct spec *spec, struct seen *seen, struct err *e)
{
	const struct spec_namespace *list = spec->linux_.namespaces.v;

	for (size_t i = 0; i < spec->linux_.namespaces.n; i++) {
		uint32_t kind = list[i].kind;

		if (seen->has[kind])
			return err_say(e, -EINVAL, "linux.namespaces[%zu].type: second %s", i,
				       name_of(ns_names, kind));
		seen->has[kind] = true;
		seen->is_new[kind] = !says(list[i].path);
		if (says(list[i].path) && list[i].path[0] != '/')
			return err_say(e, -EINVAL,
				       "linux.namespaces[%zu].path: '%s' is not an absolute path",
				       i, list[i].path);
	}
	return 0;
}

static bool overlap(uint32_t a, uint32_t b, uint32_t size_a, uint32_t size_b)
{
	return a < (uint64_t)b + size_b && b < (uint64_t)a + size_a;
}

static int check_map(const struct js_list *list, const char *key, struct err *e)
{
	const struct spec_id_map *maps = list->v;

	if (list->n > ID_LINES_MAX)
		return err_say(e, -EINVAL, "linux.%s: the kernel takes at most %d", key,
			       ID_LINES_MAX);
	for (size_t i = 0; i < list->n; i++) {
		const struct spec_id_map *a = &maps[i];

		if (a->size == 0)
			return err_say(e, -EINVAL, "linux.%s[%zu].size: must not be 0", key, i);
		if ((uint64_t)a->container_id + a->size > UINT32_MAX ||
		    (uint64_t)a->host_id + a->size > UINT32_MAX)
			return err_say(e, -EINVAL, "linux.%s[%zu].size: goes beyond the last id",
				       key, i);
		for (size_t j = 0; j < i; j++) {
			const struct spec_id_map *b = &maps[j];

			if (overlap(a->container_id, b->container_id, a->size, b->size) ||
			    overlap(a->host_id, b->host_id, a->size, b->size))
				return err_say(e, -EINVAL, "linux.%s[%zu]: overlaps with [%zu]",
					       key, i, j);
		}
	}
	return 0;
}

static int check_maps(const struct spec *spec, const struct seen *seen, struct err *e)
{
	const struct spec_linux *l = &spec->linux_;
	int r;

	if (!seen->has[NS_USER] && (l->uid_mappings.n || l->gid_mappings.n))
		return err_say(e, -EINVAL, "linux.%s: needs a user namespace",
			       l->uid_mappings.n ? "uidMappings" : "gidMappings");
	if (seen->is_new[NS_USER] && (!l->uid_mappings.n || !l->gid_mappings.n))
		return err_say(e, -EINVAL, "linux.%s: a new user namespace needs one",
			       l->uid_mappings.n ? "gidMappings" : "uidMappings");
	r = check_map(&l->uid_mappings, "uidMappings", e);
	return r < 0 ? r : check_map(&l->gid_mappings, "gidMappings", e);
}

static int check_name(const char *name, const char *key, const struct seen *seen, struct err *e)
{
	if (!says(name))
		return 0;
	if (!seen->has[NS_UTS])
		return err_say(e, -EINVAL, "%s: needs a uts namespace", key);
	if (strlen(name) > __NEW_UTS_LEN)
		return err_say(e, -EINVAL, "%s: longer than %d bytes", key, __NEW_UTS_LEN);
	return 0;
}

static int check_devices(const struct spec *spec, struct err *e)
{
	const struct spec_device *list = spec->linux_.devices.v;

	for (size_t i = 0; i < spec->linux_.devices.n; i++) {
		const struct spec_device *d = &list[i];

		if (d->path[0] != '/')
			return err_say(e, -EINVAL,
				       "linux.devices[%zu].path: '%s' is not an absolute path", i,
				       d->path);
		if (d->type[0] != 'p' &&
		    (d->major < 0 || d->major > MAJOR_MAX || d->minor < 0 || d->minor > MINOR_MAX))
			return err_say(e, -EINVAL,
				       "linux.devices[%zu]: %lld:%lld is not a device number", i,
				       (long long)d->major, (long long)d->minor);
		if ((d->uid.set && d->uid.v == UINT32_MAX) ||
		    (d->gid.set && d->gid.v == UINT32_MAX))
			return err_say(e, -EINVAL,
				       "linux.devices[%zu]: 4294967295 is no user or group", i);
	}
	return 0;
}

static int check_paths(const struct strv *paths, const char *key, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++)
		if (paths->v[i][0] != '/')
			return err_say(e, -EINVAL, "linux.%s[%zu]: '%s' is not an absolute path",
				       key, i, paths->v[i]);
	return 0;
}

/* clang-format off */
/* sysctls that a namespace has of its own; all others are the host's. A name that ends in a dot
 * stands for what is below it. */
static const struct {
	const char *name;
	enum ns_kind kind;
} sysctls[] = {
	{ "net.",		      NS_NET },
	{ "fs.mqueue.",		      NS_IPC },
	{ "kernel.msgmax",	      NS_IPC },
	{ "kernel.msgmnb",	      NS_IPC },
	{ "kernel.msgmni",	      NS_IPC },
	{ "kernel.msg_next_id",	      NS_IPC },
	{ "kernel.sem",		      NS_IPC },
	{ "kernel.sem_next_id",	      NS_IPC },
	{ "kernel.shmall",	      NS_IPC },
	{ "kernel.shmmax",	      NS_IPC },
	{ "kernel.shmmni",	      NS_IPC },
	{ "kernel.shm_next_id",	      NS_IPC },
	{ "kernel.shm_rmid_forced",   NS_IPC },
	{ "kernel.domainname",	      NS_UTS },
	{ "user.",		      NS_USER },
};
/* clang-format on */

/* sysctl(8): the first separator says which of the two the name is written with; the other one
 * then is a part of a name ("net/ipv4/conf/eth0.1/mtu"). Into @buf with dots between components;
 * Return: false when it is not a name. */
static bool sysctl_name(const char *key, char *buf, size_t size)
{
	char separator = key[strcspn(key, "./")];
	size_t n = 0, start = 0;

	for (; n < size && key[n]; n++) {
		bool ends = key[n] == separator;

		if (!ends && !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_-:@./",
				     key[n]))
			return false;
		/* no empty component, and neither "." nor ".." */
		if (ends && n == start)
			return false;
		if (!ends && key[n] == '.' && n == start)
			return false;
		buf[n] = key[n];
		if (ends) {
			buf[n] = '.';
			start = n + 1;
		}
	}
	if (n == size || n == start)
		return false;
	buf[n] = '\0';
	return true;
}

static int check_sysctl(const struct spec *spec, const struct seen *seen, struct err *e)
{
	for (size_t i = 0; i < spec->linux_.sysctl.n; i++) {
		const char *key = spec->linux_.sysctl.v[i].key;
		char name[256];
		size_t row = 0;

		if (!sysctl_name(key, name, sizeof(name)))
			return err_say(e, -EINVAL, "linux.sysctl: '%s' is not a name", key);
		for (; row < ARRAY_SIZE(sysctls); row++) {
			size_t len = strlen(sysctls[row].name);

			if (sysctls[row].name[len - 1] == '.'
				    ? strncmp(name, sysctls[row].name, len) == 0
				    : strcmp(name, sysctls[row].name) == 0)
				break;
		}
		if (row == ARRAY_SIZE(sysctls))
			return err_say(e, -EINVAL, "linux.sysctl: '%s' belongs to the host", key);
		if (!seen->has[sysctls[row].kind])
			return err_say(e, -EINVAL, "linux.sysctl: '%s' needs a %s namespace", key,
				       name_of(ns_names, sysctls[row].kind));
	}
	return 0;
}

/* "slice:prefix:name" has no ".." either. */
static int check_cgroups_path(const char *path, struct err *e)
{
	for (const char *s = path; s && *s; s += strspn(s, "/")) {
		size_t len = strcspn(s, "/");

		if (len == 2 && s[0] == '.' && s[1] == '.')
			return err_say(e, -EINVAL, "linux.cgroupsPath: '%s' leads upwards", path);
		s += len;
	}
	return 0;
}

static int check_seccomp(const struct spec_seccomp *seccomp, struct err *e)
{
	if (says(seccomp->listener_metadata) && !says(seccomp->listener_path))
		return err_say(e, -EINVAL,
			       "linux.seccomp.listenerMetadata: needs linux.seccomp.listenerPath");
	if (notifies(seccomp) && !says(seccomp->listener_path))
		return err_say(e, -EINVAL, "linux.seccomp.listenerPath: SCMP_ACT_NOTIFY needs it");
	return 0;
}

static int check_linux(const struct spec *spec, struct err *e)
{
	const struct spec_linux *l = &spec->linux_;
	struct seen seen = { 0 };
	int r;

	r = check_namespaces(spec, &seen, e);
	if (r == 0)
		r = check_maps(spec, &seen, e);
	if (r == 0)
		r = check_name(spec->hostname, "hostname", &seen, e);
	if (r == 0)
		r = check_name(spec->domainname, "domainname", &seen, e);
	if (r == 0 && (l->time_offsets.monotonic || l->time_offsets.boottime) &&
	    !seen.is_new[NS_TIME])
		r = err_say(e, -EINVAL, "linux.timeOffsets: needs a new time namespace");
	if (r == 0)
		r = check_devices(spec, e);
	if (r == 0)
		r = check_paths(&l->masked_paths, "maskedPaths", e);
	if (r == 0)
		r = check_paths(&l->readonly_paths, "readonlyPaths", e);
	if (r == 0)
		r = check_sysctl(spec, &seen, e);
	if (r == 0)
		r = check_cgroups_path(l->cgroups_path, e);
	if (r == 0 && l->seccomp)
		r = check_seccomp(l->seccomp, e);
	return r;
}

/* A relative destination is taken as beneath "/": the spec demands an absolute one, engines have
 * always got away without. */
static int check_mounts(const struct spec *spec, struct err *e)
{
	const struct spec_mount *mounts = spec->mounts.v;

	for (size_t i = 0; i < spec->mounts.n; i++)
		if (!says(mounts[i].destination))
			return err_say(e, -EINVAL, "mounts[%zu].destination: must not be empty", i);
	return 0;
}

int spec_check(const struct spec *spec, struct err *e)
{
	const char *version = spec->oci_version ? spec->oci_version : "";
	int r;

	if (strncmp(version, "1.", 2) != 0 || version[2] < '0' || version[2] > '9')
		return err_say(e, -EINVAL, "ociVersion: '%s' is not a version 1", version);
	if (!spec->root || !says(spec->root->path))
		return err_say(e, -EINVAL, "root.path: must not be empty");
	if (!spec->process)
		return err_say(e, -EINVAL, "process: is missing");
	r = check_process(spec->process, e);
	if (r == 0)
		r = check_mounts(spec, e);
	if (r == 0)
		r = check_linux(spec, e);
	if (r == 0)
		r = refuse_missing(spec, spec->process, e);
	return r;
}
