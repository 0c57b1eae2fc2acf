/* SPDX-License-Identifier: Apache-2.0 */
/* State files: what is saved is loaded, and nothing damaged or foreign is taken for a container. */
#include "runtime/state.h"

#include "base/file.h"
#include "base/own.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char top[64];
static int run;
static struct arena arena;

static void setup(void)
{
	struct err e = { 0 };

	(void)strcpy(top, "/dev/shm/ctr-test-state-XXXXXX");
	if (!mkdtemp(top)) {
		(void)strcpy(top, "/var/tmp/ctr-test-state-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(top));
	}
	run = state_open(top, &e);
	ck_assert_msg(run >= 0, "%s", e.msg);
}

static void teardown(void)
{
	arena_done(&arena);
	(void)close(run);
	ck_assert_int_eq(file_remove_tree(AT_FDCWD, top), 0);
}

static char text_of[][16] = { "web", "1.0.2", "/b", "/b/rootfs", "/ctr/web", "k", "v w" };
static struct strpair annotation = { text_of[5], text_of[6] };

static struct state sample(void)
{
	return (struct state){
		.version = 1,
		.id = text_of[0],
		.oci_version = text_of[1],
		.phase = STATE_RUNNING,
		.partition = true,
		.pid = 4194304,
		.starttime = UINT64_MAX - 5,
		.bundle = text_of[2],
		.rootfs = text_of[3],
		.driver = CG_DISABLED,
		.cgroup_path = text_of[4],
		.network = true,
		.id_base = UINT32_MAX,
		.created_ms = 1,
		.started_ms = 1ULL << 60,
		.annotations = { .v = &annotation, .n = 1 },
	};
}

START_TEST(test_round_trip)
{
	struct state in = sample(), out = { 0 };
	struct err e = { 0 };

	for (uint32_t phase = STATE_CREATING; phase <= STATE_RUNNING; phase++) {
		in.phase = phase;
		ck_assert_msg(state_save(run, &in, &e) == 0, "%s", e.msg);
		ck_assert_msg(state_load(run, "web", &arena, &out, &e) == 0, "%s", e.msg);
		ck_assert_uint_eq(out.phase, phase);
	}
	ck_assert_str_eq(out.id, in.id);
	ck_assert_str_eq(out.oci_version, in.oci_version);
	ck_assert(out.partition && out.network);
	ck_assert_uint_eq(out.pid, in.pid);
	ck_assert_uint_eq(out.starttime, in.starttime);
	ck_assert_ptr_null(out.boot_id);
	ck_assert_str_eq(out.bundle, in.bundle);
	ck_assert_str_eq(out.rootfs, in.rootfs);
	ck_assert_uint_eq(out.driver, in.driver);
	ck_assert_str_eq(out.cgroup_path, in.cgroup_path);
	ck_assert_uint_eq(out.id_base, in.id_base);
	ck_assert_uint_eq(out.created_ms, in.created_ms);
	ck_assert_uint_eq(out.started_ms, in.started_ms);
	ck_assert_uint_eq(out.annotations.n, 1);
	ck_assert_str_eq(out.annotations.v[0].key, "k");
	ck_assert_str_eq(out.annotations.v[0].value, "v w");
}
END_TEST

START_TEST(test_private)
{
	struct state in = sample();
	struct stat st;

	ck_assert_int_eq(state_save(run, &in, NULL), 0);
	ck_assert_int_eq(fstatat(run, "web", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(fstatat(run, "web/state.json", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

/* clang-format off */
static const struct {
	const char *text;
	int r;
} damaged[] = {
	{ "", -EINVAL }, { "{", -EINVAL }, { "[]", -EINVAL }, { "null", -EINVAL }, { "{}", -EINVAL },
	{ "\x7f" "ELF garbage", -EINVAL }, { "{\"version\":1,\"id\":\"web\"}", -EINVAL },
	{ "{\"version\":2,\"id\":\"web\",\"phase\":\"running\"}", -EINVAL },
	{ "{\"version\":0,\"id\":\"web\",\"phase\":\"running\"}", -EINVAL },
	{ "{\"version\":1,\"id\":\"web\",\"phase\":\"walking\"}", -EINVAL },
	{ "{\"version\":1,\"id\":3,\"phase\":\"running\"}", -EINVAL },
	{ "{\"version\":1,\"id\":\"web\",\"phase\":\"running\",\"pid\":-1}", -EINVAL },
	{ "{\"version\":1,\"id\":\"web\",\"phase\":\"running\",\"pid\":4194305}", -EINVAL },
	{ "{\"version\":1,\"id\":\"web\",\"phase\":\"running\",\"version\":1}", -EINVAL },
	{ "{\"version\":1,\"id\":\"web\",\"phase\":\"running\"} x", -EINVAL },
	{ "{\"version\":1,\"id\":\"web\",\"phase\":\"running\"}", 0 },
	{ "{\"version\":1,\"id\":\"web\",\"phase\":\"running\",\"later\":[1]}", 0 },
};
/* clang-format on */

START_TEST(test_damaged)
{
	own_fd int dir = state_dir(run, "web", true, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		struct state out = { .pid = 7 };
		struct err e = { 0 };
		int r;

		ck_assert_int_eq(file_replace(dir, "state.json", damaged[i].text,
					      strlen(damaged[i].text), 0600, FILE_NOSYNC),
				 0);
		r = state_load(run, "web", &arena, &out, &e);
		ck_assert_msg(r == damaged[i].r, "%s gives %d %s", damaged[i].text, r, e.msg);
		ck_assert_uint_eq(out.pid, r < 0 ? 7 : 0);
		ck_assert_int_eq(e.code, r);
		ck_assert_int_eq(r == 0, e.msg[0] == '\0');
		if (r < 0)
			ck_assert_msg(strstr(e.msg, "web"), "does not name it: %s", e.msg);
	}
}
END_TEST

START_TEST(test_every_truncation)
{
	own_fd int dir = state_dir(run, "web", true, NULL);
	struct state in = sample(), out;
	own_free char *text = NULL;
	ssize_t len;

	ck_assert_int_eq(state_save(run, &in, NULL), 0);
	len = file_load(dir, "state.json", 4096, &text);
	ck_assert_int_gt(len, 0);
	for (ssize_t n = 0; n < len; n++) {
		ck_assert_int_eq(
			file_replace(dir, "state.json", text, (size_t)n, 0600, FILE_NOSYNC), 0);
		ck_assert_int_eq(state_load(run, "web", &arena, &out, NULL), -EINVAL);
	}
}
END_TEST

START_TEST(test_not_there)
{
	struct state out;
	struct err e = { 0 };
	json_t *doc = NULL;

	ck_assert_int_eq(state_load(run, "none", &arena, &out, &e), -ENOENT);
	ck_assert_str_eq(e.msg, "container 'none' does not exist");
	ck_assert_int_eq(state_dir(run, "none", false, NULL), -ENOENT);
	ck_assert_int_eq(mkdirat(run, "bare", 0700), 0);
	ck_assert_int_eq(state_load(run, "bare", &arena, &out, &e), -ENOENT);
	ck_assert_int_eq(state_load_json(run, "bare", "config.json", &doc, &e), -ENOENT);
	ck_assert_ptr_null(doc);
	ck_assert_int_eq(symlinkat("bare", run, "link"), 0);
	ck_assert_int_lt(state_load(run, "link", &arena, &out, &e), 0);
	ck_assert_int_eq(state_remove(run, "none", &e), 0);
}
END_TEST

/* clang-format off */
static const char *const strange[] = { "", ".", "..", "../x", "a/b", ".hidden", "-f", "a b", "\n" };
/* clang-format on */

START_TEST(test_check_id)
{
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(strange); i++)
		ck_assert_int_eq(state_check_id(strange[i], &e), -EINVAL);
	ck_assert_ptr_null(strchr(e.msg, '\n'));
	ck_assert_int_eq(state_check_id("web-1", &e), 0);
}
END_TEST

START_TEST(test_list)
{
	static const char *const made[] = { "b", "a", "c.d", "A", ".net", ".cache", "a b" };
	struct strv list = { 0 };

	ck_assert_int_eq(state_list(run, &arena, &list, NULL), 0);
	ck_assert_uint_eq(list.n, 0);
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		ck_assert_int_eq(mkdirat(run, made[i], 0700), 0);
	own_fd int lock = state_lock(run, "zzz", NULL);
	ck_assert_int_ge(lock, 0);
	for (int again = 0; again < 2; again++) { /* it reads from the start each time */
		ck_assert_int_eq(state_list(run, &arena, &list, NULL), 0);
		ck_assert_uint_eq(list.n, 4);
		ck_assert_str_eq(list.v[0], "A");
		ck_assert_str_eq(list.v[1], "a");
		ck_assert_str_eq(list.v[2], "b");
		ck_assert_str_eq(list.v[3], "c.d");
	}
}
END_TEST

START_TEST(test_proc)
{
	struct proc_id self;
	struct state s = { 0 };
	char boot[40], other[] = "00000000-0000-0000-0000-000000000000";
	int pidfd;

	ck_assert_int_eq(state_proc(&s), -ESRCH);
	ck_assert_int_eq(proc_identify(getpid(), &self), 0);
	ck_assert_int_eq(proc_boot_id(boot, sizeof(boot)), 0);
	s.pid = (uint64_t)self.pid;
	s.starttime = self.starttime;
	ck_assert_int_eq(state_proc(&s), -ESRCH); /* of no known boot */
	s.boot_id = other;
	ck_assert_int_eq(state_proc(&s), -ESRCH);
	s.boot_id = boot;
	pidfd = state_proc(&s);
	ck_assert_int_ge(pidfd, 0);
	(void)close(pidfd);
	s.starttime++;
	ck_assert_int_eq(state_proc(&s), -ESRCH);
}
END_TEST

START_TEST(test_lock)
{
	int lock = state_lock(run, "x", NULL), status;
	pid_t pid;

	ck_assert_int_ge(lock, 0);
	pid = fork();
	if (pid == 0)
		_exit(file_lock(run, ".x.lock", false) == -EWOULDBLOCK ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	/* The file goes when there is no state, and stays while there is. */
	ck_assert_int_eq(mkdirat(run, "x", 0700), 0);
	state_unlock_forget(run, "x", &lock);
	ck_assert_int_eq(lock, -EBADF);
	ck_assert_int_eq(faccessat(run, ".x.lock", F_OK, 0), 0);
	lock = state_lock(run, "x", NULL);
	ck_assert_int_eq(state_remove(run, "x", NULL), 0);
	state_unlock_forget(run, "x", &lock);
	ck_assert_int_lt(faccessat(run, ".x.lock", F_OK, 0), 0);
	state_unlock_forget(run, "x", &lock); /* of nothing */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state");
	TCase *tc = tcase_create("state");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, test_round_trip);
	tcase_add_test(tc, test_private);
	tcase_add_test(tc, test_damaged);
	tcase_add_test(tc, test_every_truncation);
	tcase_add_test(tc, test_not_there);
	tcase_add_test(tc, test_check_id);
	tcase_add_test(tc, test_list);
	tcase_add_test(tc, test_proc);
	tcase_add_test(tc, test_lock);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
