/* SPDX-License-Identifier: Apache-2.0 */
/* Capability names, and what the five sets of a process are after they were applied. */
#include "runtime/process/caps.h"

#include "base/own.h"

#include <check.h>
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define BIT(n) (UINT64_C(1) << (n))

START_TEST(test_round_trip)
{
	const char *name = caps_name(_i);

	ck_assert_ptr_nonnull(name);
	ck_assert_int_eq(caps_from_name(name), _i);
	ck_assert_int_eq(caps_from_name(name + 4), _i);
}
END_TEST

/* clang-format off */
static const struct {
	const char *name;
	int cap;
} spellings[] = {
	{ "net_admin",	    CAP_NET_ADMIN },
	{ "Cap_Net_Admin",  CAP_NET_ADMIN },
	{ "CHOWN",	    CAP_CHOWN },
	{ "",		    -EINVAL },
	{ "CAP_",	    -EINVAL },
	{ "CAP_CAP_CHOWN",  -EINVAL },
	{ "CAP_CHOWN ",	    -EINVAL },
	{ "0",		    -EINVAL },
	{ "ALL",	    -EINVAL },
};
/* clang-format on */

START_TEST(test_spelling)
{
	ck_assert_int_eq(caps_from_name(spellings[_i].name), spellings[_i].cap);
}
END_TEST

START_TEST(test_unknown_number)
{
	ck_assert_ptr_null(caps_name(-1));
	ck_assert_ptr_null(caps_name(CAP_LAST_CAP + 1));
	ck_assert_ptr_null(caps_name(64));
}
END_TEST

START_TEST(test_mask)
{
	char *v[] = { (char[]){ "CAP_CHOWN" }, (char[]){ "CAP_BPF" }, (char[]){ "CAP_CHOWN" } };
	char *bad[] = { (char[]){ "CAP_KILL" }, (char[]){ "CAP_SYS_ADMIM" } };
	const struct strv list = { v, 3 }, none = { NULL, 0 }, wrong = { bad, 2 };
	struct err e = { 0 };
	uint64_t set = 42;

	ck_assert_int_eq(caps_mask(&wrong, &set, &e), -EINVAL);
	ck_assert_uint_eq(set, 42);
	ck_assert_ptr_nonnull(strstr(e.msg, "CAP_SYS_ADMIM"));
	ck_assert_ptr_nonnull(strstr(e.hint, "CAP_SYS_ADMIN"));
	ck_assert_int_eq(caps_mask(&list, &set, &e), 0);
	ck_assert_uint_eq(set, BIT(CAP_CHOWN) | BIT(CAP_BPF));
	ck_assert_int_eq(caps_mask(&none, &set, &e), 0);
	ck_assert_uint_eq(set, 0);
}
END_TEST

static uint64_t status_set(const char *key)
{
	char line[256];
	uint64_t set = UINT64_MAX;
	own_file FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, key, strlen(key)) == 0)
			set = strtoull(line + strlen(key) + 1, NULL, 16);
	return set;
}

START_TEST(test_available)
{
	ck_assert_uint_eq(caps_available(), status_set("CapBnd"));
	ck_assert_uint_eq(caps_available() & ~caps_system_profile(), 0);
	ck_assert_uint_eq(caps_app_profile & ~caps_system_profile(), 0);
	/* the profile must not hold anything that acts beyond the payload */
	ck_assert_uint_eq(caps_app_profile &
				  (BIT(CAP_SYS_ADMIN) | BIT(CAP_MKNOD) | BIT(CAP_NET_RAW) |
				   BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH)),
			  0);
}
END_TEST

/* In a child, since what is dropped never comes back. Exit status: the step that went wrong. */
static int apply_in_child(const struct caps *caps, uid_t uid)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (caps_drop_bounding(caps) < 0)
			_exit(1);
		if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresuid(uid, uid, uid) < 0)
			_exit(2);
		if (caps_apply(caps) < 0)
			_exit(3);
		if (status_set("CapBnd") != caps->bounding)
			_exit(4);
		if (status_set("CapEff") != caps->effective)
			_exit(5);
		if (status_set("CapPrm") != caps->permitted)
			_exit(6);
		if (status_set("CapInh") != caps->inheritable)
			_exit(7);
		if (status_set("CapAmb") != caps->ambient)
			_exit(8);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* clang-format off */
static const struct {
	struct caps caps;
	uid_t uid;
	int exit;
} sets[] = {
	{ { 0 },						    0,	  0 },
	{ { 0 },						    1000, 0 },
	{ { .bounding	 = BIT(CAP_CHOWN) | BIT(CAP_KILL),
	    .permitted	 = BIT(CAP_CHOWN) | BIT(CAP_KILL),
	    .effective	 = BIT(CAP_CHOWN) },			    1000, 0 },
	{ { .bounding	 = BIT(CAP_CHOWN),
	    .permitted	 = BIT(CAP_CHOWN) | BIT(CAP_NET_BIND_SERVICE),
	    .effective	 = BIT(CAP_CHOWN) },			    0,	  0 },
	{ { .bounding	 = BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(CAP_SYS_CHROOT),
	    .permitted	 = BIT(CAP_CHOWN) | BIT(CAP_KILL),
	    .effective	 = BIT(CAP_CHOWN) | BIT(CAP_KILL),
	    .inheritable = BIT(CAP_KILL),
	    .ambient	 = BIT(CAP_KILL) },			    1000, 0 },
	/* the kernel refuses what cannot be, and the refusal is not swallowed */
	{ { .bounding	 = BIT(CAP_CHOWN), .effective = BIT(CAP_CHOWN) },  0, 3 },
	{ { .bounding	 = BIT(CAP_CHOWN), .permitted = BIT(CAP_CHOWN),
	    .ambient	 = BIT(CAP_CHOWN) },			    0,	  3 },
};
/* clang-format on */

START_TEST(test_apply)
{
	if (geteuid() != 0) {
		fprintf(stderr, "skipped: needs root\n");
		return;
	}
	ck_assert_int_eq(apply_in_child(&sets[_i].caps, sets[_i].uid), sets[_i].exit);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("caps");
	TCase *tcase = tcase_create("caps");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_round_trip, 0, CAP_LAST_CAP + 1);
	tcase_add_loop_test(tcase, test_spelling, 0, (int)ARRAY_SIZE(spellings));
	tcase_add_test(tcase, test_unknown_number);
	tcase_add_test(tcase, test_mask);
	tcase_add_test(tcase, test_available);
	tcase_add_loop_test(tcase, test_apply, 0, (int)ARRAY_SIZE(sets));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
