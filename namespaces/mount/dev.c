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

static int check_node(int fd, const struct dev_node *node, struct err *e)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, -errno, "open device '%s'", node->path);
	if ((st.st_mode & S_IFMT) != node->type ||
	    (node->type != S_IFIFO && st.st_rdev != makedev(node->major, node->minor)))
		return err_say(e, -EEXIST, "'%s' exists and is another kind of file", node->path);
	return 0;
}

/* The host's own node, on an empty file. It gives no more than the device: what the file system
 * that it lies on allows is not lent with it. */
static int bind_node(int dir, const char *name, const struct dev_node *node, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };
	own_fd int made =
		openat(dir, name, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	own_fd int tree = open_tree(AT_FDCWD, node->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int r = check_node(tree, node, e);

	if (r < 0)
		return err_wrap(e, r, "the host's device");
	if (made < 0)
		return err_set(e, -errno, "make '%s' to bind on", node->path);
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ||
	    move_mount(tree, "", made, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_set(e, -errno, "bind device '%s'", node->path);
	return 0;
}

/* Return: 1 when it was there already. */
static int make_node(int dir, const char *name, const struct dev_node *node, struct err *e)
{
	own_fd int made = -EBADF;
	int r;

	if (mknodat(dir, name, node->type | (node->mode & 07777),
		    makedev(node->major, node->minor)) < 0) {
		if (errno != EEXIST)
			return err_set(e, -errno, "make device '%s'", node->path);
		made = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		r = check_node(made, node, e);
		return r < 0 ? r : 1;
	}
	made = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	r = check_node(made, node, e);
	/* By descriptor: between mknod and here a process that shares the volume may swap names. */
	if (r == 0 && fchownat(made, "", node->uid, node->gid, AT_EMPTY_PATH) < 0)
		return err_set(e, -errno, "chown '%s'", node->path);
	return r;
}

int dev_make(int rootfd, const struct dev_node *node, struct err *e)
{
	struct err refused = { 0 };
	const char *name;
	own_fd int dir = open_parent(rootfd, node->path, &name, e);
	int r;

	if (dir < 0)
		return dir;
	r = make_node(dir, name, node, &refused);
	if (r == -EPERM)
		return bind_node(dir, name, node, e);
	if (r < 0 && e)
		*e = refused;
	return r < 0 ? r : 0;
}

bool dev_is_on(const struct mnt *m, const struct dev_node *node)
{
	size_t len = strlen(m->target);

	return strncmp(node->path, m->target, len) == 0 && node->path[len] == '/';
}

int dev_prepare(struct mnt *m, const struct dev_node *nodes, size_t count, uid_t uid, gid_t gid,
		struct err *e)
{
	uint64_t readonly = m->opt.attr_set & MOUNT_ATTR_RDONLY;
	own_fd int tree = mnt_new_fs(m->type, m->source, &m->opt.data,
				     m->opt.attr_set & ~(uint64_t)MOUNT_ATTR_RDONLY, e);
	mode_t before = umask(0);
	int r = tree < 0 ? tree : 0;

	for (size_t i = 0; r >= 0 && i < count; i++) {
		const char *name;
		own_fd int dir = -EBADF;

		if (!dev_is_on(m, &nodes[i]))
			continue;
		dir = open_parent(tree, nodes[i].path + strlen(m->target), &name, e);
		r = dir < 0 ? dir : make_node(dir, name, &nodes[i], e);
	}
	(void)umask(before);
	if (r < 0)
		return r;
	if (fchownat(tree, "", uid, gid, AT_EMPTY_PATH) < 0)
		return err_set(e, -errno, "chown '%s' of the container", m->target);
	m->source_is_dir = true;
	m->late_ro = readonly;
	m->tree = take_fd(&tree);
	return 0;
}

/* A bundle without a mount on /dev may bring a ptmx, which would be the host's: config-linux.md
 * "Default Devices". */
static int replace_ptmx(int dev, const char *target, struct err *e)
{
	char there[16];
	ssize_t len = readlinkat(dev, "ptmx", there, sizeof(there));

	if (len == (ssize_t)strlen(target) && memcmp(there, target, (size_t)len) == 0)
		return 0;
	if ((unlinkat(dev, "ptmx", 0) < 0 || symlinkat(target, dev, "ptmx") < 0) && errno != EROFS)
		return err_set(e, -errno, "link '/dev/ptmx'");
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
	int r = 0;

	if (dev < 0)
		return err_set(e, dev, "open '/dev' of the container");
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(links); i++) {
		/* a kernel may have no such file */
		if (strcmp(links[i].name, "core") == 0 && access("/proc/kcore", F_OK) < 0)
			continue;
		if (symlinkat(links[i].target, dev, links[i].name) == 0 || errno == EROFS)
			continue;
		if (errno != EEXIST)
			return err_set(e, -errno, "link '/dev/%s'", links[i].name);
		if (strcmp(links[i].name, "ptmx") == 0)
			r = replace_ptmx(dev, links[i].target, e);
	}
	return r;
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
