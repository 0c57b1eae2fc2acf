/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a start, in order, each with its undo.
 *
 * DOC: the order is the design.
 *   record    the state file, phase `creating`: from here a killed runtime can be undone by name
 *   sources   detached clones of what the host lends (bind mounts); nothing is visible
 *   filter    seccomp, compiled or from the cache
 *   cgroup    the empty group
 *   spawn     clone3 into it: from here processes exist; the child moves itself into v1 groups
 *   go        id maps, the root mount; the child starts to build its mounts
 *   limits    while the child works: all cgroup limits and the device program
 *   network   likewise: links into the child's namespace
 *   process   rlimits and oom score, from here because they may need rights the child lacks
 *   ready     the child is done up to its last confinement
 *   commit    with a gate: init goes there, then the state file, phase `created`
 *   release   (create_release(), without a gate) init executes, then the state file, `running`
 * A state is committed when what it says is true. A creator that is killed before has left
 * `creating`, and init, which ends with the channel or is ended by whoever heals.
 */
#include "runtime/create.h"

#include "base/own.h"
#include "base/file.h"
#include "runtime/handshake.h"
#include "runtime/init.h"
#include "runtime/network.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { KILL_WAIT_MS = 10000 };

void create_init(struct create *c)
{
	c->cgroup_fd = c->sock = c->child_sock = c->gate_fd = -EBADF;
	c->userns = c->root = c->pidfd = c->master = -EBADF;
	for (enum ns_kind k = 0; k < NS_KINDS; k++)
		c->join.fd[k] = -EBADF;
}

static void close_sources(struct create *c)
{
	for (size_t i = 0; i < c->plan->mount_count; i++)
		close_fd(&c->plan->mounts[i].tree);
	close_fd(&c->root);
	close_fd(&c->userns);
}

void create_done(struct create *c)
{
	if (c->plan)
		close_sources(c);
	close_fd(&c->cgroup_fd);
	close_fd(&c->sock);
	close_fd(&c->child_sock);
	close_fd(&c->gate_fd);
	close_fd(&c->pidfd);
	close_fd(&c->master);
	cg_door_close(&c->door);
	ns_join_done(&c->join);
}

/* A group that lives already is somebody else's: to record it would be to kill it on undo. */
static int check_group_free(const struct create *c, struct err *e)
{
	pid_t *pids;
	size_t count = 0;
	int r;

	r = cg_pids(c->layout, c->plan->cgroup_path, c->arena, &pids, &count, NULL);
	if (r < 0 && r != -ENOENT)
		return err_set(e, r, "look into cgroup '%s'", c->plan->cgroup_path);
	if (count)
		return err_say(e, -EBUSY, "cgroup '%s' is in use by process %d",
			       c->plan->cgroup_path, pids[0]);
	return 0;
}

static int step_record(struct create *c, struct err *e)
{
	int r = check_group_free(c, e);

	if (r < 0)
		return r;
	c->state->phase = STATE_CREATING;
	return state_save(c->run, c->state, e);
}

static void undo_record(struct create *c)
{
	(void)state_remove(c->run, c->plan->id,
			   NULL); /* what stays is healed by the next command */
}

