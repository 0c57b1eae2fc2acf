/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first process of a container, before it becomes the payload.
 *
 * DOC: it starts as a copy of the runtime in new namespaces and gives up, in this order: the
 * host's terminal session, the host's mounts, the host's root, the right to come back. Whatever
 * goes wrong is told to the parent and ends the process: no step is skipped (a container that
 * starts is confined as its config says).
 */
#include "runtime/init.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "base/path.h"
#include "base/sys.h"
#include "netsetup/net.h"
#include "runtime/handshake.h"
#include "runtime/hooks.h"
#include "runtime/plan.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>

enum { PROC_MAGIC = 0x9fa0, CAN_EXEC_FIRST_FD = 3 };

static int enter_namespaces(const struct init *init, int *ret_root, struct lsm_files *files,
			    struct err *e)
{
	const struct plan *p = init->plan;
	int r;

	/* Nothing in the namespaces that we enter may trace us while we hold the host's
	 * descriptors (CVE-2016-9962). In a pid namespace of our own nothing can, and a user's
	 * hooks have to find our namespaces in /proc, whose files would be root's. */
	if (prctl(PR_SET_DUMPABLE, p->unprivileged && p->ns.create[NS_PID], 0, 0, 0) < 0)
		return err_set(e, -errno, "become undumpable");
	r = cg_door_enter(init->door);
	if (r < 0)
		return err_set(e, r, "enter the v1 cgroups");
	r = sched_set_cpus(NULL, e);
	if (r == 0)
		r = lsm_open(&p->process.lsm, files, e);
	if (r == 0)
		r = ns_enter(init->join, e);
	if (r < 0)
		return r;
	r = hs_expect(init->sock, HS_GO, ret_root, e);
	if (r < 0)
		return r;
	if (p->ns.create[NS_USER] || p->ns.path[NS_USER]) {
		r = ns_become_root(p->ns.keep_groups, e);
		if (r < 0)
			return r;
	}
	if (p->ns.create[NS_CGROUP] && unshare(CLONE_NEWCGROUP) < 0)
		return err_set(e, -errno, "make cgroup namespace");
	if (setsid() < 0)
		return err_set(e, -errno, "start a session");
	return init->new_keyring ? lsm_join_keys(&p->process.lsm, files, p->id, e) : 0;
}

/* Names and resolvers, as the guest's own root writes them: inside, and only where there is an
 * /etc to write to. A root that is read-only keeps what it has. */
static int write_file(int root, const struct plan_file *f, struct err *e)
{
	own_fd int fd = -EBADF;
	int r;

	fd = path_open(root, f->path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_NONBLOCK, 0644);
	if (fd == -ENOENT || fd == -EROFS || fd == -ELOOP)
		return 0;
	if (fd < 0)
		return err_set(e, fd, "write '%s' of the container", f->path);
	r = fd_write_all(fd, f->content, strlen(f->content));
	return r < 0 ? err_set(e, r, "write '%s' of the container", f->path) : 0;
}

/* The parent has the right to map what only we can open. */
static int have_mapped(const struct init *init, int root, struct mnt *m, struct err *e)
{
	int r = mnt_open_inside(root, m, e);

	if (r == 0)
		r = hs_send(init->sock, HS_MAP, m->tree, e);
	if (r == 0)
		r = hs_expect(init->sock, HS_MAPPED, NULL, e);
	return r < 0 ? err_wrap(e, r, "mount '%s'", m->target) : 0;
}

static int build_root(const struct init *init, int root, struct err *e)
{
	const struct plan *p = init->plan;
	int r = 0;

	(void)umask(0); /* modes of nodes and directories are as planned */
	for (size_t i = 0; r == 0 && i < p->mount_count; i++) {
		p->mounts[i].cgroup = p->cgroup_path;
		if (mnt_needs_mapping(&p->mounts[i]))
			r = have_mapped(init, root, &p->mounts[i], e);
		if (r == 0)
			r = mnt_apply(root, &p->mounts[i], e);
	}
	for (size_t i = 0; r == 0 && i < p->node_count; i++)
		if (!p->dev || !dev_is_on(p->dev, &p->nodes[i]))
			r = dev_make(root, &p->nodes[i], e);
	if (r == 0 && !p->keep_dev)
		r = dev_links(root, e);
	for (size_t i = 0; r == 0 && i < p->file_count; i++)
		r = write_file(root, &p->files[i], e);
	if (r == 0) {
		own_fd int cwd = path_mkdirs(root, p->process.cwd, 0755);

		/* A read-only or foreign root may refuse; chdir reports it if it matters. */
		(void)cwd;
	}
	return r;
}

