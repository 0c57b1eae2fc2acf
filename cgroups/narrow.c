/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the hierarchies that is ours without root's rights.
 *
 * DOC: cgroup-v2.rst "Delegation": who may write to a directory may make groups in it, and who may
 * write to cgroup.procs of the first group that source and destination have in common may move
 * processes between them. v1 asks for the destination alone. A systemd user session has a group
 * like that, root can make one with chown(1), and most others have none.
 */
#include "cgroups/cg_internal.h"

#include "base/own.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

const char *cg_own_path(struct arena *arena)
{
	own_text struct text text = { 0 };
	char *line;

	if (tree_load(AT_FDCWD, "/proc/self/cgroup", &text) < 0)
		return NULL;
	line = strncmp(text.data, "0::/", 4) == 0 ? text.data : strstr(text.data, "\n0::/");
	if (!line)
		return NULL;
	line = strchr(line, '/');
	line[strcspn(line, "\n")] = '\0';
	return arena_strdup(arena, line);
}

size_t narrow_common(const char *a, const char *b)
{
	size_t common = 0;

	for (size_t i = 0;; i++) {
		bool end_a = !a[i] || a[i] == '/', end_b = !b[i] || b[i] == '/';

		if (end_a && end_b)
			common = i;
		else if (a[i] != b[i])
			break;
		if (!a[i] || !b[i])
			break;
	}
	return common;
}

/* The directory of the first @len bytes of @path ("/a/b"). */
static int open_prefix(const struct cg_hier *hier, const char *path, size_t len)
{
	own_fd int mount = tree_open_mount(hier);
	char prefix[PATH_MAX];

	if (mount < 0)
		return mount;
	(void)snprintf(prefix, sizeof(prefix), "%.*s", (int)len, path);
	return tree_open_beneath(mount, prefix[0] == '/' ? prefix + 1 : prefix);
}

/* The last directory on the way to @path that exists, if we may write to it; @dir is it then. */
static bool may_make(const struct cg_hier *hier, const char *path, int *ret_dir)
{
	own_fd int dir = -EBADF;
	size_t len = strlen(path);

	while (dir = open_prefix(hier, path, len), dir == -ENOENT && len > 0)
		while (len > 0 && path[--len] != '/')
			;
	if (dir < 0 || faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return false;
	*ret_dir = take_fd(&dir);
	return true;
}

static bool may_enter(const struct cg_hier *hier, const char *path, struct arena *arena)
{
	const char *own = cg_own_path(arena);
	own_fd int dir = -EBADF;

	if (!own)
		return false;
	dir = open_prefix(hier, path, narrow_common(own, path));
	return dir >= 0 && faccessat(dir, "cgroup.procs", W_OK, AT_EACCESS) == 0;
}

int cg_narrow(const struct cg_layout *layout, const char *path, struct arena *arena,
	      const struct cg_layout **ret)
{
	struct cg_layout *narrow = arena_alloc(arena, sizeof(*narrow));
	own_text struct text controllers = { 0 };
	own_fd int top = -EBADF;
	int r;

	if (!narrow)
		return -ENOMEM;
	if (tree_path(path, NULL) < 0 || !may_make(&layout->hiers[0], path, &top) ||
	    !may_enter(&layout->hiers[0], path, arena))
		return 0;
	r = tree_load(top, "cgroup.controllers", &controllers);
	if (r < 0)
		return r;
	*narrow = (struct cg_layout){ .count = 1, .narrow = true };
	narrow->hiers[0] = layout->hiers[0];
	narrow->hiers[0].controllers = CORE_CONTROLLERS;
	controllers.data[strcspn(controllers.data, "\n")] = '\0';
	layout_set_v2(narrow, controllers.data);
	for (size_t i = 1; i < layout->count; i++) {
		own_fd int dir = -EBADF;

		if (may_make(&layout->hiers[i], path, &dir))
			narrow->hiers[narrow->count++] = layout->hiers[i];
	}
	*ret = narrow;
	return 1;
}
