/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A further process in a running container.
 *
 * DOC: the child is cloned into the container's cgroup and pid namespace and becomes undumpable
 * before it enters the other namespaces, so that nothing inside can trace it while it still holds
 * what the host gave it. It is then confined as init was: the same capability bounding set, the
 * same seccomp filter, no_new_privs if init has it. The handshake is that of a
 * start, without HS_GO: nothing has to be made for it first.
 */
#include "runtime/container.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "base/proc.h"
#include "base/sys.h"
#include "base/text.h"
#include "cgroups/systemd.h"
#include "namespaces/mount/mount.h"
#include "namespaces/ns.h"
#include "runtime/debug.h"
#include "runtime/group.h"
#include "runtime/handshake.h"
#include "runtime/life.h"
#include "runtime/listener.h"
#include "runtime/login.h"
#include "runtime/process/confine.h"
#include "runtime/self.h"
#include "runtime/sendfd.h"
#include "runtime/spec/spec.h"
#include "runtime/subgroup.h"
#include "runtime/supervise.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

enum { PROCESS_MAX_BYTES = 1024 * 1024 };

struct exec {
	struct life life;
	json_t *doc, *process_doc;
	struct spec spec;
	struct spec_process process;
	struct confine confine;
	struct subgroups groups;
	struct cg_door door;
	const struct exec_opts *opts;
	bool userns, usher;
	int sock, child_sock, pidfd, master;
	pid_t pid;
};

static void exec_done(struct exec *x)
{
	json_decref(x->doc);
	json_decref(x->process_doc);
	close_fd(&x->sock);
	close_fd(&x->child_sock);
	close_fd(&x->pidfd);
	close_fd(&x->master);
	cg_door_close(&x->door);
	life_done(&x->life);
}
#define own_exec __attribute__((cleanup(exec_done)))

static int append(struct strv *list, const char *word, struct arena *arena)
{
	char **slot = arena_grow(arena, &list->v, &list->n, sizeof(char *));

	if (!slot)
		return -ENOMEM;
	*slot = arena_strdup(arena, word);
	return *slot ? 0 : -ENOMEM;
}

/* The container's environment, with @extra over it: of two with one name the later one holds. */
static int merge_env(const struct strv *base, const struct strv *extra, struct arena *arena,
		     struct strv *ret)
{
	struct strv env = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < base->n; i++)
		r = append(&env, base->v[i], arena);
	for (size_t i = 0; r == 0 && i < extra->n; i++)
		r = append(&env, extra->v[i], arena);
	*ret = env;
	return r;
}

/* "1000" or "1000:100", strictly numbers: a name would have to be looked up in the guest's files.
 */
static int parse_user(const char *text, struct spec_user *user, struct err *e)
{
	const char *colon = strchr(text, ':');
	char uid[16];
	size_t len = colon ? (size_t)(colon - text) : strlen(text);

	if (len < sizeof(uid)) {
		memcpy(uid, text, len);
		uid[len] = '\0';
		user->gid = 0;
		if (text_u32(uid, &user->uid) == 0 &&
		    (!colon || text_u32(colon + 1, &user->gid) == 0) && user->uid != UINT32_MAX &&
		    user->gid != UINT32_MAX) {
			user->additional_gids.n = 0;
			return 0;
		}
	}
	err_say(e, -EINVAL, "--user '%s': expected UID or UID:GID, as numbers", text);
	return -EINVAL;
}

static int add_gids(const struct strv *words, struct spec_user *user, struct arena *arena,
		    struct err *e)
{
	struct u32v gids = { 0 };

	/* The array of the container's own groups is not ours to grow. */
	for (size_t i = 0; i < user->additional_gids.n + words->n; i++) {
		uint32_t *slot = arena_grow(arena, &gids.v, &gids.n, sizeof(*slot));
		size_t own = user->additional_gids.n;

		if (!slot)
			return -ENOMEM;
		if (i < own)
			*slot = user->additional_gids.v[i];
		else if (text_u32(words->v[i - own], slot) < 0 || *slot == UINT32_MAX)
			return err_say(e, -EINVAL, "--additional-gids '%s': expected a number",
				       words->v[i - own]);
	}
	user->additional_gids = gids;
	return 0;
}

