/* SPDX-License-Identifier: Apache-2.0 */
/* One descriptor over one Unix stream socket. */
#include "runtime/sendfd.h"

#include "base/fd.h"
#include "base/own.h"

#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

int sendfd(const char *path, int fd, const char *message, struct err *e)
{
	own_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int r;

	if (sock < 0)
		return err_set(e, -errno, "make a socket");
	if (len >= sizeof(addr.sun_path))
		return err_say(e, -ENAMETOOLONG, "socket path '%s' is longer than %zu bytes", path,
			       sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, path, len);
	if (*path == '@') /* unix(7) "Abstract": the name ends with the address */
		addr.sun_path[0] = '\0';
	if (connect(sock, (const struct sockaddr *)&addr,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (*path != '@'))) < 0)
		return err_set(e, -errno, "connect to '%s'", path);
	r = fd_send(sock, message, strlen(message), &fd, 1);
	return r < 0 ? err_set(e, r, "send a descriptor to '%s'", path) : 0;
}

int sendfd_console(const char *path, int master, struct err *e)
{
	char name[32];
	unsigned int number;

	if (ioctl(master, TIOCGPTN, &number) < 0)
		return err_set(e, -errno, "ask for the console's name");
	(void)snprintf(name, sizeof(name), "/dev/pts/%u", number);
	return sendfd(path, master, name, e);
}
