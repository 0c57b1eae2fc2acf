/* SPDX-License-Identifier: Apache-2.0 */
/* The string builder, and every number, size, duration, list and name that users type. */
#include "base/text.h"

#include "base/own.h"

#include <check.h>
#include <string.h>

enum { UNTOUCHED = 4711 };

/* clang-format off */
struct number {
	const char *text;
	int r;
	uint64_t value;
};

static const struct number u64s[] = {
	{ "0", 0, 0 }, { "7", 0, 7 }, { "007", 0, 7 },
	{ "18446744073709551615", 0, UINT64_MAX },
	{ "00000000000000000000000000001", 0, 1 },
	{ "18446744073709551616", -ERANGE, 0 }, { "18446744073709551620", -ERANGE, 0 },
	{ "99999999999999999999999", -ERANGE, 0 },
	{ "", -EINVAL, 0 }, { " 1", -EINVAL, 0 }, { "1 ", -EINVAL, 0 }, { "+1", -EINVAL, 0 }, { "-1", -EINVAL, 0 },
	{ "-0", -EINVAL, 0 }, { "0x10", -EINVAL, 0 }, { "1e3", -EINVAL, 0 }, { "1.0", -EINVAL, 0 },
	{ "1\n", -EINVAL, 0 }, { "\xd9\xa1", -EINVAL, 0 }, { "nan", -EINVAL, 0 },
	{ "99999999999999999999999x", -EINVAL, 0 },
};
static const struct number u32s[] = {
	{ "0", 0, 0 }, { "4294967295", 0, UINT32_MAX }, { "4294967296", -ERANGE, 0 },
	{ "18446744073709551616", -ERANGE, 0 }, { "-1", -EINVAL, 0 }, { "", -EINVAL, 0 },
};
static const struct number i64s[] = {
	{ "0", 0, 0 }, { "-0", 0, 0 }, { "-1", 0, (uint64_t)-1 },
	{ "9223372036854775807", 0, INT64_MAX }, { "9223372036854775808", -ERANGE, 0 },
	{ "-9223372036854775808", 0, (uint64_t)INT64_MIN }, { "-9223372036854775809", -ERANGE, 0 },
	{ "-", -EINVAL, 0 }, { "--1", -EINVAL, 0 }, { "+1", -EINVAL, 0 }, { "", -EINVAL, 0 }, { "- 1", -EINVAL, 0 },
};
static const struct number bytes[] = {
	{ "0", 0, 0 }, { "4096", 0, 4096 }, { "10B", 0, 10 }, { "10b", 0, 10 },
	{ "1K", 0, 1024 }, { "1k", 0, 1024 }, { "1KB", 0, 1024 }, { "1KiB", 0, 1024 },
	{ "1kib", 0, 1024 }, { "1kb", 0, 1024 },
	{ "64M", 0, 64 << 20 }, { "1.5G", 0, 3ULL << 29 }, { "2TiB", 0, 2ULL << 40 },
	{ "1P", 0, 1ULL << 50 }, { "0.5K", 0, 512 }, { "0.0001K", 0, 0 },
	{ "0.999999999K", 0, 1023 }, { "16383P", 0, 16383ULL << 50 },
	{ "18446744073709551615", 0, UINT64_MAX }, { "16383.999999999P", 0, 18446744073708425716ULL },
	{ "16384P", -ERANGE, 0 }, { "18446744073709551616", -ERANGE, 0 },
	{ "99999999999999999999K", -ERANGE, 0 },
	{ "", -EINVAL, 0 }, { "K", -EINVAL, 0 }, { ".5K", -EINVAL, 0 }, { "1.K", -EINVAL, 0 }, { "1.5", -EINVAL, 0 },
	{ "1.5B", -EINVAL, 0 }, { "1.2.3K", -EINVAL, 0 }, { "1.2.", -EINVAL, 0 }, { "1.2.B", -EINVAL, 0 },
	{ "1.2.K", -EINVAL, 0 }, { "-1K", -EINVAL, 0 }, { "+1K", -EINVAL, 0 }, { "1 K", -EINVAL, 0 },
	{ "1Kx", -EINVAL, 0 }, { "1KBB", -EINVAL, 0 }, { "1BB", -EINVAL, 0 }, { "1BiB", -EINVAL, 0 },
	{ "1E", -EINVAL, 0 }, { "1KK", -EINVAL, 0 }, { "1iB", -EINVAL, 0 }, { "max", -EINVAL, 0 },
	{ "1.0000000001G", -EINVAL, 0 }, { "0x10", -EINVAL, 0 }, { "1K ", -EINVAL, 0 },
};
static const struct number durations[] = {
	{ "0", 0, 0 }, { "250ms", 0, 250 }, { "10s", 0, 10000 }, { "10", 0, 10000 },
	{ "5m", 0, 300000 }, { "2h", 0, 7200000 }, { "1d", 0, 86400000 }, { "1.5s", 0, 1500 },
	{ "0.0005s", 0, 0 }, { "1.5h", 0, 5400000 }, { "18446744073709551615ms", 0, UINT64_MAX },
	{ "18446744073709551.615", 0, UINT64_MAX },
	{ "18446744073709551.616", -ERANGE, 0 }, { "18446744073709551.999", -ERANGE, 0 },
	{ "18446744073709552s", -ERANGE, 0 }, { "18446744073709551616ms", -ERANGE, 0 },
	{ "213503982334.9d", -ERANGE, 0 },
	{ "213503982335d", -ERANGE, 0 },
	{ "", -EINVAL, 0 }, { "s", -EINVAL, 0 }, { "ms", -EINVAL, 0 }, { ".", -EINVAL, 0 }, { "1.", -EINVAL, 0 },
	{ "1.s", -EINVAL, 0 }, { "1.5.5s", -EINVAL, 0 }, { "1..5s", -EINVAL, 0 }, { "1.5.", -EINVAL, 0 },
	{ "10S", -EINVAL, 0 }, { "10 s", -EINVAL, 0 }, { "10sec", -EINVAL, 0 }, { "1h30m", -EINVAL, 0 },
	{ "-1s", -EINVAL, 0 }, { "1w", -EINVAL, 0 }, { "1.0000000000s", -EINVAL, 0 },
};
static const struct number cpus[] = {
	{ "0", 0, 0 }, { "1", 0, 1000 }, { "1.5", 0, 1500 }, { "150%", 0, 1500 }, { "0.5%", 0, 5 },
	{ "12.34%", 0, 123 }, { "0.0001", 0, 0 }, { "1000000", 0, 1000000000 },
	{ "18446744073709551.615", 0, UINT64_MAX }, { "18446744073709551.616", -ERANGE, 0 },
	{ "18446744073709552", -ERANGE, 0 }, { "1844674407370955162%", -ERANGE, 0 },
	{ "", -EINVAL, 0 }, { "%", -EINVAL, 0 }, { "5%%", -EINVAL, 0 }, { "50%5", -EINVAL, 0 }, { "%50", -EINVAL, 0 },
	{ "1.5.5", -EINVAL, 0 }, { ".5", -EINVAL, 0 }, { "1.", -EINVAL, 0 }, { "-1", -EINVAL, 0 },
	{ "1 %", -EINVAL, 0 }, { "1c", -EINVAL, 0 }, { "1500m", -EINVAL, 0 },
};

