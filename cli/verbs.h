/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs. Each stands, with its options, help and function, in the verb_*.c file of its family;
 * the one list of them is in verbs.c, and dispatch, help, manual and completions walk that list.
 */
#ifndef CTR_CLI_VERBS_H
#define CTR_CLI_VERBS_H

#include "base/err.h"
#include "cli/opt.h"

#include <stddef.h>

struct cli;

enum verb_group { GROUP_LIFE, GROUP_INSIDE, GROUP_LOOK, GROUP_CONFIG, GROUP_STORE, GROUP_HOST };

enum verb_flag {
	VERB_ROOT = 1 << 0,   /* changes kernel state: refused at once without privileges */
	VERB_HIDDEN = 1 << 1, /* for packagers and scripts; not in the list of verbs */
	VERB_STOP = 1 << 2,   /* options end at the first positional argument */
	VERB_LAUNCH = 1 << 3, /* exit status is the payload's; our own failures are EXIT_EXEC */
};

enum { ARGS_MANY = 1 << 20 };

struct verb {
	const char *name;  /* one or two words: "template list" */
	const char *alias; /* another spelling, or NULL */
	const char *args;  /* synopsis of the positional arguments: "NAME..." */
	const char *summary;
	const char *help; /* paragraphs, separated by an empty line */
	enum verb_group group;
	unsigned int flags;
	size_t min_args, max_args;
	const struct opt *opts; /* may be NULL */
	size_t opts_size;	/* of the struct that they fill */
	/** Return: exit status 0..255, or -errno with *e set */
	int (*fn)(struct cli *cli, const void *opts, const struct args *args, struct err *e);
};

/** The list, in the order of the manual; ends with NULL. */
extern const struct verb *const verbs[];
/** Titles by enum verb_group. */
extern const char *const verb_groups[];

/**
 * verb_find() - the verb that @argv begins with, by name or alias
 * @ret_words: how many entries its name took
 * Return: NULL with *e set, and the nearest verb as the hint.
 */
const struct verb *verb_find(int argc, char **argv, int *ret_words, struct err *e);
/** verb_named() - by its whole name; NULL when there is none */
const struct verb *verb_named(const char *name);

extern const struct verb verb_create, verb_start, verb_run;
extern const struct verb verb_update;
extern const struct verb verb_stop, verb_restart, verb_kill, verb_pause, verb_resume, verb_set,
	verb_get, verb_delete;
extern const struct verb verb_exec, verb_enter;
extern const struct verb verb_list, verb_state, verb_ps, verb_stats, verb_top, verb_logs,
	verb_console;
extern const struct verb verb_template_import, verb_template_build, verb_template_list,
	verb_template_show, verb_template_remove;
extern const struct verb verb_validate, verb_plan, verb_schema;
extern const struct verb verb_spec, verb_features, verb_checkpoint, verb_restore;
extern const struct verb verb_doctor, verb_version, verb_help, verb_completions, verb_man;

#endif
