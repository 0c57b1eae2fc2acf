/* SPDX-License-Identifier: Apache-2.0 */
/* Scheduling as it is planned, and as the kernel then reports it. */
#include "runtime/process/sched.h"

#include "base/own.h"
#include "runtime/spec/spec.h"

#include <check.h>
#include <errno.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena arena;

static void teardown(void)
{
	arena_done(&arena);
}

/* clang-format off */
static const struct {
	struct spec_scheduler scheduler;
	const char *refused; /* the beginning of why; NULL: it is not */
} schedulers[] = {
	{ { .policy = SCHED_OTHER, .nice = 19 }, NULL },
	{ { .policy = SCHED_OTHER, .nice = -20 }, NULL },
	{ { .policy = SCHED_OTHER, .nice = 20 }, "process.scheduler.nice: 20 " },
	{ { .policy = SCHED_BATCH, .nice = -21 }, "process.scheduler.nice: -21 " },
	{ { .policy = SCHED_DEADLINE, .nice = 99, .runtime = { 1, true } }, NULL },
	{ { .policy = SCHED_OTHER, .priority = 1 }, "process.scheduler.priority: is of SCHED_FIFO" },
	{ { .policy = SCHED_FIFO, .priority = 1 }, NULL },
	{ { .policy = SCHED_RR, .priority = 99 }, NULL },
	{ { .policy = SCHED_RR, .priority = 100 }, "process.scheduler.priority: 100 " },
	{ { .policy = SCHED_FIFO }, "process.scheduler.priority: 0 " },
	{ { .policy = SCHED_FIFO, .priority = -1 }, "process.scheduler.priority: -1 " },
	{ { .policy = SCHED_IDLE, .deadline = { 5, true } }, "process.scheduler: runtime, deadline" },
	{ { .policy = SCHED_OTHER, .period = { 0, true } }, NULL },
};

static const struct {
	const char *mode, *nodes, *flag, *flag2;
	const char *refused;
} memories[] = {
	{ "MPOL_DEFAULT",	       NULL,   NULL, NULL, NULL },
	{ "MPOL_DEFAULT",	       "",     NULL, NULL, NULL },
	{ "MPOL_DEFAULT",	       "0-7",  NULL, NULL, "linux.memoryPolicy.nodes: the mode requires 0 nodes but got 8" },
	{ "MPOL_LOCAL",	       "0",    NULL, NULL, "linux.memoryPolicy.nodes: the mode requires 0 nodes but got 1" },
	{ "MPOL_BIND",	       NULL,   NULL, NULL, "linux.memoryPolicy.nodes: the mode requires at least one" },
	{ "MPOL_INTERLEAVE",     "",     NULL, NULL, "linux.memoryPolicy.nodes: the mode requires at least one" },
	{ "MPOL_PREFERRED",      NULL,   NULL, NULL, NULL },
	{ "MPOL_BIND",	       "0-9876543210", NULL, NULL, "linux.memoryPolicy.nodes: invalid memory policy nodes: '0-9876543210'" },
	{ "MPOL_BIND",	       "1024", NULL, NULL, "linux.memoryPolicy.nodes: invalid memory policy nodes: '1024'" },
	{ "MPOL_BIND",	       "1023", "MPOL_F_STATIC_NODES", NULL, NULL },
	{ "MPOL_BIND",	       "0",    "MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES", "linux.memoryPolicy.flags: " },
	{ NULL, "0", NULL, NULL, "linux.memoryPolicy.mode: invalid memory policy mode ''" },
	{ "INTERLEAVE", "0", NULL, NULL, "linux.memoryPolicy.mode: invalid memory policy mode 'INTERLEAVE'" },
	{ "MPOL_BIND", "0", "badflag", NULL, "linux.memoryPolicy.flags[0]: invalid memory policy flag 'badflag'" },
};
/* clang-format on */

static void check_outcome(int r, const struct err *e, const char *refused)
{
	ck_assert_msg(r == (refused ? -EINVAL : 0), "%d: %s", r, e->msg);
	if (refused)
		ck_assert_msg(strncmp(e->msg, refused, strlen(refused)) == 0, "%s", e->msg);
}

START_TEST(test_schedulers)
{
	struct spec_scheduler scheduler = schedulers[_i].scheduler;
	struct spec_process p = { .scheduler = &scheduler };
	struct sched s = { 0 };
	struct err e = { 0 };

	check_outcome(sched_plan(&p, NULL, &arena, &s, &e), &e, schedulers[_i].refused);
}
END_TEST