static int add_caps(const struct strv *caps, struct spec_process *p, struct arena *arena)
{
	struct spec_capabilities *c = arena_alloc(arena, sizeof(*c));

	if (!c)
		return -ENOMEM;
	if (p->capabilities)
		*c = *p->capabilities;
	for (size_t i = 0; i < caps->n; i++) {
		/* Ambient ones need to be inheritable, which --cap makes none. */
		struct strv *sets[] = { &c->bounding, &c->effective, &c->permitted, &c->ambient };
		size_t count = ARRAY_SIZE(sets) - !c->inheritable.n;

		for (size_t j = 0; j < count; j++) {
			struct strv copy = { 0 };
			int r = 0;

			/* The arrays of the container's own sets are not ours to grow. */
			for (size_t k = 0; r == 0 && k < sets[j]->n; k++)
				r = append(&copy, sets[j]->v[k], arena);
			if (r == 0)
				r = append(&copy, caps->v[i], arena);
			if (r < 0)
				return r;
			*sets[j] = copy;
		}
	}
	p->capabilities = c;
	return 0;
}

/* login(1)'s environment and a login shell. */
static int log_in(struct exec *x, struct err *e)
{
	struct arena *arena = &x->life.arena;
	struct spec_process *p = &x->process;
	struct strv args = { 0 }, vars = { 0 };
	struct login who;
	int r;

	r = login_find((pid_t)x->life.state.pid, p->user.uid, arena, &who, e);
	if (r < 0)
		return r;
	const struct {
		const char *key, *value;
	} env[] = { { "HOME", who.home },
		    { "USER", who.user },
		    { "LOGNAME", who.user },
		    { "SHELL", who.shell } };

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(env); i++) {
		const char *var = arena_printf(arena, "%s=%s", env[i].key, env[i].value);

		r = var ? append(&vars, var, arena) : -ENOMEM;
	}
	if (r == 0)
		r = merge_env(&p->env, &vars, arena, &p->env);
	if (r == 0)
		r = append(&args, who.shell, arena);
	if (r == 0)
		r = append(&args, "-l", arena);
	if (!x->opts->cwd)
		p->cwd = arena_strdup(arena, who.home);
	p->args = args;
	return r;
}

static int process_from_opts(struct exec *x, struct err *e)
{
	const struct exec_opts *o = x->opts;
	struct arena *arena = &x->life.arena;
	int r;

	x->process = *x->spec.process;
	x->process.args = o->args;
	x->process.terminal = o->tty;
	x->process.console_size = NULL;
	r = merge_env(&x->spec.process->env, &o->env, arena, &x->process.env);
	if (r < 0)
		return r;
	if (o->cwd)
		x->process.cwd = arena_strdup(arena, o->cwd);
	if (o->no_new_privs)
		x->process.no_new_privileges = true;
	if (o->user) {
		r = parse_user(o->user, &x->process.user, e);
		if (r < 0)
			return r;
	}
	if (o->apparmor)
		x->process.apparmor_profile = arena_strdup(arena, o->apparmor);
	if (o->process_label)
		x->process.selinux_label = arena_strdup(arena, o->process_label);
	r = add_gids(&o->additional_gids, &x->process.user, arena, e);
	if (r == 0 && o->caps.n)
		r = add_caps(&o->caps, &x->process, arena);
	if (r == 0 && o->login)
		r = log_in(x, e);
	return r < 0 ? r : spec_check_process(&x->process, e);
}

/* What a process file does not say is as it is for init, so that a file which only has a command
 * is confined no less. */
