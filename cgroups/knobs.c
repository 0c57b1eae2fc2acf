/* SPDX-License-Identifier: Apache-2.0 */
/*
 * THE table of limits: what each is called, which file of cgroup v2 or v1 carries it, and how its
 * value is written there. One planner serves both versions, new groups and live changes.
 *
 * DOC: a row whose limit is set becomes a write to the hierarchy that holds its controller. If
 * that version has no such file, or this kernel lacks it, the limit is refused by name, unless
 * the value asks for nothing that the kernel would not do by itself (`needless`). Consecutive
 * rows for the same field are alternatives: every file that exists is written, one must exist
 * and one must take it (io.weight of a disk is for io.cost, io.bfq.weight for its scheduler).
 *
 * v1 has no guarantees: memory.soft_limit_in_bytes only says whom to reclaim from first, and
 * nothing below it is protected, so memory.low and memory.min are refused there. OCI's reservation
 * is defined as just that soft limit, and goes to either file.
 *
 * Authority: kernel Documentation/admin-guide/cgroup-v2.rst ("v2 Interface Files" of each
 * controller) and
 * cgroup-v1/{memory,cpusets,blkio-controller,pids,hugetlb,rdma,net_cls,net_prio}.rst,
 * scheduler/sched-bwc.rst and sched-rt-group.rst; OCI runtime-spec config-linux.md.
 */
#include "cgroups/cg_internal.h"

#include "base/own.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

enum knob_kind { KNOB_U64, KNOB_BOOL, KNOB_STR };

struct knob;
typedef const char *knob_format(struct arena *arena, const struct cg_resources *res,
				const struct knob *knob);

struct knob {
	const char *limit; /* how messages call it */
	const char *oci;   /* below linux.resources; NULL: not in the OCI config */
	enum cg_controller controller;
	const char *v2_file, *v1_file; /* NULL: that version has nothing like it */
	size_t offset;		       /* of the field in struct cg_resources */
	enum knob_kind kind;
	uint64_t min, max; /* of a KNOB_U64; UINT64_MAX ("max") passes where max is UINT64_MAX */
	knob_format *to_v2, *to_v1;
	/* May the limit go unwritten where its file is missing? NULL: never. */
	bool (*needless)(struct knob_probe *probe, uint64_t value);
};

/* A formatter's answer when another row's write carries the value. */
static const char carried[] = "";

static const struct opt_u64 *field_u64(const struct cg_resources *res, const struct knob *knob)
{
	return (const struct opt_u64 *)(const void *)((const char *)res + knob->offset);
}

/* The field as a number, if it is set. */
static bool knob_value(const struct cg_resources *res, const struct knob *knob, uint64_t *ret)
{
	const void *field = (const char *)res + knob->offset;
	const struct opt_bool *flag = field;

	*ret = 0;
	switch (knob->kind) {
	case KNOB_U64:
		*ret = field_u64(res, knob)->v;
		return field_u64(res, knob)->set;
	case KNOB_BOOL:
		*ret = flag->v;
		return flag->set;
	case KNOB_STR:
		return *(char *const *)field != NULL;
	}
	return false;
}

static const char *number(struct arena *arena, uint64_t value, const char *unlimited)
{
	if (value == UINT64_MAX)
		return unlimited;
	return arena_printf(arena, "%" PRIu64, value);
}

static const char *to_max(struct arena *arena, const struct cg_resources *res,
			  const struct knob *knob)
{
	return number(arena, field_u64(res, knob)->v, "max");
}

static const char *to_minus_one(struct arena *arena, const struct cg_resources *res,
				const struct knob *knob)
{
	return number(arena, field_u64(res, knob)->v, "-1");
}

static const char *to_bool(struct arena *arena, const struct cg_resources *res,
			   const struct knob *knob)
{
	uint64_t value;

	(void)arena;
	(void)knob_value(res, knob, &value); /* the planner asked whether it is set */
	return value ? "1" : "0";
}

