/* SPDX-License-Identifier: Apache-2.0 */
/* The manual page: prose from here, everything about verbs and options from their tables. */
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/verbs.h"

#include <string.h>

struct section {
	const char *title, *text;
};

/* clang-format off */
static const struct section before[] = {
	{ "DESCRIPTION",
	  "ctr runs partitions: isolated, limited systems that share this machine's kernel. A "
	  "partition is described by one JSON config, has its own root file system, addresses, "
	  "processes and limits, and stays on disk while it is stopped.\n\n"
	  "The same command is an OCI runtime: container engines create, start, inspect and delete "
	  "containers by it. Where a verb says NAME it takes a partition as well as a container.\n\n"
	  "Nothing stays resident: each command does its work and exits. A command that is killed "
	  "leaves nothing behind that the next command would not clean up." },
	{ NULL, NULL },
};

static const struct section after[] = {
	{ "EXIT STATUS",
	  "0: success.\n\n"
	  "1: failure. One line on standard error says what failed and, in parentheses, what to do "
	  "about it.\n\n"
	  "2: the command line is wrong.\n\n"
	  "run, exec and enter end with the status of the program that they ran, 128 plus the "
	  "signal's number if a signal ended it. Their own failures are 1 for run and 255 for exec "
	  "of an OCI container. Of a partition they are 125, or 126 when the program cannot be "
	  "executed, or 127 when it was not found." },
	{ "ENVIRONMENT",
	  "CTR_ROOT and CTR_STORE stand in for --root and --store." },
	{ "FILES",
	  "/run/ctr: state of what runs.\n\n"
	  "/var/lib/ctr: templates, and the config and data of each partition." },
	{ "EXAMPLES",
	  "A template, a partition from it, and a shell inside:\n\n"
	  "ctr template build bookworm\n\n"
	  "ctr create web1 --template bookworm --set memory.limit=512M\n\n"
	  "ctr start web1\n\n"
	  "ctr enter web1\n\n"
	  "More memory while it runs, then everything away again:\n\n"
	  "ctr set web1 memory.limit=1G\n\n"
	  "ctr delete --force web1\n\n"
	  "One command in a throw-away partition:\n\n"
	  "ctr run --template busybox -- /bin/echo hello" },
	{ NULL, NULL },
};
/* clang-format on */

/* Text as roff shows it literally: no line starts a request, and dashes stay dashes. */
static void add_roff(struct text *t, const char *s)
{
	if (*s == '.' || *s == '\'')
		text_add(t, "\\&");
	for (; *s; s++) {
		if (*s == '\\')
			text_add(t, "\\e");
		else if (*s == '-')
			text_add(t, "\\-");
		else
			text_addn(t, s, 1);
	}
}

static void add_paragraphs(struct text *t, const char *s)
{
	while (*s) {
		const char *end = strstr(s, "\n\n");
		size_t len = end ? (size_t)(end - s) : strlen(s);
		own_text struct text one = { 0 };

		text_addn(&one, s, len);
		text_add(t, ".PP\n");
		add_roff(t, text_str(&one));
		text_add(t, "\n");
		t->failed |= text_failed(&one);
		s += len + strspn(s + len, "\n");
	}
}

static void add_sections(struct text *t, const struct section *s)
{
	for (; s->title; s++) {
		text_addf(t, ".SH %s\n", s->title);
		add_paragraphs(t, s->text);
	}
}

static void add_options(struct text *t, const struct opt *o)
{
	for (; o && o->name; o++) {
		if (o->flags & OPT_HIDDEN)
			continue;
		text_add(t, ".TP\n");
		if (o->letter)
			text_addf(t, "\\fB\\-%c\\fR, ", o->letter);
		text_add(t, "\\fB\\-\\-");
		add_roff(t, o->name);
		text_add(t, "\\fR");
		if (o->arg) {
			text_add(t, " \\fI");
			add_roff(t, o->arg);
			text_add(t, "\\fR");
		}
		text_add(t, "\n");
		add_roff(t, o->help);
		text_add(t, "\n");
	}
}

static void add_verb(struct text *t, const struct verb *v)
{
	text_addf(t, ".SS ctr %s", v->name);
	text_addf(t, "%s%s%s\n", v->opts ? " [OPTION]..." : "", *v->args ? " " : "", v->args);
	add_paragraphs(t, v->help);
	if (v->alias)
		text_addf(t, ".PP\nAlso spelled \\fBctr %s\\fR.\n", v->alias);
	add_options(t, v->opts);
}

void man_page(struct text *t)
{
	text_addf(t, ".TH CTR 1 \"\" \"ctr %s\" \"User Commands\"\n", CTR_VERSION);
	text_add(t, ".SH NAME\nctr \\- run partitions and OCI containers\n");
	text_add(t,
		 ".SH SYNOPSIS\n.B ctr\n[\\fIOPTION\\fR]... \\fIVERB\\fR [\\fIARGUMENT\\fR]...\n");
	add_sections(t, before);
	text_add(t, ".SH OPTIONS\nThese stand before or after the verb.\n");
	add_options(t, cli_globals);
	text_add(t, ".SH VERBS\n");
	for (enum verb_group g = GROUP_LIFE; g <= GROUP_HOST; g++)
		for (const struct verb *const *v = verbs; *v; v++)
			if ((*v)->group == g && !((*v)->flags & VERB_HIDDEN))
				add_verb(t, *v);
	add_sections(t, after);
}
