/* SPDX-License-Identifier: Apache-2.0 */
/* stop, restart, pause, resume, kill, delete; set and get. */
#include "base/own.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/multi.h"
#include "cli/out.h"
#include "base/signame.h"
#include "cli/verbs.h"
#include "runtime/config/config.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct stop {
	bool all, kill;
	struct opt_u64 timeout_ms;
};

/* clang-format off */
static const struct opt stop_options[] = {
	{ "time", 't', OPT_MS, 0, "TIME", offsetof(struct stop, timeout_ms), NULL,
	  "wait so long for an orderly end before the kill (default: boot.stopTimeout, else 10s)" },
	{ "kill", 'k', OPT_SWITCH, 0, NULL, offsetof(struct stop, kill), NULL,
	  "kill at once" },
	{ "all", 'a', OPT_SWITCH, 0, NULL, offsetof(struct stop, all), NULL,
	  "every partition that runs" },
	{ 0 },
};
/* clang-format on */

static bool is_live(struct cli *cli, const struct ctr_info *info)
{
	(void)cli;
	return info->status == CTR_RUNNING || info->status == CTR_PAUSED;
}

static int stop_one(struct cli *cli, const char *name, const void *arg, struct err *e)
{
	const struct stop *s = arg;
	uint64_t ms = s->timeout_ms.v < INT_MAX ? s->timeout_ms.v : INT_MAX;
	const struct stop_opts opts = {
		.timeout_ms = s->timeout_ms.set ? (int)ms : -1,
		.kill = s->kill,
	};

	return container_stop(&cli->env, name, &opts, e);
}

static int restart_one(struct cli *cli, const char *name, const void *arg, struct err *e)
{
	int r = stop_one(cli, name, arg, e);

	return r < 0 ? r : container_start(&cli->env, name, e);
}

static int run_stop(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct multi m = {
		.fn = cli->verb == &verb_restart ? restart_one : stop_one,
		.arg = opts,
		.done = cli->verb == &verb_restart ? "restarted" : "stopped",
		.nothing = "was not running",
	};
	const struct stop *s = opts;
	struct strv names;
	int r = multi_names(cli, args, s->all, is_live, &names, e);

	return r < 0 ? r : multi_run(cli, &m, &names, e);
}

static int pause_one(struct cli *cli, const char *name, const void *arg, struct err *e)
{
	return container_pause(&cli->env, name, *(const bool *)arg, e);
}

static int run_pause(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const bool pause = cli->verb == &verb_pause;
	const struct multi m = {
		.fn = pause_one,
		.arg = &pause,
		.done = pause ? "paused" : "resumed",
	};
	const struct strv names = { args->v, args->n };

	(void)opts;
	return multi_run(cli, &m, &names, e);
}

struct kill {
	bool all, regex;
};

/* clang-format off */
static const struct opt kill_options[] = {
	{ "all", 'a', OPT_SWITCH, 0, NULL, offsetof(struct kill, all), NULL,
	  "to every process in it, not to the first alone" },
	{ "regex", 'r', OPT_SWITCH, 0, NULL, offsetof(struct kill, regex), NULL,
	  "NAME is a regular expression, for all containers whose name it matches" },
	{ 0 },
};
/* clang-format on */

struct killing {
	int sig;
	bool all;
};

static int kill_one(struct cli *cli, const char *name, const void *arg, struct err *e)
{
	const struct killing *k = arg;

	return container_kill(&cli->env, name, k->sig, k->all, e);
}

static int run_kill(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct kill *k = opts;
	/* `kill -9 NAME` as kill(1) has it, and `kill NAME 9` as engines do. */
	bool signal_first = args->v[0][0] == '-' && args->n == 2;
	const char *name = args->v[signal_first], *text = "TERM";
	int sig;

	if (args->n == 2)
		text = args->v[!signal_first];
	sig = signame_parse(*text == '-' ? text + 1 : text);
	if (sig < 0)
		return cli_usage(cli, e, "unknown signal '%s'", text);
	if (k->regex) {
		const struct killing killing = { sig, k->all };
		const struct multi m = { .fn = kill_one, .arg = &killing, .done = "signalled" };
		const struct args pattern = { .v = &args->v[signal_first], .n = 1 };
		struct strv names;
		int r = multi_matching(cli, &pattern, &names, e);

		return r < 0 || !names.n ? r : multi_run(cli, &m, &names, e);
	}
	return container_kill(&cli->env, name, sig, k->all, e);
}

struct delete
{
	bool force, all, regex;
};