static const struct {
	const char *text;
	bool ok;
} cpusets[] = {
	{ "0", true }, { "0-3", true }, { "0-3,8", true }, { "1,2,3", true }, { "5-5", true },
	{ "8191", true }, { "0-8191", true }, { "00", true },
	{ "", false }, { ",", false }, { "0,", false }, { ",0", false }, { "0,,1", false },
	{ "3-1", false }, { "0-", false }, { "-1", false }, { "1-2-3", false }, { "2,1", false },
	{ "0-3,3", false }, { "0-3,2", false }, { "1,1", false }, { "8192", false },
	{ "0-8192", false }, { "99999999999999999999", false }, { "1.5", false }, { "0-3.5", false },
	{ "1.", false }, { "0 1", false }, { " 0", false }, { "0\n", false }, { "all", false },
	{ "0x1", false }, { "0-3:2", false },
};

static const struct {
	const char *text;
	bool ok;
} ids[] = {
	{ "a", true }, { "Web-1.example_x+y", true }, { "0", true }, { "_", true }, { "+", true },
	{ "a..b", true }, { "a-", true },
	{ "", false }, { ".", false }, { "..", false }, { ".a", false }, { "-a", false },
	{ "a/b", false }, { "a b", false }, { "a\n", false }, { "\xc3\xa9", false }, { "a:b", false },
	{ "a@b", false }, { "a~", false }, { "a\\b", false }, { "a%b", false }, { "$a", false },
};

