/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of a partition, in the units of cgroup v2. */
#include "base/own.h"
#include "cgroups/cg.h"
#include "runtime/config/config_internal.h"

#include <string.h>

enum { CPU_PERIOD_US = 100000, RWM = CG_DEV_READ | CG_DEV_WRITE | CG_DEV_MKNOD };

/* What every payload may open: runtime-spec config-linux.md "Default Devices". The pts majors are
 * those of Documentation/admin-guide/devices.txt, "Unix98 PTY slaves". */
static const struct cg_device_rule base_devices[] = {
	{ false, 'a', -1, -1, RWM }, /* nothing but: */
	{ true, 'c', 1, 3, RWM },    /* null */
	{ true, 'c', 1, 5, RWM },    /* zero */
	{ true, 'c', 1, 7, RWM },    /* full */
	{ true, 'c', 1, 8, RWM },    /* random */
	{ true, 'c', 1, 9, RWM },    /* urandom */
	{ true, 'c', 5, 0, RWM },    /* tty */
	{ true, 'c', 5, 1, RWM },    /* console */
	{ true, 'c', 5, 2, RWM },    /* ptmx */
	{ true, 'c', 136, -1, RWM }, /* pts */
};

static unsigned int access_bits(const char *access)
{
	unsigned int bits = 0;

	bits |= strchr(access, 'r') ? CG_DEV_READ : 0;
	bits |= strchr(access, 'w') ? CG_DEV_WRITE : 0;
	bits |= strchr(access, 'm') ? CG_DEV_MKNOD : 0;
	return bits;
}

static int add_devices(const struct config *config, const struct config_facts *facts,
		       struct arena *arena, struct cg_resources *res)
{
	const struct config_device *devices = config->devices.v;
	size_t n = ARRAY_SIZE(base_devices);
	struct cg_device_rule *rules =
		arena_alloc(arena, sizeof(base_devices) + config->devices.n * sizeof(*rules));

	if (!rules)
		return -ENOMEM;
	memcpy(rules, base_devices, sizeof(base_devices));
	for (size_t i = 0; i < config->devices.n; i++) {
		const struct config_node *node = &facts->nodes[i];

		rules[n++] = (struct cg_device_rule){ true, node->type, node->major, node->minor,
						      access_bits(devices[i].access) };
	}
	res->devices = rules;
	res->device_count = n;
	return 0;
}

static void add_cpu(const struct config_cpu *cpu, struct cg_resources *res)
{
	uint64_t milli = cpu->limit_milli.set ? cpu->limit_milli.v : UINT64_MAX;

	/* No kernel knob floats N CPUs: the same time per period comes closest, without pinning. */
	if (cpu->count.set && cpu->count.v * 1000 < milli)
		milli = cpu->count.v * 1000;
	res->cpu_weight = cpu->weight;
	res->cpuset_cpus = cpu->mask;
	if (!cpu->limit_milli.set && !cpu->count.set)
		return;
	res->cpu_period_us = (struct opt_u64){ CPU_PERIOD_US, true };
	res->cpu_quota_us =
		(struct opt_u64){ milli == UINT64_MAX ? UINT64_MAX : milli * (CPU_PERIOD_US / 1000),
				  true };
	if (cpu->burst_ms.set && milli != UINT64_MAX)
		res->cpu_burst_us = (struct opt_u64){ cpu->burst_ms.v * 1000, true };
}

static void add_memory(const struct config_memory *memory, struct cg_resources *res)
{
	res->memory_max_bytes = memory->limit;
	res->memory_spares_used = true;
	res->memory_high_bytes = memory->high;
	res->memory_low_bytes = memory->guarantee;
	/* Without a limit there is nothing that swap would add to, and v1 cannot say it. */
	if (memory->limit.v != UINT64_MAX)
		res->swap_max_bytes = memory->swap;
	/* Off is the kernel's default, and v1 has no such knob: so it is only ever asked for. */
	if (memory->oom_group)
		res->oom_group = (struct opt_bool){ true, true };
}

static bool is_finite(const struct opt_u64 *v)
{
	return v->set && v->v != UINT64_MAX;
}

static int add_io(const struct config_io *io, const struct config_facts *facts, struct arena *arena,
		  struct cg_resources *res, struct err *e)
{
	bool limits = is_finite(&io->read_bps) || is_finite(&io->write_bps) ||
		      is_finite(&io->read_iops) || is_finite(&io->write_iops);

	res->io_weight = io->weight;
	if (facts->disk_major == 0 && facts->disk_minor == 0) {
		if (!limits)
			return 0; /* "max" everywhere is what there is */
		err_say(e, -EINVAL, "io: no disk is known that holds the partition");
		err_hint(e, "io limits apply to a block device; put the store on one, or remove "
			    "io.readBps, io.writeBps, io.readIops and io.writeIops");
		return -EINVAL;
	}
	if (!io->read_bps.set && !io->write_bps.set && !io->read_iops.set && !io->write_iops.set)
		return 0;
	res->io_limits = arena_alloc(arena, sizeof(*res->io_limits));
	if (!res->io_limits)
		return err_set(e, -ENOMEM, "io limits");
	res->io_limits[0] = (struct cg_io_limit){
		.major = facts->disk_major,
		.minor = facts->disk_minor,
		.rbps = io->read_bps,
		.wbps = io->write_bps,
		.riops = io->read_iops,
		.wiops = io->write_iops,
	};
	res->io_limit_count = 1;
	return 0;
}

int config_to_cgroup(const struct config *config, const struct config_facts *facts,
		     struct arena *arena, struct cg_resources *ret, struct err *e)
{
	struct cg_resources res = { 0 };
	int r;

	add_memory(&config->memory, &res);
	add_cpu(&config->cpu, &res);
	res.pids_max = config->limits.processes;
	res.descendants_max = config->limits.cgroups;
	r = add_io(&config->io, facts, arena, &res, e);
	if (r < 0)
		return r;
	if (add_devices(config, facts, arena, &res) < 0)
		return err_set(e, -ENOMEM, "device rules");
	*ret = res;
	return 0;
}
