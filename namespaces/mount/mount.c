/* SPDX-License-Identifier: Apache-2.0 */
/* Detached mounts: sources opened by the parent, file systems made by the child. */
#include "namespaces/mount/mount.h"

#include "base/own.h"
#include "base/path.h"
#include "base/text.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

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

static int set_options(int tree, const struct mnt_options *opt, struct err *e)
{
	int r;

	r = set_attrs(tree, opt->rec_set, opt->rec_clr, 0, true, e);
	if (r < 0)
		return r;
	return set_attrs(tree, opt->attr_set, opt->attr_clr, 0, false, e);
}

int mnt_open_source(struct mnt *m, struct err *e)
{
	own_fd int tree = -EBADF;
	struct stat st;
	int r;

	if (!m->opt.bind)
		return 0;
	tree = open_tree(AT_FDCWD, m->source,
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
				 (m->opt.recursive ? AT_RECURSIVE : 0));
	if (tree < 0)
		return err_set(e, -errno, "open mount source '%s'", m->source);
	if (fstat(tree, &st) < 0)
		return err_set(e, -errno, "stat mount source '%s'", m->source);
	r = set_options(tree, &m->opt, e);
	if (r < 0)
		return err_wrap(e, r, "mount source '%s'", m->source);
	m->source_is_dir = S_ISDIR(st.st_mode);
	m->tree = take_fd(&tree);
	return 0;
}

int mnt_idmap(int tree, int userns, bool recursive, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP,
				   .userns_fd = (unsigned int)userns };

	if (mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
			  sizeof(attr)) < 0) {
		err_set(e, -errno, "id-map mount");
		err_hint(e, "its file system may not support id-mapped mounts");
		return -errno;
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

int mnt_new_fs(const char *type, const char *source, const struct strv *data, uint64_t attrs,
	       struct err *e)
{
	own_fd int ctx = fsopen(type, FSOPEN_CLOEXEC);
	int tree, r;

	if (ctx < 0) {
		r = err_set(e, -errno, "file system '%s'", type);
		if (r == -ENODEV)
			err_hint(e, "this kernel does not have it");
		return r;
	}
	if (source && fsconfig(ctx, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return fs_error(ctx, -errno, type, e);
	for (size_t i = 0; data && i < data->n; i++) {
		r = set_option(ctx, data->v[i], e);
		if (r < 0)
			return err_wrap(e, r, "%s", type);
	}
	if (fsconfig(ctx, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fs_error(ctx, -errno, type, e);
	tree = fsmount(ctx, FSMOUNT_CLOEXEC, (unsigned int)attrs);
	return tree < 0 ? fs_error(ctx, -errno, type, e) : tree;
}

int mnt_attach(int tree, int rootfd, const char *target, bool is_dir, struct err *e)
{
	own_fd int at = path_make_target(rootfd, target, is_dir);
	struct stat st;

	if (at < 0)
		return err_set(e, at, "make mount target '%s'", target);
	if (fstat(at, &st) < 0)
		return err_set(e, -errno, "stat mount target '%s'", target);
	if (S_ISDIR(st.st_mode) != is_dir)
		return err_say(e, -ENOTDIR, "mount target '%s' is %s, its source is %s", target,
			       is_dir ? "not a directory" : "a directory",
			       is_dir ? "a directory" : "not");
	if (move_mount(tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_set(e, -errno, "mount on '%s'", target);
	return 0;
}

/*
 * A tmpfs without a mode takes that of the directory it covers, so that /tmp stays 1777 whether
 * or not a config remembered to say so.
 */
static int inherit_mode(int tree, int rootfd, const struct mnt *m, struct err *e)
{
	own_fd int covered = -EBADF, root = -EBADF;
	struct stat st;

	for (size_t i = 0; i < m->opt.data.n; i++)
		if (strncmp(m->opt.data.v[i], "mode=", 5) == 0)
			return 0;
	covered = path_open(rootfd, m->target, O_PATH | O_DIRECTORY, 0);
	if (covered < 0 || fstat(covered, &st) < 0)
		return 0; /* the target will be made anew: there is nothing to inherit */
	root = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || fchmod(root, st.st_mode & 07777) < 0)
		return err_set(e, -errno, "set mode of '%s'", m->target);
	return 0;
}

static int make_fs(int rootfd, const struct mnt *m, struct err *e)
{
	bool cgroup = strcmp(m->type, "cgroup") == 0 || strcmp(m->type, "cgroup2") == 0;
	bool tmpfs = strcmp(m->type, "tmpfs") == 0;
	static const struct strv no_data = { 0 };
	own_fd int tree = -EBADF;
	uint64_t late = 0;
	int r;

	/* A tmpfs that takes over a mode is made read-only afterwards. */
	if (tmpfs)
		late = m->opt.attr_set & MOUNT_ATTR_RDONLY;
	tree = mnt_new_fs(cgroup ? "cgroup2" : m->type, m->source ? m->source : m->type,
			  cgroup ? &no_data : &m->opt.data, m->opt.attr_set & ~late, e);
	if (tree < 0)
		return tree;
	if (tmpfs) {
		r = inherit_mode(tree, rootfd, m, e);
		if (r < 0)
			return r;
	}
	r = mnt_attach(tree, rootfd, m->target, true, e);
	if (r < 0)
		return r;
	r = set_attrs(tree, late | m->opt.rec_set, 0, 0, false, e);
	return r < 0 ? r : set_attrs(tree, 0, 0, m->opt.propagation, m->opt.propagation_rec, e);
}

int mnt_apply(int rootfd, const struct mnt *m, struct err *e)
{
	int r;

	if (m->tree >= 0) {
		r = mnt_attach(m->tree, rootfd, m->target, m->source_is_dir, e);
		if (r == 0)
			r = set_attrs(m->tree, 0, 0,
				      m->opt.propagation ? m->opt.propagation : MS_PRIVATE,
				      m->opt.propagation ? m->opt.propagation_rec : true, e);
	} else {
		r = make_fs(rootfd, m, e);
	}
	return r < 0 ? err_wrap(e, r, "mount '%s'", m->target) : 0;
}
