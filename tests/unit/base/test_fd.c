/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: whole reads and writes, passing with all miscounts, waiting. */
#include "base/fd.h"

#include "base/own.h"

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

static int pair[2];

static void setup(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void teardown(void)
{
	close_fd(&pair[0]);
	close_fd(&pair[1]);
}

static int open_count(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(test_send_and_receive)
{
	const int n = _i;
	int fds[9], got[9], before;
	char buf[16];

	before = open_count();
	for (int i = 0; i < n; i++) {
		fds[i] = open("/dev/null", O_RDONLY);
		ck_assert_int_ge(fds[i], 0);
	}
	ck_assert_int_eq(fd_send(pair[0], "hello", 5, fds, (size_t)n), 0);
	for (int i = 0; i < n; i++)
		(void)close(fds[i]);
	ck_assert_int_eq(fd_recv(pair[1], buf, sizeof(buf), got, 9), 5);
	ck_assert_int_eq(memcmp(buf, "hello", 5), 0);
	for (int i = 0; i < 9; i++) {
		if (i < n)
			ck_assert_int_eq(fcntl(got[i], F_GETFD), FD_CLOEXEC);
		else
			ck_assert_int_eq(got[i], -EBADF);
		close_fd(&got[i]);
	}
	ck_assert_int_eq(open_count(), before);
}
END_TEST

START_TEST(test_more_than_expected)
{
	const int fds[8] = { 0, 1, 2, 0, 1, 2, 0, 1 };
	int got[3], before = open_count();
	char buf[16];

	for (size_t room = 0; room <= 3; room++) {
		ck_assert_int_eq(fd_send(pair[0], "x", 1, fds, 8), 0);
		ck_assert_int_eq(fd_recv(pair[1], buf, sizeof(buf), got, room), 1);
		ck_assert_int_eq(open_count(), before + (int)room);
		for (size_t i = 0; i < room; i++)
			(void)close(got[i]);
	}
	ck_assert_int_eq(open_count(), before);
}
END_TEST

/* A foreign sender's message may hold more than fd_send() ever sends. */
START_TEST(test_more_than_the_buffer)
{
	enum { MANY = 50 };
	union {
		char space[CMSG_SPACE(sizeof(int) * MANY)];
		struct cmsghdr align;
	} control = { .space = "" };
	char byte = 'x', buf[4];
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.space,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int got[8], before = open_count();

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * MANY);
	ck_assert_int_eq(sendmsg(pair[0], &msg, 0), 1); /* fifty times descriptor 0 */
	ck_assert_int_eq(fd_recv(pair[1], buf, sizeof(buf), got, 8), 1);
	ck_assert_int_eq(open_count(), before + 8);
	for (int i = 0; i < 8; i++)
		close_fd(&got[i]);
}
END_TEST

START_TEST(test_send_refuses)
{
	const int fds[9] = { 0 }, bad[1] = { -EBADF };
	char buf[4];

	ck_assert_int_eq(fd_send(pair[0], "x", 1, fds, 9), -EINVAL);
	ck_assert_int_eq(fd_send(pair[0], "x", 1, bad, 1), -EBADF);
	ck_assert_int_eq(fd_send(-EBADF, "x", 1, NULL, 0), -EBADF);
	ck_assert_int_eq(fd_recv(-EBADF, buf, sizeof(buf), NULL, 0), -EBADF);
	close_fd(&pair[0]);
	ck_assert_int_eq(fd_recv(pair[1], buf, sizeof(buf), NULL, 0), 0);
	ck_assert_int_eq(fd_send(pair[1], "x", 1, NULL, 0), -EPIPE);
}
END_TEST

START_TEST(test_whole_through_a_pipe)
{
	static char out[1 << 20], in[1 << 20];
	int pipes[2], status;
	pid_t pid;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 31 >> 3);
	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		_exit(fd_write_all(pipes[1], out, sizeof(out)) == 0 ? 0 : 1);
	(void)close(pipes[1]);
	ck_assert_int_eq(fd_read_all(pipes[0], in, 1000), 1000); /* no more than asked for */
	ck_assert_int_eq(fd_read_all(pipes[0], in + 1000, sizeof(in)), sizeof(in) - 1000);
	ck_assert_int_eq(memcmp(in, out, sizeof(in)), 0);
	ck_assert_int_eq(fd_read_all(pipes[0], in, 10), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	(void)close(pipes[0]);
}
END_TEST

START_TEST(test_write_errors)
{
	own_fd int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	own_fd int reader = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char c;

	ck_assert_int_eq(fd_write_all(full, "x", 1), -ENOSPC);
	ck_assert_int_eq(fd_write_all(full, "x", 0), 0);
	ck_assert_int_eq(fd_write_all(reader, "x", 1), -EBADF);
	ck_assert_int_eq(fd_read_all(-EBADF, &c, 1), -EBADF);
}
END_TEST

START_TEST(test_cloexec_and_close)
{
	struct rlimit files = { .rlim_cur = 512, .rlim_max = 512 };
	int base;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	base = fcntl(0, F_DUPFD, 100);
	ck_assert_int_ge(base, 100);
	for (int i = 1; i < 10; i++)
		ck_assert_int_ge(dup2(0, base + i), 0);
	ck_assert_int_eq(fd_cloexec_from(base + 5), 0);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(fcntl(base + i, F_GETFD), i < 5 ? 0 : FD_CLOEXEC);
	ck_assert_int_eq(fd_close_range(base + 2, base + 3), 0);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(fcntl(base + i, F_GETFD) >= 0, i != 2 && i != 3);
	ck_assert_int_eq(fd_close_range(base, -1), 0);
	for (int i = 0; i < 10; i++)
		ck_assert_int_lt(fcntl(base + i, F_GETFD), 0);
	ck_assert_int_eq(fd_close_range(10, 9), -EINVAL);
}
END_TEST

static void nothing(int sig)
{
	(void)sig;
}

static long long now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

START_TEST(test_wait)
{
	long long start;

	ck_assert_int_eq(fd_wait(pair[1], 0), 0);
	start = now_ms();
	ck_assert_int_eq(fd_wait(pair[1], 50), 0);
	ck_assert_int_ge(now_ms() - start, 49);
	ck_assert_int_eq(fd_send(pair[0], "x", 1, NULL, 0), 0);
	ck_assert_int_eq(fd_wait(pair[1], 0), 1);
	ck_assert_int_eq(fd_wait(pair[1], -1), 1);
	close_fd(&pair[0]);
	ck_assert_int_eq(fd_wait(pair[1], -1), 1); /* its end counts as readable */
}
END_TEST

START_TEST(test_wait_over_signals)
{
	const struct sigaction action = { .sa_handler = nothing }; /* without SA_RESTART */
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct itimerspec each = { .it_interval.tv_nsec = 5000000, .it_value.tv_nsec = 5000000 };
	timer_t timer;
	long long start;

	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	ck_assert_int_eq(timer_settime(timer, 0, &each, NULL), 0);
	start = now_ms();
	ck_assert_int_eq(fd_wait(pair[1], 100), 0);
	ck_assert_int_ge(now_ms() - start, 99);
	ck_assert_int_eq(timer_delete(timer), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fd");
	TCase *tc = tcase_create("fd");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, test_send_and_receive, 0, 9);
	tcase_add_test(tc, test_more_than_expected);
	tcase_add_test(tc, test_more_than_the_buffer);
	tcase_add_test(tc, test_send_refuses);
	tcase_add_test(tc, test_whole_through_a_pipe);
	tcase_add_test(tc, test_write_errors);
	tcase_add_test(tc, test_cloexec_and_close);
	tcase_add_test(tc, test_wait);
	tcase_add_test(tc, test_wait_over_signals);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
