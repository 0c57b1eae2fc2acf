/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories of a group: opening, creating, delegating and joining them.
 *
 * DOC: a group has the same relative path in every hierarchy. Every look-up goes
 * component by component beneath the hierarchy's root (openat2 RESOLVE_BENEATH), and ".." is
 * refused before that, so "/ctr/a" can never name a sibling or a parent.
 *
 * Shared parents come and go with their children, under concurrent commands and without a lock:
 * who makes one marks it by an extended attribute, whoever removes the last child removes marked
 * parents as long as rmdir(2) finds them empty, and who loses that race while creating starts
 * again from the root.
 */
#include "cgroups/cg_internal.h"

#include "base/file.h"
#include "base/own.h"
#include "base/sys.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* Each lost try means that another command removed a parent just then. */
enum { CREATE_TRIES = 64 };

static bool is_component(const char *s, size_t len)
{
	return len > 0 && len <= NAME_MAX && !(len == 1 && s[0] == '.') &&
	       !(len == 2 && s[0] == '.' && s[1] == '.');
}

int tree_path(const char *path, struct err *e)
{
	const char *p = path;

	if (*p != '/' || strlen(path) >= PATH_MAX)
		return err_say(e, -EINVAL, "cgroup path '%.100s' is not absolute, or too long",
			       path);
	while (*p) {
		size_t len = strcspn(p + 1, "/");

		if (!is_component(p + 1, len))
			return err_say(
				e, -EINVAL,
				"cgroup path '%s' has an empty, '.', '..' or overlong component",
				path);
		p += 1 + len;
	}
	return 0;
}

int tree_open_mount(const struct cg_hier *hier)
{
	int fd = open(hier->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int tree_open_beneath(int dirfd, const char *relative)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				.resolve =
					RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV };

	return sys_openat2(dirfd, *relative ? relative : ".", &how);
}

int tree_open(const struct cg_hier *hier, const char *path)
{
	own_fd int mount = tree_open_mount(hier);

	if (mount < 0)
		return mount;
	return tree_open_beneath(mount, path + 1);
}

int tree_load(int dirfd, const char *file, struct text *text)
{
	own_fd int fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char buf[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	text_addn(text, "", 0); /* a string even when the file is empty */
	while ((n = TEMP_FAILURE_RETRY(read(fd, buf, sizeof(buf)))) > 0)
		text_addn(text, buf, (size_t)n);
	if (n < 0)
		return -errno;
	return text_failed(text) ? -ENOMEM : 0;
}

const char *tree_next_child(DIR *dir)
{
	const struct dirent *entry;

	while (errno = 0, (entry = readdir(dir))) {
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			return entry->d_name;
	}
	return NULL;
}

DIR *tree_opendir(int dirfd)
{
	own_fd int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir;

	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (dir)
		(void)take_fd(&fd); /* the stream owns it now */
	return dir;
}

int tree_first_child(int dirfd, char *name)
{
	own_dir DIR *dir = tree_opendir(dirfd);
	const char *child;

	if (!dir)
		return -errno;
	child = tree_next_child(dir);
	if (!child)
		return -errno;
	(void)snprintf(name, NAME_MAX + 1, "%s", child);
	return 1;
}

/* "+cpu +io" for every controller that @dirfd offers and does not pass on yet. */
static int missing_controllers(int dirfd, struct text *ret)
{
	char offered[512], enabled[512], word[64];
	ssize_t n = file_read(dirfd, "cgroup.subtree_control", enabled, sizeof(enabled));

	if (n >= 0)
		n = file_read(dirfd, "cgroup.controllers", offered, sizeof(offered));
	if (n < 0)
		return (int)n;
	for (const char *name = offered; *name; name += strspn(name, " ")) {
		size_t len = strcspn(name, " ");

		(void)snprintf(word, sizeof(word), "%.*s", (int)len, name);
		if (!layout_lists(enabled, word))
			text_addf(ret, "%s+%s", ret->len ? " " : "", word);
		name += len;
	}
	return text_failed(ret) ? -ENOMEM : 0;
}

/*
 * Every group gets all of them, for their limits, their statistics and what a unified limit may
 * name. Best effort: what cannot be enabled (processes live in the parent; cpu with real-time
 * tasks) is reported by the limit that then misses its file, and matters to nobody else.
 */
static int enable_controllers(int dirfd)
{
	own_text struct text all = { 0 };
	char *word, *save = NULL;
	int r = missing_controllers(dirfd, &all);

	if (r < 0 || !all.len)
		return r;
	if (file_write(dirfd, "cgroup.subtree_control", all.data) == 0)
		return 0;
	for (word = strtok_r(all.data, " ", &save); word; word = strtok_r(NULL, " ", &save))
		(void)file_write(dirfd, "cgroup.subtree_control", word);
	return 0;
}

/*
 * A v1 cpuset without CPUs or memory nodes takes no process, and a new one has none: it gets its
 * parent's. Looked at on every level, since its maker may have died before it came so far.
 */
static int inherit_cpuset(int parent, int child)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		own_text struct text mine = { 0 }, theirs = { 0 };
		int r = tree_load(child, files[i], &mine);

		if (r == 0 && mine.data[0] != '\n' && mine.data[0] != '\0')
			continue;
		if (r == 0)
			r = tree_load(parent, files[i], &theirs);
		if (r == 0)
			r = file_write(child, files[i], theirs.data);
		if (r < 0)
			return r;
	}
	return 0;
}

