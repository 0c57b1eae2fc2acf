/* SPDX-License-Identifier: Apache-2.0 */
/* list, state, ps, logs, console. */
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroups/cg.h"
#include "cli/cli.h"
#include "cli/out.h"
#include "cli/verbs.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define FORMAT_OPTION                                                                       \
	{                                                                                   \
		"format", 'f', OPT_CHOICE, OPT_GLOBAL, "table|json",                        \
			offsetof(struct globals, format), NULL, "table for people, or JSON" \
	}

struct list {
	bool quiet;
};

/* clang-format off */
static const struct opt list_options[] = {
	{ "quiet", 'q', OPT_SWITCH, 0, NULL, offsetof(struct list, quiet), NULL, "names only" },
	FORMAT_OPTION,
	{ 0 },
};

static const struct out_col list_columns[] = {
	{ .title = "NAME", .key = "id" },
	{ .title = "STATUS", .key = "status" },
	{ .title = "PID", .key = "pid", .kind = OUT_NUMBER },
	{ .title = "MEMORY", .key = "memoryBytes", .kind = OUT_USE, .limit_key = "memoryLimitBytes" },
	{ .title = "CPU", .key = "cpuMs", .kind = OUT_SPAN },
	{ .title = "PROCS", .key = "processes", .kind = OUT_NUMBER },
	{ .title = "UPTIME", .key = "uptimeMs", .kind = OUT_SPAN },
	{ .title = "ADDRESSES", .key = "addresses" },
	{ .title = "TEMPLATE", .key = "template" },
	{ .title = "PROBLEM", .key = "problem", .optional = true },
};
/* clang-format on */

static json_t *annotations_of(const struct strmap *map)
{
	own_json json_t *object = json_object();

	for (size_t i = 0; i < map->n; i++)
		if (json_object_set_new(object, map->v[i].key, json_string(map->v[i].value)) < 0)
			return NULL;
	return take_ptr(object);
}

/* The keys that the OCI runtime specification and its engines want of `state` and `list`. */
static void add_state(struct out *o, const struct ctr_info *info)
{
	out_row(o);
	out_str(o, "ociVersion", OCI_VERSION);
	out_str(o, "id", info->id);
	out_u64(o, "pid", info->status == CTR_STOPPED ? 0 : (uint64_t)info->pid);
	out_str(o, "status", ctr_status_name(info->status));
	out_str(o, "bundle", info->bundle ? info->bundle : "");
	out_str(o, "rootfs", info->rootfs ? info->rootfs : "");
	out_time(o, "created", info->created_ms);
	out_json(o, "annotations", annotations_of(&info->annotations));
	out_str(o, "owner", "");
}

static void add_use(const struct cli *cli, struct out *o, const struct ctr_info *info)
{
	struct cg_stats stats;

	if (info->status == CTR_STOPPED ||
	    container_stats(&cli->env, info, &stats, NULL) < 0) /* it may just have ended */
		return;
	out_u64(o, "memoryBytes", stats.memory_bytes);
	out_u64(o, "memoryLimitBytes", stats.memory_max_bytes);
	out_u64(o, "cpuMs",
		stats.cpu_usage_us == UINT64_MAX ? UINT64_MAX : stats.cpu_usage_us / 1000);
	out_u64(o, "processes", stats.pids);
}

static void add_entry(const struct cli *cli, struct out *o, const struct ctr_info *info)
{
	uint64_t now_ms = out_now_ms();

	add_state(o, info);
	out_json(o, "partition", json_boolean(info->is_partition));
	out_str(o, "template", info->template);
	out_str(o, "hostname", info->hostname);
	out_strv(o, "addresses", &info->addresses);
	if (info->problem) {
		out_str(o, "problem", info->problem);
		return;
	}
	if (info->status == CTR_STOPPED) {
		/* An engine wants 0, people want no number where there is no process. */
		if (!cli->json)
			out_u64(o, "pid", UINT64_MAX);
		return;
	}
	if (info->started_ms && info->started_ms <= now_ms)
		out_u64(o, "uptimeMs", now_ms - info->started_ms);
	add_use(cli, o, info);
}

