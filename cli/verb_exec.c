/* SPDX-License-Identifier: Apache-2.0 */
/* exec, enter. */
#include "base/own.h"
#include "cli/cli.h"
#include "cli/verbs.h"

#include <string.h>

struct exec {
	struct exec_opts exec;
	uint32_t preserve_fds;
	bool interactive;
};

#define AT(field) offsetof(struct exec, exec.field)

/* clang-format off */
static const struct opt exec_options[] = {
	{ "tty", 't', OPT_SWITCH, 0, NULL, AT(tty), NULL, "give it a terminal" },
	{ "interactive", 'i', OPT_SWITCH, OPT_HIDDEN, NULL, offsetof(struct exec, interactive), NULL,
	  "standard input is always connected" },
	{ "env", 'e', OPT_STRV, 0, "NAME=VALUE", AT(env), NULL,
	  "add to its environment; may be repeated" },
	{ "user", 'u', OPT_STR, 0, "UID[:GID]", AT(user), NULL, "run as that user" },
	{ "additional-gids", 'g', OPT_STRV, 0, "GID", AT(additional_gids), NULL,
	  "be in this group too; may be repeated" },
	{ "cwd", 0, OPT_STR, 0, "PATH", AT(cwd), NULL, "working directory inside" },
	{ "detach", 'd', OPT_SWITCH, 0, NULL, AT(detach), NULL, "leave it running and return" },
	{ "cap", 'c', OPT_STRV, 0, "CAPABILITY", AT(caps), NULL,
	  "give it this capability too; may be repeated" },
	{ "no-new-privs", 0, OPT_SWITCH, 0, NULL, AT(no_new_privs), NULL,
	  "no gain of privileges by execve(2)" },
	{ "apparmor", 0, OPT_STR, 0, "PROFILE", AT(apparmor), NULL, "confine it by that profile" },
	{ "process-label", 0, OPT_STR, 0, "LABEL", AT(process_label), NULL,
	  "give it that SELinux label" },
	{ "cgroup", 0, OPT_STRV, 0, "[CONTROLLER,...:]PATH", AT(cgroups), NULL,
	  "put it into that group beneath the container's" },
	{ "ignore-paused", 0, OPT_SWITCH, 0, NULL, AT(ignore_paused), NULL,
	  "when all is paused, wait for resume in place of failing" },
	{ "process", 'p', OPT_STR, 0, "FILE", AT(process), NULL,
	  "the process as OCI JSON, in place of a command" },
	{ "pid-file", 0, OPT_STR, 0, "FILE", AT(pid_file), NULL, "write its pid to FILE" },
	{ "console-socket", 0, OPT_STR, 0, "SOCKET", AT(console_socket), NULL,
	  "send the terminal's master end over this unix socket" },
	{ "pidfd-socket", 0, OPT_STR, 0, "SOCKET", AT(pidfd_socket), NULL,
	  "send a pidfd of it over this unix socket" },
	{ "preserve-fds", 0, OPT_U32, 0, "N", offsetof(struct exec, preserve_fds), NULL,
	  "pass N descriptors, 3 and up, to it" },
	{ 0 },
};

static const struct opt enter_options[] = {
	{ "user", 'u', OPT_STR, 0, "UID[:GID]", AT(user), NULL, "the shell of that user" },
	{ "env", 'e', OPT_STRV, 0, "NAME=VALUE", AT(env), NULL,
	  "add to its environment; may be repeated" },
	{ 0 },
};
/* clang-format on */

/* -ENOENT and -EACCES are the program's, when there is a partition at all. */
static int launch(struct cli *cli, const char *name, const struct exec_opts *opts, struct err *e)
{
	int r = container_exec(&cli->env, name, opts, e);
	struct ctr_info info;

	if (r < 0 && container_info(&cli->env, name, cli->arena, &info, NULL) == 0 &&
	    info.is_partition)
		cli->fail_status = r == -ENOENT	  ? EXIT_NOT_FOUND
				   : r == -EACCES ? EXIT_NOT_EXECUTABLE
						  : EXIT_RUNTIME;
	return r;
}

static int run_exec(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct exec *x = opts;
	struct exec_opts exec = x->exec;
	size_t first = 1;

	/* `exec NAME -- COMMAND`: nothing is called "--". */
	if (args->n > 1 && strcmp(args->v[1], "--") == 0)
		first = 2;
	exec.args = (struct strv){ args->v + first, args->n > first ? args->n - first : 0 };
	exec.preserve_fds = x->preserve_fds;
	if (!exec.args.n && !exec.process)
		return cli_usage(cli, e, "the command is missing");
	if (exec.args.n && exec.process)
		return cli_usage(cli, e, "give a command or --process, not both");
	return launch(cli, args->v[0], &exec, e);
}

static int run_enter(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct exec *x = opts;
	struct exec_opts exec = x->exec;

	exec.login = true;
	exec.tty = isatty(STDIN_FILENO); /* `ctr enter NAME < script` works too */
	return launch(cli, args->v[0], &exec, e);
}

const struct verb verb_exec = {
	.name = "exec",
	.args = "NAME COMMAND [ARGUMENT]...",
	.summary = "run a command inside",
	.help = "Runs COMMAND inside a running partition or container and returns its exit status. "
		"Options stand before NAME; what follows belongs to the command.",
	.group = GROUP_INSIDE,
	.flags = VERB_LAUNCH | VERB_STOP,
	.min_args = 1,
	.max_args = ARGS_MANY,
	.opts = exec_options,
	.opts_size = sizeof(struct exec),
	.fn = run_exec,
};

const struct verb verb_enter = {
	.name = "enter",
	.alias = "shell",
	.args = "NAME",
	.summary = "open a login shell inside",
	.help = "Opens the login shell of root, or of another user, inside a running partition.",
	.group = GROUP_INSIDE,
	.flags = VERB_LAUNCH,
	.min_args = 1,
	.max_args = 1,
	.opts = enter_options,
	.opts_size = sizeof(struct exec),
	.fn = run_enter,
};
