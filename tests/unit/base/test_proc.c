/* SPDX-License-Identifier: Apache-2.0 */
/* Processes: that it is the same one, that it has ended, and how. */
#include "base/proc.h"

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"

#include <check.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* A child that waits to be killed; its pidfd is at @ret_pidfd. */
static pid_t sleeper(int *ret_pidfd, const char *name)
{
	pid_t pid = sys_clone3(&(struct clone_args){ .flags = CLONE_PIDFD,
						     .pidfd = (uint64_t)(uintptr_t)ret_pidfd,
						     .exit_signal = SIGCHLD });

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		(void)prctl(PR_SET_NAME, name, 0, 0, 0);
		if (name[0]) /* tell that the name is set */
			(void)kill(getpid(), SIGSTOP);
		for (;;)
			(void)pause();
	}
	ck_assert_int_gt(pid, 0);
	if (name[0])
		ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
	return pid;
}

START_TEST(test_identity)
{
	struct proc_id self, again, child = { 0 };
	own_fd int pidfd = -EBADF, opened = -EBADF;
	pid_t pid;

	ck_assert_int_eq(proc_identify(getpid(), &self), 0);
	ck_assert_int_eq(proc_identify(getpid(), &again), 0);
	ck_assert_int_eq(self.pid, getpid());
	ck_assert_uint_eq(self.starttime, again.starttime);
	ck_assert_uint_gt(self.starttime, 0);
	pid = sleeper(&pidfd, "");
	ck_assert_int_eq(proc_identify(pid, &child), 0);
	ck_assert_uint_ge(child.starttime, self.starttime);
	opened = proc_open(&child);
	ck_assert_int_ge(opened, 0);
	ck_assert_int_eq(fcntl(opened, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(proc_signal(opened, 0), 0);
	/* Its pid, and another start: a later process with the same number. */
	child.starttime++;
	ck_assert_int_eq(proc_open(&child), -ESRCH);
	child.starttime -= 2;
	ck_assert_int_eq(proc_open(&child), -ESRCH);
	child.starttime++;
	/* A zombie has exited, though its pid is taken. */
	ck_assert_int_eq(proc_signal(opened, SIGKILL), 0);
	ck_assert_int_eq(fd_wait(opened, -1), 1);
	ck_assert_int_eq(proc_open(&child), -ESRCH);
	ck_assert_int_eq(proc_wait_exit(pidfd), 128 + SIGKILL);
	ck_assert_int_eq(proc_open(&child), -ESRCH);
	ck_assert_int_eq(proc_identify(pid, &child), -ESRCH);
	ck_assert_int_eq(proc_signal(opened, 0), -ESRCH);
}
END_TEST

START_TEST(test_nobody)
{
	static const pid_t pids[] = { 0, -1, 4194305, INT32_MAX, INT32_MIN };

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		struct proc_id id = { .pid = 17, .starttime = 18 };

		ck_assert_int_eq(proc_identify(pids[i], &id), -ESRCH);
		ck_assert_int_eq(id.pid, 17);
		ck_assert_uint_eq(id.starttime, 18);
		id.pid = pids[i];
		ck_assert_int_eq(proc_open(&id), -ESRCH);
	}
	ck_assert_int_eq(proc_signal(-EBADF, 0), -EBADF);
}
END_TEST

static void *run_thread(void *arg)
{
	*(pid_t *)arg = gettid();
	(void)pause();
	return NULL;
}

/* clang-format off */
static const char *const hostile_names[] = {
	") R 1 1", "((((", "a) Z 0 0 0 0 0", "\n) S", "))))))))))))))", " ",
};
/* clang-format on */

START_TEST(test_hostile_names)
{
	own_fd int pidfd = -EBADF, opened = -EBADF;
	struct proc_id plain, named;
	pid_t pid = sleeper(&pidfd, hostile_names[_i]);

	ck_assert_int_eq(proc_identify(getpid(), &plain), 0);
	ck_assert_int_eq(proc_identify(pid, &named), 0);
	ck_assert_uint_ge(named.starttime, plain.starttime);
	ck_assert_uint_lt(named.starttime - plain.starttime, 100000);
	opened = proc_open(&named);
	ck_assert_int_ge(opened, 0);
	ck_assert_int_eq(proc_signal(pidfd, SIGKILL), 0);
	ck_assert_int_eq(proc_wait_exit(pidfd), 128 + SIGKILL);
}
END_TEST

START_TEST(test_thread_is_no_process)
{
	_Atomic pid_t tid = 0;
	struct proc_id id;
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, run_thread, (void *)(uintptr_t)&tid), 0);
	while (!tid)
		(void)sched_yield();
	/* Whatever /proc says of a thread's id, no pidfd comes of it. */
	if (proc_identify(tid, &id) == 0)
		ck_assert_int_lt(proc_open(&id), 0);
	(void)pthread_cancel(thread);
	(void)pthread_join(thread, NULL);
}
END_TEST

START_TEST(test_boot_id)
{
	char buf[37], again[64], small[36];

	ck_assert_int_eq(proc_boot_id(buf, sizeof(buf)), 0);
	ck_assert_uint_eq(strlen(buf), 36);
	ck_assert_int_eq(proc_boot_id(again, sizeof(again)), 0);
	ck_assert_str_eq(again, buf);
	ck_assert_int_eq(proc_boot_id(small, sizeof(small)), -EFBIG);
}
END_TEST

