/* SPDX-License-Identifier: Apache-2.0 */
/* Global options, dispatch to a verb, and how its failure is told. */
#include "cli/cli.h"

#include "base/fd.h"
#include "base/own.h"
#include "base/text.h"
#include "cli/help.h"
#include "cli/out.h"
#include "cli/verbs.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define AT(field) offsetof(struct globals, field)

/* clang-format off */
const struct opt cli_globals[] = {
	{ "root", 0, OPT_STR, 0, "DIR", AT(root), NULL,
	  "runtime state, gone after a reboot (default /run/ctr, or $CTR_ROOT)" },
	{ "store", 0, OPT_STR, 0, "DIR", AT(store), NULL,
	  "partitions and templates (default /var/lib/ctr, or $CTR_STORE)" },
	{ "format", 0, OPT_CHOICE, 0, "table|json", AT(format), NULL,
	  "print tables for people, or JSON for programs" },
	{ "log", 0, OPT_STR, 0, "FILE", AT(log), NULL,
	  "append failures to FILE as well" },
	{ "log-format", 0, OPT_CHOICE, 0, "text|json", AT(log_format), NULL,
	  "form of the records in the log" },
	{ "debug", 0, OPT_SWITCH, 0, NULL, AT(debug), NULL,
	  "with --log, record the end of each command too" },
	{ "cgroup-manager", 0, OPT_CHOICE, OPT_HIDDEN, "cgroupfs|systemd|disabled",
	  AT(cgroup_manager), NULL, "who makes control groups" },
	{ "systemd-cgroup", 0, OPT_SWITCH, OPT_HIDDEN, NULL, AT(systemd_cgroup), NULL,
	  "the same as --cgroup-manager systemd" },
	{ "rootless", 0, OPT_CHOICE, OPT_HIDDEN, "auto|true|false", AT(rootless), NULL,
	  "whether to expect no privileges" },
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

/* key="value" of a text record: quotes and backslashes escaped; err_set() left no newline. */
static void add_quoted(struct text *t, const char *s)
{
	text_add(t, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			text_add(t, "\\");
		text_addn(t, s, 1);
	}
	text_add(t, "\"");
}

char *cli_log_record(const char *format, const char *level, const char *msg, const char *time)
{
	own_text struct text t = { 0 };

	if (format && strcmp(format, "json") == 0) {
		own_json json_t *doc =
			json_pack("{s:s, s:o, s:s}", "level", level, "msg",
				  json_stringn_nocheck(msg, strlen(msg)), "time", time);
		own_free char *line = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

		if (!line && doc) { /* bytes that are not UTF-8, out of a file name */
			own_free char *ascii = strdup(msg);

			for (char *p = ascii; p && *p; p++)
				if ((unsigned char)*p >= 0x80)
					*p = '?';
			return ascii ? cli_log_record(format, level, ascii, time) : NULL;
		}
		text_addf(&t, "%s\n", line ? line : "");
		t.failed |= !line;
		return text_take(&t);
	}
	text_addf(&t, "time=%s level=%s msg=", time, level);
	add_quoted(&t, msg);
	text_add(&t, "\n");
	return text_take(&t);
}

/* One record in one write, so that verbs which share a log do not mix their lines. */
static int log_append(const struct cli *cli, const char *level, const char *msg)
{
	own_fd int fd = open(cli->globals.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	own_free char *line = NULL;
	char time[32];

	if (fd < 0)
		return -errno;
	line = cli_log_record(cli->globals.log_format, level, msg,
			      out_fmt_time(time, sizeof(time), out_now_ms()));
	return line ? fd_write_all(fd, line, strlen(line)) : -ENOMEM;
}

void cli_error(const struct cli *cli, const struct err *e)
{
	char msg[sizeof(e->msg) + sizeof(e->hint) + 4], note[128] = "";
	bool hint = e->hint[0];

	(void)snprintf(msg, sizeof(msg), "%s%s%s%s", e->msg, hint ? " (" : "", e->hint,
		       hint ? ")" : "");
	if (cli->globals.log) {
		int r = log_append(cli, "error", msg);

		if (r < 0) /* still one line: the failure of the log rides along */
			(void)snprintf(note, sizeof(note), "; cannot write the log: %s",
				       strerror(-r));
	}
	out_progress_end();
	(void)fprintf(stderr, "ctr%s%s: %s%s\n", cli->verb ? " " : "",
		      cli->verb ? cli->verb->name : "", msg, note);
}

static void log_debug(const struct cli *cli, int status, uint64_t started_ms)
{
	char msg[128];

	if (!cli->globals.debug || !cli->globals.log)
		return;
	(void)snprintf(msg, sizeof(msg), "%s: exit status %d after %llu ms", cli->verb->name,
		       status, (unsigned long long)(out_now_ms() - started_ms));
	(void)log_append(cli, "debug", msg); /* a lost debug record is no failure */
}

/* An explicit option, else the environment, else the default. */
static const char *place(const char *given, const char *variable, const char *standard)
{
	const char *env = getenv(variable);

	if (given)
		return given;
	return env && *env ? env : standard;
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
	cli->fail_status = v->flags & VERB_LAUNCH ? EXIT_RUNTIME : EXIT_FAILURE;
	if (v->flags & VERB_ROOT && geteuid() != 0) {
		(void)err_say(e, -EPERM, "this needs root");
		return -EPERM;
	}
	cli->env.run = place(cli->globals.root, "CTR_ROOT", "/run/ctr");
	cli->env.store = place(cli->globals.store, "CTR_STORE", "/var/lib/ctr");
	cli->json = cli->globals.format && strcmp(cli->globals.format, "json") == 0;
	return v->fn(cli, opts, &args, e);
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
		return -EINVAL;
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
		log_debug(&cli, status, started_ms);
	return status;
}
