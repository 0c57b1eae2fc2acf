/* SPDX-License-Identifier: Apache-2.0 */
/* base/json.h: reading, decoding with collected issues, encoding, schema and dotted paths. */
#include "base/json.h"
#include "base/own.h"
#include "base/text.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>

struct part {
	struct opt_u64 limit, wait, share, count;
	char *name;
};

struct doc {
	bool flag;
	struct opt_bool maybe;
	uint32_t small, color;
	int64_t level;
	uint64_t big;
	struct opt_i64 offset;
	struct opt_u64 total;
	struct strv words;
	struct u32v ids;
	struct strmap map;
	struct part part;
	struct part *extra;
	struct js_list parts;
	json_t *raw;
	char *text;
};

static const struct name colors[] = { { "red", 0 }, { "green", 1 }, { "blue", 2 }, { NULL, 0 } };

static void check_not_evil(struct js_issues *issues, const struct js_where *where,
			   const void *value)
{
	if (strcmp(*(char *const *)value, "evil") == 0)
		js_issue(issues, where, "is evil");
}

/* clang-format off */
static const struct js_field part_fields[] = {
	{ .key = "limit", .kind = JS_BYTES, .flags = JS_LIVE, .offset = offsetof(struct part, limit),
	  .min = 4096, .def = "\"1G\"", .help = "A size." },
	{ .key = "wait", .kind = JS_MS, .offset = offsetof(struct part, wait), .max = 3600000,
	  .def = "\"60s\"", .help = "A time." },
	{ .key = "share", .kind = JS_CPUS, .offset = offsetof(struct part, share), .min = 10,
	  .max = 64000, .help = "CPUs." },
	{ .key = "count", .kind = JS_COUNT, .offset = offsetof(struct part, count), .min = 1,
	  .max = 100, .help = "A count." },
	{ .key = "name", .kind = JS_STR, .offset = offsetof(struct part, name), .min = 1, .max = 8,
	  .check = check_not_evil, .help = "A name." },
	{ .key = NULL },
};
static const struct js_object part_type = {
	"part", sizeof(struct part), part_fields, "A part.", false,
};
static const struct js_object open_type = {
	"open", sizeof(struct part), part_fields, "A part with friends.", true,
};
static const struct js_field doc_fields[] = {
	{ .key = "flag", .kind = JS_BOOL, .offset = offsetof(struct doc, flag), .def = "true" },
	{ .key = "maybe", .kind = JS_OPT_BOOL, .offset = offsetof(struct doc, maybe) },
	{ .key = "small", .kind = JS_U32, .offset = offsetof(struct doc, small), .min = 1,
	  .max = 10, .def = "3" },
	{ .key = "color", .kind = JS_ENUM, .names = colors, .offset = offsetof(struct doc, color),
	  .def = "\"green\"" },
	{ .key = "level", .kind = JS_I64, .offset = offsetof(struct doc, level),
	  .min = (uint64_t)-1000, .max = 1000 },
	{ .key = "big", .kind = JS_U64, .offset = offsetof(struct doc, big) },
	{ .key = "offset", .kind = JS_OPT_I64, .offset = offsetof(struct doc, offset) },
	{ .key = "total", .kind = JS_OPT_U64, .offset = offsetof(struct doc, total), .max = 50 },
	{ .key = "words", .kind = JS_STRV, .offset = offsetof(struct doc, words), .max = 3 },
	{ .key = "ids", .kind = JS_U32V, .offset = offsetof(struct doc, ids) },
	{ .key = "map", .kind = JS_STRMAP, .offset = offsetof(struct doc, map) },
	{ .key = "part", .kind = JS_OBJECT, .sub = &part_type, .offset = offsetof(struct doc, part) },
	{ .key = "extra", .kind = JS_OPT_OBJECT, .sub = &open_type, .flags = JS_NULLABLE,
	  .offset = offsetof(struct doc, extra) },
	{ .key = "parts", .kind = JS_LIST, .sub = &part_type, .offset = offsetof(struct doc, parts) },
	{ .key = "raw", .kind = JS_RAW, .offset = offsetof(struct doc, raw) },
	{ .key = "text", .kind = JS_STR, .flags = JS_REQUIRED, .offset = offsetof(struct doc, text) },
	{ .key = NULL },
};
static const struct js_object doc_type = { "doc", sizeof(struct doc), doc_fields, "All.", false };
/* clang-format on */

