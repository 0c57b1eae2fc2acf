/* SPDX-License-Identifier: Apache-2.0 */
/* The handshake: what is expected, what is not, what the peer tells, and its end. */
#include "runtime/handshake.h"

#include "base/fd.h"
#include "base/own.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static int pair[2];
static const enum hs_kind kinds[] = { HS_GO, HS_CONSOLE, HS_READY, HS_EXEC, HS_GATE };

static void setup(void)
{
	ck_assert_int_eq(hs_pair(pair, NULL), 0);
	ck_assert_int_eq(fcntl(pair[0], F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(pair[1], F_GETFD), FD_CLOEXEC);
}

static void teardown(void)
{
	close_fd(&pair[0]);
	close_fd(&pair[1]);
}

START_TEST(test_expected_and_not)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			struct err e = { 0 };

			ck_assert_int_eq(hs_send(pair[0], kinds[i], -EBADF, &e), 0);
			ck_assert_int_eq(hs_expect(pair[1], kinds[k], NULL, &e),
					 i == k ? 0 : -EPROTO);
		}
	}
}
END_TEST

START_TEST(test_message_names_both)
{
	struct err e = { 0 };

	ck_assert_int_eq(hs_send(pair[0], HS_READY, -EBADF, &e), 0);
	ck_assert_int_eq(hs_expect(pair[1], HS_GO, NULL, &e), -EPROTO);
	ck_assert_str_eq(e.msg, "expected 'go', received 'ready'");
	ck_assert_int_eq(hs_send(pair[0], (enum hs_kind)77, -EBADF, &e), 0);
	ck_assert_int_eq(hs_expect(pair[1], HS_GO, NULL, &e), -EPROTO);
	ck_assert_str_eq(e.msg, "expected 'go', received 'garbage'");
	ck_assert_int_eq(hs_send(pair[0], (enum hs_kind)0, -EBADF, &e), 0);
	ck_assert_int_eq(hs_expect_end(pair[1], &e), -EPROTO);
	ck_assert_str_eq(e.msg, "unexpected 'garbage'");
}
END_TEST

START_TEST(test_descriptor)
{
	own_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int got = -EBADF, first;

	ck_assert_int_eq(hs_send(pair[0], HS_CONSOLE, null, NULL), 0);
	ck_assert_int_eq(hs_expect(pair[1], HS_CONSOLE, &got, NULL), 0);
	ck_assert_int_ge(got, 0);
	ck_assert_int_eq(fcntl(got, F_GETFD), FD_CLOEXEC);
	first = got;
	close_fd(&got);
	/* Nobody asked for it, or it came with the wrong message: it is closed. */
	ck_assert_int_eq(hs_send(pair[0], HS_GO, null, NULL), 0);
	ck_assert_int_eq(hs_expect(pair[1], HS_GO, NULL, NULL), 0);
	ck_assert_int_eq(hs_send(pair[0], HS_GO, null, NULL), 0);
	ck_assert_int_eq(hs_expect(pair[1], HS_READY, &got, NULL), -EPROTO);
	ck_assert_int_eq(got, -EBADF);
	ck_assert_int_lt(fcntl(first, F_GETFD), 0);
	/* Without one, the slot says so. */
	ck_assert_int_eq(hs_send(pair[0], HS_GO, -EBADF, NULL), 0);
	ck_assert_int_eq(hs_expect(pair[1], HS_GO, &got, NULL), 0);
	ck_assert_int_eq(got, -EBADF);
}
END_TEST

START_TEST(test_error)
{
	struct err why = { 0 }, e = { 0 };

	err_set(&why, -ENOSPC, "mount '%s'", "/data");
	err_hint(&why, "free some");
	hs_send_error(pair[0], &why);
	ck_assert_int_eq(hs_expect(pair[1], HS_GO, NULL, &e), -ENOSPC);
	ck_assert_int_eq(e.code, -ENOSPC);
	ck_assert_str_eq(e.msg, why.msg);
	ck_assert_str_eq(e.hint, "free some");
	hs_send_error(pair[0], &why);
	ck_assert_int_eq(hs_expect_end(pair[1], &e), -ENOSPC);
	hs_send_error(pair[0], &why);
	ck_assert_int_eq(hs_either(pair[1], &e), -ENOSPC);
	hs_send_error(pair[0], &why);
	ck_assert_int_eq(hs_expect(pair[1], HS_GO, NULL, NULL), -ENOSPC);
}
END_TEST

