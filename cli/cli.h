/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command as a whole: global options, dispatch, messages and exit status.
 *
 * DOC: exit status. 0 success; 2 the command line is wrong; 1 any other failure. Verbs that run a
 * payload (run, exec, enter) return the payload's status. Their own failures are, of a container, 1
 * for run and 255 for exec, as other OCI runtimes have it; of a partition 125, 126 (found but not
 * executable) or 127 (not found), as shells have it. A failure is one line on standard error; with
 * --log it is also one record appended to that file, which is where container engines read it.
 */
#ifndef CTR_CLI_CLI_H
#define CTR_CLI_CLI_H

#include "base/arena.h"
#include "base/err.h"
#include "cli/opt.h"
#include "runtime/container.h"

#include <stdbool.h>

struct verb;

enum {
	EXIT_USAGE = 2,
	EXIT_RUNTIME = 125,
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_EXEC = 255,
};

#define OCI_VERSION "1.3.0"

struct globals {
	const char *root, *store;
	const char *format; /* "table" or "json"; NULL: not given */
	const char *log, *log_format, *log_level;
	const char *cgroup_manager, *rootless;
	bool systemd_cgroup, debug, version, help;
};

/** The table of global options, for help, manual and completions. */
extern const struct opt cli_globals[];

struct cli {
	struct globals globals;
	struct ctr_env env;
	bool json; /* print JSON */
	const struct verb *verb;
	struct arena *arena; /* lives as long as the command */
	int fail_status;     /* exit status when the verb returns -errno */
};

/** cli_main() - the whole command. Return: exit status. */
int cli_main(int argc, char **argv);
/** cli_error() - report one failure: a line on standard error, a record in the log */
void cli_error(const struct cli *cli, const struct err *e);
/** cli_usage() - a mistake in the command line. Return: -EINVAL, and the exit status will be 2. */
int cli_usage(struct cli *cli, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** cli_oom() - Return: -ENOMEM with *e set */
int cli_oom(struct err *e);

#endif