static int take_terminal(const struct plan *p, int slave, struct err *e)
{
	struct winsize size = { .ws_row = p->process.rows, .ws_col = p->process.columns };

	if (size.ws_row && size.ws_col && ioctl(slave, TIOCSWINSZ, &size) < 0)
		return err_set(e, -errno, "set the console's size");
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return err_set(e, -errno, "make the console our terminal");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(slave, fd) < 0)
			return err_set(e, -errno, "dup the console");
	return 0;
}

static int set_console(const struct init *init, int root, struct err *e)
{
	const struct plan *p = init->plan;
	own_fd int master = -EBADF, slave = -EBADF;
	int r;

	if (!p->process.terminal)
		return 0;
	r = dev_console(root, p->process.uid, &master, &slave, e);
	if (r < 0)
		return r;
	r = hs_send(init->sock, HS_CONSOLE, master, e);
	return r < 0 ? r : take_terminal(p, slave, e);
}

/* A write that lands in anything but procfs would be a trick of the bundle (CVE-2025-52881). */
static int write_sysctl(int root, const struct strpair *s, struct err *e)
{
	char path[512];
	own_fd int fd = -EBADF;
	struct statfs fs;

	if ((size_t)snprintf(path, sizeof(path), "proc/sys/%s", s->key) >= sizeof(path))
		return err_say(e, -ENAMETOOLONG, "sysctl '%s' is too long", s->key);
	fd = path_open(root, path, O_WRONLY, 0);
	if (fd < 0)
		return err_set(e, fd, "sysctl '%s'", s->key);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != PROC_MAGIC)
		return err_say(e, -EPERM, "sysctl '%s': '/proc' of the container is not procfs",
			       s->key);
	if (write(fd, s->value, strlen(s->value)) < 0)
		return err_set(e, -errno, "set sysctl '%s' to '%s'", s->key, s->value);
	return 0;
}

