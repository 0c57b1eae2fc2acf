/* SPDX-License-Identifier: Apache-2.0 */
/* --help, and the small verbs about the command itself: help, version. */
#include "cli/help.h"

#include "base/own.h"
#include "cli/cli.h"
#include "cli/out.h"
#include "cli/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 80, OPTION_COLUMN = 30, VERB_COLUMN = 20 };

/* Add @s in lines of WIDTH from column @indent on; the first line continues at column @at. */
static void add_wrapped(struct text *t, const char *s, size_t at, size_t indent)
{
	text_pad(t, "", at < indent ? indent - at : 0);
	at = at < indent ? indent : at;
	while (*s) {
		size_t len = strcspn(s, " \n");

		if (at > indent && at + 1 + len > WIDTH) {
			text_add(t, "\n");
			text_pad(t, "", indent);
			at = indent;
		} else if (at > indent) {
			text_add(t, " ");
			at++;
		}
		text_addn(t, s, len);
		at += len;
		s += len;
		if (s[0] == '\n' && s[1] == '\n') {
			text_add(t, "\n\n");
			text_pad(t, "", indent);
			at = indent;
		}
		s += strspn(s, " \n");
	}
	text_add(t, "\n");
}

static void add_options(struct text *t, const struct opt *o)
{
	for (; o && o->name; o++) {
		size_t start = t->len;

		if (o->flags & OPT_HIDDEN)
			continue;
		if (o->letter)
			text_addf(t, "  -%c, --%s", o->letter, o->name);
		else
			text_addf(t, "      --%s", o->name);
		if (o->arg)
			text_addf(t, " %s", o->arg);
		if (t->len - start >= OPTION_COLUMN) {
			text_add(t, "\n");
			start = t->len;
		}
		add_wrapped(t, o->help, t->len - start, OPTION_COLUMN);
	}
}

void help_synopsis(struct text *t, const char *name, const struct verb *v)
{
	text_addf(t, "%s %s%s", name, v->name, v->opts ? " [OPTION]..." : "");
	if (*v->args)
		text_addf(t, " %s", v->args);
}

/* The first two lines are laid out as in other OCI runtimes: there are programs that look. */
void help_verb(struct text *t, const char *name, const struct verb *v)
{
	text_addf(t, "NAME:\n   %s %s - %s\n\nUSAGE:\n   ", name, v->name, v->summary);
	help_synopsis(t, name, v);
	text_add(t, "\n\n");
	add_wrapped(t, v->help, 0, 0);
	if (v->alias)
		text_addf(t, "\nAlso spelled: %s %s\n", name, v->alias);
	if (v->opts) {
		text_add(t, "\nOptions:\n");
		add_options(t, v->opts);
	}
	text_add(t, "\nThe options of 'ctr help' are accepted too.\n");
}

void help_all(struct text *t, const char *name)
{
	text_addf(t,
		  "NAME:\n   %s - Open Container Initiative runtime, and partitions of this "
		  "machine\n\n"
		  "USAGE:\n   %s [OPTION]... VERB [ARGUMENT]...\n",
		  name, name);
	for (enum verb_group g = GROUP_LIFE; g <= GROUP_HOST; g++) {
		text_addf(t, "\n%s:\n", verb_groups[g]);
		for (const struct verb *const *v = verbs; *v; v++) {
			if ((*v)->group != g || (*v)->flags & VERB_HIDDEN)
				continue;
			text_add(t, "  ");
			text_pad(t, (*v)->name, VERB_COLUMN - 2);
			add_wrapped(t, (*v)->summary, VERB_COLUMN, VERB_COLUMN);
		}
	}
	text_add(t, "\nOptions:\n");
	add_options(t, cli_globals);
	text_add(t, "\n'ctr help VERB' explains a verb; the whole manual is ctr(1).\n");
}

static int print(struct text *t, struct err *e)
{
	if (text_failed(t))
		return cli_oom(e);
	(void)fputs(text_str(t), stdout); /* the flush at exit reports a failure */
	return 0;
}

int help_print(struct err *e)
{
	own_text struct text t = { 0 };

	help_all(&t, program_invocation_short_name);
	return print(&t, e);
}

int help_print_verb(const struct verb *v, struct err *e)
{
	own_text struct text t = { 0 };

	help_verb(&t, program_invocation_short_name, v);
	return print(&t, e);
}

int help_unknown(const char *name, struct err *e)
{
	return err_say(e, -EINVAL, "No help topic for '%s'", name);
}

static int run_help(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct verb *v;
	struct err ignored;
	int words = 0;

	(void)opts;
	if (args->n == 0)
		return help_print(e);
	v = verb_find((int)args->n, args->v, &words, &ignored);
	if (v && (size_t)words == args->n)
		return help_print_verb(v, e);
	cli->fail_status = EXIT_USAGE;
	if (!v)
		*e = ignored;
	else
		(void)err_say(e, -EINVAL, "unexpected argument '%s'", args->v[words]);
	return -EINVAL;
}

/* containerd and Docker read the lines "NAME version X", "commit: X", "spec: X"; of the first,
 * containerd only when the name is runc's, which it is where we are called so. */
static int run_version(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	(void)opts;
	(void)args;
	if (cli->json)
		return out_print_json(json_pack("{s:s, s:s, s:s}", "version", CTR_VERSION, "commit",
						CTR_COMMIT, "spec", OCI_VERSION),
				      e);
	(void)printf("%s version %s\ncommit: %s\nspec: %s\n", program_invocation_short_name,
		     CTR_VERSION, CTR_COMMIT, OCI_VERSION);
	return 0;
}

static int run_completions(struct cli *cli, const void *opts, const struct args *args,
			   struct err *e)
{
	own_text struct text t = { 0 };

	(void)opts;
	if (complete_script(&t, args->v[0]) < 0)
		return cli_usage(cli, e, "no completions for '%s': bash, zsh or fish", args->v[0]);
	return print(&t, e);
}

static int run_man(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	own_text struct text t = { 0 };

	(void)cli;
	(void)opts;
	(void)args;
	man_page(&t);
	return print(&t, e);
}

const struct verb verb_help = {
	.name = "help",
	.args = "[VERB]",
	.summary = "explain the command, or one verb",
	.help = "Lists the verbs, or explains the one that is named.",
	.group = GROUP_HOST,
	.max_args = 2,
	.fn = run_help,
};

const struct verb verb_version = {
	.name = "version",
	.args = "",
	.summary = "print the version",
	.help = "Prints the version of the command, and of the OCI runtime specification that it "
		"follows.",
	.group = GROUP_HOST,
	.fn = run_version,
};

const struct verb verb_completions = {
	.name = "completions",
	.args = "bash|zsh|fish",
	.summary = "print a completion script",
	.help = "Prints the script that completes verbs, options and names in that shell.",
	.group = GROUP_HOST,
	.flags = VERB_HIDDEN,
	.min_args = 1,
	.max_args = 1,
	.fn = run_completions,
};

const struct verb verb_man = {
	.name = "man",
	.args = "",
	.summary = "print the manual page",
	.help = "Prints ctr(1) as roff, for man(1).",
	.group = GROUP_HOST,
	.flags = VERB_HIDDEN,
	.fn = run_man,
};
