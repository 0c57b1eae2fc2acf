/* SPDX-License-Identifier: Apache-2.0 */
/* The store and its partitions: privacy, atomicity, healing after kill -9, quotas, the disk. */
#include "runtime/storage/overlay.h"
#include "runtime/storage/store_internal.h"

#include "base/fd.h"
#include "base/feat.h"
#include "base/file.h"

#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[64];
static int store;
static json_t *config;

static char *at(const char *name)
{
	static char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void setup(void)
{
	struct err e = { 0 };

	(void)strcpy(dir, "/var/tmp/ctr-test-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	store = store_open(at("s"), &e);
	ck_assert_msg(store >= 0, "%s", e.msg);
	config = json_pack("{s:i, s:s}", "version", 1, "name", "x");
}

static void teardown(void)
{
	json_decref(config);
	(void)close(store);
	ck_assert_int_eq(file_remove_tree(AT_FDCWD, dir), 0);
}

static size_t entries(const char *path)
{
	own_dir DIR *d = opendir(at(path));
	size_t n = 0;

	while (d && readdir(d))
		n++;
	return n ? n - 2 : 0;
}

START_TEST(test_private)
{
	struct err e = { 0 };
	struct stat st;
	int fd;

	ck_assert_int_eq(fstat(store, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	/* Empty: closed. Not empty: left alone and refused, whatever it is. */
	ck_assert_int_eq(mkdir(at("open"), 0755), 0);
	fd = store_open(at("open"), &e);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(fchmod(fd, 0755), 0);
	ck_assert_int_eq(mkdirat(fd, "something", 0755), 0);
	(void)close(fd);
	ck_assert_int_eq(store_open(at("open"), &e), -EPERM);
	ck_assert_int_ne(e.hint[0], 0);
	ck_assert_int_eq(stat(at("open"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0755);
	ck_assert_int_eq(store_open("/proc/none/x", &e), -ENOENT);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(at("open"), 1000, 1000), 0);
		ck_assert_int_eq(store_open(at("open"), &e), -EPERM);
	}
}
END_TEST

START_TEST(test_life)
{
	own_arena struct arena arena = { 0 };
	char *addresses[] = { (char[]){ "10.0.0.1" }, (char[]){ "fd00::1" } };
	struct strv v = { addresses, 2 }, list;
	own_fd int fd = -EBADF;
	struct err e = { 0 };
	uint32_t base = 1, other;
	struct stat st;

	ck_assert_msg(partition_dir_create(store, "a", config, &v, true, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(partition_dir_create(store, "a", config, &v, true, &e), -EEXIST);
	ck_assert_int_eq(partition_dir_create(store, "b", config, &v, true, &e), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(e.msg, "10.0.0.1"));
	ck_assert_ptr_nonnull(strstr(e.msg, "'a'"));
	ck_assert_uint_eq(entries("s/partitions"), 1); /* b left nothing */
	ck_assert_uint_eq(entries("s/ranges"), 1);
	ck_assert_int_eq(partition_dir_create(store, "c", config, NULL, false, &e), 0);
	ck_assert_int_eq(partition_id_base(store, "a", &base, &e), 0);
	ck_assert_uint_ge(base, ID_RANGE_BASE);
	ck_assert_uint_eq(base % ID_RANGE_SIZE, 0);
	ck_assert_int_eq(partition_id_base(store, "c", &other, &e), 0);
	ck_assert_uint_eq(other, 0);
	ck_assert_int_eq(partition_id_base(store, "none", &other, &e), -ENOENT);
	ck_assert_int_eq(partition_dir_list(store, &arena, &list, &e), 0);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_str_eq(list.v[0], "a");
	fd = partition_dir_open(store, "a", &e);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstatat(fd, "config.json", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(fstatat(fd, "upper", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0755);
	ck_assert_int_eq(partition_dir_heal(store, "a", &e), 0);
	ck_assert_int_eq(partition_dir_remove(store, "a", &e), 0);
	ck_assert_int_eq(partition_dir_remove(store, "a", &e), 0);
	ck_assert_int_eq(partition_dir_remove(store, "c", &e), 0);
	ck_assert_int_eq(partition_dir_open(store, "a", &e), -ENOENT);
	ck_assert_uint_eq(entries("s/partitions"), 0);
	ck_assert_uint_eq(entries("s/ranges"), 0);
	ck_assert_uint_eq(entries("s/addresses"), 0);
}
END_TEST

static const char *const bad_ids[] = { "", ".", "..", "a/b", ".a.new", "-x", "a b", "a\n" };

START_TEST(test_bad_id)
{
	struct err e = { 0 };

	ck_assert_int_eq(partition_dir_create(store, bad_ids[_i], config, NULL, true, &e), -EINVAL);
	ck_assert_int_eq(partition_dir_open(store, bad_ids[_i], &e), -EINVAL);
	ck_assert_int_eq(partition_dir_remove(store, bad_ids[_i], &e), -EINVAL);
	ck_assert_int_eq(partition_dir_heal(store, bad_ids[_i], &e), -EINVAL);
	ck_assert_int_eq(template_remove(store, bad_ids[_i], &e), -EINVAL);
	ck_assert_int_eq(template_open(store, bad_ids[_i], &e), -EINVAL);
}
END_TEST

/* Of many that create one id, one does; and all that is there is its. */
START_TEST(test_create_race)
{
	enum { PROCESSES = 16, ROUNDS = 10 };

	for (int round = 0; round < ROUNDS; round++) {
		int status, won = 0;
		struct err e = { 0 };

		for (int i = 0; i < PROCESSES; i++)
			if (fork() == 0)
				_exit(-partition_dir_create(store, "one", config, NULL, true,
							    NULL));
		while (wait(&status) > 0) {
			ck_assert(WIFEXITED(status));
			ck_assert(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == EEXIST);
			won += WEXITSTATUS(status) == 0;
		}
		ck_assert_int_eq(won, 1);
		ck_assert_uint_eq(entries("s/ranges"), 1);
		ck_assert_uint_eq(entries("s/partitions"), 1);
		ck_assert_int_eq(partition_dir_remove(store, "one", &e), 0);
	}
}
END_TEST

/*
 * kill -9 at any moment: the child creates and removes without end, and dies after a while that
 * grows by a few microseconds each round. Healing leaves either the whole or nothing.
 */
START_TEST(test_killed)
{
	enum { ROUNDS = 150 };
	char *addresses[] = { (char[]){ "10.1.1.1" } };
	struct strv v = { addresses, 1 };
	struct err e = { 0 };
	int halves = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct timespec pause = { .tv_nsec = 100000 + round * 41000 };
		pid_t pid = fork();
		bool exists;

		if (pid == 0) {
			for (;;) {
				if (partition_dir_create(store, "k", config, &v, true, NULL) < 0)
					_exit(1);
				if (partition_dir_remove(store, "k", NULL) < 0)
					_exit(2);
			}
		}
		(void)nanosleep(&pause, NULL);
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		halves += access(at("s/partitions/.k.new"), F_OK) == 0 ||
			  access(at("s/partitions/.k.old"), F_OK) == 0;
		ck_assert_msg(partition_dir_heal(store, "k", &e) == 0, "%s", e.msg);
		exists = access(at("s/partitions/k"), F_OK) == 0;
		ck_assert_uint_eq(entries("s/ranges"), exists);
		ck_assert_uint_eq(entries("s/addresses"), exists);
		ck_assert_int_lt(access(at("s/partitions/.k.new"), F_OK), 0);
		ck_assert_int_lt(access(at("s/partitions/.k.old"), F_OK), 0);
		ck_assert_int_eq(partition_dir_remove(store, "k", &e), 0);
		ck_assert_uint_eq(entries("s/partitions"), 0);
		ck_assert_uint_eq(entries("s/ranges"), 0);
		ck_assert_uint_eq(entries("s/addresses"), 0);
	}
	printf("# %d of %d kills left something to heal\n", halves, ROUNDS);
}
END_TEST

/* Somebody alive holds the name: heal leaves it alone. */
START_TEST(test_heal_live)
{
	own_fd int parent = store_sub(store, SUB_PARTITIONS, NULL), made = -EBADF;
	own_change struct change c = CHANGE_NONE;
	struct err e = { 0 };

	ck_assert_int_eq(change_begin(&c, parent, "l", false), 0);
	made = change_make(&c);
	ck_assert_int_ge(made, 0);
	ck_assert_int_eq(partition_dir_heal(store, "l", &e), 0);
	ck_assert_int_eq(access(at("s/partitions/.l.new"), F_OK), 0);
	ck_assert_int_eq(partition_dir_create(store, "l", config, NULL, false, &e), -EEXIST);
	change_end(&c);
	ck_assert_int_eq(partition_dir_heal(store, "l", &e), 0);
	ck_assert_uint_eq(entries("s/partitions"), 0);
}
END_TEST

/* A guest cannot make its partition unremovable by depth: more levels than descriptors. */
START_TEST(test_deep)
{
	enum { LEVELS = 5000 };
	own_fd int p = -EBADF;
	struct err e = { 0 };
	int fd;

	ck_assert_int_eq(partition_dir_create(store, "deep", config, NULL, true, &e), 0);
	p = partition_dir_open(store, "deep", &e);
	fd = openat(p, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < LEVELS; i++) {
		int next;

		ck_assert_int_eq(mkdirat(fd, "~0", 0700), 0);
		ck_assert_int_eq(mkdirat(fd, "~1", 0), 0);
		ck_assert_int_eq(symlinkat("/", fd, "link"), 0);
		next = openat(fd, "~0", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		(void)close(fd);
		fd = next;
	}
	(void)close(fd);
	ck_assert_msg(partition_dir_remove(store, "deep", &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(entries("s/partitions"), 0);
}
END_TEST

/* In a mount namespace of its own: a full and a read-only store. Exit status: the step. */
static int on_small_tmpfs(void)
{
	struct err e = { 0 };
	own_fd int small = -EBADF;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mkdir(at("small"), 0700) < 0 ||
	    mount("tmpfs", at("small"), "tmpfs", 0, "nr_inodes=9,mode=0700") < 0)
		return 1;
	small = store_open(at("small"), &e);
	if (small < 0)
		return 2;
	if (partition_dir_create(small, "full", config, NULL, true, &e) != -ENOSPC)
		return 3;
	if (entries("small/ranges") || entries("small/partitions"))
		return 4;
	if (mount(NULL, at("small"), NULL, MS_REMOUNT, "nr_inodes=100") < 0)
		return 5;
	if (partition_dir_create(small, "fits", config, NULL, true, &e) < 0)
		return 6;
	if (mount(NULL, at("small"), NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return 7;
	if (partition_dir_create(small, "ro", config, NULL, true, &e) != -EROFS)
		return 8;
	if (partition_dir_heal(small, "fits", &e) < 0 || partition_dir_heal(small, "no", &e) < 0)
		return 9;
	if (partition_dir_remove(small, "fits", &e) != -EROFS)
		return 10;
	return 0;
}

START_TEST(test_small)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(on_small_tmpfs());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(test_disk)
{
	uint32_t major = 0, minor = 0;
	struct err e = { 0 };
	char path[64];
	int r = store_disk(store, &major, &minor, &e);

	if (r == -ENOTSUP) {
		printf("# skip: %s\n", e.msg);
		return;
	}
	ck_assert_int_eq(r, 0);
	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/queue", major, minor);
	ck_assert_int_eq(access(path, F_OK), 0); /* whole disks have one, partitions do not */
	ck_assert_int_eq(store_disk(open("/proc", O_PATH | O_CLOEXEC), &major, &minor, &e),
			 -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(e.msg, "proc"));
}
END_TEST

/* CTR_TEST_PRJQUOTA=DIR: a directory on a file system that is mounted with prjquota. */
START_TEST(test_quota)
{
	const char *where = getenv("CTR_TEST_PRJQUOTA");
	static char block[256 * 1024];
	uint64_t bytes[2], inodes[2];
	own_fd int s = -EBADF, fd = -EBADF, p = -EBADF, lower = -EBADF, mnt = -EBADF;
	struct overlay o = { .userns = -EBADF };
	struct err e = { 0 };
	char path[160];
	pid_t pid;
	int r;

	(void)snprintf(path, sizeof(path), "%s/quota", where ? where : dir);
	s = store_open(path, &e);
	ck_assert_msg(s >= 0, "%s", e.msg);
	ck_assert_int_eq(partition_dir_create(s, "q", config, NULL, true, &e), 0);
	r = partition_quota_set(s, "q", 1 << 20, 40, &e);
	if (r < 0 && !where) {
		ck_assert_int_eq(r, -ENOTSUP);
		ck_assert_int_ne(e.hint[0], 0);
		ck_assert_int_eq(partition_quota_set(s, "q", UINT64_MAX, UINT64_MAX, &e), 0);
		ck_assert_int_eq(partition_quota_get(s, "q", bytes, inodes), 0);
		ck_assert_uint_eq(bytes[1], UINT64_MAX);
		printf("# skip: %s\n", e.msg);
		return;
	}
	ck_assert_msg(r == 0, "%s", e.msg);
	ck_assert_int_eq(partition_quota_get(s, "q", bytes, inodes), 0);
	ck_assert_uint_eq(bytes[1], 1 << 20);
	ck_assert_uint_eq(inodes[1], 40);
	ck_assert_uint_ge(inodes[0], 4);
	p = partition_dir_open(s, "q", &e);
	/* Through the overlay, whose own credentials must not lift the limit either. */
	ck_assert_int_eq(mkdirat(s, "lower", 0755), 0);
	lower = openat(s, "lower", O_PATH | O_CLOEXEC);
	o.lower = lower;
	o.partition = p;
	mnt = overlay_open(&o, &e);
	ck_assert_msg(mnt >= 0, "%s", e.msg);
	fd = openat(mnt, "big", O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
	ck_assert_int_ge(fd, 0);
	pid = fork();
	if (pid == 0) {
		if (setuid(1000) < 0)
			_exit(1);
		for (int i = 0; i < 16 && r == 0; i++)
			r = fd_write_all(fd, block, sizeof(block));
		if (r == 0 && fsync(fd) < 0)
			r = -errno;
		_exit(r == -EDQUOT || r == -ENOSPC ? 42 : -r);
	}
	ck_assert_int_eq(waitpid(pid, &r, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(r), 42);
	ck_assert_int_eq(partition_quota_get(s, "q", bytes, inodes), 0);
	ck_assert_uint_le(bytes[0], 1 << 20);
	printf("# quota held: %llu of %llu bytes\n", (unsigned long long)bytes[0],
	       (unsigned long long)bytes[1]);
	close_fd(&fd);
	close_fd(&mnt);
	ck_assert_int_eq(partition_quota_set(s, "q", UINT64_MAX, UINT64_MAX, &e), 0);
	ck_assert_int_eq(partition_quota_get(s, "q", bytes, inodes), 0);
	ck_assert_uint_eq(bytes[1], UINT64_MAX);
	ck_assert_int_eq(partition_dir_remove(s, "q", &e), 0);
	(void)file_remove_tree(AT_FDCWD, path);
}
END_TEST

START_TEST(test_time)
{
	enum { ROUNDS = 20 };
	struct timespec a, b, c;
	struct err e = { 0 };
	double create = 0, removal = 0;

	for (int i = 0; i < ROUNDS; i++) {
		(void)clock_gettime(CLOCK_MONOTONIC, &a);
		ck_assert_int_eq(partition_dir_create(store, "t", config, NULL, true, &e), 0);
		(void)clock_gettime(CLOCK_MONOTONIC, &b);
		ck_assert_int_eq(partition_dir_remove(store, "t", &e), 0);
		(void)clock_gettime(CLOCK_MONOTONIC, &c);
		create +=
			(double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3;
		removal +=
			(double)(c.tv_sec - b.tv_sec) * 1e6 + (double)(c.tv_nsec - b.tv_nsec) / 1e3;
	}
	printf("# partition_dir_create %.0f us, partition_dir_remove %.0f us\n", create / ROUNDS,
	       removal / ROUNDS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *any = tcase_create("any user"), *tc = tcase_create("root");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(any, setup, teardown);
	tcase_add_test(any, test_private);
	tcase_add_loop_test(any, test_bad_id, 0, ARRAY_SIZE(bad_ids));
	tcase_add_test(any, test_heal_live);
	tcase_add_test(any, test_disk);
	suite_add_tcase(suite, any);
	if (geteuid() == 0 && feat_has_cap(21 /* CAP_SYS_ADMIN */)) {
		tcase_add_checked_fixture(tc, setup, teardown);
		tcase_set_timeout(tc, 60);
		tcase_add_test(tc, test_life);
		tcase_add_test(tc, test_create_race);
		tcase_add_test(tc, test_killed);
		tcase_add_test(tc, test_deep);
		tcase_add_test(tc, test_small);
		tcase_add_test(tc, test_quota);
		tcase_add_test(tc, test_time);
		suite_add_tcase(suite, tc);
	} else {
		puts("# skip: partition directories need root");
	}
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
