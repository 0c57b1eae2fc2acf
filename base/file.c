/* SPDX-License-Identifier: Apache-2.0 */
/* Small files: bounded reads, knobs, atomic replacement, locks, trees. */
#include "base/file.h"

#include "base/fd.h"
#include "base/own.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

ssize_t file_read(int dirfd, const char *path, char *buf, size_t size)
{
	own_fd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = fd_read_all(fd, buf, size);
	if (n < 0)
		return n;
	if ((size_t)n == size)
		return -EFBIG;
	if (n && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return n;
}

ssize_t file_load(int dirfd, const char *path, size_t max, char **ret)
{
	/* O_NONBLOCK: a FIFO somebody put there must not hang us before fstat can refuse it. */
	own_fd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	own_free char *data = NULL;
	struct stat st;
	size_t size;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	size = st.st_size > 0 ? (size_t)st.st_size + 1 : UINT64_C(65536); /* /proc files say 0 */
	data = malloc(size + 1);
	if (!data)
		return -ENOMEM;
	n = fd_read_all(fd, data, size);
	if (n < 0)
		return n;
	if ((size_t)n == size || (size_t)n > max)
		return -EFBIG; /* it grew while we read */
	data[n] = '\0';
	*ret = take_ptr(data);
	return n;
}

ssize_t file_load_any(const char *path, size_t max, char **ret)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	own_free char *data = NULL;
	ssize_t n;

	if (fd < 0)
		return -errno;
	data = malloc(max + 2);
	if (!data)
		return -ENOMEM;
	n = fd_read_all(fd, data, max + 1);
	if (n < 0)
		return n;
	if ((size_t)n > max)
		return -EFBIG;
	data[n] = '\0';
	*ret = take_ptr(data);
	return n;
}

int file_write(int dirfd, const char *path, const char *data)
{
	own_fd int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = strlen(data);
	ssize_t n;

	if (fd < 0)
		return -errno;
	/* Exactly one write(2): a knob parses what one call brings. */
	n = TEMP_FAILURE_RETRY(write(fd, data, len));
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

static int sync_dir_of(int dirfd, const char *path)
{
	own_free char *dir = strdup(path);
	own_fd int fd = -EBADF;
	char *slash;

	if (!dir)
		return -ENOMEM;
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir ? 1 : 0] = '\0';
	fd = openat(dirfd, slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int file_replace(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
		 enum file_sync sync)
{
	char temp[PATH_MAX];
	own_fd int fd = -EBADF;
	int r;

	/* One name, not a random one: callers hold the lock of what they write, and a leftover of
	 * a killed command is overwritten by the next. */
	if ((size_t)snprintf(temp, sizeof(temp), "%s.new", path) >= sizeof(temp))
		return -ENAMETOOLONG;
	if (unlinkat(dirfd, temp, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, len);
	if (r == 0 && sync == FILE_SYNC && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, temp, dirfd, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dirfd, temp, 0); /* the error that matters is r */
		return r;
	}
	return sync == FILE_SYNC ? sync_dir_of(dirfd, path) : 0;
}

int file_lock(int dirfd, const char *path, bool wait)
{
	for (;;) {
		own_fd int fd = openat(
			dirfd, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
		struct stat held, named;

		if (fd < 0)
			return -errno;
		if (TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB))) < 0)
			return -errno;
		if (fstat(fd, &held) < 0)
			return -errno;
		/* The former holder may have removed the file: then this lock guards nothing. */
		if (fstatat(dirfd, path, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
		    held.st_dev == named.st_dev && held.st_ino == named.st_ino)
			return take_fd(&fd);
	}
}

int file_mkdirs(const char *path, mode_t mode)
{
	own_free char *copy = strdup(path);
	struct stat st;

	if (!copy)
		return -ENOMEM;
	for (char *p = copy + 1; *copy; p++) {
		char was = *p;

		if (was != '/' && was != '\0')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return -errno;
		*p = was;
		if (!was)
			break;
	}
	/* EEXIST is said of a file, too; of one further up, the next mkdir(2) has said ENOTDIR. */
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

/* Remove the file or empty directory @name. Return: 0, -ENOTEMPTY, or -errno. */
static int remove_one(int dir, const char *name)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -errno;
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return errno == EEXIST ? -ENOTEMPTY : -errno;
}

/* Directory @name of @top, not empty: its directories move up into @top, all else in it goes. */
static int flatten(int top, const char *name, dev_t dev, size_t *counter)
{
	own_fd int fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own_dir DIR *dir = NULL;
	const struct dirent *d;
	struct stat st;
	int from;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != dev)
		return -EXDEV; /* something is mounted there: not ours to empty */
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	from = take_fd(&fd); /* dir owns it now */
	while ((d = readdir(dir))) {
		char moved[32];
		int r;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		r = remove_one(from, d->d_name);
		if (r == 0)
			continue;
		if (r != -ENOTEMPTY)
			return r;
		do {
			(void)snprintf(moved, sizeof(moved), "~%zu", (*counter)++);
			r = renameat2(from, d->d_name, top, moved, RENAME_NOREPLACE) < 0 ? -errno
											 : 0;
		} while (r == -EEXIST);
		if (r < 0)
			return r;
	}
	return remove_one(top, name);
}

/*
 * A descriptor or stack frame for each level would let a guest with a tree of some thousand levels
 * prevent its removal, so the tree is made flat on the way.
 */
int file_remove_tree(int dirfd, const char *path)
{
	own_fd int top = -EBADF;
	size_t counter = 0;
	struct stat st;
	int r = remove_one(dirfd, path);

	if (r != -ENOTEMPTY)
		return r;
	top = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0 || fstat(top, &st) < 0)
		return -errno;
	do {
		own_fd int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
		const struct dirent *d;

		if (!dir)
			return -errno;
		(void)take_fd(&fd); /* dir owns it now */
		while ((d = readdir(dir))) {
			if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
				continue;
			r = remove_one(top, d->d_name);
			if (r == -ENOTEMPTY)
				r = flatten(top, d->d_name, st.st_dev, &counter);
			if (r < 0)
				return r;
		}
		r = remove_one(dirfd, path); /* not empty yet: what moved up behind our back */
	} while (r == -ENOTEMPTY);
	return r;
}
