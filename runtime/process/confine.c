/* SPDX-License-Identifier: Apache-2.0 */
/* Confining one process: ids, capabilities, limits, filter, execve. */
#include "runtime/process/confine.h"

#include "base/feat.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "namespaces/ns.h"
#include "runtime/handshake.h"
#include "runtime/process/passwd.h"
#include "runtime/process/why.h"
#include "runtime/spec/spec.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static char **argv_of(const struct strv *words, struct arena *arena)
{
	char **argv = arena_alloc(arena, (words->n + 1) * sizeof(char *));

	if (argv && words->n)
		memcpy(argv, words->v, words->n * sizeof(char *));
	return argv;
}

static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");

	return a[len] == '=' && strncmp(a, b, len + 1) == 0;
}

/* Of several with one name the last is meant, and getenv(3) would find the first. */
static bool is_overridden(const struct strv *env, size_t i)
{
	for (size_t j = i + 1; j < env->n; j++)
		if (same_name(env->v[i], env->v[j]))
			return true;
	return false;
}

/* Without a HOME, or with an empty one, the child looks it up in the container's passwd file: no
 * rule of the spec, but what programs in containers have come to rely on. */
static int plan_env(const struct strv *env, struct arena *arena, struct confine *c)
{
	char **envp = arena_alloc(arena, (env->n + 2) * sizeof(char *));
	bool has_home = false;
	size_t n = 0;

	if (!envp)
		return -ENOMEM;
	for (size_t i = 0; i < env->n; i++) {
		bool is_home = strncmp(env->v[i], "HOME=", 5) == 0;

		if (is_overridden(env, i) || (is_home && !env->v[i][5]))
			continue;
		has_home |= is_home;
		envp[n++] = env->v[i];
	}
	c->envp = envp;
	c->home = has_home ? NULL : &envp[n];
	return 0;
}

static const char *path_of(char *const *envp)
{
	for (; *envp; envp++)
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
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
	const char *name = p->args.v[0], *path = path_of(c->envp);
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

		if (name_value(spec_rlimit_names, from[i].type, &resource) < 0)
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

static void tell_lost(struct text *text, uint64_t lost, const char *what, const char *why)
{
	for (int cap = 0; cap < 64; cap++)
		if (lost & (UINT64_C(1) << cap))
			text_addf(text, "%s%s %s: %s", text->len ? "; " : "", what, caps_name(cap),
				  why);
}

/*
 * config.md "process.capabilities": what cannot be granted is a warning and no error. Nothing of it
 * would make the process less confined:
 *   unknown names       of a newer kernel than ours
 *   what we lack        our bounding set ends what we can give, but in a new user namespace, which
 *                       starts with full sets: user_namespaces(7)
 *   what capset refuses capabilities(7): effective beyond permitted, inheritable beyond bounding,
 *                       ambient beyond permitted and inheritable
 */
static int plan_caps(const struct spec_capabilities *from, bool userns, struct arena *arena,
		     struct confine *c)
{
	struct caps *caps = &c->caps;
	/* clang-format off */
	const struct { const char *name; const struct strv *words; uint64_t *mask; } sets[] = {
		{ "bounding",	 &from->bounding,    &caps->bounding },
		{ "effective",	 &from->effective,   &caps->effective },
		{ "permitted",	 &from->permitted,   &caps->permitted },
		{ "inheritable", &from->inheritable, &caps->inheritable },
		{ "ambient",	 &from->ambient,     &caps->ambient },
	};
	/* clang-format on */
	uint64_t available = userns ? UINT64_MAX : caps_available(), missing = 0;
	own_text struct text lost = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		const char *unknown;

		*sets[i].mask = caps_known(sets[i].words, &unknown);
		if (unknown)
			text_addf(&lost, "%sunknown capability '%s'", lost.len ? "; " : "",
				  unknown);
		missing |= *sets[i].mask & ~available;
		*sets[i].mask &= available;
	}
	tell_lost(&lost, missing, "can't grant", "this host took it from us");
	tell_lost(&lost, caps->effective & ~caps->permitted, "can't make effective",
		  "it is not permitted");
	caps->effective &= caps->permitted;
	tell_lost(&lost, caps->inheritable & ~caps->bounding, "can't make inheritable",
		  "it is not bounding");
	caps->inheritable &= caps->bounding;
	tell_lost(&lost, caps->ambient & ~(caps->permitted & caps->inheritable),
		  "can't raise ambient capability", "it is not permitted and inheritable");
	caps->ambient &= caps->permitted & caps->inheritable;
	if (text_failed(&lost))
		return -ENOMEM;
	if (!lost.len)
		return 0;
	c->ungranted = arena_printf(arena, "process.capabilities: %s", text_str(&lost));
	return c->ungranted ? 0 : -ENOMEM;
}

