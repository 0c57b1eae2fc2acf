/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources as JSON, and what the cgroup engine is given for it. */
#include "runtime/spec/spec.h"

#include "base/own.h"
#include "cgroups/cg.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <string.h>

static struct arena arena;

static int convert(const char *text, struct cg_resources *ret, struct err *e)
{
	struct js_issues issues = { .arena = &arena };
	struct spec_resources resources = { 0 };
	own_json json_t *doc = NULL;
	int r;

	ck_assert_int_eq(js_read_text(text, strlen(text), "test", &doc, e), 0);
	r = js_decode(&spec_resources_type, doc, &resources, &issues);
	if (r < 0)
		return js_issues_err(&issues, "test", e);
	return spec_to_cgroup(&resources, &arena, ret, e);
}

/* The value of a number in cg_resources: UNSET, MAX or itself. */
#define UNSET INT64_MIN
#define MAX   -1

static int64_t shown(const struct opt_u64 *v)
{
	return !v->set ? UNSET : v->v == UINT64_MAX ? MAX : (int64_t)v->v;
}

#define FIELD(member) offsetof(struct cg_resources, member)

/* clang-format off */
static const struct {
	const char *json;
	size_t field;
	int64_t value;
} numbers[] = {
	{ "{}",							FIELD(memory_max_bytes), UNSET },
	{ "{\"memory\":null}",					FIELD(memory_max_bytes), UNSET },
	{ "{\"memory\":{\"limit\":0}}",				FIELD(memory_max_bytes), UNSET },
	{ "{\"memory\":{\"limit\":-1}}",			FIELD(memory_max_bytes), MAX },
	{ "{\"memory\":{\"limit\":4096}}",			FIELD(memory_max_bytes), 4096 },
	{ "{\"memory\":{\"reservation\":7}}",			FIELD(memory_soft_bytes), 7 },
	{ "{\"memory\":{\"reservation\":-1}}",			FIELD(memory_soft_bytes), MAX },
	{ "{\"memory\":{\"reservation\":0}}",			FIELD(memory_soft_bytes), UNSET },
	{ "{\"memory\":{\"limit\":100}}",			FIELD(swap_max_bytes), UNSET },
	{ "{\"memory\":{\"limit\":-1}}",			FIELD(swap_max_bytes), MAX },
	{ "{\"memory\":{\"limit\":-1,\"swap\":0}}",		FIELD(swap_max_bytes), MAX },
	{ "{\"memory\":{\"limit\":-1,\"swap\":-1}}",		FIELD(swap_max_bytes), MAX },
	{ "{\"memory\":{\"swap\":-1}}",				FIELD(swap_max_bytes), MAX },
	{ "{\"memory\":{\"limit\":100,\"swap\":-1}}",		FIELD(swap_max_bytes), MAX },
	{ "{\"memory\":{\"limit\":100,\"swap\":100}}",		FIELD(swap_max_bytes), 0 },
	{ "{\"memory\":{\"limit\":100,\"swap\":300}}",		FIELD(swap_max_bytes), 200 },
	{ "{\"memory\":{\"limit\":100,\"swap\":0}}",		FIELD(swap_max_bytes), UNSET },
	{ "{\"memory\":{\"kernel\":5,\"kernelTCP\":5}}",	FIELD(memory_max_bytes), UNSET },
	{ "{\"memory\":{\"swappiness\":60}}",			FIELD(swappiness), 60 },
	{ "{\"cpu\":{\"shares\":0}}",				FIELD(cpu_weight), UNSET },
	{ "{\"cpu\":{\"shares\":1}}",				FIELD(cpu_weight), 1 },
	{ "{\"cpu\":{\"shares\":2}}",				FIELD(cpu_weight), 1 },
	{ "{\"cpu\":{\"shares\":1024}}",			FIELD(cpu_weight), 100 },
	{ "{\"cpu\":{\"shares\":262144}}",			FIELD(cpu_weight), 10000 },
	{ "{\"cpu\":{\"shares\":18446744073709551615}}",	FIELD(cpu_weight), 10000 },
	{ "{\"cpu\":{\"quota\":0}}",				FIELD(cpu_quota_us), UNSET },
	{ "{\"cpu\":{\"quota\":-1}}",				FIELD(cpu_quota_us), MAX },
	{ "{\"cpu\":{\"quota\":50000}}",			FIELD(cpu_quota_us), 50000 },
	{ "{\"cpu\":{\"period\":0}}",				FIELD(cpu_period_us), UNSET },
	{ "{\"cpu\":{\"period\":20000}}",			FIELD(cpu_period_us), 20000 },
	{ "{\"cpu\":{\"burst\":0}}",				FIELD(cpu_burst_us), 0 },
	{ "{\"cpu\":{\"burst\":9}}",				FIELD(cpu_burst_us), 9 },
	{ "{\"cpu\":{\"realtimePeriod\":1000000}}",		FIELD(cpu_rt_period_us), 1000000 },
	{ "{\"cpu\":{\"realtimeRuntime\":950000}}",		FIELD(cpu_rt_runtime_us), 950000 },
	{ "{\"cpu\":{\"realtimeRuntime\":-1}}",			FIELD(cpu_rt_runtime_us), MAX },
	{ "{\"pids\":{}}",					FIELD(pids_max), UNSET },
	{ "{\"pids\":{\"limit\":null}}",			FIELD(pids_max), UNSET },
	{ "{\"pids\":{\"limit\":0}}",				FIELD(pids_max), 1 },
	{ "{\"network\":{\"classID\":1048577}}",			FIELD(net_class_id), 1048577 },
	{ "{\"network\":{}}",					FIELD(net_class_id), UNSET },
	{ "{\"pids\":{\"limit\":-1}}",				FIELD(pids_max), MAX },
	{ "{\"pids\":{\"limit\":2048}}",			FIELD(pids_max), 2048 },
	{ "{\"blockIO\":{\"weight\":0}}",			FIELD(io_weight), UNSET },
	{ "{\"blockIO\":{\"weight\":10}}",			FIELD(io_weight), 1 },
	{ "{\"blockIO\":{\"weight\":500}}",			FIELD(io_weight), 4950 },
	{ "{\"blockIO\":{\"weight\":1000}}",			FIELD(io_weight), 10000 },
};

