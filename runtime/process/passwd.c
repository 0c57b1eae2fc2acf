/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a guest's passwd file. */
#include "runtime/process/passwd.h"

#include "base/fd.h"
#include "base/own.h"
#include "base/path.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

enum { PASSWD_MAX_BYTES = 1024 * 1024, FIELDS = 7 };

static char *load(int root)
{
	own_fd int fd = path_open(root, "etc/passwd", O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	own_free char *text = NULL;
	struct stat st;
	ssize_t n;

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

int passwd_find(int root, uid_t uid, struct passwd_entry *ret)
{
	own_free char *text = load(root);
	char *rest = text, *line;

	while (rest && (line = strsep(&rest, "\n"))) {
		char *f[FIELDS];
		uint32_t number, gid;

		if (!split(line, f) || text_u32(f[2], &number) < 0 || number != uid ||
		    text_u32(f[3], &gid) < 0)
			continue;
		*ret = (struct passwd_entry){
			.text = text, .user = f[0], .home = f[5], .shell = f[6], .gid = gid
		};
		(void)take_ptr(text);
		return 0;
	}
	return -ENOENT;
}

void passwd_done(struct passwd_entry *entry)
{
	free(entry->text);
	entry->text = NULL;
}
