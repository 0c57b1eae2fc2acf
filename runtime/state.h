/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runtime state: what a later command must know of a container to finish, use or undo it.
 *
 * DOC: RUN (mode 0700) holds
 *   ID/state.json      struct state, replaced atomically
 *   ID/config.json     the OCI config as it was started, for exec
 *   ID/partition.json  of a partition: its config as it was started, for undo and `set`
 *   ID/gate            of an OCI container in `created`: the socket at which init waits
 *   .ID.lock           flock of whoever changes ID; the kernel drops it with its holder
 *   .net/ .cache/      shared network records; compiled seccomp filters
 * Nothing here need survive a reboot: a state whose boot id is another's has no processes.
 * The file is written with status `creating` before the first thing is made on the host, and
 * names all of it; so whoever holds the lock and finds `creating` knows that the writer died.
 */
#ifndef CTR_RUNTIME_STATE_H
#define CTR_RUNTIME_STATE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/proc.h"
#include "base/value.h"
#include "cgroups/cg.h"
#include "runtime/container.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum state_phase { STATE_CREATING, STATE_CREATED, STATE_RUNNING };

struct state {
	uint32_t version;
	char *id, *oci_version;
	uint32_t phase; /* enum state_phase: what was last written; see state_status() */
	bool partition;
	uint64_t pid, starttime;
	char *boot_id;
	char *bundle, *rootfs;
	uint32_t driver;     /* enum cg_driver */
	char *unit;	     /* with systemd: the scope */
	char *cgroup_path;   /* NULL: it has no cgroup of its own, or none yet */
	bool keyring;	     /* its processes have a session keyring of their own */
	bool network;	     /* net_apply() may have been called */
	uint64_t root_mount; /* mnt_id() of a root that is mounted in our own mount namespace */
	bool hooks;	     /* config.json beside it names some */
	uint32_t id_base;    /* 0: no user namespace of its own */
	uint64_t created_ms, started_ms;
	struct strmap annotations;
};

/** state_open() - the run directory, made when missing. NULL: this user has none, -EINVAL with what
 * to do. Return: fd or -errno. */
int state_open(const char *run, struct err *e);
/** state_check_id() - -EINVAL unless text_is_id() */
int state_check_id(const char *id, struct err *e);
/** state_lock() - the exclusive lock of @id; waits for a running command. Return: fd or -errno. */
int state_lock(int run, const char *id, struct err *e);
/** state_unlock_forget() - remove the lock file of an id that has no state any more, then unlock;
 * the lock must be held */
void state_unlock_forget(int run, const char *id, int *lock);
int state_load(int run, const char *id, struct arena *arena, struct state *ret, struct err *e);
int state_save(int run, const struct state *state, struct err *e);
/** state_save_json(), state_load_json() - the other files of ID/ */
int state_save_json(int run, const char *id, const char *name, const json_t *doc, struct err *e);
int state_load_json(int run, const char *id, const char *name, json_t **ret, struct err *e);
/** state_dir() - RUN/ID, made when @create. Return: fd or -errno. */
int state_dir(int run, const char *id, bool create, struct err *e);
/** state_remove() - RUN/ID and all in it; 0 when it is not there */
int state_remove(int run, const char *id, struct err *e);
/** state_list() - every id with a RUN/ID directory, sorted */
int state_list(int run, struct arena *arena, struct strv *ret, struct err *e);
/** state_to_oci() - as hooks and agents are told it (runtime-spec runtime.md "State"), with init's
 * @pid as they see it. Return: new reference or NULL on ENOMEM. */
json_t *state_to_oci(const struct state *state, const char *status, pid_t pid);
/** state_proc() - pidfd of init, or -ESRCH when it has ended or was of another boot */
int state_proc(const struct state *state);

#endif
