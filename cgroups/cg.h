/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroups: the limits, lifecycle and accounting of a group of processes.
 *
 * DOC: cgroup v2 is the model and the spine. Every container has one cgroup2 directory, whatever
 * the host: it is where clone3(CLONE_INTO_CGROUP) puts init, where cgroup.kill ends everything at
 * once, where cgroup.freeze pauses and where the BPF device program hangs. On a hybrid host, a
 * controller that a v1 hierarchy still holds gets a directory of the same relative path in that
 * hierarchy, and the knob table says which file and value carry the same limit there. A limit
 * that neither can carry is an error that names the limit; it is never dropped.
 *
 * Authority: kernel Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/, OCI runtime-spec
 * config-linux.md.
 */
#ifndef CTR_CGROUPS_CG_H
#define CTR_CGROUPS_CG_H

#include "base/arena.h"
#include "base/err.h"
#include "base/table.h"
#include "base/value.h"

#include <stdbool.h>
#include <sys/types.h>

enum cg_controller {
	CG_CPU,
	CG_CPUACCT, /* v1 only: its accounting is part of cpu in v2 */
	CG_CPUSET,
	CG_MEMORY,
	CG_IO, /* blkio in v1 */
	CG_PIDS,
	CG_HUGETLB,
	CG_RDMA,
	CG_NET_CLS,  /* v1 only: v2 has packet rules that match a cgroup instead */
	CG_NET_PRIO, /* v1 only */
	CG_DEVICES,  /* v1 hierarchy; in v2 a BPF program, always used when cgroup2 is there */
	CG_FREEZER,  /* v1; in v2 part of the core */
	CG_PERF,  /* v1; v2 has it without a file. It and the next are joined, and limit nothing */
	CG_NAMED, /* v1's "name=systemd", where processes are only grouped */
	CG_CORE,  /* the cgroup.* files of v2, in every group */
	CG_CONTROLLERS
};

/** Who makes and removes the groups of a container. */
enum cg_driver {
	CG_CGROUPFS,	 /* we do, in the hierarchies themselves */
	CG_SYSTEMD,	 /* systemd, as a scope: see systemd.h */
	CG_SYSTEMD_USER, /* the systemd of who runs us without root */
	CG_DISABLED,	 /* nobody: the processes stay in the group of their creator */
};
/** cg_driver_names - as --cgroup-manager spells them, but for systemd-user: see sd_driver() */
extern const struct name cg_driver_names[];

/** What one device rule allows or denies (OCI linux.resources.devices). */
struct cg_device_rule {
	bool allow;
	char type;	      /* 'a', 'b' or 'c' */
	int64_t major, minor; /* -1: any */
	unsigned int access;  /* bits of CG_DEV_* */
};
enum { CG_DEV_READ = 1, CG_DEV_WRITE = 2, CG_DEV_MKNOD = 4 };

struct cg_io_limit {
	uint32_t major, minor; /* of a whole disk */
	struct opt_u64 rbps, wbps, riops, wiops;
};

struct cg_io_weight {
	uint32_t major, minor;
	uint64_t weight; /* 1..10000 */
};

struct cg_hugetlb_limit {
	char *page_size; /* "2MB", "1GB" */
	uint64_t limit_bytes;
};

struct cg_rdma_limit {
	char *device;			 /* "mlx5_0" */
	struct opt_u64 handles, objects; /* of its host channel adapter */
};

struct cg_net_prio {
	char *interface; /* in the network namespace of who writes it: ours */
	uint32_t priority;
};

/**
 * All limits, in cgroup v2 units whatever the host. Unset fields leave the kernel's default.
 * UINT64_MAX is "max" (no limit) for every limit in bytes, counts and quota.
 */
