/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit on captured hosts: what is written where, and what is refused by which name. */
#include "base/own.h"
#include "cgroups/cg_internal.h"

#include <check.h>

static const char v2_mounts[] = "26 22 0:24 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
static const char v1_mounts[] =
	"32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
	"34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
	"35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	"38 31 0:35 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio\n"
	"39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
	"39 31 0:37 / /sys/fs/cgroup/net rw - cgroup cgroup rw,net_cls,net_prio\n"
	"40 31 0:39 / /sys/fs/cgroup/rdma rw - cgroup cgroup rw,rdma\n"
	"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

/** A host that lacks the files in @missing, and knows nothing where @unknowing. */
struct fake_probe {
	struct knob_probe probe;
	const char *missing;
	bool unknowing, swap;
};

static enum knob_has fake_file(struct knob_probe *probe, const struct cg_hier *hier,
			       enum cg_controller controller, const char *file)
{
	const struct fake_probe *p = (struct fake_probe *)(void *)probe;

	(void)hier;
	(void)controller;
	if (p->missing && layout_lists(p->missing, file))
		return KNOB_MISSING;
	return p->unknowing ? KNOB_UNKNOWN : KNOB_THERE;
}

static bool fake_swap(struct knob_probe *probe)
{
	return ((struct fake_probe *)(void *)probe)->swap;
}

static struct fake_probe fake(const char *missing)
{
	return (struct fake_probe){ .probe = { fake_file, fake_swap }, .missing = missing };
}

/* "file=value" of every write, one a line. */
static int plan(const char *mounts, const char *controllers, struct fake_probe *probe,
		const struct cg_resources *res, struct text *ret, struct err *e)
{
	own_arena struct arena arena = { 0 };
	struct knob_write *writes = NULL;
	struct cg_layout layout;
	size_t count = 0;
	int r;

	ck_assert_int_eq(layout_parse(mounts, &arena, &layout, NULL), 0);
	layout_set_v2(&layout, controllers);
	r = knob_plan(&layout, &probe->probe, res, &arena, &writes, &count, e);
	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct cg_write *w = &writes[i].write;

		ck_assert_int_eq(w->v2, layout_hier(&layout, w->controller)->v2);
		text_addf(ret, "%s=%s\n", w->file, w->value);
	}
	return r;
}

static const char all_v2[] = "cpuset cpu io memory hugetlb pids rdma";

#define SET(x)                        \
	{                             \
		.v = (x), .set = true \
	}
#define MAX_U64 UINT64_MAX

static struct cg_io_limit disks[] = {
	{ 8, 0, SET(1048576), { 0 }, { 0 }, SET(MAX_U64) },
	{ 8, 16, { 0 }, SET(5), SET(6), { 0 } },
	{ 9, 9, { 0 }, { 0 }, { 0 }, { 0 } },
};
static struct cg_io_weight disk_weights[] = { { 8, 0, 10000 }, { 8, 16, 1 } };
static char rdma_a[] = "mlx4_0", rdma_b[] = "rxe3", eth0[] = "eth0";
static struct cg_rdma_limit rdma_limits[] = { { rdma_a, SET(2), SET(MAX_U64) },
					      { rdma_b, { 0 }, SET(7) } };
static struct cg_net_prio prios[] = { { eth0, 500 } };
static char size_2m[] = "2MB", size_1g[] = "1GB", cpus[] = "0-1", mems[] = "0";
static struct cg_hugetlb_limit pages[] = { { size_2m, 4 << 20 }, { size_1g, UINT64_MAX } };

