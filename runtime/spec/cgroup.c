/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources to cgroup v2 units: the arithmetic of the OCI spec and of runc. */
#include "runtime/spec/spec.h"

#include "base/own.h"
#include "base/text.h"
#include "cgroups/cg.h"

#include <string.h>

#define NONE UINT64_MAX /* "max": no limit */
#define AT   "linux.resources."

struct convert {
	const struct spec_resources *from;
	struct cg_resources *to;
	struct arena *arena;
	struct err *e;
};

static struct opt_u64 given(uint64_t v)
{
	return (struct opt_u64){ v, true };
}

/* -1 is "no limit", 0 leaves the kernel's default. */
static int bytes(const struct convert *c, const struct opt_i64 *from, const char *path,
		 struct opt_u64 *to)
{
	if (!from->set || from->v == 0)
		return 0;
	if (from->v < -1)
		return err_say(c->e, -EINVAL, "%s: %lld is neither a size nor -1", path,
			       (long long)from->v);
	*to = given(from->v < 0 ? NONE : (uint64_t)from->v);
	return 0;
}

/* The spec's swap is memory and swap together, as in cgroup v1. */
static int convert_swap(const struct convert *c)
{
	const struct spec_memory *m = &c->from->memory;
	int64_t limit = m->limit.set ? m->limit.v : 0, total = m->swap.set ? m->swap.v : 0;

	if (total == -1 || (total == 0 && limit == -1)) {
		c->to->swap_max_bytes = given(NONE);
		return 0;
	}
	if (total == 0)
		return 0;
	if (total < -1)
		return err_say(c->e, -EINVAL, AT "memory.swap: %lld is neither a size nor -1",
			       (long long)total);
	if (limit <= 0)
		return err_say(c->e, -EINVAL,
			       AT "memory.swap: counts memory and swap together, so it needs "
				  "memory.limit");
	if (total < limit)
		return err_say(c->e, -EINVAL,
			       AT "memory.swap: %lld is below memory.limit, which it includes",
			       (long long)total);
	c->to->swap_max_bytes = given((uint64_t)(total - limit));
	return 0;
}

static int convert_memory(const struct convert *c)
{
	const struct spec_memory *m = &c->from->memory;
	int r;

	r = bytes(c, &m->limit, AT "memory.limit", &c->to->memory_max_bytes);
	if (r == 0)
		r = bytes(c, &m->reservation, AT "memory.reservation", &c->to->memory_soft_bytes);
	if (r == 0)
		r = convert_swap(c);
	if (r < 0)
		return r;
	if (m->swappiness.set && m->swappiness.v > 100)
		return err_say(c->e, -EINVAL, AT "memory.swappiness: %llu is above 100",
			       (unsigned long long)m->swappiness.v);
	c->to->swappiness = m->swappiness;
	/* false is the kernel's default, and engines always send it */
	if (m->disable_oom_killer.set && m->disable_oom_killer.v)
		c->to->oom_kill_disable = (struct opt_bool){ true, true };
	c->to->memory_spares_used = m->check_before_update.v;
	return 0; /* kernel, kernelTCP and useHierarchy: the kernel has given them up */
}

static int convert_cpuset(const struct convert *c, char *from, const char *path, char **to)
{
	if (!from || !*from)
		return 0;
	if (!text_is_cpuset(from))
		return err_say(c->e, -EINVAL, "%s: '%s' is not a list such as 0-3,8", path, from);
	*to = from;
	return 0;
}

static int convert_cpu(const struct convert *c)
{
	const struct spec_cpu *cpu = &c->from->cpu;
	int r;

	if (cpu->shares.set && cpu->shares.v) {
		c->to->cpu_weight = given(cg_weight_from_shares(cpu->shares.v));
		c->to->cpu_shares = cpu->shares.v;
	}
	if (cpu->quota.set && cpu->quota.v)
		c->to->cpu_quota_us = given(cpu->quota.v < 0 ? NONE : (uint64_t)cpu->quota.v);
	if (cpu->period.set && cpu->period.v)
		c->to->cpu_period_us = cpu->period;
	c->to->cpu_burst_us = cpu->burst;
	if (cpu->idle.set) {
		if (cpu->idle.v != 0 && cpu->idle.v != 1)
			return err_say(c->e, -EINVAL, AT "cpu.idle: %lld is neither 0 nor 1",
				       (long long)cpu->idle.v);
		c->to->cpu_idle = (struct opt_bool){ cpu->idle.v == 1, true };
	}
	if (cpu->realtime_period.set && cpu->realtime_period.v)
		c->to->cpu_rt_period_us = cpu->realtime_period;
	if (cpu->realtime_runtime.set && cpu->realtime_runtime.v)
		c->to->cpu_rt_runtime_us = given(
			cpu->realtime_runtime.v < 0 ? NONE : (uint64_t)cpu->realtime_runtime.v);
	r = convert_cpuset(c, cpu->cpus, AT "cpu.cpus", &c->to->cpuset_cpus);
	if (r == 0)
		r = convert_cpuset(c, cpu->mems, AT "cpu.mems", &c->to->cpuset_mems);
	return r;
}

