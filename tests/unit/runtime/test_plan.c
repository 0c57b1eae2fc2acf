/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of an OCI bundle: golden documents, and every way in which it can be refused. */
#include "runtime/plan.h"

#include "golden.h"

#include <sys/stat.h>

static struct arena arena;

static void teardown(void)
{
	arena_done(&arena);
}

static json_t *parse(const char *text)
{
	struct err e = { 0 };
	json_t *doc = NULL;

	ck_assert_msg(js_read_text(text, strlen(text), "test", &doc, &e) == 0, "%s", e.msg);
	return doc;
}

/* @doc must live as long as the plan. */
static int build(json_t *doc, struct plan *ret, struct err *e)
{
	struct spec *spec = arena_alloc(&arena, sizeof(*spec));

	ck_assert_msg(spec_decode(doc, "test", &arena, spec, e) == 0, "%s", e->msg);
	return plan_build("web", "/bundle", CG_CGROUPFS, spec, NULL, NULL, &arena, ret, e);
}

#define MINIMAL(more, linux)                                                      \
	"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},"               \
	"\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]}," more "\"linux\":{" linux \
	"\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"}]}}"

static void check_golden(const char *name, json_t *doc)
{
	const struct cg_layout *layout = NULL;
	own_json json_t *json = NULL;
	struct plan plan = { 0 };
	struct err e = { 0 };

	if (cg_layout_open(&arena, &layout, &e) < 0) {
		printf("# skip: %s\n", e.msg);
		return;
	}
	ck_assert_msg(build(doc, &plan, &e) == 0, "%s", e.msg);
	json = plan_to_json(&plan, layout, &arena);
	if (!json) {
		puts("# skip: this host lacks a cgroup controller of the example");
		return;
	}
	drop_host_facts(json);
	expect_golden(name, json);
}

START_TEST(test_golden_minimal)
{
	own_json json_t *doc = parse(MINIMAL("", ""));

	check_golden("plan-minimal.json", doc);
}
END_TEST

START_TEST(test_golden_bundle)
{
	own_json json_t *doc = parse(
		"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"/abs/root\",\"readonly\":true},"
		"\"hostname\":\"box\",\"process\":{\"terminal\":true,\"cwd\":\"/srv\","
		"\"user\":{\"uid\":1,\"gid\":2},\"args\":[\"sh\",\"-c\",\"true\"],"
		"\"env\":[\"PATH=/bin:/sbin\",\"A=1\"],\"noNewPrivileges\":true,"
		"\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"]},"
		"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":64,\"hard\":128}]},"
		"\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
		"{\"destination\":\"/tmp\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
		"\"options\":[\"nosuid\",\"nodev\",\"size=1m\",\"mode=1777\"]},"
		"{\"destination\":\"/data\",\"source\":\"data\",\"options\":[\"rbind\",\"ro\"]},"
		"{\"destination\":\"/host\",\"type\":\"bind\",\"source\":\"/srv/x\"}],"
		"\"linux\":{\"cgroupsPath\":\"pods/web\",\"uidMappings\":[{\"containerID\":0,"
		"\"hostID\":100000,\"size\":65536}],\"gidMappings\":[{\"containerID\":0,"
		"\"hostID\":200000,\"size\":65536}],\"namespaces\":[{\"type\":\"mount\"},"
		"{\"type\":\"pid\"},{\"type\":\"user\"},{\"type\":\"uts\"},"
		"{\"type\":\"network\",\"path\":\"/run/netns/x\"}],"
		"\"devices\":[{\"path\":\"/dev/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229},"
		"{\"path\":\"/dev/pipe\",\"type\":\"p\",\"fileMode\":384}],"
		"\"sysctl\":{\"net.ipv4.ip_forward\":\"1\",\"net/ipv4/conf/eth0.1/"
		"forwarding\":\"0\"},"
		"\"maskedPaths\":[\"/proc/kcore\"],\"readonlyPaths\":[\"/proc/sys\"],"
		"\"rootfsPropagation\":\"rslave\"}}");

	check_golden("plan-bundle.json", doc);
}
END_TEST

/* clang-format off */
static const struct {
	const char *spec;
	int r;
	const char *msg; /* how it begins */
} refused[] = {
	{ MINIMAL("\"mounts\":[{\"destination\":\"/a\"}],", ""), -EINVAL, "mounts[0].source: a bind needs one" },
	{ MINIMAL("\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\"},{\"destination\":\"/b\",\"type\":\"bind\"}],", ""), -EINVAL, "mounts[1].source: a bind needs one" },
};
static const struct {
	const char *member, *path;
} cgroup_paths[] = {
	{ "", "/ctr/web" },
	{ "\"cgroupsPath\":\"\",", "/ctr/web" },
	{ "\"cgroupsPath\":\"/a/b\",", "/a/b" },
	{ "\"cgroupsPath\":\"a/b\",", "/a/b" },
};
static const struct {
	const char *key, *path;
} sysctls[] = {
	{ "net.ipv4.ip_forward", "net/ipv4/ip_forward" },
	{ "net/ipv4/ip_forward", "net/ipv4/ip_forward" },
	{ "net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding" },
	{ "net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding" },
	{ "single", "single" },
};
/* clang-format on */