static const char *to_string(struct arena *arena, const struct cg_resources *res,
			     const struct knob *knob)
{
	(void)arena;
	return *(char *const *)(const void *)((const char *)res + knob->offset);
}

/* v1 limits memory and swap together. */
static const char *to_memsw(struct arena *arena, const struct cg_resources *res,
			    const struct knob *knob)
{
	(void)knob;
	return number(arena, cg_memsw(res->memory_max_bytes.v, res->swap_max_bytes.v), "-1");
}

/* "QUOTA PERIOD": one file for two fields, written by the first of them that is set. */
static const char *to_cpu_max(struct arena *arena, const struct cg_resources *res,
			      const struct knob *knob)
{
	const char *quota = "max";

	if (knob->offset == offsetof(struct cg_resources, cpu_period_us) && res->cpu_quota_us.set)
		return carried;
	if (res->cpu_quota_us.set)
		quota = number(arena, res->cpu_quota_us.v, "max");
	if (!quota || !res->cpu_period_us.set)
		return quota;
	return arena_printf(arena, "%s %" PRIu64, quota, res->cpu_period_us.v);
}

/* The kernel refuses a weight for an idle group: it has none. */
static const char *to_weight(struct arena *arena, const struct cg_resources *res,
			     const struct knob *knob)
{
	if (res->cpu_idle.set && res->cpu_idle.v)
		return carried;
	return to_max(arena, res, knob);
}

static const char *to_shares(struct arena *arena, const struct cg_resources *res,
			     const struct knob *knob)
{
	if (res->cpu_idle.set && res->cpu_idle.v)
		return carried;
	return number(arena,
		      res->cpu_shares ? res->cpu_shares
				      : cg_shares_from_weight(field_u64(res, knob)->v),
		      NULL);
}

/* BFQ has the weights of blkio in both versions. */
static const char *to_blkio_weight(struct arena *arena, const struct cg_resources *res,
				   const struct knob *knob)
{
	return number(arena, cg_blkio_from_weight(field_u64(res, knob)->v), NULL);
}

static bool if_zero(struct knob_probe *probe, uint64_t value)
{
	(void)probe;
	return value == 0;
}

static bool if_one(struct knob_probe *probe, uint64_t value)
{
	(void)probe;
	return value == 1;
}

static bool if_max(struct knob_probe *probe, uint64_t value)
{
	(void)probe;
	return value == UINT64_MAX;
}

static bool if_default_weight(struct knob_probe *probe, uint64_t value)
{
	(void)probe;
	return value == 100;
}

/* "No swap" holds by itself where there is none. */
static bool if_no_swap(struct knob_probe *probe, uint64_t value)
{
	return value == UINT64_MAX || (value == 0 && !probe->has_swap(probe));
}

#define FIELD(f)    .offset = offsetof(struct cg_resources, f), .kind = KNOB_U64
#define FLAG(f)	    .offset = offsetof(struct cg_resources, f), .kind = KNOB_BOOL
#define STRING(f)   .offset = offsetof(struct cg_resources, f), .kind = KNOB_STR
#define RANGE(a, b) .min = (a), .max = (b)
#define ANY	    RANGE(0, UINT64_MAX)

/* The order is the order of the writes; one that is valid only after a later one is tried again
 * by cg_apply(). */