static const struct golden {
	const char *name;
	struct cg_resources res;
	const char *v2, *v1; /* the writes; starting with '!': a part of the refusal */
} goldens[] = {
	/* clang-format off */
	{ "nothing", { .unified = { NULL, 0 } }, "", "" },
	{ "memory", { .memory_max_bytes = SET(1 << 26) },
	  "memory.max=67108864\n", "memory.limit_in_bytes=67108864\n" },
	{ "no memory limit", { .memory_max_bytes = SET(MAX_U64) },
	  "memory.max=max\n", "memory.limit_in_bytes=-1\n" },
	{ "memory and swap", { .memory_max_bytes = SET(100), .swap_max_bytes = SET(50) },
	  "memory.max=100\nmemory.swap.max=50\n",
	  "memory.limit_in_bytes=100\nmemory.memsw.limit_in_bytes=150\n" },
	{ "no swap", { .memory_max_bytes = SET(100), .swap_max_bytes = SET(0) },
	  "memory.max=100\nmemory.swap.max=0\n",
	  "memory.limit_in_bytes=100\nmemory.memsw.limit_in_bytes=100\n" },
	{ "endless swap", { .memory_max_bytes = SET(100), .swap_max_bytes = SET(MAX_U64) },
	  "memory.max=100\nmemory.swap.max=max\n",
	  "memory.limit_in_bytes=100\nmemory.memsw.limit_in_bytes=-1\n" },
	{ "swap alone", { .swap_max_bytes = SET(50) },
	  "memory.swap.max=50\n", "!swap limit: cgroup v1 limits memory and swap together" },
	{ "high", { .memory_high_bytes = SET(5) }, "memory.high=5\n",
	  "!memory high mark: cgroup v1, which holds 'memory' here, has nothing like 'memory.high'" },
	{ "high max", { .memory_high_bytes = SET(MAX_U64) }, "memory.high=max\n", "" },
	{ "low", { .memory_low_bytes = SET(5) }, "memory.low=5\n", "!memory guarantee: " },
	{ "soft", { .memory_soft_bytes = SET(5) },
	  "memory.low=5\n", "memory.soft_limit_in_bytes=5\n" },
	{ "no soft", { .memory_soft_bytes = SET(MAX_U64) },
	  "memory.low=max\n", "memory.soft_limit_in_bytes=-1\n" },
	{ "rdma", { .rdma = rdma_limits, .rdma_count = 2 },
	  "rdma.max=mlx4_0 hca_handle=2 hca_object=max\nrdma.max=rxe3 hca_object=7\n",
	  "rdma.max=mlx4_0 hca_handle=2 hca_object=max\nrdma.max=rxe3 hca_object=7\n" },
	{ "network", { .net_class_id = SET(1048577), .net_prios = prios, .net_prio_count = 1 },
	  "!network class: this host has no 'net_cls' cgroup controller",
	  "net_cls.classid=1048577\nnet_prio.ifpriomap=eth0 500\n" },
	{ "network priority", { .net_prios = prios, .net_prio_count = 1 },
	  "!network priority: this host has no 'net_prio' cgroup controller",
	  "net_prio.ifpriomap=eth0 500\n" },
	{ "no network class", { .net_class_id = SET(0) }, "", "net_cls.classid=0\n" },
	{ "low 0", { .memory_low_bytes = SET(0) }, "memory.low=0\n", "" },
	{ "min", { .memory_min_bytes = SET(5) }, "memory.min=5\n", "!hard memory guarantee: " },
	{ "zswap", { .zswap_max_bytes = SET(0) }, "memory.zswap.max=0\n", "!zswap limit: " },
	{ "writeback off", { .zswap_writeback = SET(false) }, "memory.zswap.writeback=0\n",
	  "!zswap writeback: " },
	{ "writeback on", { .zswap_writeback = SET(true) }, "memory.zswap.writeback=1\n", "" },
	{ "oom group", { .oom_group = SET(true) }, "memory.oom.group=1\n", "!oom group: " },
	{ "no oom group", { .oom_group = SET(false) }, "memory.oom.group=0\n", "" },
	{ "oom switch", { .oom_kill_disable = SET(true) },
	  "!oom killer switch: 'memory.oom_control' exists in cgroup v1 only",
	  "memory.oom_control=1\n" },
	{ "no oom switch", { .oom_kill_disable = SET(false) }, "", "memory.oom_control=0\n" },
	{ "swappiness", { .swappiness = SET(10) },
	  "!swappiness: 'memory.swappiness' exists in cgroup v1 only", "memory.swappiness=10\n" },
	{ "swappiness range", { .swappiness = SET(201) }, "!swappiness: found 201", "!found 201" },
	{ "weight", { .cpu_weight = SET(100) }, "cpu.weight=100\n", "cpu.shares=1024\n" },
	{ "shares", { .cpu_weight = SET(17), .cpu_shares = 100 },
	  "cpu.weight=17\n", "cpu.shares=100\n" },
	{ "weight 0", { .cpu_weight = SET(0) },
	  "!cpu weight: found 0, allowed: 1 to 10000", "!cpu weight: found 0" },
	{ "weight max", { .cpu_weight = SET(MAX_U64) }, "!cpu weight: ", "!cpu weight: " },
	{ "quota", { .cpu_quota_us = SET(50000) }, "cpu.max=50000\n", "cpu.cfs_quota_us=50000\n" },
	{ "quota, period", { .cpu_quota_us = SET(50000), .cpu_period_us = SET(20000) },
	  "cpu.max=50000 20000\n", "cpu.cfs_period_us=20000\ncpu.cfs_quota_us=50000\n" },
	{ "no quota, period", { .cpu_quota_us = SET(MAX_U64), .cpu_period_us = SET(20000) },
	  "cpu.max=max 20000\n", "cpu.cfs_period_us=20000\ncpu.cfs_quota_us=-1\n" },
	{ "period", { .cpu_period_us = SET(20000) },
	  "cpu.max=max 20000\n", "cpu.cfs_period_us=20000\n" },
	{ "short period", { .cpu_period_us = SET(999) }, "!cpu period: found 999", "!cpu period: " },
	{ "burst", { .cpu_burst_us = SET(7) }, "cpu.max.burst=7\n", "cpu.cfs_burst_us=7\n" },
	{ "idle", { .cpu_idle = SET(true), .cpu_weight = SET(5) }, "cpu.idle=1\n", "cpu.idle=1\n" },
	{ "not idle", { .cpu_idle = SET(false), .cpu_weight = SET(1) },
	  "cpu.weight=1\ncpu.idle=0\n", "cpu.shares=2\ncpu.idle=0\n" },
	{ "real time", { .cpu_rt_period_us = SET(1000), .cpu_rt_runtime_us = SET(500) },
	  "!real-time period: ", "cpu.rt_period_us=1000\ncpu.rt_runtime_us=500\n" },
	{ "sets", { .cpuset_cpus = cpus, .cpuset_mems = mems },
	  "cpuset.cpus=0-1\ncpuset.mems=0\n", "cpuset.cpus=0-1\ncpuset.mems=0\n" },
	{ "bad set", { .cpuset_cpus = size_2m }, "!cpu set: '2MB' is not a list", "!cpu set: " },
	{ "pids", { .pids_max = SET(10) }, "pids.max=10\n", "pids.max=10\n" },
	{ "all pids", { .pids_max = SET(MAX_U64) }, "pids.max=max\n", "pids.max=max\n" },
	{ "io weight", { .io_weight = SET(10000) },
	  "io.weight=10000\nio.bfq.weight=1000\n", "blkio.weight=1000\nblkio.bfq.weight=1000\n" },
	{ "io weights", { .io_weights = disk_weights, .io_weight_count = 2 },
	  "io.weight=8:0 10000\nio.bfq.weight=8:0 1000\nio.weight=8:16 1\nio.bfq.weight=8:16 10\n",
	  "blkio.weight_device=8:0 1000\nblkio.bfq.weight_device=8:0 1000\n"
	  "blkio.weight_device=8:16 10\nblkio.bfq.weight_device=8:16 10\n" },
	{ "io rates", { .io_limits = disks, .io_limit_count = 3 },
	  "io.max=8:0 rbps=1048576 wiops=max\nio.max=8:16 wbps=5 riops=6\n",
	  "blkio.throttle.read_bps_device=8:0 1048576\nblkio.throttle.write_iops_device=8:0 0\n"
	  "blkio.throttle.write_bps_device=8:16 5\nblkio.throttle.read_iops_device=8:16 6\n" },
	{ "huge pages", { .hugetlb = pages, .hugetlb_count = 2 },
	  "hugetlb.2MB.max=4194304\nhugetlb.2MB.rsvd.max=4194304\n"
	  "hugetlb.1GB.max=max\nhugetlb.1GB.rsvd.max=max\n",
	  "!huge page limit: this host has no 'hugetlb' cgroup controller" },
	{ "sub-groups", { .descendants_max = SET(3), .depth_max = SET(MAX_U64) },
	  "cgroup.max.descendants=3\ncgroup.max.depth=max\n",
	  "cgroup.max.descendants=3\ncgroup.max.depth=max\n" },
	/* clang-format on */
};

