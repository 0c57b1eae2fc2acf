/* SPDX-License-Identifier: Apache-2.0 */
/* A D-Bus connection: authentication, calls with a deadline, signals that wait. */
#include "cgroups/dbus.h"

#include "base/own.h"
#include "base/table.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

/* A busy systemd answers late; one that is stuck never does. */
enum { CALL_TIMEOUT_MS = 30000 };

int64_t dbus_now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with this clock */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void dbus_close(struct dbus *bus)
{
	close_fd(&bus->fd);
	text_done(&bus->in);
}

static int wait_for(const struct dbus *bus, short events, int64_t until_ms)
{
	for (;;) {
		struct pollfd p = { .fd = bus->fd, .events = events };
		int64_t left = until_ms - dbus_now_ms();
		int r;

		if (left <= 0)
			return -ETIMEDOUT;
		r = poll(&p, 1, (int)left);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r > 0)
			return 0;
	}
}

static int send_all(const struct dbus *bus, const char *data, size_t len, int64_t until_ms)
{
	while (len) {
		ssize_t n = send(bus->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN) {
			int r = wait_for(bus, POLLOUT, until_ms);

			if (r < 0)
				return r;
			continue;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* At least one more byte. */
static int receive(struct dbus *bus, int64_t until_ms)
{
	char buf[8192];
	ssize_t n;
	int r = wait_for(bus, POLLIN, until_ms);

	if (r < 0)
		return r;
	n = TEMP_FAILURE_RETRY(recv(bus->fd, buf, sizeof(buf), MSG_CMSG_CLOEXEC));
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	text_addn(&bus->in, buf, (size_t)n);
	return text_failed(&bus->in) ? -ENOMEM : 0;
}

static void consume(struct dbus *bus, size_t len)
{
	memmove(bus->in.data, bus->in.data + len, bus->in.len - len);
	bus->in.len -= len;
}

/* The next message, copied to the arena. */
static int next_message(struct dbus *bus, int64_t until_ms, struct dbus_message *ret)
{
	for (;;) {
		ssize_t size = dbus_message_size(text_str(&bus->in), bus->in.len);
		void *copy;
		int r;

		if (size < 0)
			return (int)size;
		if (size == 0 || (size_t)size > bus->in.len) {
			r = receive(bus, until_ms);
			if (r < 0)
				return r;
			continue;
		}
		copy = arena_alloc(bus->arena, (size_t)size);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, bus->in.data, (size_t)size);
		consume(bus, (size_t)size);
		return dbus_decode(copy, (size_t)size, ret);
	}
}

/* One line of the authentication, which must begin with @want. */
static int expect_line(struct dbus *bus, const char *want, int64_t until_ms)
{
	for (;;) {
		const char *text = text_str(&bus->in);
		const char *end = bus->in.len ? memmem(text, bus->in.len, "\r\n", 2) : NULL;
		int r;

		if (end) {
			bool ok = strncmp(text, want, strlen(want)) == 0;

			consume(bus, (size_t)(end - text) + 2);
			return ok ? 0 : -EACCES;
		}
		r = bus->in.len > 4096 ? -EBADMSG : receive(bus, until_ms);
		if (r < 0)
			return r;
	}
}

/*
 * EXTERNAL without an identity: the peer takes that of our credentials, as the kernel shows them to
 * it. An identity of our own choice would be wrong in a user namespace, where 0 is somebody else.
 */
static int authenticate(struct dbus *bus)
{
	static const char hello[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
	int64_t until_ms = dbus_now_ms() + CALL_TIMEOUT_MS;
	int r = send_all(bus, hello, sizeof(hello) - 1, until_ms);

	if (r == 0)
		r = expect_line(bus, "DATA", until_ms);
	return r < 0 ? r : expect_line(bus, "OK ", until_ms);
}

static int open_socket(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	own_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = strlen(path);

	if (fd < 0)
		return -errno;
	if (len >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, len);
	if (*path == '@')
		addr.sun_path[0] = '\0';
	len += offsetof(struct sockaddr_un, sun_path) + (*path == '@' ? 0 : 1);
	if (connect(fd, (const struct sockaddr *)&addr, (socklen_t)len) < 0)
		return -errno;
	return take_fd(&fd);
}

static int greet(struct dbus *bus, struct err *e)
{
	struct dbus_message hello = {
		.path = "/org/freedesktop/DBus",
		.interface = "org.freedesktop.DBus",
		.member = "Hello",
		.destination = "org.freedesktop.DBus",
	};
	struct dbus_message reply;

	return dbus_call(bus, &hello, "greet the bus", &reply, e);
}

int dbus_open(const char *path, bool is_bus, struct arena *arena, struct dbus *ret, struct err *e)
{
	own_dbus struct dbus bus = { .fd = open_socket(path), .is_bus = is_bus, .arena = arena };
	int r;

	if (bus.fd < 0)
		return err_set(e, bus.fd, "connect to '%s'", path);
	r = authenticate(&bus);
	if (r < 0)
		return err_set(e, r, "authenticate at '%s'", path);
	if (is_bus) {
		r = greet(&bus, e);
		if (r < 0)
			return r;
	}
	*ret = bus;
	bus = (struct dbus)DBUS_EMPTY;
	return 0;
}

static const struct name errors[] = {
	{ "org.freedesktop.systemd1.NoSuchUnit", ENOENT },
	{ "org.freedesktop.systemd1.UnitExists", EEXIST },
	{ "org.freedesktop.DBus.Error.AccessDenied", EACCES },
	{ "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", EACCES },
	{ "org.freedesktop.DBus.Error.PropertyReadOnly", EROFS },
	{ "org.freedesktop.DBus.Error.InvalidArgs", EINVAL },
	{ "org.freedesktop.DBus.Error.UnknownMethod", ENOSYS },
	{ "org.freedesktop.DBus.Error.ServiceUnknown", EHOSTDOWN },
	{ "org.freedesktop.DBus.Error.NoReply", ETIMEDOUT },
	{ NULL, 0 },
};

/* The peer's error: its words, with the errno that its name stands for. */
static int peer_error(const struct dbus_message *m, const char *what, struct err *e)
{
	struct dbus_in in = { .data = m->body, .len = m->body_len };
	const char *words = m->signature && *m->signature == 's' ? dbus_get_str(&in) : "";
	uint64_t code = EPROTO;

	if (m->error)
		(void)name_value(errors, m->error, &code);
	err_say(e, -(int)code, "%s: systemd says: %s", what,
		*words	   ? words
		: m->error ? m->error
			   : "an error without a name");
	if (code == EACCES)
		err_hint(e, "without root the user's own systemd is needed: a login session, or "
			    "'loginctl enable-linger', and XDG_RUNTIME_DIR in the environment");
	return -(int)code;
}

static int keep_signal(struct dbus *bus, const struct dbus_message *m)
{
	struct dbus_message *slot =
		arena_grow(bus->arena, &bus->signals, &bus->signal_count, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	*slot = *m;
	return 0;
}

static int wait_reply(struct dbus *bus, uint32_t serial, int64_t until_ms, struct dbus_message *ret)
{
	for (;;) {
		int r = next_message(bus, until_ms, ret);

		if (r == 0 && ret->type == DBUS_SIGNAL)
			r = keep_signal(bus, ret);
		else if (r == 0 && (ret->type == DBUS_REPLY || ret->type == DBUS_ERROR) &&
			 ret->reply_to == serial)
			return 0;
		if (r < 0)
			return r;
	}
}

int dbus_call(struct dbus *bus, struct dbus_message *call, const char *what,
	      struct dbus_message *ret, struct err *e)
{
	int64_t until_ms = dbus_now_ms() + CALL_TIMEOUT_MS;
	own_text struct text out = { 0 };
	int r;

	call->type = DBUS_CALL;
	call->serial = ++bus->serial;
	r = dbus_encode(call, &out);
	if (r == 0)
		r = send_all(bus, out.data, out.len, until_ms);
	if (r == 0)
		r = wait_reply(bus, call->serial, until_ms, ret);
	if (r == -ETIMEDOUT)
		return err_say(e, r, "%s: systemd has not answered within %d s", what,
			       CALL_TIMEOUT_MS / 1000);
	if (r < 0)
		return err_set(e, r, "%s: talk to systemd", what);
	return ret->type == DBUS_ERROR ? peer_error(ret, what, e) : 0;
}

int dbus_wait_signal(struct dbus *bus, const char *member, int64_t until_ms,
		     struct dbus_message *ret)
{
	for (size_t i = 0; i < bus->signal_count; i++) {
		*ret = bus->signals[i];
		if (!ret->member || strcmp(ret->member, member) != 0)
			continue;
		bus->signals[i].member = NULL; /* taken */
		return 0;
	}
	for (;;) {
		int r = next_message(bus, until_ms, ret);

		if (r < 0 ||
		    (ret->type == DBUS_SIGNAL && ret->member && strcmp(ret->member, member) == 0))
			return r;
	}
}
