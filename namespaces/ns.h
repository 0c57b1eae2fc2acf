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
 *           child as its first act, user namespace first (namespaces(7)).
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
 * @cgroup_fd: -EBADF for none. @join: its pid and time namespaces are entered for the child.
 * Return: in the parent the child's pid, with *ret_pidfd; 0 in the child, which must call
 * ns_enter() first; -errno.
 */
pid_t ns_spawn(const struct ns_set *set, const struct ns_join *join, int cgroup_fd, int *ret_pidfd,
	       struct err *e);
/** ns_enter() - child side: setns into the other joined ones, user namespace first */
int ns_enter(const struct ns_join *join, struct err *e);
/** ns_write_id_maps() - parent side, before the child uses its user namespace */
int ns_write_id_maps(pid_t pid, const struct ns_set *set, struct err *e);
/** ns_become_root() - child side: uid and gid 0 of the user namespace, no supplementary groups */
int ns_become_root(struct err *e);
/** ns_open() - /proc/PID/ns/KIND. Return: fd or -errno. */
int ns_open(pid_t pid, enum ns_kind kind, struct err *e);
/** ns_enter_all() - enter all namespaces of the process behind @pidfd that differ from ours, by
 * one setns(2). The pid namespace takes effect for children. Become undumpable first. */
int ns_enter_all(int pidfd, pid_t pid, struct err *e);

#endif