static void check_golden(const char *mounts, const char *controllers, const struct golden *g,
			 const char *expected)
{
	struct fake_probe probe = fake(NULL);
	own_text struct text text = { 0 };
	struct err e = { 0 };
	int r = plan(mounts, controllers, &probe, &g->res, &text, &e);

	if (*expected == '!') {
		ck_assert_msg(r < 0, "%s: planned %s", g->name, text_str(&text));
		ck_assert_msg(strstr(e.msg, expected + 1), "%s: said '%s'", g->name, e.msg);
		return;
	}
	ck_assert_msg(r == 0, "%s: %s", g->name, e.msg);
	ck_assert_str_eq(text_str(&text), expected);
}

START_TEST(golden_v2)
{
	check_golden(v2_mounts, all_v2, &goldens[_i], goldens[_i].v2);
}
END_TEST

START_TEST(golden_v1)
{
	check_golden(v1_mounts, "", &goldens[_i], goldens[_i].v1);
}
END_TEST

/* Hosts whose kernel lacks a file. */
static const struct {
	const char *missing;
	bool swap;
	struct cg_resources res;
	const char *v2, *v1;
} lacking[] = {
	/* clang-format off */
	{ "io.weight blkio.weight", false, { .io_weight = SET(1) },
	  "io.bfq.weight=10\n", "blkio.bfq.weight=10\n" },
	{ "io.bfq.weight blkio.bfq.weight", false, { .io_weight = SET(1) },
	  "io.weight=1\n", "blkio.weight=10\n" },
	{ "io.weight io.bfq.weight blkio.weight blkio.bfq.weight", false, { .io_weight = SET(1) },
	  "!io weight: cgroup v2 has no 'io.weight'",
	  "!io weight: cgroup v1 at /sys/fs/cgroup/blkio has no 'blkio.weight'" },
	{ "io.weight io.bfq.weight blkio.weight blkio.bfq.weight", false, { .io_weight = SET(100) },
	  "", "" },
	{ "memory.swap.max memory.memsw.limit_in_bytes", false,
	  { .memory_max_bytes = SET(9), .swap_max_bytes = SET(0) },
	  "memory.max=9\n", "memory.limit_in_bytes=9\n" },
	{ "memory.swap.max memory.memsw.limit_in_bytes", true,
	  { .memory_max_bytes = SET(9), .swap_max_bytes = SET(0) },
	  "!swap limit: ", "!swap limit: " },
	{ "memory.swap.max memory.memsw.limit_in_bytes", true,
	  { .swap_max_bytes = SET(MAX_U64) }, "", "" },
	{ "cpu.max.burst cpu.cfs_burst_us", false, { .cpu_burst_us = SET(1) },
	  "!'cpu.max.burst'", "!'cpu.cfs_burst_us'" },
	{ "cpu.max.burst cpu.cfs_burst_us", false, { .cpu_burst_us = SET(0) }, "", "" },
	{ "hugetlb.2MB.rsvd.max", false, { .hugetlb = pages, .hugetlb_count = 1 },
	  "hugetlb.2MB.max=4194304\n", "!huge page limit" },
	{ "hugetlb.2MB.max hugetlb.2MB.rsvd.max", false, { .hugetlb = pages, .hugetlb_count = 1 },
	  "!'hugetlb.2MB.max'", "!huge page limit" },
	{ "io.max blkio.throttle.read_bps_device", false, { .io_limits = disks, .io_limit_count = 1 },
	  "!'io.max'", "!'blkio.throttle.read_bps_device'" },
	/* clang-format on */
};

