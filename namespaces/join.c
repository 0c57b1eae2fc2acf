/* SPDX-License-Identifier: Apache-2.0 */
/* Entering namespaces that exist: by path for a new container, all at once for exec. */
#include "namespaces/ns_internal.h"

#include "base/own.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

int ns_open(pid_t pid, enum ns_kind kind, struct err *e)
{
	char path[48];
	int fd;

	if (pid)
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, ns_table[kind].proc);
	else
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", ns_table[kind].proc);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(e, -errno, "open '%s'", path) : fd;
}

static int open_one(const char *path, enum ns_kind kind, struct err *e)
{
	/* O_NONBLOCK: a FIFO in its place must not hang us. */
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int type;

	if (fd < 0)
		return err_set(e, -errno, "open %s namespace '%s'", ns_table[kind].oci, path);
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return err_say(e, -EINVAL, "'%s' is not a namespace", path);
	if ((uint64_t)type != ns_table[kind].flag)
		return err_say(e, -EINVAL, "'%s' is not a %s namespace", path, ns_table[kind].oci);
	return take_fd(&fd);
}

int ns_join_open(const struct ns_set *set, struct ns_join *ret, struct err *e)
{
	for (enum ns_kind k = 0; k < NS_KINDS; k++)
		ret->fd[k] = -EBADF;
	for (enum ns_kind k = 0; k < NS_KINDS; k++) {
		int fd;

		if (!set->path[k])
			continue;
		fd = open_one(set->path[k], k, e);
		if (fd < 0)
			return fd;
		ret->fd[k] = fd;
	}
	return 0;
}

void ns_join_done(struct ns_join *join)
{
	for (enum ns_kind k = 0; k < NS_KINDS; k++)
		close_fd(&join->fd[k]);
}

/* The user namespace that we are in cannot be entered again, and need not be. */
static int enter_user(int fd, struct err *e)
{
	struct stat own, theirs;

	if (fd < 0)
		return 0;
	if (stat("/proc/self/ns/user", &own) == 0 && fstat(fd, &theirs) == 0 &&
	    own.st_ino == theirs.st_ino && own.st_dev == theirs.st_dev)
		return 0;
	return setns(fd, CLONE_NEWUSER) < 0 ? err_set(e, -errno, "join user namespace") : 0;
}

/* Not all need be of the user namespace that is joined: what we have the right to enter as we come
 * is entered first, the rest with the rights of its root. */
int ns_enter_kinds(const struct ns_join *join, unsigned int skip, struct err *e)
{
	unsigned int left = ~skip & ~(1U << NS_USER);
	int r;

	for (int pass = 0; pass < 2; pass++) {
		bool last = pass == 1 || join->fd[NS_USER] < 0;

		for (enum ns_kind k = 0; k < NS_KINDS; k++) {
			if (join->fd[k] < 0 || !(left & 1U << k))
				continue;
			if (setns(join->fd[k], (int)ns_table[k].flag) == 0)
				left &= ~(1U << k);
			else if (last || errno != EPERM)
				return err_set(e, -errno, "join %s namespace", ns_table[k].oci);
		}
		if (last)
			break;
		r = skip & 1U << NS_USER ? 0 : enter_user(join->fd[NS_USER], e);
		if (r < 0)
			return r;
	}
	return 0;
}

int ns_enter(const struct ns_join *join, struct err *e)
{
	return ns_enter_kinds(join, 1U << NS_PID | 1U << NS_TIME, e);
}

/* setns(2) refuses to re-enter the user namespace that we are in, so only what differs is asked. */
static int differs(pid_t pid, enum ns_kind kind, struct err *e)
{
	struct stat own, theirs;
	char path[48];

	(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", ns_table[kind].proc);
	if (stat(path, &own) < 0)
		return errno == ENOENT ? 0 : err_set(e, -errno, "stat '%s'", path);
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, ns_table[kind].proc);
	if (stat(path, &theirs) < 0)
		return err_set(e, -errno, "stat '%s'", path);
	return own.st_ino != theirs.st_ino || own.st_dev != theirs.st_dev;
}

int ns_enter_all(int pidfd, pid_t pid, struct err *e)
{
	uint64_t flags = 0;

	for (enum ns_kind k = 0; k < NS_KINDS; k++) {
		int r = differs(pid, k, e);

		if (r < 0)
			return r;
		if (r)
			flags |= ns_table[k].flag;
	}
	if (flags && setns(pidfd, (int)flags) < 0)
		return err_set(e, -errno, "enter the container's namespaces");
	return 0;
}