static const struct {
	const char *json, *path;
	int code;
} bad[] = {
	{ "{\"memory\":{\"limit\":-2}}",			  "linux.resources.memory.limit:", -EINVAL },
	{ "{\"memory\":{\"reservation\":-2}}",			  "linux.resources.memory.reservation:", -EINVAL },
	{ "{\"memory\":{\"swap\":-2}}",				  "linux.resources.memory.swap:", -EINVAL },
	{ "{\"memory\":{\"swap\":5}}",				  "linux.resources.memory.swap:", -EINVAL },
	{ "{\"memory\":{\"limit\":0,\"swap\":5}}",		  "linux.resources.memory.swap:", -EINVAL },
	{ "{\"memory\":{\"limit\":-1,\"swap\":5}}",		  "linux.resources.memory.swap:", -EINVAL },
	{ "{\"memory\":{\"limit\":6,\"swap\":5}}",		  "linux.resources.memory.swap:", -EINVAL },
	{ "{\"memory\":{\"swappiness\":101}}",			  "linux.resources.memory.swappiness:", -EINVAL },
	{ "{\"cpu\":{\"idle\":2}}",				  "linux.resources.cpu.idle:", -EINVAL },
	{ "{\"cpu\":{\"cpus\":\"0-\"}}",			  "linux.resources.cpu.cpus:", -EINVAL },
	{ "{\"cpu\":{\"mems\":\"a\"}}",				  "linux.resources.cpu.mems:", -EINVAL },
	{ "{\"blockIO\":{\"weight\":9}}",			  "linux.resources.blockIO.weight:", -EINVAL },
	{ "{\"blockIO\":{\"weight\":1001}}",			  "linux.resources.blockIO.weight:", -EINVAL },
	{ "{\"blockIO\":{\"leafWeight\":10}}",			  "linux.resources.blockIO.leafWeight:", -ENOTSUP },
	{ "{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":1}]}}",
								  "linux.resources.blockIO.weightDevice[0]:", -EINVAL },
	{ "{\"blockIO\":{\"weightDevice\":[{\"major\":-8,\"minor\":0,\"weight\":10}]}}",
								  "linux.resources.blockIO.weightDevice[0]:", -EINVAL },
	{ "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":-1,\"rate\":1}]}}",
								  "linux.resources.blockIO.throttleReadBpsDevice[0]:", -EINVAL },
	{ "{\"devices\":[{\"allow\":true,\"type\":\"c\",\"access\":\"x\"}]}",
								  "linux.resources.devices[0].access:", -EINVAL },
	{ "{\"devices\":[{\"allow\":true,\"type\":\"c\",\"access\":\"\"}]}",
								  "linux.resources.devices[0].access:", -EINVAL },
	{ "{\"devices\":[{\"allow\":true,\"type\":\"c\",\"major\":-2}]}",
								  "linux.resources.devices[0]:", -EINVAL },
	{ "{\"devices\":[{\"allow\":true,\"type\":\"u\"}]}",	  "test: devices[0].type:", -EINVAL },
	{ "{\"devices\":[{\"type\":\"c\"}]}",			  "test: devices[0].allow:", -EINVAL },
	{ "{\"hugepageLimits\":[{\"pageSize\":\"2M\",\"limit\":1}]}", "test: hugepageLimits[0].pageSize:", -EINVAL },
	{ "{\"hugepageLimits\":[{\"pageSize\":\"02MB\",\"limit\":1}]}", "test: hugepageLimits[0].pageSize:", -EINVAL },
	{ "{\"hugepageLimits\":[{\"pageSize\":\"2MB\"}]}",	  "test: hugepageLimits[0].limit:", -EINVAL },
	{ "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":-1}]}", "test: hugepageLimits[0].limit:", -EINVAL },
	{ "{\"rdma\":{\"mlx5_1\":{\"hcaHandles\":-1}}}",	  "test: rdma.mlx5_1.hcaHandles:", -EINVAL },
	{ "{\"rdma\":[]}",					  "test: rdma:", -EINVAL },
	{ "{\"rdma\":{\"mlx5_1\":{}}}",			  "linux.resources.rdma.mlx5_1: needs hcaHandles", -EINVAL },
	{ "{\"rdma\":{\"a b\":{\"hcaHandles\":1}}}",		  "linux.resources.rdma: 'a b'", -EINVAL },
	{ "{\"network\":{\"priorities\":[{\"name\":\"a b\",\"priority\":1}]}}", "linux.resources.network.priorities[0].name:", -EINVAL },
	{ "{\"unified\":{\"../memory.max\":\"1\"}}",		  "linux.resources.unified:", -EINVAL },
	{ "{\"unified\":{\"memory\":\"1\"}}",			  "linux.resources.unified:", -EINVAL },
	{ "{\"unified\":{\"..\":\"1\"}}",			  "linux.resources.unified:", -EINVAL },
	{ "{\"unified\":{\"cgroup.procs\":\"1\"}}",		  "linux.resources.unified:", -EINVAL },
	{ "{\"unified\":{\"memory.max\":1}}",			  "test: unified[\"memory.max\"]:", -EINVAL },
};
/* clang-format on */

