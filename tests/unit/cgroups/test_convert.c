/* SPDX-License-Identifier: Apache-2.0 */
/* Value maths: exact against the OCI formulas, and exact on the way back. */
#include "base/own.h"
#include "cgroups/cg_internal.h"

#include <check.h>
#include <math.h>

/* The formula as the runtimes state it, in floating point. */
static uint64_t reference(uint64_t shares)
{
	double l = log2((double)shares);

	return (uint64_t)ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

START_TEST(shares_match_reference)
{
	ck_assert_uint_eq(cg_weight_from_shares(0), 0);
	ck_assert_uint_eq(cg_weight_from_shares(1), 1);
	ck_assert_uint_eq(cg_weight_from_shares(2), 1);
	ck_assert_uint_eq(cg_weight_from_shares(1024), 100);
	ck_assert_uint_eq(cg_weight_from_shares(262144), 10000);
	ck_assert_uint_eq(cg_weight_from_shares(UINT64_MAX), 10000);
	for (uint64_t s = 2; s < 262144; s++)
		if (cg_weight_from_shares(s) != reference(s))
			ck_abort_msg("%lu shares: %lu, reference %lu", s, cg_weight_from_shares(s),
				     reference(s));
}
END_TEST

START_TEST(weights_go_back)
{
	for (uint64_t w = 1; w <= 10000; w++)
		if (cg_weight_from_shares(cg_shares_from_weight(w)) != w)
			ck_abort_msg("weight %lu: %lu shares", w, cg_shares_from_weight(w));
	ck_assert_uint_eq(cg_shares_from_weight(0), 2);
	ck_assert_uint_eq(cg_shares_from_weight(20000), 262144);
}
END_TEST

/* What people write comes back as they wrote it. */
static const uint64_t round_shares[] = { 2,	4,     8,     16,     32,    64,   128,
					 256,	512,   1024,  2048,   4096,  8192, 1536,
					 16384, 32768, 65536, 131072, 262144 };

START_TEST(round_shares_survive)
{
	uint64_t s = round_shares[_i];

	ck_assert_uint_eq(cg_shares_from_weight(cg_weight_from_shares(s)), s);
}
END_TEST

START_TEST(blkio_goes_back)
{
	for (uint64_t w = 10; w <= 1000; w++)
		ck_assert_uint_eq(cg_blkio_from_weight(cg_weight_from_blkio(w)), w);
	ck_assert_uint_eq(cg_weight_from_blkio(0), 0);
	ck_assert_uint_eq(cg_weight_from_blkio(10), 1);
	ck_assert_uint_eq(cg_weight_from_blkio(1000), 10000);
	ck_assert_uint_eq(cg_blkio_from_weight(1), 10);
	ck_assert_uint_eq(cg_blkio_from_weight(10000), 1000);
}
END_TEST

START_TEST(memory_and_swap)
{
	ck_assert_uint_eq(cg_memsw(100, 50), 150);
	ck_assert_uint_eq(cg_memsw(100, 0), 100);
	ck_assert_uint_eq(cg_memsw(UINT64_MAX, 0), UINT64_MAX);
	ck_assert_uint_eq(cg_memsw(100, UINT64_MAX), UINT64_MAX);
	ck_assert_uint_eq(cg_memsw(UINT64_MAX - 1, 2), UINT64_MAX);
	ck_assert_uint_eq(cg_swap_of(150, 100), 50);
	ck_assert_uint_eq(cg_swap_of(100, 150), 0);
	ck_assert_uint_eq(cg_swap_of(UINT64_MAX, 100), UINT64_MAX);
	ck_assert_uint_eq(cg_swap_of(100, UINT64_MAX), UINT64_MAX);
	ck_assert_uint_eq(cg_limit_v1(9223372036854771712ULL), UINT64_MAX);
	ck_assert_uint_eq(cg_limit_v1(1 << 20), 1 << 20);
}
END_TEST

static const struct {
	const char *file, *written, *old, *undo;
} undos[] = {
	/* clang-format off */
	{ "memory.max", "5", "max\n", "max" },
	{ "cpu.max", "max 20000", "5000 100000\n", "5000 100000" },
	{ "memory.limit_in_bytes", "5", "9223372036854771712\n", "9223372036854771712" },
	{ "memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "0" },
	{ "memory.oom_control", "0", "oom_kill_disable 1\nunder_oom 0\n", "1" },
	{ "cpuset.cpus", "1", "\n", "\n" },
	{ "cpuset.cpus", "1", "", "\n" },
	{ "io.weight", "5", "default 100\n8:0 7\n", "default 100" },
	{ "io.weight", "8:0 5", "default 100\n8:0 7\n", "8:0 7" },
	{ "io.weight", "8:16 5", "default 100\n8:160 7\n", "8:16 default" },
	{ "io.max", "8:0 rbps=5", "8:16 rbps=1 wbps=max riops=max wiops=max\n",
	  "8:0 rbps=max wbps=max riops=max wiops=max" },
	{ "io.max", "8:16 rbps=5", "8:16 rbps=1 wbps=max riops=max wiops=max\n",
	  "8:16 rbps=1 wbps=max riops=max wiops=max" },
	{ "blkio.throttle.read_bps_device", "8:0 5", "", "8:0 0" },
	{ "rdma.max", "mlx4_0 hca_handle=1", "mlx4_0 hca_handle=2 hca_object=max\n",
	  "mlx4_0 hca_handle=2 hca_object=max" },
	{ "net_prio.ifpriomap", "eth0 5", "lo 0\neth0 3\n", "eth0 3" },
	/* clang-format on */
};

START_TEST(undo_values)
{
	own_arena struct arena arena = { 0 };

	ck_assert_str_eq(undo_value(undos[_i].file, undos[_i].written, undos[_i].old, &arena),
			 undos[_i].undo);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroups/convert");
	TCase *tcase = tcase_create("convert");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60); /* all 262143 values, under a sanitizer too */
	tcase_add_test(tcase, shares_match_reference);
	tcase_add_test(tcase, weights_go_back);
	tcase_add_loop_test(tcase, round_shares_survive, 0, (int)ARRAY_SIZE(round_shares));
	tcase_add_test(tcase, blkio_goes_back);
	tcase_add_test(tcase, memory_and_swap);
	tcase_add_loop_test(tcase, undo_values, 0, (int)ARRAY_SIZE(undos));
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
