/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of a container's notify socket. */
#include "runtime/notify.h"

#include "base/fd.h"
#include "base/own.h"
#include "runtime/container.h"
#include "runtime/spec/spec.h"
#include "runtime/state.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { BARRIER_WAIT_MS = 30000 };

static const char inside[] = "/run/notify", dir_name[] = "notify", sock_name[] = "notify.sock";

static int add_mount(struct spec *spec, char *source, struct arena *arena)
{
	static const char *const options[] = { "bind", "nosuid", "noexec", "nodev", "ro" };
	const struct spec_mount *old = spec->mounts.v;
	size_t n = spec->mounts.n;
	struct spec_mount *list = arena_alloc(arena, (n + 1) * sizeof(*list));
	char **words = arena_alloc(arena, sizeof(options));
	char *target = arena_strdup(arena, inside);

	if (!list || !words || !target || !source)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (!(words[i] = arena_strdup(arena, options[i])))
			return -ENOMEM;
	if (n)
		memcpy(list, old, n * sizeof(*list));
	list[n] = (struct spec_mount){ .destination = target,
				       .source = source,
				       .options = { words, ARRAY_SIZE(options) } };
	spec->mounts = (struct js_list){ list, n + 1 };
	return 0;
}

int notify_prepare(const struct ctr_env *env, int run, const char *id, struct arena *arena,
		   struct spec *spec, struct err *e)
{
	own_fd int dir = -EBADF;
	own_free char *real = NULL;
	int r;

	if (!env->notify_socket)
		return 0;
	dir = state_dir(run, id, true, e);
	if (dir < 0)
		return dir;
	if (mkdirat(dir, dir_name, 0755) < 0 && errno != EEXIST)
		return err_set(e, -errno, "make the notify directory of '%s'", id);
	real = realpath(env->run, NULL);
	if (!real)
		return err_set(e, -errno, "find '%s'", env->run);
	r = add_mount(spec, arena_printf(arena, "%s/%s/%s", real, id, dir_name), arena);
	if (r == 0)
		r = spec_process_setenv(spec->process, "NOTIFY_SOCKET", arena, "%s/%s", inside,
					sock_name);
	return r < 0 ? err_set(e, r, "plan the notify socket") : 0;
}

/* By way of a descriptor: a run directory may be longer than sun_path. */
int notify_listen(const struct ctr_env *env, int run, const char *id, struct err *e)
{
	own_fd int dir = -EBADF, sub = -EBADF, sock = -EBADF;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (!env->notify_socket)
		return -ENOENT;
	dir = state_dir(run, id, false, e);
	if (dir < 0)
		return dir;
	sub = openat(dir, dir_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return errno == ENOENT ? -ENOENT : err_set(e, -errno, "open the notify directory");
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return err_set(e, -errno, "make the notify socket");
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", sub, sock_name);
	(void)unlinkat(sub, sock_name, 0); /* of a start that was killed */
	/* Any user inside may send to it. */
	if (bind(sock, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    fchmodat(sub, sock_name, 0777, 0) < 0)
		return err_set(e, -errno, "bind the notify socket of '%s'", id);
	return take_fd(&sock);
}

/* A name that begins with '@' is abstract: unix(7). */
static int connect_manager(const char *name, struct err *e)
{
	own_fd int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	if (sock < 0)
		return err_set(e, -errno, "make a socket");
	if (len >= sizeof(addr.sun_path))
		return err_say(e, -ENAMETOOLONG, "NOTIFY_SOCKET '%s' is too long", name);
	memcpy(addr.sun_path, name, len);
	if (*name == '@')
		addr.sun_path[0] = '\0';
	if (connect(sock, (const struct sockaddr *)&addr,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return err_set(e, -errno, "reach the service manager at NOTIFY_SOCKET '%s'", name);
	return take_fd(&sock);
}

/* The line of READY=, newline included, at the front of @msg; 0 when it has none. */
static size_t ready_line(char *msg)
{
	for (char *line = msg; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t len = strcspn(line, "\n");

		if (strncmp(line, "READY=", 6) != 0)
			continue;
		memmove(msg, line, len);
		msg[len] = '\n';
		return len + 1;
	}
	return 0;
}

static int tell(const struct ctr_env *env, const char *ready, size_t len, pid_t pid, struct err *e)
{
	own_fd int manager = connect_manager(env->notify_socket, e);
	char main_pid[32];

	if (manager < 0)
		return manager;
	(void)snprintf(main_pid, sizeof(main_pid), "MAINPID=%d\n", (int)pid);
	if (send(manager, ready, len, MSG_NOSIGNAL) < 0 ||
	    send(manager, main_pid, strlen(main_pid), MSG_NOSIGNAL) < 0)
		return err_set(e, -errno, "notify the service manager");
	return 1;
}

int notify_relay(const struct ctr_env *env, int sock, pid_t pid, struct err *e)
{
	char msg[4096 + 1];
	ssize_t n = TEMP_FAILURE_RETRY(recv(sock, msg, sizeof(msg) - 2, 0));
	size_t len;

	if (n < 0)
		return errno == EAGAIN ? 0 : err_set(e, -errno, "read the notify socket");
	msg[n] = '\0';
	len = ready_line(msg);
	return len ? tell(env, msg, len, pid, e) : 0;
}

/* The manager closes what it was sent once it has worked off all that came before. */
static int await_manager(const struct ctr_env *env, struct err *e)
{
	own_fd int manager = connect_manager(env->notify_socket, e), from = -EBADF, to = -EBADF;
	static const char barrier[] = "BARRIER=1";
	int pair[2], r;

	if (manager < 0)
		return manager;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_set(e, -errno, "make a pipe");
	from = pair[0];
	to = pair[1];
	r = fd_send(manager, barrier, strlen(barrier), &to, 1);
	close_fd(&to);
	if (r == 0)
		r = fd_wait(from, BARRIER_WAIT_MS);
	return r < 0 ? err_set(e, r, "wait for the service manager") : 0;
}

int notify_wait(const struct ctr_env *env, int sock, int pidfd, pid_t pid, struct err *e)
{
	struct pollfd p[] = { { .fd = sock, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };

	for (;;) {
		int r;

		if (TEMP_FAILURE_RETRY(poll(p, ARRAY_SIZE(p), -1)) < 0)
			return err_set(e, -errno, "poll");
		r = p[0].revents ? notify_relay(env, sock, pid, e) : 0;
		if (r != 0)
			return r < 0 ? r : await_manager(env, e);
		if (p[1].revents && !p[0].revents)
			return 0;
	}
}