/* 10..1000 of the v1 scheduler to 1..10000; 0 is unset. */
static int io_weight(const struct convert *c, const struct opt_u64 *from, const char *path,
		     struct opt_u64 *to)
{
	if (!from->set || from->v == 0)
		return 0;
	if (from->v < 10 || from->v > 1000)
		return err_say(c->e, -EINVAL, "%s: %llu is not within 10 to 1000", path,
			       (unsigned long long)from->v);
	*to = given(cg_weight_from_blkio(from->v));
	return 0;
}

static int no_leaf_weight(const struct convert *c, const struct opt_u64 *from, const char *path)
{
	if (from->set && from->v)
		return err_say(c->e, -ENOTSUP, "%s: the kernel has no such weight since Linux 5.0",
			       path);
	return 0;
}

static int disk(const struct convert *c, int64_t major, int64_t minor, const char *path)
{
	if (major < 0 || major > UINT32_MAX || minor < 0 || minor > UINT32_MAX)
		return err_say(c->e, -EINVAL, "%s: %lld:%lld is not a device number", path,
			       (long long)major, (long long)minor);
	return 0;
}

static int convert_io_weights(const struct convert *c)
{
	const struct spec_block_io *io = &c->from->block_io;
	const struct spec_weight_device *devices = io->weight_device.v;

	for (size_t i = 0; i < io->weight_device.n; i++) {
		const struct spec_weight_device *from = &devices[i];
		struct opt_u64 weight = { 0 };
		struct cg_io_weight *to;
		char path[80];
		int r;

		(void)snprintf(path, sizeof(path), AT "blockIO.weightDevice[%zu]", i);
		r = disk(c, from->major, from->minor, path);
		if (r == 0)
			r = no_leaf_weight(c, &from->leaf_weight, path);
		if (r == 0)
			r = io_weight(c, &from->weight, path, &weight);
		if (r < 0)
			return r;
		if (!weight.set)
			continue;
		to = arena_grow(c->arena, &c->to->io_weights, &c->to->io_weight_count, sizeof(*to));
		if (!to)
			return err_set(c->e, -ENOMEM, "convert resources");
		*to = (struct cg_io_weight){ (uint32_t)from->major, (uint32_t)from->minor,
					     weight.v };
	}
	return 0;
}

/* The kernel wants all four limits of a disk on one line. */
static struct cg_io_limit *io_limit(const struct convert *c, uint32_t major, uint32_t minor)
{
	struct cg_io_limit *limit;

	for (size_t i = 0; i < c->to->io_limit_count; i++)
		if (c->to->io_limits[i].major == major && c->to->io_limits[i].minor == minor)
			return &c->to->io_limits[i];
	limit = arena_grow(c->arena, &c->to->io_limits, &c->to->io_limit_count, sizeof(*limit));
	if (limit)
		*limit = (struct cg_io_limit){ .major = major, .minor = minor };
	return limit;
}

static int convert_io_limits(const struct convert *c)
{
	const struct spec_block_io *io = &c->from->block_io;
	/* clang-format off */
	const struct {
		const char *key;
		const struct js_list *from;
		size_t offset;
	} kinds[] = {
		{ "throttleReadBpsDevice",   &io->read_bps,   offsetof(struct cg_io_limit, rbps) },
		{ "throttleWriteBpsDevice",  &io->write_bps,  offsetof(struct cg_io_limit, wbps) },
		{ "throttleReadIOPSDevice",  &io->read_iops,  offsetof(struct cg_io_limit, riops) },
		{ "throttleWriteIOPSDevice", &io->write_iops, offsetof(struct cg_io_limit, wiops) },
	};
	/* clang-format on */

	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		const struct spec_throttle_device *devices = kinds[kind].from->v;

		for (size_t i = 0; i < kinds[kind].from->n; i++) {
			struct cg_io_limit *to;
			char path[80];
			int r;

			(void)snprintf(path, sizeof(path), AT "blockIO.%s[%zu]", kinds[kind].key,
				       i);
			r = disk(c, devices[i].major, devices[i].minor, path);
			if (r < 0)
				return r;
			to = io_limit(c, (uint32_t)devices[i].major, (uint32_t)devices[i].minor);
			if (!to)
				return err_set(c->e, -ENOMEM, "convert resources");
			/* v1 took 0 for no limit, v2 refuses it */
			*(struct opt_u64 *)((char *)to + kinds[kind].offset) =
				given(devices[i].rate ? devices[i].rate : NONE);
		}
	}
	return 0;
}

