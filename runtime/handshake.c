/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between a container's creator and its first process. */
#include "runtime/handshake.h"

#include "base/fd.h"
#include "base/own.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct hs_message {
	enum hs_kind kind;
	int number; /* of a descriptor, with HS_LISTENER */
	struct err err;
};

/* clang-format off */
static const char *const names[] = {
	[HS_GO] = "go", [HS_MAP] = "map", [HS_MAPPED] = "mapped",
	[HS_MOUNTED] = "mounted", [HS_HOOKED] = "hooked", [HS_CONSOLE] = "console",
	[HS_READY] = "ready", [HS_EXEC] = "exec", [HS_GATE] = "gate",
	[HS_LISTENER] = "listener", [HS_LISTENED] = "listened", [HS_ERROR] = "error",
};
/* clang-format on */

static const char *name(enum hs_kind kind)
{
	return kind >= HS_GO && kind <= HS_ERROR ? names[kind] : "garbage";
}

int hs_pair(int ret[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
		return err_set(e, -errno, "make handshake sockets");
	return 0;
}

int hs_send(int sock, enum hs_kind kind, int fd, struct err *e)
{
	struct hs_message m = { .kind = kind };
	int r = fd_send(sock, &m, sizeof(m), &fd, fd >= 0);

	return r < 0 ? err_set(e, r, "send '%s' to the container's process", name(kind)) : 0;
}

void hs_send_error(int sock, const struct err *why)
{
	struct hs_message m = { .kind = HS_ERROR, .err = *why };

	(void)fd_send(sock, &m, sizeof(m), NULL, 0); /* nobody is left to tell */
}

/* Return: 1 with a message, 0 at the end of the channel, -errno (the peer's own error too). */
static int receive(int sock, struct hs_message *m, int *fd, struct err *e)
{
	ssize_t n = fd_recv(sock, m, sizeof(*m), fd, 1);

	if (n == 0 || n == -ECONNRESET)
		return 0;
	if (n < 0)
		return err_set(e, (int)n, "receive from the container's process");
	if (n != sizeof(*m))
		return err_say(e, -EPROTO, "the container's process sent %zd bytes", n);
	if (m->kind == HS_ERROR) {
		m->err.msg[sizeof(m->err.msg) - 1] = '\0';
		m->err.hint[sizeof(m->err.hint) - 1] = '\0';
		if (m->err.code >= 0)
			m->err.code = -EPROTO;
		if (e)
			*e = m->err;
		return m->err.code;
	}
	return 1;
}

int hs_expect(int sock, enum hs_kind kind, int *ret_fd, struct err *e)
{
	own_fd int fd = -EBADF;
	struct hs_message m;
	int r = receive(sock, &m, &fd, e);

	if (r < 0)
		return r;
	if (r == 0)
		return err_say(e, -EPIPE, "the other side ended before '%s'", name(kind));
	if (m.kind != kind)
		return err_say(e, -EPROTO, "expected '%s', received '%s'", name(kind),
			       name(m.kind));
	if (ret_fd)
		*ret_fd = take_fd(&fd);
	return 0;
}

int hs_expect_end(int sock, struct err *e)
{
	own_fd int fd = -EBADF;
	struct hs_message m;
	int r = receive(sock, &m, &fd, e);

	return r > 0 ? err_say(e, -EPROTO, "unexpected '%s'", name(m.kind)) : r;
}

int hs_expect_end_or_listener(int sock, int *ret_number, struct err *e)
{
	own_fd int fd = -EBADF;
	struct hs_message m;
	int r = receive(sock, &m, &fd, e);

	if (r <= 0)
		return r;
	if (m.kind != HS_LISTENER)
		return err_say(e, -EPROTO, "unexpected '%s'", name(m.kind));
	*ret_number = m.number;
	return 1;
}

int hs_show_listener(int sock, int number, struct err *e)
{
	struct hs_message m = { .kind = HS_LISTENER, .number = number };
	ssize_t n = TEMP_FAILURE_RETRY(write(sock, &m, sizeof(m)));

	if (n < 0)
		return err_set(e, -errno, "show the seccomp listener");
	n = TEMP_FAILURE_RETRY(read(sock, &m, sizeof(m)));
	if (n < 0)
		return err_set(e, -errno, "wait for the seccomp listener to be taken");
	if (n != sizeof(m) || m.kind != HS_LISTENED)
		return err_say(e, -EPIPE, "nobody took the seccomp listener");
	return 0;
}

int hs_either(int sock, struct err *e)
{
	own_fd int fd = -EBADF;
	struct hs_message m;
	int r = receive(sock, &m, &fd, e);

	if (r < 0)
		return r;
	if (r == 0)
		return err_say(e, -EPIPE, "the creator ended");
	if (m.kind != HS_EXEC && m.kind != HS_GATE)
		return err_say(e, -EPROTO, "expected 'exec' or 'gate', received '%s'",
			       name(m.kind));
	return (int)m.kind;
}
