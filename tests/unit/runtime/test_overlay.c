/* SPDX-License-Identifier: Apache-2.0 */
/* Overlay roots, both ways to mount them: ids in both directions, what survives, shared cache. */
#include "runtime/storage/overlay_internal.h"

#include "base/feat.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "base/sys.h"
#include "runtime/storage/store.h"

#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BASE = 0x70000000 };

static char dir[] = "/var/tmp/ctr-test-overlay-XXXXXX";
static int top, lower, part[2];

static void put(int at, const char *path, const char *text, uid_t owner)
{
	own_fd int fd = openat(at, path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_write_all(fd, text, strlen(text)), 0);
	ck_assert_int_eq(fchown(fd, owner, owner), 0);
}

static int made_dir(int at, const char *path)
{
	int fd;

	ck_assert_int_eq(mkdirat(at, path, 0755), 0);
	fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static void setup(void)
{
	(void)strcpy(dir, "/var/tmp/ctr-test-overlay-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	lower = made_dir(top, "lower");
	for (int i = 0; i < 2; i++) {
		part[i] = made_dir(top, i ? "p1" : "p0");
		ck_assert_int_eq(mkdirat(part[i], "upper", 0755), 0);
		ck_assert_int_eq(mkdirat(part[i], "work", 0700), 0);
	}
	put(lower, "root", "of root", 0);
	put(lower, "user", "of 1000", 1000);
	put(lower, "gone", "to be deleted", 0);
	(void)close(made_dir(lower, "dir"));
	put(lower, "dir/inside", "x", 7);
}

static void teardown(void)
{
	(void)close(lower);
	(void)close(part[0]);
	(void)close(part[1]);
	ck_assert_int_eq(file_remove_tree(AT_FDCWD, dir), 0);
	(void)close(top);
}

/* A user namespace with the partition's map, and a process in it until *@ret_hold closes. */
static int userns(void)
{
	int hold[2], ns;
	char path[64], map[64];
	pid_t pid;

	ck_assert_int_eq(pipe2(hold, O_CLOEXEC), 0);
	pid = sys_clone3(&(struct clone_args){ .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD });
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		char c;

		(void)close(hold[1]);
		_exit((int)read(hold[0], &c, 1));
	}
	(void)close(hold[0]);
	(void)snprintf(map, sizeof(map), "0 %u 65536", BASE);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, i ? "gid_map" : "uid_map");
		ck_assert_int_eq(file_write(AT_FDCWD, path, map), 0);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(ns, 0);
	(void)close(hold[1]);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	return ns;
}

static uid_t owner_of(int at, const char *path)
{
	struct stat st;

	ck_assert_msg(fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) == 0, "stat %s: %m", path);
	return st.st_uid;
}

/* Guest root's work, in its user namespace; the exit status says which step failed. */
static int guest(int ns, int mnt)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct stat st;
		int fd;

		if (setns(ns, CLONE_NEWUSER) < 0 || setgid(0) < 0 || setuid(0) < 0)
			_exit(1);
		if (fchdir(mnt) < 0 || stat("user", &st) < 0 || st.st_uid != 1000)
			_exit(2);
		if (stat("root", &st) < 0 || st.st_uid != 0)
			_exit(3);
		fd = open("made", O_CREAT | O_EXCL | O_WRONLY, 0600);
		if (fd < 0 || fchown(fd, 33, 33) < 0)
			_exit(4);
		fd = open("user", O_WRONLY | O_APPEND);
		if (fd < 0 || write(fd, "!", 1) != 1)
			_exit(5);
		if (unlink("gone") < 0)
			_exit(6);
		if (rename("dir", "renamed") < 0 || stat("renamed/inside", &st) < 0 ||
		    st.st_uid != 7)
			_exit(7);
		if (mkdir("dir", 0755) < 0 || access("dir/inside", F_OK) == 0)
			_exit(8);
		if (chown("root", 65536, 0) == 0) /* no such id inside */
			_exit(9);
		if (mknod("null", S_IFCHR | 0666, makedev(1, 3)) == 0)
			_exit(10);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Older kernels take no layers by descriptor: then this is -1, and said. */
static int try_open(const struct overlay *o, int how)
{
	struct err e = { 0 };
	int fd = overlay_open_by(o, (enum overlay_how)how, &e);

	if (fd < 0 && how == OVERLAY_BY_FD) {
		int other = overlay_open_by(o, OVERLAY_BY_PATH, NULL);

		if (other >= 0) {
			(void)close(other);
			printf("# skip: by path it works; by descriptor: %s\n", e.msg);
			return -1;
		}
	}
	ck_assert_msg(fd >= 0, "%s", e.msg);
	return fd;
}