static void check_lacking(const char *mounts, const char *controllers, int i, const char *expected)
{
	struct golden g = { .name = lacking[i].missing, .res = lacking[i].res };
	struct fake_probe probe = fake(lacking[i].missing);
	own_text struct text text = { 0 };
	struct err e = { 0 };
	int r;

	probe.swap = lacking[i].swap;
	r = plan(mounts, controllers, &probe, &g.res, &text, &e);
	if (*expected == '!') {
		ck_assert_int_eq(r, -ENOTSUP);
		ck_assert_msg(strstr(e.msg, expected + 1), "said '%s'", e.msg);
		return;
	}
	ck_assert_msg(r == 0, "%s", e.msg);
	ck_assert_str_eq(text_str(&text), expected);
}

START_TEST(lacking_v2)
{
	check_lacking(v2_mounts, all_v2, _i, lacking[_i].v2);
}
END_TEST

START_TEST(lacking_v1)
{
	check_lacking(v1_mounts, "", _i, lacking[_i].v1);
}
END_TEST

START_TEST(unknown_files)
{
	struct cg_resources res = { .io_weight = SET(7), .memory_max_bytes = SET(8) };
	struct fake_probe probe = fake(NULL);
	own_text struct text text = { 0 };

	probe.unknowing = true;
	ck_assert_int_eq(plan(v2_mounts, all_v2, &probe, &res, &text, NULL), 0);
	ck_assert_str_eq(text_str(&text), "memory.max=8\nio.weight=7\n");
}
END_TEST

