/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces of a process: which are new, which are joined, in what order, and their id maps.
 *
 * DOC: one clone3(2) makes all new namespaces at once. Three cannot be made there:
 *   cgroup  its root must be the cgroup of the container, and on a host with v1 hierarchies the
 *           process is moved there after the clone, so the child unshares it when told to go on;
 *   time    offsets can be written only before the first process enters, so the parent unshares
 *           it for its children, writes them, clones, and returns to its own (time_namespaces(7));
 *   joined  pid and time namespaces are entered by the parent for its children, the others by the
 *           child as its first act (namespaces(7)).
 * All of that takes rights over the namespaces that the runtime is in. Where it has none (an
 * ordinary user), or could not come back (root of a user namespace), and where new namespaces shall
 * belong to a user namespace that is joined, an usher goes first: a process that enters the user
 * namespace, prepares what only its root may, and clones the child there as its own sibling
 * (usher.c). The id maps are written before that.
 */
#ifndef CTR_NAMESPACES_NS_H
#define CTR_NAMESPACES_NS_H

#include "base/err.h"
#include "base/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* In the order in which a process enters them: user first, for the rights in the others; mount
 * and pid last, because paths and /proc are needed until then. */
enum ns_kind { NS_USER, NS_CGROUP, NS_IPC, NS_UTS, NS_NET, NS_TIME, NS_PID, NS_MOUNT, NS_KINDS };

struct ns_facts {
	const char *oci;  /* runtime-spec config-linux.md "Namespaces" */
	const char *proc; /* name in /proc/PID/ns */
	uint64_t flag;	  /* CLONE_NEW* */
};
extern const struct ns_facts ns_table[NS_KINDS];
/** ns_names - OCI name to enum ns_kind, for the JSON tables */
extern const struct name ns_names[];

struct id_map {
	uint32_t inside, outside, count;
};

struct time_offset {
	int64_t secs;
	uint32_t nanosecs;
	bool set;
};

struct ns_set {
	bool create[NS_KINDS];
	const char *path[NS_KINDS]; /* join this one instead; NULL: stay where the runtime is */
	const struct id_map *uid_maps, *gid_maps;
	size_t uid_map_count, gid_map_count;
	struct time_offset monotonic, boottime;
	bool usher;	  /* needed: see the DOC block */
	bool keep_groups; /* the supplementary ones of the caller, in a user namespace too */
};

/** struct ns_join - the namespaces that are joined by path, opened and checked */
struct ns_join {
	int fd[NS_KINDS]; /* -EBADF: not joined */
};
/** ns_join_open() - open every path of @set: -EINVAL when it is not a namespace of that kind.
 * Never blocks, whatever the path is. */
int ns_join_open(const struct ns_set *set, struct ns_join *ret, struct err *e);
void ns_join_done(struct ns_join *join);
#define own_ns_join __attribute__((cleanup(ns_join_done)))

/**
 * ns_spawn() - clone3 into the new namespaces of @set and the cgroup directory @cgroup_fd
 * @cgroup_fd: -EBADF for none. @join: its pid and time namespaces are entered for the child; with
 * an usher all of them are, the id maps are written, and the child's copy is empty.
 * Return: in the parent the child's pid, with *ret_pidfd; 0 in the child, which must call
 * ns_enter() first; -errno.
 */
pid_t ns_spawn(const struct ns_set *set, struct ns_join *join, int cgroup_fd, int *ret_pidfd,
	       struct err *e);
/** ns_needs_usher() - would we not come back from a pid or time namespace that we enter for our
 * children? So it is for who is not root of the host: of a user namespace only, or not at all. */
bool ns_needs_usher(void);
/** ns_spawn_in() - clone into all namespaces of process @target_pid, behind @target, by an usher:
 * for who may not enter them for its children. Return: as ns_spawn(). */
pid_t ns_spawn_in(int target, pid_t target_pid, int cgroup_fd, int *ret_pidfd, struct err *e);
/** ns_enter() - child side: setns into the other joined ones, user namespace first if need be */
int ns_enter(const struct ns_join *join, struct err *e);
/** ns_write_id_maps() - parent side, before the child uses its user namespace: directly, or by
 * newuidmap and newgidmap for an ordinary user who maps more than its own id */
int ns_write_id_maps(pid_t pid, const struct ns_set *set, struct err *e);
/** ns_denies_groups() - will the new user namespace of @set deny setgroups(2)? It is what an
 * ordinary user pays for mapping its own id alone. */
bool ns_denies_groups(const struct ns_set *set);
/** ns_check_id_maps() - of a joined user namespace: are the maps of @set, if it has any but the
 * single 0:0:1 that stands for none, those that @pid in it has? */
int ns_check_id_maps(pid_t pid, const struct ns_set *set, struct err *e);
/** ns_map_open() - a user namespace that nobody is in, for id-mapped mounts. The process that it
 * took to make it has ended. Return: fd or -errno. */
int ns_map_open(const struct id_map *uids, size_t uid_count, const struct id_map *gids,
		size_t gid_count, struct err *e);
/** ns_locked_mounts() - a copy of our mount namespace that belongs to another user namespace: the
 * flags of its mounts can be added to, not taken away, nor those of their clones
 * (mount_namespaces(7) "Restrictions on mount namespaces"). Return: fd or -errno. */
int ns_locked_mounts(struct err *e);
/** ns_become_root() - child side: uid and gid 0 of the user namespace, and no supplementary groups
 * unless @keep_groups */
int ns_become_root(bool keep_groups, struct err *e);
/** ns_open() - /proc/PID/ns/KIND. Return: fd or -errno. */
int ns_open(pid_t pid, enum ns_kind kind, struct err *e);
/** ns_enter_all() - enter all namespaces of the process behind @pidfd that differ from ours, by
 * one setns(2). The pid namespace takes effect for children. Become undumpable first. */
int ns_enter_all(int pidfd, pid_t pid, struct err *e);

#endif
