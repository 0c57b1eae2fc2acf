/* SPDX-License-Identifier: Apache-2.0 */
/* Executing ourselves again from where nobody can write. */
#include "runtime/self.h"

#include "base/file.h"
#include "base/own.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

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

int self_protect(struct err *e)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	own_free char *block = NULL, **argv = NULL;
	own_fd int exe = -EBADF;
	struct statvfs fs;
	ssize_t len;

	if (statvfs(own_exe, &fs) < 0)
		return err_set(e, -errno, "look at our own binary");
	if (fs.f_flag & ST_RDONLY)
		return 0;
	len = file_load(AT_FDCWD, "/proc/self/cmdline", ARGS_MAX_BYTES, &block);
	if (len < 0)
		return err_set(e, (int)len, "read our own arguments");
	argv = split(block, (size_t)len);
	if (!argv)
		return -ENOMEM;
	exe = open_tree(AT_FDCWD, own_exe, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (exe < 0)
		return err_set(e, -errno, "clone the mount of our own binary");
	if (mount_setattr(exe, "", AT_EMPTY_PATH, &readonly, sizeof(readonly)) < 0)
		return err_set(e, -errno, "make our own binary read-only");
	(void)execveat(exe, "", argv, environ, AT_EMPTY_PATH);
	return err_set(e, -errno, "execute our own binary again");
}