START_TEST(test_memories)
{
	char *flags[] = { (char *)(uintptr_t)memories[_i].flag,
			  (char *)(uintptr_t)memories[_i].flag2 };
	struct spec_memory_policy m = {
		.mode = (char *)(uintptr_t)memories[_i].mode,
		.nodes = (char *)(uintptr_t)memories[_i].nodes,
		.flags = { .v = flags, .n = (size_t) !!flags[0] + (size_t) !!flags[1] },
	};
	struct spec_process p = { .terminal = false };
	struct sched s = { 0 };
	struct err e = { 0 };

	check_outcome(sched_plan(&p, &m, &arena, &s, &e), &e, memories[_i].refused);
	if (!memories[_i].refused && flags[0])
		ck_assert_int_eq(s.memory_mode, MPOL_BIND | MPOL_F_STATIC_NODES);
}
END_TEST

START_TEST(test_others)
{
	static char bad[] = "0-", one[] = "1";
	struct spec_io_priority io = { .class = IOPRIO_CLASS_BE, .priority = 8 };
	struct spec_exec_cpu_affinity cpus = { .initial = one, .final = bad };
	struct spec_process p = { .io_priority = &io };
	struct sched s = { 0 };
	struct err e = { 0 };

	check_outcome(sched_plan(&p, NULL, &arena, &s, &e), &e, "process.ioPriority.priority: 8 ");
	io.priority = 4;
	p.exec_cpu_affinity = &cpus;
	check_outcome(sched_plan(&p, NULL, &arena, &s, &e), &e,
		      "process.execCPUAffinity.final: '0-' ");
	cpus.final = NULL;
	check_outcome(sched_plan(&p, NULL, &arena, &s, &e), &e, NULL);
	ck_assert_int_eq(s.io_priority, 2 << 13 | 4);
	ck_assert_uint_eq(s.cpus_initial[0], 2);
	ck_assert_ptr_null(s.cpus_final);
	ck_assert_ptr_null(s.attr);
	ck_assert(!s.has_memory);
}
END_TEST

/* Exit status of a child: 0 when the kernel says that everything is as planned. */
static int applied(const struct sched *s)
{
	unsigned long nodes[SCHED_NODES / (8 * sizeof(unsigned long))] = { 0 };
	struct err e = { 0 };
	int mode = -1;

	if (sched_apply(s, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	if (sched_getscheduler(0) != SCHED_BATCH || syscall(SYS_getpriority, 0, 0) != 20 - 7)
		return 2;
	if (syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) != (3 << 13 | 0))
		return 3;
	if (syscall(SYS_get_mempolicy, &mode, nodes, SCHED_NODES + 1, NULL, 0) < 0)
		return errno == ENOSYS ? 0 : 4;
	return mode == (MPOL_INTERLEAVE | MPOL_F_STATIC_NODES) && nodes[0] == 1 ? 0 : 5;
}

START_TEST(test_apply)
{
	static char zero[] = "0", flag[] = "MPOL_F_STATIC_NODES", mode[] = "MPOL_INTERLEAVE";
	char *flags[] = { flag };
	struct spec_scheduler scheduler = { .policy = SCHED_BATCH, .nice = 7 };
	struct spec_io_priority io = { .class = IOPRIO_CLASS_IDLE };
	struct spec_memory_policy memory = { .mode = mode, .nodes = zero, .flags = { flags, 1 } };
	struct spec_process p = { .scheduler = &scheduler, .io_priority = &io };
	struct sched s = { 0 };
	int status;
	pid_t pid;

	ck_assert_int_eq(sched_plan(&p, &memory, &arena, &s, NULL), 0);
	pid = fork();
	if (pid == 0)
		_exit(applied(&s));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* Bound to one CPU, then free again. */
START_TEST(test_cpus)
{
	unsigned long first[SCHED_CPUS / (8 * sizeof(unsigned long))] = { 1 };
	cpu_set_t before, now;
	struct err e = { 0 };
	int r;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(before), &before), 0);
	if (!CPU_ISSET(0, &before))
		return;
	r = sched_set_cpus(first, &e);
	ck_assert_msg(r == 0, "%s", e.msg);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(now), &now), 0);
	ck_assert_int_eq(CPU_COUNT(&now), 1);
	ck_assert_int_eq(sched_set_cpus(NULL, &e), 0);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(now), &now), 0);
	ck_assert_int_ge(CPU_COUNT(&now), CPU_COUNT(&before));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sched");
	TCase *tcase = tcase_create("sched");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_loop_test(tcase, test_schedulers, 0, (int)ARRAY_SIZE(schedulers));
	tcase_add_loop_test(tcase, test_memories, 0, (int)ARRAY_SIZE(memories));
	tcase_add_test(tcase, test_others);
	tcase_add_test(tcase, test_apply);
	tcase_add_test(tcase, test_cpus);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
