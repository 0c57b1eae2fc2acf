/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a directory holds, copied into a fresh file system: "tmpcopyup".
 *
 * DOC: by descriptor and without following links, for what is copied belongs to the container's
 * image. Modes, owners, times, extended attributes, links and devices are kept. A file with several
 * names becomes one file with as many again.
 */
#include "namespaces/mount/mount.h"

#include "base/own.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum { SEND_MAX = 1 << 30, XATTR_MAX = 64 << 10 };

/* A file with more than one name: where its first one is in the copy. */
struct named {
	dev_t dev;
	ino_t ino;
	char *path; /* from the top of the copy */
};

struct copy {
	int top;
	bool lenient;
	struct named *names;
	size_t count;
	char *list, *value; /* XATTR_MAX each */
};

static void copy_done(struct copy *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->names[i].path);
	free(c->names);
	free(c->list);
	free(c->value);
}
#define own_copy __attribute__((cleanup(copy_done)))

static bool is_excused(const struct copy *c)
{
	return c->lenient && (errno == EPERM || errno == EINVAL || errno == EOVERFLOW);
}

/* Attributes through /proc: the descriptors of links and devices are O_PATH. */
static int copy_xattrs(const struct copy *c, int from, int to, struct err *e)
{
	char in[32], out[32];
	ssize_t len;

	(void)snprintf(in, sizeof(in), "/proc/self/fd/%d", from);
	(void)snprintf(out, sizeof(out), "/proc/self/fd/%d", to);
	len = listxattr(in, c->list, XATTR_MAX);
	if (len < 0)
		return errno == ENOTSUP ? 0 : err_set(e, -errno, "list extended attributes");
	for (const char *name = c->list; name < c->list + len; name += strlen(name) + 1) {
		ssize_t size = getxattr(in, name, c->value, XATTR_MAX);

		if (size < 0)
			return err_set(e, -errno, "read attribute '%s'", name);
		/* tmpfs has no user attributes before 6.6: what cannot be there is left out */
		if (setxattr(out, name, c->value, (size_t)size, 0) < 0 && errno != ENOTSUP &&
		    !is_excused(c))
			return err_set(e, -errno, "set attribute '%s'", name);
	}
	return 0;
}

static int copy_owner(const struct copy *c, int dir, const char *name, const struct stat *st,
		      struct err *e)
{
	if (fchownat(dir, name, st->st_uid, st->st_gid,
		     AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH)) < 0 &&
	    !is_excused(c))
		return err_set(e, -errno, "set owner");
	return 0;
}

/* Owner first: it takes set-id bits away. Times last. */
static int copy_meta(const struct copy *c, int from, int to, const struct stat *st, struct err *e)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	int r = copy_owner(c, to, "", st, e);

	if (r == 0)
		r = copy_xattrs(c, from, to, e);
	if (r == 0 && fchmod(to, st->st_mode & 07777) < 0)
		r = err_set(e, -errno, "set mode");
	if (r == 0 && futimens(to, times) < 0)
		r = err_set(e, -errno, "set times");
	return r;
}

static int copy_data(int from, int to, struct err *e)
{
	ssize_t n;

	do {
		n = sendfile(to, from, NULL, SEND_MAX);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? err_set(e, -errno, "copy data") : 0;
}

static int copy_file(const struct copy *c, int from, int to, const char *name,
		     const struct stat *st, struct err *e)
{
	own_fd int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	own_fd int out = -EBADF;
	int r;

	if (in < 0)
		return err_set(e, -errno, "open");
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return err_set(e, -errno, "make file");
	r = copy_data(in, out, e);
	return r < 0 ? r : copy_meta(c, in, out, st, e);
}

static int copy_link(const struct copy *c, int from, int to, const char *name,
		     const struct stat *st, struct err *e)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(from, name, target, sizeof(target) - 1);

	if (len < 0)
		return err_set(e, -errno, "read link");
	target[len] = '\0';
	if (symlinkat(target, to, name) < 0)
		return err_set(e, -errno, "make link");
	return copy_owner(c, to, name, st, e);
}