struct cg_resources {
	struct opt_u64 memory_max_bytes;
	struct opt_u64 memory_high_bytes;
	/* Refuse a limit below the memory in use? Else v2 kills until it holds; v1 always refuses.
	 */
	bool memory_spares_used;
	struct opt_u64 memory_low_bytes; /* guarantee, best effort */
	/* OCI's reservation: the same in v2; in v1, which guarantees nothing, whom to reclaim first
	 */
	struct opt_u64 memory_soft_bytes;
	struct opt_u64 memory_min_bytes; /* guarantee, hard */
	struct opt_u64 swap_max_bytes;	 /* swap alone, as memory.swap.max; v1 gets memory + swap */
	struct opt_u64 zswap_max_bytes;
	struct opt_bool zswap_writeback;
	struct opt_bool oom_group;
	struct opt_u64 swappiness;	  /* v1 only */
	struct opt_bool oom_kill_disable; /* v1 only */

	struct opt_u64 cpu_weight;    /* 1..10000, default 100 */
	uint64_t cpu_shares;	      /* of v1, when the weight was made from that; else 0 */
	struct opt_u64 cpu_quota_us;  /* per period; UINT64_MAX = no limit */
	struct opt_u64 cpu_period_us; /* 1000..1000000, default 100000 */
	struct opt_u64 cpu_burst_us;
	struct opt_bool cpu_idle;
	struct opt_u64 cpu_rt_period_us, cpu_rt_runtime_us; /* v1 only */
	char *cpuset_cpus, *cpuset_mems;		    /* "0-3,8"; NULL = unset */

	struct opt_u64 pids_max;

	struct opt_u64 io_weight; /* 1..10000, default 100 */
	struct cg_io_weight *io_weights;
	size_t io_weight_count;
	struct cg_io_limit *io_limits;
	size_t io_limit_count;

	struct cg_hugetlb_limit *hugetlb;
	size_t hugetlb_count;

	struct cg_rdma_limit *rdma;
	size_t rdma_count;

	struct opt_u64 net_class_id; /* v1 only: tag of all packets, 0xAAAABBBB for tc AAAA:BBBB */
	struct cg_net_prio *net_prios; /* v1 only */
	size_t net_prio_count;

	struct opt_u64 descendants_max, depth_max; /* cgroup.max.* */

	const struct cg_device_rule *devices; /* NULL with count 0: leave devices alone */
	size_t device_count;

	struct strmap unified; /* OCI: file -> value, written as they are to the v2 directory */
};

/** How this host's hierarchies are laid out; found once per command. */
struct cg_layout;

/**
 * cg_layout_open() - find cgroup2 and the v1 hierarchies from /proc/self/mountinfo
 * Return: 0; -ENOTSUP with a hint when no cgroup2 is mounted; -ENOMEM.
 */
int cg_layout_open(struct arena *arena, const struct cg_layout **ret, struct err *e);
/** cg_own_path() - the cgroup2 group that we are in ("/user.slice/x"); NULL when there is none */
const char *cg_own_path(struct arena *arena);
/**
 * cg_narrow() - for who is not root: what of @layout lets us make group @path and put a process of
 * ours into it
 * Return: 1 with *ret in @arena; 0: not even cgroup2 does; -errno.
 */
int cg_narrow(const struct cg_layout *layout, const char *path, struct arena *arena,
	      const struct cg_layout **ret);
/** cg_has() - can this host limit by @controller, in v2 or in a v1 hierarchy? */
bool cg_has(const struct cg_layout *layout, enum cg_controller controller);
/** cg_is_v2() - is @controller in cgroup2 here? */
bool cg_is_v2(const struct cg_layout *layout, enum cg_controller controller);
/** cg_where() - where @controller is, for people: "cgroup v2", "cgroup v1 at
 * /sys/fs/cgroup/memory", or NULL when this host has it nowhere. Lives as long as the layout. */
const char *cg_where(const struct cg_layout *layout, enum cg_controller controller);
/** cg_controller_name() - "cpu", "memory", ... as v2 calls it, or v1 where only v1 has it */
const char *cg_controller_name(enum cg_controller controller);
/** cg_mount() - the mount point of cgroup2 ("/sys/fs/cgroup" or "/sys/fs/cgroup/unified") */
const char *cg_mount(const struct cg_layout *layout);

