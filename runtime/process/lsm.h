/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor profile and SELinux label of one process, and the session keyring beside them.
 *
 * DOC: both take effect at the next execve: the process writes what it wants to a file of its own
 * beneath /proc/thread-self/attr. It opens the file as its first act, while /proc is still the
 * host's: a container's /proc is what its bundle made of it, and a write that lands elsewhere would
 * leave the process unconfined (CVE-2019-16884, CVE-2025-52881).
 */
#ifndef CTR_RUNTIME_PROCESS_LSM_H
#define CTR_RUNTIME_PROCESS_LSM_H

#include "base/err.h"

struct spec_process;

/** What to become; NULL: as it is. */
struct lsm {
	const char *apparmor, *selinux;
};

/** lsm_plan() - from the OCI process. Pure. Without AppArmor "unconfined" is no wish. */
struct lsm lsm_plan(const struct spec_process *process);
/** lsm_check() - does this host enforce what is asked for? -ENOTSUP by name when it does not */
int lsm_check(const struct lsm *lsm, struct err *e);

/** The files of the process, or -EBADF. */
struct lsm_files {
	int apparmor, selinux, keys;
};
#define LSM_FILES_EMPTY                \
	{                              \
		-EBADF, -EBADF, -EBADF \
	}
/** lsm_open() - child side, with the host's /proc: the files that @lsm needs */
int lsm_open(const struct lsm *lsm, struct lsm_files *ret, struct err *e);
/** lsm_join_keys() - child side: the session keyring of container @id, made when it is not there,
 * with the label of its processes. A kernel that gives us none is no failure. */
int lsm_join_keys(const struct lsm *lsm, const struct lsm_files *files, const char *id,
		  struct err *e);
/** lsm_apply() - child side: become it at the next execve; closes the files */
int lsm_apply(const struct lsm *lsm, struct lsm_files *files, struct err *e);
void lsm_files_done(struct lsm_files *files);
#define own_lsm_files __attribute__((cleanup(lsm_files_done)))

#endif