static int copy_node(const struct copy *c, int to, const char *name, const struct stat *st,
		     struct err *e)
{
	if (mknodat(to, name, st->st_mode, st->st_rdev) < 0)
		return is_excused(c) ? 0 : err_set(e, -errno, "make node");
	if (fchmodat(to, name, st->st_mode & 07777, 0) < 0)
		return err_set(e, -errno, "set mode");
	return copy_owner(c, to, name, st, e);
}

/* Return: 1 when it has been linked to the copy of its other name, which is known then. */
static int link_again(struct copy *c, int to, const char *name, const char *path,
		      const struct stat *st, struct err *e)
{
	struct named *grown;

	if (st->st_nlink < 2)
		return 0;
	for (size_t i = 0; i < c->count; i++)
		if (c->names[i].ino == st->st_ino && c->names[i].dev == st->st_dev) {
			if (linkat(c->top, c->names[i].path, to, name, 0) == 0)
				return 1;
			/* of a node that was left out */
			return errno == ENOENT ? 0 : err_set(e, -errno, "link");
		}
	grown = reallocarray(c->names, c->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->names = grown;
	grown[c->count] = (struct named){ st->st_dev, st->st_ino, strdup(path) };
	return grown[c->count++].path ? 0 : -ENOMEM;
}

static int copy_dir(struct copy *c, int from, int to, const char *path, struct err *e);

static int copy_subdir(struct copy *c, int from, int to, const char *name, const char *path,
		       const struct stat *st, struct err *e)
{
	own_fd int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own_fd int out = -EBADF;
	int r;

	if (in < 0)
		return err_set(e, -errno, "open");
	if (mkdirat(to, name, 0700) < 0)
		return err_set(e, -errno, "make directory");
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out < 0)
		return err_set(e, -errno, "open the copy");
	r = copy_dir(c, in, out, path, e);
	return r < 0 ? r : copy_meta(c, in, out, st, e);
}

static int copy_entry(struct copy *c, int from, int to, const char *name, const char *path,
		      struct err *e)
{
	struct stat st;
	int r;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, -errno, "stat");
	if (S_ISDIR(st.st_mode))
		return copy_subdir(c, from, to, name, path, &st, e);
	r = link_again(c, to, name, path, &st, e);
	if (r != 0)
		return r < 0 ? r : 0;
	if (S_ISREG(st.st_mode))
		return copy_file(c, from, to, name, &st, e);
	if (S_ISLNK(st.st_mode))
		return copy_link(c, from, to, name, &st, e);
	return copy_node(c, to, name, &st, e);
}

static int copy_dir(struct copy *c, int from, int to, const char *path, struct err *e)
{
	own_dir DIR *dir = NULL;
	own_fd int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_set(e, -errno, "list '/%s'", path);
	(void)take_fd(&fd);
	while ((errno = 0, entry = readdir(dir))) {
		own_free char *below = NULL;
		int r;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (asprintf(&below, "%s%s%s", path, *path ? "/" : "", entry->d_name) < 0)
			return -ENOMEM;
		r = copy_entry(c, from, to, entry->d_name, below, e);
		if (r < 0)
			return *path ? r : err_wrap(e, r, "'%s'", entry->d_name);
	}
	return errno ? err_set(e, -errno, "list '/%s'", path) : 0;
}

int mnt_copy_up(int from, int to, bool lenient, struct err *e)
{
	own_copy struct copy c = { .lenient = lenient };
	own_fd int in = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int out = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (in < 0 || out < 0)
		return err_set(e, -errno, "open");
	c.list = malloc(XATTR_MAX);
	c.value = malloc(XATTR_MAX);
	if (!c.list || !c.value)
		return -ENOMEM;
	c.top = out;
	return copy_dir(&c, in, out, "", e);
}
