/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, times, spans, log records and signal names. */
#include "base/own.h"
#include "cli/cli.h"
#include "cli/log.h"
#include "cli/out.h"
#include "base/signame.h"

#include <check.h>
#include <signal.h>
#include <string.h>

/* clang-format off */
static const struct out_col columns[] = {
	{ .title = "NAME", .key = "name" },
	{ .title = "MEMORY", .key = "used", .kind = OUT_USE, .limit_key = "limit" },
	{ .title = "CPU%", .key = "percent", .kind = OUT_PERCENT },
	{ .title = "UP", .key = "up", .kind = OUT_SPAN },
	{ .title = "NEVER", .key = "never", .optional = true },
	{ .title = "LIST", .key = "list" },
};
/* clang-format on */

static void add(struct out *o, const char *name, uint64_t used, uint64_t limit, double percent)
{
	static char one[] = "a", two[] = "b";
	char *items[] = { one, two };
	const struct strv list = { items, 2 };

	out_row(o);
	out_str(o, "name", name);
	out_u64(o, "used", used);
	out_u64(o, "limit", limit);
	out_json(o, "percent", json_real(percent));
	out_u64(o, "up", 90061000);
	out_strv(o, "list", &list);
}

static void assert_table(const struct out *o, size_t width, size_t lines, const char *want)
{
	own_text struct text t = { 0 };

	out_render(o, &t, width, lines);
	ck_assert(!text_failed(&t));
	ck_assert_str_eq(text_str(&t), want);
}

START_TEST(table)
{
	own_out struct out o = OUT(columns);

	add(&o, "web1", 1 << 20, 1 << 30, 12.34);
	add(&o, "a-longer-name", 5, UINT64_MAX, 0);
	assert_table(&o, 0, 0,
		     "NAME           MEMORY   CPU%    UP  LIST\n"
		     "web1            1M/1G  12.3%  1d1h  a,b\n"
		     "a-longer-name   5/max   0.0%  1d1h  a,b\n" +
			     0);
}
END_TEST

START_TEST(table_is_cut)
{
	own_out struct out o = OUT(columns);

	add(&o, "web1", 1 << 20, 1 << 30, 12.34);
	add(&o, "web2", 1 << 20, 1 << 30, 12.34);
	assert_table(&o, 8, 2, "NAME  ME\nweb1   1\n");
}
END_TEST

START_TEST(empty_table_has_a_heading)
{
	const struct out o = OUT(columns);

	assert_table(&o, 0, 0, "NAME  MEMORY  CPU%  UP  LIST\n");
}
END_TEST

START_TEST(unknown_is_a_dash)
{
	own_out struct out o = OUT(columns);

	out_row(&o);
	out_str(&o, "name", NULL);
	assert_table(&o, 0, 2, "NAME  MEMORY  CPU%  UP  LIST\n-          -     -   -  -\n");
}
END_TEST

START_TEST(control_bytes_do_not_reach_a_terminal)
{
	own_out struct out o = OUT(columns);

	out_row(&o);
	out_str(&o, "name", "\033[31mx\n\177");
	assert_table(&o, 9, 2, "NAME\n?[31mx??\n");
}
END_TEST

START_TEST(bytes_that_are_no_utf8)
{
	own_out struct out o = OUT(columns);

	out_row(&o);
	out_str(&o, "name", "a\xff");
	ck_assert(!o.failed);
	ck_assert_str_eq(json_string_value(json_object_get(o.row, "name")), "a?");
}
END_TEST