START_TEST(test_hostile_error)
{
	struct err why = { .code = 5 }, e = { 0 };

	memset(why.msg, 'm', sizeof(why.msg)); /* without their ends */
	memset(why.hint, 'h', sizeof(why.hint));
	hs_send_error(pair[0], &why);
	ck_assert_int_eq(hs_expect(pair[1], HS_GO, NULL, &e), -EPROTO);
	ck_assert_uint_eq(strlen(e.msg), sizeof(e.msg) - 1);
	ck_assert_uint_eq(strlen(e.hint), sizeof(e.hint) - 1);
	ck_assert_int_eq(e.code, -EPROTO);
}
END_TEST

START_TEST(test_other_sizes)
{
	static const char bytes[4096];
	static const size_t sizes[] = { 1, 4, 100, sizeof(struct err), sizeof(struct err) + 5 };
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		ck_assert_int_eq(fd_send(pair[0], bytes, sizes[i], NULL, 0), 0);
		ck_assert_int_eq(hs_expect(pair[1], HS_GO, NULL, &e), -EPROTO);
	}
	ck_assert_int_eq(fd_send(pair[0], bytes, sizeof(bytes), NULL, 0), 0);
	ck_assert_int_eq(hs_expect(pair[1], HS_GO, NULL, &e), -EPROTO);
}
END_TEST

START_TEST(test_either)
{
	struct err e = { 0 };

	ck_assert_int_eq(hs_send(pair[0], HS_EXEC, -EBADF, NULL), 0);
	ck_assert_int_eq(hs_either(pair[1], &e), HS_EXEC);
	ck_assert_int_eq(hs_send(pair[0], HS_GATE, -EBADF, NULL), 0);
	ck_assert_int_eq(hs_either(pair[1], &e), HS_GATE);
	ck_assert_int_eq(hs_send(pair[0], HS_GO, -EBADF, NULL), 0);
	ck_assert_int_eq(hs_either(pair[1], &e), -EPROTO);
	ck_assert_str_eq(e.msg, "expected 'exec' or 'gate', received 'go'");
	close_fd(&pair[0]);
	ck_assert_int_eq(hs_either(pair[1], &e), -EPIPE);
}
END_TEST

START_TEST(test_end)
{
	struct err e = { 0 };

	ck_assert_int_eq(hs_send(pair[0], HS_READY, -EBADF, NULL), 0);
	close_fd(&pair[0]);
	ck_assert_int_eq(hs_expect(pair[1], HS_READY, NULL, &e), 0); /* sent before the end */
	ck_assert_int_eq(hs_expect_end(pair[1], &e), 0);
	ck_assert_int_eq(hs_expect(pair[1], HS_EXEC, NULL, &e), -EPIPE);
	ck_assert_str_eq(e.msg, "the other side ended before 'exec'");
	ck_assert_int_eq(hs_send(pair[1], HS_GO, -EBADF, &e), -EPIPE); /* and no SIGPIPE */
	hs_send_error(pair[1], &e);
}
END_TEST

/* A peer that dies with our message unread makes a reset of it, not an end. */
START_TEST(test_peer_is_killed)
{
	struct err e = { 0 };
	pid_t pid = fork();

	if (pid == 0) {
		(void)close(pair[1]);
		for (;;)
			(void)pause();
	}
	close_fd(&pair[0]);
	ck_assert_int_eq(hs_send(pair[1], HS_GO, -EBADF, NULL), 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(hs_expect(pair[1], HS_READY, NULL, &e), -EPIPE);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* After HS_EXEC the end of the channel is an execve that succeeded. */
START_TEST(test_end_by_exec)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		close_fd(&pair[1]);
		if (hs_send(pair[0], HS_READY, -EBADF, NULL) < 0 ||
		    hs_expect(pair[0], HS_EXEC, NULL, NULL) < 0)
			_exit(1);
		(void)execl("/bin/true", "true", (char *)NULL);
		_exit(2);
	}
	close_fd(&pair[0]);
	ck_assert_int_eq(hs_expect(pair[1], HS_READY, NULL, NULL), 0);
	ck_assert_int_eq(hs_send(pair[1], HS_EXEC, -EBADF, NULL), 0);
	ck_assert_int_eq(hs_expect_end(pair[1], NULL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handshake");
	TCase *tc = tcase_create("handshake");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_expected_and_not);
	tcase_add_test(tc, test_message_names_both);
	tcase_add_test(tc, test_descriptor);
	tcase_add_test(tc, test_error);
	tcase_add_test(tc, test_hostile_error);
	tcase_add_test(tc, test_other_sizes);
	tcase_add_test(tc, test_either);
	tcase_add_test(tc, test_end);
	tcase_add_test(tc, test_peer_is_killed);
	tcase_add_test(tc, test_end_by_exec);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
