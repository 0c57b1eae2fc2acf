/* SPDX-License-Identifier: Apache-2.0 */
/* What of the hierarchies is ours: the group that two paths have in common, and root's view. */
#include "base/own.h"
#include "cgroups/cg_internal.h"

#include <check.h>
#include <string.h>

static const struct {
	const char *a, *b, *common;
} pairs[] = {
	{ "/", "/", "/" },	    { "/", "/a/b", "" },	  { "/a/b", "/a/c", "/a" },
	{ "/a/b", "/a/b", "/a/b" }, { "/a", "/a/b", "/a" },	  { "/a/b/c", "/a", "/a" },
	{ "/ab", "/a", "" },	    { "/a/bc", "/a/bd/e", "/a" }, { "/user.slice/x", "/ctr/y", "" },
};

START_TEST(common)
{
	size_t n = narrow_common(pairs[_i].a, pairs[_i].b);

	ck_assert_uint_eq(n, strlen(pairs[_i].common));
	ck_assert_uint_eq(narrow_common(pairs[_i].b, pairs[_i].a), n);
}
END_TEST

START_TEST(of_root_is_all)
{
	own_arena struct arena arena = { 0 };
	const struct cg_layout *all, *narrow;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(cg_layout_open(&arena, &all, NULL), 0);
	ck_assert_int_eq(cg_narrow(all, "/ctr-no-such/group", &arena, &narrow), 1);
	for (unsigned int i = 0; i < CG_CONTROLLERS; i++)
		ck_assert_int_eq(cg_has(narrow, i), cg_has(all, i));
	ck_assert_int_eq(cg_narrow(all, "relative", &arena, &narrow), 0);
	ck_assert_ptr_nonnull(cg_own_path(&arena));
	ck_assert_int_eq(*cg_own_path(&arena), '/');
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroups/narrow");
	TCase *tc = tcase_create("narrow");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, common, 0, (int)ARRAY_SIZE(pairs));
	tcase_add_test(tc, of_root_is_all);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
