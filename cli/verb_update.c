/* SPDX-License-Identifier: Apache-2.0 */
/* update: other limits for a container that exists. */
#include "base/fd.h"
#include "base/json.h"
#include "base/own.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/verbs.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { RESOURCES_MAX_BYTES = 1 << 20 };

struct update {
	const char *resources;
	const char *blkio_weight, *cpu_period, *cpu_quota, *cpu_burst, *cpu_shares, *cpu_rt_period,
		*cpu_rt_runtime, *cpu_idle, *cpuset_cpus, *cpuset_mems, *memory,
		*memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp, *pids_limit;
};

#define AT(field) offsetof(struct update, field)

/* clang-format off */
static const struct opt update_options[] = {
	{ "resources", 'r', OPT_STR, 0, "FILE", AT(resources), NULL,
	  "linux.resources as JSON, from FILE or, with -, from standard input; no other option counts then" },
	{ "memory", 0, OPT_STR, 0, "SIZE", AT(memory), NULL, "limit of memory; -1: none" },
	{ "memory-reservation", 0, OPT_STR, 0, "SIZE", AT(memory_reservation), NULL,
	  "memory that is kept from reclaim" },
	{ "memory-swap", 0, OPT_STR, 0, "SIZE", AT(memory_swap), NULL,
	  "limit of memory and swap together; -1: none" },
	{ "kernel-memory", 0, OPT_STR, OPT_HIDDEN, "SIZE", AT(kernel_memory), NULL,
	  "no effect: the kernel has given it up" },
	{ "kernel-memory-tcp", 0, OPT_STR, OPT_HIDDEN, "SIZE", AT(kernel_memory_tcp), NULL,
	  "no effect: the kernel has given it up" },
	{ "cpu-shares", 0, OPT_STR, 0, "N", AT(cpu_shares), NULL, "weight beside others, 2 to 262144" },
	{ "cpu-share", 0, OPT_STR, OPT_HIDDEN, "N", AT(cpu_shares), NULL, "the same" },
	{ "cpu-quota", 0, OPT_STR, 0, "USEC", AT(cpu_quota), NULL, "CPU time in each period; -1: no limit" },
	{ "cpu-period", 0, OPT_STR, 0, "USEC", AT(cpu_period), NULL, "length of a period" },
	{ "cpu-burst", 0, OPT_STR, 0, "USEC", AT(cpu_burst), NULL, "unused time that may be saved up" },
	{ "cpu-idle", 0, OPT_STR, 0, "0|1", AT(cpu_idle), NULL, "1: run only when nobody else wants to" },
	{ "cpu-rt-period", 0, OPT_STR, 0, "USEC", AT(cpu_rt_period), NULL, "period of real-time tasks" },
	{ "cpu-rt-runtime", 0, OPT_STR, 0, "USEC", AT(cpu_rt_runtime), NULL,
	  "CPU time of real-time tasks in each of theirs" },
	{ "cpuset-cpus", 0, OPT_STR, 0, "LIST", AT(cpuset_cpus), NULL, "CPUs to run on, such as 0-3,8" },
	{ "cpuset-mems", 0, OPT_STR, 0, "LIST", AT(cpuset_mems), NULL, "memory nodes to use" },
	{ "pids-limit", 0, OPT_STR, 0, "N", AT(pids_limit), NULL, "number of tasks; -1: no limit" },
	{ "blkio-weight", 0, OPT_STR, 0, "N", AT(blkio_weight), NULL,
	  "weight of I/O beside others, 10 to 1000" },
	{ 0 },
};

