/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener of a seccomp filter with SCMP_ACT_NOTIFY, on its way to the agent that answers for
 * it (runtime-spec config-linux.md "Seccomp", "The Container Process State").
 *
 * DOC: the process is under its filter once it has the listener, and any further call of it may be
 * one that waits for the agent. So it makes one: write(2), with the number of the descriptor, which
 * is why that call alone cannot be notified. The parent takes a copy with pidfd_getfd(2), gives it
 * to the agent, and only then lets the process go on, which would lose it with execve. From then on
 * the agent answers, whatever the process waits in.
 */
#ifndef CTR_RUNTIME_LISTENER_H
#define CTR_RUNTIME_LISTENER_H

#include "base/err.h"

#include <sys/types.h>

struct state;

struct listener {
	int run; /* the container's config.json is beneath it */
	const struct state *state;
	const char *status; /* of the container: "created" */
	pid_t pid;	    /* of the process, in our pid namespace */
};

/** listener_serve() - wait until the process at the other end of @sock has executed, and serve the
 * listener that it may have on the way. Return: 0; the process's error, or ours. */
int listener_serve(int sock, const struct listener *l, struct err *e);

#endif