/** cg_check() - pure: could @res be enforced on this layout? One error per call, by the name of
 * the limit and of the file that is missing. Nothing is touched. */
int cg_check(const struct cg_layout *layout, const struct cg_resources *res, struct err *e);
/** cg_check_disabled() - pure: does @res ask for nothing that needs a group? -ENOTSUP by the name
 * of the first limit that does. Device rules pass: engines always send some, and the nodes that
 * exist inside are what holds without a group. */
int cg_check_disabled(const struct cg_resources *res, struct err *e);

/** cg_is_limit_file() - pure: may a unified limit name @key? */
bool cg_is_limit_file(const char *key);

/** One planned write, for `ctr plan` and for apply. */
struct cg_write {
	enum cg_controller controller;
	bool v2;
	const char *file, *value;
};
/** cg_plan() - pure: the writes that apply @res, in order. Return: 0, -errno. */
int cg_plan(const struct cg_layout *layout, const struct cg_resources *res, struct arena *arena,
	    struct cg_write **ret, size_t *ret_count, struct err *e);

/**
 * cg_create() - make the directory @path ("/ctr/web1", beneath every hierarchy that is used),
 * with controllers enabled on the way down (cgroup.subtree_control)
 * Idempotent. Parents that it makes ("/ctr") are marked and shared; cg_remove() of the last child
 * removes them, and leaves alone every parent that somebody else made (a kubelet's pod).
 * Return: 0 or -errno; -EBUSY when the directory exists with processes in it.
 */
int cg_create(const struct cg_layout *layout, const char *path, struct err *e);
/** cg_delegate() - give the v2 directory and the files of /sys/kernel/cgroup/delegate in it to
 * @uid:@gid (cgroup-v2.rst, "Delegation") */
int cg_delegate(const struct cg_layout *layout, const char *path, uid_t uid, gid_t gid,
		struct err *e);
/** cg_open() - descriptor of the v2 directory, for CLONE_INTO_CGROUP. Return: fd or -errno. */
int cg_open(const struct cg_layout *layout, const char *path, struct err *e);
/** cg_apply() - write all limits of @res: for a new group and for live changes alike. Order makes
 * shrinking and growing memory + swap work. Devices: builds and atomically (re)places the BPF
 * program. All or nothing: what was written before a failure is put back.
 * Return: 0; -EBUSY with a sentence when memory in use exceeds a new limit. */
int cg_apply(const struct cg_layout *layout, const char *path, const struct cg_resources *res,
	     struct err *e);
/**
 * cg_door_open() - descriptors by which a new process moves itself into the v1 directories (v2
 * was done by clone3); none on pure v2
 * Moving another process, as cg_join_v1() does, waits for all CPUs to pass a grace period: about
 * 10 ms. A single-threaded process that moves itself takes no such lock: 0.07 ms. The parent opens
 * the door with its rights before clone3, the child goes through first thing.
 * Return: 0 or -errno. On success cg_door_close() it, in the parent.
 */
struct cg_door {
	int fds[CG_CONTROLLERS]; /* O_CLOEXEC */
	size_t count;
};
int cg_door_open(const struct cg_layout *layout, const char *path, struct cg_door *ret,
		 struct err *e);
/** cg_door_open_each() - the same with a path for each controller */
int cg_door_open_each(const struct cg_layout *layout, const char *const paths[CG_CONTROLLERS],
		      struct cg_door *ret, struct err *e);
/** cg_v1_controller() - the controller that a v1 hierarchy holds here under the first @len bytes of
 * @name. Return: enum cg_controller or -ENOENT. */
int cg_v1_controller(const struct cg_layout *layout, const char *name, size_t len);
/** cg_door_enter() - in the child, which must have one thread: move in, then close the door.
 * Neither allocates nor takes a lock. Return: 0 or -errno. */
