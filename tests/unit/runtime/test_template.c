/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: built, imported from friendly and hostile sources, listed, removed, healed. */
#include "runtime/storage/store_internal.h"
#include "runtime/storage/tool_internal.h"

#include "base/feat.h"
#include "base/fd.h"
#include "base/file.h"

#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static char dir[64];
static int top, store;

static void setup(void)
{
	char path[96];
	struct err e = { 0 };

	(void)strcpy(dir, "/var/tmp/ctr-test-template-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "%s/store", dir);
	store = store_open(path, &e);
	ck_assert_msg(store >= 0, "%s", e.msg);
}

static void teardown(void)
{
	(void)close(store);
	ck_assert_int_eq(file_remove_tree(AT_FDCWD, dir), 0);
	(void)close(top);
}

static void put(int at, const char *path, const char *text, mode_t mode)
{
	own_fd int fd = openat(at, path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_msg(fd >= 0, "%s: %m", path);
	ck_assert_int_eq(fd_write_all(fd, text, strlen(text)), 0);
	ck_assert_int_eq(fchmod(fd, mode), 0);
}

static char *in_dir(const char *name)
{
	static char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static size_t entries(const char *path)
{
	own_dir DIR *d = opendir(in_dir(path));
	size_t n = 0;

	while (d && readdir(d))
		n++;
	return n;
}

/* No trace but the names themselves: ".", ".." and @names. */
static void no_leftovers(size_t names)
{
	ck_assert_uint_eq(entries("store/templates"), 2 + names);
}

/* A ustar archive, written by hand: tar(1) would not make most of what follows. */

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
	char magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == 512, "a ustar header");

static void tar_entry_sized(int fd, char type, const char *name, const char *link,
			    unsigned int mode, const char *data, unsigned long long size)
{
	struct header h = { .type = type, .magic = "ustar", .version = { '0', '0' } };
	char block[512] = "";
	unsigned int sum = 0;

	(void)snprintf(h.name, sizeof(h.name), "%s", name);
	(void)snprintf(h.link, sizeof(h.link), "%s", link ? link : "");
	(void)snprintf(h.mode, sizeof(h.mode), "%07o", mode);
	(void)snprintf(h.uid, sizeof(h.uid), "%07o", 0);
	(void)snprintf(h.gid, sizeof(h.gid), "%07o", 0);
	(void)snprintf(h.size, sizeof(h.size), "%011llo", size & 077777777777ull);
	(void)snprintf(h.mtime, sizeof(h.mtime), "%011o", 0);
	(void)snprintf(h.major, sizeof(h.major), "%07o", 1);
	(void)snprintf(h.minor, sizeof(h.minor), "%07o", 3);
	memset(h.sum, ' ', sizeof(h.sum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((const unsigned char *)&h)[i];
	(void)snprintf(h.sum, sizeof(h.sum), "%06o", sum);
	ck_assert_int_eq(fd_write_all(fd, &h, sizeof(h)), 0);
	if (!data)
		return;
	(void)snprintf(block, sizeof(block), "%s", data);
	ck_assert_int_eq(fd_write_all(fd, block, sizeof(block)), 0);
}

static void tar_entry(int fd, char type, const char *name, const char *link, unsigned int mode,
		      const char *data)
{
	tar_entry_sized(fd, type, name, link, mode, data, data ? strlen(data) : 0);
}

static int tar_begin(const char *name)
{
	int fd = open(in_dir(name), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	tar_entry(fd, '5', "./", NULL, 0755, NULL);
	tar_entry(fd, '5', "bin/", NULL, 0755, NULL);
	tar_entry(fd, '0', "bin/sh", NULL, 0755, "#!");
	return fd;
}

static void tar_end(int fd)
{
	static const char zeros[1024];

	ck_assert_int_eq(fd_write_all(fd, zeros, sizeof(zeros)), 0);
	(void)close(fd);
}

START_TEST(test_busybox)
{
	own_arena struct arena arena = { 0 };
	struct template_info info;
	struct err e = { 0 };
	struct timespec a, b;
	own_fd int root = -EBADF;
	struct stat st;

	if (access("/bin/busybox", X_OK) < 0) {
		puts("# skip: no /bin/busybox here");
		return;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	ck_assert_msg(template_build(store, "busybox", NULL, &e) == 0, "%s", e.msg);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	printf("# template_build busybox: %.1f ms\n",
	       (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6);
	no_leftovers(1);
	root = template_open(store, "busybox", &e);
	ck_assert_msg(root >= 0, "%s", e.msg);
	ck_assert_int_eq(fstatat(root, "bin/busybox", &st, 0), 0);
	ck_assert_int_eq(fstatat(root, "sbin/init", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_lt(fstatat(root, "sbin/ini", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(fstatat(root, "tmp", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 01777);
	ck_assert_int_eq(template_info(store, "busybox", &arena, &info, &e), 0);
	ck_assert_str_eq(info.source, "busybox");
	ck_assert_ptr_null(info.problem);
	ck_assert_str_eq(info.init.v[0], "/sbin/init");
	ck_assert_uint_gt(info.size_bytes, 500 * 1024);
	ck_assert_int_eq(template_build(store, "busybox", NULL, &e), -EEXIST);
	ck_assert_int_eq(
		template_build(store, "busybox", &(struct template_opts){ .replace = true }, &e),
		0);
	no_leftovers(1);
	ck_assert_int_eq(template_remove(store, "busybox", &e), 0);
	ck_assert_int_eq(template_remove(store, "busybox", &e), -ENOENT);
	no_leftovers(0);
}
END_TEST

/* Owner, mode, set-id, hard links, attributes, FIFOs: as they were. Devices: left out. */
START_TEST(test_import_directory)
{
	static const char cap[20] = { 0, 0, 0, 2, 0, 4 }; /* VFS_CAP_REVISION_2, CAP_NET_BIND... */
	struct err e = { 0 };
	own_fd int src = -EBADF, root = -EBADF;
	struct stat st, st2;
	char got[32];

	ck_assert_int_eq(mkdirat(top, "src", 0711), 0);
	src = openat(top, "src", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(src, "bin", 0755), 0);
	put(src, "bin/sh", "#!", 04755);
	put(src, "of-1000", "x", 0640);
	ck_assert_int_eq(fchownat(src, "of-1000", 1000, 1001, 0), 0);
	ck_assert_int_eq(linkat(src, "of-1000", src, "linked", 0), 0);
	ck_assert_int_eq(mkfifoat(src, "fifo", 0600), 0);
	ck_assert_int_eq(mknodat(src, "null", S_IFCHR | 0666, 0x103), 0);
	ck_assert_int_eq(setxattr(in_dir("src/bin/sh"), "security.capability", cap, 20, 0), 0);
	ck_assert_int_eq(setxattr(in_dir("src/bin"), "trusted.overlay.opaque", "y", 1, 0), 0);
	ck_assert_msg(template_import(store, "t", in_dir("src"), NULL, &e) == 0, "%s", e.msg);
	root = template_open(store, "t", &e);
	ck_assert_int_eq(fstatat(root, ".", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0711);
	ck_assert_int_eq(fstatat(root, "bin/sh", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 04755);
	ck_assert_int_eq(fstatat(root, "of-1000", &st, 0), 0);
	ck_assert_int_eq(fstatat(root, "linked", &st2, 0), 0);
	ck_assert(st.st_ino == st2.st_ino && st.st_uid == 1000 && st.st_gid == 1001);
	ck_assert_int_eq(fstatat(root, "fifo", &st, 0), 0);
	ck_assert(S_ISFIFO(st.st_mode));
	ck_assert_int_lt(fstatat(root, "null", &st, 0), 0);
	ck_assert_int_eq(getxattr(in_dir("store/templates/t/rootfs/bin/sh"), "security.capability",
				  got, sizeof(got)),
			 20);
	/* What overlayfs would believe does not come along. */
	ck_assert_int_lt(getxattr(in_dir("store/templates/t/rootfs/bin"), "trusted.overlay.opaque",
				  got, sizeof(got)),
			 0);
}
END_TEST

START_TEST(test_import_archive)
{
	static const char *const compress[] = { NULL, "gzip", "xz", "zstd", "bzip2" };
	struct err e = { 0 };
	own_fd int root = -EBADF;
	struct stat st;
	int fd = tar_begin("a.tar");

	tar_entry(fd, '0', "usr", NULL, 04755, "setuid");
	tar_entry(fd, '6', "fifo", NULL, 0600, NULL);
	tar_entry(fd, '3', "dev-null", NULL, 0666, NULL);
	tar_entry(fd, '0', "new\nline: Cannot open: x", NULL, 0644, "x");
	tar_entry(fd, '2', "etc", "/absolute/link", 0777, NULL);
	tar_end(fd);
	if (compress[_i]) {
		pid_t pid = fork();

		if (pid == 0) {
			(void)execlp(compress[_i], compress[_i], "-q", in_dir("a.tar"), NULL);
			_exit(127);
		}
		ck_assert_int_eq(waitpid(pid, &fd, 0), pid);
		if (fd) {
			printf("# skip: no %s here\n", compress[_i]);
			return;
		}
		if (access(in_dir("a.tar"), F_OK) < 0 || _i == 3) {
			static const char *const ends[] = { "", ".gz", ".xz", ".zst", ".bz2" };
			char from[200];

			(void)snprintf(from, sizeof(from), "%s/a.tar%s", dir, ends[_i]);
			ck_assert_int_eq(rename(from, in_dir("a.tar")), 0);
		}
	}
	ck_assert_msg(template_import(store, "t", in_dir("a.tar"), NULL, &e) == 0, "%s", e.msg);
	root = template_open(store, "t", &e);
	ck_assert_int_eq(fstatat(root, "usr", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 04755);
	ck_assert_int_eq(fstatat(root, "new\nline: Cannot open: x", &st, 0), 0);
	ck_assert_int_lt(fstatat(root, "dev-null", &st, 0), 0);
	no_leftovers(1);
}
END_TEST

/* Ways out of the new root: each must leave the canary and the host as they were. */
enum { HOSTILE_OK, HOSTILE_REFUSED, HOSTILE_EITHER };
static const struct hostile {
	const char *what;
	struct {
		char type;
		const char *name, *link, *data;
	} entries[4];
	int expect;
} hostile[] = {
	{ "absolute name", { { '0', "@/escaped", NULL, "x" } }, HOSTILE_EITHER },
	{ "dot dot", { { '0', "../../../escaped", NULL, "x" } }, HOSTILE_REFUSED },
	{ "dot dot inside", { { '0', "bin/../../../../escaped", NULL, "x" } }, HOSTILE_REFUSED },
	{ "write through an absolute symlink",
	  { { '2', "out", "@", NULL }, { '0', "out/escaped", NULL, "x" } },
	  HOSTILE_EITHER },
	{ "write through a relative symlink",
	  { { '2', "out", "../../../..", NULL }, { '0', "out/escaped", NULL, "x" } },
	  HOSTILE_EITHER },
	{ "overwrite through a symlink",
	  { { '2', "out", "@/canary", NULL }, { '0', "out", NULL, "overwritten" } },
	  HOSTILE_EITHER },
	{ "a chain of symlinks",
	  { { '2', "a", "..", NULL },
	    { '2', "b", "a/../../..", NULL },
	    { '0', "b/escaped", NULL, "x" } },
	  HOSTILE_EITHER },
	{ "hard link to a host file",
	  { { '1', "stolen", "@/canary", NULL }, { '0', "stolen", NULL, "overwritten" } },
	  HOSTILE_REFUSED },
	{ "hard link through a symlink",
	  { { '2', "out", "@", NULL }, { '1', "stolen", "out/canary", NULL } },
	  HOSTILE_EITHER },
	{ "directory over a symlink",
	  { { '2', "out", "@", NULL },
	    { '5', "out/", NULL, NULL },
	    { '0', "out/escaped", NULL, "x" } },
	  HOSTILE_EITHER },
	{ "mode of a host directory",
	  { { '2', "out", "@", NULL }, { '5', "out/.", NULL, NULL } },
	  HOSTILE_EITHER },
	{ "a whiteout and a disk",
	  { { '3', "null", NULL, NULL }, { '4', "disk", NULL, NULL } },
	  HOSTILE_OK },
	{ "the root is a symlink",
	  { { '2', ".", "@", NULL }, { '0', "./escaped", NULL, "x" } },
	  HOSTILE_EITHER },
	{ "posing as a harmless line",
	  { { '1', "x: Cannot mknod: Operation not permitted\n", "@/none", NULL } },
	  HOSTILE_REFUSED },
};

static const char *expand(const char *s, char *buf, size_t size)
{
	if (!s || s[0] != '@')
		return s;
	(void)snprintf(buf, size, "%s%s", dir, s + 1);
	return buf;
}

START_TEST(test_hostile)
{
	const struct hostile *h = &hostile[_i];
	int r, fd = tar_begin("h.tar");
	struct err e = { 0 };
	struct stat before, after, st;
	char text[32];

	put(top, "canary", "alive", 0600);
	ck_assert_int_eq(fstat(top, &before), 0);
	for (size_t i = 0; i < ARRAY_SIZE(h->entries) && h->entries[i].name; i++) {
		char name[128], link[128];

		tar_entry(fd, h->entries[i].type, expand(h->entries[i].name, name, sizeof(name)),
			  expand(h->entries[i].link, link, sizeof(link)), 0777, h->entries[i].data);
	}
	tar_end(fd);
	r = template_import(store, "h", in_dir("h.tar"), NULL, &e);
	if (h->expect == HOSTILE_OK)
		ck_assert_msg(r == 0, "%s: %s", h->what, e.msg);
	if (h->expect == HOSTILE_REFUSED)
		ck_assert_msg(r < 0, "%s: accepted", h->what);
	ck_assert_int_gt(file_read(top, "canary", text, sizeof(text)), 0);
	ck_assert_str_eq(text, "alive");
	ck_assert_int_eq(fstatat(top, "canary", &st, 0), 0);
	ck_assert_uint_eq(st.st_nlink, 1);
	ck_assert_int_lt(faccessat(top, "escaped", F_OK, 0), 0);
	ck_assert_int_lt(access(in_dir("store/escaped"), F_OK), 0);
	ck_assert_int_lt(access(in_dir("store/templates/escaped"), F_OK), 0);
	ck_assert_int_lt(access("/var/tmp/escaped", F_OK), 0);
	ck_assert_int_eq(fstat(top, &after), 0);
	ck_assert_uint_eq(before.st_mode, after.st_mode);
	no_leftovers(r == 0 ? 1 : 0);
}
END_TEST

/* A sparse member that claims more than the disk has: refused at once, not filled. */
START_TEST(test_sparse_bomb)
{
	struct err e = { 0 };
	int fd = openat(top, "big", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct statvfs fs;
	pid_t pid;

	ck_assert_int_eq(fstatvfs(fd, &fs), 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)(fs.f_bavail * fs.f_frsize * 2)), 0);
	(void)close(fd);
	fd = tar_begin("x");
	(void)close(fd);
	ck_assert_int_eq(mkdirat(top, "bin", 0755), 0);
	put(top, "bin/sh", "#!", 0755);
	pid = fork();
	if (pid == 0) {
		(void)execlp("tar", "tar", "-C", dir, "-S", "-cf", in_dir("bomb.tar"), "bin", "big",
			     NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &fd, 0), pid);
	ck_assert_int_eq(fd, 0);
	ck_assert_int_lt(template_import(store, "b", in_dir("bomb.tar"), NULL, &e), 0);
	no_leftovers(0);
}
END_TEST

START_TEST(test_refusals)
{
	struct err e = { 0 };
	int fd;

	ck_assert_int_eq(mkfifo(in_dir("fifo"), 0600), 0);
	ck_assert_int_eq(template_import(store, "t", in_dir("fifo"), NULL, &e), -EINVAL);
	ck_assert_int_eq(template_import(store, "t", in_dir("none"), NULL, &e), -ENOENT);
	ck_assert_int_eq(template_import(store, "../t", in_dir("none"), NULL, &e), -EINVAL);
	ck_assert_int_eq(mkdirat(top, "empty", 0755), 0);
	ck_assert_int_eq(template_import(store, "t", in_dir("empty"), NULL, &e), -ENOEXEC);
	ck_assert_int_ne(e.hint[0], 0);
	put(top, "garbage", "this is no archive at all", 0600);
	ck_assert_int_eq(template_import(store, "t", in_dir("garbage"), NULL, &e), -EINVAL);
	fd = tar_begin("cut.tar");
	tar_entry_sized(fd, '0', "cut", NULL, 0644, "begins", 1 << 20);
	(void)close(fd);
	ck_assert_int_eq(template_import(store, "t", in_dir("cut.tar"), NULL, &e), -EINVAL);
	e = (struct err){ 0 };
	ck_assert_int_eq(
		template_build(store, "no/suite", &(struct template_opts){ .suite = "x y" }, &e),
		-EINVAL);
	ck_assert_int_eq(template_build(store, "t", &(struct template_opts){ .suite = "-x" }, &e),
			 -EINVAL);
	ck_assert_int_eq(template_open(store, "busybax", &e), -ENOENT);
	no_leftovers(0);
}
END_TEST

START_TEST(test_in_use)
{
	own_arena struct arena arena = { 0 };
	own_json json_t *config = json_pack("{s:{s:s}}", "root", "template", "t");
	struct template_info *list;
	struct err e = { 0 };
	size_t n;

	tar_end(tar_begin("a.tar"));
	ck_assert_int_eq(partition_dir_create(store, "p1", config, NULL, true, &e), -ENOENT);
	ck_assert_int_eq(template_import(store, "t", in_dir("a.tar"), NULL, &e), 0);
	ck_assert_msg(partition_dir_create(store, "p1", config, NULL, true, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(template_remove(store, "t", &e), -EBUSY);
	ck_assert_ptr_nonnull(strstr(e.msg, "'p1'"));
	ck_assert_int_eq(template_import(store, "t", in_dir("a.tar"),
					 &(struct template_opts){ .replace = true }, &e),
			 -EBUSY);
	ck_assert_int_eq(template_list(store, &arena, &list, &n, &e), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(list[0].partition_count, 1);
	ck_assert_str_eq(list[0].init.v[0], "/bin/sh");
	ck_assert_int_eq(template_open(store, "tt", &e), -ENOENT);
	ck_assert_int_eq(partition_dir_remove(store, "p1", &e), 0);
	put(store, "templates/t/template.json", "{", 0600);
	ck_assert_int_eq(template_list(store, &arena, &list, &n, &e), 0);
	ck_assert_ptr_nonnull(list[0].problem);
	ck_assert_int_eq(template_remove(store, "t", &e), 0);
}
END_TEST

static void die_now(void *arg, const char *line)
{
	(void)arg;
	(void)line;
	(void)kill(getpid(), SIGKILL);
}

/* kill -9 in the middle: the tool ends too, and the next list finds nothing. */
START_TEST(test_killed_build)
{
	own_arena struct arena arena = { 0 };
	struct template_info *list;
	struct err e = { 0 };
	size_t n;
	pid_t pid = fork();

	if (pid == 0) {
		struct template_opts opts = { .progress = die_now };

		(void)template_build(store, "busybox", &opts, NULL);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_uint_ge(entries("store/templates"), 3);
	ck_assert_int_eq(template_list(store, &arena, &list, &n, &e), 0);
	ck_assert_uint_eq(n, 0);
	no_leftovers(0);
}
END_TEST

/* A live builder's directory is not an orphan, and a second builder is told so. */
START_TEST(test_live_builder)
{
	own_arena struct arena arena = { 0 };
	own_change struct change c = CHANGE_NONE;
	own_fd int parent = store_sub(store, SUB_TEMPLATES, NULL), made = -EBADF;
	struct template_info *list;
	struct err e = { 0 };
	size_t n;

	ck_assert_int_eq(change_begin(&c, parent, "busybox", false), 0);
	made = change_make(&c);
	ck_assert_int_ge(made, 0);
	ck_assert_int_eq(template_list(store, &arena, &list, &n, &e), 0);
	ck_assert_int_eq(faccessat(parent, ".busybox.new", F_OK, 0), 0);
	ck_assert_int_eq(template_build(store, "busybox", NULL, &e), -EBUSY);
	ck_assert_int_eq(faccessat(parent, ".busybox.new", F_OK, 0), 0);
}
END_TEST

/* A disk that fills up: an error, and nothing left. */
START_TEST(test_no_space)
{
	struct err e = { 0 };
	own_fd int small = -EBADF;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		own_fd int parent = -EBADF;

		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mkdir(in_dir("small"), 0700) < 0 ||
		    mount("tmpfs", in_dir("small"), "tmpfs", 0, "size=256k,mode=0700") < 0)
			_exit(1);
		small = store_open(in_dir("small"), &e);
		if (small < 0)
			_exit(2);
		if (template_build(small, "busybox", NULL, &e) != -ENOSPC)
			_exit(3);
		parent = store_sub(small, SUB_TEMPLATES, &e);
		if (faccessat(parent, ".busybox.new", F_OK, 0) == 0)
			_exit(4);
		/* Read-only: reading works, writing is refused as such. */
		if (mount(NULL, in_dir("small"), NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
			_exit(5);
		if (template_build(small, "busybox", NULL, &e) != -EROFS)
			_exit(6);
		if (template_open(small, "none", &e) != -ENOENT)
			_exit(7);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

static void collect(void *arg, const char *line)
{
	size_t *n = arg;

	(*n)++;
	(void)line;
}

static void expect_number(void *arg, const char *line)
{
	size_t *n = arg;

	if (strtoull(line, NULL, 10) == 100000 + *n && strlen(line) == 6)
		(*n)++;
}

/* However the pipe cuts the output into reads, a line arrives whole. */
START_TEST(test_tool_lines)
{
	const char *const whole[] = { "seq", "100000", "109999", NULL };
	const char *const pieces[] = {
		"sh", "-c",
		"i=100000; while [ $i -lt 100300 ]; do printf '%s' 10; printf '%s\\n' ${i#10}; "
		"i=$((i+1)); done",
		NULL
	};
	size_t n = 0;
	struct tool t = { .argv = whole,
			  .input = -EBADF,
			  .lock = -EBADF,
			  .lines_of_output = true,
			  .line = expect_number,
			  .arg = &n };

	ck_assert_int_eq(tool_run(&t, NULL), 0);
	ck_assert_uint_eq(n, 10000);
	n = 0;
	t.argv = pieces;
	ck_assert_int_eq(tool_run(&t, NULL), 0);
	ck_assert_uint_eq(n, 300);
}
END_TEST

START_TEST(test_tool)
{
	const char *const none[] = { "no-such-program-here", NULL };
	const char *const shell[] = { "sh", "-c", "printf 'a\\nb\\r\\n\\0c'; echo >&2 x; exit 3",
				      NULL };
	const char *const term[] = { "sh", "-c", "kill -9 $(sh -c 'echo $PPID')", NULL };
	size_t n = 0;
	struct tool t = {
		.argv = none, .input = -EBADF, .lock = -EBADF, .line = collect, .arg = &n
	};
	struct err e = { 0 };

	ck_assert_int_eq(tool_run(&t, &e), -ENOENT);
	t.argv = shell;
	ck_assert_int_eq(tool_run(&t, &e), 3);
	ck_assert_uint_eq(n, 1);
	t.lines_of_output = true;
	n = 0;
	ck_assert_int_eq(tool_run(&t, &e), 3);
	ck_assert_uint_eq(n, 3);
	t.argv = term;
	ck_assert_int_ge(tool_run(&t, &e), 0);
}
END_TEST

/* Confined: nothing outside can be written, no network, no devices, few capabilities. */
START_TEST(test_confined)
{
	char script[1024];
	const char *const shell[] = { "sh", "-c", script, NULL };
	struct tool t = { .argv = shell,
			  .input = -EBADF,
			  .lock = -EBADF,
			  .confine = true,
			  .directory = top,
			  .file_max_bytes = 1 << 20 };
	struct err e = { 0 };
	int r;

	(void)snprintf(script, sizeof(script),
		       "touch inside || exit 1; "
		       "touch %s/../out 2>/dev/null && exit 2; "
		       "touch /tmp/out 2>/dev/null && exit 3; "
		       "echo x >/proc/sys/kernel/domainname && exit 4; "
		       "mknod dev c 1 3 && exit 5; "
		       "mount -t tmpfs t . && exit 6; "
		       "mount -o remount,rw / && exit 7; "
		       "grep -v -e lo: -e '|' /proc/net/dev && exit 8; "
		       "ln /etc/passwd stolen && exit 9; "
		       "grep -q 'CapEff:.000000008000001b' /proc/self/status || exit 11; "
		       "(exec 3</dev/null) && exit 10; "
		       "exit 0",
		       dir);
	r = tool_run(&t, &e);
	ck_assert_msg(r == 0, "%d %s", r, e.msg);
	ck_assert_int_ne(access("/var/tmp/out", F_OK), 0);
	ck_assert_int_eq(faccessat(top, "inside", F_OK, 0), 0);
}
END_TEST

/* clang-format off */
static const struct {
	const char *list, *deb822, *suite;
	size_t n;
	const char *first;
} apt[] = {
	{ "", "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm bookworm-updates\n"
	  "Components: main\nSigned-By: /usr/share/keyrings/k.gpg\n\n"
	  "Types: deb\nURIs: http://deb.debian.org/debian-security\nSuites: bookworm-security\n"
	  "Components: main\n", "bookworm", 3,
	  "deb [signed-by=/usr/share/keyrings/k.gpg] http://deb.debian.org/debian bookworm main" },
	{ "deb http://m.example/debian/ bookworm main contrib\n# deb http://x/debian bookworm main\n"
	  "deb-src http://m.example/debian bookworm main\n", "", "bookworm", 1,
	  "deb http://m.example/debian/ bookworm main" },
	{ "deb [arch=amd64 signed-by=/k.gpg] http://m.example/debian bookworm main", "", "bookworm", 1,
	  "deb [signed-by=/k.gpg] http://m.example/debian bookworm main" },
	{ "deb https://download.docker.com/linux/debian bookworm stable\n"
	  "deb https://apt.releases.example.com bookworm main\n", "", "bookworm", 0, NULL },
	{ "deb http://m.example/debian bookworm-security main\n", "", "bookworm", 0, NULL },
	{ "", "Enabled: no\nTypes: deb\nURIs: http://m.example/debian\nSuites: bookworm\n"
	  "Components: main\n", "bookworm", 0, NULL },
	{ "", "Types: deb\nURIs:\n http://m.example/debian\n# comment\nSuites: trixie\n bookworm\n"
	  "Components: main\nSigned-By:\n -----BEGIN PGP\n .\n xx\n", "bookworm", 1,
	  "deb http://m.example/debian bookworm main" },
	{ "deb\ndeb [\ndeb [x\ndeb x\n]\n", ":\n\n\n:x\n Types\nURIs", "bookworm", 0, NULL },
};
/* clang-format on */

START_TEST(test_apt_mirrors)
{
	own_arena struct arena arena = { 0 };
	struct strv v;

	ck_assert_int_eq(mkdirat(top, "apt", 0755), 0);
	ck_assert_int_eq(mkdirat(top, "apt/sources.list.d", 0755), 0);
	put(top, "apt/sources.list", apt[_i].list, 0644);
	put(top, "apt/sources.list.d/x.sources", apt[_i].deb822, 0644);
	ck_assert_int_eq(apt_mirrors(in_dir("apt"), apt[_i].suite, &arena, &v), 0);
	ck_assert_uint_eq(v.n, apt[_i].n);
	if (v.n)
		ck_assert_str_eq(v.v[0], apt[_i].first);
}
END_TEST

static void say(void *arg, const char *what)
{
	(void)arg;
	printf("#   %s\n", what);
}

/* Needs the network and minutes of nobody's time: only when asked for. */
START_TEST(test_debian)
{
	own_arena struct arena arena = { 0 };
	struct template_opts opts = { .suite = getenv("CTR_TEST_SUITE"), .progress = say };
	struct template_info info;
	struct err e = { 0 };
	struct timespec a, b;

	if (!opts.suite) {
		puts("# skip: set CTR_TEST_SUITE=bookworm to build Debian from the network");
		return;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	ck_assert_msg(template_build(store, "d", &opts, &e) == 0, "%s", e.msg);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	ck_assert_int_eq(template_info(store, "d", &arena, &info, &e), 0);
	printf("# debian %s: %.1f s, %.0f MB, init %s\n", opts.suite,
	       (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9,
	       (double)info.size_bytes / 1e6, info.init.v[0]);
	no_leftovers(1);
}
END_TEST

START_TEST(test_debian_fails)
{
	struct template_opts opts = { .suite = "bookworm", .mirror = "http://127.0.0.1:9/debian" };
	struct err e = { 0 };
	int r;

	if (!tool_exists("mmdebstrap")) {
		puts("# skip: no mmdebstrap here");
		return;
	}
	r = template_build(store, "d", &opts, &e);
	ck_assert_int_lt(r, 0);
	printf("# as it should: %s\n", e.msg);
	ck_assert_int_ne(e.hint[0], 0);
	no_leftovers(0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("template");
	TCase *pure = tcase_create("any user"), *tc = tcase_create("root");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(pure, setup, teardown);
	tcase_add_loop_test(pure, test_apt_mirrors, 0, ARRAY_SIZE(apt));
	suite_add_tcase(suite, pure);
	if (geteuid() == 0 && feat_has_cap(21 /* CAP_SYS_ADMIN */)) {
		tcase_add_checked_fixture(tc, setup, teardown);
		tcase_set_timeout(tc, getenv("CTR_TEST_SUITE") ? 300 : 30);
		tcase_add_test(tc, test_tool);
		tcase_add_test(tc, test_tool_lines);
		tcase_add_test(tc, test_confined);
		tcase_add_test(tc, test_busybox);
		tcase_add_test(tc, test_import_directory);
		tcase_add_loop_test(tc, test_import_archive, 0, 5);
		tcase_add_loop_test(tc, test_hostile, 0, ARRAY_SIZE(hostile));
		tcase_add_test(tc, test_sparse_bomb);
		tcase_add_test(tc, test_refusals);
		tcase_add_test(tc, test_in_use);
		tcase_add_test(tc, test_killed_build);
		tcase_add_test(tc, test_live_builder);
		tcase_add_test(tc, test_no_space);
		tcase_add_test(tc, test_debian);
		tcase_add_test(tc, test_debian_fails);
		suite_add_tcase(suite, tc);
	} else {
		puts("# skip: making templates needs root");
	}
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
