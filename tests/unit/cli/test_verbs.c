/* SPDX-License-Identifier: Apache-2.0 */
/* The tables: every verb and option is in help, manual and completions; and the command lines of
 * container engines parse. */
#include "base/own.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/verbs.h"

#include <check.h>
#include <ctype.h>
#include <string.h>

static size_t count_verbs(void)
{
	size_t n = 0;

	while (verbs[n])
		n++;
	return n;
}

static bool is_shown(const struct verb *v)
{
	return !(v->flags & VERB_HIDDEN);
}

/* Is @word in @s as a whole word, so that --all is not found in --all-of-it? */
static bool has_word(const char *s, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = strstr(s, word); p; p = strstr(p + 1, word)) {
		bool before = p == s || !isalnum((unsigned char)p[-1]);

		if (before && !isalnum((unsigned char)p[len]) && p[len] != '-')
			return true;
	}
	return false;
}

/* The manual as a reader sees it, near enough: no escapes, no requests. */
static void plain(char *roff)
{
	char *to = roff;

	for (const char *from = roff; *from; from++) {
		if (strncmp(from, "\\f", 2) == 0)
			from += 2;
		else if (*from != '\\')
			*to++ = *from;
	}
	*to = '\0';
}

static void assert_options(const char *where, const char *text, const struct opt *o)
{
	for (; o && o->name; o++) {
		char word[64];

		snprintf(word, sizeof(word), "--%s", o->name);
		ck_assert_msg(has_word(text, word) == !(o->flags & OPT_HIDDEN), "%s: %s", where,
			      word);
	}
}

START_TEST(verb_row_is_whole)
{
	const struct verb *v = verbs[_i];

	ck_assert_ptr_nonnull(v->summary);
	ck_assert_ptr_nonnull(v->args);
	ck_assert_ptr_nonnull(v->fn);
	ck_assert(islower((unsigned char)v->summary[0]));
	ck_assert(v->summary[strlen(v->summary) - 1] != '.');
	ck_assert(isupper((unsigned char)v->help[0]));
	ck_assert(v->min_args <= v->max_args);
	ck_assert(!v->opts == !v->opts_size);
	ck_assert_ptr_eq(verb_named(v->name), v);
}
END_TEST

START_TEST(option_rows_are_whole)
{
	const struct opt *tables[] = { verbs[_i]->opts, cli_globals };

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		for (const struct opt *o = tables[t]; o && o->name; o++) {
			ck_assert_msg(!o->arg == (o->type == OPT_SWITCH), "%s", o->name);
			ck_assert_msg(o->help && *o->help, "%s", o->name);
			ck_assert_msg(tables[t] == cli_globals || o->flags & OPT_GLOBAL ||
					      o->offset < verbs[_i]->opts_size,
				      "%s", o->name);
			for (const struct opt *other = tables[t]; other != o; other++) {
				ck_assert_str_ne(other->name, o->name);
				ck_assert(!o->letter || other->letter != o->letter);
			}
		}
	}
}
END_TEST

START_TEST(verb_is_found)
{
	const char *names[] = { verbs[_i]->name, verbs[_i]->alias };

	for (size_t i = 0; i < ARRAY_SIZE(names) && names[i]; i++) {
		own_free char *copy = strdup(names[i]);
		char *second = strchr(copy, ' ');
		char *argv[] = { copy, second ? second + 1 : NULL };
		int words = 0;
		struct err e;

		if (second)
			*second = '\0';
		ck_assert_ptr_eq(verb_find(second ? 2 : 1, argv, &words, &e), verbs[_i]);
		ck_assert_int_eq(words, second ? 2 : 1);
	}
}
END_TEST

static const struct {
	const char *argv[2], *msg, *hint;
} slips[] = {
	{ { "createe" }, "unknown verb 'createe'", "did you mean 'create'?" },
	{ { "doktor" }, "unknown verb 'doktor'", "did you mean 'doctor'?" },
	{ { "frobnicate" }, "unknown verb 'frobnicate'", "'ctr help' lists the verbs" },
	{ { "template" },
	  "'template' needs a second word",
	  "one of import, build, list, show, remove" },
	{ { "template", "x" },
	  "unknown verb 'template x'",
	  "one of import, build, list, show, remove" },
};

START_TEST(slip_is_explained)
{
	own_free char *one = strdup(slips[_i].argv[0]);
	own_free char *two = slips[_i].argv[1] ? strdup(slips[_i].argv[1]) : NULL;
	char *argv[] = { one, two };
	struct err e = { 0 };
	int words;

	ck_assert_ptr_null(verb_find(two ? 2 : 1, argv, &words, &e));
	ck_assert_str_eq(e.msg, slips[_i].msg);
	ck_assert_str_eq(e.hint, slips[_i].hint);
}
END_TEST

