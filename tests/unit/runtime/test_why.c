/* SPDX-License-Identifier: Apache-2.0 */
/* Why execve(2) failed, of files that it does refuse. */
#include "runtime/process/why.h"

#include "base/feat.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char top[64];

static void setup(void)
{
	(void)strcpy(top, "/var/tmp/ctr-test-why-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	ck_assert_int_eq(chdir(top), 0);
}

static void teardown(void)
{
	ck_assert_int_eq(file_remove_tree(AT_FDCWD, top), 0);
}

static void make(const char *name, const void *content, size_t len, mode_t mode)
{
	ck_assert_int_eq(file_replace(AT_FDCWD, name, content, len, 0600, FILE_NOSYNC), 0);
	ck_assert_int_eq(chmod(name, mode), 0);
}

/* The errno of executing @name, in a child so that nothing of ours is replaced if it works. */
static int exec_code(const char *name)
{
	char *argv[] = { (char *)(uintptr_t)name, NULL };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		(void)execve(name, argv, argv + 1);
		_exit(errno);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

/* clang-format off */
static const struct {
	const char *content; /* NULL: a directory */
	mode_t mode;
	int code;
	const char *msg, *hint;
} files[] = {
	{ "#!/no/such/sh\n",	   0755, -ENOENT,  "exec f: no such file or directory: its interpreter '/no/such/sh' is not there", "install it in the container's root, or name another one" },
	{ "#! \t/no/sh -e x\n",	   0755, -ENOENT,  "exec f: no such file or directory: its interpreter '/no/sh' is not there", "install it in the container's root, or name another one" },
	{ "#!/bin/sh\r\necho\r\n", 0755, -ENOENT,  "exec f: no such file or directory: its first line ends in CR LF, so the interpreter would be '/bin/sh\\r'", "convert the script to Unix line ends" },
	{ "#!/etc/passwd\n",	   0755, -EACCES,  "exec f: permission denied: it is the interpreter '/etc/passwd' that cannot be executed", "" },
	{ "#!\n",		   0755, -ENOEXEC, "exec f: exec format error: its '#!' line names no interpreter", "" },
	{ "",			   0755, -ENOEXEC, "exec f: exec format error: the file is empty", "" },
	{ "echo hello\n",	   0755, -ENOEXEC, "exec f: exec format error: it is neither a binary nor a script with a '#!' line", "" },
	{ "\x7f" "ELF",		   0755, -ENOEXEC, "exec f: exec format error: it is neither a binary nor a script with a '#!' line", "" },
	{ "#!/bin/sh\n",	   0644, -EACCES,  "exec f: permission denied: its mode is 0644", "chmod +x" },
	{ "x",			   0000, -EACCES,  "exec f: permission denied: its mode is 0000", "chmod +x" },
	{ NULL,			   0755, -EACCES,  "exec f: is a directory", "" },
};
/* clang-format on */

START_TEST(test_files)
{
	struct err e = { 0 };

	if (files[_i].content)
		make("f", files[_i].content, strlen(files[_i].content), files[_i].mode);
	else
		ck_assert_int_eq(mkdir("f", files[_i].mode), 0);
	ck_assert_int_eq(exec_code("f"), files[_i].code);
	ck_assert_int_eq(why_exec("f", files[_i].code, &e), files[_i].code);
	ck_assert_str_eq(e.msg, files[_i].msg);
	ck_assert_str_eq(e.hint, files[_i].hint);
	ck_assert_int_eq(e.code, files[_i].code);
}
END_TEST

struct program {
	Elf64_Ehdr head;
	Elf64_Phdr phdr;
	char loader[64];
};

static struct program program(uint16_t machine, const char *loader)
{
	struct program p = {
		.head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT },
			  .e_type = ET_EXEC,
			  .e_machine = machine,
			  .e_version = EV_CURRENT,
			  .e_phoff = offsetof(struct program, phdr),
			  .e_ehsize = sizeof(Elf64_Ehdr),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = 1 },
		.phdr = { .p_type = PT_INTERP,
			  .p_offset = offsetof(struct program, loader),
			  .p_filesz = strlen(loader) + 1 },
	};

	(void)strcpy(p.loader, loader);
	return p;
}

#if defined(__x86_64__)
enum { OURS = EM_X86_64, THEIRS = EM_AARCH64 };
#elif defined(__aarch64__)
enum { OURS = EM_AARCH64, THEIRS = EM_X86_64 };
#else
enum { OURS = EM_RISCV, THEIRS = EM_X86_64 };
#endif

START_TEST(test_missing_loader)
{
	struct program p = program(OURS, "/lib/ld-none.so.9");
	struct err e = { 0 };

	make("f", &p, sizeof(p), 0755);
	ck_assert_int_eq(exec_code("f"), -ENOENT);
	ck_assert_int_eq(why_exec("f", -ENOENT, &e), -ENOENT);
	ck_assert_str_eq(e.msg,
			 "exec f: no such file or directory: its loader '/lib/ld-none.so.9' is not "
			 "there");
	ck_assert_str_eq(e.hint, "the root lacks the C library that this binary needs");
}
END_TEST

