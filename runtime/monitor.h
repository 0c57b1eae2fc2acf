/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one small process of the host that holds what must outlive a command: the consoles of
 * running partitions.
 *
 * DOC: started by the first partition that needs it and gone with the last. It copies each
 * console to the partition's bounded log and to whoever is attached, notes the exit status when
 * init ends, and then has the next command's healing done at once in a child of its own. When it
 * is killed, partitions go on without a console log; nothing depends on it for correctness.
 * RUN/.monitor is its socket (mode 0600 in a 0700 directory), RUN/.monitor.lock serialises who
 * starts it and when it may leave.
 */
#ifndef CTR_RUNTIME_MONITOR_H
#define CTR_RUNTIME_MONITOR_H

#include "base/err.h"
#include "runtime/container.h"

enum { MONITOR_LOG_MAX_BYTES = 1024 * 1024 };

/** monitor_add() - hand over the pty @master and @log (both duplicated) of a partition whose init
 * is behind @pidfd; starts the monitor when there is none. */
int monitor_add(const struct ctr_env *env, int run, const char *id, int master, int pidfd, int log,
		struct err *e);
/** monitor_attach() - a stream of a partition's console: what is read is its output, what is
 * written its input. Return: socket; -ENOENT when its console is not held any more. */
int monitor_attach(int run, const char *id, struct err *e);

#endif
