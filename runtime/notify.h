/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passing a container's readiness on to the service manager that started it: sd_notify(3).
 *
 * DOC: with NOTIFY_SOCKET in our environment, RUN/ID/notify/ is bound to /run/notify inside, and
 * the payload is told the socket's name there. Whoever starts the container listens, and stays
 * until the payload has said READY=1 or has ended; the manager then hears that, and which process
 * is the main one. The manager's own socket stays out of the container's reach.
 */
#ifndef CTR_RUNTIME_NOTIFY_H
#define CTR_RUNTIME_NOTIFY_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct ctr_env;
struct spec;

/** notify_prepare() - make the directory of @id, and add the mount and the variable to @spec;
 * nothing without NOTIFY_SOCKET */
int notify_prepare(const struct ctr_env *env, int run, const char *id, struct arena *arena,
		   struct spec *spec, struct err *e);
/** notify_listen() - the socket that the container sends to, before it executes.
 * Return: fd, -ENOENT (without a message) where nobody asked for it, or -errno. */
int notify_listen(const struct ctr_env *env, int run, const char *id, struct err *e);
/** notify_relay() - take one message from @sock, and tell the manager if it is READY=: the pid
 * too, which is @pid. Return: 1 when told, 0 for any other message, -errno. */
int notify_relay(const struct ctr_env *env, int sock, pid_t pid, struct err *e);
/** notify_wait() - relay until ready, or until the process behind @pidfd has ended, and let the
 * manager finish with it before we may go: sd_notify_barrier(3) */
int notify_wait(const struct ctr_env *env, int sock, int pidfd, pid_t pid, struct err *e);

#endif