START_TEST(test_refused)
{
	own_json json_t *doc = parse(refused[_i].spec);
	struct plan plan = { .id = "untouched" };
	struct err e = { 0 };

	ck_assert_int_eq(build(doc, &plan, &e), refused[_i].r);
	ck_assert_int_eq(strncmp(e.msg, refused[_i].msg, strlen(refused[_i].msg)), 0);
	ck_assert_str_eq(plan.id, "untouched");
}
END_TEST

START_TEST(test_cgroup_paths)
{
	own_json json_t *doc = parse(arena_printf(
		&arena,
		"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"process\":{\"cwd\":\"/\","
		"\"args\":[\"sh\"]},\"linux\":{%s\"namespaces\":[]}}",
		cgroup_paths[_i].member));
	struct plan plan = { 0 };
	struct err e = { 0 };

	ck_assert_msg(build(doc, &plan, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(plan.cgroup_path, cgroup_paths[_i].path);
	ck_assert_str_eq(plan.rootfs, "/bundle/r");
	ck_assert(!plan.partition && !plan.delegate && !plan.private_net);
}
END_TEST

START_TEST(test_sysctls)
{
	own_json json_t *doc = parse(MINIMAL("", "\"sysctl\":{},"));
	struct plan plan = { 0 };
	struct err e = { 0 };

	json_object_set_new(json_object_get(json_object_get(doc, "linux"), "sysctl"),
			    sysctls[_i].key, json_string("v"));
	ck_assert_msg(build(doc, &plan, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(plan.sysctl.n, 1);
	ck_assert_str_eq(plan.sysctl.v[0].key, sysctls[_i].path);
	ck_assert_str_eq(plan.sysctl.v[0].value, "v");
}
END_TEST

/* Default nodes are made. In a user namespace mknod(2) is refused: there the parent makes them,
 * with the ids that its root has outside, if /dev is a tmpfs, and else they are bound. */
START_TEST(test_device_nodes)
{
	own_json json_t *plain = parse(MINIMAL("", ""));
	own_json json_t *inside = parse(MINIMAL("", ""));
	own_json json_t *tmpfs = parse(MINIMAL(
		"\"mounts\":[{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}],",
		"\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":10}],"
		"\"gidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":10}],"));
	struct plan host = { 0 }, userns = { 0 }, parents = { 0 };
	struct err e = { 0 };

	json_array_append_new(json_object_get(json_object_get(tmpfs, "linux"), "namespaces"),
			      json_pack("{s:s}", "type", "user"));
	ck_assert_int_eq(build(tmpfs, &parents, &e), 0);
	json_array_append_new(json_object_get(json_object_get(inside, "linux"), "namespaces"),
			      json_pack("{s:s}", "type", "user"));
	ck_assert_int_eq(build(plain, &host, &e), 0);
	ck_assert_int_eq(build(inside, &userns, &e), 0);
	ck_assert_uint_ge(host.node_count, 6); /* OCI config-linux.md "Default Devices" */
	ck_assert_uint_eq(host.mount_count, 0);
	ck_assert_uint_eq(userns.node_count, 0);
	ck_assert_uint_eq(parents.node_count, host.node_count);
	ck_assert_uint_eq(userns.mount_count, host.node_count);
	for (size_t i = 0; i < host.node_count; i++) {
		ck_assert_str_eq(userns.mounts[i].target, host.nodes[i].path);
		ck_assert(userns.mounts[i].opt.bind);
		ck_assert_int_eq(userns.mounts[i].tree, -EBADF);
		ck_assert_str_eq(parents.nodes[i].path, host.nodes[i].path);
		ck_assert_uint_eq(parents.nodes[i].uid, 100000);
		ck_assert_uint_eq(parents.nodes[i].gid, 200000);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tc = tcase_create("plan");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, test_golden_minimal);
	tcase_add_test(tc, test_golden_bundle);
	tcase_add_loop_test(tc, test_refused, 0, (int)ARRAY_SIZE(refused));
	tcase_add_loop_test(tc, test_cgroup_paths, 0, (int)ARRAY_SIZE(cgroup_paths));
	tcase_add_loop_test(tc, test_sysctls, 0, (int)ARRAY_SIZE(sysctls));
	tcase_add_test(tc, test_device_nodes);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
