/* SPDX-License-Identifier: Apache-2.0 */
/* Error messages: one line, outer to inner, never longer than they may be. */
#include "base/err.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_set)
{
	struct err e = { .hint = "of another failure" };

	ck_assert_int_eq(err_set(&e, -ENOENT, "open '%s'", "x"), -ENOENT);
	ck_assert_int_eq(e.code, -ENOENT);
	ck_assert_str_eq(e.msg, "open 'x': No such file or directory");
	ck_assert_str_eq(e.hint, "");
	ck_assert_int_eq(err_say(&e, -EINVAL, "limit %d is low", 3), -EINVAL);
	ck_assert_str_eq(e.msg, "limit 3 is low");
}
END_TEST

/* clang-format off */
static const struct {
	int code;
	const char *msg;
} causes[] = {
	{ -524,	    "load: error 524" }, /* the kernel's ENOTSUPP */
	{ -100000,  "load: error 100000" },
	{ -INT_MAX, "load: error 2147483647" },
	{ -EPERM,   "load: Operation not permitted" },
};
/* clang-format on */

START_TEST(test_unknown_cause)
{
	struct err e;

	ck_assert_int_eq(err_set(&e, causes[_i].code, "load"), causes[_i].code);
	ck_assert_str_eq(e.msg, causes[_i].msg);
}
END_TEST

START_TEST(test_nobody_cares)
{
	ck_assert_int_eq(err_set(NULL, -EIO, "x"), -EIO);
	ck_assert_int_eq(err_say(NULL, -EIO, "x"), -EIO);
	ck_assert_int_eq(err_wrap(NULL, -EIO, "x"), -EIO);
	err_hint(NULL, "x");
}
END_TEST

START_TEST(test_wrap)
{
	struct err e = { 0 };

	err_set(&e, -EBUSY, "rename '%s'", "a");
	err_hint(&e, "wait");
	ck_assert_int_eq(err_wrap(&e, -EIO, "partition '%s'", "web"), -EIO);
	ck_assert_str_eq(e.msg, "partition 'web': rename 'a': Device or resource busy");
	ck_assert_str_eq(e.hint, "wait");
	ck_assert_int_eq(e.code, -EIO);
	/* An argument may be the message itself. */
	err_wrap(&e, -EIO, "%s", e.msg);
	ck_assert_str_eq(e.msg, "partition 'web': rename 'a': Device or resource busy: "
				"partition 'web': rename 'a': Device or resource busy");
}
END_TEST

START_TEST(test_wrap_of_bare_code)
{
	struct err e = { 0 };

	err_wrap(&e, -ENOMEM, "container 'x'");
	ck_assert_str_eq(e.msg, "container 'x': Cannot allocate memory");
}
END_TEST

START_TEST(test_hint_of_the_source_stays)
{
	struct err e = { 0 };

	err_say(&e, -EPERM, "no");
	err_hint(&e, "first %d", 1);
	err_hint(&e, "second");
	ck_assert_str_eq(e.hint, "first 1");
	err_say(&e, -EPERM, "other");
	ck_assert_str_eq(e.hint, "");
}
END_TEST

START_TEST(test_truncation)
{
	struct err e = { 0 };
	char big[2000];

	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&e, -ENOENT, "%s", big);
	ck_assert_uint_eq(strlen(e.msg), sizeof(e.msg) - 1);
	err_hint(&e, "%s", big);
	ck_assert_uint_eq(strlen(e.hint), sizeof(e.hint) - 1);
	/* A full message wrapped loses its end, a huge prefix the whole message. */
	err_wrap(&e, -ENOENT, "top");
	ck_assert_uint_eq(strlen(e.msg), sizeof(e.msg) - 1);
	ck_assert_int_eq(strncmp(e.msg, "top: aaa", 8), 0);
	err_wrap(&e, -ENOENT, "%s", big);
	ck_assert_uint_le(strlen(e.msg), sizeof(e.msg) - 1);
	/* Every length around the end of the buffer. */
	for (size_t n = sizeof(e.msg) - 8; n < sizeof(e.msg) + 8; n++) {
		err_say(&e, -EIO, "end");
		err_wrap(&e, -EIO, "%.*s", (int)n, big);
		ck_assert_uint_lt(strlen(e.msg), sizeof(e.msg));
		ck_assert_int_eq(e.msg[0], 'a');
		err_set(&e, -EIO, "%.*s", (int)n, big);
		ck_assert_uint_lt(strlen(e.msg), sizeof(e.msg));
	}
}
END_TEST

START_TEST(test_one_line)
{
	struct err e = { 0 };

	err_say(&e, -EIO, "a\nb\tc\x1b[31m\x7f \xc3\xa9");
	ck_assert_str_eq(e.msg, "a?b?c?[31m? \xc3\xa9");
	err_wrap(&e, -EIO, "x\r\ny");
	ck_assert_str_eq(e.msg, "x??y: a?b?c?[31m? \xc3\xa9");
	err_hint(&e, "do\nthis");
	ck_assert_str_eq(e.hint, "do?this");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("err");
	TCase *tc = tcase_create("err");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, test_set);
	tcase_add_loop_test(tc, test_unknown_cause, 0, (int)(sizeof(causes) / sizeof(causes[0])));
	tcase_add_test(tc, test_nobody_cares);
	tcase_add_test(tc, test_wrap);
	tcase_add_test(tc, test_wrap_of_bare_code);
	tcase_add_test(tc, test_hint_of_the_source_stays);
	tcase_add_test(tc, test_truncation);
	tcase_add_test(tc, test_one_line);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
