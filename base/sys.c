/* SPDX-License-Identifier: Apache-2.0 */
/* Raw system calls, with errors as negative errno. */
#include "base/sys.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static long result(long r)
{
	return r < 0 ? -errno : r;
}

pid_t sys_clone3(struct clone_args *args)
{
	return (pid_t)result(syscall(SYS_clone3, args, sizeof(*args)));
}

pid_t sys_fork(int *ret_pidfd)
{
	/* The third argument is the pidfd's place on every architecture: clone(2). */
	return (pid_t)result(syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, ret_pidfd, NULL, 0));
}

int sys_openat2(int dirfd, const char *path, const struct open_how *how)
{
	return (int)result(syscall(SYS_openat2, dirfd, path, how, sizeof(*how)));
}

int sys_pidfd_open(pid_t pid, unsigned int flags)
{
	return (int)result(syscall(SYS_pidfd_open, pid, flags));
}

int sys_pidfd_send_signal(int pidfd, int sig)
{
	return (int)result(syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0));
}

int sys_pidfd_getfd(int pidfd, int fd)
{
	return (int)result(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)result(syscall(SYS_pivot_root, new_root, put_old));
}

int sys_bpf(int cmd, union bpf_attr *attr, size_t size)
{
	return (int)result(syscall(SYS_bpf, cmd, attr, size));
}

int sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return (int)result(syscall(SYS_close_range, first, last, flags));
}

int sys_keyctl_join_session(const char *name)
{
	return (int)result(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name));
}

int sys_keyctl_setperm(int key, unsigned int permissions)
{
	return (int)result(syscall(SYS_keyctl, KEYCTL_SETPERM, key, permissions));
}