static void inherit(struct spec_process *p, const struct spec_process *from)
{
	if (!p->capabilities)
		p->capabilities = from->capabilities;
	if (!p->rlimits.n)
		p->rlimits = from->rlimits;
	if (!p->apparmor_profile || !*p->apparmor_profile)
		p->apparmor_profile = from->apparmor_profile;
	if (!p->selinux_label || !*p->selinux_label)
		p->selinux_label = from->selinux_label;
	if (!p->scheduler)
		p->scheduler = from->scheduler;
	if (!p->io_priority)
		p->io_priority = from->io_priority;
	if (!p->exec_cpu_affinity)
		p->exec_cpu_affinity = from->exec_cpu_affinity;
	if (!p->oom_score_adj.set)
		p->oom_score_adj = from->oom_score_adj;
	if (!p->user.umask.set)
		p->user.umask = from->user.umask;
}

static int load_process(struct exec *x, struct err *e)
{
	struct js_issues issues = { .arena = &x->life.arena };
	int r;

	if (!x->opts->process)
		return process_from_opts(x, e);
	r = js_read_any(x->opts->process, PROCESS_MAX_BYTES, x->opts->process, &x->process_doc, e);
	if (r < 0)
		return r;
	r = js_decode(&spec_process_type, x->process_doc, &x->process, &issues);
	if (r < 0)
		return r == -EINVAL ? js_issues_err(&issues, x->opts->process, e) : r;
	inherit(&x->process, x->spec.process);
	return spec_check_process(&x->process, e);
}

static int check_terminal(const struct exec *x, struct err *e)
{
	bool held = x->opts->detach && x->process.terminal;

	if (held && !x->opts->console_socket) {
		err_say(e, -EINVAL, "a terminal is asked for, and nothing will hold it");
		err_hint(e, "give --console-socket, or leave --detach out");
		return -EINVAL;
	}
	if (x->opts->console_socket && !held)
		return err_say(e, -EINVAL, "--console-socket needs a terminal and --detach");
	return 0;
}

static bool has_userns(const struct spec *spec)
{
	const struct spec_namespace *list = spec->linux_.namespaces.v;

	for (size_t i = 0; i < spec->linux_.namespaces.n; i++)
		if (list[i].kind == NS_USER)
			return true;
	return false;
}

static int prepare(struct exec *x, struct err *e)
{
	struct arena *arena = &x->life.arena;
	int r;

	r = state_load_json(x->life.run, x->life.id, "config.json", &x->doc, e);
	if (r == 0)
		r = spec_decode(x->doc, "config.json", arena, &x->spec, e);
	if (r == 0)
		r = self_protect(&x->spec, e); /* may begin anew: a pipe has not been read yet */
	if (r == 0)
		r = load_process(x, e);
	if (r == 0)
		r = check_terminal(x, e);
	if (r < 0)
		return r;
	if (x->opts->cgroups.n && !x->life.state.cgroup_path)
		return group_need(&x->life.state, "exec --cgroup in", e);
	r = group_narrow(&x->life.state, arena, &x->life.layout, e);
	if (r == 0 && x->life.state.cgroup_path)
		r = subgroup_parse(x->life.layout, x->life.state.cgroup_path, &x->opts->cgroups,
				   arena, &x->groups, e);
	if (r < 0)
		return r;
	x->userns = has_userns(&x->spec);
	x->usher = ns_needs_usher();
	r = confine_plan(&x->process, &x->spec, arena, &x->confine, e);
	if (r == 0)
		r = lsm_check(&x->confine.lsm, e);
	if (r == 0 && x->spec.linux_.seccomp) {
		r = seccomp_compile_cached(x->life.run, x->spec.linux_.seccomp, arena,
					   &x->confine.seccomp, e);
		x->confine.has_seccomp = r == 0;
	}
	return r;
}

/* The terminal is opened in the container's own devpts, so that ttyname(3) works inside. */
static int open_terminal(struct exec *x, struct err *e)
{
	struct winsize size = { .ws_row = x->confine.rows, .ws_col = x->confine.columns };
	own_fd int root = -EBADF, master = -EBADF, slave = -EBADF;
	int r;

	if (!x->confine.terminal)
		return 0;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(e, -errno, "open the container's root");
	r = dev_pty(root, x->confine.uid, &master, &slave, e);
	if (r == 0)
		r = hs_send(x->child_sock, HS_CONSOLE, master, e);
	if (r < 0)
		return r;
	if (size.ws_row && size.ws_col && ioctl(slave, TIOCSWINSZ, &size) < 0)
		return err_set(e, -errno, "set the terminal's size");
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return err_set(e, -errno, "make the pty our terminal");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(slave, fd) < 0)
			return err_set(e, -errno, "dup the pty");
	return 0;
}

