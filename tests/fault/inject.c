/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command under ptrace and disturbs one of its system calls.
 *
 * inject [-t SECONDS] [-l] [-p PROCESS:N:WHAT] [-o FILE] COMMAND [ARG...]
 *   -l  list the points into FILE: PROCESS N NAME KIND ERRNO...
 *   -p  at the Nth system call of PROCESS: `before` or `after` kills it there; a number is the
 *       errno that the call returns instead of being made. FILE gets `hit` when it came to that.
 *
 * DOC: a process is named by its place in the tree of forks: 0 is the command, 0.2 its second
 * child. Names and counts do not depend on how the processes are scheduled. A child is followed
 * until it executes a program; the command itself is followed through that. When the command has
 * ended, and no process is left in the midst of a disturbed call, the injector ends, and the kernel
 * lets go of what is left: it runs on.
 * Exit status: that of the command, 128+n for a signal; 124 after a hang, 123 when any process
 * crashed.
 */
#include <asm/unistd.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sched.h>

#if defined(__x86_64__)
#include <sys/user.h>
#else
#error "how a call is skipped and its result is set is written for x86-64 alone"
#endif

enum { NAME_MAX_LEN = 64, PROCESSES_MAX = 256, ERRNOS_MAX = 5, HUNG = 124, CRASHED = 123 };

/* The calls that change something outside the process or can fail for reasons outside it. Between
 * two of them a process that is killed leaves what it leaves at the second. */
struct call {
	int number;
	const char *name;
	int errnos[ERRNOS_MAX];
};

