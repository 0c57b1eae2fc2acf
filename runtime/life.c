/* SPDX-License-Identifier: Apache-2.0 */
/* Lock, load, heal; and the verbs that only signal or end. */
#include "runtime/life.h"

#include "base/file.h"
#include "base/own.h"
#include "base/fd.h"
#include "runtime/create.h"
#include "runtime/debug.h"
#include "runtime/group.h"
#include "runtime/halt.h"
#include "runtime/handshake.h"
#include "runtime/hooks.h"
#include "runtime/notify.h"
#include "runtime/partition.h"
#include "runtime/spec/spec.h"
#include "runtime/storage/store.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

enum { STOP_DEFAULT_MS = 10000 };

/* clang-format off */
static const char *const status_names[] = {
	[CTR_CREATING] = "creating", [CTR_CREATED] = "created", [CTR_RUNNING] = "running",
	[CTR_PAUSED] = "paused",     [CTR_STOPPED] = "stopped",
};
/* clang-format on */
_Static_assert(ARRAY_SIZE(status_names) == CTR_STATUSES, "a name for every status");

const char *ctr_status_name(enum ctr_status status)
{
	return status_names[status];
}

uint64_t life_now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail with this clock */
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int load(struct life *life, struct err *e)
{
	struct err why = { 0 };
	int r;

	life->pidfd = -ESRCH;
	if (faccessat(life->run, life->id, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(e, -errno, "look for '%s'", life->id);
	r = state_load(life->run, life->id, &life->arena, &life->state, &why);
	if (r == 0) {
		life->exists = true;
		life->pidfd = state_proc(&life->state);
		/* A start that was killed between the two steps of open_gate(). */
		if (life->state.phase == STATE_CREATED && life->pidfd >= 0 &&
		    proc_has_executed((pid_t)life->state.pid) == 1)
			life->state.phase = STATE_RUNNING;
		return life->pidfd < 0 && life->pidfd != -ESRCH
			       ? err_set(e, life->pidfd, "find the process of '%s'", life->id)
			       : 0;
	}
	if (e)
		*e = why;
	return r;
}

static int look(const struct ctr_env *env, const char *id, struct life *life, struct err *e)
{
	int r = state_check_id(id, e);

	if (r < 0)
		return r;
	life->env = env;
	life->id = id;
	life->run = state_open(env->run, e);
	if (life->run < 0)
		return life->run;
	return cg_layout_open(&life->arena, &life->layout, e);
}

int life_look(const struct ctr_env *env, const char *id, struct life *ret, struct err *e)
{
	int r = look(env, id, ret, e);

	return r < 0 ? r : load(ret, e);
}

int life_end(struct life *life, struct err *e)
{
	int r = create_undo_all(life->env, life->run, life->layout, &life->state, e);

	if (r < 0)
		return r;
	life->exists = false;
	close_fd(&life->pidfd);
	life->pidfd = -ESRCH;
	return 0;
}

/* See the DOC block of state.h: with the lock in our hand, `creating` means that its writer died,
 * and a directory without a state that it died before it made anything. */
static int heal(struct life *life, int loaded, struct err *e)
{
	if (loaded == -ENOENT)
		return state_remove(life->run, life->id, e);
	if (loaded < 0)
		return loaded;
	if (!life->exists)
		return 0;
	if (life->state.phase == STATE_CREATING || (life->state.partition && life->pidfd == -ESRCH))
		return err_wrap(e, life_end(life, e), "heal '%s'", life->id);
	return 0;
}

int life_open(const struct ctr_env *env, const char *id, struct life *ret, struct err *e)
{
	int r = look(env, id, ret, e);

	if (r < 0)
		return r;
	ret->lock = state_lock(ret->run, id, e);
	if (ret->lock < 0)
		return ret->lock;
	return heal(ret, load(ret, e), e);
}

void life_done(struct life *life)
{
	if (life->lock >= 0)
		state_unlock_forget(life->run, life->id, &life->lock);
	close_fd(&life->pidfd);
	close_fd(&life->run);
	arena_done(&life->arena);
}

void life_warn(const struct ctr_env *env, const char *msg)
{
	struct err why = { .code = 0 };

	if (!msg || !env->warn)
		return;
	err_say(&why, -EPERM, "%s", msg);
	env->warn(env->warn_arg, &why);
}

enum ctr_status life_status(const struct life *life)
{
	if (!life->exists)
		return CTR_STOPPED;
	if (life->state.phase == STATE_CREATING)
		return CTR_CREATING;
	if (life->pidfd < 0)
		return CTR_STOPPED;
	if (life->state.phase == STATE_CREATED)
		return CTR_CREATED;
	return group_is_frozen(life->layout, &life->state) ? CTR_PAUSED : CTR_RUNNING;
}

/* What a killed create or delete left in the store of a partition that is not there. */
static int heal_store(const struct life *life, struct err *e)
{
	own_fd int store = open(life->env->store, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return store < 0 ? 0 : partition_dir_heal(store, life->id, e);
}

static int unknown(const struct life *life, struct err *e)
{
	return err_say(e, -ENOENT, "container '%s' does not exist", life->id);
}

int life_need(const struct life *life, struct err *e)
{
	if (life->exists)
		return 0;
	if (partition_exists(life->env, life->id))
		return err_say(e, -ESRCH, "partition '%s' is not running", life->id);
	return unknown(life, e);
}

static int signal_init(const struct life *life, int sig, struct err *e)
{
	int r = proc_signal(life->pidfd, sig);

	if (r == -ESRCH)
		return err_say(e, r, "container not running");
	return r < 0 ? err_set(e, r, "signal '%s'", life->id) : 0;
}

static int connect_gate(const struct life *life, struct err *e)
{
	own_fd int dir = state_dir(life->run, life->id, false, e), sock = -EBADF;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (dir < 0)
		return dir;
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return err_set(e, -errno, "make a socket");
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/gate", dir);
	if (connect(sock, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set(e, -errno, "reach the process of '%s' at its gate", life->id);
	return take_fd(&sock);
}

static int open_gate(struct life *life, struct err *e)
{
	own_fd int sock = connect_gate(life, e);
	int r;

	if (sock < 0)
		return sock;
	r = create_let_execute(life->layout, sock, life->run, &life->state, e);
	if (r == 0)
		debug_say(life->env, DEBUG_EXECUTED);
	if (r < 0)
		return r;
	life->state.phase = STATE_RUNNING;
	life->state.started_ms = life_now_ms();
	return state_save(life->run, &life->state, e);
}

int life_poststart(struct life *life, struct err *e)
{
	own_json json_t *doc = NULL;
	struct spec spec;
	int r;

	if (!life->state.hooks)
		return 0;
	r = state_load_json(life->run, life->id, "config.json", &doc, e);
	if (r == 0)
		r = spec_decode(doc, "config.json", &life->arena, &spec, e);
	return r < 0 ? r
		     : hooks_run(&spec.hooks, HOOK_POSTSTART, &life->state, (pid_t)life->state.pid,
				 NULL, e);
}

/* runtime-spec runtime.md "Lifecycle": a failure from here on stops the container. */
static int start_created(struct life *life, struct err *e)
{
	own_fd int notify = notify_listen(life->env, life->run, life->id, e);
	int r;

	if (notify < 0 && notify != -ENOENT)
		return notify;
	r = open_gate(life, e);
	if (r == 0)
		r = life_poststart(life, e);
	if (r < 0) {
		(void)group_signal(life->layout, &life->state, SIGKILL, NULL); /* r says why */
		return r;
	}
	close_fd(&life->lock); /* others may work on it while we wait */
	return notify < 0 ? 0
			  : notify_wait(life->env, notify, life->pidfd, (pid_t)life->state.pid, e);
}

int container_start(const struct ctr_env *env, const char *id, struct err *e)
{
	own_life struct life life = LIFE_EMPTY;
	int r = life_open(env, id, &life, e);

	if (r < 0)
		return r;
	if (!life.exists)
		return partition_exists(env, id) ? partition_start(&life, NULL, e)
						 : unknown(&life, e);
	switch (life_status(&life)) {
	case CTR_CREATED:
		return start_created(&life, e);
	case CTR_STOPPED:
		return err_say(e, -EINVAL, "cannot start a container that has stopped");
	default:
		return err_say(e, -EALREADY, "cannot start '%s': already running", id);
	}
}

static bool somebody_lives(struct life *life)
{
	size_t count = 0;
	pid_t *pids;

	return group_pids(life->layout, &life->state, &life->arena, &pids, &count, NULL) == 0 &&
	       count > 0;
}

int container_kill(const struct ctr_env *env, const char *id, int sig, bool all, struct err *e)
{
	own_life struct life life = LIFE_EMPTY;
	int r = life_look(env, id, &life, e);

	if (r < 0)
		return r;
	r = life_need(&life, e);
	if (r < 0)
		return r;
	if (all) /* whoever is left, which may be nobody */
		return group_signal(life.layout, &life.state, sig, e);
	/* Without its own pid namespace it may live on without its init. */
	if (life.pidfd < 0 && sig == SIGKILL && somebody_lives(&life))
		return group_signal(life.layout, &life.state, sig, e);
	if (life.pidfd < 0)
		return err_say(e, -ESRCH, "container not running");
	/* A container without its own pid namespace does not end with its init. */
	if (sig == SIGKILL && life.state.cgroup_path)
		(void)group_signal(life.layout, &life.state, sig, NULL);
	r = signal_init(&life, sig, e);
	return sig == SIGKILL && r == -ESRCH ? 0 : r;
}

int container_pause(const struct ctr_env *env, const char *id, bool pause, struct err *e)
{
	own_life struct life life = LIFE_EMPTY;
	enum ctr_status status;
	int r = life_open(env, id, &life, e);

	if (r == 0)
		r = life_need(&life, e);
	if (r < 0)
		return r;
	status = life_status(&life);
	if (pause ? status != CTR_RUNNING && status != CTR_CREATED : status != CTR_PAUSED)
		return err_say(e, -EINVAL, "cannot %s '%s': it is %s", pause ? "pause" : "resume",
			       id, ctr_status_name(status));
	return group_freeze(life.layout, &life.state, pause, e);
}

/* Ask nicely, wait on the pidfd, then let the kernel end all of it at once. */
static int halt_gracefully(struct life *life, int timeout_ms, struct err *e)
{
	int sig = partition_halt_signal(life), r;

	if (group_is_frozen(life->layout, &life->state)) {
		r = group_freeze(life->layout, &life->state, false, e);
		if (r < 0)
			return r;
	}
	if (!halt_can_catch((pid_t)life->state.pid, sig))
		return 0; /* the kernel would drop it: waiting is no use */
	r = proc_signal(life->pidfd, sig);
	if (r == -ESRCH)
		return 0;
	if (r < 0)
		return err_set(e, r, "signal '%s'", life->id);
	r = fd_wait(life->pidfd, timeout_ms);
	return r < 0 ? err_set(e, r, "wait for '%s'", life->id) : 0;
}

int container_stop(const struct ctr_env *env, const char *id, const struct stop_opts *opts,
		   struct err *e)
{
	own_life struct life life = LIFE_EMPTY;
	int timeout_ms = opts->timeout_ms, r = life_open(env, id, &life, e);

	if (r < 0)
		return r;
	if (!life.exists)
		return partition_exists(env, id) ? 1 : unknown(&life, e);
	if (life.pidfd < 0)
		return 1;
	if (timeout_ms < 0)
		timeout_ms = partition_stop_timeout_ms(&life, STOP_DEFAULT_MS);
	if (!opts->kill) {
		r = halt_gracefully(&life, timeout_ms, e);
		if (r < 0)
			return r;
	}
	if (life.state.partition)
		return life_end(&life, e);
	return group_end(life.layout, &life.state, e);
}

static int delete_partition(struct life *life, bool force, struct err *e)
{
	own_fd int store = store_open(life->env->store, e);
	int r;

	if (store < 0)
		return store;
	if (life->exists && !force) {
		err_say(e, -EBUSY, "partition '%s' is %s", life->id,
			ctr_status_name(life_status(life)));
		err_hint(e, "stop it first, or delete it with --force");
		return -EBUSY;
	}
	if (life->exists) {
		r = life_end(life, e);
		if (r < 0)
			return r;
	}
	return partition_dir_remove(store, life->id, e);
}

int container_delete(const struct ctr_env *env, const char *id, bool force, struct err *e)
{
	own_life struct life life = LIFE_EMPTY;
	enum ctr_status status;
	int r = life_open(env, id, &life, e);

	if (r == -EINVAL && force && life.lock >= 0) /* a state that nobody can read */
		return state_remove(life.run, id, e);
	if (r < 0)
		return r;
	if ((life.exists && life.state.partition) || (!life.exists && partition_exists(env, id)))
		return delete_partition(&life, force, e);
	if (!life.exists) {
		r = heal_store(&life, e);
		return r < 0 ? r : unknown(&life, e);
	}
	status = life_status(&life);
	if (!force && status != CTR_STOPPED && status != CTR_CREATED)
		return err_say(e, -EBUSY, "cannot delete container %s that is not stopped: %s", id,
			       ctr_status_name(status));
	return life_end(&life, e);
}