/* A container in our own mount namespace has its root by chroot alone: entering its namespaces does
 * not lead there. Return: descriptor, -EBADF when it has a namespace of its own, or -errno. */
static int open_shared_root(const struct exec *x, struct err *e)
{
	char path[32];
	int fd;

	if (!x->life.state.root_mount)
		return -EBADF;
	(void)snprintf(path, sizeof(path), "/proc/%d/root", (int)x->life.state.pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(e, -errno, "open '%s'", path) : fd;
}

/* Entering a cpuset has set them to all of it; so the order. */
static int set_cpus(const struct sched *sched, struct err *e)
{
	if (sched->cpus_initial && !sched->cpus_final)
		return 0;
	return sched_set_cpus(sched->cpus_final, e);
}

static int child(struct exec *x, struct err *e)
{
	own_lsm_files struct lsm_files files = LSM_FILES_EMPTY;
	own_fd int root = -EBADF;
	sigset_t none;
	int r, candidate;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(e, -errno, "become undumpable");
	r = cg_door_enter(&x->door);
	if (r < 0)
		return err_set(e, r, "enter the v1 cgroups");
	r = set_cpus(&x->confine.sched, e);
	if (r == 0)
		r = lsm_open(&x->confine.lsm, &files, e);
	if (r < 0)
		return r;
	root = open_shared_root(x, e);
	if (root < 0 && root != -EBADF)
		return root;
	r = x->usher ? 0 : ns_enter_all(x->life.pidfd, (pid_t)x->life.state.pid, e);
	if (r == 0 && root >= 0)
		r = mnt_chroot(root, false, e);
	if (r == 0 && x->userns)
		r = ns_become_root(x->confine.keep_groups, e);
	if (r < 0)
		return r;
	if (setsid() < 0)
		return err_set(e, -errno, "start a session");
	if (x->life.state.keyring)
		r = lsm_join_keys(&x->confine.lsm, &files, x->life.id, e);
	if (r == 0)
		r = open_terminal(x, e);
	if (r == 0)
		r = lsm_apply(&x->confine.lsm, &files, e);
	if (r == 0)
		r = fd_cloexec_from(3 + (int)x->opts->preserve_fds);
	if (r < 0)
		return e && e->code ? r : err_set(e, r, "close the runtime's descriptors");
	candidate = confine_find(&x->confine, e);
	if (candidate < 0)
		return candidate;
	r = hs_send(x->child_sock, HS_READY, -1, e);
	if (r == 0)
		r = hs_expect(x->child_sock, HS_EXEC, NULL, e);
	if (r < 0)
		return r;
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with these arguments */
	r = confine_apply(&x->confine, x->child_sock, e);
	if (r == 0)
		r = confine_seal(&x->confine, x->child_sock, e);
	return r < 0 ? r : confine_exec(&x->confine, candidate, e);
}

/* The cgroup of init, where the guest's own service manager has made groups below the container's
 * and the kernel allows processes only in leaves (cgroup-v2.rst "No Internal Process"). */
static int open_cgroup_of_init(const struct exec *x, struct err *e)
{
	char path[32], text[4096], *line;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)x->life.state.pid);
	n = file_read(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return err_set(e, (int)n, "read '%s'", path);
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!line)
		return err_say(e, -ESRCH, "init of '%s' is in no cgroup2", x->life.id);
	line += *line == '\n' ? 4 : 3;
	line[strcspn(line, "\n")] = '\0';
	return cg_open(x->life.layout, line, e);
}

/* @cgroup: -EBADF for a container without one; the child stays in ours then, as its init did. */
static pid_t clone_into(struct exec *x, int cgroup, struct err *e)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&x->pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)cgroup;
	}
	pid = sys_clone3(&args);

	return pid < 0 ? err_set(e, pid, "clone into the container's cgroup") : pid;
}