START_TEST(no_controller)
{
	struct cg_resources res = { .pids_max = SET(7) };
	struct fake_probe probe = fake(NULL);
	own_text struct text text = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(plan(v2_mounts, "cpu", &probe, &res, &text, &e), -ENOTSUP);
	ck_assert_str_eq(e.msg, "process limit: this host has no 'pids' cgroup controller");
	res.pids_max.v = UINT64_MAX;
	ck_assert_int_eq(plan(v2_mounts, "cpu", &probe, &res, &text, &e), 0);
	ck_assert_str_eq(text_str(&text), "");
}
END_TEST

static const struct {
	const char *key, *value;
	int code;
	const char *plan;
} unified[] = {
	{ "memory.high", "5", 0, "memory.high=5\n" },
	{ "io.max", "8:0 rbps=1\n8:16 rbps=2\n", 0, "io.max=8:0 rbps=1\nio.max=8:16 rbps=2\n" },
	{ "misc.max", "res 1", 0, "misc.max=res 1\n" },
	{ "cgroup.max.depth", "4", 0, "cgroup.max.depth=4\n" },
	{ "cgroup.pressure", "0", 0, "cgroup.pressure=0\n" },
	{ "cgroup.procs", "1", -EINVAL, NULL },
	{ "cgroup.kill", "1", -EINVAL, NULL },
	{ "cgroup.subtree_control", "-cpu", -EINVAL, NULL },
	{ "../memory.max", "1", -EINVAL, NULL },
	{ "a/memory.max", "1", -EINVAL, NULL },
	{ "memory", "1", -EINVAL, NULL },
	{ ".memory", "1", -EINVAL, NULL },
	{ "", "1", -EINVAL, NULL },
	{ "memory max.x", "1", -EINVAL, NULL },
};

START_TEST(unified_keys)
{
	struct strpair pair = { strdup(unified[_i].key), strdup(unified[_i].value) };
	struct cg_resources res = { .unified = { .v = &pair, .n = 1 } };
	struct fake_probe probe = fake(NULL);
	own_text struct text text = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(plan(v2_mounts, all_v2, &probe, &res, &text, &e), unified[_i].code);
	if (unified[_i].plan)
		ck_assert_str_eq(text_str(&text), unified[_i].plan);
	free(pair.key);
	free(pair.value);
}
END_TEST