/** Where in linux.resources the value of an option goes. */
static const struct {
	const char *option, *path;
	size_t offset;
	enum { NUMBER, BYTES, TEXT } kind;
} values[] = {
	{ "memory",		"memory.limit",	       AT(memory),	       BYTES },
	{ "memory-reservation", "memory.reservation",  AT(memory_reservation), BYTES },
	{ "memory-swap",	"memory.swap",	       AT(memory_swap),	       BYTES },
	{ "kernel-memory",	"memory.kernel",       AT(kernel_memory),      BYTES },
	{ "kernel-memory-tcp",	"memory.kernelTCP",    AT(kernel_memory_tcp),  BYTES },
	{ "cpu-shares",		"cpu.shares",	       AT(cpu_shares),	       NUMBER },
	{ "cpu-quota",		"cpu.quota",	       AT(cpu_quota),	       NUMBER },
	{ "cpu-period",		"cpu.period",	       AT(cpu_period),	       NUMBER },
	{ "cpu-burst",		"cpu.burst",	       AT(cpu_burst),	       NUMBER },
	{ "cpu-idle",		"cpu.idle",	       AT(cpu_idle),	       NUMBER },
	{ "cpu-rt-period",	"cpu.realtimePeriod",  AT(cpu_rt_period),      NUMBER },
	{ "cpu-rt-runtime",	"cpu.realtimeRuntime", AT(cpu_rt_runtime),     NUMBER },
	{ "cpuset-cpus",	"cpu.cpus",	       AT(cpuset_cpus),	       TEXT },
	{ "cpuset-mems",	"cpu.mems",	       AT(cpuset_mems),	       TEXT },
	{ "pids-limit",		"pids.limit",	       AT(pids_limit),	       NUMBER },
	{ "blkio-weight",	"blockIO.weight",      AT(blkio_weight),       NUMBER },
};
/* clang-format on */

static json_t *value_of(const char *text, int kind, const char **ret_wanted)
{
	uint64_t bytes;
	int64_t number;

	if (kind == TEXT)
		return json_string(text);
	if (kind == BYTES && strcmp(text, "-1") != 0) {
		*ret_wanted = "a size such as 64M, or -1";
		return text_bytes(text, &bytes) < 0 || bytes > INT64_MAX
			       ? NULL
			       : json_integer((json_int_t)bytes);
	}
	*ret_wanted = "a number";
	return text_i64(text, &number) < 0 ? NULL : json_integer(number);
}

static int from_options(struct cli *cli, const struct update *u, json_t **ret, struct err *e)
{
	*ret = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		const char *text =
			*(const char *const *)(const void *)((const char *)u + values[i].offset);
		const char *wanted = "UTF-8";
		own_json json_t *value = NULL;

		if (!text || !*text)
			continue;
		value = value_of(text, values[i].kind, &wanted);
		if (!value)
			return cli_usage(cli, e, "invalid value for %s: '%s' is not %s",
					 values[i].option, text, wanted);
		if (!*ret || js_set_at(*ret, values[i].path, value) < 0)
			return cli_oom(e);
	}
	return *ret ? 0 : cli_oom(e);
}

/* A file, or a pipe: engines do not say which they pass. */
static int from_file(const char *path, json_t **ret, struct err *e)
{
	own_fd int opened = -EBADF;
	own_free char *text = malloc(RESOURCES_MAX_BYTES);
	int fd = STDIN_FILENO, r;
	ssize_t n;

	if (!text)
		return cli_oom(e);
	if (strcmp(path, "-") != 0) {
		opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (opened < 0)
			return err_set(e, -errno, "open '%s'", path);
		fd = opened;
	}
	n = fd_read_all(fd, text, RESOURCES_MAX_BYTES);
	if (n < 0)
		return err_set(e, (int)n, "read the resources");
	r = js_read_text(text, (size_t)n, "resources", ret, e);
	if (r == 0 && !json_is_object(*ret))
		return err_say(e, -EINVAL, "resources: not a JSON object");
	return r;
}

static int run_update(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct update *u = opts;
	own_json json_t *change = NULL;
	int r = u->resources && *u->resources ? from_file(u->resources, &change, e)
					      : from_options(cli, u, &change, e);

	return r < 0 ? r : container_update(&cli->env, args->v[0], change, e);
}

const struct verb verb_update = {
	.name = "update",
	.args = "NAME",
	.summary = "change the limits of a container",
	.help = "Changes limits of an OCI container that is created, running or paused. What is "
		"not "
		"named stays as it is; if one limit cannot be applied, none is. For a partition "
		"use "
		"set, which changes its config too.",
	.group = GROUP_CONFIG,
	.flags = VERB_ROOT,
	.min_args = 1,
	.max_args = 1,
	.opts = update_options,
	.opts_size = sizeof(struct update),
	.fn = run_update,
};
