/* SPDX-License-Identifier: Apache-2.0 */
/* Global options, dispatch to a verb, and how its failure is told. */
#include "cli/cli.h"

#include "base/fd.h"
#include "base/feat.h"
#include "base/own.h"
#include "base/text.h"
#include "cli/help.h"
#include "cli/log.h"
#include "cli/out.h"
#include "cli/verbs.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define AT(field) offsetof(struct globals, field)

enum { LISTEN_FDS_MAX = 1024 };

/* clang-format off */
const struct opt cli_globals[] = {
	{ "root", 0, OPT_STR, 0, "DIR", AT(root), NULL,
	  "runtime state, gone after a reboot (default $CTR_ROOT, or /run/ctr, for a user $XDG_RUNTIME_DIR/ctr)" },
	{ "store", 0, OPT_STR, 0, "DIR", AT(store), NULL,
	  "partitions and templates (default $CTR_STORE, or /var/lib/ctr, for a user ~/.local/share/ctr)" },
	{ "format", 0, OPT_CHOICE, 0, "table|json", AT(format), NULL,
	  "print tables for people, or JSON for programs" },
	{ "log", 0, OPT_STR, 0, "FILE", AT(log), NULL,
	  "append failures to FILE as well, or send them to syslog:NAME or journald:NAME" },
	{ "log-format", 0, OPT_CHOICE, 0, "text|json", AT(log_format), NULL,
	  "form of the records in the log" },
	{ "log-level", 0, OPT_CHOICE, 0, "error|warning|debug", AT(log_level), NULL,
	  "what is written to the log (default warning)" },
	{ "debug", 0, OPT_SWITCH, 0, NULL, AT(debug), NULL,
	  "record every step of a start: in the log, or without one on standard error" },
	{ "cgroup-manager", 0, OPT_CHOICE, OPT_HIDDEN, "cgroupfs|systemd|disabled",
	  AT(cgroup_manager), NULL, "who makes control groups" },
	{ "systemd-cgroup", 0, OPT_SWITCH, OPT_HIDDEN, NULL, AT(systemd_cgroup), NULL,
	  "the same as --cgroup-manager systemd" },
	{ "rootless", 0, OPT_CHOICE, 0, "auto|true|false", AT(rootless), NULL,
	  "whether a bundle without limits may go without a cgroup" },
	{ "version", 'v', OPT_SWITCH, 0, NULL, AT(version), NULL, "print the version" },
	{ "help", 'h', OPT_SWITCH, 0, NULL, AT(help), NULL, "print help, of the verb if there is one" },
	{ 0 },
};
/* clang-format on */

int cli_usage(struct cli *cli, struct err *e, const char *fmt, ...)
{
	char msg[sizeof(e->msg)];
	va_list ap;

	cli->fail_status = EXIT_USAGE;
	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap); /* truncation of a message is fine */
	va_end(ap);
	return err_say(e, -EINVAL, "%s", msg);
}

int cli_oom(struct err *e)
{
	return err_set(e, -ENOMEM, "allocate memory");
}

void cli_error(const struct cli *cli, const struct err *e)
{
	char msg[sizeof(e->msg) + sizeof(e->hint) + 4], note[128] = "";
	bool hint = e->hint[0];

	(void)snprintf(msg, sizeof(msg), "%s%s%s%s", e->msg, hint ? " (" : "", e->hint,
		       hint ? ")" : "");
	if (log_wants(&cli->globals, LOG_LEVEL_ERROR)) {
		int r = log_append(&cli->globals, LOG_LEVEL_ERROR, msg);

		if (r < 0) /* still one line: the failure of the log rides along */
			(void)snprintf(note, sizeof(note), "; cannot write the log: %s",
				       strerror(-r));
	}
	out_progress_end();
	(void)fprintf(stderr, "ctr%s%s: %s%s\n", cli->verb ? " " : "",
		      cli->verb ? cli->verb->name : "", msg, note);
}

