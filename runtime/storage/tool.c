/* SPDX-License-Identifier: Apache-2.0 */
/* Run one of the host's programs in namespaces of its own, confined where its input is hostile. */
#include "runtime/storage/tool_internal.h"

#include "base/fd.h"
#include "base/feat.h"
#include "base/own.h"
#include "base/sys.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { LINE_MAX_BYTES = 1024, ADDRESS_SPACE_MAX_GIB = 8 };

/* What it takes to write files of any owner and mode. Not CAP_MKNOD, not CAP_SYS_ADMIN: no
 * devices, no trusted.* attributes, which overlayfs would believe. */
static const unsigned char confined_caps[] = {
	CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_SETFCAP,
};

static int find(const char *name, char *buf, size_t size)
{
	if (name[0] == '/')
		return (size_t)snprintf(buf, size, "%s", name) < size ? 0 : -ENAMETOOLONG;
	for (const char *dir = TOOL_PATH; *dir;) {
		size_t len = strcspn(dir, ":");

		if ((size_t)snprintf(buf, size, "%.*s/%s", (int)len, dir, name) < size &&
		    access(buf, X_OK) == 0)
			return 0;
		dir += len + (dir[len] == ':');
	}
	return -ENOENT;
}

bool tool_exists(const char *name)
{
	char path[PATH_MAX];

	return find(name, path, sizeof(path)) == 0;
}

/* Entering the directory comes first: unshare(2) carries the working directory over into the new
 * namespace, whereas a descriptor would stay with the old one's mounts. */
static int own_mounts(const struct tool *t, struct err *e)
{
	if ((t->confine ? fchdir(t->directory) : chdir("/")) < 0)
		return err_set(e, -errno, "enter the working directory");
	if (unshare(CLONE_NEWNS) < 0)
		return err_set(e, -errno, "unshare mounts");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(e, -errno, "make mounts private");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return err_set(e, -errno, "mount /proc");
	return 0;
}

/*
 * Everything read-only and without devices, but for a clone of the one directory on top of
 * itself. So a symlink or hard link out of it leads to EROFS or EXDEV, whatever the tool believes.
 */
static int only_directory_writable(struct err *e)
{
	struct mount_attr closed = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID,
	};
	struct mount_attr target = { .attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
						 MOUNT_ATTR_NOSUID };
	own_fd int tree = open_tree(AT_FDCWD, ".", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &target, sizeof(target)) < 0)
		return err_set(e, -errno, "clone the directory to write to");
	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &closed, sizeof(closed)) < 0)
		return err_set(e, -errno, "make the host read-only");
	if (move_mount(tree, "", AT_FDCWD, ".", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(e, -errno, "attach the directory to write to");
	if (fchdir(tree) < 0)
		return err_set(e, -errno, "enter the directory to write to");
	return 0;
}

static int drop_privileges(struct err *e)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = { 0 };
	uint64_t keep = 0;

	for (size_t i = 0; i < sizeof(confined_caps); i++)
		keep |= UINT64_C(1) << confined_caps[i];
	for (int cap = 0; cap <= feat_last_cap(); cap++)
		if (!(keep >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return err_set(e, -errno, "drop capability %d", cap);
	if (syscall(SYS_capget, &head, caps) < 0)
		return err_set(e, -errno, "read capabilities");
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		caps[i].permitted &= (uint32_t)(keep >> (32 * i));
		caps[i].effective = caps[i].permitted;
		caps[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, caps) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, -errno, "drop capabilities");
	return 0;
}

static int limit(int resource, uint64_t most, struct err *e)
{
	struct rlimit now, want;

	if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
		return err_set(e, -errno, "read a resource limit");
	want.rlim_max = now.rlim_max < most ? now.rlim_max : most;
	want.rlim_cur = want.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &want) < 0
		       ? err_set(e, -errno, "set a resource limit")
		       : 0;
}

static int confine(const struct tool *t, struct err *e)
{
	int r = only_directory_writable(e);

	if (r == 0)
		r = limit(RLIMIT_FSIZE, t->file_max_bytes, e);
	if (r == 0)
		r = limit(RLIMIT_AS, (uint64_t)ADDRESS_SPACE_MAX_GIB << 30, e);
	if (r == 0)
		r = limit(RLIMIT_CORE, 0, e);
	return r == 0 ? drop_privileges(e) : r;
}

struct pipes {
	int lines[2], report[2];
};

