/* SPDX-License-Identifier: Apache-2.0 */
/* System calls that glibc 2.36 has no wrapper for. Each returns >= 0 or a negative errno. */
#ifndef CTR_BASE_SYS_H
#define CTR_BASE_SYS_H

#include <linux/openat2.h>
#include <linux/sched.h>
#include <stddef.h>
#include <sys/types.h>

union bpf_attr;

pid_t sys_clone3(struct clone_args *args);
int sys_openat2(int dirfd, const char *path, const struct open_how *how);
int sys_pidfd_open(pid_t pid, unsigned int flags);
int sys_pidfd_send_signal(int pidfd, int sig);
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_bpf(int cmd, union bpf_attr *attr, size_t size);
int sys_close_range(unsigned int first, unsigned int last, unsigned int flags);
int sys_keyctl_join_session(const char *name);

#endif