START_TEST(unified_on_v1)
{
	char key[] = "memory.high", value[] = "5";
	struct strpair pair = { key, value };
	struct cg_resources res = { .unified = { .v = &pair, .n = 1 } };
	struct fake_probe probe = fake(NULL);
	own_text struct text text = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(plan(v1_mounts, "", &probe, &res, &text, &e), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(e.msg, "unified limit 'memory.high'"));
}
END_TEST

START_TEST(odd_values)
{
	static char odd[][12] = { "2M", "MB", "02MB", "2MB/", "../2MB", "1234567MB", "2TB" };
	struct cg_io_limit zero = { 8, 0, SET(0), { 0 }, { 0 }, { 0 } };
	struct cg_io_weight heavy = { 8, 0, 10001 };
	struct cg_resources rate = { .io_limits = &zero, .io_limit_count = 1 };
	struct cg_resources weight = { .io_weights = &heavy, .io_weight_count = 1 };
	struct fake_probe probe = fake(NULL);
	own_text struct text text = { 0 };

	ck_assert_int_eq(plan(v1_mounts, "", &probe, &rate, &text, NULL), -EINVAL);
	ck_assert_int_eq(plan(v2_mounts, all_v2, &probe, &rate, &text, NULL), -EINVAL);
	ck_assert_int_eq(plan(v2_mounts, all_v2, &probe, &weight, &text, NULL), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		struct cg_hugetlb_limit page = { odd[i], 1 };
		struct cg_resources res = { .hugetlb = &page, .hugetlb_count = 1 };

		ck_assert_int_eq(plan(v2_mounts, all_v2, &probe, &res, &text, NULL), -EINVAL);
	}
}
END_TEST

/* Without a cgroup nothing can be limited; what asks for nothing passes, and so do device rules. */
START_TEST(disabled)
{
	static const struct cg_device_rule deny = { .type = 'a', .major = -1, .minor = -1 };
	char key[] = "pids.max", value[] = "5";
	struct strpair pair = { key, value };
	const struct cg_resources idle = { .memory_max_bytes = SET(UINT64_MAX),
					   .cpu_weight = SET(100),
					   .pids_max = SET(UINT64_MAX),
					   .devices = &deny,
					   .device_count = 1 };
	const struct cg_resources memory = { .memory_max_bytes = SET(1) };
	const struct cg_resources file = { .unified = { .v = &pair, .n = 1 } };
	const struct cg_resources odd = { .cpu_weight = SET(10001) };
	struct err e = { 0 };

	ck_assert_int_eq(cg_check_disabled(&idle, &e), 0);
	ck_assert_int_eq(cg_check_disabled(&memory, &e), -ENOTSUP);
	ck_assert_str_eq(
		e.msg, "memory limit: not without a cgroup, and the cgroup manager is 'disabled'");
	ck_assert_int_eq(cg_check_disabled(&file, &e), -ENOTSUP);
	ck_assert_int_eq(cg_check_disabled(&odd, &e), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroups/knobs");
	TCase *tcase = tcase_create("knobs");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, golden_v2, 0, (int)ARRAY_SIZE(goldens));
	tcase_add_loop_test(tcase, golden_v1, 0, (int)ARRAY_SIZE(goldens));
	tcase_add_loop_test(tcase, lacking_v2, 0, (int)ARRAY_SIZE(lacking));
	tcase_add_loop_test(tcase, lacking_v1, 0, (int)ARRAY_SIZE(lacking));
	tcase_add_test(tcase, unknown_files);
	tcase_add_test(tcase, no_controller);
	tcase_add_loop_test(tcase, unified_keys, 0, (int)ARRAY_SIZE(unified));
	tcase_add_test(tcase, unified_on_v1);
	tcase_add_test(tcase, odd_values);
	tcase_add_test(tcase, disabled);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
