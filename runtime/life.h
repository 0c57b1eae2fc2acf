/* SPDX-License-Identifier: Apache-2.0 */
/* What every operation begins with: the lock of an id, its state, and healing. */
#ifndef CTR_RUNTIME_LIFE_H
#define CTR_RUNTIME_LIFE_H

#include "base/arena.h"
#include "base/err.h"
#include "cgroups/cg.h"
#include "runtime/container.h"
#include "runtime/state.h"

#include <stdbool.h>

/** An id in hand: nobody else changes it until life_done(). */
struct life {
	const struct ctr_env *env;
	const char *id;
	struct arena arena;
	int run, lock;
	const struct cg_layout *layout;
	struct state state; /* valid when ->exists */
	bool exists;	    /* there is runtime state */
	int pidfd;	    /* of init; -ESRCH when it has ended */
};

/** life_open() - take the lock, load the state, heal: a state that a killed command left in
 * `creating` is undone, and so is the runtime part of a partition whose init has ended.
 * Return: 0 (also when there is no state), -errno. */
int life_open(const struct ctr_env *env, const char *id, struct life *ret, struct err *e);
void life_done(struct life *life);
#define own_life __attribute__((cleanup(life_done)))
#define LIFE_EMPTY                                             \
	{                                                      \
		.run = -EBADF, .lock = -EBADF, .pidfd = -EBADF \
	}

/** life_look() - the same without the lock and without healing, for reading */
int life_look(const struct ctr_env *env, const char *id, struct life *ret, struct err *e);
/** life_status() - what it is doing now */
enum ctr_status life_status(const struct life *life);
/** life_need() - -ENOENT "does not exist" unless there is runtime state; for a stopped partition
 * "is not running" */
int life_need(const struct life *life, struct err *e);
/** life_poststart() - run the hooks of that point, once the payload executes */
int life_poststart(struct life *life, struct err *e);
/** life_end() - release everything that the running container has on the host. */
int life_end(struct life *life, struct err *e);
/** life_warn() - tell the user about @msg, which stops nothing; NULL: there is nothing to tell.
 * Once all has worked: engines look for one record of a failure, and for nothing beside it. */
void life_warn(const struct ctr_env *env, const char *msg);
/** life_now_ms() - since the epoch */
uint64_t life_now_ms(void);

#endif
