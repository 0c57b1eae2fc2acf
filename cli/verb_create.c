/* SPDX-License-Identifier: Apache-2.0 */
/* create, start, run. */
#include "base/json.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroups/systemd.h"
#include "cli/cli.h"
#include "cli/multi.h"
#include "cli/out.h"
#include "cli/verbs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

struct create {
	struct strv configs, set;
	const char *template, *bundle;
	const char *pid_file, *console_socket, *pidfd_socket;
	uint32_t preserve_fds;
	bool no_pivot, no_new_keyring;
	bool detach, keep, no_subreaper;
};

/* clang-format off */
/* What create and run have in common. */
#define CREATE_OPTIONS \
	{ "config", 'f', OPT_STRV, 0, "FILE", offsetof(struct create, configs), NULL, \
	  "the partition's config" }, \
	{ "template", 0, OPT_STR, 0, "TEMPLATE", offsetof(struct create, template), NULL, \
	  "a partition of this template, with defaults for all else" }, \
	{ "set", 0, OPT_STRV, 0, "KEY=VALUE", offsetof(struct create, set), NULL, \
	  "override a key of the config, such as memory.limit=1G; may be repeated" }, \
	{ "bundle", 'b', OPT_STR, 0, "DIR", offsetof(struct create, bundle), NULL, \
	  "OCI bundle (default: the working directory)" }, \
	{ "pid-file", 0, OPT_STR, 0, "FILE", offsetof(struct create, pid_file), NULL, \
	  "write the pid of the first process to FILE" }, \
	{ "console-socket", 0, OPT_STR, 0, "SOCKET", offsetof(struct create, console_socket), NULL, \
	  "send the terminal's master end over this unix socket" }, \
	{ "pidfd-socket", 0, OPT_STR, 0, "SOCKET", offsetof(struct create, pidfd_socket), NULL, \
	  "send a pidfd of the first process over this unix socket" }, \
	{ "preserve-fds", 0, OPT_U32, 0, "N", offsetof(struct create, preserve_fds), NULL, \
	  "pass N descriptors, 3 and up, to the container" }, \
	{ "no-pivot", 0, OPT_SWITCH, 0, NULL, offsetof(struct create, no_pivot), NULL, \
	  "move the root mount instead of pivot_root(2), for a root on ramfs" }, \
	{ "no-new-keyring", 0, OPT_SWITCH, 0, NULL, offsetof(struct create, no_new_keyring), NULL, \
	  "keep the caller's session keyring" }

static const struct opt create_options[] = {
	CREATE_OPTIONS,
	{ "detach", 'd', OPT_SWITCH, OPT_HIDDEN, NULL, offsetof(struct create, detach), NULL,
	  "create never waits" },
	{ 0 },
};

static const struct opt run_options[] = {
	CREATE_OPTIONS,
	{ "detach", 'd', OPT_SWITCH, 0, NULL, offsetof(struct create, detach), NULL,
	  "leave it running and return" },
	{ "keep", 0, OPT_SWITCH, 0, NULL, offsetof(struct create, keep), NULL,
	  "do not delete it when it has ended" },
	{ "no-subreaper", 0, OPT_SWITCH, OPT_HIDDEN, NULL,
	  offsetof(struct create, no_subreaper), NULL, "ctr never becomes a subreaper" },
	{ 0 },
};
/* clang-format on */

static bool is_partition(const struct create *c)
{
	return c->configs.n || c->template;
}

static enum cg_driver cgroup_driver(const struct cli *cli)
{
	const char *manager = cli->globals.systemd_cgroup ? "systemd" : cli->globals.cgroup_manager;
	uint64_t driver = CG_CGROUPFS;

	if (manager) /* one of the choices, which the parser has seen to */
		(void)name_value(cg_driver_names, manager, &driver);
	return driver == CG_SYSTEMD ? sd_driver() : (enum cg_driver)driver;
}

/* The three sources exclude each other. */
static int check_source(struct cli *cli, const struct create *c, struct err *e)
{
	if (!!c->configs.n + !!c->template + !!c->bundle > 1)
		return cli_usage(cli, e, "give one of --config, --template and --bundle");
	if (c->set.n && !is_partition(c))
		return cli_usage(cli, e, "--set needs --config or --template");
	if (cgroup_driver(cli) != CG_CGROUPFS && is_partition(c))
		return cli_usage(cli, e,
				 "--cgroup-manager is for bundles: a partition's is cgroupfs");
	return 0;
}

static enum ctr_rootless rootless(const struct cli *cli)
{
	static const struct name names[] = {
		{ "auto", ROOTLESS_AUTO },
		{ "true", ROOTLESS_TRUE },
		{ "false", ROOTLESS_FALSE },
		{ NULL, 0 },
	};
	uint64_t value = ROOTLESS_AUTO;

	if (cli->globals.rootless)
		(void)name_value(names, cli->globals.rootless, &value); /* one of the choices */
	return (enum ctr_rootless)value;
}