static bool has_userns(const struct spec *spec)
{
	const struct spec_namespace *list = spec->linux_.namespaces.v;

	for (size_t i = 0; i < spec->linux_.namespaces.n; i++)
		if (list[i].kind == NS_USER)
			return true;
	return false;
}

static void plan_container(const struct spec *spec, struct confine *c)
{
	const struct spec_personality *p = spec->linux_.personality;
	const char *keep = spec_annotation(spec, "run.oci.keep_original_groups");

	c->keep_groups = keep && strcmp(keep, "1") == 0;
	c->has_personality = p != NULL;
	c->personality = p ? p->domain : PER_LINUX;
}

int confine_plan(const struct spec_process *p, const struct spec *spec, struct arena *arena,
		 struct confine *ret, struct err *e)
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
		.lsm = lsm_plan(p),
	};
	int r;

	c.argv = argv_of(&p->args, arena);
	if (!c.argv)
		return -ENOMEM;
	if (spec)
		plan_container(spec, &c);
	if (p->console_size) {
		c.rows = (unsigned short)p->console_size->height;
		c.columns = (unsigned short)p->console_size->width;
	}
	r = plan_env(&p->env, arena, &c);
	if (r == 0)
		r = plan_candidates(p, arena, &c);
	if (r == 0)
		r = plan_groups(&p->user, arena, &c);
	if (r == 0)
		r = plan_rlimits(p, arena, &c, e);
	if (r == 0 && p->capabilities)
		r = plan_caps(p->capabilities, spec && has_userns(spec), arena, &c);
	if (r == 0)
		r = sched_plan(p, spec ? spec->linux_.memory_policy : NULL, arena, &c.sched, e);
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
	if (r == -EACCES && !feat_is_initial_userns())
		return 0; /* the right to lower it is not in this user namespace, whoever asks */
	if (r < 0) {
		err_set(e, r, "set process.oomScoreAdj to %d", score);
		err_hint(e, "lowering it needs CAP_SYS_RESOURCE");
	}
	return r;
}

static const char own_score[] = "/proc/self/oom_score_adj";

int confine_lend_oom_score(const struct confine *c, struct confine_score *ret, struct err *e)
{
	char value[16];
	ssize_t n;
	int r;

	*ret = (struct confine_score){ 0 };
	if (!c->has_oom_score)
		return 0;
	n = file_read(AT_FDCWD, own_score, ret->before, sizeof(ret->before));
	if (n < 0) {
		ret->before[0] = '\0';
		return err_set(e, (int)n, "read '%s'", own_score);
	}
	(void)snprintf(value, sizeof(value), "%d", c->oom_score_adj);
	r = file_write(AT_FDCWD, own_score, value);
	return r < 0 && r != -EACCES ? err_set(e, r, "set process.oomScoreAdj to %s", value) : 0;
}

void confine_restore_oom_score(const struct confine_score *score)
{
	if (score->before[0])
		(void)file_write(AT_FDCWD, own_score, score->before); /* was ours: is allowed */
}

int confine_parent(const struct confine *c, pid_t pid, bool lent, struct err *e)
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
	return c->has_oom_score && !lent ? set_oom_score(c->oom_score_adj, pid, e) : 0;
}

