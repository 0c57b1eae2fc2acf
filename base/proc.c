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
#include <sys/wait.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* proc(5), /proc/PID/stat: the command name is in parentheses and may hold anything, so fields
 * are counted from the last ")": state is the first after it, start time the twentieth. */
static int stat_fields(const char *stat, char *ret_state, uint64_t *ret_start)
{
	const char *p = strrchr(stat, ')');
	char digits[24];
	size_t len;

	if (!p || p[1] != ' ')
		return -EINVAL;
	p += 2;
	*ret_state = *p;
	for (int field = 3; field < 22; field++) {
		p = strchr(p, ' ');
		if (!p)
			return -EINVAL;
		p++;
	}
	len = strcspn(p, " ");
	if (len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, p, len);
	digits[len] = '\0';
	return text_u64(digits, ret_start);
}

static int identify(pid_t pid, char *ret_state, uint64_t *ret_start)
{
	char path[32], stat[1024];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid); /* always fits */
	n = file_read(AT_FDCWD, path, stat, sizeof(stat));
	if (n < 0)
		return n == -ENOENT ? -ESRCH : (int)n;
	return stat_fields(stat, ret_state, ret_start);
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

int proc_signal(int pidfd, int sig)
{
	return sys_pidfd_send_signal(pidfd, sig);
}

int proc_boot_id(char *buf, size_t size)
{
	ssize_t n = file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", buf, size);

	return n < 0 ? (int)n : 0;
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
	return WIFEXITED(info.exit_code) ? WEXITSTATUS(info.exit_code) :
					   128 + WTERMSIG(info.exit_code);
}
