/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The busybox template: one static file from the host, links to it, and the files below.
 *
 * DOC: what a partition of it does
 * busybox init runs as PID 1: rcS once, then a system log daemon, and waits. No shell or login
 * runs on the console: `ctr exec ID sh` gives one when it is wanted, and an idle partition costs
 * two small processes. Nothing is mounted here, the runtime has done so.
 */
#include "runtime/storage/store_internal.h"

#include "base/fd.h"
#include "runtime/storage/tool_internal.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

static const char busybox[] = "/bin/busybox";

/* clang-format off */
static const struct {
	const char *path;
	mode_t mode;
} dirs[] = {
	{ "bin", 0755 },            { "sbin", 0755 },       { "usr", 0755 },
	{ "usr/bin", 0755 },        { "usr/sbin", 0755 },   { "etc", 0755 },
	{ "etc/init.d", 0755 },     { "proc", 0555 },       { "sys", 0555 },
	{ "dev", 0755 },            { "run", 0755 },        { "tmp", 01777 },
	{ "var", 0755 },            { "var/log", 0755 },    { "var/tmp", 01777 },
	{ "var/spool", 0755 },      { "var/spool/cron", 0755 },
	{ "var/spool/cron/crontabs", 0700 },                { "root", 0700 },
	{ "home", 0755 },           { "mnt", 0755 },        { "srv", 0755 },
	{ "opt", 0755 },
};

static const struct {
	const char *path;
	mode_t mode;
	const char *text;
} files[] = {
	{ "etc/passwd", 0644,
	  "root:x:0:0:root:/root:/bin/sh\n"
	  "daemon:x:1:1:daemon:/:/bin/false\n"
	  "nobody:x:65534:65534:nobody:/:/bin/false\n" },
	{ "etc/shadow", 0600, /* "*": no password opens it, and `ctr exec` needs none */
	  "root:*:::::::\n"
	  "daemon:*:::::::\n"
	  "nobody:*:::::::\n" },
	{ "etc/group", 0644,
	  "root:x:0:\n"
	  "daemon:x:1:\n"
	  "tty:x:5:\n"
	  "nogroup:x:65534:\n" },
	{ "etc/hosts", 0644,
	  "127.0.0.1\tlocalhost\n"
	  "::1\tlocalhost ip6-localhost ip6-loopback\n" },
	{ "etc/hostname", 0644, "localhost\n" },
	{ "etc/resolv.conf", 0644, "" },
	{ "etc/nsswitch.conf", 0644,
	  "passwd: files\n"
	  "group: files\n"
	  "hosts: files dns\n" },
	{ "etc/fstab", 0644, "# The runtime mounts everything.\n" },
	{ "etc/shells", 0644, "/bin/sh\n/bin/ash\n" },
	{ "etc/profile", 0644,
	  "export PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
	  "export PS1='\\u@\\h:\\w\\$ '\n" },
	{ "etc/os-release", 0644,
	  "ID=busybox\n"
	  "NAME=BusyBox\n"
	  "PRETTY_NAME=\"BusyBox (static)\"\n" },
	{ "etc/inittab", 0644,
	  "::sysinit:/etc/init.d/rcS\n"
	  "::respawn:/sbin/syslogd -n -C64\n"
	  "::ctrlaltdel:/sbin/reboot\n"
	  "::shutdown:/etc/init.d/rcK\n" },
	{ "etc/init.d/rcS", 0755,
	  "#!/bin/sh\n"
	  "# Start what is in /etc/init.d, in the order of its numbers.\n"
	  "for s in /etc/init.d/S[0-9][0-9]*; do\n"
	  "\t[ -x \"$s\" ] && \"$s\" start\n"
	  "done\n" },
	{ "etc/init.d/rcK", 0755,
	  "#!/bin/sh\n"
	  "# Stop it in reverse order.\n"
	  "for s in $(ls -r /etc/init.d/S[0-9][0-9]* 2>/dev/null); do\n"
	  "\t[ -x \"$s\" ] && \"$s\" stop\n"
	  "done\n" },
};
/* clang-format on */

