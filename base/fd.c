/* SPDX-License-Identifier: Apache-2.0 */
/* Whole reads and writes, and descriptors over sockets. */
#include "base/fd.h"

#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FDS_MAX = 8 };

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = TEMP_FAILURE_RETRY(write(fd, p, len));

		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO; /* a file that takes nothing would loop for ever */
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t fd_read_all(int fd, void *buf, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = TEMP_FAILURE_RETRY(read(fd, (char *)buf + got, size - got));

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

union fd_control {
	char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	struct cmsghdr align;
};

int fd_send(int sock, const void *data, size_t len, const int *fds, size_t nfds)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	union fd_control control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds > FDS_MAX)
		return -EINVAL;
	if (nfds) {
		struct cmsghdr *c;

		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	if (TEMP_FAILURE_RETRY(sendmsg(sock, &msg, MSG_NOSIGNAL)) < 0)
		return -errno;
	return 0;
}

ssize_t fd_recv(int sock, void *data, size_t size, int *fds, size_t nfds)
{
	struct iovec iov = { .iov_base = data, .iov_len = size };
	union fd_control control;
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.space,
			      .msg_controllen = sizeof(control) };
	size_t taken = 0;
	ssize_t n;

	for (size_t i = 0; i < nfds; i++)
		fds[i] = -EBADF;
	n = TEMP_FAILURE_RETRY(recvmsg(sock, &msg, MSG_CMSG_CLOEXEC));
	if (n < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (taken < nfds)
				fds[taken++] = fd;
			else
				(void)close(fd);
		}
	}
	return n;
}

int fd_cloexec_from(int first)
{
	return sys_close_range((unsigned int)first, UINT_MAX, CLOSE_RANGE_CLOEXEC);
}

int fd_close_range(int first, int last)
{
	return sys_close_range((unsigned int)first, last < 0 ? UINT_MAX : (unsigned int)last, 0);
}

int fd_close_others(int first, int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a, r = 0;

	if (low >= first) {
		r = low > first ? fd_close_range(first, low - 1) : 0;
		first = low + 1;
	}
	if (r == 0 && high >= first) {
		r = high > first ? fd_close_range(first, high - 1) : 0;
		first = high + 1;
	}
	return r < 0 ? r : fd_close_range(first, -1);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with this clock */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int fd_wait(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t end = timeout_ms < 0 ? 0 : now_ms() + timeout_ms;
	int left = timeout_ms;

	for (;;) {
		int r = poll(&p, 1, left);

		if (r > 0)
			return 1;
		if (r == 0)
			return 0;
		if (errno != EINTR)
			return -errno;
		if (timeout_ms >= 0) {
			int64_t rest = end - now_ms();

			left = rest > 0 ? (int)rest : 0;
		}
	}
}

int fd_check_open(int first, unsigned int count, int *ret_missing)
{
	for (unsigned int i = 0; i < count; i++) {
		int fd = first + (int)i;

		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		*ret_missing = fd;
		return -EBADF;
	}
	return 0;
}
