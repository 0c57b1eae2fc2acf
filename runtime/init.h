/* SPDX-License-Identifier: Apache-2.0 */
/* The child's side of a start: from clone3 to the payload's execve. */
#ifndef CTR_RUNTIME_INIT_H
#define CTR_RUNTIME_INIT_H

#include "namespaces/ns.h"

struct cg_door;
struct plan;
struct state;

struct init {
	const struct plan *plan;
	const struct state *state; /* for hooks */
	const struct ns_join *join;
	struct cg_door *door; /* to the v1 cgroups, where the host has such */
	int sock;	      /* handshake with the parent */
	int gate;	      /* listening socket of `create`; -EBADF when there is none */
	int preserve_fds;     /* descriptors 3..2+n stay open in the payload */
	bool new_keyring;
	bool null_stdio; /* detached without a terminal: stdio is /dev/null */
};

/** init_main() - never returns: ends in the payload, or in _exit(1) after telling the parent why.
 * The mirror of create.c; the messages are in handshake.h. */
void init_main(const struct init *init) __attribute__((noreturn));

#endif