static const struct knob knobs[] = {
	/* clang-format off */
	/* cgroup-v2.rst "Memory Interface Files"; cgroup-v1/memory.rst 3.1, 5.3, 10 */
	{ "oom group", NULL, CG_MEMORY, "memory.oom.group", NULL,
	  FLAG(oom_group), .to_v2 = to_bool, .needless = if_zero },
	{ "oom killer switch", "memory.disableOOMKiller", CG_MEMORY, NULL, "memory.oom_control",
	  FLAG(oom_kill_disable), .to_v1 = to_bool, .needless = if_zero },
	{ "memory limit", "memory.limit", CG_MEMORY, "memory.max", "memory.limit_in_bytes",
	  FIELD(memory_max_bytes), ANY, to_max, to_minus_one, if_max },
	{ "swap limit", "memory.swap", CG_MEMORY, "memory.swap.max", "memory.memsw.limit_in_bytes",
	  FIELD(swap_max_bytes), ANY, to_max, to_memsw, if_no_swap },
	{ "memory high mark", NULL, CG_MEMORY, "memory.high", NULL,
	  FIELD(memory_high_bytes), ANY, to_max, NULL, if_max },
	{ "memory reservation", "memory.reservation", CG_MEMORY, "memory.low",
	  "memory.soft_limit_in_bytes",
	  FIELD(memory_soft_bytes), ANY, to_max, to_minus_one, if_zero },
	{ "memory guarantee", NULL, CG_MEMORY, "memory.low", NULL,
	  FIELD(memory_low_bytes), ANY, to_max, NULL, if_zero },
	{ "hard memory guarantee", NULL, CG_MEMORY, "memory.min", NULL,
	  FIELD(memory_min_bytes), ANY, to_max, NULL, if_zero },
	{ "zswap limit", NULL, CG_MEMORY, "memory.zswap.max", NULL,
	  FIELD(zswap_max_bytes), ANY, to_max, NULL, if_max },
	{ "zswap writeback", NULL, CG_MEMORY, "memory.zswap.writeback", NULL,
	  FLAG(zswap_writeback), .to_v2 = to_bool, .needless = if_one },
	{ "swappiness", "memory.swappiness", CG_MEMORY, NULL, "memory.swappiness",
	  FIELD(swappiness), RANGE(0, 200), NULL, to_max, NULL },

	/* cgroup-v2.rst "CPU Interface Files"; scheduler/sched-design-CFS.rst 7, sched-bwc.rst */
	{ "cpu weight", "cpu.shares", CG_CPU, "cpu.weight", "cpu.shares",
	  FIELD(cpu_weight), RANGE(1, 10000), to_weight, to_shares, if_default_weight },
	{ "cpu idle class", "cpu.idle", CG_CPU, "cpu.idle", "cpu.idle",
	  FLAG(cpu_idle), .to_v2 = to_bool, .to_v1 = to_bool, .needless = if_zero },
	{ "cpu period", "cpu.period", CG_CPU, "cpu.max", "cpu.cfs_period_us",
	  FIELD(cpu_period_us), RANGE(1000, 1000000), to_cpu_max, to_max, NULL },
	{ "cpu limit", "cpu.quota", CG_CPU, "cpu.max", "cpu.cfs_quota_us",
	  FIELD(cpu_quota_us), RANGE(1000, UINT64_MAX), to_cpu_max, to_minus_one, if_max },
	{ "cpu burst", "cpu.burst", CG_CPU, "cpu.max.burst", "cpu.cfs_burst_us",
	  FIELD(cpu_burst_us), ANY, to_max, to_max, if_zero },
	/* scheduler/sched-rt-group.rst 2.1 */
	{ "real-time period", "cpu.realtimePeriod", CG_CPU, NULL, "cpu.rt_period_us",
	  FIELD(cpu_rt_period_us), RANGE(1, INT64_MAX), NULL, to_max, NULL },
	{ "real-time runtime", "cpu.realtimeRuntime", CG_CPU, NULL, "cpu.rt_runtime_us",
	  FIELD(cpu_rt_runtime_us), RANGE(0, INT64_MAX), NULL, to_max, if_zero },

	/* cgroup-v2.rst "Cpuset Interface Files"; cgroup-v1/cpusets.rst 1.6 */
	{ "cpu set", "cpu.cpus", CG_CPUSET, "cpuset.cpus", "cpuset.cpus",
	  STRING(cpuset_cpus), ANY, to_string, to_string, NULL },
	{ "memory node set", "cpu.mems", CG_CPUSET, "cpuset.mems", "cpuset.mems",
	  STRING(cpuset_mems), ANY, to_string, to_string, NULL },

	/* cgroup-v2.rst "PID Interface Files"; cgroup-v1/pids.rst */
	{ "process limit", "pids.limit", CG_PIDS, "pids.max", "pids.max",
	  FIELD(pids_max), ANY, to_max, to_max, if_max },

	/* cgroup-v2.rst "IO Interface Files"; cgroup-v1/blkio-controller.rst; block/bfq-iosched.rst 4 */
	{ "io weight", "blockIO.weight", CG_IO, "io.weight", "blkio.weight",
	  FIELD(io_weight), RANGE(1, 10000), to_max, to_blkio_weight, if_default_weight },
	{ "io weight", "blockIO.weight", CG_IO, "io.bfq.weight", "blkio.bfq.weight",
	  FIELD(io_weight), RANGE(1, 10000), to_blkio_weight, to_blkio_weight, if_default_weight },

	/* cgroup-v1/net_cls.rst */
	{ "network class", "network.classID", CG_NET_CLS, NULL, "net_cls.classid",
	  FIELD(net_class_id), RANGE(0, UINT32_MAX), NULL, to_max, if_zero },

	/* cgroup-v2.rst "Core Interface Files" */
	{ "limit of sub-groups", NULL, CG_CORE, "cgroup.max.descendants", NULL,
	  FIELD(descendants_max), ANY, to_max, NULL, if_max },
	{ "limit of sub-group depth", NULL, CG_CORE, "cgroup.max.depth", NULL,
	  FIELD(depth_max), ANY, to_max, NULL, if_max },
	/* clang-format on */
};
_Static_assert(ARRAY_SIZE(knobs) == 26, "a row per scalar field of struct cg_resources and file");