static const struct {
	uint64_t value;
	const char *text;
} byte_texts[] = {
	{ 0, "0" }, { 1, "1" }, { 1023, "1023" }, { 1024, "1K" }, { 1025, "1.0K" }, { 1536, "1.5K" },
	{ 102400, "100K" }, { 102401, "100K" }, { 1048575, "1023K" }, { 1 << 20, "1M" },
	{ 3ULL << 29, "1.5G" }, { 1ULL << 40, "1T" }, { 1ULL << 50, "1P" },
	{ 1ULL << 60, "1024P" }, { UINT64_MAX - 1, "16383P" }, { UINT64_MAX, "max" },
};
static const struct {
	uint64_t value;
	const char *text;
} ms_texts[] = {
	{ 0, "0ms" }, { 1, "1ms" }, { 999, "999ms" }, { 1000, "1s" }, { 1500, "1500ms" },
	{ 90000, "90s" }, { 60000, "1m" }, { 3600000, "1h" }, { 86400000, "1d" },
	{ 172800000, "2d" }, { 5400000, "90m" }, { UINT64_MAX, "18446744073709551615ms" },
};
/* clang-format on */

static void check_number(const struct number *n, int r, uint64_t got)
{
	ck_assert_msg(r == n->r, "'%s' gives %d", n->text, r);
	ck_assert_msg(got == (r < 0 ? UNTOUCHED : n->value), "'%s' gives %llu", n->text,
		      (unsigned long long)got);
}

START_TEST(test_numbers)
{
	for (size_t i = 0; i < ARRAY_SIZE(u64s); i++) {
		uint64_t v = UNTOUCHED;
		int r = text_u64(u64s[i].text, &v);

		check_number(&u64s[i], r, v);
	}
	for (size_t i = 0; i < ARRAY_SIZE(u32s); i++) {
		uint32_t v = UNTOUCHED;
		int r = text_u32(u32s[i].text, &v);

		check_number(&u32s[i], r, v);
	}
	for (size_t i = 0; i < ARRAY_SIZE(i64s); i++) {
		int64_t v = UNTOUCHED;
		int r = text_i64(i64s[i].text, &v);

		check_number(&i64s[i], r, (uint64_t)v);
	}
}
END_TEST

static const struct {
	int (*parse)(const char *s, uint64_t *ret);
	const struct number *cases;
	size_t count;
} scales[] = {
	{ text_bytes, bytes, ARRAY_SIZE(bytes) },
	{ text_ms, durations, ARRAY_SIZE(durations) },
	{ text_cpus, cpus, ARRAY_SIZE(cpus) },
};

START_TEST(test_scaled)
{
	for (size_t i = 0; i < scales[_i].count; i++) {
		uint64_t v = UNTOUCHED;
		int r = scales[_i].parse(scales[_i].cases[i].text, &v);

		check_number(&scales[_i].cases[i], r, v);
	}
}
END_TEST

