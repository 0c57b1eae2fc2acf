/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCI runtime config as plain data (runtime-spec 1.3, config.md and config-linux.md).
 * Field names follow the spec. All strings and arrays belong to the arena it was decoded into.
 */
#ifndef CTR_RUNTIME_SPEC_SPEC_H
#define CTR_RUNTIME_SPEC_SPEC_H

#include "base/err.h"
#include "base/json.h"
#include "base/value.h"

#include <stdbool.h>
#include <stdint.h>

struct cg_resources;

struct spec_rlimit {
	char *type; /* "RLIMIT_NOFILE" */
	uint64_t soft, hard;
};

struct spec_user {
	uint32_t uid, gid;
	struct u32v additional_gids;
	struct opt_u64 umask;
};

struct spec_capabilities {
	struct strv bounding, effective, inheritable, permitted, ambient;
};

struct spec_console_size {
	uint32_t height, width;
};

struct spec_scheduler {
	uint32_t policy; /* SCHED_* */
	int64_t nice, priority;
	struct strv flags;
	struct opt_u64 runtime, deadline, period;
};

struct spec_io_priority {
	uint32_t class; /* IOPRIO_CLASS_* */
	int64_t priority;
};

struct spec_exec_cpu_affinity {
	char *initial, *final;
};

struct spec_process {
	bool terminal;
	struct spec_console_size *console_size;
	struct spec_user user;
	struct strv args, env;
	char *cwd;
	struct spec_capabilities *capabilities; /* NULL: absent, which means none */
	struct js_list rlimits;			/* struct spec_rlimit */
	bool no_new_privileges;
	struct opt_i64 oom_score_adj;
	char *apparmor_profile, *selinux_label;
	struct spec_scheduler *scheduler;
	struct spec_io_priority *io_priority;
	struct spec_exec_cpu_affinity *exec_cpu_affinity;
};

struct spec_root {
	char *path;
	bool readonly;
};

struct spec_id_map {
	uint32_t container_id, host_id, size;
};

struct spec_mount {
	char *destination, *type, *source;
	struct strv options;
	struct js_list uid_mappings, gid_mappings; /* struct spec_id_map */
};

struct spec_namespace {
	uint32_t kind; /* enum ns_kind of namespaces/ns.h */
	char *path;    /* NULL: a new one */
};

struct spec_device {
	char *path, *type; /* type: "c", "b", "u", "p" */
	int64_t major, minor;
	struct opt_u64 file_mode;
	struct opt_u64 uid, gid;
};

struct spec_device_rule {
	bool allow;
	char *type; /* "a", "b", "c"; NULL = a */
	struct opt_i64 major, minor;
	char *access; /* of "rwm"; NULL = all */
};

struct spec_memory {
	struct opt_i64 limit, reservation, swap, kernel, kernel_tcp;
	struct opt_u64 swappiness;
	struct opt_bool disable_oom_killer, use_hierarchy, check_before_update;
};

struct spec_cpu {
	struct opt_u64 shares, burst, period, realtime_period;
	struct opt_i64 quota, realtime_runtime, idle;
	char *cpus, *mems;
};

struct spec_weight_device {
	int64_t major, minor;
	struct opt_u64 weight, leaf_weight;
};

struct spec_throttle_device {
	int64_t major, minor;
	uint64_t rate;
};

struct spec_block_io {
	struct opt_u64 weight, leaf_weight;
	struct js_list weight_device;
	struct js_list read_bps, write_bps, read_iops, write_iops; /* spec_throttle_device */
};

struct spec_pids {
	struct opt_i64 limit;
};

struct spec_hugepage_limit {
	char *page_size;
	uint64_t limit;
};

struct spec_interface_priority {
	char *name;
	uint32_t priority;
};

struct spec_network {
	struct opt_u64 class_id;
	struct js_list priorities; /* struct spec_interface_priority */
};

struct spec_resources {
	struct js_list devices; /* struct spec_device_rule */
	struct spec_memory memory;
	struct spec_cpu cpu;
	struct spec_pids pids;
	struct spec_block_io block_io;
	struct js_list hugepage_limits; /* struct spec_hugepage_limit */
	struct spec_network network;
	json_t *rdma; /* device name -> { hcaHandles, hcaObjects }; borrowed, checked */
	struct strmap unified;
};

struct spec_seccomp_arg {
	uint32_t index;
	uint64_t value, value_two;
	char *op; /* "SCMP_CMP_EQ" ... */
};

struct spec_seccomp_rule {
	struct strv names;
	char *action;
	struct opt_u64 errno_ret;
	struct js_list args; /* struct spec_seccomp_arg */
};

struct spec_seccomp {
	char *default_action;
	struct opt_u64 default_errno_ret;
	struct strv architectures, flags;
	char *listener_path, *listener_metadata;
	struct js_list syscalls; /* struct spec_seccomp_rule */
};