/* Rates of one disk: a key of v2's io.max, a file of its own in v1 (0 removes the rule there). */
static const struct {
	const char *key, *v1_file;
	size_t offset;
} io_rates[] = {
	/* clang-format off */
	{ "rbps",  "blkio.throttle.read_bps_device",   offsetof(struct cg_io_limit, rbps) },
	{ "wbps",  "blkio.throttle.write_bps_device",  offsetof(struct cg_io_limit, wbps) },
	{ "riops", "blkio.throttle.read_iops_device",  offsetof(struct cg_io_limit, riops) },
	{ "wiops", "blkio.throttle.write_iops_device", offsetof(struct cg_io_limit, wiops) },
	/* clang-format on */
};

/** The plan as it grows. */
struct planner {
	const struct cg_layout *layout;
	struct knob_probe *probe;
	const struct cg_resources *res;
	struct arena *arena;
	struct err *e;
	struct knob_write *writes;
	size_t count;
};

static int add(struct planner *p, const char *limit, enum cg_controller controller, bool v2,
	       const char *file, const char *value)
{
	struct knob_write *added;

	if (value == carried)
		return 0;
	added = file && value ? arena_grow(p->arena, &p->writes, &p->count, sizeof(*added)) : NULL;
	if (!added)
		return err_set(p->e, -ENOMEM, "plan the %s", limit);
	*added = (struct knob_write){
		.write = { .controller = controller, .v2 = v2, .file = file, .value = value },
		.limit = limit,
	};
	return 0;
}

/* The last @n writes carry one limit by several files. */
static void mark_alternatives(struct planner *p, size_t n)
{
	for (size_t i = 2; i <= n; i++)
		p->writes[p->count - i].or_next = true;
}

static int refuse_controller(struct planner *p, const char *limit, enum cg_controller controller)
{
	if (p->layout->narrow) {
		err_say(p->e, -ENOTSUP, "%s: the '%s' cgroup controller is not delegated to us",
			limit, cg_controller_name(controller));
		err_hint(p->e, "remove the limit, run as root, or have root delegate it "
			       "(systemd: Delegate=yes of user@.service)");
		return -ENOTSUP;
	}
	err_say(p->e, -ENOTSUP, "%s: this host has no '%s' cgroup controller", limit,
		cg_controller_name(controller));
	err_hint(p->e, "enable it in the kernel or on its command line, or remove the limit");
	return -ENOTSUP;
}

