/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A death at any point leaves nothing that undo does not find: a traced child runs net_apply() or
 * net_undo() and is killed at the k-th system call that changes anything, for every k, until it
 * gets through. Then net_undo() runs, and the host must be as it was. Needs root; see host.h.
 */
#include "host.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

/* Each pointless snapshot takes longer than the rest, so only these are stopping points. Nothing
 * else in netsetup changes the host. */
static bool changes_something(uint64_t number)
{
	switch (number) {
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_write:
	case SYS_openat:
	case SYS_rename:
	case SYS_renameat:
	case SYS_renameat2:
	case SYS_unlink:
	case SYS_unlinkat:
	case SYS_setns:
		return true;
	default:
		return false;
	}
}

enum victim { APPLY, UNDO };

/* Return: whether it got through without meeting its @k-th stop. */
static bool run_until(const struct guest *g, enum victim victim, int k)
{
	struct __ptrace_syscall_info info;
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct err e = { 0 };
		int r;

		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)raise(SIGSTOP);
		r = victim == APPLY ? net_apply(&g->net, record_dir, g->ns, &e)
				    : net_undo(&g->net, record_dir, &e);
		_exit(r < 0 ? 1 : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSTOPPED(status));
	(void)ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (;;) {
		ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			ck_assert_int_eq(WEXITSTATUS(status), 0);
			return true;
		}
		ck_assert_int_gt(
			(int)ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info), 0);
		if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !changes_something(info.entry.nr) ||
		    k-- > 0)
			continue;
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		return false;
	}
}

/* clang-format off */
static const struct {
	enum victim victim;
	enum net_mode mode;
	bool neighbour; /* another container uses the same things */
} sweeps[] = {
	{ APPLY, NET_BRIDGE, false },
	{ APPLY, NET_BRIDGE, true },
	{ APPLY, NET_ROUTED, false },
	{ UNDO, NET_BRIDGE, false },
	{ UNDO, NET_BRIDGE, true },
	{ UNDO, NET_ROUTED, true },
};
/* clang-format on */

START_TEST(killed_anywhere)
{
	const unsigned int flags = HOST | PEERS | OUTSIDE | NAT | GATEWAY;
	own_free char *before = NULL;
	struct guest a, b;
	bool through = false;
	int k;

	host_setup();
	sh("sysctl -qw net.ipv6.conf.up0.accept_ra=1");
	if (sweeps[_i].neighbour) {
		guest_init(&b, sweeps[_i].mode, "br0", 3, flags);
		guest_up(&b);
	}
	before = snapshot();
	for (k = 0; !through && k < 500; k++) {
		own_free char *after = NULL;

		guest_init(&a, sweeps[_i].mode, "br0", 2, flags);
		if (sweeps[_i].victim == UNDO)
			guest_up(&a);
		through = run_until(&a, sweeps[_i].victim, k);
		guest_down(&a);
		after = snapshot();
		same(before, after);
	}
	ck_assert(through);
	ck_assert_int_gt(k, 10);
	if (sweeps[_i].neighbour)
		expect_udp(b.ns, outside_ns, "192.0.2.2", NULL, NULL, ANSWERED);
	/* Not only undone: the next start works too. */
	guest_init(&a, sweeps[_i].mode, "br0", 2, flags);
	guest_up(&a);
	expect_udp(a.ns, outside_ns, "2001:db8:f::2", NULL, NULL, ANSWERED);
	guest_down(&a);
	host_teardown();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("crash");
	TCase *tc = tcase_create("crash");
	SRunner *sr;
	int failed;

	if (geteuid() != 0) {
		printf("skip: needs root to make network namespaces\n");
		return 0;
	}
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, killed_anywhere, 0, (int)ARRAY_SIZE(sweeps));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
