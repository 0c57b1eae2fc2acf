/* SPDX-License-Identifier: Apache-2.0 */
/* Handing a descriptor to whoever listens on a Unix socket: --console-socket, --pidfd-socket. */
#ifndef CTR_RUNTIME_SENDFD_H
#define CTR_RUNTIME_SENDFD_H

#include "base/err.h"

/** sendfd() - connect to @path ("@NAME" is abstract), send @fd with @message, close. Never waits
 * for an answer: some callers accept only after we are gone. */
int sendfd(const char *path, int fd, const char *message, struct err *e);
/** sendfd_console() - the same with a pty's @master, and with the name of its other end as the
 * container sees it ("/dev/pts/0"), which is what callers of a runtime expect */
int sendfd_console(const char *path, int master, struct err *e);

#endif