/* @hier's version has no such file; @other is what the other version calls it. */
static int refuse_version(struct planner *p, const char *limit, const struct cg_hier *hier,
			  enum cg_controller controller, const char *other)
{
	if (hier->v2)
		return err_say(p->e, -ENOTSUP,
			       "%s: '%s' exists in cgroup v1 only, and '%s' is in "
			       "cgroup v2 here",
			       limit, other, cg_controller_name(controller));
	err_say(p->e, -ENOTSUP, "%s: cgroup v1, which holds '%s' here, has nothing like '%s'",
		limit, cg_controller_name(controller), other);
	err_hint(p->e, "boot with pure cgroup v2 (cgroup_no_v1=all), or remove the limit");
	return -ENOTSUP;
}

static int refuse_file(struct planner *p, const char *limit, const struct cg_hier *hier,
		       const char *file)
{
	err_say(p->e, -ENOTSUP, "%s: %s has no '%s'", limit, hier->where, file);
	err_hint(p->e, "the kernel lacks the feature, or the controller could not be enabled on "
		       "the way down because processes live in a parent group");
	return -ENOTSUP;
}

static int check_range(struct planner *p, const struct knob *knob, uint64_t value)
{
	if (knob->kind == KNOB_STR && !text_is_cpuset(to_string(p->arena, p->res, knob)))
		return err_say(p->e, -EINVAL, "%s: '%s' is not a list such as \"0-3,8\"",
			       knob->limit, to_string(p->arena, p->res, knob));
	if (knob->kind == KNOB_U64 && (value < knob->min || value > knob->max)) {
		char max[24];

		(void)snprintf(max, sizeof(max), "%" PRIu64, knob->max);
		return err_say(p->e, -EINVAL, "%s: found %" PRIu64 ", allowed: %" PRIu64 " to %s",
			       knob->limit, value, knob->min,
			       knob->max == UINT64_MAX ? "max" : max);
	}
	return 0;
}

/* memory + swap needs to know the memory; without a limit of swap it is simply unlimited. */
static bool is_inexpressible(const struct planner *p, const struct knob *knob,
			     const struct cg_hier *hier)
{
	const struct cg_resources *res = p->res;

	return !hier->v2 && knob->offset == offsetof(struct cg_resources, swap_max_bytes) &&
	       res->swap_max_bytes.v != UINT64_MAX &&
	       (!res->memory_max_bytes.set || res->memory_max_bytes.v == UINT64_MAX);
}

/* One limit, whose rows are @knob and the @alternatives - 1 that follow. */
static int plan_limit(struct planner *p, const struct knob *knob, size_t alternatives)
{
	const struct cg_hier *hier = layout_hier(p->layout, knob->controller);
	const char *missing = NULL;
	size_t planned = 0;
	uint64_t value;
	int r;

	if (!knob_value(p->res, knob, &value))
		return 0;
	r = check_range(p, knob, value);
	if (r < 0)
		return r;
	for (const struct knob *k = knob; hier && k < knob + alternatives; k++) {
		const char *file = hier->v2 ? k->v2_file : k->v1_file;
		knob_format *format = hier->v2 ? k->to_v2 : k->to_v1;
		enum knob_has has;

		if (!file)
			continue;
		has = p->probe->file(p->probe, hier, k->controller, file);
		if (!missing)
			missing = file;
		/* Not knowing is for cg_apply() to settle, on the group's own files. */
		if (has == KNOB_MISSING || (has == KNOB_UNKNOWN && k != knob))
			continue;
		if (is_inexpressible(p, k, hier))
			return err_say(p->e, -EINVAL,
				       "%s: cgroup v1 limits memory and swap together ('%s'), so a "
				       "memory limit is needed too",
				       k->limit, file);
		r = add(p, k->limit, k->controller, hier->v2, file, format(p->arena, p->res, k));
		if (r < 0)
			return r;
		planned++;
	}
	mark_alternatives(p, planned);
	if (planned || (knob->needless && knob->needless(p->probe, value)))
		return 0;
	if (!hier)
		return refuse_controller(p, knob->limit, knob->controller);
	if (!missing)
		return refuse_version(p, knob->limit, hier, knob->controller,
				      hier->v2 ? knob->v1_file : knob->v2_file);
	return refuse_file(p, knob->limit, hier, missing);
}

