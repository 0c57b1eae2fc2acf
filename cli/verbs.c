/* SPDX-License-Identifier: Apache-2.0 */
/* The list of verbs, and finding one. */
#include "cli/verbs.h"

#include "base/own.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
const struct verb *const verbs[] = {
	&verb_create, &verb_start, &verb_run, &verb_stop, &verb_restart, &verb_pause, &verb_resume,
	&verb_kill, &verb_delete, &verb_checkpoint, &verb_restore,
	&verb_exec, &verb_enter, &verb_console, &verb_logs,
	&verb_list, &verb_state, &verb_ps, &verb_stats, &verb_top,
	&verb_set, &verb_get, &verb_update, &verb_validate, &verb_plan, &verb_spec, &verb_schema,
	&verb_template_import, &verb_template_build, &verb_template_list, &verb_template_show,
	&verb_template_remove,
	&verb_doctor, &verb_features, &verb_version, &verb_help, &verb_completions, &verb_man,
	NULL,
};

const char *const verb_groups[] = {
	[GROUP_LIFE] = "Life cycle",
	[GROUP_INSIDE] = "Inside a partition",
	[GROUP_LOOK] = "Looking",
	[GROUP_CONFIG] = "Configuration",
	[GROUP_STORE] = "Templates",
	[GROUP_HOST] = "Host",
};
/* clang-format on */
_Static_assert(ARRAY_SIZE(verb_groups) == GROUP_HOST + 1, "each group has a title");

/* How many entries of @argv spell @name ("template list" is two); 0 when they do not. */
static int match(const char *name, int argc, char **argv)
{
	size_t first = strcspn(name, " ");

	if (argc < 1 || strlen(argv[0]) != first || memcmp(argv[0], name, first) != 0)
		return 0;
	if (!name[first])
		return 1;
	return argc > 1 && strcmp(argv[1], name + first + 1) == 0 ? 2 : 0;
}

/* "template" alone, or with a second word that is none. */
static bool missing_word(int argc, char **argv, struct err *e)
{
	size_t first = strlen(argv[0]);
	char words[128] = "";
	size_t used = 0;

	for (const struct verb *const *v = verbs; *v && used < sizeof(words); v++) {
		const char *name = (*v)->name;

		if (strncmp(name, argv[0], first) == 0 && name[first] == ' ')
			used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%s",
						 used ? ", " : "", name + first + 1);
	}
	if (!used)
		return false;
	if (argc > 1)
		(void)err_say(e, -EINVAL, "unknown verb '%s %s'", argv[0], argv[1]);
	else
		(void)err_say(e, -EINVAL, "'%s' needs a second word", argv[0]);
	err_hint(e, "one of %s", words);
	return true;
}

const struct verb *verb_find(int argc, char **argv, int *ret_words, struct err *e)
{
	enum { NAMES_MAX = 2 * ARRAY_SIZE(verbs) };
	const char *names[NAMES_MAX];
	size_t count = 0;
	int near;

	for (const struct verb *const *v = verbs; *v; v++) {
		int words = match((*v)->name, argc, argv);

		if (!words && (*v)->alias)
			words = match((*v)->alias, argc, argv);
		if (words) {
			*ret_words = words;
			return *v;
		}
		if ((*v)->flags & VERB_HIDDEN)
			continue;
		names[count++] = (*v)->name;
		if ((*v)->alias)
			names[count++] = (*v)->alias;
	}
	if (missing_word(argc, argv, e))
		return NULL;
	(void)err_say(e, -EINVAL, "unknown verb '%s'", argv[0]);
	near = text_nearest(argv[0], names, count);
	if (near >= 0)
		err_hint(e, "did you mean '%s'?", names[near]);
	else
		err_hint(e, "'ctr help' lists the verbs");
	return NULL;
}

const struct verb *verb_named(const char *name)
{
	for (const struct verb *const *v = verbs; *v; v++)
		if (strcmp((*v)->name, name) == 0)
			return *v;
	return NULL;
}
