/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount of type "cgroup".
 *
 * DOC: on a host with pure cgroup2 it is that: the cgroup namespace decides what shows. A user
 * namespace that does not own the cgroup namespace may not mount it; then the host's is bound.
 *
 * On a host with v1 hierarchies it is a tmpfs with a directory for each, named as on the host, and
 * links for those that share one ("cpu" to "cpu,cpuacct"). With a cgroup namespace each hierarchy
 * is mounted; without, the container's own directory is bound. Where it has none of its own, it
 * would be the host's whole tree, so that one cannot be written to: its root has a file that names
 * a program which the host runs, release_agent (CVE-2022-0492).
 */
#include "namespaces/mount/mount.h"

#include "base/file.h"
#include "base/own.h"
#include "namespaces/mount/mountinfo.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

enum {
	PROC_FILE_MAX = 16 << 20,
	DEFAULTS = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC
};

static const char cgroups[] = "/sys/fs/cgroup", unified[] = "/sys/fs/cgroup/unified";

static bool is_v2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* The name of the hierarchy that is mounted below /sys/fs/cgroup; NULL for any other mount. */
static const char *hierarchy(const struct mountinfo *host)
{
	size_t len = sizeof(cgroups) - 1;

	if (strcmp(host->type, "cgroup") != 0 || strncmp(host->target, cgroups, len) != 0 ||
	    host->target[len] != '/' || strchr(host->target + len + 1, '/'))
		return NULL;
	return host->target + len + 1;
}