static json_t *parse(const char *text)
{
	struct err e = { 0 };
	json_t *doc = NULL;

	ck_assert_msg(js_read_text(text, strlen(text), "text", &doc, &e) == 0, "%s", e.msg);
	return doc;
}

/* Text that must not parse, and the message. */
static const struct {
	const char *text;
	size_t len; /* 0: strlen */
	const char *message;
} broken[] = {
	{ "", 0, "doc 'x' is empty" },
	{ " \n\t", 0, "doc 'x' is empty" },
	{ "{", 0, "doc 'x': line 1, column 1: the text ends in the middle of a value" },
	{ "{\n \"a\": [1, 2", 0, "line 2, column 11: the text ends in the middle of a value" },
	{ "{\"a\": \"unfinished", 0, "the text ends in the middle of a value" },
	{ "{\n\n  \"a\": tru\n}", 0, "line 3, column 10: invalid token near 'tru'" },
	{ "{\"a\": 1,}", 0, "line 1, column 9: " },
	{ "{\"a\": 1} x", 0, "end of file expected near 'x'" },
	{ "{\"a\": 1, \"a\": 2}", 0, "duplicate object key near '\"a\"'" },
	{ "{\"o\": {\"a\": 1, \"a\": 2}}", 0, "duplicate object key" },
	{ "{\"a\": \"\xff\"}", 0, "not UTF-8" },
	{ "{\"a\": \"\xc0\xaf\"}", 0, "not UTF-8" },
	{ "{\"a\": \"\\u0000\"}", 0, "\\u0000" },
	{ "{\"a\": \"\\ud800\"}", 0, "invalid Unicode" },
	{ "{\"a\":\n1\0}", 9, "doc 'x': line 2: byte 8 is NUL: this is not a JSON text" },
	{ "\x7f"
	  "ELF\x02\x01\x01\x00\x00",
	  9, "is NUL" },
	{ "\x89PNG\r\n", 0, "not UTF-8" },
	{ "{'a': 1}", 0, "line 1, column 2" },
	{ "{\"a\": 01}", 0, "line 1" },
	{ "{\"a\": NaN}", 0, "invalid token" },
	{ "{\"a\": 1e999}", 0, "real number overflow" },
	{ "{\"a\": 99999999999999999999}", 0, "too big integer" },
	{ "{\"a\": -9223372036854775809}", 0, "too big negative integer" },
	{ "nonsense", 0, "'[' or '{' expected near 'nonsense'" },
	{ "\"text\"", 0, "'[' or '{' expected" },
};

START_TEST(test_broken_text)
{
	size_t len = broken[_i].len ? broken[_i].len : strlen(broken[_i].text);
	struct err e = { 0 };
	json_t *doc = NULL;
	int r = js_read_text(broken[_i].text, len, "doc 'x'", &doc, &e);

	ck_assert_int_eq(r, -EINVAL);
	ck_assert_ptr_null(doc);
	ck_assert_msg(strstr(e.msg, broken[_i].message), "%s", e.msg);
	ck_assert_msg(strncmp(e.msg, "doc 'x'", 7) == 0, "%s", e.msg);
}
END_TEST

/* Every prefix of a valid text ends cleanly, and none but the whole is valid. */
START_TEST(test_truncated)
{
	static const char whole[] = "{\"text\": \"a\\u00e9\\n\", \"part\": {\"limit\": \"5M\"}, "
				    "\"words\": [\"x\", \"y\"], \"big\": 18446744073709551615}";

	for (size_t len = 0; len + 1 < sizeof(whole); len++) {
		json_t *doc = NULL;

		ck_assert_int_eq(js_read_text(whole, len, "x", &doc, NULL), -EINVAL);
		ck_assert_ptr_null(doc);
	}
	json_decref(parse(whole));
}
END_TEST

START_TEST(test_deep)
{
	own_text struct text t = { 0 };
	struct err e = { 0 };
	json_t *doc = NULL;

	for (int i = 0; i < 100000; i++)
		text_add(&t, i % 2 ? "[" : "{\"a\":");
	ck_assert_int_eq(js_read_text(text_str(&t), t.len, "x", &doc, &e), -EINVAL);
	ck_assert_msg(strstr(e.msg, "nested too deeply"), "%s", e.msg);
}
END_TEST

