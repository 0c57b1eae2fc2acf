/* SPDX-License-Identifier: Apache-2.0 */
/* Detached mounts: sources opened by the parent, file systems made by the child. */
#include "namespaces/mount/mount.h"

#include "base/own.h"
#include "base/path.h"
#include "base/text.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

enum { PROC_MAGIC = 0x9fa0, ST_NO_FOLLOW = 0x2000 /* <linux/statfs.h> */ };

static int set_attrs(int tree, uint64_t set, uint64_t clr, uint64_t propagation, bool recursive,
		     struct err *e)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clr, .propagation = propagation };

	if (!set && !clr && !propagation)
		return 0;
	if (mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
			  sizeof(attr)) < 0)
		return err_set(e, -errno, "set mount attributes");
	return 0;
}

static int propagate(int tree, uint64_t flags, struct err *e)
{
	return set_attrs(tree, 0, 0, flags & ~(uint64_t)MS_REC, flags & MS_REC, e);
}

/* The attributes of the mount that @fd is on, as statfs(2) tells them. */
static int attrs_of(int fd, uint64_t *ret)
{
	static const struct {
		unsigned long st;
		uint64_t attr;
	} flags[] = {
		{ ST_RDONLY, MOUNT_ATTR_RDONLY },	  { ST_NOSUID, MOUNT_ATTR_NOSUID },
		{ ST_NODEV, MOUNT_ATTR_NODEV },		  { ST_NOEXEC, MOUNT_ATTR_NOEXEC },
		{ ST_NODIRATIME, MOUNT_ATTR_NODIRATIME }, { ST_NO_FOLLOW, MOUNT_ATTR_NOSYMFOLLOW },
	};
	struct statvfs st;
	uint64_t attrs = 0;

	if (fstatvfs(fd, &st) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (st.f_flag & flags[i].st)
			attrs |= flags[i].attr;
	if (st.f_flag & ST_NOATIME)
		attrs |= MOUNT_ATTR_NOATIME;
	else if (!(st.f_flag & ST_RELATIME))
		attrs |= MOUNT_ATTR_STRICTATIME;
	*ret = attrs;
	return 0;
}

static int set_bind_attrs(int tree, const struct mnt *m, struct err *e)
{
	uint64_t source = 0, set, clr;
	int r = attrs_of(tree, &source);

	if (r < 0)
		return err_set(e, r, "stat");
	r = mnt_bind_attrs(&m->opt, source, m->locked, &set, &clr, e);
	if (r == 0)
		r = set_attrs(tree, set, clr, 0, false, e);
	return r < 0 ? r : set_attrs(tree, m->opt.rec_set, m->opt.rec_clr, 0, true, e);
}

/* Detached, with its attributes: from the host, or (@dirfd at the source itself, @path "") from the
 * container's root. */
static int open_bind(struct mnt *m, int dirfd, const char *path, struct err *e)
{
	own_fd int tree = -EBADF;
	struct stat st;
	int r;

	tree = open_tree(dirfd, path,
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*path ? 0 : AT_EMPTY_PATH) |
				 (m->opt.recursive ? AT_RECURSIVE : 0) |
				 (m->opt.src_nofollow ? AT_SYMLINK_NOFOLLOW : 0));
	if (tree < 0)
		return err_set(e, -errno, "open mount source '%s'", m->source);
	if (fstat(tree, &st) < 0)
		return err_set(e, -errno, "stat mount source '%s'", m->source);
	r = set_bind_attrs(tree, m, e);
	if (r < 0)
		return err_wrap(e, r, "mount source '%s'", m->source);
	m->source_is_dir = S_ISDIR(st.st_mode);
	m->tree = take_fd(&tree);
	return 0;
}

static bool is_copied_symlink(const struct mnt *m)
{
	struct stat st;

	return m->opt.copy_symlink && lstat(m->source, &st) == 0 && S_ISLNK(st.st_mode);
}