int confine_find(const struct confine *c, struct err *e)
{
	bool searches = !strchr(c->argv[0], '/');
	int denied = -1, why = -ENOENT;

	for (int i = 0; c->candidates[i]; i++) {
		struct stat st;

		if (stat(c->candidates[i], &st) < 0)
			why = -errno;
		else if (S_ISDIR(st.st_mode))
			why = -EISDIR;
		else if (faccessat(AT_FDCWD, c->candidates[i], X_OK, AT_EACCESS) == 0)
			return i;
		else
			denied = i;
	}
	if (denied >= 0)
		return why_exec(c->candidates[denied], -EACCES, e);
	if (!searches || (why == -EISDIR && !c->candidates[1]))
		return why_exec(c->candidates[0], why, e);
	return err_say(e, -ENOENT, "exec %s: executable file not found in $PATH", c->argv[0]);
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

/* So that a process which is not root can open /dev/stderr. What cannot change hands (no id of
 * ours, read-only) works as far as it does; the caller's own terminal, and /dev/null, stay his. */
static int own_stdio(const struct confine *c, struct err *e)
{
	for (int fd = 0; fd < 3; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0 || st.st_uid == c->uid)
			continue;
		if (S_ISCHR(st.st_mode) && (st.st_rdev == makedev(1, 3) || !c->terminal))
			continue;
		if (fchown(fd, c->uid, (gid_t)-1) < 0 && errno != EPERM && errno != EROFS &&
		    errno != EINVAL)
			return err_set(e, -errno, "give descriptor %d to uid %u", fd, c->uid);
	}
	return 0;
}

static int set_home(const struct confine *c, struct err *e)
{
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_passwd struct passwd_entry entry = { .text = NULL };
	bool found = root >= 0 && passwd_find(root, c->uid, &entry) == 0 && *entry.home;

	/* lives until execve has copied it */
	if (asprintf(c->home, "HOME=%s", found ? entry.home : "/") < 0)
		return err_set(e, -ENOMEM, "set HOME");
	return 0;
}

/* user_namespaces(7): one may deny setgroups to everybody in it, and the groups stay then. With
 * the capability in hand that is the only reason for EPERM. */
static int set_groups(const struct confine *c, struct err *e)
{
	/* An empty list is set too, so that no group of the caller stays. */
	if (c->keep_groups || syscall(SYS_setgroups, c->group_count, c->groups) == 0)
		return 0;
	if (errno == EPERM && (feat_has_cap(CAP_SETGID) || !c->group_count))
		return 0;
	return err_set(e, -errno, "set supplementary groups");
}

static int unmapped(int code, const char *what, uint32_t id, struct err *e)
{
	if (code == -EINVAL)
		return err_say(e, code, "set %s %u: the user namespace does not map it", what, id);
	return err_set(e, code, "set %s %u", what, id);
}

static int set_ids(const struct confine *c, struct err *e)
{
	int r = set_groups(c, e);

	/* Raw calls: the process has one thread, and must act on itself alone. */
	if (r < 0)
		return r;
	if (syscall(SYS_setresgid, c->gid, c->gid, c->gid) < 0)
		return unmapped(-errno, "gid", c->gid, e);
	if (syscall(SYS_setresuid, c->uid, c->uid, c->uid) < 0)
		return unmapped(-errno, "uid", c->uid, e);
	return 0;
}

static int load_filter(const struct confine *c, int sock, struct err *e)
{
	int r;

	if (!c->has_seccomp)
		return 0;
	r = seccomp_install(&c->seccomp);
	if (r < 0)
		return err_set(e, r, "load the seccomp filter");
	/* The listener is close-on-exec; to close it here could be notified about. */
	return r > 0 ? hs_show_listener(sock, r, e) : 0;
}

int confine_apply(const struct confine *c, int sock, struct err *e)
{
	bool inside = chdir(c->cwd) == 0;
	int r;

	if (!inside && errno != EACCES)
		return err_set(e, -errno, "working directory '%s'", c->cwd);
	/* Here, since a filter may refuse the call that it takes. */
	r = inside ? check_cwd(c->cwd, e) : 0;
	if (r == 0)
		r = own_stdio(c, e);
	if (r == 0 && c->home)
		r = set_home(c, e);
	if (r == 0)
		r = sched_apply(&c->sched, e);
	if (r < 0)
		return r;
	if (c->has_personality && personality(c->personality) < 0)
		return err_set(e, -errno, "linux.personality");
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
		r = load_filter(c, sock, e);
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
	if (inside)
		return 0;
	if (chdir(c->cwd) < 0)
		return err_set(e, -errno, "working directory '%s'", c->cwd);
	return check_cwd(c->cwd, e);
}

int confine_seal(const struct confine *c, int sock, struct err *e)
{
	return c->no_new_privs ? load_filter(c, sock, e) : 0;
}

int confine_exec(const struct confine *c, int candidate, struct err *e)
{
	(void)execve(c->candidates[candidate], c->argv, c->envp); /* returns on failure only */
	return why_exec(c->candidates[candidate], -errno, e);
}
