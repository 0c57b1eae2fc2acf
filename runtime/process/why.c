/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the head of an executable to explain why the kernel refused it. */
#include "runtime/process/why.h"

#include "base/fd.h"
#include "base/own.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#if defined(__x86_64__)
enum { OWN_MACHINE = EM_X86_64, COMPAT_MACHINE = EM_386 };
#elif defined(__aarch64__)
enum { OWN_MACHINE = EM_AARCH64, COMPAT_MACHINE = EM_ARM };
#else
enum { OWN_MACHINE = EM_NONE, COMPAT_MACHINE = EM_NONE };
#endif

static int why_script(const char *path, char *head, int code, struct err *e)
{
	char *name = head + 2 + strspn(head + 2, " \t"), *end = name + strcspn(name, " \t\r\n");
	bool dos = *end == '\r';

	*end = '\0';
	if (!*name && !dos) {
		err_set(e, code, "exec '%s'", path);
		err_hint(e, "its '#!' line names no interpreter");
		return code;
	}
	if (dos) {
		err_say(e, code,
			"exec '%s': its first line ends in CR LF, so the interpreter would be "
			"'%s\\r'",
			path, name);
		err_hint(e, "convert the script to Unix line ends");
		return code;
	}
	return err_set(e, code, "exec '%s': its interpreter '%s'", path, name);
}

/* The loader that a dynamic binary names (PT_INTERP); empty when it is static or unreadable. */
static void read_loader(int fd, const Elf64_Ehdr *head, char *ret, size_t size)
{
	ret[0] = '\0';
	for (unsigned int i = 0; i < head->e_phnum && i < 64; i++) {
		Elf64_Phdr p;

		if (pread(fd, &p, sizeof(p), (off_t)(head->e_phoff + i * sizeof(p))) != sizeof(p))
			return;
		if (p.p_type != PT_INTERP || p.p_filesz >= size)
			continue;
		if (pread(fd, ret, p.p_filesz, (off_t)p.p_offset) != (ssize_t)p.p_filesz)
			ret[0] = '\0';
		else
			ret[p.p_filesz] = '\0';
		return;
	}
}

static int why_elf(const char *path, int fd, const Elf64_Ehdr *head, int code, struct err *e)
{
	char loader[256];

	if (OWN_MACHINE != EM_NONE && head->e_machine != OWN_MACHINE &&
	    head->e_machine != COMPAT_MACHINE) {
		err_set(e, code,
			"exec '%s': it is for another architecture (ELF machine %u, this host is "
			"%u)",
			path, head->e_machine, (unsigned int)OWN_MACHINE);
		return code;
	}
	if (head->e_ident[EI_CLASS] != ELFCLASS64)
		return err_set(e, code, "exec '%s': a 32-bit binary, or its loader", path);
	read_loader(fd, head, loader, sizeof(loader));
	if (loader[0] && access(loader, X_OK) < 0) {
		err_set(e, code, "exec '%s': its loader '%s'", path, loader);
		err_hint(e, "the root lacks the C library that this binary needs");
		return code;
	}
	return err_set(e, code, "exec '%s'", path);
}

int why_exec(const char *path, int code, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	union {
		Elf64_Ehdr elf;
		char text[256];
	} head = { .text = "" };
	struct statvfs fs;
	struct stat st;
	ssize_t n;

	if (code == -EACCES && statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOEXEC))
		return err_say(e, code, "exec '%s': permission denied: its mount is noexec", path);
	if (stat(path, &st) < 0)
		return err_set(e, code, "exec '%s'", path);
	if (S_ISDIR(st.st_mode))
		return err_say(e, code, "exec '%s': is a directory", path);
	/* Before a look inside: of a script, EACCES may be the interpreter's as well. */
	if (code == -EACCES && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0) {
		err_set(e, code, "exec '%s'", path);
		err_hint(e, "its mode is %04o", (unsigned int)(st.st_mode & 07777));
		return code;
	}
	if (fd < 0)
		return err_set(e, code, "exec '%s'", path);
	n = fd_read_all(fd, head.text, sizeof(head.text) - 1);
	if (n >= 2 && memcmp(head.text, "#!", 2) == 0)
		return why_script(path, head.text, code, e);
	if (n >= (ssize_t)sizeof(Elf64_Ehdr) && memcmp(head.text, ELFMAG, SELFMAG) == 0)
		return why_elf(path, fd, &head.elf, code, e);
	err_set(e, code, "exec '%s'", path);
	if (code == -ENOEXEC)
		err_hint(e, n == 0 ? "the file is empty"
				   : "it is neither a binary nor a script with a '#!' line");
	return code;
}