int mnt_open_source(struct mnt *m, struct err *e)
{
	int r;

	if (!m->opt.bind || m->inside || m->opt.remount || is_copied_symlink(m))
		return 0;
	r = open_bind(m, AT_FDCWD, m->source, e);
	if (r == 0 && m->inherited)
		r = propagate(m->tree, m->inherited, e);
	return r;
}

int mnt_open_alone(struct mnt *m, struct err *e)
{
	enum {
		LOCKABLE =
			MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC
	};
	own_fd int source = open(m->source, O_PATH | O_CLOEXEC);
	uint64_t attrs = 0;
	int r = source < 0 ? -errno : attrs_of(source, &attrs);

	if (r < 0)
		return err_set(e, r, "open mount source '%s'", m->source);
	if (attrs & LOCKABLE) {
		err_say(e, -EPERM,
			"mount source '%s' has mounts on it, and flags to keep: operation not "
			"permitted",
			m->source);
		err_hint(e, "take them along with 'rbind'");
		return -EPERM;
	}
	return mnt_open_source(m, e);
}

int mnt_idmap(int tree, int userns, bool recursive, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP,
				   .userns_fd = (unsigned int)userns };
	int r;

	if (mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
			  sizeof(attr)) < 0) {
		r = err_set(e, -errno, "id-map mount");
		err_hint(e, "its file system may not support id-mapped mounts");
		return r;
	}
	return 0;
}

/* The context's log says in words which option the file system disliked: fsopen(2) "Message
 * retrieval interface". The first error line is the cause. */