static int step_sources(struct create *c, struct err *e)
{
	struct plan *p = c->plan;
	int r;

	r = ns_join_open(&p->ns, &c->join, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < p->mount_count; i++) {
		r = mnt_open_source(&p->mounts[i], e);
		if (r < 0)
			return err_wrap(e, r, "mount '%s'", p->mounts[i].target);
	}
	if (p->dev) {
		r = dev_prepare(p->dev, p->nodes, p->node_count, p->ns.uid_maps[0].outside,
				p->ns.gid_maps[0].outside, e);
		if (r < 0)
			return r;
	}
	if (c->overlay)
		return 0; /* needs the user namespace first */
	c->root =
		open_tree(AT_FDCWD, p->rootfs, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	return c->root < 0 ? err_set(e, -errno, "open rootfs '%s'", p->rootfs) : 0;
}

static int step_filter(struct create *c, struct err *e)
{
	struct plan *p = c->plan;
	int r;

	if (!p->seccomp)
		return 0;
	r = seccomp_compile_cached(c->run, p->seccomp, c->arena, &p->process.seccomp, e);
	if (r < 0)
		return r;
	p->process.has_seccomp = true;
	return 0;
}

static int step_cgroup(struct create *c, struct err *e)
{
	int r = cg_create(c->layout, c->plan->cgroup_path, e);

	if (r < 0)
		return r;
	c->cgroup_fd = cg_open(c->layout, c->plan->cgroup_path, e);
	if (c->cgroup_fd < 0)
		return c->cgroup_fd;
	return cg_door_open(c->layout, c->plan->cgroup_path, &c->door, e);
}

static void undo_cgroup(struct create *c)
{
	(void)cg_remove(c->layout, c->plan->cgroup_path, NULL);
}

/* RUN/ID/gate, by way of a descriptor: a run directory may be longer than sun_path. */
static int listen_at_gate(struct create *c, struct err *e)
{
	own_fd int dir = state_dir(c->run, c->plan->id, false, e), sock = -EBADF;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (dir < 0)
		return dir;
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return err_set(e, -errno, "make the gate socket");
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/gate", dir);
	if (bind(sock, (const struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(sock, 1) < 0)
		return err_set(e, -errno, "listen at the gate");
	c->gate_fd = take_fd(&sock);
	return 0;
}

static int step_spawn(struct create *c, struct err *e)
{
	int pair[2], r;
	pid_t pid;

	if (c->gate) {
		r = listen_at_gate(c, e);
		if (r < 0)
			return r;
	}
	r = hs_pair(pair, e);
	if (r < 0)
		return r;
	c->sock = pair[0];
	c->child_sock = pair[1];
	pid = ns_spawn(&c->plan->ns, &c->join, c->cgroup_fd, &c->pidfd, e);
	if (pid < 0)
		return pid;
	if (pid == 0) {
		const struct init init = {
			.plan = c->plan,
			.join = &c->join,
			.door = &c->door,
			.sock = c->child_sock,
			.gate = c->gate_fd,
			.preserve_fds = c->preserve_fds,
			.new_keyring = c->new_keyring,
			.null_stdio = c->null_stdio,
		};

		/* Our copy of the parent's end would keep the channel open after its death. */
		close_fd(&c->sock);
		init_main(&init);
	}
	c->pid = pid;
	cg_door_close(&c->door);
	close_fd(&c->child_sock);
	close_fd(&c->gate_fd);
	return 0;
}

static void undo_spawn(struct create *c)
{
	(void)cg_kill(c->layout, c->plan->cgroup_path, NULL);
	if (c->pid <= 0)
		return;
	(void)proc_signal(c->pidfd, SIGKILL);
	(void)proc_wait_exit(c->pidfd);
	(void)cg_wait_empty(c->layout, c->plan->cgroup_path, KILL_WAIT_MS, NULL);
}

static int open_root(struct create *c, struct err *e)
{
	struct overlay o;

	if (c->plan->ns.create[NS_USER]) {
		c->userns = ns_open(c->pid, NS_USER, e);
		if (c->userns < 0)
			return c->userns;
	}
	if (!c->overlay)
		return 0;
	o = *c->overlay;
	o.userns = c->userns;
	c->root = overlay_open(&o, e);
	return c->root < 0 ? c->root : 0;
}

static int step_go(struct create *c, struct err *e)
{
	const struct plan *p = c->plan;
	int r = 0;

	if (p->ns.create[NS_USER])
		r = ns_write_id_maps(c->pid, &p->ns, e);
	if (r == 0)
		r = open_root(c, e);
	for (size_t i = 0; r == 0 && i < p->mount_count; i++)
		if (p->mounts[i].opt.idmap)
			r = mnt_idmap(p->mounts[i].tree, c->userns, p->mounts[i].opt.ridmap, e);
	if (r == 0)
		r = hs_send(c->sock, HS_GO, c->root, e);
	close_sources(c);
	return r;
}

static int step_limits(struct create *c, struct err *e)
{
	const struct plan *p = c->plan;
	int r = cg_apply(c->layout, p->cgroup_path, &p->resources, e);

	if (r == 0 && p->delegate)
		r = cg_delegate(c->layout, p->cgroup_path, p->ns.uid_maps[0].outside,
				p->ns.gid_maps[0].outside, e);
	return r;
}

static int step_network(struct create *c, struct err *e)
{
	own_fd int netns = -EBADF;

	if (!c->plan->private_net)
		return 0;
	netns = ns_open(c->pid, NS_NET, e);
	if (netns < 0)
		return netns;
	return c->plan->net ? network_apply(c->run, c->plan->net, netns, e)
			    : net_loopback_up(netns, e);
}

static void undo_network(struct create *c)
{
	if (c->plan->net)
		(void)network_undo(c->run, c->plan->net, NULL);
}

static int step_process(struct create *c, struct err *e)
{
	return confine_parent(&c->plan->process, c->pid, e);
}

static int step_ready(struct create *c, struct err *e)
{
	int r = 0;

	if (c->plan->process.terminal)
		r = hs_expect(c->sock, HS_CONSOLE, &c->master, e);
	return r < 0 ? r : hs_expect(c->sock, HS_READY, NULL, e);
}

static int step_commit(struct create *c, struct err *e)
{
	struct proc_id id;
	int r = proc_identify(c->pid, &id);

	if (r < 0)
		return err_set(e, r, "identify the container's process");
	c->state->pid = (uint64_t)c->pid;
	c->state->starttime = id.starttime;
	if (!c->gate)
		return 0;
	r = hs_send(c->sock, HS_GATE, -1, e);
	if (r < 0)
		return r;
	c->state->phase = STATE_CREATED;
	return state_save(c->run, c->state, e);
}

struct step {
	const char *name;
	int (*run)(struct create *c, struct err *e);
	void (*undo)(struct create *c);
};

/* clang-format off */
static const struct step steps[] = {
	{ "record",  step_record,  undo_record },
	{ "sources", step_sources, NULL },
	{ "filter",  step_filter,  NULL },
	{ "cgroup",  step_cgroup,  undo_cgroup },
	{ "spawn",   step_spawn,   undo_spawn },
	{ "go",      step_go,      NULL },
	{ "limits",  step_limits,  NULL },
	{ "network", step_network, undo_network },
	{ "process", step_process, NULL },
	{ "ready",   step_ready,   NULL },
	{ "commit",  step_commit,  NULL },
};
/* clang-format on */

static void undo_from(struct create *c, size_t count)
{
	while (count--)
		if (steps[count].undo)
			steps[count].undo(c);
}

/* A child that failed has said why, which is the cause; what the parent then saw is not. */
static void prefer_child_error(const struct create *c, struct err *e)
{
	struct err child = { 0 };

	if (c->sock < 0 || c->pid <= 0 || !e)
		return;
	(void)shutdown(c->sock, SHUT_WR); /* a child that still waits for us gives up */
	while (hs_expect(c->sock, HS_ERROR, NULL, &child) == -EPROTO)
		;
	if (child.code && child.code != -EPIPE && child.code != -EPROTO)
		*e = child;
}

int create_run(struct create *c, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int r = steps[i].run(c, e);

		if (r == 0)
			continue;
		if (r == -EPIPE)
			prefer_child_error(c, e);
		undo_from(c, i + 1);
		return r;
	}
	return 0;
}

int create_let_execute(int sock, pid_t pid, struct err *e)
{
	int r = hs_send(sock, HS_EXEC, -1, e);

	if (r == 0)
		r = hs_expect_end(sock, e);
	if (r < 0)
		return r;
	/* The channel ends with execve, and with the process. */
	if (proc_has_executed(pid) != 0)
		return 0;
	err_say(e, -ECHILD, "the container's process was killed before it executed its program");
	err_hint(e, "a memory limit that is too small does that");
	return -ECHILD;
}

int create_release(struct create *c, struct err *e)
{
	int r = create_let_execute(c->sock, c->pid, e);

	if (r == 0) {
		c->state->phase = STATE_RUNNING;
		r = state_save(c->run, c->state, e);
	}
	if (r < 0)
		undo_from(c, ARRAY_SIZE(steps));
	return r;
}

int create_undo_all(int run, const struct cg_layout *layout, const struct state *state,
		    struct err *e)
{
	int r = 0, again;

	if (state->cgroup_path) {
		r = cg_kill(layout, state->cgroup_path, e);
		if (r == 0)
			r = cg_wait_empty(layout, state->cgroup_path, KILL_WAIT_MS, e);
		if (r == 0)
			r = cg_remove(layout, state->cgroup_path, e);
	}
	if (state->network) {
		again = network_undo_recorded(run, state->id, r < 0 ? NULL : e);
		r = r < 0 ? r : again;
	}
	return r < 0 ? r : state_remove(run, state->id, e);
}
