/* SPDX-License-Identifier: Apache-2.0 */
/* From a partition of a store to its plan: a golden document, and what is told when it fails. */
#include "runtime/prepare.h"

#include "golden.h"

#include "base/json.h"

static char top[64];
static int store = -EBADF;
static struct arena arena;

static void setup(void)
{
	char path[96];
	struct err e = { 0 };

	(void)strcpy(top, "/var/tmp/ctr-test-prepare-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	(void)snprintf(path, sizeof(path), "%s/src/sbin", top);
	ck_assert_int_eq(file_mkdirs(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/src/sbin/init", top);
	ck_assert_int_eq(file_replace(AT_FDCWD, path, "#!", 2, 0755, FILE_NOSYNC), 0);
	(void)snprintf(path, sizeof(path), "%s/store", top);
	store = store_open(path, &e);
	ck_assert_msg(store >= 0, "%s", e.msg);
	(void)snprintf(path, sizeof(path), "%s/src", top);
	ck_assert_msg(template_import(store, "t", path, NULL, &e) == 0, "%s", e.msg);
}

static void teardown(void)
{
	arena_done(&arena);
	(void)close(store);
	ck_assert_int_eq(file_remove_tree(AT_FDCWD, top), 0);
}

static json_t *parse(const char *text)
{
	struct err e = { 0 };
	json_t *doc = NULL;

	ck_assert_msg(js_read_text(text, strlen(text), "test", &doc, &e) == 0, "%s", e.msg);
	return doc;
}

static const char full[] =
	"{\"root\":{\"template\":\"t\"},\"hostname\":\"web\",\"memory\":{\"limit\":\"64M\"},"
	"\"cpu\":{\"limit\":\"150%\"},\"limits\":{\"processes\":100},"
	"\"network\":{\"interfaces\":[{\"name\":\"eth0\",\"addresses\":[\"10.77.0.5/24\"]}],"
	"\"dns\":{\"servers\":[\"9.9.9.9\",\"2620:fe::fe\"],\"search\":[\"a.test\",\"b.test\"]}}}";

static void make_partition(const char *id, const char *config)
{
	own_json json_t *doc = parse(config);
	struct err e = { 0 };

	ck_assert_msg(partition_dir_create(store, id, doc, &(struct strv){ 0 }, true, &e) == 0,
		      "%s", e.msg);
}

START_TEST(test_golden)
{
	own_prepared struct prepared p = { 0 };
	const struct cg_layout *layout = NULL;
	own_json json_t *json = NULL;
	struct err e = { 0 };

	make_partition("web", full);
	ck_assert_msg(prepare_partition(store, "/store", "web", &arena, &p, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(p.config.name, "web");
	ck_assert_uint_ge(p.facts.id_base, ID_RANGE_BASE);
	ck_assert_uint_eq(p.plan.ns.uid_maps[0].outside, p.facts.id_base);
	ck_assert_uint_eq(p.plan.file_count, 3);
	ck_assert_str_eq(p.plan.files[0].content, "web\n");
	ck_assert_str_eq(p.plan.files[2].content, "nameserver 9.9.9.9\nnameserver 2620:fe::fe\n"
						  "search a.test b.test\n");
	ck_assert(p.plan.ns.monotonic.set && p.plan.ns.monotonic.secs < 0);
	ck_assert(p.plan.partition);
	if (cg_layout_open(&arena, &layout, &e) < 0) {
		printf("# skip: %s\n", e.msg);
		return;
	}
	json = plan_to_json(&p.plan, layout, &arena);
	if (!json) {
		puts("# skip: this host lacks a cgroup controller of the example");
		return;
	}
	drop_host_facts(json);
	ck_assert_int_eq(json_object_del(json, "uidMaps"), 0); /* the first that were free */
	ck_assert_int_eq(json_object_del(json, "gidMaps"), 0);
	expect_golden("plan-partition.json", json);
}
END_TEST

/* No two have the same ids, and one that belongs to no store the first as an example. */
START_TEST(test_ids)
{
	own_prepared struct prepared one = { 0 }, two = { 0 }, none = { 0 };
	struct err e = { 0 };

	make_partition("one", full);
	make_partition("two", full);
	ck_assert_msg(prepare_partition(store, "/s", "one", &arena, &one, &e) == 0, "%s", e.msg);
	ck_assert_msg(prepare_partition(store, "/s", "two", &arena, &two, &e) == 0, "%s", e.msg);
	ck_assert_uint_ne(one.plan.ns.uid_maps[0].outside, two.plan.ns.uid_maps[0].outside);
	ck_assert_int_eq(prepare_decode(parse(full), "x.json", &arena, &none, &e), 0);
	ck_assert_msg(prepare_facts(store, NULL, &arena, &none, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(none.facts.id_base, ID_RANGE_BASE);
	ck_assert_msg(prepare_plan("/s", "x", &arena, &none, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(none.plan.bundle, "/s/partitions/x");
	ck_assert_str_eq(none.plan.rootfs, "/s/partitions/x/rootfs");
}
END_TEST

/* clang-format off */
static const struct {
	const char *config;
	int r;
	const char *part; /* of the message */
} bad[] = {
	{ "{}",							     -EINVAL, "root" },
	{ "[]",							     -EINVAL, "found an array" },
	{ "{\"root\":{\"template\":\"t\"},\"memory\":{\"limt\":1}}", -EINVAL, "memory.limt" },
	{ "{\"root\":{\"template\":\"t\"},\"cpu\":{\"limit\":\"1.5.5\"}}", -EINVAL, "cpu.limit" },
	{ "{\"root\":{\"template\":\"none\"}}",			     -ENOENT, "none" },
	{ "{\"root\":{\"template\":\"t\"},\"devices\":[{\"path\":\"/dev/no-such\"}]}", -ENOENT, "/dev/no-such" },
};
/* clang-format on */

START_TEST(test_bad_configs)
{
	own_prepared struct prepared p = { 0 };
	struct err e = { 0 };
	int r = prepare_decode(parse(bad[_i].config), "config 'x'", &arena, &p, &e);

	if (r == 0)
		r = prepare_facts(store, NULL, &arena, &p, &e);
	ck_assert_msg(r == bad[_i].r, "%s gives %d: %s", bad[_i].config, r, e.msg);
	ck_assert_msg(strstr(e.msg, bad[_i].part), "%s", e.msg);
	ck_assert_int_eq(e.code, r);
}
END_TEST

START_TEST(test_not_there)
{
	own_prepared struct prepared p = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(prepare_partition(store, "/s", "none", &arena, &p, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "none"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("prepare");
	TCase *tc = tcase_create("prepare");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	if (geteuid() == 0) {
		tcase_add_test(tc, test_golden);
		tcase_add_test(tc, test_ids);
		tcase_add_loop_test(tc, test_bad_configs, 0, (int)ARRAY_SIZE(bad));
		tcase_add_test(tc, test_not_there);
	} else {
		puts("# skip: a store with a template needs root");
	}
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
