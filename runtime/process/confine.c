/* SPDX-License-Identifier: Apache-2.0 */
/* Confining one process: ids, capabilities, limits, filter, execve. */
#include "runtime/process/confine.h"

#include "base/file.h"
#include "base/own.h"
#include "runtime/process/why.h"
#include "runtime/spec/spec.h"

#include <fcntl.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* clang-format off */
static const struct name rlimit_names[] = {
	{ "RLIMIT_AS", RLIMIT_AS },             { "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },           { "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },       { "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },   { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },         { "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },       { "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },     { "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING }, { "RLIMIT_STACK", RLIMIT_STACK },
	{ NULL, 0 },
};
/* clang-format on */

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static char **argv_of(const struct strv *words, struct arena *arena)
{
	char **argv = arena_alloc(arena, (words->n + 1) * sizeof(char *));

	if (argv && words->n)
		memcpy(argv, words->v, words->n * sizeof(char *));
	return argv;
}

static const char *path_of(const struct strv *env)
{
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], "PATH=", 5) == 0)
			return env->v[i] + 5;
	return default_path;
}

static int add_candidate(char *path, char ***list, size_t *count, struct arena *arena)
{
	char **slot = arena_grow(arena, list, count, sizeof(char *));

	if (!slot || !path)
		return -ENOMEM;
	*slot = path;
	return 0;
}

/* execvp(3)'s search, done ahead: a name with a slash is itself, else each directory of PATH. */
static int plan_candidates(const struct spec_process *p, struct arena *arena, struct confine *c)
{
	const char *name = p->args.v[0], *path = path_of(&p->env);
	char **list = NULL, **slot;
	size_t count = 0;
	int r = 0;

	if (strchr(name, '/')) {
		r = add_candidate(arena_strdup(arena, name), &list, &count, arena);
	} else {
		while (r == 0 && *name) {
			size_t len = strcspn(path, ":");

			/* An empty element means the working directory: never a place to search. */
			if (len)
				r = add_candidate(
					arena_printf(arena, "%.*s/%s", (int)len, path, name), &list,
					&count, arena);
			path += len;
			if (!*path)
				break;
			path++;
		}
	}
	if (r < 0)
		return r;
	slot = arena_grow(arena, &list, &count, sizeof(char *)); /* the terminating NULL */
	if (!slot)
		return -ENOMEM;
	c->candidates = list;
	return 0;
}

static int plan_groups(const struct spec_user *user, struct arena *arena, struct confine *c)
{
	gid_t *groups = arena_alloc(arena, (user->additional_gids.n + 1) * sizeof(gid_t));

	if (!groups)
		return -ENOMEM;
	for (size_t i = 0; i < user->additional_gids.n; i++)
		groups[i] = user->additional_gids.v[i];
	c->groups = groups;
	c->group_count = user->additional_gids.n;
	return 0;
}

static int plan_rlimits(const struct spec_process *p, struct arena *arena, struct confine *c,
			struct err *e)
{
	const struct spec_rlimit *from = p->rlimits.v;

	c->rlimits = arena_alloc(arena, p->rlimits.n * sizeof(*c->rlimits) + 1);
	if (!c->rlimits)
		return -ENOMEM;
	for (size_t i = 0; i < p->rlimits.n; i++) {
		uint64_t resource;

		if (name_value(rlimit_names, from[i].type, &resource) < 0)
			return err_say(e, -EINVAL, "process.rlimits[%zu].type: unknown limit '%s'",
				       i, from[i].type);
		c->rlimits[i] = (struct confine_rlimit){
			.resource = (int)resource,
			.name = from[i].type,
			.limit = { .rlim_cur = from[i].soft, .rlim_max = from[i].hard },
		};
	}
	c->rlimit_count = p->rlimits.n;
	return 0;
}

static int plan_caps(const struct spec_capabilities *from, struct caps *ret, struct err *e)
{
	/* clang-format off */
	const struct { const struct strv *names; uint64_t *mask; } sets[] = {
		{ &from->bounding,    &ret->bounding },
		{ &from->effective,   &ret->effective },
		{ &from->permitted,   &ret->permitted },
		{ &from->inheritable, &ret->inheritable },
		{ &from->ambient,     &ret->ambient },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		int r = caps_mask(sets[i].names, sets[i].mask, e);

		if (r < 0)
			return err_wrap(e, r, "process.capabilities");
	}
	return 0;
}

int confine_plan(const struct spec_process *p, struct arena *arena, struct confine *ret,
		 struct err *e)
{
	struct confine c = {
		.uid = p->user.uid,
		.gid = p->user.gid,
		.cwd = p->cwd,
		.has_umask = p->user.umask.set,
		.umask = (mode_t)p->user.umask.v & 0777,
		.no_new_privs = p->no_new_privileges,
		.has_oom_score = p->oom_score_adj.set,
		.oom_score_adj = (int)p->oom_score_adj.v,
		.terminal = p->terminal,
	};
	int r;

	c.argv = argv_of(&p->args, arena);
	c.envp = argv_of(&p->env, arena);
	if (!c.argv || !c.envp)
		return -ENOMEM;
	if (p->console_size) {
		c.rows = (unsigned short)p->console_size->height;
		c.columns = (unsigned short)p->console_size->width;
	}
	r = plan_candidates(p, arena, &c);
	if (r == 0)
		r = plan_groups(&p->user, arena, &c);
	if (r == 0)
		r = plan_rlimits(p, arena, &c, e);
	if (r == 0 && p->capabilities)
		r = plan_caps(p->capabilities, &c.caps, e);
	if (r < 0)
		return r;
	*ret = c;
	return 0;
}

