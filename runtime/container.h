/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers and partitions: every operation that a verb of the command performs.
 *
 * DOC: a *container* is what the engine runs: an OCI bundle with runtime state in RUN/ID/. A
 * *partition* is a container that ctr also owns on disk: STORE/partitions/ID/ holds its config,
 * its writable layer and the bundle made from them. One engine runs both; an operation that says
 * "container" accepts partitions too.
 *
 * Every operation that changes something takes the lock of the id, then heals what a killed
 * predecessor left (state_recover()), then works; so a caller never has to clean up first.
 */
#ifndef CTR_RUNTIME_CONTAINER_H
#define CTR_RUNTIME_CONTAINER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/value.h"
#include "cgroups/cg.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct config;

/** Where a command works, from the global options and the environment. */
struct ctr_env {
	const char *run;   /* runtime state: "/run/ctr", gone after a reboot (--root); NULL: none */
	const char *store; /* partitions, templates, leases: "/var/lib/ctr" (--store) */
	/* What went wrong and stops nothing, such as a hook at a container's end. May be NULL. */
	void (*warn)(void *arg, const struct err *why);
	/* What has just been done, for --debug; NULL: nobody wants to know. */
	void (*debug)(void *arg, const char *what);
	void *warn_arg;
	const char
		*notify_socket;	 /* of the service manager that started us: sd_notify(3); or NULL */
	unsigned int listen_fds; /* sockets that it gave us, from descriptor 3: sd_listen_fds(3) */
};

enum ctr_status {
	CTR_CREATING, /* somebody is at work, or was killed at it: the next command heals it */
	CTR_CREATED,  /* set up, waiting for start */
	CTR_RUNNING,
	CTR_PAUSED,
	CTR_STOPPED, /* no process; for a partition the ordinary state of rest */
	CTR_STATUSES
};
/** ctr_status_name() - "running" */
const char *ctr_status_name(enum ctr_status status);

/** One line of `list`, and the source of `state`. */
struct ctr_info {
	const char *id;
	enum ctr_status status;
	bool is_partition;
	pid_t pid; /* of init in our pid namespace; 0 when stopped */
	const char *bundle, *rootfs, *template, *hostname;
	const char *cgroup_path;
	struct strv addresses; /* with prefix, of all interfaces */
	uint64_t created_ms;   /* since the epoch */
	uint64_t started_ms;   /* 0: never in this boot */
	uint32_t id_base;      /* first host id; 0: no user namespace of its own */
	int exit_status;       /* of the last run; -1: not known */
	const char *problem;   /* why this entry cannot be read; NULL when all is well */
	struct strmap annotations;
};

/** May a container that needs no limits go without a cgroup, where none can be had? AUTO: when we
 * are an ordinary user, or root of a user namespace only. */
enum ctr_rootless { ROOTLESS_AUTO, ROOTLESS_TRUE, ROOTLESS_FALSE };

struct create_opts {
	const char *bundle;   /* OCI: directory of config.json */
	const char *config;   /* partition: config file */
	const char *template; /* partition without a config file */
	struct strv set;      /* partition: "memory.limit=1G" over the config */
	const char *pid_file, *console_socket, *pidfd_socket;
	enum cg_driver driver;
	enum ctr_rootless rootless; /* OCI: who makes the cgroup; a partition's is always ours */
	unsigned int preserve_fds;
	bool no_pivot, no_new_keyring;
};

/** container_create() - OCI create: set up, leave init waiting at the gate */
int container_create(const struct ctr_env *env, const char *id, const struct create_opts *opts,
		     struct err *e);
/** partition_create() - from a config or template; nothing runs yet.
 * @id NULL: the config's name. *ret_id is in @arena. */
int partition_create(const struct ctr_env *env, const char *id, const struct create_opts *opts,
		     struct arena *arena, const char **ret_id, struct err *e);
/** container_start() - a created container: open the gate; a stopped partition: set up and go */
int container_start(const struct ctr_env *env, const char *id, struct err *e);

struct run_opts {
	struct create_opts create;
	bool detach, keep;
};
/** container_run() - create, start, wait, delete, in the foreground with our stdio unless detach.
 * Return: the payload's exit status (0..255) or -errno. */
