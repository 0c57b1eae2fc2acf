/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a container as one: by its cgroup where it has one, by its init where not.
 *
 * DOC: a container without a cgroup of its own (--cgroup-manager disabled) is known by its init
 * alone. In a pid namespace of its own that is as good: the kernel ends all of it with init.
 * Without one, what init leaves behind is nobody's, so its caller has asked for both together.
 * Limits, freezing and statistics are a cgroup's: they are refused by name.
 *
 * With systemd the state names the scope before there is one, and its cgroup once systemd has said
 * which. Whoever finds a state without the latter asks again. The processes are killed by us, as
 * with every driver, and only then is the scope stopped: it has nothing to wait for.
 */
#ifndef CTR_RUNTIME_GROUP_H
#define CTR_RUNTIME_GROUP_H

#include "cgroups/cg.h"
#include "runtime/plan.h"
#include "runtime/state.h"

#include <stdbool.h>

/** group_check() - pure: can @driver enforce @res here? */
int group_check(const struct cg_layout *layout, enum cg_driver driver,
		const struct cg_resources *res, struct err *e);
/**
 * group_fit() - what @plan can have of cgroups when we are not root: *layout is narrowed to what is
 * ours; a path that is not given is one below our own group; and where nothing is ours the plan has
 * no cgroup, unless it has limits, which is an error by the name of the first of them
 * @asked: linux.cgroupsPath, or NULL. No-op for root, for @how ROOTLESS_FALSE and for other
 * drivers.
 */
int group_fit(enum ctr_rootless how, const char *asked, struct arena *arena,
	      const struct cg_layout **layout, struct plan *plan, struct err *e);
/** group_narrow() - the same for a further process in the group of @state. -EPERM when a process of
 * ours may not enter it from where we are. */
int group_narrow(const struct state *state, struct arena *arena, const struct cg_layout **layout,
		 struct err *e);
/** group_check_free() - -EBUSY when the group that is planned lives already: it is somebody else's,
 * and to record it would be to kill it on undo. With systemd: -errno when it cannot be reached. */
int group_check_free(const struct cg_layout *layout, const struct state *state, struct err *e);
/** group_adopt() - with systemd: make the scope around @pid, and put its cgroup into the state,
 * which is for the caller to save. Nothing to do with other drivers. */
int group_adopt(const struct cg_layout *layout, const struct plan *plan, pid_t pid,
		struct state *state, struct arena *arena, struct err *e);
/** group_apply() - the limits, for a new group and for live changes alike */
int group_apply(const struct cg_layout *layout, const struct state *state,
		const struct cg_resources *res, struct err *e);
/** group_need() - -ENOTSUP "cannot @verb 'ID': it has no cgroup" unless it has one */
int group_need(const struct state *state, const char *verb, struct err *e);
/** group_end() - kill all of it and wait until it has ended. 0 also when nothing lives. */
int group_end(const struct cg_layout *layout, const struct state *state, struct err *e);
/** group_signal() - @sig to every process */
int group_signal(const struct cg_layout *layout, const struct state *state, int sig, struct err *e);
/** group_pids() - all processes, ascending, as seen in our pid namespace */
int group_pids(const struct cg_layout *layout, const struct state *state, struct arena *arena,
	       pid_t **ret, size_t *ret_count, struct err *e);
/** group_explain_end() - of an init that ended too early: was it the memory limit? @r and @e as
 * they are if not; else -ENOMEM, with the limit and what a start needs. */
int group_explain_end(const struct cg_layout *layout, const struct state *state, int r,
		      struct err *e);
/** group_hint_memory() - to the refusal of a new container's memory limit: what a start needs */
void group_hint_memory(struct err *e);
int group_freeze(const struct cg_layout *layout, const struct state *state, bool freeze,
		 struct err *e);
bool group_is_frozen(const struct cg_layout *layout, const struct state *state);
/** group_remove() - after group_end() */
int group_remove(const struct cg_layout *layout, const struct state *state, struct err *e);

#endif