/* clang-format off */
static const struct call calls[] = {
	{ __NR_accept4,		"accept4",	{ ECONNABORTED, EMFILE } },
	{ __NR_bind,		"bind",		{ EADDRINUSE, ENOSPC } },
	{ __NR_bpf,		"bpf",		{ EPERM, ENOMEM, EINVAL } },
	{ __NR_capset,		"capset",	{ EPERM } },
	{ __NR_chdir,		"chdir",	{ EACCES, ENOENT } },
	{ __NR_clone,		"clone",	{ EAGAIN, ENOMEM } },
	{ __NR_clone3,		"clone3",	{ EAGAIN, ENOMEM, ENOSPC, EPERM } },
	{ __NR_close,		"close",	{ 0 } },
	{ __NR_connect,		"connect",	{ ECONNREFUSED, EAGAIN } },
	{ __NR_copy_file_range,	"copy_file_range", { ENOSPC, EIO } },
	{ __NR_dup2,		"dup2",		{ EMFILE } },
	{ __NR_dup3,		"dup3",		{ EMFILE } },
	{ __NR_execve,		"execve",	{ ENOMEM, EACCES } },
	{ __NR_execveat,	"execveat",	{ ENOMEM, EACCES } },
	{ __NR_exit_group,	"exit_group",	{ 0 } },
	{ __NR_fchmod,		"fchmod",	{ EPERM, EROFS } },
	{ __NR_fchmodat,	"fchmodat",	{ EPERM, EROFS } },
	{ __NR_fchown,		"fchown",	{ EPERM, EDQUOT } },
	{ __NR_fchownat,	"fchownat",	{ EPERM, EDQUOT } },
	{ __NR_fcntl,		"fcntl",	{ EMFILE } },
	{ __NR_flock,		"flock",	{ ENOLCK, EINTR } },
	{ __NR_fork,		"fork",		{ EAGAIN, ENOMEM } },
	{ __NR_fsconfig,	"fsconfig",	{ EINVAL, EPERM, ENOMEM } },
	{ __NR_fsetxattr,	"fsetxattr",	{ ENOSPC, EPERM } },
	{ __NR_fsmount,		"fsmount",	{ EPERM, ENOMEM } },
	{ __NR_fsopen,		"fsopen",	{ EPERM, EMFILE } },
	{ __NR_fsync,		"fsync",	{ EIO, ENOSPC, EDQUOT } },
	{ __NR_fstatfs,		"fstatfs",	{ EIO } },
	{ __NR_ftruncate,	"ftruncate",	{ EIO, ENOSPC } },
	{ __NR_getdents64,	"getdents64",	{ EIO } },
	{ __NR_ioctl,		"ioctl",	{ EIO, EPERM, ENOMEM } },
	{ __NR_keyctl,		"keyctl",	{ ENOMEM, EDQUOT } },
	{ __NR_kill,		"kill",		{ EPERM } },
	{ __NR_linkat,		"linkat",	{ ENOSPC, EMLINK } },
	{ __NR_listen,		"listen",	{ EADDRINUSE } },
	{ __NR_mkdir,		"mkdir",	{ ENOSPC, EROFS, EACCES } },
	{ __NR_mkdirat,		"mkdirat",	{ ENOSPC, EROFS, EACCES } },
	{ __NR_mknodat,		"mknodat",	{ EPERM, ENOSPC } },
	{ __NR_mmap,		"mmap",		{ 0 } },
	{ __NR_mount,		"mount",	{ ENOMEM, EPERM, EBUSY } },
	{ __NR_mount_setattr,	"mount_setattr", { EPERM, EINVAL, ENOSYS } },
	{ __NR_move_mount,	"move_mount",	{ EPERM, ENOMEM, EBUSY } },
	{ __NR_open_tree,	"open_tree",	{ EMFILE, EPERM, ENOMEM } },
	{ __NR_openat,		"openat",	{ EMFILE, ENFILE, ENOSPC, EACCES, EINTR } },
	{ __NR_openat2,		"openat2",	{ EMFILE, EAGAIN, ENOSYS, EACCES, ELOOP } },
	{ __NR_pidfd_open,	"pidfd_open",	{ EMFILE, EINVAL } },
	{ __NR_pidfd_send_signal, "pidfd_send_signal", { EPERM } },
	{ __NR_pipe2,		"pipe2",	{ EMFILE } },
	{ __NR_pivot_root,	"pivot_root",	{ EBUSY, EPERM } },
	{ __NR_poll,		"poll",		{ EINTR, ENOMEM } },
	{ __NR_ppoll,		"ppoll",	{ EINTR, ENOMEM } },
	{ __NR_prctl,		"prctl",	{ EPERM, EINVAL } },
	{ __NR_prlimit64,	"prlimit64",	{ EPERM, EINVAL } },
	{ __NR_quotactl,	"quotactl",	{ ENOSYS, EPERM } },
	{ __NR_read,		"read",		{ EIO, EINTR } },
	{ __NR_readlinkat,	"readlinkat",	{ EIO } },
	{ __NR_recvfrom,	"recvfrom",	{ EINTR, ENOBUFS } },
	{ __NR_recvmsg,		"recvmsg",	{ EINTR, ENOBUFS } },
	{ __NR_rename,		"rename",	{ ENOSPC, EIO, EROFS } },
	{ __NR_renameat,	"renameat",	{ ENOSPC, EIO, EROFS } },
	{ __NR_renameat2,	"renameat2",	{ ENOSPC, EIO, EINVAL } },
	{ __NR_rmdir,		"rmdir",	{ EBUSY } },
	{ __NR_seccomp,		"seccomp",	{ EINVAL, ENOMEM, EPERM } },
	{ __NR_sendfile,	"sendfile",	{ EIO, ENOSPC } },
	{ __NR_sendmsg,		"sendmsg",	{ ENOBUFS, EPERM, ENOMEM } },
	{ __NR_sendto,		"sendto",	{ ENOBUFS, EPERM, ENOMEM } },
	{ __NR_setgid,		"setgid",	{ EPERM } },
	{ __NR_setgroups,	"setgroups",	{ EPERM } },
	{ __NR_sethostname,	"sethostname",	{ EPERM } },
	{ __NR_setns,		"setns",	{ EPERM, EINVAL } },
	{ __NR_setresgid,	"setresgid",	{ EPERM } },
	{ __NR_setresuid,	"setresuid",	{ EPERM, EAGAIN } },
	{ __NR_setsid,		"setsid",	{ EPERM } },
	{ __NR_setuid,		"setuid",	{ EPERM, EAGAIN } },
	{ __NR_socket,		"socket",	{ EMFILE, ENOBUFS } },
	{ __NR_socketpair,	"socketpair",	{ EMFILE } },
	{ __NR_symlinkat,	"symlinkat",	{ ENOSPC, EROFS } },
	{ __NR_umount2,		"umount2",	{ EBUSY, EPERM } },
	{ __NR_unlinkat,	"unlinkat",	{ EIO, EROFS, EBUSY } },
	{ __NR_unshare,		"unshare",	{ EPERM, ENOSPC } },
	{ __NR_utimensat,	"utimensat",	{ EROFS } },
	{ __NR_vfork,		"vfork",	{ EAGAIN } },
	{ __NR_wait4,		"wait4",	{ EINTR } },
	{ __NR_waitid,		"waitid",	{ EINTR } },
	{ __NR_write,		"write",	{ EIO, ENOSPC, EDQUOT, EINTR, EROFS } },
};
/* clang-format on */