/* clang-format off */
static const struct {
	int code, sig; /* exits with code, or dies of sig */
	int status;
} ends[] = {
	{ 0, 0, 0 }, { 1, 0, 1 }, { 127, 0, 127 }, { 255, 0, 255 }, { 256, 0, 0 },
	{ 0, SIGKILL, 137 }, { 0, SIGTERM, 143 }, { 0, SIGSEGV, 139 },
};
/* clang-format on */

START_TEST(test_wait_exit)
{
	own_fd int pidfd = -EBADF;
	pid_t pid = sys_clone3(&(struct clone_args){ .flags = CLONE_PIDFD,
						     .pidfd = (uint64_t)(uintptr_t)&pidfd,
						     .exit_signal = SIGCHLD });
	int info;

	if (pid == 0) {
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* no core file of the test */
		if (ends[_i].sig) {
			(void)signal(ends[_i].sig, SIG_DFL);
			(void)kill(getpid(), ends[_i].sig);
		}
		_exit(ends[_i].code);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(proc_wait_exit(pidfd), ends[_i].status);
	ck_assert_int_eq(proc_wait_exit(pidfd), -ECHILD);
	info = proc_exit_info(pidfd);
	if (info != -EOPNOTSUPP)
		ck_assert_int_eq(info, ends[_i].status);
}
END_TEST

START_TEST(test_exit_info_while_running)
{
	own_fd int pidfd = -EBADF, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int info;

	(void)sleeper(&pidfd, "");
	info = proc_exit_info(pidfd);
	ck_assert_msg(info == -EAGAIN || info == -EOPNOTSUPP, "%d", info);
	ck_assert_int_eq(proc_exit_info(null), -EOPNOTSUPP);
	ck_assert_int_eq(proc_exit_info(-EBADF), -EBADF);
	ck_assert_int_eq(proc_signal(pidfd, SIGKILL), 0);
	ck_assert_int_eq(proc_wait_exit(pidfd), 128 + SIGKILL);
}
END_TEST

START_TEST(test_stranger)
{
	own_fd int pidfd = sys_pidfd_open(getppid(), 0);

	ck_assert_int_ge(pidfd, 0);
	ck_assert_int_eq(proc_wait_exit(pidfd), -ECHILD);
}
END_TEST

/* A child that has a child of its own, both of which wait to be killed. @flags: for clone3. */
static pid_t parent(uint64_t flags, int *ret_pidfd, pid_t *ret_child)
{
	int pair[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
	pid = sys_clone3(&(struct clone_args){ .flags = CLONE_PIDFD | flags,
					       .pidfd = (uint64_t)(uintptr_t)ret_pidfd,
					       .exit_signal = SIGCHLD });
	if (pid == 0) {
		pid_t child = fork();

		if (child != 0)
			(void)!write(pair[1], &child, sizeof(child));
		for (;;)
			(void)pause();
	}
	if (pid < 0)
		return pid;
	ck_assert_int_eq(read(pair[0], ret_child, sizeof(*ret_child)), sizeof(*ret_child));
	(void)close(pair[0]);
	(void)close(pair[1]);
	return pid;
}

START_TEST(test_family)
{
	own_arena struct arena arena = { 0 };
	own_fd int pidfd = -EBADF, init = -EBADF;
	pid_t child, inside, pid = parent(0, &pidfd, &child), *pids;
	size_t count;

	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(proc_family(pid, &arena, &pids, &count), 0);
	ck_assert_uint_eq(count, 2);
	ck_assert(pids[0] < pids[1]);
	ck_assert(pids[0] == pid || pids[1] == pid);
	ck_assert(pids[0] == child || pids[1] == child);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(proc_signal(pidfd, SIGKILL), 0);
	ck_assert_int_eq(proc_wait_exit(pidfd), 128 + SIGKILL);
	ck_assert_int_eq(proc_family(pid, &arena, &pids, &count), -ESRCH);

	pid = parent(CLONE_NEWPID, &init, &inside);
	if (pid == -EPERM)
		return; /* needs root */
	ck_assert_int_eq(inside, 2);
	ck_assert_int_eq(proc_family(pid, &arena, &pids, &count), 0);
	ck_assert_uint_eq(count, 2);
	ck_assert(pids[0] == pid || pids[1] == pid);
	ck_assert_int_eq(proc_signal(init, SIGKILL), 0);
	ck_assert_int_eq(proc_wait_exit(init), 128 + SIGKILL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proc");
	TCase *tc = tcase_create("proc");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, test_identity);
	tcase_add_test(tc, test_nobody);
	tcase_add_loop_test(tc, test_hostile_names, 0, (int)ARRAY_SIZE(hostile_names));
	tcase_add_test(tc, test_thread_is_no_process);
	tcase_add_test(tc, test_boot_id);
	tcase_add_loop_test(tc, test_wait_exit, 0, (int)ARRAY_SIZE(ends));
	tcase_add_test(tc, test_exit_info_while_running);
	tcase_add_test(tc, test_stranger);
	tcase_add_test(tc, test_family);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
