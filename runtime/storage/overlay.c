/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overlay roots: the template id-mapped below, the partition's upper above, never visible on the
 * host.
 *
 * DOC: ids
 * Template and upper hold the guest's ids (0..65535). Both are cloned as detached mounts mapped
 * by the partition's user namespace, so that through them guest root is host id_base. Overlayfs
 * does its own work (work/, whiteouts, copy-up) with the credentials of whoever mounted it; host
 * root has no id in such a mount and could not create a file there (EOVERFLOW). So it is mounted
 * with the file system ids of guest root and with the capabilities of mount_caps: what it takes to
 * work with any file below, and no more, because all that guests do to files is done with them.
 * (Overlayfs drops CAP_SYS_RESOURCE by itself, so quotas and reserved blocks hold.)
 *
 * DOC: two ways
 * Newer kernels take layers as descriptors of detached mounts (FSCONFIG_SET_FD for layers is
 * Linux 6.13, of detached mounts 6.15). Others want paths: a child with a mount namespace of its
 * own attaches the layers on a tmpfs there, mounts the overlay from those paths and passes the
 * detached mount back. Which one works is found by trying; both give the same mount.
 */
#include "runtime/storage/overlay_internal.h"

#include "base/fd.h"
#include "base/feat.h"
#include "base/own.h"
#include "base/sys.h"
#include "runtime/storage/store_internal.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>

/*
 * index and metacopy would make the upper depend on its exact lower, which may be restored from a
 * copy elsewhere. redirect_dir lets rename(2) of a template's directory succeed as it does on any
 * other file system; only overlayfs itself can write the attribute that it follows.
 */
/* clang-format off */
static const struct {
	const char *key, *value;
} options[] = {
	{ "index",        "off" },
	{ "metacopy",     "off" },
	{ "redirect_dir", "on" },
	{ "xino",         "auto" },
};

static const unsigned char mount_caps[] = {
	CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_MKNOD,
	CAP_SETFCAP,
	CAP_SYS_ADMIN, /* mount(2), and trusted.* attributes */
};
/* clang-format on */

struct layers {
	int lower;	 /* mount of the template's root */
	int top;	 /* mount of the partition directory: upper and work must share one */
	int upper, work; /* O_PATH, on @top */
};

static void layers_done(struct layers *l)
{
	close_fd(&l->upper);
	close_fd(&l->work);
	close_fd(&l->top);
	close_fd(&l->lower);
}
#define own_layers __attribute__((cleanup(layers_done)))

static int refuse_idmap(int fd, const char *what, struct err *e)
{
	char path[PATH_MAX], type[64];

	(void)store_path(fd, path, sizeof(path));
	(void)store_fs_name(fd, type, sizeof(type));
	(void)err_say(e, -ENOTSUP, "%s '%s': file system %s cannot be mounted id-mapped", what,
		      path, type);
	err_hint(e, "put the store on ext4, xfs or btrfs, or set security.userns to false");
	return -ENOTSUP;
}

static int refuse_stacked(const struct overlay *o, struct err *e)
{
	struct statfs fs;
	char path[PATH_MAX];

	if (fstatfs(o->partition, &fs) < 0)
		return err_set(e, -errno, "stat the file system of the partition");
	if (fs.f_type != OVERLAYFS_SUPER_MAGIC)
		return 0;
	(void)err_say(e, -EINVAL,
		      "'%s' is on an overlay, which cannot be the upper layer of another",
		      store_path(o->partition, path, sizeof(path)));
	err_hint(e, "put the store on a disk or volume: --store DIR");
	return -EINVAL;
}

