/* SPDX-License-Identifier: Apache-2.0 */
/* Name tables, both ways and as a list for messages. */
#include "base/table.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct name none[] = { { NULL, 0 } };
static const struct name one[] = { { "a", 7 }, { NULL, 0 } };
static const struct name many[] = {
	{ "ro", 1 }, { "rw", 2 }, { "readonly", 1 }, { "max", UINT64_MAX }, { NULL, 0 },
};

START_TEST(test_value)
{
	uint64_t v = 99;

	ck_assert_int_eq(name_value(none, "a", &v), -ENOENT);
	ck_assert_int_eq(name_value(many, "", &v), -ENOENT);
	ck_assert_int_eq(name_value(many, "r", &v), -ENOENT);
	ck_assert_int_eq(name_value(many, "RO", &v), -ENOENT);
	ck_assert_uint_eq(v, 99);
	for (const struct name *n = many; n->name; n++) {
		ck_assert_int_eq(name_value(many, n->name, &v), 0);
		ck_assert_uint_eq(v, n->value);
	}
}
END_TEST

START_TEST(test_of)
{
	ck_assert_ptr_null(name_of(none, 0));
	ck_assert_ptr_null(name_of(many, 0));
	ck_assert_str_eq(name_of(many, 1), "ro"); /* the first of two */
	ck_assert_str_eq(name_of(many, UINT64_MAX), "max");
}
END_TEST

/* clang-format off */
static const struct {
	const struct name *table;
	size_t size;
	const char *text;
} lists[] = {
	{ none, 32, "" },
	{ one,	32, "a" },
	{ many, 64, "ro, rw, readonly or max" },
	{ many, 24, "ro, rw, readonly or max" },
	{ many, 23, "ro, rw, readonly or ma" },
	{ many, 5,  "ro, " },
	{ many, 3,  "ro" },
	{ many, 2,  "r" },
	{ many, 1,  "" },
};
/* clang-format on */

START_TEST(test_list)
{
	char buf[64];

	memset(buf, '#', sizeof(buf));
	ck_assert_ptr_eq(name_list(lists[_i].table, buf, lists[_i].size), buf);
	ck_assert_str_eq(buf, lists[_i].text);
	if (lists[_i].size < sizeof(buf))
		ck_assert_int_eq(buf[lists[_i].size], '#');
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("table");
	TCase *tc = tcase_create("table");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, test_value);
	tcase_add_test(tc, test_of);
	tcase_add_loop_test(tc, test_list, 0, (int)(sizeof(lists) / sizeof(lists[0])));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