struct spec_time_offset {
	int64_t secs;
	uint32_t nanosecs;
};

struct spec_intel_rdt {
	char *clos_id, *l3_cache_schema, *mem_bw_schema;
	struct strv schemata;
	bool enable_monitoring;
};

struct spec_memory_policy {
	char *mode, *nodes; /* sched_plan() checks them */
	struct strv flags;
};

struct spec_personality {
	uint32_t domain; /* PER_* */
	struct strv flags;
};

struct spec_linux {
	struct js_list uid_mappings, gid_mappings; /* struct spec_id_map */
	struct js_list namespaces;		   /* struct spec_namespace */
	struct js_list devices;			   /* struct spec_device */
	char *cgroups_path;
	struct spec_resources resources;
	bool has_resources;
	struct spec_seccomp *seccomp;
	char *rootfs_propagation;
	struct strv masked_paths, readonly_paths;
	struct strmap sysctl;
	char *mount_label;
	struct {
		struct spec_time_offset *monotonic, *boottime;
	} time_offsets;
	json_t *net_devices; /* host interface -> { name }; borrowed, checked */
	struct spec_intel_rdt *intel_rdt;
	struct spec_memory_policy *memory_policy;
	struct spec_personality *personality;
};

struct spec_hook {
	char *path;
	struct strv args, env;
	struct opt_u64 timeout; /* seconds */
};

/* Lists of struct spec_hook */
struct spec_hooks {
	struct js_list prestart, create_runtime, create_container, start_container, poststart,
		poststop;
};

struct spec {
	char *oci_version, *hostname, *domainname;
	struct spec_root *root;
	struct js_list mounts;
	struct spec_process *process;
	struct spec_linux linux_; /* "linux" is a macro in gnu11 */
	struct spec_hooks hooks;
	struct strmap annotations;
};

/** The field tables of config.json and of its parts that come alone (`exec --process FILE`,
 * `update --resources FILE`), for decode, encode and schema. */
extern const struct js_object spec_type, spec_process_type, spec_resources_type, spec_seccomp_type;
/** RLIMIT_* names and resource numbers */
extern const struct name spec_rlimit_names[];

/** spec_load() - read and decode BUNDLE/config.json; every issue carries its JSON path.
 * @doc keeps the document alive as long as @ret is used. Return: 0 or -errno. */
int spec_load(int bundle_fd, const char *path, struct arena *arena, struct spec *ret, json_t **doc,
	      struct err *e);
/** spec_decode() - the same from a document in memory */
int spec_decode(json_t *doc, const char *what, struct arena *arena, struct spec *ret,
		struct err *e);
/** spec_encode() - struct to config.json. Return: new reference or NULL on ENOMEM. */
json_t *spec_encode(const struct spec *spec);
/** spec_default() - a config.json to begin with; @rootless: with @uid and @gid, ours, as root of a
 * user namespace; @unified: the host has cgroup v2 alone. Return: new reference or NULL on ENOMEM.
 */
json_t *spec_default(bool rootless, bool unified, uint32_t uid, uint32_t gid);
/** spec_process_setenv() - put @key=VALUE into the environment, in place of one that is there.
 * Return: 0 or -ENOMEM. */
int spec_process_setenv(struct spec_process *process, const char *key, struct arena *arena,
			const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/** spec_annotation() - the value of annotation @key; NULL when there is none */
const char *spec_annotation(const struct spec *spec, const char *key);
/** spec_listener() - the socket of the agent that answers for SCMP_ACT_NOTIFY: linux.seccomp's
 * listenerPath, or annotation run.oci.seccomp.receiver; NULL when there is none */
const char *spec_listener(const struct spec *spec);
/** spec_to_cgroup() - linux.resources in cgroup v2 units (formulas of the OCI spec and of runc)
 * The device rules always come out: deny all, then the config's, then what every container may use;
 * an update of a running container leaves them out of what it applies. Pure.
 * Return: 0; -EINVAL or -ENOTSUP with the JSON path; -ENOMEM. */
int spec_to_cgroup(const struct spec_resources *res, struct arena *arena, struct cg_resources *ret,
		   struct err *e);
/** spec_check() - cross-field rules that the tables cannot say, and what no engine implements yet.
 * Pure. Return: 0; -EINVAL or -ENOTSUP with the JSON path. */
int spec_check(const struct spec *spec, struct err *e);
/** spec_check_process() - those of its rules that are about one process, for exec */
int spec_check_process(const struct spec_process *process, struct err *e);
/** spec_implements() - false for a path that spec_check() refuses ("linux.intelRdt") */
bool spec_implements(const char *path);
/** spec_features() - the document of `features` (runtime-spec features.md): what this build does on
 * this host. @mount_options: every option that the mount engine knows.
 * Return: new reference or NULL on ENOMEM. */
json_t *spec_features(const char *const *mount_options, size_t n);

#endif
