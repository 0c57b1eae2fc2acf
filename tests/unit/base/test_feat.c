/* SPDX-License-Identifier: Apache-2.0 */
/* Host facts against what /proc says. */
#include "base/feat.h"

#include "base/file.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(test_caps)
{
	char status[8192];
	unsigned long long effective;
	const char *line;

	ck_assert_int_gt(file_read(AT_FDCWD, "/proc/self/status", status, sizeof(status)), 0);
	line = strstr(status, "CapEff:");
	ck_assert_ptr_nonnull(line);
	effective = strtoull(line + strlen("CapEff:"), NULL, 16);
	for (int cap = 0; cap < 64; cap++)
		ck_assert_int_eq(feat_has_cap(cap), effective >> cap & 1);
	ck_assert(!feat_has_cap(-1));
	ck_assert(!feat_has_cap(64));
	ck_assert_int_ge(feat_last_cap(), CAP_CHECKPOINT_RESTORE);
	ck_assert_int_lt(feat_last_cap(), 64);
}
END_TEST

START_TEST(test_host)
{
	ck_assert_uint_ge(feat_cpus(), 1);
	ck_assert(feat_fs("proc"));
	ck_assert(feat_fs("tmpfs"));
	ck_assert(!feat_fs("tmp"));
	ck_assert(!feat_fs("nodev"));
	ck_assert(!feat_fs(""));
}
END_TEST

START_TEST(test_idmap)
{
	int proc, tmp;

	if (geteuid() != 0 || !feat_has_cap(CAP_SYS_ADMIN)) {
		puts("# skip: id-mapped mounts need root");
		return;
	}
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(feat_idmap(proc), 0);
	tmp = open("/var/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(feat_idmap(tmp), 0);
	ck_assert_int_eq(feat_idmap(-1), -EBADF);
	(void)close(proc);
	(void)close(tmp);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("feat");
	TCase *tc = tcase_create("facts");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, test_caps);
	tcase_add_test(tc, test_host);
	tcase_add_test(tc, test_idmap);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
