/* SPDX-License-Identifier: Apache-2.0 */
/* The option parser: every spelling, every mistake. */
#include "base/own.h"
#include "cli/opt.h"

#include <check.h>
#include <stdint.h>
#include <string.h>

struct values {
	bool all, detach;
	const char *bundle, *format;
	struct strv env;
	uint32_t fds;
	struct opt_u64 time_ms;
};

struct global_values {
	bool debug, help;
	const char *root, *shared;
};

static int check_even(const char *value, struct err *e)
{
	return strlen(value) % 2 ? err_say(e, -EINVAL, "'%s' is odd", value) : 0;
}

/* clang-format off */
static const struct opt verb_table[] = {
	{ "all", 'a', OPT_SWITCH, 0, NULL, offsetof(struct values, all), NULL, "" },
	{ "detach", 'd', OPT_SWITCH, 0, NULL, offsetof(struct values, detach), NULL, "" },
	{ "bundle", 'b', OPT_STR, 0, "DIR", offsetof(struct values, bundle), NULL, "" },
	{ "format", 'f', OPT_CHOICE, 0, "table|json", offsetof(struct values, format), NULL, "" },
	{ "env", 'e', OPT_STRV, 0, "NAME=VALUE", offsetof(struct values, env), NULL, "" },
	{ "preserve-fds", 0, OPT_U32, 0, "N", offsetof(struct values, fds), NULL, "" },
	{ "time", 't', OPT_MS, 0, "TIME", offsetof(struct values, time_ms), NULL, "" },
	{ "even", 0, OPT_STR, 0, "TEXT", offsetof(struct values, bundle), check_even, "" },
	{ "shared", 's', OPT_STR, OPT_GLOBAL, "X", offsetof(struct global_values, shared), NULL, "" },
	{ 0 },
};

static const struct opt global_table[] = {
	{ "debug", 0, OPT_SWITCH, 0, NULL, offsetof(struct global_values, debug), NULL, "" },
	{ "root", 0, OPT_STR, 0, "DIR", offsetof(struct global_values, root), NULL, "" },
	{ "help", 'h', OPT_SWITCH, 0, NULL, offsetof(struct global_values, help), NULL, "" },
	{ 0 },
};
/* clang-format on */

enum { TOKENS = 8 };

struct row {
	const char *argv[TOKENS];
	enum opt_mode mode;
	const char *error; /* start of the message, or NULL for success */
	struct values want;
	struct global_values want_global;
	const char *args; /* positional arguments, joined by blanks */
	size_t rest;
	int used; /* 0: all */
};

/* clang-format off */
static const struct row rows[] = {
	{ { 0 }, .args = "" },
	{ { "--all" }, .want = { .all = true }, .args = "" },
	{ { "-a" }, .want = { .all = true }, .args = "" },
	{ { "-all" }, .want = { .all = true }, .args = "" },
	{ { "--all=true" }, .want = { .all = true }, .args = "" },
	{ { "--all", "--all=false" }, .args = "" },
	{ { "--all", "-a=0" }, .args = "" },
	{ { "--all=maybe" }, .error = "invalid boolean value 'maybe' for --all" },
	{ { "-ad" }, .want = { .all = true, .detach = true }, .args = "" },
	{ { "-adb", "D" }, .want = { .all = true, .detach = true, .bundle = "D" }, .args = "" },
	{ { "--bundle", "D" }, .want = { .bundle = "D" }, .args = "" },
	{ { "--bundle=D" }, .want = { .bundle = "D" }, .args = "" },
	{ { "-bundle", "D" }, .want = { .bundle = "D" }, .args = "" },
	{ { "-bundle=D" }, .want = { .bundle = "D" }, .args = "" },
	{ { "-b", "D" }, .want = { .bundle = "D" }, .args = "" },
	{ { "-bD" }, .want = { .bundle = "D" }, .args = "" },
	{ { "-b=D" }, .want = { .bundle = "D" }, .args = "" },
	{ { "-b", "one", "-b", "two" }, .want = { .bundle = "two" }, .args = "" },
	{ { "-b", "-a" }, .want = { .bundle = "-a" }, .args = "" },
	{ { "--bundle=" }, .want = { .bundle = "" }, .args = "" },
	{ { "-b" }, .error = "flag needs an argument: -b" },
	{ { "--bundle" }, .error = "flag needs an argument: --bundle" },
	{ { "--bundel", "x" }, .error = "flag provided but not defined: -bundel" },
	{ { "-x" }, .error = "flag provided but not defined: -x" },
	{ { "-ax" }, .error = "flag provided but not defined: -ax" },
	{ { "--a" }, .error = "flag provided but not defined: -a" },
	{ { "-f", "json" }, .want = { .format = "json" }, .args = "" },
	{ { "-f", "xml" }, .error = "--format: 'xml' is not one of table|json" },
	{ { "--format=js" }, .error = "--format: 'js' is not one of" },
	{ { "--preserve-fds", "3" }, .want = { .fds = 3 }, .args = "" },
	{ { "--preserve-fds", "-3" }, .error = "--preserve-fds: '-3' is not a number" },
	{ { "--preserve-fds", "5000000000" }, .error = "--preserve-fds" },
	{ { "-t", "250ms" }, .want = { .time_ms = { 250, true } }, .args = "" },
	{ { "-t0" }, .want = { .time_ms = { 0, true } }, .args = "" },
	{ { "-t", "soon" }, .error = "--time: 'soon' is not a time" },
	{ { "--even", "ab" }, .want = { .bundle = "ab" }, .args = "" },
	{ { "--even", "abc" }, .error = "--even: 'abc' is odd" },
	{ { "--shared", "S" }, .want_global = { .shared = "S" }, .args = "" },
	{ { "--root", "R", "x" }, .want_global = { .root = "R" }, .args = "x", .rest = 1 },
	{ { "-h" }, .want_global = { .help = true }, .args = "" },
	{ { "x", "-b", "D", "y" }, .want = { .bundle = "D" }, .args = "x y", .rest = 2 },
	{ { "x", "-9" }, .args = "x -9", .rest = 2 },
	{ { "-9", "x" }, .args = "-9 x", .rest = 2 },
	{ { "-", "x" }, .args = "- x", .rest = 2 },
	{ { "x", "--", "-b", "y" }, .args = "x -b y", .rest = 1 },
	{ { "--", "--", "x" }, .args = "-- x", .rest = 0 },
	{ { "-a", "x", "-b", "y" }, OPT_STOP, .want = { .all = true }, .args = "x -b y", .rest = 3 },
	{ { "x", "--", "y" }, OPT_STOP, .args = "x -- y", .rest = 3 },
	{ { "--", "x", "-a" }, OPT_STOP, .args = "x -a", .rest = 0 },
	{ { "-a", "x", "-b", "y" }, OPT_PREFIX, .want = { .all = true }, .args = "", .used = 1 },
	{ { "--root", "R", "x", "--nope" }, OPT_PREFIX, .want_global = { .root = "R" }, .args = "",
	  .used = 2 },
};
/* clang-format on */