/* To the log; without one, standard error has the same records. */
static void debug(void *arg, const char *what)
{
	const struct cli *cli = arg;
	own_free char *line = NULL;
	char time[32];

	if (cli->globals.log) {
		(void)log_append(&cli->globals, LOG_LEVEL_DEBUG,
				 what); /* a lost record is no failure */
		return;
	}
	line = log_record(cli->globals.log_format, "debug", what,
			  out_fmt_time(time, sizeof(time), out_now_ms()));
	if (line)
		(void)fputs(line, stderr);
}

static bool wants_debug(const struct globals *g)
{
	return g->log ? log_wants(g, LOG_LEVEL_DEBUG) : g->debug;
}

static void debug_end(struct cli *cli, int status, uint64_t started_ms)
{
	char msg[128];

	if (!wants_debug(&cli->globals))
		return;
	(void)snprintf(msg, sizeof(msg), "%s: exit status %d after %llu ms", cli->verb->name,
		       status, (unsigned long long)(out_now_ms() - started_ms));
	debug(cli, msg);
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/*
 * Has this user a run directory of its own? Root has /run, whatever its environment says: engines
 * set XDG_RUNTIME_DIR for it too. In a user namespace root may be anybody, and only a login as root
 * tells that /run is its own.
 */
static bool is_user(void)
{
	const char *user = variable("USER");

	if (geteuid() != 0)
		return true;
	return !feat_is_initial_userns() && variable("XDG_RUNTIME_DIR") &&
	       !(user && strcmp(user, "root") == 0);
}

/* An explicit option, else the environment, else the default: of the XDG Base Directory
 * Specification for a user. NULL run: there is none, and whoever needs it says so. */
static int find_places(struct cli *cli, struct err *e)
{
	const char *state = cli->globals.root ? cli->globals.root : variable("CTR_ROOT");
	const char *store = cli->globals.store ? cli->globals.store : variable("CTR_STORE");
	const char *xdg = variable("XDG_RUNTIME_DIR"), *data = variable("XDG_DATA_HOME"),
		   *home = variable("HOME");
	bool user = is_user();

	cli->env.run = state ? state : "/run/ctr";
	cli->env.store = store ? store : "/var/lib/ctr";
	if (!state && user)
		cli->env.run = xdg ? arena_printf(cli->arena, "%s/ctr", xdg) : NULL;
	if (!state && user && xdg && !cli->env.run)
		return cli_oom(e);
	if (store || !user)
		return 0;
	if (data)
		cli->env.store = arena_printf(cli->arena, "%s/ctr", data);
	else if (home)
		cli->env.store = arena_printf(cli->arena, "%s/.local/share/ctr", home);
	else if (cli->env.run) /* engines call us without a home */
		cli->env.store = arena_printf(cli->arena, "%s/.store", cli->env.run);
	return cli->env.store ? 0 : cli_oom(e);
}

/* sd_listen_fds(3): meant for the process whose pid it says, and for nobody else. */
static unsigned int given_sockets(void)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	uint32_t n, who;

	if (!count || !pid || text_u32(count, &n) < 0 || text_u32(pid, &who) < 0)
		return 0;
	return (pid_t)who == getpid() && n <= LISTEN_FDS_MAX ? n : 0;
}

static void warn(void *arg, const struct err *why)
{
	const struct cli *cli = arg;

	if (cli->globals.log) {
		if (log_wants(&cli->globals, LOG_LEVEL_WARNING))
			(void)log_append(&cli->globals, LOG_LEVEL_WARNING, why->msg);
		return;
	}
	out_progress_end();
	(void)fprintf(stderr, "ctr%s%s: warning: %s\n", cli->verb ? " " : "",
		      cli->verb ? cli->verb->name : "", why->msg);
}

static int check_args(struct cli *cli, const struct args *args, struct err *e)
{
	const struct verb *v = cli->verb;

	if (args->n >= v->min_args && args->n <= v->max_args)
		return 0;
	if (args->n > v->max_args)
		(void)cli_usage(cli, e, "unexpected argument '%s'", args->v[v->max_args]);
	else
		(void)cli_usage(cli, e, "an argument is missing");
	err_hint(e, "usage: ctr %s%s%s", v->name, v->opts ? " [OPTION]... " : " ", v->args);
	return -EINVAL;
}

