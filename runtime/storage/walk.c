/* SPDX-License-Identifier: Apache-2.0 */
/* Visit a tree without recursion: whoever made it decided how deep it is. */
#include "runtime/storage/store_internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct walk {
	DIR **dirs; /* from the top to where we are */
	size_t depth, room;
};

static void walk_done(struct walk *w)
{
	while (w->depth)
		(void)closedir(w->dirs[--w->depth]);
	free(w->dirs);
}

static int walk_enter(struct walk *w, int parent, const char *name)
{
	own_fd int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir;

	if (fd < 0) /* replaced or removed meanwhile */
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
	if (w->depth == w->room) {
		size_t room = w->room ? w->room * 2 : 32;
		DIR **more = reallocarray(w->dirs, room, sizeof(DIR *));

		if (!more)
			return -ENOMEM;
		w->dirs = more;
		w->room = room;
	}
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	(void)take_fd(&fd); /* dir owns it now */
	w->dirs[w->depth++] = dir;
	return 0;
}

int walk_tree(int dir, int (*entry)(void *arg, int parent, const char *name, const struct stat *st),
	      void *arg)
{
	__attribute__((cleanup(walk_done))) struct walk w = { 0 };
	struct stat top, st;
	int r;

	if (fstat(dir, &top) < 0)
		return -errno;
	r = walk_enter(&w, dir, ".");
	while (r == 0 && w.depth) {
		DIR *now = w.dirs[w.depth - 1];
		const struct dirent *d = readdir(now);

		if (!d) {
			(void)closedir(w.dirs[--w.depth]);
			continue;
		}
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(now), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			r = errno == ENOENT ? 0 : -errno;
			continue;
		}
		if (st.st_dev != top.st_dev)
			continue; /* something is mounted there */
		r = entry(arg, dirfd(now), d->d_name, &st);
		if (r == 0 && S_ISDIR(st.st_mode))
			r = walk_enter(&w, dirfd(now), d->d_name);
	}
	return r;
}
