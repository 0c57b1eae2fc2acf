/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removal: a group with what its guests made below it, in every hierarchy, then the parents that
 * were made for it.
 */
#include "cgroups/cg_internal.h"

#include "base/own.h"

#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>

/* rmdir that is content when the group is gone. */
static int remove_one(int parentfd, const char *name, void *arg)
{
	(void)arg;
	return unlinkat(parentfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

/* v2 was found empty. A v1 group that refuses to go is really in use only if it lists a process. */
static int remove_stubborn(int parentfd, const char *name)
{
	static const struct walk_ops ops = { .leave = remove_one };
	own_fd int dir = tree_open_beneath(parentfd, name);
	int r;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	r = walk(dir, &ops, NULL);
	if (r == 0 || r == -EBUSY) {
		own_text struct text procs = { 0 };

		/* The last exit updates the hierarchies one after the other under the lock that
		 * this read takes too: after it, all of them have caught up. */
		r = tree_load(dir, "cgroup.procs", &procs);
		if (r == -ENOENT || r == -ENODEV)
			return 0;
		if (r == 0 && procs.len)
			r = -EBUSY;
	}
	if (r == 0)
		r = walk(dir, &ops, NULL);
	return r < 0 ? r : remove_one(parentfd, name, NULL);
}

/* The directory that holds the last component of @path, whose name is *ret_name. */
static int open_parent(int mount, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	own_free char *up = strndup(path + 1, slash > path ? (size_t)(slash - path - 1) : 0);

	if (!up)
		return -ENOMEM;
	*ret_name = slash + 1;
	return tree_open_beneath(mount, up);
}

/* From the nearest parent up, as long as they carry our mark and are empty. */
static int remove_parents(int mount, const char *path)
{
	own_free char *prefix = strdup(path);
	char *slash;

	if (!prefix)
		return -ENOMEM;
	while ((slash = strrchr(prefix, '/')) > prefix) {
		own_fd int parent = -EBADF, dir = -EBADF;
		const char *name;
		char mark;

		*slash = '\0';
		parent = open_parent(mount, prefix, &name);
		if (parent < 0)
			return parent == -ENOENT ? 0 : parent;
		dir = tree_open_beneath(parent, name);
		if (dir == -ENOENT)
			continue;
		if (dir < 0 || fgetxattr(dir, TREE_PARENT_MARK, &mark, 1) < 0)
			return 0; /* somebody else's */
		if (remove_one(parent, name, NULL) < 0)
			return 0; /* still in use */
	}
	return 0;
}

static int remove_in(const struct cg_hier *hier, const char *path)
{
	own_fd int mount = tree_open_mount(hier), parent = -EBADF;
	const char *name;
	int r;

	if (mount < 0)
		return mount;
	parent = open_parent(mount, path, &name);
	if (parent < 0 && parent != -ENOENT)
		return parent;
	r = parent < 0 ? 0 : remove_one(parent, name, NULL);
	if (r == -EBUSY || r == -ENOTEMPTY) {
		own_fd int dir = hier->v2 ? tree_open_beneath(parent, name) : -EBADF;

		if (dir >= 0 && life_is_populated(dir) == 1)
			return -EBUSY;
		r = remove_stubborn(parent, name);
	}
	return r < 0 ? r : remove_parents(mount, path);
}

int cg_remove(const struct cg_layout *layout, const char *path, struct err *e)
{
	int r = tree_path(path, e);

	if (r < 0)
		return r;
	/* cgroup2 first: it knows whether something lives there, before anything is gone. */
	for (size_t i = 0; i < layout->count; i++) {
		r = remove_in(&layout->hiers[i], path);
		if (r == -EBUSY)
			return err_say(e, r, "processes still live in cgroup '%s' of %s", path,
				       layout->hiers[i].where);
		if (r < 0)
			return err_set(e, r, "remove cgroup '%s' of %s", path,
				       layout->hiers[i].where);
	}
	return 0;
}
