/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about this host, found by trying. */
#include "base/feat.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "base/sys.h"
#include "base/text.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define INITIAL_USERNS_INO 0xeffffffdU

bool feat_has_cap(int cap)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (cap < 0 || cap >= 32 * _LINUX_CAPABILITY_U32S_3)
		return false;
	if (syscall(SYS_capget, &head, data) < 0)
		return false;
	return data[cap / 32].effective & (UINT32_C(1) << (cap % 32));
}

bool feat_is_initial_userns(void)
{
	struct stat st;

	/* PROC_USER_INIT_INO of linux/proc_ns.h, which never changes: initial maps may look like
	 * the identity, and so may others. */
	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino == INITIAL_USERNS_INO;
}

bool feat_owns_mounts(void)
{
	own_fd int tree = -EBADF;

	if (!feat_has_cap(CAP_SYS_ADMIN))
		return false;
	if (feat_is_initial_userns())
		return true; /* spare it the trial */
	tree = open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return tree >= 0;
}

int feat_last_cap(void)
{
	static int last = -1;
	char buf[16];
	uint32_t n;

	if (last >= 0)
		return last;
	if (file_read(AT_FDCWD, "/proc/sys/kernel/cap_last_cap", buf, sizeof(buf)) < 0 ||
	    text_u32(buf, &n) < 0 || n > 63)
		n = CAP_LAST_CAP; /* what we were compiled against is the best guess left */
	last = (int)n;
	return last;
}

unsigned int feat_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (unsigned int)n : 1;
}

bool feat_fs(const char *name)
{
	static char list[8192];
	size_t len = strlen(name);

	if (!list[0] && file_read(AT_FDCWD, "/proc/filesystems", list, sizeof(list)) < 0) {
		list[0] = '\0';
		return false;
	}
	/* A line is "nodev<TAB>name" or "<TAB>name". */
	for (const char *p = list; (p = strchr(p, '\t'));) {
		p++;
		if (strncmp(p, name, len) == 0 && (p[len] == '\n' || p[len] == '\0'))
			return true;
	}
	return false;
}

static int write_proc_map(pid_t pid, const char *file)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return file_write(AT_FDCWD, path, "0 1 1");
}

/*
 * A user namespace lives as long as a descriptor of it; the process that made it is only needed
 * until that is open. The map is not the identity: the kernel refuses to map a mount by nothing.
 */
static int make_userns(void)
{
	int hold[2];
	own_fd int held = -EBADF, hold_child = -EBADF, ns = -EBADF;
	char path[64];
	pid_t pid;
	int r;

	if (pipe2(hold, O_CLOEXEC) < 0)
		return -errno;
	hold_child = hold[0];
	held = hold[1];
	pid = sys_clone3(&(struct clone_args){ .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD });
	if (pid < 0)
		return pid;
	if (pid == 0) {
		char c;

		/* None of the parent's locks or pipes may live on in here if it is killed. */
		(void)dup2(hold_child, 0);
		(void)sys_close_range(1, ~0U, 0);
		_exit((int)TEMP_FAILURE_RETRY(read(0, &c, 1))); /* until held closes */
	}
	r = write_proc_map(pid, "uid_map");
	if (r == 0)
		r = write_proc_map(pid, "gid_map");
	if (r == 0) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
		ns = open(path, O_RDONLY | O_CLOEXEC);
		r = ns < 0 ? -errno : 0;
	}
	close_fd(&held);
	(void)TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0)); /* it ends by itself, its status is void */
	return r < 0 ? r : take_fd(&ns);
}

int feat_idmap(int dirfd)
{
	own_fd int ns = -EBADF, tree = -EBADF;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };

	tree = open_tree(dirfd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return -errno;
	ns = make_userns();
	if (ns < 0)
		return ns;
	attr.userns_fd = (unsigned int)ns;
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
		return 1;
	/* EINVAL: the file system cannot; EOPNOTSUPP and ENOSYS: the kernel cannot. */
	return errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -errno;
}
