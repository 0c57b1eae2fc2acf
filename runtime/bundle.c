/* SPDX-License-Identifier: Apache-2.0 */
/* OCI bundles: create, and run in the foreground, of bundles and of throw-away partitions. */
#include "runtime/container.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "base/proc.h"
#include "runtime/create.h"
#include "runtime/group.h"
#include "runtime/hooks.h"
#include "runtime/life.h"
#include "runtime/notify.h"
#include "runtime/partition.h"
#include "runtime/self.h"
#include "runtime/sendfd.h"
#include "runtime/spec/spec.h"
#include "runtime/supervise.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

struct bundle {
	struct life life;
	json_t *doc;
	struct spec spec;
	struct plan plan;
	struct create create;
};

static void bundle_done(struct bundle *b)
{
	create_done(&b->create);
	json_decref(b->doc);
	life_done(&b->life);
}
#define own_bundle __attribute__((cleanup(bundle_done)))

static void bundle_init(struct bundle *b)
{
	*b = (struct bundle){ .life = LIFE_EMPTY };
	create_init(&b->create);
}

static int load_bundle(const char *path, struct arena *arena, const char **ret_path,
		       struct spec *ret, json_t **ret_doc, struct err *e)
{
	own_free char *real = realpath(path ? path : ".", NULL);
	own_fd int dir = -EBADF;
	int r;

	if (!real)
		return err_set(e, -errno, "bundle '%s'", path ? path : ".");
	dir = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(e, -errno, "open bundle '%s'", real);
	*ret_path = arena_strdup(arena, real);
	if (!*ret_path)
		return -ENOMEM;
	r = spec_load(dir, "config.json", arena, ret, ret_doc, e);
	return r < 0 ? r : spec_check(ret, e);
}

static int fill_state(struct bundle *b, const char *bundle, struct err *e)
{
	struct arena *arena = &b->life.arena;
	char *boot = arena_alloc(arena, 40);
	int r;

	if (!boot)
		return -ENOMEM;
	r = proc_boot_id(boot, 40);
	if (r < 0)
		return err_set(e, r, "read the boot id");
	b->life.state = (struct state){
		.version = 1,
		.id = arena_strdup(arena, b->life.id),
		.oci_version = b->spec.oci_version,
		.boot_id = boot,
		.bundle = arena_strdup(arena, bundle),
		.rootfs = arena_strdup(arena, b->plan.rootfs),
		.driver = b->plan.driver,
		.unit = arena_strdup(arena, b->plan.unit.name),
		.cgroup_path = arena_strdup(arena, b->plan.cgroup_path),
		.created_ms = life_now_ms(),
		.annotations = b->spec.annotations,
	};
	return b->life.state.id && !b->life.state.cgroup_path == !b->plan.cgroup_path &&
			       !b->life.state.unit == !b->plan.unit.name
		       ? 0
		       : -ENOMEM;
}

static int check_terminal(const struct plan *p, const char *console_socket, bool foreground,
			  struct err *e)
{
	if (p->process.terminal && !foreground && !console_socket) {
		err_say(e, -EINVAL, "process.terminal is true, and nothing will hold the terminal");
		err_hint(e, "give --console-socket, or run it in the foreground");
		return -EINVAL;
	}
	if (console_socket && (!p->process.terminal || foreground))
		return err_say(e, -EINVAL,
			       "--console-socket needs process.terminal and a detached container");
	return 0;
}

/* A number that is free now would be given to a descriptor of ours, and that to the container. */
static int check_fds(const struct ctr_env *env, const struct create_opts *opts, struct err *e)
{
	int missing;

	if (fd_check_open(3, env->listen_fds + opts->preserve_fds, &missing) == 0)
		return 0;
	return err_say(e, -EBADF, "%s %u: descriptor %d is not open",
		       opts->preserve_fds ? "--preserve-fds" : "LISTEN_FDS",
		       opts->preserve_fds ? opts->preserve_fds : env->listen_fds, missing);
}

/* What our own environment hands on: sockets that wait to be served, and a manager that waits to
 * hear. */
static int add_services(const struct ctr_env *env, struct bundle *b, struct err *e)
{
	struct spec_process *process = b->spec.process;
	struct arena *arena = &b->life.arena;
	int r = 0;

	if (env->listen_fds) {
		r = spec_process_setenv(process, "LISTEN_FDS", arena, "%u", env->listen_fds);
		if (r == 0)
			r = spec_process_setenv(process, "LISTEN_PID", arena, "1");
		if (r < 0)
			return err_set(e, r, "pass LISTEN_FDS on");
	}
	return notify_prepare(env, b->life.run, b->life.id, arena, &b->spec, e);
}

