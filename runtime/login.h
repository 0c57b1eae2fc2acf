/* SPDX-License-Identifier: Apache-2.0 */
/* Whose shell `enter` opens: the guest's own /etc/passwd, read as the hostile file it may be. */
#ifndef CTR_RUNTIME_LOGIN_H
#define CTR_RUNTIME_LOGIN_H

#include "base/arena.h"
#include "base/err.h"

#include <sys/types.h>

struct login {
	const char *user, *home,
		*shell; /* "root", "/root", "/bin/sh" where the file says nothing */
	gid_t gid;
};

/** login_find() - the passwd(5) entry of @uid in the root of process @pid. A file that is missing,
 * too long or malformed gives the defaults; a shell that is no absolute path likewise.
 * Return: 0 or -errno. */
int login_find(pid_t pid, uid_t uid, struct arena *arena, struct login *ret, struct err *e);

#endif
