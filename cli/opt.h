/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command-line options by table. A row says how an option is spelled, where its value goes and
 * what it means; parsing, --help, the manual and the shell completions all come from the rows.
 *
 * DOC: what is accepted. `--name value`, `--name=value`, `-x value`, `-xvalue`, `-x=value`,
 * switches bundled as `-it`, `--switch=false`, and a long name behind a single dash, because
 * container engines written in Go spell options so. A repeated option keeps its last value; a
 * list appends. `--` ends the options. An argument such as `-9` is a number, never an option.
 */
#ifndef CTR_CLI_OPT_H
#define CTR_CLI_OPT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>

enum opt_type {
	OPT_SWITCH, /* bool */
	OPT_STR,    /* const char * */
	OPT_STRV,   /* struct strv: one element each time it is given */
	OPT_U32,    /* uint32_t */
	OPT_MS,	    /* struct opt_u64, milliseconds: "30s", "250ms", a bare number is seconds */
	OPT_CHOICE, /* const char *, one of the words of .arg, which are separated by '|' */
};

enum opt_flag {
	OPT_HIDDEN = 1 << 0, /* accepted for engines that pass it; no part of the help */
	OPT_GLOBAL = 1 << 1, /* the offset is into the globals, wherever the row stands */
};

struct opt {
	const char *name; /* long name without dashes; a table ends with a NULL */
	char letter;	  /* 0: none */
	enum opt_type type;
	unsigned int flags;
	const char *arg; /* "FILE"; NULL for a switch */
	size_t offset;
	int (*check)(const char *value, struct err *e); /* beyond the type; may be NULL */
	const char *help;
};

/** One table to look in. The first that knows an option wins. */
struct opt_set {
	const struct opt *table; /* may be NULL */
	void *into;
};

/** Positional arguments, in order. */
struct args {
	char **v;
	size_t n;
	size_t rest; /* how many stood before "--"; n when there was none */
};

enum opt_mode {
	OPT_ANYWHERE, /* options may follow positional arguments */
	OPT_STOP,     /* all that follows the first positional argument is positional */
	OPT_PREFIX,   /* parse up to the first positional argument and leave the rest alone */
};

struct opt_parse {
	struct opt_set sets[2];
	void *globals; /* what OPT_GLOBAL offsets are into */
	enum opt_mode mode;
	struct arena *arena;
};

/**
 * opt_parse() - parse @argv (@argc entries, no program name)
 * Return: how many entries were used (all of them unless OPT_PREFIX), or -EINVAL, -ENOMEM.
 */
int opt_parse(const struct opt_parse *p, int argc, char **argv, struct args *ret, struct err *e);

/** opt_choices() - call @each with every word of an OPT_CHOICE's .arg, not NUL-terminated */
void opt_choices(const struct opt *o, void (*each)(void *arg, const char *word, size_t len),
		 void *arg);

#endif