static int prepare_v1(const struct cg_hier *hier, int parent, int child, bool made)
{
	/* Before Linux 5.11 a group did not count its children unless told so while it had none;
	 * later kernels accept the write, and may lose the file. */
	if (made && (hier->controllers & 1U << CG_MEMORY))
		(void)file_write(child, "memory.use_hierarchy", "1");
	if (hier->controllers & 1U << CG_CPUSET)
		return inherit_cpuset(parent, child);
	return 0;
}

/* The leaf's descriptor; -ENOENT or -ENODEV when a parent vanished under our hands. */
static int make_once(const struct cg_hier *hier, int mount, const char *path, bool *ret_made)
{
	own_fd int parent = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_MAX + 1];

	if (parent < 0)
		return -errno;
	for (const char *p = path + 1;;) {
		size_t len = strcspn(p, "/");
		bool leaf = p[len] == '\0', made;
		own_fd int child = -EBADF;
		int r;

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, p);
		r = hier->v2 ? enable_controllers(parent) : 0;
		if (r < 0)
			return r;
		made = mkdirat(parent, name, 0755) == 0;
		if (!made && errno != EEXIST)
			return -errno;
		child = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0)
			return -errno;
		/* Without the mark (a kernel before 5.7) a parent stays: untidy, never wrong. */
		if (made && !leaf)
			(void)fsetxattr(child, TREE_PARENT_MARK, "1", 1, 0);
		r = hier->v2 ? 0 : prepare_v1(hier, parent, child, made);
		if (r < 0)
			return r;
		if (leaf) {
			*ret_made = made;
			return take_fd(&child);
		}
		close_fd(&parent);
		parent = take_fd(&child);
		p += len + 1;
	}
}

static int make(const struct cg_hier *hier, const char *path, bool *ret_made, struct err *e)
{
	own_fd int mount = tree_open_mount(hier);
	int r = -ENOENT;

	if (mount < 0)
		return err_set(e, mount, "open '%s'", hier->mount);
	for (int i = 0; i < CREATE_TRIES && (r == -ENOENT || r == -ENODEV); i++)
		r = make_once(hier, mount, path, ret_made);
	if (r < 0) {
		err_set(e, r, "create cgroup '%s' in %s", path, hier->where);
		if (r == -EACCES || r == -EPERM || r == -EROFS)
			err_hint(e, "run as root, or use a cgroup that was delegated to you");
	}
	return r;
}

int cg_create(const struct cg_layout *layout, const char *path, struct err *e)
{
	int r = tree_path(path, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < layout->count; i++) {
		own_fd int dir = -EBADF;
		bool made;

		dir = make(&layout->hiers[i], path, &made, e);
		if (dir < 0)
			return dir;
		if (layout->hiers[i].v2 && !made && life_is_populated(dir) == 1) {
			err_say(e, -EBUSY, "cgroup '%s' exists with processes in it", path);
			return -EBUSY;
		}
	}
	return 0;
}

/* The owner may only move processes and make groups; limits stay the parent's to set. */
int cg_delegate(const struct cg_layout *layout, const char *path, uid_t uid, gid_t gid,
		struct err *e)
{
	/* What every kernel lists; newer ones add to it in the file. */
	static const char basic[] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
	own_fd int dir = cg_open(layout, path, e);
	own_text struct text list = { 0 };
	char *file, *save = NULL;