static int clone_mount(int dirfd, int userns, bool readonly)
{
	struct mount_attr attr = { .attr_set = readonly ? MOUNT_ATTR_RDONLY : 0 };
	own_fd int tree = open_tree(dirfd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return -errno;
	if (userns >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (unsigned int)userns;
	}
	if (attr.attr_set && mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -errno;
	return take_fd(&tree);
}

/* upper/ is the guest root's: 0 when its files hold the guest's ids, else they are shifted. */
static int is_shifted(const struct overlay *o, struct err *e)
{
	struct stat st;

	if (fstatat(o->partition, "upper", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, -errno, "stat upper/ of the partition");
	if (!S_ISDIR(st.st_mode))
		return err_say(e, -EUCLEAN, "upper of the partition is not a directory");
	if (o->userns < 0 || st.st_uid == 0)
		return 0;
	if (st.st_uid == o->id_base)
		return 1;
	return err_say(e, -EUCLEAN, "upper/ of the partition belongs to uid %u, not to 0 or %u",
		       st.st_uid, o->id_base);
}

static int layers_open(const struct overlay *o, struct layers *l, struct err *e)
{
	int shifted, r = refuse_stacked(o, e);

	if (r < 0)
		return r;
	shifted = is_shifted(o, e);
	if (shifted < 0)
		return shifted;
	l->lower = clone_mount(o->lower, o->userns, true);
	if (l->lower == -EINVAL && o->userns >= 0)
		return refuse_idmap(o->lower, "template", e);
	if (l->lower < 0)
		return err_set(e, l->lower, "clone the mount of the template");
	l->top = clone_mount(o->partition, shifted ? -EBADF : o->userns, false);
	if (l->top == -EINVAL && o->userns >= 0)
		return refuse_idmap(o->partition, "partition", e);
	if (l->top < 0)
		return err_set(e, l->top, "clone the mount of the partition");
	l->upper = openat(l->top, "upper", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	l->work = openat(l->top, "work", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l->upper < 0 || l->work < 0)
		return err_set(e, -errno, "open the layers of the partition");
	return 0;
}

/* Credentials that the overlay keeps for its life. */
struct creds {
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
	uid_t fsuid, fsgid;
};

static int set_caps(struct __user_cap_data_struct *caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &head, caps) < 0 ? -errno : 0;
}

/* Leaving uid 0 drops file capabilities from the effective set and returning to it raises all
 * that are permitted (capabilities(7)), so the set is written after each change of id. */
static int creds_enter(const struct overlay *o, struct creds *was)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
	uint32_t wanted[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &head, was->caps) < 0)
		return -errno;
	memcpy(caps, was->caps, sizeof(caps));
	for (size_t i = 0; i < sizeof(mount_caps); i++)
		wanted[mount_caps[i] / 32] |= UINT32_C(1) << (mount_caps[i] % 32);
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++)
		caps[i].effective = caps[i].permitted & wanted[i];
	was->fsgid = (gid_t)setfsgid(o->userns >= 0 ? o->id_base : 0);
	was->fsuid = (uid_t)setfsuid(o->userns >= 0 ? o->id_base : 0);
	return set_caps(caps);
}

static void creds_leave(struct creds *was)
{
	int saved = errno;

	(void)setfsuid(was->fsuid);
	(void)setfsgid(was->fsgid);
	(void)set_caps(was->caps); /* back to what we had: cannot be refused */
	errno = saved;
}

/* The kernel's own words are in the context's log, one message a read: "e overlay: ...". */
static int fail_fs(int fs, int code, const char *doing, struct err *e)
{
	char text[256], last[256] = "";
	ssize_t n;

	while ((n = TEMP_FAILURE_RETRY(read(fs, text, sizeof(text) - 1))) > 0) {
		text[n] = '\0';
		if (text[0] == 'e' || !last[0])
			(void)snprintf(last, sizeof(last), "%s", n > 2 ? text + 2 : "");
	}
	last[strcspn(last, "\n")] = '\0';
	if (last[0])
		return err_set(e, code, "%s (%s)", doing, last);
	return err_set(e, code, "%s", doing);
}

static int set_layer_fd(int fs, const char *key, int fd)
{
	return fsconfig(fs, FSCONFIG_SET_FD, key, NULL, fd) < 0 ? -errno : 0;
}

static int set_layer_path(int fs, const char *key, const char *path)
{
	return fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0) < 0 ? -errno : 0;
}

static const char stage[] = "/tmp", stage_lower[] = "/tmp/lower", stage_top[] = "/tmp/top";

/* What follows runs in the caller (by descriptor) or in the child (by path). */
static int mount_overlay(const struct overlay *o, const struct layers *l, enum overlay_how how,
			 struct err *e)
{
	own_fd int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	unsigned int attrs = o->readonly ? MOUNT_ATTR_RDONLY : 0;
	struct creds was;
	int r, mnt;

