/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process of a container, from its OCI description to execve: who it is, what it may do, and
 * where it starts. Shared by a container's init and by exec, so that both are confined alike.
 *
 * DOC: the order matters (runtime-spec, capabilities(7), seccomp(2)):
 *   rlimits, oom score     by the parent, on the child's pid: they may need rights it has not got
 *   stdio, HOME, cwd       while still root
 *   scheduling, personality: a filter may forbid the calls
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
#include "runtime/process/lsm.h"
#include "runtime/process/sched.h"
#include "runtime/process/seccomp.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct spec;
struct spec_process;

struct confine_rlimit {
	int resource;
	const char *name;
	struct rlimit limit;
};

struct confine {
	char **argv, **envp; /* NULL-terminated */
	char **home;	     /* where in envp the child puts HOME; NULL: it is given */
	char **candidates;   /* paths to try for argv[0], NULL-terminated: PATH is resolved */
	const char *cwd;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t group_count;
	bool keep_groups; /* those of the caller, run.oci.keep_original_groups */
	mode_t umask;
	bool has_umask;
	struct caps caps;
	const char *ungranted; /* what was asked for beyond them, in words; NULL: nothing */
	struct sched sched;
	struct lsm lsm;
	bool has_personality;
	unsigned long personality;
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

/** confine_parent() - parent side: rlimits and, unless it was lent, oom score of child @pid */
int confine_parent(const struct confine *c, pid_t pid, bool lent, struct err *e);
/** confine_lend_oom_score() - before the child is cloned, for an ordinary user: take its oom score
 * ourselves, so that it is born with it. The files in /proc of a process that is undumpable are
 * root's. A score below ours stays away from a user, as from every runtime. */
struct confine_score {
	char before[16]; /* empty: unchanged */
};
int confine_lend_oom_score(const struct confine *c, struct confine_score *ret, struct err *e);
void confine_restore_oom_score(const struct confine_score *score);
/** confine_plan() - from the OCI process, and what its container's config says about every process
 * (@spec, may be NULL). Does not compile seccomp. Pure, but for our own capabilities: what we have
 * not got is left out, as the runtime-spec wants it, and told in ->ungranted. */
int confine_plan(const struct spec_process *process, const struct spec *spec, struct arena *arena,
		 struct confine *ret, struct err *e);
/** confine_find() - child side, in the container's root: the candidate that would be executed.
 * Return: index; -ENOENT ("executable file not found in $PATH") or -EACCES, in words. */
int confine_find(const struct confine *c, struct err *e);
/** confine_apply() - child side: everything up to and without the filter that comes last */
int confine_apply(const struct confine *c, int sock, struct err *e);
/** confine_seal() - child side: the filter that comes last, if there is one */
int confine_seal(const struct confine *c, int sock, struct err *e);
/** confine_exec() - child side: execve. Returns only on failure: -errno, with the reason in words
 * (interpreter, loader, architecture, mode, noexec). */
int confine_exec(const struct confine *c, int candidate, struct err *e);

#endif
