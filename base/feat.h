/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts about this host that are found by trying, never by comparing versions. Each is probed at
 * most once per command, and only when somebody asks.
 */
#ifndef CTR_BASE_FEAT_H
#define CTR_BASE_FEAT_H

#include <stdbool.h>
#include <sys/types.h>

/** feat_has_cap() - is capability number @cap (linux/capability.h) in our effective set? */
bool feat_has_cap(int cap);
/** feat_is_initial_userns() - are we in the user namespace that the kernel booted with? What is
 * tied to it (devices, BPF, lowering oom scores) no other root may do. */
bool feat_is_initial_userns(void);
/** feat_owns_mounts() - may we clone and change mounts of the mount namespace that we are in? */
bool feat_owns_mounts(void);
/** feat_last_cap() - the highest capability the kernel knows (/proc/sys/kernel/cap_last_cap) */
int feat_last_cap(void);
/** feat_cpus() - online CPUs */
unsigned int feat_cpus(void);
/** feat_fs() - is file system @name in /proc/filesystems? */
bool feat_fs(const char *name);
/** feat_idmap() - can the file system that holds directory @dirfd be mounted id-mapped?
 * Tries it on a detached mount. Return: 1, 0 or -errno. */
int feat_idmap(int dirfd);

#endif