START_TEST(help_has_everything)
{
	own_text struct text all = { 0 };

	help_all(&all, "ctr");
	assert_options("help", text_str(&all), cli_globals);
	for (const struct verb *const *v = verbs; *v; v++) {
		own_text struct text one = { 0 };

		ck_assert_msg(!is_shown(*v) || strstr(text_str(&all), (*v)->summary), "%s",
			      (*v)->name);
		help_verb(&one, "ctr", *v);
		ck_assert(!text_failed(&one));
		assert_options((*v)->name, text_str(&one), (*v)->opts);
		ck_assert(has_word(text_str(&one), (*v)->name));
		ck_assert(strstr(text_str(&one), (*v)->args));
	}
}
END_TEST

START_TEST(help_fits_a_terminal)
{
	own_text struct text t = { 0 };
	size_t columns = 0;

	help_all(&t, "ctr");
	for (const struct verb *const *v = verbs; *v; v++)
		help_verb(&t, "ctr", *v);
	for (const char *p = text_str(&t); *p; p++) {
		columns = *p == '\n' ? 0 : columns + 1;
		ck_assert_msg(columns <= 80, "%.40s", p - columns + 1);
	}
}
END_TEST

START_TEST(manual_has_everything)
{
	own_text struct text t = { 0 };

	man_page(&t);
	ck_assert(!text_failed(&t));
	plain(t.data);
	assert_options("manual", t.data, cli_globals);
	for (const struct verb *const *v = verbs; *v; v++) {
		own_text struct text synopsis = { 0 };
		const char *section;

		if (!is_shown(*v))
			continue;
		help_synopsis(&synopsis, "ctr", *v);
		section = strstr(t.data, text_str(&synopsis));
		ck_assert_msg(section, "%s", text_str(&synopsis));
		assert_options((*v)->name, section, NULL);
		for (const struct opt *o = (*v)->opts; o && o->name; o++) {
			char word[64];

			snprintf(word, sizeof(word), "--%s", o->name);
			ck_assert_msg(o->flags & OPT_HIDDEN || has_word(section, word), "%s %s",
				      (*v)->name, word);
		}
	}
}
END_TEST

static const char *const shells[] = { "bash", "zsh", "fish" };

START_TEST(completion_has_everything)
{
	bool fish = strcmp(shells[_i], "fish") == 0;
	own_text struct text t = { 0 };

	ck_assert_int_eq(complete_script(&t, shells[_i]), 0);
	ck_assert(!text_failed(&t));
	for (const struct verb *const *v = verbs; *v; v++) {
		const char *last = strrchr((*v)->name, ' ');

		if (!is_shown(*v))
			continue;
		ck_assert_msg(has_word(text_str(&t), last ? last + 1 : (*v)->name), "%s",
			      (*v)->name);
		for (const struct opt *o = (*v)->opts; o && o->name; o++) {
			char word[64];

			if (o->flags & OPT_HIDDEN)
				continue;
			snprintf(word, sizeof(word), "%s%s", fish ? "-l " : "--", o->name);
			ck_assert_msg(strstr(text_str(&t), word), "%s %s", (*v)->name, word);
		}
	}
}
END_TEST

START_TEST(completion_of_no_shell)
{
	own_text struct text t = { 0 };

	ck_assert_int_eq(complete_script(&t, "tcsh"), -EINVAL);
}
END_TEST

/*
 * Command lines as engines send them, one per caller and verb; parsed only. @args is what is left
 * as positional arguments.
 */
