/* SPDX-License-Identifier: Apache-2.0 */
/* Handing a descriptor to whoever listens on a Unix socket: --console-socket. */
#ifndef CTR_RUNTIME_SENDFD_H
#define CTR_RUNTIME_SENDFD_H

#include "base/err.h"

/** sendfd() - connect to @path, send @fd with @name as the message, close. Never waits for an
 * answer: some callers accept only after we are gone. */
int sendfd(const char *path, int fd, const char *name, struct err *e);

#endif