static int convert_io(const struct convert *c)
{
	const struct spec_block_io *io = &c->from->block_io;
	int r;

	r = io_weight(c, &io->weight, AT "blockIO.weight", &c->to->io_weight);
	if (r == 0)
		r = no_leaf_weight(c, &io->leaf_weight, AT "blockIO.leafWeight");
	if (r == 0)
		r = convert_io_weights(c);
	if (r == 0)
		r = convert_io_limits(c);
	return r;
}

static int convert_hugetlb(const struct convert *c)
{
	const struct spec_hugepage_limit *limits = c->from->hugepage_limits.v;

	for (size_t i = 0; i < c->from->hugepage_limits.n; i++) {
		struct cg_hugetlb_limit *to =
			arena_grow(c->arena, &c->to->hugetlb, &c->to->hugetlb_count, sizeof(*to));

		if (!to)
			return err_set(c->e, -ENOMEM, "convert resources");
		*to = (struct cg_hugetlb_limit){ limits[i].page_size, limits[i].limit };
	}
	return 0;
}

/* clang-format off */
/* What every container may do, after the config's own rules: make any device node, which without
 * a rule for it cannot be opened, and use the nodes that each container's /dev has. */
static const struct cg_device_rule always_allowed[] = {
	{ true, 'c', -1,  -1,  CG_DEV_MKNOD },
	{ true, 'b', -1,  -1,  CG_DEV_MKNOD },
#define RWM (CG_DEV_READ | CG_DEV_WRITE | CG_DEV_MKNOD)
	{ true, 'c', 1,	  3,   RWM }, /* null */
	{ true, 'c', 1,	  5,   RWM }, /* zero */
	{ true, 'c', 1,	  7,   RWM }, /* full */
	{ true, 'c', 1,	  8,   RWM }, /* random */
	{ true, 'c', 1,	  9,   RWM }, /* urandom */
	{ true, 'c', 5,	  0,   RWM }, /* tty */
	{ true, 'c', 136, -1,  RWM }, /* pts */
	{ true, 'c', 5,	  2,   RWM }, /* ptmx */
	{ true, 'c', 10,  200, RWM }, /* net/tun: dropping it once broke every VPN */
};
static const struct cg_device_rule deny_all = { false, 'a', -1, -1, RWM };
/* clang-format on */

/* The specification does not say what else it may be, and the other runtimes pass over it: there
 * are configs with "rwa". Return: 0 without any of the three letters. */
static unsigned int access_bits(const char *letters)
{
	static const struct name known[] = {
		{ "r", CG_DEV_READ }, { "w", CG_DEV_WRITE }, { "m", CG_DEV_MKNOD }, { NULL, 0 }
	};
	unsigned int bits = 0;

	for (; *letters; letters++) {
		uint64_t bit;

		if (name_value(known, (char[]){ *letters, '\0' }, &bit) == 0)
			bits |= (unsigned int)bit;
	}
	return bits;
}

static int device_rule(const struct convert *c, size_t at, const struct spec_device_rule *from,
		       struct cg_device_rule *to)
{
	*to = (struct cg_device_rule){ from->allow, 'a', -1, -1, RWM };
	if (from->type && *from->type)
		to->type = from->type[0];
	if (to->type == 'a')
		return 0; /* the kernel's v1 meaning: all devices, whatever else the rule says */

	to->major = from->major.set ? from->major.v : -1;
	to->minor = from->minor.set ? from->minor.v : -1;
	if (to->major < -1 || to->major > UINT32_MAX || to->minor < -1 || to->minor > UINT32_MAX)
		return err_say(c->e, -EINVAL, AT "devices[%zu]: %lld:%lld is not a device number",
			       at, (long long)to->major, (long long)to->minor);
	if (from->access)
		to->access = access_bits(from->access);
	if (!to->access)
		return err_say(c->e, -EINVAL, AT "devices[%zu].access: '%s' has none of r, w, m",
			       at, from->access);
	return 0;
}