/* clang-format off */
static const struct opt delete_options[] = {
	{ "force", 'f', OPT_SWITCH, 0, NULL, offsetof(struct delete, force), NULL,
	  "kill it first if it runs; no failure if there is none" },
	{ "all", 'a', OPT_SWITCH, 0, NULL, offsetof(struct delete, all), NULL,
	  "every partition" },
	{ "regex", 'r', OPT_SWITCH, 0, NULL, offsetof(struct delete, regex), NULL,
	  "NAME is a regular expression, for all containers whose name it matches" },
	{ 0 },
};
/* clang-format on */

static int delete_one(struct cli *cli, const char *name, const void *arg, struct err *e)
{
	const struct delete *d = arg;
	int r = container_delete(&cli->env, name, d->force, e);

	/* Engines clean up after a crash so, and again when they are not sure. */
	return r == -ENOENT && d->force ? 1 : r;
}

static int run_delete(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct delete *d = opts;
	const struct multi m = {
		.fn = delete_one,
		.arg = d,
		.done = "deleted",
		.nothing = "does not exist",
	};
	struct strv names;
	int r = d->regex ? multi_matching(cli, args, &names, e)
			 : multi_names(cli, args, d->all, NULL, &names, e);

	return r < 0 || !names.n ? r : multi_run(cli, &m, &names, e);
}

/* "key=value" as it stands, or the two words "key value". */
static int parse_changes(struct cli *cli, const struct args *args, struct strmap *ret,
			 struct err *e)
{
	bool two_words = args->n == 3 && !strchr(args->v[1], '=');

	for (size_t i = 1; i < args->n; i += two_words ? 2 : 1) {
		char *equals = two_words ? NULL : strchr(args->v[i], '=');
		struct strpair *pair;

		if (!two_words && (!equals || equals == args->v[i]))
			return cli_usage(cli, e, "'%s' is not KEY=VALUE", args->v[i]);
		pair = arena_grow(cli->arena, &ret->v, &ret->n, sizeof(*pair));
		if (!pair)
			return cli_oom(e);
		pair->value = two_words ? args->v[i + 1] : equals + 1;
		pair->key = two_words ? args->v[i]
				      : arena_strndup(cli->arena, args->v[i],
						      (size_t)(equals - args->v[i]));
		if (!pair->key)
			return cli_oom(e);
	}
	return 0;
}

static int run_set(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	own_json json_t *list = cli->json ? json_array() : NULL;
	struct strmap changes = { 0 };
	struct set_result *results;
	size_t count;
	int r = parse_changes(cli, args, &changes, e);

	(void)opts;
	if (r < 0)
		return r;
	r = partition_set(&cli->env, args->v[0], &changes, cli->arena, &results, &count, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (!cli->json)
			(void)printf("%s: %s\n", results[i].key,
				     results[i].applied ? "applied" : "saved, needs a restart");
		else if (json_array_append_new(list, json_pack("{s:s, s:b}", "key", results[i].key,
							       "applied", results[i].applied)) < 0)
			return cli_oom(e);
	}
	return cli->json ? out_print_json(take_ptr(list), e) : 0;
}

struct get {
	bool saved;
};

/* clang-format off */
static const struct opt get_options[] = {
	{ "saved", 0, OPT_SWITCH, 0, NULL, offsetof(struct get, saved), NULL,
	  "what the config file says, without defaults" },
	{ 0 },
};
/* clang-format on */

/* The config as a start would see it: every key, defaults included. */
static int with_defaults(struct cli *cli, const char *name, json_t **doc, struct err *e)
{
	struct js_issues issues = { .arena = cli->arena };
	struct config config = { 0 };
	json_t *full;
	int r = config_decode(*doc, &issues, &config);

	if (r == -EINVAL)
		return js_issues_err(&issues, name, e);
	full = r < 0 ? NULL : js_encode_full(&config_type, &config);
	if (!full)
		return cli_oom(e);
	json_decref(*doc);
	*doc = full;
	return 0;
}

/* A value as `set` would take it: strings bare, all else as JSON. */
static int print_value(const char *key, const json_t *value, struct err *e)
{
	own_free char *json = NULL;

	if (key)
		(void)printf("%s=", key);
	if (!value || json_is_null(value)) {
		(void)putchar('\n');
		return 0;
	}
	if (json_is_string(value)) {
		(void)puts(json_string_value(value));
		return 0;
	}
	json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
	if (!json)
		return cli_oom(e);
	(void)puts(json);
	return 0;
}

static int check_key(struct cli *cli, const char *key, struct err *e)
{
	const char *near = NULL;

	if (js_field_at(&config_type, key, cli->arena, &near))
		return 0;
	(void)err_say(e, -EINVAL, "unknown key '%s'", key);
	if (near)
		err_hint(e, "did you mean %s?", near);
	return -EINVAL;
}

