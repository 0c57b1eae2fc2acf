/* SPDX-License-Identifier: Apache-2.0 */
/* The store's directory, its parts, and what lies below it. */
#include "runtime/storage/store_internal.h"

#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* clang-format off */
static const char *const sub_names[] = {
	[SUB_TEMPLATES]  = "templates",
	[SUB_PARTITIONS] = "partitions",
	[SUB_RANGES]     = "ranges",
	[SUB_ADDRESSES]  = "addresses",
};
/* clang-format on */
_Static_assert(ARRAY_SIZE(sub_names) == SUB_COUNT, "a name for each part of the store");

static int is_empty(int fd)
{
	own_fd int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = NULL;
	const struct dirent *entry;

	if (again < 0)
		return -errno;
	dir = fdopendir(again);
	if (!dir)
		return -errno;
	(void)take_fd(&again); /* dir owns it now */
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return 0;
	return 1;
}

/*
 * Guests' setuid files lie in the store, so nobody else may enter. An existing directory is only
 * closed when it is empty: `--store /` must not become chmod 0700 /.
 */
static int demand_private(int fd, const char *path, struct err *e)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return err_set(e, -errno, "stat store '%s'", path);
	if (st.st_uid != geteuid())
		return err_say(e, -EPERM, "store '%s' belongs to uid %u, not to uid %u", path,
			       st.st_uid, geteuid());
	if (!(st.st_mode & 077))
		return 0;
	r = is_empty(fd);
	if (r < 0)
		return err_set(e, r, "read store '%s'", path);
	if (r == 0) {
		r = err_say(e, -EPERM, "store '%s' is open to other users (mode %04o)", path,
			    st.st_mode & 07777);
		err_hint(e, "if it is a store of ctr: chmod 0700 '%s'", path);
		return r;
	}
	return fchmod(fd, 0700) < 0 ? err_set(e, -errno, "chmod 0700 store '%s'", path) : 0;
}

int store_open(const char *path, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0 && errno == ENOENT) {
		r = file_mkdirs(path, 0700);
		if (r < 0)
			return err_set(e, r, "make store '%s'", path);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_set(e, -errno, "open store '%s'", path);
	r = demand_private(fd, path, e);
	return r < 0 ? r : take_fd(&fd);
}

int store_sub(int store, enum store_sub sub, struct err *e)
{
	const char *name = sub_names[sub];
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(store, name, flags);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(store, name, 0700) < 0 && errno != EEXIST)
			return err_set(e, -errno, "make '%s' in the store", name);
		fd = openat(store, name, flags);
	}
	return fd < 0 ? err_set(e, -errno, "open '%s' in the store", name) : fd;
}

char *store_path(int fd, char *buf, size_t size)
{
	char link[32];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buf, size - 1);
	if (n < 0)
		n = snprintf(buf, size, "?");
	buf[n] = '\0';
	return buf;
}

/*
 * The mountinfo line of the mount that @fd is on. proc(5): "36 35 98:0 / /mnt rw opt:1 - ext3
 * /dev/root rw"; the number of optional fields varies, and " - " ends them.
 */
static int mount_fields(int fd, char **ret_line, char **ret_type, char **ret_source)
{
	own_file FILE *file = NULL;
	own_free char *line = NULL;
	struct statx stx;
	char prefix[32];
	size_t size = 0;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
		return -errno;
	(void)snprintf(prefix, sizeof(prefix), "%llu ", (unsigned long long)stx.stx_mnt_id);
	file = fopen("/proc/self/mountinfo", "re");
	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0) {
		char *rest, *save = NULL;

		if (strncmp(line, prefix, strlen(prefix)) != 0)
			continue;
		rest = strstr(line, " - ");
		*ret_type = rest ? strtok_r(rest + 3, " \n", &save) : NULL;
		*ret_source = *ret_type ? strtok_r(NULL, " \n", &save) : NULL;
		if (!*ret_source)
			return -EINVAL;
		*ret_line = take_ptr(line);
		return 0;
	}
	return -ENOENT;
}

char *store_fs_name(int fd, char *buf, size_t size)
{
	own_free char *line = NULL;
	char *type, *source;

	(void)snprintf(buf, size, "%s",
		       mount_fields(fd, &line, &type, &source) == 0 ? type : "of unknown type");
	return buf;
}

int store_fs_source(int fd, char *buf, size_t size)
{
	own_free char *line = NULL;
	char *type, *source;
	int r = mount_fields(fd, &line, &type, &source);

	if (r < 0)
		return r;
	return (size_t)snprintf(buf, size, "%s", source) < size ? 0 : -ENAMETOOLONG;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int store_names(int fd, struct arena *arena, struct strv *ret, struct err *e)
{
	own_fd int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = NULL;
	struct strv names = { 0 };
	const struct dirent *entry;

	dir = again < 0 ? NULL : fdopendir(again);
	if (!dir)
		return err_set(e, -errno, "list the store");
	(void)take_fd(&again); /* dir owns it now */
	while ((entry = readdir(dir))) {
		char **slot;

		if (!text_is_id(entry->d_name))
			continue;
		slot = arena_grow(arena, &names.v, &names.n, sizeof(*names.v));
		if (slot)
			*slot = arena_strdup(arena, entry->d_name);
		if (!slot || !*slot)
			return err_set(e, -ENOMEM, "list the store");
	}
	if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), by_name);
	*ret = names;
	return 0;
}

/* A partition's directory in sysfs lies inside that of its whole disk. */
static int whole_disk(dev_t dev, uint32_t *ret_major, uint32_t *ret_minor)
{
	char path[PATH_MAX], text[32];
	uint32_t major, minor;
	char *colon;
	ssize_t r;

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", major(dev),
		       minor(dev));
	if (access(path, F_OK) == 0)
		(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev", major(dev),
			       minor(dev));
	else
		(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/dev", major(dev),
			       minor(dev));
	r = file_read(AT_FDCWD, path, text, sizeof(text));
	if (r < 0)
		return (int)r;
	colon = strchr(text, ':');
	if (!colon)
		return -EINVAL;
	*colon = '\0';
	if (text_u32(text, &major) < 0 || text_u32(colon + 1, &minor) < 0)
		return -EINVAL;
	*ret_major = major;
	*ret_minor = minor;
	return 0;
}

int store_disk(int store, uint32_t *ret_major, uint32_t *ret_minor, struct err *e)
{
	char source[PATH_MAX], where[PATH_MAX], type[64];
	struct stat st;
	int r;

	if (fstat(store, &st) < 0)
		return err_set(e, -errno, "stat the store");
	/* btrfs and other file systems of several devices show an anonymous one, with major 0;
	 * their mount still names a real one. */
	if (major(st.st_dev) == 0 && store_fs_source(store, source, sizeof(source)) == 0 &&
	    source[0] == '/') {
		struct stat node;

		if (stat(source, &node) == 0 && S_ISBLK(node.st_mode))
			st.st_dev = node.st_rdev;
	}
	r = major(st.st_dev) ? whole_disk(st.st_dev, ret_major, ret_minor) : -ENOTSUP;
	if (r < 0)
		return err_say(e, -ENOTSUP, "no disk to limit below '%s': file system %s",
			       store_path(store, where, sizeof(where)),
			       store_fs_name(store, type, sizeof(type)));
	return 0;
}