START_TEST(test_cpusets)
{
	for (size_t i = 0; i < ARRAY_SIZE(cpusets); i++)
		ck_assert_msg(text_is_cpuset(cpusets[i].text) == cpusets[i].ok, "'%s'",
			      cpusets[i].text);
}
END_TEST

/* clang-format off */
static const struct {
	const char *text;
	int r;
	uint64_t bits; /* of 64 */
} lists[] = {
	{ "0", 0, 1 }, { "0-3,8", 0, 0x10f }, { "8,0-3", 0, 0x10f }, { "1-2,2-3", 0, 0xe },
	{ "63", 0, UINT64_C(1) << 63 }, { "0-63", 0, UINT64_MAX }, { "00", 0, 1 },
	{ "", -EINVAL, 0 }, { ",", -EINVAL, 0 }, { "0,", -EINVAL, 0 }, { ",0", -EINVAL, 0 },
	{ "3-1", -EINVAL, 0 }, { "0-", -EINVAL, 0 }, { "-1", -EINVAL, 0 }, { "1-2-3", -EINVAL, 0 },
	{ "0 1", -EINVAL, 0 }, { " 0", -EINVAL, 0 }, { "0x1", -EINVAL, 0 }, { "all", -EINVAL, 0 },
	{ "64", -ERANGE, 0 }, { "0-64", -ERANGE, 0 }, { "0-9876543210", -ERANGE, 0 },
	{ "99999999999999999999", -ERANGE, 0 },
};
/* clang-format on */

START_TEST(test_bits)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		unsigned long bits[64 / (8 * sizeof(unsigned long))] = { 0 };

		ck_assert_msg(text_bits(lists[i].text, bits, 64) == lists[i].r, "'%s'",
			      lists[i].text);
		if (lists[i].r == 0)
			ck_assert_msg(memcmp(bits, &lists[i].bits, sizeof(bits)) == 0, "'%s'",
				      lists[i].text);
	}
}
END_TEST

