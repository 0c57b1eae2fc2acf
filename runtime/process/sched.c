/* SPDX-License-Identifier: Apache-2.0 */
/* Scheduling policy, I/O class, CPUs and memory policy of one process. */
#include "runtime/process/sched.h"

#include "base/own.h"
#include "base/text.h"
#include "runtime/spec/spec.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* clang-format off */
const struct name sched_policies[] = {
	{ "SCHED_OTHER",    SCHED_OTHER },
	{ "SCHED_FIFO",	    SCHED_FIFO },
	{ "SCHED_RR",	    SCHED_RR },
	{ "SCHED_BATCH",    SCHED_BATCH },
	{ "SCHED_ISO",	    4 /* reserved: never merged */ },
	{ "SCHED_IDLE",	    SCHED_IDLE },
	{ "SCHED_DEADLINE", SCHED_DEADLINE },
	{ NULL, 0 }
};

const struct name sched_flags[] = { /* include/uapi/linux/sched.h */
	{ "SCHED_FLAG_RESET_ON_FORK",  0x01 },
	{ "SCHED_FLAG_RECLAIM",	       0x02 },
	{ "SCHED_FLAG_DL_OVERRUN",     0x04 },
	{ "SCHED_FLAG_KEEP_POLICY",    0x08 },
	{ "SCHED_FLAG_KEEP_PARAMS",    0x10 },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 },
	{ NULL, 0 }
};

