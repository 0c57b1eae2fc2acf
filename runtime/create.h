/* SPDX-License-Identifier: Apache-2.0 */
/* Setting a container up: the table of steps from a plan to a process that is ready to exec. */
#ifndef CTR_RUNTIME_CREATE_H
#define CTR_RUNTIME_CREATE_H

#include "base/err.h"
#include "runtime/plan.h"
#include "runtime/state.h"
#include "runtime/storage/overlay.h"

struct create {
	/* Given by the caller, who holds the lock of the id: */
	const struct ctr_env *env;
	int run; /* run directory */
	const struct cg_layout *layout;
	struct plan *plan;
	struct state *state;	       /* filled but for phase and process */
	const struct overlay *overlay; /* NULL: the root is plan->rootfs as it is */
	bool gate;		       /* OCI create: leave init at RUN/ID/gate */
	bool new_keyring, null_stdio;
	int preserve_fds;
	struct arena *arena;

	/* Made by the steps: */
	struct ns_join join;
	struct cg_door door;
	int cgroup_fd, sock, child_sock, gate_fd, userns, root, pidfd;
	int master; /* pty, when the plan has a terminal: the caller's to take */
	pid_t pid;
};

/** create_init() - all descriptors empty */
void create_init(struct create *c);
/** create_done() - close what is still open */
void create_done(struct create *c);
#define own_create __attribute__((cleanup(create_done)))

/** create_run() - run the steps; undone in reverse when one fails. When it returns 0, init waits:
 * with @gate for container_start(), and the state says `created`; else for create_release(), and
 * the state on disk still says `creating`, because init ends with the caller. */
int create_run(struct create *c, struct err *e);
/** create_release() - let init exec, then state `running`; returns when it has, or why not.
 * On failure everything is undone. */
int create_release(struct create *c, struct err *e);
/** create_let_execute() - tell init, which @state names, at the other end of @sock to exec; returns
 * when it has, or why not */
int create_let_execute(const struct cg_layout *layout, int sock, int run, const struct state *state,
		       struct err *e);
/** create_undo_all() - remove whatever exists of the container that @state describes, by name;
 * for a state found in `creating`, and for the end of a container. Idempotent. */
int create_undo_all(const struct ctr_env *env, int run, const struct cg_layout *layout,
		    const struct state *state, struct err *e);

#endif