static int open_cgroup(struct exec *x, int *ret, struct err *e)
{
	const struct subgroups *groups = &x->groups;
	int r;

	if (!groups->v2)
		return 0;
	r = cg_door_open_each(x->life.layout, groups->v1, &x->door, e);
	if (r == 0)
		*ret = cg_open(x->life.layout, groups->v2, e);
	if (groups->given && (r < 0 || *ret < 0))
		return err_wrap(e, r < 0 ? r : *ret, "--cgroup: adding pid to another group");
	if (r < 0)
		return r;
	/* Init may have left for another group, and the one that it left be gone. */
	if (*ret == -ENOENT)
		*ret = open_cgroup_of_init(x, e);
	return *ret < 0 ? *ret : 0;
}

static pid_t spawn(struct exec *x, int cgroup, struct err *e)
{
	struct confine_score own;
	pid_t pid;
	int r;

	if (!x->usher)
		return clone_into(x, cgroup, e);
	r = confine_lend_oom_score(&x->confine, &own, e);
	if (r < 0)
		return r;
	pid = ns_spawn_in(x->life.pidfd, (pid_t)x->life.state.pid, cgroup, &x->pidfd, e);
	if (pid != 0)
		confine_restore_oom_score(&own);
	return pid;
}

static pid_t spawn_bound(struct exec *x, int cgroup, struct err *e)
{
	const unsigned long *cpus = x->confine.sched.cpus_initial;
	unsigned long own[SCHED_CPUS / (8 * sizeof(unsigned long))];
	pid_t pid;
	int r;

	if (!cpus)
		return spawn(x, cgroup, e);
	/* Inherited: so the child is bound before it is in any cpuset. */
	r = sched_get_cpus(own, e);
	if (r == 0)
		r = sched_set_cpus(cpus, e);
	if (r < 0)
		return r;
	debug_say(x->life.env, "nsexec: affinity: %#lx", cpus[0]);
	pid = spawn(x, cgroup, e);
	if (pid != 0)
		(void)sched_set_cpus(own, NULL); /* we wait, on whichever CPU */
	return pid;
}

static int start(struct exec *x, struct err *e)
{
	own_fd int own_pidns = -EBADF, cgroup = -EBADF;
	bool attach = false;
	int pair[2], r;
	pid_t pid;

	if (!x->usher) {
		own_pidns = ns_open(0, NS_PID, e);
		if (own_pidns < 0)
			return own_pidns;
	}
	r = open_cgroup(x, &cgroup, e);
	if (r == 0)
		r = hs_pair(pair, e);
	if (r < 0)
		return r;
	x->sock = pair[0];
	x->child_sock = pair[1];
	/* For our children: so one clone3 is enough, and the child is ours to wait for. */
	if (!x->usher && setns(x->life.pidfd, CLONE_NEWPID) < 0)
		return err_set(e, -errno, "enter the pid namespace of '%s'", x->life.id);
	pid = spawn_bound(x, cgroup, e);
	if (pid == -EBUSY && !x->groups.given) {
		own_fd int leaf = open_cgroup_of_init(x, e);

		if (leaf < 0)
			return leaf;
		pid = spawn_bound(x, leaf, e);
	}
	if (pid == -EACCES && x->life.state.unit) {
		/* From a session's scope we may not move anything into the user's own groups. */
		pid = spawn(x, -EBADF, e);
		attach = pid > 0;
	}
	if (pid == 0) {
		struct err why = { 0 };

		close_fd(&x->sock);
		r = child(x, &why);
		if (!why.code)
			err_set(&why, r, "exec");
		hs_send_error(x->child_sock, &why);
		_exit(1);
	}
	if (!x->usher && setns(own_pidns, CLONE_NEWPID) < 0 && pid > 0)
		return err_set(e, -errno, "return to our pid namespace");
	if (pid < 0)
		return pid;
	x->pid = pid;
	debug_say(x->life.env, DEBUG_NAMESPACES);
	cg_door_close(&x->door);
	close_fd(&x->child_sock);
	return attach ? sd_attach((enum cg_driver)x->life.state.driver, x->life.state.unit, pid, e)
		      : 0;
}