START_TEST(test_ids)
{
	char longest[130];

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		ck_assert_msg(text_is_id(ids[i].text) == ids[i].ok, "'%s'", ids[i].text);
	memset(longest, 'x', sizeof(longest));
	longest[129] = '\0';
	ck_assert(!text_is_id(longest));
	longest[128] = '\0';
	ck_assert(text_is_id(longest));
	for (int c = 1; c < 256; c++) {
		const char s[] = { 'a', (char)c, '\0' };

		ck_assert_int_eq(text_is_id(s), (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
							(c >= 'A' && c <= 'Z') || c == '_' ||
							c == '+' || c == '.' || c == '-');
	}
}
END_TEST

START_TEST(test_formats)
{
	char buf[24];

	for (size_t i = 0; i < ARRAY_SIZE(byte_texts); i++)
		ck_assert_str_eq(text_fmt_bytes(buf, sizeof(buf), byte_texts[i].value),
				 byte_texts[i].text);
	for (size_t i = 0; i < ARRAY_SIZE(ms_texts); i++)
		ck_assert_str_eq(text_fmt_ms(buf, sizeof(buf), ms_texts[i].value),
				 ms_texts[i].text);
}
END_TEST

START_TEST(test_round_trips)
{
	uint64_t seed = 88172645463325252ULL;

	for (int i = 0; i < 20000; i++) {
		char buf[24];
		uint64_t v, back, whole;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		v = seed >> (i % 64);
		ck_assert_int_eq(text_ms(text_fmt_ms(buf, sizeof(buf), v), &back), 0);
		ck_assert_uint_eq(back, v);
		/* Bytes are rounded down to what is readable, by less than 10 of 100. */
		if (v == UINT64_MAX)
			continue;
		ck_assert_int_eq(text_bytes(text_fmt_bytes(buf, sizeof(buf), v), &back), 0);
		ck_assert_uint_le(back, v);
		ck_assert_uint_le(v - back, v / 10);
		whole = (v & 1023) << (i % 6 * 10);
		ck_assert_int_eq(text_bytes(text_fmt_bytes(buf, sizeof(buf), whole), &back), 0);
		ck_assert_uint_eq(back, whole);
	}
}
END_TEST

static const char *const verbs[] = { "create", "start", "stop", "delete", "list", "set" };

/* clang-format off */
static const struct {
	const char *typed;
	int index;
} slips[] = {
	{ "create", 0 }, { "craete", 0 }, { "creat", 0 }, { "crate", 0 }, { "CREATE", 0 },
	{ "strat", 1 }, { "stpo", 2 }, { "delet", 3 }, { "lsit", 4 }, { "ls", -1 }, { "ste", 5 },
	{ "frobnicate", -1 }, { "", -1 }, { "wombat", -1 },
};
/* clang-format on */

START_TEST(test_nearest)
{
	char longer[400];

	for (size_t i = 0; i < ARRAY_SIZE(slips); i++) {
		int got = text_nearest(slips[i].typed, verbs, ARRAY_SIZE(verbs));

		ck_assert_msg(got == slips[i].index, "'%s' gives %d", slips[i].typed, got);
	}
	ck_assert_int_eq(text_nearest("x", NULL, 0), -1);
	for (size_t len = 1; len < sizeof(longer); len++) {
		memset(longer, 'q', len);
		longer[len] = '\0';
		if (len > 1)
			ck_assert_int_eq(text_nearest(longer, verbs, ARRAY_SIZE(verbs)), -1);
	}
}
END_TEST

START_TEST(test_builder)
{
	own_text struct text t = { 0 };
	own_free char *s = NULL;
	char big[3000];

	ck_assert_str_eq(text_str(&t), "");
	text_add(&t, "a");
	text_addn(&t, "bcd", 2);
	text_addf(&t, "%d-%s", 5, "x");
	ck_assert_str_eq(text_str(&t), "abc5-x");
	ck_assert_uint_eq(t.len, 6);
	memset(big, 'y', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	text_addf(&t, "%s", big);
	text_add(&t, big);
	ck_assert_uint_eq(t.len, 6 + 2 * (sizeof(big) - 1));
	ck_assert_uint_eq(strlen(text_str(&t)), t.len);
	s = text_take(&t);
	ck_assert_uint_eq(strlen(s), 6 + 2 * (sizeof(big) - 1));
	ck_assert_ptr_null(t.data);
	own_free char *empty = text_take(&t);
	ck_assert_str_eq(empty, "");
}
END_TEST

START_TEST(test_pad)
{
	own_text struct text t = { 0 };

	text_pad(&t, "ab", 4);
	text_pad(&t, "\xc3\xa9\xe2\x82\xac", 4); /* two columns in five bytes */
	text_pad(&t, "longer", 3);
	text_pad(&t, "", 2);
	ck_assert_str_eq(text_str(&t), "ab  \xc3\xa9\xe2\x82\xac  longer  ");
}
END_TEST

START_TEST(test_builder_is_sticky)
{
	struct text t = { .failed = true };

	text_add(&t, "dropped");
	text_addf(&t, "%d", 1);
	ck_assert(text_failed(&t));
	ck_assert_str_eq(text_str(&t), "");
	ck_assert_ptr_null(text_take(&t));
	ck_assert(!text_failed(&t));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tc = tcase_create("text");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, test_numbers);
	tcase_add_loop_test(tc, test_scaled, 0, (int)ARRAY_SIZE(scales));
	tcase_add_test(tc, test_cpusets);
	tcase_add_test(tc, test_bits);
	tcase_add_test(tc, test_ids);
	tcase_add_test(tc, test_formats);
	tcase_add_test(tc, test_round_trips);
	tcase_add_test(tc, test_nearest);
	tcase_add_test(tc, test_builder);
	tcase_add_test(tc, test_pad);
	tcase_add_test(tc, test_builder_is_sticky);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
