/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: whole reads and writes, passing over sockets, closing all others. */
#ifndef CTR_BASE_FD_H
#define CTR_BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

/** fd_write_all() - write all of @len bytes, over EINTR and short writes. Return: 0 or -errno. */
int fd_write_all(int fd, const void *data, size_t len);
/** fd_read_all() - read up to @size bytes, until end of file. Return: count or -errno. */
ssize_t fd_read_all(int fd, void *buf, size_t size);
/** fd_send() - send one message with up to 8 descriptors (SCM_RIGHTS).
 * Return: 0 or -errno (-EPIPE when the peer is gone; no SIGPIPE). */
int fd_send(int sock, const void *data, size_t len, const int *fds, size_t nfds);
/** fd_recv() - receive one message; descriptors arrive O_CLOEXEC and unused slots as -EBADF.
 * More descriptors than @nfds are closed. Return: message length (0: peer closed) or -errno. */
ssize_t fd_recv(int sock, void *data, size_t size, int *fds, size_t nfds);
/** fd_cloexec_from() - mark all descriptors >= @first close-on-exec. Return: 0 or -errno. */
int fd_cloexec_from(int first);
/** fd_close_range() - close first..last (-1: to the end). Return: 0 or -errno. */
int fd_close_range(int first, int last);
/** fd_close_others() - close every descriptor >= @first but @a and @b (either may be negative).
 * Return: 0 or -errno. */
int fd_close_others(int first, int a, int b);
/** fd_check_open() - -EBADF with its number unless all @count descriptors from @first are open */
int fd_check_open(int first, unsigned int count, int *ret_missing);
/** fd_wait() - wait until @fd is readable, or @timeout_ms passes (-1: for ever).
 * Return: 1 ready, 0 timed out, -errno. Counts down over EINTR. */
int fd_wait(int fd, int timeout_ms);

#endif
