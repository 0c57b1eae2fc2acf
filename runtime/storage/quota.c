/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disk limits by project quota: every file of a partition carries its project id, and the file
 * system counts and limits per project. ext4 and XFS; Linux 5.14 for quotactl_fd(2).
 */
#include "runtime/storage/store_internal.h"

#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/quota.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Out of the way of small ids that an administrator gives by hand in /etc/projid. */
static uint32_t project_id(int number)
{
	return ID_RANGE_BASE / ID_RANGE_SIZE + (uint32_t)number;
}

static int quotactl_fd(int fd, unsigned int cmd, uint32_t id, void *data)
{
	return syscall(SYS_quotactl_fd, fd, QCMD(cmd, PRJQUOTA), id, data) < 0 ? -errno : 0;
}

static bool is_tagged(const struct fsxattr *attr, uint32_t project, bool is_dir)
{
	return attr->fsx_projid == project && (!is_dir || attr->fsx_xflags & FS_XFLAG_PROJINHERIT);
}

static int tag(int fd, uint32_t project, bool is_dir)
{
	struct fsxattr attr;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attr) < 0)
		return -errno;
	if (is_tagged(&attr, project, is_dir))
		return 0;
	attr.fsx_projid = project;
	if (is_dir)
		attr.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	return ioctl(fd, FS_IOC_FSSETXATTR, &attr) < 0 ? -errno : 0;
}

int quota_tag(int fd, int number)
{
	return tag(fd, project_id(number), true);
}

static int tag_entry(void *arg, int parent, const char *name, const struct stat *st)
{
	const uint32_t *project = arg;
	own_fd int fd = -EBADF;

	if (!S_ISDIR(st->st_mode) && !S_ISREG(st->st_mode))
		return 0;
	fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : -errno; /* replaced meanwhile */
	return tag(fd, *project, S_ISDIR(st->st_mode));
}

/*
 * Bring what was there before into the project. Symlinks, devices and sockets have no such ioctl
 * and keep what they had: an inode each, and no blocks. A directory is tagged before its entries
 * are read, so that whatever is made meanwhile inherits; only the top comes last, because its tag
 * says that the whole is done.
 */
static int tag_tree(int dir, uint32_t project)
{
	struct fsxattr attr;
	int r;

	if (ioctl(dir, FS_IOC_FSGETXATTR, &attr) < 0)
		return -errno;
	if (is_tagged(&attr, project, true))
		return 0;
	r = walk_tree(dir, tag_entry, &project);
	return r < 0 ? r : tag(dir, project, true);
}

static int refuse(int dir, const char *id, struct err *e)
{
	char path[PATH_MAX], type[64];

	(void)store_path(dir, path, sizeof(path));
	(void)store_fs_name(dir, type, sizeof(type));
	(void)err_say(e, -ENOTSUP,
		      "disk limits of '%s': file system %s at '%s' enforces no project quota", id,
		      type, path);
	err_hint(e, "%s",
		 strcmp(type, "ext4") == 0
			 ? "tune2fs -O project -Q prjquota on the unmounted device, then "
			   "mount -o prjquota"
		 : strcmp(type, "xfs") == 0
			 ? "mount it with -o prjquota"
			 : "put the store on ext4 or xfs mounted with -o prjquota");
	return -ENOTSUP;
}

/* Are project limits enforced here, not merely counted? */
static bool is_enforced(int dir)
{
	struct fs_quota_statv state = { .qs_version = FS_QSTATV_VERSION1 };

	return quotactl_fd(dir, Q_XGETQSTATV, 0, &state) == 0 && state.qs_flags & FS_QUOTA_PDQ_ENFD;
}

int partition_quota_set(int store, const char *id, uint64_t bytes, uint64_t inodes, struct err *e)
{
	own_fd int dir = partition_dir_open(store, id, e);
	struct if_dqblk limits = { .dqb_valid = QIF_LIMITS };
	bool userns;
	int number, r;

	if (dir < 0)
		return dir;
	number = partition_number(dir, &userns);
	if (number < 0)
		return err_set(e, number, "read the project id of '%s'", id);
	if (!is_enforced(dir))
		return bytes == UINT64_MAX && inodes == UINT64_MAX ? 0 : refuse(dir, id, e);
	r = tag_tree(dir, project_id(number));
	if (r == -EOPNOTSUPP || r == -ENOTTY)
		return refuse(dir, id, e);
	if (r < 0)
		return err_set(e, r, "put the files of '%s' into its project", id);
	/* The kernel's 0 is no limit, so our 0 is the smallest one. */
	if (bytes != UINT64_MAX)
		limits.dqb_bhardlimit = bytes / QIF_DQBLKSIZE ? bytes / QIF_DQBLKSIZE : 1;
	if (inodes != UINT64_MAX)
		limits.dqb_ihardlimit = inodes ? inodes : 1;
	limits.dqb_bsoftlimit = limits.dqb_bhardlimit;
	limits.dqb_isoftlimit = limits.dqb_ihardlimit;
	r = quotactl_fd(dir, Q_SETQUOTA, project_id(number), &limits);
	return r < 0 ? err_set(e, r, "set the disk limits of '%s'", id) : 0;
}

int partition_quota_get(int store, const char *id, uint64_t ret_used_limit_bytes[2],
			uint64_t ret_used_limit_inodes[2])
{
	own_fd int dir = partition_dir_open(store, id, NULL);
	struct if_dqblk now = { 0 };
	bool userns;
	int number;

	for (int i = 0; i < 2; i++)
		ret_used_limit_bytes[i] = ret_used_limit_inodes[i] = UINT64_MAX;
	if (dir < 0)
		return dir;
	number = partition_number(dir, &userns);
	if (number < 0)
		return number;
	if (quotactl_fd(dir, Q_GETQUOTA, project_id(number), &now) < 0)
		return 0; /* no quotas here: not known */
	ret_used_limit_bytes[0] = now.dqb_curspace;
	ret_used_limit_inodes[0] = now.dqb_curinodes;
	if (now.dqb_bhardlimit)
		ret_used_limit_bytes[1] = now.dqb_bhardlimit * QIF_DQBLKSIZE;
	if (now.dqb_ihardlimit)
		ret_used_limit_inodes[1] = now.dqb_ihardlimit;
	return 0;
}

void quota_forget(int partition, int number)
{
	struct if_dqblk none = { .dqb_valid = QIF_LIMITS };

	/* Most often there are no quotas at all; and the next owner of the number sets its own. */
	(void)quotactl_fd(partition, Q_SETQUOTA, project_id(number), &none);
}
