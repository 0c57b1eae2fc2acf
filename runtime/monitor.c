/* SPDX-License-Identifier: Apache-2.0 */
/* Console logs and exit notes for all running partitions of a host, in one process. */
#include "runtime/monitor.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "base/proc.h"
#include "runtime/exitnote.h"
#include "runtime/life.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

enum request_kind { REQUEST_ADD = 1, REQUEST_ATTACH };

struct request {
	enum request_kind kind;
	char id[129];
};

enum { ADD_FDS = 3, ATTACHED_MAX = 4, BACKLOG = 64, REQUEST_MS = 500 };

struct console {
	char id[129];
	int master, pidfd, log;
	int slave; /* held open: a guest that closes its console for a while must not hang it up */
	int attached[ATTACHED_MAX];
	struct console *next;
};

struct monitor {
	const struct ctr_env *env;
	int run, listener;
	struct console *consoles;
	size_t count;
};

static void address(int run, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/.monitor", run);
}

/*
 * A log is bounded by cutting its older half away. The descriptor is O_APPEND, so the next write
 * lands behind what was kept.
 */
static void bound_log(int log)
{
	enum { KEEP = MONITOR_LOG_MAX_BYTES / 2 };
	own_free char *kept = NULL;
	struct stat st;
	ssize_t n;

	if (fstat(log, &st) < 0 || st.st_size <= MONITOR_LOG_MAX_BYTES)
		return;
	kept = malloc(KEEP);
	if (!kept)
		return; /* a log that is too long for a while is the smaller evil */
	n = pread(log, kept, KEEP, st.st_size - KEEP);
	if (n > 0 && ftruncate(log, 0) == 0)
		(void)fd_write_all(log, kept, (size_t)n); /* on a full disk the rest is lost */
}

static void detach(struct console *c, size_t i)
{
	close_fd(&c->attached[i]);
}

/* Return: false when the pty has no more to say. */
static bool copy_output(struct console *c)
{
	char buf[4096];
	ssize_t n = read(c->master, buf, sizeof(buf));

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	(void)fd_write_all(c->log, buf, (size_t)n); /* a full disk must not stop the guest */
	bound_log(c->log);
	for (size_t i = 0; i < ATTACHED_MAX; i++)
		if (c->attached[i] >= 0 &&
		    send(c->attached[i], buf, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) != n)
			detach(c, i); /* gone, or too slow to follow: the guest does not wait */
	return true;
}

static void copy_input(struct console *c, size_t i)
{
	char buf[4096];
	ssize_t n = recv(c->attached[i], buf, sizeof(buf), MSG_DONTWAIT);

	if (n <= 0)
		detach(c, i);
	else
		(void)!write(c->master, buf, (size_t)n); /* what a guest does not read is lost */
}

static void console_free(struct console *c)
{
	for (size_t i = 0; i < ATTACHED_MAX; i++)
		detach(c, i);
	close_fd(&c->slave);
	close_fd(&c->master);
	close_fd(&c->pidfd);
	close_fd(&c->log);
	free(c);
}

/* Healing takes the lock of the id, which a stopping command may hold for long: so in a child. */
static void heal_in_child(struct monitor *m, const struct console *c)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct life life = LIFE_EMPTY;

		exitnote_save(m->env, c->id, proc_exit_info(c->pidfd));
		(void)life_open(m->env, c->id, &life, NULL); /* what fails is the next command's */
		life_done(&life);
		_exit(0);
	}
}

static void end_console(struct monitor *m, struct console **link)
{
	struct console *c = *link;

	while (c->master >= 0 && fd_wait(c->master, 0) == 1 && copy_output(c))
		;
	heal_in_child(m, c);
	*link = c->next;
	m->count--;
	console_free(c);
}

static struct console *find(struct monitor *m, const char *id)
{
	for (struct console *c = m->consoles; c; c = c->next)
		if (strcmp(c->id, id) == 0)
			return c;
	return NULL;
}