static int set_oom_score(int score, pid_t pid, struct err *e)
{
	char path[40], value[16];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	(void)snprintf(value, sizeof(value), "%d", score);
	r = file_write(AT_FDCWD, path, value);
	if (r < 0) {
		err_set(e, r, "set process.oomScoreAdj to %d", score);
		err_hint(e, "lowering it needs CAP_SYS_RESOURCE");
	}
	return r;
}

int confine_parent(const struct confine *c, pid_t pid, struct err *e)
{
	for (size_t i = 0; i < c->rlimit_count; i++) {
		const struct confine_rlimit *l = &c->rlimits[i];
		struct rlimit now;

		if (prlimit(pid, (__rlimit_resource_t)l->resource, &l->limit, NULL) == 0)
			continue;
		if (errno == EPERM &&
		    prlimit(pid, (__rlimit_resource_t)l->resource, NULL, &now) == 0) {
			err_say(e, -EPERM,
				"%s: hard limit %llu is above the %llu that this host allows us",
				l->name, (unsigned long long)l->limit.rlim_max,
				(unsigned long long)now.rlim_max);
			err_hint(e, "raising a hard limit needs CAP_SYS_RESOURCE");
			return -EPERM;
		}
		return err_set(e, -errno, "set %s", l->name);
	}
	return c->has_oom_score ? set_oom_score(c->oom_score_adj, pid, e) : 0;
}

int confine_find(const struct confine *c, struct err *e)
{
	int denied = -1;

	for (int i = 0; c->candidates[i]; i++) {
		struct stat st;

		if (stat(c->candidates[i], &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			if (!c->candidates[1])
				return err_say(e, -EISDIR, "exec '%s': is a directory", c->argv[0]);
			continue;
		}
		if (faccessat(AT_FDCWD, c->candidates[i], X_OK, AT_EACCESS) == 0)
			return i;
		denied = i;
	}
	if (denied >= 0)
		return err_say(e, -EACCES, "exec '%s': permission denied", c->candidates[denied]);
	if (strchr(c->argv[0], '/'))
		return err_say(e, -ENOENT, "exec '%s': no such file or directory", c->argv[0]);
	return err_say(e, -ENOENT, "exec '%s': executable file not found in $PATH", c->argv[0]);
}

/*
 * The working directory must be inside the root: a path through a descriptor that leads out would
 * show as "(unreachable)" (CVE-2024-21626). The raw call tells; glibc's getcwd would hide it.
 */
static int check_cwd(const char *cwd, struct err *e)
{
	char path[4096];

	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		return err_set(e, -errno, "working directory '%s'", cwd);
	if (path[0] != '/')
		return err_say(e, -EPERM, "working directory '%s' is outside the container's root",
			       cwd);
	return 0;
}

static int set_ids(const struct confine *c, struct err *e)
{
	/* Raw calls: the process has one thread, and must act on itself alone. An empty list is set
	 * too, so that no group of the caller stays; EPERM where a user namespace denies it. */
	if (syscall(SYS_setgroups, c->group_count, c->groups) < 0 &&
	    (errno != EPERM || c->group_count))
		return err_set(e, -errno, "set supplementary groups");
	if (syscall(SYS_setresgid, c->gid, c->gid, c->gid) < 0)
		return err_set(e, -errno, "set gid %u", c->gid);
	if (syscall(SYS_setresuid, c->uid, c->uid, c->uid) < 0)
		return err_set(e, -errno, "set uid %u", c->uid);
	return 0;
}

static int load_filter(const struct confine *c, struct err *e)
{
	int r;

	if (!c->has_seccomp)
		return 0;
	r = seccomp_install(&c->seccomp);
	return r < 0 ? err_set(e, r, "load the seccomp filter") : 0;
}

int confine_apply(const struct confine *c, struct err *e)
{
	bool inside = chdir(c->cwd) == 0;
	int r;

	if (!inside && errno != EACCES)
		return err_set(e, -errno, "working directory '%s'", c->cwd);
	if (c->has_umask)
		(void)umask(c->umask); /* cannot fail */
	else
		(void)umask(0022);
	if (c->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, -errno, "set no_new_privs");
	r = caps_drop_bounding(&c->caps);
	if (r < 0)
		return err_set(e, r, "drop bounding capabilities");
	if (!c->no_new_privs) {
		r = load_filter(c, e);
		if (r < 0)
			return r;
	}
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_set(e, -errno, "keep capabilities over the change of user");
	r = set_ids(c, e);
	if (r < 0)
		return r;
	r = caps_apply(&c->caps);
	if (r < 0)
		return err_set(e, r, "set capabilities");
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return err_set(e, -errno, "clear keepcaps");
	if (!inside && chdir(c->cwd) < 0)
		return err_set(e, -errno, "working directory '%s'", c->cwd);
	return check_cwd(c->cwd, e);
}

int confine_exec(const struct confine *c, int candidate, struct err *e)
{
	int r = 0;

	if (c->no_new_privs)
		r = load_filter(c, e);
	if (r < 0)
		return r;
	(void)execve(c->candidates[candidate], c->argv, c->envp); /* returns on failure only */
	return why_exec(c->candidates[candidate], -errno, e);
}
