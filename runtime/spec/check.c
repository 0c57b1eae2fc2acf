/* SPDX-License-Identifier: Apache-2.0 */
/* What a config.json must fulfil beyond each field's own kind and range. Nothing is touched. */
#include "runtime/spec/spec.h"

#include "base/own.h"
#include "namespaces/ns.h"
#include "runtime/hooks.h"

#include <linux/utsname.h>
#include <net/if.h>
#include <string.h>

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

static bool has_intel_rdt(const struct spec *spec)
{
	return spec->linux_.intel_rdt;
}

/* clang-format off */
static const struct {
	const char *path;
	bool (*in_spec)(const struct spec *spec);
} missing[] = {
	{ "linux.intelRdt",		.in_spec = has_intel_rdt },
};
/* clang-format on */

bool spec_implements(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		if (strcmp(missing[i].path, path) == 0)
			return false;
	return true;
}

static int refuse_missing(const struct spec *spec, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		if (missing[i].in_spec(spec))
			return err_say(e, -ENOTSUP, "%s: is not supported yet", missing[i].path);
	return 0;
}

/* Rules about one process. */

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
	if (r == 0)
		r = check_rlimits(p, e);
	return r;
}

int spec_check_process(const struct spec_process *process, struct err *e)
{
	return check_process(process, e);
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

/* dev_valid_name() of the kernel, and at most one %d as in alloc_netdev(9) */
static bool is_device_name(const char *name)
{
	const char *number = strstr(name, "%d");
	size_t len = strlen(name);

	if (!len || len >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (const char *s = name; *s; s++)
		if (strchr("/: \t\n\v\f\r", *s) || (*s == '%' && s != number))
			return false;
	return true;
}

static int check_net_devices(const struct spec *spec, const struct seen *seen, struct err *e)
{
	const char *name;
	json_t *value;

	json_object_foreach(spec->linux_.net_devices, name, value) {
		const char *inside = json_string_value(json_object_get(value, "name"));

		if (!is_device_name(name) || strchr(name, '%'))
			return err_say(e, -EINVAL,
				       "linux.netDevices: '%s' is not the name of a network device",
				       name);
		if (says(inside) && !is_device_name(inside))
			return err_say(e, -EINVAL,
				       "linux.netDevices.%s.name: '%s' is not the name of a "
				       "network device",
				       name, inside);
		if (!seen->has[NS_NET])
			return err_say(e, -EINVAL, "linux.netDevices: needs a network namespace");
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

static bool is_notify(const char *action)
{
	return action && strcmp(action, "SCMP_ACT_NOTIFY") == 0;
}

static bool has_word(const struct strv *words, const char *word)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->v[i], word) == 0)
			return true;
	return false;
}

/* Without a rule that notifies, the spec has the listener ignored. */
static int check_seccomp(const struct spec *spec, struct err *e)
{
	const struct spec_seccomp *seccomp = spec->linux_.seccomp;
	const struct spec_seccomp_rule *rules = seccomp->syscalls.v;
	bool notifies = false;

	if (says(seccomp->listener_metadata) && !spec_listener(spec))
		return err_say(e, -EINVAL,
			       "linux.seccomp.listenerMetadata: needs linux.seccomp.listenerPath");
	/* See runtime/listener.h: with it the process says where its listener is. */
	if (is_notify(seccomp->default_action))
		return err_say(e, -EINVAL,
			       "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be used as "
			       "default action");
	for (size_t i = 0; i < seccomp->syscalls.n; i++) {
		if (!is_notify(rules[i].action))
			continue;
		if (has_word(&rules[i].names, "write"))
			return err_say(e, -EINVAL,
				       "linux.seccomp.syscalls[%zu]: SCMP_ACT_NOTIFY cannot be "
				       "used for the write syscall",
				       i);
		notifies = true;
	}
	if (notifies && !spec_listener(spec))
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
		r = check_net_devices(spec, &seen, e);
	if (r == 0)
		r = check_sysctl(spec, &seen, e);
	if (r == 0)
		r = check_cgroups_path(l->cgroups_path, e);
	if (r == 0 && l->seccomp)
		r = check_seccomp(spec, e);
	if (r == 0 && l->personality && l->personality->flags.n)
		r = err_say(e, -EINVAL, "linux.personality.flags: there are none: '%s'",
			    l->personality->flags.v[0]);
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

static int check_hooks(const struct spec_hooks *hooks, struct err *e)
{
	for (enum hook_point point = 0; point < HOOK_POINTS; point++) {
		const struct js_list *list = hooks_list(hooks, point);
		const struct spec_hook *v = list->v;

		for (size_t i = 0; i < list->n; i++)
			if (v[i].path[0] != '/')
				return err_say(e, -EINVAL,
					       "hooks.%s[%zu].path: '%s' is not an absolute path",
					       hook_point_names[point], i, v[i].path);
	}
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
		r = check_hooks(&spec->hooks, e);
	if (r == 0)
		r = refuse_missing(spec, e);
	return r;
}
