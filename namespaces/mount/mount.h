/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts of a container, by the descriptor-based API (fsopen(2), open_tree(2), mount_setattr(2),
 * move_mount(2)): a source is a detached mount that nobody else can see or redirect, and a target
 * is a descriptor that was looked up beneath the container's root.
 *
 * DOC: two sides. The parent opens what comes from the host (mnt_open_source: bind trees, in the
 * host's mount namespace and with the host's rights); the child, which may be root of a user
 * namespace only, makes file systems that belong to its namespaces and attaches everything. The
 * child's mount namespace starts as a copy of the host's; the new root goes on top of "/" there,
 * everything is assembled beneath it by descriptor, and pivot_root then drops the copy.
 *
 * What the kernel refuses to a namespace that does not own what the mount would show (proc and
 * the pid namespace, sysfs and the network namespace, mqueue and the ipc namespace) is taken from
 * the host instead, where the plan names such a fallback.
 */
#ifndef CTR_NAMESPACES_MOUNT_MOUNT_H
#define CTR_NAMESPACES_MOUNT_MOUNT_H

#include "base/err.h"
#include "base/value.h"
#include "namespaces/mount/options.h"
#include "namespaces/ns.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** One planned mount. */
struct mnt {
	const char *target; /* absolute, as seen in the container */
	const char *source; /* bind: a path on the host; else what mountinfo shows */
	const char *inside; /* bind: the source is this path of the container's own root */
	const char *type;   /* file system; ignored for a bind */
	struct mnt_options opt;
	const char *label;    /* "context=\"...\"": for the file systems that take one */
	const char *fallback; /* the host's mount to bind where a new one is refused */
	uint64_t inherited;   /* propagation of what comes from the host, before the options' own */
	bool locked;	      /* the container has a user namespace */
	bool own_cgroup;      /* cgroup: the container has a cgroup namespace */
	const char *cgroup;   /* cgroup: the container's path on the host */
	const struct id_map *uid_maps, *gid_maps; /* of an id-mapped bind, if it has its own */
	size_t uid_map_count, gid_map_count;
	int tree; /* a detached mount that the parent made or opened; -EBADF: the child makes it */
	int userns; /* the user namespace that says how ->inside is id-mapped; -EBADF: none */
	bool source_is_dir;
	bool late_ro; /* made read-only by mnt_finish(), when all is in it */
};

/** mnt_open_source() - parent side of a bind: clone the source tree, detached, and give it its
 * attributes. Fills ->tree and ->source_is_dir. No-op for file systems, and for a source inside. */
int mnt_open_source(struct mnt *m, struct err *e);
/** mnt_open_alone() - the same where mnt_open_source() gave -EINVAL: one mount without those on it,
 * which a namespace that has them locked does not part with. From our own, whose flags are not
 * locked: -EPERM when there are some to keep. */
int mnt_open_alone(struct mnt *m, struct err *e);
/** mnt_open_inside() - child side of a bind whose source is in the root: the same, mapped with
 * ->userns if it has one. Done by mnt_apply() where it was not before. */
int mnt_open_inside(int rootfd, struct mnt *m, struct err *e);
/** mnt_needs_mapping() - must the parent map what the child opens? Only a user namespace that has
 * made a mount can clone it, and only the host's root can map it. Pure. */
bool mnt_needs_mapping(const struct mnt *m);
/** mnt_idmap() - map a detached tree to user namespace @userns */
int mnt_idmap(int tree, int userns, bool recursive, struct err *e);
/** mnt_new_fs() - a new file system instance as a detached mount. The kernel's own words about a
 * bad option are in the message. Return: mount descriptor or -errno. */
int mnt_new_fs(const char *type, const char *source, const struct strv *data, uint64_t attrs,
	       struct err *e);
/** mnt_attach() - put detached mount @tree on @target beneath @rootfd; makes the target */
int mnt_attach(int tree, int rootfd, const char *target, bool is_dir, struct err *e);
/** mnt_apply() - child side: make or take the mount and attach it */
int mnt_apply(int rootfd, struct mnt *m, struct err *e);
/** mnt_finish() - child side, after everything that writes into it: "ro" of a tmpfs or of /dev */
int mnt_finish(const struct mnt *m, struct err *e);
/** mnt_target_allowed() - may a mount go on @path of the container? Not on its root; on /proc only
 * procfs (@is_proc), and beneath it only the files that lxcfs and its kin replace. Pure. */
int mnt_target_allowed(const char *path, bool is_proc, struct err *e);

/** mnt_cgroup() - a "cgroup" mount @m on the directory @at, which is @m's target: cgroup2, or on a
 * host with v1 hierarchies a tmpfs with a directory of each */
