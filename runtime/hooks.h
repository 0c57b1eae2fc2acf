/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCI hooks: programs of the config's author that are told the container's state at set points
 * of its life (runtime-spec config.md "POSIX-platform Hooks", runtime.md "Lifecycle").
 *
 *   prestart, createRuntime   by the creator, when all mounts, limits and links are there
 *   createContainer           by init, in its namespaces, with the host's files still in reach
 *   startContainer            by init, in its root, confined as the payload will be
 *   poststart                 by whoever starts, once the payload executes
 *   poststop                  by whoever removes the container, also one that failed to become
 */
#ifndef CTR_RUNTIME_HOOKS_H
#define CTR_RUNTIME_HOOKS_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct ctr_env;
struct js_list;
struct spec_hooks;
struct state;

enum hook_point {
	HOOK_PRESTART,
	HOOK_CREATE_RUNTIME,
	HOOK_CREATE_CONTAINER,
	HOOK_START_CONTAINER,
	HOOK_POSTSTART,
	HOOK_POSTSTOP,
	HOOK_POINTS
};
/** hook_point_names - "createRuntime", as config.json calls them */
extern const char *const hook_point_names[HOOK_POINTS];

/** hooks_list() - the hooks of @point: struct spec_hook */
const struct js_list *hooks_list(const struct spec_hooks *hooks, enum hook_point point);
/** hooks_any() - is there a hook at all? hooks_at(): at @point? */
bool hooks_any(const struct spec_hooks *hooks);
bool hooks_at(const struct spec_hooks *hooks, enum hook_point point);
/**
 * hooks_run() - every hook of @point in order, until one fails
 * @state: what is written to their standard input. @pid: of init, as the hook's pid namespace sees
 * it; 0 when it has ended. @env: of a hook that lists none; NULL: ours.
 * A hook may take as long as it likes unless it has a timeout, after which it is killed.
 * Return: 0; -ECANCELED when a hook failed, with its number, its end and what it printed.
 */
int hooks_run(const struct spec_hooks *hooks, enum hook_point point, const struct state *state,
	      pid_t pid, char *const *env, struct err *e);
/** hooks_poststop() - of the container that @state describes, from the config.json that is kept
 * beside it. One that fails is warned about, and the next one runs. */
void hooks_poststop(const struct ctr_env *env, int run, const struct state *state);

#endif