	if (fs < 0)
		return err_set(e, -errno, "open file system overlay");
	if (how == OVERLAY_BY_FD) {
		r = set_layer_fd(fs, "lowerdir+", l->lower);
		if (r == 0)
			r = set_layer_fd(fs, "upperdir", l->upper);
		if (r == 0)
			r = set_layer_fd(fs, "workdir", l->work);
	} else {
		r = set_layer_path(fs, "lowerdir", stage_lower);
		if (r == 0)
			r = set_layer_path(fs, "upperdir", "/tmp/top/upper");
		if (r == 0)
			r = set_layer_path(fs, "workdir", "/tmp/top/work");
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(options); i++)
		r = set_layer_path(fs, options[i].key, options[i].value);
	if (r == 0)
		r = set_layer_path(fs, "source", "ctr");
	if (r < 0)
		return fail_fs(fs, r, "configure overlay", e);
	r = creds_enter(o, &was);
	if (r == 0 && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		r = -errno;
	creds_leave(&was);
	if (r < 0)
		return fail_fs(fs, r, "mount overlay", e);
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, attrs);
	return mnt < 0 ? fail_fs(fs, -errno, "mount overlay", e) : mnt;
}

static int attach(int tree, const char *path)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	return move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

static int stage_layers(const struct layers *l, struct err *e)
{
	int r;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(e, -errno, "make mounts private");
	/* /tmp is there on any system; what it held stays below, unseen by us only. Guest root's
	 * ids must be able to walk it, hence 0711. */
	if (mount("tmpfs", stage, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0711,size=64k") < 0)
		return err_set(e, -errno, "mount a tmpfs on '%s'", stage);
	r = attach(l->lower, stage_lower);
	if (r == 0)
		r = attach(l->top, stage_top);
	return r < 0 ? err_set(e, r, "attach the layers") : 0;
}

static void child_by_path(const struct overlay *o, const struct layers *l, int sock)
{
	struct err e = { 0 };
	int mnt = stage_layers(l, &e);

	if (mnt == 0)
		mnt = mount_overlay(o, l, OVERLAY_BY_PATH, &e);
	/* When the parent is gone, so is the mount with our descriptor. */
	(void)fd_send(sock, &e, sizeof(e), mnt >= 0 ? &mnt : NULL, mnt >= 0 ? 1 : 0);
	_exit(0);
}

static int mount_by_path(const struct overlay *o, const struct layers *l, struct err *e)
{
	struct clone_args args = { .flags = CLONE_NEWNS, .exit_signal = SIGCHLD };
	struct err report = { 0 };
	own_fd int ours = -EBADF, theirs = -EBADF, mnt = -EBADF;
	int pair[2];
	ssize_t n;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, -errno, "make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	pid = sys_clone3(&args);
	if (pid < 0)
		return err_set(e, pid, "start a child with its own mounts");
	if (pid == 0) {
		(void)close(ours);
		child_by_path(o, l, theirs);
	}
	close_fd(&theirs);
	n = fd_recv(ours, &report, sizeof(report), &mnt, 1);
	(void)TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0)); /* what it had to say came by the socket */
	if (n < 0)
		return err_set(e, (int)n, "hear from the child that mounts");
	if (n != (ssize_t)sizeof(report))
		return err_say(e, -EIO, "the child that mounts the overlay was killed");
	if (report.code < 0) {
		if (e)
			*e = report;
		return report.code;
	}
	return mnt < 0 ? err_say(e, -EIO, "the child sent no mount") : take_fd(&mnt);
}

int overlay_open_by(const struct overlay *o, enum overlay_how how, struct err *e)
{
	own_layers struct layers l = { -EBADF, -EBADF, -EBADF, -EBADF };
	int r = layers_open(o, &l, e);

	if (r < 0)
		return r;
	return how == OVERLAY_BY_FD ? mount_overlay(o, &l, how, e) : mount_by_path(o, &l, e);
}

int overlay_open(const struct overlay *o, struct err *e)
{
	own_layers struct layers l = { -EBADF, -EBADF, -EBADF, -EBADF };
	int r = layers_open(o, &l, e);

	if (r < 0)
		return r;
	r = mount_overlay(o, &l, OVERLAY_BY_FD, NULL);
	/* Kernels without it say EINVAL or EBADF, depending on the version: any failure is tried
	 * the other way, and the message is the one of the way that works everywhere. */
	return r < 0 ? mount_by_path(o, &l, e) : r;
}

int overlay_check(const struct overlay *o, struct err *e)
{
	int r = refuse_stacked(o, e);

	if (r < 0)
		return r;
	r = is_shifted(o, e);
	if (r < 0 || o->userns < 0)
		return r < 0 ? r : 0;
	if (r == 0) {
		r = feat_idmap(o->partition);
		if (r == 0)
			return refuse_idmap(o->partition, "partition", e);
	}
	if (r >= 0)
		r = feat_idmap(o->lower);
	if (r == 0)
		return refuse_idmap(o->lower, "template", e);
	return r < 0 ? err_set(e, r, "try an id-mapped mount") : 0;
}
