/* SPDX-License-Identifier: Apache-2.0 */
/* Making the first process of a container: clone3, id maps, time offsets. */
#include "namespaces/ns.h"

#include "base/file.h"
#include "base/own.h"
#include "base/sys.h"
#include "base/text.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

/* Made by clone3 itself; see the DOC block of ns.h for the other two. */
static bool made_by_clone(enum ns_kind kind)
{
	return kind != NS_CGROUP && kind != NS_TIME;
}

static int write_time_offsets(const struct ns_set *set, struct err *e)
{
	own_text struct text t = { 0 };
	int r;

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
	r = file_write(AT_FDCWD, "/proc/self/timens_offsets", t.data);
	return r < 0 ? err_set(e, r, "write time namespace offsets") : 0;
}

/* What our children get, until restore_children() puts our own back. */
static int prepare_children(const struct ns_set *set, const struct ns_join *join, struct err *e)
{
	static const enum ns_kind for_children[] = { NS_TIME, NS_PID };

	if (set->create[NS_TIME]) {
		int r;

		if (unshare((int)ns_table[NS_TIME].flag) < 0)
			return err_set(e, -errno, "make time namespace");
		r = write_time_offsets(set, e);
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

pid_t ns_spawn(const struct ns_set *set, const struct ns_join *join, int cgroup_fd, int *ret_pidfd,
	       struct err *e)
{
	own_fd int own_time = -EBADF, own_pid = -EBADF, pidfd = -EBADF;
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;
	int r;

	for (enum ns_kind k = 0; k < NS_KINDS; k++)
		if (set->create[k] && made_by_clone(k))
			args.flags |= ns_table[k].flag;
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
	if (pid < 0) {
		err_set(e, pid, "clone into new namespaces");
		if (pid == -ENOSPC || pid == -EUSERS)
			err_hint(e, "a limit in /proc/sys/user/max_*_namespaces is reached");
	}
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

static int write_map(pid_t pid, const char *which, const struct id_map *maps, size_t count,
		     struct err *e)
{
	own_text struct text t = { 0 };
	char path[40];
	int r;

	for (size_t i = 0; i < count; i++)
		text_addf(&t, "%u %u %u\n", maps[i].inside, maps[i].outside, maps[i].count);
	if (text_failed(&t))
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, which); /* always fits */
	r = file_write(AT_FDCWD, path, text_str(&t));
	return r < 0 ? err_set(e, r, "write %s of the user namespace", which) : 0;
}

int ns_write_id_maps(pid_t pid, const struct ns_set *set, struct err *e)
{
	int r = write_map(pid, "gid_map", set->gid_maps, set->gid_map_count, e);

	return r < 0 ? r : write_map(pid, "uid_map", set->uid_maps, set->uid_map_count, e);
}

/* Raw calls: one thread is all there is, and glibc's wrappers would look for others. */
int ns_become_root(struct err *e)
{
	if (syscall(SYS_setgroups, 0, NULL) < 0 && errno != EPERM) /* EPERM: setgroups is denied */
		return err_set(e, -errno, "clear supplementary groups");
	if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
		return err_set(e, -errno, "become root of the user namespace");
	return 0;
}
