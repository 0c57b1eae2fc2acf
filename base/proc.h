/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes by pidfd, and the /proc facts that tell one process from a later one with its pid.
 */
#ifndef CTR_BASE_PROC_H
#define CTR_BASE_PROC_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** A process that a later command can find again: the pid alone may have been reused. */
struct proc_id {
	pid_t pid;	    /* in our pid namespace; 0 = none */
	uint64_t starttime; /* field 22 of /proc/PID/stat, clock ticks since boot: proc(5) */
};

/** proc_identify() - the identity of live @pid. Return: 0 or -errno (-ESRCH when it is gone). */
int proc_identify(pid_t pid, struct proc_id *ret);
/** proc_has_executed() - has @pid called execve(2) since it was forked? Return: 1, 0 or -errno. */
int proc_has_executed(pid_t pid);
/** proc_open() - a pidfd of exactly that process. Return: pidfd, or -ESRCH when it has exited (a
 * zombie counts as exited) or its pid has been reused. */
int proc_open(const struct proc_id *id);
/** proc_pid_of() - the pid behind a pidfd, in the pid namespace of our /proc.
 * Return: pid or -errno (-ESRCH when it has been waited for). */
pid_t proc_pid_of(int pidfd);
/** proc_signal() - send @sig through a pidfd. Return: 0 or -errno. */
int proc_signal(int pidfd, int sig);
/** proc_boot_id() - /proc/sys/kernel/random/boot_id into @buf (at least 37 bytes).
 * State that carries another boot id is from before a reboot. Return: 0 or -errno. */
int proc_boot_id(char *buf, size_t size);
/** proc_wait_exit() - wait for a child by pidfd. Return: exit status as a shell shows it
 * (0..255, 128+signal) or -errno. */
int proc_wait_exit(int pidfd);
/** proc_exit_info() - exit status of a process that is not our child, from pidfs (Linux 6.15).
 * Return: 0..255 as above, or -EOPNOTSUPP, -EAGAIN while it runs. */
int proc_exit_info(int pidfd);
/** proc_family() - the processes that a container's first process stands for, ascending: all of its
 * pid namespace and of those below, when it is the first process there; else itself and its
 * descendants, of which one whose parent has ended is no longer known.
 * Return: 0 or -errno; -ESRCH when @pid is gone. */
int proc_family(pid_t pid, struct arena *arena, pid_t **ret, size_t *ret_count);

#endif