/* Up to `created`: the lock is held, init waits. */
static int set_up(const struct ctr_env *env, const char *id, const struct create_opts *opts,
		  bool foreground, struct bundle *b, struct err *e)
{
	const char *path;
	int r;

	r = check_fds(env, opts, e);
	if (r == 0)
		r = life_open(env, id, &b->life, e);
	if (r < 0)
		return r;
	if (b->life.exists || partition_exists(env, id))
		return err_say(e, -EEXIST, "container with given ID already exists: '%s'", id);
	r = load_bundle(opts->bundle, &b->life.arena, &path, &b->spec, &b->doc, e);
	if (r == 0)
		r = add_services(env, b, e);
	if (r == 0)
		r = plan_build(id, path, opts->driver, &b->spec, NULL, NULL, &b->life.arena,
			       &b->plan, e);
	if (r == 0)
		r = group_fit(opts->rootless, b->spec.linux_.cgroups_path, &b->life.arena,
			      &b->life.layout, &b->plan, e);
	if (r == 0)
		r = group_check(b->life.layout, b->plan.driver, &b->plan.resources, e);
	if (r == 0)
		r = lsm_check(&b->plan.process.lsm, e);
	if (r == 0)
		r = net_devices_check(b->plan.devices, b->plan.device_count, e);
	if (r == 0)
		r = check_terminal(&b->plan, opts->console_socket, foreground, e);
	b->plan.no_pivot = opts->no_pivot;
	if (r == 0)
		r = self_protect(&b->spec, e);
	if (r == 0)
		r = fill_state(b, path, e);
	if (r < 0)
		return r;
	r = state_save_json(b->life.run, id, "config.json", b->doc, e);
	if (r < 0) {
		(void)state_remove(b->life.run, id, NULL); /* r says why */
		return r;
	}
	b->create.env = env;
	b->create.run = b->life.run;
	b->create.layout = b->life.layout;
	b->create.plan = &b->plan;
	b->create.state = &b->life.state;
	b->create.gate = !foreground;
	b->create.new_keyring = !opts->no_new_keyring;
	b->create.preserve_fds = (int)(env->listen_fds + opts->preserve_fds);
	b->create.arena = &b->life.arena;
	return create_run(&b->create, e);
}

static int write_pid_file(const char *path, pid_t pid, struct err *e)
{
	char text[16];
	int r;

	if (!path)
		return 0;
	(void)snprintf(text, sizeof(text), "%d", pid); /* callers want no newline */
	r = file_replace(AT_FDCWD, path, text, strlen(text), 0644, FILE_NOSYNC);
	return r < 0 ? err_set(e, r, "write pid file '%s'", path) : 0;
}

/* There shall be no container. Return: @r. */
static int abandon(struct bundle *b, int r)
{
	(void)create_undo_all(b->life.env, b->life.run, b->life.layout, &b->life.state, NULL);
	return r;
}

/* What the caller asked for once init exists; on failure there shall be no container. */
static int hand_out(struct bundle *b, const struct create_opts *opts, struct err *e)
{
	const char *pidfd_socket = opts->pidfd_socket;
	int r = 0;

	if (!pidfd_socket)
		pidfd_socket = spec_annotation(&b->spec, "run.oci.pidfd_receiver");

	if (opts->console_socket)
		r = sendfd_console(opts->console_socket, b->create.master, e);
	if (r == 0 && pidfd_socket)
		r = sendfd(pidfd_socket, b->create.pidfd, "standard", e);
	if (r == 0)
		r = write_pid_file(opts->pid_file, b->create.pid, e);
	return r < 0 ? abandon(b, r) : 0;
}

int container_create(const struct ctr_env *env, const char *id, const struct create_opts *opts,
		     struct err *e)
{
	own_bundle struct bundle b;
	int r;

	bundle_init(&b);
	r = set_up(env, id, opts, false, &b, e);
	return r < 0 ? r : hand_out(&b, opts, e);
}

static int run_detached(const struct ctr_env *env, const char *id, const struct run_opts *opts,
			struct err *e)
{
	int r = container_create(env, id, &opts->create, e);

	if (r == 0)
		r = container_start(env, id, e);
	return r;
}