enum what { NOTHING, BEFORE, AFTER, ERROR };

struct process {
	pid_t pid;
	char name[NAME_MAX_LEN];
	const char *kind;
	unsigned int count, children;
	bool known;	 /* its parent has said that it is its child */
	bool waiting;	 /* it stopped before that */
	bool new_mounts; /* the clone that it is in makes a mount namespace */
	bool hit;	 /* it is in the call to disturb */
};

static struct process processes[PROCESSES_MAX];
static struct {
	char process[NAME_MAX_LEN];
	unsigned int number;
	enum what what;
	int error;
} point;
static FILE *out;
static bool listing, crashed;
static volatile sig_atomic_t hung;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void on_alarm(int sig)
{
	(void)sig;
	hung = 1;
}

static const struct call *find_call(uint64_t number)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if ((uint64_t)calls[i].number == number)
			return &calls[i];
	return NULL;
}

static struct process *process_of(pid_t pid)
{
	struct process *free_slot = NULL;

	for (size_t i = 0; i < PROCESSES_MAX; i++) {
		if (processes[i].pid == pid)
			return &processes[i];
		if (!processes[i].pid && !free_slot)
			free_slot = &processes[i];
	}
	if (!free_slot) {
		fprintf(stderr, "inject: too many processes\n");
		exit(2);
	}
	*free_slot = (struct process){ .pid = pid };
	return free_slot;
}

/* A process that has died in the meantime cannot be resumed, and is reported by wait. */
static void resume(pid_t pid, int sig)
{
	(void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(uintptr_t)sig);
}

static void set_register(pid_t pid, size_t offset, long value)
{
	(void)ptrace(PTRACE_POKEUSER, pid, (void *)offset, (void *)value);
}

static bool makes_mounts(pid_t pid, const struct __ptrace_syscall_info *info)
{
	uint64_t flags = 0;
	struct iovec to = { &flags, sizeof(flags) }, from = { NULL, sizeof(flags) };

	if (info->entry.nr == __NR_clone)
		return info->entry.args[0] & CLONE_NEWNS;
	if (info->entry.nr != __NR_clone3)
		return false;
	memcpy(&from.iov_base, &info->entry.args[0], sizeof(from.iov_base));
	return process_vm_readv(pid, &to, 1, &from, 1, 0) > 0 && (flags & CLONE_NEWNS);
}

static void list_point(const struct process *p, const struct call *call)
{
	fprintf(out, "%s %u %s %s", p->name, p->count, call->name, p->kind);
	for (size_t i = 0; i < ERRNOS_MAX && call->errnos[i]; i++)
		fprintf(out, " %d", call->errnos[i]);
	fprintf(out, "\n");
}

static void hit(struct process *p)
{
	p->hit = false;
	fprintf(out, "hit\n");
	(void)fflush(out);
}

static void entered(struct process *p, const struct __ptrace_syscall_info *info)
{
	const struct call *call = find_call(info->entry.nr);

	p->count++;
	p->new_mounts = makes_mounts(p->pid, info);
	if (listing && call)
		list_point(p, call);
	if (point.what == NOTHING || p->count != point.number ||
	    strcmp(p->name, point.process) != 0)
		return;
	p->hit = true;
	if (point.what == BEFORE) {
		hit(p);
		(void)kill(p->pid, SIGKILL);
	} else if (point.what == ERROR) {
		set_register(p->pid, offsetof(struct user_regs_struct, orig_rax), -1);
	}
}

static void left(struct process *p)
{
	if (!p->hit)
		return;
	hit(p);
	if (point.what == AFTER)
		(void)kill(p->pid, SIGKILL);
	else
		set_register(p->pid, offsetof(struct user_regs_struct, rax), -point.error);
}

static void on_call(struct process *p)
{
	struct __ptrace_syscall_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, (void *)sizeof(info), &info) > 0) {
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			entered(p, &info);
		else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
			left(p);
	}
	resume(p->pid, 0);
}

