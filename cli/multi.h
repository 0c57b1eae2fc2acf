/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation on several names: a bounded number of child processes at work at a time, results
 * reported in the order of the names.
 */
#ifndef CTR_CLI_MULTI_H
#define CTR_CLI_MULTI_H

#include "base/err.h"
#include "base/value.h"
#include "runtime/container.h"

#include <stdbool.h>

struct args;
struct cli;

struct multi {
	/** The operation. Return: 0; 1 when there was nothing to do; -errno. Runs in a child
	 * process when there are several names, so it must leave no result in memory. */
	int (*fn)(struct cli *cli, const char *name, const void *arg, struct err *e);
	const void *arg;
	const char *done;    /* "started", for people */
	const char *nothing; /* "was running already" */
};

/**
 * multi_run() - do it for all @names; one name alone is done in this process
 * Return: exit status (1 when any failed; the failures have been reported), or -errno.
 */
int multi_run(struct cli *cli, const struct multi *m, const struct strv *names, struct err *e);

/** multi_names() - the names of @args, or with @all the partitions that @pick takes (NULL: all)
 * Return: 0 or -errno; names together with @all are a usage error, so are none without. */
int multi_names(struct cli *cli, const struct args *args, bool all,
		bool (*pick)(struct cli *cli, const struct ctr_info *info), struct strv *ret,
		struct err *e);

/** multi_matching() - every container whose id matches one of the extended regular expressions
 * @patterns; none is no failure */
int multi_matching(struct cli *cli, const struct args *patterns, struct strv *ret, struct err *e);

#endif
