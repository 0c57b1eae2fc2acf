/* SPDX-License-Identifier: Apache-2.0 */
/* Which driver does what to the processes of a container. */
#include "runtime/group.h"

#include "base/fd.h"
#include "base/feat.h"
#include "base/own.h"
#include "base/proc.h"
#include "base/text.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { END_WAIT_MS = 10000 };
/* What init takes until it executes: its page tables, its stack in the kernel and the mounts that
 * it makes. Seen: 256 KiB with pages of 4 KiB; twice that leaves room for other kernels. */
#define MEMORY_TO_START (128 * (uint64_t)sysconf(_SC_PAGESIZE))

static bool is_systemd(const struct state *state)
{
	return state->driver == CG_SYSTEMD || state->driver == CG_SYSTEMD_USER;
}

static enum cg_driver driver_of(const struct state *state)
{
	return (enum cg_driver)state->driver;
}

int group_check(const struct cg_layout *layout, enum cg_driver driver,
		const struct cg_resources *res, struct err *e)
{
	return driver == CG_DISABLED ? cg_check_disabled(res, e) : cg_check(layout, res, e);
}

static bool is_rootless(enum ctr_rootless how)
{
	return how == ROOTLESS_AUTO ? geteuid() != 0 || !feat_is_initial_userns()
				    : how == ROOTLESS_TRUE;
}

/* Beside our own group before below it: a group with processes in it passes no controllers on
 * (cgroup-v2.rst "No Internal Process Constraint"). NULL: @n is past the last. */
static const char *candidate(const char *asked, const char *id, size_t n, struct arena *arena)
{
	const char *own, *slash;
	int len;

	if (asked && *asked == '/')
		return n == 0 ? asked : NULL;
	own = cg_own_path(arena);
	if (!own || n > 1)
		return NULL;
	slash = strrchr(own, '/');
	len = n == 0 || !own[1] ? (int)(slash - own) : (int)strlen(own);
	return arena_printf(arena, "%.*s/%s", len, own, asked && *asked ? asked : id);
}

static int without_cgroup(struct plan *p, struct err *e)
{
	struct err why = { 0 };
	int r = cg_check_disabled(&p->resources, &why);

	if (r == -ENOTSUP) {
		(void)err_say(e, r, "%.*s: not without a cgroup, and none is delegated to us",
			      (int)strcspn(why.msg, ":"), why.msg);
		err_hint(e, "remove the limit, run as root, or have root delegate a cgroup: with "
			    "systemd, 'systemd-run --user --scope -p Delegate=yes ctr ...'");
		return r;
	}
	if (r < 0) {
		if (e)
			*e = why;
		return r;
	}
	p->driver = CG_DISABLED;
	p->cgroup_path = NULL;
	return 0;
}

int group_fit(enum ctr_rootless how, const char *asked, struct arena *arena,
	      const struct cg_layout **layout, struct plan *plan, struct err *e)
{
	const char *path;

	if (plan->driver != CG_CGROUPFS || !is_rootless(how))
		return 0;
	for (size_t n = 0; (path = candidate(asked, plan->id, n, arena)); n++) {
		int r = cg_narrow(*layout, path, arena, layout);

		if (r < 0)
			return err_set(e, r, "look for a cgroup that is ours");
		if (r == 0)
			continue;
		plan->cgroup_path = path;
		return 0;
	}
	return without_cgroup(plan, e);
}

int group_narrow(const struct state *state, struct arena *arena, const struct cg_layout **layout,
		 struct err *e)
{
	int r;

	if (!state->cgroup_path || !is_rootless(ROOTLESS_AUTO))
		return 0;
	r = cg_narrow(*layout, state->cgroup_path, arena, layout);
	if (r < 0)
		return err_set(e, r, "look into cgroup '%s'", state->cgroup_path);
	if (r > 0 || is_systemd(state)) /* whose systemd moves it there for us */
		return 0;
	(void)err_say(e, -EPERM, "cgroup '%s' may not be entered from here", state->cgroup_path);
	err_hint(e, "call it from within the cgroup that is delegated to this user");
	return -EPERM;
}

/* Its cgroup; NULL when there is none, or none any more. */
static int find_path(const struct state *state, struct arena *arena, const char **ret,
		     struct err *e)
{
	struct err why = { 0 };
	int r = 0;

	*ret = state->cgroup_path;
	if (!*ret && is_systemd(state))
		r = sd_find(driver_of(state), state->unit, arena, ret, &why);
	if (r == -ENOENT)
		return 0;
	if (r < 0 && e)
		*e = why;
	return r;
}

int group_check_free(const struct cg_layout *layout, const struct state *state, struct err *e)
{
	own_arena struct arena arena = { 0 };
	const char *path;
	pid_t *pids;
	size_t count = 0;
	int r = find_path(state, &arena, &path, e);

	if (r < 0 || !path)
		return r;
	if (is_systemd(state))
		return err_say(e, -EBUSY, "unit '%s' is in use, with cgroup '%s'", state->unit,
			       path);
	r = cg_pids(layout, path, &arena, &pids, &count, NULL);
	if (r < 0 && r != -ENOENT)
		return err_set(e, r, "look into cgroup '%s'", path);
	if (count)
		return err_say(e, -EBUSY,
			       "container's cgroup is not empty: '%s' is in use by process %d",
			       path, pids[0]);
	/* Nothing would ever start in there. */
	if (cg_is_frozen(layout, path) == 1)
		return err_say(e, -EBUSY, "container's cgroup unexpectedly frozen: '%s'", path);
	return 0;
}

int group_adopt(const struct cg_layout *layout, const struct plan *plan, pid_t pid,
		struct state *state, struct arena *arena, struct err *e)
{
	const char *path, *description = arena_printf(arena, "ctr container %s", plan->id);
	int r;