static int run_list(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct list *l = opts;
	own_out struct out o = OUT(list_columns);
	struct ctr_info *infos = NULL;
	size_t count = 0;
	int r;

	if (args->n) {
		infos = arena_alloc(cli->arena, args->n * sizeof(*infos));
		if (!infos)
			return cli_oom(e);
		for (count = 0; count < args->n; count++) {
			r = container_info(&cli->env, args->v[count], cli->arena, &infos[count], e);
			if (r < 0)
				return r;
		}
	} else {
		r = container_list(&cli->env, cli->arena, &infos, &count, e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < count; i++) {
		if (l->quiet)
			(void)puts(infos[i].id);
		else
			add_entry(cli, &o, &infos[i]);
	}
	return l->quiet ? 0 : out_print(&o, cli->json, e);
}

static int run_state(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	own_out struct out o = { 0 };
	struct ctr_info info;
	int r = container_info(&cli->env, args->v[0], cli->arena, &info, e);

	(void)opts;
	if (r < 0)
		return r;
	if (info.problem)
		return err_say(e, -EIO, "container '%s': %s", info.id, info.problem);
	add_state(&o, &info);
	return o.failed ? cli_oom(e) : out_print_json(json_incref(o.row), e);
}

/* clang-format off */
static const struct opt ps_options[] = {
	FORMAT_OPTION,
	{ 0 },
};

static const struct out_col ps_columns[] = {
	{ .title = "PID", .key = "pid", .kind = OUT_NUMBER },
	{ .title = "INSIDE", .key = "inside", .kind = OUT_NUMBER },
	{ .title = "UID", .key = "uid", .kind = OUT_NUMBER },
	{ .title = "STATE", .key = "state" },
	{ .title = "THREADS", .key = "threads", .kind = OUT_NUMBER },
	{ .title = "MEMORY", .key = "memory", .kind = OUT_BYTES },
	{ .title = "CPU", .key = "cpu", .kind = OUT_SPAN },
	{ .title = "COMMAND", .key = "command" },
};
/* clang-format on */

/* The rest of the line "KEY:\t..." of /proc/PID/status; NULL when there is none. */
static const char *status_line(const char *status, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ':')
			return line + len + 1 + strspn(line + len + 1, " \t");
	}
	return NULL;
}

/* Field number @field, from 0, of a line of numbers; UINT64_MAX when it is not there. */
static uint64_t number_at(const char *line, unsigned int field)
{
	if (!line)
		return UINT64_MAX;
	while (field--) {
		line += strcspn(line, " \t\n");
		line += strspn(line, " \t");
	}
	return isdigit((unsigned char)*line) ? strtoull(line, NULL, 10) : UINT64_MAX;
}

static uint64_t last_number(const char *line)
{
	size_t len = line ? strcspn(line, "\n") : 0;

	while (len && isdigit((unsigned char)line[len - 1]))
		len--;
	return line ? number_at(line + len, 0) : UINT64_MAX;
}

/* User and system time, fields 14 and 15 of /proc/PID/stat: proc(5). The third field follows the
 * last parenthesis, whatever the process is called. */
static uint64_t cpu_ms(const char *stat)
{
	const char *rest = strrchr(stat, ')');
	long ticks = sysconf(_SC_CLK_TCK);
	uint64_t user, system;

	if (!rest || rest[1] != ' ' || ticks <= 0)
		return UINT64_MAX;
	user = number_at(rest + 2, 14 - 3);
	system = number_at(rest + 2, 15 - 3);
	if (user == UINT64_MAX || system == UINT64_MAX)
		return UINT64_MAX;
	return (user + system) * 1000 / (uint64_t)ticks;
}