#if defined(__x86_64__)
/* A dynamic binary of the other class. */
START_TEST(test_missing_loader_32)
{
	struct {
		Elf32_Ehdr head;
		Elf32_Phdr phdr;
		char loader[64];
	} p = {
		.head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB,
				       EV_CURRENT },
			  .e_type = ET_EXEC,
			  .e_machine = EM_386,
			  .e_version = EV_CURRENT,
			  .e_phoff = sizeof(Elf32_Ehdr),
			  .e_ehsize = sizeof(Elf32_Ehdr),
			  .e_phentsize = sizeof(Elf32_Phdr),
			  .e_phnum = 1 },
		.phdr = { .p_type = PT_INTERP,
			  .p_offset = sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr),
			  .p_filesz = 18 },
		.loader = "/lib/ld-none.so.2",
	};
	struct err e = { 0 };

	make("f", &p, sizeof(p), 0755);
	ck_assert_int_eq(why_exec("f", -ENOENT, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "its loader '/lib/ld-none.so.2' is not there"));
	ck_assert_ptr_nonnull(strstr(e.hint, "32-bit C library"));
}
END_TEST
#endif

START_TEST(test_busy_and_big)
{
	own_fd int fd = -EBADF;
	struct err e = { 0 };

	make("f", "#!/bin/sh\n", 10, 0755);
	fd = open("f", O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(exec_code("f"), -ETXTBSY);
	ck_assert_int_eq(why_exec("f", -ETXTBSY, &e), -ETXTBSY);
	ck_assert_ptr_nonnull(strstr(e.msg, "somebody has it open for writing"));
	ck_assert_int_eq(why_exec("f", -E2BIG, &e), -E2BIG);
	ck_assert_ptr_nonnull(strstr(e.msg, "arguments and environment are too many"));
}
END_TEST

START_TEST(test_other_architecture)
{
	struct program p = program(THEIRS, "/lib/ld.so");
	struct err e = { 0 };

	make("f", &p, sizeof(p), 0755);
	ck_assert_int_eq(exec_code("f"), -ENOEXEC);
	ck_assert_int_eq(why_exec("f", -ENOEXEC, &e), -ENOEXEC);
	ck_assert_ptr_nonnull(strstr(e.msg, "it is for another architecture (ELF machine"));
}
END_TEST

/* Headers that lie: no read beyond what is there, and an answer all the same. */
START_TEST(test_damaged_programs)
{
	struct program p = program(OURS, "/lib/ld.so");

	for (size_t i = 0; i < 12; i++) {
		struct program bad = p;
		struct err e = { 0 };

		if (i < 4)
			bad.head.e_phoff =
				(const uint64_t[]){ 0, 1 << 30, UINT64_MAX, INT64_MAX - 10 }[i];
		else if (i < 7)
			bad.phdr.p_filesz = (const uint64_t[]){ 0, 255, UINT64_MAX }[i - 4];
		else if (i < 9)
			bad.phdr.p_offset = (const uint64_t[]){ UINT64_MAX, 1 << 30 }[i - 7];
		else
			bad.head.e_phnum = (const uint16_t[]){ 0, 64, UINT16_MAX }[i - 9];
		make("f", &bad, sizeof(bad), 0755);
		ck_assert_int_eq(why_exec("f", -ENOEXEC, &e), -ENOEXEC);
		ck_assert_int_eq(strncmp(e.msg, "exec f: ", 8), 0);
	}
	for (size_t len = 0; len < sizeof(p); len++) {
		struct err e = { 0 };

		make("f", &p, len, 0755);
		ck_assert_int_eq(why_exec("f", -ENOEXEC, &e), -ENOEXEC);
		ck_assert_int_eq(strncmp(e.msg, "exec f: ", 8), 0);
	}
}
END_TEST

START_TEST(test_not_there)
{
	struct err e = { 0 };

	ck_assert_int_eq(why_exec("none", -ENOENT, &e), -ENOENT);
	ck_assert_str_eq(e.msg, "exec none: no such file or directory");
	ck_assert_int_eq(mkfifo("fifo", 0755), 0);
	ck_assert_int_eq(exec_code("fifo"), -EACCES);
	ck_assert_int_eq(why_exec("fifo", -EACCES, &e), -EACCES); /* and does not wait for it */
	ck_assert_int_eq(why_exec("none", -ENOENT, NULL), -ENOENT);
}
END_TEST

START_TEST(test_noexec)
{
	struct err e = { 0 };

	if (!feat_has_cap(CAP_SYS_ADMIN) || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		puts("# skip: a mount namespace needs root");
		return;
	}
	ck_assert_int_eq(mkdir("m", 0755), 0);
	ck_assert_int_eq(mount("tmpfs", "m", "tmpfs", MS_NOEXEC, NULL), 0);
	make("m/f", "#!/bin/sh\n", 10, 0755);
	ck_assert_int_eq(exec_code("m/f"), -EACCES);
	ck_assert_int_eq(why_exec("m/f", -EACCES, &e), -EACCES);
	ck_assert_str_eq(e.msg, "exec m/f: permission denied: its mount is noexec");
	ck_assert_int_eq(umount2("m", MNT_DETACH), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("why");
	TCase *tc = tcase_create("why");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_files, 0, (int)ARRAY_SIZE(files));
	tcase_add_test(tc, test_missing_loader);
#if defined(__x86_64__)
	tcase_add_test(tc, test_missing_loader_32);
#endif
	tcase_add_test(tc, test_busy_and_big);
	tcase_add_test(tc, test_other_architecture);
	tcase_add_test(tc, test_damaged_programs);
	tcase_add_test(tc, test_not_there);
	tcase_add_test(tc, test_noexec);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
