/* SPDX-License-Identifier: Apache-2.0 */
/* Making the first process of a container: clone3, time offsets. */
#include "namespaces/ns_internal.h"

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"
#include "base/text.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Made by clone3 itself; see the DOC block of ns.h for the other two. */
static bool made_by_clone(enum ns_kind kind)
{
	return kind != NS_CGROUP && kind != NS_TIME;
}

int ns_make_time(const struct ns_set *set, int offsets, struct err *e)
{
	own_text struct text t = { 0 };
	int r;

	if (unshare((int)ns_table[NS_TIME].flag) < 0)
		return err_set(e, -errno, "make time namespace");
	if (set->monotonic.set)
		text_addf(&t, "monotonic %lld %u\n", (long long)set->monotonic.secs,
			  set->monotonic.nanosecs);
	if (set->boottime.set)
		text_addf(&t, "boottime %lld %u\n", (long long)set->boottime.secs,
			  set->boottime.nanosecs);
	if (!t.len)
		return 0;
	if (text_failed(&t))
		return -ENOMEM;
	r = fd_write_all(offsets, t.data, t.len);
	return r < 0 ? err_set(e, r, "write time namespace offsets") : 0;
}

/* What our children get, until restore_children() puts our own back. */
static int prepare_children(const struct ns_set *set, const struct ns_join *join, struct err *e)
{
	static const enum ns_kind for_children[] = { NS_TIME, NS_PID };

	if (set->create[NS_TIME]) {
		own_fd int offsets = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
		int r;

		if (offsets < 0)
			return err_set(e, -errno, "open '/proc/self/timens_offsets'");
		r = ns_make_time(set, offsets, e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(for_children); i++) {
		int fd = join->fd[for_children[i]];

		if (fd >= 0 && setns(fd, (int)ns_table[for_children[i]].flag) < 0)
			return err_set(e, -errno, "join %s namespace '%s'",
				       ns_table[for_children[i]].oci, set->path[for_children[i]]);
	}
	return 0;
}

static int restore_children(enum ns_kind kind, int own, struct err *e)
{
	if (own >= 0 && setns(own, (int)ns_table[kind].flag) < 0)
		return err_set(e, -errno, "return to our %s namespace", ns_table[kind].oci);
	return 0;
}

static int open_own(enum ns_kind kind, bool wanted, int *ret, struct err *e)
{
	if (!wanted)
		return 0;
	*ret = ns_open(0, kind, e);
	return *ret < 0 ? *ret : 0;
}

uint64_t ns_clone_flags(const struct ns_set *set)
{
	uint64_t flags = 0;

	for (enum ns_kind k = 0; k < NS_KINDS; k++)
		if (set->create[k] && made_by_clone(k))
			flags |= ns_table[k].flag;
	return flags;
}

pid_t ns_clone_failed(pid_t code, struct err *e)
{
	(void)err_set(e, code, "clone into new namespaces");
	if (code == -ENOSPC || code == -EUSERS)
		err_hint(e, "a limit in /proc/sys/user/max_*_namespaces is reached");
	else if (code == -EPERM)
		err_hint(e, "this host may not let ordinary users make user namespaces: see "
			    "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_"
			    "unprivileged_userns");
	return code;
}

static pid_t spawn(const struct ns_set *set, const struct ns_join *join, int cgroup_fd,
		   int *ret_pidfd, struct err *e)
{
	own_fd int own_time = -EBADF, own_pid = -EBADF, pidfd = -EBADF;
	struct clone_args args = {
		.flags = CLONE_PIDFD | ns_clone_flags(set),
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;
	int r;

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)cgroup_fd;
	}
	r = open_own(NS_TIME, set->create[NS_TIME] || join->fd[NS_TIME] >= 0, &own_time, e);
	if (r < 0)
		return r;
	r = open_own(NS_PID, join->fd[NS_PID] >= 0, &own_pid, e);
	if (r < 0)
		return r;
	r = prepare_children(set, join, e);
	if (r < 0)
		return r;
	pid = sys_clone3(&args);
	if (pid == 0)
		return 0;
	if (pid < 0)
		(void)ns_clone_failed(pid, e);
	if (restore_children(NS_TIME, own_time, pid < 0 ? NULL : e) < 0 ||
	    restore_children(NS_PID, own_pid, pid < 0 ? NULL : e) < 0) {
		if (pid > 0)
			(void)sys_pidfd_send_signal(pidfd, SIGKILL); /* the caller sees no child */
		return pid < 0 ? pid : -EIO;
	}
	if (pid > 0)
		*ret_pidfd = take_fd(&pidfd);
	return pid;
}

pid_t ns_spawn(const struct ns_set *set, struct ns_join *join, int cgroup_fd, int *ret_pidfd,
	       struct err *e)
{
	return set->usher ? usher_spawn(set, join, cgroup_fd, ret_pidfd, e)
			  : spawn(set, join, cgroup_fd, ret_pidfd, e);
}

/* The first process of the new namespace waits for its end, which also comes with our own. */
static pid_t spawn_waiting(uint64_t flags, int *ret_leash, struct err *e)
{
	own_fd int hold = -EBADF, leash = -EBADF;
	struct clone_args args = { .flags = CLONE_NEWUSER | flags };
	int pipe[2];
	pid_t pid;

	if (pipe2(pipe, O_CLOEXEC) < 0)
		return err_set(e, -errno, "make a pipe");
	hold = pipe[0];
	leash = pipe[1];
	pid = sys_clone3(&args);
	if (pid == 0) {
		char byte;

		close_fd(&leash);
		(void)TEMP_FAILURE_RETRY(read(hold, &byte, 1));
		_exit(0);
	}
	if (pid < 0)
		return ns_clone_failed(pid, e);
	*ret_leash = take_fd(&leash);
	return pid;
}

/* No signal tells of its end, so that no handler and no other wait sees it. */
static void let_go(pid_t pid, int *leash)
{
	close_fd(leash);
	(void)TEMP_FAILURE_RETRY(waitpid(pid, NULL, __WALL));
}

int ns_map_open(const struct id_map *uids, size_t uid_count, const struct id_map *gids,
		size_t gid_count, struct err *e)
{
	const struct ns_set set = { .uid_maps = uids,
				    .uid_map_count = uid_count,
				    .gid_maps = gids,
				    .gid_map_count = gid_count };
	own_fd int leash = -EBADF, ns = -EBADF;
	pid_t pid = spawn_waiting(0, &leash, e);
	int r;

	if (pid < 0)
		return pid;
	r = ns_write_id_maps(pid, &set, e);
	if (r == 0)
		ns = r = ns_open(pid, NS_USER, e);
	let_go(pid, &leash);
	return r < 0 ? r : take_fd(&ns);
}

int ns_locked_mounts(struct err *e)
{
	own_fd int leash = -EBADF;
	pid_t pid = spawn_waiting(CLONE_NEWNS, &leash, e);
	int ns;

	if (pid < 0)
		return pid;
	ns = ns_open(pid, NS_MOUNT, e);
	let_go(pid, &leash);
	return ns;
}

/* Raw calls: one thread is all there is, and glibc's wrappers would look for others. */
int ns_become_root(bool keep_groups, struct err *e)
{
	if (!keep_groups && syscall(SYS_setgroups, 0, NULL) < 0 &&
	    errno != EPERM) /* EPERM: setgroups is denied */
		return err_set(e, -errno, "clear supplementary groups");
	if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
		return err_set(e, -errno, "become root of the user namespace");
	return 0;
}