static int run_get(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct get *g = opts;
	own_json json_t *doc = NULL, *values = NULL;
	int r = partition_config(&cli->env, args->v[0], &doc, e);

	if (r == 0 && !g->saved)
		r = with_defaults(cli, args->v[0], &doc, e);
	if (r < 0)
		return r;
	if (args->n == 1)
		return out_print_json(take_ptr(doc), e);
	/* All keys are checked before anything is printed. */
	for (size_t i = 1; i < args->n; i++) {
		if (js_get_at(doc, args->v[i]))
			continue;
		r = check_key(cli, args->v[i], e);
		if (r < 0)
			return r;
	}
	values = json_object();
	for (size_t i = 1; i < args->n && r == 0; i++) {
		json_t *value = js_get_at(doc, args->v[i]);

		if (!cli->json)
			r = print_value(args->n > 2 ? args->v[i] : NULL, value, e);
		else if (json_object_set_new(values, args->v[i],
					     value ? json_incref(value) : json_null()) < 0)
			return cli_oom(e);
	}
	return r == 0 && cli->json ? out_print_json(take_ptr(values), e) : r;
}

const struct verb verb_stop = {
	.name = "stop",
	.args = "NAME...",
	.summary = "shut down in order, then kill",
	.help = "Asks the init of each to shut down, waits, and kills what is left. Everything "
		"that "
		"belonged to the run is released; a partition keeps its data.",
	.group = GROUP_LIFE,
	.max_args = ARGS_MANY,
	.opts = stop_options,
	.opts_size = sizeof(struct stop),
	.fn = run_stop,
};

const struct verb verb_restart = {
	.name = "restart",
	.args = "NAME...",
	.summary = "stop, then start",
	.help = "Stops each as stop does, if it runs, and starts it again.",
	.group = GROUP_LIFE,
	.flags = VERB_ROOT,
	.max_args = ARGS_MANY,
	.opts = stop_options,
	.opts_size = sizeof(struct stop),
	.fn = run_stop,
};

const struct verb verb_pause = {
	.name = "pause",
	.args = "NAME...",
	.summary = "freeze all processes",
	.help = "Freezes every process of each; memory stays as it is.",
	.group = GROUP_LIFE,
	.min_args = 1,
	.max_args = ARGS_MANY,
	.fn = run_pause,
};

const struct verb verb_resume = {
	.name = "resume",
	.alias = "unpause",
	.args = "NAME...",
	.summary = "let frozen processes go on",
	.help = "Ends a pause.",
	.group = GROUP_LIFE,
	.min_args = 1,
	.max_args = ARGS_MANY,
	.fn = run_pause,
};

const struct verb verb_kill = {
	.name = "kill",
	.args = "NAME [SIGNAL]",
	.summary = "send a signal",
	.help = "Sends SIGNAL, a number or a name such as TERM, SIGTERM or RTMIN+3 (default TERM), "
		"to "
		"the first process of NAME.",
	.group = GROUP_LIFE,
	.min_args = 1,
	.max_args = 2,
	.opts = kill_options,
	.opts_size = sizeof(struct kill),
	.fn = run_kill,
};

const struct verb verb_delete = {
	.name = "delete",
	.alias = "destroy",
	.args = "NAME...",
	.summary = "remove what is stopped, with its data",
	.help = "Removes stopped partitions with their config and data, or stopped containers.",
	.group = GROUP_LIFE,
	.max_args = ARGS_MANY,
	.opts = delete_options,
	.opts_size = sizeof(struct delete),
	.fn = run_delete,
};

const struct verb verb_set = {
	.name = "set",
	.args = "NAME KEY=VALUE...",
	.summary = "change the config, live where possible",
	.help = "Changes keys of a partition's config, such as memory.limit=2G or "
		"network.nameservers=[\"10.0.0.1\"]. All are checked first; then each is saved "
		"and, "
		"if the partition runs and the key allows it, applied at once. The answer says "
		"which ones need a restart. 'ctr set NAME KEY VALUE' is the same for one key.",
	.group = GROUP_CONFIG,
	.flags = VERB_ROOT,
	.min_args = 2,
	.max_args = ARGS_MANY,
	.fn = run_set,
};

const struct verb verb_get = {
	.name = "get",
	.args = "NAME [KEY...]",
	.summary = "print the config, or keys of it",
	.help = "Prints the config of a partition with all defaults as JSON, or the values of "
		"single "
		"keys: one key bare, several as KEY=VALUE lines that set understands.",
	.group = GROUP_CONFIG,
	.min_args = 1,
	.max_args = ARGS_MANY,
	.opts = get_options,
	.opts_size = sizeof(struct get),
	.fn = run_get,
};
