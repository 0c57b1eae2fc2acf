/* SPDX-License-Identifier: Apache-2.0 */
/* The root of a container: isolation from the host's mounts, pivot_root, masked paths. */
#include "namespaces/mount/mount.h"

#include "base/own.h"
#include "base/path.h"
#include "base/sys.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

int mnt_isolate(struct err *e)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(e, -errno, "make our mounts private");
	return 0;
}

int mnt_enter_root(int tree, struct err *e)
{
	struct mount_attr private = { .propagation = MS_PRIVATE };

	if (move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(e, -errno, "attach the root");
	/* A clone of a shared mount is shared with it, even out of a private namespace. */
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &private, sizeof(private)) < 0)
		return err_set(e, -errno, "make the root private");
	return 0;
}

/*
 * pivot_root(".", ".") puts the old root on top of the new one at the same place, from where it
 * is detached; no directory for it is needed: pivot_root(2) "NOTES".
 */
int mnt_pivot(int rootfd, struct err *e)
{
	int r;

	if (fchdir(rootfd) < 0)
		return err_set(e, -errno, "enter the root");
	r = sys_pivot_root(".", ".");
	if (r < 0)
		return err_set(e, r, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0)
		return err_set(e, -errno, "drop the host's mounts");
	if (chdir("/") < 0)
		return err_set(e, -errno, "chdir to the new root");
	return 0;
}

int mnt_chroot(int rootfd, struct err *e)
{
	static const char *const host[] = { "/proc", "/sys" };

	/* What stays below is out of reach by name, but not gone: the two trees through which the
	 * host could be changed are taken away first, where they are not locked. */
	for (size_t i = 0; i < ARRAY_SIZE(host); i++)
		if (umount2(host[i], MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
			return err_set(e, -errno, "drop the host's '%s'", host[i]);
	if (fchdir(rootfd) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return err_set(e, -errno, "change the root");
	return 0;
}

int mnt_set_root(bool readonly, uint64_t propagation, struct err *e)
{
	struct mount_attr attr = { .attr_set = readonly ? MOUNT_ATTR_RDONLY : 0,
				   .propagation = propagation };

	if (!readonly && !propagation)
		return 0;
	if (mount_setattr(AT_FDCWD, "/", 0, &attr, sizeof(attr)) < 0)
		return err_set(e, -errno,
			       readonly ? "make the root read-only" : "set the root's propagation");
	return 0;
}

static int cover(int at, int tree, const char *path, struct err *e)
{
	if (move_mount(tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_set(e, -errno, "cover '%s'", path);
	return 0;
}

/* The host's null device, and surely that: what a bundle has in its /dev may be anything. */
static int clone_null(struct err *e)
{
	own_fd int tree = open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct stat st;

	if (tree < 0 || fstat(tree, &st) < 0)
		return err_set(e, -errno, "open '/dev/null'");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_say(e, -ENODEV, "'/dev/null' of the host is not the null device");
	return take_fd(&tree);
}

static int clone_empty_dir(int *first, struct err *e)
{
	static char option[] = "nr_inodes=1";
	static char *options[] = { option };
	static const struct strv data = { options, 1 };
	int tree;

	if (*first < 0) {
		*first = mnt_new_fs("tmpfs", "tmpfs", &data,
				    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					    MOUNT_ATTR_NOEXEC,
				    e);
		return *first < 0 ? *first : fcntl(*first, F_DUPFD_CLOEXEC, 3);
	}
	/* The first one is attached by now, so the kernel lets us clone it: one superblock for all
	 * masked directories of the container, however many CPUs have one. */
	tree = open_tree(*first, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return tree < 0 ? err_set(e, -errno, "clone an empty directory") : tree;
}

int mnt_masked(int rootfd, const struct strv *paths, struct err *e)
{
	own_fd int empty = -EBADF;

	for (size_t i = 0; i < paths->n; i++) {
		own_fd int at = path_open(rootfd, paths->v[i], O_PATH, 0), tree = -EBADF;
		struct stat st;
		int r;

		if (at == -ENOENT || at == -ENOTDIR)
			continue;
		if (at < 0 || fstat(at, &st) < 0)
			return err_set(e, at < 0 ? at : -errno, "open masked path '%s'",
				       paths->v[i]);
		tree = S_ISDIR(st.st_mode) ? clone_empty_dir(&empty, e) : clone_null(e);
		if (tree < 0)
			return tree;
		r = cover(at, tree, paths->v[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

int mnt_readonly(int rootfd, const struct strv *paths, struct err *e)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };

	for (size_t i = 0; i < paths->n; i++) {
		own_fd int at = path_open(rootfd, paths->v[i], O_PATH, 0), tree = -EBADF;
		int r;

		if (at == -ENOENT || at == -ENOTDIR)
			continue;
		if (at < 0)
			return err_set(e, at, "open read-only path '%s'", paths->v[i]);
		tree = open_tree(
			at, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (tree < 0)
			return err_set(e, -errno, "clone read-only path '%s'", paths->v[i]);
		if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &readonly,
				  sizeof(readonly)) < 0)
			return err_set(e, -errno, "make '%s' read-only", paths->v[i]);
		r = cover(at, tree, paths->v[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}