START_TEST(sorts_by_number)
{
	own_out struct out o = OUT(columns);
	static const char want[] = "cabd";

	add(&o, "a", 0, 0, 5);
	add(&o, "b", 0, 0, 5);
	add(&o, "c", 0, 0, 9);
	add(&o, "d", 0, 0, 1);
	out_sort(&o, "percent");
	ck_assert_uint_eq(json_array_size(o.rows), 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(
			*json_string_value(json_object_get(json_array_get(o.rows, i), "name")),
			want[i]);
}
END_TEST

static const struct {
	uint64_t ms;
	const char *want;
} spans[] = {
	{ 0, "0ms" },	       { 999, "999ms" },    { 1000, "1.0s" },
	{ 9999, "9.9s" },      { 10000, "10s" },    { 60000, "1m0s" },
	{ 3599999, "59m59s" }, { 7500000, "2h5m" }, { 86400000, "1d0h" },
};

START_TEST(formats_spans)
{
	char buf[24];

	ck_assert_str_eq(out_fmt_span(buf, sizeof(buf), spans[_i].ms), spans[_i].want);
}
END_TEST

START_TEST(formats_times)
{
	char buf[32];

	ck_assert_str_eq(out_fmt_time(buf, sizeof(buf), 1700000000007), "2023-11-14T22:13:20.007Z");
}
END_TEST

START_TEST(log_record_json)
{
	own_free char *line = log_record("json", "error", "open 'a\"b'", "T");
	own_json json_t *doc = json_loads(line, 0, NULL);

	ck_assert_ptr_nonnull(doc);
	ck_assert_str_eq(json_string_value(json_object_get(doc, "level")), "error");
	ck_assert_str_eq(json_string_value(json_object_get(doc, "msg")), "open 'a\"b'");
	ck_assert_str_eq(json_string_value(json_object_get(doc, "time")), "T");
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}
END_TEST

START_TEST(log_record_text)
{
	own_free char *line = log_record(NULL, "error", "say \"x\\\"", "T");

	ck_assert_str_eq(line, "time=T level=error msg=\"say \\\"x\\\\\\\"\"\n");
}
END_TEST

START_TEST(log_record_of_any_bytes)
{
	own_free char *line = log_record("json", "error", "open '\xff'", "T");
	own_json json_t *doc = json_loads(line, 0, NULL);

	ck_assert_str_eq(json_string_value(json_object_get(doc, "msg")), "open '?'");
}
END_TEST

START_TEST(signals)
{
	ck_assert_int_eq(signame_parse("9"), SIGKILL);
	ck_assert_int_eq(signame_parse("0"), 0);
	ck_assert_int_eq(signame_parse("TERM"), SIGTERM);
	ck_assert_int_eq(signame_parse("SIGTERM"), SIGTERM);
	ck_assert_int_eq(signame_parse("sigkill"), SIGKILL);
	ck_assert_int_eq(signame_parse("RTMIN+3"), SIGRTMIN + 3);
	ck_assert_int_eq(signame_parse("SIGRTMIN"), SIGRTMIN);
	ck_assert_int_eq(signame_parse("RTMAX-1"), SIGRTMAX - 1);
	ck_assert_int_eq(signame_parse("RTMAX+1"), -EINVAL);
	ck_assert_int_eq(signame_parse("RTMIN+99"), -EINVAL);
	ck_assert_int_eq(signame_parse("65"), -EINVAL);
	ck_assert_int_eq(signame_parse("NOPE"), -EINVAL);
	ck_assert_int_eq(signame_parse(""), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli/out");
	TCase *tc = tcase_create("out");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, table);
	tcase_add_test(tc, table_is_cut);
	tcase_add_test(tc, empty_table_has_a_heading);
	tcase_add_test(tc, unknown_is_a_dash);
	tcase_add_test(tc, control_bytes_do_not_reach_a_terminal);
	tcase_add_test(tc, bytes_that_are_no_utf8);
	tcase_add_test(tc, sorts_by_number);
	tcase_add_loop_test(tc, formats_spans, 0, ARRAY_SIZE(spans));
	tcase_add_test(tc, formats_times);
	tcase_add_test(tc, log_record_json);
	tcase_add_test(tc, log_record_text);
	tcase_add_test(tc, log_record_of_any_bytes);
	tcase_add_test(tc, signals);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