static int move_onto(int tree, int at, const struct mnt *m, struct err *e)
{
	if (move_mount(tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_set(e, -errno, "attach");
	for (size_t i = 0; i < m->opt.propagation.n; i++) {
		struct mount_attr attr = { .propagation =
						   m->opt.propagation.v[i] & ~(uint64_t)MS_REC };

		if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
			return err_set(e, -errno, "set mount attributes");
	}
	return 0;
}

static int bind_host(const char *path, uint64_t attrs, struct err *e)
{
	struct mount_attr attr = { .attr_set = attrs & ~(uint64_t)MOUNT_ATTR__ATIME };
	own_fd int tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return err_set(e, -errno, "open '%s' of the host", path);
	if (attr.attr_set && mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_set(e, -errno, "set mount attributes");
	return take_fd(&tree);
}

static int new_v2(const struct mnt *m, struct err *e)
{
	return mnt_new_fs("cgroup2", m->source && *m->source ? m->source : "cgroup2", &m->opt.data,
			  m->opt.attr_set, e);
}

/* The path on the line of /proc/self/cgroup for @name; NULL when there is none. Ended in place. */
static char *own_path(char *text, const char *name)
{
	char *line, *names, *word;

	while ((line = strsep(&text, "\n"))) {
		(void)strsep(&line, ":");
		names = strsep(&line, ":");
		while (line && (word = strsep(&names, ",")))
			if (strcmp(word, name) == 0)
				return line;
	}
	return NULL;
}

/* *ret: the directory on the host of our own group in hierarchy @host, which has controller @name.
 * Return: 1; 0 when that lies outside of the mount, or is its whole tree. */
static int own_directory(const char *name, const struct mountinfo *host, char **ret, struct err *e)
{
	own_free char *text = NULL;
	ssize_t n = file_load(AT_FDCWD, "/proc/self/cgroup", PROC_FILE_MAX, &text);
	size_t len = strcmp(host->root, "/") == 0 ? 0 : strlen(host->root);
	const char *path;

	if (n < 0)
		return err_set(e, (int)n, "read '/proc/self/cgroup'");
	path = own_path(text, name);
	if (!path || strncmp(path, host->root, len) != 0 || path[len] != '/' || !path[len + 1])
		return 0;
	return asprintf(ret, "%s%s", host->target, path + len) < 0 ? -ENOMEM : 1;
}

/* In a cgroup namespace we see neither our own path nor the mount's, so the plan's is taken. */
static int bind_v2(const struct mnt *m, struct err *e)
{
	own_free char *path = NULL;
	const char *own = m->own_cgroup && m->cgroup ? m->cgroup : "";

	if (asprintf(&path, "%s%s", is_v2(cgroups) ? cgroups : unified, own) < 0)
		return -ENOMEM;
	return bind_host(path, m->opt.attr_set, e);
}

static int mount_v2(int at, const struct mnt *m, struct err *e)
{
	own_fd int tree = new_v2(m, e);

	if (tree == -EPERM || tree == -EBUSY)
		tree = bind_v2(m, e);
	return tree < 0 ? tree : move_onto(tree, at, m, e);
}

/* @names: "cpu,cpuacct", or "name=systemd" */
static int new_v1(const char *names, uint64_t attrs, struct err *e)
{
	own_free char *copy = strdup(names);
	char *rest = copy, *words[32];
	struct strv data = { words, 0 };
	bool named = strncmp(names, "name=", 5) == 0;
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	own_fd int tree = -EBADF;

	if (!copy)
		return -ENOMEM;
	while (rest && data.n < ARRAY_SIZE(words))
		words[data.n++] = strsep(&rest, ",");
	tree = mnt_new_fs("cgroup", named ? names + 5 : "cgroup", &data, attrs, e);
	if (tree >= 0 && faccessat(tree, "release_agent", F_OK, 0) == 0 &&
	    mount_setattr(tree, "", AT_EMPTY_PATH, &readonly, sizeof(readonly)) < 0)
		return err_set(e, -errno, "make the host's whole hierarchy read-only");
	return take_fd(&tree);
}

static int open_v1(const struct mnt *m, const struct mountinfo *host, const char *name,
		   struct err *e)
{
	const char *prefix = strstr(host->super_options, "name=") ? "name=" : "";
	uint64_t readonly = m->opt.attr_set & MOUNT_ATTR_RDONLY;
	own_free char *own = NULL;
	char names[NAME_MAX + 8];
	int r;

	(void)snprintf(names, sizeof(names), "%s%s", prefix, name);
	if (m->own_cgroup)
		return new_v1(names, DEFAULTS | readonly, e);
	names[strcspn(names, ",")] = '\0';
	r = own_directory(names, host, &own, e);
	if (r < 0)
		return r;
	return bind_host(own ? own : host->target, m->opt.attr_set | (own ? 0 : MOUNT_ATTR_RDONLY),
			 e);
}

static int add_links(int dir, const char *names, struct err *e)
{
	own_free char *copy = strdup(names);
	char *rest = copy, *word;

	if (!copy)
		return -ENOMEM;
	if (!strchr(names, ','))
		return 0;
	while ((word = strsep(&rest, ",")))
		if (symlinkat(names, dir, word) < 0 && errno != EEXIST)
			return err_set(e, -errno, "link '%s'", word);
	return 0;
}

static int add_v1(int dir, const struct mnt *m, const struct mountinfo *host, const char *name,
		  struct err *e)
{
	own_fd int tree = -EBADF, at = -EBADF;
	int r;

	if (mkdirat(dir, name, 0755) < 0) {
		if (errno == EEXIST)
			return 0; /* mounted twice on the host */
		return err_set(e, -errno, "make directory '%s'", name);
	}
	at = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0)
		return err_set(e, -errno, "open directory '%s'", name);
	tree = open_v1(m, host, name, e);
	r = tree < 0 ? tree : move_onto(tree, at, m, e);
	if (r == 0)
		r = add_links(dir, name, e);
	return r < 0 ? err_wrap(e, r, "hierarchy '%s'", name) : 0;
}

static int mount_v1(int at, const struct mnt *m, struct err *e)
{
	static char mode[] = "mode=755", *words[] = { mode };
	static const struct strv data = { words, 1 };
	own_free char *text = NULL;
	own_fd int tree = -EBADF, dir = -EBADF;
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	struct mountinfo host;
	char *rest;
	ssize_t n = file_load(AT_FDCWD, "/proc/self/mountinfo", PROC_FILE_MAX, &text);
	int r;

	if (n < 0)
		return err_set(e, (int)n, "read '/proc/self/mountinfo'");
	tree = mnt_new_fs("tmpfs", "tmpfs", &data, DEFAULTS, e);
	r = tree < 0 ? tree : move_onto(tree, at, m, e);
	if (r < 0)
		return r;
	dir = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(e, -errno, "open the directory of hierarchies");
	for (rest = text; r == 0 && mountinfo_next(&rest, &host);) {
		const char *name = hierarchy(&host);

		if (name)
			r = add_v1(dir, m, &host, name, e);
	}
	if (r == 0 && (m->opt.attr_set & MOUNT_ATTR_RDONLY) &&
	    mount_setattr(tree, "", AT_EMPTY_PATH, &readonly, sizeof(readonly)) < 0)
		r = err_set(e, -errno, "make it read-only");
	return r;
}

int mnt_cgroup(int at, const struct mnt *m, struct err *e)
{
	return is_v2(cgroups) || strcmp(m->type, "cgroup2") == 0 ? mount_v2(at, m, e)
								 : mount_v1(at, m, e);
}