int cg_door_enter(struct cg_door *door);
void cg_door_close(struct cg_door *door);
/** cg_join_v1() - move @pid into the v1 directories. No-op on pure v2. Slow: see cg_door_open() */
int cg_join_v1(const struct cg_layout *layout, const char *path, pid_t pid, struct err *e);
/** cg_adopt() - of a group whose v2 directory somebody else made around @pid: make the v1
 * directories that are missing, and move @pid into them all. No-op on pure v2. */
int cg_adopt(const struct cg_layout *layout, const char *path, pid_t pid, struct err *e);
/** cg_join() - move @pid into every hierarchy's directory (where clone3 could not place it) */
int cg_join(const struct cg_layout *layout, const char *path, pid_t pid, struct err *e);
/** cg_kill() - cgroup.kill: SIGKILL to every process in the subtree, race-free. 0 if not there. */
int cg_kill(const struct cg_layout *layout, const char *path, struct err *e);
/** cg_wait_empty() - wait on cgroup.events until nothing lives there. Return: 0, -ETIMEDOUT. */
int cg_wait_empty(const struct cg_layout *layout, const char *path, int timeout_ms, struct err *e);
/** cg_freeze() - freeze or thaw, and wait until cgroup.events says so. */
int cg_freeze(const struct cg_layout *layout, const char *path, bool freeze, struct err *e);
/** cg_is_frozen() - by cgroup2, or by v1's freezer? 1, 0 or -errno */
int cg_is_frozen(const struct cg_layout *layout, const char *path);
/** cg_remove() - remove the directory with its sub-groups everywhere, then the empty parents that
 * cg_create() made. Return: 0 (also when it is not there), -EBUSY while processes live. */
int cg_remove(const struct cg_layout *layout, const char *path, struct err *e);
/** cg_pids() - all processes in the subtree, ascending, as seen in our pid namespace. */
int cg_pids(const struct cg_layout *layout, const char *path, struct arena *arena, pid_t **ret,
	    size_t *ret_count, struct err *e);

/** Live use. UINT64_MAX: this host cannot tell. */
struct cg_stats {
	uint64_t memory_bytes, memory_peak_bytes, memory_max_bytes, swap_bytes, swap_max_bytes;
	uint64_t memory_anon_bytes, memory_file_bytes, memory_kernel_bytes, memory_shmem_bytes;
	uint64_t memory_max_events, oom_kills;
	uint64_t cpu_usage_us, cpu_user_us, cpu_system_us, cpu_periods, cpu_throttled,
		cpu_throttled_us;
	uint64_t pids, pids_max, pids_peak, pids_max_events;
	uint64_t io_read_bytes, io_write_bytes, io_reads, io_writes;
	/* PSI "avg10" in hundredths of a percent, and total in microseconds */
	uint64_t cpu_some_avg10, memory_some_avg10, memory_full_avg10, io_some_avg10, io_full_avg10;
	uint64_t cpu_some_us, memory_some_us, memory_full_us, io_some_us, io_full_us;
};
/** cg_stats_read() - one snapshot. Return: 0, -ENOENT when the group is not there. */
int cg_stats_read(const struct cg_layout *layout, const char *path, struct cg_stats *ret);
/** cg_stats_brief() - only memory_bytes, memory_max_bytes, cpu_usage_us and pids, which is a
 * quarter of the work: for lists of many groups. The other fields are UINT64_MAX. */
int cg_stats_brief(const struct cg_layout *layout, const char *path, struct cg_stats *ret);

/** cg_weight_from_shares() - OCI cpu.shares (2..262144) to cpu.weight 1..10000; 0 stays 0 (unset)
 * Pure. The formula of current runtimes: ceil(10^((l^2 + 125 l) / 612 - 7/34)) with l = log2(s). */
uint64_t cg_weight_from_shares(uint64_t shares);
/** cg_weight_from_blkio() - OCI blkIO weight (10..1000) to io.weight 1..10000; 0 stays 0 (unset)
 * Pure: 1 + (w - 10) * 9999 / 990. */
uint64_t cg_weight_from_blkio(uint64_t weight);

#endif
