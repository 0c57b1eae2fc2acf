/* SPDX-License-Identifier: Apache-2.0 */
/* One poll loop: the child's end, our signals, our terminal, its pty. */
#include "runtime/supervise.h"

#include "base/fd.h"
#include "base/own.h"
#include "base/proc.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>

enum { ESCAPE = 0x1d }; /* ^] */

int supervise_begin(struct err *e)
{
	sigset_t set;
	int fd;

	sigfillset(&set);
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGBUS);
	sigdelset(&set, SIGFPE);
	sigdelset(&set, SIGILL);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_set(e, -errno, "block signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_set(e, -errno, "make a signalfd") : fd;
}

static void copy_window_size(int from, int to)
{
	struct winsize size;

	if (ioctl(from, TIOCGWINSZ, &size) == 0)
		(void)ioctl(to, TIOCSWINSZ, &size); /* a pty that has just closed needs none */
}

struct raw_terminal {
	struct termios before;
	bool active;
};

/* @lines: what we write ends its lines with a newline alone, see supervise_pty() */
static void raw_begin(struct raw_terminal *raw, bool lines)
{
	struct termios mode;

	raw->active = false;
	if (tcgetattr(STDIN_FILENO, &raw->before) < 0)
		return; /* not a terminal */
	mode = raw->before;
	cfmakeraw(&mode);
	if (lines)
		mode.c_oflag |= OPOST;
	raw->active = tcsetattr(STDIN_FILENO, TCSADRAIN, &mode) == 0;
}

static void raw_end(struct raw_terminal *raw)
{
	if (raw->active)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN,
				&raw->before); /* the terminal may be gone */
}
#define own_raw __attribute__((cleanup(raw_end)))

/* Return: bytes moved, 0 at the end of @from, or -errno. A pty whose last user has gone says EIO.
 */
static ssize_t move_bytes(int from, int to)
{
	char buf[4096];
	ssize_t n = read(from, buf, sizeof(buf));
	int r;

	if (n < 0)
		return errno == EIO ? 0 : errno == EAGAIN || errno == EINTR ? 1 : -errno;
	if (n == 0)
		return 0;
	r = fd_write_all(to, buf, (size_t)n);
	return r < 0 ? r : n;
}

static int pass_signals(int signals, int pidfd, int master, struct err *e)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		int sig = (int)info.ssi_signo, r;

		if (sig == SIGCHLD || sig == SIGTTIN || sig == SIGTTOU || sig == SIGTSTP)
			continue;
		if (sig == SIGWINCH) {
			if (master >= 0)
				copy_window_size(STDIN_FILENO, master);
			continue;
		}
		r = proc_signal(pidfd, sig);
		if (r < 0 && r != -ESRCH)
			return err_set(e, r, "pass signal %d on", sig);
	}
	return 0;
}

/* What the child wrote before it ended must still come out. */
static void drain(int master)
{
	while (master >= 0 && fd_wait(master, 0) == 1 && move_bytes(master, STDOUT_FILENO) > 0)
		;
}

void supervise_pty(int master)
{
	struct termios mode;

	if (master < 0 || tcgetattr(master, &mode) < 0)
		return;
	mode.c_oflag &= ~(tcflag_t)ONLCR;
	(void)tcsetattr(master, TCSANOW, &mode); /* a pty that has just closed needs none */
}

int supervise(int pidfd, int signals, int master, const struct supervise_more *more, struct err *e)
{
	enum { CHILD, SIGNALS, OUTPUT, INPUT, MORE, COUNT };
	struct pollfd p[COUNT] = {
		[CHILD] = { .fd = pidfd, .events = POLLIN },
		[SIGNALS] = { .fd = signals, .events = POLLIN },
		[OUTPUT] = { .fd = master, .events = POLLIN },
		[INPUT] = { .fd = master >= 0 ? STDIN_FILENO : -1, .events = POLLIN },
		[MORE] = { .fd = more ? more->fd : -1, .events = POLLIN },
	};
	own_raw struct raw_terminal raw = { .active = false };

	if (master >= 0) {
		raw_begin(&raw, true);
		copy_window_size(STDIN_FILENO, master);
	}
	for (;;) {
		if (TEMP_FAILURE_RETRY(poll(p, COUNT, -1)) < 0)
			return err_set(e, -errno, "poll");
		if (p[SIGNALS].revents) {
			int r = pass_signals(signals, pidfd, master, e);

			if (r < 0)
				return r;
		}
		if (p[OUTPUT].revents && move_bytes(master, STDOUT_FILENO) <= 0)
			p[OUTPUT].fd = -1;
		if (p[INPUT].revents && move_bytes(STDIN_FILENO, master) <= 0)
			p[INPUT].fd = -1;
		if (p[MORE].revents) {
			int r = more->ready(more->arg, e);

			if (r < 0)
				return r;
			if (r > 0)
				p[MORE].fd = -1;
		}
		if (p[CHILD].revents)
			break;
	}
	drain(p[OUTPUT].fd);
	return proc_wait_exit(pidfd);
}

/* Input up to the escape goes on; the escape itself ends the session. */
static int forward_input(int to)
{
	char buf[4096];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	if (n <= 0)
		return n < 0 && errno == EINTR;
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] != ESCAPE)
			continue;
		(void)fd_write_all(to, buf, (size_t)i); /* leaving anyway */
		return 0;
	}
	return fd_write_all(to, buf, (size_t)n) == 0;
}

int supervise_terminal(int fd, int pidfd, struct err *e)
{
	enum { CHILD, OUTPUT, INPUT, COUNT };
	struct pollfd p[COUNT] = {
		[CHILD] = { .fd = pidfd, .events = POLLIN },
		[OUTPUT] = { .fd = fd, .events = POLLIN },
		[INPUT] = { .fd = STDIN_FILENO, .events = POLLIN },
	};
	own_raw struct raw_terminal raw = { .active = false };

	raw_begin(&raw, false);
	for (;;) {
		if (TEMP_FAILURE_RETRY(poll(p, COUNT, -1)) < 0)
			return err_set(e, -errno, "poll");
		if (p[OUTPUT].revents && move_bytes(fd, STDOUT_FILENO) <= 0)
			return 0;
		if (p[INPUT].revents && !forward_input(fd))
			return 0;
		if (p[CHILD].revents) {
			drain(fd);
			return 0;
		}
	}
}
