/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: zeroed, aligned, apart from each other, and whole when an allocation cannot be had. */
#include "base/arena.h"

#include "base/own.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const size_t sizes[] = { 0, 1, 15, 16, 17, 4096, 16 * 1024 - 1, 16 * 1024, 100000, 1 << 20 };

static bool is_all(const char *p, size_t size, char value)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != value)
			return false;
	return true;
}

START_TEST(test_alloc)
{
	own_arena struct arena a = { 0 };
	char *made[ARRAY_SIZE(sizes)][3];

	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			char *p = made[i][round] = arena_alloc(&a, sizes[i]);

			ck_assert_ptr_nonnull(p);
			ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
			ck_assert(is_all(p, sizes[i], 0));
			memset(p, (int)(i * 3 + round + 1), sizes[i]);
		}
	}
	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
			ck_assert(is_all(made[i][round], sizes[i], (char)(i * 3 + round + 1)));
}
END_TEST

START_TEST(test_too_large)
{
	own_arena struct arena a = { 0 };
	char *list = NULL;
	size_t n = 0;

	ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX / 2 + 1));
	ck_assert_ptr_null(arena_grow(&a, &list, &n, SIZE_MAX));
	ck_assert_uint_eq(n, 0);
	ck_assert_ptr_null(list);
	ck_assert_ptr_nonnull(arena_alloc(&a, 1));
}
END_TEST

START_TEST(test_strings)
{
	own_arena struct arena a = { 0 };
	char big[40000];
	char *s;

	ck_assert_ptr_null(arena_strdup(&a, NULL));
	ck_assert_str_eq(arena_strdup(&a, ""), "");
	ck_assert_str_eq(arena_strndup(&a, "abcdef", 3), "abc");
	ck_assert_str_eq(arena_strndup(&a, "abc", 0), "");
	ck_assert_str_eq(arena_printf(&a, "%s-%d", "x", 42), "x-42");
	memset(big, 'z', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	s = arena_printf(&a, "<%s>", big);
	ck_assert_uint_eq(strlen(s), strlen(big) + 2);
	ck_assert_str_eq(arena_strdup(&a, big), big);
}
END_TEST

START_TEST(test_grow)
{
	own_arena struct arena a = { 0 };
	struct pair {
		uint64_t x;
		char y;
	} *list = NULL;
	size_t n = 0;

	for (uint64_t i = 0; i < 5000; i++) {
		struct pair *p = arena_grow(&a, &list, &n, sizeof(*p));

		ck_assert_ptr_eq(p, list + i);
		ck_assert_uint_eq(n, i + 1);
		ck_assert_uint_eq(p->x, 0);
		ck_assert_int_eq(p->y, 0);
		*p = (struct pair){ .x = i * 7, .y = (char)i };
	}
	for (uint64_t i = 0; i < n; i++) {
		ck_assert_uint_eq(list[i].x, i * 7);
		ck_assert_int_eq(list[i].y, (char)i);
	}
}
END_TEST

START_TEST(test_done)
{
	struct arena a = { 0 };

	arena_done(&a);
	ck_assert_ptr_nonnull(arena_alloc(&a, 1 << 20));
	ck_assert_ptr_nonnull(arena_alloc(&a, 8));
	errno = EXDEV;
	arena_done(&a);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_ptr_null(a.head);
	ck_assert_str_eq(arena_strdup(&a, "again"), "again");
	arena_done(&a);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arena");
	TCase *tc = tcase_create("arena");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, test_alloc);
	tcase_add_test(tc, test_too_large);
	tcase_add_test(tc, test_strings);
	tcase_add_test(tc, test_grow);
	tcase_add_test(tc, test_done);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
