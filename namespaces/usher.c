/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that leads another one into namespaces which its parent may not enter.
 *
 * DOC: the usher is a child of the command. It makes or joins the user namespace, becomes its root,
 * enters or makes for its children what only that root may, clones the process that is wanted as
 * its own sibling (CLONE_PARENT: it is the command's child, and init is waited for as always),
 * sends the pidfd home, and ends. It stays in the command's pid namespace, so nothing in the
 * namespaces that it enters sees it while it holds the command's descriptors, unless they share
 * that one: therefore it becomes undumpable before it enters anything (CVE-2016-9962). With a user
 * namespace of its own it has to wait until that is mapped: the files in /proc of an undumpable
 * process are the host's root's, and an ordinary user could not write its maps.
 */
#include "namespaces/ns_internal.h"

#include "base/fd.h"
#include "base/feat.h"
#include "base/own.h"
#include "base/proc.h"
#include "base/sys.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

struct usher {
	pid_t pid;
	int pidfd, sock;
};

static void usher_done(struct usher *u)
{
	close_fd(&u->sock);
	if (u->pid > 0) {
		(void)proc_wait_exit(u->pidfd); /* it ends with the socket, whatever it is at */
		close_fd(&u->pidfd);
	}
}
#define own_usher __attribute__((cleanup(usher_done)))

static int become_undumpable(struct err *e)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? err_set(e, -errno, "become undumpable") : 0;
}

/* In the usher: sock is its end. Return: the usher's pid, or 0 in the usher. */
static int hire(uint64_t flags, int cgroup_fd, struct usher *ret, int *ret_sock, struct err *e)
{
	own_fd int home = -EBADF, away = -EBADF;
	int pair[2], pidfd = -EBADF;
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, -errno, "make a socket pair");
	home = pair[0];
	away = pair[1];
	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)cgroup_fd;
	}
	pid = sys_clone3(&args);
	if (pid < 0) {
		if (flags & CLONE_NEWUSER)
			return ns_clone_failed(pid, e);
		return err_set(e, pid, "clone into the container's cgroup");
	}
	if (pid == 0) {
		*ret_sock = take_fd(&away);
		return 0;
	}
	*ret = (struct usher){ .pid = pid, .pidfd = pidfd, .sock = take_fd(&home) };
	return pid;
}

/* In the usher: the last act. Returns 0 in the process that was wanted; the usher itself ends. */
static pid_t bring(uint64_t flags, int sock, struct err *e)
{
	int pidfd = -EBADF;
	struct clone_args args = {
		/* No exit signal: a sibling has the usher's own. */
		.flags = flags | CLONE_PIDFD | CLONE_PARENT,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
	};
	const struct err fine = { 0 };
	pid_t pid = sys_clone3(&args);

	if (pid == 0)
		return 0;
	if (pid < 0)
		return ns_clone_failed(pid, e);
	/* A command that was killed meanwhile has left the new process alone, which will see it. */
	(void)fd_send(sock, &fine, sizeof(fine), &pidfd, 1);
	_exit(0);
}

/* In the command: what became of it. */
static pid_t collect(const struct usher *u, int *ret_pidfd, struct err *e)
{
	own_fd int pidfd = -EBADF;
	struct err why;
	ssize_t n = fd_recv(u->sock, &why, sizeof(why), &pidfd, 1);
	pid_t pid;

	if (n < 0)
		return err_set(e, (int)n, "hear from the process that enters the namespaces");
	if (n != sizeof(why))
		return err_say(e, -EPIPE,
			       "the process that enters the namespaces was killed before it had");
	if (why.code) {
		if (e)
			*e = why;
		return why.code;
	}
	pid = proc_pid_of(pidfd);
	if (pid < 0)
		return err_set(e, pid, "identify the new process");
	*ret_pidfd = take_fd(&pidfd);
	return pid;
}

static pid_t lead_in(const struct ns_set *set, struct ns_join *join, int sock, struct err *e)
{
	own_fd int offsets = -EBADF;
	char go;
	int r = 0;

	if (set->create[NS_TIME]) {
		offsets = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
		if (offsets < 0)
			return err_set(e, -errno, "open '/proc/self/timens_offsets'");
	}
	/* No word, no map: the command has ended or says itself why. */
	if (set->create[NS_USER] && TEMP_FAILURE_RETRY(read(sock, &go, 1)) != 1)
		_exit(1);
	r = become_undumpable(e);
	if (r == 0)
		r = ns_enter_kinds(join, 0, e);
	if (r == 0 && (set->create[NS_USER] || join->fd[NS_USER] >= 0))
		r = ns_become_root(set->keep_groups, e);
	if (r == 0 && set->create[NS_TIME])
		r = ns_make_time(set, offsets, e);
	if (r < 0)
		return r;
	ns_join_done(join); /* ns_enter() of the new process finds nothing left to enter */
	return bring(ns_clone_flags(set) & ~(uint64_t)CLONE_NEWUSER, sock, e);
}

/* In the usher, when it failed. */
static _Noreturn void give_up(int sock, int code, struct err *e)
{
	if (!e->code)
		(void)err_set(e, code, "enter the namespaces");
	(void)fd_send(sock, e, sizeof(*e), NULL, 0);
	_exit(1);
}

pid_t usher_spawn(const struct ns_set *set, struct ns_join *join, int cgroup_fd, int *ret_pidfd,
		  struct err *e)
{
	own_usher struct usher u = { .pidfd = -EBADF, .sock = -EBADF };
	own_fd int sock = -EBADF;
	int r = hire(set->create[NS_USER] ? CLONE_NEWUSER : 0, cgroup_fd, &u, &sock, e);

	if (r < 0)
		return r;
	if (r == 0) {
		struct err why = { 0 };
		pid_t pid = lead_in(set, join, sock, &why);

		if (pid == 0)
			return 0;
		give_up(sock, pid, &why);
	}
	r = set->create[NS_USER] ? ns_write_id_maps(u.pid, set, e) : 0;
	if (r == 0 && set->create[NS_USER])
		r = fd_send(u.sock, "", 1, NULL, 0); /* a peer that is gone is heard of below */
	return r < 0 && r != -EPIPE ? r : collect(&u, ret_pidfd, e);
}

bool ns_needs_usher(void)
{
	return !feat_has_cap(CAP_SYS_ADMIN) || !feat_is_initial_userns();
}

pid_t ns_spawn_in(int target, pid_t target_pid, int cgroup_fd, int *ret_pidfd, struct err *e)
{
	own_usher struct usher u = { .pidfd = -EBADF, .sock = -EBADF };
	own_fd int sock = -EBADF;
	int r = hire(0, cgroup_fd, &u, &sock, e);

	if (r < 0)
		return r;
	if (r == 0) {
		struct err why = { 0 };

		r = become_undumpable(&why);
		if (r == 0)
			r = ns_enter_all(target, target_pid, &why);
		if (r == 0)
			r = bring(0, sock, &why);
		if (r == 0)
			return 0;
		give_up(sock, r, &why);
	}
	return collect(&u, ret_pidfd, e);
}
