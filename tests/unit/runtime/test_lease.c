/* SPDX-License-Identifier: Apache-2.0 */
/* Leases: distinct under concurrency, freed exactly, orphans healed. */
#include "runtime/storage/store_internal.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];
static int store;

static void setup(void)
{
	struct err e = { 0 };

	(void)strcpy(dir, "/var/tmp/ctr-test-lease-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	store = store_open(dir, &e);
	ck_assert_msg(store >= 0, "%s", e.msg);
}

static void teardown(void)
{
	(void)close(store);
	ck_assert_int_eq(file_remove_tree(AT_FDCWD, dir), 0);
}

/* clang-format off */
static const struct {
	const char *in, *out;
} addresses[] = {
	{ "10.0.0.1", "10.0.0.1" },
	{ "fd00:0:0::1", "fd00::1" },
	{ "FD00::1", "fd00::1" },
	{ "::ffff:1.2.3.4", "::ffff:1.2.3.4" },
	{ "10.0.0.1/24", NULL },
	{ "10.0.0.256", NULL },
	{ "010.0.0.1", NULL },
	{ "../x", NULL },
	{ "", NULL },
	{ ":", NULL },
};
/* clang-format on */

START_TEST(test_format)
{
	char buf[INET6_ADDRSTRLEN];
	int r = lease_address_format(addresses[_i].in, buf, sizeof(buf));

	ck_assert_int_eq(r, addresses[_i].out ? 0 : -EINVAL);
	if (r == 0)
		ck_assert_str_eq(buf, addresses[_i].out);
}
END_TEST

START_TEST(test_ranges_concurrent)
{
	enum { PROCESSES = 50, EACH = 4 };
	static bool seen[ID_RANGE_COUNT];
	int pipes[2], got, n = 0;

	ck_assert_int_eq(pipe(pipes), 0);
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() == 0) {
			for (int j = 0; j < EACH; j++) {
				/* One id for all: every process starts at the same number. */
				int number = lease_range_take(store, "same", NULL);

				if (write(pipes[1], &number, sizeof(number)) != sizeof(number))
					_exit(1);
			}
			_exit(0);
		}
	}
	(void)close(pipes[1]);
	while (read(pipes[0], &got, sizeof(got)) == (ssize_t)sizeof(got)) {
		ck_assert_int_ge(got, 0);
		ck_assert_int_lt(got, ID_RANGE_COUNT);
		ck_assert(!seen[got]);
		seen[got] = true;
		n++;
	}
	ck_assert_int_eq(n, PROCESSES * EACH);
	while (wait(NULL) > 0)
		;
	ck_assert_int_eq(lease_release(store, "same", NULL), 0);
	for (int i = 0; i < ID_RANGE_COUNT; i++) {
		char path[32];

		if (!seen[i])
			continue;
		(void)snprintf(path, sizeof(path), "ranges/%d", i);
		ck_assert_int_lt(faccessat(store, path, F_OK, AT_SYMLINK_NOFOLLOW), 0);
	}
}
END_TEST

START_TEST(test_ranges_exhausted)
{
	struct err e = { 0 };

	ck_assert_int_ge(lease_range_take(store, "p", &e), 0);
	for (int i = 0; i < ID_RANGE_COUNT; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "ranges/%d", i);
		ck_assert(symlinkat("p", store, path) == 0 || errno == EEXIST);
	}
	ck_assert_int_eq(lease_range_take(store, "q", &e), -EUSERS);
	ck_assert_int_ne(e.hint[0], 0);
}
END_TEST

START_TEST(test_address)
{
	own_json json_t *config = json_object();
	struct err e = { 0 };

	ck_assert_int_eq(partition_dir_create(store, "a", config, NULL, false, &e), 0);
	ck_assert_int_eq(partition_dir_create(store, "b", config, NULL, false, &e), 0);
	ck_assert_int_eq(lease_address_take(store, "a", "fd00::1", &e), 0);
	ck_assert_int_eq(lease_address_take(store, "a", "FD00:0::1", &e), 0);
	ck_assert_int_eq(lease_address_take(store, "b", "fd00:0:0::1", &e), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(e.msg, "'a'"));
	ck_assert_ptr_nonnull(strstr(e.msg, "fd00::1"));
	ck_assert_int_eq(lease_address_take(store, "b", "10.0.0.0/8", &e), -EINVAL);
	ck_assert_int_eq(lease_release(store, "a", NULL), 0);
	ck_assert_int_eq(lease_address_take(store, "b", "fd00::1", &e), 0);
	/* An owner without a directory was killed: its lease is free for whoever asks. */
	ck_assert_int_eq(symlinkat("ghost", store, "addresses/10.0.0.9"), 0);
	ck_assert_int_eq(lease_address_take(store, "b", "10.0.0.9", &e), 0);
}
END_TEST

START_TEST(test_set)
{
	own_json json_t *config = json_object();
	char *one[] = { (char[]){ "10.0.0.1" }, (char[]){ "10.0.0.2" } };
	char *two[] = { (char[]){ "10.0.0.2" }, (char[]){ "10.0.0.3" } };
	char *clash[] = { (char[]){ "10.0.0.7" }, (char[]){ "10.0.0.9" } };
	struct strv first = { one, 2 }, second = { two, 2 }, third = { clash, 2 }, none = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(partition_dir_create(store, "a", config, &first, false, &e), 0);
	ck_assert_int_eq(partition_dir_create(store, "b", config, NULL, false, &e), 0);
	ck_assert_int_eq(lease_address_take(store, "b", "10.0.0.9", &e), 0);
	ck_assert_int_eq(partition_leases_set(store, "a", &second, &e), 0);
	ck_assert_int_lt(faccessat(store, "addresses/10.0.0.1", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(faccessat(store, "addresses/10.0.0.2", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(faccessat(store, "addresses/10.0.0.3", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	/* All or nothing. */
	ck_assert_int_eq(partition_leases_set(store, "a", &third, &e), -EADDRINUSE);
	ck_assert_int_lt(faccessat(store, "addresses/10.0.0.7", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(faccessat(store, "addresses/10.0.0.3", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(partition_leases_set(store, "a", &none, &e), 0);
	ck_assert_int_lt(faccessat(store, "addresses/10.0.0.3", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(partition_leases_set(store, "none", &first, &e), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lease");
	TCase *tc = tcase_create("any user");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_format, 0, ARRAY_SIZE(addresses));
	tcase_add_test(tc, test_ranges_concurrent);
	tcase_add_test(tc, test_ranges_exhausted);
	if (geteuid() == 0) {
		tcase_add_test(tc, test_address);
		tcase_add_test(tc, test_set);
	} else {
		puts("# skip: partition directories need root");
	}
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