const struct name sched_io_classes[] = {
	{ "IOPRIO_CLASS_RT",   IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE",   IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
	{ NULL, 0 }
};

enum { WEIGHTED_INTERLEAVE = 6 }; /* MPOL_WEIGHTED_INTERLEAVE, since Linux 6.9 */
const struct name sched_memory_modes[] = {
	{ "MPOL_DEFAULT",	      MPOL_DEFAULT },
	{ "MPOL_BIND",		      MPOL_BIND },
	{ "MPOL_INTERLEAVE",	      MPOL_INTERLEAVE },
	{ "MPOL_WEIGHTED_INTERLEAVE", WEIGHTED_INTERLEAVE },
	{ "MPOL_PREFERRED",	      MPOL_PREFERRED },
	{ "MPOL_PREFERRED_MANY",      MPOL_PREFERRED_MANY },
	{ "MPOL_LOCAL",		      MPOL_LOCAL },
	{ NULL, 0 }
};

const struct name sched_memory_flags[] = {
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_STATIC_NODES",   MPOL_F_STATIC_NODES },
	{ NULL, 0 }
};
/* clang-format on */

/* struct sched_attr of sched_setattr(2), whose header and the C library's exclude each other */
struct sched_request {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

enum { NICE_MIN = -20, NICE_MAX = 19, IO_LEVELS = 8 };

static uint64_t flags_of(const struct strv *words, const struct name *table)
{
	uint64_t set = 0;

	for (size_t i = 0; i < words->n; i++) {
		uint64_t flag = 0;

		(void)name_value(table, words->v[i], &flag); /* the decoder knows them all */
		set |= flag;
	}
	return set;
}

/* sched(7): which parameters a policy has. One that it has not would be lost without a word. */
static int check_scheduler(const struct spec_scheduler *s, struct err *e)
{
	bool fair = s->policy == SCHED_OTHER || s->policy == SCHED_BATCH;
	bool realtime = s->policy == SCHED_FIFO || s->policy == SCHED_RR;

	if (fair && (s->nice < NICE_MIN || s->nice > NICE_MAX))
		return err_say(e, -EINVAL, "process.scheduler.nice: %lld is not within %d to %d",
			       (long long)s->nice, NICE_MIN, NICE_MAX);
	if (s->priority && !realtime)
		return err_say(e, -EINVAL,
			       "process.scheduler.priority: is of SCHED_FIFO and SCHED_RR alone");
	if (realtime && (s->priority < sched_get_priority_min((int)s->policy) ||
			 s->priority > sched_get_priority_max((int)s->policy)))
		return err_say(e, -EINVAL,
			       "process.scheduler.priority: %lld is not within %d to %d",
			       (long long)s->priority, sched_get_priority_min((int)s->policy),
			       sched_get_priority_max((int)s->policy));
	if (s->policy != SCHED_DEADLINE && (s->runtime.v || s->deadline.v || s->period.v))
		return err_say(e, -EINVAL,
			       "process.scheduler: runtime, deadline and period are of "
			       "SCHED_DEADLINE alone");
	return 0;
}

static int plan_scheduler(const struct spec_scheduler *s, struct arena *arena, struct sched *sched,
			  struct err *e)
{
	struct sched_request *attr;
	int r;

	if (!s)
		return 0;
	r = check_scheduler(s, e);
	if (r < 0)
		return r;
	attr = arena_alloc(arena, sizeof(*attr));
	if (!attr)
		return -ENOMEM;
	*attr = (struct sched_request){
		.size = sizeof(*attr),
		.policy = s->policy,
		.flags = flags_of(&s->flags, sched_flags),
		.nice = (int32_t)s->nice,
		.priority = (uint32_t)s->priority,
		.runtime = s->runtime.v,
		.deadline = s->deadline.v,
		.period = s->period.v,
	};
	sched->attr = attr;
	sched->policy = name_of(sched_policies, s->policy);
	return 0;
}

static int plan_io(const struct spec_io_priority *io, struct sched *sched, struct err *e)
{
	sched->io_priority = -1;
	if (!io)
		return 0;
	if (io->priority < 0 || io->priority >= IO_LEVELS)
		return err_say(e, -EINVAL, "process.ioPriority.priority: %lld is not within 0 to 7",
			       (long long)io->priority);
	sched->io_priority = IOPRIO_PRIO_VALUE((int)io->class, (int)io->priority);
	return 0;
}

/* @text: NULL or "" is no set. */
static int plan_set(const char *text, size_t bits, const char *path, struct arena *arena,
		    const unsigned long **ret, struct err *e)
{
	unsigned long *set;
	int r;

	if (!text || !*text)
		return 0;
	set = arena_alloc(arena, bits / 8);
	if (!set)
		return -ENOMEM;
	r = text_bits(text, set, bits);
	if (r < 0) {
		err_say(e, -EINVAL, "%s: '%s' is not a list of numbers below %zu", path, text,
			bits);
		err_hint(e, "such as \"0-3,8\"");
		return -EINVAL;
	}
	*ret = set;
	return 0;
}

static size_t count_bits(const unsigned long *set, size_t bits)
{
	size_t count = 0;

	for (size_t i = 0; set && i < bits / (8 * sizeof(*set)); i++)
		count += (size_t)__builtin_popcountl(set[i]);
	return count;
}

static int plan_memory(const struct spec_memory_policy *m, struct arena *arena, struct sched *sched,
		       struct err *e)
{
	uint64_t flags, mode;
	bool takes_none;
	int r;

	if (!m)
		return 0;
	if (!m->mode || name_value(sched_memory_modes, m->mode, &mode) < 0)
		return err_say(e, -EINVAL,
			       "linux.memoryPolicy.mode: invalid memory policy mode '%s'",
			       m->mode ? m->mode : "");
	for (size_t i = 0; i < m->flags.n; i++)
		if (name_value(sched_memory_flags, m->flags.v[i], &flags) < 0)
			return err_say(
				e, -EINVAL,
				"linux.memoryPolicy.flags[%zu]: invalid memory policy flag '%s'", i,
				m->flags.v[i]);
	r = plan_set(m->nodes, SCHED_NODES, "linux.memoryPolicy.nodes: invalid memory policy nodes",
		     arena, &sched->memory, e);
	if (r < 0)
		return r;
	takes_none = mode == MPOL_DEFAULT || mode == MPOL_LOCAL;
	if (takes_none && sched->memory)
		return err_say(e, -EINVAL,
			       "linux.memoryPolicy.nodes: the mode requires 0 nodes but got %zu",
			       count_bits(sched->memory, SCHED_NODES));
	if (!takes_none && mode != MPOL_PREFERRED && !sched->memory)
		return err_say(e, -EINVAL,
			       "linux.memoryPolicy.nodes: the mode requires at least one node");
	flags = flags_of(&m->flags, sched_memory_flags);
	if ((flags & MPOL_F_STATIC_NODES) && (flags & MPOL_F_RELATIVE_NODES))
		return err_say(e, -EINVAL,
			       "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and "
			       "MPOL_F_RELATIVE_NODES exclude each other");
	sched->has_memory = true;
	sched->memory_mode = (int)(mode | flags);
	return 0;
}

int sched_plan(const struct spec_process *process, const struct spec_memory_policy *memory,
	       struct arena *arena, struct sched *ret, struct err *e)
{
	const struct spec_exec_cpu_affinity *cpus = process->exec_cpu_affinity;
	struct sched s = { 0 };
	int r = plan_scheduler(process->scheduler, arena, &s, e);

	if (r == 0)
		r = plan_io(process->io_priority, &s, e);
	if (r == 0 && cpus)
		r = plan_set(cpus->initial, SCHED_CPUS, "process.execCPUAffinity.initial", arena,
			     &s.cpus_initial, e);
	if (r == 0 && cpus)
		r = plan_set(cpus->final, SCHED_CPUS, "process.execCPUAffinity.final", arena,
			     &s.cpus_final, e);
	if (r == 0)
		r = plan_memory(memory, arena, &s, e);
	if (r == 0)
		*ret = s;
	return r;
}

int sched_set_cpus(const unsigned long *cpus, struct err *e)
{
	unsigned long all[SCHED_CPUS / (8 * sizeof(unsigned long))];

	/* All bits and not what is online now: the kernel takes what the cpuset has, and more as
	 * that grows. */
	memset(all, 0xff, sizeof(all));
	if (syscall(SYS_sched_setaffinity, 0, sizeof(all), cpus ? cpus : all) < 0)
		return err_set(e, -errno, cpus ? "process.execCPUAffinity" : "reset CPU affinity");
	return 0;
}

int sched_get_cpus(unsigned long *ret, struct err *e)
{
	memset(ret, 0, SCHED_CPUS / 8);
	if (syscall(SYS_sched_getaffinity, 0, SCHED_CPUS / 8, ret) < 0)
		return err_set(e, -errno, "read CPU affinity");
	return 0;
}

static int apply_scheduler(const struct sched *s, struct err *e)
{
	int r;

	if (!s->attr || syscall(SYS_sched_setattr, 0, s->attr, 0) == 0)
		return 0;
	/* sched_setattr(2): bandwidth is promised on all CPUs of the system */
	if (errno == EPERM && s->attr->policy == SCHED_DEADLINE) {
		err_say(e, -EPERM,
			"process.scheduler: %s: process scheduler can't be used together with "
			"AllowedCPUs: operation not permitted",
			s->policy);
		err_hint(e, "leave linux.resources.cpu.cpus out; it needs CAP_SYS_NICE, too");
		return -EPERM;
	}
	r = err_set(e, -errno, "process.scheduler: %s", s->policy);
	if (r == -EPERM)
		err_hint(e, "real time needs CAP_SYS_NICE, and in cgroup v1 a share of it: "
			    "linux.resources.cpu.realtimeRuntime");
	return r;
}

int sched_apply(const struct sched *s, struct err *e)
{
	int r = apply_scheduler(s, e);

	if (r < 0)
		return r;
	if (s->io_priority >= 0 &&
	    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, s->io_priority) < 0)
		return err_set(e, -errno, "process.ioPriority");
	/* the kernel's count is one more than the bits that it reads */
	if (s->has_memory && syscall(SYS_set_mempolicy, s->memory_mode, s->memory,
				     s->memory ? SCHED_NODES + 1 : 0) < 0) {
		r = err_set(e, -errno, "linux.memoryPolicy");
		err_hint(e, "its nodes must exist and be of linux.resources.cpu.mems");
	}
	return r;
}
