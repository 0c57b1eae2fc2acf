/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups on the running kernel, in whatever layout this host has. Needs root and a cgroup2 that
 * takes new groups; says why it skips otherwise. Everything lives beneath /hctest-PID and the
 * groups that exist afterwards are compared with those before.
 */
#include "base/file.h"
#include "base/own.h"
#include "base/sys.h"
#include "cgroups/cg_internal.h"

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define MIB ((uint64_t)1 << 20)
#define SET(x)                        \
	{                             \
		.v = (x), .set = true \
	}

static struct arena arena;
static const struct cg_layout *layout;
static char base[64]; /* "/hctest-PID" */

#define ok(call)                                                       \
	do {                                                           \
		struct err e = { 0 };                                  \
		int r_ = (call);                                       \
		ck_assert_msg(r_ >= 0, "%s: %d %s", #call, r_, e.msg); \
	} while (0)

static char *in_base(const char *name)
{
	return arena_printf(&arena, "%s/%s", base, name);
}

static void wait_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A child that runs @main in the group @path, and has entered it when this returns. */
static pid_t spawn(const char *path, int (*child_main)(void *), void *arg)
{
	int gate[2];
	pid_t pid;
	char go;

	ck_assert_int_eq(pipe2(gate, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(gate[1]);
		if (read(gate[0], &go, 1) < 0)
			_exit(99);
		_exit(child_main(arg));
	}
	close(gate[0]);
	ok(cg_join(layout, path, pid, &e));
	close(gate[1]);
	return pid;
}

static int reap(pid_t pid)
{
	int status = 0;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int idle_main(void *arg)
{
	(void)arg;
	while (pause() < 0)
		;
	return 0;
}

/* What file says in @path's group of @controller. */
static char *knob(enum cg_controller controller, const char *path, const char *file)
{
	own_fd int dir = tree_open(layout_hier(layout, controller), path);
	char *text = arena_alloc(&arena, 4096);
	ssize_t n = file_read(dir, file, text, 4096);

	ck_assert_msg(n >= 0, "%s/%s: %zd", path, file, n);
	return text;
}

static bool has_knob(enum cg_controller controller, const char *path, const char *file)
{
	own_fd int dir = tree_open(layout_hier(layout, controller), path);

	return dir >= 0 && faccessat(dir, file, F_OK, 0) == 0;
}

static void end(const char *path, pid_t pid)
{
	ok(cg_kill(layout, path, &e));
	if (pid > 0)
		(void)reap(pid);
	ok(cg_wait_empty(layout, path, 5000, &e));
	ok(cg_remove(layout, path, &e));
}

START_TEST(create_and_remove)
{
	const char *path = in_base("a/b/c");
	own_fd int dir = -EBADF;

	ok(cg_create(layout, path, &e));
	ok(cg_create(layout, path, &e)); /* idempotent */
	dir = cg_open(layout, path, NULL);
	ck_assert_int_ge(dir, 0);
	for (size_t i = 0; i < layout->count; i++) {
		own_fd int at = tree_open(&layout->hiers[i], path);

		ck_assert_int_ge(at, 0);
	}
	ok(cg_remove(layout, path, &e));
	ok(cg_remove(layout, path, &e)); /* not there: fine */
	ck_assert_int_eq(cg_open(layout, base, NULL), -ENOENT);
	ok(cg_kill(layout, path, &e));
	ok(cg_wait_empty(layout, path, 0, &e));
	ck_assert_int_eq(cg_create(layout, "/hctest/../x", NULL), -EINVAL);
}
END_TEST

START_TEST(clone_into)
{
	const char *path = in_base("clone");
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	own_fd int dir = -EBADF;
	size_t count;
	pid_t pid, *pids;

	ok(cg_create(layout, path, &e));
	dir = cg_open(layout, path, NULL);
	args.cgroup = (unsigned int)dir;
	pid = sys_clone3(&args);
	if (pid == 0)
		_exit(idle_main(NULL));
	ck_assert_int_gt(pid, 0);
	ok(cg_join_v1(layout, path, pid, &e));
	ok(cg_pids(layout, path, &arena, &pids, &count, &e));
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(pids[0], pid);
	if (!cg_is_v2(layout, CG_MEMORY))
		ck_assert_int_eq(atoi(knob(CG_MEMORY, path, "cgroup.procs")), pid);
	/* A group in use is neither created again nor removed. */
	ck_assert_int_eq(cg_create(layout, path, NULL), -EBUSY);
	ck_assert_int_eq(cg_remove(layout, path, NULL), -EBUSY);
	ck_assert_int_eq(cg_wait_empty(layout, path, 20, NULL), -ETIMEDOUT);
	end(path, pid);
}
END_TEST

/* Through the door: in every hierarchy at once, with the parent's rights and not the child's. */
START_TEST(through_the_door)
{
	const char *path = in_base("door");
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	struct cg_door door;
	own_fd int dir = -EBADF;
	pid_t pid;

	ck_assert_int_eq(cg_door_open(layout, path, &door, NULL), layout->count > 1 ? -ENOENT : 0);
	ok(cg_create(layout, path, &e));
	ok(cg_door_open(layout, path, &door, &e));
	dir = cg_open(layout, path, NULL);
	args.cgroup = (unsigned int)dir;
	pid = sys_clone3(&args);
	if (pid == 0) {
		if (setresuid(12345, 12345, 12345) < 0 || cg_door_enter(&door) < 0)
			_exit(1);
		_exit(raise(SIGSTOP));
	}
	ck_assert_int_gt(pid, 0);
	cg_door_close(&door);
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
	for (size_t i = 0; i < layout->count; i++) {
		own_fd int at = tree_open(&layout->hiers[i], path);
		char text[32];

		ck_assert_int_gt(file_read(at, "cgroup.procs", text, sizeof(text)), 0);
		ck_assert_int_eq(atoi(text), pid);
	}
	end(path, pid);
}
END_TEST

START_TEST(limits_read_back)
{
	const char *path = in_base("limits");
	bool v2 = cg_is_v2(layout, CG_MEMORY);
	struct cg_resources res = {
		.memory_max_bytes = SET(64 * MIB),
		.cpu_weight = SET(100),
		.cpu_quota_us = SET(50000),
		.cpu_period_us = SET(100000),
		.pids_max = SET(33),
		.descendants_max = SET(7),
		.depth_max = SET(3),
	};
	char cpus[] = "0";

	res.cpuset_cpus = cpus;
	ok(cg_check(layout, &res, &e));
	ok(cg_create(layout, path, &e));
	ok(cg_apply(layout, path, &res, &e));
	ck_assert_str_eq(knob(CG_MEMORY, path, v2 ? "memory.max" : "memory.limit_in_bytes"),
			 "67108864");
	ck_assert_str_eq(knob(CG_PIDS, path, "pids.max"), "33");
	ck_assert_str_eq(knob(CG_CPUSET, path, "cpuset.cpus"), "0");
	ck_assert_str_eq(knob(CG_CORE, path, "cgroup.max.descendants"), "7");
	ck_assert_str_eq(knob(CG_CORE, path, "cgroup.max.depth"), "3");
	if (cg_is_v2(layout, CG_CPU)) {
		ck_assert_str_eq(knob(CG_CPU, path, "cpu.weight"), "100");
		ck_assert_str_eq(knob(CG_CPU, path, "cpu.max"), "50000 100000");
	} else {
		ck_assert_str_eq(knob(CG_CPU, path, "cpu.shares"), "1024");
		ck_assert_str_eq(knob(CG_CPU, path, "cpu.cfs_quota_us"), "50000");
	}
	/* One of two values that share a file: the other one stays. */
	res = (struct cg_resources){ .cpu_period_us = SET(50000) };
	ok(cg_apply(layout, path, &res, &e));
	if (cg_is_v2(layout, CG_CPU))
		ck_assert_str_eq(knob(CG_CPU, path, "cpu.max"), "50000 50000");
	else
		ck_assert_str_eq(knob(CG_CPU, path, "cpu.cfs_quota_us"), "50000");
	/* Burst above the quota that is in force: valid only once the new quota is. */
	res = (struct cg_resources){ .cpu_quota_us = SET(40000), .cpu_burst_us = SET(30000) };
	ok(cg_apply(layout, path, &res, &e));
	/* From weighted to idle and back, in one step each. */
	res = (struct cg_resources){ .cpu_weight = SET(50), .cpu_idle = SET(true) };
	ok(cg_apply(layout, path, &res, &e));
	res.cpu_idle.v = false;
	ok(cg_apply(layout, path, &res, &e));
	if (cg_is_v2(layout, CG_CPU))
		ck_assert_str_eq(knob(CG_CPU, path, "cpu.weight"), "50");
	end(path, 0);
}
END_TEST

static void check_memory(const char *path, uint64_t memory, uint64_t swap)
{
	struct cg_stats stats;

	ck_assert_int_eq(cg_stats_read(layout, path, &stats), 0);
	ck_assert_uint_eq(stats.memory_max_bytes, memory);
	ck_assert_uint_eq(stats.swap_max_bytes, swap);
}

START_TEST(memory_and_swap)
{
	static const struct {
		uint64_t memory, swap;
	} steps[] = { { 64, 0 }, { 128, 64 }, { 256, 0 }, { 32, 32 }, { 64, 0 }, { 16, 512 } };
	const char *path = in_base("swap");
	struct cg_resources res;

	ok(cg_create(layout, path, &e));
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		res = (struct cg_resources){ .memory_max_bytes = SET(steps[i].memory * MIB),
					     .swap_max_bytes = SET(steps[i].swap * MIB) };
		ok(cg_apply(layout, path, &res, &e));
		check_memory(path, steps[i].memory * MIB, steps[i].swap * MIB);
	}
	/* Memory alone keeps the swap, and the other way round. */
	res = (struct cg_resources){ .memory_max_bytes = SET(900 * MIB) };
	ok(cg_apply(layout, path, &res, &e));
	check_memory(path, 900 * MIB, 512 * MIB);
	res = (struct cg_resources){ .swap_max_bytes = SET(8 * MIB) };
	ok(cg_apply(layout, path, &res, &e));
	check_memory(path, 900 * MIB, 8 * MIB);
	res = (struct cg_resources){ .memory_max_bytes = SET(UINT64_MAX),
				     .swap_max_bytes = SET(UINT64_MAX) };
	ok(cg_apply(layout, path, &res, &e));
	check_memory(path, UINT64_MAX, UINT64_MAX);
	end(path, 0);
}
END_TEST

static int hog_main(void *arg)
{
	size_t size = *(size_t *)arg;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	memset(p, 1, size);
	return idle_main(NULL);
}

START_TEST(hog_is_killed_alone)
{
	const char *hog = in_base("hog"), *neighbour = in_base("neighbour");
	struct cg_resources res = { .memory_max_bytes = SET(32 * MIB), .swap_max_bytes = SET(0) };
	size_t size = 96 * MIB;
	struct cg_stats stats;
	pid_t quiet, pid;

	ok(cg_create(layout, hog, &e));
	ok(cg_create(layout, neighbour, &e));
	ok(cg_apply(layout, hog, &res, &e));
	ok(cg_apply(layout, neighbour, &res, &e));
	quiet = spawn(neighbour, idle_main, NULL);
	pid = spawn(hog, hog_main, &size);
	ck_assert_int_eq(reap(pid), 128 + SIGKILL);
	ck_assert_int_eq(cg_stats_read(layout, hog, &stats), 0);
	ck_assert_uint_ge(stats.oom_kills, 1);
	ck_assert_int_eq(waitpid(quiet, NULL, WNOHANG), 0);
	end(hog, 0);
	end(neighbour, quiet);
}
END_TEST

START_TEST(limit_below_use)
{
	const char *path = in_base("below");
	struct cg_resources res = { .memory_max_bytes = SET(96 * MIB), .swap_max_bytes = SET(0) };
	size_t size = 48 * MIB;
	struct cg_stats stats;
	struct err refusal = { 0 };
	pid_t pid;
	int64_t until = now_ms() + 20000;

	ok(cg_create(layout, path, &e));
	ok(cg_apply(layout, path, &res, &e));
	pid = spawn(path, hog_main, &size);
	do {
		wait_ms(10);
		ck_assert_int_eq(cg_stats_brief(layout, path, &stats), 0);
	} while (stats.memory_bytes < size && now_ms() < until);
	res.memory_max_bytes.v = 16 * MIB;
	ck_assert_int_eq(cg_apply(layout, path, &res, &refusal), -EBUSY);
	ck_assert_msg(strstr(refusal.msg, "memory limit 16M: it is below the "), "%s", refusal.msg);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	check_memory(path, 96 * MIB, 0);
	res.memory_max_bytes.v = 64 * MIB;
	ok(cg_apply(layout, path, &res, &e));
	check_memory(path, 64 * MIB, 0);
	end(path, pid);
}
END_TEST

static int bomb_main(void *arg)
{
	(void)arg;
	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			idle_main(NULL);
		if (pid < 0)
			return idle_main(NULL);
	}
}

START_TEST(bomb_is_contained)
{
	const char *path = in_base("bomb");
	struct cg_resources res = { .pids_max = SET(20) };
	int64_t until = now_ms() + 20000;
	struct cg_stats stats;
	pid_t pid;

	ok(cg_create(layout, path, &e));
	ok(cg_apply(layout, path, &res, &e));
	pid = spawn(path, bomb_main, NULL);
	do {
		wait_ms(10);
		ck_assert_int_eq(cg_stats_read(layout, path, &stats), 0);
	} while (!stats.pids_max_events && now_ms() < until);
	ck_assert_uint_eq(stats.pids, 20);
	ck_assert_uint_eq(stats.pids_max, 20);
	ck_assert_uint_ge(stats.pids_max_events, 1);
	end(path, pid);
}
END_TEST

static int spin_main(void *arg)
{
	volatile unsigned long *count = arg;

	while (++*count)
		;
	return 0;
}

/*
 * The machine is shared, so only the upper bound is meant: however long the wall clock says, no
 * more than the quota of it was used, and the kernel says that it throttled.
 */
START_TEST(quota_holds)
{
	const char *path = in_base("quota");
	struct cg_resources res = { .cpu_quota_us = SET(20000), .cpu_period_us = SET(100000) };
	unsigned long count = 0;
	struct cg_stats stats;
	int64_t start, wall_us;
	pid_t pid;

	ok(cg_create(layout, path, &e));
	ok(cg_apply(layout, path, &res, &e));
	start = now_ms();
	pid = spawn(path, spin_main, &count);
	wait_ms(1000);
	ck_assert_int_eq(cg_stats_read(layout, path, &stats), 0);
	wall_us = (now_ms() - start) * 1000;
	ck_assert_msg(stats.cpu_usage_us <= (uint64_t)wall_us / 5 * 11 / 10 + 20000,
		      "%" PRIu64 " us of %" PRId64, stats.cpu_usage_us, wall_us);
	ck_assert_uint_ge(stats.cpu_usage_us, 20000);
	ck_assert_uint_ge(stats.cpu_throttled, 2);
	ck_assert_uint_ge(stats.cpu_periods, stats.cpu_throttled);
	ck_assert_uint_ne(stats.cpu_throttled_us, UINT64_MAX);
	printf("quota of 20 %%: used %" PRIu64 " us in %" PRId64 " us, throttled %" PRIu64
	       " of %" PRIu64 " periods\n",
	       stats.cpu_usage_us, wall_us, stats.cpu_throttled, stats.cpu_periods);
	end(path, pid);
}
END_TEST

/* 0 or the errno of opening @dev with @flags, by a child in the group. */
static int open_main(void *arg)
{
	const char *dev = arg;
	int fd = open(dev + 2, dev[0] == 'r' ? O_RDONLY : O_RDWR);

	return fd < 0 ? errno : 0;
}

static int try_open(const char *path, const char *dev)
{
	char copy[32];

	(void)snprintf(copy, sizeof(copy), "%s", dev);
	return reap(spawn(path, open_main, copy));
}

START_TEST(devices)
{
	static const struct cg_device_rule first[] = {
		{ false, 'a', -1, -1, 7 },
		{ true, 'c', 1, 3, CG_DEV_READ | CG_DEV_WRITE },
		{ true, 'c', 1, 5, CG_DEV_READ },
	};
	static const struct cg_device_rule second[] = {
		{ false, 'a', -1, -1, 7 },
		{ true, 'c', 1, 5, 7 },
	};
	static const struct cg_device_rule all[] = { { true, 'a', -1, -1, 7 } };
	const char *path = in_base("devices");
	struct cg_resources res = { .devices = all, .device_count = 1 };

	ok(cg_create(layout, path, &e));
	ok(cg_apply(layout, path, &res, &e));
	ck_assert_int_eq(try_open(path, "r /dev/zero"), 0);
	res.devices = first;
	res.device_count = ARRAY_SIZE(first);
	ok(cg_check(layout, &res, &e));
	ok(cg_apply(layout, path, &res, &e));
	ck_assert_int_eq(try_open(path, "w /dev/null"), 0);
	ck_assert_int_eq(try_open(path, "r /dev/zero"), 0);
	ck_assert_int_eq(try_open(path, "w /dev/zero"), EPERM);
	ck_assert_int_eq(try_open(path, "r /dev/urandom"), EPERM);
	/* Replaced and not added: two programs would both have to agree. */
	res.devices = second;
	res.device_count = ARRAY_SIZE(second);
	for (int i = 0; i < 3; i++)
		ok(cg_apply(layout, path, &res, &e));
	ck_assert_int_eq(try_open(path, "w /dev/zero"), 0);
	ck_assert_int_eq(try_open(path, "r /dev/null"), EPERM);
	res.devices = all;
	res.device_count = 1;
	ok(cg_apply(layout, path, &res, &e));
	ck_assert_int_eq(try_open(path, "r /dev/null"), 0);
	end(path, 0);
}
END_TEST

START_TEST(many_device_rules)
{
	const char *path = in_base("rules");
	struct cg_device_rule rules[500];
	struct cg_resources res = { .devices = rules, .device_count = ARRAY_SIZE(rules) };

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		rules[i] = (struct cg_device_rule){ i % 3 != 0, "abc"[i % 3], (int64_t)i, -1,
						    (unsigned int)i % 7 + 1 };
	rules[499] = (struct cg_device_rule){ true, 'c', 1, 3, CG_DEV_READ };
	ok(cg_create(layout, path, &e));
	ok(cg_apply(layout, path, &res, &e)); /* the verifier agrees */
	ck_assert_int_eq(try_open(path, "r /dev/null"), 0);
	end(path, 0);
}
END_TEST

START_TEST(freeze_and_thaw)
{
	const char *path = in_base("freeze");
	volatile unsigned long *count =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long seen;
	int64_t until;
	pid_t pid;

	ok(cg_create(layout, path, &e));
	ck_assert_int_eq(cg_is_frozen(layout, path), 0);
	pid = spawn(path, spin_main, (void *)(uintptr_t)count);
	ok(cg_freeze(layout, path, true, &e));
	ck_assert_int_eq(cg_is_frozen(layout, path), 1);
	seen = *count;
	wait_ms(50);
	ck_assert_uint_eq(*count, seen);
	ok(cg_freeze(layout, path, false, &e));
	ck_assert_int_eq(cg_is_frozen(layout, path), 0);
	for (until = now_ms() + 10000; *count == seen && now_ms() < until;)
		wait_ms(1);
	ck_assert_uint_ne(*count, seen);
	/* A frozen group dies as well. */
	ok(cg_freeze(layout, path, true, &e));
	end(path, pid);
	ck_assert_int_eq(cg_is_frozen(layout, path), -ENOENT);
}
END_TEST

START_TEST(frozen_by_others)
{
	const char *path = in_base("v1-freezer"), *below = in_base("v1-freezer/below");
	const struct cg_hier *freezer = layout_v1(layout, CG_FREEZER);
	pid_t pid;

	if (!freezer) {
		printf("skip frozen_by_others: no v1 freezer\n");
		return;
	}
	ok(cg_create(layout, below, &e));
	for (int all = 0; all < 2; all++) {
		own_fd int dir = tree_open(freezer, path), sub = tree_open(freezer, below);

		pid = spawn(below, idle_main, NULL);
		ok(file_write(sub, "freezer.state", "FROZEN"));
		ck_assert_int_eq(cg_is_frozen(layout, below), 1);
		ok(file_write(dir, "freezer.state", "FROZEN"));
		ck_assert_int_eq(cg_is_frozen(layout, path), 1);
		if (all)
			ok(cg_kill(layout, path, &e));
		else
			ok(cg_freeze(layout, path, false, &e));
		ck_assert_int_eq(cg_is_frozen(layout, path), 0);
		ck_assert_int_eq(cg_is_frozen(layout, below), 0);
		if (!all)
			ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(reap(pid), 128 + SIGKILL);
	}
	ok(cg_wait_empty(layout, path, 5000, &e));
	ok(cg_remove(layout, path, &e));
}
END_TEST

static int tree_main(void *arg)
{
	(void)arg;
	for (int i = 0; i < 49; i++) {
		pid_t pid = fork();

		if (pid < 0)
			break; /* at the limit */
		if (pid == 0 && i % 7)
			idle_main(NULL);
	}
	return idle_main(NULL);
}

static int fork_main(void *arg)
{
	for (int i = 1; i < *(int *)arg; i++)
		if (fork() == 0)
			idle_main(NULL);
	return idle_main(NULL);
}

static size_t wait_pids(const char *path, size_t count)
{
	int64_t until = now_ms() + 20000;
	size_t found;
	pid_t *pids;

	do {
		wait_ms(10);
		ok(cg_pids(layout, path, &arena, &pids, &found, &e));
		for (size_t i = 1; i < found; i++)
			ck_assert_int_lt(pids[i - 1], pids[i]);
	} while (found < count && now_ms() < until);
	return found;
}

START_TEST(kill_fifty)
{
	const char *path = in_base("fifty"), *a = in_base("fifty/a"), *b = in_base("fifty/b");
	int many = 40, few = 10;
	pid_t first, second;
	int64_t start;

	ok(cg_create(layout, a, &e));
	ok(cg_create(layout, b, &e));
	first = spawn(a, fork_main, &many);
	second = spawn(b, fork_main, &few);
	ck_assert_uint_eq(wait_pids(path, 50), 50);
	start = now_ms();
	ok(cg_kill(layout, path, &e));
	ok(cg_wait_empty(layout, path, 10000, &e));
	printf("50 processes killed and gone after %" PRId64 " ms\n", now_ms() - start);
	/* Our zombies are not reaped yet, and keep nothing. */
	ok(cg_remove(layout, path, &e));
	ck_assert_int_eq(reap(first), 128 + SIGKILL);
	ck_assert_int_eq(reap(second), 128 + SIGKILL);
}
END_TEST

/* A tree of processes that keeps forking while it is killed. */
START_TEST(kill_growing)
{
	const char *path = in_base("growing");
	struct cg_resources res = { .pids_max = SET(200) };
	pid_t pid;

	ok(cg_create(layout, path, &e));
	ok(cg_apply(layout, path, &res, &e));
	pid = spawn(path, tree_main, NULL);
	wait_ms(2);
	end(path, pid);
}
END_TEST

/* The same by the way of a kernel without cgroup.kill. */
START_TEST(kill_growing_frozen)
{
	const char *path = in_base("old");
	struct cg_resources res = { .pids_max = SET(200) };
	own_fd int dir = -EBADF;
	pid_t pid;

	ok(cg_create(layout, path, &e));
	ok(cg_apply(layout, path, &res, &e));
	pid = spawn(path, tree_main, NULL);
	wait_ms(2);
	dir = cg_open(layout, path, NULL);
	ck_assert_int_eq(life_kill_frozen(dir), 0);
	ok(cg_wait_empty(layout, path, 5000, &e));
	ck_assert_int_eq(reap(pid), 128 + SIGKILL);
	end(path, 0);
}
END_TEST

START_TEST(remove_guest_groups)
{
	const char *path = in_base("guest");
	char *deep;

	ok(cg_create(layout, path, &e));
	for (size_t i = 0; i < layout->count; i++) {
		own_fd int dir = tree_open(&layout->hiers[i], path);
		own_fd int at = dir < 0 ? -EBADF : dup(dir);

		for (int wide = 0; wide < 30; wide++) {
			deep = arena_printf(&arena, "wide%d", wide);
			ck_assert_int_eq(mkdirat(dir, deep, 0755), 0);
			deep = arena_printf(&arena, "wide%d/leaf", wide);
			ck_assert_int_eq(mkdirat(dir, deep, 0755), 0);
		}
		for (int depth = 0; depth < 100; depth++) {
			int next;

			ck_assert_int_eq(mkdirat(at, "deep", 0755), 0);
			next = openat(at, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			close(at);
			at = next;
		}
	}
	ok(cg_remove(layout, path, &e));
	ck_assert_int_eq(cg_open(layout, path, NULL), -ENOENT);
}
END_TEST

START_TEST(foreign_parent_stays)
{
	const char *pod = in_base("pod"), *path = in_base("pod/x");

	/* As a kubelet would: not by us, so without our mark. */
	for (size_t i = 0; i < layout->count; i++) {
		own_fd int mount = tree_open_mount(&layout->hiers[i]);

		ck_assert_int_eq(mkdirat(mount, base + 1, 0755), 0);
		ck_assert_int_eq(mkdirat(mount, pod + 1, 0755), 0);
	}
	ok(cg_create(layout, path, &e));
	ok(cg_remove(layout, path, &e));
	for (size_t i = 0; i < layout->count; i++) {
		own_fd int mount = tree_open_mount(&layout->hiers[i]);

		ck_assert_int_eq(unlinkat(mount, pod + 1, AT_REMOVEDIR), 0);
		ck_assert_int_eq(unlinkat(mount, base + 1, AT_REMOVEDIR), 0);
	}
}
END_TEST

static int churn(const char *path)
{
	struct err e = { 0 };

	for (int i = 0; i < 150; i++) {
		if (cg_create(layout, path, &e) < 0 || cg_remove(layout, path, &e) < 0) {
			fprintf(stderr, "%s\n", e.msg);
			return 1;
		}
	}
	return 0;
}

START_TEST(concurrent_parents)
{
	const char *paths[] = { in_base("shared/a"), in_base("shared/b"), in_base("shared/c") };
	pid_t pids[ARRAY_SIZE(paths)];

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(churn(paths[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		ck_assert_int_eq(reap(pids[i]), 0);
	ck_assert_int_eq(cg_open(layout, base, NULL), -ENOENT);
}
END_TEST

START_TEST(delegation)
{
	const char *path = in_base("delegate");
	own_fd int dir = -EBADF;
	struct stat st;

	ok(cg_create(layout, path, &e));
	ok(cg_delegate(layout, path, 12345, 54321, &e));
	dir = cg_open(layout, path, NULL);
	ck_assert_int_eq(fstat(dir, &st), 0);
	ck_assert_uint_eq(st.st_uid, 12345);
	ck_assert_int_eq(fstatat(dir, "cgroup.procs", &st, 0), 0);
	ck_assert_uint_eq(st.st_gid, 54321);
	ck_assert_int_eq(fstatat(dir, "cgroup.max.depth", &st, 0), 0);
	ck_assert_uint_eq(st.st_uid, 0);
	ok(cg_remove(layout, path, &e));
}
END_TEST

START_TEST(statistics)
{
	const char *path = in_base("stats");
	size_t size = 8 * MIB;
	struct cg_stats stats, brief;
	int64_t until = now_ms() + 20000;
	pid_t pid;

	ck_assert_int_eq(cg_stats_read(layout, path, &stats), -ENOENT);
	ok(cg_create(layout, path, &e));
	pid = spawn(path, hog_main, &size);
	do {
		wait_ms(10);
		ck_assert_int_eq(cg_stats_read(layout, path, &stats), 0);
	} while (stats.memory_anon_bytes < size && now_ms() < until);
	ck_assert_uint_ge(stats.memory_bytes, size);
	ck_assert_uint_ge(stats.memory_peak_bytes, size);
	ck_assert_uint_ge(stats.memory_anon_bytes, size);
	ck_assert_uint_eq(stats.memory_max_bytes, UINT64_MAX);
	ck_assert_uint_ne(stats.memory_file_bytes, UINT64_MAX);
	ck_assert_uint_ne(stats.memory_kernel_bytes, UINT64_MAX);
	ck_assert_uint_ne(stats.memory_shmem_bytes, UINT64_MAX);
	ck_assert_uint_eq(stats.oom_kills, 0);
	ck_assert_uint_eq(stats.memory_max_events, 0);
	ck_assert_uint_eq(stats.pids, 1);
	ck_assert_uint_eq(stats.pids_max_events, 0);
	ck_assert_uint_lt(stats.cpu_usage_us, 60000000);
	ck_assert_uint_lt(stats.cpu_user_us, 60000000);
	ck_assert_uint_lt(stats.cpu_system_us, 60000000);
	ck_assert_uint_eq(stats.io_writes, 0);
	ck_assert_uint_eq(stats.io_read_bytes, 0);
	ck_assert_uint_lt(stats.cpu_throttled, 1);
	if (has_knob(CG_CORE, path, "memory.pressure")) {
		ck_assert_uint_le(stats.memory_some_avg10, 10000);
		ck_assert_uint_ne(stats.cpu_some_us, UINT64_MAX);
		ck_assert_uint_ne(stats.io_full_us, UINT64_MAX);
	}
	ck_assert_int_eq(cg_stats_brief(layout, path, &brief), 0);
	ck_assert_uint_ge(brief.memory_bytes, size);
	ck_assert_uint_eq(brief.pids, 1);
	ck_assert_uint_ge(brief.cpu_usage_us, stats.cpu_usage_us);
	ck_assert_uint_eq(brief.io_writes, UINT64_MAX);
	end(path, pid);
}
END_TEST

/* The first whole disk of this machine. */
static bool find_disk(unsigned int *major, unsigned int *minor)
{
	own_dir DIR *dir = opendir("/sys/block");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path = arena_printf(&arena, "/sys/block/%s/dev", entry->d_name), text[32];

		if (entry->d_name[0] != '.' && file_read(AT_FDCWD, path, text, sizeof(text)) > 0 &&
		    sscanf(text, "%u:%u", major, minor) == 2)
			return true;
	}
	return false;
}

START_TEST(io_limits)
{
	const char *path = in_base("io");
	struct cg_io_limit limit = { .rbps = SET(MIB), .wiops = SET(77) };
	struct cg_resources res = { .io_limits = &limit, .io_limit_count = 1 };
	const char *rule;

	if (!cg_has(layout, CG_IO) || !find_disk(&limit.major, &limit.minor)) {
		printf("skip io_limits: no io controller or no disk\n");
		return;
	}
	ok(cg_create(layout, path, &e));
	if (!has_knob(CG_IO, path,
		      cg_is_v2(layout, CG_IO) ? "io.max" : "blkio.throttle.read_bps_device")) {
		printf("skip io_limits: this kernel has no throttling\n");
		end(path, 0);
		return;
	}
	ok(cg_apply(layout, path, &res, &e));
	rule = cg_is_v2(layout, CG_IO)
		       ? arena_printf(&arena, "%u:%u rbps=1048576 wbps=max riops=max wiops=77",
				      limit.major, limit.minor)
		       : arena_printf(&arena, "%u:%u 1048576", limit.major, limit.minor);
	ck_assert_str_eq(
		knob(CG_IO, path,
		     cg_is_v2(layout, CG_IO) ? "io.max" : "blkio.throttle.read_bps_device"),
		rule);
	limit.rbps.v = limit.wiops.v = UINT64_MAX;
	ok(cg_apply(layout, path, &res, &e));
	ck_assert_str_eq(
		knob(CG_IO, path,
		     cg_is_v2(layout, CG_IO) ? "io.max" : "blkio.throttle.read_bps_device"),
		"");
	end(path, 0);
}
END_TEST

/* Taken by the file of whichever scheduler the disk has, or refused with that as the reason. */
START_TEST(io_weight_of_disk)
{
	const char *path = in_base("weight");
	struct cg_io_weight weight = { .weight = 1000 };
	struct cg_resources res = { .io_weights = &weight, .io_weight_count = 1 };
	struct err refusal = { 0 };
	int r;

	if (!find_disk(&weight.major, &weight.minor) || cg_check(layout, &res, &refusal) < 0) {
		printf("skip io_weight_of_disk: no disk, or %s\n", refusal.msg);
		return;
	}
	ok(cg_create(layout, path, &e));
	r = cg_apply(layout, path, &res, &refusal);
	if (r < 0) {
		ck_assert_int_eq(r, -EOPNOTSUPP);
		ck_assert_str_eq(refusal.hint,
				 "the disk has neither the bfq scheduler nor io.cost");
	}
	printf("io weight of a disk: %s\n", r < 0 ? refusal.msg : "taken");
	end(path, 0);
}
END_TEST

/* Not on a hybrid host, where this would switch a controller on for everybody's groups. */
START_TEST(huge_pages)
{
	const char *path = in_base("huge");
	char size[] = "2MB";
	struct cg_hugetlb_limit limit = { size, 4 * MIB };
	struct cg_resources res = { .hugetlb = &limit, .hugetlb_count = 1 };

	if (!cg_is_v2(layout, CG_HUGETLB) || layout->count > 1) {
		printf("skip huge_pages: cgroup v2 does not hold all controllers\n");
		return;
	}
	ok(cg_check(layout, &res, &e));
	ok(cg_create(layout, path, &e));
	ok(cg_apply(layout, path, &res, &e));
	ck_assert_str_eq(knob(CG_HUGETLB, path, "hugetlb.2MB.max"), "4194304");
	end(path, 0);
}
END_TEST

/* What the host cannot carry is refused by name, by the check and by the application alike. */
START_TEST(refusals)
{
	const char *path = in_base("refused");
	struct cg_resources high = { .memory_high_bytes = SET(MIB) };
	struct cg_resources swappiness = { .swappiness = SET(1) };
	const struct cg_resources *res = cg_is_v2(layout, CG_MEMORY) ? &swappiness : &high;
	struct err e1 = { 0 }, e2 = { 0 };

	ck_assert_int_eq(cg_check(layout, res, &e1), -ENOTSUP);
	ok(cg_create(layout, path, &e));
	ck_assert_int_eq(cg_apply(layout, path, res, &e2), -ENOTSUP);
	ck_assert_str_eq(e1.msg, e2.msg);
	printf("refused: %s (%s)\n", e1.msg, e1.hint);
	end(path, 0);
}
END_TEST

/* The kernel's own refusal names limit, value, file and group. */
START_TEST(kernel_refuses)
{
	const char *path = in_base("kernel");
	char cpus[] = "0-4000";
	struct cg_resources res = { .cpuset_cpus = cpus };
	struct err refusal = { 0 };

	ok(cg_create(layout, path, &e));
	ck_assert_int_lt(cg_apply(layout, path, &res, &refusal), 0);
	ck_assert_msg(strstr(refusal.msg, "cpu set: write '0-4000' to 'cpuset.cpus' of cgroup"),
		      "%s", refusal.msg);
	end(path, 0);
}
END_TEST

/* After a failed test too: kill and remove whatever is left. */
static void sweep(void)
{
	(void)cg_kill(layout, base, NULL);
	(void)cg_wait_empty(layout, base, 5000, NULL);
	(void)cg_remove(layout, base, NULL);
}

/* The groups at the top of every hierarchy, as text. */
static char *snapshot(void)
{
	struct text text = { 0 };

	for (size_t i = 0; i < layout->count; i++) {
		own_fd int mount = tree_open_mount(&layout->hiers[i]);
		own_dir DIR *dir = tree_opendir(mount);
		const char *name;

		while (dir && (name = tree_next_child(dir)))
			/* others may come and go meanwhile */
			if (strncmp(name, base + 1, strlen(base) - 1) == 0)
				text_addf(&text, "%s/%s\n", layout->hiers[i].mount, name);
	}
	return text_take(&text);
}

static const char *why_skip(void)
{
	struct err e = { 0 };

	if (geteuid() != 0)
		return "needs root";
	if (cg_layout_open(&arena, &layout, &e) < 0 || cg_create(layout, base, &e) < 0 ||
	    cg_remove(layout, base, &e) < 0)
		return arena_strdup(&arena, e.msg);
	for (unsigned int i = CG_CPU; i <= CG_PIDS; i++)
		if (!cg_has(layout, i))
			return arena_printf(&arena, "no controller '%s'", cg_controller_name(i));
	return NULL;
}

int main(void)
{
	const TTest *tests[] = {
		create_and_remove,
		clone_into,
		through_the_door,
		limits_read_back,
		memory_and_swap,
		hog_is_killed_alone,
		limit_below_use,
		bomb_is_contained,
		quota_holds,
		devices,
		many_device_rules,
		freeze_and_thaw,
		frozen_by_others,
		kill_fifty,
		kill_growing,
		kill_growing_frozen,
		remove_guest_groups,
		foreign_parent_stays,
		concurrent_parents,
		delegation,
		statistics,
		io_limits,
		io_weight_of_disk,
		huge_pages,
		refusals,
		kernel_refuses,
	};
	Suite *suite = suite_create("cgroups/live");
	TCase *tcase = tcase_create("live");
	SRunner *runner = srunner_create(suite);
	own_free char *after = NULL;
	const char *skip;
	int failed;

	(void)snprintf(base, sizeof(base), "/hctest-%d", (int)getpid());
	skip = why_skip();
	if (skip) {
		printf("skip: %s\n", skip);
		srunner_free(runner);
		return 0;
	}
	for (unsigned int i = 0; i < CG_CONTROLLERS; i++)
		printf("%s: %s\n", cg_controller_name(i),
		       cg_has(layout, i) ? cg_where(layout, i) : "nowhere");
	fflush(stdout);
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_unchecked_fixture(tcase, NULL, sweep);
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		tcase_add_test(tcase, tests[i]);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	after = snapshot();
	if (!after || *after) {
		fprintf(stderr, "left behind:\n%s", after ? after : "");
		failed++;
	}
	arena_done(&arena);
	return failed ? 1 : 0;
}
