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
	size = st.st_size > 0 ? (size_t)st.st_size + 1 : 64 * 1024; /* /proc files say 0 */
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
		own_fd int fd = openat(dirfd, path,
				       O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
				       0600);
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
	return 0;
}

static int remove_at(int dirfd, const char *name, dev_t dev);

static int remove_children(int parent, const char *name, dev_t dev)
{
	own_fd int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own_dir DIR *dir = NULL;
	const struct dirent *entry;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != dev)
		return -EXDEV; /* something is mounted there: not ours to empty */
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	(void)take_fd(&fd); /* dir owns it now */
	while ((entry = readdir(dir))) {
		int r;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = remove_at(dirfd(dir), entry->d_name, dev);
		if (r < 0)
			return r;
	}
	return 0;
}

static int remove_at(int dirfd, const char *name, dev_t dev)
{
	int r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	r = remove_children(dirfd, name, dev);
	if (r < 0)
		return r;
	return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int file_remove_tree(int dirfd, const char *path)
{
	struct stat st;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return remove_at(dirfd, path, st.st_dev);
}