START_TEST(test_byte_order_mark)
{
	own_json json_t *doc = parse("\xef\xbb\xbf{\"a\": 1}");

	ck_assert_int_eq(json_integer_value(json_object_get(doc, "a")), 1);
}
END_TEST

/* Numbers that jansson cannot hold survive, and nothing else in the text changes for it. */
START_TEST(test_big_integers)
{
	own_json json_t *doc =
		parse("{\"a\": 18446744073709551615, \"b\": \"18446744073709551615\","
		      "\"c\\\"9\": [1, -5, 2.5e3, 9223372036854775807]}");
	own_json json_t *expect =
		json_pack("{s:s,s:s,s:[i,i,f,I]}", "a", "18446744073709551615", "b",
			  "18446744073709551615", "c\"9", 1, -5, 2500.0, (json_int_t)INT64_MAX);

	ck_assert(json_equal(doc, expect));
}
END_TEST

START_TEST(test_file)
{
	char dir[] = "/tmp/ctr-json.XXXXXX", path[64];
	struct err e = { 0 };
	json_t *doc = NULL;
	FILE *file;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/x", dir);
	ck_assert_int_eq(js_read_file(AT_FDCWD, path, 100, "doc 'x'", &doc, &e), -ENOENT);
	ck_assert_str_eq(e.msg, "read doc 'x': No such file or directory");
	ck_assert_int_eq(js_read_file(AT_FDCWD, dir, 100, "doc 'x'", &doc, &e), -EISDIR);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_gt(fprintf(file, "{\"a\":%90d}", 1), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(js_read_file(AT_FDCWD, path, 95, "doc 'x'", &doc, &e), -EFBIG);
	ck_assert_str_eq(e.msg, "doc 'x' is larger than 95");
	ck_assert_int_eq(js_read_file(AT_FDCWD, path, 96, "doc 'x'", &doc, &e), 0);
	json_decref(doc);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* A document with one mistake (beside "text"), and the issue. */
static const struct {
	const char *body, *path, *text;
} wrong[] = {
	{ "\"flag\": 1", "flag", "found 1, allowed: true or false" },
	{ "\"flag\": null", "flag", "found null, allowed: true or false" },
	{ "\"maybe\": \"yes\"", "maybe", "found string \"yes\", allowed: true or false" },
	{ "\"small\": 0", "small", "found 0, allowed: an integer from 1 to 10" },
	{ "\"small\": 11", "small", "found 11, allowed: an integer from 1 to 10" },
	{ "\"small\": 2.5", "small", "found 2.5, allowed: an integer from 1 to 10" },
	{ "\"small\": \"5\"", "small", "found string \"5\", allowed: an integer from 1 to 10" },
	{ "\"color\": \"pink\"", "color", "found string \"pink\", allowed: red, green or blue" },
	{ "\"color\": 1", "color", "found 1, allowed: red, green or blue" },
	{ "\"level\": 1001", "level", "found 1001, allowed: an integer from -1000 to 1000" },
	{ "\"level\": -1001", "level", "found -1001, allowed: an integer from -1000 to 1000" },
	{ "\"big\": -1", "big", "found -1, allowed: an integer of at least 0" },
	{ "\"big\": \"5\"", "big", "found string \"5\", allowed: an integer of at least 0" },
	{ "\"offset\": 18446744073709551615", "offset",
	  "found string \"18446744073709551615\", allowed: an integer" },
	{ "\"total\": 51", "total", "found 51, allowed: an integer from 0 to 50" },
	{ "\"words\": \"x\"", "words", "found string \"x\", allowed: an array of strings" },
	{ "\"words\": [\"a\", 7]", "words[1]", "found 7, allowed: a string" },
	{ "\"words\": [\"a\", \"b\", \"c\", \"d\"]", "words", "found 4 elements, allowed: 0 to 3" },
	{ "\"ids\": 5", "ids", "found 5, allowed: an array of integers" },
	{ "\"ids\": [1, 4294967296]", "ids[1]",
	  "found 4294967296, allowed: an integer from 0 to 4294967295" },
	{ "\"map\": []", "map", "found an array, allowed: an object of strings" },
	{ "\"map\": {\"a.b\": 1}", "map[\"a.b\"]", "found 1, allowed: a string" },
	{ "\"map\": {\"\": 1}", "map[\"\"]", "found 1, allowed: a string" },
	{ "\"part\": \"x\"", "part", "found string \"x\", allowed: an object" },
	{ "\"part\": null", "part", "found null, allowed: an object" },
	{ "\"part\": {\"limit\": 4095}", "part.limit",
	  "found 4095, allowed: a size such as \"512M\" of at least 4K, or \"max\"" },
	{ "\"part\": {\"limit\": \"5X\"}", "part.limit",
	  "found string \"5X\", allowed: a size such as \"512M\" of at least 4K, or \"max\"" },
	{ "\"part\": {\"limit\": -5}", "part.limit",
	  "found -5, allowed: a size such as \"512M\" of at least 4K, or \"max\"" },
	{ "\"part\": {\"wait\": \"2h\"}", "part.wait",
	  "found string \"2h\", allowed: a time such as \"30s\" from 0ms to 1h" },
	{ "\"part\": {\"wait\": -0.5}", "part.wait",
	  "found -0.5, allowed: a time such as \"30s\" from 0ms to 1h" },
	{ "\"part\": {\"share\": 65}", "part.share",
	  "found 65, allowed: a number of CPUs such as 1.5 or \"150%\" from 0.01 to 64, or "
	  "\"max\"" },
	{ "\"part\": {\"count\": 0}", "part.count",
	  "found 0, allowed: an integer from 1 to 100, or \"max\"" },
	{ "\"part\": {\"count\": \"5\"}", "part.count",
	  "found string \"5\", allowed: an integer from 1 to 100, or \"max\"" },
	{ "\"part\": {\"name\": \"\"}", "part.name", "found a string of 0 bytes, allowed: 1 to 8" },
	{ "\"part\": {\"name\": \"123456789\"}", "part.name",
	  "found a string of 9 bytes, allowed: 1 to 8" },
	{ "\"part\": {\"name\": \"evil\"}", "part.name", "is evil" },
	{ "\"part\": {\"limti\": 5}", "part.limti", "unknown key 'limti', did you mean 'limit'?" },
	{ "\"part\": {\"xyzzyx\": 5}", "part.xyzzyx", "unknown key 'xyzzyx'" },
	{ "\"colour\": \"red\"", "colour", "unknown key 'colour', did you mean 'color'?" },
	{ "\"extra\": 1", "extra", "found 1, allowed: an object" },
	{ "\"extra\": {\"name\": 1}", "extra.name", "found 1, allowed: a string" },
	{ "\"parts\": {}", "parts", "found an object, allowed: an array of objects" },
	{ "\"parts\": [{}, {\"wait\": []}]", "parts[1].wait",
	  "found an array, allowed: a time such as \"30s\" from 0ms to 1h" },
	{ "\"parts\": [{}, 1]", "parts[1]", "found 1, allowed: an object" },
	{ "\"parts\": [{\"nam\": \"x\"}]", "parts[0].nam",
	  "unknown key 'nam', did you mean 'name'?" },
	{ "\"color\": \"\\u001b[2J\"", "color",
	  "found string \"?[2J\", allowed: red, green or blue" },
};

START_TEST(test_wrong_value)
{
	own_arena struct arena arena = { 0 };
	struct js_issues issues = { .arena = &arena };
	own_json json_t *json = NULL;
	own_text struct text t = { 0 };
	struct doc doc = { 0 };
	struct err e = { 0 };

	text_addf(&t, "{\"text\": \"t\", %s}", wrong[_i].body);
	json = parse(text_str(&t));
	ck_assert_int_eq(js_decode(&doc_type, json, &doc, &issues), -EINVAL);
	ck_assert_uint_eq(issues.n, 1);
	ck_assert_str_eq(issues.v[0].path, wrong[_i].path);
	ck_assert_str_eq(issues.v[0].text, wrong[_i].text);
	ck_assert_int_eq(js_issues_err(&issues, "doc 'x'", &e), -EINVAL);
	ck_assert_msg(strstr(e.msg, wrong[_i].text), "%s", e.msg);
}
END_TEST

START_TEST(test_all_issues)
{
	own_arena struct arena arena = { 0 };
	struct js_issues issues = { .arena = &arena };
	own_json json_t *json = parse("{\"flag\": 1, \"part\": {\"limit\": 1, \"x\": 1}, "
				      "\"words\": [1, 2]}");
	struct doc doc = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(js_decode(&doc_type, json, &doc, &issues), -EINVAL);
	ck_assert_uint_eq(issues.n, 6);
	ck_assert_str_eq(issues.v[5].path, "text");
	ck_assert_str_eq(issues.v[5].text, "is missing, and required");
	ck_assert_int_eq(js_issues_err(&issues, "doc 'x'", &e), -EINVAL);
	ck_assert_str_eq(e.msg, "doc 'x': flag: found 1, allowed: true or false (and 5 more)");
}
END_TEST

START_TEST(test_many_issues)
{
	own_arena struct arena arena = { 0 };
	struct js_issues issues = { .arena = &arena };
	own_json json_t *json = json_object(), *ids = json_array();
	struct doc doc = { 0 };

	for (int i = 0; i < 5000; i++)
		ck_assert_int_eq(json_array_append_new(ids, json_true()), 0);
	ck_assert_int_eq(json_object_set(json, "ids", ids), 0);
	ck_assert_int_eq(js_decode(&doc_type, json, &doc, &issues), -EINVAL);
	ck_assert_uint_eq(issues.n, 100);
}
END_TEST

START_TEST(test_not_an_object)
{
	own_arena struct arena arena = { 0 };
	struct js_issues issues = { .arena = &arena };
	own_json json_t *json = parse("[1]");
	struct doc doc = { 0 };

	ck_assert_int_eq(js_decode(&doc_type, json, &doc, &issues), -EINVAL);
	ck_assert_str_eq(issues.v[0].path, "");
	ck_assert_str_eq(issues.v[0].text, "found an array, allowed: an object");
}
END_TEST

START_TEST(test_defaults)
{
	own_arena struct arena arena = { 0 };
	struct js_issues issues = { .arena = &arena };
	own_json json_t *json = parse("{\"text\": \"\", \"extra\": null, \"parts\": [{}]}");
	struct doc doc = { 0 };
	const struct part *first;

	ck_assert_int_eq(js_decode(&doc_type, json, &doc, &issues), 0);
	ck_assert(doc.flag);
	ck_assert(!doc.maybe.set);
	ck_assert_uint_eq(doc.small, 3);
	ck_assert_uint_eq(doc.color, 1);
	ck_assert_str_eq(doc.text, "");
	ck_assert(doc.part.limit.set);
	ck_assert_uint_eq(doc.part.limit.v, 1 << 30);
	ck_assert_uint_eq(doc.part.wait.v, 60000);
	ck_assert(!doc.part.share.set);
	ck_assert_ptr_null(doc.part.name);
	ck_assert_ptr_null(doc.extra);
	ck_assert_uint_eq(doc.parts.n, 1);
	first = doc.parts.v;
	ck_assert_uint_eq(first->limit.v, 1 << 30);
}
END_TEST

static const struct {
	const char *text;
	uint64_t limit, wait, share, count; /* 0: not given */
} units[] = {
	{ "{\"limit\": \"512M\"}", UINT64_C(512) << 20, 0, 0, 0 },
	{ "{\"limit\": 4096}", 4096, 0, 0, 0 },
	{ "{\"limit\": 4096.0}", 4096, 0, 0, 0 },
	{ "{\"limit\": \"1.5GiB\"}", UINT64_C(3) << 29, 0, 0, 0 },
	{ "{\"limit\": \"max\"}", UINT64_MAX, 0, 0, 0 },
	{ "{\"limit\": \"unlimited\"}", UINT64_MAX, 0, 0, 0 },
	{ "{\"wait\": 2}", 0, 2000, 0, 0 },
	{ "{\"wait\": 0.25}", 0, 250, 0, 0 },
	{ "{\"wait\": \"250ms\"}", 0, 250, 0, 0 },
	{ "{\"wait\": \"5m\"}", 0, 300000, 0, 0 },
	{ "{\"share\": 2}", 0, 0, 2000, 0 },
	{ "{\"share\": 1.5}", 0, 0, 1500, 0 },
	{ "{\"share\": \"1.5\"}", 0, 0, 1500, 0 },
	{ "{\"share\": \"150%\"}", 0, 0, 1500, 0 },
	{ "{\"share\": \"max\"}", 0, 0, UINT64_MAX, 0 },
	{ "{\"share\": 1.005}", 0, 0, 1005, 0 },
	{ "{\"count\": 7}", 0, 0, 0, 7 },
	{ "{\"count\": \"max\"}", 0, 0, 0, UINT64_MAX },
};

START_TEST(test_units)
{
	own_arena struct arena arena = { 0 };
	struct js_issues issues = { .arena = &arena };
	own_json json_t *json = parse(units[_i].text);
	own_json json_t *back = NULL;
	struct part part = { 0 }, again = { 0 };

	ck_assert_int_eq(js_decode(&part_type, json, &part, &issues), 0);
	ck_assert_uint_eq(part.limit.v, units[_i].limit ? units[_i].limit : UINT64_C(1) << 30);
	ck_assert_uint_eq(part.wait.v, units[_i].wait ? units[_i].wait : 60000);
	ck_assert_uint_eq(part.share.v, units[_i].share);
	ck_assert_uint_eq(part.count.v, units[_i].count);
	back = js_encode(&part_type, &part);
	ck_assert_ptr_nonnull(back);
	ck_assert_uint_eq(json_object_size(back), 1);
	ck_assert_int_eq(js_decode(&part_type, back, &again, &issues), 0);
	ck_assert_uint_eq(part.limit.v, again.limit.v);
	ck_assert_uint_eq(part.wait.v, again.wait.v);
	ck_assert_uint_eq(part.share.v, again.share.v);
	ck_assert_uint_eq(part.count.v, again.count.v);
}
END_TEST

static const char everything[] =
	"{\"flag\": false, \"maybe\": false, \"small\": 7, \"color\": \"blue\", \"level\": -5,"
	" \"big\": 18446744073709551615, \"offset\": -7, \"total\": 0, \"words\": [\"a\", \"\"],"
	" \"ids\": [0, 4294967295], \"map\": {\"a.b\": \"c\", \"\": \"\"},"
	" \"part\": {\"limit\": \"8M\", \"name\": \"p\"}, \"extra\": {\"wait\": \"1ms\"},"
	" \"parts\": [{\"share\": 3}, {\"count\": 5}], \"raw\": [1, {\"x\": null}],"
	" \"text\": \"t\\u00e9\\n\"}";

/* decode, encode, decode, encode: the same document, whole or without defaults. */
START_TEST(test_round_trip)
{
	own_arena struct arena arena = { 0 };
	struct js_issues issues = { .arena = &arena };
	own_json json_t *json = parse(everything);
	json_t *(*const encode)(const struct js_object *, const void *) =
		_i ? js_encode_full : js_encode;
	own_json json_t *once = NULL, *twice = NULL;
	struct doc doc = { 0 }, again = { 0 };

	ck_assert_int_eq(js_decode(&doc_type, json, &doc, &issues), 0);
	once = encode(&doc_type, &doc);
	ck_assert_ptr_nonnull(once);
	ck_assert_int_eq(js_decode(&doc_type, once, &again, &issues), 0);
	twice = encode(&doc_type, &again);
	ck_assert(json_equal(once, twice));
	ck_assert_uint_eq(again.big, UINT64_MAX);
	ck_assert_uint_eq(json_object_size(once), ARRAY_SIZE(doc_fields) - 1);
	if (!_i) { /* nothing was lost, and nothing added, but for how big numbers are spelt */
		ck_assert_int_eq(json_object_del(once, "big"), 0);
		ck_assert_int_eq(json_object_del(json, "big"), 0);
		ck_assert(json_equal(once, json));
	}
}
END_TEST

START_TEST(test_encode_leaves_defaults_out)
{
	own_arena struct arena arena = { 0 };
	struct js_issues issues = { .arena = &arena };
	own_json json_t *json =
		parse("{\"text\": \"t\", \"flag\": true, \"small\": 3, \"color\": \"green\","
		      "\"words\": [], \"part\": {\"limit\": 1073741824, \"wait\": 60}}");
	own_json json_t *sparse = NULL, *full = NULL;
	struct doc doc = { 0 };

	ck_assert_int_eq(js_decode(&doc_type, json, &doc, &issues), 0);
	sparse = js_encode(&doc_type, &doc);
	ck_assert_uint_eq(json_object_size(sparse), 1);
	full = js_encode_full(&doc_type, &doc);
	ck_assert_str_eq(json_string_value(js_get_at(full, "part.limit")), "1G");
	ck_assert_str_eq(json_string_value(js_get_at(full, "part.wait")), "1m");
	ck_assert(json_is_true(js_get_at(full, "flag")));
}
END_TEST

START_TEST(test_schema)
{
	own_json json_t *schema = js_schema(&doc_type, "urn:x", "title");
	json_t *part;

	ck_assert_ptr_nonnull(schema);
	ck_assert_str_eq(json_string_value(json_object_get(schema, "$schema")),
			 "https://json-schema.org/draft/2020-12/schema");
	ck_assert(json_is_false(json_object_get(schema, "additionalProperties")));
	ck_assert_str_eq(json_string_value(js_get_at(schema, "required[0]")), "text");
	ck_assert_int_eq(json_integer_value(js_get_at(schema, "properties.small.minimum")), 1);
	ck_assert_int_eq(json_integer_value(js_get_at(schema, "properties.small.maximum")), 10);
	ck_assert_int_eq(json_integer_value(js_get_at(schema, "properties.small.default")), 3);
	ck_assert_int_eq(json_integer_value(js_get_at(schema, "properties.level.minimum")), -1000);
	ck_assert_uint_eq(json_array_size(js_get_at(schema, "properties.color.enum")), 3);
	ck_assert_int_eq(json_integer_value(js_get_at(schema, "properties.words.maxItems")), 3);
	ck_assert_str_eq(json_string_value(js_get_at(schema, "properties.part[\"$ref\"]")),
			 "#/$defs/part");
	ck_assert_str_eq(json_string_value(js_get_at(schema, "properties.extra.anyOf[1].type")),
			 "null");
	part = js_get_at(schema, "[\"$defs\"].part");
	ck_assert_ptr_nonnull(part);
	ck_assert(json_is_false(json_object_get(part, "additionalProperties")));
	ck_assert(json_is_true(js_get_at(part, "properties.limit.x-ctr-live")));
	ck_assert(json_is_false(js_get_at(part, "properties.wait.x-ctr-live")));
	ck_assert_str_eq(json_string_value(js_get_at(part, "properties.limit.default")), "1G");
	ck_assert_str_eq(json_string_value(js_get_at(part, "properties.limit.description")),
			 "A size.");
	ck_assert_ptr_null(js_get_at(schema, "[\"$defs\"].open.additionalProperties"));
}
END_TEST

static const struct {
	const char *path, *key, *hint;
} fields[] = {
	{ "flag", "flag", NULL },
	{ "part", "part", NULL },
	{ "part.limit", "limit", NULL },
	{ "extra.name", "name", NULL },
	{ "parts", "parts", NULL },
	{ "parts[3]", "parts", NULL },
	{ "parts[3].wait", "wait", NULL },
	{ "words[0]", "words", NULL },
	{ "ids[9]", "ids", NULL },
	{ "map.a", "map", NULL },
	{ "map[\"a.b\"]", "map", NULL },
	{ "map.a.b", NULL, "map[\"a.b\"]" },
	{ "part.limti", NULL, "part.limit" },
	{ "prat.limit", NULL, "part.limit" },
	{ "parts[0].wiat", NULL, "parts[0].wait" },
	{ "colour", NULL, "color" },
	{ "part.xyzzyx", NULL, NULL },
	{ "flag.x", NULL, NULL },
	{ "flag[0]", NULL, NULL },
	{ "words.x", NULL, NULL },
	{ "words[0].x", NULL, NULL },
	{ "words[0", NULL, NULL },
	{ "words[]", NULL, NULL },
	{ "words[99999999999]", NULL, NULL },
	{ "part.", NULL, NULL },
	{ ".part", NULL, NULL },
	{ "part..limit", NULL, NULL },
	{ "map[\"a", NULL, NULL },
	{ "[0]", NULL, NULL },
	{ "", NULL, NULL },
};

START_TEST(test_field_at)
{
	own_arena struct arena arena = { 0 };
	const char *hint = "untouched";
	const struct js_field *f = js_field_at(&doc_type, fields[_i].path, &arena, &hint);

	if (fields[_i].key) {
		ck_assert_ptr_nonnull(f);
		ck_assert_str_eq(f->key, fields[_i].key);
	} else {
		ck_assert_ptr_null(f);
	}
	if (fields[_i].hint)
		ck_assert_pstr_eq(hint, fields[_i].hint);
	else
		ck_assert_ptr_null(hint);
	ck_assert_ptr_eq(js_field_at(&doc_type, fields[_i].path, &arena, NULL), f);
}
END_TEST

START_TEST(test_set_at)
{
	own_json json_t *doc = json_object();
	own_json json_t *one = json_integer(1), *two = json_integer(2);
	own_json json_t *expect = parse("{\"a\": {\"b\": 2}, \"l\": [{\"x\": 1}, 2],"
					"\"m\": {\"k.v\": 1}}");

	ck_assert_int_eq(js_set_at(doc, "a.b", one), 0);
	ck_assert_int_eq(js_set_at(doc, "a.b", two), 0);
	ck_assert_int_eq(js_set_at(doc, "l[0].x", one), 0);
	ck_assert_int_eq(js_set_at(doc, "l[1]", one), 0);
	ck_assert_int_eq(js_set_at(doc, "l[1]", two), 0);
	ck_assert_int_eq(js_set_at(doc, "m[\"k.v\"]", one), 0);
	ck_assert(json_equal(doc, expect));
	ck_assert_int_eq(js_set_at(doc, "a.b.c", one), -EINVAL);
	ck_assert_int_eq(js_set_at(doc, "l[9]", one), -EINVAL);
	ck_assert_int_eq(js_set_at(doc, "l.x", one), -EINVAL);
	ck_assert_int_eq(js_set_at(doc, "a..b", one), -EINVAL);
	ck_assert_int_eq(js_set_at(doc, "", one), -EINVAL);
	ck_assert_int_eq(js_set_at(doc, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r", one), -EINVAL);
	ck_assert(json_equal(doc, expect));
	ck_assert_int_eq((int)json_integer_value(js_get_at(doc, "l[0].x")), 1);
	ck_assert_ptr_null(js_get_at(doc, "l[7].x"));
	ck_assert_ptr_null(js_get_at(doc, "l["));
	ck_assert_uint_eq(one->refcount, 3);
}
END_TEST

/* Each string and array goes to the arena: the document may go first. */
START_TEST(test_values_outlive_document)
{
	own_arena struct arena arena = { 0 };
	struct js_issues issues = { .arena = &arena };
	json_t *json = parse("{\"text\": \"kept\", \"words\": [\"w\"], \"map\": {\"k\": \"v\"}}");
	struct doc doc = { 0 };

	ck_assert_int_eq(js_decode(&doc_type, json, &doc, &issues), 0);
	json_decref(json);
	ck_assert_str_eq(doc.text, "kept");
	ck_assert_str_eq(doc.words.v[0], "w");
	ck_assert_str_eq(doc.map.v[0].key, "k");
	ck_assert_str_eq(doc.map.v[0].value, "v");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json");
	SRunner *runner = srunner_create(suite);
	TCase *tc = tcase_create("json");
	int failed;

	tcase_add_loop_test(tc, test_broken_text, 0, ARRAY_SIZE(broken));
	tcase_add_test(tc, test_truncated);
	tcase_add_test(tc, test_deep);
	tcase_add_test(tc, test_byte_order_mark);
	tcase_add_test(tc, test_big_integers);
	tcase_add_test(tc, test_file);
	tcase_add_loop_test(tc, test_wrong_value, 0, ARRAY_SIZE(wrong));
	tcase_add_test(tc, test_all_issues);
	tcase_add_test(tc, test_many_issues);
	tcase_add_test(tc, test_not_an_object);
	tcase_add_test(tc, test_defaults);
	tcase_add_loop_test(tc, test_units, 0, ARRAY_SIZE(units));
	tcase_add_loop_test(tc, test_round_trip, 0, 2);
	tcase_add_test(tc, test_encode_leaves_defaults_out);
	tcase_add_test(tc, test_schema);
	tcase_add_loop_test(tc, test_field_at, 0, ARRAY_SIZE(fields));
	tcase_add_test(tc, test_set_at);
	tcase_add_test(tc, test_values_outlive_document);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
