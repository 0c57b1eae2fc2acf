/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions: what the life cycle asks about a container that ctr owns on disk. */
#ifndef CTR_RUNTIME_PARTITION_H
#define CTR_RUNTIME_PARTITION_H

#include "base/err.h"
#include "runtime/container.h"

#include <stdbool.h>

struct create;
struct life;

/** A start in the foreground: our stdio, and what the caller waits on afterwards. */
struct partition_run {
	bool terminal; /* give it a pty, whose master the caller gets */
	int pidfd, master;
};

bool partition_exists(const struct ctr_env *env, const char *id);
/** partition_start() - plan and run a stopped partition, whose lock the caller holds.
 * @run NULL: in the background, its console to the log. */
int partition_start(struct life *life, struct partition_run *run, struct err *e);
/** partition_halt_signal(), partition_stop_timeout_ms() - from the config it was started with,
 * else what its init listens to, and @def_ms. For OCI containers too. */
int partition_halt_signal(struct life *life);
int partition_stop_timeout_ms(struct life *life, int def_ms);

#endif