	if (dir < 0)
		return dir;
	if (tree_load(AT_FDCWD, "/sys/kernel/cgroup/delegate", &list) < 0)
		text_add(&list, basic);
	if (text_failed(&list))
		return err_set(e, -ENOMEM, "delegate cgroup '%s'", path);
	if (fchown(dir, uid, gid) < 0)
		return err_set(e, -errno, "chown cgroup '%s'", path);
	for (file = strtok_r(list.data, "\n", &save); file; file = strtok_r(NULL, "\n", &save)) {
		if (fchownat(dir, file, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
			return err_set(e, -errno, "chown '%s' of cgroup '%s'", file, path);
	}
	return 0;
}

int cg_open(const struct cg_layout *layout, const char *path, struct err *e)
{
	int fd, r = tree_path(path, e);

	if (r < 0)
		return r;
	fd = tree_open(&layout->hiers[0], path);
	return fd < 0 ? err_set(e, fd, "open cgroup '%s'", path) : fd;
}

static int join(const struct cg_hier *hier, const char *path, pid_t pid, struct err *e)
{
	own_fd int dir = tree_open(hier, path);
	char number[24];
	int r = dir;

	(void)snprintf(number, sizeof(number), "%d", (int)pid);
	if (r >= 0)
		r = file_write(dir, "cgroup.procs", number);
	if (r < 0)
		return err_set(e, r, "move process %d into cgroup '%s' of %s", (int)pid, path,
			       hier->where);
	return 0;
}

static int join_from(const struct cg_layout *layout, size_t first, const char *path, pid_t pid,
		     struct err *e)
{
	int r = tree_path(path, e);

	for (size_t i = first; r == 0 && i < layout->count; i++)
		r = join(&layout->hiers[i], path, pid, e);
	return r;
}

int cg_join_v1(const struct cg_layout *layout, const char *path, pid_t pid, struct err *e)
{
	return join_from(layout, 1, path, pid, e);
}

int cg_adopt(const struct cg_layout *layout, const char *path, pid_t pid, struct err *e)
{
	int r = tree_path(path, e);

	for (size_t i = 1; r == 0 && i < layout->count; i++) {
		own_fd int dir = -EBADF;
		bool made;

		dir = make(&layout->hiers[i], path, &made, e);
		r = dir < 0 ? dir : join(&layout->hiers[i], path, pid, e);
	}
	return r;
}

int cg_join(const struct cg_layout *layout, const char *path, pid_t pid, struct err *e)
{
	return join_from(layout, 0, path, pid, e);
}

void cg_door_close(struct cg_door *door)
{
	for (size_t i = 0; i < door->count; i++)
		own_fd_done(&door->fds[i]);
	door->count = 0;
}

int cg_door_open_each(const struct cg_layout *layout, const char *const paths[CG_CONTROLLERS],
		      struct cg_door *ret, struct err *e)
{
	struct cg_door door = { .count = 0 };

	for (size_t i = 1; i < layout->count; i++) {
		const struct cg_hier *hier = &layout->hiers[i];
		const char *path = paths[__builtin_ctz(hier->controllers)];
		own_fd int dir = -EBADF;
		int fd, r;

		r = tree_path(path, e);
		if (r < 0) {
			cg_door_close(&door);
			return r;
		}
		dir = tree_open(hier, path);
		/* "tasks" and not "cgroup.procs": only there does the kernel see that one thread
		 * is concerned, and spares the lock that keeps thread groups together. */
		fd = dir < 0 ? dir : openat(dir, "tasks", O_WRONLY | O_CLOEXEC);
		if (fd < 0) {
			r = dir < 0 ? dir : -errno;
			cg_door_close(&door);
			return err_set(e, r, "open 'tasks' of cgroup '%s' in %s", path,
				       hier->where);
		}
		door.fds[door.count++] = fd;
	}
	*ret = door;
	return 0;
}

int cg_door_open(const struct cg_layout *layout, const char *path, struct cg_door *ret,
		 struct err *e)
{
	const char *paths[CG_CONTROLLERS];

	for (size_t i = 0; i < CG_CONTROLLERS; i++)
		paths[i] = path;
	return cg_door_open_each(layout, paths, ret, e);
}

int cg_door_enter(struct cg_door *door)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < door->count; i++)
		if (TEMP_FAILURE_RETRY(write(door->fds[i], "0", 1)) < 0)
			r = -errno;
	cg_door_close(door);
	return r;
}
