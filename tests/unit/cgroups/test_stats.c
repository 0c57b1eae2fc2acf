/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics files of both versions, captured, cut and damaged. */
#include "base/own.h"
#include "cgroups/cg_internal.h"

#include <check.h>

static const char cpu_stat[] = "usage_usec 1234\nuser_usec 1000\nsystem_usec 234\nnr_periods 7\n";
static const char psi[] = "some avg10=1.25 avg60=0.00 avg300=0.00 total=4711\n"
			  "full avg10=100.00 avg60=0.00 avg300=0.00 total=99\n";
static const char io_stat[] = "8:0 rbytes=100 wbytes=5 rios=3 wios=1 dbytes=0 dios=0\n"
			      "253:0 rbytes=11 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n"
			      "254:0 \n";
static const char blkio[] = "8:0 Read 100\n8:0 Write 5\n8:0 Sync 105\n8:0 Total 105\n"
			    "8:16 Read 1\n8:16 Write 0\nTotal 106\n";

static const struct {
	const char *text;
	enum stat_kind kind;
	const char *key;
	uint64_t value;
} cases[] = {
	/* clang-format off */
	{ "4096\n",	STAT_ONE, NULL, 4096 },
	{ "0",		STAT_ONE, NULL, 0 },
	{ "max\n",	STAT_ONE, NULL, UINT64_MAX },
	{ "50000 100000\n", STAT_ONE, NULL, 50000 },
	{ "max 100000\n", STAT_ONE, NULL, UINT64_MAX },
	{ "",		STAT_ONE, NULL, UINT64_MAX },
	{ "-1\n",	STAT_ONE, NULL, UINT64_MAX },
	{ "18446744073709551616", STAT_ONE, NULL, UINT64_MAX },
	{ "18446744073709551614", STAT_ONE, NULL, UINT64_MAX - 1 },
	{ cpu_stat,	STAT_KEY, "usage_usec", 1234 },
	{ cpu_stat,	STAT_KEY, "nr_periods", 7 },
	{ cpu_stat,	STAT_KEY, "usec", UINT64_MAX },
	{ cpu_stat,	STAT_KEY, "nr_throttled", UINT64_MAX },
	{ "oom 1\noom_kill 3", STAT_KEY, "oom_kill", 3 },
	{ "oom",	STAT_KEY, "oom", UINT64_MAX },
	{ io_stat,	STAT_SUM, "rbytes", 111 },
	{ io_stat,	STAT_SUM, "wbytes", 5 },
	{ io_stat,	STAT_SUM, "rios", 4 },
	{ io_stat,	STAT_SUM, "bytes", 0 },
	{ "",		STAT_SUM, "rbytes", 0 },
	{ blkio,	STAT_OP, "Read", 101 },
	{ blkio,	STAT_OP, "Write", 5 },
	{ "Total 0\n",	STAT_OP, "Read", 0 },
	{ psi,		STAT_PSI_AVG, "some", 125 },
	{ psi,		STAT_PSI_AVG, "full", 10000 },
	{ psi,		STAT_PSI_SUM, "some", 4711 },
	{ psi,		STAT_PSI_SUM, "full", 99 },
	{ "some avg10=1.2", STAT_PSI_AVG, "some", UINT64_MAX },
	{ "some avg10=",   STAT_PSI_AVG, "some", UINT64_MAX },
	{ "some avg10=1",  STAT_PSI_AVG, "some", UINT64_MAX },
	{ "",		STAT_PSI_SUM, "some", UINT64_MAX },
	/* clang-format on */
};

START_TEST(values)
{
	ck_assert_uint_eq(stat_parse(cases[_i].text, cases[_i].kind, cases[_i].key),
			  cases[_i].value);
}
END_TEST

/* Any prefix of any text is safe to parse; the sanitizers watch. */
START_TEST(cut_texts)
{
	static const char *const keys[] = { "rbytes", "Read", "some", "usage_usec", "" };
	size_t len = strlen(cases[_i].text);

	for (size_t n = 0; n <= len; n++) {
		own_free char *cut = strndup(cases[_i].text, n);

		for (enum stat_kind kind = STAT_ONE; kind <= STAT_PSI_SUM; kind++)
			for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
				(void)stat_parse(cut, kind, keys[k]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroups/stats");
	TCase *tcase = tcase_create("stats");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, values, 0, (int)ARRAY_SIZE(cases));
	tcase_add_loop_test(tcase, cut_texts, 0, (int)ARRAY_SIZE(cases));
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