static int parse(const struct row *row, struct arena *arena, struct values *v,
		 struct global_values *g, struct args *args, struct err *e)
{
	struct opt_parse p = {
		.sets = { { verb_table, v }, { global_table, g } },
		.globals = g,
		.mode = row->mode,
		.arena = arena,
	};
	char **argv = arena_alloc(arena, sizeof(*argv) * TOKENS);
	int argc = 0;

	for (; argc < TOKENS && row->argv[argc]; argc++)
		argv[argc] = arena_strdup(arena, row->argv[argc]);
	return opt_parse(&p, argc, argv, args, e);
}

START_TEST(parses)
{
	const struct row *row = &rows[_i];
	own_arena struct arena arena = { 0 };
	struct global_values g = { 0 };
	struct values v = { 0 };
	char joined[128] = "";
	struct err e = { 0 };
	struct args args;
	int argc = 0, r = parse(row, &arena, &v, &g, &args, &e);

	if (row->error) {
		ck_assert_int_eq(r, -EINVAL);
		ck_assert_msg(strncmp(e.msg, row->error, strlen(row->error)) == 0, "%s", e.msg);
		return;
	}
	ck_assert_msg(r >= 0, "%s", e.msg);
	while (argc < TOKENS && row->argv[argc])
		argc++;
	ck_assert_int_eq(r, row->used ? row->used : argc);
	ck_assert_int_eq(v.all, row->want.all);
	ck_assert_int_eq(v.detach, row->want.detach);
	ck_assert_pstr_eq(v.bundle, row->want.bundle);
	ck_assert_pstr_eq(v.format, row->want.format);
	ck_assert_uint_eq(v.fds, row->want.fds);
	ck_assert_int_eq(v.time_ms.set, row->want.time_ms.set);
	ck_assert_uint_eq(v.time_ms.v, row->want.time_ms.v);
	ck_assert_pstr_eq(g.root, row->want_global.root);
	ck_assert_pstr_eq(g.shared, row->want_global.shared);
	ck_assert_int_eq(g.help, row->want_global.help);
	for (size_t i = 0; i < args.n; i++) {
		strcat(joined, i ? " " : "");
		strcat(joined, args.v[i]);
	}
	ck_assert_str_eq(joined, row->args);
	ck_assert_uint_eq(args.rest, row->rest);
}
END_TEST

START_TEST(list_appends)
{
	const struct row row = { .argv = { "-e", "A=1", "x", "--env=B=2", "-eC=3" } };
	own_arena struct arena arena = { 0 };
	struct global_values g = { 0 };
	struct values v = { 0 };
	struct err e = { 0 };
	struct args args;

	ck_assert_int_eq(parse(&row, &arena, &v, &g, &args, &e), 5);
	ck_assert_uint_eq(v.env.n, 3);
	ck_assert_str_eq(v.env.v[0], "A=1");
	ck_assert_str_eq(v.env.v[1], "B=2");
	ck_assert_str_eq(v.env.v[2], "C=3");
}
END_TEST

START_TEST(unknown_suggests)
{
	const struct row row = { .argv = { "--bundel=x" } };
	own_arena struct arena arena = { 0 };
	struct global_values g = { 0 };
	struct values v = { 0 };
	struct err e = { 0 };
	struct args args;

	ck_assert_int_eq(parse(&row, &arena, &v, &g, &args, &e), -EINVAL);
	ck_assert_str_eq(e.hint, "did you mean --bundle?");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli/opt");
	TCase *tc = tcase_create("parse");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, parses, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, list_appends);
	tcase_add_test(tc, unknown_suggests);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