static bool add(struct monitor *m, const char *id, int fds[ADD_FDS])
{
	struct console *c = calloc(1, sizeof(*c));

	if (!c)
		return false;
	(void)snprintf(c->id, sizeof(c->id), "%s", id);
	c->master = take_fd(&fds[0]);
	c->pidfd = take_fd(&fds[1]);
	c->log = take_fd(&fds[2]);
	c->slave = ioctl(c->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	for (size_t i = 0; i < ATTACHED_MAX; i++)
		c->attached[i] = -EBADF;
	(void)fcntl(c->master, F_SETFL, O_NONBLOCK | O_RDWR);
	c->next = m->consoles;
	m->consoles = c;
	m->count++;
	return true;
}

static void attach(struct monitor *m, const char *id, int *sock)
{
	struct console *c = find(m, id);

	for (size_t i = 0; c && i < ATTACHED_MAX; i++) {
		if (c->attached[i] >= 0)
			continue;
		c->attached[i] = take_fd(sock);
		(void)send(c->attached[i], "", 1, MSG_NOSIGNAL | MSG_DONTWAIT); /* the welcome */
		return;
	}
}

static void serve(struct monitor *m)
{
	own_fd int sock = accept4(m->listener, NULL, NULL, SOCK_CLOEXEC);
	int fds[ADD_FDS];
	struct request q;
	ssize_t n;

	/* A client sends at once. One that was stopped or traced in between must not stop the
	 * consoles of all. */
	if (sock < 0 || fd_wait(sock, REQUEST_MS) != 1)
		return;
	n = fd_recv(sock, &q, sizeof(q), fds, ADD_FDS);
	if (n == sizeof(q)) {
		q.id[sizeof(q.id) - 1] = '\0';
		if (q.kind == REQUEST_ADD && fds[2] >= 0) {
			if (add(m, q.id, fds))
				(void)send(sock, "", 1, MSG_NOSIGNAL); /* the caller may go */
		} else if (q.kind == REQUEST_ATTACH) {
			attach(m, q.id, &sock);
		}
	}
	for (size_t i = 0; i < ADD_FDS; i++)
		close_fd(&fds[i]);
}

static struct pollfd *build_poll(const struct monitor *m, size_t *ret_count)
{
	size_t n = 0;
	struct pollfd *p = calloc(1 + m->count * (2 + ATTACHED_MAX), sizeof(*p));

	if (!p)
		return NULL;
	p[n++] = (struct pollfd){ .fd = m->listener, .events = POLLIN };
	for (const struct console *c = m->consoles; c; c = c->next) {
		p[n++] = (struct pollfd){ .fd = c->pidfd, .events = POLLIN };
		p[n++] = (struct pollfd){ .fd = c->master, .events = POLLIN };
		for (size_t i = 0; i < ATTACHED_MAX; i++)
			p[n++] = (struct pollfd){ .fd = c->attached[i], .events = POLLIN };
	}
	*ret_count = n;
	return p;
}

/* One round over what poll() said, in the order in which build_poll() listed it. */
static void handle(struct monitor *m, const struct pollfd *p)
{
	struct console **link = &m->consoles;

	p++;
	while (*link) {
		struct console *c = *link;
		bool ended = p[0].revents;

		if (p[1].revents && !copy_output(c) && !ended)
			close_fd(&c->master); /* hung up; poll() ignores a negative descriptor */
		for (size_t i = 0; i < ATTACHED_MAX; i++)
			if (p[2 + i].revents && c->attached[i] >= 0)
				copy_input(c, i);
		p += 2 + ATTACHED_MAX;
		if (ended)
			end_console(m, link);
		else
			link = &c->next;
	}
}

/* Leave only when nobody is on the way in: whoever adds a console holds the lock meanwhile. */
static bool may_leave(struct monitor *m)
{
	own_fd int lock = file_lock(m->run, ".monitor.lock", false);

	/* Any other failure is a run directory that is gone: then nobody can be on the way. */
	if (lock == -EWOULDBLOCK || (lock >= 0 && fd_wait(m->listener, 0) != 0))
		return false;
	(void)unlinkat(m->run, ".monitor", 0);
	return true;
}

static void run_monitor(struct monitor *m)
{
	for (;;) {
		own_free struct pollfd *p = NULL;
		size_t count = 0;

		if (m->count == 0 && may_leave(m))
			return;
		p = build_poll(m, &count);
		if (!p)
			return;
		if (poll(p, count, m->count ? -1 : 1000) < 0)
			continue;
		handle(m, p);
		if (p[0].revents)
			serve(m);
	}
}

/* Detached from whoever started us: session, directory, stdio, and every other descriptor. */
static void become_monitor(struct monitor *m)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct rlimit files;

	(void)setsid();
	(void)!chdir("/"); /* only so as not to hold a mount busy */
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		(void)dup2(null, fd);
	(void)prctl(PR_SET_NAME, "ctr-monitor", 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)signal(SIGCHLD, SIG_IGN); /* the healing children reap themselves */
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Two descriptors stay, at 3 and 4, by way of numbers that neither has now. */
	m->run = fcntl(m->run, F_DUPFD_CLOEXEC, 5);
	m->listener = fcntl(m->listener, F_DUPFD_CLOEXEC, 5);
	if (dup3(m->run, 3, O_CLOEXEC) < 0 || dup3(m->listener, 4, O_CLOEXEC) < 0)
		_exit(1);
	m->run = 3;
	m->listener = 4;
	(void)fd_close_range(5, -1);
	/* A partition takes four descriptors, and a thousand would be the end of 250 partitions. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files); /* never above the hard limit */
	}
}

