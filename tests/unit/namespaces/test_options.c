/* SPDX-License-Identifier: Apache-2.0 */
/* Mount options: every word, clearing forms, and what is left to the file system. */
#include "base/own.h"
#include "namespaces/mount/options.h"
#include "namespaces/ns.h"

#include <check.h>
#include <string.h>
#include <sys/mount.h>

static struct mnt_options parse(struct arena *arena, const char *const *words, size_t n)
{
	const struct strv list = { (char **)(uintptr_t)words, n };
	struct mnt_options m;

	ck_assert_int_eq(mnt_options_parse(&list, arena, &m), 0);
	return m;
}
#define PARSE(arena, ...)                                  \
	parse(arena, (const char *const[]){ __VA_ARGS__ }, \
	      sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

START_TEST(later_overrides_earlier)
{
	own_arena struct arena arena = { 0 };
	struct mnt_options m = PARSE(&arena, "ro", "nosuid", "rw");

	ck_assert_uint_eq(m.attr_set, MOUNT_ATTR_NOSUID);
	ck_assert_uint_eq(m.attr_clr, MOUNT_ATTR_RDONLY);
	m = PARSE(&arena, "rw", "ro");
	ck_assert_uint_eq(m.attr_set, MOUNT_ATTR_RDONLY);
	ck_assert_uint_eq(m.attr_clr, 0);
}
END_TEST

START_TEST(access_times_are_one_field)
{
	own_arena struct arena arena = { 0 };
	struct mnt_options m = PARSE(&arena, "noatime", "strictatime");

	ck_assert_uint_eq(m.attr_set, MOUNT_ATTR_STRICTATIME);
	ck_assert_uint_eq(m.attr_clr & MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME & ~0UL);
	m = PARSE(&arena, "rnoatime");
	ck_assert_uint_eq(m.rec_set, MOUNT_ATTR_NOATIME);
	ck_assert_uint_eq(m.attr_set, 0);
}
END_TEST

START_TEST(kinds)
{
	own_arena struct arena arena = { 0 };
	struct mnt_options m = PARSE(&arena, "rbind", "rro", "rslave", "ridmap", "tmpcopyup", "");

	ck_assert(m.bind && m.recursive && m.idmap && m.ridmap && m.tmpcopyup);
	ck_assert_uint_eq(m.rec_set, MOUNT_ATTR_RDONLY);
	ck_assert_uint_eq(m.propagation, MS_SLAVE);
	ck_assert(m.propagation_rec);
	ck_assert_uint_eq(m.data.n, 0);
}
END_TEST

START_TEST(the_rest_is_data)
{
	own_arena struct arena arena = { 0 };
	struct mnt_options m =
		PARSE(&arena, "mode=755", "defaults", "size=64k", "sync", "hidepid=2");

	ck_assert_uint_eq(m.data.n, 4);
	ck_assert_str_eq(m.data.v[0], "mode=755");
	ck_assert_str_eq(m.data.v[2], "sync");
	ck_assert_uint_eq(m.attr_set | m.attr_clr, 0);
}
END_TEST

START_TEST(every_known_name_parses)
{
	own_arena struct arena arena = { 0 };
	size_t count;
	const char *const *names = mnt_option_names(&count);
	bool rro = false;

	ck_assert_uint_gt(count, 40);
	for (size_t i = 0; i < count; i++) {
		char word[32];
		struct mnt_options m;

		(void)snprintf(word, sizeof(word), "%s", names[i]);
		m = PARSE(&arena, word);
		ck_assert_msg(m.data.n <= 1, "%s", word);
		rro |= strcmp(word, "rro") == 0;
	}
	ck_assert(rro); /* engines ask `features` for it */
}
END_TEST

START_TEST(namespace_table_round_trips)
{
	for (enum ns_kind k = 0; k < NS_KINDS; k++) {
		uint64_t value = NS_KINDS;

		ck_assert_int_eq(name_value(ns_names, ns_table[k].oci, &value), 0);
		ck_assert_uint_eq(value, k);
		ck_assert_uint_ne(ns_table[k].flag, 0);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("namespaces/options");
	TCase *t = tcase_create("options");
	SRunner *sr;
	int failed;

	tcase_add_test(t, later_overrides_earlier);
	tcase_add_test(t, access_times_are_one_field);
	tcase_add_test(t, kinds);
	tcase_add_test(t, the_rest_is_data);
	tcase_add_test(t, every_known_name_parses);
	tcase_add_test(t, namespace_table_round_trips);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
