/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a start, in order, each with its undo.
 *
 * DOC: the order is the design.
 *   record    the state file, phase `creating`: from here a killed runtime can be undone by name
 *   sources   detached clones of what the host lends (bind mounts); nothing is visible. Where we
 *             have no right over the host's mounts the child does it, in its copy of them
 *   filter    seccomp, compiled or from the cache
 *   cgroup    the empty group
 *   spawn     clone3 into it, or by an usher (namespaces/ns.h): from here processes exist; the
 *             child moves itself into v1 groups
 *   go        id maps, the root mount; the child starts to build its mounts
 *   limits    while the child works: all cgroup limits and the device program
 *   network   likewise: links into the child's namespace. Loopback alone is the child's to raise
 *   maps      binds of the root's own, which only the child can open and only we can id-map
 *   hooks     with all mounts, limits and links there: hooks of the host's side, then the child's
 *   ready     the child is done up to its last confinement
 *   process   rlimits and oom score, from here because they may need rights the child lacks, and
 *             now because the child had more mounts open than the payload may have files
 *   commit    with a gate: init goes there, then the state file, phase `created`
 *   release   (create_release(), without a gate) init executes, then the state file, `running`
 * A state is committed when what it says is true. A creator that is killed before has left
 * `creating`, and init, which ends with the channel or is ended by whoever heals.
 */
#include "runtime/create.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "runtime/debug.h"
#include "runtime/group.h"
#include "runtime/handshake.h"
#include "runtime/hooks.h"
#include "runtime/init.h"
#include "runtime/life.h"
#include "runtime/listener.h"
#include "runtime/network.h"
#include "runtime/sources.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

void create_init(struct create *c)
{
	c->cgroup_fd = c->sock = c->child_sock = c->gate_fd = -EBADF;
	c->userns = c->root = c->pidfd = c->master = -EBADF;
	for (enum ns_kind k = 0; k < NS_KINDS; k++)
		c->join.fd[k] = -EBADF;
}

