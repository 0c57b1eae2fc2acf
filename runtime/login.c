/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a guest's passwd file from outside, without any library that would run its code. */
#include "runtime/login.h"

#include "base/own.h"
#include "runtime/process/passwd.h"

#include <fcntl.h>

int login_find(pid_t pid, uid_t uid, struct arena *arena, struct login *ret, struct err *e)
{
	own_passwd struct passwd_entry entry = { .text = NULL };
	own_fd int root = -EBADF;
	char path[32];

	*ret = (struct login){ .user = uid ? "user" : "root",
			       .home = uid ? "/" : "/root",
			       .shell = "/bin/sh" };
	(void)snprintf(path, sizeof(path), "/proc/%d/root", pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || passwd_find(root, uid, &entry) < 0)
		return 0;
	ret->gid = entry.gid;
	ret->user = arena_strdup(arena, entry.user);
	if (*entry.home == '/')
		ret->home = arena_strdup(arena, entry.home);
	if (*entry.shell == '/')
		ret->shell = arena_strdup(arena, entry.shell);
	return ret->user && ret->home && ret->shell ? 0
						    : err_set(e, -ENOMEM, "read the passwd file");
}