static void on_fork(struct process *parent)
{
	unsigned long pid = 0;
	struct process *child;

	if (ptrace(PTRACE_GETEVENTMSG, parent->pid, NULL, &pid) == 0) {
		child = process_of((pid_t)pid);
		child->known = true;
		child->kind = parent->new_mounts ? "init" : "helper";
		if ((size_t)snprintf(child->name, sizeof(child->name), "%s.%u", parent->name,
				     ++parent->children) >= sizeof(child->name))
			exit(2);
		if (child->waiting)
			resume(child->pid, 0);
	}
	resume(parent->pid, 0);
}

static void on_stop(struct process *p, int status, pid_t command)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	if (sig == (SIGTRAP | 0x80)) {
		on_call(p);
	} else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
		   event == PTRACE_EVENT_CLONE) {
		on_fork(p);
	} else if (event == PTRACE_EVENT_EXEC && p->pid != command) {
		(void)ptrace(PTRACE_DETACH, p->pid, NULL, NULL);
		p->pid = 0;
	} else if (event == PTRACE_EVENT_STOP && !p->known) {
		p->waiting = true;
	} else {
		resume(p->pid, event ? 0 : sig);
	}
}

static bool is_crash(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGABRT || sig == SIGFPE ||
	       sig == SIGILL || sig == SIGSYS;
}

static void kill_all(void)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++)
		if (processes[i].pid)
			(void)kill(processes[i].pid, SIGKILL);
}

/* A process that is let go of between the two ends of its call gets another error than it should.
 */
static bool disturbing(void)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++)
		if (processes[i].pid && processes[i].hit)
			return true;
	return false;
}

static int follow(pid_t command)
{
	int result = -1;

	while (result < 0 || disturbing()) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);
		struct process *p;

		if (hung) {
			kill_all();
			return HUNG;
		}
		if (pid < 0) {
			if (errno == EINTR)
				continue;
			die("wait");
		}
		p = process_of(pid);
		if (WIFSTOPPED(status)) {
			on_stop(p, status, command);
			continue;
		}
		p->pid = 0;
		if (WIFSIGNALED(status) && is_crash(WTERMSIG(status))) {
			fprintf(stderr, "inject: process %s died of signal %d\n", p->name,
				WTERMSIG(status));
			crashed = true;
		}
		if (pid == command)
			result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	return crashed ? CRASHED : result;
}

static pid_t start(char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	struct process *p;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		(void)raise(SIGSTOP);
		execvp(argv[0], argv);
		die(argv[0]);
	}
	if (waitpid(pid, &status, WUNTRACED) < 0 ||
	    ptrace(PTRACE_SEIZE, pid, NULL, (void *)options) < 0)
		die("trace");
	(void)kill(pid, SIGCONT);
	/* Its calls count from its own program on. */
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) &&
	       status >> 16 != PTRACE_EVENT_EXEC)
		(void)ptrace(PTRACE_CONT, pid, NULL, NULL);
	if (!WIFSTOPPED(status))
		exit(2);
	p = process_of(pid);
	p->known = true;
	p->kind = "ctr";
	(void)snprintf(p->name, sizeof(p->name), "0");
	resume(pid, 0);
	return pid;
}

static void parse_point(const char *text)
{
	char what[16];

	if (sscanf(text, "%63[0-9.]:%u:%15s", point.process, &point.number, what) != 3) {
		fprintf(stderr, "inject: '%s' is not PROCESS:N:WHAT\n", text);
		exit(2);
	}
	point.what = strcmp(what, "before") == 0  ? BEFORE
		     : strcmp(what, "after") == 0 ? AFTER
						  : ERROR;
	point.error = atoi(what);
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	unsigned int seconds = 10;
	int option;

	out = stderr;
	while ((option = getopt(argc, argv, "+t:lp:o:")) != -1) {
		switch (option) {
		case 't':
			seconds = (unsigned int)atoi(optarg);
			break;
		case 'l':
			listing = true;
			break;
		case 'p':
			parse_point(optarg);
			break;
		case 'o':
			out = fopen(optarg, "we");
			if (!out)
				die(optarg);
			break;
		default:
			return 2;
		}
	}
	if (optind == argc)
		return 2;
	(void)sigaction(SIGALRM, &action, NULL);
	(void)alarm(seconds);
	return follow(start(argv + optind));
}