/* Parse the verb's own part of the command line, and run it. Return: exit status or -errno. */
static int dispatch(struct cli *cli, int argc, char **argv, struct err *e)
{
	const struct verb *v = cli->verb;
	struct args args;
	void *opts = arena_alloc(cli->arena, v->opts_size);
	struct opt_parse p = {
		.sets = { { v->opts, opts }, { cli_globals, &cli->globals } },
		.globals = &cli->globals,
		.mode = v->flags & VERB_STOP ? OPT_STOP : OPT_ANYWHERE,
		.arena = cli->arena,
	};
	int r;

	if (!opts)
		return cli_oom(e);
	cli->fail_status = EXIT_USAGE;
	r = opt_parse(&p, argc, argv, &args, e);
	if (r < 0)
		return r;
	if (cli->globals.help)
		return help_print_verb(v, e);
	r = check_args(cli, &args, e);
	if (r < 0)
		return r;
	cli->fail_status = v->flags & VERB_LAUNCH ? EXIT_EXEC : EXIT_FAILURE;
	if (v->flags & VERB_ROOT && geteuid() != 0) {
		(void)err_say(e, -EPERM, "this needs root");
		err_hint(e, "a user can run OCI bundles, not partitions");
		return -EPERM;
	}
	r = find_places(cli, e);
	if (r < 0)
		return r;
	cli->env.notify_socket = getenv("NOTIFY_SOCKET");
	if (cli->env.notify_socket && !*cli->env.notify_socket)
		cli->env.notify_socket = NULL;
	cli->env.listen_fds = given_sockets();
	cli->env.warn = warn;
	cli->env.warn_arg = cli;
	if (wants_debug(&cli->globals))
		cli->env.debug = debug;
	cli->json = cli->globals.format && strcmp(cli->globals.format, "json") == 0;
	return v->fn(cli, opts, &args, e);
}

static bool asks_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}

/* Globals up to the verb, then the verb. Return: exit status or -errno. */
static int run(struct cli *cli, int argc, char **argv, struct err *e)
{
	struct opt_parse p = {
		.sets = { { cli_globals, &cli->globals } },
		.globals = &cli->globals,
		.mode = OPT_PREFIX,
		.arena = cli->arena,
	};
	char *alone = NULL;
	struct args none;
	int used, words;

	cli->fail_status = EXIT_USAGE;
	used = opt_parse(&p, argc, argv, &none, e);
	if (used < 0)
		return used;
	if (cli->globals.version) {
		cli->verb = &verb_version;
		return dispatch(cli, 0, &alone, e);
	}
	if (used == argc && cli->globals.help)
		return help_print(e);
	if (used == argc) {
		(void)err_say(e, -EINVAL, "no verb given");
		err_hint(e, "'ctr help' lists the verbs");
		return -EINVAL;
	}
	cli->verb = verb_find(argc - used, argv + used, &words, e);
	if (!cli->verb)
		return asks_help(argc - used, argv + used) ? help_unknown(argv[used], e) : -EINVAL;
	return dispatch(cli, argc - used - words, argv + used + words, e);
}

int cli_main(int argc, char **argv)
{
	own_arena struct arena arena = { 0 };
	struct cli cli = { .arena = &arena, .fail_status = EXIT_FAILURE };
	uint64_t started_ms = out_now_ms();
	struct err e = { 0 };
	int status;

	/* A parent that ignores SIGCHLD hands that on, and then no child could be waited for. */
	(void)signal(SIGCHLD, SIG_DFL);
	status = run(&cli, argc > 0 ? argc - 1 : 0, argv + 1, &e);
	if (status < 0) {
		cli_error(&cli, &e);
		status = cli.fail_status;
	}
	if (fflush(stdout) != 0 && status == 0) {
		(void)err_set(&e, -errno, "write to standard output");
		e.hint[0] = '\0';
		cli_error(&cli, &e);
		status = EXIT_FAILURE;
	}
	if (cli.verb)
		debug_end(&cli, status, started_ms);
	return status;
}