/** What relay() needs. */
struct readiness {
	const struct ctr_env *env;
	int sock;
	pid_t pid;
};

static int relay(void *arg, struct err *e)
{
	const struct readiness *r = arg;

	return notify_relay(r->env, r->sock, r->pid, e);
}

static int run_bundle(const struct ctr_env *env, const char *id, const struct run_opts *opts,
		      int signals, struct err *e)
{
	own_bundle struct bundle b;
	own_fd int notify = -EBADF;
	struct readiness readiness;
	struct supervise_more more;
	int r, status;

	bundle_init(&b);
	r = set_up(env, id, &opts->create, true, &b, e);
	if (r == 0)
		r = hand_out(&b, &opts->create, e);
	if (r < 0)
		return r;
	notify = notify_listen(env, b.life.run, id, e);
	if (notify < 0 && notify != -ENOENT)
		return abandon(&b, notify);
	b.life.state.started_ms = life_now_ms();
	supervise_pty(b.create.master);
	r = create_release(&b.create, e);
	if (r < 0)
		return r;
	b.life.exists = true;
	r = hooks_run(&b.spec.hooks, HOOK_POSTSTART, &b.life.state, b.create.pid, NULL, e);
	if (r < 0)
		return abandon(&b, r);
	readiness = (struct readiness){ env, notify, b.create.pid };
	more = (struct supervise_more){ notify, relay, &readiness };
	/* Other commands may work on it while it runs. */
	close_fd(&b.life.lock);
	status = supervise(b.create.pidfd, signals, b.create.master, &more, e);
	if (status >= 0 && !opts->keep) {
		b.life.lock = state_lock(b.life.run, id, e);
		r = b.life.lock < 0 ? b.life.lock : life_end(&b.life, e);
		if (r < 0)
			return r;
	}
	return status;
}

static int run_partition(const struct ctr_env *env, const char *id, const struct run_opts *opts,
			 int signals, struct err *e)
{
	own_life struct life life = LIFE_EMPTY;
	own_fd int pidfd = -EBADF, master = -EBADF;
	struct partition_run run = { .terminal = isatty(STDIN_FILENO),
				     .pidfd = -EBADF,
				     .master = -EBADF };
	struct err removal = { 0 };
	int r, status;

	r = partition_create(env, id, &opts->create, &life.arena, &id, e);
	if (r < 0)
		return r;
	status = life_open(env, id, &life, e);
	if (status == 0)
		status = partition_start(&life, &run, e);
	pidfd = run.pidfd;
	master = run.master;
	close_fd(&life.lock);
	if (status == 0)
		status = supervise(pidfd, signals, master, NULL, e);
	if (opts->keep)
		return status;
	r = container_delete(env, id, true, &removal);
	if (r < 0 && status >= 0) {
		if (e)
			*e = removal;
		return r;
	}
	return status;
}

int container_run(const struct ctr_env *env, const char *id, const struct run_opts *opts,
		  struct err *e)
{
	bool partition = opts->create.config || opts->create.template;
	own_fd int signals = -EBADF;

	if (opts->detach && !partition)
		return run_detached(env, id, opts, e);
	if (opts->detach) {
		own_arena struct arena arena = { 0 };
		int r = partition_create(env, id, &opts->create, &arena, &id, e);

		return r < 0 ? r : container_start(env, id, e);
	}
	signals = supervise_begin(e);
	if (signals < 0)
		return signals;
	return partition ? run_partition(env, id, opts, signals, e)
			 : run_bundle(env, id, opts, signals, e);
}

int container_plan(const struct ctr_env *env, const char *bundle, json_t **ret, struct err *e)
{
	own_arena struct arena arena = { 0 };
	own_json json_t *doc = NULL;
	const struct cg_layout *layout;
	const char *path;
	struct spec spec;
	struct plan plan;
	int r;

	(void)env; /* a bundle needs no store; the signature is that of its siblings */
	r = load_bundle(bundle, &arena, &path, &spec, &doc, e);
	if (r == 0)
		r = plan_build("plan", path, CG_CGROUPFS, &spec, NULL, NULL, &arena, &plan, e);
	if (r == 0)
		r = cg_layout_open(&arena, &layout, e);
	if (r == 0)
		r = cg_check(layout, &plan.resources, e);
	if (r < 0)
		return r;
	*ret = plan_to_json(&plan, layout, &arena);
	return *ret ? 0 : -ENOMEM;
}