/* A program that names an interpreter is dynamic: without its libraries nothing would run. */
static int is_static(int fd)
{
	Elf64_Ehdr head;
	Elf64_Phdr segment;

	if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64)
		return -ENOEXEC;
	for (unsigned int i = 0; i < head.e_phnum; i++) {
		if (pread(fd, &segment, sizeof(segment),
			  (off_t)(head.e_phoff + (uint64_t)i * head.e_phentsize)) !=
		    (ssize_t)sizeof(segment))
			return -ENOEXEC;
		if (segment.p_type == PT_INTERP)
			return 0;
	}
	return 1;
}

static int need_static(int code, struct err *e, const char *problem)
{
	(void)err_say(e, code, "%s %s", busybox, problem);
	err_hint(e, "apt-get install busybox-static");
	return code;
}

static int copy_busybox(int root, struct err *e)
{
	own_fd int from = open(busybox, O_RDONLY | O_CLOEXEC), to = -EBADF;
	struct stat st;
	ssize_t n = 1;
	int r;

	if (from < 0)
		return errno == ENOENT ? need_static(-ENOENT, e, "is not installed")
				       : err_set(e, -errno, "open '%s'", busybox);
	r = is_static(from);
	if (r <= 0)
		return need_static(-ENOEXEC, e,
				   r < 0 ? "is not a 64-bit ELF program"
					 : "is dynamically linked; a static one is needed");
	to = openat(root, "bin/busybox", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (to < 0 || fchmod(to, 0755) < 0 || fstat(from, &st) < 0)
		return err_set(e, -errno, "make bin/busybox");
	for (off_t left = st.st_size; n > 0 && left > 0; left -= n)
		n = TEMP_FAILURE_RETRY(sendfile(to, from, NULL, (size_t)left));
	return n < 0 ? err_set(e, -errno, "copy '%s'", busybox) : 0;
}

static int make_tree(int root, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdirat(root, dirs[i].path, 0700) < 0 ||
		    fchmodat(root, dirs[i].path, dirs[i].mode, 0) < 0)
			return err_set(e, -errno, "make '%s'", dirs[i].path);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		own_fd int fd =
			openat(root, files[i].path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		int r;

		if (fd < 0 || fchmod(fd, files[i].mode) < 0)
			return err_set(e, -errno, "make '%s'", files[i].path);
		r = fd_write_all(fd, files[i].text, strlen(files[i].text));
		if (r < 0)
			return err_set(e, r, "write '%s'", files[i].path);
	}
	return 0;
}

struct applets {
	int root, error;
	size_t count;
};

/* @path as `busybox --list-full` says it: "usr/bin/awk", which becomes "../../bin/busybox". */
static void link_applet(void *arg, const char *path)
{
	struct applets *a = arg;
	char target[64] = "";
	size_t len = 0;

	for (const char *p = path; (p = strchr(p, '/')) && len < sizeof(target) - 16; p++)
		len += (size_t)snprintf(target + len, sizeof(target) - len, "../");
	(void)snprintf(target + len, sizeof(target) - len, "bin/busybox");
	if (symlinkat(target, a->root, path) == 0)
		a->count++;
	else if (errno != EEXIST && errno != ENOENT && !a->error) /* ENOENT: an odd directory */
		a->error = -errno;
}

int template_fill_busybox(struct template_job *job, struct err *e)
{
	const char *const argv[] = { busybox, "--list-full", NULL };
	struct applets applets = { .root = job->root };
	const struct tool list = { .argv = argv,
				   .input = -EBADF,
				   .lock = job->lock,
				   .lines_of_output = true,
				   .line = link_applet,
				   .arg = &applets };
	int r;

	(void)snprintf(job->source, sizeof(job->source), "busybox");
	r = make_tree(job->root, e);
	if (r == 0)
		r = copy_busybox(job->root, e);
	if (r < 0)
		return r;
	r = tool_run(&list, e);
	if (r < 0)
		return r;
	if (applets.error < 0)
		return err_set(e, applets.error, "link the programs of busybox");
	if (r > 0 || !applets.count)
		return err_say(e, -ENOEXEC, "'%s --list-full' failed with status %d", busybox, r);
	template_say(job->opts, "%zu programs in %s", applets.count, busybox);
	return 0;
}
