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
 */
#ifndef CTR_NAMESPACES_MOUNT_MOUNT_H
#define CTR_NAMESPACES_MOUNT_MOUNT_H

#include "base/err.h"
#include "base/value.h"
#include "namespaces/mount/options.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** One planned mount. */
struct mnt {
	const char *target; /* absolute, as seen in the container */
	const char *source; /* bind: a path on the host; else what mountinfo shows */
	const char *type;   /* file system; ignored for a bind */
	struct mnt_options opt;
	int tree; /* a detached mount that the parent made or opened; -EBADF: the child makes it */
	bool source_is_dir;
};

/** mnt_open_source() - parent side of a bind: clone the source tree, detached, and give it its
 * attributes. Fills ->tree and ->source_is_dir. No-op for file systems. */
int mnt_open_source(struct mnt *m, struct err *e);
/** mnt_idmap() - map a detached tree to user namespace @userns */
int mnt_idmap(int tree, int userns, bool recursive, struct err *e);
/** mnt_new_fs() - a new file system instance as a detached mount. The kernel's own words about a
 * bad option are in the message. Return: mount descriptor or -errno. */
int mnt_new_fs(const char *type, const char *source, const struct strv *data, uint64_t attrs,
	       struct err *e);
/** mnt_attach() - put detached mount @tree on @target beneath @rootfd; makes the target */
int mnt_attach(int tree, int rootfd, const char *target, bool is_dir, struct err *e);
/** mnt_apply() - child side: make or take the mount and attach it */
int mnt_apply(int rootfd, const struct mnt *m, struct err *e);

/** mnt_isolate() - nothing that we mount or unmount from here on propagates to the host */
int mnt_isolate(struct err *e);
/** mnt_enter_root() - attach the detached root @tree over "/" of our mount namespace.
 * After this @tree is the root descriptor for every look-up; mnt_pivot() makes it "/". */
int mnt_enter_root(int tree, struct err *e);
/** mnt_pivot() - make the root at @rootfd "/", drop everything of before, chdir to it */
int mnt_pivot(int rootfd, struct err *e);
/** mnt_chroot() - the weaker way, for a host whose own root is an initramfs, which cannot be
 * pivoted away from: pivot_root(2) "NOTES" */
int mnt_chroot(int rootfd, struct err *e);
/** mnt_set_root() - final attributes of "/": read-only, propagation (MS_*, 0 = private) */
int mnt_set_root(bool readonly, uint64_t propagation, struct err *e);

/** mnt_masked() - cover @paths: a file by /dev/null, a directory by an empty read-only one.
 * Paths that do not exist are skipped. Before mnt_pivot(): the null device is the host's. */
int mnt_masked(int rootfd, const struct strv *paths, struct err *e);
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
/** dev_make() - mknod (needs the right over devices: no user namespace). The mode is as given
 * when the umask is 0; a node that exists must be of the same device and keeps its mode. */
int dev_make(int rootfd, const struct dev_node *node, struct err *e);
/** dev_prepare() - parent side, for a container in a user namespace: the tmpfs @m that will be its
 * /dev, with @nodes in it. The child could not make device nodes, and the host's own would be
 * nobody's inside. Owner of the directory: @uid, @gid. Fills ->tree. */
int dev_prepare(struct mnt *m, const struct dev_node *nodes, size_t count, uid_t uid, gid_t gid,
		struct err *e);
/** dev_links() - /dev/fd, /dev/stdin, /dev/ptmx, ...; what exists stays */
int dev_links(int rootfd, struct err *e);
/** dev_pty() - a pty of the devpts instance at /dev/pts beneath @rootfd, its terminal owned by
 * @uid. Return: 0 with both ends (O_CLOEXEC). */
int dev_pty(int rootfd, uid_t uid, int *ret_master, int *ret_slave, struct err *e);
/** dev_console() - the same, and bound on /dev/console */
int dev_console(int rootfd, uid_t uid, int *ret_master, int *ret_slave, struct err *e);

#endif