static void fill(const struct cli *cli, const struct create *c, const char *config,
		 struct create_opts *ret)
{
	*ret = (struct create_opts){
		.bundle = is_partition(c) ? NULL
			  : c->bundle	  ? c->bundle
					  : ".",
		.config = config,
		.template = c->template,
		.set = c->set,
		.pid_file = c->pid_file,
		.console_socket = c->console_socket,
		.driver = cgroup_driver(cli),
		.pidfd_socket = c->pidfd_socket,
		.rootless = rootless(cli),
		.preserve_fds = c->preserve_fds,
		.no_pivot = c->no_pivot,
		.no_new_keyring = c->no_new_keyring,
	};
}

/* One of several configs: the name in multi_run()'s list is the file. */
static int create_config(struct cli *cli, const char *name, const void *arg, struct err *e)
{
	struct create_opts opts;
	const char *id;

	fill(cli, arg, name, &opts);
	return partition_create(&cli->env, NULL, &opts, cli->arena, &id, e);
}

/* `create --config *.json`: the shell made positional arguments of all files but the first. */
static bool is_file(const char *arg)
{
	size_t len = strlen(arg);

	return strchr(arg, '/') || (len > 5 && strcmp(arg + len - 5, ".json") == 0);
}

static int create_partitions(struct cli *cli, const struct create *c, const struct args *args,
			     struct err *e)
{
	const char *id = args->n ? args->v[0] : NULL;
	struct strv files = { 0 };
	struct create_opts opts;
	const char *made;
	int r;

	files.v = arena_alloc(cli->arena, sizeof(*files.v) * (c->configs.n + args->n + 1));
	if (!files.v)
		return cli_oom(e);
	for (size_t i = 0; i < c->configs.n; i++)
		files.v[files.n++] = c->configs.v[i];
	if (c->configs.n && id && is_file(id)) {
		for (size_t i = 0; i < args->n; i++)
			files.v[files.n++] = args->v[i];
		id = NULL;
	} else if (args->n > 1) {
		return cli_usage(cli, e, "unexpected argument '%s'", args->v[1]);
	}
	if (files.n > 1 && id)
		return cli_usage(cli, e, "several configs: each partition is named by its own");
	if (files.n > 1)
		return multi_run(
			cli, &(struct multi){ .fn = create_config, .arg = c, .done = "created" },
			&files, e);
	if (c->template && !id)
		return cli_usage(cli, e, "--template needs a name for the partition");
	fill(cli, c, files.n ? files.v[0] : NULL, &opts);
	r = partition_create(&cli->env, id, &opts, cli->arena, &made, e);
	if (r < 0)
		return r;
	out_say("%s created\n", made);
	return 0;
}

static int run_create(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct create *c = opts;
	struct create_opts create;
	int r = check_source(cli, c, e);

	if (r < 0)
		return r;
	if (is_partition(c))
		return create_partitions(cli, c, args, e);
	if (args->n != 1) {
		(void)cli_usage(cli, e,
				args->n ? "unexpected argument '%s'"
					: "the container's id is missing",
				args->n ? args->v[1] : "");
		err_hint(e, "a partition is created with --config FILE or --template TEMPLATE");
		return -EINVAL;
	}
	fill(cli, c, NULL, &create);
	return container_create(&cli->env, args->v[0], &create, e);
}

struct start {
	bool all, autostart;
};

/* clang-format off */
static const struct opt start_options[] = {
	{ "all", 'a', OPT_SWITCH, 0, NULL, offsetof(struct start, all), NULL,
	  "every partition that is stopped" },
	{ "autostart", 0, OPT_SWITCH, 0, NULL, offsetof(struct start, autostart), NULL,
	  "every stopped partition whose config has boot.autostart; for the host's boot" },
	{ 0 },
};
/* clang-format on */

static int start_one(struct cli *cli, const char *name, const void *arg, struct err *e)
{
	(void)arg;
	return container_start(&cli->env, name, e);
}

static bool is_stopped(struct cli *cli, const struct ctr_info *info)
{
	(void)cli;
	return info->status == CTR_STOPPED;
}

static bool is_autostart(struct cli *cli, const struct ctr_info *info)
{
	own_json json_t *config = NULL;

	return is_stopped(cli, info) && partition_config(&cli->env, info->id, &config, NULL) == 0 &&
	       json_is_true(js_get_at(config, "boot.autostart"));
}

static int run_start(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct multi m = { .fn = start_one, .done = "started" };
	const struct start *s = opts;
	struct strv names;
	int r = multi_names(cli, args, s->all || s->autostart,
			    s->autostart ? is_autostart : is_stopped, &names, e);

	return r < 0 ? r : multi_run(cli, &m, &names, e);
}

