/* SPDX-License-Identifier: Apache-2.0 */
/* One descriptor over one Unix stream socket. */
#include "runtime/sendfd.h"

#include "base/fd.h"
#include "base/own.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int sendfd(const char *path, int fd, const char *name, struct err *e)
{
	own_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int r;

	if (sock < 0)
		return err_set(e, -errno, "make a socket");
	if (strlen(path) >= sizeof(addr.sun_path))
		return err_say(e, -ENAMETOOLONG, "socket path '%s' is longer than %zu bytes", path,
			       sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (connect(sock, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set(e, -errno, "connect to '%s'", path);
	r = fd_send(sock, name, strlen(name), &fd, 1);
	return r < 0 ? err_set(e, r, "send the %s to '%s'", name, path) : 0;
}