static int hand_out(struct exec *x, struct err *e)
{
	const struct exec_opts *o = x->opts;
	char text[16];
	int r = 0;

	if (o->console_socket)
		r = sendfd_console(o->console_socket, x->master, e);
	if (r == 0 && o->pidfd_socket)
		r = sendfd(o->pidfd_socket, x->pidfd, "setns", e);
	if (r < 0 || !o->pid_file)
		return r;
	(void)snprintf(text, sizeof(text), "%d", x->pid);
	r = file_replace(AT_FDCWD, o->pid_file, text, strlen(text), 0644, FILE_NOSYNC);
	return r < 0 ? err_set(e, r, "write pid file '%s'", o->pid_file) : 0;
}

static int release(struct exec *x, struct err *e)
{
	const struct listener listener = { .run = x->life.run,
					   .state = &x->life.state,
					   .status = ctr_status_name(life_status(&x->life)),
					   .pid = x->pid };
	int r;

	r = confine_parent(&x->confine, x->pid, x->usher, e);
	if (r == 0 && x->confine.terminal)
		r = hs_expect(x->sock, HS_CONSOLE, &x->master, e);
	if (r == 0 && !x->opts->console_socket)
		supervise_pty(x->master);
	if (r == 0)
		r = hs_expect(x->sock, HS_READY, NULL, e);
	if (r == 0)
		r = hand_out(x, e);
	if (r == 0) {
		debug_say(x->life.env, DEBUG_CHILD);
		debug_say(x->life.env, DEBUG_EXEC);
		r = hs_send(x->sock, HS_EXEC, -1, e);
	}
	return r < 0 ? r : listener_serve(x->sock, &listener, e);
}

/* A number that is free now would be given to a descriptor of ours, and that to the process. */
static int check_fds(const struct exec_opts *opts, struct err *e)
{
	int missing;

	if (fd_check_open(3, opts->preserve_fds, &missing) == 0)
		return 0;
	return err_say(e, -EBADF, "--preserve-fds %u: descriptor %d is not open",
		       opts->preserve_fds, missing);
}

static int check_running(const struct exec *x, struct err *e)
{
	enum ctr_status status;
	int r = life_need(&x->life, e);

	if (r < 0)
		return r;
	status = life_status(&x->life);
	if (status == CTR_PAUSED && !x->opts->ignore_paused) {
		err_say(e, -EBUSY, "container paused: cannot exec in a paused container ('%s')",
			x->life.id);
		err_hint(e, "--ignore-paused lets it wait for resume");
		return -EBUSY;
	}
	if (status == CTR_PAUSED)
		return 0;
	if (status != CTR_RUNNING && status != CTR_CREATED)
		return err_say(e, -ESRCH, "container not running");
	return 0;
}

int container_exec(const struct ctr_env *env, const char *id, const struct exec_opts *opts,
		   struct err *e)
{
	own_exec struct exec x = { .life = LIFE_EMPTY,
				   .opts = opts,
				   .sock = -EBADF,
				   .child_sock = -EBADF,
				   .pidfd = -EBADF,
				   .master = -EBADF };
	own_fd int signals = -EBADF;
	int r;

	r = check_fds(opts, e);
	if (r == 0)
		r = life_look(env, id, &x.life, e);
	if (r == 0)
		r = check_running(&x, e);
	if (r == 0)
		r = prepare(&x, e);
	if (r < 0)
		return r;
	if (!opts->detach) {
		signals = supervise_begin(e);
		if (signals < 0)
			return signals;
	}
	r = start(&x, e);
	if (r == 0)
		r = release(&x, e);
	if (r < 0) {
		if (x.pid > 0) {
			(void)proc_signal(x.pidfd, SIGKILL);
			(void)proc_wait_exit(x.pidfd);
		}
		return r;
	}
	life_warn(env, x.confine.ungranted);
	return opts->detach ? 0 : supervise(x.pidfd, signals, x.master, NULL, e);
}