static int child_setup(const struct tool *t, const struct pipes *p, struct err *e)
{
	struct pollfd parent = { .fd = p->lines[1] };
	own_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;
	int r;

	if (null < 0)
		return err_set(e, -errno, "open /dev/null");
	/* A parent that died before the first call leaves a pipe that nobody reads. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_set(e, -errno, "ask to die with our parent");
	if (poll(&parent, 1, 0) > 0 && parent.revents & POLLERR)
		_exit(1);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)setsid(); /* fails only for a group leader, which has one */
	(void)umask(022);
	r = own_mounts(t, e);
	if (r == 0 && t->confine)
		r = confine(t, e);
	if (r < 0)
		return r;
	if (dup2(t->input >= 0 ? t->input : null, 0) < 0 ||
	    dup2(t->lines_of_output ? p->lines[1] : null, 1) < 0 ||
	    dup2(t->lines_of_output ? null : p->lines[1], 2) < 0)
		return err_set(e, -errno, "set up standard input and output");
	r = fd_cloexec_from(3);
	if (r < 0)
		return err_set(e, r, "close descriptors");
	if (t->lock >= 0 && fcntl(t->lock, F_SETFD, 0) < 0)
		return err_set(e, -errno, "hand over the lock");
	return 0;
}

static void child(const struct tool *t, const char *path, char *const *env, struct pipes *p)
{
	struct err e = { 0 };

	(void)close(p->lines[0]);
	(void)close(p->report[0]);
	if (child_setup(t, p, &e) == 0) {
		(void)execve(path, (char *const *)(uintptr_t)t->argv, env);
		(void)err_set(&e, -errno, "execute '%s'", path);
	}
	(void)fd_write_all(p->report[1], &e, sizeof(e)); /* no reader: no one to tell */
	_exit(127);
}

/* Lines longer than the buffer come in pieces; nothing here needs them whole. */
static void forward_lines(int fd, const struct tool *t)
{
	char buf[LINE_MAX_BYTES];
	size_t have = 0;

	for (;;) {
		ssize_t n = TEMP_FAILURE_RETRY(read(fd, buf + have, sizeof(buf) - 1 - have));
		char *line = buf;

		for (ssize_t i = 0; i < n; i++, have++)
			if (buf[have] == '\0')
				buf[have] = '?'; /* would end the line before its end */
		buf[have] = '\0';
		for (;;) {
			size_t len = strcspn(line, "\r\n");
			bool ended = line[len] != '\0';

			if (!ended && n > 0 && (line > buf || have < sizeof(buf) - 1))
				break;
			line[len] = '\0';
			if (len && t->line)
				t->line(t->arg, line);
			line += len + ended;
			if (!ended)
				break;
		}
		have = (size_t)(buf + have - line);
		memmove(buf, line, have);
		if (n <= 0)
			return;
	}
}

static void pipes_done(struct pipes *p)
{
	for (int i = 0; i < 2; i++) {
		close_fd(&p->lines[i]);
		close_fd(&p->report[i]);
	}
}

int tool_run(const struct tool *t, struct err *e)
{
	__attribute__((cleanup(pipes_done))) struct pipes p = { { -EBADF, -EBADF },
								{ -EBADF, -EBADF } };
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NEWIPC |
					    (t->confine ? CLONE_NEWNET : 0),
				   .exit_signal = SIGCHLD };
	const char *env[16] = { "PATH=" TOOL_PATH, "LC_ALL=C.UTF-8", "HOME=/root" };
	struct err report = { 0 };
	char path[PATH_MAX];
	int status, n = 3;
	pid_t pid;

	for (int i = 0; t->env && t->env[i]; i++) {
		if (n + 1 == (int)ARRAY_SIZE(env))
			return err_set(e, -E2BIG, "run '%s'", t->argv[0]);
		env[n++] = t->env[i];
	}
	if (find(t->argv[0], path, sizeof(path)) < 0)
		return err_say(e, -ENOENT, "program '%s' is not installed", t->argv[0]);
	if (pipe2(p.lines, O_CLOEXEC) < 0 || pipe2(p.report, O_CLOEXEC) < 0)
		return err_set(e, -errno, "make a pipe");
	pid = sys_clone3(&args);
	if (pid < 0)
		return err_set(e, pid, "start '%s'", t->argv[0]);
	if (pid == 0)
		child(t, path, (char *const *)(uintptr_t)env, &p);
	close_fd(&p.lines[1]);
	close_fd(&p.report[1]);
	forward_lines(p.lines[0], t);
	if (fd_read_all(p.report[0], &report, sizeof(report)) != (ssize_t)sizeof(report))
		report.code = 0; /* closed by execve */
	if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0)
		return err_set(e, -errno, "wait for '%s'", t->argv[0]);
	if (report.code < 0) {
		if (e)
			*e = report;
		return err_wrap(e, report.code, "start '%s'", t->argv[0]);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
