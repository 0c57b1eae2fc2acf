/* SPDX-License-Identifier: Apache-2.0 */
/* Hierarchies found in captured mount tables. */
#include "base/own.h"
#include "cgroups/cg_internal.h"

#include <check.h>

static const char unified[] =
	"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
	"26 22 0:24 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 "
	"rw,nsdelegate,memory_recursiveprot\n"
	"27 26 0:50 / /mnt/cgroup\\040space rw - tmpfs tmpfs rw\n";

static const char hybrid[] =
	"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
	"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
	"34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"
	"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
	"36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices\n"
	"37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer\n"
	"38 31 0:35 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio\n"
	"39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
	"40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd\n"
	"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

static const char legacy[] =
	"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n";

/* A container's binds before and after the host's mounts, an escaped mount point, an empty source.
 */
static const char odd[] =
	"90 31 0:32 /docker/abc /var/lib/x/sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
	"91 31 0:38 /../.. /outside rw - cgroup2 cgroup2 rw\n"
	"92 31 0:38 / /sys/fs/my\\040cgroup\\134\\011 rw master:1 propagate_from:2 - cgroup2  rw\n"
	"93 31 0:38 / /later/mount rw - cgroup2 none rw\n"
	"94 31 0:32 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
	"broken line\n"
	"95 31 0:40 / /short - cgroup cgroup rw,cpu\n"
	"96 31 0:41 / /x rw - cgroup\n";

static struct cg_layout parse(struct arena *arena, const char *text, const char *controllers)
{
	struct cg_layout layout;

	ck_assert_int_eq(layout_parse(text, arena, &layout, NULL), 0);
	layout_set_v2(&layout, controllers);
	return layout;
}

START_TEST(pure_v2)
{
	own_arena struct arena arena = { 0 };
	struct cg_layout l = parse(&arena, unified, "cpuset cpu io memory hugetlb pids rdma misc");

	ck_assert_uint_eq(l.count, 1);
	ck_assert_str_eq(cg_mount(&l), "/sys/fs/cgroup");
	for (unsigned int i = 0; i < CG_CONTROLLERS; i++) {
		ck_assert_ptr_nonnull(cg_controller_name(i));
		if (i == CG_NET_CLS || i == CG_NET_PRIO || i == CG_PERF || i == CG_NAMED) {
			ck_assert(!cg_has(&l, i));
			continue;
		}
		ck_assert(cg_is_v2(&l, i));
		ck_assert_str_eq(cg_where(&l, i), "cgroup v2");
	}
}
END_TEST

START_TEST(missing_controllers)
{
	own_arena struct arena arena = { 0 };
	struct cg_layout l = parse(&arena, unified, "pids cpusetx");

	ck_assert(cg_has(&l, CG_PIDS));
	ck_assert(!cg_has(&l, CG_CPUSET));
	ck_assert(!cg_has(&l, CG_CPU));
	ck_assert(!cg_is_v2(&l, CG_CPU));
	ck_assert_ptr_null(cg_where(&l, CG_CPU));
	ck_assert(cg_is_v2(&l, CG_CPUACCT));
	ck_assert(cg_is_v2(&l, CG_DEVICES));
	ck_assert(cg_is_v2(&l, CG_FREEZER));
}
END_TEST

START_TEST(hybrid_host)
{
	own_arena struct arena arena = { 0 };
	struct cg_layout l = parse(&arena, hybrid, "hugetlb");

	ck_assert_str_eq(cg_mount(&l), "/sys/fs/cgroup/unified");
	ck_assert_str_eq(cg_where(&l, CG_MEMORY), "cgroup v1 at /sys/fs/cgroup/memory");
	ck_assert_ptr_eq(layout_hier(&l, CG_CPU), layout_hier(&l, CG_CPUACCT));
	ck_assert_str_eq(layout_hier(&l, CG_CPU)->mount, "/sys/fs/cgroup/cpu,cpuacct");
	ck_assert(!cg_is_v2(&l, CG_IO));
	ck_assert(cg_is_v2(&l, CG_HUGETLB));
	ck_assert(cg_is_v2(&l, CG_DEVICES));
	ck_assert(cg_is_v2(&l, CG_FREEZER));
	/* cgroup2, cpu+cpuacct, cpuset, memory, blkio, pids, devices, freezer, systemd */
	ck_assert_uint_eq(l.count, 9);
	ck_assert_str_eq(layout_v1(&l, CG_FREEZER)->mount, "/sys/fs/cgroup/freezer");
	ck_assert_str_eq(layout_v1(&l, CG_NAMED)->mount, "/sys/fs/cgroup/systemd");
	ck_assert_ptr_null(layout_v1(&l, CG_PERF));
}
END_TEST

