/* SPDX-License-Identifier: Apache-2.0 */
/* Processes by pidfd and start time. */
#include "base/proc.h"

#include "base/file.h"
#include "base/own.h"
#include "base/sys.h"
#include "base/text.h"

#include <fcntl.h>
#include <linux/types.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* proc(5), /proc/PID/stat: the command name is in parentheses and may hold anything, so fields
 * are counted from the last ")": the state is the third of all. Return: where @field begins. */
static const char *stat_field(const char *stat, int field)
{
	const char *p = strrchr(stat, ')');

	if (!p || p[1] != ' ')
		return NULL;
	p += 2;
	for (int at = 3; p && at < field; at++) {
		p = strchr(p, ' ');
		if (p)
			p++;
	}
	return p;
}

static int stat_number(const char *stat, int field, uint64_t *ret)
{
	const char *p = stat_field(stat, field);
	size_t len = p ? strcspn(p, " ") : 0;
	char digits[24];

	if (!p || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, p, len);
	digits[len] = '\0';
	return text_u64(digits, ret);
}

static int load_stat(pid_t pid, char *buf, size_t size)
{
	char path[32];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid); /* always fits */
	n = file_read(AT_FDCWD, path, buf, size);
	return n == -ENOENT ? -ESRCH : n < 0 ? (int)n : 0;
}

static int identify(pid_t pid, char *ret_state, uint64_t *ret_start)
{
	enum { STATE = 3, START_TIME = 22 };
	const char *state;
	char stat[1024];
	int r = load_stat(pid, stat, sizeof(stat));

	if (r < 0)
		return r;
	state = stat_field(stat, STATE);
	if (!state)
		return -EINVAL;
	*ret_state = *state;
	return stat_number(stat, START_TIME, ret_start);
}

int proc_has_executed(pid_t pid)
{
	enum { FLAGS = 9, FORKED_NO_EXEC = 0x40 }; /* PF_FORKNOEXEC of linux/sched.h */
	uint64_t flags = 0;
	char stat[1024];
	int r = load_stat(pid, stat, sizeof(stat));

	if (r == 0)
		r = stat_number(stat, FLAGS, &flags);
	return r < 0 ? r : !(flags & FORKED_NO_EXEC);
}

int proc_identify(pid_t pid, struct proc_id *ret)
{
	uint64_t start;
	char state;
	int r;

	r = identify(pid, &state, &start);
	if (r < 0)
		return r;
	ret->pid = pid;
	ret->starttime = start;
	return 0;
}

int proc_open(const struct proc_id *id)
{
	own_fd int pidfd = -EBADF;
	uint64_t start;
	char state;
	int r;

	if (id->pid <= 0)
		return -ESRCH;
	pidfd = sys_pidfd_open(id->pid, 0);
	if (pidfd < 0)
		return pidfd == -EINVAL ? -ESRCH : pidfd;
	/* Read after the open: if this stat is of the right process, so is the descriptor. */
	r = identify(id->pid, &state, &start);
	if (r < 0)
		return r;
	if (start != id->starttime || state == 'Z' || state == 'X')
		return -ESRCH;
	return take_fd(&pidfd);
}

pid_t proc_pid_of(int pidfd)
{
	char path[40], text[512];
	const char *line;
	uint32_t pid;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd); /* always fits */
	n = file_read(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return (pid_t)n;
	line = strstr(text, "\nPid:\t");
	if (!line)
		return -EBADF; /* not a pidfd: pidfd_open(2) */
	line += strlen("\nPid:\t");
	text[(size_t)(line - text) + strcspn(line, "\n")] = '\0';
	/* -1: waited for; 0: of another pid namespace */
	return text_u32(line, &pid) == 0 && pid ? (pid_t)pid : -ESRCH;
}

int proc_signal(int pidfd, int sig)
{
	return sys_pidfd_send_signal(pidfd, sig);
}

int proc_boot_id(char *buf, size_t size)
{
	char id[64]; /* with room for the newline that @buf needs none for */
	ssize_t n = file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", id, sizeof(id));

	if (n < 0)
		return (int)n;
	if ((size_t)n >= size)
		return -EFBIG;
	memcpy(buf, id, (size_t)n + 1);
	return 0;
}

static int shell_status(int code, int status)
{
	return code == CLD_EXITED ? status : 128 + status;
}

int proc_wait_exit(int pidfd)
{
	siginfo_t info = { 0 };

	if (TEMP_FAILURE_RETRY(waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED)) < 0)
		return -errno;
	return shell_status(info.si_code, info.si_status);
}