static int convert_devices(const struct convert *c)
{
	const struct spec_device_rule *rules = c->from->devices.v;
	size_t n = c->from->devices.n, count = 1 + n + ARRAY_SIZE(always_allowed);
	struct cg_device_rule *to = arena_alloc(c->arena, count * sizeof(*to));

	if (!to)
		return err_set(c->e, -ENOMEM, "convert resources");
	to[0] = deny_all; /* v1 starts with the parent's rights */
	for (size_t i = 0; i < n; i++) {
		int r = device_rule(c, i, &rules[i], &to[1 + i]);

		if (r < 0)
			return r;
	}
	memcpy(&to[1 + n], always_allowed, sizeof(always_allowed));
	c->to->devices = to;
	c->to->device_count = count;
	return 0;
}

static int convert_unified(const struct convert *c)
{
	for (size_t i = 0; i < c->from->unified.n; i++)
		if (!cg_is_limit_file(c->from->unified.v[i].key))
			return err_say(c->e, -EINVAL,
				       AT "unified: '%s' is not the name of a limit's file",
				       c->from->unified.v[i].key);
	c->to->unified = c->from->unified;
	return 0;
}

static struct opt_u64 rdma_count(const json_t *limit, const char *key)
{
	const json_t *value = json_object_get(limit, key);
	uint64_t v = (uint64_t)json_integer_value(value);

	/* The kernel counts to INT_MAX, and the greatest number of the spec is what "max" reads. */
	return json_is_integer(value) ? given(v < UINT32_MAX ? v : NONE) : (struct opt_u64){ 0 };
}

static int convert_rdma(const struct convert *c)
{
	const char *device;
	json_t *limit;

	json_object_foreach(c->from->rdma, device, limit) {
		struct cg_rdma_limit *to =
			arena_grow(c->arena, &c->to->rdma, &c->to->rdma_count, sizeof(*to));

		if (!to)
			return err_set(c->e, -ENOMEM, "convert resources");
		*to = (struct cg_rdma_limit){ arena_strdup(c->arena, device),
					      rdma_count(limit, "hcaHandles"),
					      rdma_count(limit, "hcaObjects") };
		if (!to->device)
			return err_set(c->e, -ENOMEM, "convert resources");
		if (!*device || strpbrk(device, " \t\n"))
			return err_say(c->e, -EINVAL, AT "rdma: '%s' is not the name of a device",
				       device);
		if (!to->handles.set && !to->objects.set)
			return err_say(c->e, -EINVAL,
				       AT "rdma.%s: needs hcaHandles, hcaObjects or both", device);
	}
	return 0;
}

static int convert_network(const struct convert *c)
{
	const struct spec_network *network = &c->from->network;
	const struct spec_interface_priority *prios = network->priorities.v;

	c->to->net_class_id = network->class_id;
	for (size_t i = 0; i < network->priorities.n; i++) {
		struct cg_net_prio *to = arena_grow(c->arena, &c->to->net_prios,
						    &c->to->net_prio_count, sizeof(*to));

		if (!to)
			return err_set(c->e, -ENOMEM, "convert resources");
		if (!*prios[i].name || strpbrk(prios[i].name, " \t\n"))
			return err_say(c->e, -EINVAL,
				       AT "network.priorities[%zu].name: '%s' is not the name of "
					  "an interface",
				       i, prios[i].name);
		*to = (struct cg_net_prio){ prios[i].name, prios[i].priority };
	}
	return 0;
}

/* The kernel takes 0, which lets no process start another, and so does 1; systemd knows no 0. */
static void convert_pids(const struct convert *c)
{
	const struct opt_i64 *limit = &c->from->pids.limit;

	if (limit->set)
		c->to->pids_max = given(limit->v < 0	? NONE
					: limit->v == 0 ? 1
							: (uint64_t)limit->v);
}

int spec_to_cgroup(const struct spec_resources *res, struct arena *arena, struct cg_resources *ret,
		   struct err *e)
{
	struct cg_resources to = { 0 };
	const struct convert c = { res, &to, arena, e };
	int r;

	r = convert_memory(&c);
	if (r == 0)
		r = convert_cpu(&c);
	if (r == 0)
		r = convert_io(&c);
	if (r == 0)
		r = convert_hugetlb(&c);
	if (r == 0)
		r = convert_rdma(&c);
	if (r == 0)
		r = convert_network(&c);
	if (r == 0)
		r = convert_devices(&c);
	if (r == 0)
		r = convert_unified(&c);
	if (r < 0)
		return r;
	convert_pids(&c);
	*ret = to;
	return 0;
}