int container_run(const struct ctr_env *env, const char *id, const struct run_opts *opts,
		  struct err *e);

struct stop_opts {
	int timeout_ms; /* -1: the partition's boot.stopTimeout, else 10 s */
	bool kill;	/* at once */
};
/** container_stop() - halt signal, wait, then cgroup.kill; releases all runtime resources of a
 * partition. Return: 0; 1 when it was not running. */
int container_stop(const struct ctr_env *env, const char *id, const struct stop_opts *opts,
		   struct err *e);
/** container_kill() - a signal to init, or with @all to every process of the cgroup */
int container_kill(const struct ctr_env *env, const char *id, int sig, bool all, struct err *e);
int container_pause(const struct ctr_env *env, const char *id, bool pause, struct err *e);
/** container_delete() - OCI: remove a stopped (with @force any) container. Partition: remove it
 * with its data; running needs @force. Unknown id: -ENOENT, "does not exist". */
int container_delete(const struct ctr_env *env, const char *id, bool force, struct err *e);

struct exec_opts {
	struct strv args, env;
	const char *cwd, *process; /* process: OCI process JSON file instead of args */
	const char *user;	   /* "UID[:GID]" */
	struct strv additional_gids;
	bool tty, detach, no_new_privs;
	bool ignore_paused; /* the process starts when the container is resumed */
	struct strv caps;
	const char *apparmor, *process_label;
	struct strv cgroups; /* "[CONTROLLER,...:]PATH" beneath the container's own */
	const char *pid_file, *console_socket, *pidfd_socket;
	unsigned int preserve_fds;
	bool login; /* enter: the user's login shell */
};
/** container_exec() - run a process in it. Return: its exit status (0 at once if detached) or
 * -errno: -ENOENT not found (127), -EACCES not executable (126), others 255. */
int container_exec(const struct ctr_env *env, const char *id, const struct exec_opts *opts,
		   struct err *e);

/** container_info() - one entry; partition_list()/container_list(): all, by id. Entries that
 * cannot be read are listed with ->problem set. */
int container_info(const struct ctr_env *env, const char *id, struct arena *arena,
		   struct ctr_info *ret, struct err *e);
int container_list(const struct ctr_env *env, struct arena *arena, struct ctr_info **ret,
		   size_t *ret_count, struct err *e);
int container_pids(const struct ctr_env *env, const char *id, struct arena *arena, pid_t **ret,
		   size_t *ret_count, struct err *e);
int container_stats(const struct ctr_env *env, const struct ctr_info *info, struct cg_stats *ret,
		    struct err *e);

/** container_update() - lay @change, a part of linux.resources, over the limits of a container that
 * has processes, in the kernel and in the config that later commands read. All of it or nothing.
 * Devices in it are passed over. */
int container_update(const struct ctr_env *env, const char *id, json_t *change, struct err *e);

/** One key that partition_set() changed. */
struct set_result {
	const char *key;
	bool applied; /* live now; false: saved, needs a restart */
};
/** partition_set() - change keys ("memory.limit", "2G"), apply live what can be, save atomically.
 * All are checked before the first is applied; on failure nothing is changed. */
int partition_set(const struct ctr_env *env, const char *id, const struct strmap *changes,
		  struct arena *arena, struct set_result **ret, size_t *ret_count, struct err *e);
/** partition_config() - its config file as saved */
int partition_config(const struct ctr_env *env, const char *id, json_t **ret, struct err *e);

/** partition_plan() - every step and value that a start would apply, as JSON: of a partition id,
 * or of a config file that need not belong to one. plan_bundle(): the same of an OCI bundle. */
int partition_plan(const struct ctr_env *env, const char *id_or_file, json_t **ret, struct err *e);
int container_plan(const struct ctr_env *env, const char *bundle, json_t **ret, struct err *e);
/** partition_spec() - the OCI config.json that the partition config @file becomes */
int partition_spec(const struct ctr_env *env, const char *file, json_t **ret, struct err *e);

/** container_logs() - the console log to @out_fd; @follow until the container stops */
int container_logs(const struct ctr_env *env, const char *id, bool follow, int out_fd,
		   struct err *e);
/** container_console() - attach our terminal to its console; ends at ^] or when it stops */
int container_console(const struct ctr_env *env, const char *id, struct err *e);

#endif
