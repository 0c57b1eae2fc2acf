/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups and creation beneath a root that a guest controls. */
#include "base/path.h"

#include "base/own.h"
#include "base/sys.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

enum { LINKS_MAX = 40 }; /* as the kernel: path_resolution(7) */

int path_open(int rootfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = { .flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
				.mode = mode,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd;

	/* EAGAIN: a rename raced with ".." on the way; openat2(2) says to try again. */
	do {
		fd = sys_openat2(rootfd, *path ? path : ".", &how);
	} while (fd == -EAGAIN);
	return fd;
}

/*
 * A component that does not exist is made with mkdirat on the verified parent's descriptor and
 * then opened without following a link, so a symlink put there in between is refused (ELOOP).
 */
static int open_or_make(int dirfd, const char *name, mode_t mode)
{
	int fd;

	if (mkdirat(dirfd, name, mode) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int make_file(int dirfd, const char *name)
{
	own_fd int made =
		openat(dirfd, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
	int fd;

	if (made < 0)
		return -errno;
	fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* What link @name in the directory of path @up leads to, as a path from the root: NULL when it is
 * no link. A relative one starts where it lies. */
static char *follow(int dirfd, const char *up, const char *name)
{
	char to[PATH_MAX], *path = NULL;
	ssize_t len = readlinkat(dirfd, name, to, sizeof(to) - 1);

	if (len <= 0)
		return NULL;
	to[len] = '\0';
	if (to[0] == '/')
		return strdup(to);
	return asprintf(&path, "%s/%s", up, to) < 0 ? NULL : path;
}

/*
 * The parent first, then this component: "a/b/c" is "a/b" and "c". A link that leads to nothing is
 * followed to where its target shall be, always beneath the root.
 */
static int make(int rootfd, const char *path, bool is_dir, mode_t mode, int flags, int *links)
{
	own_free char *copy = NULL, *up = NULL, *target = NULL;
	own_fd int parent = -EBADF;
	const char *name;
	size_t len, cut;
	int fd;

	fd = path_open(rootfd, path, O_PATH | flags, 0);
	if (fd != -ENOENT)
		return fd;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	len = strlen(copy);
	if (!is_dir && len && copy[len - 1] == '/')
		return -EISDIR;
	while (len && copy[len - 1] == '/')
		copy[--len] = '\0';
	for (cut = len; cut && copy[cut - 1] != '/'; cut--)
		;
	name = copy + cut;
	if (!*name || strcmp(name, "..") == 0 || strcmp(name, ".") == 0)
		return is_dir ? -ENOENT : -EISDIR;
	up = strndup(copy, cut);
	if (!up)
		return -ENOMEM;
	parent = make(rootfd, up, true, mode, O_DIRECTORY, links);
	if (parent < 0)
		return parent;
	target = follow(parent, up, name);
	if (!target)
		return is_dir ? open_or_make(parent, name, mode) : make_file(parent, name);
	if (++*links > LINKS_MAX)
		return -ELOOP;
	return make(rootfd, target, is_dir, mode, flags, links);
}

int path_mkdirs(int rootfd, const char *path, mode_t mode)
{
	int links = 0;

	return make(rootfd, path, true, mode, O_DIRECTORY, &links);
}

int path_make_target(int rootfd, const char *path, bool is_dir)
{
	int links = 0;

	return make(rootfd, path, is_dir, 0755, 0, &links);
}

bool path_is_normal(const char *path)
{
	const char *p = path;

	if (*p != '/' || strlen(path) >= PATH_MAX)
		return false;
	while (*p) {
		size_t len;

		p += strspn(p, "/");
		len = strcspn(p, "/");
		if ((len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += len;
	}
	return true;
}