static int fs_error(int ctx, int code, const char *what, struct err *e)
{
	char line[256];
	ssize_t n;

	while ((n = read(ctx, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (strncmp(line, "e ", 2) == 0)
			return err_say(e, code, "%s: %s", what, line + 2);
	}
	return err_set(e, code, "%s", what);
}

static int set_option(int ctx, const char *word, struct err *e)
{
	own_free char *key = strdup(word);
	char *value;
	int r;

	if (!key)
		return -ENOMEM;
	value = strchr(key, '=');
	if (value)
		*value++ = '\0';
	r = value ? fsconfig(ctx, FSCONFIG_SET_STRING, key, value, 0)
		  : fsconfig(ctx, FSCONFIG_SET_FLAG, key, NULL, 0);
	if (r < 0) {
		r = -errno;
		fs_error(ctx, r, "mount option", e);
		return err_wrap(e, r, "'%s'", word);
	}
	return 0;
}

/* @skip: a kind of option to leave out, as a prefix; NULL for none. */
static int set_options(int ctx, const struct strv *words, const char *skip, struct err *e)
{
	int r = 0;

	for (size_t i = 0; words && r == 0 && i < words->n; i++)
		if (!skip || strncmp(words->v[i], skip, strlen(skip)) != 0)
			r = set_option(ctx, words->v[i], e);
	return r;
}

static int open_fs(const char *type, const char *source, struct err *e)
{
	own_fd int ctx = fsopen(type, FSOPEN_CLOEXEC);
	int r;

	if (ctx < 0) {
		r = err_set(e, -errno, "file system '%s'", type);
		if (r == -ENODEV)
			err_hint(e, "this kernel does not have it");
		return r;
	}
	if (source && fsconfig(ctx, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return fs_error(ctx, -errno, type, e);
	return take_fd(&ctx);
}

static int finish_fs(int ctx, const char *type, uint64_t attrs, struct err *e)
{
	int tree;

	if (fsconfig(ctx, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fs_error(ctx, -errno, type, e);
	tree = fsmount(ctx, FSMOUNT_CLOEXEC, (unsigned int)attrs);
	return tree < 0 ? fs_error(ctx, -errno, type, e) : tree;
}

int mnt_new_fs(const char *type, const char *source, const struct strv *data, uint64_t attrs,
	       struct err *e)
{
	own_fd int ctx = open_fs(type, source, e);
	int r = ctx < 0 ? ctx : set_options(ctx, data, NULL, e);

	if (ctx >= 0 && r < 0)
		return err_wrap(e, r, "%s", type);
	return r < 0 ? r : finish_fs(ctx, type, attrs, e);
}

/* Where a target is, as the container sees it: paths of descriptors read as from our own root, on
 * which the container's root lies, or below which it is. */
static int inside_path(int rootfd, int at, char *buf, size_t size)
{
	char link[32], root[PATH_MAX];
	size_t len;
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", rootfd);
	n = readlink(link, root, sizeof(root) - 1);
	if (n < 0)
		return -errno;
	len = n == 1 ? 0 : (size_t)n;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", at);
	n = readlink(link, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	if (strncmp(buf, root, len) != 0 || (buf[len] != '/' && buf[len] != '\0'))
		return -EXDEV;
	memmove(buf, buf + len, (size_t)n - len + 1);
	return 0;
}

int mnt_target_allowed(const char *path, bool is_proc, struct err *e)
{
	static const char *const files[] = {
		"/cpuinfo",
		"/diskstats",
		"/loadavg",
		"/meminfo",
		"/slabinfo",
		"/stat",
		"/swaps",
		"/uptime",
		"/sys/kernel/ns_last_pid",
		"/sys/crypto/fips_enabled",
	};
	static const char proc[] = "/proc";

	if (!*path || strcmp(path, "/") == 0)
		return err_say(e, -EBUSY, "'/' is the container's root: nothing goes on top of it");
	if (strncmp(path, proc, sizeof(proc) - 1) != 0)
		return 0;
	path += sizeof(proc) - 1;
	if (!*path)
		return is_proc ? 0
			       : err_say(e, -EINVAL,
					 "'/proc' cannot be mounted because it is not of type "
					 "proc");
	if (*path != '/')
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (strcmp(path, files[i]) == 0)
			return 0;
	return err_say(e, -EINVAL, "'/proc%s' cannot be mounted because it is inside /proc", path);
}

static bool is_procfs(const struct mnt *m)
{
	struct statfs fs;

	if (m->opt.bind)
		return fstatfs(m->tree, &fs) == 0 && fs.f_type == PROC_MAGIC;
	return strcmp(m->type, "proc") == 0;
}

/* Through a link the kernel's own view of itself would lie elsewhere than all who rely on it
 * look: CVE-2019-19921, CVE-2023-27561. */
static int check_ordinary(int rootfd, const struct mnt *m, struct err *e)
{
	own_fd int at = -EBADF;
	struct stat st;

	if (m->opt.bind || (strcmp(m->type, "proc") != 0 && strcmp(m->type, "sysfs") != 0))
		return 0;
	at = path_open(rootfd, m->target, O_PATH | O_NOFOLLOW, 0);
	if (at == -ENOENT)
		return 0;
	if (at < 0 || fstat(at, &st) < 0)
		return err_set(e, at < 0 ? at : -errno, "open mount target");
	if (!S_ISDIR(st.st_mode))
		return err_say(e, -ENOTDIR,
			       "a %s file system must be mounted on ordinary directory", m->type);
	return 0;
}

/* *ret_covered: what was there before; its mode is 0 when there was nothing. */
static int open_target(int rootfd, const struct mnt *m, bool is_dir, struct stat *ret_covered,
		       struct err *e)
{
	own_fd int at = -EBADF, there = -EBADF;
	char path[PATH_MAX];
	int r = check_ordinary(rootfd, m, e);

	if (r < 0)
		return r;
	*ret_covered = (struct stat){ 0 };
	there = path_open(rootfd, m->target, O_PATH | (m->opt.dest_nofollow ? O_NOFOLLOW : 0), 0);
	if (there >= 0 && fstat(there, ret_covered) < 0)
		return err_set(e, -errno, "stat mount target");
	at = there >= 0 ? take_fd(&there) : path_make_target(rootfd, m->target, is_dir);
	if (at < 0)
		return err_set(e, at, "make mount target");
	r = inside_path(rootfd, at, path, sizeof(path));
	if (r < 0)
		return err_set(e, r, "look up mount target");
	r = mnt_target_allowed(path, is_procfs(m), e);
	return r < 0 ? r : take_fd(&at);
}

static int attach(int tree, int at, bool is_dir, struct err *e)
{
	struct stat st;

	if (fstat(at, &st) < 0)
		return err_set(e, -errno, "stat mount target");
	if (S_ISDIR(st.st_mode) != is_dir)
		return err_say(e, -ENOTDIR, "the target is %s, its source is %s",
			       is_dir ? "not a directory" : "a directory",
			       is_dir ? "a directory" : "not");
	if (move_mount(tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_set(e, -errno, "attach");
	return 0;
}

int mnt_attach(int tree, int rootfd, const char *target, bool is_dir, struct err *e)
{
	own_fd int at = path_make_target(rootfd, target, is_dir);
	int r = at < 0 ? err_set(e, at, "make mount target") : attach(tree, at, is_dir, e);

	return r < 0 ? err_wrap(e, r, "mount '%s'", target) : 0;
}

static bool says_mode(const struct strv *data)
{
	for (size_t i = 0; i < data->n; i++)
		if (strncmp(data->v[i], "mode=", 5) == 0)
			return true;
	return false;
}

static bool is_tmpfs(const struct mnt *m)
{
	return strcmp(m->type, "tmpfs") == 0;
}

/* procfs and sysfs have the kernel's labels, mqueue takes one by attribute. */
static bool takes_label(const struct mnt *m)
{
	return m->label && strcmp(m->type, "proc") != 0 && strcmp(m->type, "sysfs") != 0 &&
	       strcmp(m->type, "mqueue") != 0;
}

static int configure(int ctx, const struct mnt *m, const struct stat *covered, const char *skip,
		     struct err *e)
{
	char mode[16];
	int r = 0;

	/* A tmpfs without a mode takes that of the directory that it covers, so that /tmp stays
	 * 1777 whether or not a config remembered to say so. */
	(void)snprintf(mode, sizeof(mode), "mode=%04o", (unsigned int)covered->st_mode & 07777);
	if (is_tmpfs(m) && covered->st_mode && !says_mode(&m->opt.data))
		r = set_option(ctx, mode, e);
	if (r == 0 && takes_label(m)) {
		r = set_option(ctx, m->label, e);
		if (r < 0)
			err_hint(e, "linux.mountLabel needs SELinux");
	}
	if (r == 0 && !m->late_ro && (m->opt.attr_set & MOUNT_ATTR_RDONLY))
		r = set_option(ctx, "ro", e);
	if (r == 0)
		r = set_options(ctx, &m->opt.super, NULL, e);
	return r < 0 ? r : set_options(ctx, &m->opt.data, skip, e);
}

static int new_fs(const struct mnt *m, const struct stat *covered, const char *skip, struct err *e)
{
	uint64_t attrs = m->opt.attr_set & ~(uint64_t)(m->late_ro ? MOUNT_ATTR_RDONLY : 0);
	own_fd int ctx = open_fs(m->type, m->source && *m->source ? m->source : m->type, e);
	int r = ctx < 0 ? ctx : configure(ctx, m, covered, skip, e);

	if (ctx >= 0 && r < 0)
		return err_wrap(e, r, "%s", m->type);
	return r < 0 ? r : finish_fs(ctx, m->type, attrs, e);
}

/* The group of terminals that a config names may not exist in the user namespace. */
static int new_fs_with_less(const struct mnt *m, const struct stat *covered, struct err *e)
{
	int tree = new_fs(m, covered, NULL, e);

	if (tree == -EINVAL && m->locked && strcmp(m->type, "devpts") == 0) {
		struct err again = { 0 };

		tree = new_fs(m, covered, "gid=", &again);
		if (tree < 0)
			return -EINVAL; /* it was something else */
	}
	return tree;
}

/* The host's own, where the kernel refuses a new one because this user namespace does not own what
 * it shows. What was asked for still holds, all over the tree. */
static int host_fs(const struct mnt *m, struct err *e)
{
	own_fd int tree = open_tree(AT_FDCWD, m->fallback,
				    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	int r;

	if (tree < 0)
		return err_set(e, -errno, "open the host's '%s'", m->fallback);
	r = set_attrs(tree, m->opt.attr_set & ~(uint64_t)MOUNT_ATTR__ATIME, 0, 0, true, e);
	return r < 0 ? r : take_fd(&tree);
}

static int cover_cgroups(int tree, struct err *e)
{
	own_fd int at = openat(tree, "fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC), empty = -EBADF;

	if (at < 0)
		return 0; /* there are none to hide */
	empty = mnt_empty_dir(NULL, e);
	return empty < 0 ? empty : attach(empty, at, true, e);
}

/* Each in its turn, then what "rro" and its kin say about the tree. */
static int set_rest(int tree, const struct mnt *m, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->opt.propagation.n; i++)
		r = propagate(tree, m->opt.propagation.v[i], e);
	return r;
}

static int set_mqueue_label(int tree, const struct mnt *m, struct err *e)
{
	char path[32];
	const char *label;

	if (!m->label || strcmp(m->type, "mqueue") != 0)
		return 0;
	label = strchr(m->label, '=') + 1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", tree);
	if (setxattr(path, "security.selinux", label, strlen(label), 0) < 0)
		return err_set(e, -errno, "label '%s'", label);
	return 0;
}

static int make_fs(int rootfd, struct mnt *m, struct err *e)
{
	own_fd int at = -EBADF, tree = -EBADF;
	struct stat covered;
	bool host = false;
	int r;

	/* What others still write into is made read-only afterwards. */
	m->late_ro = (m->opt.attr_set & MOUNT_ATTR_RDONLY) &&
		     (is_tmpfs(m) || strcmp(m->target, "/dev") == 0);
	at = open_target(rootfd, m, true, &covered, e);
	if (at < 0)
		return at;
	if (strcmp(m->type, "cgroup") == 0 || strcmp(m->type, "cgroup2") == 0)
		return mnt_cgroup(at, m, e);
	tree = new_fs_with_less(m, &covered, e);
	if (tree == -EPERM && m->fallback) {
		host = true;
		tree = host_fs(m, e);
	}
	if (tree == -EPERM && strcmp(m->type, "proc") == 0)
		err_hint(e, "the host's own /proc is partly covered, which the kernel then demands "
			    "of every new one");
	if (tree < 0)
		return tree;
	if (m->opt.tmpcopyup && covered.st_mode) {
		r = mnt_copy_up(at, tree, m->locked, e);
		if (r < 0)
			return err_wrap(e, r, "tmpcopyup");
	}
	r = set_mqueue_label(tree, m, e);
	if (r == 0)
		r = attach(tree, at, true, e);
	if (r == 0 && host && strcmp(m->type, "sysfs") == 0)
		r = cover_cgroups(tree, e);
	if (r == 0)
		r = set_attrs(tree, m->opt.rec_set, m->opt.rec_clr, 0, true, e);
	if (r == 0)
		r = set_rest(tree, m, e);
	if (r == 0)
		m->tree = take_fd(&tree);
	return r;
}

bool mnt_needs_mapping(const struct mnt *m)
{
	return m->inside && m->opt.idmap && m->locked;
}

int mnt_open_inside(int rootfd, struct mnt *m, struct err *e)
{
	own_fd int at = path_open(rootfd, m->inside, O_PATH, 0);
	int r;

	if (at < 0)
		return err_set(e, at, "open mount source '%s'", m->source);
	r = open_bind(m, at, "", e);
	if (r == 0 && m->opt.idmap && !m->locked)
		r = mnt_idmap(m->tree, m->userns, m->opt.ridmap, e);
	return r;
}

static int make_bind(int rootfd, struct mnt *m, struct err *e)
{
	own_fd int at = -EBADF;
	struct stat covered;
	int r = m->inside && m->tree < 0 ? mnt_open_inside(rootfd, m, e) : 0;

	if (r < 0)
		return r;
	at = open_target(rootfd, m, m->source_is_dir, &covered, e);
	if (at < 0)
		return at;
	r = attach(m->tree, at, m->source_is_dir, e);
	return r < 0 ? r : set_rest(m->tree, m, e);
}

/* mount(2) MS_REMOUNT: of a file system its own options, of a bind the flags of the mount alone. */
static int reconfigure(int at, const struct mnt *m, struct err *e)
{
	own_fd int ctx = fspick(at, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
	const char *rdonly = m->opt.attr_set & MOUNT_ATTR_RDONLY ? "ro" : "rw";
	int r;

	if (ctx < 0)
		return err_set(e, -errno, "remount");
	r = set_option(ctx, rdonly, e);
	if (r == 0)
		r = set_options(ctx, &m->opt.super, NULL, e);
	if (r == 0)
		r = set_options(ctx, &m->opt.data, NULL, e);
	if (r == 0 && fsconfig(ctx, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		r = fs_error(ctx, -errno, "remount", e);
	return r;
}

static int remount(int rootfd, const struct mnt *m, struct err *e)
{
	own_fd int at = path_open(rootfd, m->target, O_PATH, 0);
	int r;

	if (at < 0)
		return err_set(e, at, "open mount target");
	r = m->opt.bind ? 0 : reconfigure(at, m, e);
	if (r == 0)
		r = set_bind_attrs(at, m, e);
	return r < 0 ? r : set_rest(at, m, e);
}

/* The link itself, made anew: what it points to is looked up inside. */
static int copy_symlink(int rootfd, const struct mnt *m, struct err *e)
{
	const char *slash = strrchr(m->target, '/'), *name = slash + 1;
	own_free char *up = strndup(m->target, (size_t)(name - m->target));
	char to[PATH_MAX], there[PATH_MAX];
	own_fd int dir = -EBADF;
	ssize_t len;

	if (!up)
		return -ENOMEM;
	len = readlink(m->source, to, sizeof(to) - 1);
	if (len < 0)
		return err_set(e, -errno, "read link '%s'", m->source);
	to[len] = '\0';
	dir = path_mkdirs(rootfd, up, 0755);
	if (dir < 0)
		return err_set(e, dir, "make directory '%s'", up);
	if (symlinkat(to, dir, name) == 0)
		return 0;
	if (errno != EEXIST)
		return err_set(e, -errno, "make link '%s'", m->target);
	len = readlinkat(dir, name, there, sizeof(there) - 1);
	if (len < 0 || (size_t)len != strlen(to) || memcmp(there, to, (size_t)len) != 0)
		return err_say(e, -EEXIST, "'%s' exists and is not a link to '%s'", m->target, to);
	return 0;
}

int mnt_apply(int rootfd, struct mnt *m, struct err *e)
{
	int r;

	if (m->opt.remount)
		r = remount(rootfd, m, e);
	else if (m->tree >= 0 || m->inside)
		r = make_bind(rootfd, m, e);
	else if (m->opt.bind)
		r = copy_symlink(rootfd, m, e);
	else
		r = make_fs(rootfd, m, e);
	return r < 0 ? err_wrap(e, r, "mount '%s'", m->target) : 0;
}

int mnt_finish(const struct mnt *m, struct err *e)
{
	int r;

	if (!m->late_ro || m->tree < 0)
		return 0;
	r = set_attrs(m->tree, MOUNT_ATTR_RDONLY, 0, 0, false, e);
	return r < 0 ? err_wrap(e, r, "mount '%s'", m->target) : 0;
}
