/* SPDX-License-Identifier: Apache-2.0 */
/* A root built for real: namespaces, id maps, mounts, masks, pivot. Needs root. */
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "base/path.h"
#include "base/proc.h"
#include "namespaces/mount/mount.h"
#include "namespaces/ns.h"

#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <time.h>

enum { BASE = 0x70000000 };

static char root_path[] = "/tmp/ctr-unit-XXXXXX";

static void make_root(void)
{
	char path[64];

	ck_assert_ptr_nonnull(mkdtemp(root_path));
	ck_assert_int_eq(chmod(root_path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/secret", root_path);
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void remove_root(void)
{
	ck_assert_int_eq(file_remove_tree(AT_FDCWD, root_path), 0);
	(void)memcpy(root_path + strlen(root_path) - 6, "XXXXXX", 6);
}

/* In the child check's own machinery is the parent's: a failure is told and ends it. */
#define NEED(cond)                     \
	do {                           \
		if (!(cond)) {         \
			perror(#cond); \
			_exit(1);      \
		}                      \
	} while (0)

static struct mnt filesystem(const char *type, const char *target)
{
	return (struct mnt){ .type = type, .source = type, .target = target, .tree = -EBADF };
}

static void check_inside(bool userns)
{
	struct statvfs fs;
	struct stat st;
	struct timespec up;

	NEED(getpid() == 1);
	NEED(getuid() == 0);
	NEED(stat("/proc/1/status", &st) == 0);
	NEED(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
	NEED(statvfs("/proc/sys", &fs) == 0 && (fs.f_flag & ST_RDONLY));
	NEED(statvfs("/secret", &fs) == 0 && (fs.f_flag & ST_RDONLY));
	NEED(stat("/proc/keys", &st) < 0 || st.st_rdev == makedev(1, 3));
	NEED(stat("/etc/passwd", &st) < 0);
	NEED(mkdir("/made-inside", 0755) == 0);
	NEED(stat("/made-inside", &st) == 0 && st.st_uid == 0);
	NEED(stat("/bound", &st) == 0);
	if (userns)
		NEED(clock_gettime(CLOCK_BOOTTIME, &up) == 0 && up.tv_sec < 60);
}

static int build(int root, struct mnt *bind, bool userns)
{
	static char keys[] = "/proc/keys", secret[] = "/secret", gone[] = "/no/such/path";
	static char sys[] = "/proc/sys";
	char *masked[] = { keys, secret, gone }, *readonly[] = { sys };
	const struct strv mask = { masked, 3 }, ro = { readonly, 1 };
	struct mnt proc = filesystem("proc", "/proc"), dev = filesystem("tmpfs", "/dev");
	struct mnt sysfs = filesystem("sysfs", "/sys");
	struct err e = { 0 };

	NEED(mnt_isolate(false, &e) == 0);
	NEED(mnt_enter_root(root, "/", MS_PRIVATE | MS_REC, &e) == 0);
	NEED(mnt_apply(root, &proc, &e) == 0);
	NEED(mnt_apply(root, &dev, &e) == 0);
	NEED(mnt_apply(root, &sysfs, &e) == 0);
	NEED(mnt_apply(root, bind, &e) == 0);
	if (userns) {
		struct mnt null = { .source = "/dev/null",
				    .target = "/dev/null",
				    .opt = { .bind = true },
				    .tree = -EBADF };

		NEED(mnt_open_source(&null, &e) == 0);
		NEED(mnt_apply(root, &null, &e) == 0);
	} else {
		NEED(dev_make(root, &dev_defaults[0], &e) == 0);
	}
	NEED(dev_links(root, &e) == 0);
	NEED(mnt_readonly(root, &ro, &e) == 0);
	NEED(mnt_masked(root, &mask, NULL, &e) == 0);
	NEED(mnt_pivot(root, &e) == 0);
	return 0;
}

static void run(bool userns)
{
	const struct id_map map = { 0, BASE, 65536 };
	struct ns_set set = { .create = { [NS_MOUNT] = true,
					  [NS_PID] = true,
					  [NS_IPC] = true,
					  [NS_UTS] = true,
					  [NS_NET] = true },
			      .uid_maps = &map,
			      .gid_maps = &map,
			      .uid_map_count = 1,
			      .gid_map_count = 1 };
	struct mnt bind = { .source = "/etc/hostname",
			    .target = "/bound",
			    .opt = { .bind = true },
			    .tree = -EBADF };
	own_fd int pidfd = -EBADF, tree = -EBADF, ns = -EBADF;
	own_ns_join struct ns_join join;
	struct timespec boot;
	struct err e = { 0 };
	int go[2], done;
	char byte = 0;
	pid_t pid;

	make_root();
	set.create[NS_USER] = set.create[NS_TIME] = userns;
	ck_assert_int_eq(clock_gettime(CLOCK_BOOTTIME, &boot), 0);
	set.boottime = (struct time_offset){ .secs = -boot.tv_sec, .set = userns };
	ck_assert_int_eq(ns_join_open(&set, &join, &e), 0);
	ck_assert_int_eq(mnt_open_source(&bind, &e), 0);
	tree = open_tree(AT_FDCWD, root_path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	ck_assert_int_ge(tree, 0);
	ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
	pid = ns_spawn(&set, &join, -EBADF, &pidfd, &e);
	ck_assert_msg(pid >= 0, "%s", e.msg);
	if (pid == 0) {
		NEED(ns_enter(&join, &e) == 0);
		NEED(read(go[0], &byte, 1) == 1);
		if (userns)
			NEED(ns_become_root(false, &e) == 0);
		build(tree, &bind, userns);
		check_inside(userns);
		_exit(0);
	}
	if (userns) {
		ck_assert_msg(ns_write_id_maps(pid, &set, &e) == 0, "%s", e.msg);
		ns = ns_open(pid, NS_USER, &e);
		ck_assert_msg(mnt_idmap(tree, ns, false, &e) == 0, "%s", e.msg);
	}
	ck_assert_int_eq(fd_write_all(go[1], &byte, 1), 0);
	done = proc_wait_exit(pidfd);
	ck_assert_int_eq(done, 0);
	close(go[0]);
	close(go[1]);
	close_fd(&bind.tree);
	remove_root();
}

START_TEST(plain)
{
	run(false);
}
END_TEST

START_TEST(in_a_user_namespace)
{
	run(true);
}
END_TEST

START_TEST(a_fifo_is_no_namespace)
{
	char path[] = "/tmp/ctr-unit-fifo-XXXXXX";
	struct ns_set set = { .path = { [NS_NET] = path } };
	own_ns_join struct ns_join join;
	struct err e = { 0 };
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(ns_join_open(&set, &join, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "is not a namespace"));
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(the_wrong_kind_is_named)
{
	struct ns_set set = { .path = { [NS_NET] = "/proc/self/ns/uts" } };
	own_ns_join struct ns_join join;
	struct err e = { 0 };

	ck_assert_int_eq(ns_join_open(&set, &join, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "is not a network namespace"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("namespaces/live");
	TCase *t = tcase_create("live");
	SRunner *sr;
	int failed;

	if (geteuid() != 0) {
		puts("skipped: building a root needs root");
		return 77;
	}
	tcase_add_test(t, plain);
	tcase_add_test(t, in_a_user_namespace);
	tcase_add_test(t, a_fifo_is_no_namespace);
	tcase_add_test(t, the_wrong_kind_is_named);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