START_TEST(no_cgroup2)
{
	own_arena struct arena arena = { 0 };
	struct cg_layout layout;
	struct err e = { 0 };

	ck_assert_int_eq(layout_parse(legacy, &arena, &layout, &e), -ENOTSUP);
	ck_assert_str_ne(e.hint, "");
	ck_assert_int_eq(layout_parse("", &arena, &layout, &e), -ENOTSUP);
}
END_TEST

START_TEST(odd_mounts)
{
	own_arena struct arena arena = { 0 };
	struct cg_layout l = parse(&arena, odd, "");

	ck_assert_str_eq(cg_mount(&l), "/sys/fs/my cgroup\\\t");
	ck_assert_str_eq(cg_where(&l, CG_MEMORY), "cgroup v1 at /sys/fs/cgroup/memory");
	ck_assert(!cg_has(&l, CG_CPU));
}
END_TEST

START_TEST(same_point_twice)
{
	own_arena struct arena arena = { 0 };
	struct cg_layout l = parse(&arena,
				   "1 1 0:1 /a /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
				   "2 1 0:1 /b /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
				   "3 1 0:1 /c /elsewhere rw - cgroup2 cgroup2 rw\n",
				   "");

	ck_assert_str_eq(cg_mount(&l), "/sys/fs/cgroup");
}
END_TEST

START_TEST(files_and_words)
{
	ck_assert_int_eq(layout_controller("memory.max"), CG_MEMORY);
	ck_assert_int_eq(layout_controller("hugetlb.2MB.max"), CG_HUGETLB);
	ck_assert_int_eq(layout_controller("cgroup.max.depth"), CG_CORE);
	ck_assert_int_eq(layout_controller("misc.max"), CG_CONTROLLERS);
	ck_assert_int_eq(layout_controller("cpuset.cpus"), CG_CPUSET);
	ck_assert(layout_lists("cpuset cpu io", "cpu"));
	ck_assert(!layout_lists("cpuset io", "cpu"));
	ck_assert(!layout_lists("", "cpu"));
}
END_TEST

static const struct {
	const char *path;
	bool valid;
} paths[] = {
	{ "/ctr", true },     { "/ctr/web1", true }, { "/a/b/c.d-e_f", true },
	{ "/...", true },     { "/a..b", true },     { "/", false },
	{ "", false },	      { "ctr", false },	     { "//a", false },
	{ "/a//b", false },   { "/a/", false },	     { "/..", false },
	{ "/a/../b", false }, { "/a/./b", false },   { "/a/..", false },
	{ "../a", false },
};

START_TEST(path_rules)
{
	ck_assert_msg((tree_path(paths[_i].path, NULL) == 0) == paths[_i].valid, "'%s'",
		      paths[_i].path);
}
END_TEST

START_TEST(long_paths)
{
	char path[5000];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[256] = '\0';
	ck_assert_int_eq(tree_path(path, NULL), 0);
	path[256] = 'a';
	path[257] = '\0';
	ck_assert_int_eq(tree_path(path, NULL), -EINVAL);
	for (size_t i = 0; i < sizeof(path) - 1; i += 2)
		path[i] = '/';
	path[256] = '/';
	path[257] = 'a';
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(tree_path(path, NULL), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroups/layout");
	TCase *tcase = tcase_create("layout");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, pure_v2);
	tcase_add_test(tcase, missing_controllers);
	tcase_add_test(tcase, hybrid_host);
	tcase_add_test(tcase, no_cgroup2);
	tcase_add_test(tcase, odd_mounts);
	tcase_add_test(tcase, same_point_twice);
	tcase_add_test(tcase, files_and_words);
	tcase_add_loop_test(tcase, path_rules, 0, (int)ARRAY_SIZE(paths));
	tcase_add_test(tcase, long_paths);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
