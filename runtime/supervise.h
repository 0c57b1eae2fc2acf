/* SPDX-License-Identifier: Apache-2.0 */
/* The foreground: wait for a process, pass signals on, and carry a terminal's bytes both ways. */
#ifndef CTR_RUNTIME_SUPERVISE_H
#define CTR_RUNTIME_SUPERVISE_H

#include "base/err.h"

#include <sys/types.h>

/** supervise_begin() - from here signals are kept for supervise(), so that none is lost between
 * the fork and the wait. Return: signalfd or -errno. */
int supervise_begin(struct err *e);
/** supervise_pty() - before the payload writes to the pty that supervise() will carry: it ends its
 * lines with a newline alone. A terminal of ours adds the carriage return; a file needs none. */
void supervise_pty(int master);
/** What else is waited for: ->ready() is called when ->fd is readable, until it returns other than
 * 0: 1 is enough, -errno ends the wait with a failure. */
struct supervise_more {
	int fd; /* -EBADF: nothing */
	int (*ready)(void *arg, struct err *e);
	void *arg;
};
/**
 * supervise() - until our child behind @pidfd ends
 * @signals: from supervise_begin(); each is passed on. @master: the child's pty, -EBADF for none:
 * then stdin is put in raw mode while we are at it, if it is a terminal. @more: may be NULL.
 * Return: exit status as a shell shows it, or -errno.
 */
int supervise(int pidfd, int signals, int master, const struct supervise_more *more, struct err *e);
/** supervise_terminal() - carry bytes between our terminal and @fd until that or the process behind
 * @pidfd ends, or the user types ^]. Return: 0 or -errno. */
int supervise_terminal(int fd, int pidfd, struct err *e);

#endif