static int plan_limits(struct planner *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(knobs);) {
		size_t n = 1;
		int r;

		while (i + n < ARRAY_SIZE(knobs) && knobs[i + n].offset == knobs[i].offset)
			n++;
		r = plan_limit(p, &knobs[i], n);
		if (r < 0)
			return r;
		i += n;
	}
	return 0;
}

/* A write to whichever of the @n files exist; one must. */
static int plan_any(struct planner *p, const char *limit, const struct cg_hier *hier,
		    enum cg_controller controller, const char *const *files,
		    const char *const *values, size_t n)
{
	size_t planned = 0;

	for (size_t i = 0; i < n; i++) {
		enum knob_has has = p->probe->file(p->probe, hier, controller, files[i]);
		int r;

		if (has == KNOB_MISSING || (has == KNOB_UNKNOWN && i > 0))
			continue;
		r = add(p, limit, controller, hier->v2, files[i], values[i]);
		if (r < 0)
			return r;
		planned++;
	}
	mark_alternatives(p, planned);
	return planned ? 0 : refuse_file(p, limit, hier, files[0]);
}

/* One disk's own weight: "8:0 200". */
static int plan_io_weight(struct planner *p, const struct cg_hier *hier,
			  const struct cg_io_weight *w)
{
	static const char *const v2_files[] = { "io.weight", "io.bfq.weight" };
	static const char *const v1_files[] = { "blkio.weight_device", "blkio.bfq.weight_device" };
	const char *values[2];

	if (w->weight < 1 || w->weight > 10000)
		return err_say(p->e, -EINVAL,
			       "io weight of device %u:%u: found %" PRIu64 ", allowed: 1 to 10000",
			       w->major, w->minor, w->weight);
	values[1] = arena_printf(p->arena, "%u:%u %" PRIu64, w->major, w->minor,
				 cg_blkio_from_weight(w->weight));
	values[0] =
		hier->v2 ? arena_printf(p->arena, "%u:%u %" PRIu64, w->major, w->minor, w->weight)
			 : values[1];
	return plan_any(p, "io weight of a device", hier, CG_IO, hier->v2 ? v2_files : v1_files,
			values, ARRAY_SIZE(values));
}

static const struct opt_u64 *io_rate(const struct cg_io_limit *limit, size_t i)
{
	return (const struct opt_u64 *)(const void *)((const char *)limit + io_rates[i].offset);
}

/* v2: "8:0 rbps=1048576 wiops=max". v1: "8:0 1048576" to a file for each. */
static int plan_io_limit(struct planner *p, const struct cg_hier *hier,
			 const struct cg_io_limit *limit)
{
	static const char name[] = "io limit of a device", file[] = "io.max";
	const char *line = arena_printf(p->arena, "%u:%u", limit->major, limit->minor);
	size_t set = 0;

	for (size_t i = 0; line && i < ARRAY_SIZE(io_rates); i++) {
		const struct opt_u64 *rate = io_rate(limit, i);
		const char *value;
		int r;

		if (!rate->set)
			continue;
		set++;
		/* In v1 a zero would lift the limit instead. */
		if (rate->v == 0)
			return err_say(p->e, -EINVAL,
				       "io limit %s of device %u:%u: found 0, "
				       "allowed: 1 to max",
				       io_rates[i].key, limit->major, limit->minor);
		value = number(p->arena, rate->v, hier->v2 ? "max" : "0");
		if (!value)
			break;
		if (hier->v2) {
			line = arena_printf(p->arena, "%s %s=%s", line, io_rates[i].key, value);
			continue;
		}
		value = arena_printf(p->arena, "%s %s", line, value);
		r = plan_any(p, name, hier, CG_IO, &io_rates[i].v1_file, &value, 1);
		if (r < 0)
			return r;
	}
	if (!line)
		return err_set(p->e, -ENOMEM, "plan the io limits");
	if (!hier->v2 || !set)
		return 0;
	return plan_any(p, name, hier, CG_IO, (const char *const[]){ file }, &line, 1);
}

