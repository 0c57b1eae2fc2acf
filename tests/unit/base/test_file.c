/* SPDX-License-Identifier: Apache-2.0 */
/* Small files: what may be read, replacing that is all or nothing, locks, trees of any shape. */
#include "base/file.h"

#include "base/fd.h"
#include "base/feat.h"
#include "base/own.h"

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static char top[64];
static int dir;

static void setup(void)
{
	/* In memory, where thousands of directories are made in no time. */
	(void)strcpy(top, "/dev/shm/ctr-test-file-XXXXXX");
	if (!mkdtemp(top)) {
		(void)strcpy(top, "/var/tmp/ctr-test-file-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(top));
	}
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
	(void)umask(022);
}

static void teardown(void)
{
	(void)close(dir);
	ck_assert_int_eq(file_remove_tree(AT_FDCWD, top), 0);
}

static void make(const char *name, const char *content)
{
	own_fd int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_write_all(fd, content, strlen(content)), 0);
}

static bool is_there(const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int entries(void)
{
	own_fd int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *d = fdopendir(fd);
	int n = -2; /* "." and ".." */

	ck_assert_ptr_nonnull(d);
	(void)take_fd(&fd); /* d owns it now */
	while (readdir(d))
		n++;
	return n;
}

static void ended_well(pid_t pid)
{
	int status;

	ck_assert_int_eq(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
}

/* clang-format off */
static const struct {
	const char *content, *read;
} contents[] = {
	{ "", "" }, { "\n", "" }, { "a", "a" }, { "a\n", "a" }, { "a\n\n", "a\n" }, { " a ", " a " },
	{ "1234567", "1234567" }, { "123456\n", "123456" },
};
/* clang-format on */

START_TEST(test_read)
{
	char buf[8];

	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		make("f", contents[i].content);
		ck_assert_int_eq(file_read(dir, "f", buf, sizeof(buf)),
				 (int)strlen(contents[i].read));
		ck_assert_str_eq(buf, contents[i].read);
	}
	make("f", "12345678");
	ck_assert_int_eq(file_read(dir, "f", buf, sizeof(buf)), -EFBIG);
	ck_assert_int_eq(file_read(dir, "none", buf, sizeof(buf)), -ENOENT);
	ck_assert_int_eq(file_read(dir, ".", buf, sizeof(buf)), -EISDIR);
	ck_assert_int_eq(file_read(-EBADF, "f", buf, sizeof(buf)), -EBADF);
}
END_TEST

START_TEST(test_load)
{
	own_free char *text = NULL, *other = NULL, *proc = NULL;
	char *untouched = top;

	make("f", "content\n");
	ck_assert_int_eq(file_load(dir, "f", 8, &text), 8);
	ck_assert_str_eq(text, "content\n");
	ck_assert_int_eq(file_load(dir, "f", 7, &untouched), -EFBIG);
	make("empty", "");
	ck_assert_int_eq(file_load(dir, "empty", 0, &other), 0);
	ck_assert_str_eq(other, "");
	/* A file whose size is only known by reading. */
	ck_assert_int_gt(file_load(AT_FDCWD, "/proc/self/status", 65000, &proc), 100);
	ck_assert_int_eq(file_load(AT_FDCWD, "/proc/self/status", 10, &untouched), -EFBIG);
	ck_assert_ptr_eq(untouched, top);
}
END_TEST

START_TEST(test_load_refuses)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	own_fd int huge = -EBADF, sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char *untouched = top;

	ck_assert_int_eq(mkfifoat(dir, "fifo", 0600), 0);
	ck_assert_int_eq(file_load(dir, "fifo", 100, &untouched), -EINVAL);
	ck_assert_int_eq(file_load(AT_FDCWD, "/dev/zero", 100, &untouched), -EINVAL);
	ck_assert_int_eq(file_load(AT_FDCWD, "/dev/tty", 100, &untouched) < 0, 1);
	ck_assert_int_eq(file_load(dir, ".", 100, &untouched), -EISDIR);
	ck_assert_int_eq(file_load(dir, "none", 100, &untouched), -ENOENT);
	ck_assert_int_eq(symlinkat("loop", dir, "loop"), 0);
	ck_assert_int_eq(file_load(dir, "loop", 100, &untouched), -ELOOP);
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/sock", top);
	ck_assert_int_eq(bind(sock, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(file_load(dir, "sock", 100, &untouched), -ENXIO);
	/* Sparse, and far larger than memory. */
	huge = openat(dir, "huge", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(ftruncate(huge, (off_t)1 << 42), 0);
	ck_assert_int_eq(file_load(dir, "huge", 1 << 20, &untouched), -EFBIG);
	ck_assert_ptr_eq(untouched, top);
}
END_TEST

START_TEST(test_write)
{
	char buf[32];

	ck_assert_int_eq(file_write(dir, "f", "x"), -ENOENT); /* a knob is never made */
	make("f", "before");
	ck_assert_int_eq(file_write(dir, "f", "af"), 0);
	ck_assert_int_eq(file_read(dir, "f", buf, sizeof(buf)), 6);
	ck_assert_str_eq(buf, "affore"); /* and never cut */
	ck_assert_int_eq(file_write(dir, ".", "x"), -EISDIR);
	ck_assert_int_eq(file_write(AT_FDCWD, "/dev/full", "x"), -ENOSPC);
}
END_TEST

START_TEST(test_replace)
{
	struct stat before, after;
	char buf[32];

	for (int sync = FILE_NOSYNC; sync <= FILE_SYNC; sync++) {
		ck_assert_int_eq(file_replace(dir, "f", "one", 3, 0640, (enum file_sync)sync), 0);
		ck_assert_int_eq(fstatat(dir, "f", &before, 0), 0);
		ck_assert_uint_eq(before.st_mode & 07777, 0640);
		ck_assert_int_eq(file_replace(dir, "f", "two!", 4, 0600, (enum file_sync)sync), 0);
		ck_assert_int_eq(fstatat(dir, "f", &after, 0), 0);
		ck_assert_uint_eq(after.st_mode & 07777, 0600);
		ck_assert_int_eq(file_read(dir, "f", buf, sizeof(buf)), 4);
		ck_assert_str_eq(buf, "two!");
		ck_assert_int_eq(entries(), 1);
	}
	(void)snprintf(buf, sizeof(buf), "/proc/self/fd/%d/f", dir); /* absolute, with its sync */
	ck_assert_int_eq(file_replace(AT_FDCWD, buf, "", 0, 0600, FILE_SYNC), 0);
	ck_assert_int_eq(file_read(dir, "f", buf, sizeof(buf)), 0);
}
END_TEST

START_TEST(test_replace_leftovers)
{
	char buf[32], longer[PATH_MAX];

	/* What a killed command left is taken away; a link that somebody planted is not followed.
	 */
	make("f.new", "half of a very long fi");
	ck_assert_int_eq(file_replace(dir, "f", "whole", 5, 0600, FILE_NOSYNC), 0);
	make("victim", "safe");
	ck_assert_int_eq(symlinkat("victim", dir, "f.new"), 0);
	ck_assert_int_eq(file_replace(dir, "f", "other", 5, 0600, FILE_NOSYNC), 0);
	ck_assert_int_eq(file_read(dir, "victim", buf, sizeof(buf)), 4);
	ck_assert_str_eq(buf, "safe");
	ck_assert_int_eq(entries(), 2);
	/* A symlink as the target is itself replaced. */
	ck_assert_int_eq(symlinkat("victim", dir, "link"), 0);
	ck_assert_int_eq(file_replace(dir, "link", "mine", 4, 0600, FILE_NOSYNC), 0);
	ck_assert_int_eq(file_read(dir, "victim", buf, sizeof(buf)), 4);
	ck_assert_str_eq(buf, "safe");
	/* Failures leave nothing. */
	ck_assert_int_eq(mkdirat(dir, "d", 0700), 0);
	ck_assert_int_eq(file_replace(dir, "d", "x", 1, 0600, FILE_NOSYNC), -EISDIR);
	ck_assert(!is_there("d.new"));
	ck_assert_int_eq(file_replace(dir, "none/f", "x", 1, 0600, FILE_NOSYNC), -ENOENT);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(file_replace(dir, longer, "x", 1, 0600, FILE_NOSYNC), -ENAMETOOLONG);
	longer[NAME_MAX - 2] = '\0';
	ck_assert_int_eq(file_replace(dir, longer, "x", 1, 0600, FILE_NOSYNC), -ENAMETOOLONG);
}
END_TEST

/* Our own mount namespace with a tmpfs of two pages at NAME; false where we may not. */
static bool mount_tiny(const char *name)
{
	char path[128];

	if (!feat_has_cap(CAP_SYS_ADMIN) || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		puts("# skip: a mount namespace needs root");
		return false;
	}
	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(mount("tmpfs", path, "tmpfs", 0, "size=8k"), 0);
	/* The old one is of the old namespace, and does not see the mount. */
	(void)close(dir);
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
	ck_assert_int_eq(fchdir(dir), 0);
	return true;
}

START_TEST(test_replace_without_space)
{
	static char large[64 * 1024];
	char buf[32];

	if (!mount_tiny("tiny"))
		return;
	ck_assert_int_eq(file_replace(dir, "tiny/f", "old", 3, 0600, FILE_SYNC), 0);
	ck_assert_int_eq(file_replace(dir, "tiny/f", large, sizeof(large), 0600, FILE_SYNC),
			 -ENOSPC);
	ck_assert(!is_there("tiny/f.new"));
	ck_assert_int_eq(file_read(dir, "tiny/f", buf, sizeof(buf)), 3);
	ck_assert_str_eq(buf, "old");
	ck_assert_int_eq(umount2("tiny", MNT_DETACH), 0);
}
END_TEST

/* A reader sees one of the two, whole, at any time. */
START_TEST(test_replace_is_atomic)
{
	char a[3000], b[1000], buf[4096];
	pid_t writer;
	int pipes[2];

	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	ck_assert_int_eq(file_replace(dir, "f", a, sizeof(a), 0600, FILE_NOSYNC), 0);
	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	writer = fork();
	if (writer == 0) {
		(void)close(pipes[0]);
		for (int i = 0; i < 3000; i++)
			if (file_replace(dir, "f", i & 1 ? a : b, i & 1 ? sizeof(a) : sizeof(b),
					 0600, FILE_NOSYNC) < 0)
				_exit(1);
		_exit(0);
	}
	(void)close(pipes[1]);
	while (fd_wait(pipes[0], 0) == 0) {
		ssize_t n = file_read(dir, "f", buf, sizeof(buf));

		ck_assert_int_eq(n, buf[0] == 'a' ? (ssize_t)sizeof(a) : (ssize_t)sizeof(b));
		ck_assert_int_eq(memcmp(buf, buf[0] == 'a' ? a : b, (size_t)n), 0);
	}
	(void)close(pipes[0]);
	ended_well(writer);
}
END_TEST

START_TEST(test_lock_other_process)
{
	own_fd int lock = file_lock(dir, "l", true);
	int status;
	pid_t pid;

	ck_assert_int_ge(lock, 0);
	ck_assert_int_eq(fcntl(lock, F_GETFD), FD_CLOEXEC);
	pid = fork();
	if (pid == 0)
		_exit(file_lock(dir, "l", false) == -EWOULDBLOCK ? 0 : 1);
	ended_well(pid);
	/* Its holder is killed: the lock is free at once. */
	close_fd(&lock);
	int pipes[2];
	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (file_lock(dir, "l", true) >= 0)
			(void)write(pipes[1], "x", 1);
		(void)pause();
		_exit(1);
	}
	ck_assert_int_eq(read(pipes[0], &status, 1), 1);
	ck_assert_int_eq(file_lock(dir, "l", false), -EWOULDBLOCK);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	lock = file_lock(dir, "l", true);
	ck_assert_int_ge(lock, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}
END_TEST

START_TEST(test_lock_refuses)
{
	make("f", "");
	ck_assert_int_eq(symlinkat("f", dir, "link"), 0);
	ck_assert_int_eq(file_lock(dir, "link", true), -ELOOP);
	ck_assert_int_eq(file_lock(dir, ".", true), -EISDIR);
	ck_assert_int_eq(file_lock(dir, "none/l", true), -ENOENT);
}
END_TEST

/* Each holder removes the file before it lets go: no two may ever hold the lock of the name. */
START_TEST(test_lock_with_unlink)
{
	enum { PROCESSES = 4, ROUNDS = 150 };
	pid_t pids[PROCESSES];

	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		for (int k = 0; k < ROUNDS; k++) {
			own_fd int lock = file_lock(dir, "l", true);

			/* Only one of those inside can make the directory. */
			if (lock < 0 || mkdirat(dir, "inside", 0700) < 0)
				_exit(1);
			(void)sched_yield();
			if (unlinkat(dir, "inside", AT_REMOVEDIR) < 0 || unlinkat(dir, "l", 0) < 0)
				_exit(2);
		}
		_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++)
		ended_well(pids[i]);
	ck_assert_int_eq(entries(), 0);
}
END_TEST

START_TEST(test_mkdirs)
{
	char path[256];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/a//b/c/", top);
	ck_assert_int_eq(file_mkdirs(path, 0700), 0);
	ck_assert_int_eq(file_mkdirs(path, 0700), 0);
	ck_assert_int_eq(fstatat(dir, "a/b/c", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	make("f", "");
	(void)snprintf(path, sizeof(path), "%s/f", top);
	ck_assert_int_eq(file_mkdirs(path, 0700), -ENOTDIR);
	(void)snprintf(path, sizeof(path), "%s/f/g/h", top);
	ck_assert_int_eq(file_mkdirs(path, 0700), -ENOTDIR);
	ck_assert_int_eq(symlinkat("a", dir, "link"), 0);
	(void)snprintf(path, sizeof(path), "%s/link/x", top);
	ck_assert_int_eq(file_mkdirs(path, 0700), 0);
	ck_assert(is_there("a/x"));
	ck_assert_int_eq(symlinkat("none", dir, "dangling"), 0);
	(void)snprintf(path, sizeof(path), "%s/dangling/x", top);
	ck_assert_int_eq(file_mkdirs(path, 0700), -ENOENT);
	ck_assert_int_eq(file_mkdirs("/", 0700), 0);
	ck_assert_int_eq(file_mkdirs("", 0700), -ENOENT);
	(void)fchdir(dir);
	ck_assert_int_eq(file_mkdirs("rel/at/ive", 0755), 0);
	ck_assert(is_there("rel/at/ive"));
}
END_TEST

START_TEST(test_remove)
{
	make("f", "");
	ck_assert_int_eq(file_remove_tree(dir, "f"), 0);
	ck_assert_int_eq(file_remove_tree(dir, "f"), 0);
	ck_assert_int_eq(mkdirat(dir, "keep", 0700), 0);
	make("keep/me", "");
	ck_assert_int_eq(symlinkat("keep", dir, "link"), 0);
	ck_assert_int_eq(file_remove_tree(dir, "link"), 0);
	ck_assert_int_eq(mkdirat(dir, "t", 0700), 0);
	ck_assert_int_eq(symlinkat("../keep", dir, "t/link"), 0);
	ck_assert_int_eq(mkfifoat(dir, "t/fifo", 0600), 0);
	ck_assert_int_eq(mkdirat(dir, "t/~0", 0700), 0); /* as a name that removal may use */
	ck_assert_int_eq(mkdirat(dir, "t/~1", 0700), 0);
	ck_assert_int_eq(mkdirat(dir, "t/~1/~0", 0700), 0);
	make("t/~1/~0/x", "");
	make("t/~0/y", "");
	ck_assert_int_eq(file_remove_tree(dir, "t"), 0);
	ck_assert(!is_there("t"));
	ck_assert(is_there("keep/me"));
	ck_assert_int_eq(file_remove_tree(dir, "none/x"), 0);
}
END_TEST

START_TEST(test_remove_deep_and_wide)
{
	enum { LEVELS = 5000 };
	struct rlimit files = { .rlim_cur = 64, .rlim_max = 64 };
	own_fd int at = -EBADF;
	int level = 0;

	ck_assert_int_eq(mkdirat(dir, "t", 0700), 0);
	at = openat(dir, "t", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (; level < LEVELS; level++) {
		int below;

		if (mkdirat(at, "d", 0700) < 0)
			break; /* as deep as this file system goes */
		if (level % 500 == 0)
			ck_assert_int_eq(mkdirat(at, "e", 0700), 0);
		below = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(below, 0);
		close_fd(&at);
		at = below;
	}
	ck_assert_int_ge(level, 1000);
	close_fd(&at);
	for (int i = 0; i < 2000; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "t/f%d", i);
		make(name, "");
	}
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	ck_assert_int_eq(file_remove_tree(dir, "t"), 0);
	ck_assert(!is_there("t"));
}
END_TEST

START_TEST(test_remove_stops_at_mounts)
{
	int r;

	if (!mount_tiny("m"))
		return;
	make("m/inside", "");
	ck_assert_int_eq(mkdirat(dir, "t", 0700), 0);
	ck_assert_int_eq(mkdirat(dir, "t/m", 0700), 0);
	ck_assert_int_eq(mount("m", "t/m", NULL, MS_BIND, NULL), 0);
	r = file_remove_tree(dir, "t");
	ck_assert_msg(r == -EXDEV || r == -EBUSY, "%d", r);
	ck_assert(is_there("t/m/inside"));
	ck_assert_int_eq(umount2("t/m", MNT_DETACH), 0);
	ck_assert(is_there("m/inside"));
	ck_assert_int_eq(file_remove_tree(dir, "t"), 0);
	ck_assert_int_eq(umount2("m", MNT_DETACH), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("file");
	TCase *tc = tcase_create("file");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, test_read);
	tcase_add_test(tc, test_load);
	tcase_add_test(tc, test_load_refuses);
	tcase_add_test(tc, test_write);
	tcase_add_test(tc, test_replace);
	tcase_add_test(tc, test_replace_leftovers);
	tcase_add_test(tc, test_replace_without_space);
	tcase_add_test(tc, test_replace_is_atomic);
	tcase_add_test(tc, test_lock_other_process);
	tcase_add_test(tc, test_lock_refuses);
	tcase_add_test(tc, test_lock_with_unlink);
	tcase_add_test(tc, test_mkdirs);
	tcase_add_test(tc, test_remove);
	tcase_add_test(tc, test_remove_deep_and_wide);
	tcase_add_test(tc, test_remove_stops_at_mounts);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