START_TEST(test_ids)
{
	own_fd int ns = userns(), mnt = -EBADF, upper = -EBADF;
	struct overlay o = { .lower = lower, .partition = part[0], .userns = ns, .id_base = BASE };
	struct err e = { 0 };
	struct stat st;

	ck_assert_msg(overlay_check(&o, &e) == 0, "%s", e.msg);
	mnt = try_open(&o, _i);
	if (mnt < 0)
		return;
	ck_assert_int_eq(guest(ns, mnt), 0);
	/* From the host, through the mount: shifted. */
	ck_assert_uint_eq(owner_of(mnt, "user"), BASE + 1000);
	ck_assert_uint_eq(owner_of(mnt, "made"), BASE + 33);
	ck_assert_uint_eq(owner_of(mnt, "renamed/inside"), BASE + 7);
	/* On disk: the guest's own. The template is as it was. */
	upper = openat(part[0], "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_uint_eq(owner_of(upper, "made"), 33);
	ck_assert_uint_eq(owner_of(upper, "user"), 1000);
	ck_assert_uint_eq(owner_of(upper, "renamed"), 0);
	ck_assert_uint_eq(owner_of(lower, "dir/inside"), 7);
	ck_assert_int_eq(fstatat(lower, "user", &st, 0), 0);
	ck_assert_int_eq(st.st_size, 7);
	/* The whiteout. */
	ck_assert_int_eq(fstatat(upper, "gone", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISCHR(st.st_mode) && st.st_rdev == 0);
	ck_assert_int_lt(faccessat(mnt, "gone", F_OK, 0), 0);

	/* Again: the upper survived. */
	close_fd(&mnt);
	mnt = try_open(&o, !_i);
	if (mnt < 0)
		return;
	ck_assert_uint_eq(owner_of(mnt, "made"), BASE + 33);
	ck_assert_int_lt(faccessat(mnt, "gone", F_OK, 0), 0);
	ck_assert_uint_eq(owner_of(mnt, "renamed/inside"), BASE + 7);
}
END_TEST

START_TEST(test_plain)
{
	struct overlay o = { .lower = lower, .partition = part[0], .userns = -EBADF };
	own_fd int mnt = try_open(&o, _i);

	if (mnt < 0)
		return;
	put(mnt, "made", "x", 5);
	ck_assert_uint_eq(owner_of(mnt, "made"), 5);
	ck_assert_uint_eq(owner_of(part[0], "upper/made"), 5);
	close_fd(&mnt);
	o.readonly = true;
	mnt = try_open(&o, _i);
	ck_assert_int_lt(openat(mnt, "more", O_CREAT | O_WRONLY | O_CLOEXEC, 0600), 0);
	ck_assert_int_eq(errno, EROFS);
}
END_TEST

START_TEST(test_nothing_visible)
{
	static char before[1 << 20], after[1 << 20];
	own_fd int ns = userns(), mnt = -EBADF;
	struct overlay o = { .lower = lower, .partition = part[0], .userns = ns, .id_base = BASE };
	own_fd int fd = -EBADF;

	fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	ck_assert_int_gt(fd_read_all(fd, before, sizeof(before) - 1), 0);
	mnt = try_open(&o, _i);
	if (mnt < 0)
		return;
	close_fd(&fd);
	fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	ck_assert_int_gt(fd_read_all(fd, after, sizeof(after) - 1), 0);
	ck_assert_str_eq(before, after);
	/* Our credentials are back: file capabilities and ids. */
	put(lower, "afterwards", "x", 12345);
	ck_assert_uint_eq(owner_of(lower, "afterwards"), 12345);
	ck_assert_int_eq(mknodat(lower, "node", S_IFCHR | 0600, makedev(1, 3)), 0);
}
END_TEST

START_TEST(test_shifted)
{
	own_fd int ns = userns(), mnt = -EBADF, upper = -EBADF;
	struct overlay o = { .lower = lower, .partition = part[0], .userns = ns, .id_base = BASE };

	/* As partition_dir_create() leaves it where the upper cannot be id-mapped. */
	ck_assert_int_eq(fchownat(part[0], "upper", BASE, BASE, 0), 0);
	mnt = try_open(&o, _i);
	if (mnt < 0)
		return;
	ck_assert_int_eq(guest(ns, mnt), 0);
	upper = openat(part[0], "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_uint_eq(owner_of(upper, "made"), BASE + 33);
	ck_assert_uint_eq(owner_of(mnt, "made"), BASE + 33);
}
END_TEST

START_TEST(test_wrong_owner)
{
	own_fd int ns = userns();
	struct overlay o = { .lower = lower, .partition = part[0], .userns = ns, .id_base = BASE };
	struct err e = { 0 };

	ck_assert_int_eq(fchownat(part[0], "upper", 1000, 1000, 0), 0);
	ck_assert_int_eq(overlay_open(&o, &e), -EUCLEAN);
	ck_assert_ptr_nonnull(strstr(e.msg, "1000"));
}
END_TEST

/* An overlay refuses by name what is itself on an overlay. */
START_TEST(test_stacked)
{
	struct overlay o = { .lower = lower, .partition = part[0], .userns = -EBADF };
	own_fd int mnt = -EBADF, inner = -EBADF;
	struct err e = { 0 };

	mnt = overlay_open(&o, &e);
	ck_assert_msg(mnt >= 0, "%s", e.msg);
	inner = made_dir(mnt, "inner");
	ck_assert_int_eq(mkdirat(inner, "upper", 0755), 0);
	ck_assert_int_eq(mkdirat(inner, "work", 0700), 0);
	o.partition = inner;
	ck_assert_int_eq(overlay_check(&o, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "on an overlay"));
	ck_assert_int_ne(e.hint[0], 0);
	e = (struct err){ 0 };
	ck_assert_int_lt(overlay_open(&o, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "on an overlay"));
}
END_TEST

static size_t resident(int mnt, const char *path, size_t pages, bool touch)
{
	own_fd int fd = openat(mnt, path, O_RDONLY | O_CLOEXEC);
	size_t size = pages * 4096, n = 0;
	unsigned char *vec = malloc(pages);
	volatile const char *p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	ck_assert_ptr_ne((const void *)(uintptr_t)p, MAP_FAILED);
	for (size_t i = 0; touch && i < size; i += 4096)
		(void)p[i];
	ck_assert_int_eq(mincore((void *)(uintptr_t)p, size, vec), 0);
	for (size_t i = 0; i < pages; i++)
		n += vec[i] & 1;
	(void)munmap((void *)(uintptr_t)p, size);
	free(vec);
	return n;
}

/* One page cache for all partitions of a template: what the first reads, the second has. */
START_TEST(test_shared_cache)
{
	enum { PAGES = 64 };
	static char block[PAGES * 4096];
	own_fd int ns = userns(), m0 = -EBADF, m1 = -EBADF, big = -EBADF;
	struct overlay o = { .lower = lower, .partition = part[0], .userns = ns, .id_base = BASE };

	big = openat(lower, "big", O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	memset(block, 'x', sizeof(block));
	ck_assert_int_eq(fd_write_all(big, block, sizeof(block)), 0);
	ck_assert_int_eq(fsync(big), 0);
	ck_assert_int_eq(posix_fadvise(big, 0, 0, POSIX_FADV_DONTNEED), 0);
	m0 = try_open(&o, _i);
	o.partition = part[1];
	m1 = try_open(&o, _i);
	if (m0 < 0 || m1 < 0)
		return;
	ck_assert_uint_eq(resident(m1, "big", PAGES, false), 0);
	ck_assert_uint_eq(resident(m0, "big", PAGES, true), PAGES);
	ck_assert_uint_eq(resident(m1, "big", PAGES, false), PAGES);
}
END_TEST

START_TEST(test_time)
{
	enum { ROUNDS = 50 };
	own_fd int ns = userns();
	struct overlay o = { .lower = lower, .partition = part[0], .userns = ns, .id_base = BASE };
	struct timespec a, b;

	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < ROUNDS; i++) {
		int mnt = try_open(&o, _i);

		if (mnt < 0)
			return;
		(void)close(mnt);
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	printf("# overlay %s: %.0f us each, mounted and freed\n", _i ? "by path" : "by descriptor",
	       ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / 1e3 /
		       ROUNDS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("overlay");
	TCase *tc = tcase_create("root");
	SRunner *runner;
	int failed;

	if (geteuid() != 0 || !feat_has_cap(21 /* CAP_SYS_ADMIN */)) {
		puts("# skip: overlay mounts need root");
		return 0;
	}
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_ids, 0, 2);
	tcase_add_loop_test(tc, test_plain, 0, 2);
	tcase_add_loop_test(tc, test_nothing_visible, 0, 2);
	tcase_add_loop_test(tc, test_shifted, 0, 2);
	tcase_add_test(tc, test_wrong_owner);
	tcase_add_test(tc, test_stacked);
	tcase_add_loop_test(tc, test_shared_cache, 0, 2);
	tcase_add_loop_test(tc, test_time, 0, 2);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