static int start_monitor(const struct ctr_env *env, int run, struct err *e)
{
	own_fd int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr;
	pid_t pid;

	if (listener < 0)
		return err_set(e, -errno, "make the monitor's socket");
	address(run, &addr);
	if (unlinkat(run, ".monitor", 0) < 0 && errno != ENOENT)
		return err_set(e, -errno, "remove the old monitor's socket");
	if (bind(listener, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(listener, BACKLOG) < 0)
		return err_set(e, -errno, "listen for the monitor");
	/* Twice, so that it is nobody's child and its end is nobody's to reap. */
	pid = fork();
	if (pid < 0)
		return err_set(e, -errno, "start the monitor");
	if (pid == 0) {
		struct monitor m = { .env = env, .run = run, .listener = listener };

		if (fork() != 0)
			_exit(0);
		become_monitor(&m);
		run_monitor(&m);
		_exit(0);
	}
	if (TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0)) < 0)
		return err_set(e, -errno, "start the monitor");
	return 0;
}

static int reach(int run, struct err *e)
{
	own_fd int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr;

	if (sock < 0)
		return err_set(e, -errno, "make a socket");
	address(run, &addr);
	if (connect(sock, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set(e, -errno, "reach the console monitor");
	return take_fd(&sock);
}

static int request(int sock, enum request_kind kind, const char *id, const int *fds, size_t nfds,
		   struct err *e)
{
	struct request q = { .kind = kind };
	char welcome;
	int r;

	(void)snprintf(q.id, sizeof(q.id), "%s", id);
	r = fd_send(sock, &q, sizeof(q), fds, nfds);
	if (r < 0)
		return err_set(e, r, "talk to the console monitor");
	if (recv(sock, &welcome, 1, 0) != 1)
		return err_say(e, -ENOENT, "the console of '%s' is not held by the monitor", id);
	return 0;
}

int monitor_add(const struct ctr_env *env, int run, const char *id, int master, int pidfd, int log,
		struct err *e)
{
	own_fd int lock = file_lock(run, ".monitor.lock", true), sock = -EBADF;
	const int fds[ADD_FDS] = { master, pidfd, log };
	int r;

	if (lock < 0)
		return err_set(e, lock, "lock the console monitor");
	sock = reach(run, NULL);
	if (sock < 0) {
		r = start_monitor(env, run, e);
		if (r < 0)
			return r;
		sock = reach(run, e);
		if (sock < 0)
			return sock;
	}
	return request(sock, REQUEST_ADD, id, fds, ADD_FDS, e);
}

int monitor_attach(int run, const char *id, struct err *e)
{
	own_fd int sock = reach(run, e);
	int r;

	if (sock < 0)
		return sock;
	r = request(sock, REQUEST_ATTACH, id, NULL, 0, e);
	return r < 0 ? r : take_fd(&sock);
}