static int plan_io(struct planner *p)
{
	const struct cg_hier *hier = layout_hier(p->layout, CG_IO);
	int r = 0;

	if (!hier && (p->res->io_weight_count || p->res->io_limit_count))
		return refuse_controller(p, "io limit of a device", CG_IO);
	for (size_t i = 0; r == 0 && i < p->res->io_weight_count; i++)
		r = plan_io_weight(p, hier, &p->res->io_weights[i]);
	for (size_t i = 0; r == 0 && i < p->res->io_limit_count; i++)
		r = plan_io_limit(p, hier, &p->res->io_limits[i]);
	return r;
}

/* "2MB", "1GB", "64KB": a size that becomes part of a file's name. */
static bool is_page_size(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	return s[0] != '0' && digits > 0 && digits < 6 && strlen(s) == digits + 2 &&
	       strchr("KMG", s[digits]) && s[digits + 1] == 'B';
}

/*
 * Where the kernel counts reservations, they are limited too: a task over the limit is then
 * refused at mmap(2) and not killed by SIGBUS at a page fault. (cgroup-v1/hugetlb.rst)
 */
static int plan_hugetlb(struct planner *p)
{
	const struct cg_hier *hier = layout_hier(p->layout, CG_HUGETLB);
	int r = 0;

	if (!hier && p->res->hugetlb_count)
		return refuse_controller(p, "huge page limit", CG_HUGETLB);
	for (size_t i = 0; r == 0 && i < p->res->hugetlb_count; i++) {
		const struct cg_hugetlb_limit *limit = &p->res->hugetlb[i];
		const char *suffix = hier->v2 ? "max" : "limit_in_bytes", *files[2], *values[2];

		if (!is_page_size(limit->page_size))
			return err_say(p->e, -EINVAL,
				       "huge page limit: '%s' is not a page size "
				       "such as \"2MB\"",
				       limit->page_size);
		files[0] = arena_printf(p->arena, "hugetlb.%s.%s", limit->page_size, suffix);
		files[1] = arena_printf(p->arena, "hugetlb.%s.rsvd.%s", limit->page_size, suffix);
		values[0] = number(p->arena, limit->limit_bytes, hier->v2 ? "max" : "-1");
		values[1] = values[0];
		if (!files[0] || !files[1])
			return err_set(p->e, -ENOMEM, "plan the huge page limits");
		r = plan_any(p, "huge page limit", hier, CG_HUGETLB, files, values, 2);
	}
	return r;
}

/* cgroup-v1/rdma.rst, and cgroup-v2.rst "RDMA Interface Files": the same line for both. */
static int plan_rdma(struct planner *p)
{
	static const char *const file = "rdma.max";
	const struct cg_hier *hier = layout_hier(p->layout, CG_RDMA);
	int r = 0;

	if (!hier && p->res->rdma_count)
		return refuse_controller(p, "rdma limit", CG_RDMA);
	for (size_t i = 0; r == 0 && i < p->res->rdma_count; i++) {
		const struct cg_rdma_limit *limit = &p->res->rdma[i];
		const struct {
			const char *key;
			struct opt_u64 value;
		} parts[] = { { "hca_handle", limit->handles }, { "hca_object", limit->objects } };
		const char *line = limit->device;

		for (size_t k = 0; line && k < ARRAY_SIZE(parts); k++) {
			const char *value = number(p->arena, parts[k].value.v, "max");

			if (parts[k].value.set)
				line = arena_printf(p->arena, "%s %s=%s", line, parts[k].key,
						    value ? value : "max");
		}
		if (!line)
			return err_set(p->e, -ENOMEM, "plan the rdma limits");
		r = plan_any(p, "rdma limit", hier, CG_RDMA, &file, &line, 1);
	}
	return r;
}