START_TEST(test_number)
{
	struct cg_resources res = { 0 };
	struct err e = { 0 };

	ck_assert_msg(convert(numbers[_i].json, &res, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(shown((const struct opt_u64 *)((char *)&res + numbers[_i].field)),
			 numbers[_i].value);
}
END_TEST

START_TEST(test_bad)
{
	struct cg_resources res = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(convert(bad[_i].json, &res, &e), bad[_i].code);
	ck_assert_msg(strncmp(e.msg, bad[_i].path, strlen(bad[_i].path)) == 0, "%s", e.msg);
}
END_TEST

/* Against the formula as the spec's community writes it, for every value there is. */
START_TEST(test_shares)
{
	for (uint64_t shares = 3; shares < 262144; shares++) {
		const struct spec_resources from = { .cpu.shares = { shares, true } };
		double l = log2((double)shares);
		double weight = pow(10, (l * l + 125 * l) / 612 - 7.0 / 34.0);
		struct cg_resources res = { 0 };

		/* device rules are a page each time */
		own_arena struct arena scratch = { 0 };

		ck_assert_int_eq(spec_to_cgroup(&from, &scratch, &res, NULL), 0);
		ck_assert_uint_eq(res.cpu_weight.v, (uint64_t)ceil(weight));
	}
}
END_TEST

START_TEST(test_flags)
{
	struct cg_resources res = { 0 };

	ck_assert_int_eq(convert("{\"memory\":{\"disableOOMKiller\":false}}", &res, NULL), 0);
	ck_assert(!res.oom_kill_disable.set);
	ck_assert_int_eq(convert("{\"memory\":{\"disableOOMKiller\":true}}", &res, NULL), 0);
	ck_assert(res.oom_kill_disable.set && res.oom_kill_disable.v);
	ck_assert_int_eq(convert("{\"cpu\":{\"idle\":0}}", &res, NULL), 0);
	ck_assert(res.cpu_idle.set && !res.cpu_idle.v);
	ck_assert_int_eq(convert("{\"cpu\":{\"idle\":1}}", &res, NULL), 0);
	ck_assert(res.cpu_idle.set && res.cpu_idle.v);
	ck_assert_int_eq(convert("{\"cpu\":{\"cpus\":\"0-3,8\",\"mems\":\"\"}}", &res, NULL), 0);
	ck_assert_str_eq(res.cpuset_cpus, "0-3,8");
	ck_assert_ptr_null(res.cpuset_mems);
}
END_TEST

START_TEST(test_io)
{
	static const char text[] =
		"{\"blockIO\":{"
		"\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":500},"
		" {\"major\":8,\"minor\":16},{\"major\":8,\"minor\":32,\"weight\":10}],"
		"\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":600}],"
		"\"throttleWriteBpsDevice\":[{\"major\":8,\"minor\":16,\"rate\":700}],"
		"\"throttleReadIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":0}],"
		"\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":9}]}}";
	struct cg_resources res = { 0 };
	struct err e = { 0 };

	ck_assert_msg(convert(text, &res, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(res.io_weight_count, 2);
	ck_assert_uint_eq(res.io_weights[0].weight, 4950);
	ck_assert_uint_eq(res.io_weights[1].minor, 32);
	ck_assert_uint_eq(res.io_weights[1].weight, 1);
	ck_assert_uint_eq(res.io_limit_count, 2);
	ck_assert_uint_eq(res.io_limits[0].minor, 0);
	ck_assert_int_eq(shown(&res.io_limits[0].rbps), 600);
	ck_assert_int_eq(shown(&res.io_limits[0].wbps), UNSET);
	ck_assert_int_eq(shown(&res.io_limits[0].riops), MAX);
	ck_assert_int_eq(shown(&res.io_limits[0].wiops), 9);
	ck_assert_uint_eq(res.io_limits[1].minor, 16);
	ck_assert_int_eq(shown(&res.io_limits[1].wbps), 700);
}
END_TEST

START_TEST(test_rdma_and_network)
{
	static const char text[] =
		"{\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3,\"hcaObjects\":10000},"
		"\"rxe3\":{\"hcaObjects\":4294967295}},"
		"\"network\":{\"priorities\":[{\"name\":\"eth0\",\"priority\":5}]}}";
	struct cg_resources res;
	struct err e = { 0 };

	ck_assert_msg(convert(text, &res, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(res.rdma_count, 2);
	ck_assert_str_eq(res.rdma[0].device, "mlx5_1");
	ck_assert_uint_eq(res.rdma[0].handles.v, 3);
	ck_assert_uint_eq(res.rdma[0].objects.v, 10000);
	ck_assert(!res.rdma[1].handles.set);
	ck_assert_uint_eq(res.rdma[1].objects.v, UINT64_MAX);
	ck_assert_uint_eq(res.net_prio_count, 1);
	ck_assert_str_eq(res.net_prios[0].interface, "eth0");
	ck_assert_uint_eq(res.net_prios[0].priority, 5);
}
END_TEST

START_TEST(test_hugetlb_and_unified)
{
	static const char text[] =
		"{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":209715200},"
		"{\"pageSize\":\"1GB\",\"limit\":18446744073709551615}],"
		"\"unified\":{\"memory.high\":\"1\",\"io.max\":\"8:0 rbps=1\\n8:16 rbps=2\"}}";
	struct cg_resources res = { 0 };
	struct err e = { 0 };

	ck_assert_msg(convert(text, &res, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(res.hugetlb_count, 2);
	ck_assert_str_eq(res.hugetlb[0].page_size, "2MB");
	ck_assert_uint_eq(res.hugetlb[0].limit_bytes, 209715200);
	ck_assert_uint_eq(res.hugetlb[1].limit_bytes, UINT64_MAX);
	ck_assert_uint_eq(res.unified.n, 2);
	ck_assert_str_eq(res.unified.v[0].key, "memory.high");
}
END_TEST

static void is_rule(const struct cg_device_rule *rule, bool allow, char type, int64_t major,
		    int64_t minor, unsigned int access)
{
	ck_assert_int_eq(rule->allow, allow);
	ck_assert_int_eq(rule->type, type);
	ck_assert_int_eq(rule->major, major);
	ck_assert_int_eq(rule->minor, minor);
	ck_assert_uint_eq(rule->access, access);
}

START_TEST(test_devices)
{
	static const char text[] =
		"{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"
		"{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":229,\"access\":\"rw\"},"
		"{\"allow\":true,\"type\":\"b\",\"major\":8},"
		"{\"allow\":true,\"type\":\"c\",\"major\":9,\"access\":\"rwa\"},"
		"{\"allow\":true,\"type\":\"a\",\"major\":1,\"access\":\"r\"}]}";
	struct cg_resources res = { 0 };
	struct err e = { 0 };

	ck_assert_msg(convert(text, &res, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(res.device_count, 1 + 5 + 11);
	is_rule(&res.devices[0], false, 'a', -1, -1, 7);
	is_rule(&res.devices[1], false, 'a', -1, -1, 7);
	is_rule(&res.devices[2], true, 'c', 10, 229, CG_DEV_READ | CG_DEV_WRITE);
	is_rule(&res.devices[3], true, 'b', 8, -1, 7);
	is_rule(&res.devices[4], true, 'c', 9, -1, CG_DEV_READ | CG_DEV_WRITE);
	is_rule(&res.devices[5], true, 'a', -1, -1, 7);
	is_rule(&res.devices[6], true, 'c', -1, -1, CG_DEV_MKNOD);
	is_rule(&res.devices[7], true, 'b', -1, -1, CG_DEV_MKNOD);
	is_rule(&res.devices[8], true, 'c', 1, 3, 7);
	is_rule(&res.devices[14], true, 'c', 136, -1, 7);
	is_rule(&res.devices[16], true, 'c', 10, 200, 7);

	/* nothing said is not everything allowed */
	ck_assert_int_eq(convert("{}", &res, NULL), 0);
	ck_assert_uint_eq(res.device_count, 1 + 11);
	is_rule(&res.devices[0], false, 'a', -1, -1, 7);
}
END_TEST

static void teardown(void)
{
	arena_done(&arena);
}

int main(void)
{
	Suite *suite = suite_create("spec_cgroup");
	TCase *tcase = tcase_create("spec_cgroup");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_number, 0, (int)ARRAY_SIZE(numbers));
	tcase_add_loop_test(tcase, test_bad, 0, (int)ARRAY_SIZE(bad));
	tcase_add_test(tcase, test_shares);
	tcase_add_test(tcase, test_flags);
	tcase_add_test(tcase, test_io);
	tcase_add_test(tcase, test_rdma_and_network);
	tcase_add_test(tcase, test_hugetlb_and_unified);
	tcase_add_test(tcase, test_devices);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
