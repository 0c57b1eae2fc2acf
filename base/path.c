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

int path_mkdirs(int rootfd, const char *path, mode_t mode)
{
	own_free char *copy = NULL;
	size_t len, cut;
	int fd;

	fd = path_open(rootfd, path, O_PATH | O_DIRECTORY, 0);
	if (fd != -ENOENT)
		return fd;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	len = strlen(copy);
	while (len && copy[len - 1] == '/')
		copy[--len] = '\0';
	for (cut = len; cut && copy[cut - 1] != '/'; cut--)
		;
	/* The parent first, then this component: "a/b/c" is "a/b" and "c". */
	{
		own_fd int parent = -EBADF;
		const char *name = copy + cut;

		if (!*name || strcmp(name, "..") == 0 || strcmp(name, ".") == 0)
			return -ENOENT;
		own_free char *up = strndup(copy, cut);
		if (!up)
			return -ENOMEM;
		parent = path_mkdirs(rootfd, up, mode);
		if (parent < 0)
			return parent;
		return open_or_make(parent, name, mode);
	}
}

int path_make_target(int rootfd, const char *path, bool is_dir)
{
	own_free char *up = NULL;
	own_fd int parent = -EBADF, made = -EBADF;
	const char *slash, *name;
	int fd;

	fd = path_open(rootfd, path, O_PATH, 0);
	if (fd != -ENOENT)
		return fd;
	if (is_dir)
		return path_mkdirs(rootfd, path, 0755);
	slash = strrchr(path, '/');
	name = slash ? slash + 1 : path;
	if (!*name || strcmp(name, "..") == 0 || strcmp(name, ".") == 0)
		return -EISDIR;
	up = strndup(path, (size_t)(name - path));
	if (!up)
		return -ENOMEM;
	parent = path_mkdirs(rootfd, up, 0755);
	if (parent < 0)
		return parent;
	made = openat(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
	if (made < 0)
		return -errno;
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
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
