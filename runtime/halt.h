/* SPDX-License-Identifier: Apache-2.0 */
/* Which signal asks an init to halt, found from what that init listens to. */
#ifndef CTR_RUNTIME_HALT_H
#define CTR_RUNTIME_HALT_H

#include <stdbool.h>
#include <sys/types.h>

/** halt_detect() - the halt signal of the running init @pid:
 * SIGRTMIN+3 for systemd (systemd(1) "Signals"), which blocks it to read it from a signalfd;
 * SIGUSR2 for busybox and SysV-like inits that catch it and run as "init"; SIGPWR, SIGTERM for
 * those that catch these; SIGTERM else. */
int halt_detect(pid_t pid);
/** halt_can_catch() - does @pid catch or block @sig? The first process of a pid namespace never
 * dies of a signal that it does neither for: pid_namespaces(7). */
bool halt_can_catch(pid_t pid, int sig);

#endif