/* include/uapi/linux/pidfd.h of Linux 6.15; older headers lack it. */
struct pidfd_info_6_15 {
	__u64 mask, cgroupid;
	__u32 pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	__s32 exit_code;
};
#define PIDFD_GET_INFO_6_15 _IOWR(0xFF, 11, struct pidfd_info_6_15)
enum { PIDFD_INFO_EXIT_6_15 = 1 << 3 };

int proc_exit_info(int pidfd)
{
	struct pidfd_info_6_15 info = { .mask = PIDFD_INFO_EXIT_6_15 };

	if (ioctl(pidfd, PIDFD_GET_INFO_6_15, &info) < 0)
		return errno == ESRCH ? -EOPNOTSUPP : errno == ENOTTY ? -EOPNOTSUPP : -errno;
	if (!(info.mask & PIDFD_INFO_EXIT_6_15))
		return -EAGAIN;
	return WIFEXITED(info.exit_code) ? WEXITSTATUS(info.exit_code)
					 : 128 + WTERMSIG(info.exit_code);
}

struct relative {
	pid_t pid, parent;
	bool member;
};

/* The pid namespace of @pid. Return: 0 or -errno (-EACCES: of a process that is none of ours). */
static int pid_namespace(pid_t pid, struct stat *ret)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid); /* always fits */
	return stat(path, ret) < 0 ? -errno : 0;
}

/* Is @pid number 1 of a pid namespace below ours? proc(5), NSpid of /proc/PID/status. */
static bool is_first_of_namespace(pid_t pid)
{
	char path[32], status[4096], *line;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid); /* always fits */
	if (file_read(AT_FDCWD, path, status, sizeof(status)) < 0)
		return false;
	line = strstr(status, "\nNSpid:");
	if (!line)
		return false;
	line++;
	line[strcspn(line, "\n")] = '\0';
	line = strrchr(line, '\t');
	return line && strcmp(line, "\t1") == 0;
}

/* One process of /proc; *ns is the namespace whose processes all belong, or NULL. */
static int add_relative(pid_t pid, const struct stat *ns, struct arena *arena,
			struct relative **list, size_t *count)
{
	enum { PARENT = 4 };
	struct relative *added;
	uint64_t parent;
	char buf[1024];
	struct stat st;

	if (load_stat(pid, buf, sizeof(buf)) < 0 || stat_number(buf, PARENT, &parent) < 0)
		return 0; /* it has ended */
	added = arena_grow(arena, list, count, sizeof(**list));
	if (!added)
		return -ENOMEM;
	*added = (struct relative){
		.pid = pid,
		.parent = (pid_t)parent,
		.member = ns && pid_namespace(pid, &st) == 0 && st.st_ino == ns->st_ino &&
			  st.st_dev == ns->st_dev,
	};
	return 0;
}

static int compare_relatives(const void *a, const void *b)
{
	const struct relative *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Whose parent belongs belongs too. Return: did that add any? */
static bool adopt(struct relative *list, size_t count)
{
	bool added = false;

	for (size_t i = 0; i < count; i++) {
		const struct relative key = { .pid = list[i].parent };
		const struct relative *parent;

		if (list[i].member)
			continue;
		parent = bsearch(&key, list, count, sizeof(*list), compare_relatives);
		list[i].member = parent && parent->member;
		added |= list[i].member;
	}
	return added;
}

int proc_family(pid_t pid, struct arena *arena, pid_t **ret, size_t *ret_count)
{
	bool whole = is_first_of_namespace(pid);
	struct relative *list = NULL;
	const struct dirent *entry;
	size_t count = 0, n = 0;
	own_dir DIR *dir = NULL;
	struct stat ns;
	pid_t *pids;
	int r;

	if (whole) {
		r = pid_namespace(pid, &ns);
		if (r < 0)
			return r == -ENOENT ? -ESRCH : r;
	}
	dir = opendir("/proc");
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		uint32_t number;

		if (text_u32(entry->d_name, &number) < 0)
			continue;
		r = add_relative((pid_t)number, whole ? &ns : NULL, arena, &list, &count);
		if (r < 0)
			return r;
	}
	if (count)
		qsort(list, count, sizeof(*list), compare_relatives);
	for (size_t i = 0; i < count; i++)
		list[i].member |= list[i].pid == pid;
	while (adopt(list, count))
		;
	pids = arena_alloc(arena, (count + 1) * sizeof(*pids));
	if (!pids)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (list[i].member)
			pids[n++] = list[i].pid;
	if (!n)
		return -ESRCH;
	*ret = pids;
	*ret_count = n;
	return 0;
}
