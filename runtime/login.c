/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a guest's passwd file from outside, without any library that would run its code. */
#include "runtime/login.h"

#include "base/fd.h"
#include "base/own.h"
#include "base/path.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

enum { PASSWD_MAX_BYTES = 1024 * 1024, FIELDS = 7 };

static char *load(pid_t pid)
{
	own_fd int root = -EBADF, fd = -EBADF;
	own_free char *text = NULL;
	char path[32];
	struct stat st;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/root", pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return NULL;
	fd = path_open(root, "etc/passwd", O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > PASSWD_MAX_BYTES)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	n = text ? fd_read_all(fd, text, (size_t)st.st_size) : -ENOMEM;
	if (n < 0)
		return NULL;
	text[n] = '\0';
	return take_ptr(text);
}

/* name:password:uid:gid:comment:home:shell, each of @line's fields ended where its colon was. */
static bool split(char *line, char *fields[FIELDS])
{
	for (int i = 0; i < FIELDS; i++) {
		fields[i] = strsep(&line, ":");
		if (!fields[i])
			return false;
	}
	return line == NULL;
}

int login_find(pid_t pid, uid_t uid, struct arena *arena, struct login *ret, struct err *e)
{
	own_free char *text = load(pid);
	char *rest = text, *line;

	*ret = (struct login){ .user = uid ? "user" : "root",
			       .home = uid ? "/" : "/root",
			       .shell = "/bin/sh" };
	while (rest && (line = strsep(&rest, "\n"))) {
		char *f[FIELDS];
		uint32_t number, gid;

		if (!split(line, f) || text_u32(f[2], &number) < 0 || number != uid ||
		    text_u32(f[3], &gid) < 0)
			continue;
		ret->gid = gid;
		ret->user = arena_strdup(arena, f[0]);
		if (*f[5] == '/')
			ret->home = arena_strdup(arena, f[5]);
		if (*f[6] == '/')
			ret->shell = arena_strdup(arena, f[6]);
		break;
	}
	return ret->user && ret->home && ret->shell ? 0
						    : err_set(e, -ENOMEM, "read the passwd file");
}
