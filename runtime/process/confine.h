/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process of a container, from its OCI description to execve: who it is, what it may do, and
 * where it starts. Shared by a container's init and by exec, so that both are confined alike.
 *
 * DOC: the order matters (runtime-spec, capabilities(7), seccomp(2)):
 *   rlimits, oom score     by the parent, on the child's pid: they may need rights it has not got
 *   no_new_privs           before anything that could be undone by a setuid binary
 *   bounding set           needs CAP_SETPCAP, so while still root
 *   seccomp, if no no_new_privs: loading needs CAP_SYS_ADMIN, so before capabilities go
 *   gids, uid, capabilities
 *   seccomp otherwise, as the last act before execve
 */
#ifndef CTR_RUNTIME_PROCESS_CONFINE_H
#define CTR_RUNTIME_PROCESS_CONFINE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/value.h"
#include "runtime/process/caps.h"
#include "runtime/process/seccomp.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct spec_process;
struct spec_seccomp;

struct confine_rlimit {
	int resource;
	const char *name;
	struct rlimit limit;
};

struct confine {
	char **argv, **envp; /* NULL-terminated */
	char **candidates;   /* paths to try for argv[0], NULL-terminated: PATH is resolved */
	const char *cwd;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t group_count;
	mode_t umask;
	bool has_umask;
	struct caps caps;
	bool no_new_privs;
	bool has_seccomp;
	struct seccomp_filter seccomp;
	struct confine_rlimit *rlimits;
	size_t rlimit_count;
	bool has_oom_score;
	int oom_score_adj;
	bool terminal;
	unsigned short rows, columns; /* 0: not given */
};

/** confine_plan() - from the OCI process. Does not compile seccomp. Pure. */
int confine_plan(const struct spec_process *process, struct arena *arena, struct confine *ret,
		 struct err *e);
/** confine_parent() - parent side: rlimits and oom score of child @pid */
int confine_parent(const struct confine *c, pid_t pid, struct err *e);
/** confine_find() - child side, in the container's root: the candidate that would be executed.
 * Return: index; -ENOENT ("executable file not found in $PATH") or -EACCES, in words. */
int confine_find(const struct confine *c, struct err *e);
/** confine_apply() - child side: everything up to and without the filter that comes last */
int confine_apply(const struct confine *c, struct err *e);
/** confine_exec() - child side: the last filter and execve. Returns only on failure: -errno, with
 * the reason in words (interpreter, loader, architecture, mode, noexec). */
int confine_exec(const struct confine *c, int candidate, struct err *e);

#endif
