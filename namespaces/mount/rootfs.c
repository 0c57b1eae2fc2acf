/* SPDX-License-Identifier: Apache-2.0 */
/* The root of a container: isolation from the host's mounts, pivot_root, masked paths. */
#include "namespaces/mount/mount.h"

#include "base/file.h"
#include "base/own.h"
#include "base/path.h"
#include "base/sys.h"
#include "namespaces/mount/mountinfo.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

/* linux/stat.h, since 6.8; the headers of Debian 12 lack it */
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif

enum { MOUNTINFO_MAX = 16 << 20 };

int mnt_isolate(bool receive, struct err *e)
{
	if (mount(NULL, "/", NULL, MS_REC | (receive ? MS_SLAVE : MS_PRIVATE), NULL) < 0)
		return err_set(e, -errno, "make our mounts private");
	return 0;
}

static int set_propagation(int tree, uint64_t flags, struct err *e)
{
	struct mount_attr attr = { .propagation = flags & ~(uint64_t)MS_REC };

	if (attr.propagation &&
	    mount_setattr(tree, "", AT_EMPTY_PATH | (flags & MS_REC ? AT_RECURSIVE : 0), &attr,
			  sizeof(attr)) < 0)
		return err_set(e, -errno, "set the root's propagation");
	return 0;
}

int mnt_enter_root(int tree, const char *path, uint64_t inherited, struct err *e)
{
	int r;

	if (move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0 &&
	    move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(e, -errno, "attach the root");
	/* A clone of a shared mount is shared with it, even out of a private namespace. */
	r = set_propagation(tree, inherited, e);
	return r < 0 ? r : set_propagation(tree, MS_PRIVATE, e);
}

int mnt_share_root(int tree, const char *path, struct err *e)
{
	struct mount_attr private = { .propagation = MS_PRIVATE };

	if (move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(e, -errno, "attach the root at '%s'", path);
	/* On a shared mount it has become shared as well: what comes on it stays here. */
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &private, sizeof(private)) < 0)
		return err_set(e, -errno, "make the root private");
	return 0;
}

static int statx_id(int at, const char *path, int flags, uint64_t *ret)
{
	struct statx st;

	/* A kernel that does not know the unique id answers without it. */
	if (statx(at, path, flags | AT_NO_AUTOMOUNT, STATX_MNT_ID | STATX_MNT_ID_UNIQUE, &st) < 0)
		return -errno;
	*ret = st.stx_mnt_id;
	return 0;
}

int mnt_id(int fd, uint64_t *ret, struct err *e)
{
	int r = statx_id(fd, "", AT_EMPTY_PATH, ret);

	return r < 0 ? err_set(e, r, "look at the root's mount") : 0;
}

int mnt_detach(const char *path, uint64_t id, struct err *e)
{
	uint64_t now;
	int r = statx_id(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &now);

	if (r == -ENOENT || r == -ENOTDIR || (r == 0 && now != id))
		return 0;
	if (r < 0)
		return err_set(e, r, "look at '%s'", path);
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL)
		return err_set(e, -errno, "unmount '%s'", path);
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

/* What is locked to us, because our user namespace is not the host's, can only be covered. */
static int take_away(const char *path, struct err *e)
{
	if (umount2(path, MNT_DETACH) == 0 || errno == ENOENT)
		return 0;
	if (errno != EINVAL && errno != EPERM)
		return err_set(e, -errno, "drop the host's '%s'", path);
	if (mount("tmpfs", path, "tmpfs", MS_RDONLY, NULL) < 0)
		return err_set(e, -errno, "cover the host's '%s'", path);
	return 0;
}

static bool is_full_view(const struct mountinfo *m)
{
	return (strcmp(m->type, "proc") == 0 || strcmp(m->type, "sysfs") == 0) &&
	       strcmp(m->root, "/") == 0;
}

/* Is @path in the container's root, which lies at @root? Over "/" it hides nothing from us: paths
 * start below it. */
static bool is_inside(const char *path, const char *root)
{
	size_t len = strlen(root);

	return strcmp(root, "/") != 0 && strncmp(path, root, len) == 0 &&
	       (path[len] == '/' || path[len] == '\0');
}

/*
 * What stays below is out of reach by name, but not gone. While a whole procfs or sysfs of the
 * host's is in the namespace, the kernel lets a process inside mount another, without what covers
 * ours.
 */
static int hide_host(const char *root, struct err *e)
{
	own_free char *text = NULL;
	ssize_t n = file_load(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text);
	struct mountinfo m;
	char *rest = text;
	int r = 0;

	if (n < 0)
		return err_set(e, (int)n, "read '/proc/self/mountinfo'");
	while (r == 0 && mountinfo_next(&rest, &m)) {
		struct statfs fs;

		if (is_full_view(&m) && !is_inside(m.target, root) && statfs(m.target, &fs) == 0 &&
		    (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC))
			r = take_away(m.target, e);
	}
	return r;
}

/* Away with what of the host is in our namespace still, and over "/" with the root, so that nothing
 * lies above it to climb to. */
static int drop_rest(int rootfd, struct err *e)
{
	char link[32], root[PATH_MAX];
	ssize_t n;
	int r;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", rootfd);
	n = readlink(link, root, sizeof(root) - 1);
	if (n < 0)
		return err_set(e, -errno, "look up the root");
	root[n] = '\0';
	r = hide_host(root, e);
	if (r == 0 && strcmp(root, "/") != 0 &&
	    move_mount(rootfd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		r = err_set(e, -errno, "move the root");
	return r;
}

int mnt_chroot(int rootfd, bool drop_host, struct err *e)
{
	int r = drop_host ? drop_rest(rootfd, e) : 0;

	if (r < 0)
		return r;
	if (fchdir(rootfd) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return err_set(e, -errno, "change the root");
	return 0;
}

int mnt_set_root(bool readonly, uint64_t propagation, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_set(e, -errno, "open the root");
	if (readonly && mount_setattr(root, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_set(e, -errno, "make the root read-only");
	return set_propagation(root, propagation, e);
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

int mnt_empty_dir(const char *label, struct err *e)
{
	static char option[] = "nr_inodes=1";
	char *options[] = { option, (char *)(uintptr_t)label };
	const struct strv data = { options, label ? 2 : 1 };

	return mnt_new_fs(
		"tmpfs", "tmpfs", &data,
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, e);
}

static int clone_empty_dir(int *first, const char *label, struct err *e)
{
	int tree;

	if (*first < 0) {
		*first = mnt_empty_dir(label, e);
		return *first < 0 ? *first : fcntl(*first, F_DUPFD_CLOEXEC, 3);
	}
	/* The first one is attached by now, so the kernel lets us clone it: one superblock for all
	 * masked directories of the container, however many CPUs have one. */
	tree = open_tree(*first, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return tree < 0 ? err_set(e, -errno, "clone an empty directory") : tree;
}

/* Named twice, by whatever names. */
static bool is_masked(const struct stat *st, int empty)
{
	struct stat own;

	if (!S_ISDIR(st->st_mode))
		return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
	return empty >= 0 && fstat(empty, &own) == 0 && own.st_dev == st->st_dev;
}

int mnt_masked(int rootfd, const struct strv *paths, const char *label, struct err *e)
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
		if (is_masked(&st, empty))
			continue;
		tree = S_ISDIR(st.st_mode) ? clone_empty_dir(&empty, label, e) : clone_null(e);
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