/* "run-1a2b3c4d": throw-away, so it needs a free name more than a telling one. */
static char *fresh_name(struct arena *arena)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)getpid(); /* early boot: unique among what runs now */
	return arena_printf(arena, "run-%08x", random);
}

/* The command behind "--" as one more --set: init.args=["/bin/echo","hello"]. */
static int add_command(struct cli *cli, struct strv *set, const struct args *args, struct err *e)
{
	own_json json_t *list = json_array();
	own_free char *json = NULL;
	struct strv more = { 0 };

	for (size_t i = args->rest; i < args->n; i++)
		if (json_array_append_new(list, json_string(args->v[i])) < 0)
			return err_say(e, -EINVAL, "argument %zu of the command is not UTF-8",
				       i - args->rest);
	json = list ? json_dumps(list, JSON_COMPACT) : NULL;
	more.v = arena_alloc(cli->arena, sizeof(*more.v) * (set->n + 1));
	if (!json || !more.v)
		return cli_oom(e);
	if (set->n)
		memcpy(more.v, set->v, sizeof(*more.v) * set->n);
	more.n = set->n;
	more.v[more.n] = arena_printf(cli->arena, "init.args=%s", json);
	if (!more.v[more.n++])
		return cli_oom(e);
	*set = more;
	return 0;
}

/* The payload that is missing (127) or not executable (126); but -ENOENT may also be the config or
 * the template: those are looked for again. */
static int launch_status(const struct cli *cli, const struct create_opts *opts, int code)
{
	if (code == -EACCES)
		return EXIT_NOT_EXECUTABLE;
	if (code != -ENOENT)
		return EXIT_RUNTIME;
	if (opts->config && access(opts->config, R_OK) < 0)
		return EXIT_RUNTIME;
	if (opts->template) {
		own_text struct text path = { 0 };

		text_addf(&path, "%s/templates/%s", cli->env.store, opts->template);
		if (text_failed(&path) || access(text_str(&path), F_OK) < 0)
			return EXIT_RUNTIME;
	}
	return EXIT_NOT_FOUND;
}

static int run_run(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct create *c = opts;
	struct run_opts run = { .detach = c->detach, .keep = c->keep };
	const char *id = args->rest ? args->v[0] : NULL;
	int r = check_source(cli, c, e);

	if (r < 0)
		return r;
	if (c->configs.n > 1)
		return cli_usage(cli, e, "run takes one config");
	if (args->rest > 1) {
		(void)cli_usage(cli, e, "unexpected argument '%s'", args->v[1]);
		err_hint(e, "a command to run stands behind '--'");
		return -EINVAL;
	}
	if (!is_partition(c) && !id)
		return cli_usage(cli, e, "the container's id is missing");
	if (!is_partition(c) && args->n > args->rest)
		return cli_usage(cli, e, "a bundle's command is in its config.json");
	fill(cli, c, c->configs.n ? c->configs.v[0] : NULL, &run.create);
	if (args->n > args->rest) {
		r = add_command(cli, &run.create.set, args, e);
		if (r < 0)
			return r;
	}
	if (!id)
		id = fresh_name(cli->arena);
	if (!id)
		return cli_oom(e);
	r = container_run(&cli->env, id, &run, e);
	if (r < 0 && is_partition(c))
		cli->fail_status = launch_status(cli, &run.create, r);
	else if (c->detach && is_partition(c))
		out_say("%s started\n", id);
	return r;
}

const struct verb verb_create = {
	.name = "create",
	.args = "[NAME]",
	.summary = "create a partition, or an OCI container",
	.help = "Creates a partition from a config file or a template; it is on disk then, and "
		"stopped. The name is the config's own unless one is given. Several configs create "
		"several partitions at once: ctr create --config *.json\n\n"
		"Without --config and --template it is the OCI operation: the bundle is set up as "
		"container NAME, whose process waits for start.",
	.group = GROUP_LIFE,
	.max_args = ARGS_MANY,
	.opts = create_options,
	.opts_size = sizeof(struct create),
	.fn = run_create,
};

const struct verb verb_start = {
	.name = "start",
	.args = "NAME...",
	.summary = "start what is stopped or created",
	.help = "Starts stopped partitions, or releases created containers. Several are started in "
		"parallel.",
	.group = GROUP_LIFE,
	.max_args = ARGS_MANY,
	.opts = start_options,
	.opts_size = sizeof(struct start),
	.fn = run_start,
};

const struct verb verb_run = {
	.name = "run",
	.args = "[NAME] [-- COMMAND [ARGUMENT]...]",
	.summary = "create, start, wait and delete in one go",
	.help = "Runs a throw-away partition from a config or a template, with COMMAND in place of "
		"its init if one is given, or an OCI bundle as container NAME. In the foreground "
		"the exit status is that of the program, and everything is deleted at the end.",
	.group = GROUP_LIFE,
	.max_args = ARGS_MANY,
	.opts = run_options,
	.opts_size = sizeof(struct create),
	.fn = run_run,
};
