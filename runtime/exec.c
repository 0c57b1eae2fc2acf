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
#include "namespaces/mount/mount.h"
#include "namespaces/ns.h"
#include "runtime/handshake.h"
#include "runtime/life.h"
#include "runtime/login.h"
#include "runtime/process/confine.h"
#include "runtime/self.h"
#include "runtime/sendfd.h"
#include "runtime/spec/spec.h"
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
	struct cg_door door;
	const struct exec_opts *opts;
	bool userns;
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

/* The container's environment, with @extra over it. */
static int merge_env(const struct strv *base, const struct strv *extra, struct arena *arena,
		     struct strv *ret)
{
	struct strv env = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < base->n; i++) {
		size_t key = strcspn(base->v[i], "=");
		bool replaced = false;

		for (size_t j = 0; j < extra->n; j++)
			replaced |= strncmp(extra->v[j], base->v[i], key) == 0 &&
				    extra->v[j][key] == '=';
		if (!replaced)
			r = append(&env, base->v[i], arena);
	}
	for (size_t j = 0; r == 0 && j < extra->n; j++)
		r = append(&env, extra->v[j], arena);
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

static int add_caps(const struct strv *caps, struct spec_process *p, struct arena *arena)
{
	struct spec_capabilities *c = arena_alloc(arena, sizeof(*c));

	if (!c)
		return -ENOMEM;
	if (p->capabilities)
		*c = *p->capabilities;
	for (size_t i = 0; i < caps->n; i++) {
		struct strv *sets[] = { &c->bounding, &c->effective, &c->permitted };

		for (size_t j = 0; j < ARRAY_SIZE(sets); j++) {
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
	if (o->caps.n)
		r = add_caps(&o->caps, &x->process, arena);
	return r == 0 && o->login ? log_in(x, e) : r;
}

static int load_process(struct exec *x, struct err *e)
{
	struct js_issues issues = { .arena = &x->life.arena };
	int r;

	if (!x->opts->process)
		return process_from_opts(x, e);
	r = js_read_file(AT_FDCWD, x->opts->process, PROCESS_MAX_BYTES, x->opts->process,
			 &x->process_doc, e);
	if (r < 0)
		return r;
	r = js_decode(&spec_process_type, x->process_doc, &x->process, &issues);
	if (r < 0)
		return r == -EINVAL ? js_issues_err(&issues, x->opts->process, e) : r;
	return spec_check_process(&x->process, e);
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
		r = load_process(x, e);
	if (r < 0)
		return r;
	if (!x->process.args.n)
		return err_say(e, -EINVAL, "exec: no command given");
	x->userns = has_userns(&x->spec);
	r = confine_plan(&x->process, arena, &x->confine, e);
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
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return err_set(e, -errno, "make the pty our terminal");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(slave, fd) < 0)
			return err_set(e, -errno, "dup the pty");
	return 0;
}

static int child(struct exec *x, struct err *e)
{
	sigset_t none;
	int r, candidate;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(e, -errno, "become undumpable");
	r = cg_door_enter(&x->door);
	if (r < 0)
		return err_set(e, r, "enter the v1 cgroups");
	r = ns_enter_all(x->life.pidfd, (pid_t)x->life.state.pid, e);
	if (r == 0 && x->userns)
		r = ns_become_root(e);
	if (r < 0)
		return r;
	if (setsid() < 0)
		return err_set(e, -errno, "start a session");
	r = open_terminal(x, e);
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
	r = confine_apply(&x->confine, e);
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

static pid_t spawn(struct exec *x, int cgroup, struct err *e)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_INTO_CGROUP,
		.pidfd = (uint64_t)(uintptr_t)&x->pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = (unsigned int)cgroup,
	};
	pid_t pid = sys_clone3(&args);

	return pid < 0 ? err_set(e, pid, "clone into the container's cgroup") : pid;
}

static int start(struct exec *x, struct err *e)
{
	own_fd int cgroup = cg_open(x->life.layout, x->life.state.cgroup_path, e);
	own_fd int own_pidns = ns_open(0, NS_PID, e);
	int pair[2], r;
	pid_t pid;

	if (cgroup < 0 || own_pidns < 0)
		return cgroup < 0 ? cgroup : own_pidns;
	r = cg_door_open(x->life.layout, x->life.state.cgroup_path, &x->door, e);
	if (r == 0)
		r = hs_pair(pair, e);
	if (r < 0)
		return r;
	x->sock = pair[0];
	x->child_sock = pair[1];
	/* For our children: so one clone3 is enough, and the child is ours to wait for. */
	if (setns(x->life.pidfd, CLONE_NEWPID) < 0)
		return err_set(e, -errno, "enter the pid namespace of '%s'", x->life.id);
	pid = spawn(x, cgroup, e);
	if (pid == -EBUSY) {
		own_fd int leaf = open_cgroup_of_init(x, e);

		if (leaf < 0)
			return leaf;
		pid = spawn(x, leaf, e);
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
	if (setns(own_pidns, CLONE_NEWPID) < 0 && pid > 0)
		return err_set(e, -errno, "return to our pid namespace");
	if (pid < 0)
		return pid;
	x->pid = pid;
	cg_door_close(&x->door);
	close_fd(&x->child_sock);
	return 0;
}

static int hand_out(struct exec *x, struct err *e)
{
	char text[16];
	int r = 0;

	if (x->opts->console_socket)
		r = sendfd(x->opts->console_socket, x->master, "console", e);
	if (r < 0 || !x->opts->pid_file)
		return r;
	(void)snprintf(text, sizeof(text), "%d", x->pid);
	r = file_replace(AT_FDCWD, x->opts->pid_file, text, strlen(text), 0644, FILE_NOSYNC);
	return r < 0 ? err_set(e, r, "write pid file '%s'", x->opts->pid_file) : 0;
}

static int release(struct exec *x, struct err *e)
{
	int r;

	r = confine_parent(&x->confine, x->pid, e);
	if (r == 0 && x->confine.terminal)
		r = hs_expect(x->sock, HS_CONSOLE, &x->master, e);
	if (r == 0)
		r = hs_expect(x->sock, HS_READY, NULL, e);
	if (r == 0)
		r = hand_out(x, e);
	if (r == 0)
		r = hs_send(x->sock, HS_EXEC, -1, e);
	return r < 0 ? r : hs_expect_end(x->sock, e);
}

static int check_running(const struct exec *x, struct err *e)
{
	enum ctr_status status;
	int r = life_need(&x->life, e);

	if (r < 0)
		return r;
	status = life_status(&x->life);
	if (status == CTR_PAUSED)
		return err_say(e, -EBUSY, "container paused: '%s'", x->life.id);
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

	r = life_look(env, id, &x.life, e);
	if (r == 0)
		r = check_running(&x, e);
	if (r == 0)
		r = prepare(&x, e);
	if (r == 0 && !x.userns)
		r = self_protect(e);
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
	return opts->detach ? 0 : supervise(x.pidfd, signals, x.master, e);
}