int mnt_cgroup(int at, const struct mnt *m, struct err *e);
/** mnt_copy_up() - copy what is in directory @from into directory @to. @lenient: owners and
 * attributes that this user namespace cannot give are left out. */
int mnt_copy_up(int from, int to, bool lenient, struct err *e);

/** mnt_isolate() - nothing that we mount or unmount from here on propagates to the host
 * @receive: what the host mounts may still come in, until the root is ours */
int mnt_isolate(bool receive, struct err *e);
/** mnt_enter_root() - attach the detached root @tree in our mount namespace: at @path, where hooks
 * of the container expect it with all its mounts, or over "/" where we cannot get to that.
 * @inherited: propagation of the mounts that are in it already. After this @tree is the root
 * descriptor for every look-up; mnt_pivot() makes it "/". */
int mnt_enter_root(int tree, const char *path, uint64_t inherited, struct err *e);
/** mnt_share_root() - the same for a container that has no mount namespace of its own: at @path and
 * nowhere else, and only mnt_chroot() may follow, for everything else here is the host's.
 * mnt_id() names @tree, mnt_detach() takes it and all above it away again. */
int mnt_share_root(int tree, const char *path, struct err *e);
/** mnt_id() - a name of the mount behind @fd that no other has: statx(2) STATX_MNT_ID_UNIQUE, or
 * the id of mountinfo, which the kernel may give again, before Linux 6.8 */
int mnt_id(int fd, uint64_t *ret, struct err *e);
/** mnt_detach() - unmount @path if mount @id is on it; 0 when another or none is */
int mnt_detach(const char *path, uint64_t id, struct err *e);
/** mnt_pivot() - make the root at @rootfd "/", drop everything of before, chdir to it */
int mnt_pivot(int rootfd, struct err *e);
/** mnt_chroot() - the weaker way, for a host whose own root is an initramfs, which cannot be
 * pivoted away from (pivot_root(2) "NOTES"), and for a mount namespace that is the host's.
 * @drop_host: take the host's procfs and sysfs away first, in a namespace of our own */
int mnt_chroot(int rootfd, bool drop_host, struct err *e);
/** mnt_set_root() - final attributes of "/": read-only, propagation (MS_*, 0 = leave) */
int mnt_set_root(bool readonly, uint64_t propagation, struct err *e);

/** mnt_masked() - cover @paths: a file by /dev/null, a directory by an empty read-only one.
 * Paths that do not exist are skipped. Before mnt_pivot(): the null device is the host's.
 * @label: of the empty one, as in struct mnt. */
int mnt_masked(int rootfd, const struct strv *paths, const char *label, struct err *e);
/** mnt_empty_dir() - a new empty read-only directory, as a detached mount. Return: fd or -errno */
int mnt_empty_dir(const char *label, struct err *e);
/** mnt_readonly() - make @paths read-only where they are; missing ones are skipped */
int mnt_readonly(int rootfd, const struct strv *paths, struct err *e);

/** A device node to make. */
struct dev_node {
	const char *path; /* "/dev/null" */
	mode_t type;	  /* S_IFCHR, S_IFBLK, S_IFIFO */
	uint32_t major, minor;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};
/** dev_defaults - the nodes of config-linux.md "Default Devices" */
extern const struct dev_node dev_defaults[];
extern const size_t dev_default_count;
/** dev_make() - mknod; the mode is as given when the umask is 0. A node that exists must be of the
 * same device and stays as it is. Where the kernel refuses (a user namespace, a capability that
 * the host took away), the host's own node is bound instead. */
int dev_make(int rootfd, const struct dev_node *node, struct err *e);
/** dev_is_on() - does @node lie on mount @m? Pure. */
bool dev_is_on(const struct mnt *m, const struct dev_node *node);
/** dev_prepare() - parent side, for a container in a user namespace: the tmpfs @m that will be its
 * /dev, with those of @nodes that lie on it. The child could not make device nodes, and the host's
 * own would be nobody's inside. Owner of the directory: @uid, @gid. Fills ->tree. Return: 0; -EPERM
 * when this process may not make nodes either. */
int dev_prepare(struct mnt *m, const struct dev_node *nodes, size_t count, uid_t uid, gid_t gid,
		struct err *e);
/** dev_links() - /dev/fd, /dev/stdin, /dev/ptmx, ...; what exists stays, but for a ptmx that is
 * not the container's own */
int dev_links(int rootfd, struct err *e);
/** dev_pty() - a pty of the devpts instance at /dev/pts beneath @rootfd, its terminal owned by
 * @uid. Return: 0 with both ends (O_CLOEXEC). */
int dev_pty(int rootfd, uid_t uid, int *ret_master, int *ret_slave, struct err *e);
/** dev_console() - the same, and bound on /dev/console */
int dev_console(int rootfd, uid_t uid, int *ret_master, int *ret_slave, struct err *e);

#endif
