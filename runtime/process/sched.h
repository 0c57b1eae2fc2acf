/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the kernel schedules one process: policy, I/O class, CPUs, and where its memory comes from
 * (runtime-spec config.md "process", config-linux.md "Memory Policy").
 *
 * DOC: the child does all of it to itself, while it still has every right and before a filter may
 * forbid the calls, but after its cgroup has its limits: a deadline policy is refused in a cpuset,
 * and the nodes of a memory policy must be of the cpuset.
 */
#ifndef CTR_RUNTIME_PROCESS_SCHED_H
#define CTR_RUNTIME_PROCESS_SCHED_H

#include "base/arena.h"
#include "base/err.h"
#include "base/table.h"

#include <stdbool.h>
#include <stddef.h>

struct sched_request;
struct spec_memory_policy;
struct spec_process;

enum { SCHED_CPUS = 8192, SCHED_NODES = 1024 }; /* the most that kernels are built for */

struct sched {
	struct sched_request *attr; /* NULL: as it is */
	const char *policy;	    /* its name, for messages */
	int io_priority;	    /* IOPRIO_PRIO_VALUE(); -1: as it is */
	/* Sets of SCHED_CPUS bits; NULL: not given */
	const unsigned long *cpus_initial, *cpus_final;
	bool has_memory;
	int memory_mode;	     /* with its flags */
	const unsigned long *memory; /* SCHED_NODES bits; NULL: none */
};

/** The words of the two specs, for their decoders, for messages and for `features`. */
extern const struct name sched_policies[], sched_flags[], sched_io_classes[], sched_memory_modes[],
	sched_memory_flags[];

/** sched_plan() - from the OCI process, and the memory policy (or NULL) of its container. Pure.
 * Return: 0; -EINVAL with the JSON path; -ENOMEM. */
int sched_plan(const struct spec_process *process, const struct spec_memory_policy *memory,
	       struct arena *arena, struct sched *ret, struct err *e);
/** sched_set_cpus() - the CPUs of this process; NULL: all that its cgroup has, whatever the caller
 * of the runtime was bound to. Return: 0 or -errno. */
int sched_set_cpus(const unsigned long *cpus, struct err *e);
/** sched_get_cpus() - those of this process, as a set of SCHED_CPUS bits at @ret */
int sched_get_cpus(unsigned long *ret, struct err *e);
/** sched_apply() - policy, I/O class and memory policy of this process. Return: 0 or -errno. */
int sched_apply(const struct sched *sched, struct err *e);

#endif
