/* SPDX-License-Identifier: Apache-2.0 */
/* Executing ourselves again from where nobody can write. */
#include "runtime/self.h"

#include "base/file.h"
#include "base/own.h"
#include "namespaces/ns.h"
#include "runtime/spec/spec.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* linux/memfd.h */
#endif

enum { ARGS_MAX_BYTES = 2 * 1024 * 1024 }; /* what execve(2) itself takes */

static const char own_exe[] = "/proc/self/exe";

static char **split(char *block, size_t len)
{
	size_t count = 0;
	char **argv;

	for (size_t i = 0; i < len; i++)
		count += block[i] == '\0';
	argv = calloc(count + 1, sizeof(*argv));
	for (size_t i = 0; argv && i < count; i++) {
		argv[i] = block;
		block += strlen(block) + 1;
	}
	return argv;
}

static bool lends(const struct js_list *maps, uint32_t id)
{
	const struct spec_id_map *m = maps->v;

	for (size_t i = 0; i < maps->n; i++)
		if (id >= m[i].host_id && id - m[i].host_id < m[i].size)
			return true;
	return false;
}

/* Could anything in a container of @spec, with every right over the ids that are its own, write to
 * a file like this? */
static bool is_writable_in(const struct spec *spec, const struct stat *st)
{
	const struct spec_namespace *list = spec->linux_.namespaces.v;

	if (st->st_mode & S_IWOTH)
		return true;
	for (size_t i = 0; i < spec->linux_.namespaces.n; i++)
		if (list[i].kind == NS_USER && !list[i].path)
			return lends(&spec->linux_.uid_mappings, st->st_uid) ||
			       (st->st_mode & S_IWGRP &&
				lends(&spec->linux_.gid_mappings, st->st_gid));
	/* Ids as they are here, or those of a namespace that an ordinary user can join: its own. */
	return geteuid() == 0 || st->st_uid != 0 || st->st_mode & S_IWGRP;
}

static bool is_protected(int exe)
{
	struct statvfs fs;
	int seals = fcntl(exe, F_GET_SEALS);

	if (seals >= 0 && seals & F_SEAL_WRITE)
		return true;
	return fstatvfs(exe, &fs) == 0 && fs.f_flag & ST_RDONLY;
}

/* No copy, where we have the right over mounts. */
static int readonly_mount(void)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	own_fd int tree = open_tree(AT_FDCWD, own_exe, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return -errno;
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &readonly, sizeof(readonly)) < 0)
		return -errno;
	return take_fd(&tree);
}

static int sealed_copy(int exe, const struct stat *st)
{
	enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	own_fd int copy = memfd_create("ctr", flags | MFD_EXEC);
	off_t at = 0;

	if (copy < 0 && errno == EINVAL) /* before Linux 6.3 every one is executable */
		copy = memfd_create("ctr", flags);
	if (copy < 0)
		return -errno;
	while (at < st->st_size) {
		ssize_t n = sendfile(copy, exe, &at, (size_t)(st->st_size - at));

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return fcntl(copy, F_ADD_SEALS, SEALS) < 0 ? -errno : take_fd(&copy);
}

int self_protect(const struct spec *spec, struct err *e)
{
	own_fd int exe = open(own_exe, O_RDONLY | O_CLOEXEC), safe = -EBADF;
	own_free char *block = NULL, **argv = NULL;
	struct stat st;
	ssize_t len;

	if (exe < 0 || fstat(exe, &st) < 0)
		return err_set(e, -errno, "look at our own binary");
	if (!is_writable_in(spec, &st) || is_protected(exe))
		return 0;
	len = file_load(AT_FDCWD, "/proc/self/cmdline", ARGS_MAX_BYTES, &block);
	if (len < 0)
		return err_set(e, (int)len, "read our own arguments");
	argv = split(block, (size_t)len);
	if (!argv)
		return -ENOMEM;
	safe = readonly_mount();
	if (safe < 0)
		safe = sealed_copy(exe, &st);
	if (safe < 0)
		return err_set(e, safe, "put our own binary where nobody can write");
	(void)execveat(safe, "", argv, environ, AT_EMPTY_PATH);
	return err_set(e, -errno, "execute our own binary again");
}
