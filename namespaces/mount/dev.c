/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes, the usual links in /dev, and the console. */
#include "namespaces/mount/mount.h"

#include "base/own.h"
#include "base/path.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* clang-format off */
const struct dev_node dev_defaults[] = {
	{ "/dev/null",    S_IFCHR, 1, 3, 0666, 0, 0 },
	{ "/dev/zero",    S_IFCHR, 1, 5, 0666, 0, 0 },
	{ "/dev/full",    S_IFCHR, 1, 7, 0666, 0, 0 },
	{ "/dev/random",  S_IFCHR, 1, 8, 0666, 0, 0 },
	{ "/dev/urandom", S_IFCHR, 1, 9, 0666, 0, 0 },
	{ "/dev/tty",     S_IFCHR, 5, 0, 0666, 0, 0 },
};
/* clang-format on */
const size_t dev_default_count = ARRAY_SIZE(dev_defaults);

/* Split "/dev/net/tun" into an open parent and "tun". */
static int open_parent(int rootfd, const char *path, const char **ret_name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	own_free char *dir = NULL;
	int fd;

	*ret_name = slash ? slash + 1 : path;
	dir = strndup(path, (size_t)(*ret_name - path));
	if (!dir)
		return -ENOMEM;
	fd = path_mkdirs(rootfd, dir, 0755);
	return fd < 0 ? err_set(e, fd, "make directory '%s'", dir) : fd;
}

int dev_make(int rootfd, const struct dev_node *node, struct err *e)
{
	const char *name;
	own_fd int dir = open_parent(rootfd, node->path, &name, e), made = -EBADF;
	dev_t number = makedev(node->major, node->minor);
	struct stat st;

	if (dir < 0)
		return dir;
	if (mknodat(dir, name, node->type | (node->mode & 07777), number) < 0) {
		if (errno != EEXIST)
			return err_set(e, -errno, "make device '%s'", node->path);
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_set(e, -errno, "stat '%s'", node->path);
		if ((st.st_mode & S_IFMT) != node->type ||
		    (node->type != S_IFIFO && st.st_rdev != number))
			return err_say(e, -EEXIST, "'%s' exists and is another kind of file",
				       node->path);
	}
	made = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (made < 0 || fstat(made, &st) < 0 || (st.st_mode & S_IFMT) != node->type)
		return err_set(e, made < 0 ? -errno : -EEXIST, "open device '%s'", node->path);
	/* By descriptor: between mknod and here a process that shares the volume may swap names. */
	if (fchownat(made, "", node->uid, node->gid, AT_EMPTY_PATH) < 0)
		return err_set(e, -errno, "chown '%s'", node->path);
	return 0;
}

int dev_prepare(struct mnt *m, const struct dev_node *nodes, size_t count, uid_t uid, gid_t gid,
		struct err *e)
{
	own_fd int tree = mnt_new_fs(m->type, m->source, &m->opt.data, m->opt.attr_set, e);
	mode_t before = umask(0);
	int r = tree < 0 ? tree : 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct dev_node inside = nodes[i];

		inside.path += strlen(m->target);
		r = dev_make(tree, &inside, e);
	}
	(void)umask(before);
	if (r < 0)
		return r;
	if (fchownat(tree, "", uid, gid, AT_EMPTY_PATH) < 0)
		return err_set(e, -errno, "chown '%s' of the container", m->target);
	m->source_is_dir = true;
	m->tree = take_fd(&tree);
	return 0;
}

int dev_links(int rootfd, struct err *e)
{
	/* clang-format off */
	static const struct { const char *name, *target; } links[] = {
		{ "fd",     "/proc/self/fd" },
		{ "stdin",  "/proc/self/fd/0" },
		{ "stdout", "/proc/self/fd/1" },
		{ "stderr", "/proc/self/fd/2" },
		{ "core",   "/proc/kcore" },
		{ "ptmx",   "pts/ptmx" },
	};
	/* clang-format on */
	own_fd int dev = path_mkdirs(rootfd, "dev", 0755);

	if (dev < 0)
		return err_set(e, dev, "open '/dev' of the container");
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST &&
		    errno != EROFS)
			return err_set(e, -errno, "link '/dev/%s'", links[i].name);
	return 0;
}

int dev_pty(int rootfd, uid_t uid, int *ret_master, int *ret_slave, struct err *e)
{
	own_fd int master = -EBADF, slave = -EBADF;
	struct stat st;
	int unlocked = 0;

	master = path_open(rootfd, "dev/pts/ptmx", O_RDWR | O_NOCTTY, 0);
	if (master < 0) {
		err_set(e, master, "open '/dev/pts/ptmx' of the container");
		err_hint(e, "a terminal needs a devpts mount on /dev/pts");
		return master;
	}
	if (fstat(master, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2))
		return err_say(e, -ENODEV, "'/dev/pts/ptmx' is not a pty multiplexer");
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return err_set(e, -errno, "unlock the pty");
	/* The peer by descriptor: no name that could lead elsewhere (CVE-2025-52565). */
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_set(e, -errno, "open the pty's other end");
	if (fchown(slave, uid, (gid_t)-1) < 0)
		return err_set(e, -errno, "chown the pty");
	*ret_master = take_fd(&master);
	*ret_slave = take_fd(&slave);
	return 0;
}

int dev_console(int rootfd, uid_t uid, int *ret_master, int *ret_slave, struct err *e)
{
	own_fd int master = -EBADF, slave = -EBADF, tree = -EBADF;
	int r;

	r = dev_pty(rootfd, uid, &master, &slave, e);
	if (r < 0)
		return r;
	tree = open_tree(slave, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return err_set(e, -errno, "clone the pty's mount");
	r = mnt_attach(tree, rootfd, "/dev/console", false, e);
	if (r < 0)
		return r;
	*ret_master = take_fd(&master);
	*ret_slave = take_fd(&slave);
	return 0;
}