	if (!is_systemd(state))
		return 0;
	if (!description)
		return -ENOMEM;
	r = sd_start(plan->driver, &plan->unit, description, pid, &plan->resources, arena, &path,
		     e);
	if (r < 0)
		return r;
	state->cgroup_path = arena_strdup(arena, path);
	if (!state->cgroup_path)
		return -ENOMEM;
	/* v1 hierarchies are root's. */
	return plan->driver == CG_SYSTEMD ? cg_adopt(layout, path, pid, e) : 0;
}

int group_apply(const struct cg_layout *layout, const struct state *state,
		const struct cg_resources *res, struct err *e)
{
	int r = group_need(state, "limit", e);

	if (r == 0 && is_systemd(state))
		r = sd_set(driver_of(state), state->unit, res, e);
	return r < 0 ? r : cg_apply(layout, state->cgroup_path, res, e);
}

int group_need(const struct state *state, const char *verb, struct err *e)
{
	if (state->cgroup_path)
		return 0;
	err_say(e, -ENOTSUP, "cannot %s '%s': it has no cgroup", verb, state->id);
	err_hint(e, "it was created with the cgroup manager 'disabled', or by a user to whom no "
		    "cgroup is delegated");
	return -ENOTSUP;
}

/* SIGKILL to init, and its end, which in a pid namespace is that of all. */
static int end_init(const struct state *state, struct err *e)
{
	own_fd int init = state_proc(state);
	int r = init < 0 ? init : proc_signal(init, SIGKILL);

	if (r == 0)
		r = fd_wait(init, END_WAIT_MS);
	if (r == 0)
		return err_say(e, -ETIMEDOUT, "process %d of '%s' still lives after %d ms",
			       (int)state->pid, state->id, END_WAIT_MS);
	return r < 0 && r != -ESRCH ? err_set(e, r, "kill '%s'", state->id) : 0;
}

int group_end(const struct cg_layout *layout, const struct state *state, struct err *e)
{
	own_arena struct arena arena = { 0 };
	const char *path;
	int r = find_path(state, &arena, &path, e);

	if (r < 0)
		return r;
	if (!path)
		return end_init(state, e);
	r = cg_kill(layout, path, e);
	return r < 0 ? r : cg_wait_empty(layout, path, END_WAIT_MS, e);
}

int group_pids(const struct cg_layout *layout, const struct state *state, struct arena *arena,
	       pid_t **ret, size_t *ret_count, struct err *e)
{
	own_fd int init = -EBADF;
	int r;

	*ret = NULL;
	*ret_count = 0;
	if (state->cgroup_path) {
		r = cg_pids(layout, state->cgroup_path, arena, ret, ret_count, NULL);
		/* A scope has gone with its last process. */
		return r < 0 && r != -ENOENT
			       ? err_set(e, r, "list the processes of '%s'", state->id)
			       : 0;
	}
	init = state_proc(state);
	r = init < 0 ? init : proc_family((pid_t)state->pid, arena, ret, ret_count);
	return r < 0 && r != -ESRCH ? err_set(e, r, "list the processes of '%s'", state->id) : 0;
}

int group_signal(const struct cg_layout *layout, const struct state *state, int sig, struct err *e)
{
	own_arena struct arena arena = { 0 };
	size_t count;
	pid_t *pids;
	int r;

	if (sig == SIGKILL && state->cgroup_path)
		return cg_kill(layout, state->cgroup_path, e);
	r = group_pids(layout, state, &arena, &pids, &count, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (kill(pids[i], sig) < 0 && errno != ESRCH)
			return err_set(e, -errno, "signal process %d of '%s'", pids[i], state->id);
	return 0;
}

void group_hint_memory(struct err *e)
{
	char need[24];

	if (!e)
		return;
	e->hint[0] = '\0'; /* what helps one that runs does not help here */
	err_hint(e, "a start needs %s, and then what the program takes",
		 text_fmt_bytes(need, sizeof(need), MEMORY_TO_START));
}

int group_explain_end(const struct cg_layout *layout, const struct state *state, int r,
		      struct err *e)
{
	struct cg_stats stats;
	char limit[24];

	if (!state->cgroup_path || cg_stats_read(layout, state->cgroup_path, &stats) < 0 ||
	    stats.oom_kills == 0 || stats.oom_kills == UINT64_MAX)
		return r;
	r = err_say(e, -ENOMEM, "memory limit %s is too small to start '%s': init was killed at it",
		    text_fmt_bytes(limit, sizeof(limit), stats.memory_max_bytes), state->id);
	group_hint_memory(e);
	return r;
}

int group_freeze(const struct cg_layout *layout, const struct state *state, bool freeze,
		 struct err *e)
{
	int r = group_need(state, freeze ? "pause" : "resume", e);

	return r < 0 ? r : cg_freeze(layout, state->cgroup_path, freeze, e);
}

bool group_is_frozen(const struct cg_layout *layout, const struct state *state)
{
	return state->cgroup_path && cg_is_frozen(layout, state->cgroup_path) == 1;
}

int group_remove(const struct cg_layout *layout, const struct state *state, struct err *e)
{
	struct err why = { 0 };
	int r = 0;

	if (is_systemd(state))
		r = sd_stop(driver_of(state), state->unit, &why);
	if (r < 0) {
		/* A systemd that cannot be asked any more, such as that of a user who has logged
		 * out, has nothing left either when the cgroup is gone. */
		own_fd int dir =
			state->cgroup_path ? cg_open(layout, state->cgroup_path, NULL) : -EBADF;

		if (dir != -ENOENT) {
			if (e)
				*e = why;
			return r;
		}
	}
	return state->cgroup_path ? cg_remove(layout, state->cgroup_path, e) : 0;
}