static const struct {
	const char *line, *verb, *args;
} engines[] = {
	/* containerd's shim, and so Docker */
	{ "--root R --log B/log.json --log-format json create --bundle B --pid-file B/init.pid "
	  "--console-socket /tmp/pty123/pty.sock ID",
	  "create", "ID" },
	{ "--root R --log L --log-format json --systemd-cgroup create --bundle B --pid-file P ID",
	  "create", "ID" },
	{ "--root R --log B/log.json --log-format json start ID", "start", "ID" },
	{ "--root R exec --process /tmp/runc-process123 --console-socket S --detach --pid-file P "
	  "ID",
	  "exec", "ID" },
	{ "--root R kill --all ID 15", "kill", "ID 15" },
	{ "--root R kill ID 15", "kill", "ID 15" },
	{ "--root R delete ID", "delete", "ID" },
	{ "--root R --log L delete --force ID", "delete", "ID" },
	{ "--root R pause ID", "pause", "ID" },
	{ "--root R resume ID", "resume", "ID" },
	{ "--root R ps --format json ID", "ps", "ID" },
	{ "--root R list --format=json", "list", "" },
	{ "--root R state ID", "state", "ID" },
	{ "--version", NULL, "" },
	/* Podman, by conmon and directly */
	{ "--systemd-cgroup --log-format=json --log CTR/oci-log create --bundle B --pid-file P "
	  "--no-pivot --preserve-fds 2 --console-socket S ID",
	  "create", "ID" },
	{ "--log-format=json --log L exec --pid-file P --process F --detach --preserve-fds 1 "
	  "--console-socket S ID",
	  "exec", "ID" },
	{ "kill --all ID 9", "kill", "ID 9" },
	{ "delete --force ID", "delete", "ID" },
	{ "--cgroup-manager disabled create --bundle B ID", "create", "ID" },
	/* CRI-O */
	{ "--root /run/crun --systemd-cgroup kill ID TERM", "kill", "ID TERM" },
	{ "--root /run/crun kill -a ID 9", "kill", "ID 9" },
	{ "--root R --systemd-cgroup exec --process F ID", "exec", "ID" },
	/* BuildKit */
	{ "--log R/runc-log.json --log-format json run --bundle B --keep ID", "run", "ID" },
	{ "run -no-subreaper --no-new-keyring -b B ID", "run", "ID" },
	{ "exec --process F --pid-file P ID", "exec", "ID" },
	/* Slurm */
	{ "--rootless=true --root=/run/user/1000/ create n1.user.42.0.0 -b B", "create",
	  "n1.user.42.0.0" },
	{ "--rootless=true --root=/run/user/1000/ run n1.user.42.0.0 -b B", "run",
	  "n1.user.42.0.0" },
	{ "--rootless=true --root=/run/user/1000/ kill -a n1.user.42.0.0", "kill",
	  "n1.user.42.0.0" },
	/* people */
	{ "exec -it web1 ls -l -h", "exec", "web1 ls -l -h" },
	{ "kill -9 web1", "kill", "-9 web1" },
	{ "stop -t 5 web1 web2", "stop", "web1 web2" },
	{ "run --template busybox -- /bin/sh -c x", "run", "/bin/sh -c x" },
};

START_TEST(engine_line_parses)
{
	own_arena struct arena arena = { 0 };
	own_free char *line = strdup(engines[_i].line);
	struct globals globals = { 0 };
	struct opt_parse p = {
		.sets = { { cli_globals, &globals } },
		.globals = &globals,
		.mode = OPT_PREFIX,
		.arena = &arena,
	};
	int argc = 0, used, words = 0;
	char *argv[32], joined[256] = "";
	const struct verb *v;
	struct err e = { 0 };
	struct args args;

	for (char *s = strtok(line, " "); s; s = strtok(NULL, " "))
		argv[argc++] = s;
	used = opt_parse(&p, argc, argv, &args, &e);
	ck_assert_msg(used >= 0, "%s", e.msg);
	if (!engines[_i].verb) {
		ck_assert_int_eq(used, argc);
		ck_assert(globals.version);
		return;
	}
	v = verb_find(argc - used, argv + used, &words, &e);
	ck_assert_msg(v, "%s", e.msg);
	ck_assert_str_eq(v->name, engines[_i].verb);
	used += words;
	p.sets[0] = (struct opt_set){ v->opts, arena_alloc(&arena, v->opts_size) };
	p.sets[1] = (struct opt_set){ cli_globals, &globals };
	p.mode = v->flags & VERB_STOP ? OPT_STOP : OPT_ANYWHERE;
	ck_assert_msg(opt_parse(&p, argc - used, argv + used, &args, &e) >= 0, "%s", e.msg);
	for (size_t i = 0; i < args.n; i++) {
		strcat(joined, i ? " " : "");
		strcat(joined, args.v[i]);
	}
	ck_assert_str_eq(joined, engines[_i].args);
	ck_assert(args.n >= v->min_args && args.n <= v->max_args);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli/verbs");
	TCase *tc = tcase_create("tables");
	int n = (int)count_verbs(), failed;
	SRunner *runner;

	tcase_add_loop_test(tc, verb_row_is_whole, 0, n);
	tcase_add_loop_test(tc, option_rows_are_whole, 0, n);
	tcase_add_loop_test(tc, verb_is_found, 0, n);
	tcase_add_loop_test(tc, slip_is_explained, 0, ARRAY_SIZE(slips));
	tcase_add_test(tc, help_has_everything);
	tcase_add_test(tc, help_fits_a_terminal);
	tcase_add_test(tc, manual_has_everything);
	tcase_add_loop_test(tc, completion_has_everything, 0, ARRAY_SIZE(shells));
	tcase_add_test(tc, completion_of_no_shell);
	tcase_add_loop_test(tc, engine_line_parses, 0, ARRAY_SIZE(engines));
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
