/* SPDX-License-Identifier: Apache-2.0 */
/* One name of the store being made or removed, atomically and healing after a kill. */
#include "runtime/storage/store_internal.h"

#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int change_begin(struct change *c, int dir, const char *name, bool wait)
{
	if (!text_is_id(name))
		return -EINVAL;
	c->dir = dir;
	c->name = name;
	(void)snprintf(c->fresh, sizeof(c->fresh), ".%s.new", name); /* sized for any valid name */
	(void)snprintf(c->old, sizeof(c->old), ".%s.old", name);
	(void)snprintf(c->lockname, sizeof(c->lockname), ".%s.lock", name);
	c->lock = file_lock(dir, c->lockname, wait);
	return c->lock < 0 ? c->lock : 0;
}

bool change_pending(int dir, const char *name)
{
	static const char *const traces[] = { "new", "old", "lock" };
	char path[CHANGE_NAME_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(traces); i++) {
		(void)snprintf(path, sizeof(path), ".%s.%s", name, traces[i]);
		if (faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	return false;
}

int change_clean(struct change *c)
{
	int r = file_remove_tree(c->dir, c->fresh);
	int r_old = file_remove_tree(c->dir, c->old);

	return r < 0 ? r : r_old;
}

int change_make(struct change *c)
{
	int fd;

	if (mkdirat(c->dir, c->fresh, 0700) < 0)
		return -errno;
	fd = openat(c->dir, c->fresh, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int change_commit(struct change *c, bool replace)
{
	bool exchanged = false;

	if (renameat2(c->dir, c->fresh, c->dir, c->name, RENAME_NOREPLACE) < 0) {
		if (errno != EEXIST || !replace)
			return -errno;
		if (renameat2(c->dir, c->fresh, c->dir, c->name, RENAME_EXCHANGE) < 0)
			return -errno;
		exchanged = true;
	}
	if (fsync(c->dir) < 0)
		return -errno;
	/* From here it is done: what cannot be deleted now, the next command deletes. */
	if (exchanged)
		(void)change_clean(c);
	return 0;
}

int change_retire(struct change *c)
{
	int r = file_remove_tree(c->dir, c->old);

	if (r < 0)
		return r;
	if (renameat(c->dir, c->name, c->dir, c->old) < 0)
		return -errno;
	/* What is released next (leases) must not be free while a crash could bring NAME back. */
	return fsync(c->dir) < 0 ? -errno : 0;
}

void change_end(struct change *c)
{
	int saved = errno;

	if (c->lock >= 0) {
		(void)unlinkat(c->dir, c->lockname, 0); /* an empty file, if it stays */
		close_fd(&c->lock);
	}
	errno = saved;
}
