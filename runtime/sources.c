/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host lends to a container.
 *
 * DOC: for a container with a user namespace the trees are cloned out of a copy of our mount
 * namespace that belongs to another user namespace. There the kernel has locked what the host says
 * of its mounts ("ro", "nosuid"), and the clones stay locked: the container's root could remount
 * them otherwise, for the whole of a detached clone of ours is its own. A process that shares our
 * descriptors goes there and clones with the host's rights; its notes come by shared memory.
 */
#include "runtime/sources.h"

#include "base/own.h"
#include "base/sys.h"
#include "runtime/plan_internal.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

static int open_root(const struct plan *p, struct err *e)
{
	int root =
		open_tree(AT_FDCWD, p->rootfs, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	return root < 0 ? err_set(e, -errno, "open rootfs '%s'", p->rootfs) : root;
}

/* The root first: mountinfo lists mounts as they came to be. */
static int open_here(struct plan *p, int *ret_root, struct err *e)
{
	int r = 0;

	if (ret_root) {
		*ret_root = open_root(p, e);
		if (*ret_root < 0)
			return *ret_root;
	}
	for (size_t i = 0; r == 0 && i < p->mount_count; i++) {
		r = mnt_open_source(&p->mounts[i], e);
		if (r < 0)
			err_wrap(e, r, "mount '%s'", p->mounts[i].target);
	}
	return r;
}

struct note {
	int fd;
	bool is_dir, alone;
};

/* Shared by both processes. */
struct notes {
	int r, root;
	struct err e;
	struct note mounts[];
};

static int visit(struct plan *p, int mounts, bool with_root, struct notes *n)
{
	int r;

	if (setns(mounts, CLONE_NEWNS) < 0)
		return err_set(&n->e, -errno, "enter the copy of our mounts");
	if (with_root) {
		n->root = open_root(p, &n->e);
		if (n->root < 0)
			return n->root;
	}
	for (size_t i = 0; i < p->mount_count; i++) {
		struct mnt *m = &p->mounts[i];

		r = mnt_open_source(m, &n->e);
		n->mounts[i] = (struct note){ m->tree, m->source_is_dir,
					      r == -EINVAL && !m->opt.recursive };
		if (r < 0 && !n->mounts[i].alone)
			return err_wrap(&n->e, r, "mount '%s'", m->target);
	}
	return 0;
}

static int take_notes(struct plan *p, const struct notes *n, int *ret_root, struct err *e)
{
	int r = n->r;

	for (size_t i = 0; i < p->mount_count; i++) {
		p->mounts[i].tree = n->mounts[i].fd;
		p->mounts[i].source_is_dir = n->mounts[i].is_dir;
	}
	if (ret_root)
		*ret_root = n->root;
	if (r < 0) {
		if (e)
			*e = n->e;
		return r;
	}
	for (size_t i = 0; r == 0 && i < p->mount_count; i++)
		if (n->mounts[i].alone) {
			r = mnt_open_alone(&p->mounts[i], e);
			if (r < 0)
				err_wrap(e, r, "mount '%s'", p->mounts[i].target);
		}
	return r;
}

static int open_locked(struct plan *p, int *ret_root, struct err *e)
{
	size_t size = sizeof(struct notes) + p->mount_count * sizeof(struct note);
	/* No exit signal: nobody else shall hear of it. */
	struct clone_args args = { .flags = CLONE_FILES };
	own_fd int mounts = ns_locked_mounts(e);
	struct notes *n;
	pid_t pid;
	int r;

	if (mounts < 0)
		return mounts;
	n = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (n == MAP_FAILED)
		return -ENOMEM;
	n->root = -EBADF;
	for (size_t i = 0; i < p->mount_count; i++)
		n->mounts[i].fd = -EBADF;
	n->r = err_say(&n->e, -ECHILD, "the process that opens mount sources was killed");
	pid = sys_clone3(&args);
	if (pid == 0) {
		struct err none = { 0 };

		n->e = none;
		n->r = visit(p, mounts, ret_root, n);
		_exit(0);
	}
	if (pid < 0) {
		r = err_set(e, pid, "clone a process to open mount sources");
	} else {
		(void)TEMP_FAILURE_RETRY(waitpid(pid, NULL, __WALL));
		r = take_notes(p, n, ret_root, e);
	}
	(void)munmap(n, size);
	return r;
}

static bool lends(const struct plan *p, bool root)
{
	for (size_t i = 0; !root && i < p->mount_count; i++)
		root = p->mounts[i].opt.bind;
	return root;
}

/* Those that show the container's ids wait until it has some. */
static int map_ids(struct mnt *m, struct err *e)
{
	int r = 0;

	if (!m->uid_map_count)
		return 0;
	m->userns = ns_map_open(m->uid_maps, m->uid_map_count, m->gid_maps, m->gid_map_count, e);
	if (m->userns < 0)
		r = m->userns;
	else if (m->tree >= 0)
		r = mnt_idmap(m->tree, m->userns, m->opt.ridmap, e);
	return r < 0 ? err_wrap(e, r, "mount '%s'", m->target) : 0;
}

/* Where we may not make nodes, the child binds the host's. */
static int prepare_dev(struct plan *p, struct err *e)
{
	struct err refused = { 0 };
	int r = dev_prepare(p->dev, p->nodes, p->node_count, p->ns.uid_maps[0].outside,
			    p->ns.gid_maps[0].outside, &refused);

	if (r == -EPERM) {
		p->dev = NULL;
		return 0;
	}
	if (r < 0 && e)
		*e = refused;
	return r;
}

int sources_open(struct plan *plan, int *ret_root, struct err *e)
{
	bool locked = plan_in_user_namespace(plan) && lends(plan, ret_root);
	int r = locked ? open_locked(plan, ret_root, e) : open_here(plan, ret_root, e);

	for (size_t i = 0; r == 0 && i < plan->mount_count; i++)
		r = map_ids(&plan->mounts[i], e);
	return r == 0 && plan->dev ? prepare_dev(plan, e) : r;
}
