/* SPDX-License-Identifier: Apache-2.0 */
/* An ordinary user's namespaces: its own id mapped, entered by an usher. Needs root, to leave it.
 */
#include "base/own.h"
#include "base/proc.h"
#include "namespaces/ns_internal.h"

#include <check.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { SOMEBODY = 61234, FINE = 42 };

START_TEST(own_id)
{
	const struct id_map own = { 0, 1000, 1 }, range = { 0, 1000, 2 };
	const struct id_map two[] = { { 0, 1000, 1 }, { 1, 100000, 10 } };

	ck_assert(idmap_is_own(&own, 1, 1000));
	ck_assert(!idmap_is_own(&own, 1, 1001));
	ck_assert(!idmap_is_own(&range, 1, 1000));
	ck_assert(!idmap_is_own(two, 2, 1000));
	ck_assert(!idmap_is_own(NULL, 0, 1000));
}
END_TEST

START_TEST(maps_as_the_kernel_shows_them)
{
	const struct id_map maps[] = { { 0, 1000, 1 }, { 1, 100000, 65536 } };

	ck_assert(idmap_is("         0       1000          1\n"
			   "         1     100000      65536",
			   maps, 2));
	ck_assert(idmap_is("1 100000 65536\n0 1000 1\n", maps, 2));
	ck_assert(!idmap_is("0 1000 1\n", maps, 2));
	ck_assert(!idmap_is("0 1000 1\n1 100000 65536\n70000 1 1\n", maps, 2));
	ck_assert(!idmap_is("0 1001 1\n1 100000 65536\n", maps, 2));
	ck_assert(!idmap_is("", maps, 2));
	ck_assert(idmap_is("", maps, 0));
}
END_TEST

/* What the failure says, or what the new init saw. */
static int spawn(uint32_t mapped, struct err *e)
{
	const struct id_map map = { 0, mapped, 1 };
	const struct ns_set set = {
		.create = { [NS_USER] = true, [NS_PID] = true, [NS_MOUNT] = true, [NS_NET] = true },
		.uid_maps = &map,
		.gid_maps = &map,
		.uid_map_count = 1,
		.gid_map_count = 1,
		.usher = true,
	};
	own_ns_join struct ns_join join;
	own_fd int pidfd = -EBADF;
	int r = ns_join_open(&set, &join, e);
	pid_t pid;

	if (r < 0)
		return r;
	pid = ns_spawn(&set, &join, -EBADF, &pidfd, e);
	if (pid == 0)
		_exit(getpid() == 1 && getuid() == 0 && ns_enter(&join, e) == 0 ? FINE : 1);
	if (pid < 0)
		return pid;
	return proc_pid_of(pidfd) == pid ? proc_wait_exit(pidfd) : -ECHILD;
}

static int in_child(uint32_t mapped)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct err e = { 0 };
		int r;

		if (setresgid(SOMEBODY, SOMEBODY, SOMEBODY) < 0 ||
		    setresuid(SOMEBODY, SOMEBODY, SOMEBODY) < 0 ||
		    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) /* as execve(2) would make it */
			_exit(2);
		r = spawn(mapped, &e);
		if (r < 0)
			(void)fprintf(stderr, "%s (%s)\n", e.msg, e.hint);
		_exit(r < 0 ? 3 : r);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(waitpid(-1, &status, 0), -1); /* the usher was waited for */
	return WEXITSTATUS(status);
}

START_TEST(leads_to_a_sibling)
{
	if (geteuid() == 0)
		ck_assert_int_eq(in_child(SOMEBODY), FINE);
}
END_TEST

START_TEST(foreign_id_is_refused)
{
	if (geteuid() == 0)
		ck_assert_int_eq(in_child(0), 3);
}
END_TEST

START_TEST(pid_of_no_pidfd)
{
	ck_assert_int_eq(proc_pid_of(0), -EBADF);
	ck_assert_int_lt(proc_pid_of(-1), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("namespaces/usher");
	TCase *tc = tcase_create("usher");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, own_id);
	tcase_add_test(tc, maps_as_the_kernel_shows_them);
	tcase_add_test(tc, leads_to_a_sibling);
	tcase_add_test(tc, foreign_id_is_refused);
	tcase_add_test(tc, pid_of_no_pidfd);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
