/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the head of an executable to explain why the kernel refused it. */
#include "runtime/process/why.h"

#include "base/fd.h"
#include "base/own.h"

#include <elf.h>
#include <fcntl.h>
#include <stdarg.h>
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

/* Callers of a runtime look for these words; strerror(3) of some of them is spelt otherwise. */
static const char *words_of(int code)
{
	switch (-code) {
	case ENOENT:
		return "no such file or directory";
	case EACCES:
		return "permission denied";
	case EPERM:
		return "operation not permitted";
	case ENOEXEC:
		return "exec format error";
	case EISDIR:
		return "is a directory";
	case ENOTDIR:
		return "not a directory";
	default:
		return strerror(-code);
	}
}

/* "exec PATH: WORDS", and what was found out; "" when nothing was. Return: @code. */
static int tell(struct err *e, int code, const char *path, const char *found)
{
	return err_say(e, code, "exec %s: %s%s%s", path, words_of(code), *found ? ": " : "", found);
}

static int tellf(struct err *e, int code, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static int tellf(struct err *e, int code, const char *path, const char *fmt, ...)
{
	char found[320];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(found, sizeof(found), fmt, args);
	va_end(args);
	return tell(e, code, path, found);
}

static int why_script(const char *path, char *head, int code, struct err *e)
{
	char *name = head + 2 + strspn(head + 2, " \t"), *end = name + strcspn(name, " \t\r\n");
	bool dos = *end == '\r';

	*end = '\0';
	if (dos) {
		tellf(e, code, path,
		      "its first line ends in CR LF, so the interpreter would be '%s\\r'", name);
		err_hint(e, "convert the script to Unix line ends");
	} else if (!*name) {
		tell(e, code, path, "its '#!' line names no interpreter");
	} else if (access(name, F_OK) < 0) {
		tellf(e, code, path, "its interpreter '%s' is not there", name);
		err_hint(e, "install it in the container's root, or name another one");
	} else {
		tellf(e, code, path, "it is the interpreter '%s' that cannot be executed", name);
	}
	return code;
}

/* The loader that a dynamic binary names (PT_INTERP); empty when it is static or unreadable. The
 * program headers of both classes begin with the type; only the fields behind it have moved. */
static void read_loader(int fd, const void *elf, char *ret, size_t size)
{
	const Elf64_Ehdr *head = elf;
	const Elf32_Ehdr *head32 = elf;
	bool wide = head->e_ident[EI_CLASS] == ELFCLASS64;
	uint64_t at = wide ? head->e_phoff : head32->e_phoff;
	unsigned int count = wide ? head->e_phnum : head32->e_phnum;

	ret[0] = '\0';
	for (unsigned int i = 0; i < count && i < 64; i++) {
		union {
			Elf64_Phdr wide;
			Elf32_Phdr narrow;
		} p;
		size_t each = wide ? sizeof(p.wide) : sizeof(p.narrow), len;
		uint64_t offset;

		if (pread(fd, &p, each, (off_t)(at + i * each)) != (ssize_t)each)
			return;
		len = wide ? p.wide.p_filesz : p.narrow.p_filesz;
		offset = wide ? p.wide.p_offset : p.narrow.p_offset;
		if ((wide ? p.wide.p_type : p.narrow.p_type) != PT_INTERP || len >= size)
			continue;
		ret[pread(fd, ret, len, (off_t)offset) == (ssize_t)len ? len : 0] = '\0';
		return;
	}
}

static int why_elf(const char *path, int fd, const Elf64_Ehdr *head, int code, struct err *e)
{
	bool narrow = head->e_ident[EI_CLASS] != ELFCLASS64;
	char loader[256];

	if (OWN_MACHINE != EM_NONE && head->e_machine != OWN_MACHINE &&
	    head->e_machine != COMPAT_MACHINE) {
		tellf(e, code, path,
		      "it is for another architecture (ELF machine %u, this host is %u)",
		      head->e_machine, (unsigned int)OWN_MACHINE);
		err_hint(e, "take an image for this host, or register an emulator in binfmt_misc");
		return code;
	}
	read_loader(fd, head, loader, sizeof(loader));
	if (loader[0] && access(loader, X_OK) < 0) {
		tellf(e, code, path, "its loader '%s' is not there", loader);
		err_hint(e, "the root lacks the %sC library that this binary needs",
			 narrow ? "32-bit " : "");
		return code;
	}
	return tell(e, code, path,
		    narrow && code == -ENOEXEC ? "it is a 32-bit binary, for which this kernel was "
						 "not built"
					       : "");
}

static int why_content(const char *path, int fd, int code, struct err *e)
{
	union {
		Elf64_Ehdr elf;
		char text[256];
	} head = { .text = "" };
	ssize_t n = fd_read_all(fd, head.text, sizeof(head.text) - 1);

	if (n >= 2 && memcmp(head.text, "#!", 2) == 0)
		return why_script(path, head.text, code, e);
	if (n >= (ssize_t)sizeof(Elf64_Ehdr) && memcmp(head.text, ELFMAG, SELFMAG) == 0)
		return why_elf(path, fd, &head.elf, code, e);
	if (code != -ENOEXEC)
		return tell(e, code, path, "");
	return tell(e, code, path,
		    n == 0 ? "the file is empty"
			   : "it is neither a binary nor a script with a '#!' line");
}

int why_exec(const char *path, int code, struct err *e)
{
	own_fd int fd = -EBADF;
	struct statvfs fs;
	struct stat st;

	if (stat(path, &st) < 0)
		return tell(e, code, path, "");
	if (S_ISDIR(st.st_mode))
		return err_say(e, code, "exec %s: is a directory", path);
	if (code == -EACCES && statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOEXEC)) {
		tell(e, code, path, "its mount is noexec");
		err_hint(e, "mount it with exec, or keep programs elsewhere");
		return code;
	}
	/* Before a look inside: of a script, EACCES may be the interpreter's as well. */
	if (code == -EACCES && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0) {
		tellf(e, code, path, "its mode is %04o", (unsigned int)(st.st_mode & 07777));
		if (!(st.st_mode & 0111))
			err_hint(e, "chmod +x");
		return code;
	}
	if (code == -ETXTBSY)
		return tell(e, code, path, "somebody has it open for writing");
	if (code == -E2BIG)
		return tell(e, code, path, "its arguments and environment are too many");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? tell(e, code, path, "") : why_content(path, fd, code, e);
}