static void close_sources(struct create *c)
{
	for (size_t i = 0; i < c->plan->mount_count; i++) {
		close_fd(&c->plan->mounts[i].tree);
		close_fd(&c->plan->mounts[i].userns);
	}
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

static int step_record(struct create *c, struct err *e)
{
	int r = group_check_free(c->layout, c->state, e);

	if (r < 0)
		return r;
	c->state->phase = STATE_CREATING;
	c->state->keyring = c->new_keyring;
	c->state->hooks = hooks_any(c->plan->hooks);
	return state_save(c->run, c->state, e);
}

static void undo_record(struct create *c)
{
	hooks_poststop(c->env, c->run, c->state);
	(void)state_remove(c->run, c->plan->id,
			   NULL); /* what stays is healed by the next command */
}

static int step_sources(struct create *c, struct err *e)
{
	int r = ns_join_open(&c->plan->ns, &c->join, e);

	/* An overlay needs the user namespace first, and comes later. */
	return r < 0 || c->plan->open_inside
		       ? r
		       : sources_open(c->plan, c->overlay ? NULL : &c->root, e);
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
	/* TSYNC is not counted: a process of one thread has nothing to synchronize. */
	debug_say(c->env, "seccomp filter flags: %u",
		  p->process.seccomp.flags & ~(unsigned int)SECCOMP_FILTER_FLAG_TSYNC);
	return 0;
}

static int step_cgroup(struct create *c, struct err *e)
{
	int r;

	if (!c->plan->cgroup_path)
		return 0;
	r = cg_create(c->layout, c->plan->cgroup_path, e);
	if (r < 0)
		return r;
	c->cgroup_fd = cg_open(c->layout, c->plan->cgroup_path, e);
	if (c->cgroup_fd < 0)
		return c->cgroup_fd;
	return cg_door_open(c->layout, c->plan->cgroup_path, &c->door, e);
}

static void undo_cgroup(struct create *c)
{
	(void)group_remove(c->layout, c->state, NULL);
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

/* From now on the state, in memory, knows init: it is how the undo finds a container that has no
 * cgroup. */
static int identify(struct create *c, struct err *e)
{
	struct proc_id id;
	int r = proc_identify(c->pid, &id);

	if (r < 0)
		return err_set(e, r, "identify the container's process");
	c->state->pid = (uint64_t)c->pid;
	c->state->starttime = id.starttime;
	return 0;
}

static int step_spawn(struct create *c, struct err *e)
{
	struct confine_score own_score;
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
	if (c->plan->unprivileged) {
		r = confine_lend_oom_score(&c->plan->process, &own_score, e);
		if (r < 0)
			return r;
	}
	pid = ns_spawn(&c->plan->ns, &c->join, c->cgroup_fd, &c->pidfd, e);
	if (pid != 0 && c->plan->unprivileged)
		confine_restore_oom_score(&own_score);
	if (pid < 0)
		return pid;
	if (pid == 0) {
		const struct init init = {
			.plan = c->plan,
			.state = c->state,
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
	return identify(c, e);
}

static int detach_root(const struct state *state, struct err *e)
{
	return state->root_mount ? mnt_detach(state->rootfs, state->root_mount, e) : 0;
}

static void undo_spawn(struct create *c)
{
	if (c->pid > 0) {
		(void)proc_signal(c->pidfd, SIGKILL);
		(void)proc_wait_exit(c->pidfd);
	}
	(void)group_end(c->layout, c->state, NULL);
	(void)detach_root(c->state, NULL);
}

static bool maps_mounts(const struct plan *p)
{
	for (size_t i = 0; i < p->mount_count; i++)
		if (p->mounts[i].opt.idmap)
			return true;
	return false;
}

/* systemd makes its group around a process that exists. Its cgroup is recorded before the child
 * goes on to make a cgroup namespace of it. */
static int step_scope(struct create *c, struct err *e)
{
	int r;

	if (!c->plan->unit.name)
		return 0;
	r = group_adopt(c->layout, c->plan, c->pid, c->state, c->arena, e);
	return r < 0 ? r : state_save(c->run, c->state, e);
}

static int open_root(struct create *c, struct err *e)
{
	struct overlay o;

	if (c->plan->ns.create[NS_USER] && (c->overlay || maps_mounts(c->plan))) {
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

/* The child will mount the root where the host sees it: whoever heals must find it. */
static int record_root(struct create *c, struct err *e)
{
	int r;

	if (!plan_shares_mounts(c->plan))
		return 0;
	r = mnt_id(c->root, &c->state->root_mount, e);
	return r < 0 ? r : state_save(c->run, c->state, e);
}

static int map_ids(const struct create *c, const struct mnt *m, int tree, struct err *e)
{
	int own = c->userns >= 0 ? c->userns : c->join.fd[NS_USER];
	int r = mnt_idmap(tree, m->userns >= 0 ? m->userns : own, m->opt.ridmap, e);

	return r < 0 ? err_wrap(e, r, "mount '%s'", m->target) : 0;
}

static int step_go(struct create *c, struct err *e)
{
	const struct plan *p = c->plan;
	int r = 0;

	if (p->ns.create[NS_USER] && !p->ns.usher)
		r = ns_write_id_maps(c->pid, &p->ns, e);
	else if (p->ns.path[NS_USER])
		r = ns_check_id_maps(c->pid, &p->ns, e);
	if (r == 0)
		r = open_root(c, e);
	if (r == 0)
		r = record_root(c, e);
	for (size_t i = 0; r == 0 && i < p->mount_count; i++)
		if (p->mounts[i].opt.idmap && !p->mounts[i].uid_map_count && !p->mounts[i].inside)
			r = map_ids(c, &p->mounts[i], p->mounts[i].tree, e);
	if (r == 0)
		r = hs_send(c->sock, HS_GO, c->root, e);
	if (r == 0)
		debug_say(c->env, DEBUG_NAMESPACES);
	return r;
}

/* The child asks in the order of the mounts. */
static int step_maps(struct create *c, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->plan->mount_count; i++) {
		own_fd int tree = -EBADF;

		if (!mnt_needs_mapping(&c->plan->mounts[i]))
			continue;
		r = hs_expect(c->sock, HS_MAP, &tree, e);
		if (r == 0)
			r = map_ids(c, &c->plan->mounts[i], tree, e);
		if (r == 0)
			r = hs_send(c->sock, HS_MAPPED, -1, e);
	}
	close_sources(c);
	return r;
}

static int step_limits(struct create *c, struct err *e)
{
	const struct plan *p = c->plan;
	int r;

	if (p->driver == CG_DISABLED)
		return 0;
	r = cg_apply(c->layout, c->state->cgroup_path, &p->resources, e);
	if (r == -EBUSY)
		group_hint_memory(e);
	if (r == 0 && p->delegate)
		r = cg_delegate(c->layout, c->state->cgroup_path, p->ns.uid_maps[0].outside,
				p->ns.gid_maps[0].outside, e);
	return r;
}

/* One that is joined is taken from where it was opened: the child may still be on its way. */
static int open_netns(const struct create *c, struct err *e)
{
	int joined = c->join.fd[NS_NET], fd;

	if (joined < 0)
		return ns_open(c->pid, NS_NET, e);
	fd = fcntl(joined, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? err_set(e, -errno, "dup the network namespace") : fd;
}

static int step_network(struct create *c, struct err *e)
{
	own_fd int netns = -EBADF;
	int r = 0;

	if (!c->plan->net && !c->plan->device_count)
		return 0;
	netns = open_netns(c, e);
	if (netns < 0)
		return netns;
	if (c->plan->net)
		r = network_apply(c->run, c->plan->net, netns, e);
	return r < 0 ? r : net_devices_move(c->plan->devices, c->plan->device_count, netns, e);
}

static void undo_network(struct create *c)
{
	own_fd int netns = c->plan->device_count ? open_netns(c, NULL) : -EBADF;

	if (netns >= 0)
		net_devices_return(c->plan->devices, c->plan->device_count, netns);
	if (c->plan->net)
		(void)network_undo(c->run, c->plan->net, NULL);
}

static int step_process(struct create *c, struct err *e)
{
	return confine_parent(&c->plan->process, c->pid, c->plan->unprivileged, e);
}

/* runtime-spec runtime.md "Lifecycle", 3 to 5 */
static int step_hooks(struct create *c, struct err *e)
{
	const struct plan *p = c->plan;
	int r;

	if (!plan_stops_for_hooks(p))
		return 0;
	r = hs_expect(c->sock, HS_MOUNTED, NULL, e);
	if (r == 0)
		r = hooks_run(p->hooks, HOOK_PRESTART, c->state, c->pid, NULL, e);
	if (r == 0)
		r = hooks_run(p->hooks, HOOK_CREATE_RUNTIME, c->state, c->pid, NULL, e);
	return r < 0 ? r : hs_send(c->sock, HS_HOOKED, -1, e);
}

static int step_ready(struct create *c, struct err *e)
{
	int r = 0;

	if (c->plan->process.terminal)
		r = hs_expect(c->sock, HS_CONSOLE, &c->master, e);
	if (r == 0)
		r = hs_expect(c->sock, HS_READY, NULL, e);
	if (r == 0)
		debug_say(c->env, DEBUG_CHILD);
	return r;
}

static int step_commit(struct create *c, struct err *e)
{
	int r = 0;

	if (!c->gate)
		return 0;
	/* At the gate init outlives us. Without a cgroup only its pid leads a healer to it. */
	if (c->plan->driver == CG_DISABLED)
		r = state_save(c->run, c->state, e);
	if (r == 0)
		r = hs_send(c->sock, HS_GATE, -1, e);
	/* Init lets go of the channel where it begins to wait, and where it dies on its way there.
	 */
	if (r == 0)
		r = hs_expect_end(c->sock, e);
	if (r == 0 && fd_wait(c->pidfd, 0) == 1)
		r = err_say(e, -EPIPE, "the container's process ended before it stood at the gate");
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
	{ "scope",   step_scope,   NULL },
	{ "go",      step_go,      NULL },
	{ "limits",  step_limits,  NULL },
	{ "network", step_network, undo_network },
	{ "maps",    step_maps,    NULL },
	{ "hooks",   step_hooks,   NULL },
	{ "ready",   step_ready,   NULL },
	{ "process", step_process, NULL },
	{ "commit",  step_commit,  NULL },
};
/* clang-format on */

static void undo_from(struct create *c, size_t count)
{
	while (count--)
		if (steps[count].undo)
			steps[count].undo(c);
}

/* A child that failed has said why, which is the cause; what the parent then saw is not: a channel
 * without a peer, or a scope that systemd has removed with its last process. */
static int prefer_child_error(const struct create *c, int r, struct err *e)
{
	struct err child = { 0 };

	if (c->sock < 0 || c->pid <= 0 || !e)
		return r;
	/* One that is about to end: the channel went first, or its files in /proc did. */
	if (r != -EPIPE && r != -ESRCH && r != -ENOENT && fd_wait(c->pidfd, 0) != 1)
		return r;
	(void)shutdown(c->sock, SHUT_WR); /* a child that still waits for us gives up */
	while (hs_expect(c->sock, HS_ERROR, NULL, &child) == -EPROTO)
		;
	if (!child.code || child.code == -EPIPE || child.code == -EPROTO)
		return group_explain_end(c->layout, c->state, r, e);
	*e = child;
	return child.code;
}

int create_run(struct create *c, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int r = steps[i].run(c, e);

		if (r == 0) {
			debug_say(c->env, "step '%s' is done", steps[i].name);
			continue;
		}
		r = prefer_child_error(c, r, e);
		undo_from(c, i + 1);
		return r;
	}
	life_warn(c->env, c->plan->process.ungranted);
	return 0;
}

int create_let_execute(const struct cg_layout *layout, int sock, int run, const struct state *state,
		       struct err *e)
{
	const struct listener listener = {
		.run = run, .state = state, .status = "created", .pid = (pid_t)state->pid
	};
	int r = hs_send(sock, HS_EXEC, -1, e);

	if (r == 0)
		r = listener_serve(sock, &listener, e);
	if (r < 0)
		return r;
	/* The channel ends with execve, and with the process. */
	if (proc_has_executed(listener.pid) != 0)
		return 0;
	err_say(e, -ECHILD, "the container's process was killed before it executed its program");
	return group_explain_end(layout, state, -ECHILD, e);
}

int create_release(struct create *c, struct err *e)
{
	int r = create_let_execute(c->layout, c->sock, c->run, c->state, e);

	if (r == 0) {
		debug_say(c->env, DEBUG_EXECUTED);
		c->state->phase = STATE_RUNNING;
		r = state_save(c->run, c->state, e);
	}
	if (r < 0)
		undo_from(c, ARRAY_SIZE(steps));
	return r;
}

int create_undo_all(const struct ctr_env *env, int run, const struct cg_layout *layout,
		    const struct state *state, struct err *e)
{
	int r = group_end(layout, state, e), again;

	if (r == 0)
		r = group_remove(layout, state, e);
	if (r == 0)
		r = detach_root(state, e);
	if (state->network) {
		again = network_undo_recorded(run, state->id, r < 0 ? NULL : e);
		r = r < 0 ? r : again;
	}
	if (r < 0)
		return r;
	hooks_poststop(env, run, state);
	return state_remove(run, state->id, e);
}
