/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that a guest controls: whatever it builds or swaps, nothing outside its root is reached. */
#include "base/path.h"

#include "base/file.h"
#include "base/own.h"

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* TOP/root is the guest's, TOP/outside must never be reached. */
static char top[64];
static int base, root;
static struct stat outside;

static void make(int dir, const char *path)
{
	own_fd int fd = openat(dir, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
}

static void link_to(const char *target, const char *path)
{
	ck_assert_int_eq(symlinkat(target, root, path), 0);
}

static void setup(void)
{
	char absolute[128];

	(void)strcpy(top, "/dev/shm/ctr-test-path-XXXXXX");
	if (!mkdtemp(top)) {
		(void)strcpy(top, "/var/tmp/ctr-test-path-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(top));
	}
	base = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(base, "outside", 0755), 0);
	make(base, "outside/secret");
	ck_assert_int_eq(fstatat(base, "outside", &outside, 0), 0);
	ck_assert_int_eq(mkdirat(base, "root", 0755), 0);
	root = openat(base, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
	ck_assert_int_eq(mkdirat(root, "a", 0755), 0);
	ck_assert_int_eq(mkdirat(root, "a/b", 0755), 0);
	make(root, "a/b/file");
	make(root, "secret");
	link_to("/a/b", "abs");
	link_to("a/b", "rel");
	link_to("../../../../a", "a/b/up");
	link_to("../../outside", "climb");
	link_to("nowhere/at/all", "dangling");
	link_to("loop2", "loop1");
	link_to("loop1", "loop2");
	link_to("self", "self");
	link_to("a/b/file", "to-file");
	(void)snprintf(absolute, sizeof(absolute), "%s/outside", top);
	link_to(absolute, "escape");
	(void)snprintf(absolute, sizeof(absolute), "/proc/self/fd/%d", base);
	link_to(absolute, "magic-text");
}

static void teardown(void)
{
	ck_assert_int_eq(faccessat(base, "outside/secret", F_OK, 0), 0);
	(void)close(root);
	(void)close(base);
	ck_assert_int_eq(file_remove_tree(AT_FDCWD, top), 0);
}

#define SOMEWHERE "?" /* beneath the root, wherever */

/* clang-format off */
static const struct {
	const char *path;
	const char *is; /* the same as this one, beneath the root; NULL: an error */
	int r;
} opens[] = {
	{ "a/b/file",			"a/b/file", 0 },
	{ "/a/b/file",			"a/b/file", 0 },
	{ "//a///b//file",		"a/b/file", 0 },
	{ "./a/./b/./file",		"a/b/file", 0 },
	{ "",				".", 0 },
	{ "/",				".", 0 },
	{ ".",				".", 0 },
	{ "..",				".", 0 },
	{ "../../..",			".", 0 },
	{ "/../..//a/../a/b",		"a/b", 0 },
	{ "../../secret",		"secret", 0 },
	{ "abs/file",			"a/b/file", 0 },
	{ "rel/file",			"a/b/file", 0 },
	{ "abs/up/b/up/b/file",		"a/b/file", 0 },
	{ "rel/../../../../a/b",	"a/b", 0 },
	{ "to-file",			"a/b/file", 0 },
	{ "climb",			NULL, -ENOENT },
	{ "climb/secret",		NULL, -ENOENT },
	{ "escape",			NULL, -ENOENT },
	{ "escape/secret",		NULL, -ENOENT },
	{ "magic-text",			NULL, -ENOENT },
	{ "dangling",			NULL, -ENOENT },
	{ "loop1",			NULL, -ELOOP },
	{ "loop1/x",			NULL, -ELOOP },
	{ "self",			NULL, -ELOOP },
	{ "a/b/file/",			NULL, -ENOTDIR },
	{ "a/b/file/..",		NULL, -ENOTDIR },
	{ "none",			NULL, -ENOENT },
	{ "none/../a",			NULL, -ENOENT },
};

static const struct {
	const char *path;
	const char *is; /* what must be there afterwards */
	int r;
} makes[] = {
	{ "new",			"new", 0 },
	{ "/new/deep/er//x/",		"new/deep/er/x", 0 },
	{ "",				".", 0 },
	{ "/",				".", 0 },
	{ "a/b",			"a/b", 0 },
	{ "abs/new/x",			"a/b/new/x", 0 },
	{ "rel/../new",			"a/new", 0 },
	{ "a/b/up/new",			"a/new", 0 },
	{ "../../new",			"new", 0 },
	{ "climb",			"outside", 0 }, /* dangling: made where it leads in here */
	{ "climb/x",			"outside/x", 0 },
	{ "dangling/x",			"nowhere/at/all/x", 0 },
	{ "a/b/up/../dangling",		"nowhere/at/all", 0 },
	{ "escape/x",			SOMEWHERE, 0 },
	{ "magic-text/x",		SOMEWHERE, 0 },
	{ "self/x",			NULL, -ELOOP },
	{ "loop1/x",			NULL, -ELOOP },
	{ "loop1",			NULL, -ELOOP },
	{ "a/b/file",			NULL, -ENOTDIR },
	{ "a/b/file/x",			NULL, -ENOTDIR },
	{ "to-file/x",			NULL, -ENOTDIR },
	{ "none/..",			NULL, -ENOENT },
	{ "none/../x",			NULL, -ENOENT },
	{ "none/.",			NULL, -ENOENT },
};

static const struct {
	const char *path;
	bool is_dir;
	const char *is;
	int r;
} targets[] = {
	{ "a/b",		true,  "a/b", 0 },
	{ "a/b/file",		false, "a/b/file", 0 },
	{ "a/b",		false, "a/b", 0 }, /* what exists is returned as it is */
	{ "a/b/file",		true,  "a/b/file", 0 },
	{ "to-file",		false, "a/b/file", 0 },
	{ "new/dir",		true,  "new/dir", 0 },
	{ "new/x/file",		false, "new/x/file", 0 },
	{ "file",		false, "file", 0 },
	{ "/abs/n/file",	false, "a/b/n/file", 0 },
	{ "",			false, ".", 0 },
	{ "/",			true,  ".", 0 },
	{ "new/",		false, NULL, -EISDIR },
	{ "new/..",		false, NULL, -EISDIR },
	{ "new/.",		false, NULL, -EISDIR },
	{ "dangling",		false, "nowhere/at/all", 0 },
	{ "climb",		true,  "outside", 0 },
	{ "escape",		false, SOMEWHERE, 0 },
	{ "magic-text/x",	false, SOMEWHERE, 0 },
	{ "loop1",		false, NULL, -ELOOP },
	{ "a/b/file/x",		false, NULL, -ENOTDIR },
};

static const struct {
	const char *path;
	bool ok;
} normals[] = {
	{ "/", true }, { "/a", true }, { "/a/b/", true }, { "//a", true }, { "/...", true },
	{ "/.a", true }, { "/a..", true }, { "/..a", true }, { "/a./b", true },
	{ "", false }, { "a", false }, { ".", false }, { "/.", false }, { "/..", false },
	{ "/a/.", false }, { "/a/..", false }, { "/./a", false }, { "/../a", false },
	{ "//..", false }, { "/a//../b", false }, { "/a/./", false },
};
/* clang-format on */

/* By its path, for what was made there would be a new inode. */
static bool beneath_outside(int fd)
{
	char link[32], path[PATH_MAX], begin[128];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	ck_assert_int_gt(n, 0);
	path[n] = '\0';
	(void)snprintf(begin, sizeof(begin), "%s/root/", top);
	return strncmp(path, begin, strlen(begin)) != 0;
}

static void check_result(const char *path, int fd, int r, const char *is)
{
	struct stat got, want;

	if (!is) {
		ck_assert_msg(fd == r, "'%s' gives %d", path, fd);
		return;
	}
	ck_assert_msg(fd >= 0, "'%s' gives %d", path, fd);
	ck_assert_int_eq(fstat(fd, &got), 0);
	if (strcmp(is, SOMEWHERE) == 0) {
		ck_assert(!beneath_outside(fd));
		return;
	}
	ck_assert_int_eq(fstatat(root, is, &want, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_msg(got.st_ino == want.st_ino && got.st_dev == want.st_dev, "'%s'", path);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

START_TEST(test_open)
{
	own_fd int fd = path_open(root, opens[_i].path, O_PATH, 0);

	check_result(opens[_i].path, fd, opens[_i].r, opens[_i].is);
}
END_TEST

START_TEST(test_mkdirs)
{
	own_fd int fd = path_mkdirs(root, makes[_i].path, 0755);

	check_result(makes[_i].path, fd, makes[_i].r, makes[_i].is);
	ck_assert_int_lt(faccessat(base, "outside/x", F_OK, 0), 0);
}
END_TEST

START_TEST(test_targets)
{
	own_fd int fd = path_make_target(root, targets[_i].path, targets[_i].is_dir);
	struct stat st;

	check_result(targets[_i].path, fd, targets[_i].r, targets[_i].is);
	if (strncmp(targets[_i].path, "new/", 4) == 0 && fd >= 0) {
		ck_assert_int_eq(fstat(fd, &st), 0);
		ck_assert_int_eq(S_ISDIR(st.st_mode), targets[_i].is_dir);
	}
}
END_TEST

START_TEST(test_normal)
{
	char longest[PATH_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(normals); i++)
		ck_assert_msg(path_is_normal(normals[i].path) == normals[i].ok, "'%s'",
			      normals[i].path);
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[PATH_MAX] = '\0';
	ck_assert(!path_is_normal(longest));
	longest[PATH_MAX - 1] = '\0';
	ck_assert(path_is_normal(longest));
}
END_TEST

START_TEST(test_long)
{
	char path[PATH_MAX + 2];
	own_fd int fd = -EBADF;

	memset(path, 'x', sizeof(path));
	path[NAME_MAX + 1] = '\0';
	ck_assert_int_eq(path_mkdirs(root, path, 0755), -ENAMETOOLONG);
	for (size_t i = 0; i < sizeof(path); i += 2)
		memcpy(path + i, "d/", 2);
	path[PATH_MAX + 1] = '\0';
	ck_assert_int_eq(path_mkdirs(root, path, 0755), -ENAMETOOLONG);
	ck_assert_int_eq(path_make_target(root, path, false), -ENAMETOOLONG);
	path[PATH_MAX - 2] = '\0'; /* as many levels as a path can name */
	fd = path_mkdirs(root, path, 0755);
	ck_assert_int_ge(fd, 0);
}
END_TEST

/* The links of /proc lead out of any root; they are no way even where /proc is the root. */
START_TEST(test_magic_links)
{
	own_fd int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
	static const char *const links[] = { "cwd", "root", "exe", "fd/0", "ns/mnt", "fd/0/x" };
	char path[64];

	fd = path_open(proc, "self/status", O_RDONLY, 0);
	ck_assert_int_ge(fd, 0);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		(void)snprintf(path, sizeof(path), "self/%s", links[i]);
		ck_assert_msg(path_open(proc, path, O_PATH, 0) == -ELOOP, "%s", path);
	}
	(void)snprintf(path, sizeof(path), "self/fd/%d/outside", base);
	ck_assert_int_eq(path_mkdirs(proc, path, 0755), -ELOOP);
	ck_assert_int_eq(path_make_target(proc, path, false), -ELOOP);
}
END_TEST

static atomic_bool stop;

/* While we look, "swap" is a directory, then a link that leads out, then the directory again. */
static void *attack(void *arg)
{
	(void)arg;
	while (!stop) {
		(void)renameat2(root, "swap", root, "evil", RENAME_EXCHANGE);
		(void)renameat2(root, "deep/down", base, "moved",
				0); /* out of the root, and back */
		(void)renameat2(base, "moved", root, "deep/down", 0);
	}
	return NULL;
}

static bool is_outside(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_ino == outside.st_ino && st.st_dev == outside.st_dev;
}

START_TEST(test_swapping_attacker)
{
	struct timespec now, end;
	unsigned long opened = 0, refused = 0;
	pthread_t thread;
	struct stat st;

	ck_assert_int_eq(mkdirat(root, "swap", 0755), 0);
	ck_assert_int_eq(mkdirat(root, "deep", 0755), 0);
	ck_assert_int_eq(mkdirat(root, "deep/down", 0755), 0);
	make(root, "swap/secret");
	link_to("../outside", "evil");
	ck_assert_int_eq(fstatat(base, "outside/secret", &st, 0), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, attack, NULL), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec++;
	for (unsigned int i = 0;; i++) {
		own_fd int secret = path_open(root, "swap/secret", O_PATH, 0);
		own_fd int dir = path_mkdirs(root, i & 1 ? "swap/made" : "evil/made/x", 0755);
		own_fd int file = path_make_target(root, "swap/made/file", false);
		own_fd int up = path_open(root, "deep/down/../../../outside", O_PATH, 0);

		opened += secret >= 0;
		refused += secret < 0;
		if (secret >= 0) {
			struct stat got;

			ck_assert_int_eq(fstat(secret, &got), 0);
			ck_assert_uint_ne(got.st_ino, st.st_ino);
		}
		if (up >= 0)
			ck_assert(!is_outside(up));
		if (dir >= 0)
			ck_assert(!is_outside(dir));
		if (file >= 0)
			ck_assert(!is_outside(file));
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > end.tv_sec ||
		    (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec))
			break;
	}
	stop = true;
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_lt(faccessat(base, "outside/made", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	printf("# %lu opened, %lu refused\n", opened, refused);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("path");
	TCase *tc = tcase_create("path");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_open, 0, (int)ARRAY_SIZE(opens));
	tcase_add_loop_test(tc, test_mkdirs, 0, (int)ARRAY_SIZE(makes));
	tcase_add_loop_test(tc, test_targets, 0, (int)ARRAY_SIZE(targets));
	tcase_add_test(tc, test_normal);
	tcase_add_test(tc, test_long);
	tcase_add_test(tc, test_magic_links);
	tcase_add_test(tc, test_swapping_attacker);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
