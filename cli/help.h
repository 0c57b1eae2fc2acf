/* SPDX-License-Identifier: Apache-2.0 */
/* --help, the manual and the shell completions: all are views of the verb and option tables. */
#ifndef CTR_CLI_HELP_H
#define CTR_CLI_HELP_H

#include "base/err.h"
#include "base/text.h"

struct opt;
struct verb;

/** help_all() - the list of verbs and the global options; @name: what the command is called */
void help_all(struct text *t, const char *name);
/** help_verb() - one verb: synopsis, text, options */
void help_verb(struct text *t, const char *name, const struct verb *v);
/** help_print(), help_print_verb() - the same to standard output, by the name that we were called
 * by: a host may have us in the place of another runtime. Return: 0 or -ENOMEM. */
int help_print(struct err *e);
int help_print_verb(const struct verb *v, struct err *e);
/** help_unknown() - there is no verb @name to explain, in words that are the same in other OCI
 * runtimes. Return: -EINVAL with *e set. */
int help_unknown(const char *name, struct err *e);
/** help_synopsis() - "ctr create [OPTION]... [NAME]" */
void help_synopsis(struct text *t, const char *name, const struct verb *v);

/** man_page() - ctr.1 in roff */
void man_page(struct text *t);

/** complete_script() - completion for "bash", "zsh" or "fish". Return: 0, -EINVAL: no such shell */
int complete_script(struct text *t, const char *shell);

#endif