/* cgroup-v1/net_prio.rst */
static int plan_net_prios(struct planner *p)
{
	static const char *const file = "net_prio.ifpriomap";
	const struct cg_hier *hier = layout_hier(p->layout, CG_NET_PRIO);
	int r = 0;

	if (!hier && p->res->net_prio_count)
		return refuse_controller(p, "network priority", CG_NET_PRIO);
	for (size_t i = 0; r == 0 && i < p->res->net_prio_count; i++) {
		const struct cg_net_prio *prio = &p->res->net_prios[i];
		const char *line =
			arena_printf(p->arena, "%s %" PRIu32, prio->interface, prio->priority);

		if (!line)
			return err_set(p->e, -ENOMEM, "plan the network priorities");
		r = plan_any(p, "network priority", hier, CG_NET_PRIO, &file, &line, 1);
	}
	return r;
}

/* It names one in the group's own directory that holds a setting: writing to cgroup.procs or
 * cgroup.kill is an act. */
bool cg_is_limit_file(const char *key)
{
	static const char *const acts[] = {
		"cgroup.procs",	 "cgroup.threads", "cgroup.kill",
		"cgroup.freeze", "cgroup.type",	   "cgroup.subtree_control",
	};

	for (size_t i = 0; i < ARRAY_SIZE(acts); i++)
		if (strcmp(key, acts[i]) == 0)
			return false;
	for (const char *s = key; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._-", *s))
			return false;
	return strchr(key, '.') && key[0] != '.';
}

/* OCI "unified": written as it is, line by line, since a cgroup file takes one line a write. */
static int plan_unified(struct planner *p)
{
	for (size_t i = 0; i < p->res->unified.n; i++) {
		const struct strpair *pair = &p->res->unified.v[i];
		enum cg_controller controller = layout_controller(pair->key);
		const struct cg_hier *v2 = &p->layout->hiers[0], *hier = v2;
		char *copy, *line, *save = NULL;

		if (!cg_is_limit_file(pair->key))
			return err_say(p->e, -EINVAL,
				       "unified limit '%s' is not a limit file of cgroup v2",
				       pair->key);
		if (controller != CG_CONTROLLERS)
			hier = layout_hier(p->layout, controller);
		if (!hier)
			return refuse_controller(p, pair->key, controller);
		if (!hier->v2)
			return err_say(
				p->e, -ENOTSUP,
				"invalid configuration: unified limit '%s': '%s' is in %s here",
				pair->key, cg_controller_name(controller), hier->where);
		if (p->probe->file(p->probe, v2, controller, pair->key) == KNOB_MISSING)
			return refuse_file(p, "unified limit", v2, pair->key);
		copy = arena_strdup(p->arena, pair->value);
		if (!copy)
			return err_set(p->e, -ENOMEM, "plan the unified limits");
		for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
			int r = add(p, "unified limit",
				    controller == CG_CONTROLLERS ? CG_CORE : controller, true,
				    pair->key, line);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

int knob_plan(const struct cg_layout *layout, struct knob_probe *probe,
	      const struct cg_resources *res, struct arena *arena, struct knob_write **ret,
	      size_t *ret_count, struct err *e)
{
	struct planner p = { .layout = layout, .probe = probe, .res = res, .arena = arena, .e = e };
	int r = plan_limits(&p);

	if (r == 0)
		r = plan_io(&p);
	if (r == 0)
		r = plan_hugetlb(&p);
	if (r == 0)
		r = plan_rdma(&p);
	if (r == 0)
		r = plan_net_prios(&p);
	if (r == 0)
		r = plan_unified(&p);
	if (r < 0)
		return r;
	*ret = p.writes;
	*ret_count = p.count;
	return 0;
}