/* The arguments with blanks between, else the name in brackets as ps(1) shows it. */
static void add_command(struct out *o, int dir, const char *status)
{
	const char *name = status_line(status, "Name");
	char command[512];
	ssize_t len = -1;
	own_fd int fd = openat(dir, "cmdline", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		len = read(fd, command, sizeof(command) - 1);
	if (len > 0) {
		command[len] = '\0';
		for (ssize_t i = 0; i < len; i++)
			if (!command[i])
				command[i] = ' ';
		while (len && command[len - 1] == ' ')
			command[--len] = '\0';
	} else {
		(void)snprintf(command, sizeof(command), "[%.*s]",
			       name ? (int)strcspn(name, "\n") : 0, name ? name : "");
	}
	out_str(o, "command", command);
}

static int add_process(struct out *o, pid_t pid, uint32_t id_base)
{
	char path[32], status[4096], stat[1024], state[2] = "";
	own_fd int dir = -EBADF;
	uint64_t uid, kib;

	(void)snprintf(path, sizeof(path), "/proc/%d", pid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || file_read(dir, "status", status, sizeof(status)) < 0 ||
	    file_read(dir, "stat", stat, sizeof(stat)) < 0)
		return -ESRCH; /* ended meanwhile */
	uid = number_at(status_line(status, "Uid"), 1);
	kib = number_at(status_line(status, "VmRSS"), 0);
	if (status_line(status, "State"))
		state[0] = *status_line(status, "State");
	out_row(o);
	out_u64(o, "pid", (uint64_t)pid);
	out_u64(o, "inside", last_number(status_line(status, "NSpid")));
	out_u64(o, "uid", uid != UINT64_MAX && uid >= id_base ? uid - id_base : uid);
	out_str(o, "state", state);
	out_u64(o, "threads", number_at(status_line(status, "Threads"), 0));
	out_u64(o, "memory", kib == UINT64_MAX ? kib : kib * 1024);
	out_u64(o, "cpu", cpu_ms(stat));
	add_command(o, dir, status);
	return 0;
}

static int run_ps(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	own_out struct out o = OUT(ps_columns);
	own_json json_t *list = NULL;
	struct ctr_info info;
	size_t count = 0;
	pid_t *pids = NULL;
	int r = container_info(&cli->env, args->v[0], cli->arena, &info, e);

	(void)opts;
	if (r == 0)
		r = container_pids(&cli->env, args->v[0], cli->arena, &pids, &count, e);
	if (r < 0)
		return r;
	if (cli->json) {
		list = json_array();
		for (size_t i = 0; i < count; i++)
			if (json_array_append_new(list, json_integer(pids[i])) < 0)
				return cli_oom(e);
		return out_print_json(take_ptr(list), e);
	}
	for (size_t i = 0; i < count; i++)
		(void)add_process(&o, pids[i], info.id_base); /* one that has ended is no row */
	return out_print(&o, false, e);
}

struct logs {
	bool follow;
};

/* clang-format off */
static const struct opt logs_options[] = {
	{ "follow", 'f', OPT_SWITCH, 0, NULL, offsetof(struct logs, follow), NULL,
	  "go on until it stops" },
	{ 0 },
};
/* clang-format on */

static int run_logs(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct logs *l = opts;

	return container_logs(&cli->env, args->v[0], l->follow, STDOUT_FILENO, e);
}

static int run_console(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	(void)opts;
	if (!isatty(STDIN_FILENO))
		return err_say(e, -ENOTTY, "the console needs a terminal");
	return container_console(&cli->env, args->v[0], e);
}

const struct verb verb_list = {
	.name = "list",
	.alias = "ls",
	.args = "[NAME...]",
	.summary = "list partitions and containers",
	.help = "Lists all partitions and containers, or those named, with what they use now. CPU "
		"is "
		"the time used since the start.",
	.group = GROUP_LOOK,
	.max_args = ARGS_MANY,
	.opts = list_options,
	.opts_size = sizeof(struct list),
	.fn = run_list,
};

const struct verb verb_state = {
	.name = "state",
	.args = "NAME",
	.summary = "print the OCI state",
	.help = "Prints the state of one container or partition as the OCI runtime specification "
		"defines it.",
	.group = GROUP_LOOK,
	.min_args = 1,
	.max_args = 1,
	.fn = run_state,
};

const struct verb verb_ps = {
	.name = "ps",
	.args = "NAME",
	.summary = "list the processes inside",
	.help = "Lists the processes of one container or partition: PID is the number on the host, "
		"INSIDE the number that the processes see. --format json prints the array of pids.",
	.group = GROUP_LOOK,
	.min_args = 1,
	.max_args = 1,
	.opts = ps_options,
	.opts_size = sizeof(struct list),
	.fn = run_ps,
};

const struct verb verb_logs = {
	.name = "logs",
	.args = "NAME",
	.summary = "print the console log",
	.help = "Prints what init and its system have written to the console.",
	.group = GROUP_INSIDE,
	.min_args = 1,
	.max_args = 1,
	.opts = logs_options,
	.opts_size = sizeof(struct logs),
	.fn = run_logs,
};

const struct verb verb_console = {
	.name = "console",
	.args = "NAME",
	.summary = "attach to the console",
	.help = "Attaches this terminal to the console of a running partition, until ^] or until "
		"it "
		"stops.",
	.group = GROUP_INSIDE,
	.flags = VERB_ROOT,
	.min_args = 1,
	.max_args = 1,
	.fn = run_console,
};
