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
/** sys_fork() - fork with a pidfd, by the old clone(2): filters that cannot look into the arguments
 * of clone3 refuse that one */
pid_t sys_fork(int *ret_pidfd);
int sys_openat2(int dirfd, const char *path, const struct open_how *how);
int sys_pidfd_open(pid_t pid, unsigned int flags);
int sys_pidfd_send_signal(int pidfd, int sig);
/** sys_pidfd_getfd() - a copy of descriptor @fd of the process, close-on-exec */
int sys_pidfd_getfd(int pidfd, int fd);
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_bpf(int cmd, union bpf_attr *attr, size_t size);
int sys_close_range(unsigned int first, unsigned int last, unsigned int flags);
/** sys_keyctl_join_session() - Return: the keyring's number, or -errno */
int sys_keyctl_join_session(const char *name);
int sys_keyctl_setperm(int key, unsigned int permissions);

#endif