static int name_system(const struct plan *p, int root, struct err *e)
{
	if (p->hostname && sethostname(p->hostname, strlen(p->hostname)) < 0)
		return err_set(e, -errno, "set hostname '%s'", p->hostname);
	if (p->domainname && setdomainname(p->domainname, strlen(p->domainname)) < 0)
		return err_set(e, -errno, "set domainname '%s'", p->domainname);
	for (size_t i = 0; i < p->sysctl.n; i++) {
		int r = write_sysctl(root, &p->sysctl.v[i], e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The host's hooks run while we wait; ours then find all mounts made and the host's files still
 * in reach. */
static int run_hooks(const struct init *init, struct err *e)
{
	int r;

	if (!plan_stops_for_hooks(init->plan))
		return 0;
	r = hs_send(init->sock, HS_MOUNTED, -1, e);
	if (r == 0)
		r = hs_expect(init->sock, HS_HOOKED, NULL, e);
	return r < 0 ? r
		     : hooks_run(init->plan->hooks, HOOK_CREATE_CONTAINER, init->state, getpid(),
				 NULL, e);
}

/* What the parent does where it has the right to, from our copy of the host's mounts. */
static int open_sources(const struct plan *p, int *ret_root, struct err *e)
{
	int r = 0;

	*ret_root =
		open_tree(AT_FDCWD, p->rootfs, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (*ret_root < 0)
		return err_set(e, -errno, "open rootfs '%s'", p->rootfs);
	for (size_t i = 0; r == 0 && i < p->mount_count; i++) {
		r = mnt_open_source(&p->mounts[i], e);
		if (r < 0)
			err_wrap(e, r, "mount '%s'", p->mounts[i].target);
	}
	return r;
}

/* Where nobody sets up a network. The parent may have no right to come back from there. */
static int raise_loopback(const struct plan *p, struct err *e)
{
	own_fd int netns = -EBADF;

	if (!p->private_net || p->net)
		return 0;
	netns = ns_open(0, NS_NET, e);
	return netns < 0 ? netns : net_loopback_up(netns, e);
}

static int enter_root(const struct init *init, int *root_fd, struct err *e)
{
	const struct plan *p = init->plan;
	bool shared = plan_shares_mounts(p);
	int r = 0, root;

	if (p->open_inside)
		r = open_sources(p, root_fd, e);
	root = *root_fd;
	if (r == 0)
		r = raise_loopback(p, e);
	if (r == 0)
		r = shared ? mnt_share_root(root, p->rootfs, e)
			   : mnt_isolate(!(p->inherited & MS_PRIVATE), e);
	if (r == 0 && !shared)
		r = mnt_enter_root(root, p->rootfs, p->inherited, e);
	if (r == 0)
		r = build_root(init, root, e);
	if (r == 0)
		r = run_hooks(init, e);
	if (r == 0)
		r = set_console(init, root, e);
	if (r == 0)
		r = name_system(p, root, e);
	if (r == 0)
		r = mnt_readonly(root, &p->readonly, e);
	if (r == 0)
		r = mnt_masked(root, &p->masked, p->mount_label, e);
	for (size_t i = 0; r == 0 && i < p->mount_count; i++)
		r = mnt_finish(&p->mounts[i], e);
	if (r == 0)
		r = shared || p->no_pivot ? mnt_chroot(root, !shared, e) : mnt_pivot(root, e);
	if (r == 0)
		r = mnt_set_root(p->root_readonly, p->root_propagation, e);
	return r;
}

static int open_null_stdio(struct err *e)
{
	own_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return err_set(e, -errno, "open '/dev/null'");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return err_set(e, -errno, "dup '/dev/null'");
	return 0;
}

/* Signal dispositions and masks survive execve: the payload starts with none of the runtime's. */
static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with these arguments */
	(void)signal(SIGPIPE, SIG_DFL);
}

/* `create` has gone; `start` connects to the gate and becomes the peer of the last messages. One
 * that ends before it has said anything was killed: the next one may come. */
/* The kernel keeps from a first process every signal that it has no handler for. */
static void end_by_signal(int sig)
{
	_exit(128 + sig);
}

static void end_by_signals(void (*handler)(int sig))
{
	static const int ends[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		(void)signal(ends[i], handler); /* cannot fail with these arguments */
}

static int wait_at_gate(const struct init *init, int *sock, struct err *e)
{
	int r;

	close_fd(sock);
	end_by_signals(end_by_signal);
	do {
		own_fd int peer =
			(int)TEMP_FAILURE_RETRY(accept4(init->gate, NULL, NULL, SOCK_CLOEXEC));

		if (peer < 0)
			return err_set(e, -errno, "accept at the gate");
		r = hs_expect(peer, HS_EXEC, NULL, NULL);
		*sock = take_fd(&peer);
		if (r == -EPIPE)
			close_fd(sock);
	} while (r == -EPIPE);
	end_by_signals(SIG_DFL);
	return r < 0 ? err_set(e, r, "wait at the gate") : 0;
}

static int run(const struct init *init, int *sock, struct err *e)
{
	own_lsm_files struct lsm_files files = LSM_FILES_EMPTY;
	own_fd int root = -EBADF;
	int r, candidate, gate;

	r = enter_namespaces(init, &root, &files, e);
	if (r == 0)
		r = enter_root(init, &root, e);
	if (r == 0 && init->null_stdio && !init->plan->process.terminal)
		r = open_null_stdio(e);
	if (r == 0)
		r = lsm_apply(&init->plan->process.lsm, &files, e);
	if (r < 0)
		return r;
	close_fd(&root);
	/* Closed now and not at execve: at the gate we may wait for long, and with our copy of the
	 * creator's lock nobody else could get it. Both that stay are close-on-exec. */
	r = fd_close_others(CAN_EXEC_FIRST_FD + init->preserve_fds, *sock, init->gate);
	if (r < 0)
		return err_set(e, r, "close the runtime's descriptors");
	candidate = confine_find(&init->plan->process, e);
	if (candidate < 0)
		return candidate;
	/* Nothing of the host is in our hands any more. Its user may look at us now, as it may at
	 * all its processes, and enter our namespaces, as it must for exec and for networking. */
	if (init->plan->unprivileged && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return err_set(e, -errno, "become dumpable");
	r = hs_send(*sock, HS_READY, -1, e);
	if (r < 0)
		return r;
	gate = hs_either(*sock, e);
	if (gate < 0)
		return gate;
	if (gate == HS_GATE) {
		r = wait_at_gate(init, sock, e);
		if (r < 0)
			return r;
	}
	reset_signals();
	r = confine_apply(&init->plan->process, *sock, e);
	if (r == 0)
		r = confine_seal(&init->plan->process, *sock, e);
	/* Their programs are the container's: they get no more than its payload does. */
	if (r == 0)
		r = hooks_run(init->plan->hooks, HOOK_START_CONTAINER, init->state, getpid(),
			      init->plan->process.envp, e);
	return r < 0 ? r : confine_exec(&init->plan->process, candidate, e);
}

void init_main(const struct init *init)
{
	struct err e = { 0 };
	int sock = init->sock, r;

	r = run(init, &sock, &e);
	if (!e.code)
		err_set(&e, r, "set up the container");
	hs_send_error(sock, &e);
	_exit(1);
}
